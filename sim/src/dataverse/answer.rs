//! What goes back: status, headers, body (dataverse.md sections 2.1 and 3.1).
//!
//! It decides nothing.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::error::Fault;
use super::protection::Remaining;

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
const REQ_ID: HeaderName = HeaderName::from_static("req_id");
const SERVICE_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-service-request-id");

const REQUESTS_LEFT: HeaderName = HeaderName::from_static("x-ms-ratelimit-burst-remaining-xrm-requests");
const TIME_LEFT: HeaderName = HeaderName::from_static("x-ms-ratelimit-time-remaining-xrm-requests");

const JSON: &str = "application/json; odata.metadata=minimal";

/// An answer before the headers that all answers share.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Option<Bytes>,
    /// The URL of the row that was written: what `$1` stands for in a change set.
    row: Option<String>,
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
    pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::of(status, Some(body.into())).with("content-type", JSON)
    }

    /// The body of a 200 that says nothing in its headers but that it is JSON.
    pub(super) fn plain_json(&self) -> Option<&Bytes> {
        let plain = |(name, value): &(&str, Cow<'_, str>)| *name == "content-type" && value == JSON;
        let body = self.body.as_ref().filter(|_| self.status == StatusCode::OK);
        body.filter(|_| self.row.is_none() && self.headers.iter().all(plain))
    }

    fn of(status: StatusCode, body: Option<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            row: None,
        }
    }

    /// Text of another type.
    pub(super) fn text(content_type: &str, body: String) -> Self {
        Self::of(StatusCode::OK, Some(body.into())).with("content-type", content_type.to_owned())
    }

    /// Several answers in one.
    pub(super) fn multipart(status: StatusCode, content_type: String, body: String) -> Self {
        Self::of(status, Some(body.into())).with("content-type", content_type)
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
        let answer = Self::of(status, Some(body.to_string().into())).with("content-type", JSON);
        if let Fault::TooMuch { wait, .. } = fault {
            return answer.with("retry-after", wait.to_string());
        }
        answer
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with what service protection leaves to the user (dataverse.md section 3.3).
    pub(super) fn with_remaining(self, remaining: Remaining) -> Self {
        self.with(
            "x-ms-ratelimit-burst-remaining-xrm-requests",
            remaining.requests.to_string(),
        )
        .with("x-ms-ratelimit-time-remaining-xrm-requests", remaining.execution_text())
    }

    /// The same, naming the row that was written.
    pub(super) fn of_row(mut self, url: String) -> Self {
        self.row = Some(url);
        self
    }

    /// The row that was written, by its URL.
    pub(super) fn row(&self) -> Option<&str> {
        self.row.as_deref()
    }

    /// Whether the request was carried out.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_success() || self.status == StatusCode::NOT_MODIFIED
    }

    /// Appends it as the HTTP message of a batch's part, with the names of headers as the documents print them. An error
    /// carries its number; a row's URL stands under both names, also for an update (dataverse.md section 2.7).
    pub(super) fn print(&self, request_id: &str, out: &mut String) {
        let header = |name: &str| {
            self.headers
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value)
        };
        // Writing to a String cannot fail.
        let _done = write!(out, "HTTP/1.1 {}\r\n", self.status);
        if !self.is_success() {
            let _done = write!(out, "REQ_ID: {request_id}\r\n");
        }
        if let Some(kind) = header("content-type") {
            let _done = write!(out, "Content-Type: {kind}\r\n");
        }
        out.push_str("OData-Version: 4.0\r\n");
        if let Some(url) = header("odata-entityid") {
            let _done = write!(out, "Location: {url}\r\nOData-EntityId: {url}\r\n");
        }
        for (name, shown) in [
            ("etag", "ETag"),
            ("preference-applied", "Preference-Applied"),
            ("x-ms-dop-hint", "x-ms-dop-hint"),
        ] {
            if let Some(value) = header(name) {
                let _done = write!(out, "{shown}: {value}\r\n");
            }
        }
        out.push_str("\r\n");
        // Bodies are made of text.
        out.push_str(std::str::from_utf8(self.body.as_deref().unwrap_or_default()).unwrap_or_default());
    }

    /// As a response with its body in one piece. `request_id` numbers it.
    pub(super) fn into_whole(self, request_id: String) -> http::Response<Bytes> {
        let mut response = http::Response::new(self.body.unwrap_or_default());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        // With room for the length that whoever carries it adds.
        headers.reserve(self.headers.len() + 5);
        headers.insert(ODATA_VERSION, HeaderValue::from_static("4.0"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let id = HeaderValue::try_from(request_id).unwrap_or(HeaderValue::from_static(""));
        headers.insert(REQ_ID, id.clone());
        headers.insert(SERVICE_REQUEST_ID, id);
        for (name, value) in self.headers {
            // A value with characters that no header may carry is left out: no identifier or link has one.
            let value = match value {
                Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
                Cow::Owned(value) => HeaderValue::try_from(value),
            };
            if let Ok(value) = value {
                headers.insert(name_of(name), value);
            }
        }
        response
    }
}

/// The header of that name. Those of every answer are known when the program is built.
fn name_of(name: &'static str) -> HeaderName {
    match name {
        "content-type" => header::CONTENT_TYPE,
        "x-ms-ratelimit-burst-remaining-xrm-requests" => REQUESTS_LEFT,
        "x-ms-ratelimit-time-remaining-xrm-requests" => TIME_LEFT,
        _ => HeaderName::from_static(name),
    }
}
