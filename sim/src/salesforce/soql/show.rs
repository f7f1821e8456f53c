//! How the tree of a query prints. Printing and parsing again gives the same tree.

use std::fmt;

use super::ast::{
    Condition, FieldSet, Item, Literal, Operator, Path, Piece, Purpose, Query, Selection, Sort, Term, With,
};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        match &self.selection {
            Selection::Count => f.write_str("COUNT()")?,
            Selection::Items(items) => list(f, items, ", ")?,
        }
        write!(f, " FROM {}", self.from.text)?;
        if let Some(alias) = &self.alias {
            write!(f, " {}", alias.text)?;
        }
        for (path, alias) in &self.also {
            write!(f, ", {path} {}", alias.text)?;
        }
        if let Some(scope) = &self.scope {
            write!(f, " USING SCOPE {}", scope.text)?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        match self.with {
            Some(With::SecurityEnforced) => f.write_str(" WITH SECURITY_ENFORCED")?,
            Some(With::UserMode) => f.write_str(" WITH USER_MODE")?,
            Some(With::SystemMode) => f.write_str(" WITH SYSTEM_MODE")?,
            None => {}
        }
        if !self.group.is_empty() {
            f.write_str(" GROUP BY ")?;
            list(f, &self.group, ", ")?;
        }
        if let Some(having) = &self.having {
            write!(f, " HAVING {having}")?;
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
        match self.purpose {
            Some(Purpose::View) => f.write_str(" FOR VIEW")?,
            Some(Purpose::Reference) => f.write_str(" FOR REFERENCE")?,
            Some(Purpose::Update) => f.write_str(" FOR UPDATE")?,
            None => {}
        }
        f.write_str(if self.all_rows { " ALL ROWS" } else { "" })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term { term, alias: None } => write!(f, "{term}"),
            Self::Term {
                term,
                alias: Some(alias),
            } => write!(f, "{term} {}", alias.text),
            Self::Fields(_, FieldSet::All) => f.write_str("FIELDS(ALL)"),
            Self::Fields(_, FieldSet::Standard) => f.write_str("FIELDS(STANDARD)"),
            Self::Fields(_, FieldSet::Custom) => f.write_str("FIELDS(CUSTOM)"),
            Self::Children(query) => write!(f, "({query})"),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.names, ".")
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(path) => write!(f, "{path}"),
            Self::Call { function, inner, .. } => write!(f, "{}({inner})", function.name()),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match self {
            Self::And(parts) => chain(f, parts, " AND "),
            Self::Or(parts) => chain(f, parts, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                operand(f, inner)
            }
            Self::Compare { term, operator, value } => write!(f, "{term} {operator} {value}"),
            Self::Like { term, pattern } => {
                write!(f, "{term} LIKE '")?;
                list(f, pattern, "")?;
                f.write_str("'")
            }
            Self::Member { term, negated, values } => {
                write!(f, "{term} {}IN (", not(*negated))?;
                list(f, values, ", ")?;
                f.write_str(")")
            }
            Self::Join { term, negated, query } => write!(f, "{term} {}IN ({query})", not(*negated)),
            Self::Includes { term, negated, values } => {
                write!(f, "{term} {} (", if *negated { "EXCLUDES" } else { "INCLUDES" })?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    text(f, value)?;
                }
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
            Self::Money(code, amount) => write!(f, "{code}{amount}"),
            Self::Text(value) => text(f, value),
            Self::Date(date) => write!(f, "{date}"),
            Self::Moment(moment) => write!(f, "{moment}"),
            Self::Span(span) => write!(f, "{span}"),
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
        write!(f, "{}{direction}{nulls}", self.term)
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
        Condition::Compare { .. }
        | Condition::Like { .. }
        | Condition::Member { .. }
        | Condition::Join { .. }
        | Condition::Includes { .. } => write!(f, "{part}"),
    }
}

fn text(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    f.write_str("'")?;
    value.chars().try_for_each(|character| quoted(f, character))?;
    f.write_str("'")
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
