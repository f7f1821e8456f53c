//! `converged`: after heal and settle both sides agree, by the ten rules of the design.
//!
//! Computed from stored rows, the commits that led to them, and the settings. Where a rule needs to know who wrote a
//! field last, it asks the commits; it never asks the connector.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Code, Finding, Findings, Invariant, Scene, end_of};
use crate::board::Board;
use crate::money;
use crate::record::{
    Field, Record, Standing, help_in_pc, help_words, is_microsoft_side, pc_standing, visibility_column, visible_in_pc,
};
use crate::scenario::Crm;
use crate::trace::{Header, Trace};

pub(super) const EXPLANATION: &str = "After all faults are healed and the run has settled, both sides agree.

It reads the stored rows of both systems and the settings, never the connector. Names are compared without marks, amounts in \
units of their currency, closing dates as days. Live deals agree in each field that goes both ways, and where both sides had \
changed one, the policy's winner won. One-way fields follow their owner, unless the receiver was edited later. Deals on hold \
keep what the CRM edited. Deals with Sync = No need not agree. Closed deals are closed alike; where both were closed \
differently, Partner Center wins. Microsoft's number, the help that is wanted and, for a live deal, the solutions are the same \
on both sides; who is asked for help is invited. A deal that one side alone has, without a reason that the records show, is `nothing-lost`.

`expect: converged` asks the same at a step of a scenario.";

/// Looks only at the end.
pub(super) struct Converged;

impl Invariant for Converged {
    fn finish(&mut self, trace: &Trace, scene: &Scene<'_>, findings: &mut Findings) {
        // A run that never settles is `quiet`'s to report; this one speaks of the end that it reached.
        check(&trace.header, scene.board, end_of(trace), findings);
    }
}

/// Looks at every deal on both sides.
pub(super) fn check(header: &Header, board: &Board, at: Timestamp, findings: &mut Findings) {
    let check = Check { header, board, at };
    for (id, referral) in board.book.partner_referrals() {
        check.referral(id, referral, findings);
    }
    for (id, opportunity) in &board.book.opportunities {
        check.unlinked_opportunity(id, opportunity, findings);
    }
}

struct Check<'a> {
    header: &'a Header,
    board: &'a Board,
    at: Timestamp,
}

/// A referral and the opportunity that it is linked to.
struct Pair<'a> {
    referral_id: &'a str,
    referral: &'a Record,
    opportunity_id: &'a str,
    opportunity: &'a Record,
}

impl<'a> Check<'a> {
    fn referral(&self, id: &'a str, referral: &'a Record, findings: &mut Findings) {
        let named = referral.text("/externalReferenceId");
        let linked = self.board.book.opportunities.iter();
        let linked = linked.filter(|(_, opportunity)| self.board.book.referral_of(opportunity) == id);
        let Some((opportunity_id, opportunity)) = linked.into_iter().next() else {
            self.unlinked_referral(id, referral, findings);
            return;
        };
        let pair = Pair {
            referral_id: id,
            referral,
            opportunity_id,
            opportunity,
        };
        if named != opportunity_id && self.board.book.syncs(opportunity) && !pc_standing(referral).is_closed() {
            let text = format!("{} is linked on the CRM's side only", self.name(&pair));
            self.add(&pair, text, findings, Some((opportunity_id, named)));
        }
        self.pair(&pair, findings);
    }

