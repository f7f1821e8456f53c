//! Tree to condition on one table: names become columns, literals values of the column's kind.
//!
//! It evaluates nothing.

use jiff::tz::TimeZone;

use super::super::cell::Cell;
use super::super::error::Fault;
use super::super::model::{Kind, Table};
use super::ast::{Comparison, Filter, Literal, Operand, Path, TextFunction, Values};
use super::eval::{Condition, Pattern};
use super::operator::{self, Scope};

/// Fits a filter to a table.
pub(in crate::dataverse) fn bind(scope: Scope<'_>, filter: &Filter) -> Result<Condition, Fault> {
    Binder { scope, variable: None }.bind(filter)
}

/// A table and the variable that stands for its rows inside `any` and `all`.
#[derive(Clone, Copy)]
struct Binder<'a> {
    scope: Scope<'a>,
    variable: Option<&'a str>,
}

impl<'a> Binder<'a> {
    fn bind(self, filter: &'a Filter) -> Result<Condition, Fault> {
        match filter {
            Filter::Or(parts) => Ok(Condition::Any(self.bind_each(parts)?)),
            Filter::And(parts) => Ok(Condition::All(self.bind_each(parts)?)),
            Filter::Not(inner) => Ok(Condition::Not(Box::new(self.bind(inner)?))),
            Filter::Text(function, path, text) => {
                self.at(path, |table, column| text_condition(table, column, *function, text))
            }
            Filter::Compare(Operand::Path(path), operator, Operand::Literal(literal)) => {
                self.compare(path, *operator, literal)
            }
            Filter::Compare(Operand::Literal(literal), operator, Operand::Path(path)) => {
                self.compare(path, operator.mirrored(), literal)
            }
            Filter::Compare(Operand::Path(left), operator, Operand::Path(right)) => {
                self.columns(left, *operator, right)
            }
            Filter::Compare(Operand::Literal(_), _, Operand::Literal(_)) => Err(Fault::NotSimulated(
                "a comparison of two literals in `$filter`".to_owned(),
            )),
            Filter::Lambda { path, all, inner } => self.lambda(path, *all, inner.as_ref()),
            Filter::Function { name, path, values } => {
                let values = texts(values)?;
                let scope = self.scope;
                let names = self.names(path)?;
                let Some((last, lookups)) = names.split_last() else {
                    return Err(no_such_property(scope.table, ""));
                };
                follow(scope, lookups, |table| {
                    // The function takes the column's logical name: `ownerid`, not `_ownerid_value`.
                    let logical = table.attribute(last).filter(|at| table.columns[*at].readable);
                    let column = logical.map_or_else(|| named_column(table, last), Ok)?;
                    operator::of_function(Scope { table, ..scope }, column, name, &values)
                })
            }
        }
    }

    fn bind_each(self, parts: &'a [Filter]) -> Result<Vec<Condition>, Fault> {
        parts.iter().map(|part| self.bind(part)).collect()
    }

    /// The names of a path without the variable in front.
    fn names(self, path: &'a Path) -> Result<&'a [String], Fault> {
        match (self.variable, path.0.as_slice()) {
            (None, names) => Ok(names),
            (Some(variable), [first, rest @ ..]) if first == variable && !rest.is_empty() => Ok(rest),
            (Some(_), _) => Err(Fault::NotSimulated(format!(
                "`{path}`, which does not begin with the variable, inside `any` or `all`"
            ))),
        }
    }

    /// A condition on the column at the end of a path, seen through the lookups that lead there.
    fn at(
        self,
        path: &'a Path,
        condition: impl FnOnce(&'a Table, usize) -> Result<Condition, Fault>,
    ) -> Result<Condition, Fault> {
        let names = self.names(path)?;
        through(self.scope, names, condition)
    }

    fn compare(self, path: &'a Path, operator: Comparison, literal: &Literal) -> Result<Condition, Fault> {
        self.at(path, |table, column| {
            let value = fit(table.columns[column].kind, operator, literal)?;
            let whole = value.amount().is_some() && table.columns[column].kind.edm().starts_with("Edm.Int");
            let compared = Condition::Compare(column, operator, value.folded());
            // A fraction among whole numbers: no index has it.
            Ok(if whole {
                Condition::Any(vec![compared])
            } else {
                compared
            })
        })
    }

    /// Two columns of one row. A path through a lookup on either side is not simulated.
    fn columns(self, left: &'a Path, operator: Comparison, right: &'a Path) -> Result<Condition, Fault> {
        let column = |path: &'a Path| match self.names(path)? {
            [name] => named_column(self.scope.table, name),
            _ => Err(Fault::NotSimulated(format!(
                "lookup path `{path}` compared with a column in `$filter`"
            ))),
        };
        let (left, right) = (column(left)?, column(right)?);
        let columns = &self.scope.table.columns;
        let (one, other) = (columns[left].kind.edm(), columns[right].kind.edm());
        if one == other {
            Ok(Condition::Columns(left, operator, right))
        } else {
            Err(incompatible(one, other, operator))
        }
    }

    fn lambda(self, path: &'a Path, all: bool, inner: Option<&'a (String, Box<Filter>)>) -> Result<Condition, Fault> {
        let names = self.names(path)?;
        let Some((name, lookups)) = names.split_last() else {
            return Err(Fault::NotSimulated("a lambda without a collection".to_owned()));
        };
        let build = |table: &'a Table| {
            let Some(collection) = table.collections.get(name.as_str()) else {
                return Err(no_such_property(table, name));
            };
            let rows = &self.scope.store.model().tables()[collection.table];
            self.scope.asking.may_read(rows)?;
            let inner = match inner {
                None => None,
                Some((variable, filter)) => {
                    let binder = Binder {
                        scope: Scope {
                            table: rows,
                            ..self.scope
                        },
                        variable: Some(variable),
                    };
                    Some(Box::new(binder.bind(filter)?))
                }
            };
            Ok(Condition::Rows {
                table: collection.table,
                via: collection.via,
                all,
                inner,
            })
        };
        follow(self.scope, lookups, build)
    }
}

