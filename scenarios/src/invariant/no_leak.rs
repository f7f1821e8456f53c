//! `no-leak`: what the connector sends to Partner Center was, at some moment, the value of a synced and unheld opportunity,
//! or of the referral itself. Visibility and help never go back.
//!
//! Judged by revision: a value typed while on hold may go once the deal has left on-hold with it.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use super::closed_is_terminal::holds;
use super::sent::Sent;
use super::{Code, Finding, Findings, Invariant, Scene};
use crate::board::CONNECTOR;
use crate::calls::{named_after, path_alone};
use crate::record::{Field, Standing, help_in_pc, is_microsoft_side, pc_standing, visible_in_pc};
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "Nothing that a seller holds back reaches Partner Center.

Each business value in a request to Partner Center must have stood in a revision of the opportunity that had Sync = Yes and \
was not on hold, or in the referral already. Judged by revision, not by time: what was typed on hold may go out once the \
deal has left it. The external reference, the accept and the decline are exempt. While a referral is New, nothing but its \
acceptance may carry values. After the connector has read Sync = No it writes to neither record. Visibility to Microsoft \
and the request for help are never taken back in Partner Center, and nothing is shown to Microsoft whose seller never asked for \
it. Notes stay where the settings say that they and Description are no pair.

Look first at which revision of the opportunity the write was decided on.";

/// The column that says whether a deal is synced: a read that leaves it out tells nothing about it.
const SYNC: [&[u8]; 2] = [
    b"Sync_With_Partner_Center__c\"",
    b"msft_microsoftpartnercenterreferralsync\"",
];

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
    /// Opportunities whose sellers ever showed them to Microsoft, or asked it for help.
    shown: BTreeSet<String>,
    /// Reads of one opportunity that are under way, with what the system answered: whether Sync was Yes.
    reads: BTreeMap<u64, (String, Option<bool>)>,
    /// Opportunities of which the connector's last read said Sync = No.
    known_private: BTreeSet<String>,
}

impl Invariant for NoLeak {
    fn looks_at_handled(&self) -> bool {
        true
    }

    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Committed { commit, .. }) => self.learn(commit, entry.at, scene, findings),
            What::Observed(Observed::Sent {
                exchange,
                site,
                request,
                ..
            }) => {
                if request.method == "GET" {
                    if *site == scene.header.crm.site()
                        && let Some(id) = opportunity_in(&request.url)
                    {
                        self.reads.insert(*exchange, (id.to_owned(), None));
                    }
                } else if *site == Site::PartnerCenter
                    && let Some(sent) = Sent::of(&request.method, &request.url, request.body.bytes(), scene)
                {
                    self.judge(&sent, entry.at, scene, findings);
                }
            }
            What::Observed(Observed::Handled { exchange, .. }) => {
                if let Some((id, synced)) = self.reads.get_mut(exchange) {
                    let book = &scene.board.book;
                    *synced = book.opportunities.get(id).map(|opportunity| book.syncs(opportunity));
                }
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                if let Some((id, synced)) = self.reads.remove(exchange)
                    && response.status == 200
                    && SYNC.iter().any(|column| holds(response.body.bytes(), column))
                {
                    match synced {
                        Some(false) => self.known_private.insert(id),
                        _ => self.known_private.remove(&id),
                    };
                }
            }
            What::Observed(Observed::ConnectorDown) => self.reads.clear(),
            _ => {}
        }
    }
}

impl NoLeak {
    fn learn(&mut self, commit: &Commit, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let book = &scene.board.book;
        if let Some(opportunity) = book.opportunities.get(&commit.id) {
            if commit.actor == CONNECTOR
                && commit.kind == CommitKind::Updated
                && self.known_private.contains(&commit.id)
            {
                let deal = scene.board.name_of(&commit.id);
                let text = format!("the connector wrote the opportunity of {deal} after it had read that Sync is No");
                findings.add(Finding::new(Code::NoLeak, at, Some(deal), text));
            }
            if book.visible_in_crm(opportunity) || !book.help_in_crm(opportunity).is_empty() {
                self.shown.insert(commit.id.clone());
            }
            let open = book.syncs(opportunity) && book.crm_standing(opportunity) != Standing::Held;
            let values = if open { &mut self.open } else { &mut self.private };
            let values = values.entry(commit.id.clone()).or_default();
            values.extend(
                Field::ALL
                    .into_iter()
                    .filter_map(|field| Some((field, book.crm_value(opportunity, field)?))),
            );
        } else if let Some(referral) = book.referrals.get(&commit.id) {
            let values = self.in_pc.entry(commit.id.clone()).or_default();
            values.extend(
                Field::ALL
                    .into_iter()
                    .filter_map(|field| Some((field, book.pc_value(referral, field)?))),
            );
            let deal = scene.board.name_of(&commit.id);
            let opportunity = referral.text("/externalReferenceId");
            if commit.actor == CONNECTOR
                && visible_in_pc(referral)
                && !self.visible.contains(&commit.id)
                && !is_microsoft_side(referral)
                && book.opportunities.contains_key(opportunity)
                && !self.shown.contains(opportunity)
            {
                let text = format!("the connector showed {deal} to Microsoft, though its seller never asked for it");
                findings.add(Finding::new(Code::NoLeak, at, Some(deal), text));
            }
            for (known, now, what) in [
                (&mut self.visible, visible_in_pc(referral), "visibility to Microsoft"),
                (&mut self.helped, help_in_pc(referral).is_some(), "the request for help"),
            ] {
                if now {
                    known.insert(commit.id.clone());
                } else if known.contains(&commit.id) {
                    let text = format!("{deal}: {what} was taken back, which Partner Center never allows");
                    findings.add(Finding::new(Code::NoLeak, at, Some(deal), text));
                }
            }
        }
    }

