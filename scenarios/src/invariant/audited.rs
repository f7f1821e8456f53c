//! `audited`: what the connector does to a deal stands in its Audit trail, and the mark of the name says how its last run
//! ended (rule 10 of `converged`).

use std::collections::BTreeMap;

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::{Code, Finding, Findings, Invariant, Scene, converged, end_of};
use crate::board::CONNECTOR;
use crate::record::{Field, Mark, Record, Standing, help_in_pc, pc_standing};
use crate::scenario::Crm;
use crate::trace::{Entry, Trace, What};

pub(super) const EXPLANATION: &str = "Each success and each failure has its Audit line, and the name shows how the last run ended.

Whenever the connector has created, changed or closed a referral and knows it, or has written business values or the stage \
of an opportunity, the opportunity's Audit trail must have grown by the end of the run. A linked deal that is in step carries \
✔; one that cannot be created, or whose help cannot be asked for, carries ✗; never more than one mark, and none where the \
setting says no. Exempt: deals with Sync = No, and records that the CRM locks: a closed opportunity of Dynamics 365 takes no \
Audit line, so it is written before the closing, or stands in the flow run. Where the trail has no room left (the setting \
`audit limit`), its oldest lines go, and no others.";

/// An Audit line this much older than a write may already speak of it.
const BEFORE: SignedDuration = SignedDuration::from_secs(120);

/// What each opportunity's trail owes.
#[derive(Default)]
pub(super) struct Audited {
    /// Writes whose reply is under way: when, for which opportunity, what.
    writing: BTreeMap<u64, Vec<Owed>>,
    /// By opportunity: the first thing that no line speaks of, and the last line.
    owed: BTreeMap<String, Owed>,
    lines: BTreeMap<String, Timestamp>,
    stacked: bool,
}

/// A write that a line must speak of.
#[derive(Clone)]
struct Owed {
    opportunity: String,
    what: &'static str,
    at: Timestamp,
    heard: Timestamp,
}

impl Invariant for Audited {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Committed { exchange, commit }) if commit.actor == CONNECTOR => {
                shortened(commit, entry.at, scene, findings);
                self.written(commit, *exchange, entry.at, scene);
                self.stacked(commit, entry.at, scene, findings);
            }
            What::Observed(Observed::Replied { exchange, .. }) => {
                for mut owed in self.writing.remove(exchange).unwrap_or_default() {
                    let said = self.lines.get(&owed.opportunity);
                    if said.is_none_or(|said| *said < owed.at - BEFORE) {
                        owed.heard = entry.at;
                        self.owed.entry(owed.opportunity.clone()).or_insert(owed);
                    }
                }
            }
            What::Observed(Observed::ConnectorDown) => {
                self.writing.clear();
                // What it heard in the moment of its death it may not have kept.
                self.owed.retain(|_, owed| owed.heard < entry.at);
            }
            _ => {}
        }
    }

    fn finish(&mut self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        let at = end_of(trace);
        for (id, owed) in &self.owed {
            let book = &scene.board.book;
            let Some(opportunity) = book
                .opportunities
                .get(id)
                .filter(|opportunity| is_judged(opportunity, scene))
            else {
                continue;
            };
            if book.audit(opportunity).is_empty() || !was_closed(opportunity, scene) {
                let deal = scene.board.name_of(id);
                let text = format!("{} of {deal} at {} left no line in the Audit trail", owed.what, owed.at);
                findings.add(Finding::new(Code::Audited, at, Some(deal), text));
            }
        }
        marks(trace, scene, findings);
    }
}

