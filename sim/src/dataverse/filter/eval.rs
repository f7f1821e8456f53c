//! A condition on the rows of one table: whether a row fulfils it, and which index narrows the search.
//!
//! It follows lookups and relationships through the store; which rows are asked is decided elsewhere.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::amount::Amount;
use super::super::cell::Cell;
use super::super::model::Via;
use super::super::store::Store;
use super::ast::{Comparison, TextFunction};

/// A filter bound to a table. Tables and columns are places in the model.
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
    /// A column's value is one of these, which are folded.
    OneOf(usize, BTreeSet<Cell>),
    /// A column holds one of these numbers among several.
    Holds(usize, Vec<i64>),
    /// The row of a table that a lookup points to fulfils it; where there is none, every column is null.
    Through(usize, usize, Box<Condition>),
    /// Some row of a collection fulfils it, or all do.
    Rows {
        table: usize,
        via: Via,
        all: bool,
        inner: Option<Box<Condition>>,
    },
}

/// A row's cells. None where a lookup points to nothing: then every column is null.
type Cells<'a> = Option<&'a [Cell]>;

fn cell(cells: Cells<'_>, at: usize) -> &Cell {
    static NULL: Cell = Cell::Null;
    cells.map_or(&NULL, |cells| &cells[at])
}

impl Condition {
    /// Whether a row's cells fulfil it.
    pub(in crate::dataverse) fn holds(&self, store: &Store, cells: &[Cell]) -> bool {
        self.fits(store, Some(cells))
    }

    /// The same for a row that may be missing: then every column is null.
    pub(in crate::dataverse) fn holds_for(&self, store: &Store, cells: Cells<'_>) -> bool {
        self.fits(store, cells)
    }

    fn fits(&self, store: &Store, cells: Cells<'_>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.fits(store, cells)),
            Self::All(parts) => parts.iter().all(|part| part.fits(store, cells)),
            Self::Not(inner) => !inner.fits(store, cells),
            Self::Compare(column, operator, value) => compare(cell(cells, *column), *operator, value),
            Self::Columns(left, operator, right) => {
                compare(cell(cells, *left), *operator, &cell(cells, *right).folded())
            }
            Self::Like(column, pattern) => cell(cells, *column).as_text().is_some_and(|text| pattern.fits(text)),
            Self::OneOf(column, values) => values.contains(&cell(cells, *column).folded()),
            Self::Holds(column, wanted) => {
                let text = cell(cells, *column).as_text().unwrap_or_default();
                let mut held = text.split(',').filter_map(|number| number.parse::<i64>().ok());
                held.any(|number| wanted.contains(&number))
            }
            Self::Through(column, table, inner) => {
                let table = &store.model().tables()[*table];
                let row = cell(cells, *column).guid().and_then(|id| store.row(table, id));
                inner.fits(store, row.map(|row| row.cells.as_slice()))
            }
            Self::Rows { table, via, all, inner } => {
                let Some(id) = cell(cells, 0).guid() else {
                    return *all;
                };
                let table = &store.model().tables()[*table];
                let mut rows = store.related(table, *via, id).into_iter();
                let fulfils = |row: &super::super::store::Row| {
                    let inner = inner.as_ref();
                    inner.is_none_or(|inner| inner.fits(store, Some(&row.cells)))
                };
                if *all { rows.all(fulfils) } else { rows.any(fulfils) }
            }
        }
    }

    /// Comparisons that every fulfilling row fulfils: those by which an index may narrow the search.
    pub(in crate::dataverse) fn necessary(&self) -> Vec<(usize, Comparison, &Cell)> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::necessary).collect(),
            Self::Compare(column, operator, value) => vec![(*column, *operator, value)],
            Self::Any(_)
            | Self::Not(_)
            | Self::Columns(..)
            | Self::Like(..)
            | Self::OneOf(..)
            | Self::Holds(..)
            | Self::Through(..)
            | Self::Rows { .. } => Vec::new(),
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
        (Cell::Text(text), Cell::Text(folded)) => match operator {
            Comparison::Equal => same_folded(text, folded),
            Comparison::NotEqual => !same_folded(text, folded),
            Comparison::Greater | Comparison::GreaterOrEqual | Comparison::Less | Comparison::LessOrEqual => {
                operator.holds(compare_folded(text, folded))
            }
        },
        (Cell::Int(number), Cell::Amount(amount)) => operator.holds(Amount::whole(*number).cmp(amount)),
        _ => operator.holds(stored.cmp(folded)),
    }
}

/// Whether a text is a lower-case one but for case. Texts of ASCII, which most are, are told apart by their bytes.
fn same_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        text.eq_ignore_ascii_case(folded)
    } else {
        compare_folded(text, folded).is_eq()
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
        Self::of(
            text,
            function != TextFunction::StartsWith,
            function != TextFunction::EndsWith,
        )
    }

    /// A pattern as it stands, the whole text: `LIKE` of `FetchXML`.
    pub(in crate::dataverse) fn whole(text: &str) -> Self {
        Self::of(text, false, false)
    }

    fn of(text: &str, open_start: bool, open_end: bool) -> Self {
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

    #[test]
    fn texts_are_the_same_whatever_their_case_in_any_script() {
        for (text, folded, same) in [
            ("Contoso", "contoso", true),
            ("Contoso", "contosa", false),
            ("Contoso", "contoso ", false),
            ("ZÜRICH", "zürich", true),
            ("Zurich", "zürich", false),
            // The Kelvin sign's small letter is that of ASCII.
            ("\u{212a}", "k", true),
            ("", "", true),
        ] {
            assert_eq!(same_folded(text, folded), same, "{text} {folded}");
            assert_eq!(compare_folded(text, folded).is_eq(), same, "{text} {folded}");
        }
    }
}
