//! The whole state of the served systems: started over, dumped, loaded.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::site;
use super::{Complaint, done, read};
use crate::ground::Ground;
use crate::happening::Row;
use crate::identity::{Role, form};
use crate::seed::Seed;
use crate::site::Site;
use crate::transport::socket::desk::Desk;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetWanted {
    seed: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dump {
    seed: Option<u64>,
    now: Option<Timestamp>,
    #[serde(default)]
    users: Vec<DumpedUser>,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DumpedUser {
    name: String,
    roles: Vec<Role>,
}

/// Systems as new, from the same seed or another. Users, roles, tokens, ports and the clock stay.
pub(super) async fn reset(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let wanted: ResetWanted = read(&body, r#"{"seed"?: 7}"#)?;
    let seed = start_over(&desk, wanted.seed.map(Seed));
    Ok(done(
        StatusCode::OK,
        &json!({"seed": seed.0, "now": desk.postman().now().to_string()}),
    ))
}

fn start_over(desk: &Desk, seed: Option<Seed>) -> Seed {
    let before = desk.ground();
    let seed = seed.unwrap_or(before.seed);
    // Nobody may find what the old systems noted.
    drop(before.happenings.drain());
    desk.start_over(Ground { seed, ..before });
    seed
}

/// Seed, time, users and every stored row; `?site=` for the rows of one system.
pub(super) async fn dump(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Result<Response, Complaint> {
    let mut only = None;
    for (name, value) in form::pairs(query.as_deref().unwrap_or_default()) {
        match name.as_str() {
            "site" => only = Some(site(&value)?),
            _ => return Err(Complaint::new("query", "site").found(name)),
        }
    }
    let ground = desk.ground();
    let users: Vec<Value> = ground
        .authority
        .users()
        .iter()
        .map(|user| json!({"name": user.name, "roles": user.roles}))
        .collect();
    let mut rows = desk.systems().rows();
    rows.retain(|row| only.is_none_or(|only| only == row.site));
    let body = json!({"seed": ground.seed.0, "now": desk.postman().now().to_string(), "users": users, "rows": rows});
    Ok(done(StatusCode::OK, &body))
}

/// Starts over, then stores the referrals, users and time of a dump. A row that would not read back as it was written
/// is refused, and so are rows of a CRM, which are not simulated here.
pub(super) async fn load(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let expected = r#"what `GET /control/state?site=partner-center` gives: {"seed"?, "now"?, "users"?, "rows"?}"#;
    let dump: Dump = read(&body, expected)?;
    if let Some(row) = dump.rows.iter().find(|row| row.site != Site::PartnerCenter) {
        return Err(Complaint::new("request body /rows", "rows of partner-center")
            .found(format!("a row of {}", row.site.name()))
            .help(
                "loading CRM rows is not simulated; dump with ?site=partner-center, and write CRM rows by its own API",
            )
            .status(StatusCode::NOT_IMPLEMENTED));
    }
    let postman = desk.postman();
    if let Some(now) = dump
        .now
        .filter(|now| *now < postman.now() && desk.ground().clock.is_manual())
    {
        return Err(
            Complaint::new("request body /now", format!("a time from {} on", postman.now()))
                .found(now.to_string())
                .help("the clock does not go back; leave `now` out, or start the servers anew"),
        );
    }
    start_over(&desk, dump.seed.map(Seed));
    let ground = desk.ground();
    if let Some(now) = dump.now {
        ground.clock.advance_to(now);
    }
    for user in &dump.users {
        ground.authority.put_user(&user.name, &user.roles);
    }
    let referrals = dump.rows.into_iter().map(|row| row.fields).collect();
    let loaded = desk.systems().load_referrals(referrals).map_err(|problem| {
        let place = format!("request body /rows/{}{}", problem.row, problem.field);
        Complaint::new(&place, problem.expected).help("the systems are empty now; mend the dump and load it again")
    })?;
    Ok(done(StatusCode::OK, &json!({ "loaded": loaded })))
}
