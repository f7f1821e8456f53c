//! One action on many rows of a table: `CreateMultiple`, `UpdateMultiple`, `UpsertMultiple` (dataverse.md section 2.6).
//!
//! Each is carried out whole or not at all: the request that fails is taken back as any other is.

use serde_json::{Map, Value};

use super::error::Fault;
use super::guid::Guid;
use super::key::{RowKey, set_and_key};
use super::model::Table;
use super::payload::{self, Draft};
use super::write::Work;

/// The new rows' identifiers, in the order of the targets.
pub(super) fn create(work: &mut Work<'_>, table: &Table, body: &[u8]) -> Result<Vec<Guid>, Fault> {
    let targets = targets(table, "CreateMultiple", body)?;
    let mut made = Vec::with_capacity(targets.len());
    for target in &targets {
        let draft = payload::draft(&work.state.store, table, target)?;
        made.push(work.create(table, &draft, None)?);
    }
    Ok(made)
}

/// Writes into rows that must be there.
pub(super) fn update(work: &mut Work<'_>, table: &Table, body: &[u8]) -> Result<(), Fault> {
    for target in &targets(table, "UpdateMultiple", body)? {
        let mut draft = payload::draft(&work.state.store, table, target)?;
        let key = key(table, target, &draft)?;
        let key = key.ok_or_else(|| unnamed(table))?;
        let id = key.existing(&work.state.store, table)?;
        draft.drop_key(&key);
        work.update(table, id, &draft)?;
    }
    Ok(())
}

/// Writes into the rows that are there and makes the others.
pub(super) fn upsert(work: &mut Work<'_>, table: &Table, body: &[u8]) -> Result<(), Fault> {
    for target in &targets(table, "UpsertMultiple", body)? {
        let draft = payload::draft(&work.state.store, table, target)?;
        match key(table, target, &draft)? {
            Some(key) => work.upsert(table, &key, &draft).map(drop)?,
            None => work.create(table, &draft, None).map(drop)?,
        }
    }
    Ok(())
}

fn targets(table: &Table, action: &str, body: &[u8]) -> Result<Vec<Map<String, Value>>, Fault> {
    let wrong = |text: String| Fault::payload(action, text);
    let mut body = payload::object(action, body)?;
    if let Some(other) = body.keys().find(|name| *name != "Targets" && !name.starts_with('@')) {
        return Err(wrong(format!(
            "The parameter '{other}' in the request payload is not a valid parameter for the operation '{action}'."
        )));
    }
    let Some(Value::Array(targets)) = body.remove("Targets") else {
        return Err(wrong(
            "The parameter 'Targets' is missing or of the wrong type.".to_owned(),
        ));
    };
    let object = |target: Value| {
        let Value::Object(target) = target else {
            return Err(wrong("A value of 'Targets' is not an object.".to_owned()));
        };
        let kind = target.get("@odata.type").and_then(Value::as_str);
        let kind = kind.map(|kind| kind.rsplit('.').next().unwrap_or_default());
        // Assumed text: that targets are rows of the table to which the action is bound is documented.
        if kind.is_some_and(|kind| kind != table.logical) {
            return Err(Fault::Argument(format!(
                "All the entities in the Targets collection must be of type {}.",
                table.logical
            )));
        }
        Ok(target)
    };
    targets.into_iter().map(object).collect()
}

/// What names the row of a target: its primary key, `@odata.id`, or the columns of an alternate key.
fn key(table: &Table, target: &Map<String, Value>, draft: &Draft) -> Result<Option<RowKey>, Fault> {
    if let Some(id) = draft.key {
        return Ok(Some(RowKey::Id(id)));
    }
    if let Some(reference) = target.get("@odata.id").and_then(Value::as_str) {
        let (set, key) = set_and_key(reference).ok_or_else(|| unnamed(table))?;
        if set != table.set {
            return Err(unnamed(table));
        }
        return RowKey::parse(table, key).map(Some);
    }
    let given = |column: usize| draft.get(column).filter(|cell| !cell.is_null()).cloned();
    let named = table.keys.iter().find_map(|key| {
        let values = key.columns.iter().map(|column| Some((*column, given(*column)?)));
        values.collect::<Option<Vec<_>>>()
    });
    Ok(named.map(RowKey::of_values))
}

/// Assumed text: a target that names no row.
fn unnamed(table: &Table) -> Fault {
    Fault::Argument(format!("A target names no row of {}.", table.logical))
}
