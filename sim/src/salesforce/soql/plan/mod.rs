//! From names to places: which columns a query reads, what each row is tested for, and which index finds the rows.
//!
//! A plan belongs to one org's schema. It reads no rows.

use std::cell::Cell as Flag;
use std::sync::Arc;

use jiff::Timestamp;

use super::ast::{At, Function, Operator, Path, Piece, Purpose, Query, Sort, Term};
use super::framed;
use super::literal::ParseError;
use super::parse::parse;
use super::path::{Column, Node, Unresolved, resolve};
use crate::salesforce::cell::{Cell, Key};
use crate::salesforce::error::Problem;
use crate::salesforce::id::Id;
use crate::salesforce::kind::Kind;
use crate::salesforce::model::Field;
use crate::salesforce::org::Org;

/// Which index finds the rows.
pub(crate) mod access;
/// Conditions to typed tests.
mod condition;
/// Aggregate functions and `GROUP BY`.
mod group;
/// What a query prints of each row.
mod selection;

/// The greatest `OFFSET` (salesforce.md section 4).
const MAX_OFFSET: u64 = 2000;

/// A query, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) object: usize,
    /// Empty for `COUNT()`, and for a query with aggregate functions.
    pub(crate) nodes: Arc<[Node]>,
    pub(crate) counts_only: bool,
    pub(crate) test: Option<Test>,
    pub(crate) access: Access,
    pub(crate) order: Vec<Ordering>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    /// Whether rows in the recycle bin are found too.
    pub(crate) deleted: bool,
    /// What is made of groups of rows.
    pub(crate) group: Option<Grouping>,
    /// Whether the rows become recent.
    pub(crate) views: bool,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Column(Column),
    Of(Function, Box<Expr>),
}

/// What groups of rows become.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grouping {
    /// What rows of one group have in common. Without any, all rows are one group.
    pub(crate) keys: Vec<Expr>,
    /// The values of a group.
    pub(crate) slots: Vec<Slot>,
    /// The members that are printed: name, slot, and whether it prints as a whole number.
    pub(crate) shown: Vec<(String, usize, bool)>,
    pub(crate) having: Option<Test<usize>>,
    pub(crate) order: Vec<Ordering<usize>>,
}

/// One value of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Slot {
    /// One of its keys.
    Key(usize),
    /// A function of its rows.
    Aggregate(Function, Expr),
}

/// A condition whose values have the types of what they are compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test<E = Expr> {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(E, Operator, Cell),
    /// The pattern's characters are folded.
    Like(E, Vec<Piece>),
    /// The values are sorted. The flag: `NOT IN`.
    Member(E, bool, Vec<Cell>),
    /// What another query finds. It becomes [`Test::Member`] before rows are tested. The flag: `NOT IN`.
    Join(E, bool, Box<(Plan, Expr)>),
    /// Lists of values that must all be there; one list is enough. Folded. The flag: `EXCLUDES`.
    Includes(E, bool, Vec<Vec<String>>),
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
pub(crate) struct Ordering<E = Expr> {
    pub(crate) by: E,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

/// Who asks, when, and in which schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) org: &'a Org,
    pub(crate) now: Timestamp,
    /// Set when the plan depends on the time.
    pub(crate) time_matters: &'a Flag<bool>,
    /// The user of `USING SCOPE mine`.
    pub(crate) user: Id,
    /// Whether amounts may be written with a currency.
    pub(crate) multi_currency: bool,
    /// Whether rows in the recycle bin are asked for.
    pub(crate) deleted: bool,
}

/// Parses and plans a query.
pub(crate) fn plan(asking: Asking<'_>, text: &str) -> Result<Plan, Problem> {
    let query = parse(text).map_err(|error| match error {
        ParseError::Malformed { at, message } => framed("MALFORMED_QUERY", text, at, &message),
        ParseError::NotSimulated(what) => Problem::not_simulated(format!("SOQL {what}")),
    })?;
    let Some(object) = asking.org.object(&query.from.text) else {
        return Err(unknown_object(text, &query));
    };
    Planner {
        asking,
        text,
        query: &query,
        object,
        is_outer: true,
    }
    .plan()
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

/// One query while it is planned.
#[derive(Clone, Copy)]
struct Planner<'a> {
    asking: Asking<'a>,
    text: &'a str,
    query: &'a Query,
    object: usize,
    /// Whether it is no query within another.
    is_outer: bool,
}

/// What a constant is compared with: its name in messages, and its type.
#[derive(Clone, Copy)]
struct Operand<'a> {
    name: &'a str,
    kind: &'a Kind,
}

