//! What was asked of the served systems, and what they delivered.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::site;
use super::{Complaint, done, read};
use crate::delivery_log::DeliveryState;
use crate::identity::form;
use crate::transport::socket::desk::{Desk, MOST_KEPT};

/// Entries that one answer holds unless it is asked for fewer or more.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    keep: Option<usize>,
    bodies: Option<bool>,
}

/// The newest entries, oldest of them first: `?limit=`, `?after=` a number, `?site=`.
pub(super) async fn list(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Result<Response, Complaint> {
    let (mut limit, mut after, mut only) = (PAGE, 0, None);
    for (name, value) in form::pairs(query.as_deref().unwrap_or_default()) {
        let number = || Complaint::new(&format!("query option {name}"), "a number").found(value.as_str());
        match name.as_str() {
            "limit" => limit = value.parse().map_err(|_| number())?,
            "after" => after = value.parse::<u64>().map_err(|_| number())?,
            "site" => only = Some(site(&value)?),
            _ => return Err(Complaint::new("query", "limit, after, site").found(name)),
        }
    }
    let journal = desk.journal();
    let wanted = journal
        .entries
        .iter()
        .filter(|entry| entry.number > after && only.is_none_or(|only| only == entry.site));
    let wanted: Vec<_> = wanted.collect();
    let start = wanted.len().saturating_sub(limit);
    let entries: Vec<Value> = wanted[start..].iter().map(|entry| entry.print()).collect();
    let body = json!({
        "total": journal.total, "kept": journal.entries.len(), "keep": journal.keep, "bodies": desk.keeps_bodies(),
        "entries": entries,
    });
    drop(journal);
    Ok(done(StatusCode::OK, &body))
}

/// How many entries are kept, and whether with bodies.
pub(super) async fn set(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let wanted: Wanted = read(&body, r#"{"keep"?: 1000, "bodies"?: true}"#)?;
    if let Some(keep) = wanted.keep.filter(|keep| *keep > MOST_KEPT) {
        let expected = format!("at most {MOST_KEPT}");
        return Err(Complaint::new("request body /keep", expected).found(keep.to_string()));
    }
    let mut journal = desk.journal();
    journal.keep = wanted.keep.unwrap_or(journal.keep);
    if let Some(bodies) = wanted.bodies {
        desk.keep_bodies(bodies);
    }
    while journal.entries.len() > journal.keep {
        journal.entries.pop_front();
    }
    let body = json!({"keep": journal.keep, "bodies": desk.keeps_bodies()});
    drop(journal);
    Ok(done(StatusCode::OK, &body))
}

pub(super) async fn clear(State(desk): State<Arc<Desk>>) -> Response {
    let mut journal = desk.journal();
    let removed = journal.entries.len();
    journal.entries.clear();
    drop(journal);
    done(StatusCode::OK, &json!({ "removed": removed }))
}

/// Webhooks that were owed, each with its attempts, oldest first: `?limit=`, `?after=` a number, `?state=`, `?event=`.
pub(super) async fn deliveries(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Complaint> {
    let (mut limit, mut after, mut state, mut event) = (PAGE, 0, None, None);
    for (name, value) in form::pairs(query.as_deref().unwrap_or_default()) {
        let number = || Complaint::new(&format!("query option {name}"), "a number").found(value.as_str());
        match name.as_str() {
            "limit" => limit = value.parse().map_err(|_| number())?,
            "after" => after = value.parse::<u64>().map_err(|_| number())?,
            "state" => state = Some(state_of(&value)?),
            "event" => event = Some(value),
            _ => return Err(Complaint::new("query", "limit, after, state, event").found(name)),
        }
    }
    let log = desk.ground().deliveries;
    let (forgotten, mut entries) = (log.forgotten(), log.entries());
    let kept = entries.len();
    entries.retain(|entry| {
        let is_event = event.as_ref().is_none_or(|event| *event == entry.event);
        entry.number > after && state.is_none_or(|state| state == entry.state) && is_event
    });
    let start = entries.len().saturating_sub(limit);
    let body = json!({"kept": kept, "forgotten": forgotten, "deliveries": entries[start..]});
    Ok(done(StatusCode::OK, &body))
}

fn state_of(text: &str) -> Result<DeliveryState, Complaint> {
    let wrong = || Complaint::new("query option state", "waiting, delivered or offline").found(text);
    serde_json::from_value(Value::from(text)).map_err(|_| wrong())
}
