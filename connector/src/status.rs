//! How it goes, as a status page shows it: connections, flows, backlog, lag, dead letters, the last error.
//!
//! It is a copy of what the core knows at a moment. Nothing secret is in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::flow::FlowState;
use crate::id::{OpportunityId, ReferralId};

/// How it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The time of the last event.
    pub at: Timestamp,
    /// Whether every connection works, every flow is on, and both sides could be read lately.
    pub healthy: bool,
    /// What is not well, in words.
    pub complaints: Vec<String>,
    /// The connection to each system: `untried`, `healthy`, or why it does not work.
    pub connections: BTreeMap<&'static str, String>,
    /// The flows.
    pub flows: Vec<FlowState>,
    /// How many deals are known.
    pub deals: usize,
    /// How many deals are due, those included that wait after a failure.
    pub backlog: usize,
    /// When each side was last read to its end.
    pub last_read: BTreeMap<&'static str, Timestamp>,
    /// For how many seconds a side has not been read to its end.
    pub lag_seconds: BTreeMap<&'static str, i64>,
    /// How many deals cannot be synchronised until somebody changes something.
    pub dead_letters: usize,
    /// The first of them.
    pub dead_letter_list: Vec<DeadLetter>,
    /// The last failure.
    pub last_error: Option<LastError>,
}

/// A deal that cannot be synchronised until somebody changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Its referral.
    pub referral: Option<ReferralId>,
    /// Its opportunity.
    pub opportunity: Option<OpportunityId>,
    /// Why.
    pub reason: String,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// The code of the decision that told it.
    pub code: String,
    /// What it told.
    pub detail: String,
}
