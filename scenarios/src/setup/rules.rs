//! The faults of a plan as rules of the network.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cosell_sim::fault::{Exchange, ExchangeKind, Fate, Outage, Reordered, Rule, Target, Targeted};
use cosell_sim::site::Site;
use jiff::{SignedDuration, Timestamp};

use crate::calls;
use crate::record::{Columns, Field};
use crate::scenario::Crm;
use crate::scenario::act::{Break, Call, CallFate, Fault, HookFate, System};

/// How long the earlier of two reordered webhooks is held back: longer than the pause between two changes that a
/// scenario makes in one go, shorter than a poll.
const REORDER_HOLD: Duration = Duration::from_secs(20);

/// How long after the first the second copy of something duplicated arrives.
const DUPLICATE_AFTER: Duration = Duration::from_secs(2);

/// The rules of a fault, from this moment on.
pub fn rules(fault: &Fault, crm: Crm, columns: &Columns, now: Timestamp) -> Vec<Box<dyn Rule + Send>> {
    match fault {
        Fault::Disconnect { system, lasts } => vec![Box::new(outage(*system, crm, now, *lasts))],
        Fault::Calls {
            call,
            after,
            times,
            fate,
        } => {
            let fate = call_fate(fate, crm, columns);
            let name = format!("{} of {}", fate.words(), calls::name(*call));
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

fn call_fate(fate: &CallFate, crm: Crm, columns: &Columns) -> Fate {
    match fate {
        CallFate::LoseRequest => Fate::LoseRequest,
        CallFate::LoseReply => Fate::LoseReply,
        CallFate::Delay(by) => Fate::Delay(by.unsigned_abs()),
        CallFate::Duplicate => Fate::Duplicate(DUPLICATE_AFTER),
        CallFate::CutReply => Fate::CutReply,
        CallFate::GarbleRow => Fate::GarbleRow,
        CallFate::IgnoreField(field) => Fate::Without(wire_names(field, crm, columns)),
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
        if self.times == 0 || exchange.kind != ExchangeKind::Call || !calls::is(self.call, self.crm, wire(exchange)) {
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

/// What a rule sees of a call, for [`calls::is`].
fn wire<'a>(exchange: &'a Exchange<'_>) -> (Site, &'a str, &'a str, &'a [u8]) {
    (exchange.site, exchange.method.as_str(), exchange.path(), exchange.body)
}

/// What both sides call a field on the wire.
fn wire_names(field: &str, crm: Crm, columns: &Columns) -> Vec<String> {
    let Some(field) = Field::ALL.into_iter().find(|known| known.name() == field) else {
        return Vec::new();
    };
    vec![field.pointer().to_owned(), columns.of_field(field, crm).to_owned()]
}

/// The connector's sign-in to a system is refused, until somebody repairs the connection (product.md M3).
#[derive(Debug)]
pub struct BrokenConnection {
    /// Which system.
    pub system: System,
    /// Why.
    pub how: Break,
    /// Set when it is repaired.
    pub repaired: Arc<AtomicBool>,
}

impl Rule for BrokenConnection {
    fn name(&self) -> &str {
        match self.system {
            System::Crm => "the connection to the CRM is broken",
            System::PartnerCenter | System::Webhooks | System::SignIn => "the connection to Partner Center is broken",
        }
    }

    fn decide(&mut self, exchange: &Exchange<'_>) -> Fate {
        if self.repaired.load(Ordering::SeqCst) || !exchange.path().contains("/oauth2/") {
            return Fate::Pass;
        }
        // Both audiences of Partner Center begin so, encoded or not.
        let for_partner_center = String::from_utf8_lossy(exchange.body).contains("api.partner");
        if for_partner_center != (self.system == System::PartnerCenter) {
            return Fate::Pass;
        }
        Fate::Answer(refusal(exchange.site, self.how))
    }
}

/// What a token endpoint says. Assumed: which AADSTS code stands for which reason.
fn refusal(site: Site, how: Break) -> http::Response<Bytes> {
    let (code, description) = match (site, how) {
        (Site::Salesforce, Break::PasswordExpired) => (0, "expired access/refresh token"),
        (Site::Salesforce, Break::Revoked | Break::Missing) => (0, "authentication failure"),
        (_, Break::PasswordExpired) => (50_055, "The password is expired."),
        (_, Break::Revoked) => (50_173, "The provided grant has expired due to it being revoked."),
        (_, Break::Missing) => (
            65_001,
            "The user or administrator has not consented to use the application.",
        ),
    };
    let description = match code {
        0 => description.to_owned(),
        code => format!("AADSTS{code}: {description}"),
    };
    let body = serde_json::json!({"error": "invalid_grant", "error_description": description, "error_codes": [code]});
    let mut answer = http::Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = http::StatusCode::BAD_REQUEST;
    answer.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    answer
}
