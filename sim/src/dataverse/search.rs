//! Which rows fulfil a condition, by the narrowest index that applies.
//!
//! It neither sorts nor prints.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::cell::Cell;
use super::filter::ast::Comparison;
use super::filter::eval::Condition;
use super::guid::Guid;
use super::model::Table;
use super::store::{Row, Store};

/// The rows behind a key that fulfil a condition, by key. No row is looked at before it is asked for, so that a page costs
/// what it takes to fill it.
pub(super) fn find<'c, 's: 'c>(
    store: &'s Store,
    table: &Table,
    condition: Option<&'c Condition>,
    after: Option<Guid>,
) -> Box<dyn Iterator<Item = &'s Row> + 'c> {
    let Some(condition) = condition else {
        return Box::new(store.rows_after(table, after));
    };
    let fulfilling = move |row: &&'s Row| condition.holds(store, &row.cells);
    let behind = move |id: &Guid| after.is_none_or(|after| *id > after);
    let mut by_column: BTreeMap<usize, Range> = BTreeMap::new();
    for (column, operator, value) in condition.necessary() {
        if column == 0 && operator == Comparison::Equal {
            let row = value.guid().filter(behind).and_then(|id| store.row(table, id));
            return Box::new(row.into_iter().filter(fulfilling));
        }
        if store.index(table, column).is_some() && !value.is_null() {
            by_column.entry(column).or_default().narrow(operator, value);
        }
    }
    let narrowest = by_column.into_iter().max_by_key(|(_, range)| range.precision());
    let narrowest = narrowest.filter(|(_, range)| range.precision() > 0);
    match narrowest.and_then(|(column, range)| Some((store.index(table, column)?, range))) {
        Some((index, range)) => {
            let mut ids: Vec<Guid> = range.ids(index).filter(behind).collect();
            ids.sort_unstable();
            let rows: Vec<&Row> = ids.into_iter().filter_map(|id| store.row(table, id)).collect();
            Box::new(rows.into_iter().filter(fulfilling))
        }
        None => Box::new(store.rows_after(table, after).filter(fulfilling)),
    }
}

/// What is necessary of one indexed column.
#[derive(Debug, Default)]
struct Range {
    equal: Option<Cell>,
    from: Option<Cell>,
    to: Option<Cell>,
}

impl Range {
    fn narrow(&mut self, operator: Comparison, value: &Cell) {
        match operator {
            Comparison::Equal => self.equal = Some(value.clone()),
            Comparison::Greater | Comparison::GreaterOrEqual => self.from = Some(value.clone()),
            Comparison::Less | Comparison::LessOrEqual => self.to = Some(value.clone()),
            Comparison::NotEqual => {}
        }
    }

    /// How much it narrows: text and identifiers more than yes and no, one value more than a range.
    fn precision(&self) -> u8 {
        match (&self.equal, &self.from, &self.to) {
            (Some(Cell::Bool(_)), ..) => 1,
            (Some(_), ..) => 4,
            (None, Some(_), Some(_)) => 3,
            (None, Some(_), None) | (None, None, Some(_)) => 2,
            (None, None, None) => 0,
        }
    }

    fn ids<'a>(&self, index: &'a BTreeSet<(Cell, Guid)>) -> impl Iterator<Item = Guid> + use<'a> {
        let (low, high) = (
            self.equal.as_ref().or(self.from.as_ref()),
            self.equal.as_ref().or(self.to.as_ref()),
        );
        let low = low.map_or(Bound::Unbounded, |cell| Bound::Included((cell.clone(), Guid::FIRST)));
        let high = high.map_or(Bound::Unbounded, |cell| Bound::Included((cell.clone(), Guid::LAST)));
        // A range that ends before it begins is empty; BTreeSet::range would panic on it.
        let empty = matches!((&low, &high), (Bound::Included(low), Bound::Included(high)) if low > high);
        (!empty)
            .then(|| index.range((low, high)))
            .into_iter()
            .flatten()
            .map(|(_, id)| *id)
    }
}
