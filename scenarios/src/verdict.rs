//! The verdict on a run, from its plan and its trace alone.
//!
//! Passed, failed with findings, or inconclusive: the scenario needed something that the simulators refuse.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use cosell_sim::world::observation::Observed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::expectation::Past;
use crate::expectation::watching::{Moment, Watching, remembered};
use crate::invariant::{self, Code, Finding};
use crate::plan::Plan;
use crate::scenario::Crm;
use crate::scenario::act::Act;
use crate::trace::{Entry, Header, Trace, What};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Passed, failed or inconclusive.
    pub outcome: Outcome,
    /// What is not as it must be.
    pub findings: Vec<Finding>,
    /// What the simulators refused, each once.
    pub refused: Vec<String>,
    /// Why the outcome is what it is, where a refusal leaves it open.
    #[serde(default)]
    pub reason: Option<String>,
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

/// Judges a run, in one walk along its trace.
pub fn decide(plan: &Plan, trace: &Trace) -> Verdict {
    if let Some(finding) = never_began(trace) {
        return Verdict {
            outcome: Outcome::Failed,
            findings: vec![finding],
            refused: Vec::new(),
            reason: None,
        };
    }
    let mut look = Look::new(plan, trace);
    let judged = invariant::judge_with(trace, |entry, board| look.at(entry, board));
    let first_refusal = look.first_refusal;
    let mut refused = std::mem::take(&mut look.refused);
    let mut findings = settings(plan, trace);
    findings.extend(look.end());
    findings.extend(judged.into_required());
    findings.sort_by_key(|finding| finding.at);
    refused.sort();
    refused.dedup();
    let own = findings
        .iter()
        .find(|finding| first_refusal.is_none_or(|refused_at| stands_alone(finding, refused_at)));
    let (outcome, reason) = match (first_refusal, own) {
        (None, None) => (Outcome::Passed, None),
        (None, Some(_)) => (Outcome::Failed, None),
        (Some(_), Some(finding)) => (
            Outcome::Failed,
            Some(format!(
                "a simulator refused something, but `{}` cannot come from that",
                finding.code.name()
            )),
        ),
        (Some(_), None) => (
            Outcome::Inconclusive,
            Some(if trace.header.external {
                "not everything could be done, and whatever is missing may come from that".to_owned()
            } else {
                "a simulator refused something, and whatever is missing may come from that".to_owned()
            }),
        ),
    };
    Verdict {
        outcome,
        findings,
        refused,
        reason,
    }
}

/// A run that could not begin has this one finding: nothing else can be said of it.
fn never_began(trace: &Trace) -> Option<Finding> {
    trace.entries.iter().find_map(|entry| match &entry.what {
        What::NeverBegan { part, why } => {
            let code = if part == "given" {
                Code::ActRefused
            } else {
                Code::Settings
            };
            let mut finding = Finding::new(code, entry.at, None, why.clone());
            finding.field = Some(part.clone());
            Some(finding)
        }
        _ => None,
    })
}

/// Whether a finding stands although a simulator refused something: it was there before, or no missing answer can excuse
/// it. What was only left undone may follow from the refusal.
fn stands_alone(finding: &Finding, refused_at: Timestamp) -> bool {
    let safety = matches!(
        finding.code,
        Code::OneToOne | Code::NothingInvented | Code::NoLeak | Code::ClosedIsTerminal | Code::Deterministic
    );
    safety || finding.at < refused_at
}

fn refusal(entry: &Entry) -> Option<String> {
    match &entry.what {
        What::Observed(Observed::Refused { refusal, .. }) => Some(format!(
            "{} does not simulate {} ({})",
            refusal.site.name(),
            refusal.missing,
            refusal.request
        )),
        What::CannotBeDone { verb, why, .. } => {
            Some(format!("`{verb}` cannot be done with an external connector: {why}"))
        }
        _ => None,
    }
}

