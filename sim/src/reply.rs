//! Replies that every system shares: JSON bodies, and the loud refusal of what is not simulated.
//!
//! Vendor-shaped errors live with their vendor, not here.

use axum::response::Response;
use bytes::Bytes;
use http::{Method, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::happening::{Happening, Happenings, Refusal};
use crate::site::Site;

/// A JSON reply with the given content type.
pub fn json_reply(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    let mut response = Response::new(axum::body::Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

/// A reply without a body.
pub fn empty_reply(status: StatusCode) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    response
}

/// Answers 501 naming what is missing, and notes the refusal, which makes a run's verdict inconclusive.
///
/// The body is not a vendor's: `{"notSimulated":{"site","request","missing","help"}}`.
pub fn refuse(happenings: &Happenings, site: Site, method: &Method, uri: &Uri, missing: &str) -> Response {
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let request = format!("{method} {path}");
    let body = json!({"notSimulated": {
        "site": site.name(),
        "request": request,
        "missing": missing,
        "help": "this simulator refuses what it does not know instead of guessing; `cosell` calls the run inconclusive",
    }});
    happenings.push(Happening::Refused(Refusal {
        site,
        request,
        missing: missing.to_owned(),
    }));
    json_reply(StatusCode::NOT_IMPLEMENTED, "application/json", &body)
}
