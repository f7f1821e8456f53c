//! Request bodies: JSON to cells of a table (dataverse.md section 2.2).
//!
//! It checks values against their columns and lookups against the rows they point to. What a write then means is not
//! decided here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::address::decode;
use super::amount::Amount;
use super::cell::{Cell, day, moment};
use super::environment::whole_second;
use super::error::Fault;
use super::guid::Guid;
use super::key::{RowKey, set_and_key};
use super::model::{Collection, Column, Kind, Table};
use super::store::Store;

/// What a body sets.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The primary key, when the body names it.
    pub(super) key: Option<Guid>,
    /// Columns with their new values. Read-only columns are left out.
    pub(super) cells: Vec<(usize, Cell)>,
    /// Rows beside this one that the same request makes or links.
    pub(super) nested: Vec<Nested>,
}

/// What a body does to other rows, under a navigation property (dataverse.md section 2.2).
#[derive(Clone, Debug)]
pub(super) enum Nested {
    /// A new row of that table, to which a lookup of this row will point.
    One { column: usize, table: usize, draft: Draft },
    /// New rows of a collection.
    Many { collection: Collection, drafts: Vec<Draft> },
    /// Rows that are there already, for a collection.
    Linked { collection: Collection, ids: Vec<Guid> },
}

impl Draft {
    /// A body that sets one column.
    pub(super) fn of(column: usize, cell: Cell) -> Self {
        Self {
            cells: vec![(column, cell)],
            ..Self::default()
        }
    }

    /// Drops the columns of an alternate key: in a row that is there they name it and are not written
    /// (dataverse.md section 2.4).
    pub(super) fn drop_key(&mut self, key: &RowKey) {
        if let RowKey::Alternate(key) = key {
            self.cells
                .retain(|(column, _)| key.values.iter().all(|(at, _)| at != column));
        }
    }

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
            bind(store, table, (navigation, value), &mut draft)?;
        } else if !name.contains('@') {
            plain(store, table, (name, value), &mut draft)?;
        }
    }
    draft.cells.retain(|(column, _)| table.columns[*column].settable);
    Ok(draft)
}

/// One column as a body of its own: `PUT accounts(id)/name`.
pub(super) fn one_column(store: &Store, table: &Table, name: &str, value: &Value) -> Result<Draft, Fault> {
    let mut draft = Draft::default();
    plain(store, table, (name, value), &mut draft)?;
    draft.cells.retain(|(column, _)| table.columns[*column].settable);
    Ok(draft)
}

