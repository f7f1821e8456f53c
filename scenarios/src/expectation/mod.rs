//! What a scenario asks for at a step, held against what both sides show at that moment.
//!
//! It reads the board and what was before; invariants, which hold for every run, stand in [`crate::invariant`].

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use crate::board::Board;
use crate::calls;
use crate::invariant::{self, Code, Finding};
use crate::money;
use crate::plan::Plan;
use crate::record::{Field, Mark, Record, Standing, canonical, is_microsoft_side, visible_in_pc};
use crate::scenario::Crm;
use crate::scenario::act::{
    self, Act, Call, Counted, Expectation, ExpectedOpportunity, ExpectedReferral, ExpectedStage, Money, Wanted,
};
use crate::trace::{Entry, Header, What};

/// What the fields of a record show.
mod seen;
/// What a value must be like.
mod wanted;

/// Over a stretch of time.
pub(crate) mod watching;

pub(crate) use seen::Seen;

/// What was before the moment at which an expectation looks.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    crm: Crm,
    /// The codes of the connector's decisions.
    decided: BTreeSet<String>,
    /// How often each kind of call has left that something asks for.
    calls: Vec<(Call, usize)>,
    /// Values by the names under which they are remembered.
    pub(crate) remembered: BTreeMap<String, String>,
}

impl Past {
    /// Before anything happened.
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut calls: Vec<(Call, usize)> = Vec::new();
        for call in plan.steps.iter().filter_map(|step| asked_for(&step.act)) {
            if calls.iter().all(|(known, _)| *known != call) {
                calls.push((call, 0));
            }
        }
        Self {
            crm: plan.crm,
            decided: BTreeSet::new(),
            calls,
            remembered: BTreeMap::new(),
        }
    }

    /// Takes one entry in.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        match &entry.what {
            What::Decided(decided) if !self.decided.contains(&decided.code) => {
                self.decided.insert(decided.code.clone());
            }
            What::Observed(Observed::Sent { site, request, .. }) => {
                for (call, times) in &mut self.calls {
                    let path = calls::path_of(&request.url);
                    let wire = (*site, request.method.as_str(), path, &request.body.bytes()[..]);
                    *times += usize::from(calls::is(*call, self.crm, wire));
                }
            }
            _ => {}
        }
    }

    /// How often a kind of call has left.
    fn times(&self, call: Call) -> usize {
        let found = self.calls.iter().find(|(known, _)| *known == call);
        found.map_or(0, |(_, times)| *times)
    }
}

