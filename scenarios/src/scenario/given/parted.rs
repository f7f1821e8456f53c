//! Numbers that their own commas cut into several entries of a map.

use super::super::guess;
use super::Reader;
use crate::diagnostic::{Span, quote};
use crate::yaml::{self, Node};

/// A number that its own commas cut into several entries: `{value: 50,000 USD}` is read as `value: 50` and a key `000 USD`.
pub(super) struct Parted {
    pub(super) first: usize,
    last: usize,
    words: String,
    span: Span,
}

impl Parted {
    pub(super) fn covers(&self, at: usize) -> bool {
        (self.first..=self.last).contains(&at)
    }
}

pub(super) fn parted_by_commas(entries: &[(Node, Node)]) -> Vec<Parted> {
    fn text(node: &Node) -> Option<&str> {
        match &node.kind {
            yaml::Kind::Text { text, quoted: false } => Some(text),
            yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => None,
        }
    }
    let numeric = |words: &str| words.ends_with(|sign: char| sign.is_ascii_digit());
    let goes_on = |key: &str| {
        let digits = key.bytes().take_while(u8::is_ascii_digit).count();
        let rest = key[digits..].trim_start_matches(|sign: char| sign == '.' || sign.is_ascii_digit());
        (2..=3).contains(&digits) && (rest.is_empty() || rest.starts_with(' '))
    };
    let mut found: Vec<Parted> = Vec::new();
    for (at, pair) in entries.windows(2).enumerate() {
        let [(_, value), (key, empty)] = pair else { continue };
        let Some((words, key_words)) = text(value).zip(text(key)).filter(|_| empty.is_empty()) else {
            continue;
        };
        match found.last_mut() {
            Some(before) if before.last == at && goes_on(key_words) && numeric(&before.words) => {
                before.last = at + 1;
                before.words = format!("{},{key_words}", before.words);
                before.span.end = key.span.end;
            }
            _ if !value.is_empty() && numeric(words) && goes_on(key_words) => found.push(Parted {
                first: at,
                last: at + 1,
                words: format!("{words},{key_words}"),
                span: Span::new(value.span.start, key.span.end),
            }),
            _ => {}
        }
    }
    found
}

impl Reader {
    /// Reports an amount whose commas ended the value.
    pub(super) fn parted(&mut self, name: &str, parted: &Parted) {
        let message = format!("{} cannot be {}", quote(name), quote(&parted.words));
        let help = match guess::money(&parted.words) {
            Some(guess) => format!("did you mean `{guess}`? a comma ends the value"),
            None => "a comma ends the value: write the number without".to_owned(),
        };
        self.report(parted.span, message, "a number has no commas".to_owned(), Some(help));
    }
}
