//! Acceptance before go-live: numbered checks under a team's own settings, and a report that somebody signs.
//!
//! The checks are scenarios of the catalog. They run against the simulators with the reference connector or with the
//! team's own, or against the team's real systems with the connector that works between them.

use std::time::Duration;

use serde::Serialize;

use crate::exit::Exit;

/// The checks.
pub mod checks;
/// A scenario under a team's settings.
pub mod tailored;
/// Sentences of what was expected and what was seen.
mod words;
/// What exactly was tried.
pub mod fingerprint;
/// Traces of the checks.
pub mod traces;
/// Against the simulators.
pub mod simulated;
/// Against real systems.
pub mod real;
/// What is shown.
pub mod report;

use checks::Check;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything is as it must be.
    Passed,
    /// Something is not.
    Failed,
    /// Nobody can say, for a reason.
    NotRun,
}

/// A check, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Its number.
    pub number: u16,
    /// Its stable code.
    pub code: &'static str,
    /// The sentence that it proves.
    pub title: String,
    /// The promise of the documentation behind it.
    pub practice: &'static str,
    /// The requirements that it tries.
    pub requirements: Vec<String>,
    /// The scenario of the catalog.
    pub scenario: &'static str,
    /// What was expected, in the words of the scenario.
    pub expected: Vec<String>,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: Vec<String>,
    /// Why it was not run.
    pub reason: Option<String>,
    /// It should have been run, and could not be: nobody may take this for a reason to go live.
    pub is_open: bool,
    /// Records that it made and that are still there.
    pub left_behind: Vec<String>,
    /// What it took.
    pub seconds: f64,
}

impl Checked {
    /// A check that was not run.
    pub fn not_run(check: Check, described: Described, reason: impl Into<String>, is_open: bool) -> Self {
        Self {
            outcome: Outcome::NotRun,
            reason: Some(reason.into()),
            is_open,
            ..Self::of(check, described)
        }
    }

    /// A check that passed so far.
    pub(crate) fn of(check: Check, described: Described) -> Self {
        Self {
            number: check.number,
            code: check.code,
            title: described.title,
            practice: check.practice,
            requirements: described.requirements,
            scenario: check.scenario,
            expected: described.expected,
            outcome: Outcome::Passed,
            seen: Vec::new(),
            reason: None,
            is_open: false,
            left_behind: Vec::new(),
            seconds: 0.0,
        }
    }

    /// With the time that it took.
    #[must_use]
    pub fn taking(mut self, time: Duration) -> Self {
        self.seconds = (time.as_secs_f64() * 1000.0).round() / 1000.0;
        self
    }
}

/// What a check's scenario says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Its title.
    pub title: String,
    /// What it proves.
    pub requirements: Vec<String>,
    /// What it expects, step by step.
    pub expected: Vec<String>,
}

pub use words::describe;

/// How many checks came out that way.
pub fn count(checked: &[Checked], outcome: Outcome) -> usize {
    checked.iter().filter(|check| check.outcome == outcome).count()
}

/// Checks in a row, from the first, after which a connector that passes none is given up.
pub const GIVE_UP_AFTER: usize = 3;

/// Whether nothing has passed so far, and that is enough to know.
pub fn is_lifeless(checked: &[Checked]) -> bool {
    count(checked, Outcome::Passed) == 0 && count(checked, Outcome::Failed) >= GIVE_UP_AFTER
}

/// What the command's exit code says.
pub fn exit(checked: &[Checked], interrupted: bool) -> Exit {
    let any = |wanted: &dyn Fn(&Checked) -> bool| checked.iter().any(wanted);
    if interrupted {
        Exit::Interrupted
    } else if any(&|check| check.outcome == Outcome::Failed || !check.left_behind.is_empty()) {
        Exit::Failed
    } else if any(&|check| check.is_open) {
        Exit::Inconclusive
    } else if any(&|check| check.outcome == Outcome::Passed) {
        Exit::Passed
    } else {
        Exit::NothingSelected
    }
}
