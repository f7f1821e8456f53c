//! What people and programs are shown of a set of runs. Each format reads the same `Ran` values.

use jiff::SignedDuration;

use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::verdict::{Outcome, Verdict};

/// For people at a terminal.
pub mod human;
/// For programs.
pub mod json;

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
    /// Counts runs.
    pub fn of(runs: &[Ran<'_>]) -> Self {
        let mut tally = Self::default();
        for run in runs {
            match run.outcome() {
                Outcome::Passed => tally.passed += 1,
                Outcome::Failed => tally.failed += 1,
                Outcome::Inconclusive => tally.inconclusive += 1,
            }
        }
        tally
    }

    /// All of them.
    pub fn total(self) -> usize {
        self.passed + self.failed + self.inconclusive
    }
}
