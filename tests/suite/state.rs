//! The state of the simulated systems, dumped and loaded: what comes back is what was there, whatever had happened.
//!
//! A world is made busy by random requests to all systems; refused ones count, too, as long as nothing panics.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bytes::Bytes;
use cosell_sim::clock::{Clock, default_start};
use cosell_sim::ground::Ground;
use cosell_sim::happening::Row;
use cosell_sim::partner_center::{Customer, CustomerContact, Lead, MicrosoftAct, SharedDeal, TeamMember};
use cosell_sim::seed::Seed;
use cosell_sim::site::Site;
use cosell_sim::systems::{SystemSettings, Systems, audience};
use cosell_sim::transport::in_process;
use http::{Method, Request};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Something that happens; `pick` chooses among the rows that are there.
#[derive(Clone, Debug)]
struct Deed {
    kind: u8,
    pick: usize,
    amount: u32,
    text: String,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let text = "[ -~äöü☃&;\n]{0,30}";
    let deed = (0..18_u8, any::<usize>(), 0..2_000_000_u32, text);
    let deed = deed.prop_map(|(kind, pick, amount, text)| Deed {
        kind,
        pick,
        amount,
        text,
    });
    prop::collection::vec(deed, 1..60)
}

struct Busy {
    ground: Ground,
    systems: Systems,
}

