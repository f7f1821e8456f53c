//! What one request has written so far: how to take it back, and what to tell when it stays.
//!
//! It decides nothing: whoever runs a request says from where to take back, and when all of it stays.

use super::cell::Cell;
use super::feed::Written;
use super::store::Table;
use crate::happening::Commit;

/// How to take one write back.
#[derive(Clone, Debug)]
enum Undo {
    /// The row was new.
    Inserted { object: usize, place: usize },
    /// The row had these cells, and was in the bin or not.
    Replaced {
        object: usize,
        place: usize,
        cells: Vec<Cell>,
        deleted: bool,
    },
}

/// A point to which writes can be taken back. The default is the beginning of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    undo: usize,
    notes: usize,
}

/// The writes of one request. Every request has one, from its first write to its answer.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    undo: Vec<Undo>,
    notes: Vec<(Commit, Option<Written>)>,
    /// Which API writes, and for whom: `com/salesforce/api/rest/60.0;client=NAME` (salesforce.md section 5.2).
    pub(crate) origin: String,
}

impl Transaction {
    /// The point at which it stands.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            notes: self.notes.len(),
        }
    }

    /// A row was added.
    pub(crate) fn inserted(&mut self, object: usize, place: usize) {
        self.undo.push(Undo::Inserted { object, place });
    }

    /// A row had these cells before.
    pub(crate) fn replaced(&mut self, object: usize, place: usize, cells: Vec<Cell>, deleted: bool) {
        self.undo.push(Undo::Replaced {
            object,
            place,
            cells,
            deleted,
        });
    }

    /// Keeps a note until all of it stays.
    pub(crate) fn note(&mut self, note: Commit, written: Option<Written>) {
        self.notes.push((note, written));
    }

    /// Takes back what was written since the mark, newest first.
    pub(crate) fn take_back(&mut self, mark: Mark, tables: &mut [Table]) {
        while self.undo.len() > mark.undo {
            match self.undo.pop() {
                Some(Undo::Inserted { object, place }) => tables[object].remove_last(place),
                Some(Undo::Replaced {
                    object,
                    place,
                    cells,
                    deleted,
                }) => tables[object].restore(place, cells, deleted),
                None => return,
            }
        }
        self.notes.truncate(mark.notes);
    }

    /// Everything stays: hands over what there is to tell, in the order in which it was written.
    pub(crate) fn close(&mut self) -> Vec<(Commit, Option<Written>)> {
        self.undo.clear();
        std::mem::take(&mut self.notes)
    }
}
