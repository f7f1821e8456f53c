//! What an operator may set: where the systems are, the solution's environment variables (partner-center.md section 8.3),
//! and the connector's own times. Validated at start, all faults at once.
//!
//! Nothing is read from the environment here: the caller brings the values.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::Offset;

use crate::deal::Field;

/// What is wrong with settings.
mod check;
/// Which way each field goes, and who wins.
pub mod profile;
/// The solution's environment variables.
pub mod variables;
/// The field mapping.
pub mod mapping;
/// Settings out of a document.
pub mod document;

pub use check::{SettingsError, SettingsFault};
pub use mapping::Mapping;
pub use profile::{Direction, Policy, Profile};

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, to be sent and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// How to reach Partner Center (partner-center.md sections 1.1, 6.1 and 7).
#[derive(Clone, Debug)]
pub struct PartnerCenterSettings {
    /// The login host, without a trailing slash.
    pub login: String,
    /// The tenant's id or domain.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Secret,
    /// The refresh token of the Partner Center user; the referrals API takes no application without a user.
    pub refresh_token: Secret,
    /// The host of the referrals API.
    pub api: String,
    /// The host of the webhook registration API.
    pub events: String,
    /// The audience of the referrals API's tokens; it stays the vendor's when the host is another.
    pub api_audience: String,
    /// The audience of the registration API's tokens.
    pub events_audience: String,
}

impl PartnerCenterSettings {
    /// Microsoft's own hosts, for one tenant and application.
    pub fn new(
        tenant: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: Secret,
        refresh_token: Secret,
    ) -> Self {
        Self {
            login: "https://login.microsoftonline.com".to_owned(),
            tenant: tenant.into(),
            client_id: client_id.into(),
            client_secret,
            refresh_token,
            api: "https://api.partner.microsoft.com".to_owned(),
            events: "https://api.partnercenter.microsoft.com".to_owned(),
            api_audience: "https://api.partner.microsoft.com".to_owned(),
            events_audience: "https://api.partnercenter.microsoft.com".to_owned(),
        }
    }
}

/// Which CRM there is, and how to reach it.
#[derive(Clone, Debug)]
pub enum CrmSettings {
    /// A Salesforce org.
    Salesforce(SalesforceSettings),
    /// A Dataverse environment with Dynamics 365 Sales.
    Dataverse(DataverseSettings),
}

/// How to reach a Salesforce org, and what is named how in it.
#[derive(Clone, Debug)]
pub struct SalesforceSettings {
    /// The org's own host, without a trailing slash; it also answers token requests.
    pub org: String,
    /// The connected app's consumer key.
    pub client_id: String,
    /// The connected app's consumer secret.
    pub client_secret: Secret,
    /// The API version in paths.
    pub version: String,
    /// *Deal value (field name)*.
    pub value_field: String,
    /// *Deal value currency code (field name)*; none in an org with a single currency.
    pub currency_field: Option<String>,
    /// The field of the closing date.
    pub closing_date_field: String,
    /// The field that is one pair with Partner Center's notes.
    pub notes_field: String,
    /// The currency of everything when there is no currency field.
    pub org_currency: String,
    /// *Customer Account Country Code (field name)*.
    pub country_field: String,
    /// *Active stage name*. No default is documented; this one is assumed.
    pub active_stage: String,
    /// *On-hold stage name*. No default is documented; this one is assumed.
    pub on_hold_stage: String,
    /// The stage of a won deal.
    pub won_stage: String,
    /// The stage of a lost deal.
    pub lost_stage: String,
    /// How long an access token is used: Salesforce does not print its life.
    pub session: SignedDuration,
}

impl SalesforceSettings {
    /// The documented defaults for one org.
    pub fn new(org: impl Into<String>, client_id: impl Into<String>, client_secret: Secret) -> Self {
        Self {
            org: org.into(),
            client_id: client_id.into(),
            client_secret,
            version: "v60.0".to_owned(),
            value_field: "Amount".to_owned(),
            currency_field: Some("CurrencyIsoCode".to_owned()),
            closing_date_field: "CloseDate".to_owned(),
            notes_field: "Description".to_owned(),
            org_currency: "USD".to_owned(),
            country_field: "BillingCountry".to_owned(),
            active_stage: "Prospecting".to_owned(),
            on_hold_stage: "On Hold".to_owned(),
            won_stage: "Closed Won".to_owned(),
            lost_stage: "Closed Lost".to_owned(),
            session: SignedDuration::from_mins(90),
        }
    }
}

