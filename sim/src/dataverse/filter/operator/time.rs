//! Words about time: what "last week" or "older than three months" means now.
//!
//! Days, weeks and months are those of UTC.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::super::super::cell::Cell;
use super::super::super::error::Fault;
use super::super::super::model::{Kind, Table};
use super::super::ast::Comparison;
use super::super::eval::Condition;
use super::value::{civil, day_of, instant};
use super::wrong_type;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A word about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    On(bool),
    OnOrAfter,
    OnOrBefore,
    /// The unit that is so many before or after this one.
    Whole(Unit, i64),
    LastSeven,
    NextSeven,
    Last(Unit),
    Next(Unit),
    Older(Unit),
}

/// From when, inclusive, to when, exclusive.
pub(super) type Bounds = (Option<Timestamp>, Option<Timestamp>);

impl Time {
    /// What a word about time means now. `None` when its value is missing, is no number or day, or leads out of the
    /// calendar.
    pub(super) fn span(self, now: Timestamp, values: &[String]) -> Option<Bounds> {
        let today = civil(now).date();
        let midnight = |date: Date| instant(date.at(0, 0, 0, 0));
        let number = || match values {
            [one] => one.trim().parse::<i64>().ok().filter(|number| *number > 0),
            _ => None,
        };
        let date = || match values {
            [one] => day_of(one),
            _ => None,
        };
        match self {
            Self::On(_) => Some((Some(midnight(date()?)?), Some(midnight(date()?.tomorrow().ok()?)?))),
            Self::OnOrAfter => Some((Some(midnight(date()?)?), None)),
            Self::OnOrBefore => Some((None, Some(midnight(date()?.tomorrow().ok()?)?))),
            Self::Whole(..) | Self::LastSeven | Self::NextSeven if !values.is_empty() => None,
            Self::Whole(unit, offset) => {
                let from = moved(begin_of(today, unit)?, unit, offset)?;
                Some((Some(midnight(from)?), Some(midnight(moved(from, unit, 1)?)?)))
            }
            Self::LastSeven => Some((Some(midnight(moved(today, Unit::Day, -7)?)?), Some(after(now)?))),
            Self::NextSeven => Some((Some(now), Some(midnight(moved(today, Unit::Day, 8)?)?))),
            Self::Last(Unit::Hour) => {
                let hours = Span::new().try_hours(number()?).ok()?;
                Some((Some(hour(now)?.checked_sub(hours).ok()?), Some(after(now)?)))
            }
            Self::Next(Unit::Hour) => {
                let hours = Span::new().try_hours(number()?.checked_add(1)?).ok()?;
                Some((Some(now), Some(hour(now)?.checked_add(hours).ok()?)))
            }
            Self::Last(unit) => Some((Some(midnight(moved(today, unit, -number()?)?)?), Some(after(now)?))),
            Self::Next(unit) => {
                let to = moved(today, unit, number()?)?.tomorrow().ok()?;
                Some((Some(now), Some(midnight(to)?)))
            }
            Self::Older(unit) => {
                let time = civil(now).checked_sub(amount_of(unit, number()?)?).ok()?;
                Some((None, Some(instant(time)?)))
            }
        }
    }
}

/// The first moment that is later: bounds above are exclusive, and "until now" has now in it.
fn after(now: Timestamp) -> Option<Timestamp> {
    now.checked_add(Span::new().nanoseconds(1)).ok()
}

fn hour(time: Timestamp) -> Option<Timestamp> {
    let time = civil(time);
    instant(time.date().at(time.hour(), 0, 0, 0))
}

fn begin_of(date: Date, unit: Unit) -> Option<Date> {
    match unit {
        Unit::Minute | Unit::Hour | Unit::Day => Some(date),
        Unit::Week => moved(date, Unit::Day, -i64::from(date.weekday().to_sunday_zero_offset())),
        Unit::Month => Some(date.first_of_month()),
        Unit::Year => Some(date.first_of_year()),
    }
}

fn moved(date: Date, unit: Unit, by: i64) -> Option<Date> {
    date.checked_add(amount_of(unit, by)?).ok()
}

fn amount_of(unit: Unit, number: i64) -> Option<Span> {
    let span = Span::new();
    match unit {
        Unit::Minute => span.try_minutes(number),
        Unit::Hour => span.try_hours(number),
        Unit::Day => span.try_days(number),
        Unit::Week => span.try_weeks(number),
        Unit::Month => span.try_months(number),
        Unit::Year => span.try_years(number),
    }
    .ok()
}

/// A condition on a column of days or moments. A day counts as its midnight.
pub(super) fn within(
    table: &Table,
    column: usize,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Condition, Fault> {
    let kind = table.columns[column].kind;
    let bound = |time: Timestamp| {
        if kind == Kind::Time {
            return Some(Cell::Time(time));
        }
        let at = civil(time);
        let whole = at.date().at(0, 0, 0, 0) == at;
        let date = if whole {
            Some(at.date())
        } else {
            at.date().tomorrow().ok()
        };
        date.filter(|_| kind == Kind::Date).map(Cell::Date)
    };
    let wrong = || wrong_type(table, column, "System.DateTime");
    let mut parts = Vec::new();
    if let Some(from) = from {
        parts.push(Condition::Compare(
            column,
            Comparison::GreaterOrEqual,
            bound(from).ok_or_else(wrong)?,
        ));
    }
    if let Some(to) = to {
        parts.push(Condition::Compare(
            column,
            Comparison::Less,
            bound(to).ok_or_else(wrong)?,
        ));
    }
    Ok(Condition::All(parts))
}
