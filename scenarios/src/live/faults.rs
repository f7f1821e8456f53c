//! What goes wrong on purpose, as far as a socket can carry it.
//!
//! Times that a scenario spells are shortened: an outage of two days lasts as long as it takes to be noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use super::Live;
use crate::board::CONNECTOR;
use crate::record::Columns;
use crate::scenario::act::{Break, CallFate, Fault, HookFate, System, UserRole};
use crate::setup;

/// A connection that was broken, and what repairs it.
pub(super) type Broken = (System, Arc<AtomicBool>);

impl Live<'_> {
    /// A stretch of the scenario's time, no longer than a few times the quiet.
    fn shortened(&self, lasts: SignedDuration) -> SignedDuration {
        let longest = self.options.quiet_for.saturating_mul(2);
        // Headers count whole seconds.
        lasts.min(longest).max(SignedDuration::from_secs(1).min(lasts))
    }

    pub(super) fn fault(&mut self, fault: &Fault) {
        let fault = match fault.clone() {
            Fault::Disconnect { system, lasts } => {
                let lasts = self.shortened(lasts);
                self.paused = self.paused.max(self.later(lasts));
                Fault::Disconnect { system, lasts }
            }
            Fault::Calls {
                call,
                after,
                times,
                fate,
            } => Fault::Calls {
                call,
                after,
                times,
                fate: self.shortened_fate(fate),
            },
            Fault::Hooks {
                times,
                fate: HookFate::Delay(by),
            } => Fault::Hooks {
                times,
                fate: HookFate::Delay(self.shortened(by)),
            },
            Fault::Hooks { times, fate } => Fault::Hooks { times, fate },
        };
        let columns = Columns::of(self.plan.crm, &self.plan.settings);
        for rule in setup::rules(&fault, self.plan.crm, &columns, self.now()) {
            self.served.add_rule(rule);
        }
    }

    fn shortened_fate(&self, fate: CallFate) -> CallFate {
        match fate {
            CallFate::Delay(by) => CallFate::Delay(self.shortened(by)),
            CallFate::Answer { status, retry_after } => CallFate::Answer {
                status,
                retry_after: retry_after.map(|wait| self.shortened(wait)),
            },
            CallFate::LoseRequest
            | CallFate::LoseReply
            | CallFate::Duplicate
            | CallFate::IgnoreField(_)
            | CallFate::CutReply
            | CallFate::GarbleRow => fate,
        }
    }

    pub(super) fn expire_tokens(&self, system: System) {
        let ground = self.served.ground();
        for audience in setup::audiences(system, self.plan.crm, &ground.bases) {
            ground.authority.revoke(CONNECTOR, &audience);
        }
    }

    pub(super) fn break_connection(&mut self, system: System, how: Break) {
        self.expire_tokens(system);
        let repaired = Arc::new(AtomicBool::new(false));
        self.served.add_rule(Box::new(setup::BrokenConnection {
            system,
            how,
            repaired: Arc::clone(&repaired),
        }));
        self.connections.push((system, repaired));
    }

    pub(super) fn repair(&self, only: Option<System>) {
        for (system, repaired) in &self.connections {
            if only.is_none_or(|only| only == *system) {
                repaired.store(true, Ordering::SeqCst);
            }
        }
    }

    pub(super) fn give_roles(&mut self, user: &str, roles: &[UserRole]) {
        let authority = &self.served.ground().authority;
        if let Some(usual) = authority.user(user)
            && !self.users.iter().any(|known| known.name == user)
        {
            self.users.push(usual);
        }
        let roles: Vec<_> = roles.iter().map(|role| setup::role(*role)).collect();
        authority.put_user(user, &roles);
    }

    /// Puts everything right that a step broke.
    pub(super) fn repair_everything(&mut self) {
        self.repair(None);
        self.served.heal();
        for usual in std::mem::take(&mut self.users) {
            self.served.ground().authority.set_user(usual);
        }
        self.paused = self.now();
    }
}
