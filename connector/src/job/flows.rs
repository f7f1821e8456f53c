//! The flows at work: what they let through, what waits for one that is off, the run that a job is in, and what a person does
//! with them.
//!
//! A flow that is off does nothing. What meets it is a decision `flow.off`, and its deal waits until the flow is turned on.

use super::desk::{Desk, Trouble};
use super::register;
use crate::board::{Causes, Started};
use crate::flow::history::{Input, run_key};
use crate::flow::switches::{Blocked, switch_key, waiting_key};
use crate::flow::{Flow, FlowAct, FlowRun, FlowState, Resubmit, RunStatus, Trigger, trigger_lost_text};
use crate::id::DealNumber;
use crate::planted::Planted;
use crate::record::Record;

/// The flow that a run of a deal belongs to.
pub(crate) fn flow_of(record: &Record, trigger: Trigger) -> Flow {
    match (&record.referral, &record.opportunity) {
        (Some(_), None) => Flow::PcToCrm,
        (None, _) => Flow::CrmToPc,
        (Some(_), Some(_)) => match trigger {
            Trigger::Webhook | Trigger::Reconcile => Flow::PcToCrm,
            Trigger::RelatedWebhook => Flow::MicrosoftUpdates,
            Trigger::SolutionsChange => Flow::SolutionsToPc,
            Trigger::Start | Trigger::CrmChange | Trigger::Resubmit | Trigger::TurnedOn | Trigger::Parent => {
                Flow::OpportunityToPc
            }
        },
    }
}

/// How a run ended, and why.
pub(crate) fn ending<T>(result: &Result<T, Trouble>) -> (RunStatus, Option<String>) {
    match result {
        Ok(_) => (RunStatus::Succeeded, None),
        Err(Trouble::Off { flow }) => (RunStatus::MetOff, Some(format!("`{}` is off", flow.slug()))),
        Err(Trouble::Incomplete { pieces }) => {
            let texts: Vec<&str> = pieces.iter().map(|(_, text)| *text).collect();
            (RunStatus::Failed, Some(texts.join("; ")))
        }
        Err(trouble) => (RunStatus::Failed, Some(trouble.to_string())),
    }
}

impl Desk {
    /// Something happened that starts a flow: its deal is due, or waits when the flow is off.
    pub(crate) fn trigger(&self, deal: DealNumber, flow: Flow, causes: Causes, what: &str) {
        if self.flows().switches.is_on(flow) || self.settings().is_planted(Planted::WorksWhileOff) {
            self.mark(deal, causes);
        } else {
            let told = matches!(causes.trigger, Trigger::Webhook | Trigger::RelatedWebhook);
            self.met_off(deal, flow, what, told);
        }
    }

    /// Notes that something met a flow that is off. What every pass finds again is said once.
    fn met_off(&self, deal: DealNumber, flow: Flow, what: &str, every_time: bool) {
        let name = flow.display_name(&self.settings().crm);
        let detail = format!("`{name}` is off: {what}");
        if every_time {
            self.say(&self.record(deal), "flow.off", Some(flow.slug()), detail);
        } else {
            self.say_once(deal, "flow.off", Some(flow.slug()), &detail);
        }
        self.let_wait(flow, deal);
    }

    fn let_wait(&self, flow: Flow, deal: DealNumber) {
        let new = self.flows().switches.wait(flow, deal);
        if new {
            self.engine().persist(waiting_key(flow, deal), Some("1".to_owned()));
        }
    }

    /// Whether a flow and the children that it needs let something through. When one is off, that is noted and the deal waits;
    /// when one has lost its trigger, the deal waits too, and the run fails.
    pub(crate) fn lane(&self, deal: DealNumber, flow: Flow, what: &str) -> Result<bool, Trouble> {
        let mut needed = flow.children(&self.settings().crm);
        // Microsoft's updates have a lane of their own: what they would write waits for them alone.
        needed.retain(|child| *child != Flow::MicrosoftUpdates);
        needed.insert(0, flow);
        let blocked = {
            let flows = self.flows();
            needed.into_iter().find_map(|flow| flows.switches.blocked(flow))
        };
        let blocked = blocked.filter(|_| !self.settings().is_planted(Planted::WorksWhileOff));
        match blocked {
            None => Ok(true),
            Some(Blocked::Off(flow)) => {
                self.met_off(deal, flow, what, false);
                Ok(false)
            }
            Some(Blocked::Lost(flow)) => {
                self.let_wait(flow, deal);
                Err(Trouble::refused(trigger_lost_text(flow)))
            }
        }
    }

