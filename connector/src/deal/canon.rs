//! How values of either side are brought to one form, so that equal means equal.
//!
//! Money is rounded to two places, or to fewer where its currency has fewer: more is not compared, because a CRM keeps no more
//! (salesforce.md section 3.4, dataverse.md section 6). Texts are composed (NFC).

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::mark;

/// A text: entities decoded, composed, line ends unified, blanks at the ends of lines and of the whole gone; nothing when empty.
pub fn text(raw: &str) -> Option<String> {
    let decoded = decode_entities(raw);
    let unified = if decoded.contains('\r') {
        decoded.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        decoded
    };
    let composed = if is_nfc(&unified) {
        unified
    } else {
        unified.nfc().collect()
    };
    let trimmed = composed.trim();
    if trimmed.is_empty() {
        return None;
    }
    if !trimmed.contains(" \n") && !trimmed.contains("\t\n") {
        return Some(trimmed.to_owned());
    }
    let lines: Vec<&str> = trimmed.split('\n').map(str::trim_end).collect();
    Some(lines.join("\n"))
}

/// A deal's name: a text without marks.
pub fn name(raw: &str) -> Option<String> {
    text(mark::strip(raw))
        .map(|name| mark::strip(&name).to_owned())
        .filter(|name| !name.is_empty())
}

/// An amount from a JSON number or from a text that holds one, as decimal digits with at most two places.
pub fn amount(raw: &Value) -> Option<String> {
    let number = match raw {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    to_cents(number).map(from_cents)
}

/// An amount at the scale of its currency (ISO 4217): yen have no places. More places than two are not kept anywhere.
pub fn at_scale(amount: &str, currency: Option<&str>) -> String {
    const WHOLE: [&str; 16] = [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    ];
    let whole = currency.is_some_and(|code| WHOLE.contains(&code) || code == "XPF");
    match amount.parse::<f64>() {
        Ok(number) if whole && amount.contains('.') => {
            to_cents(number.round()).map_or_else(|| amount.to_owned(), from_cents)
        }
        _ => amount.to_owned(),
    }
}

/// A text cut to so many letters; none when it fits.
pub fn shortened(text: &str, longest: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(longest)?;
    Some(text[..end].trim_end().to_owned())
}

/// Beyond this a double no longer holds whole cents.
const LARGEST: f64 = 9.0e13;

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before the cast")]
fn to_cents(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() <= LARGEST).then(|| (number * 100.0).round() as i64)
}

fn from_cents(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.abs() / 100, cents.abs() % 100);
    match rest {
        0 => format!("{sign}{whole}"),
        rest if rest % 10 == 0 => format!("{sign}{whole}.{}", rest / 10),
        rest => format!("{sign}{whole}.{rest:02}"),
    }
}

/// A number of things, as a CRM prints it with places.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float's cast saturates, and a count has no places"
)]
pub fn count(number: f64) -> usize {
    number.max(0.0) as usize
}

/// A canonical amount as a JSON number.
pub fn amount_to_json(canonical: &str) -> Value {
    if let Ok(whole) = canonical.parse::<i64>() {
        return Value::from(whole);
    }
    canonical.parse::<f64>().map_or(Value::Null, Value::from)
}

/// A currency code in capitals.
pub fn currency(raw: &str) -> Option<String> {
    text(raw).map(|code| code.to_ascii_uppercase())
}

/// The day of a point in time, in the zone that the connector is set to.
pub fn day(moment: Timestamp, zone: Offset) -> String {
    zone.to_datetime(moment).date().to_string()
}

/// The day of a text that holds a point in time or a plain date.
pub fn day_of(raw: &str, zone: Offset) -> Option<String> {
    if let Some(moment) = timestamp(raw) {
        return Some(day(moment, zone));
    }
    raw.trim().parse::<Date>().ok().map(|date| date.to_string())
}

