//! What a system says it did while it answered: rows committed, requests refused, webhooks due.
//!
//! Systems write here; the world stamps each entry with the exchange that caused it and hands it on as an observation.
//! It keeps nothing once drained.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::site::Site;

/// One thing that a system did.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A stored row changed.
    Committed(Commit),
    /// A request needed something that is not simulated; it was answered with 501.
    Refused(Refusal),
    /// A webhook must be delivered.
    HookDue(Hook),
    /// A request was understood that the vendor's server would refuse, or take otherwise than its sender means.
    Lapsed(Lapse),
}

/// One stored row before and after a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Where the row is stored.
    pub site: Site,
    /// The table as its system names it: `referral`, `Opportunity`, `opportunity`.
    pub table: String,
    /// The row's identifier as its system prints it.
    pub id: String,
    /// What kind of write it was.
    pub kind: CommitKind,
    /// The user name behind the token, or `microsoft` for Microsoft's own side, or `system`.
    pub actor: String,
    /// When it was stored.
    pub at: Timestamp,
    /// The fields that differ, in the row's own order. Times of modification and version numbers are not listed.
    pub changes: Vec<Change>,
}

/// What a commit did to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitKind {
    /// The row is new: each field that is not null is listed.
    Created,
    /// Fields of the row were written; none is listed when all kept their value.
    Updated,
    /// The row is gone.
    Deleted,
}

/// One field of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The field: a JSON pointer for Partner Center (`/details/dealValue`), the column's API name for a CRM.
    pub field: String,
    /// Its value before, null when it had none.
    pub before: Value,
    /// Its value after.
    pub after: Value,
}

/// A request that needed something which is not simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The system that refused.
    pub site: Site,
    /// The request line: method and path with query.
    pub request: String,
    /// What is missing, in a few words: "route", "query option `$search`".
    pub missing: String,
}

/// A request that the vendor's server would refuse, or take otherwise than its sender means. Noted in strict mode only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lapse {
    /// The system that understood it.
    pub site: Site,
    /// The request line: method and path with query.
    pub request: String,
    /// What is wrong with it.
    pub what: String,
}

/// A webhook that is owed to a registered URL (partner-center.md section 6.3; dataverse.md section 4 for those of a CRM).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `referral-created`, `referral-updated`, `related-referral-created`, `related-referral-updated`, `test-created`.
    pub event: String,
    /// The registered URL.
    pub url: String,
    /// The JSON body exactly as it is signed and sent.
    pub body: String,
    /// Whether the signature goes to `x-ms-signature` instead of `Authorization`.
    pub signature_in_ms_header: bool,
    /// When the change happened that it reports.
    pub at: Timestamp,
    /// Its number in the book of deliveries; none when nobody owes it.
    pub number: Option<u64>,
    /// How it is brought, when it is not Partner Center's: it has headers of its own and no signature.
    pub manner: Option<Arc<Manner>>,
}

impl Hook {
    /// Who sends it.
    pub fn site(&self) -> Site {
        self.manner.as_ref().map_or(Site::PartnerCenter, |manner| manner.site)
    }
}

/// How a webhook of a CRM is brought (dataverse.md section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Who sends it.
    pub site: Site,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// How long an attempt waits for an answer.
    pub timeout: Duration,
}

/// One stored row as its system prints it, system columns included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Where it is stored.
    pub site: Site,
    /// The table as its system names it.
    pub table: String,
    /// The row's identifier.
    pub id: String,
    /// Its fields under their wire names.
    pub fields: serde_json::Map<String, Value>,
}

/// Why a row of a dump cannot be stored again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, {field}: expected {expected}")]
pub struct LoadError {
    /// The row's position in the dump, from 0.
    pub row: usize,
    /// JSON pointer of the field in the row.
    pub field: String,
    /// What should be there.
    pub expected: String,
}

impl LoadError {
    /// What should be where.
    pub fn new(row: usize, field: &str, expected: &str) -> Self {
        Self {
            row,
            field: field.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

/// Where systems note what they did. Clones write to the same place.
#[derive(Clone, Debug, Default)]
pub struct Happenings(Arc<Mutex<VecDeque<Happening>>>);

impl Happenings {
    /// Notes one happening.
    pub fn push(&self, happening: Happening) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(happening);
    }

    /// Takes everything noted since the last call, oldest first.
    pub fn drain(&self) -> Vec<Happening> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
            .collect()
    }
}