impl Audited {
    fn written(&mut self, commit: &Commit, exchange: Option<u64>, at: Timestamp, scene: &Scene<'_>) {
        let book = &scene.board.book;
        let changed = |name: &str| commit.changes.iter().any(|change| change.field == name);
        let (opportunity, what) = if book.referrals.contains_key(&commit.id) {
            let Some(opportunity) = scene.links.opportunity_of(&commit.id) else {
                return;
            };
            let fields = Field::ALL.iter().any(|field| changed(field.pointer()));
            let what = match (commit.kind, changed("/status")) {
                (CommitKind::Created, _) => "the creation of the referral",
                (_, true) => "the new status of the referral",
                (_, false) if fields => "the update of the referral",
                _ => return,
            };
            (opportunity.to_owned(), what)
        } else if let Some(opportunity) = book.opportunities.get(&commit.id) {
            if changed(audit_column(scene.header.crm)) {
                self.lines.insert(commit.id.clone(), at);
                if self.owed.get(&commit.id).is_some_and(|owed| owed.at - BEFORE <= at) {
                    self.owed.remove(&commit.id);
                }
                for owed in self.writing.values_mut() {
                    owed.retain(|owed| owed.opportunity != commit.id);
                }
                return;
            }
            let fields = Field::ALL
                .iter()
                .any(|field| *field != Field::Name && changed(book.column(*field)));
            let stage = changed("StageName") || changed("statecode");
            if !(fields || stage) || is_locked(opportunity, scene) {
                return;
            }
            (commit.id.clone(), "a write to the opportunity")
        } else {
            return;
        };
        let owed = Owed {
            opportunity,
            what,
            at,
            heard: at,
        };
        self.writing.entry(exchange.unwrap_or_default()).or_default().push(owed);
    }

    fn stacked(&mut self, commit: &Commit, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let book = &scene.board.book;
        let Some(opportunity) = book.opportunities.get(&commit.id) else {
            return;
        };
        let name = book.column(Field::Name);
        let touched = commit.changes.iter().any(|change| change.field == name);
        if touched && !self.stacked && book.mark(opportunity) == Mark::Stacked {
            self.stacked = true;
            let deal = scene.board.name_of(&commit.id);
            let text = format!("{deal} carries more than one mark in its name");
            findings.add(Finding::new(Code::Audited, at, Some(deal), text));
        }
    }
}

/// The letters that a trail may have where nothing is set: the reference connector's own limit.
const OWN_LIMIT: usize = 10_000;

/// A trail of somebody else's connector that is this long may lose its oldest lines: its limit is not known.
const LONG_TRAIL: usize = 4_000;

/// A trail grows, and loses its oldest lines only where there is no room for all of them.
fn shortened(commit: &Commit, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
    let column = audit_column(scene.header.crm);
    let Some(change) = commit.changes.iter().find(|change| change.field == column) else {
        return;
    };
    let (before, after) = (
        change.before.as_str().unwrap_or_default(),
        change.after.as_str().unwrap_or_default(),
    );
    let known = !scene.header.external && !scene.header.recorded;
    let limit = match scene.header.audit_limit {
        Some(limit) if known => limit as usize,
        _ if known => OWN_LIMIT,
        _ => LONG_TRAIL,
    };
    let deal = scene.board.name_of(&commit.id);
    let (lines, long) = letters(after.lines());
    if known && long > limit && lines > 1 {
        let text = format!("the Audit trail of {deal} is longer than the settings allow");
        let finding = Finding::new(Code::Audited, at, Some(deal), text);
        findings.add(finding.comparing(format!("at most {limit} letters"), format!("{long} letters")));
    }
    let kept = |line: &&str| after.contains(line.trim());
    let Some(lost) = before.lines().find(|line| !kept(line)) else {
        return;
    };
    let new = after.lines().filter(|line| !before.contains(line.trim()));
    let (_, whole) = letters(before.lines().chain(new));
    let oldest_first = before.lines().skip_while(|line| !kept(line)).all(|line| kept(&line));
    let text = if whole <= limit {
        format!("the Audit trail of {deal} lost a line")
    } else if !oldest_first {
        format!("the Audit trail of {deal} lost a line that is not among its oldest")
    } else {
        return;
    };
    findings.add(Finding::new(Code::Audited, at, Some(deal), text).comparing(lost, after));
}

/// How many lines, and how many letters they have with a break behind each.
fn letters<'l>(lines: impl Iterator<Item = &'l str>) -> (usize, usize) {
    lines.fold((0, 0), |(count, long), line| {
        (count + 1, long + line.chars().count() + 1)
    })
}

