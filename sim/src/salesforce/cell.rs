//! One stored value: how it is read from JSON, printed, compared and put into an index.
//!
//! It checks a value against its field's type alone; what a record as a whole must satisfy stands in `rules`.

use std::cmp::Ordering;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde_json::Value;

use super::id::Id;
use super::kind::{Kind, Words};
use super::model::Field;

/// One stored value. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Empty. An empty text is stored as this, too.
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    Date(Date),
    /// Seconds since the Unix epoch: Salesforce keeps no fractions here (salesforce.md section 3.2).
    Moment(i64),
    Id(Id),
}

/// What an index sorts by. Texts are folded, as comparisons ignore case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A number's bits, turned so that they sort as the number does.
    Number(u64),
    Moment(i64),
    Id(Id),
    Text(Box<str>),
}

/// Why a JSON value does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The JSON has another type, or the text does not read as the type.
    Unreadable,
    /// Null for a field that is never empty.
    NotEmpty,
    /// A text that is no identifier.
    MalformedId,
    /// More digits than the field holds.
    OutOfRange,
}

impl Cell {
    /// Reads a value for a field. Texts lose blanks at both ends, numbers are rounded half up to the field's scale.
    ///
    /// Assumed: the trimming; that a number or `true` may come as text, and a text not as number.
    pub(crate) fn decode(field: &Field, value: &Value) -> Result<Self, Misfit> {
        if value.is_null() {
            let never_empty = field.kind == Kind::Boolean;
            return if never_empty {
                Err(Misfit::NotEmpty)
            } else {
                Ok(Self::Null)
            };
        }
        let text = value.as_str().map(str::trim);
        if text == Some("") && field.kind != Kind::Boolean {
            return Ok(Self::Null);
        }
        match &field.kind {
            Kind::Text(Words::Base64, _) => text.filter(|text| is_base64(text)).map(Self::text),
            Kind::Text(..) => text.map(Self::text),
            Kind::Boolean => value.as_bool().or_else(|| text?.parse().ok()).map(Self::Bool),
            Kind::Number { precision, scale, .. } => return decode_number(value, *precision, *scale),
            Kind::Int => return decode_number(value, 9, 0),
            Kind::Date => text.and_then(parse_date).map(Self::Date),
            Kind::DateTime => text.and_then(parse_moment).map(Self::Moment),
            Kind::Id | Kind::Reference(_) => {
                let text = text.ok_or(Misfit::Unreadable)?;
                return Id::parse(text).map(Self::Id).ok_or(Misfit::MalformedId);
            }
            Kind::Address => None,
        }
        .ok_or(Misfit::Unreadable)
    }

    /// A text; empty is [`Cell::Null`].
    pub(crate) fn text(text: &str) -> Self {
        if text.is_empty() {
            Self::Null
        } else {
            Self::Text(text.into())
        }
    }

