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
use super::{Complaint, done, read, users};
use crate::ground::Ground;
use crate::happening::Row;
use crate::identity::{User, form};
use crate::seed::Seed;
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
    users: Vec<users::Wanted>,
    #[serde(default)]
    rows: Vec<Row>,
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

/// Seed, time, users and every stored row, webhook registrations included; `?site=` for the rows of one system.
pub(super) async fn dump(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Result<Response, Complaint> {
    let mut only = None;
    for (name, value) in form::pairs(query.as_deref().unwrap_or_default()) {
        match name.as_str() {
            "site" => only = Some(site(&value)?),
            _ => return Err(Complaint::new("query", "site").found(name)),
        }
    }
    let ground = desk.ground();
    let users: Vec<Value> = ground.authority.users().iter().map(users::print).collect();
    let mut rows = desk.systems().dump();
    rows.retain(|row| only.is_none_or(|only| only == row.site));
    let body = json!({"seed": ground.seed.0, "now": desk.postman().now().to_string(), "users": users, "rows": rows});
    Ok(done(StatusCode::OK, &body))
}

/// Starts over, then stores the rows, users and time of a dump. A row that would not read back as it was written is
/// refused. A system without a row in the dump stays as new, and without users those that are there stay.
pub(super) async fn load(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let expected = r#"what `GET /control/state` gives: {"seed"?, "now"?, "users"?, "rows"?}"#;
    let dump: Dump = read(&body, expected)?;
    let mut users = Vec::with_capacity(dump.users.len());
    for (place, mut user) in dump.users.into_iter().enumerate() {
        let name = user.name.take().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Complaint::new(&format!("request body /users/{place}/name"), "a name"))?;
        users.push(user.apply(User::new(&name, &[])));
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
    if !users.is_empty() {
        ground.authority.replace_users(users);
    }
    let loaded = desk.systems().load(dump.rows).map_err(|problem| {
        let place = format!("request body /rows/{}{}", problem.row, problem.field);
        Complaint::new(&place, problem.expected).help("the systems are not whole now; mend the dump and load it again")
    })?;
    Ok(done(StatusCode::OK, &json!({ "loaded": loaded })))
}
