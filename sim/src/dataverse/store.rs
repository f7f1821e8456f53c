//! Rows and their indexes.
//!
//! It knows no rules: what may be written, and with which consequences, is decided where requests are carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

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
    /// What rows were before each change since the last settling: table, key, row.
    undo: Vec<(usize, Guid, Option<Row>)>,
}

#[derive(Debug, Default)]
struct Rows {
    live: BTreeMap<Guid, Row>,
    /// For each indexed column: folded value and row.
    indexes: BTreeMap<usize, BTreeSet<(Cell, Guid)>>,
    /// Deleted rows by the version number that their deletion took, with its time.
    buried: BTreeMap<i64, (Guid, Timestamp)>,
}

impl Rows {
    fn put(&mut self, row: Row) -> Option<Row> {
        let old = self.live.get(&row.id);
        for (column, index) in &mut self.indexes {
            let new = &row.cells[*column];
            if let Some(old) = old {
                if old.cells[*column] == *new {
                    continue;
                }
                index.remove(&(old.cells[*column].folded(), row.id));
            }
            index.insert((new.folded(), row.id));
        }
        self.live.insert(row.id, row)
    }

    fn remove(&mut self, id: Guid) -> Option<Row> {
        let row = self.live.remove(&id)?;
        for (column, index) in &mut self.indexes {
            index.remove(&(row.cells[*column].folded(), id));
        }
        Some(row)
    }
}

impl Store {
    /// An empty store.
    pub(super) fn new(model: Arc<Model>) -> Self {
        let tables = model.tables().iter().map(|table| {
            let indexed = table.columns.iter().enumerate().filter(|(_, column)| column.indexed);
            Rows {
                live: BTreeMap::new(),
                indexes: indexed.map(|(at, _)| (at, BTreeSet::new())).collect(),
                buried: BTreeMap::new(),
            }
        });
        let tables = tables.collect();
        Self {
            model,
            tables,
            undo: Vec::new(),
        }
    }

    /// What tables there are.
    pub(super) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// A row by its key.
    pub(super) fn row(&self, table: &Table, id: Guid) -> Option<&Row> {
        self.tables[table.index].live.get(&id)
    }

    /// Every row of a table, by key.
    pub(super) fn rows(&self, table: &Table) -> impl Iterator<Item = &Row> {
        self.tables[table.index].live.values()
    }

    /// Stores a row in the place of the one with its key.
    pub(super) fn put(&mut self, table: &Table, row: Row) {
        let id = row.id;
        let old = self.tables[table.index].put(row);
        self.undo.push((table.index, id, old));
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, table: &Table, id: Guid) -> Option<Row> {
        let row = self.tables[table.index].remove(id)?;
        self.undo.push((table.index, id, Some(row.clone())));
        Some(row)
    }

    /// How many changes there were since the last settling.
    pub(super) fn changes(&self) -> usize {
        self.undo.len()
    }

    /// Takes changes back, the newest first, until so many are left.
    pub(super) fn roll_back(&mut self, changes: usize) {
        for (table, id, row) in self.undo.drain(changes.min(self.undo.len())..).rev() {
            let rows = &mut self.tables[table];
            rows.buried.retain(|_, (gone, _)| *gone != id);
            match row {
                Some(row) => drop(rows.put(row)),
                None => drop(rows.remove(id)),
            }
        }
    }

    /// From here on, nothing that happened before can be taken back.
    pub(super) fn settle(&mut self) {
        self.undo.clear();
    }

    /// Remembers that a row was deleted, for those who follow changes.
    pub(super) fn bury(&mut self, table: &Table, id: Guid, version: i64, at: Timestamp) {
        self.tables[table.index].buried.insert(version, (id, at));
    }

    /// Rows that were deleted after a version number and are not there again, each once, oldest deletion first.
    #[expect(dead_code, reason = "change tracking reads it, with the next changes")]
    pub(super) fn buried_since(&self, table: &Table, version: i64) -> Vec<Guid> {
        let rows = &self.tables[table.index];
        let mut seen = BTreeSet::new();
        let later = (Bound::Excluded(version), Bound::Unbounded);
        let gone = rows.buried.range(later).map(|(_, (id, _))| *id);
        gone.filter(|id| !rows.live.contains_key(id) && seen.insert(*id))
            .collect()
    }

    /// The rows that fulfil a condition, by key. Uses the narrowest index that applies.
    pub(super) fn find(&self, table: &Table, condition: Option<&Condition>) -> Vec<&Row> {
        let rows = &self.tables[table.index];
        let Some(condition) = condition else {
            return rows.live.values().collect();
        };
        let fulfilling = |row: &&Row| condition.holds(&row.cells);
        let mut by_column: BTreeMap<usize, Range> = BTreeMap::new();
        for (column, operator, value) in condition.necessary() {
            if column == 0 && operator == Comparison::Equal {
                return value
                    .guid()
                    .and_then(|id| rows.live.get(&id))
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
                    .filter_map(|id| rows.live.get(id))
                    .filter(fulfilling)
                    .collect()
            }
            _ => rows.live.values().filter(fulfilling).collect(),
        }
    }

    /// The rows that hold all of these values, by key. Text is compared without regard to case.
    pub(super) fn holding(&self, table: &Table, values: &[(usize, Cell)]) -> Vec<Guid> {
        let Some((first, cell)) = values.first() else {
            return Vec::new();
        };
        let rows = &self.tables[table.index];
        let fits = |row: &&Row| {
            let mut values = values.iter();
            values.all(|(column, cell)| row.cells[*column].folded() == cell.folded())
        };
        let Some(index) = rows.indexes.get(first) else {
            return rows.live.values().filter(fits).map(|row| row.id).collect();
        };
        let range = Range {
            equal: Some(cell.folded()),
            ..Range::default()
        };
        let candidates = range.ids(index).filter_map(|id| rows.live.get(&id));
        candidates.filter(fits).map(|row| row.id).collect()
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
