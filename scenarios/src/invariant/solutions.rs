//! Solutions of a deal: what a seller took away does not come back (`nothing-lost`), and at the end Partner Center lists what
//! the CRM lists (`converged`).
//!
//! Partner Center's list comes to the CRM once, when the opportunity is made; after that the CRM's list goes to Partner
//! Center (product.md M12).

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Code, Finding, Findings, Invariant, Scene, end_of};
use crate::board::CONNECTOR;
use crate::record::{Standing, entries_in_pc, pc_standing};
use crate::scenario::Crm;
use crate::trace::{Entry, Trace, What};

/// A solution that is taken away while the connector still makes the opportunity may be read too late.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(20);

/// An opportunity and one of its solutions.
type Line = (String, String);

/// Which rows there are, and which of them sellers took away.
#[derive(Default)]
pub(super) struct Solutions {
    /// By row.
    rows: BTreeMap<String, Line>,
    removed: BTreeMap<Line, Timestamp>,
    /// Opportunities whose solutions a seller changed last.
    changed: BTreeSet<String>,
    /// Every one that a seller ever took away.
    taken: BTreeSet<Line>,
    /// Opportunities that the connector made.
    made: BTreeSet<String>,
}

/// Where a referral lists them.
const IN_PC: &str = "/details/requirements/solutions";

impl Invariant for Solutions {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        let What::Observed(Observed::Committed { commit, .. }) = &entry.what else {
            return;
        };
        if commit.actor == CONNECTOR && commit.kind == CommitKind::Created {
            if scene.board.book.opportunities.contains_key(&commit.id) {
                self.made.insert(commit.id.clone());
            }
        } else if commit.actor == CONNECTOR {
            self.dropped(commit, entry.at, scene, findings);
        }
        if !matches!(
            commit.table.as_str(),
            "Microsoft_Solutions__c" | "msft_partnercentersolution"
        ) {
            return;
        }
        let by_connector = commit.actor == CONNECTOR;
        if commit.kind == CommitKind::Deleted {
            if let Some(line) = self.rows.remove(&commit.id).filter(|_| !by_connector) {
                self.changed.insert(line.0.clone());
                self.taken.insert(line.clone());
                self.removed.insert(line, entry.at);
            }
            return;
        }
        let Some(line) = line(commit, scene) else { return };
        if !by_connector {
            self.removed.remove(&line);
            self.changed.insert(line.0.clone());
        } else if let Some(removed) = self.removed.get(&line)
            && entry.at.duration_since(*removed) > UNDER_WAY
        {
            let deal = scene.board.name_of(&line.0);
            let text = format!("the connector put a solution of {deal} back that a seller had taken away");
            findings.add(Finding::new(Code::NothingLost, entry.at, Some(deal), text));
        }
        self.rows.insert(commit.id.clone(), line);
    }

    fn finish(&mut self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        let book = &scene.board.book;
        // The first two editions have no flow for them.
        if matches!(scene.header.profile.as_str(), "documented-2020" | "documented-2021") {
            return;
        }
        self.untouched(trace, scene, findings);
        for id in &self.changed {
            let Some((opportunity, referral)) = book.opportunities.get(id).zip(
                scene
                    .links
                    .referral_of(id)
                    .and_then(|referral| book.referrals.get(referral)),
            ) else {
                continue;
            };
            let live = book.crm_standing(opportunity) == Standing::Open && pc_standing(referral) == Standing::Open;
            let in_crm = book.solutions_in_crm(id);
            let in_pc = entries_in_pc(referral, IN_PC, "id");
            let sets: [BTreeSet<&String>; 2] = [in_crm.iter().collect(), in_pc.iter().collect()];
            // In Dataverse a row that is gone shows only when the opportunity is looked at for another reason.
            let unseen = scene.header.crm == Crm::Dynamics && sets[0].is_subset(&sets[1]);
            if !live || !book.syncs(opportunity) || in_crm.is_empty() || sets[0] == sets[1] || unseen {
                continue;
            }
            let deal = scene.board.name_of(id);
            let text = format!("the solutions of {deal} differ between Partner Center and the CRM");
            let finding = Finding::new(Code::Converged, end_of(trace), Some(deal), text);
            findings.add(finding.comparing(in_crm.join(", "), in_pc.join(", ")));
        }
    }
}

impl Solutions {
    /// The connector takes none away from a referral that no seller took away.
    fn dropped(&self, commit: &Commit, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let Some(change) = commit.changes.iter().find(|change| change.field == IN_PC) else {
            return;
        };
        let Some(opportunity) = scene.links.opportunity_of(&commit.id) else {
            return;
        };
        let ids = |list: &Value| -> BTreeSet<String> {
            let entries = list.as_array().into_iter().flatten();
            entries
                .filter_map(|entry| Some(entry.get("id")?.as_str()?.to_owned()))
                .collect()
        };
        let (before, after) = (ids(&change.before), ids(&change.after));
        let lost = |id: &&String| {
            let line = (opportunity.to_owned(), (*id).clone());
            self.made.contains(opportunity) && !self.taken.contains(&line)
        };
        if let Some(id) = before.difference(&after).find(lost) {
            let deal = scene.board.name_of(opportunity);
            let text = format!("the connector took solution {id} of {deal} away in Partner Center, and no seller had");
            findings.add(Finding::new(Code::NothingLost, at, Some(deal), text));
        }
    }

    /// What no seller has touched is as Partner Center has it.
    fn untouched(&self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        let book = &scene.board.book;
        for id in self.made.difference(&self.changed) {
            let referral = scene.links.referral_of(id).and_then(|id| book.referrals.get(id));
            let Some((opportunity, referral)) = book.opportunities.get(id).zip(referral) else {
                continue;
            };
            let closed = book.crm_standing(opportunity).is_closed() || pc_standing(referral).is_closed();
            let (in_crm, in_pc) = (book.solutions_in_crm(id), entries_in_pc(referral, IN_PC, "id"));
            let lacking = in_pc.iter().any(|solution| !in_crm.contains(solution));
            if lacking && !closed && book.syncs(opportunity) {
                let deal = scene.board.name_of(id);
                let text = format!("the opportunity of {deal} was made without all solutions of its referral");
                let finding = Finding::new(Code::NothingLost, end_of(trace), Some(deal), text);
                findings.add(finding.comparing(in_pc.join(", "), in_crm.join(", ")));
            }
        }
    }
}

fn line(commit: &Commit, scene: &Scene<'_>) -> Option<Line> {
    let row = scene.board.book.others.get(&commit.table)?.get(&commit.id)?;
    let [opportunity, solution] = match scene.header.crm {
        Crm::Salesforce => ["Opportunity__c", "Solution__c"],
        Crm::Dynamics => ["_msft_opportunity_value", "msft_solutionidentifier"],
    };
    let named = row.text(solution);
    // Salesforce's rows name a row of the list of solutions, which has the identifier that Partner Center knows.
    let details = scene.board.book.others.get("Microsoft_Solution_Detail__c");
    let identifier = match scene.header.crm {
        Crm::Salesforce => details
            .and_then(|details| details.get(named))
            .map_or(named, |detail| detail.text("Solution_Identifier__c")),
        Crm::Dynamics => named,
    };
    let line = (row.text(opportunity).to_owned(), identifier.to_owned());
    (!line.0.is_empty() && !line.1.is_empty()).then_some(line)
}
