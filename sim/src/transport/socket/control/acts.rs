//! What Microsoft does in Partner Center, asked for over the control API.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Complaint, done, read};
use crate::partner_center::{
    ActError, Assistance, Customer, CustomerContact, Lead, MicrosoftAct, SharedDeal, TeamMember,
};
use crate::transport::socket::desk::Desk;

/// What a body must be.
const EXPECTED: &str = r#"{"act": "share", "name", "customer": {"name", …}, "currency", "closing", "value"?, "notes"?, "solutions"?: [{"id", "name"}], "help"?, "lead"?: "marketplace" | "marketing" | "sales"} | {"act": "edit", "referral", "changes": {"/details/dealValue": 5}} | {"act": "accept", "engagement"} | {"act": "decline", "engagement", "reason"?} | {"act": "set-msx-id", "engagement", "id"} | {"act": "add-team-member", "engagement", "member": {"firstName", "lastName", "email", "phone"?}} | {"act": "let-expire", "referral"}"#;

#[derive(Debug, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
enum Wanted {
    Share(Box<Deal>),
    Edit {
        referral: String,
        changes: Map<String, Value>,
    },
    Accept {
        engagement: String,
    },
    Decline {
        engagement: String,
        reason: Option<String>,
    },
    SetMsxId {
        engagement: String,
        id: String,
    },
    AddTeamMember {
        engagement: String,
        member: Person,
    },
    LetExpire {
        referral: String,
    },
}

/// Where a lead comes from.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LeadFrom {
    Marketplace,
    Marketing,
    Sales,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Deal {
    name: String,
    customer: Company,
    value: Option<f64>,
    currency: String,
    closing: Timestamp,
    notes: Option<String>,
    #[serde(default)]
    solutions: Vec<Solution>,
    help: Option<Assistance>,
    /// A lead for the partner alone, and not a deal with Microsoft in it.
    lead: Option<LeadFrom>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Company {
    name: String,
    address_line: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
    contact: Option<Person>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Person {
    first_name: String,
    last_name: String,
    phone: Option<String>,
    email: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Solution {
    id: String,
    name: String,
}

/// Answers with the id of the partner's referral.
pub(super) async fn act(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let act = read::<Wanted>(&body, EXPECTED)?.act();
    let outcome = desk.systems().microsoft(act);
    desk.postman().collect();
    let referral = outcome.map_err(|error| {
        let (status, expected) = match &error {
            ActError::Unknown(_) => (StatusCode::NOT_FOUND, "a referral or engagement that is there"),
            ActError::NotInvited(_) => (StatusCode::CONFLICT, "an engagement with Microsoft in it"),
            ActError::Refused(_) => (StatusCode::CONFLICT, "an act that the rules of Partner Center allow"),
        };
        let help = "GET /control/state shows what is stored";
        Complaint::new("request body", expected)
            .found(error.to_string())
            .help(help)
            .status(status)
    })?;
    Ok(done(StatusCode::OK, &json!({ "referral": referral })))
}

impl Wanted {
    fn act(self) -> MicrosoftAct {
        match self {
            Self::Share(deal) => match deal.lead {
                None => MicrosoftAct::Share(deal.shared()),
                Some(LeadFrom::Marketplace) => MicrosoftAct::ShareLead(deal.shared(), Lead::Marketplace),
                Some(LeadFrom::Marketing) => MicrosoftAct::ShareLead(deal.shared(), Lead::Marketing),
                Some(LeadFrom::Sales) => MicrosoftAct::ShareLead(deal.shared(), Lead::Sales),
            },
            Self::AddTeamMember { engagement, member } => MicrosoftAct::AddTeamMember {
                engagement,
                member: TeamMember {
                    first_name: member.first_name,
                    last_name: member.last_name,
                    phone: member.phone,
                    email: member.email,
                },
            },
            Self::LetExpire { referral } => MicrosoftAct::LetExpire { referral },
            Self::Edit { referral, changes } => MicrosoftAct::Edit {
                referral,
                changes: changes.into_iter().collect(),
            },
            Self::Accept { engagement } => MicrosoftAct::Accept { engagement },
            Self::Decline { engagement, reason } => MicrosoftAct::Decline { engagement, reason },
            Self::SetMsxId { engagement, id } => MicrosoftAct::SetMsxId { engagement, id },
        }
    }
}

impl Deal {
    fn shared(self) -> SharedDeal {
        let company = self.customer;
        let contact = company.contact.map(|person| CustomerContact {
            first_name: person.first_name,
            last_name: person.last_name,
            phone: person.phone,
            email: person.email,
        });
        SharedDeal {
            name: self.name,
            customer: Customer {
                name: company.name,
                address_line: company.address_line,
                city: company.city,
                state: company.state,
                postal_code: company.postal_code,
                country: company.country,
                contact,
            },
            value: self.value,
            currency: self.currency,
            closing: self.closing,
            notes: self.notes,
            solutions: self
                .solutions
                .into_iter()
                .map(|solution| (solution.id, solution.name))
                .collect(),
            help: self.help,
        }
    }
}
