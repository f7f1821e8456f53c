//! Values that come as text, read by the kind of the column that they are held against.
//!
//! What an operator does with them is decided elsewhere.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::super::super::amount::Amount;
use super::super::super::cell::{Cell, day, moment};
use super::super::super::error::Fault;
use super::super::super::guid::Guid;
use super::super::super::model::{Kind, Table};
use super::wrong_type;

/// A value as text, read by the kind of a column.
pub(super) fn read(table: &Table, column: usize, text: &str) -> Result<Cell, Fault> {
    let kind = table.columns[column].kind;
    let (cell, wanted) = match kind {
        Kind::Key | Kind::Lookup | Kind::Guid => {
            let bare = text.trim().trim_matches(['{', '}']);
            (Guid::parse(bare).map(Cell::Guid), "System.Guid")
        }
        Kind::Text { .. } | Kind::Choices { .. } => (Some(Cell::text(text)), "System.String"),
        Kind::Bool => {
            let yes = match text.trim().to_ascii_lowercase().as_str() {
                "1" | "true" => Some(true),
                "0" | "false" => Some(false),
                _ => None,
            };
            (yes.map(Cell::Bool), "System.Boolean")
        }
        Kind::Int { .. } | Kind::Choice { .. } | Kind::State | Kind::Status => {
            (text.trim().parse().ok().map(Cell::Int), "System.Int32")
        }
        Kind::Version => (text.trim().parse().ok().map(Cell::Int), "System.Int64"),
        Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. } => {
            (Amount::parse(text.trim()).map(Cell::Amount), "System.Decimal")
        }
        Kind::Date => (day_of(text).map(Cell::Date), "System.DateTime"),
        Kind::Time => (moment_of(text).map(Cell::Time), "System.DateTime"),
    };
    cell.ok_or_else(|| wrong_type(table, column, wanted))
}

pub(super) fn day_of(text: &str) -> Option<Date> {
    let text = text.trim();
    day(text).or_else(|| moment_of(text).map(|time| civil(time).date()))
}

/// A moment; without a zone it is one of UTC.
fn moment_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let zoneless = || text.replace(' ', "T").parse::<DateTime>().ok().and_then(instant);
    moment(text)
        .or_else(|| instant(day(text)?.at(0, 0, 0, 0)))
        .or_else(zoneless)
}

pub(super) fn civil(time: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(time)
}

pub(super) fn instant(time: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}
