//! The CRM's own names for what an operator may configure (product.md M9 and M10).
//!
//! The judge and the people of a scenario go by it; the connector under test has settings of its own.

use serde::{Deserialize, Serialize};

use super::Field;
use crate::scenario::Crm;
use crate::scenario::settings::{CurrencyField, Settings};

/// Columns that differ from one installation to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The opportunity's column with the deal value.
    pub value: String,
    /// The opportunity's column with the currency, a code on Salesforce and a look-up on Dataverse; `None` where every
    /// amount is in the org's own currency.
    pub currency: Option<String>,
    /// The account's column with the country code.
    pub country: String,
    /// The opportunity's column with the closing date; `None` for the standard one.
    #[serde(default)]
    pub closes: Option<String>,
    /// The opportunity's column with the notes; `None` for the standard one.
    #[serde(default)]
    pub notes: Option<String>,
    /// The zone in which a closing date is a day: hours before UTC.
    #[serde(default)]
    pub zone_hours: i8,
}

/// The currency of an org that has one only.
pub const ORG_CURRENCY: &str = "USD";

impl Columns {
    /// The columns of a CRM as it comes (salesforce.md sections 3.4 and 6, dataverse.md section 6).
    pub fn standard(crm: Crm) -> Self {
        let (value, currency, country) = match crm {
            Crm::Salesforce => ("Amount", "CurrencyIsoCode", "BillingCountry"),
            Crm::Dynamics => ("estimatedvalue", "_transactioncurrencyid_value", "address1_country"),
        };
        Self {
            value: value.to_owned(),
            currency: Some(currency.to_owned()),
            country: country.to_owned(),
            closes: None,
            notes: None,
            zone_hours: 0,
        }
    }

    /// The columns under a scenario's settings. Dynamics 365 has no setting for the currency.
    pub fn of(crm: Crm, settings: &Settings) -> Self {
        let standard = Self::standard(crm);
        let currency = match (&settings.deal_value_currency_field, crm) {
            (None, _) | (_, Crm::Dynamics) => standard.currency,
            (Some(CurrencyField::None), Crm::Salesforce) => None,
            (Some(CurrencyField::Named(name)), Crm::Salesforce) => Some(name.clone()),
        };
        Self {
            value: settings.deal_value_field.clone().unwrap_or(standard.value),
            currency,
            country: settings.country_field.clone().unwrap_or(standard.country),
            closes: settings.closing_date_field.clone(),
            notes: settings.notes_field.clone(),
            zone_hours: settings.further.closing_date_zone.unwrap_or_default(),
        }
    }

    /// The opportunity's column of a field. Empty for the currency of an org that has one only.
    pub fn of_field(&self, field: Field, crm: Crm) -> &str {
        let own = match field {
            Field::Name => None,
            Field::Value => Some(self.value.as_str()),
            Field::Currency => Some(self.currency.as_deref().unwrap_or_default()),
            Field::Closes => self.closes.as_deref(),
            Field::Notes => self.notes.as_deref(),
        };
        own.unwrap_or_else(|| field.column(crm))
    }
}
