//! `/composite/sobjects`: up to 200 records in one request, with a result for each (salesforce.md section 2.4).
//!
//! What one write does stands in `write` and `upsert`.

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::member::{self, MOST_RECORDS, too_many_records};
use crate::reply::json_reply;
use crate::salesforce::error::{Complaint, JSON, Problem};
use crate::salesforce::fall;
use crate::salesforce::id::Id;
use crate::salesforce::print;
use crate::salesforce::soql::path;
use crate::salesforce::state::State;
use crate::salesforce::upsert::{self, Upserted};
use crate::salesforce::visit::{Answer, Visit, object, written};
use crate::salesforce::write::{self, Body};

/// How often the object may change from one record to the next: documented.
const MOST_CHUNKS: usize = 10;
/// The most records that one request may read: documented.
const MOST_READ: usize = 2000;

/// What became of one record. `created` is told of upserts only.
#[derive(Debug)]
struct Done {
    id: Id,
    created: Option<bool>,
}

/// `POST`, `PATCH` and `DELETE /composite/sobjects`.
pub(crate) fn many(state: &mut State, visit: &Visit<'_>) -> Answer {
    match *visit.call.method {
        Method::POST => {
            let (records, all_or_none) = records(visit)?;
            each(state, all_or_none, None, &records, |state, record| {
                create(state, visit, record)
            })
        }
        Method::PATCH => {
            let (records, all_or_none) = records(visit)?;
            each(state, all_or_none, None, &records, |state, record| {
                update(state, visit, record)
            })
        }
        Method::DELETE => delete(state, visit),
        _ => Err(visit.method_not_allowed("DELETE,PATCH,POST")),
    }
}

/// `PATCH /composite/sobjects/T/FIELD`: an upsert of each record by that field.
pub(crate) fn upsert_many(state: &mut State, visit: &Visit<'_>, name: &str, field: &str) -> Answer {
    if visit.call.method != Method::PATCH {
        return Err(visit.method_not_allowed("PATCH"));
    }
    let object = object(state, name)?;
    let key = upsert::key(state, object, field)?;
    let (records, all_or_none) = records(visit)?;
    // A failed element says `created`, too: jsforce's own suite asserts it.
    each(state, all_or_none, Some(true), &records, |state, record| {
        let (kind, fields) = unwrapped(record)?;
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case(name)) {
            // Assumed: code and words.
            return Err(Problem::write("INVALID_INPUT", format!("The record is no {name}"), &[]));
        }
        let Upserted { id, created } = upsert::upsert(state, &visit.author, object, key, fields)?;
        Ok(Done {
            id,
            created: Some(created),
        })
    })
}

/// `GET` and `POST /composite/sobjects/T`: the named fields of each record, null where there is none.
pub(crate) fn read_many(state: &State, visit: &Visit<'_>, name: &str) -> Answer {
    let object = object(state, name)?;
    let (ids, fields) = match *visit.call.method {
        Method::GET => {
            visit.allow_parameters(&["ids", "fields"])?;
            let list = |name: &str| {
                let list = visit.parameter(name).unwrap_or_default();
                list.split(',')
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            (list("ids"), list("fields"))
        }
        Method::POST => {
            visit.allow_parameters(&[])?;
            let body = visit.json_body()?;
            member::allow(&body, &["ids", "fields"])?;
            (texts(&body, "ids")?, texts(&body, "fields")?)
        }
        _ => return Err(visit.method_not_allowed("GET,POST")),
    };
    if ids.is_empty() || fields.is_empty() {
        // Assumed: code and words; that both are needed is documented.
        return Err(Problem::bad(
            "MISSING_ARGUMENT",
            "The ids and fields parameters are required",
        ));
    }
    if ids.len() > MOST_READ {
        let message = format!("record limit reached. cannot submit more than {MOST_READ} records into this call");
        return Err(Problem::bad("EXCEEDED_ID_LIMIT", message));
    }
    let nodes = path::nodes_of_list(&state.org, object, &fields.join(","))?;
    let mut body = vec![b'['];
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        let table = &state.tables[object];
        let place = Id::parse(id.trim()).and_then(|id| table.find(id));
        match place.map(|place| table.row(place)).filter(|row| !row.deleted) {
            Some(row) => print::record(state, object, row, &nodes, visit.version, &mut body),
            None => body.extend_from_slice(b"null"),
        }
    }
    body.push(b']');
    Ok(written(body))
}

