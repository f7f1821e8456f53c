//! What goes back: status, headers, body (dataverse.md sections 2.1 and 3.1).
//!
//! It decides nothing.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::error::Fault;

const JSON: &str = "application/json; odata.metadata=minimal";

/// An answer before the headers that all answers share.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Answer {
    /// 204.
    pub(super) fn empty() -> Self {
        Self::of(StatusCode::NO_CONTENT, None)
    }

    /// 304: the client's copy is current.
    pub(super) fn not_modified() -> Self {
        Self::of(StatusCode::NOT_MODIFIED, None)
    }

    /// JSON text with a status.
    pub(super) fn json(status: StatusCode, body: String) -> Self {
        Self::of(status, Some(body)).with("content-type", JSON.to_owned())
    }

    fn of(status: StatusCode, body: Option<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// A 401: no body, but where to sign in (dataverse.md section 1.4).
    pub(super) fn challenge(authority: &str, resource: &str) -> Self {
        let challenge = format!("Bearer authorization_uri={authority}/oauth2/authorize, resource_id={resource}/");
        Self::of(StatusCode::UNAUTHORIZED, None).with("www-authenticate", challenge)
    }

    /// The vendor's error. A missing token and what is not simulated have answers of their own.
    pub(super) fn fault(fault: &Fault) -> Self {
        let (status, code) = fault.status_and_code();
        let body = json!({"error": {"code": code, "message": fault.to_string()}});
        Self::of(status, Some(body.to_string())).with("content-type", JSON.to_owned())
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// As a response. `request_id` numbers it.
    pub(super) fn into_response(self, request_id: &str) -> Response {
        let body = self.body.map_or_else(Body::empty, |text| Body::from(Bytes::from(text)));
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert("odata-version", HeaderValue::from_static("4.0"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let id = HeaderValue::from_str(request_id).unwrap_or(HeaderValue::from_static(""));
        headers.insert("req_id", id.clone());
        headers.insert("x-ms-service-request-id", id);
        for (name, value) in self.headers {
            // A value with characters that no header may carry is left out: no identifier or link has one.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
