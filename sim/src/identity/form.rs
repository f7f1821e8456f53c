//! Names and values of a query or of an `application/x-www-form-urlencoded` body.
//!
//! It only decodes: what a name means is up to the system that asked.

/// The pairs in their order, decoded: `%2B` and `+`. What is no valid escape, or no UTF-8, is kept readable, never
/// refused.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    })
}

/// A text without its escapes.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let escaped = (*byte == b'%').then(|| escape(bytes, index)).flatten();
        plain.push(match (byte, escaped) {
            (_, Some(escaped)) => escaped,
            (b'+', None) => b' ',
            (other, None) => *other,
        });
        index += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn escape(bytes: &[u8], index: usize) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let value = digit(index + 1)? * 16 + digit(index + 2)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_nothing_is_refused() {
        let found: Vec<_> = pairs("a=b+c&%24top=10&e=%zz%4&&=x&f=%C3%A4%ff").collect();
        let expected = [
            ("a", "b c"),
            ("$top", "10"),
            ("e", "%zz%4"),
            ("", "x"),
            ("f", "ä\u{fffd}"),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }
}
