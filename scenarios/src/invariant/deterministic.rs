//! `deterministic`: the same plan with the same seed gives the same bytes.
//!
//! One trace cannot show it: it compares two.

use super::{Code, Finding};
use crate::trace::Trace;

pub(super) const EXPLANATION: &str = "The same plan with the same seed gives the same bytes.

It is looked at where a run is done twice: by `cosell explore` for one run in twenty, and by the test suites. The finding \
names the first line in which both saved traces differ. Look for what depends on anything but the event, the clock of the \
run and the seed: the order of a hash map, a wall clock, an address.";

/// Compares two traces of one plan; none when they are equal.
pub fn compare(one: &Trace, other: &Trace) -> Option<Finding> {
    let saved = |trace: &Trace| {
        let text = trace.to_json_lines();
        text.unwrap_or_else(|error| format!("the trace cannot be saved: {error}"))
    };
    let (one_text, other_text) = (saved(one), saved(other));
    if one_text == other_text {
        return None;
    }
    let mut lines = one_text.lines().zip(other_text.lines()).enumerate();
    let first = lines.find(|(_, (one, other))| one != other);
    let shortest = one.entries.len().min(other.entries.len());
    let (number, expected, actual) = first.map_or((shortest + 2, "the end", "more"), |(index, (one, other))| {
        (index + 1, one, other)
    });
    let at = one.entries.get(number.saturating_sub(2)).or(one.entries.last());
    let at = at.map_or(jiff::Timestamp::UNIX_EPOCH, |entry| entry.at);
    let text = format!("two runs of one plan with one seed differ, first in line {number} of the trace");
    Some(Finding::new(Code::Deterministic, at, None, text).comparing(expected, actual))
}
