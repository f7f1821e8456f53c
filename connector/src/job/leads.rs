//! Leads (product.md M16, M28): with *Sync Co-sell opportunity* set to No, a lead of Partner Center is a lead in the CRM until it is
//! accepted; then it becomes an opportunity, which needs a deal value and a closing date.
//!
//! That the CRM's lead stays as it is afterwards is assumed.

use super::create_in_crm::link;
use super::crm;
use super::desk::{Desk, Trouble};
use crate::deal::{Field, ReferralState};
use crate::id::DealNumber;
use crate::planted::Planted;
use crate::sync::audit::{self, Way};
use crate::system::opportunity::NewLead;
use crate::system::partner_center::Referral;

/// What becomes of a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It stays out of the CRM, or it is a lead there: nothing more is to be done.
    Done,
    /// It is accepted: it becomes an opportunity.
    Qualified,
}

/// Makes or changes the CRM's lead, or says that it becomes an opportunity.
pub(super) async fn handle(desk: &Desk, deal: DealNumber, referral: &Referral) -> Result<Course, Trouble> {
    if desk.settings().sync_cosell_only {
        desk.say_once(deal, "filter.lead", None, "the referral is a lead");
        return Ok(Course::Done);
    }
    if referral.state == ReferralState::New {
        let line = audit::line(
            desk.now(),
            Way::PcToCrm,
            &format!("created: lead from referral {}", referral.id),
        );
        crm::put_lead(desk, &new_lead(desk, referral, trail(desk, deal, line))).await?;
        desk.say_once(
            deal,
            "create.lead",
            None,
            "a lead was made in the CRM; it waits for its acceptance",
        );
        return Ok(Course::Done);
    }
    let needed = [
        (
            Field::Value,
            "missing.value",
            "Deal value is required to qualify the lead",
        ),
        (
            Field::ClosingDate,
            "missing.closing_date",
            "Closing date is required to qualify the lead",
        ),
    ];
    let lacks = |(field, _, _): &(Field, &str, &str)| referral.values.get(*field).is_none();
    let pieces: Vec<(&'static str, &'static str)> = needed
        .into_iter()
        .filter(lacks)
        .map(|(_, code, text)| (code, text))
        .collect();
    if desk.settings().is_planted(Planted::LeavesLeads) {
        return Ok(Course::Done);
    }
    if pieces.is_empty() {
        return Ok(Course::Qualified);
    }
    let texts: Vec<&str> = pieces.iter().map(|(_, text)| *text).collect();
    let what = texts.join("; ");
    if desk.say_once(deal, "lead.waits", None, &what) {
        let line = audit::line(desk.now(), Way::PcToCrm, &format!("failed: {what}"));
        crm::put_lead(desk, &new_lead(desk, referral, trail(desk, deal, line))).await?;
    }
    Err(Trouble::Incomplete { pieces })
}

/// The lead's Audit trail with one more line, unless the line says what the last one says. Remembered before it is written.
fn trail(desk: &Desk, deal: DealNumber, line: String) -> String {
    let limit = desk.settings().audit_limit;
    let mut whole = String::new();
    desk.change(deal, |record| {
        if !audit::ends_with(&record.lead_audit, &line)
            && let Some(longer) = audit::append(&record.lead_audit, &[line], limit)
        {
            record.lead_audit = longer;
        }
        whole.clone_from(&record.lead_audit);
    });
    whole
}

fn new_lead(desk: &Desk, referral: &Referral, audit: String) -> NewLead {
    let name = referral.values.get(Field::Name).unwrap_or("Lead").to_owned();
    let contact = referral.customer.contact.clone().unwrap_or_default();
    NewLead {
        referral: referral.id.clone(),
        link: link(desk, &referral.id),
        company: referral.customer.name.clone().unwrap_or_else(|| name.clone()),
        name,
        person: contact,
        address: referral.customer.address.clone(),
        notes: referral.values.get(Field::Notes).map(str::to_owned),
        audit,
    }
}
