//! Rows that belong together: collections of a row, by lookups and by pairs (dataverse.md section 2.5).
//!
//! It reads no request.

use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::model::{Collection, Via};
use super::payload::Draft;
use super::write::Work;

impl Work<'_> {
    /// Stores a new row of a collection of a row that is there.
    pub(super) fn create_in(&mut self, owner: Guid, collection: &Collection, draft: &Draft) -> Result<Guid, Fault> {
        let model = self.model();
        let table = &model.tables()[collection.table];
        if let Via::Lookup(column) = collection.via {
            let mut draft = draft.clone();
            draft.cells.push((column, Cell::Guid(owner)));
            return self.create(table, &draft, None);
        }
        let made = self.create(table, draft, None)?;
        self.link(owner, collection, made)?;
        Ok(made)
    }

    /// Puts a row into a collection of another (dataverse.md section 2.5).
    ///
    /// Assumed: a pair of a many-to-many relationship that is there already is a duplicate.
    pub(super) fn link(&mut self, owner: Guid, collection: &Collection, other: Guid) -> Result<(), Fault> {
        let model = self.model();
        match collection.via {
            Via::Lookup(column) => {
                let draft = Draft::of(column, Cell::Guid(owner));
                self.update(&model.tables()[collection.table], other, &draft)
            }
            Via::Intersect { table, near, far } => {
                let table = &model.tables()[table];
                let pair = [(near, Cell::Guid(owner)), (far, Cell::Guid(other))];
                if !self.state.store.holding(table, &pair).is_empty() {
                    return Err(Fault::Duplicate);
                }
                let draft = Draft {
                    cells: pair.to_vec(),
                    ..Draft::default()
                };
                self.create_alone(table, &draft, None).map(drop)
            }
        }
    }

    /// Takes a row out of a collection of another. Assumed: one that is not in it is not found.
    pub(super) fn unlink(&mut self, owner: Guid, collection: &Collection, other: Guid) -> Result<(), Fault> {
        let model = self.model();
        let member = &model.tables()[collection.table];
        match collection.via {
            Via::Lookup(column) => {
                let row = self.state.store.row(member, other);
                if row.is_none_or(|row| row.cells[column] != Cell::Guid(owner)) {
                    return Err(Fault::no_such_row(&member.logical, other));
                }
                self.update(member, other, &Draft::of(column, Cell::Null))
            }
            Via::Intersect { table, near, far } => {
                let table = &model.tables()[table];
                let pair = [(near, Cell::Guid(owner)), (far, Cell::Guid(other))];
                let found = self.state.store.holding(table, &pair).first().copied();
                self.erase(table, found.ok_or_else(|| Fault::no_such_row(&member.logical, other))?)
            }
        }
    }
}
