//! The report for people: a line for each run, and for each failure the words of the scenario with a caret, what was
//! expected, what is, when, and how to run it again.

use jiff::{SignedDuration, Timestamp};

use super::{Ended, Ran};
use crate::coverage::Coverage;
use crate::diagnostic::{Diagnostic, Sources, Span, Style, render};
use crate::invariant::{Code, Finding};
use crate::log;
use crate::verdict::Outcome;

/// The line of one run: outcome, CRM, virtual time, title.
pub fn line(run: &Ran<'_>, style: Style) -> String {
    let (word, colour) = match run.outcome() {
        Outcome::Passed => ("PASS", "32"),
        Outcome::Failed => ("FAIL", "31"),
        Outcome::Inconclusive => ("????", "33"),
    };
    let word = if style.colour {
        format!("\x1b[{colour};1m{word}\x1b[0m")
    } else {
        word.to_owned()
    };
    let note = match (&run.scenario.expect_failure, run.outcome()) {
        (Some(code), Outcome::Passed) => format!("  (fails with `{code}`, as it must)"),
        _ => String::new(),
    };
    let time = time(run.virtual_time());
    format!(
        "{word}  {:<10}  {time:>12}  {}{note}",
        run.plan.crm.name(),
        run.plan.title
    )
}

/// What is wrong with one run, and how to run it again; empty when nothing is.
pub fn findings(run: &Ran<'_>, sources: &Sources, style: Style) -> String {
    let shown = diagnostics(run);
    if shown.is_empty() {
        return String::new();
    }
    let mut text = render(&shown, sources, style);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text + &format!("  run it again: {}\n", run.command())
}

/// What is wrong with one run, each with its place in the scenario; none when it counts as passed.
pub fn diagnostics(run: &Ran<'_>) -> Vec<Diagnostic> {
    let mut shown = Vec::new();
    match (&run.scenario.expect_failure, run.verdict.outcome) {
        (Some(_), _) if run.outcome() == Outcome::Passed => return shown,
        (Some(code), Outcome::Passed | Outcome::Failed) => shown.push(should_have_failed(run, code)),
        _ => {}
    }
    shown.extend(run.verdict.findings.iter().map(|finding| diagnostic(run, finding)));
    shown.extend(run.verdict.refused.iter().map(|refused| {
        let reason = run.verdict.reason.as_deref().unwrap_or_default();
        let label = format!("this scenario is {}", run.verdict.outcome.name());
        Diagnostic::error(&run.scenario.path, format!("something is not simulated: {refused}"))
            .at(title_of(run), label)
            .note(reason)
            .help("leave out what is not simulated, or see what the simulators answer with `cosell serve`")
    }));
    shown
}

fn should_have_failed(run: &Ran<'_>, code: &str) -> Diagnostic {
    let place = run
        .scenario
        .places
        .get("expect failure")
        .copied()
        .unwrap_or_else(|| title_of(run));
    Diagnostic::error(
        &run.scenario.path,
        format!("this run must fail with `{code}`, and does not"),
    )
    .at(place, "the harness cannot see the fault that this scenario plants")
}

fn title_of(run: &Ran<'_>) -> Span {
    run.scenario.places.get("title").copied().unwrap_or_default()
}

/// How many lines about its deal a finding repeats.
const LAST: usize = 3;

/// A finding with its place in the scenario: the step's field, the step, or the title.
pub(super) fn diagnostic(run: &Ran<'_>, finding: &Finding) -> Diagnostic {
    let step = finding.step.and_then(|step| run.scenario.steps.get(step));
    let span = match (step, &finding.field) {
        (Some(step), Some(field)) => step.place(field),
        (Some(step), None) => step.span,
        (None, Some(field)) => run.scenario.places.get(field).copied().unwrap_or_else(|| title_of(run)),
        (None, None) => title_of(run),
    };
    let label = match (&finding.code, step) {
        (Code::Expectation, _) => "this is not so".to_owned(),
        (code, Some(_)) => format!("`{}` fails here", code.name()),
        (code, None) => format!("`{}` does not hold in this run", code.name()),
    };
    let path = step.map_or(run.scenario.path.as_str(), |step| &step.path);
    let mut shown = Diagnostic::error(path, finding.text.clone()).at(span, label);
    if let Some((expected, actual)) = finding.expected.as_deref().zip(finding.actual.as_deref()) {
        shown = shown.comparing(expected, actual);
    }
    let about = match (finding.code, &finding.deal) {
        (Code::Expectation | Code::Converged, Some(deal)) => {
            log::last_about(&run.trace, deal, finding.at, finding.step, LAST)
        }
        _ => Vec::new(),
    };
    if !about.is_empty() {
        let deal = finding.deal.as_deref().unwrap_or_default();
        shown = shown.note(format!("last about {deal}:"));
    }
    for line in about {
        shown = shown.note(format!("  {line}"));
    }
    shown.note(format!(
        "on {} at {} ({} after the start)",
        run.plan.crm.name(),
        finding.at,
        since_start(run, finding.at)
    ))
}

fn since_start(run: &Ran<'_>, at: Timestamp) -> String {
    run.trace
        .entries
        .first()
        .map_or_else(String::new, |entry| time(at.duration_since(entry.at)))
}

/// The last line: how many of each.
pub fn summary(ended: &Ended) -> String {
    let tally = ended.tally;
    let mut parts = vec![format!("{} passed", tally.passed)];
    for (count, word) in [
        (tally.failed, "failed"),
        (tally.inconclusive, "inconclusive"),
        (ended.not_run, "not run"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let runs = if tally.total() == 1 { "run" } else { "runs" };
    format!(
        "{} {runs} in {:.2} s: {}{}",
        tally.total(),
        ended.wall.as_secs_f64(),
        parts.join(", "),
        if ended.interrupted { " (interrupted)" } else { "" }
    )
}

/// The table of what was exercised and what never was.
pub fn coverage(coverage: &Coverage) -> Vec<String> {
    let mut lines = vec![format!("behaviour exercised: {:.1} %", coverage.percent())];
    for area in coverage.areas() {
        let share = area.cells.map_or_else(
            || format!("{} seen", area.reached),
            |cells| format!("{} of {cells}", area.reached),
        );
        lines.push(format!("  {:<24} {share}", area.area));
        for (cell, why) in &area.empty {
            lines.push(match why {
                Some(why) => format!("      never: {cell} ({why})"),
                None => format!("      never: {cell}"),
            });
        }
    }
    lines
}

/// A stretch of virtual time in words: `2d 4h 5m`, `16m 30s`, `45ms`.
pub fn time(lasts: SignedDuration) -> String {
    let millis = lasts.as_millis();
    let parts = [
        (millis / 86_400_000, "d"),
        (millis / 3_600_000 % 24, "h"),
        (millis / 60_000 % 60, "m"),
        (millis / 1000 % 60, "s"),
        (if millis < 10_000 { millis % 1000 } else { 0 }, "ms"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if words.is_empty() {
        "0s".to_owned()
    } else {
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_is_written_in_words() {
        assert_eq!(time(SignedDuration::from_mins(32)), "32m");
        assert_eq!(time(SignedDuration::from_secs(2 * 86_400 + 3600)), "2d 1h");
        assert_eq!(time(SignedDuration::from_millis(1045)), "1s 45ms");
        assert_eq!(time(SignedDuration::ZERO), "0s");
    }
}
