//! `closed-is-terminal`: a closed referral never changes, and the connector never tries once it has read the closure
//! (partner-center.md section 3.1).
//!
//! A write that was under way while somebody else closed the deal is no finding: Partner Center refuses it.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;

use super::{Code, Finding, Findings, Invariant, Scene};
use crate::calls::{named_after, path_alone};
use crate::record::pc_standing;
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "A closed referral never changes, and the connector never sends a write that would change it.

Closed is the end of a referral's life in Partner Center. A write that was under way while somebody else closed the deal is \
no finding: Partner Center refuses it. A write that leaves after the connector has read the closure is one. A seller who \
opens a closed opportunity again in the CRM is an event, not a finding: it is audited and does not reach Partner Center.

Look first at what is done with edits that arrive after the closing, and at reopened opportunities.";

/// Which referrals are closed, and of which the connector has read so.
#[derive(Default)]
pub(super) struct ClosedIsTerminal {
    closed: BTreeSet<String>,
    read_by_connector: BTreeSet<String>,
    /// Reads and writes of one referral that are under way.
    asked: BTreeMap<u64, String>,
}

impl Invariant for ClosedIsTerminal {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Committed { commit, .. }) => {
                let Some(referral) = scene.board.book.referrals.get(&commit.id) else {
                    return;
                };
                let deal = scene.board.name_of(&commit.id);
                if self.closed.contains(&commit.id) && !commit.changes.is_empty() {
                    let fields: Vec<&str> = commit.changes.iter().map(|change| change.field.as_str()).collect();
                    let text = format!("the closed referral of {deal} changed: {}", fields.join(", "));
                    findings.add(Finding::new(Code::ClosedIsTerminal, entry.at, Some(deal), text));
                }
                if pc_standing(referral).is_closed() {
                    self.closed.insert(commit.id.clone());
                }
            }
            What::Observed(Observed::Sent {
                exchange,
                site: Site::PartnerCenter,
                request,
                ..
            }) => {
                let Some(id) = referral_in(&request.url) else { return };
                if request.method != "GET" && self.read_by_connector.contains(id) {
                    let deal = scene.board.name_of(id);
                    let text =
                        format!("the connector wrote to the referral of {deal} after it had read that it is closed");
                    findings.add(Finding::new(Code::ClosedIsTerminal, entry.at, Some(deal), text));
                }
                self.asked.insert(*exchange, id.to_owned());
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                if let Some(id) = self.asked.remove(exchange)
                    && response.status == 200
                    && holds(response.body.bytes(), b"\"status\":\"Closed\"")
                {
                    self.read_by_connector.insert(id);
                }
            }
            // A new process has read nothing yet.
            What::Observed(Observed::ConnectorDown) => self.read_by_connector.clear(),
            _ => {}
        }
    }
}

/// The referral that a URL names, if it names one.
fn referral_in(url: &str) -> Option<&str> {
    named_after(path_alone(url), "/referrals/")
}

/// Whether bytes hold other bytes. Replies are looked at by the thousand: none is copied or checked for UTF-8.
pub(super) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
}
