//! Who is told of a write: callback registrations, as the Power Automate trigger makes them, and webhook steps
//! (dataverse.md section 4).
//!
//! It decides what is owed. Whoever brings webhooks brings it, when the request is over.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::cell::Cell;
use super::environment::{Caller, State};
use super::error::Fault;
use super::guid::Guid;
use super::model::Table;
use super::store::{Row, Store};
use crate::happening::{Hook, Manner};
use crate::site::Site;

mod callback;
mod context;
mod step;

/// How long a receiver may take (dataverse.md section 4.2). Assumed: callbacks wait as long.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Create,
    Update,
    Delete,
}

impl Message {
    /// Its name.
    fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }
}

/// One row that was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub(super) message: Message,
    pub(super) table: &'a Table,
    /// As it is now; as it was, when it was deleted.
    pub(super) row: &'a Row,
    /// The columns that the request set, changed or not.
    pub(super) present: &'a [usize],
    pub(super) at: Timestamp,
}

impl Written<'_> {
    /// Whether one of the columns of a comma-separated list was set. An empty list stands for all.
    fn touches(&self, filtering: Option<&str>) -> bool {
        let names: Vec<&str> = filtering
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        names.is_empty()
            || self
                .present
                .iter()
                .any(|column| names.contains(&self.table.columns[*column].name.as_ref()))
    }
}

/// Whether anybody registered for anything.
pub(super) fn anyone(store: &Store) -> bool {
    let tables = ["callbackregistration", "sdkmessageprocessingstep"].into_iter();
    let mut tables = tables.filter_map(|name| store.model().by_logical(name));
    tables.any(|table| store.rows(table).next().is_some())
}

/// Checks a registration before it is stored. Rows of other tables pass.
pub(super) fn check(store: &Store, table: &Table, row: &Row) -> Result<(), Fault> {
    match table.logical.as_ref() {
        "callbackregistration" => callback::check(store, table, row),
        "serviceendpoint" | "sdkmessageprocessingstep" => step::check(store, table, row),
        _ => Ok(()),
    }
}

/// The webhooks that a write owes, in the order of their registrations.
pub(super) fn owed(state: &mut State, caller: &Caller, written: Written<'_>) -> Vec<Hook> {
    if written.table.setup || written.table.intersect {
        return Vec::new();
    }
    let mut hooks = callback::owed(state, caller, written);
    hooks.extend(step::owed(state, caller, written));
    hooks
}

fn hook(kind: &str, url: String, body: String, headers: Vec<(String, String)>, written: Written<'_>) -> Hook {
    Hook {
        event: format!("{kind} {} {}", written.table.logical, written.message.name()),
        url,
        body,
        signature_in_ms_header: false,
        at: written.at,
        number: None,
        manner: Some(Arc::new(Manner {
            site: Site::Dataverse,
            headers,
            timeout: PATIENCE,
        })),
    }
}

/// The rows of a table, oldest first.
fn rows<'s>(state: &'s State, table: &str) -> Vec<&'s Row> {
    let Some(table) = state.store.model().by_logical(table) else {
        return Vec::new();
    };
    let mut rows: Vec<&Row> = state.store.rows(table).collect();
    rows.sort_by(|one, other| one.cells[table.system.created_on].cmp(&other.cells[table.system.created_on]));
    rows
}

/// One row's cells by the names of their columns.
struct Named<'s> {
    table: &'s Table,
    row: &'s Row,
}

impl Named<'_> {
    fn cell(&self, name: &str) -> &Cell {
        self.table
            .column(name)
            .map_or(&Cell::Null, |column| &self.row.cells[column])
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.cell(name).as_text()
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.cell(name).int()
    }

    fn guid(&self, name: &str) -> Option<Guid> {
        self.cell(name).guid()
    }
}
