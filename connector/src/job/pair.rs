//! Both records of a linked deal as they were read.

use super::desk::Desk;
use crate::deal::Ending;
use crate::planted::Planted;
use crate::sync::status::Move;
use crate::system::opportunity::Opportunity;
use crate::system::partner_center::Referral;

/// Both records as they were read, and what their states ask for.
pub(crate) struct Pair {
    pub(crate) referral: Referral,
    pub(crate) row: Opportunity,
    pub(crate) ask: Move,
}

/// How an ending is sent; a planted bug swaps it.
pub(crate) fn sent(desk: &Desk, ending: Ending) -> Ending {
    if desk.settings().is_planted(Planted::SwapsWonAndLost) {
        return ending.opposite();
    }
    ending
}
