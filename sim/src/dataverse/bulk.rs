//! `BulkDelete`: rows that queries find, deleted by a job (dataverse.md section 2.6).
//!
//! Assumed: the job runs at once, a row that cannot be deleted stays, and nobody can ask for the job afterwards. Only
//! queries whose conditions are all `Equal` or `In` are simulated.

use serde_json::{Map, Value};

use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::model::Table;
use super::payload;
use super::write::Work;

/// Carries the job out; comes back with its identifier.
pub(super) fn delete(work: &mut Work<'_>, body: &[u8]) -> Result<Guid, Fault> {
    let body = payload::object("BulkDelete", body)?;
    let queries = body.get("QuerySet").and_then(Value::as_array);
    let missing = || {
        Fault::payload(
            "BulkDelete",
            "The parameter 'QuerySet' is missing or of the wrong type.",
        )
    };
    let model = work.model();
    for query in queries.ok_or_else(missing)? {
        let name = query["EntityName"].as_str().unwrap_or_default();
        let table = model.by_logical(name).ok_or_else(|| {
            Fault::Argument(format!(
                "The entity with a name = '{name}' was not found in the MetadataCache."
            ))
        })?;
        payload::writable(table)?;
        for id in found(work, table, &query["Criteria"])? {
            let mark = work.state.mark();
            match work.delete(table, id) {
                Ok(()) => {}
                Err(fault @ (Fault::NotSimulated(_) | Fault::NoPrivilege { .. })) => return Err(fault),
                Err(_) => work.state.roll_back(mark),
            }
        }
    }
    Ok(Guid::draw(&mut work.state.requests))
}

fn found(work: &Work<'_>, table: &Table, criteria: &Value) -> Result<Vec<Guid>, Fault> {
    let refuse = |what: &str| Fault::NotSimulated(format!("{what} in a query of BulkDelete"));
    let empty = Map::new();
    let criteria = criteria.as_object().unwrap_or(&empty);
    let joint = criteria.get("FilterOperator").and_then(Value::as_str).unwrap_or("And");
    let nested = criteria
        .get("Filters")
        .and_then(Value::as_array)
        .is_some_and(|filters| !filters.is_empty());
    if joint != "And" || nested {
        return Err(refuse("a filter other than one `And`"));
    }
    let conditions = criteria.get("Conditions").and_then(Value::as_array);
    let mut ids: Vec<Guid> = work.state.store.rows(table).map(|row| row.id).collect();
    for condition in conditions.into_iter().flatten() {
        let name = condition["AttributeName"].as_str().unwrap_or_default();
        let column = table.attribute(name).ok_or_else(|| Fault::NoSuchProperty {
            table: table.logical.to_string(),
            name: name.to_owned(),
        })?;
        let operator = condition["Operator"].as_str().unwrap_or_default();
        if !matches!(operator, "Equal" | "In") {
            return Err(refuse(&format!("operator `{operator}`")));
        }
        let values = condition["Values"].as_array().map(Vec::as_slice).unwrap_or_default();
        let values = values.iter().map(|value| value.get("Value").unwrap_or(value));
        let wanted: Vec<Cell> = values
            .map(|value| payload::fit(table, &table.columns[column], value))
            .collect::<Result<_, _>>()?;
        ids.retain(|id| {
            let row = work.state.store.row(table, *id);
            row.is_some_and(|row| wanted.iter().any(|cell| cell.folded() == row.cells[column].folded()))
        });
    }
    Ok(ids)
}
