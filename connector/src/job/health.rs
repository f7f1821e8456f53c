//! How it goes: what the jobs note about connections and readings, and the status that comes of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::desk::Desk;
use crate::record::Outcome;
use crate::status::{DeadLetter, LastError, Status};
use crate::system::identity::Audience;

/// How many dead letters are listed.
const MOST_LISTED: usize = 100;

/// What the jobs note.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Why a connection does not work; none when it does.
    connections: BTreeMap<Audience, Option<String>>,
    last_read: BTreeMap<&'static str, Timestamp>,
    last_error: Option<LastError>,
}

fn name(audience: Audience) -> &'static str {
    match audience {
        Audience::PartnerCenter => "partner center",
        Audience::PartnerCenterEvents => "partner center events",
        Audience::Crm => "crm",
    }
}

impl Desk {
    /// Notes that a connection works, or why it does not.
    pub(crate) fn connection(&self, audience: Audience, fault: Option<String>) {
        self.health().connections.insert(audience, fault);
    }

    /// Notes that a side was read to its end.
    pub(crate) fn was_read(&self, side: &'static str) {
        let now = self.now();
        self.health().last_read.insert(side, now);
    }

    /// Notes a decision that tells a failure.
    pub(crate) fn note_error(&self, code: &str, detail: &str) {
        let failure = [".failed", ".refused", ".denied", ".later"]
            .iter()
            .any(|end| code.ends_with(end));
        if failure {
            let at = self.now();
            self.health().last_error = Some(LastError {
                at,
                code: code.to_owned(),
                detail: detail.to_owned(),
            });
        }
    }

    /// How it goes.
    pub(crate) fn status(&self) -> Status {
        let now = self.now();
        let flows = self.flow_states();
        let (deals, backlog, dead_letters, dead_letter_list) = self.dead_letters();
        let health = self.health();
        let all = [Audience::PartnerCenter, Audience::PartnerCenterEvents, Audience::Crm];
        let mut complaints = Vec::new();
        let connections = all.map(|audience| {
            let text = match health.connections.get(&audience) {
                None => "untried".to_owned(),
                Some(None) => "healthy".to_owned(),
                Some(Some(fault)) => {
                    complaints.push(format!("{}: {fault}", name(audience)));
                    fault.clone()
                }
            };
            (name(audience), text)
        });
        for flow in flows.iter().filter(|flow| !flow.on || flow.trigger_lost) {
            let what = if flow.on { "has lost its trigger" } else { "is off" };
            complaints.push(format!("the flow `{}` {what}", flow.name));
        }
        let lag: BTreeMap<&'static str, i64> = health
            .last_read
            .iter()
            .map(|(side, at)| (*side, now.duration_since(*at).as_secs()))
            .collect();
        let patience = self
            .settings()
            .reconcile_interval
            .max(self.settings().poll_interval)
            .as_secs()
            * 2;
        for (side, seconds) in lag.iter().filter(|(_, seconds)| **seconds > patience) {
            complaints.push(format!("{side} was last read {seconds} s ago"));
        }
        Status {
            at: now,
            healthy: complaints.is_empty(),
            complaints,
            connections: connections.into_iter().collect(),
            flows,
            deals,
            backlog,
            last_read: health.last_read.clone(),
            lag_seconds: lag,
            dead_letters,
            dead_letter_list,
            last_error: health.last_error.clone(),
        }
    }

    fn dead_letters(&self) -> (usize, usize, usize, Vec<DeadLetter>) {
        let board = self.board();
        let mut count = 0;
        let mut listed = Vec::new();
        for record in board.records() {
            let reason = match &record.outcome {
                Outcome::Failed(why) | Outcome::Incomplete(why) => why,
                Outcome::None | Outcome::Succeeded => continue,
            };
            count += 1;
            if listed.len() < MOST_LISTED {
                listed.push(DeadLetter {
                    referral: record.referral.clone(),
                    opportunity: record.opportunity.clone(),
                    reason: reason.clone(),
                });
            }
        }
        (board.len(), board.backlog(), count, listed)
    }
}
