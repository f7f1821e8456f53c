//! Request bodies: JSON to cells of a table (dataverse.md section 2.2).
//!
//! It checks values against their columns and lookups against the rows they point to. What a write then means is not
//! decided here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::amount::Amount;
use super::cell::{Cell, day, moment};
use super::environment::whole_second;
use super::error::Fault;
use super::guid::Guid;
use super::model::{Column, Kind, Navigation, Table};
use super::store::Store;

/// What a body sets.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The primary key, when the body names it.
    pub(super) key: Option<Guid>,
    /// Columns with their new values. Read-only columns are left out.
    pub(super) cells: Vec<(usize, Cell)>,
}

impl Draft {
    /// The value set for a column.
    pub(super) fn get(&self, column: usize) -> Option<&Cell> {
        self.cells
            .iter()
            .rev()
            .find(|(at, _)| *at == column)
            .map(|(_, cell)| cell)
    }
}

/// Reads a JSON object.
pub(super) fn object(set: &str, bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Fault::payload(set, "The request body is not a JSON object.")),
        Err(error) => Err(Fault::payload(set, format!("Invalid JSON. {error}"))),
    }
}

/// Reads a row's object.
///
/// Assumed: values for read-only columns are ignored, as clients that send a whole row back rely on.
pub(super) fn draft(store: &Store, table: &Table, object: &Map<String, Value>) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    for (name, value) in object {
        if let Some(navigation) = name.strip_suffix("@odata.bind") {
            draft.cells.push(bind(store, table, navigation, value)?);
        } else if !name.contains('@') {
            plain(table, name, value, &mut draft)?;
        }
    }
    draft.cells.retain(|(column, _)| table.columns[*column].settable);
    Ok(draft)
}

fn plain(table: &Table, name: &str, value: &Value, draft: &mut Draft) -> Result<(), Fault> {
    if let Some(at) = table.column(name) {
        let column = &table.columns[at];
        if column.kind == Kind::Lookup {
            return Err(Fault::DirectReference);
        }
        if column.kind == Kind::Key {
            draft.key = fit(table, column, value)?.guid();
        } else if column.settable {
            draft.cells.push((at, fit(table, column, value)?));
        }
        return Ok(());
    }
    let lookup = table.navigation(name).map(|(at, _)| at);
    match (lookup, value) {
        (Some(at), Value::Null) => {
            draft.cells.push((at, Cell::Null));
            Ok(())
        }
        (_, Value::Object(_) | Value::Array(_)) => Err(Fault::NotSimulated(format!("deep insert of `{name}`"))),
        (Some(_), _) => Err(Fault::DirectReference),
        (None, _) if is_lookup_name(table, name) && !value.is_null() => Err(Fault::DirectReference),
        (None, _) => Err(Fault::payload(
            &table.set,
            format!(
                "Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{}'.",
                table.logical
            ),
        )),
    }
}

fn is_lookup_name(table: &Table, name: &str) -> bool {
    table
        .columns
        .iter()
        .any(|column| column.kind == Kind::Lookup && column.name == name)
}

/// `X@odata.bind`: a reference to a row, or null to clear it.
fn bind(store: &Store, table: &Table, name: &str, value: &Value) -> Result<(usize, Cell), Fault> {
    let Some((at, navigation)) = table.navigation(name) else {
        return Err(Fault::payload(
            &table.set,
            format!(
                "An undeclared property '{name}' which only has property annotations in the payload but no property \
                 value was found in the payload. In OData, only declared navigation properties and declared named \
                 streams can be represented as properties without values."
            ),
        ));
    };
    match value {
        Value::Null => Ok((at, Cell::Null)),
        Value::String(reference) if table.columns[at].settable => {
            Ok((at, Cell::Guid(target(store, table, navigation, reference)?)))
        }
        Value::String(_) => Err(Fault::NotSimulated(format!("`{name}@odata.bind`"))),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(Fault::payload(
            &table.set,
            format!("The value of '{name}@odata.bind' is not a string."),
        )),
    }
}

/// The row that a reference names: `/contacts(id)`, `contacts(id)`, or an absolute URL (dataverse.md section 2.2).
fn target(store: &Store, table: &Table, navigation: &Navigation, reference: &str) -> Result<Guid, Fault> {
    if reference.starts_with('$') {
        return Err(Fault::ContentId(reference.to_owned()));
    }
    let Some(target) = store.model().by_logical(&navigation.target) else {
        return Err(Fault::NotSimulated(format!(
            "table `{}` as the target of a lookup",
            navigation.target
        )));
    };
    let last = reference.rsplit('/').next().unwrap_or_default();
    let wrong = || {
        let inner = format!("The reference '{reference}' does not name a row of '{}'.", target.set);
        Fault::payload(&table.set, inner)
    };
    let (set, key) = last
        .strip_suffix(')')
        .and_then(|last| last.split_once('('))
        .ok_or_else(wrong)?;
    if set != target.set {
        return Err(wrong());
    }
    let Some(id) = Guid::parse(key) else {
        let alternate = key.contains(['=', '\'']);
        return Err(if alternate {
            Fault::NotSimulated(format!("key `({key})`"))
        } else {
            wrong()
        });
    };
    match store.row(target, id) {
        Some(_) => Ok(id),
        None => Err(Fault::no_such_row(&target.logical, id)),
    }
}

