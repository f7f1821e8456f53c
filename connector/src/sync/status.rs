//! What the states of both sides ask for: one table.
//!
//! It only names the move; the fields that go along are the business of [`crate::sync::merge`].

use crate::deal::{Agreed, Ending, OpportunityState, ReferralState};

/// What the states ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// New and on hold: nothing leaves the CRM.
    Hold,
    /// Active and open.
    Live,
    /// The CRM left on-hold: accept in Partner Center, then look again.
    Accept,
    /// The CRM closed the deal as lost from on-hold: decline in Partner Center.
    Decline,
    /// Partner Center accepted: move the CRM to its active stage, then look again.
    Activate,
    /// A live deal that a person put on hold in the CRM: left there, nothing leaves the CRM.
    LocalHold,
    /// The CRM closed: close in Partner Center.
    CloseReferral(Ending),
    /// Partner Center closed: close in the CRM.
    CloseOpportunity(Ending),
    /// Both closed, differently: Partner Center wins.
    CloseDifferently(Ending),
    /// A person opened a closed deal again in the CRM: left there.
    Reopened,
    /// Both closed alike.
    Closed(Ending),
}

/// The move for two states and the last state that both sides agreed on.
pub fn decide(referral: ReferralState, opportunity: OpportunityState, base: Option<Agreed>) -> Move {
    match (referral, opportunity) {
        (ReferralState::New, OpportunityState::Held) => Move::Hold,
        (ReferralState::New, OpportunityState::Open | OpportunityState::Closed(Ending::Won)) => Move::Accept,
        (ReferralState::New, OpportunityState::Closed(Ending::Lost)) => Move::Decline,
        (ReferralState::Active, OpportunityState::Held) if base == Some(Agreed::Active) => Move::LocalHold,
        (ReferralState::Active, OpportunityState::Held) => Move::Activate,
        (ReferralState::Active, OpportunityState::Open) => Move::Live,
        (ReferralState::Active, OpportunityState::Closed(ending)) => Move::CloseReferral(ending),
        (ReferralState::Closed(ending), OpportunityState::Closed(other)) if ending == other => Move::Closed(ending),
        (ReferralState::Closed(ending), OpportunityState::Closed(_)) => Move::CloseDifferently(ending),
        (ReferralState::Closed(ending), OpportunityState::Held | OpportunityState::Open) => {
            if base == Some(Agreed::closed(ending)) {
                Move::Reopened
            } else {
                Move::CloseOpportunity(ending)
            }
        }
    }
}

/// The state that both sides agree on once the move is done.
pub fn agreed(done: Move, base: Option<Agreed>) -> Option<Agreed> {
    match done {
        Move::Hold => Some(Agreed::New),
        Move::Live | Move::LocalHold | Move::Accept | Move::Activate => Some(Agreed::Active),
        Move::Decline => Some(Agreed::Lost),
        Move::CloseReferral(ending)
        | Move::CloseOpportunity(ending)
        | Move::CloseDifferently(ending)
        | Move::Closed(ending) => Some(Agreed::closed(ending)),
        Move::Reopened => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERRALS: [ReferralState; 4] = [
        ReferralState::New,
        ReferralState::Active,
        ReferralState::Closed(Ending::Won),
        ReferralState::Closed(Ending::Lost),
    ];
    const OPPORTUNITIES: [OpportunityState; 4] = [
        OpportunityState::Held,
        OpportunityState::Open,
        OpportunityState::Closed(Ending::Won),
        OpportunityState::Closed(Ending::Lost),
    ];

    #[test]
    fn the_table_for_a_deal_that_was_new() {
        let base = Some(Agreed::New);
        let moves = REFERRALS.map(|referral| OPPORTUNITIES.map(|opportunity| decide(referral, opportunity, base)));
        let (won, lost) = (Ending::Won, Ending::Lost);
        let expected = [
            [Move::Hold, Move::Accept, Move::Accept, Move::Decline],
            [
                Move::Activate,
                Move::Live,
                Move::CloseReferral(won),
                Move::CloseReferral(lost),
            ],
            [
                Move::CloseOpportunity(won),
                Move::CloseOpportunity(won),
                Move::Closed(won),
                Move::CloseDifferently(won),
            ],
            [
                Move::CloseOpportunity(lost),
                Move::CloseOpportunity(lost),
                Move::CloseDifferently(lost),
                Move::Closed(lost),
            ],
        ];
        assert_eq!(moves, expected);
    }

    #[test]
    fn what_was_agreed_before_tells_a_reopen_and_a_local_hold_apart() {
        let closed = ReferralState::Closed(Ending::Won);
        assert_eq!(
            decide(closed, OpportunityState::Open, Some(Agreed::Won)),
            Move::Reopened
        );
        assert_eq!(
            decide(closed, OpportunityState::Held, Some(Agreed::Won)),
            Move::Reopened
        );
        assert_eq!(
            decide(closed, OpportunityState::Open, Some(Agreed::Active)),
            Move::CloseOpportunity(Ending::Won)
        );
        assert_eq!(
            decide(ReferralState::Active, OpportunityState::Held, Some(Agreed::Active)),
            Move::LocalHold
        );
        assert_eq!(
            decide(ReferralState::Active, OpportunityState::Held, None),
            Move::Activate
        );
    }
}
