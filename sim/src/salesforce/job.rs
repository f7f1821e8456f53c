//! Jobs of the Bulk API 2.0: what each was asked to do, how far it is, and what came of it.
//!
//! It stores no records and reads no CSV: the work stands in `bulk`.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::id::Id;

/// How many jobs are kept, oldest dropped. The vendor keeps them for seven days; a simulator needs a number.
const KEPT: usize = 1000;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
    Query,
    QueryAll,
}

impl Operation {
    /// As requests and answers write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::Query => "query",
            Self::QueryAll => "queryAll",
        }
    }

    /// Whether it reads.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Query | Self::QueryAll)
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Aborted,
    Failed,
}

impl Phase {
    /// As requests and answers write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Aborted => "Aborted",
            Self::Failed => "Failed",
        }
    }

    /// Whether nothing more happens by itself.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::JobComplete | Self::Aborted | Self::Failed)
    }
}

/// How the lines of a job's CSV end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnding {
    Lf,
    Crlf,
}

impl LineEnding {
    /// As requests and answers write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lf => "LF",
            Self::Crlf => "CRLF",
        }
    }
}

/// What parts the cells of a job's CSV: name and sign.
pub(crate) const DELIMITERS: [(&str, u8); 6] = [
    ("COMMA", b','),
    ("BACKQUOTE", b'`'),
    ("CARET", b'^'),
    ("PIPE", b'|'),
    ("SEMICOLON", b';'),
    ("TAB", b'\t'),
];

/// A table of texts: the first row is its head.
pub(crate) type Sheet = Vec<Vec<String>>;

/// What a job is asked to do; it never changes.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) operation: Operation,
    /// The object's API name.
    pub(crate) object: String,
    /// The field by which an upsert finds records.
    pub(crate) key: Option<String>,
    /// The query of a job that reads.
    pub(crate) soql: String,
    pub(crate) line_ending: LineEnding,
    /// One of [`DELIMITERS`].
    pub(crate) delimiter: (&'static str, u8),
    /// The version as the path names it.
    pub(crate) version: String,
    /// The user name of whoever made it, and their record.
    pub(crate) creator: (String, Id),
}

/// One job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: Id,
    pub(crate) order: Order,
    pub(crate) phase: Phase,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// When the upload was said to be complete.
    pub(crate) closed: Option<Timestamp>,
    /// The uploaded CSV.
    pub(crate) content: Option<Bytes>,
    /// Why it failed as a whole.
    pub(crate) error: Option<String>,
    /// Records that were written, with identifier and whether they are new; for a job that reads, what it found.
    pub(crate) successful: Sheet,
    pub(crate) failed: Sheet,
    pub(crate) unprocessed: Sheet,
}

impl Job {
    /// When it gets to its next phase by itself: half of the time that jobs take it waits, half it works.
    pub(crate) fn due(&self, takes: SignedDuration) -> Option<Timestamp> {
        let closed = self.closed?;
        match self.phase {
            Phase::UploadComplete => Some(closed + takes / 2),
            Phase::InProgress => Some(closed + takes),
            Phase::Open | Phase::JobComplete | Phase::Aborted | Phase::Failed => None,
        }
    }
}

/// The jobs of an org, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    jobs: VecDeque<Job>,
    /// The number behind the last identifier given out.
    pub(crate) last_number: Option<u64>,
}

impl Jobs {
    /// Keeps a new job.
    pub(crate) fn keep(&mut self, job: Job) {
        if self.jobs.len() == KEPT {
            self.jobs.pop_front();
        }
        self.jobs.push_back(job);
    }

    /// The jobs, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// The job of that identifier.
    pub(crate) fn get(&self, id: Id) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The job of that identifier, to be changed.
    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// Forgets a job.
    pub(crate) fn remove(&mut self, id: Id) {
        self.jobs.retain(|job| job.id != id);
    }

    /// The job that gets to its next phase first, and when.
    pub(crate) fn next_due(&self, takes: SignedDuration) -> Option<(Timestamp, Id)> {
        self.jobs.iter().filter_map(|job| Some((job.due(takes)?, job.id))).min()
    }
}
