//! The state of a run at one entry of its trace: both sides' records, deal names, and who wrote which field last.
//!
//! It only folds the trace. What it holds is what anybody could have seen from outside the connector.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Change, Commit, CommitKind};
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;

use crate::record::{Book, Record, plain_name};
use crate::trace::{Entry, Header, What};

/// The user name under which the connector signs in.
pub const CONNECTOR: &str = "connector";

/// When a field of a record was last written, by whom. The numbers are positions in the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastWrites {
    /// By a person, Microsoft, or the system.
    pub others: Option<usize>,
    /// By the connector.
    pub connector: Option<usize>,
}

/// Both sides as they stand after the entries folded so far.
#[derive(Clone, Debug)]
pub struct Board {
    /// The records.
    pub book: Book,
    /// Symbolic deal names by record id.
    names: BTreeMap<String, String>,
    writes: BTreeMap<(String, String), LastWrites>,
    /// Opportunities that a person opened again after they were closed, with the position of the trace.
    reopened: BTreeMap<String, usize>,
    /// Records that existed once.
    pub deleted: BTreeSet<String>,
    /// The number of entries folded so far.
    pub position: usize,
}

impl Board {
    /// Before anything happened.
    pub fn new(header: &Header) -> Self {
        Self {
            book: match &header.columns {
                Some(columns) => Book::new(header.crm, &header.on_hold_stage).with_columns(columns.clone()),
                None => Book::new(header.crm, &header.on_hold_stage),
            },
            names: BTreeMap::new(),
            writes: BTreeMap::new(),
            reopened: BTreeMap::new(),
            deleted: BTreeSet::new(),
            position: 0,
        }
    }

    /// Folds one entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.position += 1;
        match &entry.what {
            What::Observed(Observed::Committed { commit, .. }) => self.commit(commit),
            What::Stored { rows } => self.book.learn(rows),
            What::Named { deal, id, .. } => {
                self.names.insert(id.clone(), deal.clone());
            }
            _ => {}
        }
    }

    fn commit(&mut self, commit: &Commit) {
        let was_closed = self.is_closed_in_crm(&commit.id);
        self.book.apply(commit);
        if self.is_closed_in_crm(&commit.id) {
            self.reopened.remove(&commit.id);
        } else if was_closed && commit.actor != CONNECTOR {
            self.reopened.insert(commit.id.clone(), self.position);
        }
        if commit.kind == CommitKind::Deleted {
            self.deleted.insert(commit.id.clone());
        }
        for change in commit.changes.iter().filter(|change| !is_mark_alone(change)) {
            let last = self
                .writes
                .entry((commit.id.clone(), change.field.clone()))
                .or_default();
            if commit.actor == CONNECTOR {
                last.connector = Some(self.position);
            } else {
                last.others = Some(self.position);
            }
        }
        self.spread_name(commit);
    }

    fn is_closed_in_crm(&self, id: &str) -> bool {
        let opportunity = self.book.opportunities.get(id);
        opportunity.is_some_and(|opportunity| self.book.crm_standing(opportunity).is_closed())
    }

    /// A record made by the connector takes the name of the deal that it links to.
    fn spread_name(&mut self, commit: &Commit) {
        if self.names.contains_key(&commit.id) {
            return;
        }
        let other = match commit.site {
            Site::PartnerCenter => self
                .book
                .referrals
                .get(&commit.id)
                .map(|referral| referral.text("/externalReferenceId")),
            Site::Entra | Site::Salesforce | Site::Dataverse => self
                .book
                .opportunities
                .get(&commit.id)
                .map(|opportunity| self.book.referral_of(opportunity)),
        };
        if let Some(name) = other.and_then(|other| self.names.get(other)).cloned() {
            self.names.insert(commit.id.clone(), name);
        }
    }

    /// The symbolic name of a record's deal, or the record's own id.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// The records that a symbolic name stands for.
    pub fn ids_of<'a>(&'a self, deal: &'a str) -> impl Iterator<Item = &'a str> {
        self.names
            .iter()
            .filter(move |(_, name)| *name == deal)
            .map(|(id, _)| id.as_str())
    }

    /// The opportunities of a deal, by symbolic name.
    pub fn opportunities_of<'a>(&'a self, deal: &'a str) -> impl Iterator<Item = (&'a str, &'a Record)> {
        self.ids_of(deal)
            .filter_map(|id| self.book.opportunities.get(id).map(|record| (id, record)))
    }

    /// The partner's referrals of a deal, by symbolic name: first the one that the deal's opportunity names.
    pub fn referrals_of<'a>(&'a self, deal: &'a str) -> impl Iterator<Item = (&'a str, &'a Record)> {
        let mut found: Vec<(&str, &Record)> = self
            .ids_of(deal)
            .filter_map(|id| self.book.referrals.get(id).map(|record| (id, record)))
            .filter(|(_, record)| !crate::record::is_microsoft_side(record))
            .collect();
        if found.len() > 1 {
            let named: Vec<&str> = self
                .opportunities_of(deal)
                .map(|(_, opportunity)| self.book.referral_of(opportunity))
                .collect();
            found.sort_by_key(|(id, _)| !named.contains(id));
        }
        found.into_iter()
    }

    /// When a person opened a closed opportunity again, unless it is closed by now.
    pub fn reopened(&self, opportunity: &str) -> Option<usize> {
        self.reopened.get(opportunity).copied()
    }

    /// When a field of a record was last written, by whom.
    pub fn last_writes(&self, id: &str, field: &str) -> LastWrites {
        self.writes
            .get(&(id.to_owned(), field.to_owned()))
            .copied()
            .unwrap_or_default()
    }
}

/// Whether a name changed by its mark alone: somebody typed the old name over it, which says nothing new.
fn is_mark_alone(change: &Change) -> bool {
    let plain = |value: &serde_json::Value| value.as_str().map(plain_name);
    matches!(change.field.as_str(), "Name" | "name" | "/name")
        && plain(&change.before).is_some()
        && plain(&change.before) == plain(&change.after)
}