fn texts(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Problem> {
    let list = member::list(body, name)?.iter();
    let texts: Option<Vec<String>> = list.map(|entry| entry.as_str().map(str::to_owned)).collect();
    let message = format!("Cannot deserialize '{name}': expected texts at [line:1, column:1]");
    texts.ok_or_else(|| Problem::bad("JSON_PARSER_ERROR", message))
}

/// The records of a body, and whether it asks for all or none.
fn records(visit: &Visit<'_>) -> Result<(Vec<Value>, bool), Problem> {
    visit.allow_parameters(&[])?;
    let body = visit.json_body()?;
    member::allow(&body, &["allOrNone", "records"])?;
    let all_or_none = member::flag(&body, "allOrNone")?;
    let records = member::list(&body, "records")?;
    if records.len() > MOST_RECORDS {
        return Err(too_many_records());
    }
    let kind = |record: &Value| record["attributes"]["type"].as_str().map(str::to_ascii_lowercase);
    let chunks = 1 + records
        .windows(2)
        .filter(|pair| kind(&pair[0]) != kind(&pair[1]))
        .count();
    if chunks > MOST_CHUNKS {
        // Assumed: code and words; the limit is documented.
        let message = format!("The records form {chunks} chunks of one object each; {MOST_CHUNKS} are allowed");
        return Err(Problem::bad("LIMIT_EXCEEDED", message));
    }
    Ok((records.to_vec(), all_or_none))
}

/// Does one write after the other. A failed one is taken back alone, or with all others when all or none was asked for.
fn each(
    state: &mut State,
    all_or_none: bool,
    created_when_failed: Option<bool>,
    records: &[Value],
    mut one: impl FnMut(&mut State, &Value) -> Result<Done, Problem>,
) -> Answer {
    let start = state.transaction.mark();
    let mut results: Vec<Result<Done, Vec<Complaint>>> = Vec::with_capacity(records.len());
    for record in records {
        let mark = state.transaction.mark();
        match one(state, record) {
            Ok(done) => results.push(Ok(done)),
            Err(Problem::Refused { complaints, .. }) => {
                state.roll_back(mark);
                results.push(Err(complaints));
            }
            Err(missing @ Problem::NotSimulated(_)) => return Err(missing),
        }
    }
    if all_or_none && results.iter().any(Result::is_err) {
        state.roll_back(start);
        for result in &mut results {
            if result.is_ok() {
                *result = Err(vec![Complaint::rolled_back()]);
            }
        }
    }
    Ok(printed(&results, created_when_failed))
}

fn printed(results: &[Result<Done, Vec<Complaint>>], created_when_failed: Option<bool>) -> Response {
    let print = |result: &Result<Done, Vec<Complaint>>| match result {
        Ok(done) => {
            let mut element = json!({"id": done.id.to_string(), "success": true, "errors": []});
            if let Some(created) = done.created {
                element["created"] = json!(created);
            }
            element
        }
        Err(complaints) => {
            let errors: Vec<Value> = complaints.iter().map(Complaint::to_element).collect();
            let mut element = json!({"success": false, "errors": errors});
            if let Some(created) = created_when_failed {
                element["created"] = json!(created);
            }
            element
        }
    };
    let list = Value::Array(results.iter().map(print).collect());
    json_reply(StatusCode::OK, JSON, &list)
}

/// The object that a record names, and its fields.
fn unwrapped(record: &Value) -> Result<(Option<&str>, Map<String, Value>), Problem> {
    let mut fields = member::object(record, "records")?.clone();
    fields.shift_remove("attributes");
    Ok((record["attributes"]["type"].as_str(), fields))
}

fn typed(state: &State, record: &Value) -> Result<(usize, Map<String, Value>), Problem> {
    let (kind, fields) = unwrapped(record)?;
    match kind {
        Some(kind) => Ok((object(state, kind)?, fields)),
        // Assumed: code and words.
        None => Err(Problem::write(
            "INVALID_INPUT",
            "Include an entity type in the attributes of the record",
            &[],
        )),
    }
}

fn create(state: &mut State, visit: &Visit<'_>, record: &Value) -> Result<Done, Problem> {
    let (object, fields) = typed(state, record)?;
    let body = Body {
        fields: &fields,
        raw: b"",
    };
    let id = write::create(state, &visit.author, object, body)?;
    Ok(Done { id, created: None })
}

fn update(state: &mut State, visit: &Visit<'_>, record: &Value) -> Result<Done, Problem> {
    let (object, mut fields) = typed(state, record)?;
    let key = ["id", "Id", "ID"].into_iter().find(|key| fields.contains_key(*key));
    let Some(id) = key.and_then(|key| fields.shift_remove(key)).filter(|id| !id.is_null()) else {
        // Words from general knowledge.
        return Err(Problem::write(
            "MISSING_ARGUMENT",
            "Id not specified in an update call",
            &["Id"],
        ));
    };
    let (id, place) = place(state, object, &id)?;
    let body = Body {
        fields: &fields,
        raw: b"",
    };
    write::update(state, &visit.author, object, place, body)?;
    Ok(Done { id, created: None })
}

fn place(state: &State, object: usize, id: &Value) -> Result<(Id, usize), Problem> {
    let label = format!("{} ID", state.org.objects[object].name);
    let parsed = id.as_str().and_then(Id::parse);
    let parsed = parsed.filter(|id| id.prefix() == state.org.objects[object].prefix);
    let Some(parsed) = parsed else {
        let shown = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let message = format!("{label}: id value of incorrect type: {shown}");
        return Err(Problem::write("MALFORMED_ID", message, &["Id"]));
    };
    let table = &state.tables[object];
    match table.find(parsed) {
        Some(place) if table.row(place).deleted => Err(Problem::write("ENTITY_IS_DELETED", "entity is deleted", &[])),
        Some(place) => Ok((parsed, place)),
        None => Err(upsert::missing_record(id, "Id")),
    }
}

/// `DELETE /composite/sobjects?ids=`: records of any objects.
fn delete(state: &mut State, visit: &Visit<'_>) -> Answer {
    visit.allow_parameters(&["ids", "allOrNone"])?;
    let all_or_none = match visit.parameter("allOrNone") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Problem::not_simulated(
                "parameter `allOrNone` with other than true and false",
            ));
        }
    };
    let ids = visit.parameter("ids").unwrap_or_default();
    let ids: Vec<Value> = ids
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(Value::from)
        .collect();
    if ids.is_empty() {
        // Assumed: code and words.
        return Err(Problem::bad("MISSING_ARGUMENT", "The ids parameter is required"));
    }
    if ids.len() > MOST_RECORDS {
        return Err(too_many_records());
    }
    each(state, all_or_none, None, &ids, |state, id| {
        let parsed = id.as_str().and_then(Id::parse);
        let object = parsed.and_then(|id| state.org.objects.iter().position(|shape| shape.prefix == id.prefix()));
        let (Some(id), Some(object)) = (parsed, object) else {
            let message = format!("malformed id {}", id.as_str().unwrap_or_default());
            return Err(Problem::write("MALFORMED_ID", message, &[]));
        };
        let (id, place) = place(state, object, &Value::from(id.to_string()))?;
        fall::delete(state, &visit.author, object, place)?;
        Ok(Done { id, created: None })
    })
}