/// The kind of call that an act asks for.
fn asked_for(act: &Act) -> Option<Call> {
    match act {
        Act::Expect(Expectation::Calls { call, .. }) => Some(*call),
        Act::Watch(_, expected) => match **expected {
            Expectation::Calls { call, .. } => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// Looks at both sides for one expectation.
pub(crate) struct Eye<'a> {
    /// What was run.
    pub(crate) header: &'a Header,
    /// What was before.
    pub(crate) past: &'a Past,
    /// Both sides at the moment of the step.
    pub(crate) board: &'a Board,
    /// The moment.
    pub(crate) at: Timestamp,
    /// The step's number.
    pub(crate) step: usize,
    /// The deal that the step names.
    pub(crate) deal: Option<&'a str>,
    /// Where to put what is not as expected.
    pub(crate) findings: &'a mut Vec<Finding>,
}

impl Eye<'_> {
    /// Looks.
    pub(crate) fn look(&mut self, expected: &Expectation) {
        match expected {
            Expectation::InCrm(fields) => self.in_crm(fields),
            Expectation::InPartnerCenter(fields) => self.in_partner_center(fields),
            Expectation::NoneInCrm => {
                let found = self.deal.map_or(0, |deal| self.board.opportunities_of(deal).count());
                self.compare(None, "the number of the deal's opportunities", &0, &found);
            }
            Expectation::NoneInPartnerCenter => {
                let found = self.deal.map_or(0, |deal| self.board.referrals_of(deal).count());
                self.compare(None, "the number of the deal's referrals", &0, &found);
            }
            Expectation::Count {
                opportunities,
                referrals,
            } => self.count(*opportunities, *referrals),
            Expectation::Counts(counts) => {
                for (counted, wanted) in counts {
                    let (words, found) = self.counted(*counted);
                    let what = format!("the number of {words}");
                    self.like(Some(words), &what, wanted, &Seen::Number(found));
                }
            }
            Expectation::Calls { call, times } => {
                let found = self.past.times(*call);
                let what = format!("the number of calls `{}`", calls::name(*call));
                self.like(Some("times"), &what, times, &Seen::Number(found));
            }
            Expectation::Converged => {
                for mut finding in invariant::converged_now(self.header, self.board, self.at) {
                    finding.step = Some(self.step);
                    self.findings.push(finding);
                }
            }
            Expectation::Decision(code) => {
                if !self.past.decided.contains(code) {
                    let text = format!("the connector never decided `{code}`");
                    self.miss(None, code, "no such decision", text);
                }
            }
        }
    }

    fn in_crm(&mut self, fields: &ExpectedOpportunity) {
        let deal = self.deal.unwrap_or_default();
        match self.board.opportunities_of(deal).next() {
            Some((id, record)) => {
                self.opportunity(fields, record);
                for (field, wanted) in &fields.further {
                    let seen = seen::in_crm(&self.board.book, id, record, field);
                    self.like(Some(field), &seen::words(field), wanted, &seen);
                }
            }
            None => self.miss(
                None,
                "an opportunity in the CRM",
                "none",
                format!("{deal} is not in the CRM"),
            ),
        }
    }

    fn in_partner_center(&mut self, fields: &ExpectedReferral) {
        let deal = self.deal.unwrap_or_default();
        if let Some((_, record)) = self.board.referrals_of(deal).next() {
            self.referral(fields, record);
            for (field, wanted) in &fields.further {
                let seen = seen::in_pc(&self.board.book, record, field);
                self.like(Some(field), &seen::words(field), wanted, &seen);
            }
        } else {
            let text = format!("{deal} is not in Partner Center");
            self.miss(None, "a referral in Partner Center", "none", text);
        }
    }

    fn count(&mut self, opportunities: Option<u32>, referrals: Option<u32>) {
        if let Some(wanted) = opportunities {
            let found = self.board.book.opportunities.len();
            self.compare(
                Some("opportunities"),
                "the number of opportunities",
                &(wanted as usize),
                &found,
            );
        }
        if let Some(wanted) = referrals {
            let found = self.board.book.partner_referrals().count();
            self.compare(Some("referrals"), "the number of referrals", &(wanted as usize), &found);
        }
    }

    fn counted(&self, counted: Counted) -> (&'static str, usize) {
        let book = &self.board.book;
        match counted {
            Counted::Opportunities => ("opportunities", book.opportunities.len()),
            Counted::Referrals => ("referrals", book.partner_referrals().count()),
            Counted::MicrosoftReferrals => {
                let microsofts = book.referrals.values().filter(|record| is_microsoft_side(record));
                ("microsoft referrals", microsofts.count())
            }
            Counted::Accounts => ("accounts", book.count_of("Account", "account")),
            Counted::Contacts => ("contacts", book.count_of("Contact", "contact")),
            Counted::Leads => ("leads", book.count_of("Lead", "lead")),
        }
    }

    /// Holds what a field shows against what it must be like.
    fn like(&mut self, field: Option<&str>, what: &str, wanted: &Wanted, seen: &Seen) {
        if let Err(expected) = wanted::check(wanted, seen, &self.past.remembered) {
            let text = format!("{what} is not as expected");
            self.miss(field, &expected, &seen.shown(), text);
        }
    }

    fn opportunity(&mut self, wanted: &ExpectedOpportunity, record: &Record) {
        let book = &self.board.book;
        let value = |field| book.crm_value(record, field);
        let (name, notes, closes) = (value(Field::Name), value(Field::Notes), value(Field::Closes));
        let money = (value(Field::Value), value(Field::Currency));
        let standing = book.crm_standing(record);
        let stage = book.crm_stage(record);
        let (sync, linked) = (book.syncs(record), !book.referral_of(record).is_empty());
        let (mark, audit) = (book.mark(record), book.audit(record).to_owned());
        self.shared_fields(&SharedFields {
            name: (wanted.name.as_ref(), name),
            notes: (wanted.notes.as_ref(), notes),
            closes: (wanted.closes.map(|date| date.to_string()), closes),
            value: (wanted.value.as_ref(), money),
        });
        if let Some(wanted) = &wanted.stage {
            self.stage(wanted, standing, &stage);
        }
        if let Some(wanted) = wanted.sync {
            self.compare(Some("sync"), "Sync with Partner Center", &yes_no(wanted), &yes_no(sync));
        }
        if let Some(wanted) = wanted.linked {
            self.compare(
                Some("linked"),
                "the link to a referral",
                &yes_no(wanted),
                &yes_no(linked),
            );
        }
        let visible = book.visible_in_crm(record);
        if let Some(wanted) = wanted.visible {
            self.compare(
                Some("visible"),
                "visibility to Microsoft",
                &yes_no(wanted),
                &yes_no(visible),
            );
        }
        let wanted_mark = wanted.mark.map(|mark| match mark {
            act::Mark::None => Mark::None,
            act::Mark::Check => Mark::Check,
            act::Mark::Cross => Mark::Cross,
        });
        if let Some(wanted) = wanted_mark {
            self.compare(Some("mark"), "the mark in the name", &wanted.name(), &mark.name());
        }
        if let Some(wanted) = &wanted.audit
            && !audit.contains(wanted.as_str())
        {
            let text = "the Audit trail does not contain the expected text".to_owned();
            self.miss(
                Some("audit"),
                wanted,
                if audit.is_empty() { "(empty)" } else { &audit },
                text,
            );
        }
    }

    fn stage(&mut self, wanted: &ExpectedStage, standing: Standing, stage: &str) {
        let wanted_standing = match wanted {
            ExpectedStage::OnHold => Standing::Held,
            ExpectedStage::Active => Standing::Open,
            ExpectedStage::Won => Standing::Won,
            ExpectedStage::Lost => Standing::Lost,
            ExpectedStage::Named(name) => {
                self.compare(Some("stage"), "the stage", &name.as_str(), &stage);
                return;
            }
        };
        if wanted_standing != standing {
            let text = "the stage is not the expected one".to_owned();
            self.miss(
                Some("stage"),
                wanted_standing.name(),
                &format!("{} ({stage})", standing.name()),
                text,
            );
        }
    }

    fn referral(&mut self, wanted: &ExpectedReferral, record: &Record) {
        let book = &self.board.book;
        let value = |field| book.pc_value(record, field);
        let (name, notes, closes) = (value(Field::Name), value(Field::Notes), value(Field::Closes));
        let money = (value(Field::Value), value(Field::Currency));
        let engagement = record.text("/engagementId");
        let shared = book
            .referrals
            .values()
            .any(|other| is_microsoft_side(other) && other.text("/engagementId") == engagement);
        let (status, substatus) = (record.text("/status"), record.text("/substatus"));
        let visible = visible_in_pc(record);
        self.shared_fields(&SharedFields {
            name: (wanted.name.as_ref(), name),
            notes: (wanted.notes.as_ref(), notes),
            closes: (wanted.closes.map(|date| date.to_string()), closes),
            value: (wanted.value.as_ref(), money),
        });
        if let Some(wanted) = &wanted.status {
            self.compare(Some("status"), "the status", &wanted.as_str(), &status);
        }
        if let Some(wanted) = &wanted.substatus {
            self.compare(Some("substatus"), "the substatus", &wanted.as_str(), &substatus);
        }
        if let Some(wanted) = wanted.shared {
            self.compare(
                Some("shared"),
                "Microsoft's side of the engagement",
                &yes_no(wanted),
                &yes_no(shared),
            );
        }
        if let Some(wanted) = wanted.visible {
            self.compare(
                Some("visible"),
                "visibility to Microsoft",
                &yes_no(wanted),
                &yes_no(visible),
            );
        }
    }

    fn shared_fields(&mut self, fields: &SharedFields<'_>) {
        for (field, what, (wanted, found)) in [
            ("name", "the name", &fields.name),
            ("notes", "the notes", &fields.notes),
        ] {
            if let Some(wanted) = wanted {
                let found = found.clone().unwrap_or_default();
                self.compare(Some(field), what, &wanted.as_str(), &found.as_str());
            }
        }
        if let Some(wanted) = &fields.closes.0 {
            let found = fields.closes.1.clone().unwrap_or_else(|| "no date".to_owned());
            self.compare(Some("closes"), "the closing date", wanted, &found);
        }
        if let Some(wanted) = fields.value.0 {
            let (minor, currency) = &fields.value.1;
            let found_currency = currency.clone().unwrap_or_default();
            let wanted_minor = canonical(Field::Value, &serde_json::json!(wanted.amount), &wanted.currency);
            if (&wanted_minor, &wanted.currency) != (minor, &found_currency) {
                let found = minor
                    .as_deref()
                    .map_or_else(|| "no value".to_owned(), |minor| money::show(minor, &found_currency));
                let wanted = money::show(&wanted_minor.unwrap_or_default(), &wanted.currency);
                self.miss(
                    Some("value"),
                    &wanted,
                    &found,
                    "the deal value is not the expected one".to_owned(),
                );
            }
        }
    }

    fn compare<T: PartialEq + std::fmt::Display>(&mut self, field: Option<&str>, what: &str, wanted: &T, found: &T) {
        if wanted != found {
            self.miss(
                field,
                &wanted.to_string(),
                &found.to_string(),
                format!("{what} is not the expected one"),
            );
        }
    }

    fn miss(&mut self, field: Option<&str>, wanted: &str, found: &str, text: String) {
        let mut finding = Finding::new(Code::Expectation, self.at, self.deal, text).comparing(wanted, found);
        finding.step = Some(self.step);
        finding.field = field.map(str::to_owned);
        self.findings.push(finding);
    }
}

/// The fields that both sides have: what is wanted, what is found.
struct SharedFields<'a> {
    name: (Option<&'a String>, Option<String>),
    notes: (Option<&'a String>, Option<String>),
    closes: (Option<String>, Option<String>),
    value: (Option<&'a Money>, (Option<String>, Option<String>)),
}

fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
