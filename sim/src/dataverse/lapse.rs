//! What many clients send although the real server refuses it, or takes it otherwise than they mean
//! (dataverse.md sections 2.4, 2.7 and 7.3).
//!
//! Strict mode notes it; no answer depends on it.

use std::fmt;

/// One such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lapse {
    /// A batch whose lines do not end in CRLF: documented to fail.
    BareLineFeeds,
    /// `https:/host/…` with one slash. Assumed: that the real server refuses it.
    SingleSlash,
    /// A text in a filter whose quote is not doubled.
    OpenQuote,
    /// An update without `If-Match`, which makes the row anew when it is gone.
    UpdateThatMayCreate,
}

impl fmt::Display for Lapse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BareLineFeeds => "lines of a batch end in LF, where the real server reads CRLF only",
            Self::SingleSlash => "a URL has one slash behind its scheme",
            Self::OpenQuote => "a quote inside a text is not doubled",
            Self::UpdateThatMayCreate => {
                "a PATCH without If-Match updated a row by its identifier; had the row been gone, it would have made it anew"
            }
        })
    }
}

/// Whether a decoded filter holds a quote between two letters: `'O'Brien'`.
pub(super) fn has_open_quote(filter: &str) -> bool {
    let characters: Vec<char> = filter.chars().collect();
    characters
        .windows(3)
        .any(|three| three[1] == '\'' && three[0].is_alphanumeric() && three[2].is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_between_letters_is_open_and_a_doubled_one_is_not() {
        assert!(has_open_quote("name eq 'O'Brien'"));
        for fine in [
            "name eq 'O''Brien'",
            "name eq 'a' and x eq 'b'",
            "contains(name,'a')",
            "name eq ''",
        ] {
            assert!(!has_open_quote(fine), "{fine}");
        }
    }
}