/// A condition on the column at the end of a path.
fn through<'a>(
    scope: Scope<'a>,
    names: &[String],
    condition: impl FnOnce(&'a Table, usize) -> Result<Condition, Fault>,
) -> Result<Condition, Fault> {
    let Some((name, lookups)) = names.split_last() else {
        return Err(no_such_property(scope.table, ""));
    };
    follow(scope, lookups, |table| {
        let column = named_column(table, name)?;
        condition(table, column)
    })
}

/// A condition on the row at the end of a chain of lookups.
fn follow<'a>(
    scope: Scope<'a>,
    lookups: &[String],
    condition: impl FnOnce(&'a Table) -> Result<Condition, Fault>,
) -> Result<Condition, Fault> {
    let mut table = scope.table;
    let mut steps = Vec::new();
    for name in lookups {
        let Some((column, way)) = table.navigation(name) else {
            return Err(no_such_property(table, name));
        };
        let Some(target) = scope.store.model().by_logical(&way.target) else {
            return Err(Fault::NotSimulated(format!("table `{}` in `$filter`", way.target)));
        };
        scope.asking.may_read(target)?;
        steps.push((column, target.index));
        table = target;
    }
    let condition = condition(table)?;
    let wrap = |inner, (column, table)| {
        // The key of the row that a lookup points to is what the lookup holds, and the lookup has an index.
        if let Condition::Compare(0, Comparison::Equal, value @ Cell::Guid(_)) = inner {
            return Condition::Compare(column, Comparison::Equal, value);
        }
        Condition::Through(column, table, Box::new(inner))
    };
    Ok(steps.into_iter().rev().fold(condition, wrap))
}

/// The column of a wire name, or what to say when there is none.
pub(in crate::dataverse) fn named_column(table: &Table, name: &str) -> Result<usize, Fault> {
    if let Some(column) = table.column(name).filter(|column| table.columns[*column].readable) {
        return Ok(column);
    }
    if table.navigation(name).is_some() || table.collections.contains_key(name) {
        return Err(Fault::NotSimulated(format!("navigation property `{name}` as a column")));
    }
    Err(no_such_property(table, name))
}

fn no_such_property(table: &Table, name: &str) -> Fault {
    Fault::NoSuchProperty {
        table: table.logical.to_string(),
        name: name.to_owned(),
    }
}

fn text_condition(table: &Table, column: usize, function: TextFunction, text: &str) -> Result<Condition, Fault> {
    if !matches!(table.columns[column].kind, Kind::Text { .. }) {
        return Err(Fault::Query(format!(
            "No function signature for the function with name '{}' matches the specified arguments. The function \
             signatures considered are: {}(Edm.String Nullable=true, Edm.String Nullable=true).",
            function.name(),
            function.name()
        )));
    }
    Ok(Condition::Like(column, Pattern::new(function, text)))
}

/// The values of a query function as text: the server reads them by the column's kind, quoted or not.
fn texts(values: &Values) -> Result<Vec<String>, Fault> {
    let text = |literal: &Literal| match literal {
        Literal::Null => Err(Fault::Argument("A query function needs a value, not null.".to_owned())),
        Literal::Text(text) => Ok(text.clone()),
        Literal::Number(number) => Ok(number.plain()),
        other @ (Literal::Bool(_) | Literal::Guid(_) | Literal::Date(_) | Literal::Time(_) | Literal::Member(..)) => {
            Ok(other.to_string())
        }
    };
    match values {
        Values::None => Ok(Vec::new()),
        Values::One(one) => Ok(vec![text(one)?]),
        Values::Two(one, other) => Ok(vec![text(one)?, text(other)?]),
        Values::List(values) => values.iter().map(text).collect(),
    }
}

