//! Replies that every system shares: JSON bodies, and the loud refusal of what is not simulated.
//!
//! Vendor-shaped errors live with their vendor, not here.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use http::{Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::happening::{Happening, Happenings, Refusal};
use crate::site::Site;

/// A JSON reply with the given content type.
pub fn json_reply(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    whole_json_reply(status, content_type, body).map(axum::body::Body::from)
}

fn whole_json_reply(status: StatusCode, content_type: &'static str, body: &Value) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

/// What a system says that is called without a router between.
#[derive(Debug)]
pub enum Said {
    /// An answer whose body is one piece of memory: it is taken as it stands.
    Whole(http::Response<Bytes>),
    /// An answer as a handler makes it.
    Handled(Response),
    /// Nothing: only the router knows the way of this request.
    Elsewhere(http::Request<Bytes>),
}

/// Travels with an answer that has nothing to tell yet. In process the answer stands as it is; over a socket, whoever carries
/// it may wait for a change and ask again, until the limit.
#[derive(Clone)]
pub struct Patience {
    /// Says when there may be something to tell.
    pub changed: watch::Receiver<u64>,
    /// How long the client is willing to wait, in real time.
    pub limit: Duration,
    /// Asks again.
    pub again: Arc<dyn Fn() -> Response + Send + Sync>,
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Patience")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
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
    refuse_whole(happenings, site, method, uri, missing).map(axum::body::Body::from)
}

/// The same with its body in one piece.
pub(crate) fn refuse_whole(
    happenings: &Happenings,
    site: Site,
    method: &Method,
    uri: &Uri,
    missing: &str,
) -> http::Response<Bytes> {
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
    whole_json_reply(StatusCode::NOT_IMPLEMENTED, "application/json", &body)
}
