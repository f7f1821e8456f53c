//! What many clients send although the real server refuses it, or takes it otherwise than they mean
//! (dataverse.md sections 2.4, 2.7 and 7.3).
//!
//! Strict mode notes it; no answer depends on it.

use std::fmt;

use super::guid::Guid;

/// One such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lapse {
    /// A batch whose lines do not end in CRLF: documented to fail.
    BareLineFeeds,
    /// `https:/host/…` with one slash. Assumed: that the real server refuses it.
    SingleSlash,
    /// A text in a filter whose quote is not doubled.
    OpenQuote,
    /// `accounts('…')`: an identifier in quotes. Assumed: that the real server refuses it.
    QuotedKey,
    /// An update without `If-Match`, which makes the row anew when it is gone.
    UpdateThatMayCreate,
}

impl fmt::Display for Lapse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BareLineFeeds => "lines of a batch end in LF, where the real server reads CRLF only",
            Self::SingleSlash => "a URL has one slash behind its scheme",
            Self::OpenQuote => "a quote inside a text is not doubled",
            Self::QuotedKey => "an identifier in a URL stands in quotes",
            Self::UpdateThatMayCreate => {
                "a PATCH without If-Match updated a row by its identifier; had the row been gone, it would have made it anew"
            }
        })
    }
}

/// Whether the row that a path names has its identifier in quotes: `accounts('…')`.
pub(super) fn has_quoted_key(path: &str) -> bool {
    let path = path.replace("%27", "'");
    let key = path.split_once("('").and_then(|(_, rest)| rest.split_once("')"));
    key.is_some_and(|(key, _)| Guid::parse(key).is_some())
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
    fn a_key_in_quotes_is_told_from_an_alternate_one() {
        let id = "01234567-89ab-4def-8000-00000000abcd";
        assert!(has_quoted_key(&format!("accounts('{id}')")));
        assert!(has_quoted_key(&format!("accounts(%27{id}%27)/name")));
        for fine in ["accounts", "accounts('a')", "accounts(accountnumber='a')"] {
            assert!(!has_quoted_key(fine), "{fine}");
        }
        assert!(!has_quoted_key(&format!("accounts({id})")));
    }

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
