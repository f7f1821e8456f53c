//! A condition on the columns of one table: whether a row fulfils it, and which index narrows the search.
//!
//! It reads cells only; where rows come from is the store's business.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::cell::Cell;
use super::ast::{Comparison, TextFunction};

/// A filter bound to a table.
#[derive(Clone, Debug)]
pub(in crate::dataverse) enum Condition {
    /// One of them holds.
    Any(Vec<Condition>),
    /// All of them hold.
    All(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A column compares with a value, which is folded.
    Compare(usize, Comparison, Cell),
    /// Two columns compare.
    Columns(usize, Comparison, usize),
    /// A column's text fits a pattern.
    Like(usize, Pattern),
}

impl Condition {
    /// Whether a row's cells fulfil it.
    pub(in crate::dataverse) fn holds(&self, cells: &[Cell]) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(cells)),
            Self::All(parts) => parts.iter().all(|part| part.holds(cells)),
            Self::Not(inner) => !inner.holds(cells),
            Self::Compare(column, operator, value) => compare(&cells[*column], *operator, value),
            Self::Columns(left, operator, right) => compare(&cells[*left], *operator, &cells[*right].folded()),
            Self::Like(column, pattern) => cells[*column].as_text().is_some_and(|text| pattern.fits(text)),
        }
    }

    /// Comparisons that every fulfilling row fulfils: those by which an index may narrow the search.
    pub(in crate::dataverse) fn necessary(&self) -> Vec<(usize, Comparison, &Cell)> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::necessary).collect(),
            Self::Compare(column, operator, value) => vec![(*column, *operator, value)],
            Self::Any(_) | Self::Not(_) | Self::Columns(..) | Self::Like(..) => Vec::new(),
        }
    }
}

/// Compares a stored value with a folded one.
///
/// A value that is absent differs from every value that is present, and is neither less nor greater.
/// Assumed: `ne 'x'` therefore returns rows without a value, as `OData` says.
fn compare(stored: &Cell, operator: Comparison, folded: &Cell) -> bool {
    match (stored, folded) {
        (Cell::Null, _) | (_, Cell::Null) => match operator {
            Comparison::Equal => stored == folded,
            Comparison::NotEqual => stored != folded,
            Comparison::Greater | Comparison::GreaterOrEqual | Comparison::Less | Comparison::LessOrEqual => false,
        },
        (Cell::Text(text), Cell::Text(folded)) => operator.holds(compare_folded(text, folded)),
        _ => operator.holds(stored.cmp(folded)),
    }
}

/// Orders a text against a lower-case one without copying it.
fn compare_folded(text: &str, folded: &str) -> Ordering {
    text.chars().flat_map(char::to_lowercase).cmp(folded.chars())
}

/// A pattern in the manner of SQL's LIKE: in the Web API's text functions `%`, `_` and `[ ]` are live
/// (dataverse.md section 2.6).
#[derive(Clone, Debug)]
pub(in crate::dataverse) struct Pattern(Arc<[Piece]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Any text, also none.
    AnyText,
    /// Any one character.
    AnyOne,
    /// This character.
    One(char),
    /// One of these ranges, or none of them.
    Set { ranges: Vec<(char, char)>, inside: bool },
}

impl Pattern {
    pub(in crate::dataverse) fn new(function: TextFunction, text: &str) -> Self {
        let (open_start, open_end) = match function {
            TextFunction::Contains => (true, true),
            TextFunction::StartsWith => (false, true),
            TextFunction::EndsWith => (true, false),
        };
        let mut pieces = Vec::new();
        if open_start {
            pieces.push(Piece::AnyText);
        }
        let characters: Vec<char> = text.to_lowercase().chars().collect();
        let mut rest = characters.as_slice();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            pieces.push(match first {
                '%' => Piece::AnyText,
                '_' => Piece::AnyOne,
                '[' => match set(&mut rest) {
                    Some(set) => set,
                    None => Piece::One('['),
                },
                plain => Piece::One(*plain),
            });
        }
        if open_end {
            pieces.push(Piece::AnyText);
        }
        pieces.dedup_by(|one, other| *one == Piece::AnyText && *other == Piece::AnyText);
        Self(pieces.into())
    }

    /// Whether a text fits. On a mismatch only the last "any text" grows, so time is at most length times length.
    fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut at, mut piece) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::AnyText) => {
                    retry = Some((piece, at));
                    piece += 1;
                    continue;
                }
                Some(one) if one.takes(text[at]) => {
                    at += 1;
                    piece += 1;
                    continue;
                }
                _ => {}
            }
            let Some((any_text, from)) = retry else { return false };
            retry = Some((any_text, from + 1));
            at = from + 1;
            piece = any_text + 1;
        }
        self.0[piece..].iter().all(|piece| *piece == Piece::AnyText)
    }
}

impl Piece {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::AnyText | Self::AnyOne => true,
            Self::One(one) => *one == character,
            Self::Set { ranges, inside } => {
                let found = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                found == *inside
            }
        }
    }
}

/// Reads a set after its bracket. `None`, and nothing taken, when it is not closed.
fn set(rest: &mut &[char]) -> Option<Piece> {
    let close = rest.iter().position(|character| *character == ']')?;
    let (mut inner, after) = (&rest[..close], &rest[close + 1..]);
    let inside = inner.first() != Some(&'^');
    if !inside {
        inner = &inner[1..];
    }
    let mut ranges = Vec::new();
    while let Some(first) = inner.first() {
        if let [low, '-', high, tail @ ..] = inner {
            ranges.push((*low, *high));
            inner = tail;
        } else {
            ranges.push((*first, *first));
            inner = &inner[1..];
        }
    }
    *rest = after;
    Some(Piece::Set { ranges, inside })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(function: TextFunction, pattern: &str, text: &str) -> bool {
        Pattern::new(function, pattern).fits(text)
    }

    #[test]
    fn text_functions_ignore_case_and_honour_wildcards() {
        use TextFunction::{Contains, EndsWith, StartsWith};
        assert!(fits(Contains, "ÜRI", "Zürich AG"));
        assert!(fits(StartsWith, "zür", "Zürich AG"));
        assert!(!fits(StartsWith, "ag", "Zürich AG"));
        assert!(fits(EndsWith, "ag", "Zürich AG"));
        assert!(fits(Contains, "a%g", "x a--g y"));
        assert!(fits(StartsWith, "a_c", "abcd"));
        assert!(!fits(StartsWith, "a_c", "acd"));
        assert!(fits(StartsWith, "[a-c]x", "Bx"));
        assert!(!fits(StartsWith, "[^a-c]x", "bx"));
        assert!(fits(Contains, "[", "a[b"));
        assert!(fits(Contains, "", ""));
        assert!(fits(EndsWith, "aab", "aaaaaab"));
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer_than_length_times_length() {
        let pattern = "a%".repeat(500);
        let text = "a".repeat(2_000);
        assert!(!fits(TextFunction::EndsWith, &format!("{pattern}b"), &text));
    }

    #[test]
    fn an_absent_value_differs_from_every_value() {
        let value = Cell::text("x");
        assert!(!compare(&Cell::Null, Comparison::Equal, &value));
        assert!(compare(&Cell::Null, Comparison::NotEqual, &value));
        assert!(compare(&Cell::Null, Comparison::Equal, &Cell::Null));
        assert!(!compare(&Cell::Null, Comparison::Less, &value));
        assert!(compare(&Cell::text("X"), Comparison::Equal, &value));
    }
}
