//! One history, run and judged. It draws nothing and keeps nothing.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use cosell_sim::world::observation::Observed;
use jiff::SignedDuration;

use super::coverage::Coverage;
use super::draft::Draft;
use crate::diagnostic::Diagnostic;
use crate::invariant::{self, Finding, deterministic};
use crate::plan::Plan;
use crate::simulate::{self, Options, RunError};
use crate::trace::{Trace, What};

/// What a run has shown.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// What is not as it must be, in the order of the run.
    pub findings: Vec<Finding>,
    /// Advice that was not followed.
    pub advice: usize,
    /// What the simulators refused.
    pub missing: Vec<String>,
    /// Messages between connector and systems.
    pub exchanges: u64,
    /// Virtual time.
    pub lasted: SignedDuration,
}

/// Why a history could not be run: the generator or the harness is at fault.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The language refuses what was drawn.
    #[error("the history is no scenario: {0}")]
    Language(String),
    /// The plan cannot be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<Vec<Diagnostic>> for TrialError {
    fn from(faults: Vec<Diagnostic>) -> Self {
        Self::Language(faults.first().map(|fault| fault.message.clone()).unwrap_or_default())
    }
}

/// How a history is tried.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// The deliberately broken connector to try it on.
    pub planted: Option<String>,
    /// Runs it twice and compares.
    pub twice: bool,
}

/// Runs a history and judges it; what it reaches is counted when somebody wants to know.
pub fn run(draft: &Draft, manner: &Manner, coverage: Option<&mut Coverage>) -> Result<Trial, TrialError> {
    let mut plan: Plan = draft.plan()?;
    plan.planted.clone_from(&manner.planted);
    let trace = simulate::run(&plan, &Options::default())?;
    let mut trial = judge(&trace, coverage);
    if manner.twice {
        let again = simulate::run(&plan, &Options::default())?;
        trial.findings.extend(deterministic::compare(&trace, &again));
    }
    Ok(trial)
}

fn judge(trace: &Trace, coverage: Option<&mut Coverage>) -> Trial {
    let mut missing = Vec::new();
    let mut exchanges = 0;
    let mut watch = coverage.map(Coverage::watch);
    let findings = invariant::judge_with(trace, |entry, board| {
        match &entry.what {
            What::Observed(Observed::Sent { .. } | Observed::Delivering { .. }) => exchanges += 1,
            What::Observed(Observed::Refused { refusal, .. }) => missing.push(format!(
                "{} does not simulate {} ({})",
                refusal.site.name(),
                refusal.missing,
                refusal.request
            )),
            _ => {}
        }
        if let Some(watch) = &mut watch {
            watch.look(entry, board);
        }
    });
    let (findings, advice) = findings.into_both();
    let times = trace.entries.first().zip(trace.entries.last());
    Trial {
        findings,
        advice: advice.len(),
        missing,
        exchanges,
        lasted: times.map_or(SignedDuration::ZERO, |(first, last)| last.at.duration_since(first.at)),
    }
}
