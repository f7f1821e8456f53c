//! What the stored rows of both sides say about a deal, read by rules written by hand from the vendors' facts.
//!
//! It reads rows and commits only. It never asks the connector, and shares no mapping with it: an error that the
//! connector makes must not be made here again.

use std::collections::BTreeMap;

use cosell_sim::site::Site;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::Crm;

/// The CRM's own names for what can be configured.
mod columns;
/// The sign in an opportunity's name.
mod mark;
/// Values in the form in which both sides are compared.
mod canonical;
/// All records of both sides.
mod book;
/// What hangs on a deal besides its own columns.
mod details;

pub use book::Book;
pub use canonical::{canonical, plain_name};
pub use columns::{Columns, ORG_CURRENCY};
pub use details::{entries_in_pc, help_words};
pub use mark::Mark;

impl Crm {
    /// The simulated system that stores its rows.
    pub fn site(self) -> Site {
        match self {
            Self::Salesforce => Site::Salesforce,
            Self::Dynamics => Site::Dataverse,
        }
    }

    /// The table that holds opportunities.
    pub fn opportunities(self) -> &'static str {
        match self {
            Self::Salesforce => "Opportunity",
            Self::Dynamics => "opportunity",
        }
    }
}

/// A business field of a deal that both sides hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The deal's name, without the connector's mark.
    Name,
    /// The deal value, in minor units of its currency.
    Value,
    /// The ISO 4217 code.
    Currency,
    /// The closing date.
    Closes,
    /// Notes in Partner Center, Description in the CRM.
    Notes,
}

impl Field {
    /// Every field, in the order in which reports list them.
    pub const ALL: [Self; 5] = [Self::Name, Self::Value, Self::Currency, Self::Closes, Self::Notes];

    /// The name that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Currency => "currency",
            Self::Closes => "closes",
            Self::Notes => "notes",
        }
    }

    /// Where Partner Center keeps it, as a JSON pointer (partner-center.md section 2.2).
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Name => "/name",
            Self::Value => "/details/dealValue",
            Self::Currency => "/details/currency",
            Self::Closes => "/details/closingDateTime",
            Self::Notes => "/details/notes",
        }
    }

    /// The column of a CRM as it comes (salesforce.md sections 3.4 and 6, dataverse.md section 6); [`Book::column`] knows
    /// what a scenario configured. The Dataverse currency is a look-up.
    pub fn column(self, crm: Crm) -> &'static str {
        match (self, crm) {
            (Self::Name, Crm::Salesforce) => "Name",
            (Self::Name, Crm::Dynamics) => "name",
            (Self::Value, Crm::Salesforce) => "Amount",
            (Self::Value, Crm::Dynamics) => "estimatedvalue",
            (Self::Currency, Crm::Salesforce) => "CurrencyIsoCode",
            (Self::Currency, Crm::Dynamics) => "_transactioncurrencyid_value",
            (Self::Closes, Crm::Salesforce) => "CloseDate",
            (Self::Closes, Crm::Dynamics) => "estimatedclosedate",
            (Self::Notes, Crm::Salesforce) => "Description",
            (Self::Notes, Crm::Dynamics) => "description",
        }
    }
}

/// Where a deal stands, in the one vocabulary that both sides map to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Not accepted: New in Partner Center, the on-hold stage in the CRM.
    Held,
    /// Worked on.
    Open,
    /// Closed and won.
    Won,
    /// Closed otherwise: lost, declined, expired, error.
    Lost,
}

impl Standing {
    /// Won or lost.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "on hold",
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// One stored record: its fields under their wire names, flat (JSON pointers for Partner Center).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record(BTreeMap<String, Value>);

impl Record {
    /// A field's value; null when the record has none.
    pub fn get(&self, field: &str) -> &Value {
        self.0.get(field).unwrap_or(&Value::Null)
    }

    /// A field as text: empty when null, absent or not text.
    pub fn text(&self, field: &str) -> &str {
        self.get(field).as_str().unwrap_or_default()
    }

    /// Every field, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value))
    }

    fn set(&mut self, field: &str, value: &Value) {
        if value.is_null() {
            self.0.remove(field);
        } else if let Some(old) = self.0.get_mut(field) {
            old.clone_from(value);
        } else {
            self.0.insert(field.to_owned(), value.clone());
        }
    }
}

/// The column that says whether an opportunity is visible to Microsoft.
pub fn visibility_column(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "Referral_visible_to_Microsoft_sellers__c",
        Crm::Dynamics => "msft_microsoftpartnercenterreferralvisible",
    }
}

/// Whether a referral is Microsoft's own side of an engagement: its target is `msft` (partner-center.md section 2.5).
pub fn is_microsoft_side(referral: &Record) -> bool {
    referral
        .get("/target")
        .as_array()
        .is_some_and(|targets| targets.iter().any(|target| target["id"] == "msft"))
}

/// Where a referral stands (partner-center.md section 3.1).
pub fn pc_standing(referral: &Record) -> Standing {
    match (referral.text("/status"), referral.text("/substatus")) {
        ("New", _) => Standing::Held,
        ("Closed", "Won") => Standing::Won,
        ("Closed", _) => Standing::Lost,
        _ => Standing::Open,
    }
}

/// Whether Microsoft's sellers may see the referral.
pub fn visible_in_pc(referral: &Record) -> bool {
    referral
        .get("/consent/consentToShareReferralWithMicrosoftSellers")
        .as_bool()
        .unwrap_or(false)
}

/// The help asked of Microsoft: `None` when the code is `Unknown` or empty.
pub fn help_in_pc(referral: &Record) -> Option<&str> {
    Some(referral.text("/inviteContext/assistanceRequestCode")).filter(|code| !matches!(*code, "" | "Unknown"))
}