/// How to reach a Dataverse environment, and what is named how in it.
#[derive(Clone, Debug)]
pub struct DataverseSettings {
    /// The login host, without a trailing slash.
    pub login: String,
    /// The tenant's id or domain.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Secret,
    /// The environment's host, without a trailing slash; also the audience of its tokens.
    pub org: String,
    /// *Deal value field name in Dynamics 365*.
    pub value_field: String,
    /// The column of the closing date.
    pub closing_date_field: String,
    /// The column that is one pair with Partner Center's notes.
    pub notes_field: String,
    /// *Customer Account Country Code field name in Dynamics 365*.
    pub country_field: String,
    /// `statuscode` of an active deal: *In Progress*. Assumed.
    pub active_status: i64,
    /// `statuscode` of a deal on hold: *On Hold*. Assumed.
    pub on_hold_status: i64,
    /// `statuscode` of a won deal.
    pub won_status: i64,
    /// `statuscode` of a lost deal: *Canceled*.
    pub lost_status: i64,
    /// The choice value of the first kind of help; the others follow in the order of partner-center.md section 3.4. Assumed.
    pub first_help_choice: i64,
}

impl DataverseSettings {
    /// The documented defaults for one environment.
    pub fn new(
        org: impl Into<String>,
        tenant: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: Secret,
    ) -> Self {
        Self {
            login: "https://login.microsoftonline.com".to_owned(),
            tenant: tenant.into(),
            client_id: client_id.into(),
            client_secret,
            org: org.into(),
            value_field: "estimatedvalue".to_owned(),
            closing_date_field: "estimatedclosedate".to_owned(),
            notes_field: "description".to_owned(),
            country_field: "address1_country".to_owned(),
            active_status: 1,
            on_hold_status: 2,
            won_status: 3,
            lost_status: 4,
            first_help_choice: 299_600_000,
        }
    }
}

/// What happens to edits that the CRM made while a deal was on hold. Assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnHoldEdits {
    /// They go out after the accept.
    #[default]
    Flush,
    /// They are dropped: Partner Center's values stand.
    Drop,
}

/// Everything that an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Partner Center.
    pub partner_center: PartnerCenterSettings,
    /// The CRM.
    pub crm: CrmSettings,
    /// The public URL of the webhook receiver; without one the connector only polls.
    pub hook_url: Option<String>,
    /// *Overwrite existing trigger endpoints if present?*
    pub overwrite_registration: bool,
    /// The time between two looks at the webhook registration: somebody else may have overwritten it (F25).
    pub registration_check: SignedDuration,
    /// Whether webhooks without a signature are taken. The documented flows do not check signatures; this one does.
    pub accept_unsigned_hooks: bool,
    /// Which way each field goes.
    pub profile: Profile,
    /// Who wins when both sides changed a field; none for the profile's own policy.
    pub policy: Option<Policy>,
    /// The same for single fields.
    pub field_policy: BTreeMap<Field, Policy>,
    /// What is said about single fields beyond the profile.
    pub mapping: Mapping,
    /// Whether notes and description are one pair. Assumed.
    pub notes_is_description: bool,
    /// What happens to edits on hold.
    pub on_hold_edits: OnHoldEdits,
    /// Whether a closed opportunity that cannot be written is opened and closed again for the referral's identifier. Without
    /// it, a deal that was closed while its referral was being created stays without. Assumed.
    pub reopen_to_link: bool,
    /// *Display check mark in the opportunity name*.
    pub display_check_mark: bool,
    /// *Sync Co-sell opportunity*.
    pub sync_cosell_only: bool,
    /// The zone in which a closing date is a day.
    pub closing_date_zone: Offset,
    /// `statusReason` of a deal that the CRM won. Assumed.
    pub won_reason: String,
    /// `statusReason` of a deal that the CRM lost: the last of partner-center.md section 3.6. Assumed.
    pub lost_reason: String,
    /// `statusReason` of a deal that the CRM closed while it was on hold. Assumed.
    pub declined_reason: String,
    /// What stands before a referral's id in Referral Link. Assumed.
    pub referral_link: String,
    /// How many letters the Audit field may hold; the oldest lines go first.
    pub audit_limit: usize,
    /// How long a call waits for its reply before its outcome counts as unknown.
    pub call_timeout: SignedDuration,
    /// The time between two polls of the CRM.
    pub poll_interval: SignedDuration,
    /// The time between two reconciliations with Partner Center.
    pub reconcile_interval: SignedDuration,
    /// How far a change feed is read again before its cursor.
    pub overlap: SignedDuration,
    /// The longest pause between two attempts.
    pub longest_backoff: SignedDuration,
    /// The pause after a refusal for lack of rights.
    pub denied_pause: SignedDuration,
    /// How long a create with an unknown outcome may still arrive: before that it is not repeated. Assumed.
    pub unknown_create_wait: SignedDuration,
    /// How many calls of Partner Center may be made in a day of UTC; none for any number (product.md M23).
    pub daily_calls: Option<u64>,
    /// How many deals are synchronised at the same time.
    pub concurrency: usize,
    /// How many deals may be known.
    pub most_deals: usize,
    /// The deliberate defect, if any.
    #[cfg(feature = "planted")]
    pub planted: Option<crate::planted::Planted>,
}

