//! The part of `nothing-invented` that is about where a deal stands: the connector carries an acceptance or a closing from
//! one side to the other and decides on none itself.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use super::{Code, Finding, Findings, Invariant, Scene};
use crate::board::CONNECTOR;
use crate::record::{Record, Standing, is_microsoft_side, pc_standing};
use crate::trace::{Entry, What};

/// Where each record ever stood, and how it was closed.
#[derive(Default)]
pub(super) struct Standings {
    /// By record.
    stood: BTreeMap<String, BTreeSet<Standing>>,
    /// By record: where it stands.
    stands: BTreeMap<String, Standing>,
}

impl Invariant for Standings {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        let What::Observed(Observed::Committed { commit, .. }) = &entry.what else {
            return;
        };
        let book = &scene.board.book;
        let by_connector = commit.actor == CONNECTOR;
        if let Some(referral) = book.referrals.get(&commit.id) {
            let now = pc_standing(referral);
            let before = self.stands.get(&commit.id).copied();
            if by_connector && commit.kind == CommitKind::Updated && before.is_some_and(|before| before != now) {
                self.carried_to_pc(commit, referral, (before, now), entry.at, scene, findings);
            }
            self.note(&commit.id, now);
        } else if let Some(opportunity) = book.opportunities.get(&commit.id) {
            let now = book.crm_standing(opportunity);
            let before = self.stands.get(&commit.id).copied();
            if by_connector && commit.kind != CommitKind::Deleted && before != Some(now) {
                self.carried_to_crm(commit, (before, now), entry.at, scene, findings);
            }
            self.note(&commit.id, now);
        }
    }
}

impl Standings {
    fn note(&mut self, id: &str, now: Standing) {
        self.stands.insert(id.to_owned(), now);
        self.stood.entry(id.to_owned()).or_default().insert(now);
    }

    fn carried_to_pc(
        &self,
        commit: &Commit,
        referral: &Record,
        (before, now): (Option<Standing>, Standing),
        at: Timestamp,
        scene: &Scene<'_>,
        findings: &mut Findings,
    ) {
        let Some(opportunity) = scene.links.opportunity_of(&commit.id) else {
            return;
        };
        if now == Standing::Lost && is_second(scene, &commit.id, referral) {
            return;
        }
        let stood = |standing| self.stood.get(opportunity).is_some_and(|all| all.contains(&standing));
        let deal = scene.board.name_of(opportunity);
        let may = match now {
            // Won from on-hold: accepted first, then closed.
            Standing::Open => stood(Standing::Open) || stood(Standing::Won),
            other => stood(other),
        };
        if !may {
            let text = format!(
                "the connector made the referral of {deal} {}, where its opportunity never stood",
                now.name()
            );
            findings.add(Finding::new(Code::NothingInvented, at, Some(deal), text));
        }
        let expected = match (before, now) {
            (_, Standing::Open) => "Accepted",
            (_, Standing::Won) => "Won",
            (Some(Standing::Held), Standing::Lost) => "Declined",
            _ => "Lost",
        };
        let substatus = referral.text("/substatus");
        if substatus != expected {
            let text = format!("the connector gave the referral of {deal} the substatus {substatus}");
            let finding = Finding::new(Code::NothingInvented, at, Some(deal), text);
            findings.add(finding.comparing(expected, substatus));
        }
        let reason = referral.text("/statusReason");
        // The settings of somebody else's connector are not known.
        let own = !scene.header.external && !scene.header.recorded;
        let wanted = scene.header.reasons.get(&expected.to_lowercase()).filter(|_| own);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != reason) {
            let text =
                format!("the connector closed the referral of {deal} for a reason that the settings do not name");
            let finding = Finding::new(Code::NothingInvented, at, Some(deal), text);
            findings.add(finding.comparing(wanted, reason));
        }
    }

    fn carried_to_crm(
        &self,
        commit: &Commit,
        (before, now): (Option<Standing>, Standing),
        at: Timestamp,
        scene: &Scene<'_>,
        findings: &mut Findings,
    ) {
        let Some(referral) = scene.links.referral_of(&commit.id) else {
            return;
        };
        let deal = scene.board.name_of(&commit.id);
        if before.is_none() && scene.header.sync_cosell_only && is_lead(scene, referral) {
            let text = format!(
                "the connector made an opportunity of the lead {deal}, though only co-sell deals are to be synced"
            );
            findings.add(Finding::new(Code::NothingInvented, at, Some(deal), text));
        }
        // Opened so that it can be written, and closed again: `converged` looks at how it ends.
        if now == Standing::Open && before.is_some_and(Standing::is_closed) {
            return;
        }
        let may = self.stood.get(referral).is_none_or(|stood| stood.contains(&now));
        if !may {
            let text = format!(
                "the connector put the opportunity of {deal} where its referral never stood: {}",
                now.name()
            );
            findings.add(Finding::new(Code::NothingInvented, at, Some(deal), text));
        }
    }
}

/// Whether a referral is a lead and no co-sell deal (partner-center.md section 3.2).
fn is_lead(scene: &Scene<'_>, referral: &str) -> bool {
    scene.board.book.referrals.get(referral).is_some_and(|referral| {
        referral.text("/type") != "Shared" && matches!(referral.text("/qualification"), "Direct" | "MarketingQualified")
    })
}

/// Whether another referral names the same opportunity: one of the two may be closed as a duplicate, wherever the opportunity
/// stands (`one-to-one` looks at which are left).
fn is_second(scene: &Scene<'_>, id: &str, referral: &Record) -> bool {
    let named = referral.text("/externalReferenceId");
    let same = |other: &Record| other.text("/externalReferenceId") == named && !is_microsoft_side(other);
    !named.is_empty()
        && scene
            .board
            .book
            .referrals
            .iter()
            .any(|(other, record)| other != id && same(record))
}