/// The marks as they stand at the end.
fn marks(trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
    let at = end_of(trace);
    let mut apart = Findings::default();
    converged::check(scene.header, scene.board, at, &mut apart);
    let apart = apart.into_required();
    for (id, opportunity) in &scene.board.book.opportunities {
        if !is_judged(opportunity, scene) || was_closed(opportunity, scene) {
            continue;
        }
        let deal = scene.board.name_of(id);
        let book = &scene.board.book;
        let (mark, linked) = (book.mark(opportunity), !book.referral_of(opportunity).is_empty());
        // A record that a person made as a copy of another names the other's referral, and is left alone.
        let ours = scene.links.opportunity_of(book.referral_of(opportunity)) == Some(id.as_str());
        if linked && ours && book.audit(opportunity).is_empty() {
            let text = format!("{deal} is linked, but its Audit trail is empty");
            findings.add(Finding::new(Code::Audited, at, Some(deal), text));
        }
        if apart.iter().any(|finding| finding.deal.as_deref() == Some(deal)) {
            continue;
        }
        // Nobody else's connector is asked for it.
        let asked_for = ours && !scene.header.external;
        if linked && asked_for && opportunity.text(link_column(scene.header.crm)).is_empty() {
            let text = format!("{deal} is linked, but its Referral Link is empty");
            findings.add(Finding::new(Code::Audited, at, Some(deal), text));
        }
        let Some(expected) = expected_mark(id, opportunity, scene) else {
            continue;
        };
        // A seller may type a mark where the setting shows none.
        let typed = {
            let writes = scene.board.last_writes(id, book.column(Field::Name));
            expected == Mark::None && writes.others > writes.connector
        };
        if mark != expected && mark != Mark::Stacked && !typed {
            let text = format!("the name of {deal} does not show how its last sync ended");
            findings.add(Finding::new(Code::Audited, at, Some(deal), text).comparing(expected.name(), mark.name()));
        }
    }
}

/// The mark that the name of a deal must carry, where the records alone say so.
fn expected_mark(id: &str, opportunity: &Record, scene: &Scene<'_>) -> Option<Mark> {
    let book = &scene.board.book;
    let standing = book.crm_standing(opportunity);
    if book.referral_of(opportunity).is_empty() {
        // Synced and open, and not in Partner Center: something is missing.
        let failed = standing == Standing::Open && !book.audit(opportunity).is_empty();
        return failed.then_some(shown(Mark::Cross, scene));
    }
    let referral = book.referrals.get(book.referral_of(opportunity))?;
    let ours = scene.links.opportunity_of(book.referral_of(opportunity)) == Some(id);
    if !ours || pc_standing(referral).is_closed() {
        return None;
    }
    let asked = !opportunity.text(help_column(scene.header.crm)).is_empty()
        || opportunity.get(help_column(scene.header.crm)).is_i64();
    // Without any solution nothing more can be sent; who notices that, and when, the records do not say.
    if standing == Standing::Open && book.solutions_in_crm(id).is_empty() {
        return None;
    }
    if asked && help_in_pc(referral).is_none() {
        let both_live = standing == Standing::Open && pc_standing(referral) == Standing::Open;
        return both_live.then_some(shown(Mark::Cross, scene));
    }
    Some(shown(Mark::Check, scene))
}

fn shown(mark: Mark, scene: &Scene<'_>) -> Mark {
    if scene.header.display_check_mark {
        mark
    } else {
        Mark::None
    }
}

/// Whether the connector may write to the record at all.
fn is_judged(opportunity: &Record, scene: &Scene<'_>) -> bool {
    scene.board.book.syncs(opportunity) && !is_locked(opportunity, scene)
}

/// A closed opportunity of Dynamics 365 takes no write (dataverse.md section 6).
fn is_locked(opportunity: &Record, scene: &Scene<'_>) -> bool {
    scene.header.crm == Crm::Dynamics && was_closed(opportunity, scene)
}

fn was_closed(opportunity: &Record, scene: &Scene<'_>) -> bool {
    scene.board.book.crm_standing(opportunity).is_closed()
}

fn audit_column(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "Audit__c",
        Crm::Dynamics => "msft_microsoftpartnercenterreferralsyncaudit",
    }
}

fn link_column(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "Referral_Link__c",
        Crm::Dynamics => "msft_microsoftpartnercenterreferrallink",
    }
}

fn help_column(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "How_can_Microsoft_help__c",
        Crm::Dynamics => "msft_microsoftpartnercenterhelp",
    }
}
