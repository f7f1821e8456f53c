//! What one look at a deal leads to, and what a run has seen.

use jiff::Timestamp;

use crate::board::Causes;

/// What one look led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Look again.
    Again,
    /// Nothing is left to do.
    Done,
}

/// What a run has seen last, and why it runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Why it runs.
    pub(crate) causes: Causes,
    /// The referral's eTag.
    pub(crate) referral: Option<String>,
    /// The opportunity's digest.
    pub(crate) opportunity: Option<u64>,
    /// A time of the opportunity's last change that was read more than a second ago: on the CRM's own clock it is over.
    pub(crate) over: Option<Timestamp>,
}
