//! What people read for a stored value: labels, thousands, currencies, names of rows (dataverse.md section 2.6).
//!
//! Assumed: the user's language is English of the United States, and their zone is UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::cell::Cell;
use super::guid::Guid;
use super::model::{Kind, Table};
use super::store::{Row, Store};

/// The formatted value of a column. `None` where there is none: text, identifiers, nothing at all.
pub(super) fn formatted(store: &Store, table: &Table, row: &Row, at: usize) -> Option<String> {
    let currency = || {
        table
            .system
            .currency
            .and_then(|(currency, _)| row.cells[currency].guid())
    };
    of_cell(store, (table, at), &row.cells[at], currency)
}

/// The formatted value of a cell of a column; which currency it is in may be asked.
pub(super) fn of_cell(
    store: &Store,
    (table, at): (&Table, usize),
    cell: &Cell,
    currency: impl Fn() -> Option<Guid>,
) -> Option<String> {
    let column = &table.columns[at];
    match (column.kind, cell) {
        (Kind::Bool, Cell::Bool(yes)) => Some((if *yes { column.labels.1 } else { column.labels.0 }).to_owned()),
        (Kind::Choice { set }, Cell::Int(value)) => set.label(*value).map(str::to_owned),
        (Kind::Choices { set }, Cell::Text(values)) => {
            let labels = values.split(',').filter_map(|value| set.label(value.parse().ok()?));
            Some(labels.collect::<Vec<_>>().join("; "))
        }
        (Kind::State, Cell::Int(code)) => table.state(*code).map(|state| state.name.to_owned()),
        (Kind::Status, Cell::Int(code)) => status(table, *code).map(str::to_owned),
        (Kind::Int { .. } | Kind::Version, Cell::Int(number)) => Some(thousands(&number.to_string())),
        (Kind::Decimal { places, .. }, Cell::Amount(amount)) => {
            Some(thousands(&amount.with_places(places).to_string()))
        }
        (Kind::Money { .. }, Cell::Amount(amount)) => {
            let (symbol, precision) = currency_of(store, currency());
            Some(money(&symbol, &amount.with_places(precision).to_string()))
        }
        (Kind::BaseMoney, Cell::Amount(amount)) => Some(money("$", &amount.with_places(2).to_string())),
        (Kind::Date, Cell::Date(date)) => Some(day(*date)),
        (Kind::Time, Cell::Time(time)) => Some(moment(TimeZone::UTC.to_datetime(*time))),
        (Kind::Lookup, Cell::Guid(id)) => {
            let (target, _) = pointed(store, table, at, *id)?;
            name_of(target, store.row(target, *id)?)
        }
        _ => None,
    }
}

/// What people read for a `statuscode`.
pub(super) fn status(table: &Table, code: i64) -> Option<&'static str> {
    table.states.iter().find_map(|state| {
        let place = state.statuses.iter().position(|known| *known == code)?;
        state.reasons.get(place).copied()
    })
}

/// The table that a lookup points into, and the navigation property that leads there: the first whose row is there.
pub(super) fn pointed<'s>(store: &'s Store, table: &'s Table, at: usize, id: Guid) -> Option<(&'s Table, &'s str)> {
    let ways = &table.columns[at].navigations;
    let known = |way: &'s super::model::Navigation| Some((store.model().by_logical(&way.target)?, &*way.name));
    let found = ways
        .iter()
        .filter_map(known)
        .find(|(target, _)| store.row(target, id).is_some());
    found.or_else(|| ways.first().and_then(known))
}

/// The primary name of a row.
fn name_of(table: &Table, row: &Row) -> Option<String> {
    row.cells[table.primary_name?].as_text().map(str::to_owned)
}

fn currency_of(store: &Store, id: Option<Guid>) -> (String, u32) {
    let table = store.model().expect("transactioncurrency");
    let row = id.and_then(|id| store.row(table, id));
    let cell = |name: &str| row.map(|row| &row.cells[table.expect(name)]);
    let symbol = cell("currencysymbol").and_then(Cell::as_text).unwrap_or("$");
    let precision = cell("currencyprecision").and_then(Cell::int).unwrap_or(2);
    (symbol.to_owned(), u32::try_from(precision).unwrap_or(2))
}

fn money(symbol: &str, number: &str) -> String {
    match number.strip_prefix('-') {
        Some(rest) => format!("-{symbol}{}", thousands(rest)),
        None => format!("{symbol}{}", thousands(number)),
    }
}

/// A printed number with a comma before every three digits in front of the point.
fn thousands(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let mut out = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

fn day(date: Date) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

fn moment(time: DateTime) -> String {
    let hour = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if time.hour() < 12 { "AM" } else { "PM" };
    format!("{} {hour}:{:02} {half}", day(time.date()), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_as_in_the_united_states() {
        assert_eq!(thousands("1234567.50"), "1,234,567.50");
        assert_eq!(thousands("-123"), "-123");
        assert_eq!(money("€", "-1000.00"), "-€1,000.00");
        assert_eq!(moment("2026-01-05T00:07:00".parse().unwrap()), "1/5/2026 12:07 AM");
        assert_eq!(moment("2026-12-31T13:00:00".parse().unwrap()), "12/31/2026 1:00 PM");
    }
}