    /// The text, when it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Date(_) | Self::Moment(_) | Self::Id(_) => None,
        }
    }

    /// The identifier, when it is one.
    pub(crate) fn as_id(&self) -> Option<Id> {
        if let Self::Id(id) = self { Some(*id) } else { None }
    }

    /// The number, when it is one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// Whether it is `true`.
    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// What the index of its field sorts it by. Empty values are in no index.
    pub(crate) fn key(&self) -> Option<Key> {
        match self {
            Self::Text(text) => Some(Key::Text(folded(text))),
            Self::Moment(seconds) => Some(Key::Moment(*seconds)),
            Self::Id(id) => Some(Key::Id(*id)),
            Self::Number(number) => {
                let bits = number.to_bits();
                Some(Key::Number(if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }))
            }
            Self::Null | Self::Bool(_) | Self::Date(_) => None,
        }
    }

    /// Order of two values of one field, empty first, texts without regard to case.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Bool(one), Self::Bool(two)) => one.cmp(two),
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Date(one), Self::Date(two)) => one.cmp(two),
            (Self::Moment(one), Self::Moment(two)) => one.cmp(two),
            (Self::Id(one), Self::Id(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => compare_folded(one, two),
            // Two values of one field have one type; a query's literal is checked against it before.
            (_, _) => Ordering::Equal,
        }
    }

    /// Appends the value as the REST API prints it. `whole` leaves the `.0` off numbers, as for `xsd:int`.
    pub(crate) fn print(&self, whole: bool, out: &mut Vec<u8>) {
        // Writing into memory does not fail.
        let _written = match self {
            Self::Null => out.write_all(b"null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(number) if whole => write!(out, "{number}"),
            Self::Number(number) => serde_json::to_writer(out, number).map_err(Into::into),
            Self::Text(text) => serde_json::to_writer(out, &**text).map_err(Into::into),
            Self::Date(date) => write!(out, "\"{date}\""),
            Self::Moment(seconds) => write!(out, "\"{}\"", Moment(*seconds)),
            Self::Id(id) => write!(out, "\"{id}\""),
        };
    }

    /// The value as JSON, equal to what [`Cell::print`] writes.
    pub(crate) fn to_value(&self, whole: bool) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            #[expect(clippy::cast_possible_truncation, reason = "an int field holds at most nine digits")]
            Self::Number(number) if whole => Value::from(*number as i64),
            Self::Number(number) => Value::from(*number),
            Self::Text(text) => Value::from(&**text),
            Self::Date(date) => Value::from(date.to_string()),
            Self::Moment(seconds) => Value::from(Moment(*seconds).to_string()),
            Self::Id(id) => Value::from(id.to_string()),
        }
    }
}

/// Seconds since the epoch, printed as `2022-03-17T16:21:26.000+0000` (salesforce.md section 3.2).
struct Moment(i64);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = Timestamp::from_second(self.0).unwrap_or_default();
        let at = Offset::UTC.to_datetime(moment);
        let (date, time) = (at.date(), at.time());
        write!(
            f,
            "{date}T{:02}:{:02}:{:02}.000+0000",
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}

/// The greatest length that the field holds, when the text is longer. In characters.
pub(crate) fn exceeded_length(field: &Field, text: &str) -> Option<usize> {
    match field.kind {
        Kind::Text(_, length) => (text.len() > length && text.chars().count() > length).then_some(length),
        Kind::Id
        | Kind::Reference(_)
        | Kind::Boolean
        | Kind::Number { .. }
        | Kind::Int
        | Kind::Date
        | Kind::DateTime
        | Kind::Address => None,
    }
}

/// Whether a text is base64.
fn is_base64(text: &str) -> bool {
    BASE64.decode(text).is_ok()
}

/// A day between the years that Salesforce takes, 1700 to 4000.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let plain = text.len() == 10 && text.is_ascii();
    let date: Date = text.parse().ok().filter(|_| plain)?;
    (1700..=4000).contains(&date.year()).then_some(date)
}

/// A moment with a zone: `Z`, `+01:00` or `+0100`. Fractions of a second are dropped.
pub(crate) fn parse_moment(text: &str) -> Option<i64> {
    let moment: Timestamp = text.parse().ok()?;
    Some(moment.as_millisecond().div_euclid(1000))
}

fn decode_number(value: &Value, precision: u32, scale: u32) -> Result<Cell, Misfit> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let number = number.filter(|number| number.is_finite()).ok_or(Misfit::Unreadable)?;
    let limit = 10_f64.powi(i32::try_from(precision.saturating_sub(scale)).unwrap_or(18));
    // Adding zero turns a negative zero into zero.
    let rounded = round_half_up(number, usize::try_from(scale).unwrap_or_default()) + 0.0;
    if rounded.abs() < limit {
        Ok(Cell::Number(rounded))
    } else {
        Err(Misfit::OutOfRange)
    }
}

