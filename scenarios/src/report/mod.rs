//! What people and programs are shown of a set of runs. Each format reads the same `Ran` values, one at a time, in order.

use std::io::{self, Write};
use std::time::Duration;

use jiff::SignedDuration;

use crate::coverage::Coverage;
use crate::diagnostic::Sources;
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

    /// The command that runs exactly this again.
    pub fn command(&self) -> String {
        let path = &self.plan.path;
        let path = if path.contains([' ', '\'', '(']) {
            format!("'{}'", path.replace('\'', r"'\''"))
        } else {
            path.clone()
        };
        let planted = self
            .plan
            .planted
            .as_ref()
            .map_or_else(String::new, |bug| format!(" --planted {bug}"));
        format!(
            "cosell run {path} --crm {} --seed {}{planted}",
            self.plan.crm.name(),
            self.plan.seed
        )
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
