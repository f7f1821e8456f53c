//! Conditions to typed tests: every constant in the type of what it is compared with.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::super::ast::Item;
use super::super::ast::{At, Condition, Literal, Operator, Piece, Query, Selection, Span, Term};
use super::{Expr, Operand, Planner, Problem, Test, unknown_object};
use crate::salesforce::cell::Cell;
use crate::salesforce::id::Id;
use crate::salesforce::kind::{Kind, Words};

/// The most queries behind `IN` of one query. From general knowledge.
const MAX_JOINS: usize = 2;

/// From a written term to the place of its value, and its type.
pub(super) type Lower<'l, 'a, E> = &'l mut dyn FnMut(&Term) -> Result<(E, Operand<'a>), Problem>;

impl<'a> Planner<'a> {
    /// `WHERE`.
    pub(super) fn filter(self, condition: &'a Condition) -> Result<Test, Problem> {
        let joins = joins(condition, false).map_err(|at| {
            // Assumed: the words.
            self.malformed(at, "Semi join sub-selects are not allowed with the 'OR' operator")
        })?;
        if joins > MAX_JOINS {
            let message = format!("Maximum {MAX_JOINS} semi join sub-selects are allowed");
            return Err(self.malformed(self.query.from.at, &message));
        }
        self.test(condition, &mut |term| self.filtered(term))
    }

    /// A condition over whatever the terms are lowered to: rows, or groups of rows.
    pub(super) fn test<E: Clone>(self, condition: &'a Condition, lower: Lower<'_, 'a, E>) -> Result<Test<E>, Problem> {
        Ok(match condition {
            Condition::And(parts) => {
                let mut tests = Vec::with_capacity(parts.len());
                for part in parts {
                    let test = self.test(part, lower)?;
                    // A range of days is two tests; beside others they are seen one by one when an index is looked for.
                    if let Test::And(inner) = test {
                        tests.extend(inner);
                    } else {
                        tests.push(test);
                    }
                }
                Test::And(tests)
            }
            Condition::Or(parts) => {
                let tests: Result<_, _> = parts.iter().map(|part| self.test(part, lower)).collect();
                Test::Or(tests?)
            }
            Condition::Not(inner) => Test::Not(Box::new(self.test(inner, lower)?)),
            Condition::Compare { term, operator, value } => {
                let (expr, operand) = lower(term)?;
                self.comparison(term.at(), expr, operand, value, *operator)?
            }
            Condition::Like { term, pattern } => {
                let (expr, operand) = lower(term)?;
                if !matches!(operand.kind, Kind::Text(words, _) if *words != Words::MultiPicklist) {
                    return Err(self.invalid_operator(term.at(), operand));
                }
                Test::Like(expr, folded(pattern))
            }
            Condition::Member { term, negated, values } => {
                let (expr, operand) = lower(term)?;
                let cells = values.iter().map(|value| {
                    if matches!(value, Literal::Span(_)) {
                        return Err(self.invalid_operator(term.at(), operand));
                    }
                    self.operand(term.at(), operand, value, Operator::Equal)
                });
                let mut cells = cells.collect::<Result<Vec<_>, _>>()?;
                cells.sort_by(Cell::compare);
                Test::Member(expr, *negated, cells)
            }
            Condition::Join { term, negated, query } => {
                let (expr, operand) = lower(term)?;
                self.join(term.at(), expr, operand, *negated, query)?
            }
            Condition::Includes { term, negated, values } => {
                let (expr, operand) = lower(term)?;
                if !matches!(operand.kind, Kind::Text(Words::MultiPicklist, _)) {
                    let message = "includes or excludes operator only valid on multipicklist field";
                    return Err(self.refuse("INVALID_QUERY_FILTER_OPERATOR", term.at(), message));
                }
                let list = |text: &String| text.split(';').map(|one| one.trim().to_lowercase()).collect();
                Test::Includes(expr, *negated, values.iter().map(list).collect())
            }
        })
    }

    fn filtered(self, term: &Term) -> Result<(Expr, Operand<'a>), Problem> {
        let (expr, operand) = self.expr(term)?;
        let field = self.field(&self.column(term.path())?);
        if !field.filterable || field.kind == Kind::Address {
            let message = format!("field '{}' can not be filtered in a query call", field.name);
            return Err(self.refuse("INVALID_FIELD", term.at(), &message));
        }
        Ok((expr, operand))
    }

    /// `IN (SELECT …)`. Both sides must be identifiers of records.
    fn join<E>(
        self,
        at: At,
        expr: E,
        operand: Operand<'a>,
        negated: bool,
        query: &'a Query,
    ) -> Result<Test<E>, Problem> {
        let org = self.asking.org;
        let Some(object) = org.object(&query.from.text) else {
            return Err(unknown_object(self.text, query));
        };
        let planner = Planner {
            query,
            object,
            is_outer: false,
            ..self
        };
        let term = match &query.selection {
            Selection::Items(items) => match items.as_slice() {
                [
                    Item::Term {
                        term: term @ Term::Field(_),
                        alias: None,
                    },
                ] => Some(term),
                _ => None,
            },
            Selection::Count => None,
        };
        // Assumed: the words of these refusals.
        let Some(term) = term else {
            let message = "A semi join sub-select must select one field that is an identifier";
            return Err(self.malformed(query.from.at, message));
        };
        let is_key = |kind: &Kind| matches!(kind, Kind::Id | Kind::Reference(_));
        let (selected, inner) = planner.expr(term)?;
        if !is_key(operand.kind) || !is_key(inner.kind) {
            let place = if is_key(operand.kind) { term.at() } else { at };
            return Err(self.malformed(place, "The fields of a semi join must be identifiers of records"));
        }
        if query
            .filter
            .as_ref()
            .is_some_and(|filter| joins(filter, false) != Ok(0))
        {
            return Err(self.malformed(query.from.at, "Nesting of semi join sub-selects is not supported"));
        }
        let plan = planner.plan()?;
        Ok(Test::Join(expr, negated, Box::new((plan, selected))))
    }

