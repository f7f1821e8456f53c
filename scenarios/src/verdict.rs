//! The verdict on a run, from its plan and its trace alone.
//!
//! Passed, failed with findings, or inconclusive: the scenario needed something that the simulators refuse.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use cosell_sim::world::observation::Observed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::expectation::Eye;
use crate::invariant::{self, Code, Finding};
use crate::plan::Plan;
use crate::scenario::act::Act;
use crate::trace::{Trace, What};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Passed, failed or inconclusive.
    pub outcome: Outcome,
    /// What is not as it must be.
    pub findings: Vec<Finding>,
    /// What the simulators refused, each once.
    pub refused: Vec<String>,
}

/// The three ways in which a run can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything is as it must be.
    Passed,
    /// Something is not.
    Failed,
    /// A simulator refused something, so nobody can say.
    Inconclusive,
}

impl Outcome {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Judges a run.
pub fn decide(plan: &Plan, trace: &Trace) -> Verdict {
    let mut findings = expectations(plan, trace);
    findings.extend(invariant::judge(trace));
    findings.sort_by_key(|finding| finding.at);
    let mut refused: Vec<String> = trace.entries.iter().filter_map(refusal).collect();
    refused.sort();
    refused.dedup();
    let outcome = match (refused.is_empty(), findings.is_empty()) {
        (false, _) => Outcome::Inconclusive,
        (true, true) => Outcome::Passed,
        (true, false) => Outcome::Failed,
    };
    Verdict {
        outcome,
        findings,
        refused,
    }
}

fn refusal(entry: &crate::trace::Entry) -> Option<String> {
    match &entry.what {
        What::Observed(Observed::Refused { refusal, .. }) => Some(format!(
            "{} does not simulate {} ({})",
            refusal.site.name(),
            refusal.missing,
            refusal.request
        )),
        _ => None,
    }
}

/// Walks the trace and looks at each step that expects something, at its moment.
fn expectations(plan: &Plan, trace: &Trace) -> Vec<Finding> {
    let mut board = Board::new(&trace.header);
    let mut decided: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for entry in &trace.entries {
        board.apply(entry);
        match &entry.what {
            What::Decided { code, .. } => decided.push(code),
            What::ActRefused { step, status, body } => findings.push(act_refused(plan, entry.at, *step, *status, body)),
            What::BoundHit { bound } => {
                let text = format!("the run was cut off at a bound of the harness: {bound}");
                findings.push(Finding::new(Code::Bound, entry.at, None, text));
            }
            What::Step { step, deal, .. } => {
                let Some(Act::Expect(expected)) = plan.steps.get(*step).map(|planned| &planned.act) else {
                    continue;
                };
                let deal = deal.as_deref();
                let mut eye = Eye {
                    trace,
                    board: &board,
                    at: entry.at,
                    step: *step,
                    deal,
                    findings: &mut findings,
                };
                eye.look(expected, &decided);
            }
            _ => {}
        }
    }
    findings
}

fn act_refused(plan: &Plan, at: Timestamp, step: usize, status: u16, body: &str) -> Finding {
    let planned = plan.steps.get(step);
    let verb = planned.map_or("a step", |planned| planned.verb.as_str());
    let deal = planned.and_then(|planned| planned.deal.as_deref());
    let text = match status {
        0 => format!("`{verb}` could not be done: {body}"),
        status => format!("`{verb}` was refused by the system with {status}: {body}"),
    };
    let mut finding = Finding::new(Code::ActRefused, at, deal, text);
    finding.step = Some(step);
    finding
}
