//! What an export says that somebody should know: each with a stable code, what was seen, and what to do.

use serde::Serialize;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The connector would fail, or do something else than is meant.
    Fault,
    /// Somebody should look at it.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable code.
    pub code: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    pub(super) fn new(code: &'static str, weight: Weight, seen: String, fix: &str) -> Self {
        Self {
            code,
            weight,
            seen,
            fix: fix.to_owned(),
        }
    }

    /// An entry that could not be read.
    pub(super) fn unread(entry: &str, reason: &str) -> Self {
        let seen = format!("{entry} could not be read: {reason}");
        Self::new("export.unread", Weight::Fault, seen, "export the solution again")
    }
}
