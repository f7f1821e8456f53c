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
    /// The mark at either end of a name; what stands between letters belongs to the name.
    pub fn of(name: &str) -> Self {
        let around = |sign: char| Self::of_char(sign).is_some() || sign == '\u{FE0F}' || sign.is_whitespace();
        let front = name.len() - name.trim_start_matches(around).len();
        let back = name[front..].trim_end_matches(around).len() + front;
        let ends = name[..front].chars().chain(name[back..].chars());
        let mut marks = ends.filter_map(Self::of_char);
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
