//! Callback registrations: the trigger "When a row is added, modified or deleted" (dataverse.md section 4.1).
//!
//! Documented: a registration fires once for each write, when one of its columns is in the update even if its value stays;
//! columns count for updates only; the expression is held against the row after the write; nothing is left out because it
//! came before; a deletion carries the identifier alone.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::environment::{Caller, State};
use super::super::error::Fault;
use super::super::filter::bind::bind;
use super::super::filter::eval::Condition;
use super::super::filter::operator::{Asking, Scope};
use super::super::filter::parse;
use super::super::guid::Guid;
use super::super::model::Table;
use super::super::store::{Row, Store, fields};
use super::{Message, Named, Written, hook, rows};
use crate::happening::Hook;

/// What registrations owe for a write.
pub(super) fn owed(state: &State, caller: &Caller, written: Written<'_>) -> Vec<Hook> {
    let table = state.store.model().expect("callbackregistration");
    let registered = rows(state, "callbackregistration")
        .into_iter()
        .map(|row| Named { table, row });
    let wanting = registered.filter(|registration| wants(state, caller, registration, written));
    wanting
        .filter_map(|registration| call(caller, &registration, written))
        .collect()
}

/// Checks a registration before it is stored. Assumed: an expression that cannot be read is refused here, and a table that
/// is not there.
pub(super) fn check(store: &Store, table: &Table, row: &Row) -> Result<(), Fault> {
    let registration = Named { table, row };
    let name = registration.text("entityname").unwrap_or_default();
    let Some(target) = store.model().by_logical(name) else {
        return Err(Fault::Argument(format!(
            "The entity with a name = '{name}' was not found in the MetadataCache."
        )));
    };
    if let Some(text) = registration.text("filterexpression") {
        let asking = Asking {
            now: Timestamp::UNIX_EPOCH,
            user: Guid::FIRST,
            unit: Guid::FIRST,
            roles: Vec::new(),
        };
        read(store, target, &asking, text)?;
    }
    if registration.text("postponeuntil").is_some() {
        return Err(Fault::NotSimulated("a callback that is postponed".to_owned()));
    }
    Ok(())
}

fn wants(state: &State, caller: &Caller, registration: &Named<'_>, written: Written<'_>) -> bool {
    let messages: &[Message] = match registration.int("message") {
        Some(1) => &[Message::Create],
        Some(2) => &[Message::Delete],
        Some(3) => &[Message::Update],
        Some(4) => &[Message::Create, Message::Update],
        Some(5) => &[Message::Create, Message::Delete],
        Some(6) => &[Message::Update, Message::Delete],
        Some(7) => &[Message::Create, Message::Update, Message::Delete],
        _ => &[],
    };
    let owner = written.table.system.owner.map(|owner| &written.row.cells[owner.id]);
    let own = owner.is_some_and(|owner| owner == registration.cell("_ownerid_value"));
    registration.text("entityname") == Some(&*written.table.logical)
        && messages.contains(&written.message)
        // There is one business unit, so every wider scope holds all rows.
        && (registration.int("scope") != Some(1) || own)
        && (written.message != Message::Update || written.touches(registration.text("filteringattributes")))
        && (written.message == Message::Delete || fulfils(state, caller, registration.text("filterexpression"), written))
}

fn fulfils(state: &State, caller: &Caller, expression: Option<&str>, written: Written<'_>) -> bool {
    let Some(text) = expression else { return true };
    let asking = Asking {
        now: written.at,
        user: caller.id,
        unit: state.organisation.business_unit,
        // An expression is the registration's, not the caller's: what the caller may read is no concern of it.
        roles: Vec::new(),
    };
    let condition = read(&state.store, written.table, &asking, text);
    condition.is_ok_and(|condition| condition.holds(&state.store, &written.row.cells))
}

fn read(store: &Store, table: &Table, asking: &Asking, text: &str) -> Result<Condition, Fault> {
    let scope = Scope { store, asking, table };
    bind(scope, &parse::filter(text, &parse::Aliases::new())?)
}

/// The call. Assumed: its body, which is what a run shows as the trigger's output, and its headers: the real ones were not
/// found.
fn call(caller: &Caller, registration: &Named<'_>, written: Written<'_>) -> Option<Hook> {
    let table = written.table;
    let mut body = Map::new();
    if written.message == Message::Delete {
        body.insert(
            table.columns[0].wire.to_string(),
            Value::from(written.row.id.to_string()),
        );
    } else {
        let columns = fields(table, written.row).into_iter();
        body.extend(columns.filter(|(_, value)| !value.is_null()));
    }
    body.insert("SdkMessage".to_owned(), Value::from(written.message.name()));
    let owner = table.system.owner.and_then(|owner| written.row.cells[owner.id].guid());
    let runs_as = match registration.int("runas") {
        Some(1) => Some(caller.id),
        Some(2) => owner,
        _ => registration.guid("_ownerid_value"),
    };
    let runs_as = runs_as.map_or(Value::Null, |id| Value::from(id.to_string()));
    body.insert("RunAsSystemUserId".to_owned(), runs_as);
    let url = registration.text("url")?.to_owned();
    let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    Some(hook("callback", url, Value::Object(body).to_string(), headers, written))
}
