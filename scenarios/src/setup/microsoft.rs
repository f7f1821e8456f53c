//! What Microsoft does in a scenario, in the words of the simulated Partner Center.

#![expect(clippy::wildcard_enum_match_arm, reason = "Microsoft does few of the many acts")]

use cosell_sim::partner_center::{Assistance, Customer, CustomerContact, Lead, MicrosoftAct, SharedDeal, TeamMember};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::scenario::act::{Act, Edit, Help, LeadSource, NewDeal};

/// What Microsoft shares.
pub fn share(deal: &NewDeal) -> MicrosoftAct {
    MicrosoftAct::Share(shared(deal))
}

/// A lead that Microsoft gives the partner.
pub fn share_lead(deal: &NewDeal, source: LeadSource) -> MicrosoftAct {
    let source = match source {
        LeadSource::Marketplace => Lead::Marketplace,
        LeadSource::Marketing => Lead::Marketing,
        LeadSource::Sales => Lead::Sales,
    };
    MicrosoftAct::ShareLead(shared(deal), source)
}

fn shared(deal: &NewDeal) -> SharedDeal {
    let customer = deal.customer.as_ref();
    SharedDeal {
        name: deal.name.clone(),
        customer: Customer {
            name: customer.map_or_else(String::new, |customer| customer.name.clone()),
            postal_code: customer.map(|customer| customer.postal_code.clone()),
            country: customer.and_then(|customer| customer.country.clone()),
            contact: deal.contact.as_ref().map(|contact| CustomerContact {
                first_name: contact.first_name.clone(),
                last_name: contact.last_name.clone(),
                email: contact.email.clone(),
                ..CustomerContact::default()
            }),
            ..Customer::default()
        },
        value: deal.value.as_ref().map(|money| money.amount),
        currency: deal
            .value
            .as_ref()
            .map_or_else(|| "USD".to_owned(), |money| money.currency.clone()),
        closing: deal.closes.map(midnight).unwrap_or_default(),
        notes: deal.notes.clone(),
        solutions: deal
            .solutions
            .iter()
            .map(|solution| (solution.clone(), solution.clone()))
            .collect(),
        help: deal.help.map(assistance),
    }
}

/// What Microsoft does with a deal that is there, named by the partner's referral; `None` for what others do.
pub fn microsofts(referral: &str, act: &Act) -> Option<MicrosoftAct> {
    let engagement = referral.to_owned();
    match act {
        Act::MicrosoftEdits(edit) => Some(microsoft_edit(referral, edit)),
        Act::MicrosoftAccepts => Some(MicrosoftAct::Accept { engagement }),
        Act::MicrosoftDeclines(reason) => Some(MicrosoftAct::Decline {
            engagement,
            reason: reason.clone(),
        }),
        Act::MicrosoftSetsMsxId(id) => Some(MicrosoftAct::SetMsxId {
            engagement,
            id: id.clone(),
        }),
        Act::MicrosoftAddsTeamMember(member) => Some(MicrosoftAct::AddTeamMember {
            engagement,
            member: TeamMember {
                first_name: member.first_name.clone(),
                last_name: member.last_name.clone(),
                phone: None,
                email: member.email.clone(),
            },
        }),
        _ => None,
    }
}

/// What Microsoft changes.
pub fn microsoft_edit(referral: &str, edit: &Edit) -> MicrosoftAct {
    let mut changes: Vec<(String, Value)> = Vec::new();
    let mut change = |path: &str, value: Option<Value>| changes.extend(value.map(|value| (path.to_owned(), value)));
    change("/name", edit.name.as_ref().map(|name| json!(name)));
    change(
        "/details/dealValue",
        edit.value.as_ref().map(|money| json!(money.amount)),
    );
    change(
        "/details/currency",
        edit.value.as_ref().map(|money| json!(money.currency)),
    );
    change(
        "/details/closingDateTime",
        edit.closes.map(|date| json!(format!("{date}T00:00:00Z"))),
    );
    change("/details/notes", edit.notes.as_ref().map(|notes| json!(notes)));
    MicrosoftAct::Edit {
        referral: referral.to_owned(),
        changes,
    }
}

/// The claim of a shared deal to belong to a record of the CRM (product.md M21).
pub fn claim(referral: &str, opportunity: &str) -> MicrosoftAct {
    let changes = vec![("/externalReferenceId".to_owned(), json!(opportunity))];
    MicrosoftAct::Edit {
        referral: referral.to_owned(),
        changes,
    }
}

fn midnight(date: jiff::civil::Date) -> Timestamp {
    date.at(0, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .unwrap_or_default()
}

fn assistance(help: Help) -> Assistance {
    match help {
        Help::WorkloadSpecificValueProposition => Assistance::WorkloadSpecificValueProposition,
        Help::CustomerTechnicalArchitecture => Assistance::CustomerTechnicalArchitecture,
        Help::ProofOfConceptOrDemo => Assistance::ProofOfConceptOrDemo,
        Help::QuotesOrLicensing => Assistance::QuotesOrLicensing,
        Help::PostSalesCustomerSuccess => Assistance::PostSalesCustomerSuccess,
        Help::GeneralOrOther => Assistance::GeneralOrOther,
    }
}
