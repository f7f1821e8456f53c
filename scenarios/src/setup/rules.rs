//! The faults of a plan as rules of the network.

#![expect(clippy::wildcard_enum_match_arm, reason = "each kind of call is told by few others")]

use std::time::Duration;

use bytes::Bytes;
use cosell_sim::fault::{Exchange, ExchangeKind, Fate, Outage, Reordered, Rule, Target, Targeted};
use cosell_sim::site::Site;
use http::Method;
use jiff::{SignedDuration, Timestamp};

use crate::scenario::Crm;
use crate::scenario::act::{Call, CallFate, Fault, HookFate, System};

/// How long the earlier of two reordered webhooks is held back: longer than the pause between two changes that a
/// scenario makes in one go, shorter than a poll.
const REORDER_HOLD: Duration = Duration::from_secs(20);

/// How long after the first the second copy of something duplicated arrives.
const DUPLICATE_AFTER: Duration = Duration::from_secs(2);

/// The rules of a fault, from this moment on.
pub fn rules(fault: &Fault, crm: Crm, now: Timestamp) -> Vec<Box<dyn Rule + Send>> {
    match fault {
        Fault::Disconnect { system, lasts } => vec![Box::new(outage(*system, crm, now, *lasts))],
        Fault::Calls {
            call,
            after,
            times,
            fate,
        } => {
            let fate = call_fate(fate);
            let name = format!("{} of {}", fate.words(), name(*call));
            vec![Box::new(Calls {
                name,
                call: *call,
                crm,
                skip: *after,
                times: *times,
                fate,
            })]
        }
        Fault::Hooks { times, fate } => vec![hooks(*times, *fate)],
    }
}

fn outage(system: System, crm: Crm, from: Timestamp, lasts: SignedDuration) -> Outage {
    let until = from.checked_add(lasts).unwrap_or(Timestamp::MAX);
    let (name, site, hooks) = match system {
        System::PartnerCenter => ("Partner Center is disconnected", Some(Site::PartnerCenter), true),
        System::Crm => ("the CRM is disconnected", Some(crm.site()), false),
        System::Webhooks => ("webhooks do not arrive", None, true),
        System::SignIn => ("sign-in is disconnected", Some(Site::Entra), false),
    };
    Outage {
        name: name.to_owned(),
        site,
        from,
        until,
        hooks,
    }
}

fn call_fate(fate: &CallFate) -> Fate {
    match fate {
        CallFate::LoseRequest => Fate::LoseRequest,
        CallFate::LoseReply => Fate::LoseReply,
        CallFate::Delay(by) => Fate::Delay(by.unsigned_abs()),
        CallFate::Duplicate => Fate::Duplicate(DUPLICATE_AFTER),
        CallFate::Answer { status, retry_after } => {
            let mut answer = http::Response::new(Bytes::new());
            *answer.status_mut() = http::StatusCode::from_u16(*status).unwrap_or(http::StatusCode::SERVICE_UNAVAILABLE);
            if let Some(seconds) = retry_after {
                answer
                    .headers_mut()
                    .insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds.as_secs()));
            }
            Fate::Answer(answer)
        }
    }
}

fn hooks(times: u32, fate: HookFate) -> Box<dyn Rule + Send> {
    let target = Target {
        kind: Some(ExchangeKind::Delivery),
        ..Target::default()
    };
    let fate = match fate {
        HookFate::Reorder => {
            let name = "reorder webhooks".to_owned();
            return Box::new(Reordered {
                name,
                target,
                pairs: times,
                hold: REORDER_HOLD,
                halfway: false,
            });
        }
        HookFate::Lose => Fate::LoseRequest,
        HookFate::Duplicate => Fate::Duplicate(DUPLICATE_AFTER),
        HookFate::Delay(by) => Fate::Delay(by.unsigned_abs()),
    };
    let name = format!("{} of webhooks", fate.words());
    Box::new(Targeted {
        name,
        target,
        skip: 0,
        times,
        fate,
    })
}

