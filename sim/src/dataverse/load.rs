//! An environment from printed rows, as a dump of the state holds them.
//!
//! No rule of the API is asked: what was stored once is stored again. A row that would print otherwise than it was given is
//! refused, so a load is exact or does not happen. Identifiers of requests are not part of it.

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::Dataverse;
use super::amount::Amount;
use super::cell::{Cell, day, moment};
use super::guid::Guid;
use super::model::{Column, Kind, Table};
use super::store::{Row, Store};
use super::write;
use crate::happening::{self, LoadError};

impl Dataverse {
    /// Stores dumped rows in the place of all that is there; gives back how many. Rows are told apart by their position in
    /// `rows`, where an error names one.
    pub fn load(&self, rows: &[(usize, happening::Row)]) -> Result<usize, LoadError> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let model = Arc::clone(state.store.model());
        let mut store = Store::new(Arc::clone(&model));
        let (mut last_version, mut base_currency) = (0, None);
        for (number, given) in rows {
            let wrong = |field: &str, expected: &str| LoadError::new(*number, field, expected);
            let table = model.by_logical(&given.table);
            let table = table.ok_or_else(|| wrong("/table", "a table of this environment"))?;
            let row = row_of(table, given).map_err(|(field, expected)| wrong(&field, &expected))?;
            last_version = last_version.max(row.cells[table.system.version].int().unwrap_or_default());
            let code = table
                .column("isocurrencycode")
                .and_then(|column| row.cells[column].as_text());
            if code == Some("USD") {
                base_currency = Some(row.id);
            }
            store.put(table, row);
        }
        let missing = || {
            LoadError::new(
                rows.len(),
                "/rows",
                "a row of `transactioncurrency` with USD, the base currency",
            )
        };
        state.base_currency = base_currency.ok_or_else(missing)?;
        // Set-up is not in a dump: users, roles and registrations stay what they are.
        for table in model.tables().iter().filter(|table| table.setup) {
            state
                .store
                .rows(table)
                .filter(|row| store.row(table, row.id).is_none())
                .cloned()
                .collect::<Vec<Row>>()
                .into_iter()
                .for_each(|row| store.put(table, row));
        }
        store.settle();
        state.store = store;
        state.forget_answers();
        state.next_version = state.next_version.max(last_version + 1);
        // The same seed would draw the identifiers that have just been loaded.
        let label = format!("dataverse ids after {} loaded", rows.len());
        state.ids = self.0.ground.seed.stream(&label);
        Ok(rows.len())
    }
}

type Wrong = (String, String);

fn row_of(table: &Table, given: &happening::Row) -> Result<Row, Wrong> {
    let id = Guid::parse(&given.id).ok_or_else(|| ("/id".to_owned(), "a guid".to_owned()))?;
    let mut cells = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let value = given.fields.get(&*column.wire).unwrap_or(&Value::Null);
        let wrong = || {
            (
                format!("/fields/{}", column.wire),
                format!("a value of type {}", column.kind.edm()),
            )
        };
        cells.push(cell_of(column, value).ok_or_else(wrong)?);
    }
    let row = Row { id, cells };
    let again = write::fields(table, &row);
    if let Some(name) = given.fields.keys().find(|name| !again.contains_key(*name)) {
        return Err((format!("/fields/{name}"), "no such column".to_owned()));
    }
    let differs = again
        .iter()
        .find(|(name, value)| given.fields.get(*name) != Some(value));
    match differs {
        Some((name, value)) => Err((
            format!("/fields/{name}"),
            format!("{value}, or another value that is stored so"),
        )),
        None => Ok(row),
    }
}

fn cell_of(column: &Column, value: &Value) -> Option<Cell> {
    if value.is_null() {
        return Some(Cell::Null);
    }
    match column.kind {
        Kind::Key | Kind::Lookup | Kind::Guid => Guid::parse(value.as_str()?).map(Cell::Guid),
        Kind::Text { .. } | Kind::Choices { .. } => value.as_str().map(Cell::text),
        Kind::Bool => value.as_bool().map(Cell::Bool),
        Kind::Int { .. } | Kind::Choice { .. } | Kind::State | Kind::Status | Kind::Version => {
            value.as_i64().map(Cell::Int)
        }
        Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. } => {
            Amount::parse(&value.as_number()?.to_string()).map(Cell::Amount)
        }
        Kind::Date => day(value.as_str()?).map(Cell::Date),
        Kind::Time => moment(value.as_str()?).map(Cell::Time),
    }
}
