//! `one-to-one`: no referral has two opportunities, no opportunity two referrals, at any step.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;

use super::{Code, Finding, Findings, Invariant, Scene};
use crate::record::is_microsoft_side;
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "No referral has two opportunities, and no opportunity has two referrals, at any step of a run.

It counts stored records that name the same counterpart: opportunities by their Referral Identifier, referrals of the \
partner by their external reference. An engagement has one referral of Microsoft's own. A deleted opportunity still counts: \
a second one would bring the deal back. Look first at creates whose \
reply was lost: a connector that creates again without looking for what it may have created makes the second record.";

/// Which records name which, and what was reported.
#[derive(Default)]
pub(super) struct OneToOne {
    /// By what is named: who names it.
    naming: BTreeMap<String, BTreeSet<String>>,
    /// By record: what it names.
    named: BTreeMap<String, String>,
    reported: BTreeSet<String>,
}

impl Invariant for OneToOne {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        let What::Observed(Observed::Committed { commit, .. }) = &entry.what else {
            return;
        };
        if commit.kind == CommitKind::Deleted {
            // What was deleted keeps its name: whoever makes a second one has brought the deal back (rule 8).
            return;
        }
        let Some((other, what)) = counterpart(commit, scene) else {
            return;
        };
        if self.named.get(&commit.id).is_some_and(|known| known == other) {
            return;
        }
        self.forget(&commit.id);
        if other.is_empty() {
            return;
        }
        self.named.insert(commit.id.clone(), other.to_owned());
        let twins = self.naming.entry(other.to_owned()).or_default();
        twins.insert(commit.id.clone());
        if twins.len() > 1 && self.reported.insert(other.to_owned()) {
            let deal = scene.board.name_of(&commit.id);
            let ids: Vec<&str> = twins.iter().map(String::as_str).collect();
            let text = format!("{deal} has {} {what} ({other}): {}", ids.len(), ids.join(", "));
            let finding = Finding::new(Code::OneToOne, entry.at, Some(deal), text);
            findings.add(finding.comparing("1 record", format!("{} records", ids.len())));
        }
    }
}

/// What a record names on the other side; none when it is no record of a deal.
fn counterpart<'a>(commit: &Commit, scene: &'a Scene<'_>) -> Option<(&'a str, &'static str)> {
    let book = &scene.board.book;
    if let Some(referral) = book.referrals.get(&commit.id) {
        if is_microsoft_side(referral) {
            return Some((
                referral.text("/engagementId"),
                "referrals of Microsoft in one engagement",
            ));
        }
        return Some((
            referral.text("/externalReferenceId"),
            "referrals that name one opportunity",
        ));
    }
    let opportunity = book.opportunities.get(&commit.id)?;
    Some((book.referral_of(opportunity), "opportunities that name one referral"))
}

impl OneToOne {
    fn forget(&mut self, id: &str) {
        if let Some(old) = self.named.remove(id)
            && let Some(twins) = self.naming.get_mut(&old)
        {
            twins.remove(id);
        }
    }
}
