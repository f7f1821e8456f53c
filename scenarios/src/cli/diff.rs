//! `cosell diff`: the first difference between two saved traces.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::{Ui, replay as replays};
use crate::exit::Exit;
use crate::replay;
use crate::report::human;
use crate::trace::Trace;

/// Name the first difference between two saved traces
///
/// The exit code is 0 when they are equal and 1 when they are not.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A trace
    one: PathBuf,
    /// Another
    other: PathBuf,
}

pub(crate) fn run(args: &DiffArgs, ui: Ui) -> Result<Exit, Exit> {
    let read = |path: &PathBuf| replay::read_trace(path).map_err(|error| replays::not_read(&error, ui));
    let (one, other) = (read(&args.one)?, read(&args.other)?);
    let Some(lines) = first_difference(&one, &other) else {
        ui.out(&format!("equal: {} entries", one.entries.len()))?;
        return Ok(Exit::Passed);
    };
    for line in lines {
        ui.out(&line)?;
    }
    Ok(Exit::Failed)
}

/// Where two traces part, in lines; `None` when they never do.
fn first_difference(one: &Trace, other: &Trace) -> Option<Vec<String>> {
    let headers = (json(&one.header), json(&other.header));
    if headers.0 != headers.1 {
        let mut lines = vec!["the runs are not the same:".to_owned()];
        lines.extend(differences(&headers.0, &headers.1));
        return Some(lines);
    }
    let pairs = one.entries.iter().zip(&other.entries).enumerate();
    let at = pairs
        .clone()
        .find(|(_, (one, other))| one != other)
        .map(|(index, _)| index);
    let shorter = one.entries.len().min(other.entries.len());
    let index = at.or_else(|| (one.entries.len() != other.entries.len()).then_some(shorter))?;
    let start = one.entries.first().map(|entry| entry.at);
    let when = |trace: &Trace| {
        let at = trace.entries.get(index).map(|entry| entry.at);
        at.zip(start).map(|(at, start)| human::time(at.duration_since(start)))
    };
    let (all, others) = (one.entries.len(), other.entries.len());
    let when = when(one).map_or_else(String::new, |when| format!(", {when} after the start"));
    let mut lines = vec![format!(
        "the first difference is entry {} of {all} and {others}{when}",
        index + 1
    )];
    match (one.entries.get(index), other.entries.get(index)) {
        (Some(left), Some(right)) => {
            lines.extend(differences(&json(left), &json(right)));
        }
        (Some(left), None) => lines.push(format!("  only the first goes on: {}", short(&json(left)))),
        (None, Some(right)) => lines.push(format!("  only the second goes on: {}", short(&json(right)))),
        (None, None) => {}
    }
    Some(lines)
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// The members that differ, by their path, at most twenty.
fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", one, other, &mut found);
    let more = found.len().saturating_sub(20);
    found.truncate(20);
    if more > 0 {
        found.push(format!("  and {more} more"));
    }
    found
}

fn walk(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        _ if one == other => {}
        (Value::Object(left), Value::Object(right)) => {
            let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
            for key in keys {
                let member = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or(Value::Null);
                walk(&format!("{path}/{key}"), &member(left), &member(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                walk(&format!("{path}/{index}"), left, right, found);
            }
        }
        _ => found.push(format!("  {path}: {} | {}", short(one), short(other))),
    }
}

/// A value in one line of a readable length.
fn short(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(160).collect();
    if cut.len() < text.len() {
        format!("{cut}…")
    } else {
        cut
    }
}
