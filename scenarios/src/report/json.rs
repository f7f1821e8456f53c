//! The report for programs: one JSON document, versioned.

use serde::Serialize;

use super::{Ran, Tally, human};
use crate::diagnostic::Sources;
use crate::invariant::Finding;
use crate::verdict::Outcome;

/// The version of the document. It rises with each field that is added.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize)]
struct Document<'a> {
    format: u32,
    version: &'a str,
    passed: usize,
    failed: usize,
    inconclusive: usize,
    runs: Vec<Run<'a>>,
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

/// The document for a set of runs.
pub fn document(runs: &[Ran<'_>], sources: &Sources) -> Result<String, serde_json::Error> {
    let tally = Tally::of(runs);
    serde_json::to_string_pretty(&Document {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        passed: tally.passed,
        failed: tally.failed,
        inconclusive: tally.inconclusive,
        runs: runs.iter().map(|ran| run(ran, sources)).collect(),
    })
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
