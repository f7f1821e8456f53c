//! The whole org as rows, and an org from such rows: what a dump of the state holds.
//!
//! No rule of the API is asked: what was stored once is stored again. A row that would print otherwise than it was given is
//! refused, so a load is exact or does not happen. Query cursors and the count of today's calls are not part of it.

use std::sync::Arc;

use super::Salesforce;
use super::cell::Cell;
use super::id::{Id, Mint};
use super::kind::Kind;
use super::model::Object;
use super::print;
use super::state::State;
use super::store::{Row, Table};
use crate::happening::{self, LoadError};
use crate::site::Site;

impl Salesforce {
    /// Every row there is: records, the recycle bin, people, stages, the organization itself; by object and identifier.
    pub fn dump(&self) -> Vec<happening::Row> {
        let state = self.lock();
        let objects = state.org.objects.iter().zip(&state.tables);
        objects
            .flat_map(|(shape, table)| {
                table.rows().iter().map(|row| happening::Row {
                    site: Site::Salesforce,
                    table: shape.name.clone(),
                    id: row.id.to_string(),
                    fields: print::fields(shape, row),
                })
            })
            .collect()
    }

    /// Stores dumped rows in the place of all that is there; gives back how many. Rows are told apart by their position in
    /// `rows`, where an error names one.
    pub fn load(&self, rows: &[(usize, happening::Row)]) -> Result<usize, LoadError> {
        let mut state = self.lock();
        let org = Arc::clone(&state.org);
        let mut read: Vec<Vec<Row>> = org.objects.iter().map(|_| Vec::new()).collect();
        for (number, given) in rows {
            let wrong = |field: &str, expected: &str| LoadError::new(*number, field, expected);
            let object = org
                .object(&given.table)
                .ok_or_else(|| wrong("/table", "an object of this org"))?;
            let row = row_of(&org.objects[object], given).map_err(|(field, expected)| wrong(&field, &expected))?;
            if !of_this_instance(&state.mint, row.id) {
                let expected = "an identifier of the org that the seed makes: load the dump with its `seed`";
                return Err(wrong("/id", expected));
            }
            read[object].push(row);
        }
        let mut tables = Vec::with_capacity(read.len());
        for (shape, mut rows) in org.objects.iter().zip(read) {
            rows.sort_by_key(|row| row.id);
            tables.push(table_of(shape, rows));
        }
        state.tables = tables;
        // Revisions begin anew, and may come to those of what was kept.
        state.memo.forget();
        take_up(&mut state, rows.len());
        Ok(rows.len())
    }
}

/// Lets the org go on behind the rows that it has now.
fn take_up(state: &mut State, count: usize) {
    let organization = state.object("Organization");
    if let Some(row) = state.tables[organization].rows().first() {
        state.organization = row.id;
    }
    // The first number of a table without rows would otherwise be the one that the dumped org gave out first.
    state.mint.skip(count);
}

type Wrong = (String, String);

fn row_of(shape: &Object, given: &happening::Row) -> Result<Row, Wrong> {
    let id = Id::parse(&given.id).filter(|id| id.prefix() == shape.prefix);
    let id = id.ok_or_else(|| ("/id".to_owned(), "an identifier of the object".to_owned()))?;
    let mut cells = Vec::with_capacity(shape.fields.len());
    for field in &shape.fields {
        let value = given.fields.get(&field.name).unwrap_or(&serde_json::Value::Null);
        // An address is printed from the fields that it is made of.
        let cell = if value.is_null() || field.kind == Kind::Address {
            Ok(Cell::Null)
        } else {
            Cell::decode(field, value)
        };
        let wrong = |_| {
            (
                format!("/fields/{}", field.name),
                format!("a value of type {}", field.kind.soap_name()),
            )
        };
        cells.push(cell.map_err(wrong)?);
    }
    let deleted = shape.system.deleted.is_some_and(|place| cells[place].is_true());
    let row = Row { id, deleted, cells };
    let again = print::fields(shape, &row);
    if let Some(name) = given.fields.keys().find(|name| !again.contains_key(*name)) {
        return Err((format!("/fields/{name}"), "no such field".to_owned()));
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

fn table_of(shape: &Object, rows: Vec<Row>) -> Table {
    let mut table = Table::new(shape);
    table.last_number = rows.last().map(|row| number_of(row.id));
    for row in rows {
        table.push(row);
    }
    table
}

/// The number behind an identifier: what [`Mint::id`] made it from.
fn number_of(id: Id) -> u64 {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => letter - b'0',
        b'A'..=b'Z' => letter - b'A' + 10,
        _ => letter.wrapping_sub(b'a').wrapping_add(36),
    };
    let digits = id.short().bytes().skip(6);
    digits.fold(0_u64, |number, letter| {
        number.wrapping_mul(62).wrapping_add(u64::from(digit(letter)))
    })
}

/// Identifiers rise within a table only while all of them name the same instance.
fn of_this_instance(mint: &Mint, id: Id) -> bool {
    mint.id(*b"000", 0).short().get(3..6) == id.short().get(3..6)
}
