//! Chance: one seed, a labelled stream for each consumer.
//!
//! It never asks the operating system. A stream depends on the seed and its label alone, so a new consumer does not
//! shift what the others draw.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// The number that decides a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed(pub u64);

impl Default for Seed {
    /// The seed of a run that names none: fixed, so that two people see the same run.
    fn default() -> Self {
        Self(2026)
    }
}

impl Seed {
    /// The stream of one consumer. The same seed and label give the same numbers on every machine and in every version:
    /// `ChaCha8` is specified, and the key is derived here, byte by byte.
    pub fn stream(self, label: &str) -> Stream {
        let mut key = [0_u8; 32];
        // FNV-1a over the label, once for each word of the key, each with another start.
        for (index, word) in key.chunks_exact_mut(8).enumerate() {
            let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.0.rotate_left(17 * u32::try_from(index).unwrap_or(0));
            for byte in label
                .bytes()
                .chain(self.0.to_le_bytes())
                .chain([u8::try_from(index).unwrap_or(0)])
            {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            word.copy_from_slice(&hash.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }
}

/// A stream of numbers for one consumer.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from `low` to `high`, both included. `low` when the bounds are the wrong way round.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        match high.checked_sub(low).and_then(|span| span.checked_add(1)) {
            // The multiply-shift reduction: its bias is below 2^-32 for the spans used here.
            Some(span) => low + u64::try_from((u128::from(self.bits()) * u128::from(span)) >> 64).unwrap_or(0),
            None => low,
        }
    }

    /// A version 4 GUID in lower case with hyphens, as Microsoft prints it.
    pub fn guid(&mut self) -> String {
        let high = (self.bits() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.bits() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_and_label_alone() {
        let mut one = Seed(7).stream("network");
        let mut other = Seed(7).stream("network");
        assert_eq!(one.bits(), other.bits());
        assert_ne!(Seed(7).stream("network").bits(), Seed(7).stream("ids").bits());
        assert_ne!(Seed(7).stream("network").bits(), Seed(8).stream("network").bits());
    }

    #[test]
    fn a_guid_is_of_version_4_and_of_the_usual_variant() {
        let guid = Seed(1).stream("ids").guid();
        assert_eq!(guid.len(), 36);
        assert_eq!(guid.as_bytes()[14], b'4');
        assert!(matches!(guid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{guid}");
    }

    #[test]
    fn between_includes_both_bounds_and_nothing_else() {
        let mut stream = Seed(3).stream("dice");
        let throws: std::collections::BTreeSet<u64> = (0..500).map(|_| stream.between(1, 6)).collect();
        assert_eq!(throws.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }
}