impl Settings {
    /// The defaults for two systems.
    pub fn new(partner_center: PartnerCenterSettings, crm: CrmSettings) -> Self {
        Self {
            partner_center,
            crm,
            hook_url: None,
            overwrite_registration: true,
            registration_check: SignedDuration::from_hours(1),
            accept_unsigned_hooks: false,
            profile: Profile::default(),
            policy: None,
            field_policy: BTreeMap::new(),
            mapping: Mapping::default(),
            notes_is_description: true,
            on_hold_edits: OnHoldEdits::default(),
            reopen_to_link: true,
            display_check_mark: true,
            sync_cosell_only: true,
            closing_date_zone: Offset::UTC,
            won_reason: "Won in the CRM".to_owned(),
            lost_reason: "Others".to_owned(),
            declined_reason: "Others".to_owned(),
            referral_link: "https://partner.microsoft.com/dashboard/v2/referrals/co-sell/".to_owned(),
            audit_limit: 10_000,
            call_timeout: SignedDuration::from_secs(30),
            poll_interval: SignedDuration::from_mins(3),
            reconcile_interval: SignedDuration::from_mins(15),
            overlap: SignedDuration::from_mins(2),
            longest_backoff: SignedDuration::from_mins(5),
            denied_pause: SignedDuration::from_mins(15),
            unknown_create_wait: SignedDuration::from_mins(2),
            daily_calls: None,
            concurrency: 4,
            most_deals: 1_000_000,
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// Which way a field goes under these settings.
    pub fn direction(&self, field: Field) -> Direction {
        if field == Field::Notes && !self.notes_is_description {
            return Direction::Never;
        }
        let own = self.mapping.fields.get(&field).and_then(|rule| rule.direction);
        own.unwrap_or(self.profile.direction(field))
    }

    /// Who wins when both sides changed a field.
    pub fn policy(&self, field: Field) -> Policy {
        let mapped = self.mapping.fields.get(&field).and_then(|rule| rule.policy);
        let own = self.field_policy.get(&field).copied();
        mapped.or(own).or(self.policy).unwrap_or(self.profile.policy())
    }

    /// A text in which no secret stands, whoever wrote it.
    pub(crate) fn without_secrets(&self, text: String) -> String {
        let crm = match &self.crm {
            CrmSettings::Salesforce(crm) => &crm.client_secret,
            CrmSettings::Dataverse(crm) => &crm.client_secret,
        };
        let secrets = [
            &self.partner_center.client_secret,
            &self.partner_center.refresh_token,
            crm,
        ];
        // Very short ones would tear words apart; they are none that anybody would use.
        let long = secrets
            .into_iter()
            .map(Secret::expose)
            .filter(|secret| secret.len() >= 6);
        long.fold(text, |text, secret| {
            if text.contains(secret) {
                text.replace(secret, "***")
            } else {
                text
            }
        })
    }

    /// The setting that names a field of the CRM, when an error of the CRM is about that field.
    pub(crate) fn setting_behind(&self, error: &str) -> Option<String> {
        let names = |name: &str| {
            let mut words = error.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            words.any(|word| word.eq_ignore_ascii_case(name))
        };
        let country = self.crm.country_field();
        let last = country.rsplit('.').next().unwrap_or(country);
        if names(last) {
            return Some("Customer Account Country Code (field name)".to_owned());
        }
        let field = Field::ALL
            .into_iter()
            .filter(|field| *field != Field::Name)
            .find(|field| self.crm.column(*field).is_some_and(names))?;
        Some(match field {
            Field::Value => "Deal value (field name)".to_owned(),
            Field::Currency => "Deal value currency code (field name)".to_owned(),
            Field::Name | Field::ClosingDate | Field::Notes => format!("mapping.{}.crm", field.name()),
        })
    }

    /// Whether the given defect is planted.
    #[cfg(feature = "planted")]
    pub(crate) fn is_planted(&self, defect: crate::planted::Planted) -> bool {
        self.planted == Some(defect)
    }

    /// Nothing is planted where the feature is off.
    #[cfg(not(feature = "planted"))]
    #[expect(clippy::unused_self, reason = "has the form of the one with the feature")]
    pub(crate) fn is_planted(&self, _defect: crate::planted::Planted) -> bool {
        false
    }

    /// All faults at once.
    pub fn check(&self) -> Result<(), SettingsError> {
        check::check(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_a_system_prints_back_is_taken_out() {
        let partner_center = PartnerCenterSettings::new("t", "c", Secret::new("hush-hush"), Secret::new("refresh-me"));
        let crm = SalesforceSettings::new("https://a", "c", Secret::new("consumer"));
        let settings = Settings::new(partner_center, CrmSettings::Salesforce(crm));
        let text = settings.without_secrets("hush-hush, refresh-me and consumer are wrong".to_owned());
        assert_eq!(text, "***, *** and *** are wrong");
        assert!(!format!("{settings:?}").contains("hush-hush"));
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "***");
    }
}
