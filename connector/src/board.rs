//! Which deals are known, which are due, which are running.
//!
//! Runs of one deal never overlap: what becomes due while it runs is due again afterwards. It persists nothing itself
//! but says what must be.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::contract::Memory;
use crate::flow::Trigger;
use crate::id::{DealNumber, EngagementId, OpportunityId, ReferralId};
use crate::record::Record;

/// What made a deal due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Causes {
    /// The referral may have changed.
    pub(crate) referral: bool,
    /// The opportunity has changed, or something else asks for a whole run.
    pub(crate) whole: bool,
    /// Microsoft's side may have changed.
    pub(crate) related: bool,
    /// The solutions may have changed.
    pub(crate) solutions: bool,
    /// What came first.
    pub(crate) trigger: Trigger,
}

impl Causes {
    /// A look at the referral first; nothing more when it is as the last run left it.
    pub(crate) fn referral(trigger: Trigger) -> Self {
        Self {
            referral: true,
            whole: false,
            related: false,
            solutions: false,
            trigger,
        }
    }

    /// A look at both records.
    pub(crate) fn whole(trigger: Trigger) -> Self {
        Self {
            referral: false,
            whole: true,
            related: matches!(trigger, Trigger::RelatedWebhook | Trigger::Resubmit | Trigger::TurnedOn),
            solutions: matches!(
                trigger,
                Trigger::SolutionsChange | Trigger::Resubmit | Trigger::TurnedOn
            ),
            trigger,
        }
    }

    /// The same for a further look at both records.
    pub(crate) fn again(self) -> Self {
        Self { whole: true, ..self }
    }

