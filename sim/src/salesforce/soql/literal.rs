//! Constants of a query: figures, quoted texts, patterns, keywords that stand for values.
//!
//! Also the error of the parser, since constants are where most texts go wrong.

use super::ast::{Literal, Piece};
use crate::salesforce::cell::parse_date;

/// Why a text is not a query that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    /// No SOQL.
    #[error("{message} at byte {at}")]
    Malformed { at: usize, message: String },
    /// SOQL, but a part of it that is not simulated.
    #[error("SOQL {0} is not simulated")]
    NotSimulated(String),
}

/// What the parser hands back.
pub(crate) type Parsed<T> = Result<T, ParseError>;

/// A refusal that points at a place.
pub(crate) fn malformed(at: usize, message: String) -> ParseError {
    ParseError::Malformed { at, message }
}

/// A refusal by name.
pub(crate) fn not_simulated<T>(what: impl Into<String>) -> Parsed<T> {
    Err(ParseError::NotSimulated(what.into()))
}

/// A number, a day, or a moment with its zone.
pub(crate) fn figure(text: &str) -> Option<Literal> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-'));
    if let Some(number) = text.parse().ok().filter(|number: &f64| plain && number.is_finite()) {
        return Some(Literal::Number(number));
    }
    if text.len() == 10 {
        return parse_date(text).map(Literal::Date);
    }
    // Only a moment with its date, its time and its zone is a literal.
    let zoned = text.as_bytes().get(10) == Some(&b'T') && text.len() >= 20;
    text.parse().ok().filter(|_| zoned).map(Literal::Moment)
}

/// A keyword that stands for a value, or an amount in a currency; `None` when it is neither.
pub(crate) fn word_literal(text: &str) -> Option<Literal> {
    match text.to_ascii_uppercase().as_str() {
        "NULL" => Some(Literal::Null),
        "TRUE" => Some(Literal::Bool(true)),
        "FALSE" => Some(Literal::Bool(false)),
        upper => money(upper),
    }
}

/// `USD5000`, `EUR12.50`.
fn money(text: &str) -> Option<Literal> {
    let (code, amount) = text.split_at_checked(3)?;
    let digits = !amount.is_empty() && amount.bytes().all(|byte| byte.is_ascii_digit());
    let amount = amount
        .parse()
        .ok()
        .filter(|_| digits && code.bytes().all(|byte| byte.is_ascii_uppercase()))?;
    Some(Literal::Money(code.to_owned(), amount))
}

/// The character behind an escape that is valid in every quoted text (salesforce.md section 4).
fn escaped(character: char) -> Option<char> {
    Some(match character {
        '\'' | '"' | '\\' => character,
        'n' | 'N' => '\n',
        'r' | 'R' => '\r',
        't' | 'T' => '\t',
        'b' | 'B' => '\u{8}',
        'f' | 'F' => '\u{c}',
        _ => return None,
    })
}

/// The text between quotation marks, its escapes resolved.
pub(crate) fn unescape(raw: &str, at: usize) -> Parsed<String> {
    let mut characters = raw.chars();
    let mut text = String::with_capacity(raw.len());
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => characters.next().and_then(escaped).ok_or_else(|| bad_escape(at))?,
            plain => plain,
        });
    }
    Ok(text)
}

/// The pattern between quotation marks.
pub(crate) fn pieces(raw: &str, at: usize) -> Parsed<Vec<Piece>> {
    let mut characters = raw.chars();
    let mut pieces = Vec::new();
    while let Some(character) = characters.next() {
        pieces.push(match character {
            '%' => Piece::Any,
            '_' => Piece::One,
            '\\' => match characters.next() {
                Some(wildcard @ ('%' | '_')) => Piece::Exactly(wildcard),
                other => Piece::Exactly(other.and_then(escaped).ok_or_else(|| bad_escape(at))?),
            },
            plain => Piece::Exactly(plain),
        });
    }
    Ok(pieces)
}

fn bad_escape(at: usize) -> ParseError {
    malformed(at, "invalid string literal: illegal character sequence".to_owned())
}
