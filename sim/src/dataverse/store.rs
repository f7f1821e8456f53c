//! Rows and their indexes.
//!
//! It knows no rules: what may be written, and with which consequences, is decided where requests are carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::cell::Cell;
use super::guid::Guid;
use super::model::{Model, Table, Via};

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
    /// How often any row has changed.
    revision: u64,
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
            revision: 0,
        }
    }

    /// How often any row has changed: what was read at the same revision is as it was.
    pub(super) fn revision(&self) -> u64 {
        self.revision
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
        self.revision += 1;
        let id = row.id;
        let old = self.tables[table.index].put(row);
        self.undo.push((table.index, id, old));
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, table: &Table, id: Guid) -> Option<Row> {
        let row = self.tables[table.index].remove(id)?;
        self.revision += 1;
        self.undo.push((table.index, id, Some(row.clone())));
        Some(row)
    }

    /// How many changes there were since the last settling.
    pub(super) fn changes(&self) -> usize {
        self.undo.len()
    }

    /// Takes changes back, the newest first, until so many are left, and deletions from a version number on.
    pub(super) fn roll_back(&mut self, changes: usize, version: i64) {
        self.revision += 1;
        for (table, id, row) in self.undo.drain(changes.min(self.undo.len())..).rev() {
            let rows = &mut self.tables[table];
            drop(rows.buried.split_off(&version));
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
        self.revision += 1;
        self.tables[table.index].buried.insert(version, (id, at));
    }

    /// Rows that were deleted after a version number and are not there again, each once, oldest deletion first.
    pub(super) fn buried_since(&self, table: &Table, version: i64) -> Vec<Guid> {
        let rows = &self.tables[table.index];
        let mut seen = BTreeSet::new();
        let later = (Bound::Excluded(version), Bound::Unbounded);
        let gone = rows.buried.range(later).map(|(_, (id, _))| *id);
        gone.filter(|id| !rows.live.contains_key(id) && seen.insert(*id))
            .collect()
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
        let candidates = equal(index, &cell.folded()).filter_map(|id| rows.live.get(&id));
        candidates.filter(fits).map(|row| row.id).collect()
    }

    /// The rows whose lookup points to a row, by key.
    pub(super) fn pointing_to(&self, table: &Table, column: usize, id: Guid) -> Vec<Guid> {
        let index = self.tables[table.index].indexes.get(&column);
        let ids = index.map(|index| equal(index, &Cell::Guid(id)).collect());
        ids.unwrap_or_default()
    }

    /// The rows of a table that belong to a row, by key.
    pub(super) fn related(&self, table: &Table, via: Via, id: Guid) -> Vec<&Row> {
        let mut ids = match via {
            Via::Lookup(column) => self.pointing_to(table, column, id),
            Via::Intersect {
                table: pairs,
                near,
                far,
            } => {
                let pairs = &self.model.tables()[pairs];
                let found = self.pointing_to(pairs, near, id);
                let found = found.into_iter().filter_map(|pair| self.row(pairs, pair));
                found.filter_map(|pair| pair.cells[far].guid()).collect()
            }
        };
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.row(table, id)).collect()
    }

    /// Every row of a table behind a key, by key.
    pub(super) fn rows_after(&self, table: &Table, key: Option<Guid>) -> impl Iterator<Item = &Row> + use<'_> {
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.tables[table.index].live.range((from, Bound::Unbounded));
        rows.map(|(_, row)| row)
    }

    /// How many rows a table has.
    pub(super) fn count(&self, table: &Table) -> usize {
        self.tables[table.index].live.len()
    }

    /// The index of a column: folded value and row.
    pub(super) fn index(&self, table: &Table, column: usize) -> Option<&BTreeSet<(Cell, Guid)>> {
        self.tables[table.index].indexes.get(&column)
    }
}

/// The rows of an index that hold a folded value.
fn equal<'a>(index: &'a BTreeSet<(Cell, Guid)>, cell: &Cell) -> impl Iterator<Item = Guid> + use<'a> {
    let range = (cell.clone(), Guid::FIRST)..=(cell.clone(), Guid::LAST);
    index.range(range).map(|(_, id)| *id)
}

/// A row as its wire names and values.
pub(super) fn fields(table: &Table, row: &Row) -> serde_json::Map<String, serde_json::Value> {
    let columns = table.columns.iter().zip(&row.cells);
    columns
        .map(|(column, cell)| (column.wire.to_string(), cell.value()))
        .collect()
}
