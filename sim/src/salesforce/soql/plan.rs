//! From names to places: which columns a query reads, what each row is tested for, and which index finds the rows.
//!
//! A plan belongs to one org's schema. It reads no rows.

use std::sync::Arc;

use super::ast::{At, Condition, Literal, Operator, Path, Piece, Query, Selection, Sort};
use super::framed;
use super::literal::ParseError;
use super::parse::parse;
use super::path::{Column, Node, Unresolved, add, resolve};
use crate::salesforce::cell::{Cell, Key};
use crate::salesforce::error::Problem;
use crate::salesforce::id::Id;
use crate::salesforce::model::{Field, Kind, Object};
use crate::salesforce::org::Org;

/// The greatest `OFFSET` (salesforce.md section 4).
const MAX_OFFSET: u64 = 2000;

/// A query, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) object: usize,
    /// Empty for `COUNT()`.
    pub(crate) nodes: Arc<[Node]>,
    pub(crate) counts_only: bool,
    pub(crate) test: Option<Test>,
    pub(crate) access: Access,
    pub(crate) order: Vec<Ordering>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

/// A condition whose values have the types of their fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare(Column, Operator, Cell),
    /// The pattern's characters are folded.
    Like(Column, Vec<Piece>),
    /// The values are sorted. The flag: `NOT IN`.
    Member(Column, bool, Vec<Cell>),
}

/// How the candidates are found, before they are tested.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    /// These records.
    Ids(Vec<Id>),
    /// An indexed field holds one of these.
    Keys(usize, Vec<Key>),
    /// An indexed field holds this or more.
    AtLeast(usize, Key),
    /// Every row.
    All,
}

/// One column to sort by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ordering {
    pub(crate) column: Column,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

/// Parses and plans a query.
pub(crate) fn plan(org: &Org, text: &str) -> Result<Plan, Problem> {
    let query = parse(text).map_err(|error| match error {
        ParseError::Malformed { at, message } => framed("MALFORMED_QUERY", text, at, &message),
        ParseError::NotSimulated(what) => Problem::not_simulated(format!("SOQL {what}")),
    })?;
    let Some(object) = org.object(&query.from.text) else {
        return Err(unknown_object(text, &query));
    };
    let planner = Planner {
        org,
        text,
        query: &query,
        object,
    };
    let nodes = planner.nodes()?;
    let filter = query.filter.as_ref();
    let condition = filter.map(|filter| planner.test(filter)).transpose()?;
    let order = query
        .order
        .iter()
        .map(|sort| planner.ordering(sort))
        .collect::<Result<_, _>>()?;
    let offset = query.offset.unwrap_or(0);
    if offset > MAX_OFFSET {
        let message = format!("Maximum SOQL offset allowed is {MAX_OFFSET}");
        return Err(Problem::bad("NUMBER_OUTSIDE_VALID_RANGE", message));
    }
    Ok(Plan {
        object,
        nodes: nodes.into(),
        counts_only: query.selection == Selection::Count,
        access: access(&org.objects[object], condition.as_ref()),
        test: condition,
        order,
        limit: query.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        offset: usize::try_from(offset).unwrap_or_default(),
    })
}

fn unknown_object(text: &str, query: &Query) -> Problem {
    let name = &query.from.text;
    if Org::is_not_simulated(name) {
        return Problem::not_simulated(format!("object `{name}`"));
    }
    let message = format!(
        "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after \
         the entity name. Please reference your WSDL or the describe call for the appropriate names."
    );
    framed("INVALID_TYPE", text, query.from.at.0, &message)
}

struct Planner<'a> {
    org: &'a Org,
    text: &'a str,
    query: &'a Query,
    object: usize,
}

