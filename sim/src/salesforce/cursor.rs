//! Query cursors: where the next page of a result begins.
//!
//! A cursor fixes which rows and in which order; their values are read when the page is. Assumed: a row deleted in between is
//! missing from its page, and `totalSize` stays.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::soql::plan::Plan;
use super::state::State;

/// How long a cursor lives: two days (salesforce.md section 2.3).
const LIFETIME_SECONDS: i64 = 2 * 24 * 60 * 60;
/// How many are kept. The vendor has no limit; a simulator needs one.
const KEPT: usize = 1000;
/// How many characters of a locator follow its prefix.
const LENGTH: usize = 15;

/// A result of which a part was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub(crate) plan: Arc<Plan>,
    pub(crate) places: Arc<[usize]>,
    pub(crate) page_size: usize,
    /// Under which it is kept, when it has more than one page.
    pub(crate) locator: Option<String>,
}

/// The cursors of an org, oldest first. Printing a row may open one for its children, so they change behind a shared reference.
#[derive(Debug, Default)]
pub(crate) struct Cursors(RefCell<Kept>);

#[derive(Debug, Default)]
struct Kept {
    cursors: VecDeque<(i64, Cursor)>,
    /// How many were opened for children.
    opened: u64,
}

impl Cursors {
    /// Keeps a cursor that has a locator.
    pub(crate) fn keep(&self, second: i64, cursor: Cursor) {
        let kept = &mut self.0.borrow_mut().cursors;
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((second, cursor));
    }

    /// A cursor over a row's children, kept when they are more than a page.
    pub(crate) fn open(&self, state: &State, plan: &Arc<Plan>, places: Vec<usize>) -> Cursor {
        let page_size = state.settings.page_size.max(1);
        let more = places.len() > page_size;
        let mut cursor = Cursor {
            plan: Arc::clone(plan),
            places: places.into(),
            page_size,
            locator: None,
        };
        if more {
            let opened = self.0.borrow().opened + 1;
            self.0.borrow_mut().opened = opened;
            // Zeros keep these apart from the others, whose characters come from chance.
            cursor.locator = Some(format!("0r8{opened:0>LENGTH$}"));
            self.keep(state.ground.clock.now().as_second(), cursor.clone());
        }
        cursor
    }

    /// The cursor under a locator, unless its time is over.
    pub(crate) fn get(&self, locator: &str, second: i64) -> Option<Cursor> {
        let kept = &self.0.borrow().cursors;
        let found = kept
            .iter()
            .rev()
            .find(|(_, cursor)| cursor.locator.as_deref() == Some(locator));
        found
            .filter(|(made, _)| second - made < LIFETIME_SECONDS)
            .map(|(_, cursor)| cursor.clone())
    }
}
