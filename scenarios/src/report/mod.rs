//! What people and programs are shown of a set of runs. Each format reads the same `Ran` values, one at a time, in order.

use std::io::{self, Write};
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;

use crate::coverage::{Coverage, Covered};
use crate::diagnostic::Sources;
use crate::invariant::Code;
use crate::live::quoted;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::verdict::{Outcome, Verdict};

/// For people at a terminal.
pub mod human;
/// For programs: one document, or a line a run.
pub mod json;
/// For CI servers.
pub mod junit;
/// For the summary of a pull request.
pub mod markdown;
/// For the lines of a pull request on GitHub.
pub mod github;
/// For a browser.
pub mod html;

/// A report under way: it is told of each run in order, and then that there are no more.
///
/// Errors are those of the place that it writes to.
pub trait Report {
    /// Adds a run.
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()>;

    /// Writes what is left to write.
    fn finish(&mut self, ended: &Ended) -> io::Result<()>;
}

/// Where a report goes.
pub type Sink = Box<dyn Write>;

/// How a set of runs ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// How many runs ended in which way.
    pub tally: Tally,
    /// Selected, but not run: after `--fail-fast` or Ctrl-C.
    pub not_run: usize,
    /// Whether somebody stopped the command.
    pub interrupted: bool,
    /// What it took on the wall clock.
    pub wall: Duration,
    /// Which behaviour the runs exercised, when somebody asked.
    pub coverage: Option<Coverage>,
}

/// One scenario on one CRM, run and judged.
#[derive(Clone, Debug)]
pub struct Ran<'a> {
    /// The scenario, with the places of its words.
    pub scenario: &'a Scenario,
    /// What was run.
    pub plan: Plan,
    /// What happened.
    pub trace: Trace,
    /// How it is judged.
    pub verdict: Verdict,
    /// What it took on the wall clock: for people who look for slow scenarios, never for a verdict.
    pub wall: Duration,
}

impl Ran<'_> {
    /// How the run counts: a scenario that must fail passes when it fails in the way that it names.
    pub fn outcome(&self) -> Outcome {
        match (&self.scenario.expect_failure, self.verdict.outcome) {
            (Some(code), Outcome::Failed) if self.fails_with(code) => Outcome::Passed,
            (Some(_), Outcome::Passed | Outcome::Failed) => Outcome::Failed,
            (_, outcome) => outcome,
        }
    }

    /// Whether a finding has that code.
    pub fn fails_with(&self, code: &str) -> bool {
        self.verdict.findings.iter().any(|finding| finding.code.name() == code)
    }

    /// How much virtual time passed.
    pub fn virtual_time(&self) -> SignedDuration {
        let first = self.trace.entries.first().map(|entry| entry.at);
        let last = self.trace.entries.last().map(|entry| entry.at);
        first
            .zip(last)
            .map_or(SignedDuration::ZERO, |(first, last)| last.duration_since(first))
    }

    /// The invariants that do not judge somebody else's connector; none for the reference connector.
    pub fn left_out(&self) -> Vec<&'static str> {
        if self.trace.header.external {
            Code::NOT_FROM_OUTSIDE.map(Code::name).to_vec()
        } else {
            Vec::new()
        }
    }

    /// The command that runs exactly this again.
    pub fn command(&self) -> String {
        let path = quoted(&self.plan.path);
        let options = &self.trace.header.options;
        let external = if options.is_empty() {
            String::new()
        } else {
            format!(" {options}")
        };
        let planted = self
            .plan
            .planted
            .as_ref()
            .map_or_else(String::new, |bug| format!(" --planted {bug}"));
        format!(
            "cosell run {path} --crm {} --seed {}{planted}{external}",
            self.plan.crm.name(),
            self.plan.seed
        )
    }
}

/// How a set of runs ended, as programs read it.
#[derive(Clone, Debug, Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    inconclusive: usize,
    not_run: usize,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Vec<Covered>>,
}

impl Counts {
    fn of(ended: &Ended) -> Self {
        Self {
            passed: ended.tally.passed,
            failed: ended.tally.failed,
            inconclusive: ended.tally.inconclusive,
            not_run: ended.not_run,
            interrupted: ended.interrupted,
            coverage: ended.coverage.as_ref().map(Coverage::areas),
        }
    }
}

/// How many runs ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Inconclusive.
    pub inconclusive: usize,
}

impl Tally {
    /// Counts one more run.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Inconclusive => self.inconclusive += 1,
        }
    }

    /// All of them.
    pub fn total(self) -> usize {
        self.passed + self.failed + self.inconclusive
    }
}
