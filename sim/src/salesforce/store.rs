//! The rows of one object, and the indexes over them.
//!
//! It stores what it is given: rules, system fields and notes of commits stand elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

use super::cell::{Cell, Key};
use super::id::Id;
use super::model::Object;

/// One stored row. Its cells stand in the order of its object's fields.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Id,
    /// In the recycle bin, or past it.
    pub(crate) deleted: bool,
    pub(crate) cells: Vec<Cell>,
}

/// The rows of one object. A row keeps its place for ever; places rise with identifiers.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// By place of the field: its values and the rows that hold them, deleted ones included.
    indexes: BTreeMap<usize, BTreeSet<(Key, usize)>>,
    /// The number behind the last identifier given out.
    pub(crate) last_number: Option<u64>,
    /// How often any row has changed.
    revision: u64,
}

impl Table {
    /// An empty table for an object.
    pub(crate) fn new(object: &Object) -> Self {
        let indexed = object.fields.iter().enumerate().filter(|(_, field)| field.indexed);
        Self {
            rows: Vec::new(),
            indexes: indexed.map(|(place, _)| (place, BTreeSet::new())).collect(),
            last_number: None,
            revision: 0,
        }
    }

    /// How often any row has changed: what was read at the same revision is as it was.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// All rows, deleted ones included, in the order of their identifiers.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many rows are not in the recycle bin.
    pub(crate) fn live(&self) -> usize {
        self.rows.iter().filter(|row| !row.deleted).count()
    }

    /// The row at a place that this table gave out.
    pub(crate) fn row(&self, place: usize) -> &Row {
        &self.rows[place]
    }

    /// The place of a row. Identifiers rise with places, so this is a binary search.
    pub(crate) fn find(&self, id: Id) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }

    /// Adds a row whose identifier is above all others.
    pub(crate) fn push(&mut self, row: Row) -> usize {
        self.revision += 1;
        let place = self.rows.len();
        for (field, index) in &mut self.indexes {
            index.extend(row.cells[*field].key().map(|key| (key, place)));
        }
        self.rows.push(row);
        place
    }

    /// Replaces the cells of a row and hands back the old ones.
    pub(crate) fn replace(&mut self, place: usize, cells: Vec<Cell>) -> Vec<Cell> {
        self.revision += 1;
        let row = &mut self.rows[place];
        for (field, index) in &mut self.indexes {
            let (before, after) = (&row.cells[*field], &cells[*field]);
            if before != after {
                if let Some(key) = before.key() {
                    index.remove(&(key, place));
                }
                index.extend(after.key().map(|key| (key, place)));
            }
        }
        std::mem::replace(&mut row.cells, cells)
    }

    /// Takes back the addition of a row, which must be the last one still there.
    pub(crate) fn remove_last(&mut self, place: usize) {
        if place + 1 != self.rows.len() {
            return;
        }
        self.revision += 1;
        if let Some(row) = self.rows.pop() {
            for (field, index) in &mut self.indexes {
                if let Some(key) = row.cells[*field].key() {
                    index.remove(&(key, place));
                }
            }
        }
    }

    /// Gives a row back the cells that it had, and its place in or out of the recycle bin.
    pub(crate) fn restore(&mut self, place: usize, cells: Vec<Cell>, deleted: bool) {
        self.replace(place, cells);
        self.revision += 1;
        self.rows[place].deleted = deleted;
    }

    /// Puts a row into the recycle bin.
    pub(crate) fn bury(&mut self, place: usize) {
        self.revision += 1;
        self.rows[place].deleted = true;
    }

    /// Whether there is an index over the field.
    pub(crate) fn has_index(&self, field: usize) -> bool {
        self.indexes.contains_key(&field)
    }

    /// Places of the rows that hold the key in an indexed field, rising.
    pub(crate) fn equal(&self, field: usize, key: &Key) -> impl Iterator<Item = usize> {
        self.range(field, (key.clone(), 0)..=(key.clone(), usize::MAX))
    }

    /// Places of the rows whose key in an indexed field is the given one or above it, by rising key.
    pub(crate) fn at_least(&self, field: usize, key: &Key) -> impl Iterator<Item = usize> {
        self.range(field, (key.clone(), 0)..)
    }

    fn range<R>(&self, field: usize, range: R) -> impl Iterator<Item = usize>
    where
        R: RangeBounds<(Key, usize)>,
    {
        let found = self.indexes.get(&field).map(|index| index.range(range));
        found.into_iter().flatten().map(|(_, place)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::org::Org;
    use crate::salesforce::settings::Settings;

    #[test]
    fn indexes_follow_each_write() {
        let org = Org::of(&Settings::default());
        let object = &org.objects[org.object("Opportunity").unwrap()];
        let field = object.field("Referral_Identifier__c").unwrap();
        let cells = |value: &str| {
            let mut cells = vec![Cell::Null; object.fields.len()];
            cells[field] = Cell::text(value);
            cells
        };
        let mut table = Table::new(object);
        for (place, value) in ["a", "B", "a", ""].into_iter().enumerate() {
            let id = Id::parse(&format!("00600000000000{place}")).unwrap();
            table.push(Row {
                id,
                deleted: false,
                cells: cells(value),
            });
        }
        let held = |table: &Table, value: &str| {
            let key = Cell::text(value).key().unwrap();
            table.equal(field, &key).collect::<Vec<_>>()
        };
        assert_eq!(held(&table, "A"), [0, 2]);
        assert_eq!(held(&table, "b"), [1]);
        table.replace(0, cells("b"));
        assert_eq!(held(&table, "a"), [2]);
        assert_eq!(held(&table, "b"), [0, 1]);
        table.remove_last(3);
        table.restore(0, cells("a"), true);
        assert_eq!((held(&table, "a"), held(&table, "b")), (vec![0, 2], vec![1]));
        assert_eq!((table.rows().len(), table.row(0).deleted), (3, true));
        assert_eq!(table.find(Id::parse("006000000000002").unwrap()), Some(2));
        assert_eq!(table.find(Id::parse("006000000000009").unwrap()), None);
    }
}