/// The moment at which a canonical day begins in the zone that the connector is set to.
pub fn start_of(canonical: &str, zone: Offset) -> Option<Timestamp> {
    let date: Date = canonical.parse().ok()?;
    zone.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

/// A point in time as any of the three systems prints it.
pub fn timestamp(raw: &str) -> Option<Timestamp> {
    raw.trim().parse().ok()
}

/// A moment in whole seconds with `Z`.
pub fn seconds(moment: Timestamp) -> String {
    let whole = whole_second(moment);
    whole.to_string()
}

/// The moment without its fraction of a second.
pub fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// The moment that a `Date` header says; none when it cannot be read.
pub fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// A moment moved by a span; it stays inside what can be represented.
pub fn after(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.checked_add(span).unwrap_or(if span.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Decodes the entities that Partner Center leaves in names (partner-center.md section 2.2). Unknown ones stay.
fn decode_entities(raw: &str) -> String {
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest
            .char_indices()
            .take(12)
            .find(|(_, letter)| *letter == ';')
            .map(|(end, _)| end);
        let found = end.and_then(|end| Some((entity(&rest[1..end])?, end)));
        let (letter, end) = found.unwrap_or(('&', 0));
        decoded.push(letter);
        rest = &rest[end + 1..];
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_date_header_says_is_a_moment() {
        let moment: Timestamp = "2020-07-21T04:10:58Z".parse().unwrap();
        assert_eq!(http_date("Tue, 21 Jul 2020 04:10:58 GMT"), Some(moment));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn amounts_of_all_forms_become_equal() {
        for raw in [
            json!(10000),
            json!("10000"),
            json!(10000.0),
            json!("10000.0000"),
            json!(10000.001),
        ] {
            assert_eq!(amount(&raw).as_deref(), Some("10000"), "{raw}");
        }
        assert_eq!(amount(&json!(0.5)).as_deref(), Some("0.5"));
        assert_eq!(amount(&json!(-12.34)).as_deref(), Some("-12.34"));
        assert_eq!(amount(&json!(1.05)).as_deref(), Some("1.05"));
        assert_eq!(amount(&json!(1e300)), None);
        assert_eq!(amount(&json!("abc")), None);
        assert_eq!(amount_to_json("1.05"), json!(1.05));
        assert_eq!(amount_to_json("7"), json!(7));
    }

    #[test]
    fn texts_are_decoded_unified_and_trimmed() {
        assert_eq!(
            text(" OIL &amp; GAS &#39;S&#x41; &bogus; & \r\n").as_deref(),
            Some("OIL & GAS 'SA &bogus; &")
        );
        assert_eq!(text("a\r\nb").as_deref(), Some("a\nb"));
        assert_eq!(text("  "), None);
        assert_eq!(text("Cafe\u{301} \n x").as_deref(), Some("Caf\u{e9}\n x"));
        assert_eq!(at_scale("1000.4", Some("JPY")), "1000");
        assert_eq!(at_scale("1000.4", Some("USD")), "1000.4");
        assert_eq!(shortened("abc d", 4).as_deref(), Some("abc"));
        assert_eq!(shortened("abc", 3), None);
        assert_eq!(name("A &amp; B ✔").as_deref(), Some("A & B"));
        assert_eq!(text("&ééééééééééé;").as_deref(), Some("&ééééééééééé;"));
    }

    #[test]
    fn times_of_every_system_are_read() {
        for raw in [
            "2022-03-17T16:21:26.000+0000",
            "2022-03-17T16:21:26Z",
            "2022-03-17T16:21:26.0000000Z",
            "2022-03-17T16:21:26.0000000+00:00",
        ] {
            assert_eq!(
                timestamp(raw).map(seconds).as_deref(),
                Some("2022-03-17T16:21:26Z"),
                "{raw}"
            );
        }
    }

    #[test]
    fn a_closing_date_is_a_day_in_the_zone_that_is_set() {
        assert_eq!(
            day_of("2022-03-24T18:30:00Z", Offset::UTC).as_deref(),
            Some("2022-03-24")
        );
        let india = Offset::from_seconds(5 * 3600 + 1800).unwrap();
        assert_eq!(day_of("2022-03-24T18:30:00Z", india).as_deref(), Some("2022-03-25"));
        assert_eq!(
            start_of("2022-03-25", india).map(seconds).as_deref(),
            Some("2022-03-24T18:30:00Z")
        );
        assert_eq!(day_of("2022-03-24", india).as_deref(), Some("2022-03-24"));
    }
}
