//! What one change costs among many linked deals, and a day of changes on both sides: the growth with the number of deals is what
//! is looked at. The systems outside are a few lines of JSON, so that nothing but the core is measured.
//!
//! `COSELL_DEALS=100000 cargo bench -p cosell-connector` runs the full size; without it the sizes are small.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use cosell_connector::id::HookId;
use cosell_connector::settings::{CrmSettings, DataverseSettings, PartnerCenterSettings, Secret, Settings};
use cosell_connector::{Command, Connector, Event, Memory, Signature};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

/// How many deals there are in each round.
fn sizes() -> Vec<usize> {
    let full = std::env::var("COSELL_DEALS").ok().and_then(|deals| deals.parse().ok());
    full.map_or_else(
        || vec![100, 1_000, 10_000],
        |full: usize| vec![full / 100, full / 10, full],
    )
}

fn guid(kind: u32, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

fn number(guid: &str) -> usize {
    usize::from_str_radix(&guid[24..36], 16).unwrap()
}

/// Both systems: what differs from the start, by the number of the deal.
#[derive(Default)]
struct Outside {
    /// Values in Partner Center, and how often the referral was changed.
    pc: BTreeMap<usize, (u64, u64)>,
    /// The same for the CRM, with the Audit trail.
    crm: BTreeMap<usize, (u64, u64, String)>,
    /// The deals whose opportunity was changed since the last poll.
    changed: Vec<usize>,
    memory_writes: usize,
}

impl Outside {
    fn referral(&self, deal: usize) -> Value {
        let (value, version) = self.pc.get(&deal).copied().unwrap_or((1_000, 0));
        json!({
            "id": guid(1, deal), "engagementId": guid(2, deal), "name": format!("Deal {deal}"), "status": "Active",
            "substatus": "Accepted", "type": "Independent", "qualification": "SalesQualified",
            "externalReferenceId": guid(3, deal), "updatedDateTime": "2026-01-05T09:00:00Z",
            "eTag": format!("\"{version}\""),
            "details": {"dealValue": value, "currency": "USD", "closingDateTime": "2026-06-30T00:00:00Z",
                "requirements": {"solutions": [{"id": "SOL-1"}]}},
        })
    }

    fn opportunity(&self, deal: usize) -> Value {
        let (value, version, audit) = self.crm.get(&deal).cloned().unwrap_or((1_000, 0, String::new()));
        json!({
            "@odata.etag": format!("W/\"{version}\""), "opportunityid": guid(3, deal), "name": format!("Deal {deal} ✔"),
            "statecode": 0, "statuscode": 1, "estimatedclosedate": "2026-06-30", "estimatedvalue": value,
            "_transactioncurrencyid_value": guid(9, 0), "modifiedon": "2026-01-05T09:00:00Z",
            "msft_microsoftpartnercenterreferralsync": true,
            "msft_microsoftpartnercenterreferralidentifier": guid(1, deal),
            "msft_microsoftpartnercenterreferrallink": "x", "msft_microsoftpartnercenterreferralsyncaudit": audit,
        })
    }

    fn reply(&mut self, request: &http::Request<Bytes>) -> Value {
        let uri = request.uri().to_string();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let inner = |open: char, close: char| uri.split(open).nth(1)?.split(close).next().map(str::to_owned);
        if uri.contains("/token") {
            return json!({"access_token": "t", "expires_in": 86_400});
        }
        if uri.contains("transactioncurrencies") {
            return json!({"value": [{"isocurrencycode": "USD", "transactioncurrencyid": guid(9, 0)}]});
        }
        if let Some(deal) = inner('(', ')')
            .filter(|_| uri.contains("/opportunities("))
            .map(|id| number(&id))
        {
            if request.method() == http::Method::PATCH {
                let row = self.crm.entry(deal).or_insert((1_000, 0, String::new()));
                row.0 = body["estimatedvalue"].as_u64().unwrap_or(row.0);
                row.1 += 1;
                row.2 = body["msft_microsoftpartnercenterreferralsyncaudit"]
                    .as_str()
                    .map_or(row.2.clone(), str::to_owned);
            }
            return self.opportunity(deal);
        }
        if let Some(id) = uri.split("/referrals/").nth(1) {
            let deal = number(id);
            if request.method() == http::Method::PATCH {
                let row = self.pc.entry(deal).or_insert((1_000, 0));
                let operations = body.as_array().into_iter().flatten();
                let mut value = operations.filter(|operation| operation["path"] == "/details/dealValue");
                row.0 = value
                    .next_back()
                    .and_then(|operation| operation["value"].as_u64())
                    .unwrap_or(row.0);
                row.1 += 1;
            }
            return self.referral(deal);
        }
        if uri.contains("/opportunities?") {
            let changed = std::mem::take(&mut self.changed);
            return json!({"value": changed.into_iter().map(|deal| self.opportunity(deal)).collect::<Vec<_>>()});
        }
        if uri.contains("solutions") {
            return json!({"value": [{"msft_solutionidentifier": "SOL-1", "msft_name": "One"}]});
        }
        json!({"value": []})
    }

    /// Carries commands out until the core waits.
    fn carry_out(&mut self, core: &mut Connector, now: Timestamp) {
        let mut replies = VecDeque::new();
        loop {
            while let Some(command) = core.poll_command() {
                match command {
                    Command::Call { call, request, .. } => replies.push_back((call, self.reply(&request))),
                    Command::Persist { .. } => self.memory_writes += 1,
                    Command::Answer { .. } | Command::Record(_) => {}
                }
            }
            let Some((call, body)) = replies.pop_front() else {
                return;
            };
            let response = http::Response::new(Bytes::from(body.to_string()));
            core.handle_event(Event::Reply { call, response }, now);
        }
    }
}

/// The memory of a connector that has linked so many deals.
fn memory(deals: usize) -> Memory {
    let mut memory = Memory::default();
    for deal in 0..deals {
        let record = json!({
            "referral": guid(1, deal), "engagement": guid(2, deal), "opportunity": guid(3, deal),
            "base": {"values": {"name": format!("Deal {deal}"), "value": "1000", "currency": "USD",
                "closing-date": "2026-06-30", "notes": null}, "status": "active"},
            "solutions": ["SOL-1"], "outcome": "succeeded", "seen_referral": "\"0\"",
        });
        memory.apply(format!("deal/{:>012}", deal + 1), Some(record.to_string()));
    }
    memory
}

fn start(deals: usize) -> (Connector, Outside, Timestamp) {
    let partner_center = PartnerCenterSettings::new("t", "c", Secret::new("s"), Secret::new("r"));
    let crm = DataverseSettings::new("https://contoso.crm.dynamics.com", "t", "c", Secret::new("s"));
    let settings = Settings::new(partner_center, CrmSettings::Dataverse(crm));
    let now: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    let mut core = Connector::new(settings, &memory(deals), 1, now).unwrap();
    let mut outside = Outside::default();
    outside.carry_out(&mut core, now);
    (core, outside, now)
}

fn partner_center_changes(core: &mut Connector, outside: &mut Outside, deal: usize, turn: u64, now: Timestamp) {
    let row = outside.pc.entry(deal).or_insert((1_000, 0));
    *row = (2_000 + turn, row.1 + 1);
    let uri = format!(
        "https://api.partnercenter.microsoft.com/engagements/v1/referrals/{}",
        guid(1, deal)
    );
    let body = json!({"EventName": "referral-updated", "ResourceUri": uri});
    let hook = Event::Hook {
        hook: HookId(turn),
        body: Bytes::from(body.to_string()),
        signature: Signature::Verified,
    };
    core.handle_event(hook, now);
    outside.carry_out(core, now);
    assert_eq!(outside.crm[&deal].0, 2_000 + turn, "the change has arrived in the CRM");
}

/// One change in Partner Center, from the webhook to the acknowledged write in the CRM.
#[divan::bench(args = sizes())]
fn one_change(bencher: divan::Bencher<'_, '_>, deals: usize) {
    let (mut core, mut outside, now) = start(deals);
    let mut turn = 0_u64;
    bencher.bench_local(|| {
        turn += 1;
        let deal = usize::try_from(turn).unwrap().wrapping_mul(7_919) % deals;
        partner_center_changes(&mut core, &mut outside, deal, turn, now);
    });
}

/// A day: 5,000 changes on each side (50 of each in a small round), and every poll and reconciliation in between.
#[divan::bench(args = sizes(), sample_count = 1, sample_size = 1)]
fn a_day(bencher: divan::Bencher<'_, '_>, deals: usize) {
    let changes: u64 = if std::env::var_os("COSELL_DEALS").is_some() {
        5_000
    } else {
        50
    };
    bencher
        .with_inputs(|| start(deals))
        .bench_local_values(|(mut core, mut outside, start)| {
            let step = SignedDuration::from_millis(i64::try_from(86_400_000 / changes).unwrap());
            let mut now = start;
            for turn in 1..=changes {
                let until = now.checked_add(step).unwrap();
                while let Some((at, _)) = core.poll_timeout().filter(|(at, _)| *at <= until) {
                    core.handle_timeout(at);
                    outside.carry_out(&mut core, at);
                }
                now = until;
                let deal = usize::try_from(turn).unwrap().wrapping_mul(7_919) % deals;
                partner_center_changes(&mut core, &mut outside, deal, turn, now);
                let other = usize::try_from(turn).unwrap().wrapping_mul(104_729) % deals;
                let row = outside.crm.entry(other).or_insert((1_000, 0, String::new()));
                *row = (50_000 + turn, row.1 + 1, std::mem::take(&mut row.2));
                outside.changed.push(other);
            }
            outside.memory_writes
        });
}

/// The start with so many deals in memory.
#[divan::bench(args = sizes(), sample_count = 3, sample_size = 1)]
fn starting(bencher: divan::Bencher<'_, '_>, deals: usize) {
    bencher.bench_local(|| start(deals).2);
}
