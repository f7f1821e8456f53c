//! Aggregate functions, `GROUP BY`, `HAVING`, and the order of groups.
//!
//! A group has slots: its keys, and functions of its rows. What is selected, asked and sorted by are places of slots.

use super::super::ast::{At, Function, Item, Name, Selection, Sort, Term};
use super::{Expr, Grouping, Operand, Ordering, Planner, Problem, Slot};
use crate::salesforce::kind::Kind;

impl Planner<'_> {
    /// What groups of rows become; `None` for a query of rows.
    pub(super) fn grouping(self) -> Result<Option<Grouping>, Problem> {
        let items = match &self.query.selection {
            Selection::Items(items) if self.is_grouped() => items,
            Selection::Items(_) | Selection::Count => return Ok(None),
        };
        let keys: Result<Vec<Expr>, _> = self.query.group.iter().map(|term| self.key(term)).collect();
        let mut slots = Slots {
            planner: self,
            keys: keys?,
            all: Vec::new(),
        };
        let mut shown: Vec<(String, usize, bool)> = Vec::with_capacity(items.len());
        let mut unnamed = 0;
        for item in items {
            let (term, alias) = match item {
                Item::Term { term, alias } => (term, alias.as_ref()),
                Item::Fields(at, _) => {
                    return Err(self.malformed(*at, "The SOQL FIELDS function is not supported in aggregate queries"));
                }
                Item::Children(query) => {
                    let message = "queries of children are not allowed in aggregate queries";
                    return Err(self.malformed(query.from.at, message));
                }
            };
            let (slot, operand) = slots.lower(term)?;
            let name = name(term, alias, operand, &mut unnamed);
            if shown.iter().any(|(known, ..)| known.eq_ignore_ascii_case(&name)) {
                return Err(self.malformed(term.at(), &format!("duplicate alias: {name}")));
            }
            shown.push((name, slot, *operand.kind == Kind::Int));
        }
        let having = self.query.having.as_ref();
        let having = having
            .map(|having| self.test(having, &mut |term| slots.lower(term)))
            .transpose()?;
        let order: Result<_, _> = self.query.order.iter().map(|sort| slots.ordering(sort)).collect();
        Ok(Some(Grouping {
            shown,
            having,
            order: order?,
            keys: slots.keys,
            slots: slots.all,
        }))
    }

    fn key(self, term: &Term) -> Result<Expr, Problem> {
        let (expr, operand) = self.expr(term)?;
        let direct = matches!(term, Term::Field(_));
        let field = self.field(&self.column(term.path())?);
        let free = matches!(operand.kind, Kind::Number { .. } | Kind::DateTime | Kind::Address);
        if !field.filterable || (direct && free) {
            let message = format!("field '{}' can not be grouped in a query call", field.name);
            return Err(self.malformed(term.at(), &message));
        }
        Ok(expr)
    }
}

/// The member's name: the alias, the field's own, or `expr0` and so on for functions.
fn name(term: &Term, alias: Option<&Name>, operand: Operand<'_>, unnamed: &mut usize) -> String {
    match (alias, term) {
        (Some(alias), _) => alias.text.clone(),
        (None, Term::Field(_)) => operand.name.to_owned(),
        (None, Term::Call { .. }) => {
            *unnamed += 1;
            format!("expr{}", *unnamed - 1)
        }
    }
}

struct Slots<'a> {
    planner: Planner<'a>,
    keys: Vec<Expr>,
    all: Vec<Slot>,
}

impl<'a> Slots<'a> {
    /// The slot of a term, which must be a function of the rows or one of the keys.
    fn lower(&mut self, term: &Term) -> Result<(usize, Operand<'a>), Problem> {
        let planner = self.planner;
        let (slot, operand) = match term {
            Term::Call { at, function, inner } if function.is_aggregate() => {
                let (expr, operand) = planner.expr(inner)?;
                let kind = planner.kind_of_aggregate(*at, *function, operand)?;
                let name = operand.name;
                (Slot::Aggregate(*function, expr), Operand { name, kind })
            }
            Term::Call {
                function: Function::Format | Function::ConvertCurrency,
                inner,
                ..
            } if inner.is_aggregate() => {
                return self.lower(inner);
            }
            Term::Field(_) | Term::Call { .. } => {
                let (expr, operand) = planner.expr(term)?;
                let Some(key) = self.keys.iter().position(|key| *key == expr) else {
                    let message = format!("Field must be grouped or aggregated: {}", operand.name);
                    return Err(planner.malformed(term.at(), &message));
                };
                (Slot::Key(key), operand)
            }
        };
        let place = self.all.iter().position(|known| *known == slot);
        let place = place.unwrap_or_else(|| {
            self.all.push(slot);
            self.all.len() - 1
        });
        Ok((place, operand))
    }

    fn ordering(&mut self, sort: &Sort) -> Result<Ordering<usize>, Problem> {
        Ok(Ordering {
            by: self.lower(&sort.term)?.0,
            descending: sort.descending,
            nulls_last: sort.nulls_last,
        })
    }
}

impl<'a> Planner<'a> {
    /// The type of what an aggregate function gives.
    fn kind_of_aggregate(self, at: At, function: Function, operand: Operand<'a>) -> Result<&'a Kind, Problem> {
        const DOUBLE: &Kind = &Kind::Number {
            measure: crate::salesforce::kind::Measure::Double,
            precision: 18,
            scale: 2,
        };
        let number = matches!(operand.kind, Kind::Number { .. } | Kind::Int);
        let plain = !operand.kind.is_long_text() && *operand.kind != Kind::Address;
        let (fits, kind) = if matches!(function, Function::Count | Function::CountDistinct) {
            (plain, &Kind::Int)
        } else if function == Function::Avg {
            (number, DOUBLE)
        } else if function == Function::Sum {
            (number, operand.kind)
        } else {
            (plain && *operand.kind != Kind::Boolean, operand.kind)
        };
        if fits {
            return Ok(kind);
        }
        let message = format!(
            "field {} does not support aggregate operator {}",
            operand.name,
            function.name()
        );
        Err(self.malformed(at, &message))
    }
}
