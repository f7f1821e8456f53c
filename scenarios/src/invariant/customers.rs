//! The part of `one-to-one` that is about customers: no second account for one company, no second contact for one person
//! (product.md M16); and of `nothing-invented`: whom the connector makes in one system the other one has.

use std::collections::BTreeMap;

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::{Code, Finding, Findings, Invariant, Scene};
use crate::board::CONNECTOR;
use crate::record::Record;
use crate::trace::{Entry, What};

/// What the connector has looked for this long before it creates may have come in between.
const BETWEEN: SignedDuration = SignedDuration::from_secs(60);

/// Who is there already, and which creates are under way.
#[derive(Default)]
pub(super) struct Customers {
    /// By table and what makes a customer the same: since when.
    known: BTreeMap<(String, String), Timestamp>,
    /// Exchanges under way: when they were sent.
    sent: BTreeMap<u64, Timestamp>,
}

impl Invariant for Customers {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Sent { exchange, request, .. }) if request.method == "POST" => {
                self.sent.insert(*exchange, entry.at);
            }
            What::Observed(Observed::Replied { exchange, .. }) => drop(self.sent.remove(exchange)),
            What::Observed(Observed::Committed {
                exchange: Some(exchange),
                commit,
            }) if commit.kind == CommitKind::Created && commit.actor == CONNECTOR => {
                let sent = self.sent.get(exchange).copied();
                self.created(commit, sent, entry.at, scene, findings);
                invented(commit, entry.at, scene, findings);
            }
            What::Observed(Observed::Committed { commit, .. }) if commit.kind != CommitKind::Deleted => {
                if let Some(key) = key(commit, scene) {
                    self.known.entry(key).or_insert(entry.at);
                }
            }
            _ => {}
        }
    }
}

impl Customers {
    fn created(
        &mut self,
        commit: &Commit,
        sent: Option<Timestamp>,
        at: Timestamp,
        scene: &Scene<'_>,
        findings: &mut Findings,
    ) {
        let Some(key) = key(commit, scene) else { return };
        let since = *self.known.entry(key.clone()).or_insert(at);
        // A copy that the network made has no caller; what came long after it was sent was looked for in vain.
        if sent.is_some_and(|sent| since < sent - BETWEEN) {
            let text = format!("the connector made a second record in {} for {}", commit.table, key.1);
            findings.add(Finding::new(Code::OneToOne, at, None, text));
        }
    }
}

/// Whom the connector has made, and nobody has named so.
fn invented(commit: &Commit, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
    let book = &scene.board.book;
    let Some(record) = book.others.get(&commit.table).and_then(|rows| rows.get(&commit.id)) else {
        return;
    };
    let written = |columns: &[&str]| columns.iter().map(|column| record.text(column).to_owned()).collect();
    let mut referrals = book.partner_referrals().map(|(_, referral)| referral);
    let (what, written): (&str, Vec<String>) = match commit.table.as_str() {
        "Account" => ("company", written(&["Name", "BillingPostalCode"])),
        "account" => ("company", written(&["name", "address1_postalcode"])),
        "Contact" => ("person", written(&["FirstName", "LastName", "Email"])),
        "contact" => ("person", written(&["firstname", "lastname", "emailaddress1"])),
        _ => return,
    };
    let named = if what == "company" {
        referrals.any(|referral| {
            let postal_code = referral.text("/customerProfile/address/postalCode");
            [referral.text("/customerProfile/name"), postal_code]
                .iter()
                .zip(&written)
                .all(|(named, written)| named.trim() == written.trim())
        })
    } else {
        let keys = ["firstName", "lastName", "email"];
        referrals.any(|referral| {
            let team = referral.get("/customerProfile/team").as_array();
            team.into_iter().flatten().any(|person| {
                keys.iter()
                    .zip(&written)
                    .all(|(key, written)| person[key].as_str().unwrap_or_default().trim() == written.trim())
            })
        })
    };
    if !named {
        let text = format!("the connector made a {what} in the CRM that no referral names");
        let finding = Finding::new(Code::NothingInvented, at, None, text);
        findings.add(finding.comparing(format!("a {what} of a referral"), written.join(", ")));
    }
}

/// What makes a customer the same: company and postal code, or a person's address.
fn key(commit: &Commit, scene: &Scene<'_>) -> Option<(String, String)> {
    let record: &Record = scene.board.book.others.get(&commit.table)?.get(&commit.id)?;
    let columns: &[&str] = match commit.table.as_str() {
        "Account" => &["Name", "BillingPostalCode"],
        "account" => &["name", "address1_postalcode"],
        "Contact" => &["Email"],
        "contact" => &["emailaddress1"],
        _ => return None,
    };
    let words: Vec<String> = columns
        .iter()
        .map(|column| record.text(column).to_lowercase())
        .collect();
    (!words[0].is_empty()).then(|| (commit.table.clone(), words.join(", ")))
}