    /// Rule 8: a referral may stay without an opportunity only for a reason that the rows show.
    fn unlinked_referral(&self, id: &str, referral: &Record, findings: &mut Findings) {
        let named = referral.text("/externalReferenceId");
        let closed = pc_standing(referral).is_closed();
        let dangling = !named.is_empty() && !self.board.book.opportunities.contains_key(named);
        let qualification = referral.text("/qualification");
        let is_lead = referral.text("/type") != "Shared" && matches!(qualification, "Direct" | "MarketingQualified");
        let filtered = self.header.sync_cosell_only && is_lead;
        let private = self.board.book.opportunities.get(named).is_some_and(|opportunity| {
            // The seller took it back before the link was written, or the record could not be written any more.
            !self.board.book.syncs(opportunity) || self.board.book.crm_standing(opportunity).is_closed()
        });
        // A lead waits in the CRM as one until it is accepted, and until it has what an opportunity needs.
        let tables = ["Lead", "lead"].into_iter();
        let mut leads = tables
            .filter_map(|table| self.board.book.others.get(table))
            .flat_map(BTreeMap::values);
        let waits = is_lead
            && (pc_standing(referral) == Standing::Held
                || referral.get(Field::Value.pointer()).is_null()
                || referral.get(Field::Closes.pointer()).is_null())
            && leads.any(|lead| {
                lead.fields()
                    .any(|(_, value)| value.as_str().is_some_and(|text| text.contains(id)))
            });
        // Its opportunity was made, and deleted before the referral could name it.
        let mut known = self.board.ids_of(self.board.name_of(id));
        let deleted = known.any(|known| self.board.deleted.contains(known));
        // It claims a record that belongs to another referral: one of the two has it (`one-to-one` looks at who wrote the claim).
        let claimed = self.board.book.opportunities.get(named).is_some_and(|opportunity| {
            let other = self.board.book.referral_of(opportunity);
            other != id && self.board.book.referrals.contains_key(other)
        });
        if closed || dangling || filtered || private || waits || deleted || claimed {
            return;
        }
        let deal = self.board.name_of(id);
        let text = format!("the referral of {deal} never reached the CRM, and nothing in the records says why");
        let finding = Finding::new(Code::NothingLost, self.at, Some(deal), text);
        findings.add(finding.comparing("one opportunity that names the referral", "none"));
    }

    /// Rule 8, from the CRM's side.
    fn unlinked_opportunity(&self, id: &str, opportunity: &Record, findings: &mut Findings) {
        let referral = self.board.book.referral_of(opportunity);
        let dangling = !referral.is_empty() && !self.board.book.referrals.contains_key(referral);
        let standing = self.board.book.crm_standing(opportunity);
        // A missing piece (product.md M13) shows as an Audit trail.
        let explained = !self.board.book.audit(opportunity).is_empty();
        let expected_alone = !self.board.book.syncs(opportunity) || standing != Standing::Open || explained;
        if (referral.is_empty() && expected_alone) || dangling || !referral.is_empty() {
            return;
        }
        let deal = self.board.name_of(id);
        let text =
            format!("the opportunity of {deal} never reached Partner Center, and its Audit trail does not say why");
        let finding = Finding::new(Code::NothingLost, self.at, Some(deal), text);
        findings.add(finding.comparing("one referral that names the opportunity", "none"));
    }

    fn pair(&self, pair: &Pair<'a>, findings: &mut Findings) {
        if !self.board.book.syncs(pair.opportunity) {
            return; // Rule 6.
        }
        let in_pc = pc_standing(pair.referral);
        let in_crm = self.board.book.crm_standing(pair.opportunity);
        if in_pc.is_closed() || in_crm.is_closed() {
            self.closed(pair, in_pc, in_crm, findings);
            return;
        }
        let standing_agrees = in_pc == in_crm
            // A live deal that its seller put on hold: Partner Center has no such state.
            || (in_pc == Standing::Open && in_crm == Standing::Held && self.seller_moved_last(pair));
        if !standing_agrees {
            let text = format!("{} stands differently on both sides", self.name(pair));
            self.add(pair, text, findings, Some((in_pc.name(), in_crm.name())));
        }
        for field in Field::ALL {
            self.field(pair, field, in_crm == Standing::Held, findings);
        }
        self.visibility(pair, findings);
        self.microsofts(pair, (in_pc, in_crm), findings);
    }

