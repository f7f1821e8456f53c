//! Row locks: a write holds its record and the parents that it touches until its transaction is over.
//!
//! Which parents: the vendor's cheat sheet of record locking. A new contact or opportunity holds its account, a detail holds its
//! master, a required look-up that may not go away holds its target. A write waits for what another one holds as long as the org
//! lets it, and is refused when that is not enough.
//!
//! Assumed: two writes are one client's when their user, API and client name (`Sforce-Call-Options`) are the same; a client waits for
//! its answer, so it never meets itself. Waiting is not spent on the clock: a write that would have to wait is answered at once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::author::Author;
use super::cell::Cell;
use super::error::Problem;
use super::id::Id;
use super::kind::OnDelete;
use super::state::State;

/// Who holds a record, and until when.
#[derive(Clone, Debug)]
struct Held {
    user: Id,
    origin: String,
    until: Timestamp,
}

/// Records that are held.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    held: BTreeMap<Id, Held>,
    /// What the current request takes, and when it could begin.
    taken: Vec<(Id, Held)>,
}

impl Locks {
    /// Ends the current request: what it took is held for so long when it wrote, and free again when it did not.
    pub(crate) fn close(&mut self, wrote: bool, now: Timestamp, time: SignedDuration) {
        if self.taken.is_empty() {
            return;
        }
        self.held.retain(|_, held| held.until > now);
        for (id, mut held) in self.taken.drain(..).filter(|_| wrote) {
            held.until = held.until.max(now).saturating_add(time).unwrap_or(held.until);
            self.held.insert(id, held);
        }
    }
}

/// Takes the locks that a write of these cells needs, or refuses it. A new record has no place yet.
pub(crate) fn take(
    state: &mut State,
    author: &Author,
    object: usize,
    place: Option<usize>,
    cells: &[Cell],
) -> Result<(), Problem> {
    if state.settings.transaction_time.is_zero() {
        return Ok(());
    }
    let now = state.ground.clock.now();
    let latest = now.saturating_add(state.settings.lock_wait).unwrap_or(now);
    let mut taken = Vec::new();
    for id in touched(state, object, place, cells) {
        let other = state.locks.held.get(&id);
        let other = other.filter(|held| held.user != author.id || held.origin != state.transaction.origin);
        if other.is_some_and(|held| held.until > latest) {
            let message = format!("unable to obtain exclusive access to this record or 1 records: {id}");
            return Err(Problem::write("UNABLE_TO_LOCK_ROW", message, &[]));
        }
        let until = other.map_or(now, |held| held.until);
        let origin = state.transaction.origin.clone();
        let user = author.id;
        taken.push((id, Held { user, origin, until }));
    }
    state.locks.taken.append(&mut taken);
    Ok(())
}

/// The record itself, and the parents that a write of it holds.
fn touched(state: &State, object: usize, place: Option<usize>, cells: &[Cell]) -> Vec<Id> {
    let shape = &state.org.objects[object];
    let before = place.map(|place| state.tables[object].row(place));
    let mut ids: Vec<Id> = before.map(|row| row.id).into_iter().collect();
    for (at, field) in shape.fields.iter().enumerate() {
        let Some(reference) = field.reference() else { continue };
        let holds = match reference.on_delete {
            OnDelete::Clear => false,
            OnDelete::Restrict => true,
            // An account is held by a new child, and by one that comes or goes; a master by every write of a detail.
            OnDelete::Cascade => !field.nillable || before.is_none_or(|row| row.deleted || row.cells[at] != cells[at]),
        };
        if holds {
            let was = before.and_then(|row| row.cells[at].as_id());
            ids.extend([was, cells[at].as_id()].into_iter().flatten());
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}
