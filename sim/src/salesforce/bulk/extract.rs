//! Jobs that read: a query is run as any other and its pages are put into one sheet.
//!
//! What the query may say is decided where queries are read.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use super::jobs::{allow, delimiter, line_ending, text};
use crate::salesforce::author::Author;
use crate::salesforce::composite::part::{Routes, escaped};
use crate::salesforce::error::Problem;
use crate::salesforce::job::{Job, Operation, Order, Phase, Sheet};
use crate::salesforce::state::State;
use crate::salesforce::visit::{Call, Visit};

/// What a new job is asked to read. A query that is wrong is refused here, in the words of the query route.
pub(super) fn order(
    state: &mut State,
    visit: &Visit<'_>,
    body: &Map<String, Value>,
    routes: Routes,
) -> Result<Order, Problem> {
    allow(
        body,
        &["operation", "query", "contentType", "lineEnding", "columnDelimiter"],
    )?;
    let operation = match text(body, "operation")?.unwrap_or_default() {
        "query" => Operation::Query,
        "queryAll" => Operation::QueryAll,
        other => return Err(Problem::bad("INVALIDJOB", format!("Invalid operation: '{other}'"))),
    };
    let soql = text(body, "query")?.unwrap_or_default().to_owned();
    let mut order = Order {
        operation,
        object: String::new(),
        key: None,
        soql,
        line_ending: line_ending(body)?,
        delimiter: delimiter(body)?,
        version: visit.version.to_owned(),
        creator: (visit.author.name.clone(), visit.author.id),
    };
    let first = ask(state, &visit.author, &order, routes, &address(&order))?;
    let kind = first["records"][0]["attributes"]["type"].as_str();
    if kind == Some("AggregateResult") || counts(&first) {
        let message = "Aggregate Relationships not supported in Bulk Query";
        return Err(Problem::bad("FEATURENOTENABLED", message));
    }
    order.object = kind.map_or_else(|| source(&order.soql), str::to_owned);
    if let Some(object) = state.org.object(&order.object) {
        order.object.clone_from(&state.org.objects[object].name);
    }
    Ok(order)
}

/// A `COUNT()` tells a number and no records.
fn counts(page: &Value) -> bool {
    page["totalSize"].as_u64() > Some(0) && page["records"].as_array().is_some_and(Vec::is_empty)
}

/// Runs the query of a job.
pub(super) fn run(state: &mut State, author: &Author, job: &mut Job, routes: Routes) {
    match sheet(state, author, &job.order, routes) {
        Ok(sheet) => {
            job.successful = sheet;
            job.phase = Phase::JobComplete;
        }
        Err(problem) => {
            job.phase = Phase::Failed;
            job.error = Some(problem.to_string());
        }
    }
}

fn sheet(state: &mut State, author: &Author, order: &Order, routes: Routes) -> Result<Sheet, Problem> {
    let mut page = ask(state, author, order, routes, &address(order))?;
    let mut head: Option<Vec<String>> = None;
    let mut rows = Sheet::new();
    loop {
        let records = page["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        if head.is_none() {
            head = Some(columns(&order.soql, records.first()));
        }
        for record in records {
            let columns = head.iter().flatten();
            rows.push(columns.map(|column| cell(record, column)).collect());
        }
        match page["nextRecordsUrl"].as_str().map(str::to_owned) {
            Some(next) => page = ask(state, author, order, routes, &next)?,
            None => break,
        }
    }
    rows.insert(0, head.unwrap_or_default());
    Ok(rows)
}

fn address(order: &Order) -> String {
    let path = if order.operation == Operation::QueryAll {
        "queryAll"
    } else {
        "query"
    };
    let soql = escaped(&order.soql, |byte| byte.is_ascii_alphanumeric());
    format!("/services/data/{}/{path}?q={soql}", order.version)
}

/// One page of the query, asked of the route that answers queries.
fn ask(state: &mut State, author: &Author, order: &Order, routes: Routes, address: &str) -> Result<Value, Problem> {
    let uri: Uri = address
        .parse()
        .map_err(|_| Problem::bad("MALFORMED_QUERY", "the query is too long"))?;
    let call = Call {
        method: &Method::GET,
        uri: &uri,
        headers: &HeaderMap::new(),
        body: &Bytes::new(),
    };
    let visit = Visit::new(&call, &order.version, author.clone())?;
    let path: Vec<&str> = uri
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .skip(3)
        .collect();
    let response = (routes.resource)(state, &visit, &path)?;
    // Simulated bodies are in memory.
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).now_or_never();
    let body = body.and_then(Result::ok).unwrap_or_default();
    Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// The columns: what stands between SELECT and FROM, in the spelling of the first record. Where that names no single fields,
/// the first record's members.
fn columns(soql: &str, first: Option<&Value>) -> Vec<String> {
    let lower = soql.to_ascii_lowercase();
    let list = lower
        .find("select")
        .and_then(|start| Some(&soql[start + 6..start + 6 + lower[start + 6..].find("from")?]));
    let list = list.unwrap_or_default();
    if list.contains('(') {
        let members = first.and_then(Value::as_object);
        let names = members.map(|members| members.keys().filter(|name| *name != "attributes").cloned().collect());
        return names.unwrap_or_default();
    }
    list.split(',').map(|name| spelled(name.trim(), first)).collect()
}

fn spelled(name: &str, first: Option<&Value>) -> String {
    let (mut at, mut done) = (first, Vec::new());
    for part in name.split('.') {
        let found = at.and_then(Value::as_object).and_then(|members| {
            members
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(part.trim()))
        });
        done.push(found.map_or(part.trim(), |(known, _)| known));
        at = found.map(|(_, value)| value);
    }
    done.join(".")
}

fn cell(record: &Value, column: &str) -> String {
    let found = column.split('.').try_fold(record, |at, part| at.get(part));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The object after FROM.
fn source(soql: &str) -> String {
    let mut words = soql
        .split_whitespace()
        .skip_while(|word| !word.eq_ignore_ascii_case("from"));
    words.nth(1).unwrap_or_default().to_owned()
}
