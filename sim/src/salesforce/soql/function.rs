//! The functions of SOQL: their names, and what the functions of dates make of a day or a moment.
//!
//! Assumed: weeks begin on Sunday and everybody's time zone is GMT, as the set-up of the org says; the fiscal year is the calendar
//! year.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use crate::salesforce::cell::Cell;

/// A function of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    CalendarMonth,
    CalendarQuarter,
    CalendarYear,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    FiscalMonth,
    FiscalQuarter,
    FiscalYear,
    HourInDay,
    WeekInMonth,
    WeekInYear,
    ConvertTimezone,
    ToLabel,
    ConvertCurrency,
    Format,
}

impl Function {
    /// Every function, in no order that matters.
    pub(crate) const ALL: [Self; 23] = [
        Self::Count,
        Self::CountDistinct,
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::CalendarMonth,
        Self::CalendarQuarter,
        Self::CalendarYear,
        Self::DayInMonth,
        Self::DayInWeek,
        Self::DayInYear,
        Self::DayOnly,
        Self::FiscalMonth,
        Self::FiscalQuarter,
        Self::FiscalYear,
        Self::HourInDay,
        Self::WeekInMonth,
        Self::WeekInYear,
        Self::ConvertTimezone,
        Self::ToLabel,
        Self::ConvertCurrency,
        Self::Format,
    ];

    /// The name as the documentation spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::CountDistinct => "COUNT_DISTINCT",
            Self::Sum => "SUM",
            Self::Avg => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::CalendarMonth => "CALENDAR_MONTH",
            Self::CalendarQuarter => "CALENDAR_QUARTER",
            Self::CalendarYear => "CALENDAR_YEAR",
            Self::DayInMonth => "DAY_IN_MONTH",
            Self::DayInWeek => "DAY_IN_WEEK",
            Self::DayInYear => "DAY_IN_YEAR",
            Self::DayOnly => "DAY_ONLY",
            Self::FiscalMonth => "FISCAL_MONTH",
            Self::FiscalQuarter => "FISCAL_QUARTER",
            Self::FiscalYear => "FISCAL_YEAR",
            Self::HourInDay => "HOUR_IN_DAY",
            Self::WeekInMonth => "WEEK_IN_MONTH",
            Self::WeekInYear => "WEEK_IN_YEAR",
            Self::ConvertTimezone => "convertTimezone",
            Self::ToLabel => "toLabel",
            Self::ConvertCurrency => "convertCurrency",
            Self::Format => "FORMAT",
        }
    }

    /// The function of that name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// Whether it makes one value of several rows.
    pub(crate) fn is_aggregate(self) -> bool {
        use Function::{Avg, Count, CountDistinct, Max, Min, Sum};
        [Count, CountDistinct, Sum, Avg, Min, Max].contains(&self)
    }

    /// Whether it only changes how a value is shown.
    pub(crate) fn is_display(self) -> bool {
        [Self::ToLabel, Self::ConvertCurrency, Self::Format].contains(&self)
    }

    /// What a function of dates makes of a value. Everything else, and an empty value, stays as it is.
    pub(crate) fn of_date(self, cell: &Cell) -> Cell {
        let at = match cell {
            Cell::Date(date) => date.to_datetime(Time::midnight()),
            Cell::Moment(second) => Offset::UTC.to_datetime(Timestamp::from_second(*second).unwrap_or_default()),
            Cell::Null | Cell::Bool(_) | Cell::Number(_) | Cell::Text(_) | Cell::Id(_) => return cell.clone(),
        };
        let date = at.date();
        let number = |value: i16| Cell::Number(f64::from(value));
        match self {
            Self::CalendarMonth | Self::FiscalMonth => number(date.month().into()),
            Self::CalendarQuarter | Self::FiscalQuarter => number((i16::from(date.month()) - 1) / 3 + 1),
            Self::CalendarYear | Self::FiscalYear => number(date.year()),
            Self::DayInMonth => number(date.day().into()),
            Self::DayInWeek => number(date.weekday().to_sunday_one_offset().into()),
            Self::DayInYear => number(date.day_of_year()),
            Self::DayOnly => Cell::Date(date),
            Self::HourInDay => number(at.hour().into()),
            Self::WeekInMonth => number(i16::from((date.day() - 1) / 7 + 1)),
            Self::WeekInYear => number((date.day_of_year() - 1) / 7 + 1),
            Self::ConvertTimezone
            | Self::ToLabel
            | Self::ConvertCurrency
            | Self::Format
            | Self::Count
            | Self::CountDistinct
            | Self::Sum
            | Self::Avg
            | Self::Min
            | Self::Max => cell.clone(),
        }
    }
}

/// The first day of the week.
pub(crate) fn week_start(date: Date) -> Date {
    let back = i64::from(date.weekday().to_sunday_zero_offset());
    date.saturating_sub(jiff::Span::new().days(back))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_function_of_a_date_counts_as_documented() {
        let day = Cell::Date(date(2026, 11, 15));
        for (function, expected) in [
            (Function::CalendarMonth, 11.0),
            (Function::CalendarQuarter, 4.0),
            (Function::CalendarYear, 2026.0),
            (Function::DayInMonth, 15.0),
            (Function::DayInWeek, 1.0),
            (Function::DayInYear, 319.0),
            (Function::WeekInMonth, 3.0),
            (Function::WeekInYear, 46.0),
        ] {
            assert_eq!(function.of_date(&day), Cell::Number(expected), "{}", function.name());
        }
        let moment = Cell::Moment(1_763_222_399);
        assert_eq!(Function::HourInDay.of_date(&moment), Cell::Number(15.0));
        assert_eq!(Function::DayOnly.of_date(&moment), Cell::Date(date(2025, 11, 15)));
        assert_eq!(Function::DayOnly.of_date(&Cell::Null), Cell::Null);
    }
}