impl Planner<'_> {
    fn nodes(&self) -> Result<Vec<Node>, Problem> {
        let Selection::Fields(paths) = &self.query.selection else {
            return Ok(Vec::new());
        };
        let mut seen: Vec<Column> = Vec::with_capacity(paths.len());
        let mut nodes = Vec::with_capacity(paths.len());
        for path in paths {
            let column = self.column(path)?;
            if seen.contains(&column) {
                let name = path.names.last().map_or("", String::as_str);
                return Err(self.refuse("INVALID_FIELD", path.at, &format!("duplicate field selected: {name}")));
            }
            add(&mut nodes, &column);
            seen.push(column);
        }
        Ok(nodes)
    }

    fn column(&self, path: &Path) -> Result<Column, Problem> {
        let mut names: Vec<&str> = path.names.iter().map(String::as_str).collect();
        let is_row = |name: &str| {
            let alias = self.query.alias.as_ref().unwrap_or(&self.query.from);
            name.eq_ignore_ascii_case(&alias.text) || name.eq_ignore_ascii_case(&self.query.from.text)
        };
        if names.len() > 1 && is_row(names[0]) && self.org.objects[self.object].relationship(names[0]).is_none() {
            names.remove(0);
        }
        resolve(self.org, self.object, &names).map_err(|error| match error {
            Unresolved::Unknown(message) => self.refuse("INVALID_FIELD", path.at, &message),
            Unresolved::Refused(what) => Problem::not_simulated(what),
        })
    }

    fn refuse(&self, code: &'static str, at: At, message: &str) -> Problem {
        framed(code, self.text, at.0, message)
    }

    fn field(&self, column: &Column) -> &Field {
        let object = column.parents.last().map_or(self.object, |(_, object)| *object);
        &self.org.objects[object].fields[column.field]
    }

    fn ordering(&self, sort: &Sort) -> Result<Ordering, Problem> {
        let column = self.column(&sort.path)?;
        let field = self.field(&column);
        if !field.sortable {
            let message = format!("field '{}' can not be sorted in a query call", field.name);
            return Err(self.refuse("INVALID_FIELD", sort.path.at, &message));
        }
        Ok(Ordering {
            column,
            descending: sort.descending,
            nulls_last: sort.nulls_last,
        })
    }

    fn test(&self, condition: &Condition) -> Result<Test, Problem> {
        let all = |parts: &[Condition]| parts.iter().map(|part| self.test(part)).collect::<Result<Vec<_>, _>>();
        Ok(match condition {
            Condition::And(parts) => Test::And(all(parts)?),
            Condition::Or(parts) => Test::Or(all(parts)?),
            Condition::Not(inner) => Test::Not(Box::new(self.test(inner)?)),
            Condition::Compare { path, operator, value } => {
                let column = self.filtered(path)?;
                let cell = self.operand(path.at, self.field(&column), value, *operator)?;
                Test::Compare(column, *operator, cell)
            }
            Condition::Like { path, pattern } => {
                let column = self.filtered(path)?;
                if !matches!(self.field(&column).kind, Kind::Text(..)) {
                    let message = format!("invalid operator on {} field", self.field(&column).kind.soap_name());
                    return Err(self.refuse("INVALID_QUERY_FILTER_OPERATOR", path.at, &message));
                }
                Test::Like(column, folded(pattern))
            }
            Condition::Member { path, negated, values } => {
                let column = self.filtered(path)?;
                let field = self.field(&column);
                let cells = values
                    .iter()
                    .map(|value| self.operand(path.at, field, value, Operator::Equal));
                let mut cells = cells.collect::<Result<Vec<_>, _>>()?;
                cells.sort_by(Cell::compare);
                Test::Member(column, *negated, cells)
            }
        })
    }

    fn filtered(&self, path: &Path) -> Result<Column, Problem> {
        let column = self.column(path)?;
        let field = self.field(&column);
        if !field.filterable || field.kind == Kind::Address {
            let message = format!("field '{}' can not be filtered in a query call", field.name);
            return Err(self.refuse("INVALID_FIELD", path.at, &message));
        }
        Ok(column)
    }

    /// A constant in the type of the field that it is compared with.
    fn operand(&self, at: At, field: &Field, value: &Literal, operator: Operator) -> Result<Cell, Problem> {
        let wrong_type = |quotes: &str| {
            let message = format!(
                "value of filter criterion for field '{}' must be of type {} and should {quotes}be enclosed in quotes",
                field.name,
                field.kind.soap_name()
            );
            Err(self.refuse("INVALID_FIELD", at, &message))
        };
        let ranked = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ranked && (*value == Literal::Null || field.kind == Kind::Boolean) {
            let message = format!("invalid operator on {} field", field.kind.soap_name());
            return Err(self.refuse("INVALID_QUERY_FILTER_OPERATOR", at, &message));
        }
        match (&field.kind, value) {
            (_, Literal::Null) => Ok(Cell::Null),
            (Kind::Text(..), Literal::Text(text)) => Ok(Cell::text(text)),
            (Kind::Id | Kind::Reference(_), Literal::Text(text)) if text.is_empty() => Ok(Cell::Null),
            (Kind::Id | Kind::Reference(_), Literal::Text(text)) => match Id::parse(text) {
                Some(id) => Ok(Cell::Id(id)),
                None => Err(self.refuse(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    at,
                    &format!("invalid ID field: {text}"),
                )),
            },
            (Kind::Text(..) | Kind::Id | Kind::Reference(_), _) => wrong_type(""),
            (Kind::Boolean, Literal::Bool(value)) => Ok(Cell::Bool(*value)),
            (Kind::Number { .. } | Kind::Int, Literal::Number(number)) => Ok(Cell::Number(*number + 0.0)),
            (Kind::Date, Literal::Date(date)) => Ok(Cell::Date(*date)),
            (Kind::DateTime, Literal::Moment(moment)) => Ok(Cell::Moment(whole_second(*moment, operator))),
            (_, _) => wrong_type("not "),
        }
    }
}