/// Rounds by the number's shortest decimal form, so that 1.005 becomes 1.01 and not 1.0.
fn round_half_up(number: f64, scale: usize) -> f64 {
    let text = number.abs().to_string();
    let Some((whole, fraction)) = text.split_once('.').filter(|(_, fraction)| fraction.len() > scale) else {
        return number;
    };
    let up = fraction.as_bytes()[scale] >= b'5';
    let Ok(digits) = format!("{whole}{}", &fraction[..scale]).parse::<u128>() else {
        return number;
    };
    let digits = format!("{:0>width$}", digits + u128::from(up), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let rounded: f64 = format!("{whole}.{fraction}0").parse().unwrap_or(number);
    rounded.copysign(number)
}

/// A text without its case: letter by letter, so that it agrees with [`compare_folded`].
fn folded(text: &str) -> Box<str> {
    if text.is_ascii() {
        return text.to_ascii_lowercase().into();
    }
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Order of two texts without regard to case.
pub(crate) fn compare_folded(one: &str, two: &str) -> Ordering {
    if one.is_ascii() && two.is_ascii() {
        return one
            .bytes()
            .map(|byte| byte.to_ascii_lowercase())
            .cmp(two.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    one.chars()
        .flat_map(char::to_lowercase)
        .cmp(two.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(kind: &str, size: &str) -> Field {
        Field::from_line("F", &["F", kind, size, "ncuf", "-", "-"]).unwrap()
    }

    fn printed(cell: &Cell) -> String {
        let mut out = Vec::new();
        cell.print(false, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_read_and_print_as_the_vendor_does() {
        for (kind, size, given, expected) in [
            ("string", "80", json!("  Fabrikam \n"), "\"Fabrikam\""),
            ("string", "80", json!("   "), "null"),
            ("currency", "18,2", json!(1000), "1000.0"),
            ("currency", "18,2", json!("12.5"), "12.5"),
            ("currency", "18,2", json!(1.005), "1.01"),
            ("currency", "18,2", json!(-1.005), "-1.01"),
            ("double", "18,0", json!(2.5), "3.0"),
            ("date", "-", json!("2026-02-28"), "\"2026-02-28\""),
            (
                "datetime",
                "-",
                json!("2026-01-05T10:00:00.999+01:00"),
                "\"2026-01-05T09:00:00.000+0000\"",
            ),
            (
                "datetime",
                "-",
                json!("2026-01-05T09:00:00.000+0000"),
                "\"2026-01-05T09:00:00.000+0000\"",
            ),
            ("boolean", "-", json!("true"), "true"),
        ] {
            let cell = Cell::decode(&field(kind, size), &given).unwrap();
            assert_eq!(printed(&cell), expected, "{given}");
            assert_eq!(cell.to_value(false).to_string(), expected, "{given}");
        }
    }

    #[test]
    fn values_of_another_type_are_misfits() {
        for (kind, size, given, expected) in [
            ("string", "80", json!(5), Misfit::Unreadable),
            ("string", "80", json!({}), Misfit::Unreadable),
            ("boolean", "-", json!(null), Misfit::NotEmpty),
            ("boolean", "-", json!("yes"), Misfit::Unreadable),
            ("date", "-", json!("2026-2-3"), Misfit::Unreadable),
            ("date", "-", json!("2026-02-30"), Misfit::Unreadable),
            ("date", "-", json!("1600-01-01"), Misfit::Unreadable),
            ("datetime", "-", json!("2026-01-05T09:00:00"), Misfit::Unreadable),
            ("currency", "18,2", json!("ten"), Misfit::Unreadable),
            ("currency", "18,2", json!("inf"), Misfit::Unreadable),
            ("currency", "12,2", json!(10_000_000_000.0), Misfit::OutOfRange),
            ("id", "18", json!("006"), Misfit::MalformedId),
        ] {
            assert_eq!(Cell::decode(&field(kind, size), &given), Err(expected), "{given}");
        }
    }

    #[test]
    fn comparison_ignores_case_in_every_alphabet() {
        assert_eq!(compare_folded("FABRIKAM", "fabrikam"), Ordering::Equal);
        assert_eq!(compare_folded("MÜLLER", "müller"), Ordering::Equal);
        assert_eq!(compare_folded("a", "B"), Ordering::Less);
        assert_eq!(Cell::Null.compare(&Cell::Number(-5.0)), Ordering::Less);
    }
}
