//! The run history of the flows: what started a run, on what, what it decided and called, and how it ended. Bounded: the oldest
//! runs go first.
//!
//! Runs that did not succeed are persisted under `run/<number>`, so that they can be resubmitted after a restart. No header, body
//! or query of a call is kept: there may be secrets in them.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Flow;
use crate::id::{DealNumber, OpportunityId, ReferralId};

/// How many runs are kept.
const MOST_RUNS: usize = 1_000;
/// How many calls, and how many decisions, are kept of one run.
const MOST_LINES: usize = 100;

/// What started a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// The connector or a part of it started.
    #[default]
    Start,
    /// A webhook about the partner's own referral.
    Webhook,
    /// A webhook about another party's referral.
    RelatedWebhook,
    /// The CRM said that a record has changed.
    CrmChange,
    /// The CRM said that a solution of an opportunity has changed.
    SolutionsChange,
    /// The list of referrals said that one has changed.
    Reconcile,
    /// A person submitted it again.
    Resubmit,
    /// The flow that it waited for was turned on.
    TurnedOn,
    /// The run of another flow.
    Parent,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// It has not.
    Running,
    /// Well.
    Succeeded,
    /// With an error.
    Failed,
    /// It met a flow that was off, and did nothing.
    MetOff,
}

/// One call of a run: method and path, and the status of its reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallMade {
    /// Method and path.
    pub what: String,
    /// The status of the reply; none when there was none.
    pub status: Option<u16>,
}

/// One run of one flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRun {
    /// Its number, counted from 1 over all flows.
    pub number: u64,
    /// The flow.
    pub flow: Flow,
    /// The run that called it, if it is a child's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// What started it.
    pub trigger: Trigger,
    /// The deal that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealNumber>,
    /// Its input: the referral, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<ReferralId>,
    /// Its input: the opportunity, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<OpportunityId>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub status: RunStatus,
    /// Why it failed, or which flow was off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The codes of its decisions, in order.
    #[serde(default)]
    pub decisions: Vec<String>,
    /// Its calls, in order.
    #[serde(default)]
    pub calls: Vec<CallMade>,
    /// How many calls and decisions there were beyond those that are kept.
    #[serde(default)]
    pub left_out: u64,
}

impl FlowRun {
    /// How long it took, once it has ended.
    pub fn lasted(&self) -> Option<SignedDuration> {
        self.ended.map(|ended| ended.duration_since(self.started))
    }
}

/// Under what a run is kept.
pub fn run_key(number: u64) -> String {
    format!("run/{number:>012}")
}

/// What starts a run.
#[derive(Clone, Debug)]
pub struct Input {
    /// The flow.
    pub flow: Flow,
    /// What started it.
    pub trigger: Trigger,
    /// The deal that it is about.
    pub deal: Option<DealNumber>,
    /// The referral.
    pub referral: Option<ReferralId>,
    /// The opportunity.
    pub opportunity: Option<OpportunityId>,
}

/// The runs, the oldest first.
#[derive(Debug, Default)]
pub struct History {
    runs: VecDeque<FlowRun>,
    last: u64,
    /// The runs that a task is in, the innermost last.
    open: BTreeMap<u64, Vec<u64>>,
}