fn plain(store: &Store, table: &Table, (name, value): (&str, &Value), draft: &mut Draft) -> Result<(), Fault> {
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
        (Some(at), Value::Object(object)) => one_nested(store, table, (at, name, object), draft),
        (None, Value::Array(rows)) if table.collections.contains_key(name) => {
            many_nested(store, table, (name, rows), draft)
        }
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

/// A new row under a single-valued navigation property. Assumed: of several tables it is the first, unless the object
/// says otherwise with `@odata.type`.
fn one_nested(
    store: &Store,
    table: &Table,
    (column, name, object): (usize, &str, &Map<String, Value>),
    draft: &mut Draft,
) -> Result<(), Fault> {
    let said = object.get("@odata.type").and_then(Value::as_str);
    let said = said.map(|kind| kind.rsplit('.').next().unwrap_or_default());
    let mut ways = table.ways(name).map(|(_, way)| way);
    let way = ways.find(|way| said.is_none_or(|said| said == way.target));
    let target = way.and_then(|way| store.model().by_logical(&way.target));
    let Some(target) = target.filter(|_| table.columns[column].settable) else {
        return Err(Fault::NotSimulated(format!("deep insert of `{name}`")));
    };
    writable(target)?;
    let inner = self::draft(store, target, object)?;
    draft.nested.push(Nested::One {
        column,
        table: target.index,
        draft: inner,
    });
    Ok(())
}

/// New rows under a collection-valued navigation property.
fn many_nested(store: &Store, table: &Table, (name, rows): (&str, &[Value]), draft: &mut Draft) -> Result<(), Fault> {
    let collection = table.collections[name].clone();
    let target = &store.model().tables()[collection.table];
    writable(target)?;
    let mut drafts = Vec::with_capacity(rows.len());
    for row in rows {
        let Value::Object(row) = row else {
            return Err(Fault::payload(
                &table.set,
                format!("The value of '{name}' is not an array of objects."),
            ));
        };
        drafts.push(self::draft(store, target, row)?);
    }
    draft.nested.push(Nested::Many { collection, drafts });
    Ok(())
}

/// Whether requests may write rows of a table.
pub(super) fn writable(table: &Table) -> Result<(), Fault> {
    if table.writable {
        Ok(())
    } else {
        Err(Fault::NotSimulated(format!("writing to `{}`", table.set)))
    }
}

fn is_lookup_name(table: &Table, name: &str) -> bool {
    table
        .columns
        .iter()
        .any(|column| column.kind == Kind::Lookup && column.name == name)
}

/// `X@odata.bind`: a reference to a row, or null to clear it, or several references for a collection.
fn bind(store: &Store, table: &Table, (name, value): (&str, &Value), draft: &mut Draft) -> Result<(), Fault> {
    let not_a_string = || Fault::payload(&table.set, format!("The value of '{name}@odata.bind' is not a string."));
    let Some((at, _)) = table.navigation(name) else {
        let Some(collection) = table.collections.get(name) else {
            return Err(undeclared(table, name));
        };
        let references = value.as_array().ok_or_else(not_a_string)?;
        let target = &store.model().tables()[collection.table];
        let ids = references.iter().map(|reference| {
            let reference = reference.as_str().ok_or_else(not_a_string)?;
            Ok(row_of(store, &table.set, &[target], reference)?.1)
        });
        draft.nested.push(Nested::Linked {
            collection: collection.clone(),
            ids: ids.collect::<Result<_, Fault>>()?,
        });
        return Ok(());
    };
    match value {
        Value::Null => draft.cells.push((at, Cell::Null)),
        Value::String(reference) if table.columns[at].settable => {
            draft
                .cells
                .push((at, Cell::Guid(target(store, table, name, reference)?)));
        }
        Value::String(_) => return Err(Fault::NotSimulated(format!("`{name}@odata.bind`"))),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => return Err(not_a_string()),
    }
    Ok(())
}

fn undeclared(table: &Table, name: &str) -> Fault {
    Fault::payload(
        &table.set,
        format!(
            "An undeclared property '{name}' which only has property annotations in the payload but no property value \
             was found in the payload. In OData, only declared navigation properties and declared named streams can be \
             represented as properties without values."
        ),
    )
}

/// The row to which a lookup is bound under one of its names.
pub(super) fn target(store: &Store, table: &Table, name: &str, reference: &str) -> Result<Guid, Fault> {
    let model = store.model();
    let targets: Vec<&Table> = table
        .ways(name)
        .filter_map(|(_, way)| model.by_logical(&way.target))
        .collect();
    if targets.is_empty() {
        let way = table.navigation(name).map_or("", |(_, way)| way.target.as_ref());
        return Err(Fault::NotSimulated(format!("table `{way}` as the target of a lookup")));
    }
    row_of(store, &table.set, &targets, reference).map(|(_, id)| id)
}

/// The row that a reference names, one of these tables (dataverse.md section 2.2): its table and its identifier.
pub(super) fn row_of<'t>(
    store: &Store,
    set: &str,
    targets: &[&'t Table],
    reference: &str,
) -> Result<(&'t Table, Guid), Fault> {
    if reference.starts_with('$') {
        return Err(Fault::ContentId(reference.to_owned()));
    }
    let wrong = || {
        let sets: Vec<&str> = targets.iter().map(|target| target.set.as_ref()).collect();
        let inner = format!(
            "The reference '{reference}' does not name a row of '{}'.",
            sets.join("' or '")
        );
        Fault::payload(set, inner)
    };
    let decoded = decode(reference, false).ok_or_else(wrong)?;
    let (named, key) = set_and_key(&decoded).ok_or_else(wrong)?;
    let target = targets.iter().find(|target| target.set == named).ok_or_else(wrong)?;
    let key = match RowKey::parse(target, key) {
        Err(Fault::Query(_)) => return Err(wrong()),
        other => other?,
    };
    Ok((*target, key.existing(store, target)?))
}

/// A JSON value as a cell of a column.
pub(super) fn fit(table: &Table, column: &Column, value: &Value) -> Result<Cell, Fault> {
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
        (Kind::Key | Kind::Guid | Kind::Lookup, Value::String(text)) => {
            Guid::parse(text).map(Cell::Guid).ok_or_else(wrong)
        }
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

/// An amount as a cell, within ± the bound of its column.
pub(super) fn bounded(table: &Table, column: &Column, amount: Amount, bound: i64) -> Result<Cell, Fault> {
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