/// Stored times have no fraction, so a fraction in a literal only decides to which side it belongs.
fn whole_second(moment: jiff::Timestamp, operator: Operator) -> i64 {
    let nanos = moment.as_nanosecond();
    let floor = nanos.div_euclid(1_000_000_000);
    let above = nanos.rem_euclid(1_000_000_000) > 0 && matches!(operator, Operator::GreaterOrEqual | Operator::Less);
    i64::try_from(floor)
        .unwrap_or(i64::MAX)
        .saturating_add(i64::from(above))
}

fn folded(pattern: &[Piece]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pattern.len());
    for piece in pattern {
        match piece {
            Piece::Exactly(character) => pieces.extend(character.to_lowercase().map(Piece::Exactly)),
            // Several `%` in a row mean what one means.
            Piece::Any if pieces.last() == Some(&Piece::Any) => {}
            Piece::Any | Piece::One => pieces.push(*piece),
        }
    }
    pieces
}

/// The index that leaves the fewest candidates: a record's identifier, then an indexed value, then the time of change.
fn access(shape: &Object, test: Option<&Test>) -> Access {
    let parts = match test {
        None => return Access::All,
        Some(Test::And(parts)) => parts.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let by_id = parts.iter().find_map(|part| {
        let (_, cells) = equals(part).filter(|(field, _)| *field == shape.system.id)?;
        cells.iter().map(Cell::as_id).collect()
    });
    if let Some(ids) = by_id {
        return Access::Ids(ids);
    }
    let by_key = parts.iter().find_map(|part| {
        let (field, cells) = equals(part).filter(|(field, _)| shape.fields[*field].indexed)?;
        let keys: Option<Vec<Key>> = cells.iter().map(Cell::key).collect();
        Some(Access::Keys(field, keys?))
    });
    let since = || {
        parts.iter().find_map(|part| match part {
            Test::Compare(column, Operator::Greater | Operator::GreaterOrEqual, cell)
                if column.parents.is_empty() && Some(column.field) == shape.system.stamp =>
            {
                Some(Access::AtLeast(column.field, cell.key()?))
            }
            Test::And(_) | Test::Or(_) | Test::Not(_) | Test::Compare(..) | Test::Like(..) | Test::Member(..) => None,
        })
    };
    by_key.or_else(since).unwrap_or(Access::All)
}

/// The row's own field and the values of which it must hold one.
fn equals(test: &Test) -> Option<(usize, &[Cell])> {
    let (column, cells) = match test {
        Test::Compare(column, Operator::Equal, cell) => (column, std::slice::from_ref(cell)),
        Test::Member(column, false, cells) => (column, cells.as_slice()),
        Test::And(_) | Test::Or(_) | Test::Not(_) | Test::Compare(..) | Test::Like(..) | Test::Member(..) => {
            return None;
        }
    };
    column.parents.is_empty().then_some((column.field, cells))
}
