//! What follows from a write inside its row: states, money in two currencies, composed columns
//! (dataverse.md sections 2.10 and 6).
//!
//! It stores nothing.

use super::amount::Amount;
use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::model::{Column, Kind, Required, State, Table};
use super::payload::Draft;
use super::store::Store;

/// Precision of the base currency.
const BASE_PRECISION: u32 = 2;

/// State and status of a new row: always the first state, whatever the body says of it (`statecode` is not valid for
/// create).
pub(super) fn state_of_new(table: &Table, draft: &Draft, id: Guid) -> Result<Option<(i64, i64)>, Fault> {
    let (Some(first), Some((_, column))) = (table.states.first(), table.system.state) else {
        return Ok(None);
    };
    let status = draft.get(column).and_then(Cell::int).unwrap_or(first.statuses[0]);
    fitting(table, first, status, id).map(Some)
}

/// State and status after an update.
///
/// A state that an action guards is left by a reopen only, and reached by its action only. Assumed: while a row is in
/// such a state every other update is refused, unless `locked` is off; and the documented "already open" answers an
/// update that sets state and status alone, to what they are.
pub(super) fn state_of_updated(
    table: &Table,
    (id, cells): (Guid, &[Cell]),
    draft: &Draft,
    locked: bool,
) -> Result<Option<(i64, i64)>, Fault> {
    let Some((state_column, status_column)) = table.system.state else {
        return Ok(None);
    };
    let number = |column: usize| cells[column].int().unwrap_or(0);
    let (state, status) = (number(state_column), number(status_column));
    let Some(current) = table.state(state) else {
        return Ok(None);
    };
    let wanted_state = draft.get(state_column).and_then(Cell::int);
    let wanted_status = draft.get(status_column).and_then(Cell::int);
    let target = wanted_state.and_then(|code| table.state(code)).unwrap_or(current);
    if let Some(action) = target.action.filter(|_| target.code != current.code) {
        return Err(Fault::UseMessage(action));
    }
    if current.action.is_some() && target.code == current.code && locked {
        return Err(Fault::ReadOnlyRow);
    }
    let guarded = table.states.iter().any(|state| state.action.is_some());
    let only_states = draft
        .cells
        .iter()
        .all(|(at, _)| *at == state_column || *at == status_column);
    let changes_nothing = wanted_state == Some(state) && wanted_status.is_none_or(|wanted| wanted == status);
    if guarded && current.action.is_none() && only_states && changes_nothing {
        return Err(Fault::AlreadyOpen);
    }
    let kept = if target.code == current.code {
        status
    } else {
        target.statuses[0]
    };
    fitting(table, target, wanted_status.unwrap_or(kept), id).map(Some)
}

/// What a table demands of a row beyond its columns, before it is stored (dataverse.md sections 3.2 and 6).
///
/// Assumed: which of the platform's columns must have a value, and the refusal of a row without.
pub(super) fn demands(store: &Store, table: &Table, id: Guid, cells: &[Cell]) -> Result<(), Fault> {
    let must = |column: &&Column| column.required == Required::System && column.settable;
    let columns = table.columns.iter().zip(cells).filter(|(column, _)| must(column));
    let without = columns
        .map(|(column, cell)| (column, cell.is_null()))
        .find(|(_, null)| *null);
    if let Some((column, _)) = without {
        return Err(Fault::Argument(format!(
            "Required member '{}' missing for entity '{}'.",
            column.name, table.logical
        )));
    }
    let of = |name: &str| &cells[table.expect(name)];
    match table.logical.as_ref() {
        "transactioncurrency" => {
            let code = (table.expect("isocurrencycode"), of("isocurrencycode").clone());
            if store
                .holding(table, std::slice::from_ref(&code))
                .iter()
                .any(|other| *other != id)
            {
                let code = code.1.as_text().unwrap_or_default().to_owned();
                return Err(Fault::DuplicateCurrency(code));
            }
        }
        "opportunity" => {
            let lists = store.model().expect("pricelevel");
            let list = of("_pricelevelid_value").guid().and_then(|id| store.row(lists, id));
            let currency = list.map(|list| &list.cells[lists.expect("_transactioncurrencyid_value")]);
            if currency.is_some_and(|currency| !currency.is_null() && currency != of("_transactioncurrencyid_value")) {
                return Err(Fault::CurrencyMismatch);
            }
        }
        "opportunityproduct" if !of("_productid_value").is_null() => {
            let deals = store.model().expect("opportunity");
            let deal = of("_opportunityid_value").guid().and_then(|id| store.row(deals, id));
            if deal.is_some_and(|deal| deal.cells[deals.expect("_pricelevelid_value")].is_null()) {
                return Err(Fault::PriceListMissing);
            }
        }
        _ => {}
    }
    Ok(())
}

/// The pair, when the status belongs to the state.
pub(super) fn fitting(table: &Table, state: &State, status: i64, id: Guid) -> Result<(i64, i64), Fault> {
    if state.statuses.contains(&status) {
        return Ok((state.code, status));
    }
    Err(Fault::StatusOfState {
        status,
        state: format!("{}State.{}", capitalised(&table.logical), state.name),
        table: table.logical.to_string(),
        id,
    })
}

fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Puts money in order after a write: a currency, amounts at its precision, the base amounts and the rate.
///
/// Assumed: a row without a currency gets the environment's base currency; amounts are rounded to the precision of the
/// row's currency; the rate is taken anew whenever money or currency changes.
pub(super) fn settle_money(store: &Store, table: &Table, before: Option<&[Cell]>, cells: &mut [Cell], base: Guid) {
    let Some((currency, rate)) = table.system.currency else {
        return;
    };
    let money = |kind: Kind| matches!(kind, Kind::Money { .. });
    let is_new = |at: usize| before.is_none_or(|before| before[at] != cells[at]);
    let columns = table.columns.iter().enumerate();
    let mut changed = columns
        .filter(|(at, column)| *at == currency || money(column.kind))
        .map(|(at, _)| at);
    if !changed.any(is_new) {
        return;
    }
    if cells[currency].is_null() {
        cells[currency] = Cell::Guid(base);
    }
    let (factor, precision) = rate_and_precision(store, cells[currency].guid().unwrap_or(base));
    cells[rate] = Cell::Amount(factor);
    for (at, column) in table.columns.iter().enumerate() {
        if !money(column.kind) {
            continue;
        }
        let amount = cells[at].amount().map(|amount| amount.rounded(precision));
        cells[at] = amount.map_or(Cell::Null, Cell::Amount);
        let in_base = amount.map(|amount| amount.divided_by(factor).rounded(BASE_PRECISION));
        cells[at + 1] = in_base.map_or(Cell::Null, Cell::Amount);
    }
}

/// What follows from the owner: the user or the team that it is, and the business unit.
pub(super) fn settle_owner(store: &Store, table: &Table, cells: &mut [Cell], unit: Guid) {
    let Some(owner) = table.system.owner else {
        return;
    };
    let id = cells[owner.id].guid();
    let team = id.filter(|id| store.row(store.model().expect("team"), *id).is_some());
    let user = if team.is_some() { None } else { id };
    cells[owner.team] = team.map_or(Cell::Null, Cell::Guid);
    cells[owner.user] = user.map_or(Cell::Null, Cell::Guid);
    cells[owner.unit] = Cell::Guid(unit);
}

fn rate_and_precision(store: &Store, currency: Guid) -> (Amount, u32) {
    let table = store.model().expect("transactioncurrency");
    let row = store.row(table, currency);
    let cell = |name: &str| row.map(|row| &row.cells[table.expect(name)]);
    let rate = cell("exchangerate").and_then(Cell::amount).unwrap_or(Amount::whole(1));
    let precision = cell("currencyprecision").and_then(Cell::int).unwrap_or(2);
    (rate, u32::try_from(precision).unwrap_or(BASE_PRECISION))
}

/// Fills the columns that the platform composes: a contact's full name, an address in one text.
///
/// Assumed: the layout of the address.
pub(super) fn compose(table: &Table, cells: &mut [Cell]) {
    if let Some(full_name) = table.column("fullname") {
        cells[full_name] = joined(table, cells, &["firstname", "lastname"], " ");
    }
    if let Some(address) = table.column("address1_composite") {
        let region = joined(table, cells, &["address1_stateorprovince", "address1_postalcode"], " ");
        let city = joined(table, cells, &["address1_city"], "");
        let town = join([&city, &region], ", ");
        let street = joined(table, cells, &["address1_line1"], "");
        let country = joined(table, cells, &["address1_country"], "");
        cells[address] = join([&street, &town, &country], "\r\n");
    }
}

fn joined(table: &Table, cells: &[Cell], columns: &[&str], between: &str) -> Cell {
    join(columns.iter().map(|column| &cells[table.expect(column)]), between)
}

fn join<'a>(cells: impl IntoIterator<Item = &'a Cell>, between: &str) -> Cell {
    let parts: Vec<&str> = cells.into_iter().filter_map(Cell::as_text).collect();
    if parts.is_empty() {
        Cell::Null
    } else {
        Cell::text(&parts.join(between))
    }
}

/// Puts state and status into a row, when the table has them.
pub(super) fn set_state(table: &Table, cells: &mut [Cell], pair: Option<(i64, i64)>) {
    if let (Some((state, status)), Some(columns)) = (pair, table.system.state) {
        cells[columns.0] = Cell::Int(state);
        cells[columns.1] = Cell::Int(status);
    }
}

/// Assumed: reopening an opportunity clears its actual value and date.
pub(super) fn reopened(table: &Table, before: &[Cell], cells: &mut [Cell]) {
    let Some((state, _)) = table.system.state else {
        return;
    };
    let guarded = |cell: &Cell| {
        table
            .states
            .iter()
            .any(|state| state.action.is_some() && Some(state.code) == cell.int())
    };
    if guarded(&before[state]) && !guarded(&cells[state]) {
        for column in ["actualvalue", "actualclosedate"] {
            cells[table.expect(column)] = Cell::Null;
        }
    }
}
