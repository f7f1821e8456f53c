//! `one-to-one`: no referral has two opportunities, no opportunity two referrals, at any step.

use cosell_sim::world::observation::Observed;
use std::collections::BTreeSet;

use super::{Code, Finding, Findings, Invariant};
use crate::board::Board;
use crate::record::is_microsoft_side;
use crate::trace::{Entry, What};

/// Remembers what it has reported, so that one duplicate is one finding.
#[derive(Default)]
pub(super) struct OneToOne {
    reported: BTreeSet<String>,
}

impl Invariant for OneToOne {
    fn watch(&mut self, entry: &Entry, board: &Board, findings: &mut Findings) {
        let What::Observed(Observed::Committed { commit, .. }) = &entry.what else {
            return;
        };
        let (key, what, ids) = if let Some(referral) = board.book.referrals.get(&commit.id) {
            let opportunity = referral.text("/externalReferenceId");
            if opportunity.is_empty() || is_microsoft_side(referral) {
                return;
            }
            let twins = board.book.partner_referrals();
            let twins = twins.filter(|(_, other)| other.text("/externalReferenceId") == opportunity);
            (opportunity, "referrals that name one opportunity", ids_of(twins))
        } else if let Some(opportunity) = board.book.opportunities.get(&commit.id) {
            let referral = board.book.referral_of(opportunity);
            if referral.is_empty() {
                return;
            }
            let twins = board.book.opportunities.iter();
            let twins = twins.filter(|(_, other)| board.book.referral_of(other) == referral);
            (referral, "opportunities that name one referral", ids_of(twins))
        } else {
            return;
        };
        if ids.len() > 1 && self.reported.insert(key.to_owned()) {
            let deal = board.name_of(&commit.id);
            let text = format!("{deal} has {} {what} ({key}): {}", ids.len(), ids.join(", "));
            let finding = Finding::new(Code::OneToOne, entry.at, Some(deal), text);
            findings.add(finding.comparing("1 record", format!("{} records", ids.len())));
        }
    }
}

fn ids_of<'a, T>(records: impl Iterator<Item = (&'a String, T)>) -> Vec<&'a str> {
    records.map(|(id, _)| id.as_str()).collect()
}
