//! Values of picklists that the settings decide, and the values that a create without one gets.
//!
//! The lists of the tables stand with their fields.

use crate::salesforce::model::{Field, Object};
use crate::salesforce::places;
use crate::salesforce::settings::Settings;

/// The values of a picklist: those of the settings where an administrator names them, else those of the schema.
pub(crate) fn picklist<'a>(settings: &'a Settings, shape: &Object, field: &'a Field) -> Vec<&'a str> {
    match (shape.name.as_str(), field.name.as_str()) {
        (_, "CurrencyIsoCode") | ("CurrencyType", "IsoCode") => {
            settings.currencies.iter().map(String::as_str).collect()
        }
        (_, name) if name.ends_with("CountryCode") => places::COUNTRIES.iter().map(|(code, _)| *code).collect(),
        (_, name) if name.ends_with("StateCode") => places::states().map(|(_, code, _)| code).collect(),
        ("Opportunity", "StageName") => settings.stages.iter().map(|stage| stage.name.as_str()).collect(),
        _ => field.values.iter().map(String::as_str).collect(),
    }
}

/// The value of a list that a create without one gets.
///
/// Assumed: those of tasks, team members and links.
pub(crate) fn default_value(settings: &Settings, shape: &Object, field: &Field) -> Option<String> {
    let first = || field.values.first().cloned();
    match (shape.name.as_str(), field.name.as_str()) {
        (_, "CurrencyIsoCode") => Some(settings.default_currency.clone()),
        ("Lead" | "Task", "Status") | ("Opportunity", "Co_sell_Type__c") | ("ContentDocumentLink", "Visibility") => {
            first()
        }
        ("Task", "Priority") => Some("Normal".to_owned()),
        ("OpportunityTeamMember", "OpportunityAccessLevel") => Some("Read".to_owned()),
        _ => None,
    }
}
