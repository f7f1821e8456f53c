//! Sentences of what was expected and what was seen: for people who sign, not for a verdict.

use super::Described;
use crate::board::Board;
use crate::diagnostic::Sources;
use crate::invariant::Finding;
use crate::scenario::act::Act;
use crate::scenario::{Scenario, Step};
use crate::sides::{self, Line, Sides};
use crate::trace::Trace;

/// What a scenario says of itself.
pub fn describe(scenario: &Scenario, sources: &Sources) -> Described {
    let asks = |step: &&Step| matches!(step.act, Act::Expect(_) | Act::Watch(..));
    let mut expected: Vec<String> = scenario
        .steps
        .iter()
        .filter(asks)
        .filter_map(|step| Some(step_words(sources.text(&step.path)?, step)))
        .collect();
    if expected.is_empty() {
        expected.push("both sides agree".to_owned());
    }
    Described {
        title: scenario.title.clone(),
        requirements: scenario.proves.clone(),
        expected,
    }
}

/// A step as it is written, on one line.
fn step_words(text: &str, step: &Step) -> String {
    let start = text[..step.span.start].rfind('\n').map_or(0, |at| at + 1);
    let mut lines = text[start..].lines();
    let first = lines.next().unwrap_or_default();
    let depth = indent(first);
    let mut words = first.trim().trim_start_matches("- ").to_owned();
    for line in lines.take_while(|line| indent(line) > depth && !line.trim_start().starts_with("- ")) {
        words.push(' ');
        words.push_str(line.trim());
    }
    words
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A finding as one line.
pub(super) fn finding(finding: &Finding) -> String {
    let compared = match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => format!(" (expected {expected}, seen {actual})"),
        _ => String::new(),
    };
    let deal = finding
        .deal
        .as_ref()
        .map_or_else(String::new, |deal| format!(" [{deal}]"));
    format!("{}: {}{compared}{deal}", finding.code.name(), finding.text)
}

/// Both sides of each deal as a run left them.
pub(super) fn at_the_end(trace: &Trace) -> Vec<String> {
    let mut board = Board::new(&trace.header);
    for entry in &trace.entries {
        board.apply(entry);
    }
    sides::of(&board).iter().map(both).collect()
}

/// One line for a deal.
fn both(sides: &Sides) -> String {
    let of = |side: fn(&Line) -> Option<&String>| {
        let shown = sides
            .lines
            .iter()
            .filter(|line| matches!(line.what, "stage" | "value" | "closes" | "mark"));
        let words: Vec<&str> = shown.filter_map(side).map(String::as_str).collect();
        if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(", ")
        }
    };
    format!(
        "{} in Partner Center: {}; in the CRM: {}",
        sides.deal,
        of(|line| line.pc.as_ref()),
        of(|line| line.crm.as_ref())
    )
}
