//! What a team has set on its connector, and what `cosell accept` makes its deals of.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;

/// The environment variables of the solution (product.md M7 to M11); those that are missing have their documented default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Connector {
    /// *Active stage name*.
    pub active_stage: Option<String>,
    /// *On-hold stage name*.
    pub on_hold_stage: Option<String>,
    /// *Customer account country code field*.
    pub country_field: Option<String>,
    /// *Deal value field*.
    pub deal_value_field: Option<String>,
    /// *Deal value currency field*; `none` where the org has one currency.
    pub deal_value_currency_field: Option<String>,
    /// The opportunity's field with the closing date.
    pub closing_date_field: Option<String>,
    /// The opportunity's field with the notes.
    pub notes_field: Option<String>,
    /// *Display check mark in the opportunity name*.
    pub display_check_mark: Option<bool>,
    /// *Sync co-sell opportunity only*.
    pub sync_co_sell_only: Option<bool>,
    /// Which fields go which way (product.md M18).
    pub field_profile: Option<FieldProfile>,
    /// What becomes of edits made in the CRM while a deal is on hold.
    pub on_hold_edits: Option<OnHoldEdits>,
    /// Who wins when both sides changed a field; Partner Center where nothing is said.
    #[serde(default)]
    pub conflicts: BTreeMap<ConflictField, Winner>,
    /// Which way a field goes, where it is not the way of `field-profile`.
    #[serde(default)]
    pub directions: BTreeMap<ConflictField, Direction>,
}

/// Where a profile keeps its own of the solution's variables.
enum Place<'a> {
    Text(&'a mut Option<String>),
    YesNo(&'a mut Option<bool>),
}

impl Connector {
    /// The values by the display names of the solution's variables (partner-center.md section 8.3).
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut copy = self.clone();
        let set = copy.places().into_iter().filter_map(|(name, place)| {
            let value = match place {
                Place::Text(value) => value.clone()?,
                Place::YesNo(value) => word(value.as_ref().copied()?).to_owned(),
            };
            Some((name.to_owned(), value))
        });
        set.collect()
    }

    /// Takes values by the display names of the solution's variables; comes back with those of its own that were replaced,
    /// and the value that they had.
    pub fn configure(&mut self, variables: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
        let mut replaced = Vec::new();
        for (name, place) in self.places() {
            let Some(value) = variables.get(name) else { continue };
            let before = match place {
                Place::Text(own) => own.replace(value.clone()),
                Place::YesNo(own) => own.replace(value == "Yes").map(|yes| word(yes).to_owned()),
            };
            replaced.extend(before.filter(|before| before != value).map(|before| (name, before)));
        }
        replaced
    }

    fn places(&mut self) -> [(&'static str, Place<'_>); 7] {
        [
            ("Active stage name", Place::Text(&mut self.active_stage)),
            ("On-hold stage name", Place::Text(&mut self.on_hold_stage)),
            (
                "Customer Account Country Code (field name)",
                Place::Text(&mut self.country_field),
            ),
            ("Deal value (field name)", Place::Text(&mut self.deal_value_field)),
            (
                "Deal value currency code (field name)",
                Place::Text(&mut self.deal_value_currency_field),
            ),
            (
                "Display check mark in the opportunity name",
                Place::YesNo(&mut self.display_check_mark),
            ),
            ("Sync Co-sell opportunity", Place::YesNo(&mut self.sync_co_sell_only)),
        ]
    }
}

fn word(yes: bool) -> &'static str {
    if yes { "Yes" } else { "No" }
}

/// Which way a field goes once both records exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// Which fields go which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum FieldProfile {
    /// What the overview pages promise.
    #[serde(rename = "overview")]
    Overview,
    /// The edition of 2020.
    #[serde(rename = "documented-2020")]
    Documented2020,
    /// The edition of 2021.
    #[serde(rename = "documented-2021")]
    Documented2021,
    /// What the troubleshooting page of 2023 lists.
    #[serde(rename = "documented-2023")]
    Documented2023,
}

/// What becomes of edits made on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnHoldEdits {
    /// They go out after the acceptance.
    Flush,
    /// They never go out.
    Drop,
}

/// A field with a policy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictField {
    /// The deal's name.
    Name,
    /// The deal value with its currency.
    Value,
    /// The closing date.
    Closes,
    /// Notes and Description.
    Notes,
}

/// Who wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Winner {
    /// Partner Center's value.
    PcWins,
    /// The CRM's value.
    CrmWins,
    /// The record that was changed later.
    Latest,
}

/// What `cosell accept` makes its deals of when it drives real systems, and how long it waits there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Accept {
    /// The identifier of a solution that is co-sell ready in this environment.
    pub solution: Option<String>,
    /// Another one, for the checks that need two.
    pub second_solution: Option<String>,
    /// The country of the customer that is made, as two letters.
    pub country: String,
    /// The postal code of the customer that is made.
    pub postal_code: String,
    /// The currency of deal values, instead of US dollars.
    pub currency: Option<String>,
    /// The longest that anything is waited for: ten minutes, as users are told (product.md M22).
    #[serde(deserialize_with = "duration")]
    pub deadline: SignedDuration,
    /// How long nothing may change until a system counts as quiet: longer than the connector's poll.
    #[serde(deserialize_with = "duration")]
    pub quiet_for: SignedDuration,
}

impl Default for Accept {
    fn default() -> Self {
        Self {
            solution: None,
            second_solution: None,
            country: "US".to_owned(),
            postal_code: "98052".to_owned(),
            currency: None,
            deadline: SignedDuration::from_mins(10),
            quiet_for: SignedDuration::from_mins(4),
        }
    }
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Result<SignedDuration, _> = text.parse();
    let most = SignedDuration::from_hours(24);
    time.ok()
        .filter(|time| *time >= SignedDuration::from_secs(1) && *time <= most)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no time from 1s to 24h, such as 30s or 10m")))
}