    fn comparison<E: Clone>(
        self,
        at: At,
        expr: E,
        operand: Operand<'_>,
        value: &Literal,
        operator: Operator,
    ) -> Result<Test<E>, Problem> {
        let Literal::Span(span) = value else {
            let cell = self.operand(at, operand, value, operator)?;
            return Ok(Test::Compare(expr, operator, cell));
        };
        let Some((from, until)) = self.range(*span, operand.kind) else {
            return Err(self.wrong_type(at, operand, "not "));
        };
        let test = |operator, cell: &Cell| Test::Compare(expr.clone(), operator, cell.clone());
        let inside = || {
            Test::And(vec![
                test(Operator::GreaterOrEqual, &from),
                test(Operator::Less, &until),
            ])
        };
        Ok(match operator {
            Operator::Equal => inside(),
            Operator::NotEqual => Test::Not(Box::new(inside())),
            Operator::Less => test(Operator::Less, &from),
            Operator::LessOrEqual => test(Operator::Less, &until),
            Operator::Greater => test(Operator::GreaterOrEqual, &until),
            Operator::GreaterOrEqual => test(Operator::GreaterOrEqual, &from),
        })
    }

    /// The first value of a range of days, and the first after it.
    fn range(self, span: Span, kind: &Kind) -> Option<(Cell, Cell)> {
        self.asking.time_matters.set(true);
        let today = Offset::UTC.to_datetime(self.asking.now).date();
        let (from, until) = span.range(today);
        let moment = |date: Date| {
            let midnight = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight()));
            Cell::Moment(midnight.map_or(
                if date < today { i64::MIN } else { i64::MAX },
                jiff::Timestamp::as_second,
            ))
        };
        if *kind == Kind::Date {
            Some((Cell::Date(from), Cell::Date(until)))
        } else {
            (*kind == Kind::DateTime).then(|| (moment(from), moment(until)))
        }
    }

    fn invalid_operator(self, at: At, operand: Operand<'_>) -> Problem {
        let message = format!("invalid operator on {} field", operand.kind.soap_name());
        self.refuse("INVALID_QUERY_FILTER_OPERATOR", at, &message)
    }

    fn wrong_type(self, at: At, operand: Operand<'_>, quotes: &str) -> Problem {
        let message = format!(
            "value of filter criterion for field '{}' must be of type {} and should {quotes}be enclosed in quotes",
            operand.name,
            operand.kind.soap_name()
        );
        self.refuse("INVALID_FIELD", at, &message)
    }

    /// A constant in the type of the operand that it is compared with.
    fn operand(self, at: At, operand: Operand<'_>, value: &Literal, operator: Operator) -> Result<Cell, Problem> {
        let ranked = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ranked && (*value == Literal::Null || *operand.kind == Kind::Boolean) {
            return Err(self.invalid_operator(at, operand));
        }
        match (operand.kind, value) {
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
            (Kind::Text(..) | Kind::Id | Kind::Reference(_), _) => Err(self.wrong_type(at, operand, "")),
            (Kind::Boolean, Literal::Bool(value)) => Ok(Cell::Bool(*value)),
            (Kind::Number { .. } | Kind::Int, Literal::Number(number)) => Ok(Cell::Number(*number + 0.0)),
            // Every currency has the rate 1 here, so an amount in another one is the same amount.
            (Kind::Number { .. }, Literal::Money(_, amount)) if self.asking.multi_currency => Ok(Cell::Number(*amount)),
            (Kind::Date, Literal::Date(date)) => Ok(Cell::Date(*date)),
            (Kind::DateTime, Literal::Moment(moment)) => Ok(Cell::Moment(whole_second(*moment, operator))),
            (_, _) => Err(self.wrong_type(at, operand, "not ")),
        }
    }
}

/// How many conditions ask what another query finds. The error is the place of one that stands in an `OR`.
fn joins(condition: &Condition, within_or: bool) -> Result<usize, At> {
    match condition {
        Condition::And(parts) => parts.iter().map(|part| joins(part, within_or)).sum(),
        Condition::Or(parts) => parts.iter().map(|part| joins(part, true)).sum(),
        Condition::Not(inner) => joins(inner, within_or),
        Condition::Join { term, .. } if within_or => Err(term.at()),
        Condition::Join { .. } => Ok(1),
        Condition::Compare { .. } | Condition::Like { .. } | Condition::Member { .. } | Condition::Includes { .. } => {
            Ok(0)
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
