//! What a scenario sets: on the connector under test, and on the simulators.
//!
//! It fills in the defaults of the language; whether the CRM knows a configured name is found out in the run (M8).

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// What an operator sets on the connector under test (product.md M7 to M11 and M18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `profile`: which fields go which way.
    pub profile: Profile,
    /// `on-hold stage`: the CRM's stage for deals that wait for acceptance.
    pub on_hold_stage: String,
    /// `active stage`: the CRM's stage for accepted deals.
    pub active_stage: String,
    /// `display check mark`: whether names carry a mark.
    pub display_check_mark: bool,
    /// `sync co-sell only`: whether leads stay out of the CRM.
    pub sync_cosell_only: bool,
    /// `on-hold edits`: what becomes of edits made on hold.
    pub on_hold_edits: OnHoldEdits,
    /// `conflicts`: who wins when both sides changed a field; Partner Center where nothing is said.
    pub conflicts: BTreeMap<Field, Winner>,
    /// `country field` of the account; `None` for the CRM's default.
    pub country_field: Option<String>,
    /// `deal value field` of the opportunity; `None` for the CRM's default.
    pub deal_value_field: Option<String>,
    /// `deal value currency field` of the opportunity; `None` for the CRM's default.
    pub deal_value_currency_field: Option<CurrencyField>,
    /// `poll every`: how often the CRM is asked for changes.
    pub poll_every: Option<SignedDuration>,
    /// `reconcile every`: how often Partner Center is asked for changes.
    pub reconcile_every: Option<SignedDuration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: Profile::Overview,
            on_hold_stage: "On Hold".to_owned(),
            active_stage: "Qualification".to_owned(),
            display_check_mark: true,
            sync_cosell_only: true,
            on_hold_edits: OnHoldEdits::Flush,
            conflicts: BTreeMap::new(),
            country_field: None,
            deal_value_field: None,
            deal_value_currency_field: None,
            poll_every: None,
            reconcile_every: None,
        }
    }
}

/// Where an opportunity keeps its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CurrencyField {
    /// Nowhere: every amount is in the org's own currency.
    None,
    /// In this field.
    Named(String),
}

/// Which fields go which way (product.md M18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What the overview pages promise.
    Overview,
    /// What the troubleshooting page of 2023 lists.
    Documented2023,
}

impl Profile {
    /// The name that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Documented2023 => "documented-2023",
        }
    }
}

/// What becomes of edits made in the CRM while a deal is on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHoldEdits {
    /// They go out after the acceptance.
    Flush,
    /// They never go out.
    Drop,
}

/// A field with a policy of its own. `value` stands for the amount and its currency together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The deal's name.
    Name,
    /// The deal value, currency included.
    Value,
    /// The closing date.
    Closes,
    /// Notes in Partner Center, Description in the CRM.
    Notes,
}

/// Who wins when both sides changed a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// Partner Center's value.
    PartnerCenter,
    /// The CRM's value.
    Crm,
    /// The record that was changed later; Partner Center when both at once.
    Latest,
}

/// What a scenario sets on the simulators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSettings {
    /// `page size` of lists, in all systems; `None` for each system's own.
    pub page_size: Option<u32>,
    /// `daily calls`: how many calls to Partner Center a user has in a day of UTC; `None` for any number.
    pub daily_calls: Option<u32>,
    /// `calls per minute`: how many calls Partner Center takes in a minute; `None` for any number.
    pub calls_per_minute: Option<u32>,
    /// `salesforce: {multi-currency: …}`: whether the org has several currencies.
    pub salesforce_multi_currency: bool,
    /// `salesforce: {stages: …}`: open stages that the org has besides the usual ones.
    pub salesforce_stages: Vec<String>,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            page_size: None,
            daily_calls: None,
            calls_per_minute: None,
            salesforce_multi_currency: true,
            salesforce_stages: Vec::new(),
        }
    }
}
