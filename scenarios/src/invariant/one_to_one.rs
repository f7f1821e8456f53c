//! `one-to-one`: no referral has two opportunities, no opportunity two referrals, at any step.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::{Code, Finding, Findings, Invariant, Scene, end_of};
use crate::board::CONNECTOR;
use crate::record::{is_microsoft_side, pc_standing};
use crate::trace::{Entry, Trace, What};

pub(super) const EXPLANATION: &str = "No referral has two opportunities, and no opportunity has two referrals, at any step of a run.

It counts stored records that name the same counterpart: opportunities by their Referral Identifier, referrals of the \
partner by their external reference. An engagement has one referral of Microsoft's own. A deleted opportunity still counts: \
a second one would bring the deal back. A company that has an account, and a person who has a contact, get no second one \
(company name with postal code, and address). A record that a person copies, with the name of its counterpart, is that \
person's second one, and no finding; what the connector makes besides is. Look first at creates whose \
reply was lost: a connector that creates again without looking for what it may have created makes the second record.

Partner Center takes no key from its caller. A create of a referral that the network doubles, or holds back for longer than two \
minutes while another one is made, may make a second referral; but in the end all but one of them are closed.";

/// How long a connector waits before it makes again what may still be under way: what arrives later is the network's doing.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// Which records name which, and what was reported.
#[derive(Default)]
pub(super) struct OneToOne {
    /// By what is named: who names it.
    naming: BTreeMap<String, BTreeSet<String>>,
    /// By record: what it names.
    named: BTreeMap<String, String>,
    reported: BTreeSet<String>,
    /// When each exchange left the connector.
    sent: BTreeMap<u64, Timestamp>,
    /// Records whose counterpart a person wrote: who copies a record makes the second one, and not the connector.
    by_people: BTreeSet<String>,
    /// Exchanges of which the network made two.
    doubled: BTreeSet<u64>,
    /// Referrals that the network made late or twice, and when each came to be.
    unasked: BTreeMap<String, Timestamp>,
}

impl Invariant for OneToOne {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        let What::Observed(observed) = &entry.what else {
            return;
        };
        let Some((exchange, commit)) = self.follow(observed, entry.at) else {
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
        let of_microsoft = scene
            .board
            .book
            .referrals
            .get(&commit.id)
            .is_some_and(is_microsoft_side);
        let by_a_person = commit.actor != CONNECTOR && !of_microsoft;
        if by_a_person {
            self.by_people.insert(commit.id.clone());
        }
        self.named.insert(commit.id.clone(), other.to_owned());
        let twins = self.naming.entry(other.to_owned()).or_default();
        twins.insert(commit.id.clone());
        if twins.len() > 1 && !by_a_person && !self.is_the_networks(commit, exchange, entry.at, scene) {
            self.report(entry.at, (other, what), commit, scene, findings);
        }
    }

    fn finish(&mut self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        let at = end_of(trace);
        let book = &scene.board.book;
        for (other, twins) in &self.naming {
            let open = |id: &&String| {
                let referral = book.referrals.get(*id);
                referral.is_some_and(|referral| !is_microsoft_side(referral) && !pc_standing(referral).is_closed())
            };
            let own = twins.iter().filter(|id| !self.by_people.contains(*id));
            let open: Vec<&str> = own.filter(open).map(String::as_str).collect();
            if open.len() > 1 && !self.reported.contains(other) {
                let deal = scene.board.name_of(open[0]);
                let text = format!("{deal} is left with {} open referrals: {}", open.len(), open.join(", "));
                let finding = Finding::new(Code::OneToOne, at, Some(deal), text);
                findings.add(finding.comparing("1 open referral", format!("{} open referrals", open.len())));
            }
        }
    }
}

impl OneToOne {
    /// Notes what happens to exchanges; gives what was stored, and by which exchange.
    fn follow<'e>(&mut self, observed: &'e Observed, at: Timestamp) -> Option<(Option<u64>, &'e Commit)> {
        if let Observed::Committed { exchange, commit } = observed {
            return Some((*exchange, &**commit));
        }
        // What only reads makes no record.
        if let Observed::Sent { exchange, request, .. } = observed
            && request.method != "GET"
        {
            self.sent.insert(*exchange, at);
        }
        if let Observed::Duplicated {
            exchange: Some(exchange),
            copy,
            ..
        } = observed
        {
            self.doubled.extend([*exchange, *copy]);
        }
        None
    }

    /// Whether the network made the second referral: this one came late or twice, or the others did, after it had left.
    fn is_the_networks(&mut self, commit: &Commit, exchange: Option<u64>, at: Timestamp, scene: &Scene<'_>) -> bool {
        let Some(exchange) = exchange.filter(|_| commit.kind == CommitKind::Created) else {
            return false;
        };
        let is_referral = scene.board.book.referrals.contains_key(&commit.id);
        let left = self.sent.get(&exchange).copied();
        let late = left.is_some_and(|left| at.duration_since(left) > PATIENCE);
        if is_referral && (late || self.doubled.contains(&exchange)) {
            self.unasked.insert(commit.id.clone(), at);
            return true;
        }
        let twins = self.named.get(&commit.id).and_then(|other| self.naming.get(other));
        let crossed = |id: &String| {
            let came = self.unasked.get(id);
            *id == commit.id || came.is_some_and(|came| left.is_some_and(|left| left < *came))
        };
        is_referral && twins.is_some_and(|twins| twins.iter().all(crossed))
    }

    fn report(
        &mut self,
        at: Timestamp,
        (other, what): (&str, &str),
        commit: &Commit,
        scene: &Scene<'_>,
        findings: &mut Findings,
    ) {
        let Some(twins) = self.naming.get(other) else {
            return;
        };
        if self.reported.insert(other.to_owned()) {
            let deal = scene.board.name_of(&commit.id);
            let ids: Vec<&str> = twins.iter().map(String::as_str).collect();
            let text = format!("{deal} has {} {what} ({other}): {}", ids.len(), ids.join(", "));
            let finding = Finding::new(Code::OneToOne, at, Some(deal), text);
            findings.add(finding.comparing("1 record", format!("{} records", ids.len())));
        }
    }

    fn forget(&mut self, id: &str) {
        self.by_people.remove(id);
        if let Some(old) = self.named.remove(id)
            && let Some(twins) = self.naming.get_mut(&old)
        {
            twins.remove(id);
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
