//! Date literals: `TODAY`, `LAST_QUARTER`, `NEXT_N_DAYS:3`. Each stands for a range of days (salesforce.md section 4).
//!
//! Which days they are depends on the day on which the query runs, so a span is worked out anew for each query.

use std::fmt;

use jiff::civil::Date;

use super::function::week_start;

/// A date literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    place: Place,
    unit: Unit,
}

/// Where a span lies, seen from today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Last,
    This,
    Next,
    LastMany(u32),
    NextMany(u32),
    Ago(u32),
}

/// What a span counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Day,
    Days90,
    Week,
    Month,
    Quarter,
    Year,
    FiscalQuarter,
    FiscalYear,
}

/// What a word of a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The whole literal.
    Whole(Span),
    /// A colon and a number must follow.
    Counted(Counted),
}

/// A date literal that lacks its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    place: Place,
    unit: Unit,
}

impl Counted {
    /// The literal with its number.
    pub(crate) fn times(self, number: u32) -> Span {
        let place = match self.place {
            Place::LastMany(_) => Place::LastMany(number),
            Place::NextMany(_) => Place::NextMany(number),
            Place::Ago(_) | Place::Last | Place::This | Place::Next => Place::Ago(number),
        };
        Span { place, unit: self.unit }
    }
}

