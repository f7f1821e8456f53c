//! Groups of rows, and the functions of their rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Values, compare, holds, matching, value};
use crate::salesforce::cell::Cell;
use crate::salesforce::soql::ast::Function;
use crate::salesforce::soql::plan::{Expr, Grouping, Plan, Slot};
use crate::salesforce::state::State;

/// The values of one group's slots.
struct Slots(Vec<Cell>);

impl Values<usize> for Slots {
    fn value(&self, of: &usize) -> Cow<'_, Cell> {
        Cow::Borrowed(&self.0[*of])
    }
}

/// The values of each group that a plan finds, in the order of its slots: asked, sorted, cut to its limit. Without keys all rows are
/// one group, even when there are none.
///
/// Assumed: groups that no `ORDER BY` tells apart come in the order of their keys.
pub(crate) fn groups(state: &State, plan: &Plan, grouping: &Grouping) -> Vec<Vec<Cell>> {
    let mut members: BTreeMap<Keys, Vec<usize>> = BTreeMap::new();
    if grouping.keys.is_empty() {
        members.insert(Keys(Vec::new()), Vec::new());
    }
    let table = &state.tables[plan.object];
    for place in matching(state, plan, None) {
        let row = table.row(place);
        let keys = grouping
            .keys
            .iter()
            .map(|key| value(state, plan.object, row, key).into_owned());
        members.entry(Keys(keys.collect())).or_default().push(place);
    }
    let mut groups: Vec<Slots> = members
        .into_iter()
        .map(|(keys, places)| {
            let slots = grouping.slots.iter().map(|slot| match slot {
                Slot::Key(place) => keys.0[*place].clone(),
                Slot::Aggregate(function, expr) => aggregate(state, plan, &places, *function, expr),
            });
            Slots(slots.collect())
        })
        .filter(|slots| grouping.having.as_ref().is_none_or(|having| holds(having, slots)))
        .collect();
    groups.sort_by(|one, two| compare(one, two, &grouping.order));
    let limit = plan.limit.unwrap_or(usize::MAX);
    groups
        .into_iter()
        .skip(plan.offset)
        .take(limit)
        .map(|slots| slots.0)
        .collect()
}

/// The keys of a group, in the order of [`Cell::compare`].
#[derive(PartialEq)]
struct Keys(Vec<Cell>);

impl Eq for Keys {}

impl PartialOrd for Keys {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keys {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let pairs = self.0.iter().zip(&other.0);
        let differs = pairs.map(|(one, two)| one.compare(two)).find(|order| order.is_ne());
        differs.unwrap_or(std::cmp::Ordering::Equal)
    }
}

fn aggregate(state: &State, plan: &Plan, places: &[usize], function: Function, expr: &Expr) -> Cell {
    let table = &state.tables[plan.object];
    let values = places
        .iter()
        .map(|place| value(state, plan.object, table.row(*place), expr));
    let values: Vec<Cow<'_, Cell>> = values.filter(|cell| **cell != Cell::Null).collect();
    let count = |count: usize| Cell::Number(u32::try_from(count).map_or(f64::MAX, f64::from));
    let sum = || values.iter().filter_map(|cell| cell.as_number()).sum::<f64>();
    if function == Function::Count {
        return count(values.len());
    }
    if function == Function::CountDistinct {
        let mut distinct: Vec<&Cell> = values.iter().map(AsRef::as_ref).collect();
        distinct.sort_by(|one, two| one.compare(two));
        distinct.dedup_by(|one, two| one.compare(two).is_eq());
        return count(distinct.len());
    }
    if values.is_empty() {
        Cell::Null
    } else if function == Function::Sum {
        Cell::Number(sum())
    } else if function == Function::Avg {
        Cell::Number(sum() / u32::try_from(values.len()).map_or(f64::MAX, f64::from))
    } else if function == Function::Min {
        extreme(&values, std::cmp::Ordering::Less)
    } else {
        extreme(&values, std::cmp::Ordering::Greater)
    }
}

/// The first of the values that no other one is beyond.
fn extreme(values: &[Cow<'_, Cell>], beyond: std::cmp::Ordering) -> Cell {
    let mut found: Option<&Cell> = None;
    for cell in values {
        if found.is_none_or(|found| cell.compare(found) == beyond) {
            found = Some(cell.as_ref());
        }
    }
    found.cloned().unwrap_or(Cell::Null)
}
