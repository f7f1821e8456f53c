//! The change feeds as they were asked and read last. Nothing new is the usual answer: a reply with the bytes of the one
//! before says what that one said, and is not taken apart again.
//!
//! It decides nothing and sends nothing.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::system::opportunity::{Opportunity, SolutionRow};
use crate::system::partner_center::Referral;
use crate::system::{Ask, Page};

/// An opportunity of the feed, with its digest.
#[derive(Debug)]
pub(crate) struct Noticed {
    pub(crate) row: Opportunity,
    pub(crate) digest: u64,
}

impl Noticed {
    pub(crate) fn new(row: Opportunity) -> Self {
        let digest = row.digest();
        Self { row, digest }
    }
}

/// One feed.
#[derive(Debug)]
pub(crate) struct Feed<T> {
    /// The request for what was changed at or after a moment.
    asked: Option<(Timestamp, Ask)>,
    /// The first page: its bytes and what they say.
    page: Option<(Bytes, Arc<Page<T>>)>,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self {
            asked: None,
            page: None,
        }
    }
}

impl<T> Feed<T> {
    /// The request for what was changed at or after a moment.
    pub(crate) fn ask(&mut self, since: Timestamp, make: impl FnOnce() -> Ask) -> Ask {
        match &self.asked {
            Some((known, ask)) if *known == since => ask.clone(),
            _ => {
                let ask = make();
                self.asked = Some((since, ask.clone()));
                ask
            }
        }
    }

    /// What a first page says, when it is the one that was read last.
    pub(crate) fn known(&self, body: &Bytes) -> Option<Arc<Page<T>>> {
        let (_, page) = self.page.as_ref().filter(|(known, _)| known == body)?;
        Some(Arc::clone(page))
    }

    /// Keeps what a first page says.
    pub(crate) fn keep(&mut self, body: Bytes, page: Page<T>) -> Arc<Page<T>> {
        let page = Arc::new(page);
        self.page = Some((body, Arc::clone(&page)));
        page
    }

    /// Lets the next page be read whatever it holds: what its bytes mean has changed.
    pub(crate) fn forget(&mut self) {
        self.page = None;
    }
}

/// All feeds.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    pub(crate) opportunities: Feed<Noticed>,
    pub(crate) solutions: Feed<SolutionRow>,
    pub(crate) referrals: Feed<Referral>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(next: &str) -> Page<SolutionRow> {
        Page {
            rows: Vec::new(),
            next: Some(next.to_owned()),
        }
    }

    #[test]
    fn only_the_very_same_bytes_are_known_and_only_until_their_meaning_changes() {
        let mut feed = Feed::default();
        let body = Bytes::from_static(b"[1]");
        assert!(feed.known(&body).is_none());
        feed.keep(body.clone(), page("a"));
        assert_eq!(feed.known(&body).unwrap().next.as_deref(), Some("a"));
        assert!(feed.known(&Bytes::from_static(b"[2]")).is_none());
        feed.forget();
        assert!(feed.known(&body).is_none());
    }

    #[test]
    fn a_request_is_made_once_for_each_moment() {
        let mut feed = Feed::<SolutionRow>::default();
        let mut made = 0;
        for second in [1, 1, 2, 2, 1] {
            let since = Timestamp::from_second(second).unwrap();
            let url = format!("https://crm.example/since/{second}");
            let ask = feed.ask(since, || {
                made += 1;
                Ask::get(url.clone())
            });
            assert_eq!(ask.into_request(None).unwrap().uri(), url.as_str());
        }
        assert_eq!(made, 3);
    }
}
