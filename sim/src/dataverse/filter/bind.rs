//! Tree to condition on one table: names become columns, literals values of the column's kind.
//!
//! It evaluates nothing.

use jiff::tz::TimeZone;

use super::super::cell::Cell;
use super::super::error::Fault;
use super::super::model::{Kind, Table};
use super::ast::{Comparison, Filter, Literal, Operand, Path, TextFunction};
use super::eval::{Condition, Pattern};

/// Fits a filter to a table.
pub(in crate::dataverse) fn bind(table: &Table, filter: &Filter) -> Result<Condition, Fault> {
    match filter {
        Filter::Or(parts) => Ok(Condition::Any(bind_each(table, parts)?)),
        Filter::And(parts) => Ok(Condition::All(bind_each(table, parts)?)),
        Filter::Not(inner) => Ok(Condition::Not(Box::new(bind(table, inner)?))),
        Filter::Text(function, path, text) => text_condition(table, *function, path, text),
        Filter::Compare(Operand::Path(path), operator, Operand::Literal(literal)) => {
            compare(table, path, *operator, literal)
        }
        Filter::Compare(Operand::Literal(literal), operator, Operand::Path(path)) => {
            compare(table, path, operator.mirrored(), literal)
        }
        Filter::Compare(Operand::Path(left), operator, Operand::Path(right)) => {
            let (left, right) = (column(table, left)?, column(table, right)?);
            let (one, other) = (table.columns[left].kind.edm(), table.columns[right].kind.edm());
            if one == other {
                Ok(Condition::Columns(left, *operator, right))
            } else {
                Err(incompatible(one, other, *operator))
            }
        }
        Filter::Compare(Operand::Literal(_), _, Operand::Literal(_)) => Err(Fault::NotSimulated(
            "a comparison of two literals in `$filter`".to_owned(),
        )),
    }
}

fn bind_each(table: &Table, parts: &[Filter]) -> Result<Vec<Condition>, Fault> {
    parts.iter().map(|part| bind(table, part)).collect()
}

/// The column of a path. Paths through lookups are not simulated.
fn column(table: &Table, path: &Path) -> Result<usize, Fault> {
    match path.0.as_slice() {
        [name] => named_column(table, name),
        _ => Err(Fault::NotSimulated(format!("lookup path `{path}` in `$filter`"))),
    }
}

/// The column of a wire name, or what to say when there is none.
pub(in crate::dataverse) fn named_column(table: &Table, name: &str) -> Result<usize, Fault> {
    if let Some(column) = table.column(name) {
        return Ok(column);
    }
    if table.navigation(name).is_some() {
        return Err(Fault::NotSimulated(format!("navigation property `{name}` as a column")));
    }
    Err(Fault::NoSuchProperty {
        table: table.logical.to_string(),
        name: name.to_owned(),
    })
}

fn text_condition(table: &Table, function: TextFunction, path: &Path, text: &str) -> Result<Condition, Fault> {
    let column = column(table, path)?;
    let kind = table.columns[column].kind;
    if !matches!(kind, Kind::Text { .. }) {
        return Err(Fault::Query(format!(
            "No function signature for the function with name '{}' matches the specified arguments. The function \
             signatures considered are: {}(Edm.String Nullable=true, Edm.String Nullable=true).",
            function.name(),
            function.name()
        )));
    }
    Ok(Condition::Like(column, Pattern::new(function, text)))
}

fn compare(table: &Table, path: &Path, operator: Comparison, literal: &Literal) -> Result<Condition, Fault> {
    let column = column(table, path)?;
    let value = fit(table.columns[column].kind, operator, literal)?;
    Ok(Condition::Compare(column, operator, value.folded()))
}

/// The literal as a value of the column's kind. Assumed: a moment does not compare with a day column.
fn fit(kind: Kind, operator: Comparison, literal: &Literal) -> Result<Cell, Fault> {
    let given = edm_of(literal);
    let unknown = |what: &str| Err(Fault::NotSimulated(format!("{what} in `$filter`")));
    match (kind, literal) {
        (_, Literal::Null) => Ok(Cell::Null),
        (Kind::Key | Kind::Lookup | Kind::Guid, Literal::Guid(guid)) => Ok(Cell::Guid(*guid)),
        // Not verified against a real server (dataverse.md section 11).
        (Kind::Key | Kind::Lookup | Kind::Guid, Literal::Text(_)) => unknown("a quoted GUID"),
        (Kind::Text { .. }, Literal::Text(text)) => Ok(Cell::text(text)),
        (Kind::Bool, Literal::Bool(yes)) => Ok(Cell::Bool(*yes)),
        (
            Kind::Int { .. } | Kind::Choice { .. } | Kind::State | Kind::Status | Kind::Version,
            Literal::Number(number),
        ) => match number.as_whole() {
            Some(whole) => Ok(Cell::Int(whole)),
            None => unknown("a fraction compared with a whole number"),
        },
        (Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. }, Literal::Number(number)) => {
            Ok(Cell::Amount(*number))
        }
        (Kind::Date, Literal::Date(date)) => Ok(Cell::Date(*date)),
        (Kind::Time, Literal::Time(time)) => Ok(Cell::Time(*time)),
        // A day compared with a moment is its midnight in UTC, as OData promotes it.
        (Kind::Time, Literal::Date(date)) => match date.to_zoned(TimeZone::UTC) {
            Ok(midnight) => Ok(Cell::Time(midnight.timestamp())),
            Err(_) => unknown("a date beyond the calendar"),
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
    use crate::dataverse::model::Model;

    fn bound(text: &str) -> Result<Condition, Fault> {
        let model = Model::standard();
        bind(model.expect("opportunity"), &parse::filter(text)?)
    }

    #[test]
    fn columns_are_found_by_wire_name_and_literals_must_fit() {
        assert!(bound("_customerid_value eq 01234567-89ab-4def-8000-00000000abcd and estimatedvalue gt 5.5").is_ok());
        assert!(bound("modifiedon ge 2026-01-05T09:00:00Z and createdon lt 2026-01-06").is_ok());
        assert!(bound("5 lt closeprobability").is_ok());
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
        ] {
            let fault = bound(wrong).unwrap_err();
            assert!(fault.to_string().contains("incompatible types"), "{wrong}: {fault}");
        }
        assert!(matches!(bound("contains(statecode,'x')"), Err(Fault::Query(_))));
        assert!(matches!(
            bound("parentaccountid/name eq 'x'"),
            Err(Fault::NotSimulated(_))
        ));
        assert!(matches!(bound("parentaccountid eq null"), Err(Fault::NotSimulated(_))));
    }
}
