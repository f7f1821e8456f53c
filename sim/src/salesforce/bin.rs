//! What each delete took along, so that an undelete brings the same back.
//!
//! Which records go and come stands in `fall`.

use std::collections::BTreeMap;

use super::id::Id;

/// The deletes of an org, by object and place of the record that was asked for.
///
/// A delete that is taken back leaves its entry behind; it counts only while the record is in the recycle bin.
#[derive(Debug, Default)]
pub(crate) struct Bin(BTreeMap<(usize, usize), Fallen>);

/// What one delete did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fallen {
    /// Object and place of each record that went, the deleted one first.
    pub(crate) buried: Vec<(usize, usize)>,
    /// Object, place and field of each reference that became empty, and where it led.
    pub(crate) cleared: Vec<(usize, usize, usize, Id)>,
}

impl Bin {
    /// Keeps what a delete did. What went along is no entry of its own.
    pub(crate) fn keep(&mut self, fallen: &Fallen) {
        for gone in &fallen.buried {
            self.0.remove(gone);
        }
        if let Some(asked) = fallen.buried.first() {
            self.0.insert(*asked, fallen.clone());
        }
    }

    /// What the delete of that record did; none when it went along with another one.
    pub(crate) fn of(&self, object: usize, place: usize) -> Option<&Fallen> {
        self.0.get(&(object, place))
    }
}
