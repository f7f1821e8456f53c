//! Operators beyond comparison, by both of their names: query functions of the Web API and operators of `FetchXML`
//! (dataverse.md section 2.6).
//!
//! Each becomes a plain condition on a column. Days, weeks and months are those of UTC, and a week begins on Sunday:
//! Assumed: that is how the simulated users have set up their calendar.

use jiff::Timestamp;

use super::super::access::{Right, Roles, permit};
use super::super::cell::Cell;
use super::super::error::Fault;
use super::super::guid::Guid;
use super::super::model::{Kind, Table};
use super::super::store::Store;
use super::ast::{Comparison, TextFunction};
use super::eval::{Condition, Pattern};

mod value;
mod time;
mod people;

use people::{Hierarchy, People};
use time::{Time, Unit, within};
use value::read;

/// Who asks, and when.
#[derive(Clone, Debug)]
pub(in crate::dataverse) struct Asking {
    pub(in crate::dataverse) now: Timestamp,
    pub(in crate::dataverse) user: Guid,
    pub(in crate::dataverse) unit: Guid,
    /// What they may do, each of these; without any, everything.
    pub(in crate::dataverse) roles: Vec<Roles>,
}

impl Asking {
    /// Whether they may read rows of a table that a query leads to: by a path, an expansion, a join, a segment of the URL.
    pub(in crate::dataverse) fn may_read(&self, table: &Table) -> Result<(), Fault> {
        permit(&self.roles, self.user, Right::Read, table)
    }
}

#[cfg(test)]
impl Asking {
    /// Nobody in particular asks.
    pub(in crate::dataverse) fn at(now: Timestamp) -> Self {
        Self {
            now,
            user: Guid::FIRST,
            unit: Guid::FIRST,
            roles: Vec::new(),
        }
    }
}

/// What a condition is bound to.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataverse) struct Scope<'a> {
    pub(in crate::dataverse) store: &'a Store,
    pub(in crate::dataverse) asking: &'a Asking,
    pub(in crate::dataverse) table: &'a Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Compare(Comparison),
    Like(bool),
    Begins(bool),
    Ends(bool),
    Null(bool),
    In(bool),
    Between(bool),
    Holds(bool),
    Time(Time),
    People(People),
    Hierarchy(Hierarchy),
}

