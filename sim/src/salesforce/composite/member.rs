//! Members of a body that must be there and of a type.
//!
//! Assumed throughout: the words, which follow those of the vendor's parser for bodies of records.

use serde_json::{Map, Value};

use crate::salesforce::error::Problem;

/// The most records that one request may carry (salesforce.md section 2.4).
pub(super) const MOST_RECORDS: usize = 200;

/// Refuses members that nobody reads.
pub(super) fn allow(body: &Map<String, Value>, known: &[&str]) -> Result<(), Problem> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Problem::not_simulated(format!("member `{name}`"))),
        None => Ok(()),
    }
}

/// A flag that may be left out, which is `false`.
pub(super) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(unfit(name, "a boolean", other)),
    }
}

/// A list that must be there and hold something.
pub(super) fn list<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], Problem> {
    match body.get(name) {
        Some(Value::Array(list)) if !list.is_empty() => Ok(list),
        Some(other) => Err(unfit(name, "a list that is not empty", other)),
        None => Err(missing(name)),
    }
}

/// A text that must be there.
pub(super) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    match body.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(other) => Err(unfit(name, "a text that is not empty", other)),
        None => Err(missing(name)),
    }
}

/// An entry of a list, which must be an object.
pub(super) fn object<'a>(entry: &'a Value, list: &str) -> Result<&'a Map<String, Value>, Problem> {
    entry.as_object().ok_or_else(|| unfit(list, "objects", entry))
}

/// Too many records for one request: words recorded by clients.
pub(super) fn too_many_records() -> Problem {
    let message = format!("record limit reached. cannot submit more than {MOST_RECORDS} records into this call");
    Problem::bad("EXCEEDED_ID_LIMIT", message)
}

fn missing(name: &str) -> Problem {
    let message =
        format!("Cannot deserialize the request: the required member '{name}' is missing at [line:1, column:1]");
    Problem::bad("JSON_PARSER_ERROR", message)
}

fn unfit(name: &str, expected: &str, found: &Value) -> Problem {
    let mut found = found.to_string();
    if found.len() > 60 {
        let end = (0..=60)
            .rev()
            .find(|&end| found.is_char_boundary(end))
            .unwrap_or_default();
        found.truncate(end);
    }
    let message = format!("Cannot deserialize '{name}': expected {expected} but found {found} at [line:1, column:1]");
    Problem::bad("JSON_PARSER_ERROR", message)
}
