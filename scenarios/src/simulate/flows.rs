//! Steps in which people turn flows on and off, and submit runs again.
//!
//! What comes of it is the connector's decision.

use cosell_connector::Event;

use super::Run;
use super::people::Scene as _;
use crate::hands::Refused;
use crate::scenario::act::{Act, FlowStep};
use crate::setup;

impl Run<'_> {
    pub(super) fn flows_step(&mut self, deal: &str, step: FlowStep) -> Result<(), Refused> {
        let (referral, opportunity) = (self.referral(deal).ok(), self.opportunity(deal).ok());
        let act = setup::flow_act(step, referral, opportunity).ok_or_else(|| Refused {
            status: 0,
            body: format!("{deal} has no record at this time"),
        })?;
        let now = self.connectors_now();
        let connector = self.connector.as_mut().ok_or_else(|| Refused {
            status: 0,
            body: "the connector is not running".to_owned(),
        })?;
        connector.handle_event(Event::Flow(act), now);
        Ok(())
    }

    /// What a scenario has turned off is on when both sides are judged.
    pub(super) fn turn_all_flows_on(&mut self) {
        let turned = self.plan.steps.iter().any(|step| matches!(step.act, Act::Flows(_)));
        let now = self.connectors_now();
        if let Some(connector) = self.connector.as_mut().filter(|_| turned) {
            for act in setup::all_flows_on(self.plan.crm) {
                connector.handle_event(Event::Flow(act), now);
            }
        }
    }
}
