//! Query cursors: where the next page of a result begins.
//!
//! A cursor fixes which rows and in which order; their values are read when the page is. Assumed: a row deleted in between is
//! missing from its page, and `totalSize` stays.

use std::collections::VecDeque;
use std::sync::Arc;

use super::soql::plan::Plan;

/// How long a cursor lives: two days (salesforce.md section 2.3).
const LIFETIME_SECONDS: i64 = 2 * 24 * 60 * 60;
/// How many are kept. The vendor has no limit; a simulator needs one.
const KEPT: usize = 1000;

/// A result of which a part was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub(crate) plan: Arc<Plan>,
    pub(crate) places: Arc<[usize]>,
    pub(crate) page_size: usize,
}

/// The cursors of an org, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Cursors(VecDeque<(String, i64, Cursor)>);

impl Cursors {
    /// Keeps a cursor under a locator.
    pub(crate) fn keep(&mut self, locator: String, second: i64, cursor: Cursor) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((locator, second, cursor));
    }

    /// The cursor under a locator, unless its time is over.
    pub(crate) fn get(&self, locator: &str, second: i64) -> Option<Cursor> {
        let found = self.0.iter().rev().find(|(known, ..)| known == locator);
        found
            .filter(|(_, made, _)| second - made < LIFETIME_SECONDS)
            .map(|(.., cursor)| cursor.clone())
    }
}
