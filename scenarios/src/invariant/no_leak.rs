//! `no-leak` and `nothing-invented`: what the connector sends to Partner Center was, at some moment, the value of a
//! synced and unheld opportunity, or of the referral itself.
//!
//! Judged by revision: a value typed while on hold may go once the deal has left on-hold with it. Visibility and help
//! never go back.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::Commit;
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use serde_json::Value;

use super::{Code, Finding, Findings, Invariant};
use crate::board::Board;
use crate::record::{Field, Record, Standing, help_in_pc, visible_in_pc};
use crate::trace::{Entry, What};

/// The values of one opportunity or referral, by field.
type Values = BTreeMap<String, BTreeSet<(Field, String)>>;

/// Which values were ever public, which only private.
#[derive(Default)]
pub(super) struct NoLeak {
    /// By opportunity: values of revisions with Sync = Yes and not on hold.
    open: Values,
    /// By opportunity: values of the other revisions.
    private: Values,
    /// By referral: values that Partner Center held.
    in_pc: Values,
    visible: BTreeSet<String>,
    helped: BTreeSet<String>,
}

impl Invariant for NoLeak {
    fn watch(&mut self, entry: &Entry, board: &Board, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Committed { commit, .. }) => self.learn(commit, entry, board, findings),
            What::Observed(Observed::Sent {
                site: Site::PartnerCenter,
                request,
                ..
            }) => {
                if let Some(write) = Write::of(&request.method, &request.url, &request.body.text(), board) {
                    self.judge(&write, entry, board, findings);
                }
            }
            _ => {}
        }
    }
}

impl NoLeak {
    fn learn(&mut self, commit: &Commit, entry: &Entry, board: &Board, findings: &mut Findings) {
        if let Some(opportunity) = board.book.opportunities.get(&commit.id) {
            let standing = board.book.crm_standing(opportunity);
            let open = board.book.syncs(opportunity) && standing != Standing::Held;
            let values = if open { &mut self.open } else { &mut self.private };
            let values = values.entry(commit.id.clone()).or_default();
            values.extend(
                Field::ALL
                    .into_iter()
                    .filter_map(|field| Some((field, board.book.crm_value(opportunity, field)?))),
            );
        } else if let Some(referral) = board.book.referrals.get(&commit.id) {
            let values = self.in_pc.entry(commit.id.clone()).or_default();
            values.extend(
                Field::ALL
                    .into_iter()
                    .filter_map(|field| Some((field, board.book.pc_value(referral, field)?))),
            );
            let deal = board.name_of(&commit.id);
            for (known, now, what) in [
                (&mut self.visible, visible_in_pc(referral), "visibility to Microsoft"),
                (&mut self.helped, help_in_pc(referral).is_some(), "the request for help"),
            ] {
                if now {
                    known.insert(commit.id.clone());
                } else if known.contains(&commit.id) {
                    let text = format!("{deal}: {what} was taken back, which Partner Center never allows");
                    findings.add(Finding::new(Code::NoLeak, entry.at, Some(deal), text));
                }
            }
        }
    }

    fn judge(&self, write: &Write, entry: &Entry, board: &Board, findings: &mut Findings) {
        let opportunities = write.opportunities(board);
        for (field, value) in &write.values {
            let pair = (*field, value.clone());
            let known = |values: &Values, id: &str| values.get(id).is_some_and(|known| known.contains(&pair));
            let in_pc =
                known(&self.in_pc, &write.referral) || write.siblings(board).any(|(id, _)| known(&self.in_pc, id));
            if in_pc || opportunities.iter().any(|id| known(&self.open, id)) {
                continue;
            }
            let owner = opportunities.first().map_or(write.referral.as_str(), String::as_str);
            let deal = board.name_of(owner);
            let finding = if opportunities.iter().any(|id| known(&self.private, id)) {
                let text = format!(
                    "the connector sent {} of {deal} to Partner Center, though it was only ever written while the deal \
                     was on hold or not synced",
                    field.name()
                );
                Finding::new(Code::NoLeak, entry.at, Some(deal), text)
            } else {
                let text = format!(
                    "the connector sent {} of {deal} that nobody wrote on either side",
                    field.name()
                );
                Finding::new(Code::NothingInvented, entry.at, Some(deal), text)
            };
            findings.add(finding.comparing("a value of a synced, unheld revision", value.clone()));
        }
    }
}

/// The business values in one write to Partner Center.
struct Write {
    /// Empty for a create.
    referral: String,
    /// What the body itself names as its opportunity.
    opportunity: Option<String>,
    /// What the body itself names as its engagement: Microsoft's invitation repeats what the partner's side says.
    engagement: Option<String>,
    values: Vec<(Field, String)>,
}

impl Write {
    /// Reads a request; `None` when it is no write to a referral.
    fn of(method: &str, url: &str, body: &str, board: &Board) -> Option<Self> {
        if !matches!(method, "POST" | "PATCH" | "PUT") {
            return None;
        }
        let (_, path) = url
            .split_once("/engagements/referrals")
            .or_else(|| url.split_once("/engagements/v1/referrals"))?;
        let referral = path
            .trim_matches('/')
            .split(['?', '/'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let body: Value = serde_json::from_str(body).ok()?;
        let at = |pointer: &str| -> Value {
            let Some(operations) = body.as_array() else {
                return body.pointer(pointer).cloned().unwrap_or_default();
            };
            let last = operations.iter().rev().find(|operation| operation["path"] == pointer);
            last.map_or(Value::Null, |operation| operation["value"].clone())
        };
        // An amount alone is in the currency that the referral has.
        let stored = board
            .book
            .referrals
            .get(&referral)
            .map_or("", |known| known.text(Field::Currency.pointer()));
        let sent = at(Field::Currency.pointer());
        let currency = sent.as_str().unwrap_or(stored);
        let values = Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, board.book.sent_value(field, &at(field.pointer()), currency)?)))
            .collect();
        let text = |pointer: &str| at(pointer).as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let (opportunity, engagement) = (text("/externalReferenceId"), text("/engagementId"));
        Some(Self {
            referral,
            opportunity,
            engagement,
            values,
        })
    }

    /// The opportunities whose values it may carry.
    fn opportunities(&self, board: &Board) -> Vec<String> {
        let mut ids: BTreeSet<String> = self.opportunity.iter().cloned().collect();
        if let Some(referral) = board.book.referrals.get(&self.referral) {
            ids.insert(referral.text("/externalReferenceId").to_owned());
            let linked = board.book.opportunities.iter();
            let linked = linked.filter(|(_, other)| board.book.referral_of(other) == self.referral);
            ids.extend(linked.map(|(id, _)| id.clone()));
        }
        ids.extend(
            self.siblings(board)
                .map(|(_, other)| other.text("/externalReferenceId").to_owned()),
        );
        ids.retain(|id| !id.is_empty());
        ids.into_iter().collect()
    }

    /// The partner's referrals of the same engagement.
    fn siblings<'a>(&'a self, board: &'a Board) -> impl Iterator<Item = (&'a String, &'a Record)> {
        let stored = board.book.referrals.get(&self.referral);
        let stored = stored.map_or("", |referral| referral.text("/engagementId"));
        let engagement = self.engagement.as_deref().unwrap_or(stored);
        let all = board.book.partner_referrals();
        all.filter(move |(_, other)| !engagement.is_empty() && other.text("/engagementId") == engagement)
    }
}