impl<'a> Planner<'a> {
    fn plan(self) -> Result<Plan, Problem> {
        let query = self.query;
        let (nodes, counts_only) = self.nodes()?;
        let group = self.grouping()?;
        let test = self.whole_test()?;
        let order = match &group {
            Some(_) => Vec::new(),
            None => query
                .order
                .iter()
                .map(|sort| self.ordering(sort))
                .collect::<Result<_, _>>()?,
        };
        let offset = query.offset.unwrap_or(0);
        if offset > MAX_OFFSET {
            let message = format!("Maximum SOQL offset allowed is {MAX_OFFSET}");
            return Err(Problem::bad("NUMBER_OUTSIDE_VALID_RANGE", message));
        }
        let shape = &self.asking.org.objects[self.object];
        Ok(Plan {
            object: self.object,
            nodes: nodes.into(),
            counts_only,
            access: access::access(shape, test.as_ref()),
            test,
            order,
            limit: query.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            offset: usize::try_from(offset).unwrap_or_default(),
            deleted: self.asking.deleted || query.all_rows,
            group,
            views: matches!(query.purpose, Some(Purpose::View | Purpose::Reference)),
        })
    }

    /// The filter, and what the scope adds to it.
    fn whole_test(self) -> Result<Option<Test>, Problem> {
        let filter = self.query.filter.as_ref();
        let test = filter.map(|filter| self.filter(filter)).transpose()?;
        let Some(scope) = &self.query.scope else {
            return Ok(test);
        };
        let shape = &self.asking.org.objects[self.object];
        match scope.text.to_ascii_lowercase().as_str() {
            "everything" => Ok(test),
            "mine" => {
                let Some(owner) = shape.seen("OwnerId") else {
                    // Assumed: code and words.
                    let message = format!("scope 'mine' is not supported for {}", shape.name);
                    return Err(self.refuse("INVALID_QUERY_SCOPE", scope.at, &message));
                };
                let column = Column {
                    parents: Vec::new(),
                    field: owner,
                };
                let mine = Test::Compare(Expr::Column(column), Operator::Equal, Cell::Id(self.asking.user));
                Ok(Some(Test::And([mine].into_iter().chain(test).collect())))
            }
            other => Err(Problem::not_simulated(format!("SOQL scope `{other}`"))),
        }
    }

    fn column(self, path: &Path) -> Result<Column, Problem> {
        let mut names: Vec<&str> = path.names.iter().map(String::as_str).collect();
        let is_row = |name: &str| {
            let alias = self.query.alias.as_ref().unwrap_or(&self.query.from);
            name.eq_ignore_ascii_case(&alias.text) || name.eq_ignore_ascii_case(&self.query.from.text)
        };
        // An alias may stand for a path that begins with another alias; each is listed before it is used.
        for (path, alias) in self.query.also.iter().rev() {
            if names.len() > 1 && names[0].eq_ignore_ascii_case(&alias.text) {
                names.splice(..1, path.names.iter().map(String::as_str));
            }
        }
        let org = self.asking.org;
        if names.len() > 1 && is_row(names[0]) && org.objects[self.object].relationship(names[0]).is_none() {
            names.remove(0);
        }
        resolve(org, self.object, &names).map_err(|error| match error {
            Unresolved::Unknown(message) => self.refuse("INVALID_FIELD", path.at, &message),
            Unresolved::Refused(what) => Problem::not_simulated(what),
        })
    }

    fn refuse(self, code: &'static str, at: At, message: &str) -> Problem {
        framed(code, self.text, at.0, message)
    }

    fn malformed(self, at: At, message: &str) -> Problem {
        self.refuse("MALFORMED_QUERY", at, message)
    }

    fn field(self, column: &Column) -> &'a Field {
        let object = column.parents.last().map_or(self.object, |(_, object)| *object);
        &self.asking.org.objects[object].fields[column.field]
    }

    /// A term over one row, and the type of its values.
    fn expr(self, term: &Term) -> Result<(Expr, Operand<'a>), Problem> {
        match term {
            Term::Field(path) => {
                let column = self.column(path)?;
                let Field { name, kind, .. } = self.field(&column);
                Ok((Expr::Column(column), Operand { name, kind }))
            }
            Term::Call { at, function, .. } if function.is_aggregate() => {
                let message = format!("aggregate function not allowed here: {}", function.name());
                Err(self.malformed(*at, &message))
            }
            Term::Call { at, function, inner } => {
                let (expr, operand) = self.expr(inner)?;
                let dated = matches!(operand.kind, Kind::Date | Kind::DateTime);
                if !dated && !function.is_display() {
                    let message = format!("field {} does not support function {}", operand.name, function.name());
                    return Err(self.malformed(*at, &message));
                }
                let kind = if *function == Function::DayOnly {
                    &Kind::Date
                } else if *function == Function::ConvertTimezone || function.is_display() {
                    operand.kind
                } else {
                    &Kind::Int
                };
                let name = operand.name;
                Ok((Expr::Of(*function, Box::new(expr)), Operand { name, kind }))
            }
        }
    }

    fn ordering(self, sort: &Sort) -> Result<Ordering, Problem> {
        let field = self.field(&self.column(sort.term.path())?);
        if !field.sortable {
            let message = format!("field '{}' can not be sorted in a query call", field.name);
            return Err(self.refuse("INVALID_FIELD", sort.term.at(), &message));
        }
        Ok(Ordering {
            by: self.expr(&sort.term)?.0,
            descending: sort.descending,
            nulls_last: sort.nulls_last,
        })
    }
}