    /// Rule 7.
    fn closed(&self, pair: &Pair<'a>, in_pc: Standing, in_crm: Standing, findings: &mut Findings) {
        if in_pc == in_crm {
            return;
        }
        // Only what was closed can be opened again, and only the closing that came before is excused by it.
        let closed_in_pc = self.board.last_writes(pair.referral_id, "/status").others;
        let reopened = self.board.reopened(pair.opportunity_id);
        if in_pc.is_closed() && reopened.is_some_and(|reopened| Some(reopened) > closed_in_pc) {
            return;
        }
        let text = format!("{} is closed differently on both sides", self.name(pair));
        self.add(pair, text, findings, Some((in_pc.name(), in_crm.name())));
    }

    /// Rules 3, 4 and 5.
    fn field(&self, pair: &Pair<'a>, field: Field, held: bool, findings: &mut Findings) {
        let in_pc = self.board.book.pc_value(pair.referral, field);
        let in_crm = self.board.book.crm_value(pair.opportunity, field);
        if in_pc == in_crm {
            return;
        }
        let crm_writes = self.crm_writes(pair, field);
        let pc_writes = self.board.last_writes(pair.referral_id, field.pointer());
        let mut crm_edited = crm_writes.others > crm_writes.connector || (held && crm_writes.others.is_some());
        let other = match field {
            Field::Currency => Some(Field::Value),
            Field::Value => Some(Field::Currency),
            Field::Name | Field::Closes | Field::Notes => None,
        };
        // An amount waits with its currency, and a currency with its amount.
        let waits = |other| self.crm_writes(pair, other).others.is_some();
        crm_edited |= held && other.is_some_and(waits);
        let by_direction = match direction(field, self.header) {
            Direction::Both => false,
            // The receiver was edited after the owner's last edit: the local value stands.
            Direction::ToPartnerCenter => {
                pc_writes.others > pc_writes.connector && pc_writes.others > crm_writes.others
            }
            Direction::ToCrm => crm_edited && crm_writes.others > pc_writes.others,
            Direction::Nowhere => true,
        };
        let excused = by_direction || (held && crm_edited);
        if excused {
            return;
        }
        let deal = self.name(pair);
        let text = format!("{} of {deal} differs between Partner Center and the CRM", field.name());
        let finding = Finding::new(Code::Converged, self.at, Some(deal), text);
        let currency_in_pc = self.board.book.pc_value(pair.referral, Field::Currency);
        let currency_in_crm = self.board.book.crm_value(pair.opportunity, Field::Currency);
        findings.add(finding.comparing(
            format!("{} in Partner Center", shown(field, in_pc, currency_in_pc)),
            format!("{} in the CRM", shown(field, in_crm, currency_in_crm)),
        ));
    }

    fn crm_writes(&self, pair: &Pair<'a>, field: Field) -> crate::board::LastWrites {
        self.board
            .last_writes(pair.opportunity_id, self.board.book.column(field))
    }

    /// Whether the last move of the opportunity's stage or state was a person's.
    fn seller_moved_last(&self, pair: &Pair<'a>) -> bool {
        let columns: &[&str] = match self.header.crm {
            Crm::Salesforce => &["StageName"],
            Crm::Dynamics => &["statecode", "statuscode"],
        };
        columns.iter().any(|column| {
            let writes = self.board.last_writes(pair.opportunity_id, column);
            writes.others > writes.connector
        })
    }

    /// Rule 9.
    fn visibility(&self, pair: &Pair<'a>, findings: &mut Findings) {
        let in_crm = self.board.book.visible_in_crm(pair.opportunity);
        let in_pc = visible_in_pc(pair.referral) || help_in_pc(pair.referral).is_some();
        // While on hold nothing of the CRM leaves (rule 5).
        let held = self.board.book.crm_standing(pair.opportunity) == Standing::Held;
        if in_crm && !in_pc && !held {
            let text = format!("{} is visible to Microsoft in the CRM only", self.name(pair));
            self.add(pair, text, findings, None);
        }
        // A seller who takes it back is put right.
        let taken_back = self
            .board
            .last_writes(pair.opportunity_id, visibility_column(self.header.crm));
        if visible_in_pc(pair.referral) && !in_crm && taken_back.others > taken_back.connector {
            let text = format!("{} is hidden from Microsoft in the CRM only", self.name(pair));
            self.add(pair, text, findings, None);
        }
    }

