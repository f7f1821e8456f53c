//! From writes to events: change events, and those of push topics.
//!
//! It is called when a request has been answered, so that what was taken back is never told.

use super::{channel, topic};
use crate::salesforce::feed::{Told, Written};
use crate::salesforce::id::Id;
use crate::salesforce::state::State;

/// Makes events of all that was committed since the last call.
pub(crate) fn publish(state: &mut State) {
    if state.feed.pending.is_empty() {
        return;
    }
    let written = std::mem::take(&mut state.feed.pending);
    let topics = topic::active(state);
    let (mut sequence, mut transaction) = (0, 0);
    let mut open: Option<(Box<Written>, Vec<Id>, u32)> = None;
    for write in written {
        for topic in &topics {
            if let Some(shown) = topic::shown(state, topic, &write) {
                state
                    .feed
                    .tell(write.at, Told::Topic(topic.name.clone(), write.kind, shown));
            }
        }
        if !channel::is_selected(state, write.object) {
            continue;
        }
        // Changes that are alike, in one transaction, are one event with several records.
        let first = open
            .as_mut()
            .filter(|(first, ids, _)| alike(first, &write) && !ids.contains(&write.id));
        if let Some((_, ids, _)) = first {
            ids.push(write.id);
            continue;
        }
        tell(state, open.take());
        sequence = if write.transaction == transaction {
            sequence + 1
        } else {
            1
        };
        transaction = write.transaction;
        open = Some((Box::new(write.clone()), vec![write.id], sequence));
    }
    tell(state, open);
}

fn tell(state: &mut State, open: Option<(Box<Written>, Vec<Id>, u32)>) {
    if let Some((written, ids, sequence)) = open {
        state.feed.tell(written.at, Told::Change(written, ids, sequence));
    }
}

fn alike(one: &Written, two: &Written) -> bool {
    (one.object, one.kind, one.transaction, &one.fields) == (two.object, two.kind, two.transaction, &two.fields)
}
