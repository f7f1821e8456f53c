//! Rows and their indexes.
//!
//! It knows no rules: what may be written, and with which consequences, is decided where requests are carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::cell::Cell;
use super::filter::ast::Comparison;
use super::filter::eval::Condition;
use super::guid::Guid;
use super::model::{Model, Table};

/// One stored row: a cell for each column of its table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: Guid,
    pub(super) cells: Vec<Cell>,
}

/// All rows of an environment.
#[derive(Debug)]
pub(super) struct Store {
    model: Arc<Model>,
    tables: Vec<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    rows: BTreeMap<Guid, Row>,
    /// For each indexed column: folded value and row.
    indexes: BTreeMap<usize, BTreeSet<(Cell, Guid)>>,
}

impl Store {
    /// An empty store.
    pub(super) fn new(model: Arc<Model>) -> Self {
        let tables = model.tables().iter().map(|table| {
            let indexed = table.columns.iter().enumerate().filter(|(_, column)| column.indexed);
            Rows {
                rows: BTreeMap::new(),
                indexes: indexed.map(|(at, _)| (at, BTreeSet::new())).collect(),
            }
        });
        let tables = tables.collect();
        Self { model, tables }
    }

    /// What tables there are.
    pub(super) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// A row by its key.
    pub(super) fn row(&self, table: &Table, id: Guid) -> Option<&Row> {
        self.tables[table.index].rows.get(&id)
    }

    /// Every row of a table, by key.
    pub(super) fn rows(&self, table: &Table) -> impl Iterator<Item = &Row> {
        self.tables[table.index].rows.values()
    }

    /// Stores a row in the place of the one with its key.
    pub(super) fn put(&mut self, table: &Table, row: Row) {
        let rows = &mut self.tables[table.index];
        let old = rows.rows.get(&row.id);
        for (column, index) in &mut rows.indexes {
            let new = &row.cells[*column];
            if let Some(old) = old {
                if old.cells[*column] == *new {
                    continue;
                }
                index.remove(&(old.cells[*column].folded(), row.id));
            }
            index.insert((new.folded(), row.id));
        }
        rows.rows.insert(row.id, row);
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, table: &Table, id: Guid) -> Option<Row> {
        let rows = &mut self.tables[table.index];
        let row = rows.rows.remove(&id)?;
        for (column, index) in &mut rows.indexes {
            index.remove(&(row.cells[*column].folded(), id));
        }
        Some(row)
    }

    /// The rows that fulfil a condition, by key. Uses the narrowest index that applies.
    pub(super) fn find(&self, table: &Table, condition: Option<&Condition>) -> Vec<&Row> {
        let rows = &self.tables[table.index];
        let Some(condition) = condition else {
            return rows.rows.values().collect();
        };
        let fulfilling = |row: &&Row| condition.holds(&row.cells);
        let mut by_column: BTreeMap<usize, Range> = BTreeMap::new();
        for (column, operator, value) in condition.necessary() {
            if column == 0 && operator == Comparison::Equal {
                return value
                    .guid()
                    .and_then(|id| rows.rows.get(&id))
                    .into_iter()
                    .filter(fulfilling)
                    .collect();
            }
            if rows.indexes.contains_key(&column) && !value.is_null() {
                by_column.entry(column).or_default().narrow(operator, value);
            }
        }
        match by_column.into_iter().max_by_key(|(_, range)| range.precision()) {
            Some((column, range)) if range.precision() > 0 => {
                let mut ids: Vec<Guid> = range.ids(&rows.indexes[&column]).collect();
                ids.sort_unstable();
                ids.iter()
                    .filter_map(|id| rows.rows.get(id))
                    .filter(fulfilling)
                    .collect()
            }
            _ => rows.rows.values().filter(fulfilling).collect(),
        }
    }

    /// The rows whose lookup points to a row, by key.
    pub(super) fn pointing_to(&self, table: &Table, column: usize, id: Guid) -> Vec<Guid> {
        let range = Range {
            equal: Some(Cell::Guid(id)),
            ..Range::default()
        };
        let index = self.tables[table.index].indexes.get(&column);
        index.map(|index| range.ids(index).collect()).unwrap_or_default()
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
