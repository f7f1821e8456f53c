//! The book of webhooks: what Partner Center owed, each attempt, and how it ended (partner-center.md section 6.3).
//!
//! It delivers nothing and decides nothing: systems write down what they owe, whoever delivers writes down what came of
//! it. It is bounded: the oldest entry goes first, and how many went is known.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many webhooks are remembered.
pub const REMEMBERED: usize = 10_000;

/// One webhook and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number in the book, from 1.
    pub number: u64,
    /// The event's name.
    pub event: String,
    /// The URL that was registered when it became due.
    pub url: String,
    /// The body exactly as it is signed.
    pub body: String,
    /// When the change happened that it reports.
    pub owed: Timestamp,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// How it stands.
    pub state: DeliveryState,
}

/// One attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When it was over.
    pub at: Timestamp,
    /// The receiver's status; none when there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer, when the sender knows.
    pub problem: Option<String>,
}

/// How a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// There will be another attempt.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Every attempt failed: it lies in the offline queue, and nobody sends it again.
    Offline,
}

/// Where it is written down. Clones write to the same book.
#[derive(Clone, Debug, Default)]
pub struct DeliveryLog(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    entries: VecDeque<Entry>,
    /// How many there have ever been: the number of the newest.
    count: u64,
}

impl Book {
    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.number;
        let place = usize::try_from(number.checked_sub(first)?).ok()?;
        self.entries.get_mut(place)
    }
}

impl DeliveryLog {
    /// Writes down what is owed; comes back with its number.
    pub fn owe(&self, event: &str, url: &str, body: &str, owed: Timestamp) -> u64 {
        let mut book = self.lock();
        if book.entries.len() >= REMEMBERED {
            book.entries.pop_front();
        }
        book.count += 1;
        let number = book.count;
        book.entries.push_back(Entry {
            number,
            event: event.to_owned(),
            url: url.to_owned(),
            body: body.to_owned(),
            owed,
            attempts: Vec::new(),
            state: DeliveryState::Waiting,
        });
        number
    }

    /// Writes down an attempt that is over, and how the webhook stands now.
    pub fn attempted(&self, number: u64, attempt: Attempt, state: DeliveryState) {
        if let Some(entry) = self.lock().entry(number) {
            entry.attempts.push(attempt);
            entry.state = state;
        }
    }

    /// Writes down that nobody will try (again).
    pub fn given_up(&self, number: u64) {
        if let Some(entry) = self.lock().entry(number) {
            entry.state = DeliveryState::Offline;
        }
    }

    /// The entry of that number, when it is still remembered.
    pub fn entry(&self, number: u64) -> Option<Entry> {
        self.lock().entry(number).cloned()
    }

    /// Every entry that is still remembered, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// The offline queue: what was given up, oldest first.
    pub fn offline(&self) -> Vec<Entry> {
        let book = self.lock();
        let given_up = book
            .entries
            .iter()
            .filter(|entry| entry.state == DeliveryState::Offline);
        given_up.cloned().collect()
    }

    /// Forgets everything, as a reset does. Numbers go on.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    /// How many entries were forgotten: there were too many, or the book was cleared.
    pub fn forgotten(&self) -> u64 {
        let book = self.lock();
        book.count - u64::try_from(book.entries.len()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::default_start;

    #[test]
    fn the_book_remembers_so_many_and_counts_the_rest() {
        let log = DeliveryLog::default();
        for _ in 0..REMEMBERED + 2 {
            log.owe("referral-updated", "http://x.example", "{}", default_start());
        }
        let attempt = |status| Attempt {
            at: default_start(),
            status,
            problem: None,
        };
        log.attempted(1, attempt(Some(200)), DeliveryState::Delivered);
        log.attempted(3, attempt(None), DeliveryState::Offline);
        assert_eq!((log.entries().len(), log.forgotten()), (REMEMBERED, 2));
        assert_eq!(log.entry(2), None);
        let offline: Vec<u64> = log.offline().iter().map(|entry| entry.number).collect();
        assert_eq!(offline, [3]);
    }
}
