//! Which transitions were tried in which states under which faults, and what must have happened sometimes.
//!
//! It counts what the traces show, not what a generator meant to do.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::world::observation::Observed;
use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::board::Board;
use crate::record::pc_standing;
use crate::trace::{Entry, What};

/// How often each thing was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// By transition, state and fault: `seller edits | open/open | lose reply`.
    pub cells: BTreeMap<String, u64>,
    /// By what happened: decisions, fates, answers.
    pub sometimes: BTreeMap<String, u64>,
}

/// What a run is watched with.
#[derive(Debug)]
pub struct Watch<'a> {
    into: &'a mut Coverage,
    fault: String,
    open: BTreeSet<u64>,
    /// Exchanges that read a list.
    lists: BTreeSet<u64>,
}

impl Coverage {
    /// Watches one run.
    pub fn watch(&mut self) -> Watch<'_> {
        Watch {
            into: self,
            fault: "none".to_owned(),
            open: BTreeSet::new(),
            lists: BTreeSet::new(),
        }
    }

    /// Adds what another one has counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.cells, &other.cells), (&mut self.sometimes, &other.sometimes)] {
            for (key, times) in theirs {
                *mine.entry(key.clone()).or_default() += times;
            }
        }
    }

    /// What a campaign of this profile should have reached and has not.
    pub fn missed(&self, profile: Profile) -> Vec<&'static str> {
        let wanted = WANTED.iter().filter(|(_, from)| from.contains(&profile));
        wanted
            .map(|(what, _)| *what)
            .filter(|what| !self.sometimes.contains_key(*what))
            .collect()
    }

    fn count(list: &mut BTreeMap<String, u64>, key: &str) {
        match list.get_mut(key) {
            Some(times) => *times += 1,
            None => drop(list.insert(key.to_owned(), 1)),
        }
    }
}

use Profile::{Calm, Chaos, Crashes, Faults, Throttled};

const EVERY: &[Profile] = &[Calm, Faults, Crashes, Throttled, Chaos];
const WITH_FAULTS: &[Profile] = &[Faults, Chaos];
const WITH_CRASHES: &[Profile] = &[Crashes, Chaos];
const WITH_LOAD: &[Profile] = &[Throttled, Chaos];

/// What must happen at least once in a campaign, by the profiles that must show it.
const WANTED: &[(&str, &[Profile])] = &[
    ("decided accept", EVERY),
    ("decided decline", EVERY),
    ("decided create.opportunity", EVERY),
    ("decided create.referral", EVERY),
    ("decided create.invitation", EVERY),
    ("decided conflict.pc_wins", EVERY),
    ("decided conflict.crm_wins", EVERY),
    ("decided conflict.closed", EVERY),
    ("decided by_design.local_edit", EVERY),
    ("decided owner.overwrites", EVERY),
    ("decided late_edit.closed", EVERY),
    ("decided hold.local", EVERY),
    ("decided reopen.ignored", EVERY),
    ("decided sync.off", EVERY),
    ("decided record.deleted", EVERY),
    ("a precondition failed", EVERY),
    ("a paging link was followed", EVERY),
    ("decided hold.dropped", EVERY),
    ("decided solutions.sent", EVERY),
    ("decided filter.lead", EVERY),
    ("decided create.lead", EVERY),
    ("decided missing.contact", EVERY),
    ("decided missing.solution", EVERY),
    ("decided missing.country", EVERY),
    ("decided missing.value", EVERY),
    ("decided create.on_hold", EVERY),
    ("decided microsoft.team_member", EVERY),
    ("an act was refused", EVERY),
    ("fate lose-request", WITH_FAULTS),
    ("fate cut-reply", WITH_FAULTS),
    ("fate without", WITH_FAULTS),
    ("something happened at a call", WITH_FAULTS),
    ("a list changed while it was read", WITH_FAULTS),
    ("decided flow.off", WITH_FAULTS),
    ("decided flow.turned_on", WITH_FAULTS),
    ("decided flow.requires_updates", WITH_FAULTS),
    ("decided flow.trigger_lost", WITH_FAULTS),
    ("decided flow.resubmitted", WITH_FAULTS),
    ("decided run.denied", WITH_FAULTS),
    ("decided sign_in.refused", WITH_FAULTS),
    ("answered 401", WITH_FAULTS),
    ("fate lose-reply", WITH_FAULTS),
    ("fate delay", WITH_FAULTS),
    ("fate answer", WITH_FAULTS),
    ("fate duplicate", WITH_FAULTS),
    ("decided link.found", WITH_FAULTS),
    ("a create was done and its reply lost", WITH_FAULTS),
    ("the connector died with calls under way", WITH_CRASHES),
    ("a webhook met no connector", WITH_CRASHES),
    ("answered 429", WITH_LOAD),
];

