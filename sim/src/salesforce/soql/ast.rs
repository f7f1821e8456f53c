//! The tree of a SOQL query, and how it prints. Printing and parsing again gives the same tree.
//!
//! Names are as written: whether they exist is decided by `plan`.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

/// A place in the query's text, as a count of bytes. All places are equal: where a name stands does not make it another name.
#[derive(Clone, Copy, Debug, Default, Eq)]
pub(crate) struct At(pub(crate) usize);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) selection: Selection,
    pub(crate) from: Name,
    pub(crate) alias: Option<Name>,
    pub(crate) filter: Option<Condition>,
    pub(crate) order: Vec<Sort>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    /// `COUNT()`.
    Count,
    Fields(Vec<Path>),
}

/// One word that names something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) at: At,
    pub(crate) text: String,
}

/// A field, perhaps of a parent: `Account.Owner.Name`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) at: At,
    /// At least one.
    pub(crate) names: Vec<String>,
}

/// What rows must satisfy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// At least two.
    And(Vec<Condition>),
    /// At least two.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        path: Path,
        operator: Operator,
        value: Literal,
    },
    Like {
        path: Path,
        pattern: Vec<Piece>,
    },
    /// `IN`, or `NOT IN` when negated.
    Member {
        path: Path,
        negated: bool,
        values: Vec<Literal>,
    },
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Date(Date),
    Moment(Timestamp),
}

/// One piece of a `LIKE` pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// `%`: any characters, or none.
    Any,
    /// `_`: one character.
    One,
    Exactly(char),
}

/// One column of `ORDER BY`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sort {
    pub(crate) path: Path,
    pub(crate) descending: bool,
    /// Empty values come first unless told otherwise.
    pub(crate) nulls_last: bool,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        match &self.selection {
            Selection::Count => f.write_str("COUNT()")?,
            Selection::Fields(paths) => list(f, paths, ", ")?,
        }
        write!(f, " FROM {}", self.from.text)?;
        if let Some(alias) = &self.alias {
            write!(f, " {}", alias.text)?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        if !self.order.is_empty() {
            f.write_str(" ORDER BY ")?;
            list(f, &self.order, ", ")?;
        }
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " OFFSET {offset}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.names, ".")
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => chain(f, parts, " AND "),
            Self::Or(parts) => chain(f, parts, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                operand(f, inner)
            }
            Self::Compare { path, operator, value } => write!(f, "{path} {operator} {value}"),
            Self::Like { path, pattern } => {
                write!(f, "{path} LIKE '")?;
                for piece in pattern {
                    write!(f, "{piece}")?;
                }
                f.write_str("'")
            }
            Self::Member { path, negated, values } => {
                write!(f, "{path} {}IN (", if *negated { "NOT " } else { "" })?;
                list(f, values, ", ")?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => {
                f.write_str("'")?;
                text.chars().try_for_each(|character| quoted(f, character))?;
                f.write_str("'")
            }
            Self::Date(date) => write!(f, "{date}"),
            Self::Moment(moment) => write!(f, "{moment}"),
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("%"),
            Self::One => f.write_str("_"),
            Self::Exactly(character @ ('%' | '_')) => write!(f, "\\{character}"),
            Self::Exactly(character) => quoted(f, *character),
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { " DESC" } else { "" };
        let nulls = if self.nulls_last { " NULLS LAST" } else { "" };
        write!(f, "{}{direction}{nulls}", self.path)
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index == 0 { "" } else { between })?;
    }
    Ok(())
}

fn chain(f: &mut fmt::Formatter<'_>, parts: &[Condition], between: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { between })?;
        operand(f, part)?;
    }
    Ok(())
}

/// A part of a chain or of a negation: chains and negations within one stand in parentheses.
fn operand(f: &mut fmt::Formatter<'_>, part: &Condition) -> fmt::Result {
    match part {
        Condition::And(_) | Condition::Or(_) | Condition::Not(_) => write!(f, "({part})"),
        Condition::Compare { .. } | Condition::Like { .. } | Condition::Member { .. } => write!(f, "{part}"),
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\'' => f.write_str("\\'"),
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{8}' => f.write_str("\\b"),
        '\u{c}' => f.write_str("\\f"),
        plain => write!(f, "{plain}"),
    }
}
