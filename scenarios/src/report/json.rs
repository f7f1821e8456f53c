//! The reports for programs: one JSON document, or JSON lines, both versioned. `scenarios/guide/reports.md` lists the keys.
//!
//! Nothing in them depends on the wall clock or the machine: the same runs give the same bytes.

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::{Counts, Ended, Ran, Report, Sink, human};
use crate::diagnostic::Sources;
use crate::invariant::Finding;
use crate::verdict::Outcome;

/// The version of the document. It rises with each field that is added.
const FORMAT: u32 = 2;

#[derive(Debug, Serialize)]
struct Document<'a> {
    format: u32,
    version: &'a str,
    #[serde(flatten)]
    counts: Counts,
    runs: &'a [Value],
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    title: &'a str,
    path: &'a str,
    crm: &'a str,
    seed: u64,
    outcome: Outcome,
    must_fail_with: Option<&'a str>,
    virtual_seconds: f64,
    findings: Vec<Located<'a>>,
    refused: &'a [String],
    /// Invariants that do not judge somebody else's connector.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<&'static str>,
    reproduce: String,
}

#[derive(Debug, Serialize)]
struct Located<'a> {
    /// Where in the scenario file: the words that the human report points at.
    line: Option<usize>,
    column: Option<usize>,
    code: &'a str,
    text: &'a str,
    deal: Option<&'a str>,
    at: String,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
    step: Option<usize>,
    field: Option<&'a str>,
}

/// One document, written in the end.
#[expect(missing_debug_implementations, reason = "a place to write to has nothing to show")]
pub struct Json {
    sink: Sink,
    runs: Vec<Value>,
}

impl Json {
    /// A document that goes there.
    pub fn new(sink: Sink) -> Self {
        Self { sink, runs: Vec::new() }
    }
}

impl Report for Json {
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()> {
        self.runs.push(serde_json::to_value(run(ran, sources))?);
        Ok(())
    }

    fn finish(&mut self, ended: &Ended) -> io::Result<()> {
        let document = Document {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            counts: Counts::of(ended),
            runs: &self.runs,
        };
        serde_json::to_writer_pretty(&mut self.sink, &document)?;
        writeln!(self.sink)?;
        self.sink.flush()
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'a> {
    Start {
        format: u32,
        version: &'a str,
        selected: usize,
    },
    Run(Run<'a>),
    End(Counts),
}

/// A line when it starts, a line for each run as soon as it has ended, and a line when it ends.
#[expect(missing_debug_implementations, reason = "a place to write to has nothing to show")]
pub struct JsonLines {
    sink: Sink,
}

impl JsonLines {
    /// Lines that go there; the first is written at once.
    ///
    /// # Errors
    /// Those of the place that it writes to.
    pub fn new(mut sink: Sink, selected: usize) -> io::Result<Self> {
        let start = Line::Start {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            selected,
        };
        line(&mut sink, &start)?;
        Ok(Self { sink })
    }
}

fn line(sink: &mut Sink, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, line)?;
    writeln!(sink)?;
    sink.flush()
}

impl Report for JsonLines {
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()> {
        line(&mut self.sink, &Line::Run(run(ran, sources)))
    }

    fn finish(&mut self, ended: &Ended) -> io::Result<()> {
        line(&mut self.sink, &Line::End(Counts::of(ended)))
    }
}

fn run<'a>(ran: &'a Ran<'_>, sources: &Sources) -> Run<'a> {
    Run {
        title: &ran.plan.title,
        path: &ran.plan.path,
        crm: ran.plan.crm.name(),
        seed: ran.plan.seed,
        outcome: ran.outcome(),
        must_fail_with: ran.scenario.expect_failure.as_deref(),
        virtual_seconds: ran.virtual_time().as_secs_f64(),
        findings: ran
            .verdict
            .findings
            .iter()
            .map(|finding| located(ran, finding, sources))
            .collect(),
        refused: &ran.verdict.refused,
        left_out: ran.left_out(),
        reproduce: ran.command(),
    }
}

fn located<'a>(ran: &Ran<'_>, finding: &'a Finding, sources: &Sources) -> Located<'a> {
    let place = human::diagnostic(ran, finding).position(sources);
    Located {
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        code: finding.code.name(),
        text: &finding.text,
        deal: finding.deal.as_deref(),
        at: finding.at.to_string(),
        expected: finding.expected.as_deref(),
        actual: finding.actual.as_deref(),
        step: finding.step,
        field: finding.field.as_deref(),
    }
}
