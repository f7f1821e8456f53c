//! `quiet`: once everything is said, nothing more is written. An echo loop never becomes quiet.

use cosell_sim::world::observation::Observed;

use super::{Code, Finding, Findings, Invariant, Scene};
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "Once everything is said, nothing more is written.

A run settles when the connector has written nothing for a whole round of settling, which holds a poll of the CRM and a \
reconciliation of Partner Center. One that never settles, or that writes again afterwards though nobody did anything, goes \
round in circles. Look first at how the connector tells its own writes from those of others: an echo is recognised by its \
content.";

/// Whether the run has settled.
#[derive(Default)]
pub(super) struct Quiet {
    settled: bool,
}

impl Invariant for Quiet {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Settled => self.settled = true,
            // A person may act again after a settle in the middle of a scenario; what could not be done before can be done
            // once all is healed.
            // What a webhook brings that was still on its way is news, and no echo.
            What::Step { .. } | What::Observed(Observed::Healed | Observed::Delivering { .. }) => self.settled = false,
            What::NeverSettled { rounds } => {
                let text = format!("the connector was still writing after {rounds} rounds of settling");
                findings.add(Finding::new(Code::Quiet, entry.at, None, text));
            }
            What::Observed(Observed::Committed { commit, .. })
                if self.settled && commit.actor == crate::board::CONNECTOR =>
            {
                let deal = scene.board.name_of(&commit.id);
                let fields: Vec<&str> = commit.changes.iter().map(|change| change.field.as_str()).collect();
                let text = format!(
                    "the connector wrote {} of {deal} ({}) after everything had settled",
                    commit.table,
                    fields.join(", ")
                );
                findings.add(Finding::new(Code::Quiet, entry.at, Some(deal), text));
            }
            _ => {}
        }
    }
}
