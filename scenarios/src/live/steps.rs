//! The steps of a scenario, done by the same hands as in a simulated run.

#![expect(clippy::wildcard_enum_match_arm, reason = "what no machine does, a person does")]

use bytes::Bytes;
use cosell_sim::world::observation::Observed;
use serde_json::json;

use super::Live;
use crate::expectation::watching::remembered;
use crate::hands::Refused;
use crate::plan::PlannedStep;
use crate::scenario::act::{Act, Expectation, Watch};
use crate::simulate::RunError;
use crate::simulate::people::Scene as _;
use crate::trace::What;

impl Live<'_> {
    /// Waits for the connector's first call, and registers the webhook when the connector does not.
    pub(super) fn first_call(&mut self) {
        let until = self.later(self.options.patience);
        if !self.wait_until(until, |run| run.calls > 0) {
            if !self.over {
                self.over = true;
                let trouble = format!("no call of the connector was seen for {:#}", self.options.patience);
                self.note(What::Process { trouble });
            }
            return;
        }
        let wanted = self.options.webhook.clone();
        let Some(url) = wanted.filter(|_| self.plan.settings.further.webhooks != Some(false)) else {
            return;
        };
        let until = self.later(self.options.quiet_for);
        if !self.wait_until(until, |run| run.registered) && !self.over {
            self.register(&url);
        }
    }

    /// Registers a webhook in the connector's name (partner-center.md section 6.1).
    fn register(&mut self, url: &str) {
        let base = self.served.bases().partner_center_events();
        let events = [
            "referral-created",
            "referral-updated",
            "related-referral-created",
            "related-referral-updated",
        ];
        let body = json!({"WebhookUrl": url, "WebhookEvents": events});
        let request = http::Request::builder()
            .method(http::Method::POST)
            .uri(format!("{base}/webhooks/v1/registration"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()));
        let Ok(request) = request else { return };
        let answer = self.served.ask(crate::board::CONNECTOR, request);
        if answer.status().is_client_error() || answer.status().is_server_error() {
            let trouble = format!(
                "the webhook {url} could not be registered: {} {}",
                answer.status().as_u16(),
                String::from_utf8_lossy(answer.body())
            );
            self.note(What::Process { trouble });
        }
    }

    pub(super) fn step(&mut self, number: usize, step: &PlannedStep) -> Result<(), RunError> {
        self.calls_in_a_row = 0;
        let deal = step.deal.as_deref();
        match &step.act {
            Act::Nothing => {}
            Act::Expect(expected) => {
                if *expected == Expectation::Converged {
                    self.rest();
                }
                self.wait_for(deal, expected);
                self.begin(number, step);
            }
            Act::Watch(how, expected) => {
                self.begin(number, step);
                match how {
                    Watch::Within(_) | Watch::Eventually => self.wait_for(deal, expected),
                    Watch::Always(Some(_)) | Watch::Never(Some(_)) => drop(self.rest()),
                    Watch::Always(None) | Watch::Never(None) => {}
                }
            }
            Act::Remember { side, field, name } => {
                self.begin(number, step);
                let value = remembered(&self.board, deal.unwrap_or_default(), *side, field);
                self.past.remembered.extend(value.map(|value| (name.clone(), value)));
            }
            act => {
                self.await_record(deal.unwrap_or_default(), act);
                self.begin(number, step);
                self.somebody_acts(number, deal.unwrap_or_default(), act)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, number: usize, step: &PlannedStep) {
        if !self.over {
            self.note(What::Step {
                step: number,
                verb: step.verb.clone(),
                deal: step.deal.clone(),
                detail: step.detail.clone(),
            });
        }
    }

    /// A person who opens a record waits until it is there.
    fn await_record(&mut self, deal: &str, act: &Act) {
        let in_pc = matches!(
            act,
            Act::MicrosoftEdits(_)
                | Act::MicrosoftAccepts
                | Act::MicrosoftDeclines(_)
                | Act::MicrosoftSetsMsxId(_)
                | Act::MicrosoftAddsTeamMember(_)
                | Act::PartnerEdits(_)
                | Act::PartnerAccepts
                | Act::PartnerDeclines(_)
                | Act::PartnerCloses(..)
        );
        let in_crm = matches!(
            act,
            Act::SellerEdits(_)
                | Act::SellerAddsSolution(_)
                | Act::SellerRemovesSolution(_)
                | Act::SellerCloses(_)
                | Act::SellerReopens
                | Act::SellerDeletes
        );
        if in_pc || in_crm {
            let until = self.later(self.options.patience);
            self.wait_until(until, |run| {
                (!in_pc || run.referral(deal).is_ok()) && (!in_crm || run.opportunity(deal).is_ok())
            });
        }
    }

    fn somebody_acts(&mut self, step: usize, deal: &str, act: &Act) -> Result<(), RunError> {
        match act {
            _ if self.over => {}
            Act::Wait(_) => drop(self.rest()),
            Act::Settle => self.settle(),
            Act::Heal => self.heal()?,
            Act::Fault(fault) => self.fault(fault),
            Act::RestartConnector => {
                self.stop_connector();
                self.start_connector()?;
            }
            Act::StopConnector => self.stop_connector(),
            Act::StartConnector => self.start_connector()?,
            Act::ExpireTokens(system) => self.expire_tokens(*system),
            Act::BreakConnection { system, how } => self.break_connection(*system, *how),
            Act::RepairConnection(system) => self.repair(Some(*system)),
            Act::GiveRoles { user, roles } => self.give_roles(user, roles),
            act => {
                if let Err(Refused { status, body }) = self.person_acts(deal, act) {
                    self.note(What::ActRefused { step, status, body });
                }
            }
        }
        Ok(())
    }

    /// Takes every fault away.
    pub(super) fn heal(&mut self) -> Result<(), RunError> {
        self.drain();
        self.repair_everything();
        self.note(What::Observed(Observed::Healed));
        self.start_connector()
    }
}
