//! Steps in which something goes wrong with the connector itself: its clock, tokens, connections, rights, and what happens
//! in the middle of a call.

#![expect(clippy::wildcard_enum_match_arm, reason = "each of them knows few of the many acts")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cosell_sim::happening::Hook;
use cosell_sim::identity::User;
use cosell_sim::site::Site;
use cosell_sim::world::observation::{Observed, SignatureState};
use jiff::SignedDuration;
use serde_json::json;

use super::Run;
use super::people::Scene as _;
use crate::board::CONNECTOR;
use crate::calls;
use crate::scenario::act::{Act, Break, Happens, Moment, OnCall, Signed, System, UserRole};
use crate::setup;
use crate::trace::What;

/// What is broken, so that it can be repaired.
#[derive(Default)]
pub(super) struct Broken {
    /// How far the connector's clock is ahead; negative when it is behind.
    pub(super) skew: SignedDuration,
    connections: Vec<(System, Arc<AtomicBool>)>,
    /// Users as they were before a scenario changed them.
    users: Vec<User>,
    armed: Vec<Armed>,
    /// How many commands the connector still carries out before its process ends.
    pub(super) crash_in: Option<u64>,
    /// What is to happen now: step, call, acts.
    pub(super) due: Vec<(usize, u64, Vec<Happens>)>,
}

/// A step that waits for a call.
struct Armed {
    step: usize,
    on: OnCall,
    skip: u32,
    left: u32,
    /// Calls that were met, and whose answer it waits for.
    met: BTreeSet<u64>,
}

/// A referral that no tenant has.
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

impl Run<'_> {
    /// Does a step of this kind; false when it is of another.
    pub(super) fn breaks(&mut self, number: usize, deal: &str, act: &Act) -> bool {
        match act {
            Act::CrashConnector(after) => self.broken.crash_in = Some(u64::from(*after)),
            Act::SkewClock { by, ahead } => self.broken.skew = if *ahead { *by } else { -*by },
            Act::ExpireTokens(system) => self.expire_tokens(*system),
            Act::BreakConnection { system, how } => self.break_connection(*system, *how),
            Act::RepairConnection(system) => self.repair(Some(*system)),
            Act::GiveRoles { user, roles } => self.give_roles(user, roles),
            Act::DeliverWebhook { signed, garbled } => self.deliver_webhook(deal, *signed, *garbled),
            Act::OnCall(on) => self.broken.armed.push(Armed {
                step: number,
                skip: on.after,
                left: on.times,
                on: on.clone(),
                met: BTreeSet::new(),
            }),
            _ => return false,
        }
        true
    }

    /// Somebody delivers a webhook to the connector's URL. Its body is what Partner Center would send
    /// (partner-center.md section 6.2), or no event at all.
    fn deliver_webhook(&mut self, deal: &str, signed: Signed, garbled: bool) {
        let signature = match signed {
            Signed::Valid => SignatureState::Valid,
            Signed::Forged => SignatureState::Forged,
            Signed::Missing => SignatureState::Absent,
        };
        // A deal that is not in Partner Center: somebody names a referral that nobody has.
        let referral = self.referral(deal).unwrap_or_else(|_| NOBODYS.to_owned());
        let base = self.world.ground().bases.partner_center_events();
        let body = if garbled {
            "{\"EventName\": \"referral-upd".to_owned()
        } else {
            let uri = format!("{base}/engagements/v1/referrals/{referral}");
            json!({"EventName": "referral-updated", "ResourceUri": uri, "ResourceName": "referral"}).to_string()
        };
        let hook = Hook {
            event: "referral-updated".to_owned(),
            url: setup::HOOK_URL.to_owned(),
            body,
            signature_in_ms_header: false,
            at: self.world.now(),
            number: None,
            manner: None,
        };
        self.world.stray_delivery(hook, signature);
    }

    fn expire_tokens(&mut self, system: System) {
        let ground = self.world.ground();
        for audience in setup::audiences(system, self.plan.crm, &ground.bases) {
            ground.authority.revoke(CONNECTOR, &audience);
        }
    }

    pub(super) fn break_connection(&mut self, system: System, how: Break) {
        self.expire_tokens(system);
        let repaired = Arc::new(AtomicBool::new(false));
        let rule = setup::BrokenConnection {
            system,
            how,
            repaired: Arc::clone(&repaired),
        };
        self.world.add_rule(Box::new(rule));
        self.broken.connections.push((system, repaired));
    }

    fn repair(&mut self, only: Option<System>) {
        for (system, repaired) in &self.broken.connections {
            if only.is_none_or(|only| only == *system) {
                repaired.store(true, Ordering::SeqCst);
            }
        }
    }

    pub(super) fn give_roles(&mut self, user: &str, roles: &[UserRole]) {
        let authority = &self.world.ground().authority;
        if let Some(usual) = authority.user(user)
            && !self.broken.users.iter().any(|known| known.name == user)
        {
            self.broken.users.push(usual);
        }
        let roles: Vec<_> = roles.iter().map(|role| setup::role(*role)).collect();
        authority.put_user(user, &roles);
    }

    /// Puts everything right that a step broke.
    pub(super) fn repair_everything(&mut self) {
        self.broken.skew = SignedDuration::ZERO;
        self.broken.armed.clear();
        self.broken.crash_in = None;
        self.repair(None);
        for usual in std::mem::take(&mut self.broken.users) {
            self.world.ground().authority.set_user(usual);
        }
    }

    /// Notes what a call that is observed sets off.
    pub(super) fn sets_off(&mut self, observed: &Observed) {
        match observed {
            Observed::Sent {
                exchange,
                site,
                request,
                ..
            } => {
                if self.broken.armed.is_empty() {
                    return;
                }
                let (path, body) = (calls::path_of(&request.url), request.body.text());
                self.sent(*exchange, (*site, &request.method, path, body.as_bytes()));
            }
            Observed::Handled { exchange, .. } => {
                for armed in &mut self.broken.armed {
                    if armed.met.remove(exchange) {
                        self.broken.due.push((armed.step, *exchange, armed.on.then.clone()));
                    }
                }
            }
            _ => {}
        }
    }

    fn sent(&mut self, exchange: u64, call: (Site, &str, &str, &[u8])) {
        let crm = self.plan.crm;
        for armed in &mut self.broken.armed {
            if armed.left == 0 || !calls::is(armed.on.call, crm, call) {
                continue;
            }
            if armed.skip > 0 {
                armed.skip -= 1;
                continue;
            }
            armed.left -= 1;
            match armed.on.moment {
                Moment::Sent => self.broken.due.push((armed.step, exchange, armed.on.then.clone())),
                Moment::Done => drop(armed.met.insert(exchange)),
            }
        }
    }

    /// Does what calls have set off; true when there was something.
    pub(super) fn happens(&mut self) -> bool {
        let due = std::mem::take(&mut self.broken.due);
        let any = !due.is_empty();
        for (step, exchange, then) in due {
            self.record(What::AtCall { step, exchange });
            for happens in then {
                self.happens_now(step, &happens);
            }
        }
        any
    }

    fn happens_now(&mut self, step: usize, happens: &Happens) {
        if happens.act == Act::RestartConnector {
            // Started again as soon as the loop comes round.
            self.stop_connector();
            self.crash_due = true;
            return;
        }
        let deal = happens.deal.as_deref();
        if let Err(error) = self.somebody_acts(step, deal, &happens.act) {
            self.broke = Some(error);
        }
    }
}