/// The literal as a value of the column's kind. Assumed: a moment does not compare with a day column, and a GUID in
/// quotes is text, which does not compare with an identifier.
fn fit(kind: Kind, operator: Comparison, literal: &Literal) -> Result<Cell, Fault> {
    let given = edm_of(literal);
    match (kind, literal) {
        (_, Literal::Null) => Ok(Cell::Null),
        (Kind::Key | Kind::Lookup | Kind::Guid, Literal::Guid(guid)) => Ok(Cell::Guid(*guid)),
        (Kind::Text { .. } | Kind::Choices { .. }, Literal::Text(text)) => Ok(Cell::text(text)),
        (Kind::Bool, Literal::Bool(yes)) => Ok(Cell::Bool(*yes)),
        (
            Kind::Int { .. } | Kind::Choice { .. } | Kind::State | Kind::Status | Kind::Version,
            Literal::Number(number),
        ) => Ok(number.as_whole().map_or(Cell::Amount(*number), Cell::Int)),
        (Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. }, Literal::Number(number)) => {
            Ok(Cell::Amount(*number))
        }
        (Kind::Date, Literal::Date(date)) => Ok(Cell::Date(*date)),
        (Kind::Time, Literal::Time(time)) => Ok(Cell::Time(*time)),
        // A day compared with a moment is its midnight in UTC, as OData promotes it.
        (Kind::Time, Literal::Date(date)) => match date.to_zoned(TimeZone::UTC) {
            Ok(midnight) => Ok(Cell::Time(midnight.timestamp())),
            Err(_) => Err(Fault::NotSimulated(
                "a date beyond the calendar in `$filter`".to_owned(),
            )),
        },
        _ => Err(incompatible(kind.edm(), given, operator)),
    }
}

fn edm_of(literal: &Literal) -> &'static str {
    match literal {
        Literal::Null => "<null>",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Number(number) if number.as_whole().is_some() => "Edm.Int32",
        Literal::Number(_) => "Edm.Decimal",
        Literal::Text(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::Date(_) => "Edm.Date",
        Literal::Time(_) => "Edm.DateTimeOffset",
        Literal::Member(..) => "Microsoft.Dynamics.CRM.Enum",
    }
}

fn incompatible(left: &str, right: &str, operator: Comparison) -> Fault {
    Fault::Query(format!(
        "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator \
         kind '{}'.",
        operator.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::dataverse::filter::operator::Asking;
    use crate::dataverse::model::Model;
    use crate::dataverse::store::Store;

    fn bound(text: &str) -> Result<Condition, Fault> {
        let store = Store::new(Model::standard());
        let asking = Asking::at(jiff::Timestamp::UNIX_EPOCH);
        let scope = Scope {
            store: &store,
            asking: &asking,
            table: store.model().expect("opportunity"),
        };
        bind(scope, &parse::filter(text, &parse::Aliases::new())?)
    }

    #[test]
    fn columns_are_found_by_wire_name_and_literals_must_fit() {
        assert!(bound("_customerid_value eq 01234567-89ab-4def-8000-00000000abcd and estimatedvalue gt 5.5").is_ok());
        assert!(bound("modifiedon ge 2026-01-05T09:00:00Z and createdon lt 2026-01-06").is_ok());
        assert!(bound("5 lt closeprobability").is_ok());
        assert!(bound("closeprobability eq 5.5").is_ok());
        assert!(bound("estimatedvalue gt actualvalue").is_ok());
        let missing = bound("Name eq 'x'").unwrap_err().to_string();
        assert_eq!(
            missing,
            "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.opportunity'."
        );
        for wrong in [
            "name eq 5",
            "estimatedvalue eq '5'",
            "statecode eq true",
            "estimatedclosedate eq 2026-01-05T09:00:00Z",
            "_customerid_value eq '01234567-89ab-4def-8000-00000000abcd'",
        ] {
            let fault = bound(wrong).unwrap_err();
            assert!(fault.to_string().contains("incompatible types"), "{wrong}: {fault}");
        }
        assert!(matches!(bound("contains(statecode,'x')"), Err(Fault::Query(_))));
        assert!(matches!(bound("parentaccountid eq null"), Err(Fault::NotSimulated(_))));
    }

    #[test]
    fn paths_lead_through_lookups_and_collections() {
        assert!(matches!(
            bound("parentaccountid/name eq 'x'"),
            Ok(Condition::Through(..))
        ));
        assert!(matches!(
            bound("customerid_account/primarycontactid/emailaddress1 eq 'x'"),
            Ok(Condition::Through(..))
        ));
        assert!(matches!(
            bound("parentaccountid/accountid eq 01234567-89ab-4def-8000-00000000abcd"),
            Ok(Condition::Compare(..))
        ));
        assert!(matches!(
            bound("Opportunity_Tasks/any(t:t/subject eq 'x' and contains(t/description,'y'))"),
            Ok(Condition::Rows { .. })
        ));
        assert!(bound("parentaccountid/Account_Tasks/any()").is_ok());
        for wrong in [
            "parentaccountid/nosuch eq 'x'",
            "nosuch/name eq 'x'",
            "nosuch/any(t:t/subject eq 'x')",
            "Opportunity_Tasks/any(t:t/nosuch eq 'x')",
        ] {
            assert!(matches!(bound(wrong), Err(Fault::NoSuchProperty { .. })), "{wrong}");
        }
        assert!(matches!(
            bound("Opportunity_Tasks/any(t:name eq 'x')"),
            Err(Fault::NotSimulated(_))
        ));
    }
}
