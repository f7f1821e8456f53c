//! One stored value, how values compare, and how they look as JSON.
//!
//! It does not know columns: which kind of value a column takes is decided in the model.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::amount::Amount;
use super::guid::Guid;

/// A value of one column of one row. Cells of one column are all of one variant, or null; null sorts first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number: counts, choices, states, versions.
    Int(i64),
    /// Money, prices, rates.
    Amount(Amount),
    /// Text. Shared, so that a row is cheap to copy.
    Text(Arc<str>),
    /// A row's identifier.
    Guid(Guid),
    /// A day.
    Date(Date),
    /// A moment.
    Time(Timestamp),
}

impl Cell {
    /// Text as a cell.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// Whether there is no value.
    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The identifier, when it is one.
    pub(super) fn guid(&self) -> Option<Guid> {
        if let Self::Guid(guid) = self { Some(*guid) } else { None }
    }

    /// The whole number, when it is one.
    pub(super) fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The amount, when it is one.
    pub(super) fn amount(&self) -> Option<Amount> {
        if let Self::Amount(amount) = self {
            Some(*amount)
        } else {
            None
        }
    }

    /// The text, when it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value under which it is sorted and compared: text without regard to case (dataverse.md section 2.6).
    pub(super) fn folded(&self) -> Self {
        match self {
            Self::Text(text) if text.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase()) => {
                Self::text(&text.to_lowercase())
            }
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Amount(_)
            | Self::Text(_)
            | Self::Guid(_)
            | Self::Date(_)
            | Self::Time(_) => self.clone(),
        }
    }

    /// Appends the value as the Web API prints it. Decimals are printed with `places` places.
    pub(super) fn print(&self, places: u32, out: &mut String) {
        // Writing to a String cannot fail.
        let _done = match self {
            Self::Null => write!(out, "null"),
            Self::Bool(yes) => write!(out, "{yes}"),
            Self::Int(number) => write!(out, "{number}"),
            Self::Amount(amount) => write!(out, "{}", amount.with_places(places)),
            Self::Text(text) => {
                print_text(text, out);
                Ok(())
            }
            Self::Guid(guid) => write!(out, "\"{guid}\""),
            Self::Date(date) => write!(out, "\"{date}\""),
            Self::Time(time) => write!(out, "\"{time}\""),
        };
    }

    /// The value for commits and rows.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Int(number) => Value::from(*number),
            Self::Amount(amount) => Value::from(amount.as_f64()),
            Self::Text(text) => Value::from(&**text),
            Self::Guid(guid) => Value::from(guid.to_string()),
            Self::Date(date) => Value::from(date.to_string()),
            Self::Time(time) => Value::from(time.to_string()),
        }
    }
}

/// Reads a day: four, two and two digits, nothing else.
pub(super) fn day(text: &str) -> Option<Date> {
    let shape = text.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if shape && text.len() == 10 {
        text.parse().ok()
    } else {
        None
    }
}

/// Reads a moment, which has a zone: without one, `OData` has no such value.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    day(date)?;
    if time.contains('[') { None } else { text.parse().ok() }
}

/// Appends text as a JSON string.
pub(super) fn print_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _done = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_text_reads_back_as_the_same_json() {
        let text = "a\"b\\c\n\r\t\u{1}\u{7f}Zürich ☃ 東京 \u{1f600}";
        let mut out = String::new();
        Cell::text(text).print(4, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn text_folds_case_and_null_sorts_first() {
        assert_eq!(Cell::text("ZÜRICH").folded(), Cell::text("zürich"));
        assert!(Cell::Null < Cell::Bool(false));
    }
}
