//! A second referral of one opportunity. Partner Center takes no key from the caller, so a create that the network doubles, or holds
//! back for longer than anybody waits, makes two. The one that is linked stays; the other is closed as a duplicate if it is as the
//! connector made it, and only told of if somebody has worked with it.
//!
//! The reason is one of the list for substatus `Error` (partner-center.md section 3.6). That the connector closes by itself is assumed.

use super::desk::{Desk, Trouble};
use super::pc;
use super::step::Step;
use crate::board::Causes;
use crate::deal::ReferralState;
use crate::flow::{Flow, Trigger};
use crate::id::{DealNumber, ReferralId};
use crate::sync::audit::{self, Way};
use crate::system::partner_center::{Patch, Referral};

/// `statusReason` of the second one.
const REASON: &str = "Duplicate - created in Partner Center";

/// Closes the referral of `deal`, or says why not: `other` is the deal of the opportunity that it names, and `first` is the referral
/// that it has already.
pub(super) async fn resolve(
    desk: &Desk,
    deal: DealNumber,
    other: DealNumber,
    (first, second): (&ReferralId, &Referral),
) -> Result<Step, Trouble> {
    let named = second.external.as_deref().unwrap_or_default();
    let closed_by_us = second.reason.as_deref() == Some(REASON);
    match second.state {
        ReferralState::Active if desk.record(other).has_made(&second.values) => {
            desk.need(deal, Flow::OpportunityToPc, "a second referral is to be closed")?;
            let mut patch = Patch::default();
            patch.close_in_error(REASON);
            pc::patch(desk, second, &patch).await?;
            return Ok(Step::Again);
        }
        ReferralState::Closed(_) if closed_by_us => {
            let detail =
                format!("opportunity {named} has referral {first} already: this one was closed as a duplicate");
            if desk.say_once(deal, "link.duplicate_referral", None, &detail) {
                let what = format!("closed: referral {}, a duplicate of this deal's", second.id);
                let line = audit::line(desk.now(), Way::CrmToPc, &what);
                desk.change(other, |record| record.owed.push(line));
                desk.mark(other, Causes::whole(Trigger::Parent));
            }
        }
        ReferralState::New | ReferralState::Active | ReferralState::Closed(_) => {
            let detail = format!("opportunity {named} already belongs to referral {first}; both are left as they are");
            desk.say_once(deal, "link.duplicate_referral", None, &detail);
        }
    }
    Ok(Step::Done)
}
