//! Values as `FORMAT`, `toLabel` and `convertCurrency` show them.
//!
//! Everybody's language is American English here. Assumed: what its numbers and dates look like in an answer.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::salesforce::cell::Cell;
use crate::salesforce::kind::{Kind, Measure};
use crate::salesforce::model::Field;
use crate::salesforce::places;
use crate::salesforce::soql::ast::Function;

/// The value as the function shows it. `currency` is that of the record, in an org that has several.
///
/// Every currency has the rate 1, so a converted amount is the amount.
pub(crate) fn shown(function: Function, field: &Field, cell: &Cell, currency: Option<&str>) -> Cell {
    if function == Function::Format {
        return formatted(field, cell, currency);
    }
    if function == Function::ToLabel && field.name.ends_with("CountryCode") {
        let code = cell.as_text().unwrap_or_default();
        let known = places::COUNTRIES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(code));
        return known.map_or_else(|| cell.clone(), |(_, name)| Cell::text(name));
    }
    cell.clone()
}

fn formatted(field: &Field, cell: &Cell, currency: Option<&str>) -> Cell {
    match cell {
        Cell::Number(number) => {
            let scale = if let Kind::Number { scale, .. } = field.kind {
                scale
            } else {
                0
            };
            let plain = grouped(*number, scale);
            Cell::text(&match (&field.kind, currency) {
                (
                    Kind::Number {
                        measure: Measure::Currency,
                        ..
                    },
                    Some(code),
                ) => format!("{code} {plain}"),
                (
                    Kind::Number {
                        measure: Measure::Currency,
                        ..
                    },
                    None,
                ) => format!("${plain}"),
                (
                    Kind::Number {
                        measure: Measure::Percent,
                        ..
                    },
                    _,
                ) => format!("{plain}%"),
                (_, _) => plain,
            })
        }
        Cell::Date(date) => Cell::text(&american(*date)),
        Cell::Moment(second) => {
            let at = Offset::UTC.to_datetime(Timestamp::from_second(*second).unwrap_or_default());
            let (hour, half) = (at.hour() % 12, if at.hour() < 12 { "AM" } else { "PM" });
            let hour = if hour == 0 { 12 } else { hour };
            Cell::text(&format!("{}, {hour}:{:02} {half}", american(at.date()), at.minute()))
        }
        Cell::Null | Cell::Bool(_) | Cell::Text(_) | Cell::Id(_) => cell.clone(),
    }
}

fn american(date: Date) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

/// A number with commas between thousands.
fn grouped(number: f64, scale: u32) -> String {
    let scale = usize::try_from(scale).unwrap_or_default();
    let text = format!("{:.scale$}", number.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut all = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            all.push(',');
        }
        all.push(digit);
    }
    let sign = if number < 0.0 { "-" } else { "" };
    if fraction.is_empty() {
        format!("{sign}{all}")
    } else {
        format!("{sign}{all}.{fraction}")
    }
}
