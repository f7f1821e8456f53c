//! `nothing-invented`: a business value that the connector writes stood, at some moment, in the other record of the deal
//! or in the record that it writes to.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use super::sent::Sent;
use super::{Code, Finding, Findings, Invariant, Scene};
use crate::board::CONNECTOR;
use crate::record::{Field, Mark, ORG_CURRENCY};
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "No field ever holds a value that nobody wrote.

Each business value that the connector sends to Partner Center or stores in the CRM must have stood, at some moment of the \
run, in the opportunity or the referral of that deal: names without marks, amounts in units of their currency, closing \
dates as days. Acceptances and closings are carried like values: a referral becomes Active, Won or Lost only where its opportunity \
stood so, and the other way round, with the substatus that belongs to it and the reason that the settings name; no lead \
becomes an opportunity where only co-sell deals are to be synced. Look first at conversions: time zones that move a date by a day, amounts read as text, names cut off, values \
of another deal.";

/// A name this long may have been cut to what the other side holds.
const MAY_BE_CUT: usize = 100;

/// Every value that a record ever held, by field.
#[derive(Default)]
pub(super) struct NothingInvented {
    held: BTreeMap<String, BTreeSet<(Field, String)>>,
    /// Exchanges whose request lost its amount on the way: what stands under the currency that is left is nobody's choice.
    mutilated: BTreeSet<u64>,
}

impl Invariant for NothingInvented {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Faulted {
                exchange: Some(exchange),
                fate,
                ..
            }) if fate.starts_with("without") && fate.contains(Field::Value.pointer()) => {
                self.mutilated.insert(*exchange);
            }
            What::Observed(Observed::Committed { exchange, commit }) => {
                let Some(mut values) = values_of(commit, scene) else {
                    return;
                };
                if exchange.is_some_and(|exchange| self.mutilated.contains(&exchange)) {
                    values.retain(|(field, _)| *field != Field::Value);
                }
                mark_in_pc(commit, entry.at, scene, findings);
                if commit.actor == CONNECTOR && scene.board.book.opportunities.contains_key(&commit.id) {
                    let referral = scene.links.referral_of(&commit.id);
                    // A new opportunity without a currency takes the org's own: the CRM's default, nobody's value.
                    let default = (Field::Currency, ORG_CURRENCY.to_owned());
                    let known = |value: &(Field, String)| {
                        (commit.kind == CommitKind::Created && *value == default)
                            || self.has(&commit.id, value)
                            || referral.is_some_and(|referral| self.has(referral, value))
                    };
                    let invented: Vec<&(Field, String)> = values.iter().filter(|value| !known(value)).collect();
                    for (field, value) in invented {
                        report(*field, value, &commit.id, "the CRM", entry.at, scene, findings);
                    }
                }
                self.held.entry(commit.id.clone()).or_default().extend(values);
            }
            What::Observed(Observed::Sent {
                site: Site::PartnerCenter,
                request,
                ..
            }) if request.method != "GET" => {
                let Some(sent) = Sent::of(&request.method, &request.url, request.body.bytes(), scene) else {
                    return;
                };
                self.sent(&sent, entry.at, scene, findings);
            }
            _ => {}
        }
    }
}

impl NothingInvented {
    fn has(&self, id: &str, (field, value): &(Field, String)) -> bool {
        let Some(held) = self.held.get(id) else { return false };
        held.contains(&(*field, value.clone()))
            || (*field == Field::Name
                && value.chars().count() >= MAY_BE_CUT
                && held
                    .iter()
                    .any(|(other, known)| other == field && known.starts_with(value.as_str())))
    }

    fn sent(&self, sent: &Sent, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let opportunities = sent.opportunities(scene);
        for value in &sent.values {
            let known = self.has(&sent.referral, value)
                || sent.siblings(scene).any(|id| self.has(id, value))
                || opportunities.iter().any(|id| self.has(id, value));
            if !known {
                let owner = opportunities.first().map_or(sent.referral.as_str(), String::as_str);
                report(value.0, &value.1, owner, "Partner Center", at, scene, findings);
            }
        }
    }
}

/// The business values that a commit left in a record of a deal.
fn values_of(commit: &Commit, scene: &Scene<'_>) -> Option<Vec<(Field, String)>> {
    let book = &scene.board.book;
    let touched = |name: &str| {
        // An amount means another one in another currency.
        commit.kind == CommitKind::Created || commit.changes.iter().any(|change| change.field == name)
    };
    if let Some(referral) = book.referrals.get(&commit.id) {
        let currency = touched(Field::Currency.pointer());
        let fields = Field::ALL.into_iter();
        let fields = fields.filter(|field| touched(field.pointer()) || (currency && *field == Field::Value));
        return Some(
            fields
                .filter_map(|field| Some((field, book.pc_value(referral, field)?)))
                .collect(),
        );
    }
    let opportunity = book.opportunities.get(&commit.id)?;
    let currency = touched(book.column(Field::Currency));
    let fields = Field::ALL.into_iter();
    let fields = fields.filter(|field| touched(book.column(*field)) || (currency && *field == Field::Value));
    Some(
        fields
            .filter_map(|field| Some((field, book.crm_value(opportunity, field)?)))
            .collect(),
    )
}

/// The mark belongs to the CRM's names alone (product.md M7).
fn mark_in_pc(commit: &Commit, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
    if commit.actor != CONNECTOR || !scene.board.book.referrals.contains_key(&commit.id) {
        return;
    }
    let marked = |name: &serde_json::Value| {
        let name = name.as_str().unwrap_or_default().trim();
        let ends = [name.chars().next(), name.chars().next_back()];
        ends.into_iter()
            .flatten()
            .any(|sign| Mark::of(sign.encode_utf8(&mut [0; 4])) != Mark::None)
    };
    let name = commit
        .changes
        .iter()
        .find(|change| change.field == Field::Name.pointer());
    if name.is_some_and(|change| marked(&change.after) && !marked(&change.before)) {
        let deal = scene.board.name_of(&commit.id);
        let text = format!("the mark in the name of {deal} reached Partner Center");
        findings.add(Finding::new(Code::NothingInvented, at, Some(deal), text));
    }
}

fn report(
    field: Field,
    value: &str,
    owner: &str,
    place: &str,
    at: Timestamp,
    scene: &Scene<'_>,
    findings: &mut Findings,
) {
    let deal = scene.board.name_of(owner);
    let text = format!(
        "the connector wrote {} of {deal} to {place} that nobody wrote on either side",
        field.name()
    );
    let finding = Finding::new(Code::NothingInvented, at, Some(deal), text);
    findings.add(finding.comparing("a value that somebody wrote", value));
}