impl Busy {
    fn new() -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed(77));
        let systems = Systems::new(SystemSettings::default(), &ground);
        Self { ground, systems }
    }

    fn ask(&self, site: Site, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        let uri: http::Uri = path.parse().expect("a path");
        let audience = audience(site, &uri, &self.ground.bases).expect("it asks for tokens");
        let token = self
            .ground
            .authority
            .issue("connector", &audience, SignedDuration::from_hours(1), false, "t-");
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", "application/json")
            .header(
                "authorization",
                format!("Bearer {}", token.expect("the connector is known")),
            );
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let mut router = self.systems.routers().of(site).expect("every site exists").clone();
        let answer = in_process::call(&mut router, request.body(body).expect("a request"));
        let value = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), value)
    }

    /// One of the rows of a table, if there is any.
    fn one(&self, table: &str, pick: usize) -> Option<Row> {
        let rows: Vec<Row> = self
            .systems
            .rows()
            .into_iter()
            .filter(|row| row.table == table)
            .collect();
        let place = pick.checked_rem(rows.len())?;
        rows.into_iter().nth(place)
    }

    fn id(&self, table: &str, pick: usize) -> String {
        self.one(table, pick).map_or_else(|| "none".to_owned(), |row| row.id)
    }

    fn act(&self, act: MicrosoftAct) {
        // Some are against the rules, which is what a busy world is like.
        drop(self.systems.microsoft(act));
    }

    fn shared(&self, deed: &Deed) -> SharedDeal {
        SharedDeal {
            name: format!("Deal {}", deed.text.trim()),
            customer: Customer {
                name: "Fabrikam &amp; Söhne".to_owned(),
                country: Some("DE".to_owned()),
                contact: Some(CustomerContact {
                    first_name: "Ada".to_owned(),
                    last_name: "Byron".to_owned(),
                    phone: None,
                    email: "ada@fabrikam.example".to_owned(),
                }),
                ..Customer::default()
            },
            value: Some(f64::from(deed.amount) / 100.0),
            currency: "EUR".to_owned(),
            closing: self.ground.clock.now() + SignedDuration::from_hours(24 * 90),
            notes: Some(deed.text.clone()),
            solutions: vec![("SOL-1".to_owned(), "One".to_owned())],
            help: None,
        }
    }

    fn own_deal(deed: &Deed) -> Value {
        json!({
            "name": format!("Own {}", deed.text), "type": "Independent", "qualification": "SalesQualified",
            "customerProfile": {"name": "Fabrikam", "address": {"country": "US"}, "team": [
                {"firstName": "A", "lastName": "B", "email": "a@b.example", "phoneNumber": "1"}]},
            "consent": {"consentToToShareInfoWithOthers": true, "consentToContact": true,
                        "consentToShareReferralWithMicrosoftSellers": deed.pick.is_multiple_of(2)},
            "details": {"dealValue": deed.amount, "currency": "USD", "closingDateTime": "2026-06-30T00:00:00Z",
                        "notes": deed.text, "requirements": {"solutions": [{"id": "SOL-2", "name": "Two", "type": "Name"}]}},
        })
    }

    fn in_partner_center(&self, deed: &Deed) {
        const REFERRALS: &str = "/v1.0/engagements/referrals";
        let referral = self.id("referral", deed.pick);
        let patch = |operations: Value| {
            self.ask(
                Site::PartnerCenter,
                &Method::PATCH,
                &format!("{REFERRALS}/{referral}"),
                &operations,
            );
        };
        match deed.kind {
            0 => self.act(MicrosoftAct::Share(self.shared(deed))),
            1 => drop(self.ask(Site::PartnerCenter, &Method::POST, REFERRALS, &Self::own_deal(deed))),
            2 => patch(json!([{"op": "replace", "path": "/details/notes", "value": deed.text},
                              {"op": "replace", "path": "/details/dealValue", "value": deed.amount}])),
            3 => patch(json!([{"op": "replace", "path": "/status", "value": "Active"},
                              {"op": "replace", "path": "/substatus", "value": "Accepted"}])),
            4 => patch(json!([{"op": "replace", "path": "/status", "value": "Closed"},
                              {"op": "replace", "path": "/substatus", "value": "Won"}])),
            5 => self.act(MicrosoftAct::SetMsxId {
                engagement: referral,
                id: format!("7-{}", deed.amount),
            }),
            6 => self.act(MicrosoftAct::AddTeamMember {
                engagement: referral,
                member: TeamMember {
                    first_name: deed.text.clone(),
                    last_name: "X".to_owned(),
                    phone: None,
                    email: "x@microsoft.example".to_owned(),
                },
            }),
            7 => self.act(MicrosoftAct::ShareLead(self.shared(deed), Lead::Marketplace)),
            8 => {
                let body = json!({"WebhookUrl": format!("http://127.0.0.1:1/{}", deed.amount),
                                  "WebhookEvents": ["referral-created", "test-created"],
                                  "SignatureTokenToMsSignatureHeader": deed.pick.is_multiple_of(2)});
                let method = if deed.amount.is_multiple_of(2) {
                    Method::POST
                } else {
                    Method::PUT
                };
                self.ask(Site::PartnerCenter, &method, "/webhooks/v1/registration", &body);
            }
            _ => self.register(&referral),
        }
    }

    /// A won deal of at least 25,000 US dollars can be registered.
    fn register(&self, referral: &str) {
        let path = format!("/v1.0/engagements/referrals/{referral}/");
        let body = json!([{"op": "add", "path": "/registrations/-", "value": {
            "type": "AzureIPCoSell",
            "contract": {"value": 30000, "currency": "USD", "startDateTime": self.ground.clock.now().to_string(),
                         "endDateTime": null, "signDateTime": self.ground.clock.now().to_string(), "term": "Perpetual"},
            "solutionDetails": [{"id": "SOL-2", "value": 100, "isDeployedOnAzure": true,
                                 "primaryDeploymentOn": "Customer", "pricingModel": "Other"}]}}]);
        self.ask(Site::PartnerCenter, &Method::PATCH, &path, &body);
    }

    fn in_salesforce(&self, deed: &Deed, text: &str) {
        let one = || format!("Opportunity/{}", self.id("Opportunity", deed.pick));
        let amount = f64::from(deed.amount) / 7.0;
        let (method, path, body) = match deed.kind {
            10 => (
                Method::POST,
                "Account".to_owned(),
                json!({"Name": text, "BillingCountry": "DE", "BillingCity": "Köln"}),
            ),
            11 => (
                Method::POST,
                "Opportunity".to_owned(),
                json!({"Name": text, "StageName": "Prospecting", "CloseDate": "2026-03-01", "Amount": amount,
                       "Sync_With_Partner_Center__c": true, "Description": deed.text}),
            ),
            12 => (
                Method::PATCH,
                one(),
                json!({"StageName": "Closed Won", "Audit__c": deed.text}),
            ),
            _ => (Method::DELETE, one(), Value::Null),
        };
        let path = format!("/services/data/v60.0/sobjects/{path}");
        self.ask(Site::Salesforce, &method, &path, &body);
    }

    fn in_dataverse(&self, deed: &Deed, text: &str) {
        let one = || format!("opportunities({})", self.id("opportunity", deed.pick));
        let amount = f64::from(deed.amount) / 7.0;
        let (method, path, body) = match deed.kind {
            14 => (Method::POST, "accounts".to_owned(), json!({"name": text})),
            15 => (
                Method::POST,
                "opportunities".to_owned(),
                json!({"name": text, "estimatedvalue": amount, "estimatedclosedate": "2026-04-01",
                       "description": deed.text}),
            ),
            16 => (Method::PATCH, one(), json!({"name": text, "estimatedvalue": amount})),
            _ => (
                Method::POST,
                "WinOpportunity".to_owned(),
                json!({"Status": 3, "OpportunityClose": {"subject": text,
                       "opportunityid@odata.bind": format!("/{}", one())}}),
            ),
        };
        self.ask(Site::Dataverse, &method, &format!("/api/data/v9.2/{path}"), &body);
    }

    fn carry_out(&self, deeds: &[Deed]) {
        for deed in deeds {
            let text = Some(deed.text.trim()).filter(|text| !text.is_empty()).unwrap_or("x");
            match deed.kind {
                0..10 => self.in_partner_center(deed),
                10..14 => self.in_salesforce(deed, text),
                _ => self.in_dataverse(deed, text),
            }
            let later = self.ground.clock.now() + SignedDuration::from_secs(i64::from(deed.amount));
            self.ground.clock.advance_to(later);
            self.systems.run_due(later);
        }
    }

    /// What clients see of it: pages, queries.
    fn seen(&self) -> Vec<(u16, Value)> {
        let soql =
            "/services/data/v60.0/query?q=SELECT+Id,Name,Amount,SystemModstamp+FROM+Opportunity+ORDER+BY+Name,Id";
        [
            (Site::PartnerCenter, "/v1.0/engagements/referrals"),
            (
                Site::PartnerCenter,
                "/v1.0/engagements/referrals?$orderby=updatedDateTime%20desc&$top=5",
            ),
            (Site::PartnerCenter, "/webhooks/v1/registration"),
            (Site::Salesforce, soql),
            (Site::Dataverse, "/api/data/v9.2/opportunities?$orderby=name"),
        ]
        .map(|(site, path)| self.ask(site, &Method::GET, path, &Value::Null))
        .into()
    }
}

