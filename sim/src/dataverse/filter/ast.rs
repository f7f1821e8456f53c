//! The tree of a `$filter`, as written: names are not resolved, literals not fitted to columns.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::amount::Amount;
use super::super::guid::Guid;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Filter {
    /// One of them holds. At least two.
    Or(Vec<Filter>),
    /// All of them hold. At least two.
    And(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// Two operands compare.
    Compare(Operand, Comparison, Operand),
    /// A column's text contains, starts or ends with a pattern.
    Text(TextFunction, Path, String),
    /// Some or all rows of a collection fulfil a condition over a variable; without one, there are rows at all.
    Lambda {
        path: Path,
        all: bool,
        inner: Option<(String, Box<Filter>)>,
    },
    /// A query function of Dynamics: `Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=7)`.
    Function { name: String, path: Path, values: Values },
}

/// What a query function of Dynamics is given besides the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Values {
    /// Nothing.
    None,
    /// `PropertyValue`.
    One(Literal),
    /// `PropertyValue1` and `PropertyValue2`.
    Two(Literal, Literal),
    /// `PropertyValues`.
    List(Vec<Literal>),
}

/// What stands in front of the name of every query function of Dynamics.
pub(in crate::dataverse) const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A query function over text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum TextFunction {
    Contains,
    StartsWith,
    EndsWith,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Operand {
    /// A column, perhaps through lookups.
    Path(Path),
    /// A value.
    Literal(Literal),
}

/// A column's name, with the navigation properties that lead to it in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataverse) struct Path(pub(in crate::dataverse) Vec<String>);

/// A value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Literal {
    Null,
    Bool(bool),
    Number(Amount),
    Text(String),
    Guid(Guid),
    Date(Date),
    Time(Timestamp),
    /// A member of an enumeration, as metadata have them: type and member.
    Member(String, String),
}

impl Comparison {
    /// Every operator with its keyword and the name that messages use.
    pub(in crate::dataverse) const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Equal, "eq", "Equal"),
        (Self::NotEqual, "ne", "NotEqual"),
        (Self::Greater, "gt", "GreaterThan"),
        (Self::GreaterOrEqual, "ge", "GreaterThanOrEqual"),
        (Self::Less, "lt", "LessThan"),
        (Self::LessOrEqual, "le", "LessThanOrEqual"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|(operator, ..)| *operator == self)
            .map_or(("eq", "Equal"), |(_, keyword, name)| (keyword, name))
    }

    /// The name that messages use.
    pub(in crate::dataverse) fn name(self) -> &'static str {
        self.row().1
    }

    /// The operator with its sides exchanged.
    pub(in crate::dataverse) fn mirrored(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
        }
    }

    /// Whether an order satisfies the operator.
    pub(in crate::dataverse) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }
}

impl TextFunction {
    /// Every function with its name.
    pub(in crate::dataverse) const ALL: [(Self, &'static str); 3] = [
        (Self::Contains, "contains"),
        (Self::StartsWith, "startswith"),
        (Self::EndsWith, "endswith"),
    ];

    /// Its name.
    pub(in crate::dataverse) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(function, _)| *function == self)
            .map_or("contains", |(_, name)| name)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => list(f, parts, " or ", |part| matches!(part, Self::Or(_))),
            Self::And(parts) => list(f, parts, " and ", |part| matches!(part, Self::Or(_) | Self::And(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Compare(left, operator, right) => write!(f, "{left} {} {right}", operator.row().0),
            Self::Text(function, path, text) => {
                write!(f, "{}({path},{})", function.name(), Literal::Text(text.clone()))
            }
            Self::Lambda { path, all, inner } => {
                write!(f, "{path}/{}(", if *all { "all" } else { "any" })?;
                if let Some((variable, inner)) = inner {
                    write!(f, "{variable}:{inner}")?;
                }
                f.write_str(")")
            }
            Self::Function { name, path, values } => write!(f, "{NAMESPACE}{name}(PropertyName='{path}'{values})"),
        }
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    between: &str,
    needs_parentheses: fn(&Filter) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::One(value) => write!(f, ",PropertyValue={value}"),
            Self::Two(one, other) => write!(f, ",PropertyValue1={one},PropertyValue2={other}"),
            Self::List(values) => {
                f.write_str(",PropertyValues=[")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if place == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(yes) => yes.fmt(f),
            Self::Number(number) => number.with_places(10).fmt(f),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Guid(guid) => guid.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Member(kind, member) => write!(f, "{NAMESPACE}{kind}'{member}'"),
        }
    }
}
