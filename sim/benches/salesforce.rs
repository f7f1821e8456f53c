//! What the simulated Salesforce org costs with 1,000 and with 100,000 opportunities: a read, a PATCH, a query that an index answers,
//! and one that looks at every row.
//!
//! Run with `cargo bench -p cosell-sim --bench salesforce`. The rows are made through the API before anything is measured.

use axum::Router;
use bytes::Bytes;
use cosell_sim::clock::{Clock, default_start};
use cosell_sim::ground::Ground;
use cosell_sim::identity::SALESFORCE_AUDIENCE;
use cosell_sim::salesforce::{Salesforce, Settings};
use cosell_sim::seed::Seed;
use cosell_sim::transport::in_process;
use divan::Bencher;
use jiff::SignedDuration;
use serde_json::{Value, json};

const SIZES: [usize; 2] = [1_000, 100_000];
const BASE: &str = "https://contoso.my.salesforce.com/services/data/v60.0";

fn main() {
    divan::main();
}

/// An org with that many opportunities.
struct Stocked {
    router: Router,
    token: String,
    /// The identifier in the middle.
    id: String,
}

impl Stocked {
    fn new(size: usize) -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed(7));
        let settings = Settings {
            daily_requests: u64::MAX,
            ..Settings::default()
        };
        let org = Salesforce::new(settings, &ground);
        let day = SignedDuration::from_hours(24);
        let token = ground
            .authority
            .issue("connector", SALESFORCE_AUDIENCE, day, false, "00D!");
        let mut stocked = Self {
            router: org.router(),
            token: token.expect("every world has a connector"),
            id: String::new(),
        };
        for number in 0..size {
            let body = json!({
                "Name": format!("Deal {number}"), "StageName": "Prospecting", "CloseDate": "2026-06-30", "Amount": number % 1000,
                "Referral_Identifier__c": format!("referral-{number}"),
            });
            let answer = stocked.ask("POST", "/sobjects/Opportunity", &body);
            if number == size / 2 {
                answer["id"].as_str().unwrap_or_default().clone_into(&mut stocked.id);
            }
            // Nobody reads what the org tells of its writes here.
            drop(ground.happenings.drain());
        }
        stocked
    }

    fn ask(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let request = request.body(Bytes::from(text)).expect("the request is well formed");
        let response = in_process::call(&mut self.router, request);
        assert!(response.status().is_success(), "{}", response.status());
        serde_json::from_slice(response.body()).unwrap_or_default()
    }
}

#[divan::bench(args = SIZES)]
fn get(bencher: Bencher<'_, '_>, size: usize) {
    let mut org = Stocked::new(size);
    let path = format!("/sobjects/Opportunity/{}", org.id);
    bencher.bench_local(|| org.ask("GET", &path, &Value::Null));
}

#[divan::bench(args = SIZES)]
fn patch(bencher: Bencher<'_, '_>, size: usize) {
    let mut org = Stocked::new(size);
    let path = format!("/sobjects/Opportunity/{}", org.id);
    let mut amount = 0;
    bencher.bench_local(|| {
        amount += 1;
        org.ask("PATCH", &path, &json!({"Amount": amount}))
    });
}

#[divan::bench(args = SIZES)]
fn indexed_query(bencher: Bencher<'_, '_>, size: usize) {
    let mut org = Stocked::new(size);
    let soql = format!(
        "SELECT+Id,Name,Amount+FROM+Opportunity+WHERE+Referral_Identifier__c='referral-{}'",
        size / 2
    );
    bencher.bench_local(|| org.ask("GET", &format!("/query?q={soql}"), &Value::Null));
}

#[divan::bench(args = SIZES)]
fn unindexed_query(bencher: Bencher<'_, '_>, size: usize) {
    let mut org = Stocked::new(size);
    let soql = "SELECT+Id,Name,Amount+FROM+Opportunity+WHERE+Amount=999+ORDER+BY+Name+LIMIT+10";
    bencher.bench_local(|| org.ask("GET", &format!("/query?q={soql}"), &Value::Null));
}
