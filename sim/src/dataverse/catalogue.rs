//! Errors that the facts list with code and status, whether a request meets them or not (dataverse.md sections 3.2 and 3.3).
//!
//! What no request meets here can be answered by a fault: `error_answer` makes the answer.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// One listed error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// `0x80040217`; letters in lower case.
    pub code: &'static str,
    /// The HTTP status. Where none is documented it is 400, as the facts infer.
    pub status: u16,
    /// Its name or its text.
    pub text: &'static str,
}

const fn listed(code: &'static str, status: u16, text: &'static str) -> Listed {
    Listed { code, status, text }
}

/// Every listed error.
pub const ERRORS: [Listed; 34] = [
    listed("0x80040217", 404, "ObjectDoesNotExist"),
    listed(
        "0x80060891",
        404,
        "A record with the specified key values does not exist",
    ),
    listed("0x80060888", 404, "Resource not found for the segment."),
    listed("0x80072560", 403, "The user is not a member of the organization."),
    listed("0x8005f101", 401, "AccessTokenExpired"),
    listed(
        "0x8004e023",
        400,
        "AggregateQueryRecordLimit exceeded. Cannot perform this operation.",
    ),
    listed("0x80048d19", 400, "Error identified in Payload provided by the user"),
    listed("0x80040237", 412, "A record with matching key values already exists."),
    listed("0x80060892", 412, "Entity Key violated."),
    listed(
        "0x80040333",
        500,
        "A record was not created or updated because a duplicate of the current record already exists.",
    ),
    listed(
        "0x80060882",
        412,
        "The version of the existing record doesn't match the RowVersion property provided.",
    ),
    listed("0x80060883", 400, "The RowVersion property must be provided."),
    listed("0x8006088d", 400, "Optimistic concurrency isn't enabled."),
    listed("0x80040220", 403, "PrivilegeDenied"),
    listed("0x80040231", 403, "PrincipalPrivilegeDenied"),
    listed("0x80048405", 403, "AccessDenied"),
    listed(
        "0x80044331",
        400,
        "A validation error occurred. The length exceeded the maximum allowed length.",
    ),
    listed(
        "0x8004431a",
        400,
        "A validation error occurred. The value is outside the valid range.",
    ),
    listed("0x80040203", 400, "InvalidArgument"),
    listed("0x80040227", 405, "CannotDeleteDueToAssociation"),
    listed("0x80040265", 400, "An error occurred in a plug-in."),
    listed("0x80044151", 500, "SQL timeout expired."),
    listed("0x80048cf3", 400, "The currency exists already."),
    listed(
        "0x80100004",
        400,
        "The currency of the opportunity differs from the currency of its price list.",
    ),
    listed(
        "0x80100005",
        400,
        "This message can not be used to set the state of opportunity to won.",
    ),
    listed("0x80100010", 400, "PriceListIsMandatory"),
    listed("0x80040515", 400, "The opportunity is already closed."),
    listed("0x80040516", 400, "The opportunity cannot be closed."),
    listed("0x8004051a", 400, "The opportunity is already in the open state."),
    listed("0x80048408", 400, "The status code is not valid for the state code."),
    listed("0x80072491", 400, "ChangeTrackingNotEnabledForEntity"),
    listed(
        "0x80072322",
        429,
        "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
    ),
    listed(
        "0x80072321",
        429,
        "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.",
    ),
    listed(
        "0x80072326",
        429,
        "Number of concurrent requests exceeded the limit of 52.",
    ),
];

/// The answer with a listed error, for a rule that answers in the system's place. None for a code that is not listed.
/// A 401 has no body; a 429 asks for five seconds.
pub fn error_answer(code: &str) -> Option<Response<Bytes>> {
    let found = ERRORS.iter().find(|listed| listed.code.eq_ignore_ascii_case(code))?;
    let body = json!({"error": {"code": found.code, "message": found.text}}).to_string();
    let status = StatusCode::from_u16(found.status).ok()?;
    let body = if status == StatusCode::UNAUTHORIZED {
        Bytes::new()
    } else {
        Bytes::from(body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json; odata.metadata=minimal");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if status == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    Some(response)
}
