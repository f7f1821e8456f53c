//! What recorded calls show of the rows of both sides: commits for a trace, so that deals can be looked at side by side.
//!
//! Nobody sees a real system's rows but through its answers: a value that no call showed is not known, and a change is known
//! only when a call shows it. Invariants about rows do not judge a recording.

use std::collections::BTreeMap;

use cosell_sim::happening::{Change, Commit, CommitKind};
use cosell_sim::network::wire::{WireRequest, WireResponse};
use cosell_sim::site::Site;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::board::CONNECTOR;

/// How many rows are remembered.
const ROWS_MAX: usize = 100_000;

/// The rows as far as calls have shown them.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<(Site, String), BTreeMap<String, Value>>);

/// A row that a call shows.
struct Shown {
    table: &'static str,
    id: String,
    fields: BTreeMap<String, Value>,
    actor: &'static str,
}

impl Rows {
    /// What an exchange shows that was not known before.
    pub(super) fn learn(
        &mut self,
        site: Site,
        request: &WireRequest,
        response: &WireResponse,
        at: Timestamp,
    ) -> Vec<Commit> {
        if !(200..300).contains(&response.status) {
            return Vec::new();
        }
        let shown = match site {
            Site::Entra => Vec::new(),
            Site::PartnerCenter => partner_center(request, response),
            Site::Salesforce => salesforce(request, response),
            Site::Dataverse => dataverse(request, response),
        };
        shown.into_iter().filter_map(|row| self.commit(site, row, at)).collect()
    }

    fn commit(&mut self, site: Site, row: Shown, at: Timestamp) -> Option<Commit> {
        let key = (site, row.id.clone());
        let is_new = !self.0.contains_key(&key);
        if is_new && self.0.len() >= ROWS_MAX {
            return None;
        }
        let known = self.0.entry(key).or_default();
        let mut changes = Vec::new();
        for (field, after) in row.fields {
            let before = known.insert(field.clone(), after.clone()).unwrap_or_default();
            if before != after {
                changes.push(Change { field, before, after });
            }
        }
        if changes.is_empty() && !is_new {
            return None;
        }
        let kind = if is_new {
            CommitKind::Created
        } else {
            CommitKind::Updated
        };
        Some(Commit {
            site,
            table: row.table.to_owned(),
            id: row.id,
            kind,
            actor: row.actor.to_owned(),
            at,
            changes,
        })
    }
}

/// Who writes with a request that reads nothing.
fn actor(request: &WireRequest) -> &'static str {
    if request.method == "GET" { "seen" } else { CONNECTOR }
}

fn path_of(request: &WireRequest) -> &str {
    let path = request.url.split('?').next().unwrap_or_default();
    path.splitn(4, '/').nth(3).unwrap_or_default()
}

fn partner_center(request: &WireRequest, response: &WireResponse) -> Vec<Shown> {
    let path = path_of(request);
    let Some((_, rest)) = path.split_once("engagements/referrals") else {
        return Vec::new();
    };
    let id = rest.trim_matches('/');
    let one = |referral: &Value, actor| {
        let mut fields = BTreeMap::new();
        flatten(referral, "", &mut fields);
        Some(Shown {
            table: "referral",
            id: referral["id"].as_str()?.to_owned(),
            fields,
            actor,
        })
    };
    if let Some(body) = response.body.json() {
        if let Some(list) = body["value"].as_array() {
            return list.iter().filter_map(|referral| one(referral, "seen")).collect();
        }
        return one(&body, actor(request)).into_iter().collect();
    }
    let operations = request.body.json().filter(|_| request.method == "PATCH");
    let operations = operations.as_ref().and_then(Value::as_array).into_iter().flatten();
    let fields: BTreeMap<String, Value> = operations
        .filter_map(|operation| Some((operation["path"].as_str()?.to_owned(), operation["value"].clone())))
        .collect();
    if fields.is_empty() || id.is_empty() {
        return Vec::new();
    }
    vec![Shown {
        table: "referral",
        id: id.to_owned(),
        fields,
        actor: CONNECTOR,
    }]
}

/// Leaves by JSON pointer; a list is one leaf.
fn flatten(value: &Value, place: &str, fields: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                flatten(inner, &format!("{place}/{name}"), fields);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            fields.insert(place.to_owned(), value.clone());
        }
    }
}

fn salesforce(request: &WireRequest, response: &WireResponse) -> Vec<Shown> {
    let body = response.body.json().unwrap_or_default();
    let is_opportunity = |row: &Value| row["attributes"]["type"] == "Opportunity";
    let read = |row: &Value| {
        let members = row.as_object()?;
        Some(Shown {
            table: "Opportunity",
            id: row["Id"].as_str()?.to_owned(),
            fields: columns(members),
            actor: "seen",
        })
    };
    if let Some(list) = body["records"].as_array() {
        return list.iter().filter(|row| is_opportunity(row)).filter_map(read).collect();
    }
    if is_opportunity(&body) {
        return read(&body).into_iter().collect();
    }
    let path = path_of(request);
    let Some((_, rest)) = path.split_once("/sobjects/Opportunity") else {
        return Vec::new();
    };
    let named = rest.trim_matches('/');
    let id = if request.method == "POST" {
        body["id"].as_str().unwrap_or_default()
    } else {
        named
    };
    written("Opportunity", id, request)
}

fn dataverse(request: &WireRequest, response: &WireResponse) -> Vec<Shown> {
    let body = response.body.json().unwrap_or_default();
    let read = |row: &Value, actor| {
        let members = row.as_object()?;
        Some(Shown {
            table: "opportunity",
            id: row["opportunityid"].as_str()?.to_owned(),
            fields: columns(members),
            actor,
        })
    };
    if let Some(list) = body["value"].as_array() {
        return list.iter().filter_map(|row| read(row, "seen")).collect();
    }
    if body["opportunityid"].is_string() {
        return read(&body, actor(request)).into_iter().collect();
    }
    let path = path_of(request);
    let Some((_, rest)) = path.split_once("/opportunities") else {
        return Vec::new();
    };
    let entity = response.headers.get("odata-entityid").unwrap_or_default();
    let key = if rest.starts_with('(') { rest } else { entity };
    let id = key.rsplit_once('(').and_then(|(_, id)| id.split_once(')'));
    written("opportunity", id.map_or("", |(id, _)| id), request)
}

/// The columns that a write sets.
fn written(table: &'static str, id: &str, request: &WireRequest) -> Vec<Shown> {
    let body = request.body.json().unwrap_or_default();
    let Some(members) = body
        .as_object()
        .filter(|_| !id.is_empty() && matches!(request.method.as_str(), "POST" | "PATCH"))
    else {
        return Vec::new();
    };
    vec![Shown {
        table,
        id: id.to_owned(),
        fields: columns(members),
        actor: CONNECTOR,
    }]
}

/// Columns of a row: what is no row inside and no annotation.
fn columns(members: &Map<String, Value>) -> BTreeMap<String, Value> {
    let plain = |(name, value): &(&String, &Value)| !name.contains('@') && !value.is_object() && !value.is_array();
    members
        .iter()
        .filter(plain)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
