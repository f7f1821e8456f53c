//! Exact decimal numbers for money, prices and exchange rates.
//!
//! It knows no currency: which precision applies is decided where a row is written.

use std::fmt;

/// Decimal places kept.
const PLACES: u32 = 10;
const ONE: i128 = 10_i128.pow(PLACES);
/// The most digits that a number on the wire may have before the point: more cannot be money.
const MAX_WHOLE_DIGITS: usize = 20;

/// A decimal number with ten places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amount(i128);

impl Amount {
    /// Nothing.
    pub(super) const ZERO: Self = Self(0);

    /// A whole number.
    pub(super) const fn whole(number: i64) -> Self {
        // An i64 times 10^10 is below 2^97.
        Self((number as i128) * ONE)
    }

    /// Reads a JSON number's text, exponent included. Places beyond the tenth are rounded half away from zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || whole.len() > MAX_WHOLE_DIGITS {
            return None;
        }
        let mut units = 0_i128;
        let kept = fraction.bytes().take(12);
        for byte in whole.bytes().chain(kept) {
            units = units * 10 + i128::from(byte - b'0');
        }
        let places = i32::try_from(fraction.len().min(12)).ok()?;
        let shift = exponent.checked_sub(places)?.checked_add(PLACES.cast_signed())?;
        let units = scale(units, shift)?;
        Some(Self(if negative { -units } else { units }))
    }

    /// Rounded half away from zero to a number of places.
    ///
    /// Assumed: Dataverse rounds money on write; which way a half goes is not documented.
    pub(super) fn rounded(self, places: u32) -> Self {
        let step = 10_i128.pow(PLACES.saturating_sub(places));
        let half = if self.0 < 0 { -step / 2 } else { step / 2 };
        Self((self.0 + half) / step * step)
    }

    /// The quotient, to ten places, rounded half away from zero. Division by zero gives zero: a rate is never zero.
    pub(super) fn divided_by(self, divisor: Self) -> Self {
        if divisor.0 == 0 {
            return Self::ZERO;
        }
        let (number, by) = (self.0.saturating_mul(ONE), divisor.0);
        let half = if (number < 0) == (by < 0) { by / 2 } else { -by / 2 };
        Self(number.saturating_add(half) / by)
    }

    /// Printed with exactly so many places, as the Web API prints decimals.
    pub(super) fn with_places(self, places: u32) -> Places {
        Places {
            amount: self.rounded(places),
            places,
        }
    }

    /// Printed with the places that it has, none when it is whole.
    pub(super) fn plain(self) -> String {
        let text = self.with_places(PLACES).to_string();
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The product, at the ends of the range where it does not fit.
    pub(super) fn times(self, other: Self) -> Self {
        let (whole, rest) = (self.0 / ONE, self.0 % ONE);
        // The rest is below one, so only the whole part can leave the range.
        let of_rest = rest.saturating_mul(other.0) / ONE;
        Self(whole.saturating_mul(other.0).saturating_add(of_rest))
    }

    /// The difference, at the ends of the range where it does not fit.
    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, at the ends of the range where it does not fit.
    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The nearest binary number, for values that leave as JSON outside the wire.
    pub(super) fn as_f64(self) -> f64 {
        self.with_places(PLACES).to_string().parse().unwrap_or(f64::NAN)
    }

    /// The whole number, when it is one.
    pub(super) fn as_whole(self) -> Option<i64> {
        (self.0 % ONE == 0).then(|| i64::try_from(self.0 / ONE).ok()).flatten()
    }
}

/// Multiplies by a power of ten, rounding half away from zero when it is negative. `None` when it does not fit.
fn scale(units: i128, shift: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    if shift >= 0 {
        // 10^40 is more than any amount; a zero stays zero at any scale.
        return if units == 0 {
            Some(0)
        } else {
            units.checked_mul(power?).filter(|units| *units < ONE * ONE * ONE)
        };
    }
    Some(power.map_or(0, |power| (units + power / 2) / power))
}

/// An amount with a fixed number of places.
pub(super) struct Places {
    amount: Amount,
    places: u32,
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.amount.0.unsigned_abs();
        let one = ONE.unsigned_abs();
        let sign = if self.amount.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (
            units / one,
            units % one / 10_u128.pow(PLACES.saturating_sub(self.places)),
        );
        match self.places {
            0 => write!(f, "{sign}{whole}"),
            places => write!(f, "{sign}{whole}.{fraction:0width$}", width = places as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    #[test]
    fn numbers_keep_their_exact_value_and_round_half_away_from_zero() {
        assert_eq!(read("20000000").with_places(4).to_string(), "20000000.0000");
        assert_eq!(read("1000.005").rounded(2).with_places(2).to_string(), "1000.01");
        assert_eq!(read("-1000.005").rounded(2).with_places(2).to_string(), "-1000.01");
        assert_eq!(read("-0.4").rounded(0).with_places(0).to_string(), "0");
        assert_eq!(read("1e12"), Amount::whole(1_000_000_000_000));
        assert_eq!(read("15e-1").as_whole(), None);
        assert_eq!(read("100").divided_by(read("0.8")), Amount::whole(125));
        assert!((read("1234.56").as_f64() - 1234.56).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_no_decimal_number_is_not_read() {
        for bad in [
            "",
            "-",
            ".",
            "a",
            "1e400",
            "1e99999999999",
            "999999999999999999999999",
            "1.2.3",
            "0x10",
        ] {
            assert_eq!(Amount::parse(bad), None, "{bad}");
        }
        assert_eq!(Amount::parse("1e-400"), Some(Amount::ZERO));
        assert_eq!(Amount::parse("0e30"), Some(Amount::ZERO));
    }
}