impl Watch<'_> {
    /// Looks at an entry that the board holds already.
    pub fn look(&mut self, entry: &Entry, board: &Board) {
        match &entry.what {
            What::Step { verb, deal, .. } => self.step(verb, deal.as_deref(), board),
            What::Decided(decided) => self.count(&format!("decided {}", decided.code)),
            What::Observed(seen) => self.observed(seen),
            What::ActRefused { .. } => self.count("an act was refused"),
            What::AtCall { exchange, .. } => {
                self.count("something happened at a call");
                if self.lists.contains(exchange) {
                    self.count("a list changed while it was read");
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, what: &str) {
        Coverage::count(&mut self.into.sometimes, what);
    }

    fn step(&mut self, verb: &str, deal: Option<&str>, board: &Board) {
        if verb == "wait" || verb.starts_with("expect") {
            return;
        }
        let Some(deal) = deal else {
            verb.clone_into(&mut self.fault);
            Coverage::count(&mut self.into.cells, &format!("{verb} | - | -"));
            return;
        };
        let in_pc = board.referrals_of(deal).next();
        let in_pc = in_pc.map_or("none", |(_, referral)| pc_standing(referral).name());
        let in_crm = board.opportunities_of(deal).next();
        let in_crm = in_crm.map_or("none", |(_, opportunity)| board.book.crm_standing(opportunity).name());
        Coverage::count(
            &mut self.into.cells,
            &format!("{verb} | {in_pc}/{in_crm} | {}", self.fault),
        );
    }

    fn observed(&mut self, seen: &Observed) {
        match seen {
            Observed::Sent { exchange, request, .. } => {
                self.open.insert(*exchange);
                if request.method == "GET" && (request.url.contains("orderby") || request.url.contains("ORDER")) {
                    self.lists.insert(*exchange);
                }
                if request.url.contains("skiptoken") || request.url.contains("/query/0") {
                    self.count("a paging link was followed");
                }
            }
            Observed::Replied { exchange, response, .. } => {
                self.open.remove(exchange);
                match response.status {
                    412 => self.count("a precondition failed"),
                    401 => self.count("answered 401"),
                    429 => self.count("answered 429"),
                    _ => {}
                }
            }
            Observed::Faulted { fate, .. } => {
                let fate = fate.split(' ').next().unwrap_or_default();
                self.count(&format!("fate {fate}"));
            }
            Observed::Lost {
                exchange,
                leg: cosell_sim::world::observation::Leg::Reply,
            } => {
                self.open.remove(exchange);
            }
            Observed::Committed {
                exchange: Some(exchange),
                commit,
            } if commit.kind == cosell_sim::happening::CommitKind::Created && !self.open.contains(exchange) => {
                self.count("a create was done and its reply lost");
            }
            Observed::ConnectorDown if !self.open.is_empty() => {
                self.open.clear();
                self.count("the connector died with calls under way");
            }
            Observed::Delivered { status: None, .. } => self.count("a webhook met no connector"),
            _ => {}
        }
    }
}
