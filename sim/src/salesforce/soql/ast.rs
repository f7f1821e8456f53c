//! The tree of a SOQL query.
//!
//! Names are as written: whether they exist is decided by `plan`. How it prints stands in `show`.

use jiff::Timestamp;
use jiff::civil::Date;

pub(crate) use super::function::Function;
pub(crate) use super::span::Span;

/// A place in the query's text, as a count of bytes. All places are equal: where a name stands does not make it another name.
#[derive(Clone, Copy, Debug, Default, Eq)]
pub(crate) struct At(pub(crate) usize);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One query, or one within another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) selection: Selection,
    /// An object; within a selection the relationship that leads to the children.
    pub(crate) from: Name,
    pub(crate) alias: Option<Name>,
    /// Further names: `FROM Contact c, c.Account a`.
    pub(crate) also: Vec<(Path, Name)>,
    pub(crate) scope: Option<Name>,
    pub(crate) filter: Option<Condition>,
    pub(crate) with: Option<With>,
    /// Empty without `GROUP BY`.
    pub(crate) group: Vec<Term>,
    pub(crate) having: Option<Condition>,
    pub(crate) order: Vec<Sort>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
    pub(crate) purpose: Option<Purpose>,
    /// `ALL ROWS`: those in the recycle bin too.
    pub(crate) all_rows: bool,
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    /// `COUNT()`.
    Count,
    /// At least one.
    Items(Vec<Item>),
}

/// One item of a selection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Term {
        term: Term,
        alias: Option<Name>,
    },
    /// `FIELDS(ALL)` and its kin.
    Fields(At, FieldSet),
    /// Children of each row.
    Children(Box<Query>),
}

/// Which fields `FIELDS()` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldSet {
    All,
    Standard,
    Custom,
}

/// `WITH …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum With {
    SecurityEnforced,
    UserMode,
    SystemMode,
}

/// `FOR …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    View,
    Reference,
    Update,
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

/// A field, or a function of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    Field(Path),
    Call {
        at: At,
        function: Function,
        /// A field, or `convertTimezone` of one.
        inner: Box<Term>,
    },
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
        term: Term,
        operator: Operator,
        value: Literal,
    },
    Like {
        term: Term,
        pattern: Vec<Piece>,
    },
    /// `IN`, or `NOT IN` when negated.
    Member {
        term: Term,
        negated: bool,
        values: Vec<Literal>,
    },
    /// `IN`, or `NOT IN`, of what another query finds.
    Join {
        term: Term,
        negated: bool,
        query: Box<Query>,
    },
    /// `INCLUDES`, or `EXCLUDES` when negated. Each text may ask for several values at once, parted by semicolons.
    Includes {
        term: Term,
        negated: bool,
        values: Vec<String>,
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
    /// `USD5000`: the code and the amount.
    Money(String, f64),
    Text(String),
    Date(Date),
    Moment(Timestamp),
    /// `TODAY`, `LAST_N_DAYS:3`.
    Span(Span),
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
    pub(crate) term: Term,
    pub(crate) descending: bool,
    /// Empty values come first unless told otherwise.
    pub(crate) nulls_last: bool,
}

impl Term {
    /// Where it begins.
    pub(crate) fn at(&self) -> At {
        match self {
            Self::Field(path) => path.at,
            Self::Call { at, .. } => *at,
        }
    }

    /// The field at the bottom of it.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Field(path) => path,
            Self::Call { inner, .. } => inner.path(),
        }
    }

    /// Whether it is about several rows.
    pub(crate) fn is_aggregate(&self) -> bool {
        matches!(self, Self::Call { function, .. } if function.is_aggregate())
    }
}