    fn judge(&self, sent: &Sent, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let opportunities = sent.opportunities(scene);
        let owner = opportunities.first().map_or(sent.referral.as_str(), String::as_str);
        let deal = scene.board.name_of(owner);
        if let Some(private) = opportunities.iter().find(|id| self.known_private.contains(*id)) {
            let deal = scene.board.name_of(private);
            let text = format!("the connector wrote to the referral of {deal} after it had read that Sync is No");
            findings.add(Finding::new(Code::NoLeak, at, Some(deal), text));
        }
        self.before_the_accept(sent, deal, at, scene, findings);
        if sent.hides && self.visible.contains(&sent.referral) {
            let text =
                format!("the connector tried to hide {deal} from Microsoft again, which Partner Center never allows");
            findings.add(Finding::new(Code::NoLeak, at, Some(deal), text));
        }
        let stay = |(field, value): &&(Field, String)| {
            let held = [sent.referral.as_str()].into_iter().chain(sent.siblings(scene));
            let mut held = held.filter_map(|id| self.in_pc.get(id));
            let key = if *field == Field::Currency {
                Field::Value
            } else {
                *field
            };
            let never = scene
                .header
                .directions
                .get(key.name())
                .is_some_and(|way| way == "never");
            never && !held.any(|held| held.contains(&(*field, value.clone())))
        };
        if let Some((field, _)) = sent.values.iter().find(stay) {
            let text = format!(
                "the connector sent {} of {deal}, which the settings keep in the CRM",
                field.name()
            );
            findings.add(Finding::new(Code::NoLeak, at, Some(deal), text));
        }
        for (field, value) in &sent.values {
            let pair = (*field, value.clone());
            let known = |values: &Values, id: &str| values.get(id).is_some_and(|known| known.contains(&pair));
            let in_pc = known(&self.in_pc, &sent.referral) || sent.siblings(scene).any(|id| known(&self.in_pc, id));
            let open = opportunities.iter().any(|id| known(&self.open, id));
            let private = opportunities.iter().any(|id| known(&self.private, id));
            if private && !in_pc && !open {
                let text = format!(
                    "the connector sent {} of {deal} to Partner Center, though it was only ever written while the deal \
                     was on hold or not synced",
                    field.name()
                );
                let finding = Finding::new(Code::NoLeak, at, Some(deal), text);
                findings.add(finding.comparing("a value of a synced, unheld revision", value.clone()));
            }
        }
    }

    /// A referral that is New holds what Microsoft wrote, until it is accepted.
    fn before_the_accept(&self, sent: &Sent, deal: &str, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let Some(referral) = scene.board.book.referrals.get(&sent.referral) else {
            return;
        };
        if pc_standing(referral) != Standing::Held || sent.status.is_some() {
            return;
        }
        let held = self.in_pc.get(&sent.referral);
        let news = sent
            .values
            .iter()
            .find(|value| !held.is_some_and(|held| held.contains(*value)));
        if let Some((field, value)) = news {
            let text = format!(
                "the connector sent {} of {deal} before the referral was accepted",
                field.name()
            );
            findings
                .add(Finding::new(Code::NoLeak, at, Some(deal), text).comparing("the acceptance first", value.clone()));
        }
    }
}

/// The opportunity that a CRM URL names, if it names one.
fn opportunity_in(url: &str) -> Option<&str> {
    let path = path_alone(url);
    named_after(path, "/sobjects/Opportunity/").or_else(|| named_after(path, "/opportunities("))
}
