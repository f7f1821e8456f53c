//! Who writes, when, and what the request's headers ask of its writes.
//!
//! Who may write is decided elsewhere.

use http::HeaderMap;

use super::id::Id;

/// Who writes, and when. One per request, so that all of a request's writes carry one time.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// The name in commits.
    pub(crate) name: String,
    /// The `User` record.
    pub(crate) id: Id,
    /// The time of the request, in seconds.
    pub(crate) second: i64,
    /// What the request's headers ask of its writes.
    pub(crate) wishes: Wishes,
}

/// What the headers of a request ask of its writes (salesforce.md section 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// Whether a record may be saved although a duplicate rule finds others like it.
    pub(crate) allow_duplicates: bool,
    /// Whether assignment rules run.
    pub(crate) auto_assign: bool,
}

impl Wishes {
    /// Reads `Sforce-Duplicate-Rule-Header: allowSave=true` and `Sforce-Auto-Assign: FALSE`. Without the latter rules run.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_ascii_lowercase().replace(' ', "")
        };
        let mut options = header("sforce-duplicate-rule-header");
        options.retain(|character| character != '"');
        Self {
            allow_duplicates: options.split([',', ';']).any(|option| option == "allowsave=true"),
            auto_assign: header("sforce-auto-assign") != "false",
        }
    }
}

impl Author {
    /// The same person, but it is the org's own logic that writes in their name.
    pub(crate) fn as_system(&self) -> Self {
        Self {
            name: "system".to_owned(),
            ..self.clone()
        }
    }
}
