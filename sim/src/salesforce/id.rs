//! Record identifiers: 15 characters that tell upper from lower case, printed with a checksum as 18.
//!
//! It knows no tables: a prefix is three characters to it.

use std::fmt;

use crate::seed::Stream;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// One record identifier. Identifiers of one table sort in the order in which they were given out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id([u8; 15]);

impl Id {
    /// Reads the 15- or 18-character form. `None` for any other text and for a wrong checksum (salesforce.md section 3.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let id = Self(bytes.get(..15)?.try_into().ok()?);
        (bytes.len() == 15 || id.checksum() == bytes[15..]).then_some(id)
    }

    /// The three characters that name the record's table.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.0[..3]
    }

    /// The 15-character form, as tokens of an org begin with it.
    pub(crate) fn short(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// For each block of five characters: bit k is set when character k is a capital letter.
    fn checksum(self) -> [u8; 3] {
        let mut suffix = [0_u8; 3];
        for (block, letter) in self.0.chunks_exact(5).zip(&mut suffix) {
            let bits = block
                .iter()
                .enumerate()
                .filter(|(_, character)| character.is_ascii_uppercase())
                .fold(0_usize, |bits, (place, _)| bits | 1 << place);
            *letter = CHECKSUM[bits];
        }
        suffix
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())?;
        f.write_str(str::from_utf8(&self.checksum()).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Gives out identifiers, seed-derived and rising within a table, as an org's own numbers rise.
#[derive(Debug)]
pub(crate) struct Mint {
    chance: Stream,
    /// Two characters that name the instance, the same in every identifier of the org.
    instance: [u8; 2],
}

impl Mint {
    /// A mint that draws from the given stream.
    pub(crate) fn new(mut chance: Stream) -> Self {
        let instance = [letter(chance.between(0, 9)), letter(chance.between(36, 61))];
        Self { chance, instance }
    }

    /// Another mint of the same org, that draws from its own stream.
    pub(crate) fn beside(&self, chance: Stream) -> Self {
        Self {
            chance,
            instance: self.instance,
        }
    }

    /// A number for a table's next record: above the last one given out for it.
    pub(crate) fn next_number(&mut self, last: Option<u64>) -> u64 {
        match last {
            Some(last) => last + self.chance.between(1, 40),
            None => self.chance.between(1_000_000_000, 60_000_000_000),
        }
    }

    /// The identifier for a number in the table of that prefix.
    pub(crate) fn id(&self, prefix: [u8; 3], number: u64) -> Id {
        let mut id = [b'0'; 15];
        id[..3].copy_from_slice(&prefix);
        id[3..5].copy_from_slice(&self.instance);
        let mut rest = number;
        for place in id[6..].iter_mut().rev() {
            *place = letter(rest % 62);
            rest /= 62;
        }
        Id(id)
    }

    /// Leaves out what a mint of the same seed may have drawn for that many identifiers.
    pub(crate) fn skip(&mut self, identifiers: usize) {
        for _ in 0..identifiers {
            self.chance.bits();
        }
    }

    /// Text that is only ever compared: the opaque middle of a query locator.
    pub(crate) fn opaque(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(letter(self.chance.between(0, 61))))
            .collect()
    }
}

fn letter(digit: u64) -> u8 {
    usize::try_from(digit).map_or(b'0', |digit| LETTERS[digit % 62])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn recorded_identifiers_have_the_checksum_that_salesforce_printed() {
        // salesforce.md section 3.1 and 2.6, from recorded traffic.
        for (short, long) in [
            ("0015500001QdZPK", "0015500001QdZPKAA3"),
            ("0057e00000RmwSW", "0057e00000RmwSWAAZ"),
            ("003q000000KvQ1t", "003q000000KvQ1tAAF"),
            ("012000000000000", "012000000000000AAA"),
        ] {
            assert_eq!(Id::parse(short).unwrap().to_string(), long);
            assert_eq!(Id::parse(long), Id::parse(short));
        }
    }

    #[test]
    fn an_identifier_of_the_documentation_with_an_edited_prefix_is_refused() {
        assert_eq!(Id::parse("a01D0000001pPvHAAU"), None);
        for wrong in [
            "",
            "006",
            "0065500001QdZPKAA",
            "0065500001QdZP!",
            "006é500001QdZPK",
            "0065500001QdZPKAA3AA3",
        ] {
            assert_eq!(Id::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn identifiers_of_a_table_rise_and_read_back() {
        let mut mint = Mint::new(Seed(5).stream("salesforce ids"));
        let (mut last, mut ids) = (None, Vec::new());
        for _ in 0..500 {
            let number = mint.next_number(last);
            last = Some(number);
            ids.push(mint.id(*b"006", number));
        }
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| Id::parse(&id.to_string()) == Some(*id)));
    }
}
