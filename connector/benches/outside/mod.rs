//! The systems outside, as a few lines of JSON, and a connector that has linked many deals.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use cosell_connector::settings::{CrmSettings, DataverseSettings, PartnerCenterSettings, Secret, Settings};
use cosell_connector::{Command, Connector, Event, Memory};
use jiff::Timestamp;
use serde_json::{Value, json};

const ORG: &str = "https://contoso.crm.dynamics.com";

/// How many deals there are in each round.
pub(crate) fn sizes() -> Vec<usize> {
    let full = std::env::var("COSELL_DEALS").ok().and_then(|deals| deals.parse().ok());
    full.map_or_else(
        || vec![100, 1_000, 10_000],
        |full: usize| vec![full / 100, full / 10, full],
    )
}

pub(crate) fn guid(kind: u32, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

fn number(guid: &str) -> usize {
    usize::from_str_radix(&guid[24..36], 16).unwrap()
}

/// Both systems: what differs from the start, by the number of the deal.
#[derive(Default)]
pub(crate) struct Outside {
    /// How many deals there are.
    deals: usize,
    /// Values in Partner Center, and how often the referral was changed.
    pub(crate) pc: BTreeMap<usize, (u64, u64)>,
    /// The same for the CRM, with the Audit trail.
    pub(crate) crm: BTreeMap<usize, (u64, u64, String)>,
    /// The deals whose opportunity was changed since the last poll.
    pub(crate) changed: Vec<usize>,
    pub(crate) memory_writes: usize,
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
        if uri.contains("deltatoken") {
            return json!({"value": [], "@odata.deltaLink": format!("{ORG}/api/data/v9.2/solutions?$deltatoken=1")});
        }
        if uri.contains("solutions") && !uri.contains("filter") {
            return self.solution_rows(&uri);
        }
        if uri.contains("solutions") {
            return json!({"value": [{"msft_solutionidentifier": "SOL-1", "msft_name": "One"}]});
        }
        json!({"value": []})
    }

    /// All solution rows, 5,000 on a page.
    fn solution_rows(&self, uri: &str) -> Value {
        let from: usize = uri
            .split("after=")
            .nth(1)
            .and_then(|after| after.parse().ok())
            .unwrap_or(0);
        let until = self.deals.min(from + 5_000);
        let row = |deal| {
            json!({"msft_partnercentersolutionid": guid(4, deal), "_msft_opportunity_value": guid(3, deal),
                "msft_solutionidentifier": "SOL-1"})
        };
        let mut page = json!({"value": (from..until).map(row).collect::<Vec<_>>()});
        let base = format!("{ORG}/api/data/v9.2/solutions");
        if until < self.deals {
            page["@odata.nextLink"] = json!(format!("{base}?after={until}"));
        } else {
            page["@odata.deltaLink"] = json!(format!("{base}?$deltatoken=0"));
        }
        page
    }

    /// Carries commands out until the core waits.
    pub(crate) fn carry_out(&mut self, core: &mut Connector, now: Timestamp) {
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
pub(crate) fn memory(deals: usize) -> Memory {
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

pub(crate) fn start(deals: usize) -> (Connector, Outside, Timestamp) {
    start_with(&memory(deals))
}

/// The start with what was persisted.
pub(crate) fn start_with(memory: &Memory) -> (Connector, Outside, Timestamp) {
    let partner_center = PartnerCenterSettings::new("t", "c", Secret::new("s"), Secret::new("r"));
    let crm = DataverseSettings::new(ORG, "t", "c", Secret::new("s"));
    let settings = Settings::new(partner_center, CrmSettings::Dataverse(crm));
    let now: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    let mut core = Connector::new(settings, memory, 1, now).unwrap();
    let mut outside = Outside {
        deals: memory.entries().count(),
        ..Outside::default()
    };
    outside.carry_out(&mut core, now);
    (core, outside, now)
}