    /// What Microsoft has to do with the deal: its number, its part in the engagement, the help that is wanted of it.
    fn microsofts(&self, pair: &Pair<'a>, (in_pc, in_crm): (Standing, Standing), findings: &mut Findings) {
        let book = &self.board.book;
        let (number, known) = (
            pair.referral.text("/trackingInfo/microsoftMsxId"),
            book.msx_id_in_crm(pair.opportunity),
        );
        if !number.is_empty() && number != known {
            let text = format!(
                "the number in Microsoft's own CRM of {} did not reach the CRM",
                self.name(pair)
            );
            self.add(pair, text, findings, Some((number, known)));
        }
        let Some(help) = help_in_pc(pair.referral).filter(|_| (in_pc, in_crm) == (Standing::Open, Standing::Open))
        else {
            return;
        };
        let engagement = pair.referral.text("/engagementId");
        let mut others = book.referrals.values();
        if !others.any(|other| is_microsoft_side(other) && other.text("/engagementId") == engagement) {
            let text = format!("{} asks for help, and Microsoft was never invited", self.name(pair));
            self.add(pair, text, findings, None);
        }
        let (wanted, shown) = (help_words(help), book.help_in_crm(pair.opportunity));
        if wanted != shown {
            let text = format!(
                "the help for {} differs between Partner Center and the CRM",
                self.name(pair)
            );
            self.add(pair, text, findings, Some((&wanted, &shown)));
        }
    }

    fn name(&self, pair: &Pair<'a>) -> &'a str {
        let by_opportunity = self.board.name_of(pair.opportunity_id);
        if by_opportunity == pair.opportunity_id {
            self.board.name_of(pair.referral_id)
        } else {
            by_opportunity
        }
    }

    fn add(&self, pair: &Pair<'a>, text: String, findings: &mut Findings, compared: Option<(&str, &str)>) {
        let mut finding = Finding::new(Code::Converged, self.at, Some(self.name(pair)), text);
        if let Some((expected, actual)) = compared {
            finding = finding.comparing(format!("{expected} in Partner Center"), format!("{actual} in the CRM"));
        }
        findings.add(finding);
    }
}

/// A value as people write it: amounts are compared in minor units.
fn shown(field: Field, value: Option<String>, currency: Option<String>) -> String {
    match (field, value) {
        (_, None) => "nothing".to_owned(),
        (Field::Value, Some(minor)) => money::show(&minor, &currency.unwrap_or_default()),
        (_, Some(value)) => value,
    }
}

/// Where an edit of a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Either way.
    Both,
    /// From the CRM to Partner Center.
    ToPartnerCenter,
    /// From Partner Center to the CRM.
    ToCrm,
    /// Nowhere, once both records are there.
    Nowhere,
}

/// The direction of a field: its own, else that of the profile (product.md M18). The currency goes with its value.
pub(crate) fn direction(field: Field, header: &Header) -> Direction {
    let key = if field == Field::Currency { Field::Value } else { field };
    match header.directions.get(key.name()).map(String::as_str) {
        Some("both") => return Direction::Both,
        Some("pc to crm") => return Direction::ToCrm,
        Some("crm to pc") => return Direction::ToPartnerCenter,
        Some(_) => return Direction::Nowhere,
        None => {}
    }
    match (field, header.profile.as_str()) {
        (Field::Name, _) => Direction::ToPartnerCenter,
        // Notes (Partner Center to CRM) and Description (CRM to Partner Center) are one pair, so it goes both ways.
        (Field::Closes, "documented-2020" | "documented-2021" | "documented-2023") => Direction::ToCrm,
        (Field::Value | Field::Currency | Field::Closes | Field::Notes, _) => Direction::Both,
    }
}
