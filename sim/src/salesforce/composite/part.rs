//! One part of a larger request, answered as a request of its own.
//!
//! It knows neither the other parts nor what becomes of the whole.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::{Map, Value, json};

use super::member;
use crate::salesforce::error::{Problem, complaints_value};
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Call, Visit};

/// What a request made of parts needs from whoever routes requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routes {
    /// Refuses a version that is not served.
    pub(crate) check_version: fn(&str) -> Result<(), Problem>,
    /// Answers what stands below a version.
    pub(crate) resource: fn(&mut State, &Visit<'_>, &[&str]) -> Answer,
    /// Counts one call against the day.
    pub(crate) count: fn(&mut State) -> Result<(), Problem>,
}

/// One part, read.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) method: Method,
    /// From `/services/data/` on, with its query.
    pub(super) url: String,
    pub(super) headers: Map<String, Value>,
    /// Null when it has none.
    pub(super) body: Value,
}

/// What became of a part.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) status: StatusCode,
    /// `Location`, when the answer has one.
    pub(super) location: Option<String>,
    /// Null when it has none.
    pub(super) body: Value,
}

impl Outcome {
    /// A refusal.
    pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Self {
        Self {
            status,
            location: None,
            body: json!([{"errorCode": code, "message": message}]),
        }
    }

    /// Whether the part did not do what it was asked to do.
    pub(super) fn failed(&self) -> bool {
        !self.status.is_success()
    }
}

/// The method of a part.
pub(super) fn method(part: &Map<String, Value>) -> Result<Method, Problem> {
    let name = member::text(part, "method")?;
    let known = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
    let found = known.into_iter().find(|method| method.as_str() == name);
    // Assumed: code and words.
    found.ok_or_else(|| Problem::bad("INVALID_INPUT", format!("'{name}' is not a valid value for method")))
}

/// Answers a part. The error is for what is not simulated: that ends the whole request.
pub(super) fn answer(state: &mut State, visit: &Visit<'_>, routes: Routes, part: &Part) -> Result<Outcome, Problem> {
    let mark = state.transaction.mark();
    match attempt(state, visit, routes, part) {
        Ok(outcome) => Ok(outcome),
        Err(Problem::Refused { status, complaints }) => {
            state.roll_back(mark);
            Ok(Outcome {
                status,
                location: None,
                body: complaints_value(&complaints),
            })
        }
        Err(missing @ Problem::NotSimulated(_)) => Err(missing),
    }
}

fn attempt(state: &mut State, visit: &Visit<'_>, routes: Routes, part: &Part) -> Result<Outcome, Problem> {
    let uri = uri(&part.url)?;
    let path: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let ["services", "data", version, rest @ ..] = path.as_slice() else {
        return Err(Problem::not_found());
    };
    (routes.check_version)(version)?;
    let body = if part.body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(part.body.to_string())
    };
    let headers = headers(visit.call.headers, &part.headers)?;
    let call = Call {
        method: &part.method,
        uri: &uri,
        headers: &headers,
        body: &body,
    };
    let inner = Visit::new(&call, version, visit.author.clone())?;
    let response = (routes.resource)(state, &inner, rest)?;
    let (head, body) = response.into_parts();
    // Simulated bodies are in memory.
    let body = axum::body::to_bytes(body, usize::MAX).now_or_never();
    let body = body.and_then(Result::ok).unwrap_or_default();
    let location = head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    Ok(Outcome {
        status: head.status,
        location: location.map(str::to_owned),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}

/// The address of a part. Parts may hold blanks and other characters that an address may not: they are escaped here.
fn uri(url: &str) -> Result<Uri, Problem> {
    let escaped = escaped(url, |byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
    let uri = escaped
        .parse::<Uri>()
        .ok()
        .filter(|uri| uri.path().starts_with('/') && uri.host().is_none());
    // Assumed: code and words.
    uri.ok_or_else(|| Problem::bad("INVALID_INPUT", format!("'{url}' is not a valid URL")))
}

/// A text in which every byte that does not pass stands as a percent sign and two digits.
pub(crate) fn escaped(text: &str, passes: impl Fn(u8) -> bool) -> String {
    let mut done = String::with_capacity(text.len());
    for byte in text.bytes() {
        if passes(byte) {
            done.push(char::from(byte));
        } else {
            // Writing into memory does not fail.
            let _written = write!(done, "%{byte:02X}");
        }
    }
    done
}

/// A part inherits the headers that say who asks, and in which form; of the others it has its own only.
fn headers(outer: &HeaderMap, own: &Map<String, Value>) -> Result<HeaderMap, Problem> {
    const INHERITED: [HeaderName; 2] = [header::AUTHORIZATION, header::ACCEPT];
    let mut headers: HeaderMap = INHERITED
        .into_iter()
        .filter_map(|name| Some((name.clone(), outer.get(&name)?.clone())))
        .collect();
    if let Some(client) = outer.get("sforce-call-options") {
        headers.insert("sforce-call-options", client.clone());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in own {
        let read = value.as_str().and_then(|value| {
            let name = name.parse::<HeaderName>().ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        let fixed = |name: &HeaderName| INHERITED.contains(name) || name == header::CONTENT_TYPE;
        match read {
            Some((name, value)) if !fixed(&name) => headers.insert(name, value),
            // Assumed: code and words. That these three cannot be set is documented.
            Some(_) | None => {
                return Err(Problem::bad(
                    "INVALID_INPUT",
                    format!("header '{name}' is not allowed in a subrequest"),
                ));
            }
        };
    }
    Ok(headers)
}
