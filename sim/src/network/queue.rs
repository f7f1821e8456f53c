//! What is due, ordered by time and then by the order in which it was put there.
//!
//! It knows no clock and runs nothing. It is bounded: a run that floods it gets an error with a name.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use jiff::Timestamp;

/// The event queue.
#[derive(Debug)]
pub struct Queue<T> {
    heap: BinaryHeap<Entry<T>>,
    next: u64,
    limit: usize,
}

/// More is due than the queue may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event queue full: {limit} items are due")]
pub struct QueueFull {
    /// How many items the queue may hold.
    pub limit: usize,
}

#[derive(Debug)]
struct Entry<T> {
    due: Timestamp,
    sequence: u64,
    item: T,
}

impl<T> Queue<T> {
    /// An empty queue that may hold `limit` items.
    pub fn new(limit: usize) -> Self {
        Self {
            heap: BinaryHeap::new(),
            next: 0,
            limit,
        }
    }

    /// Puts an item behind everything that is due at the same time.
    pub fn push(&mut self, due: Timestamp, item: T) -> Result<(), QueueFull> {
        if self.heap.len() >= self.limit {
            return Err(QueueFull { limit: self.limit });
        }
        let sequence = self.next;
        self.next += 1;
        self.heap.push(Entry { due, sequence, item });
        Ok(())
    }

    /// When the first item is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.heap.peek().map(|entry| entry.due)
    }

    /// Takes the first item, due or not.
    pub fn pop(&mut self) -> Option<(Timestamp, T)> {
        self.heap.pop().map(|entry| (entry.due, entry.item))
    }

    /// How many items are in it.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is due.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

// The heap hands out its greatest entry, so the earliest one is the greatest.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.sequence).cmp(&(self.due, self.sequence))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::default_start;
    use std::time::Duration;

    #[test]
    fn items_come_out_by_time_and_then_in_the_order_of_arrival() {
        let mut queue = Queue::new(10);
        let start = default_start();
        for (offset, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b")] {
            queue.push(start + Duration::from_secs(offset), name).unwrap();
        }
        assert_eq!(queue.next_due(), Some(start + Duration::from_secs(1)));
        let order: Vec<&str> = std::iter::from_fn(|| queue.pop().map(|(_, name)| name)).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_full_queue_refuses_by_name() {
        let mut queue = Queue::new(1);
        queue.push(default_start(), 1).unwrap();
        let full = queue.push(default_start(), 2).unwrap_err();
        assert_eq!(full.to_string(), "event queue full: 1 items are due");
    }
}
