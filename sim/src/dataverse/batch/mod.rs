//! `$batch`: many requests in one, as multipart text, in and out (dataverse.md section 2.7).
//!
//! It carries nothing out: in which order, and what a failure undoes, is decided where requests are routed.

use bytes::Bytes;
use http::{HeaderMap, Method};

mod print;
mod read;

pub(super) use print::Printer;
pub(super) use read::read;

/// The most operations of one batch (dataverse.md section 2.7).
const MAX_OPERATIONS: usize = 1_000;

/// One request inside a batch.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The `Content-ID` of its part, by which later operations of the same change set refer to it.
    pub(super) content_id: Option<String>,
    pub(super) method: Method,
    /// As it stands in the request line: absolute, from the root of the host, relative, or `$1/…`.
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// One part of a batch.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A request that stands for itself.
    One(Operation),
    /// Requests of which all are carried out or none.
    ChangeSet(Vec<Operation>),
}

impl Item {
    /// How many requests it holds.
    pub(super) fn operations(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::ChangeSet(set) => set.len(),
        }
    }
}