/// `FetchXML` name, name of the query function, operator. A dash where one of them does not have it.
const OPERATORS: [(&str, &str, Operator); 74] = {
    use Hierarchy::{Above, NotUnder, Under};
    use Operator::{Begins, Between, Compare, Ends, Holds, In, Like, Null};
    use People::{BusinessUnit, Teams, User};
    use Time::{Last, LastSeven, Next, NextSeven, Older, On, OnOrAfter, OnOrBefore, Whole};
    use Unit::{Day, Hour, Minute, Month, Week, Year};
    [
        ("eq", "-", Compare(Comparison::Equal)),
        ("ne", "-", Compare(Comparison::NotEqual)),
        ("neq", "-", Compare(Comparison::NotEqual)),
        ("gt", "-", Compare(Comparison::Greater)),
        ("ge", "-", Compare(Comparison::GreaterOrEqual)),
        ("lt", "-", Compare(Comparison::Less)),
        ("le", "-", Compare(Comparison::LessOrEqual)),
        ("like", "-", Like(true)),
        ("not-like", "-", Like(false)),
        ("begins-with", "-", Begins(true)),
        ("not-begin-with", "-", Begins(false)),
        ("ends-with", "-", Ends(true)),
        ("not-end-with", "-", Ends(false)),
        ("null", "-", Null(true)),
        ("not-null", "-", Null(false)),
        ("in", "In", In(true)),
        ("not-in", "NotIn", In(false)),
        ("between", "Between", Between(true)),
        ("not-between", "NotBetween", Between(false)),
        ("contain-values", "ContainValues", Holds(true)),
        ("not-contain-values", "DoesNotContainValues", Holds(false)),
        ("on", "On", Operator::Time(On(true))),
        ("not-on", "NotOn", Operator::Time(On(false))),
        ("on-or-after", "OnOrAfter", Operator::Time(OnOrAfter)),
        ("on-or-before", "OnOrBefore", Operator::Time(OnOrBefore)),
        ("yesterday", "Yesterday", Operator::Time(Whole(Day, -1))),
        ("today", "Today", Operator::Time(Whole(Day, 0))),
        ("tomorrow", "Tomorrow", Operator::Time(Whole(Day, 1))),
        ("last-week", "LastWeek", Operator::Time(Whole(Week, -1))),
        ("this-week", "ThisWeek", Operator::Time(Whole(Week, 0))),
        ("next-week", "NextWeek", Operator::Time(Whole(Week, 1))),
        ("last-month", "LastMonth", Operator::Time(Whole(Month, -1))),
        ("this-month", "ThisMonth", Operator::Time(Whole(Month, 0))),
        ("next-month", "NextMonth", Operator::Time(Whole(Month, 1))),
        ("last-year", "LastYear", Operator::Time(Whole(Year, -1))),
        ("this-year", "ThisYear", Operator::Time(Whole(Year, 0))),
        ("next-year", "NextYear", Operator::Time(Whole(Year, 1))),
        ("last-seven-days", "Last7Days", Operator::Time(LastSeven)),
        ("next-seven-days", "Next7Days", Operator::Time(NextSeven)),
        ("last-x-hours", "LastXHours", Operator::Time(Last(Hour))),
        ("last-x-days", "LastXDays", Operator::Time(Last(Day))),
        ("last-x-weeks", "LastXWeeks", Operator::Time(Last(Week))),
        ("last-x-months", "LastXMonths", Operator::Time(Last(Month))),
        ("last-x-years", "LastXYears", Operator::Time(Last(Year))),
        ("next-x-hours", "NextXHours", Operator::Time(Next(Hour))),
        ("next-x-days", "NextXDays", Operator::Time(Next(Day))),
        ("next-x-weeks", "NextXWeeks", Operator::Time(Next(Week))),
        ("next-x-months", "NextXMonths", Operator::Time(Next(Month))),
        ("next-x-years", "NextXYears", Operator::Time(Next(Year))),
        (
            "olderthan-x-minutes",
            "OlderThanXMinutes",
            Operator::Time(Older(Minute)),
        ),
        ("olderthan-x-hours", "OlderThanXHours", Operator::Time(Older(Hour))),
        ("olderthan-x-days", "OlderThanXDays", Operator::Time(Older(Day))),
        ("olderthan-x-weeks", "OlderThanXWeeks", Operator::Time(Older(Week))),
        ("olderthan-x-months", "OlderThanXMonths", Operator::Time(Older(Month))),
        ("olderthan-x-years", "OlderThanXYears", Operator::Time(Older(Year))),
        ("eq-userid", "EqualUserId", Operator::People(User(true))),
        ("ne-userid", "NotEqualUserId", Operator::People(User(false))),
        ("eq-businessid", "EqualBusinessId", Operator::People(BusinessUnit(true))),
        (
            "ne-businessid",
            "NotEqualBusinessId",
            Operator::People(BusinessUnit(false)),
        ),
        ("eq-userteams", "EqualUserTeams", Operator::People(Teams(false))),
        (
            "eq-useroruserteams",
            "EqualUserOrUserTeams",
            Operator::People(Teams(true)),
        ),
        ("above", "Above", Operator::Hierarchy(Above(false))),
        ("eq-or-above", "AboveOrEqual", Operator::Hierarchy(Above(true))),
        ("under", "Under", Operator::Hierarchy(Under(false))),
        ("eq-or-under", "UnderOrEqual", Operator::Hierarchy(Under(true))),
        ("not-under", "NotUnder", Operator::Hierarchy(NotUnder)),
        // The same under names that older documents and clients use.
        ("is-null", "-", Null(true)),
        ("is-not-null", "-", Null(false)),
        ("containvalues", "-", Holds(true)),
        ("doesnotcontainvalues", "-", Holds(false)),
        ("eq-user-id", "-", Operator::People(User(true))),
        ("begin-with", "-", Begins(true)),
        ("end-with", "-", Ends(true)),
        ("last-7-days", "-", Operator::Time(LastSeven)),
    ]
};

/// Operators that the platform has besides: fiscal calendars, languages, hierarchies of positions.
const NOT_SIMULATED: [&str; 5] = ["fiscal", "language", "hierarchy", "eq-role", "equalrole"];

/// A query function on a column.
pub(in crate::dataverse) fn of_function(
    scope: Scope<'_>,
    column: usize,
    name: &str,
    values: &[String],
) -> Result<Condition, Fault> {
    let found = OPERATORS
        .iter()
        .find(|(_, function, _)| *function == name && name != "-");
    match found {
        Some((.., operator)) => condition(scope, column, (name, *operator), values),
        None if is_known(name) => Err(Fault::NotSimulated(format!("query function `{name}` in `$filter`"))),
        None => Err(Fault::Query(format!(
            "An unknown function with name 'Microsoft.Dynamics.CRM.{name}' was found. This may also be a function import \
             or a key lookup on a navigation property, which is not allowed."
        ))),
    }
}

/// An operator of `FetchXML` on a column.
pub(in crate::dataverse) fn of_fetch(
    scope: Scope<'_>,
    column: usize,
    name: &str,
    values: &[String],
) -> Result<Condition, Fault> {
    match OPERATORS.iter().find(|(fetch, ..)| *fetch == name) {
        Some((.., operator)) => condition(scope, column, (name, *operator), values),
        None if is_known(name) => Err(Fault::NotSimulated(format!("operator `{name}` in FetchXML"))),
        // Assumed text and code.
        None => Err(Fault::Fetch(format!("Invalid condition operator '{name}'."))),
    }
}