/// A stage that an operator names and the org does not have (product.md M8). Dynamics 365 has no stages of its own names.
fn settings(plan: &Plan, trace: &Trace) -> Vec<Finding> {
    if plan.crm != Crm::Salesforce {
        return Vec::new();
    }
    let at = trace.entries.first().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at);
    let has = |name: &String| plan.world.salesforce.stages.iter().any(|stage| stage.name == *name);
    let stages = [
        ("on-hold stage", &plan.settings.on_hold_stage),
        ("active stage", &plan.settings.active_stage),
    ];
    let missing = stages.into_iter().filter(|(_, name)| !has(name));
    missing
        .map(|(setting, name)| {
            let text = format!("the {setting} `{name}` is no stage of the Salesforce org");
            let mut finding = Finding::new(Code::Settings, at, None, text);
            finding.field = Some(format!("settings.{setting}"));
            finding.comparing(
                "a stage of the org; `world: {salesforce: {stages: […]}}` gives it further ones",
                format!("`{name}`"),
            )
        })
        .collect()
}

/// Looks at each step that expects something, at its moment or as long as it lasts.
struct Look<'a> {
    plan: &'a Plan,
    header: &'a Header,
    past: Past,
    watching: Vec<Watching<'a>>,
    findings: Vec<Finding>,
    /// What was refused, as often as it was.
    refused: Vec<String>,
    first_refusal: Option<Timestamp>,
    /// When the last entry was.
    at: Timestamp,
}

impl<'a> Look<'a> {
    fn new(plan: &'a Plan, trace: &'a Trace) -> Self {
        Self {
            plan,
            header: &trace.header,
            past: Past::of(plan),
            watching: Vec::new(),
            findings: Vec::new(),
            refused: Vec::new(),
            first_refusal: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Looks at an entry; the board holds it.
    fn at(&mut self, entry: &Entry, board: &Board) {
        self.at = entry.at;
        self.past.apply(entry);
        if let Some(refusal) = refusal(entry) {
            self.refused.push(refusal);
            self.first_refusal.get_or_insert(entry.at);
        }
        let findings = &mut self.findings;
        if let What::Step { step, .. } = &entry.what {
            self.watching
                .retain_mut(|watching| watching.goes_on(*step, entry.at, findings));
        }
        if !self.watching.is_empty() && shows_something(entry) {
            let moment = Moment {
                header: self.header,
                board,
                past: &self.past,
                at: entry.at,
            };
            for watching in &mut self.watching {
                watching.look(&moment, findings);
            }
        }
        match &entry.what {
            What::ActRefused { step, status, body } => {
                findings.push(act_refused(self.plan, entry.at, *step, *status, body));
            }
            What::Process { trouble } => {
                findings.push(Finding::new(Code::Process, entry.at, None, trouble.clone()));
            }
            What::BoundHit { bound } => {
                let text = format!("the run was cut off at a bound of the harness: {bound}");
                findings.push(Finding::new(Code::Bound, entry.at, None, text));
            }
            What::Step { step, deal, .. } => self.step(*step, deal.as_deref(), entry.at, board),
            _ => {}
        }
    }

    fn step(&mut self, step: usize, deal: Option<&str>, at: Timestamp, board: &Board) {
        let moment = Moment {
            header: self.header,
            board,
            past: &self.past,
            at,
        };
        match self.plan.steps.get(step).map(|planned| &planned.act) {
            Some(Act::Expect(expected)) => moment.look(step, deal, expected, &mut self.findings),
            Some(Act::Watch(how, expected)) => {
                let mut new = Watching::new(step, deal.map(str::to_owned), *how, expected, at);
                new.look(&moment, &mut self.findings);
                self.watching.push(new);
            }
            Some(Act::Remember { side, field, name }) => {
                let value = remembered(board, deal.unwrap_or_default(), *side, field);
                self.past.remembered.extend(value.map(|value| (name.clone(), value)));
            }
            _ => {}
        }
    }

    /// The run is over.
    fn end(mut self) -> Vec<Finding> {
        for watching in &mut self.watching {
            watching.ends(self.at, &mut self.findings);
        }
        self.findings
    }
}

/// Whether anything that expectations look at may have changed.
fn shows_something(entry: &Entry) -> bool {
    matches!(
        &entry.what,
        What::Observed(Observed::Committed { .. } | Observed::Sent { .. }) | What::Named { .. }
    )
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
