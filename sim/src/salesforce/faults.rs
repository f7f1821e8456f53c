//! Refusals of the vendor that no request brings about here, ready to be the answer of a fault (salesforce.md section 2.9).
//!
//! A rule answers in the place of the org; the org itself never gives one of these.

use bytes::Bytes;
use http::{StatusCode, header};

use super::error::{Complaint, JSON, complaints_value};

/// Status, code, message, and whether the vendor names fields beside it. Assumed: the words about a query that took too long, a server
/// that is not there and what nobody expected; the others are those of captured answers.
const FAULTS: [(u16, &str, &str, bool); 8] = [
    (
        400,
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record",
        true,
    ),
    (
        400,
        "QUERY_TIMEOUT",
        "Your query request was running for too long.",
        false,
    ),
    (
        400,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "insufficient access rights on cross-reference id",
        true,
    ),
    (
        400,
        "MALFORMED_SEARCH",
        "No search term found. The search term must be enclosed in braces.",
        false,
    ),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", false),
    (
        403,
        "INSUFFICIENT_ACCESS",
        "insufficient access rights on object id",
        false,
    ),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.", false),
    (503, "SERVER_UNAVAILABLE", "Server is temporarily unavailable.", false),
];

/// The codes that [`fault`] knows.
pub fn fault_codes() -> impl Iterator<Item = &'static str> {
    FAULTS.iter().map(|(_, code, ..)| *code)
}

/// The vendor's whole answer with that error code, for a fault that answers. `None` when it is none of [`fault_codes`].
pub fn fault(code: &str) -> Option<http::Response<Bytes>> {
    let (status, code, message, fields) = FAULTS.iter().find(|(_, known, ..)| *known == code)?;
    let complaint = Complaint {
        code,
        message: (*message).to_owned(),
        fields: fields.then(Vec::new),
        duplicates: None,
    };
    let mut response = http::Response::new(Bytes::from(complaints_value(&[complaint]).to_string()));
    *response.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(JSON));
    Some(response)
}