#[test]
fn a_busy_world_is_the_same_after_dump_reset_and_load() {
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let met = RefCell::new(BTreeSet::new());
    let outcome = runner.run(&deeds(), |deeds| {
        let busy = Busy::new();
        busy.carry_out(&deeds);
        let dump = busy.systems.dump();
        met.borrow_mut().extend(dump.iter().flat_map(oddities));
        let again = Busy::new();
        again.ground.clock.advance_to(busy.ground.clock.now());
        let loaded = again.systems.load(dump.clone());
        prop_assert_eq!(loaded, Ok(dump.len()));
        prop_assert_eq!(again.systems.dump(), dump);
        prop_assert_eq!(again.seen(), busy.seen());
        prop_assert_eq!(again.systems.next_due(), busy.systems.next_due());
        // It goes on: nothing that is new has an identifier of something that was there.
        let before = again.systems.rows().len();
        for (kind, count) in [(0, 2), (11, 1), (15, 1)] {
            let deed = Deed {
                kind,
                pick: 0,
                amount: 5,
                text: "one more".to_owned(),
            };
            let rows = again.systems.rows().len();
            again.carry_out(std::slice::from_ref(&deed));
            prop_assert_eq!(again.systems.rows().len(), rows + count, "{}", kind);
        }
        prop_assert_eq!(again.systems.rows().len(), before + 4);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let met: Vec<&str> = met.into_inner().into_iter().collect();
    assert_eq!(
        met,
        [
            "deleted",
            "expired",
            "hooks",
            "lead",
            "named",
            "people",
            "registered",
            "rounded",
            "won"
        ]
    );
}

/// What makes a row hard to store again; the worlds must have met it all.
fn oddities(row: &Row) -> Vec<&'static str> {
    let is = |field: &str, value: Value| row.fields.get(field) == Some(&value);
    let cases = [
        ("deleted", is("IsDeleted", json!(true))),
        ("expired", is("substatus", json!("Expired"))),
        ("hooks", row.table == "webhook-registration"),
        ("lead", is("qualification", json!("Direct"))),
        (
            "named",
            row.fields
                .get("team")
                .is_some_and(|team| team[0]["email"] == "x@microsoft.example"),
        ),
        ("people", row.table == "User"),
        ("registered", is("registrationStatus", json!("ReviewPending"))),
        (
            "rounded",
            row.fields.get("exchangerate").is_some() && row.table == "opportunity",
        ),
        ("won", row.table == "opportunity" && is("statecode", json!(1))),
    ];
    cases
        .into_iter()
        .filter(|(_, met)| *met)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn a_row_that_cannot_be_stored_is_named() {
    let busy = Busy::new();
    busy.carry_out(&[0, 1, 8, 10, 11, 14, 15].map(|kind| Deed {
        kind,
        pick: 0,
        amount: 12,
        text: "x".to_owned(),
    }));
    let spoilt = |table: &str, field: &str, value: Value| {
        let mut rows = busy.systems.dump();
        let place = rows
            .iter()
            .position(|row| row.table == table)
            .expect("a row of that table");
        match field {
            "id" => rows[place].id = value.as_str().unwrap_or_default().to_owned(),
            "table" => rows[place].table = value.as_str().unwrap_or_default().to_owned(),
            field => drop(rows[place].fields.insert(field.to_owned(), value)),
        }
        let error = Busy::new().systems.load(rows).expect_err("it does not fit");
        assert_eq!(error.row, place, "{error}");
        error.to_string()
    };
    for (table, field, value, part) in [
        ("referral", "status", json!("Engaged"), "/fields/status"),
        ("referral", "table", json!("deal"), "`webhook-registration`"),
        ("webhook-registration", "WebhookUrl", json!("nowhere"), "registration"),
        ("Opportunity", "Amount", json!("much"), "/fields/Amount: expected a"),
        ("Opportunity", "Colour", json!("red"), "no such field"),
        ("Opportunity", "id", json!("001000000000001"), "of the object"),
        ("opportunity", "statecode", json!("open"), "type Edm.Int32"),
        ("opportunity", "table", json!("deal"), "/table: expected a table"),
        ("account", "colour", json!(1), "no such column"),
    ] {
        let said = spoilt(table, field, value);
        assert!(said.contains(part), "{said}");
    }
}
