//! The report for a browser: one file that needs no network. A list of runs, and for each the timeline with Partner
//! Center on the left, the connector in the middle and the CRM on the right.
//!
//! Values of the run travel as JSON and are put on the page as text only, so nothing in them can become markup.

use std::io;

use serde::Serialize;

use super::{Counts, Ended, Ran, Report, Sink, human};
use crate::diagnostic::{Sources, Style};
use crate::log;
use crate::verdict::Outcome;
use timeline::Timeline;

mod timeline;

/// The page, with a mark where the runs go.
const PAGE: &str = include_str!("page.html");
const MARK: &str = "/*RUNS*/";

/// Bytes of timelines that runs which passed may take; runs which did not may take as much again. Beyond it a run has
/// its story only.
const TIMELINES: usize = 4_000_000;

/// Runs that keep their story when there are very many of them; the others have their line.
const STORIES: usize = 3_000_000;

/// One self-contained page. Runs are written as they come, so that memory does not grow with their number.
#[expect(missing_debug_implementations, reason = "a place to write to has nothing to show")]
pub struct Html {
    sink: Sink,
    passed_bytes: usize,
    failed_bytes: usize,
    story_bytes: usize,
    begun: bool,
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    title: &'a str,
    path: &'a str,
    crm: &'a str,
    seed: u64,
    outcome: Outcome,
    note: String,
    lasts: String,
    command: String,
    findings: Vec<Finding<'a>>,
    refused: &'a [String],
    /// Invariants that do not judge somebody else's connector.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<&'static str>,
    /// What the report for people says.
    words: String,
    story: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Timeline>,
}

#[derive(Debug, Serialize)]
struct Finding<'a> {
    code: &'a str,
    text: &'a str,
    deal: Option<&'a str>,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
    at: String,
    place: Option<String>,
    /// The event of the timeline that it is pinned to.
    event: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    version: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

impl Html {
    /// A page that goes there.
    pub fn new(sink: Sink) -> Self {
        Self {
            sink,
            passed_bytes: 0,
            failed_bytes: 0,
            story_bytes: 0,
            begun: false,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            let (before, _) = PAGE.split_once(MARK).unwrap_or((PAGE, ""));
            self.sink.write_all(before.as_bytes())?;
        }
        Ok(())
    }

    /// Bytes that are left for a timeline of such a run.
    fn room(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Passed => &mut self.passed_bytes,
            Outcome::Failed | Outcome::Inconclusive => &mut self.failed_bytes,
        }
    }
}

impl Report for Html {
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()> {
        self.begin()?;
        let outcome = ran.outcome();
        let mut run = run(ran, sources);
        if *self.room(outcome) < TIMELINES {
            let timeline = Timeline::of(&ran.trace);
            for (shown, finding) in run.findings.iter_mut().zip(&ran.verdict.findings) {
                shown.event = Some(timeline.event_of(finding.at, finding.step));
            }
            run.timeline = Some(timeline);
            let text = embedded(&run)?;
            // A single run may be longer than all the room; then its story has to do.
            if text.len() < 2 * TIMELINES - *self.room(outcome) {
                *self.room(outcome) += text.len();
                return writeln!(self.sink, "addRun({text});");
            }
            run.timeline = None;
        }
        if self.story_bytes < STORIES {
            run.story = log::lines(&ran.trace);
        }
        let text = embedded(&run)?;
        self.story_bytes += text.len();
        writeln!(self.sink, "addRun({text});")
    }

    fn finish(&mut self, ended: &Ended) -> io::Result<()> {
        self.begin()?;
        let summary = Summary {
            version: env!("CARGO_PKG_VERSION"),
            counts: Counts::of(ended),
        };
        writeln!(self.sink, "finish({});", embedded(&summary)?)?;
        let (_, after) = PAGE.split_once(MARK).unwrap_or(("", ""));
        self.sink.write_all(after.as_bytes())?;
        self.sink.flush()
    }
}

fn run<'a>(ran: &'a Ran<'_>, sources: &Sources) -> Run<'a> {
    let note = match (&ran.scenario.expect_failure, ran.outcome()) {
        (Some(code), Outcome::Passed) => format!("fails with {code}, as it must"),
        _ => String::new(),
    };
    let findings = ran.verdict.findings.iter().map(|finding| Finding {
        code: finding.code.name(),
        text: &finding.text,
        deal: finding.deal.as_deref(),
        expected: finding.expected.as_deref(),
        actual: finding.actual.as_deref(),
        at: finding.at.to_string(),
        place: human::diagnostic(ran, finding)
            .position(sources)
            .map(|place| format!("{}:{}:{}", ran.plan.path, place.line, place.column)),
        event: None,
    });
    Run {
        title: &ran.plan.title,
        path: &ran.plan.path,
        crm: ran.plan.crm.name(),
        seed: ran.plan.seed,
        outcome: ran.outcome(),
        note,
        lasts: human::time(ran.virtual_time()),
        command: ran.command(),
        findings: findings.collect(),
        refused: &ran.verdict.refused,
        left_out: ran.left_out(),
        words: human::findings(ran, sources, Style::PLAIN),
        story: Vec::new(),
        timeline: None,
    }
}

/// JSON that may stand within a script element: no `<` can end it or begin a comment, and the two line separators that
/// old scripts could not hold are escaped.
fn embedded(value: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string(value)?;
    Ok(text
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_end_the_script_that_carries_it() {
        let text = embedded(&"</script><!--<script>\u{2028}").expect("a text is JSON");
        assert!(!text.contains('<') && !text.contains('\u{2028}'), "{text}");
        assert_eq!(
            serde_json::from_str::<String>(&text).expect("JSON"),
            "</script><!--<script>\u{2028}"
        );
    }

    #[test]
    fn the_page_has_one_place_for_the_runs_and_asks_nobody_else_for_anything() {
        assert_eq!(PAGE.matches(MARK).count(), 1);
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
        assert!(!PAGE.contains("innerHTML") && !PAGE.contains("document.write") && !PAGE.contains("eval("));
    }
}
