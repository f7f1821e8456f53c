//! Query strings and form bodies: pairs of names and values, percent-decoded.
//!
//! Paths are never decoded: a slash inside a value must stay apart from a slash between segments.

/// The pairs of a query string or of a form body. `None` when a value is not UTF-8 or an escape is broken.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// The value of the first pair of that name.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_blank_are_read() {
        let read = pairs("q=SELECT+Id%20FROM%2bX&&explain=&flag").unwrap();
        assert_eq!(value(&read, "q"), Some("SELECT Id FROM+X"));
        assert_eq!(value(&read, "explain"), Some(""));
        assert_eq!(value(&read, "flag"), Some(""));
        assert_eq!(value(&read, "other"), None);
    }

    #[test]
    fn broken_escapes_are_told() {
        for broken in ["q=%", "q=%2", "q=%zz", "q=%ff"] {
            assert_eq!(pairs(broken), None, "{broken}");
        }
    }
}
