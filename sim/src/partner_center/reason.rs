//! Why a referral ends: the lists that Partner Center shows (partner-center.md section 3.6).
//!
//! On the wire a reason is free text in `statusReason`; whether the service holds it to the lists is a switch,
//! `Settings::reasons_are_checked`.

use super::error::Problem;
use super::value::Substatus;

/// Why a partner declines or loses a deal.
pub const DECLINED_OR_LOST: [&str; 8] = [
    "Project budget isn't adequate",
    "Customer didn't respond",
    "Customer chose another vendor",
    "Customer requirement not met",
    "Not a customer",
    "Proposed time line was too short",
    "Report as abuse, spam, or phishing",
    "Others",
];

/// Why a deal is closed as an error.
pub const ERROR: [&str; 9] = [
    "Duplicate - created through bulk upload",
    "Duplicate - created in Partner Center",
    "Duplicate - sent by Microsoft",
    "Connector data sync issues",
    "Customer matching issues",
    "Solution issues - explain in notes",
    "Test referral",
    "Data error",
    "Others - explain in notes",
];

/// Why Microsoft declines. It shows no reason for a deal under `SHOWN_FROM`.
pub const MICROSOFT_DECLINES: [&str; 2] = [
    "No corresponding Microsoft customer record could be found",
    "No Microsoft seller directly manages this customer",
];

/// The value in US dollars from which Microsoft gives a reason.
pub(super) const SHOWN_FROM: f64 = 25_000.0;

/// Holds a reason to the list of its ending. Assumed: the texts of the bulk files, word for word.
pub(super) fn check(ending: Substatus, reason: Option<&str>) -> Result<(), Problem> {
    let list: &[&str] = match ending {
        Substatus::Declined | Substatus::Lost => &DECLINED_OR_LOST,
        Substatus::Error => &ERROR,
        Substatus::Pending | Substatus::Received | Substatus::Accepted | Substatus::Won | Substatus::Expired => {
            return Ok(());
        }
    };
    if reason.is_some_and(|reason| list.contains(&reason)) {
        return Ok(());
    }
    let message = format!("The status reason of {ending} must be one of: {}.", list.join("; "));
    Err(Problem::invalid("statusReason", message))
}