/// A JSON value as a cell of a column.
fn fit(table: &Table, column: &Column, value: &Value) -> Result<Cell, Fault> {
    let wrong = || {
        let literal = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let expected = column.kind.edm();
        Fault::payload(
            &table.set,
            format!("Cannot convert the literal '{literal}' to the expected type '{expected}'."),
        )
    };
    match (column.kind, value) {
        (Kind::Key | Kind::State | Kind::Status, Value::Null) => Err(wrong()),
        (_, Value::Null) => Ok(Cell::Null),
        (Kind::Key | Kind::Guid, Value::String(text)) => Guid::parse(text).map(Cell::Guid).ok_or_else(wrong),
        (Kind::Text { max }, Value::String(text)) => short(table, column, text, max),
        (Kind::Bool, Value::Bool(yes)) => Ok(Cell::Bool(*yes)),
        (Kind::Int { min, max }, Value::Number(_)) => {
            let number = int32(value).ok_or_else(wrong)?;
            in_range(table, column, number, (min, max))
        }
        (Kind::Choice { set }, Value::Number(_)) => {
            let number = int32(value).ok_or_else(wrong)?;
            chosen(table, column, number, set.values.iter().copied())
        }
        (Kind::State, Value::Number(_)) => {
            let number = int32(value).ok_or_else(wrong)?;
            chosen(table, column, number, table.states.iter().map(|state| state.code))
        }
        (Kind::Status, Value::Number(_)) => {
            let number = int32(value).ok_or_else(wrong)?;
            chosen(
                table,
                column,
                number,
                table.states.iter().flat_map(|state| &state.statuses).copied(),
            )
        }
        (Kind::Money { bound }, Value::Number(number)) => {
            let amount = Amount::parse(&number.to_string()).ok_or_else(wrong)?;
            bounded(table, column, amount, bound)
        }
        (Kind::Decimal { places, bound }, Value::Number(number)) => {
            let amount = Amount::parse(&number.to_string()).ok_or_else(wrong)?;
            bounded(table, column, amount.rounded(places), bound)
        }
        (Kind::Date, Value::String(text)) => day(text).map(Cell::Date).ok_or_else(wrong),
        (Kind::Time, Value::String(text)) => day_or_moment(text).map(Cell::Time).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// Assumed: empty text is no value.
fn short(table: &Table, column: &Column, text: &str, max: usize) -> Result<Cell, Fault> {
    // A text of so many bytes never has more UTF-16 units.
    if text.len() > max && text.encode_utf16().count() > max {
        return Err(Fault::TooLong {
            table: table.logical.to_string(),
            column: column.name.to_string(),
            max,
        });
    }
    Ok(if text.is_empty() { Cell::Null } else { Cell::text(text) })
}

fn int32(value: &Value) -> Option<i64> {
    value.as_i64().filter(|number| i32::try_from(*number).is_ok())
}

fn in_range(table: &Table, column: &Column, value: i64, (min, max): (i64, i64)) -> Result<Cell, Fault> {
    if (min..=max).contains(&value) {
        return Ok(Cell::Int(value));
    }
    Err(Fault::IntRange {
        table: table.logical.to_string(),
        column: column.name.to_string(),
        value,
        min,
        max,
    })
}

fn chosen(
    table: &Table,
    column: &Column,
    value: i64,
    mut values: impl Iterator<Item = i64> + Clone,
) -> Result<Cell, Fault> {
    let accepted = values.clone();
    if values.any(|known| known == value) {
        return Ok(Cell::Int(value));
    }
    Err(Fault::NoSuchChoice {
        table: table.logical.to_string(),
        column: column.name.to_string(),
        value,
        accepted: accepted.map(|value| value.to_string()).collect::<Vec<_>>().join(","),
    })
}

fn bounded(table: &Table, column: &Column, amount: Amount, bound: i64) -> Result<Cell, Fault> {
    if (Amount::whole(-bound)..=Amount::whole(bound)).contains(&amount) {
        return Ok(Cell::Amount(amount));
    }
    let money = matches!(column.kind, Kind::Money { .. });
    Err(Fault::AmountRange {
        table: table.logical.to_string(),
        column: column.name.to_string(),
        value: amount.with_places(4).to_string(),
        kind: if money {
            "Microsoft.Xrm.Sdk.Money"
        } else {
            "System.Decimal"
        },
        min: -bound,
        max: bound,
    })
}

/// A moment in whole seconds. Assumed: a bare day is taken too, as its midnight in UTC.
fn day_or_moment(text: &str) -> Option<Timestamp> {
    let midnight = |day: jiff::civil::Date| day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    moment(text).map(whole_second).or_else(|| midnight(day(text)?))
}
