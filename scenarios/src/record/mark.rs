//! The sign that the connector puts on an opportunity's name.

use serde::{Deserialize, Serialize};

/// The sign that the connector puts on an opportunity's name (product.md M7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// None.
    None,
    /// In step.
    Check,
    /// The last sync failed.
    Cross,
    /// More than one: marks stacked up.
    Stacked,
}

impl Mark {
    /// The mark in a name.
    pub fn of(name: &str) -> Self {
        let mut marks = name.chars().filter_map(Self::of_char);
        match (marks.next(), marks.next()) {
            (None, _) => Self::None,
            (Some(mark), None) => mark,
            (Some(_), Some(_)) => Self::Stacked,
        }
    }

    pub(super) fn of_char(sign: char) -> Option<Self> {
        match sign {
            '✔' => Some(Self::Check),
            '✗' | '✖' => Some(Self::Cross),
            _ => None,
        }
    }

    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Check => "check",
            Self::Cross => "cross",
            Self::Stacked => "stacked",
        }
    }
}
