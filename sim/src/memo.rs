//! Answers to reads, kept while nothing that they were read from has changed: a client that polls asks the same again and
//! again.
//!
//! It knows no system. Whoever keeps an answer says at which revision of its rows it was read, and keeps none that depends on
//! anything else: the time, a paging link that is good for one use, a row that notes who looked at it. What is stamped on every
//! answer (numbers, budgets, times) is not part of what is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::identity::User;

/// How many answers are kept: a poller's handful of requests.
const KEPT: usize = 8;
/// The largest body that is kept, in bytes.
const LARGEST: usize = 256 * 1024;

/// What was asked: everything that an answer may depend on, and the base URL that links are printed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) user: &'a Arc<User>,
    pub(crate) base: &'a str,
}

/// The answers of one system.
#[derive(Debug)]
pub(crate) struct Memo {
    /// Whether anything is kept at all.
    keeps: bool,
    /// The base URL of all that is kept.
    base: String,
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    target: Box<str>,
    /// Without the token, of which only the user behind it counts.
    headers: HeaderMap,
    /// The very user, as the authority held them: a change of their roles makes another one.
    user: Arc<User>,
    revision: u64,
    body: Bytes,
}

impl Memo {
    /// Nothing is kept yet, or ever.
    pub(crate) fn new(keeps: bool) -> Self {
        Self {
            keeps,
            base: String::new(),
            kept: VecDeque::new(),
        }
    }

    /// Forgets every answer.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    /// The body that was given to the same question, when the rows are still at that revision.
    pub(crate) fn get(&self, asked: Asked<'_>, revision: u64) -> Option<Bytes> {
        let found = self.kept.iter().find(|kept| {
            kept.revision == revision
                && Arc::ptr_eq(&kept.user, asked.user)
                && *kept.target == *asked.target
                && kept.headers.iter().eq(without_token(asked.headers))
        });
        found.filter(|_| self.base == asked.base).map(|kept| kept.body.clone())
    }

    /// Keeps a body, and forgets what other revisions gave.
    pub(crate) fn keep(&mut self, asked: Asked<'_>, revision: u64, body: &Bytes) {
        if body.len() > LARGEST || !self.keeps {
            return;
        }
        if self.base != asked.base {
            asked.base.clone_into(&mut self.base);
            self.kept.clear();
        }
        self.kept.retain(|kept| kept.revision == revision);
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        let headers = without_token(asked.headers).map(|(name, value)| (name.clone(), value.clone()));
        self.kept.push_back(Kept {
            target: asked.target.into(),
            headers: headers.collect(),
            user: Arc::clone(asked.user),
            revision,
            body: body.clone(),
        });
    }
}

fn without_token(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers.iter().filter(|(name, _)| *name != AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_one_question_and_one_revision() {
        let (user, other) = (Arc::new(User::new("a", &[])), Arc::new(User::new("a", &[])));
        let (mine, theirs) = ("/list?a=1", "/list?a=2");
        let plain = HeaderMap::from_iter([(http::header::ACCEPT, "*/*".parse().unwrap())]);
        let marked = HeaderMap::from_iter([(http::header::ACCEPT, "text/*".parse().unwrap())]);
        let asked = Asked {
            target: mine,
            headers: &plain,
            user: &user,
            base: "b",
        };
        let mut memo = Memo::new(true);
        memo.keep(asked, 1, &Bytes::from_static(b"[]"));
        assert!(memo.get(asked, 1).is_some());
        assert!(memo.get(asked, 2).is_none());
        assert!(
            memo.get(
                Asked {
                    target: theirs,
                    ..asked
                },
                1
            )
            .is_none()
        );
        assert!(
            memo.get(
                Asked {
                    headers: &marked,
                    ..asked
                },
                1
            )
            .is_none()
        );
        assert!(memo.get(Asked { user: &other, ..asked }, 1).is_none());
        assert!(memo.get(Asked { base: "c", ..asked }, 1).is_none());
    }

    #[test]
    fn no_more_than_a_handful_is_kept() {
        let (user, headers) = (Arc::new(User::new("a", &[])), HeaderMap::new());
        let mut memo = Memo::new(true);
        let mut keep = |path: &str, body: Bytes| {
            let asked = Asked {
                target: path,
                headers: &headers,
                user: &user,
                base: "",
            };
            memo.keep(asked, 1, &body);
            memo.get(asked, 1).is_some()
        };
        assert!((0..100).all(|number| keep(&number.to_string(), Bytes::from_static(b"[]"))));
        assert!(!keep("large", Bytes::from(vec![b' '; LARGEST + 1])));
        assert_eq!(memo.kept.len(), KEPT);
    }
}