impl History {
    /// What was persisted. What cannot be read is left out: it is history, and nothing depends on it.
    pub fn load<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut history = Self::default();
        for (_, value) in entries.filter(|(key, _)| key.starts_with("run/")) {
            if let Ok(run) = serde_json::from_str::<FlowRun>(value) {
                history.last = history.last.max(run.number);
                history.runs.push_back(run);
            }
        }
        history
    }

    /// Starts a run in a task; the number of the oldest run, when it has to go and was persisted.
    pub fn begin(&mut self, task: u64, input: Input, now: Timestamp) -> Option<u64> {
        self.last += 1;
        let number = self.last;
        let open = self.open.entry(task).or_default();
        let parent = open.last().copied();
        open.push(number);
        self.runs.push_back(FlowRun {
            number,
            flow: input.flow,
            parent,
            trigger: input.trigger,
            deal: input.deal,
            referral: input.referral,
            opportunity: input.opportunity,
            started: now,
            ended: None,
            status: RunStatus::Running,
            error: None,
            decisions: Vec::new(),
            calls: Vec::new(),
            left_out: 0,
        });
        if self.runs.len() <= MOST_RUNS {
            return None;
        }
        let oldest = self.runs.pop_front()?;
        (oldest.status != RunStatus::Succeeded).then_some(oldest.number)
    }

    /// Ends the innermost run of a task, and gives it.
    pub fn end(&mut self, task: u64, status: RunStatus, error: Option<String>, now: Timestamp) -> Option<&FlowRun> {
        let open = self.open.get_mut(&task)?;
        let number = open.pop()?;
        if open.is_empty() {
            self.open.remove(&task);
        }
        let run = self.find(number)?;
        run.ended = Some(now);
        run.status = status;
        run.error = error;
        Some(run)
    }

    fn find(&mut self, number: u64) -> Option<&mut FlowRun> {
        let at = self.runs.binary_search_by_key(&number, |run| run.number).ok()?;
        self.runs.get_mut(at)
    }

    fn current(&mut self, task: u64) -> Option<&mut FlowRun> {
        let number = *self.open.get(&task)?.last()?;
        self.find(number)
    }

    /// Notes a decision of the run that a task is in.
    pub fn decided(&mut self, task: u64, code: &str) {
        if let Some(run) = self.current(task) {
            if run.decisions.len() < MOST_LINES {
                run.decisions.push(code.to_owned());
            } else {
                run.left_out += 1;
            }
        }
    }

    /// Notes a call of the run that a task is in.
    pub fn called(&mut self, task: u64, what: impl FnOnce() -> String, status: Option<u16>) {
        if let Some(run) = self.current(task) {
            if run.calls.len() < MOST_LINES {
                run.calls.push(CallMade { what: what(), status });
            } else {
                run.left_out += 1;
            }
        }
    }

    /// All runs, the oldest first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &FlowRun> {
        self.runs.iter()
    }

    /// A run by its number.
    pub fn run(&self, number: u64) -> Option<&FlowRun> {
        let at = self.runs.binary_search_by_key(&number, |run| run.number).ok()?;
        self.runs.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(flow: Flow) -> Input {
        Input {
            flow,
            trigger: Trigger::Webhook,
            deal: Some(DealNumber(1)),
            referral: None,
            opportunity: None,
        }
    }

    #[test]
    fn calls_belong_to_the_innermost_run_of_their_task() {
        let (mut history, now) = (History::default(), Timestamp::UNIX_EPOCH);
        history.begin(1, input(Flow::PcToCrm), now);
        history.begin(2, input(Flow::CrmToPc), now);
        history.begin(1, input(Flow::Customize), now);
        history.called(1, || "POST /a".to_owned(), Some(201));
        history.end(1, RunStatus::Succeeded, None, now);
        history.called(1, || "GET /b".to_owned(), None);
        history.decided(2, "x");
        let ended = history.end(1, RunStatus::Failed, Some("no".to_owned()), now).unwrap();
        assert_eq!((ended.number, ended.calls[0].what.as_str()), (1, "GET /b"));
        let child = history.run(3).unwrap();
        assert_eq!((child.parent, child.calls[0].status), (Some(1), Some(201)));
        assert_eq!(history.run(2).unwrap().decisions, ["x"]);
    }

    #[test]
    fn the_history_is_bounded_and_names_what_must_be_forgotten() {
        let (mut history, now) = (History::default(), Timestamp::UNIX_EPOCH);
        let mut forgotten = Vec::new();
        for number in 0..u64::try_from(MOST_RUNS).unwrap() + 2 {
            forgotten.extend(history.begin(number, input(Flow::PcToCrm), now));
            let status = if number == 1 {
                RunStatus::Failed
            } else {
                RunStatus::Succeeded
            };
            history.end(number, status, None, now);
        }
        assert_eq!((history.runs().count(), forgotten), (MOST_RUNS, vec![2]));
    }
}
