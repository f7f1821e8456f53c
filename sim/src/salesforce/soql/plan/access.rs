//! Which index leaves the fewest candidates.

use super::{Access, Expr, Operator, Test};
use crate::salesforce::cell::{Cell, Key};
use crate::salesforce::model::Object;

/// A record's identifier, then an indexed value, then the time of change. Identifiers, external identifiers, foreign keys, names and
/// `SystemModstamp` are indexed.
pub(crate) fn access(shape: &Object, test: Option<&Test>) -> Access {
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
            Test::Compare(Expr::Column(column), Operator::Greater | Operator::GreaterOrEqual, cell)
                if column.parents.is_empty() && Some(column.field) == shape.system.stamp =>
            {
                Some(Access::AtLeast(column.field, cell.key()?))
            }
            Test::And(_)
            | Test::Or(_)
            | Test::Not(_)
            | Test::Compare(..)
            | Test::Like(..)
            | Test::Member(..)
            | Test::Join(..)
            | Test::Includes(..) => None,
        })
    };
    by_key.or_else(since).unwrap_or(Access::All)
}

/// The row's own field and the values of which it must hold one.
fn equals(test: &Test) -> Option<(usize, &[Cell])> {
    let (expr, cells) = match test {
        Test::Compare(expr, Operator::Equal, cell) => (expr, std::slice::from_ref(cell)),
        Test::Member(expr, false, cells) => (expr, cells.as_slice()),
        Test::And(_)
        | Test::Or(_)
        | Test::Not(_)
        | Test::Compare(..)
        | Test::Like(..)
        | Test::Member(..)
        | Test::Join(..)
        | Test::Includes(..) => return None,
    };
    match expr {
        Expr::Column(column) if column.parents.is_empty() => Some((column.field, cells)),
        Expr::Column(_) | Expr::Of(..) => None,
    }
}
