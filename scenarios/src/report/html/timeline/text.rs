//! Requests, answers and values as the page prints them: cut where they are long, which they say.

use cosell_sim::network::wire::Headers;
use serde_json::Value;

/// The longest body that is shown, in characters: pages of lists are cut, single records never.
const LONGEST_BODY: usize = 4_000;

/// Path and query of a URL, cut to a readable length.
pub(super) fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let mut shown: String = path.chars().take(110).collect();
    if shown.len() < path.len() {
        shown.push('…');
    }
    shown
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The first line of a message, and its headers.
pub(super) fn headed(line: String, headers: &Headers) -> String {
    let mut text = line;
    for (name, value) in headers.iter() {
        text.extend(["\n", name, ": ", value]);
    }
    text
}

/// A body, cut when it is long. The page breaks JSON into lines.
pub(super) fn short(body: &str) -> String {
    let length = body.chars().count();
    if length <= LONGEST_BODY {
        return body.to_owned();
    }
    let cut: String = body.chars().take(LONGEST_BODY).collect();
    format!(
        "{cut}\n… {} more characters; the saved trace has all of them",
        length - LONGEST_BODY
    )
}
