//! Row identifiers: a GUID as a number, printed as Microsoft prints it.
//!
//! It draws no chance of its own: new identifiers come out of a stream that the caller owns.

use std::fmt;

use crate::seed::Stream;

/// A GUID. Its order is the order of its printed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Guid(u128);

impl Guid {
    /// The smallest, for bounds.
    pub(super) const FIRST: Self = Self(0);
    /// The greatest, for bounds.
    pub(super) const LAST: Self = Self(u128::MAX);

    /// Reads `8-4-4-4-12` hexadecimal digits of either case. Braces, quotes and bare digits are no GUID here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let mut number = 0_u128;
        for (place, byte) in bytes.iter().enumerate() {
            if matches!(place, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = char::from(*byte).to_digit(16)?;
            number = (number << 4) | u128::from(digit);
        }
        Some(Self(number))
    }

    /// The next identifier of a stream.
    pub(super) fn draw(stream: &mut Stream) -> Self {
        let (high, low) = (stream.bits(), stream.bits());
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        Self((u128::from(high) << 64) | u128::from(low))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digits are put in by hand: every answer carries one, and rows many.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"00000000-0000-0000-0000-000000000000";
        let places = text.iter_mut().filter(|place| **place != b'-');
        for (place, digit) in places.zip((0..32).rev()) {
            let digit = usize::try_from((self.0 >> (digit * 4)) & 0xf).unwrap_or_default();
            *place = DIGITS[digit];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn a_guid_prints_what_it_was_read_from_in_lower_case() {
        let text = "01234567-89AB-cdef-8000-00000000ABCD";
        assert_eq!(Guid::parse(text).unwrap().to_string(), text.to_lowercase());
        for bad in [
            "",
            "{01234567-89ab-cdef-8000-00000000abcd}",
            "0123456789abcdef800000000000abcd",
            "é",
        ] {
            assert_eq!(Guid::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_drawn_guid_is_the_one_that_the_stream_prints() {
        let (mut one, mut other) = (Seed(5).stream("ids"), Seed(5).stream("ids"));
        assert_eq!(Guid::draw(&mut one).to_string(), other.guid());
    }
}