    /// The same where nothing can be done without the flow.
    pub(crate) fn need(&self, deal: DealNumber, flow: Flow, what: &str) -> Result<(), Trouble> {
        if self.lane(deal, flow, what)? {
            Ok(())
        } else {
            Err(Trouble::Off { flow })
        }
    }

    /// Starts the run of a flow in the job that is running.
    pub(crate) fn begin_run(&self, started: &Started) {
        let record = self.record(started.deal);
        let trigger = started.causes.trigger;
        self.begin(Input {
            flow: flow_of(&record, trigger),
            trigger,
            deal: Some(started.deal),
            referral: record.referral,
            opportunity: record.opportunity,
        });
    }

    fn begin(&self, input: Input) {
        let (task, now) = (self.engine().task(), self.now());
        let forgotten = self.flows().history.begin(task, input, now);
        if let Some(number) = forgotten {
            self.engine().persist(run_key(number), None);
        }
    }

    /// Ends it.
    pub(crate) fn end_run(&self, (status, error): (RunStatus, Option<String>)) {
        let (task, now) = (self.engine().task(), self.now());
        let text = {
            let mut flows = self.flows();
            let run = flows.history.end(task, status, error, now);
            run.filter(|run| run.status != RunStatus::Succeeded)
                .and_then(|run| Some((run.number, serde_json::to_string(run).ok()?)))
        };
        if let Some((number, text)) = text {
            self.engine().persist(run_key(number), Some(text));
        }
    }

    /// Carries a child flow out, as a run of its own.
    pub(crate) async fn in_child<T>(
        &self,
        deal: Option<DealNumber>,
        flow: Flow,
        job: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let record = deal.map(|deal| self.record(deal)).unwrap_or_default();
        self.begin(Input {
            flow,
            trigger: if deal.is_some() {
                Trigger::Parent
            } else {
                Trigger::Start
            },
            deal,
            referral: record.referral,
            opportunity: record.opportunity,
        });
        let result = job.await;
        self.end_run(ending(&result));
        result
    }

    /// Every flow of the edition.
    pub(crate) fn flow_states(&self) -> Vec<FlowState> {
        let crm = &self.settings().crm;
        let flows = self.flows();
        Flow::of(crm)
            .map(|flow| FlowState {
                flow,
                name: flow.display_name(crm),
                on: flows.switches.is_on(flow),
                trigger_lost: flows.switches.is_lost(flow),
                waiting: flows.switches.waiting(flow),
            })
            .collect()
    }

    /// Carries out what a person does with the flows.
    pub(crate) fn act_on_flows(&self, act: FlowAct) {
        match act {
            FlowAct::Turn { flow, .. } | FlowAct::LoseTrigger { flow }
                if !Flow::of(&self.settings().crm).any(|known| known == flow) =>
            {
                let detail = "the solution for this CRM has no such flow";
                self.say(&Record::default(), "flow.unknown", Some(flow.slug()), detail);
            }
            FlowAct::Turn { flow, on: true } => self.turn_on(flow),
            FlowAct::Turn { flow, on: false } => {
                let changed = self.flows().switches.turn(flow, false);
                if changed {
                    self.keep_switch(flow);
                    self.say(
                        &Record::default(),
                        "flow.turned_off",
                        Some(flow.slug()),
                        self.shown(flow),
                    );
                }
            }
            FlowAct::LoseTrigger { flow } => {
                let changed = self.flows().switches.lose(flow);
                if changed {
                    self.keep_switch(flow);
                    self.say(
                        &Record::default(),
                        "flow.trigger_lost",
                        Some(flow.slug()),
                        self.shown(flow),
                    );
                }
            }
            FlowAct::Reconnect => {
                let found = self.flows().switches.reconnect();
                for flow in found {
                    self.keep_switch(flow);
                    self.let_go(flow);
                }
                self.say(
                    &Record::default(),
                    "flow.reconnected",
                    None,
                    "the connections were made again",
                );
            }
            FlowAct::Resubmit(what) => self.resubmit(&what),
        }
    }

