//! What subscribers of the Streaming API are told, and who they are.
//!
//! It keeps events and cursors; how both look on the wire stands in `stream`.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use super::cell::Cell;
use super::id::Id;

/// How long change events are kept (salesforce.md section 5.2).
const KEPT_HOURS: i64 = 72;
/// How many events and subscribers are kept at most, oldest dropped: a simulator needs a number.
const MOST_EVENTS: usize = 10_000;
const MOST_CLIENTS: usize = 1_000;
/// The first number given out. Numbers are opaque to subscribers, and not contiguous in a channel.
const FIRST_REPLAY: i64 = 1_000;

/// What a write did to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Created,
    Updated,
    Deleted,
    /// It came back from the recycle bin.
    Undeleted,
}

/// One write that subscribers may be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) object: usize,
    pub(crate) place: usize,
    pub(crate) id: Id,
    pub(crate) kind: Act,
    /// Places of the fields that were set, or differ now, with their new values. Without the fields that the system writes.
    pub(crate) fields: Vec<(usize, Cell)>,
    /// The `User` record of whoever wrote.
    pub(crate) user: Id,
    pub(crate) at: Timestamp,
    /// Which request wrote, counted from 1.
    pub(crate) transaction: u64,
    /// Which API, and which client of it.
    pub(crate) origin: String,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// Records changed, all in the same way. The number is the place in its transaction, from 1.
    Change(Box<Written>, Vec<Id>, u32),
    /// A record of a push topic changed: the topic's name, the kind of write, the record.
    Topic(String, Act, Value),
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) replay: i64,
    pub(crate) at: Timestamp,
    pub(crate) told: Told,
}

/// One subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Until when it must ask again.
    pub(crate) until: Timestamp,
    /// Its channels, and the last event of each that it need not be told.
    pub(crate) channels: BTreeMap<String, i64>,
}

/// Events and subscribers of an org.
#[derive(Debug)]
pub(crate) struct Feed {
    events: VecDeque<Event>,
    last: i64,
    clients: BTreeMap<String, Client>,
    /// Writes of which no event was made yet.
    pub(crate) pending: Vec<Written>,
    /// How many transactions were committed.
    pub(crate) transactions: u64,
    changed: watch::Sender<u64>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            last: FIRST_REPLAY,
            clients: BTreeMap::new(),
            pending: Vec::new(),
            transactions: 0,
            changed: watch::Sender::new(0),
        }
    }
}

impl Feed {
    /// Adds an event, and lets whoever waits look.
    pub(crate) fn tell(&mut self, at: Timestamp, told: Told) {
        let oldest = at - SignedDuration::from_hours(KEPT_HOURS);
        while self.events.len() == MOST_EVENTS || self.events.front().is_some_and(|event| event.at < oldest) {
            self.events.pop_front();
        }
        self.last += 1;
        self.events.push_back(Event {
            replay: self.last,
            at,
            told,
        });
        self.wake();
    }

    /// Lets whoever waits for events look again.
    pub(crate) fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Tells when there is something new to look at.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The events after a number, oldest first.
    pub(crate) fn after(&self, replay: i64) -> impl Iterator<Item = &Event> {
        let from = self.events.partition_point(|event| event.replay <= replay);
        self.events.range(from..)
    }

    /// The number after which to begin: `-1` only what is new, `-2` all that is kept, else what follows that number. None for
    /// a number that was never given out, or whose successors are no longer all there.
    pub(crate) fn begin(&self, replay: i64) -> Option<i64> {
        let first = self.events.front().map_or(self.last, |event| event.replay - 1);
        match replay {
            -1 => Some(self.last),
            -2 => Some(0),
            number => (first..=self.last).contains(&number).then_some(number),
        }
    }

    /// Adds a subscriber; the one that may be gone first makes room.
    pub(crate) fn join(&mut self, id: String, until: Timestamp) {
        if self.clients.len() >= MOST_CLIENTS {
            let gone = self.clients.iter().min_by_key(|(_, client)| client.until);
            if let Some(gone) = gone.map(|(id, _)| id.clone()) {
                self.clients.remove(&gone);
            }
        }
        let channels = BTreeMap::new();
        self.clients.insert(id, Client { until, channels });
    }

    /// A subscriber who asked again in time. Others are forgotten.
    pub(crate) fn client(&mut self, id: &str, now: Timestamp) -> Option<&mut Client> {
        if self.clients.get(id).is_some_and(|client| client.until < now) {
            self.clients.remove(id);
        }
        self.clients.get_mut(id)
    }

    /// Forgets a subscriber; a request of theirs that waits is answered.
    pub(crate) fn leave(&mut self, id: &str) {
        self.clients.remove(id);
        self.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_were_not_given_out_are_no_beginning() {
        let mut feed = Feed::default();
        let start: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let topic = || Told::Topic("T".to_owned(), Act::Created, Value::Null);
        assert_eq!(
            (feed.begin(-1), feed.begin(-2), feed.begin(1000), feed.begin(999)),
            (Some(1000), Some(0), Some(1000), None)
        );
        for hours in [0, 1, 80] {
            feed.tell(start + SignedDuration::from_hours(hours), topic());
        }
        assert_eq!(
            feed.after(0).map(|event| event.replay).collect::<Vec<_>>(),
            [1003],
            "the others are too old"
        );
        assert_eq!(
            (feed.begin(1001), feed.begin(1002), feed.begin(1004), feed.begin(-3)),
            (None, Some(1002), None, None)
        );
        for _ in 0..MOST_EVENTS + 5 {
            feed.tell(start + SignedDuration::from_hours(81), topic());
        }
        assert_eq!(feed.after(0).count(), MOST_EVENTS);
    }
}
