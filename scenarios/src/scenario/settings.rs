//! What a scenario sets: on the connector under test, and on the simulators.
//!
//! It fills in the defaults of the language; whether the CRM knows a configured name is found out in the run (M8).

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::act::{Break, System, UserRole};

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
    /// `closing date field` of the opportunity; `None` for the CRM's default.
    pub closing_date_field: Option<String>,
    /// `notes field` of the opportunity; `None` for the CRM's default.
    pub notes_field: Option<String>,
    /// `directions`: which way a field goes, where it is not the profile's way.
    pub directions: BTreeMap<Field, Direction>,
    /// `poll every`: how often the CRM is asked for changes.
    pub poll_every: Option<SignedDuration>,
    /// `reconcile every`: how often Partner Center is asked for changes.
    pub reconcile_every: Option<SignedDuration>,
    /// The rest; `None` for the connector's own.
    pub further: Further,
}

/// Settings that few scenarios touch; `None` is the connector's own default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Further {
    /// `webhooks`: whether the connector registers for them.
    pub webhooks: Option<bool>,
    /// `overwrite registration` of another environment (product.md M5).
    pub overwrite_registration: Option<bool>,
    /// `unsigned webhooks`: whether they are taken.
    pub unsigned_webhooks: Option<bool>,
    /// `notes are description`: whether they are one pair.
    pub notes_are_description: Option<bool>,
    /// `reopen to link`: whether a closed opportunity is opened and closed again for its link.
    pub reopen_to_link: Option<bool>,
    /// `closing date zone`: hours before UTC.
    pub closing_date_zone: Option<i8>,
    /// `won reason`, `lost reason`, `declined reason` in Partner Center.
    pub won_reason: Option<String>,
    /// See [`Self::won_reason`].
    pub lost_reason: Option<String>,
    /// See [`Self::won_reason`].
    pub declined_reason: Option<String>,
    /// `audit limit`: letters that the Audit field holds.
    pub audit_limit: Option<u32>,
    /// `call timeout`: how long a call waits for its reply.
    pub call_timeout: Option<SignedDuration>,
    /// `overlap`: how far a feed is read again.
    pub overlap: Option<SignedDuration>,
    /// `longest back-off` between two attempts.
    pub longest_backoff: Option<SignedDuration>,
    /// `denied pause` after a refusal for lack of rights.
    pub denied_pause: Option<SignedDuration>,
    /// `unknown create wait`: how long a create with an unknown outcome may still arrive.
    pub unknown_create_wait: Option<SignedDuration>,
    /// `deals at once`.
    pub deals_at_once: Option<u32>,
    /// `most deals` that may be known.
    pub most_deals: Option<u32>,
    /// `daily budget`: calls to Partner Center in a day of UTC.
    pub daily_budget: Option<u32>,
}

/// What is there before the connector starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `deals`: so many, named `given1` and so on.
    pub deals: u32,
    /// `made by`.
    pub made_by: Makers,
    /// `connections` that are not healthy.
    pub broken: Vec<(System, Break)>,
    /// `users` with other roles than usual.
    pub roles: Vec<(String, Vec<UserRole>)>,
}

/// The name of a deal that is there, counted from 1.
pub fn given_name(number: u32) -> String {
    format!("given{number}")
}

/// Who made the deals that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Makers {
    /// Microsoft and sellers in turns.
    #[default]
    Both,
    /// Microsoft shared all of them.
    Microsoft,
    /// Sellers made all of them.
    Seller,
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
            closing_date_field: None,
            notes_field: None,
            directions: BTreeMap::new(),
            poll_every: None,
            reconcile_every: None,
            further: Further::default(),
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
    /// The edition of 2020: no events of Microsoft's referrals, no solutions flow.
    Documented2020,
    /// The edition of 2021.
    Documented2021,
    /// What the troubleshooting page of 2023 lists.
    Documented2023,
}

impl Profile {
    /// The name that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Documented2020 => "documented-2020",
            Self::Documented2021 => "documented-2021",
            Self::Documented2023 => "documented-2023",
        }
    }
}

/// Which way a field goes once both records exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Either way.
    Both,
    /// From Partner Center to the CRM.
    PcToCrm,
    /// From the CRM to Partner Center.
    CrmToPc,
    /// With the record that is made, and never again.
    CreateOnly,
    /// Not at all.
    Never,
}

impl Direction {
    /// The words that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::PcToCrm => "pc to crm",
            Self::CrmToPc => "crm to pc",
            Self::CreateOnly => "create only",
            Self::Never => "never",
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

impl Field {
    /// The name that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Closes => "closes",
            Self::Notes => "notes",
        }
    }
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

impl Winner {
    /// The words that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::PartnerCenter => "pc wins",
            Self::Crm => "crm wins",
            Self::Latest => "latest",
        }
    }
}

/// What a scenario sets on the simulators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorldSettings {
    /// `page size` of lists, in all systems; `None` for each system's own.
    pub page_size: Option<u32>,
    /// `daily calls`: how many calls to Partner Center a user has in a day of UTC; `None` for any number.
    pub daily_calls: Option<u32>,
    /// `calls per minute`: how many calls Partner Center takes in a minute; `None` for any number.
    pub calls_per_minute: Option<u32>,
    /// `salesforce: {…}`: how the org is set (product.md M2).
    pub salesforce: cosell_sim::salesforce::Settings,
    /// `dynamics: {strict: …}`: whether what the vendor's server would not take, or would take otherwise, is a finding of
    /// `conduct`.
    pub dynamics_strict: bool,
    /// `dynamics: {custom columns: …}`: what somebody has added to the tables.
    pub dynamics_columns: Vec<cosell_sim::dataverse::OwnColumn>,
    /// Fields that a team's org has besides: no scenario names them, a profile does.
    pub salesforce_fields: Vec<OwnField>,
    /// What is there before the connector starts.
    pub given: Given,
}

/// A field of an org's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnField {
    /// Its API name, with `__c`.
    pub name: String,
    /// The object that has it.
    pub object: &'static str,
    /// What it holds.
    pub kind: OwnKind,
}

/// What a field of an org's own holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKind {
    /// A line of text.
    Line,
    /// Text over several lines.
    Text,
    /// An amount.
    Money,
    /// A day.
    Date,
}