/// The words for a kind of call, as scenario files write them.
fn name(call: Call) -> &'static str {
    match call {
        Call::CreateReferral => "create referral",
        Call::UpdateReferral => "update referral",
        Call::ReadReferral => "read referral",
        Call::ListReferrals => "list referrals",
        Call::CreateOpportunity => "create opportunity",
        Call::UpdateOpportunity => "update opportunity",
        Call::ReadOpportunity => "read opportunity",
        Call::ListOpportunities => "list opportunities",
        Call::CreateAccount => "create account",
        Call::CreateContact => "create contact",
        Call::CloseOpportunity => "close opportunity",
        Call::SignIn => "sign in",
        Call::RegisterWebhook => "register webhook",
        Call::Any => "any",
    }
}

/// Gives one fate to some calls of one kind.
#[derive(Debug)]
struct Calls {
    name: String,
    call: Call,
    crm: Crm,
    skip: u32,
    times: u32,
    fate: Fate,
}

impl Rule for Calls {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, exchange: &Exchange<'_>) -> Fate {
        if self.times == 0 || exchange.kind != ExchangeKind::Call || !matches(self.call, self.crm, exchange) {
            return Fate::Pass;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return Fate::Pass;
        }
        self.times -= 1;
        self.fate.clone()
    }
}

fn matches(call: Call, crm: Crm, exchange: &Exchange<'_>) -> bool {
    let path = exchange.path();
    let (method, site) = (exchange.method, exchange.site);
    let referrals = site == Site::PartnerCenter && path.contains("/engagements/");
    let one_referral = referrals && path.contains("/referrals/");
    let written = matches!(*method, Method::PATCH | Method::PUT);
    match call {
        Call::Any => true,
        Call::SignIn => path.contains("/oauth2/"),
        Call::RegisterWebhook => site == Site::PartnerCenter && path.contains("/webhooks/"),
        Call::CreateReferral => referrals && method == Method::POST,
        Call::UpdateReferral => one_referral && written,
        Call::ReadReferral => one_referral && method == Method::GET,
        Call::ListReferrals => referrals && !one_referral && method == Method::GET,
        other => site == crm.site() && in_crm(other, crm, method, path, exchange.body),
    }
}

fn in_crm(call: Call, crm: Crm, method: &Method, path: &str, body: &[u8]) -> bool {
    let (list, one) = match crm {
        Crm::Salesforce => ("/sobjects/Opportunity", "/sobjects/Opportunity/"),
        Crm::Dynamics => ("/opportunities", "/opportunities("),
    };
    let created = |salesforce: &str, dynamics: &str| {
        let end = if crm == Crm::Salesforce { salesforce } else { dynamics };
        method == Method::POST
            && path
                .trim_end_matches('/')
                .split('?')
                .next()
                .is_some_and(|path| path.ends_with(end))
    };
    match call {
        Call::CreateOpportunity => created(list, list),
        Call::CreateAccount => created("/sobjects/Account", "/accounts"),
        Call::CreateContact => created("/sobjects/Contact", "/contacts"),
        Call::UpdateOpportunity => method == Method::PATCH && path.contains(one),
        Call::ReadOpportunity => method == Method::GET && path.contains(one),
        Call::ListOpportunities if crm == Crm::Dynamics => {
            method == Method::GET && path.contains(list) && !path.contains(one)
        }
        Call::ListOpportunities => {
            let path = path.replace("%20", "+");
            method == Method::GET && path.contains("FROM+Opportunity+WHERE")
        }
        Call::CloseOpportunity if crm == Crm::Dynamics => {
            method == Method::POST && (path.ends_with("/WinOpportunity") || path.ends_with("/LoseOpportunity"))
        }
        // Salesforce has no action of its own: a deal is closed by its stage.
        Call::CloseOpportunity => {
            method == Method::PATCH && path.contains(one) && String::from_utf8_lossy(body).contains("\"Closed ")
        }
        _ => false,
    }
}
