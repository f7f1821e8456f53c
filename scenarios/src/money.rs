//! Amounts of money in minor units of their currency, and back to how people write them. It knows no exchange rates.

use iso_currency::Currency;
use serde_json::Value;

/// An amount in minor units of its currency. Partner Center takes text as well as numbers (facts section 2.2).
pub fn minor_units(value: &Value, currency: &str) -> Option<i64> {
    let amount = value
        .as_str()
        .map_or_else(|| value.as_f64(), |text| text.parse().ok())?;
    #[expect(clippy::cast_possible_truncation, reason = "amounts are far below 2^53 minor units")]
    let minor = (amount * 10_f64.powi(scale(currency))).round() as i64;
    Some(minor)
}

/// Decimal places of a currency (ISO 4217): two where the list knows none.
fn scale(currency: &str) -> i32 {
    let places = Currency::from_code(currency).and_then(Currency::exponent);
    places.map_or(2, i32::from)
}

/// Minor units as people write them: `50000 USD`.
pub fn show(minor: &str, currency: &str) -> String {
    let scale = usize::try_from(scale(currency)).unwrap_or_default();
    let (sign, digits) = minor.strip_prefix('-').map_or(("", minor), |digits| ("-", digits));
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.bytes().all(|digit| digit == b'0') {
        format!("{sign}{whole} {currency}")
    } else {
        format!("{sign}{whole}.{fraction} {currency}")
    }
}

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn minor_units_are_shown_as_people_write_amounts() {
        assert_eq!(show("5000000", "USD"), "50000 USD");
        assert_eq!(show("5", "USD"), "0.05 USD");
        assert_eq!(show("1200", "JPY"), "1200 JPY");
        assert_eq!(show("-150", "EUR"), "-1.50 EUR");
    }
}
