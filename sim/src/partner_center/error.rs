//! The referrals API's error envelope and what goes into it (partner-center.md section 4.3).
//!
//! The webhook registration's errors have another shape and stand in [`super::webhook`].

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use thiserror::Error;

use super::throttle::too_many;
use crate::reply::json_reply;

/// Why a request to the referrals API fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Problem {
    /// The request is wrong. Assumed: every validation failure is a 400 `invalidRequest`; no literal body is known.
    #[error("{message}")]
    Invalid {
        /// The field or part that is wrong.
        target: String,
        /// What is wrong with it.
        message: String,
    },
    /// No such referral. Assumed: 404 `itemNotFound`; no literal body is known.
    #[error("The referral is not found.")]
    NotFound,
    /// `If-Match` names another version, or is missing where it is needed: the body of a real answer.
    #[error(
        "A precondition provided in the request (such as an if-match header) does not match the resource's current state."
    )]
    Precondition,
    /// No valid token. Assumed: 401 with the listed code `unauthenticated`.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// A valid token that may not do this: the body of the documented sample, whose status is not printed.
    /// Assumed: 401 for an application without a user, 403 for a user without the role.
    #[error("Caller is not authorized to access the resource.")]
    NotAuthorized(StatusCode),
    /// One party has one referral in an engagement (partner-center.md section 5). Assumed: 409 `invalidRequest`.
    #[error("{0}")]
    Conflict(String),
    /// Assumed: 413 `invalidRequest` above 1 MiB; no limit is documented.
    #[error("The request is too large.")]
    TooLarge,
    /// Assumed: 415 `invalidRequest` for what is not `application/json`, the only type of the samples.
    #[error("The content type of the request is not supported. Use application/json.")]
    UnsupportedMediaType,
    /// The 429 of section 1.6, which is not in the envelope.
    #[error("Rate limit is exceeded. Try again in {0} seconds.")]
    TooMany(u64),
    /// Needs something that is not simulated: answered with 501, which is not the vendor's.
    #[error("not simulated: {0}")]
    NotSimulated(String),
}

impl Problem {
    /// A 400 about one part of the request.
    pub(super) fn invalid(target: &str, message: impl Into<String>) -> Self {
        Self::Invalid {
            target: target.to_owned(),
            message: message.into(),
        }
    }

    /// The vendor-shaped answer. [`Problem::NotSimulated`] must have been handled before.
    pub(super) fn answer(&self) -> Response {
        if let Self::TooMany(seconds) = self {
            return too_many(*seconds);
        }
        let (status, code, target, inner) = match self {
            Self::Invalid { target, .. } => (400, "invalidRequest", target.as_str(), Value::Null),
            Self::NotFound => (404, "itemNotFound", "referral", Value::Null),
            Self::Precondition => (412, "preconditionFailed", "ETag", etag_mismatch()),
            Self::Unauthenticated(_) => (401, "unauthenticated", "referral", Value::Null),
            Self::NotAuthorized(status) => (status.as_u16(), "unAuthorized", "referral", unauthorized()),
            Self::Conflict(_) => (409, "invalidRequest", "engagementId", Value::Null),
            Self::TooLarge => (413, "invalidRequest", "body", Value::Null),
            Self::UnsupportedMediaType => (415, "invalidRequest", "Content-Type", Value::Null),
            Self::TooMany(_) => (429, "serviceNotAvailable", "referral", Value::Null),
            Self::NotSimulated(_) => (501, "generalException", "referral", Value::Null),
        };
        let mut error = json!({"code": code, "message": shortened(&self.to_string()), "target": target});
        if !inner.is_null() {
            error["innerError"] = inner;
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_reply(status, "application/json", &json!({ "error": error }));
        if status == StatusCode::UNAUTHORIZED {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The inner error of a real 412.
fn etag_mismatch() -> Value {
    json!({
        "code": "99918",
        "message": "One of the specified pre-condition is not met. Etag value did not Match",
        "details": null,
    })
}

/// The inner error of the documented sample.
fn unauthorized() -> Value {
    json!({"code": "innerErrorCode", "message": "Unauthorized referral access"})
}

/// Messages have at most 1024 characters.
fn shortened(message: &str) -> String {
    message.chars().take(1024).collect()
}
