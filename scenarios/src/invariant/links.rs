//! Which referral and which opportunity belong together, as the rows say: either record may name the other.
//!
//! It is kept commit by commit, so that no invariant searches all records at each step.

use std::collections::BTreeMap;

use cosell_sim::happening::Commit;

use crate::board::Board;
use crate::record::is_microsoft_side;

/// Both directions of what the rows say.
#[derive(Debug, Default)]
pub(super) struct Links {
    opportunities: BTreeMap<String, String>,
    referrals: BTreeMap<String, String>,
}

impl Links {
    /// Takes in a commit that the board holds already.
    pub(super) fn learn(&mut self, commit: &Commit, board: &Board) {
        if let Some(referral) = board.book.referrals.get(&commit.id) {
            let opportunity = referral.text("/externalReferenceId");
            if !opportunity.is_empty() && !is_microsoft_side(referral) {
                note(&mut self.opportunities, &commit.id, opportunity, true);
                note(&mut self.referrals, opportunity, &commit.id, false);
            }
        } else if let Some(opportunity) = board.book.opportunities.get(&commit.id) {
            let referral = board.book.referral_of(opportunity);
            if !referral.is_empty() {
                note(&mut self.referrals, &commit.id, referral, true);
                note(&mut self.opportunities, referral, &commit.id, false);
            }
        }
    }

    /// The opportunity of a referral.
    pub(super) fn opportunity_of(&self, referral: &str) -> Option<&str> {
        self.opportunities.get(referral).map(String::as_str)
    }

    /// The referral of an opportunity.
    pub(super) fn referral_of(&self, opportunity: &str) -> Option<&str> {
        self.referrals.get(opportunity).map(String::as_str)
    }
}

/// Keeps what a record itself names; what others say of it counts only while it names nothing.
fn note(of: &mut BTreeMap<String, String>, id: &str, names: &str, own_word: bool) {
    match of.get_mut(id) {
        Some(known) if own_word && known != names => names.clone_into(known),
        Some(_) => {}
        None => drop(of.insert(id.to_owned(), names.to_owned())),
    }
}