    fn shown(&self, flow: Flow) -> String {
        format!("`{}`", flow.display_name(&self.settings().crm))
    }

    fn keep_switch(&self, flow: Flow) {
        let text = self.flows().switches.text(flow);
        if !self.settings().is_planted(Planted::SwitchesInMemory) {
            self.engine().persist(switch_key(flow), text);
        }
    }

    fn turn_on(&self, flow: Flow) {
        let missing = self.flows().switches.missing_child(flow, &self.settings().crm);
        if let Some(child) = missing {
            let detail = format!(
                "Requiring updates: {} cannot be turned on before its child {}",
                self.shown(flow),
                self.shown(child)
            );
            self.say(&Record::default(), "flow.requires_updates", Some(flow.slug()), detail);
            return;
        }
        let changed = self.flows().switches.turn(flow, true);
        if !changed {
            return;
        }
        self.keep_switch(flow);
        self.say(
            &Record::default(),
            "flow.turned_on",
            Some(flow.slug()),
            self.shown(flow),
        );
        self.let_go(flow);
        if flow == Flow::WebhookRegistration {
            register::again(self);
        }
    }

    /// What waited for a flow is due.
    fn let_go(&self, flow: Flow) {
        let waiting = self.flows().switches.release(flow);
        for deal in waiting {
            self.engine().persist(waiting_key(flow, deal), None);
            let forgets = self.settings().is_planted(Planted::ForgetsWhatMetOff);
            if !forgets && self.board().record(deal).is_some() {
                self.mark(deal, Causes::whole(Trigger::TurnedOn));
            }
        }
    }

    fn resubmit(&self, what: &Resubmit) {
        let (deals, register) = match what {
            Resubmit::Run(number) => {
                let flows = self.flows();
                let run = flows.history.run(*number);
                let registers = run.is_some_and(|run| run.flow == Flow::WebhookRegistration);
                (run.and_then(|run| run.deal).into_iter().collect(), registers)
            }
            Resubmit::Failed => {
                let flows = self.flows();
                let failed = |run: &&FlowRun| matches!(run.status, RunStatus::Failed | RunStatus::MetOff);
                let mut deals: Vec<DealNumber> =
                    flows.history.runs().filter(failed).filter_map(|run| run.deal).collect();
                deals.sort_unstable();
                deals.dedup();
                (deals, false)
            }
            Resubmit::Flow(Flow::WebhookRegistration) => (Vec::new(), true),
            Resubmit::Flow(flow) => {
                let flows = self.flows();
                let last = flows.history.runs().rev().find(|run| run.flow == *flow);
                (last.and_then(|run| run.deal).into_iter().collect(), false)
            }
            Resubmit::Referral(id) => (self.board().of_referral(id).into_iter().collect(), false),
            Resubmit::Opportunity(id) => (self.board().of_opportunity(id).into_iter().collect(), false),
        };
        let known: Vec<DealNumber> = deals
            .into_iter()
            .filter(|deal| self.board().record(*deal).is_some())
            .collect();
        if known.is_empty() && !register {
            let detail = format!("there is nothing to resubmit for {what:?}");
            self.say(&Record::default(), "flow.nothing_to_resubmit", None, detail);
        }
        for deal in known {
            self.say(
                &self.record(deal),
                "flow.resubmitted",
                None,
                "a person submitted the run again",
            );
            self.hasten(deal, Causes::whole(Trigger::Resubmit));
        }
        if register {
            self.say(
                &Record::default(),
                "flow.resubmitted",
                None,
                self.shown(Flow::WebhookRegistration),
            );
            register::again(self);
        }
    }
}