    fn and(self, other: Self) -> Self {
        Self {
            referral: self.referral || other.referral,
            whole: self.whole || other.whole,
            related: self.related || other.related,
            solutions: self.solutions || other.solutions,
            trigger: self.trigger,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Due {
    not_before: Timestamp,
    failures: u32,
    causes: Causes,
}

/// A run that was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) deal: DealNumber,
    pub(crate) causes: Causes,
    /// How often it has failed in a row.
    pub(crate) failures: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Board {
    records: BTreeMap<DealNumber, Record>,
    by_referral: BTreeMap<ReferralId, DealNumber>,
    by_opportunity: BTreeMap<OpportunityId, DealNumber>,
    by_engagement: BTreeMap<EngagementId, DealNumber>,
    due: BTreeMap<DealNumber, Due>,
    queue: BTreeSet<(Timestamp, DealNumber)>,
    running: BTreeSet<DealNumber>,
    /// Other parties' referrals that were traced to a deal. A cache: it is not persisted.
    related: BTreeMap<ReferralId, DealNumber>,
    /// The same by deal.
    relations: BTreeMap<DealNumber, Vec<ReferralId>>,
    /// Other parties' referrals that are being traced.
    tracing: BTreeSet<ReferralId>,
    /// Deals that lack something, and how often they were looked at again since they changed.
    incomplete: BTreeMap<DealNumber, u32>,
    last: u64,
}

/// How many referrals of other parties are traced at the same time.
const MOST_TRACED: usize = 10_000;

pub(crate) fn record_key(deal: DealNumber) -> String {
    format!("deal/{deal:>012}", deal = deal.0)
}

pub(crate) fn due_key(deal: DealNumber) -> String {
    format!("due/{deal:>012}", deal = deal.0)
}

impl Board {
    /// What was persisted, and how many entries of it were unreadable.
    pub(crate) fn load(memory: &Memory, now: Timestamp) -> (Self, usize) {
        let mut board = Self::default();
        let mut unreadable = 0;
        let number = |text: &str| text.parse().ok().map(DealNumber);
        for (key, value) in memory.entries() {
            if let Some(deal) = key.strip_prefix("deal/") {
                match (number(deal), serde_json::from_str::<Record>(value)) {
                    (Some(deal), Ok(record)) => board.put(deal, record),
                    _ => unreadable += 1,
                }
            }
        }
        for (key, _) in memory.entries() {
            if let Some(deal) = key.strip_prefix("due/").and_then(number)
                && board.records.contains_key(&deal)
            {
                board.mark(deal, Causes::whole(Trigger::Start), now);
            }
        }
        (board, unreadable)
    }

    /// Forgets what both sides had agreed on; only a planted bug does.
    pub(crate) fn forget_bases(&mut self) {
        for record in self.records.values_mut() {
            let status = record.base.status;
            record.base = crate::record::Base::default();
            record.base.status = status;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// All records.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// The numbers of all deals.
    pub(crate) fn deals(&self) -> impl Iterator<Item = DealNumber> {
        self.records.keys().copied()
    }

    /// How many deals are due or running.
    pub(crate) fn backlog(&self) -> usize {
        self.due.len() + self.running.len()
    }

    pub(crate) fn record(&self, deal: DealNumber) -> Option<&Record> {
        self.records.get(&deal)
    }

    pub(crate) fn of_referral(&self, id: &ReferralId) -> Option<DealNumber> {
        self.by_referral.get(id).copied()
    }

    pub(crate) fn of_opportunity(&self, id: &OpportunityId) -> Option<DealNumber> {
        self.by_opportunity.get(id).copied()
    }

    pub(crate) fn of_engagement(&self, id: &EngagementId) -> Option<DealNumber> {
        self.by_engagement.get(id).copied()
    }

    pub(crate) fn of_related(&self, id: &ReferralId) -> Option<DealNumber> {
        self.related.get(id).copied()
    }

    /// Remembers to which deal another party's referral belongs.
    pub(crate) fn relate(&mut self, id: ReferralId, deal: DealNumber) {
        if self.related.insert(id.clone(), deal) != Some(deal) {
            self.relations.entry(deal).or_default().push(id);
        }
    }

    /// Notes that another party's referral is being traced; none when as many are as may be, `false` when it is already.
    pub(crate) fn trace(&mut self, id: &ReferralId) -> Option<bool> {
        if self.tracing.contains(id) {
            return Some(false);
        }
        (self.tracing.len() < MOST_TRACED).then(|| self.tracing.insert(id.clone()))
    }

    /// Notes that it is traced no more.
    pub(crate) fn traced(&mut self, id: &ReferralId) {
        self.tracing.remove(id);
    }

    /// Deals that lack something and were looked at again fewer times than this.
    pub(crate) fn look_again(&mut self, fewer_than: u32) -> Vec<DealNumber> {
        let mut again = Vec::new();
        for (deal, looks) in &mut self.incomplete {
            if *looks < fewer_than {
                *looks = looks.saturating_add(1);
                again.push(*deal);
            }
        }
        again
    }

    /// A number for a new deal.
    pub(crate) fn next(&mut self) -> DealNumber {
        self.last += 1;
        DealNumber(self.last)
    }

    /// Keeps a record and what it is found by.
    pub(crate) fn put(&mut self, deal: DealNumber, record: Record) {
        self.last = self.last.max(deal.0);
        if let Some(id) = record.referral.clone().or_else(|| record.claim.clone()) {
            self.by_referral.insert(id, deal);
        }
        if let Some(id) = record.opportunity.clone() {
            self.by_opportunity.insert(id, deal);
        }
        if let Some(id) = record.engagement.clone() {
            self.by_engagement.insert(id, deal);
        }
        if record.outcome.lacks_something() {
            self.incomplete.entry(deal).or_default();
        } else {
            self.incomplete.remove(&deal);
        }
        self.records.insert(deal, record);
    }

    /// Forgets a deal that turned out to be another one.
    pub(crate) fn forget(&mut self, deal: DealNumber) {
        let record = self.records.remove(&deal).unwrap_or_default();
        // A name that another deal has taken meanwhile stays its own.
        for id in [record.referral, record.claim].into_iter().flatten() {
            if self.by_referral.get(&id) == Some(&deal) {
                self.by_referral.remove(&id);
            }
        }
        if let Some(id) = record
            .opportunity
            .filter(|id| self.by_opportunity.get(id) == Some(&deal))
        {
            self.by_opportunity.remove(&id);
        }
        if let Some(id) = record.engagement.filter(|id| self.by_engagement.get(id) == Some(&deal)) {
            self.by_engagement.remove(&id);
        }
        for id in self.relations.remove(&deal).unwrap_or_default() {
            if self.related.get(&id) == Some(&deal) {
                self.related.remove(&id);
            }
        }
        self.incomplete.remove(&deal);
        if let Some(due) = self.due.remove(&deal) {
            self.queue.remove(&(due.not_before, deal));
        }
    }

    /// Makes a deal due; whether it was not. A deal that waits after a failure goes on waiting.
    pub(crate) fn mark(&mut self, deal: DealNumber, causes: Causes, now: Timestamp) -> bool {
        if let Some(due) = self.due.get_mut(&deal) {
            due.causes = due.causes.and(causes);
            return false;
        }
        self.wait(deal, causes, now, 0);
        true
    }

    /// Makes a deal due at once, even if it waits after a failure; whether it was not due at all.
    pub(crate) fn hasten(&mut self, deal: DealNumber, causes: Causes, now: Timestamp) -> bool {
        let Some(due) = self.due.remove(&deal) else {
            return self.mark(deal, causes, now);
        };
        self.queue.remove(&(due.not_before, deal));
        self.wait(deal, causes.and(due.causes), now, 0);
        false
    }

    fn wait(&mut self, deal: DealNumber, causes: Causes, not_before: Timestamp, failures: u32) {
        let due = Due {
            not_before,
            failures,
            causes,
        };
        self.due.insert(deal, due);
        self.queue.insert((not_before, deal));
    }

    /// Starts the run that has waited longest, if one may start.
    pub(crate) fn start(&mut self, now: Timestamp, at_most: usize) -> Option<Started> {
        if self.running.len() >= at_most {
            return None;
        }
        let free = |(at, deal): &&(Timestamp, DealNumber)| *at <= now && !self.running.contains(deal);
        let (at, deal) = *self.queue.iter().take_while(|(at, _)| *at <= now).find(free)?;
        self.queue.remove(&(at, deal));
        let due = self.due.remove(&deal)?;
        self.running.insert(deal);
        Some(Started {
            deal,
            causes: due.causes,
            failures: due.failures,
        })
    }

    /// Ends a run. With a time it is tried again then. Whether the deal is not due any more.
    pub(crate) fn finish(&mut self, started: Started, again: Option<Timestamp>) -> bool {
        let deal = started.deal;
        self.running.remove(&deal);
        if !self.records.contains_key(&deal) {
            return true;
        }
        if let Some(not_before) = again {
            // Somewhere in between anything may have changed: the next attempt looks at both sides.
            let mut causes = started.causes.again();
            if let Some(due) = self.due.remove(&deal) {
                self.queue.remove(&(due.not_before, deal));
                causes = causes.and(due.causes);
            }
            self.wait(deal, causes, not_before, started.failures.saturating_add(1));
        }
        !self.due.contains_key(&deal)
    }

    /// When the last run may start that is waited for.
    pub(crate) fn last_start(&self) -> Option<Timestamp> {
        self.queue.iter().next_back().map(|(at, _)| *at)
    }

    /// When the next run may start, if one may.
    pub(crate) fn next_start(&self, at_most: usize) -> Option<Timestamp> {
        if self.running.len() >= at_most {
            return None;
        }
        let free = self.queue.iter().find(|(_, deal)| !self.running.contains(deal));
        free.map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_deal_that_becomes_due_while_it_runs_is_due_again_afterwards() {
        let mut board = Board::default();
        let deal = board.next();
        board.put(deal, Record::default());
        assert!(board.mark(deal, Causes::referral(Trigger::Webhook), moment(0)));
        assert!(!board.mark(deal, Causes::whole(Trigger::CrmChange), moment(0)));
        let started = board.start(moment(0), 4).unwrap();
        assert_eq!(
            started.causes,
            Causes {
                referral: true,
                whole: true,
                related: false,
                solutions: false,
                trigger: Trigger::Webhook
            }
        );
        assert!(board.mark(deal, Causes::referral(Trigger::Webhook), moment(1)));
        assert!(board.start(moment(1), 4).is_none());
        assert!(!board.finish(started, None));
        let started = board.start(moment(1), 4).unwrap();
        assert!(board.finish(started, None));
    }

    #[test]
    fn a_failed_run_waits_and_what_comes_meanwhile_does_not_shorten_it() {
        let mut board = Board::default();
        let deal = board.next();
        board.put(deal, Record::default());
        board.mark(deal, Causes::whole(Trigger::CrmChange), moment(0));
        let started = board.start(moment(0), 1).unwrap();
        assert!(!board.finish(started, Some(moment(60))));
        board.mark(deal, Causes::referral(Trigger::Webhook), moment(1));
        assert!(board.start(moment(59), 1).is_none());
        assert_eq!(board.next_start(1), Some(moment(60)));
        assert_eq!(board.start(moment(60), 1).unwrap().failures, 1);
    }

    #[test]
    fn memory_brings_records_and_due_marks_back() {
        let mut memory = Memory::default();
        let record = Record {
            referral: Some(ReferralId::new("r")),
            ..Record::default()
        };
        memory.apply(record_key(DealNumber(7)), serde_json::to_string(&record).ok());
        memory.apply(due_key(DealNumber(7)), Some("1".to_owned()));
        memory.apply(record_key(DealNumber(8)), Some("{".to_owned()));
        let (mut board, unreadable) = Board::load(&memory, moment(0));
        assert_eq!(
            (board.of_referral(&ReferralId::new("r")), unreadable),
            (Some(DealNumber(7)), 1)
        );
        assert_eq!(board.next(), DealNumber(8));
        assert!(board.start(moment(0), 1).is_some());
    }
}
