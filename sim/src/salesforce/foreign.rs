//! Parents named by an external identifier in the body of a write: `"Account": {"Number__c": "A-7"}`.
//!
//! It turns them into identifiers before the body is read; the write itself stands in `write`.

use serde_json::{Map, Value};

use super::cell::Cell;
use super::error::Problem;
use super::id::Id;
use super::model::{Field, Object};
use super::state::State;

/// The places of the live rows that hold a value in a field, by its index where there is one.
pub(crate) fn holders(state: &State, object: usize, field: usize, cell: &Cell) -> Vec<usize> {
    let table = &state.tables[object];
    let live = |place: &usize| !table.row(*place).deleted;
    match cell.key() {
        Some(key) if table.has_index(field) => table.equal(field, &key).filter(live).collect(),
        Some(_) | None => (0..table.rows().len())
            .filter(|&place| live(&place) && table.row(place).cells[field] == *cell)
            .collect(),
    }
}

/// Whether a field may name a record of its object in a write.
pub(crate) fn names_records(field: &Field) -> bool {
    field.external || field.id_lookup
}

/// The body with every parent replaced by its identifier. None when it names no parent.
///
/// Assumed: code and words of the refusals.
pub(crate) fn resolved(
    state: &State,
    shape: &Object,
    body: &Map<String, Value>,
) -> Result<Option<Map<String, Value>>, Problem> {
    if !body.values().any(Value::is_object) {
        return Ok(None);
    }
    let mut read = Map::new();
    for (name, value) in body {
        let reference = value
            .as_object()
            .and_then(|parent| Some((shape.relationship(name)?, parent)));
        match reference {
            Some((field, parent)) => {
                let id = parent_of(state, &shape.fields[field], parent)?;
                read.insert(shape.fields[field].name.clone(), Value::from(id.to_string()));
            }
            None => {
                read.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(Some(read))
}

fn parent_of(state: &State, field: &Field, parent: &Map<String, Value>) -> Result<Id, Problem> {
    let mut named = parent.iter().filter(|(name, _)| *name != "attributes");
    let (Some((name, value)), None) = (named.next(), named.next()) else {
        return Err(Problem::not_simulated(format!(
            "`{}` with other than one field",
            field.name
        )));
    };
    let object = target(state, field, parent)?;
    let shape = &state.org.objects[object];
    let Some(key) = shape.seen(name).filter(|&key| names_records(&shape.fields[key])) else {
        let message = format!("{name} is not an External ID or indexed field for {}", shape.name);
        return Err(Problem::write("INVALID_FIELD", message, &[]));
    };
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let found = match Cell::decode(&shape.fields[key], value) {
        Ok(Cell::Null) | Err(_) => Vec::new(),
        Ok(cell) => holders(state, object, key, &cell),
    };
    match found.as_slice() {
        [place] => Ok(state.tables[object].row(*place).id),
        [] => {
            let (name, entity) = (&shape.fields[key].name, &shape.name);
            let message = format!("Foreign key external ID: {shown} not found for field {name} in entity {entity}");
            Err(Problem::write("INVALID_FIELD", message, &[]))
        }
        several => Err(ambiguous(state, object, &shape.fields[key].name, several)),
    }
}

/// More than one record holds the value. Assumed: code and words.
pub(crate) fn ambiguous(state: &State, object: usize, field: &str, places: &[usize]) -> Problem {
    let ids: Vec<String> = places
        .iter()
        .map(|&place| state.tables[object].row(place).id.to_string())
        .collect();
    let message = format!(
        "{field}: more than one record found for external id field: [{}]",
        ids.join(", ")
    );
    Problem::write("DUPLICATE_EXTERNAL_ID", message, &[])
}

/// The object that holds the parent: the one that the reference leads to, or the one of several that the body names.
fn target(state: &State, field: &Field, parent: &Map<String, Value>) -> Result<usize, Problem> {
    let to = field
        .reference()
        .map(|reference| reference.to.as_slice())
        .unwrap_or_default();
    let kind = parent
        .get("attributes")
        .and_then(|attributes| attributes["type"].as_str());
    let name = match (kind, to) {
        (Some(kind), _) => to.iter().find(|name| name.eq_ignore_ascii_case(kind)),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let Some(name) = name else {
        let message = format!(
            "{}: the type of the parent must be one of: {}",
            field.label,
            to.join(", ")
        );
        return Err(Problem::write("INVALID_FIELD", message, &[&field.name]));
    };
    let missing = || Problem::not_simulated(format!("reference `{}` to {name}", field.name));
    state.org.object(name).ok_or_else(missing)
}
