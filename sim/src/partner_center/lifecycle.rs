//! Which states a referral may be in and go to (partner-center.md section 3.1).
//!
//! It decides, and changes nothing but the times that belong to a state.

use jiff::{SignedDuration, Timestamp};

use super::error::Problem;
use super::model::Referral;
use super::value::{Stamp, Status, Substatus};

/// How long an unanswered referral lives (partner-center.md section 3.1).
pub(super) const TIME_TO_ANSWER: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The status that a substatus belongs to.
pub(super) fn status_of(substatus: Substatus) -> Status {
    match substatus {
        Substatus::Pending | Substatus::Received => Status::New,
        Substatus::Accepted => Status::Active,
        Substatus::Won | Substatus::Lost | Substatus::Declined | Substatus::Expired | Substatus::Error => {
            Status::Closed
        }
    }
}

/// Refuses every update of a closed referral.
///
/// "No further updates to the deal are possible." Assumed: 400 `invalidRequest`; the status is not documented.
pub(super) fn refuse_when_closed(referral: &Referral) -> Result<(), Problem> {
    match referral.status {
        Status::New | Status::Active => Ok(()),
        Status::Closed => {
            let message = format!(
                "The referral is Closed ({}). No further updates are possible.",
                referral.substatus
            );
            Err(Problem::invalid("status", message))
        }
    }
}

/// Whether one state may follow another.
///
/// The table alone decides: New may become Won, and Active may become Declined, because nothing documents a refusal.
/// Assumed: an Active referral does not become Expired by hand, nor a New one; the service alone does that.
pub(super) fn check_move(from: (Status, Substatus), to: (Status, Substatus), by_service: bool) -> Result<(), Problem> {
    let (status, substatus) = to;
    if status_of(substatus) != status {
        let message = format!("Substatus {substatus} is not valid for status {status}.");
        return Err(Problem::invalid("substatus", message));
    }
    let allowed = match from.0 {
        Status::New => true,
        Status::Active => status != Status::New,
        Status::Closed => false,
    };
    let by_hand_only = substatus != Substatus::Expired || by_service;
    if allowed && by_hand_only {
        return Ok(());
    }
    let message = format!(
        "The transition from {}/{} to {status}/{substatus} is not allowed.",
        from.0, from.1
    );
    Err(Problem::invalid("status", message))
}

/// Puts a referral into a state and sets the times that belong to it.
pub(super) fn enter(referral: &mut Referral, status: Status, substatus: Substatus, now: Timestamp) {
    let was = referral.status;
    (referral.status, referral.substatus) = (status, substatus);
    match status {
        Status::New => {}
        Status::Active => {
            if was == Status::New {
                referral.accepted_date_time = Some(Stamp(now));
            }
            // Real Active referrals print null.
            referral.expiration_date_time = None;
        }
        Status::Closed => {
            referral.closed_date_time = Some(Stamp(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> Vec<(Status, Substatus)> {
        [
            Substatus::Pending,
            Substatus::Received,
            Substatus::Accepted,
            Substatus::Won,
            Substatus::Lost,
            Substatus::Declined,
            Substatus::Expired,
            Substatus::Error,
        ]
        .map(|substatus| (status_of(substatus), substatus))
        .to_vec()
    }

    #[test]
    fn nothing_leaves_closed_and_nothing_goes_back_to_new() {
        for from in states() {
            for to in states() {
                let allowed = check_move(from, to, true).is_ok();
                let expected = match from.0 {
                    Status::New => true,
                    Status::Active => to.0 != Status::New,
                    Status::Closed => false,
                };
                assert_eq!(allowed, expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn a_substatus_of_another_status_is_refused() {
        let wrong = check_move(
            (Status::New, Substatus::Pending),
            (Status::Active, Substatus::Won),
            false,
        );
        assert!(matches!(wrong, Err(Problem::Invalid { target, .. }) if target == "substatus"));
    }

    #[test]
    fn only_the_service_lets_a_referral_expire() {
        let to = (Status::Closed, Substatus::Expired);
        assert!(check_move((Status::New, Substatus::Pending), to, false).is_err());
        assert!(check_move((Status::New, Substatus::Pending), to, true).is_ok());
    }
}