impl Unit {
    const NAMED: [(&'static str, Self); 7] = [
        ("90_DAYS", Self::Days90),
        ("WEEK", Self::Week),
        ("MONTH", Self::Month),
        ("QUARTER", Self::Quarter),
        ("YEAR", Self::Year),
        ("FISCAL_QUARTER", Self::FiscalQuarter),
        ("FISCAL_YEAR", Self::FiscalYear),
    ];
    const COUNTED: [(&'static str, Self); 7] = [
        ("DAYS", Self::Day),
        ("WEEKS", Self::Week),
        ("MONTHS", Self::Month),
        ("QUARTERS", Self::Quarter),
        ("YEARS", Self::Year),
        ("FISCAL_QUARTERS", Self::FiscalQuarter),
        ("FISCAL_YEARS", Self::FiscalYear),
    ];

    fn find(list: &[(&'static str, Self)], name: &str) -> Option<Self> {
        list.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
    }

    fn name_in(self, list: &[(&'static str, Self)]) -> &'static str {
        list.iter()
            .find(|(_, unit)| *unit == self)
            .map_or("DAYS", |(name, _)| name)
    }

    /// The first day of the unit that holds a day.
    fn start(self, date: Date) -> Date {
        match self {
            Self::Day | Self::Days90 => date,
            Self::Week => week_start(date),
            Self::Month => date.first_of_month(),
            Self::Quarter | Self::FiscalQuarter => {
                let back = i64::from((date.month() - 1) % 3);
                date.first_of_month().saturating_sub(jiff::Span::new().months(back))
            }
            Self::Year | Self::FiscalYear => date.first_of_year(),
        }
    }

    /// The same day so many units later. Far beyond the calendar it stays at the calendar's end.
    fn later(self, date: Date, count: i64) -> Date {
        let span = jiff::Span::new();
        let moved = match self {
            Self::Day => span.try_days(count),
            Self::Days90 => span.try_days(count * 90),
            Self::Week => span.try_weeks(count),
            Self::Month => span.try_months(count),
            Self::Quarter | Self::FiscalQuarter => span.try_months(count * 3),
            Self::Year | Self::FiscalYear => span.try_years(count),
        };
        match moved {
            Ok(span) => date.saturating_add(span),
            Err(_) if count < 0 => Date::MIN,
            Err(_) => Date::MAX,
        }
    }
}

impl Span {
    /// The literal, or the beginning of one, that a word spells, in any case.
    pub(crate) fn word(text: &str) -> Option<Word> {
        let upper = text.to_ascii_uppercase();
        let day = |place| Some(Word::Whole(Self { place, unit: Unit::Day }));
        match upper.as_str() {
            "YESTERDAY" => return day(Place::Last),
            "TODAY" => return day(Place::This),
            "TOMORROW" => return day(Place::Next),
            _ => {}
        }
        if let Some(rest) = upper.strip_prefix("N_").and_then(|rest| rest.strip_suffix("_AGO")) {
            let unit = Unit::find(&Unit::COUNTED, rest)?;
            let place = Place::Ago(0);
            return Some(Word::Counted(Counted { place, unit }));
        }
        for (prefix, place) in [("LAST_N_", Place::LastMany(0)), ("NEXT_N_", Place::NextMany(0))] {
            if let Some(rest) = upper.strip_prefix(prefix) {
                let unit = Unit::find(&Unit::COUNTED, rest)?;
                return Some(Word::Counted(Counted { place, unit }));
            }
        }
        for (prefix, place) in [("LAST_", Place::Last), ("THIS_", Place::This), ("NEXT_", Place::Next)] {
            if let Some(rest) = upper.strip_prefix(prefix) {
                let unit = Unit::find(&Unit::NAMED, rest)?;
                let known = unit != Unit::Days90 || place != Place::This;
                return known.then_some(Word::Whole(Self { place, unit }));
            }
        }
        None
    }

    /// The first day, and the first day after. `LAST_N_DAYS:n` and `LAST_90_DAYS` reach to the end of today.
    pub(crate) fn range(self, today: Date) -> (Date, Date) {
        let unit = self.unit;
        let start = unit.start(today);
        let (from, until) = match (self.place, unit) {
            (Place::Last, _) => (-1, 0),
            (Place::This, _) | (Place::Next, Unit::Days90) => (0, 1),
            (Place::Next, _) => (1, 2),
            (Place::LastMany(count), _) => (-i64::from(count), 0),
            (Place::NextMany(count), _) => (1, i64::from(count) + 1),
            (Place::Ago(count), _) => (-i64::from(count), 1 - i64::from(count)),
        };
        let (from, until) = (unit.later(start, from), unit.later(start, until));
        let tomorrow = Unit::Day.later(today, 1);
        match (self.place, unit) {
            (Place::Last, Unit::Days90) | (Place::LastMany(_), Unit::Day) => (from, tomorrow),
            (Place::Next, Unit::Days90) => (tomorrow, Unit::Day.later(until, 1)),
            (_, _) => (from, until),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.unit.name_in(&Unit::NAMED);
        let counted = self.unit.name_in(&Unit::COUNTED);
        match (self.place, self.unit) {
            (Place::Last, Unit::Day) => f.write_str("YESTERDAY"),
            (Place::This, Unit::Day) => f.write_str("TODAY"),
            (Place::Next, Unit::Day) => f.write_str("TOMORROW"),
            (Place::Last, _) => write!(f, "LAST_{named}"),
            (Place::This, _) => write!(f, "THIS_{named}"),
            (Place::Next, _) => write!(f, "NEXT_{named}"),
            (Place::LastMany(count), _) => write!(f, "LAST_N_{counted}:{count}"),
            (Place::NextMany(count), _) => write!(f, "NEXT_N_{counted}:{count}"),
            (Place::Ago(count), _) => write!(f, "N_{counted}_AGO:{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn span(text: &str) -> Span {
        let (word, count) = text.split_once(':').unwrap_or((text, "0"));
        match Span::word(word).unwrap_or_else(|| panic!("{text}")) {
            Word::Whole(span) => span,
            Word::Counted(counted) => counted.times(count.parse().unwrap()),
        }
    }

    #[test]
    fn each_literal_is_its_documented_range() {
        // A Wednesday.
        let today = date(2026, 11, 18);
        for (text, from, until) in [
            ("YESTERDAY", date(2026, 11, 17), date(2026, 11, 18)),
            ("TODAY", date(2026, 11, 18), date(2026, 11, 19)),
            ("tomorrow", date(2026, 11, 19), date(2026, 11, 20)),
            ("LAST_WEEK", date(2026, 11, 8), date(2026, 11, 15)),
            ("THIS_WEEK", date(2026, 11, 15), date(2026, 11, 22)),
            ("NEXT_MONTH", date(2026, 12, 1), date(2027, 1, 1)),
            ("LAST_90_DAYS", date(2026, 8, 20), date(2026, 11, 19)),
            ("NEXT_90_DAYS", date(2026, 11, 19), date(2027, 2, 17)),
            ("LAST_N_DAYS:3", date(2026, 11, 15), date(2026, 11, 19)),
            ("NEXT_N_DAYS:3", date(2026, 11, 19), date(2026, 11, 22)),
            ("N_DAYS_AGO:2", date(2026, 11, 16), date(2026, 11, 17)),
            ("LAST_N_WEEKS:2", date(2026, 11, 1), date(2026, 11, 15)),
            ("THIS_QUARTER", date(2026, 10, 1), date(2027, 1, 1)),
            ("LAST_QUARTER", date(2026, 7, 1), date(2026, 10, 1)),
            ("N_MONTHS_AGO:2", date(2026, 9, 1), date(2026, 10, 1)),
            ("NEXT_N_QUARTERS:2", date(2027, 1, 1), date(2027, 7, 1)),
            ("LAST_FISCAL_YEAR", date(2025, 1, 1), date(2026, 1, 1)),
            ("NEXT_N_FISCAL_QUARTERS:1", date(2027, 1, 1), date(2027, 4, 1)),
        ] {
            assert_eq!(span(text).range(today), (from, until), "{text}");
            assert_eq!(span(text).to_string(), text.to_ascii_uppercase());
        }
    }

    #[test]
    fn far_beyond_the_calendar_is_its_end() {
        let (from, until) = span("LAST_N_YEARS:4000000000").range(date(2026, 1, 1));
        assert_eq!((from, until), (Date::MIN, date(2026, 1, 1)));
        for text in ["LAST_", "LAST_N_", "THIS_90_DAYS", "N_FOO_AGO", "LASTWEEK", "LAST_DAYS"] {
            assert_eq!(Span::word(text), None, "{text}");
        }
    }
}
