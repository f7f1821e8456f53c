//! Conditional requests: `If-Modified-Since` and `If-Unmodified-Since`, and entity tags of accounts (salesforce.md section 2.8).
//!
//! It compares and answers; what was changed when is told by the caller.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::cell::Cell;
use super::error::Problem;
use super::print;
use super::state::State;
use crate::reply::empty_reply;

/// For a read of a record: the answer without a body, when the client has what it would get.
pub(crate) fn of_read(
    state: &State,
    headers: &HeaderMap,
    object: usize,
    place: usize,
) -> Result<Option<Response>, Problem> {
    if !is_conditional(headers) {
        return Ok(None);
    }
    let tag = known_tag(state, headers, object, place)?;
    if let Some(tag) = &tag
        && matches_tag(headers, &header::IF_NONE_MATCH, tag)
    {
        return Ok(Some(unchanged(Some(tag))));
    }
    check_match(headers, tag.as_deref())?;
    let modified = modified(state, object, place);
    if let Some(unchanged) = since(headers, modified)? {
        return Ok(Some(unchanged));
    }
    Ok(None)
}

/// For a write of a record: refuses it when the record is not as the client knows it.
///
/// Assumed: code and words for a header that is no date; the status is documented.
pub(crate) fn of_write(state: &State, headers: &HeaderMap, object: usize, place: usize) -> Result<(), Problem> {
    if !is_conditional(headers) {
        return Ok(());
    }
    let tag = known_tag(state, headers, object, place)?;
    check_match(headers, tag.as_deref())?;
    if let Some(tag) = &tag
        && matches_tag(headers, &header::IF_NONE_MATCH, tag)
    {
        return Err(precondition_failed());
    }
    let modified = modified(state, object, place);
    for name in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
        match http_date(headers, &name) {
            Some(Ok(date)) if (modified > date) == (name == header::IF_UNMODIFIED_SINCE) => {
                return Err(precondition_failed());
            }
            Some(Ok(_)) | None => {}
            Some(Err(NoDate)) => {
                return Err(Problem::bad(
                    "INVALID_HTTP_HEADER",
                    format!("Invalid value for {name} header"),
                ));
            }
        }
    }
    Ok(())
}

/// For a describe: the schema never changes while the org lives. Assumed: it was made when the org was.
pub(crate) fn of_schema(state: &State, headers: &HeaderMap) -> Result<Option<Response>, Problem> {
    since(headers, state.made)
}

/// The entity tag of a record. Only accounts have one. Assumed: its form; it is opaque to clients.
pub(crate) fn tag(state: &State, object: usize, place: usize) -> Option<HeaderValue> {
    let shape = &state.org.objects[object];
    if shape.name != "Account" {
        return None;
    }
    let mut body = Vec::with_capacity(2048);
    print::whole_record(shape, state.tables[object].row(place), "", &mut body);
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &body);
    HeaderValue::from_str(&format!("\"{}\"", BASE64.encode(digest))).ok()
}

fn is_conditional(headers: &HeaderMap) -> bool {
    let names = [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ];
    names.iter().any(|name| headers.contains_key(name))
}

/// The tag that the request's tags are compared with. Tags exist for accounts only.
fn known_tag(state: &State, headers: &HeaderMap, object: usize, place: usize) -> Result<Option<String>, Problem> {
    let names = [header::IF_MATCH, header::IF_NONE_MATCH];
    let Some(sent) = names.iter().find(|name| headers.contains_key(*name)) else {
        return Ok(None);
    };
    let tag = tag(state, object, place);
    let tag = tag.and_then(|tag| Some(tag.to_str().ok()?.to_owned()));
    let missing = || Problem::not_simulated(format!("header `{sent}` for `{}`", state.org.objects[object].name));
    tag.map(Some).ok_or_else(missing)
}

fn check_match(headers: &HeaderMap, tag: Option<&str>) -> Result<(), Problem> {
    match tag {
        Some(tag) if headers.contains_key(header::IF_MATCH) && !matches_tag(headers, &header::IF_MATCH, tag) => {
            Err(precondition_failed())
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a header lists the tag, or any. What a proxy hangs on to it, `--gzip`, is no part of a tag.
fn matches_tag(headers: &HeaderMap, name: &header::HeaderName, tag: &str) -> bool {
    let lists = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut listed = lists.flat_map(|list| list.split(',')).map(str::trim);
    listed.any(|one| one == "*" || one.trim_start_matches("W/").replace("--gzip", "") == tag)
}

/// A read says nothing about a header that is no date.
fn since(headers: &HeaderMap, modified: i64) -> Result<Option<Response>, Problem> {
    match http_date(headers, &header::IF_MODIFIED_SINCE) {
        Some(Ok(since)) if modified <= since => return Ok(Some(unchanged(None))),
        Some(_) | None => {}
    }
    match http_date(headers, &header::IF_UNMODIFIED_SINCE) {
        Some(Ok(since)) if modified > since => Err(precondition_failed()),
        Some(_) | None => Ok(None),
    }
}

fn unchanged(tag: Option<&str>) -> Response {
    let mut response = empty_reply(StatusCode::NOT_MODIFIED);
    if let Some(value) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// Assumed: code and words; the status is documented.
fn precondition_failed() -> Problem {
    let message = "The record was modified after the time in the If-Unmodified-Since header";
    Problem::new(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED", message)
}

/// The second in which a row was last modified.
fn modified(state: &State, object: usize, place: usize) -> i64 {
    let system = &state.org.objects[object].system;
    let cells = &state.tables[object].row(place).cells;
    match system.modified.or(system.stamp).map(|place| &cells[place]) {
        Some(Cell::Moment(second)) => *second,
        Some(_) | None => 0,
    }
}

/// A header that should hold a date and does not.
struct NoDate;

fn http_date(headers: &HeaderMap, name: &header::HeaderName) -> Option<Result<i64, NoDate>> {
    let text = headers.get(name)?.to_str().unwrap_or_default();
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    Some(date.map(jiff::Timestamp::as_second).map_err(|_| NoDate))
}
