//! Values in the form in which both sides are compared.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::{Field, Mark};
use crate::money;

/// A name without marks at either end, entities decoded, trimmed, in the composed form of Unicode (NFC).
pub fn plain_name(name: &str) -> String {
    let is_mark = |sign: char| Mark::of_char(sign).is_some() || sign == '\u{fe0f}' || sign.is_whitespace();
    decode_entities(name.trim_matches(is_mark)).trim().nfc().collect()
}

fn decode_entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // Ampersand last, or `&amp;lt;` would be decoded twice.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// A wire value in the form in which both sides are compared; `None` when it says nothing.
pub fn canonical(field: Field, value: &Value, currency: &str) -> Option<String> {
    let text = match (field, value) {
        (_, Value::Null) => return None,
        (Field::Value, value) => return money::minor_units(value, currency).map(|minor| minor.to_string()),
        (Field::Name, Value::String(text)) => plain_name(text),
        (Field::Closes, Value::String(text)) => text.chars().take(10).collect(),
        (Field::Notes | Field::Currency, Value::String(text)) => decode_entities(text).trim().nfc().collect(),
        (_, other) => other.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_compared_without_marks_entities_and_blanks() {
        assert_eq!(plain_name("e\u{301}te\u{301}"), "\u{e9}t\u{e9}");
        assert_eq!(plain_name("✔ Oil &amp; Gas ✔\u{fe0f} "), "Oil & Gas");
        assert_eq!(plain_name("Fabrikam ✗"), "Fabrikam");
        assert_eq!(plain_name("A ✔ in the middle stays"), "A ✔ in the middle stays");
    }

    #[test]
    fn amounts_are_equal_at_the_scale_of_their_currency_whatever_their_json_type() {
        assert_eq!(
            canonical(Field::Value, &json!("10000"), "USD"),
            canonical(Field::Value, &json!(10000.0), "USD")
        );
        assert_eq!(canonical(Field::Value, &json!(10.004), "USD"), Some("1000".to_owned()));
        assert_eq!(canonical(Field::Value, &json!(1200), "JPY"), Some("1200".to_owned()));
        assert_eq!(canonical(Field::Value, &Value::Null, "USD"), None);
    }

    #[test]
    fn marks_are_counted_not_only_found() {
        assert_eq!(Mark::of("Deal ✔"), Mark::Check);
        assert_eq!(Mark::of("Deal ✔ ✔"), Mark::Stacked);
        assert_eq!(Mark::of("Deal ✔ and more ✗"), Mark::Cross);
        assert_eq!(Mark::of("✔"), Mark::Check);
        assert_eq!(Mark::of("Deal"), Mark::None);
    }
}