fn is_known(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NOT_SIMULATED.iter().any(|part| name.contains(part))
}

fn condition(
    scope: Scope<'_>,
    column: usize,
    (name, operator): (&str, Operator),
    values: &[String],
) -> Result<Condition, Fault> {
    let table = scope.table;
    let wrong_count = || {
        // Assumed text.
        Fault::Argument(format!(
            "The operator '{name}' on '{}.{}' got {} values, which is not what it takes.",
            table.logical,
            table.columns[column].name,
            values.len()
        ))
    };
    let one = || match values {
        [one] => Ok(one.as_str()),
        _ => Err(wrong_count()),
    };
    let none = || if values.is_empty() { Ok(()) } else { Err(wrong_count()) };
    let starts = |function| Ok::<_, Fault>(Pattern::new(function, one()?));
    let (yes, found) = match operator {
        Operator::Compare(comparison) => {
            let compared = Condition::Compare(column, comparison, folded(table, column, one()?)?);
            // `ne` leaves out rows without a value, as SQL does.
            let unequal = comparison == Comparison::NotEqual;
            return Ok(if unequal { present(column, compared) } else { compared });
        }
        Operator::Null(yes) => {
            none()?;
            let comparison = if yes { Comparison::Equal } else { Comparison::NotEqual };
            return Ok(Condition::Compare(column, comparison, Cell::Null));
        }
        Operator::Like(yes) => (yes, like(table, column, Pattern::whole(one()?))?),
        Operator::Begins(yes) => (yes, like(table, column, starts(TextFunction::StartsWith)?)?),
        Operator::Ends(yes) => (yes, like(table, column, starts(TextFunction::EndsWith)?)?),
        Operator::In(yes) => {
            let values = values.iter().map(|value| folded(table, column, value));
            (yes, Condition::OneOf(column, values.collect::<Result<_, _>>()?))
        }
        Operator::Between(yes) => {
            let [low, high] = values else {
                return Err(wrong_count());
            };
            let low = Condition::Compare(column, Comparison::GreaterOrEqual, folded(table, column, low)?);
            let high = Condition::Compare(column, Comparison::LessOrEqual, folded(table, column, high)?);
            (yes, Condition::All(vec![low, high]))
        }
        Operator::Holds(yes) => (yes, holds(table, column, values)?),
        Operator::People(people) => {
            none()?;
            (people.includes(), Condition::OneOf(column, people.rows(scope)))
        }
        Operator::Hierarchy(hierarchy) => {
            let id = read(table, column, one()?)?;
            let rows = hierarchy.rows(scope, (column, name), &id)?;
            (hierarchy != Hierarchy::NotUnder, Condition::OneOf(column, rows))
        }
        Operator::Time(time) => {
            let (from, to) = time.span(scope.asking.now, values).ok_or_else(wrong_count)?;
            (time != Time::On(false), within(table, column, from, to)?)
        }
    };
    Ok(if yes { found } else { absent_or_not(column, found) })
}

fn folded(table: &Table, column: usize, text: &str) -> Result<Cell, Fault> {
    read(table, column, text).map(|cell| cell.folded())
}

fn present(column: usize, condition: Condition) -> Condition {
    let present = Condition::Compare(column, Comparison::NotEqual, Cell::Null);
    Condition::All(vec![present, condition])
}

/// The opposite. A negated operator leaves out rows without a value, as SQL does (assumed).
fn absent_or_not(column: usize, condition: Condition) -> Condition {
    present(column, Condition::Not(Box::new(condition)))
}

fn like(table: &Table, column: usize, pattern: Pattern) -> Result<Condition, Fault> {
    if matches!(table.columns[column].kind, Kind::Text { .. }) {
        return Ok(Condition::Like(column, pattern));
    }
    Err(wrong_type(table, column, "System.String"))
}

fn holds(table: &Table, column: usize, values: &[String]) -> Result<Condition, Fault> {
    let Kind::Choices { .. } = table.columns[column].kind else {
        return Err(wrong_type(table, column, "a choice of several values"));
    };
    let numbers = values.iter().map(|value| value.trim().parse::<i64>());
    let numbers = numbers.collect::<Result<Vec<i64>, _>>();
    let numbers = numbers.map_err(|_| wrong_type(table, column, "System.Int32"))?;
    Ok(Condition::Holds(column, numbers))
}

/// Assumed text: the facts name no message for a condition on a column of another type.
fn wrong_type(table: &Table, column: usize, wanted: &str) -> Fault {
    let name = &table.columns[column].name;
    Fault::Argument(format!(
        "Condition for attribute '{}.{name}': expected argument(s) of type '{wanted}'.",
        table.logical
    ))
}

#[cfg(test)]
mod tests;
