//! How the simulated Dataverse grows: get, PATCH, and a query by an indexed and by an unindexed column, at 1,000 and
//! 100,000 accounts.
//!
//! Run with `cargo bench -p cosell-sim --bench dataverse`; a name behind `--` runs what has it in its name.

use axum::Router;
use bytes::Bytes;
use cosell_sim::clock::{Clock, default_start};
use cosell_sim::dataverse::{Dataverse, Settings};
use cosell_sim::ground::Ground;
use cosell_sim::identity::DATAVERSE_AUDIENCE;
use cosell_sim::seed::Seed;
use cosell_sim::transport::in_process;
use divan::Bencher;
use http::{Method, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/accounts";
const SIZES: [usize; 2] = [1_000, 100_000];

fn main() {
    divan::main();
}

/// An environment with so many accounts.
struct Org {
    router: Router,
    token: String,
    keys: Vec<String>,
    ground: Ground,
}

impl Org {
    fn new(size: usize) -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed(1));
        let settings = Settings {
            protection: None,
            ..Settings::default()
        };
        let dataverse = Dataverse::new(settings, &ground);
        let token = ground
            .authority
            .issue(
                "connector",
                DATAVERSE_AUDIENCE,
                SignedDuration::from_hours(48),
                true,
                "",
            )
            .expect("every world has a connector");
        let mut org = Self {
            router: dataverse.router(),
            token,
            keys: Vec::new(),
            ground,
        };
        for number in 0..size {
            let account = json!({
                "name": format!("Fabrikam {number}"), "address1_city": format!("city {}", number % 97),
                "address1_postalcode": "98052", "revenue": number,
            });
            let (status, _) = org.send(&Method::POST, ROOT, &account);
            assert_eq!(status, 204);
        }
        let (_, first) = org.send(&Method::GET, &format!("{ROOT}?$select=name&$top=1000"), &Value::Null);
        let page: Value = serde_json::from_slice(&first).expect("a page is JSON");
        let rows = page["value"].as_array().expect("a page has rows");
        org.keys = rows
            .iter()
            .filter_map(|row| row["accountid"].as_str().map(str::to_owned))
            .collect();
        org
    }

    fn send(&self, method: &Method, path: &str, body: &Value) -> (u16, Bytes) {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Bytes::from(text))
            .expect("a request of plain parts");
        let response = in_process::call(&mut self.router.clone(), request);
        drop(self.ground.happenings.drain());
        (response.status().as_u16(), response.into_body())
    }
}

#[divan::bench(args = SIZES)]
fn get(bencher: Bencher<'_, '_>, size: usize) {
    let org = Org::new(size);
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % org.keys.len();
        org.send(&Method::GET, &format!("{ROOT}({})", org.keys[at]), &Value::Null)
    });
}

#[divan::bench(args = SIZES)]
fn patch(bencher: Bencher<'_, '_>, size: usize) {
    let org = Org::new(size);
    let mut at = 0;
    bencher.bench_local(|| {
        at += 1;
        let path = format!("{ROOT}({})", org.keys[at % org.keys.len()]);
        org.send(
            &Method::PATCH,
            &path,
            &json!({"address1_line1": format!("street {at}")}),
        )
    });
}

#[divan::bench(args = SIZES)]
fn query_by_an_indexed_column(bencher: Bencher<'_, '_>, size: usize) {
    let org = Org::new(size);
    let path = format!("{ROOT}?$select=name&$filter=name%20eq%20'Fabrikam%20{}'", size / 2);
    bencher.bench_local(|| org.send(&Method::GET, &path, &Value::Null));
}

#[divan::bench(args = SIZES)]
fn query_by_an_unindexed_column(bencher: Bencher<'_, '_>, size: usize) {
    let org = Org::new(size);
    let path = format!("{ROOT}?$select=name&$filter=address1_city%20eq%20'city%207'&$top=50");
    bencher.bench_local(|| org.send(&Method::GET, &path, &Value::Null));
}

/// Every row is looked at: nothing narrows the search, and the count needs them all.
#[divan::bench(args = SIZES)]
fn count_by_an_unindexed_column(bencher: Bencher<'_, '_>, size: usize) {
    let org = Org::new(size);
    let path = format!("{ROOT}?$select=name&$filter=address1_city%20eq%20'city%207'&$top=50&$count=true");
    bencher.bench_local(|| org.send(&Method::GET, &path, &Value::Null));
}

/// Refused at the depth limit; what stands behind it is not read.
#[divan::bench]
fn filter_of_ten_thousand_parentheses(bencher: Bencher<'_, '_>) {
    let org = Org::new(1);
    let path = format!(
        "{ROOT}?$filter={}name%20eq%20'x'{}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    bencher.bench_local(|| org.send(&Method::GET, &path, &Value::Null));
}
