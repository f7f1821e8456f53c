//! What is wrong with settings: every fault at once, each with the setting's name.
//!
//! It asks no system: whether a stage exists there is found out at run time.

use jiff::SignedDuration;

use super::mapping::is_field_name;
use super::{CrmSettings, DataverseSettings, PartnerCenterSettings, SalesforceSettings, Secret, Settings};

/// Every fault that was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings have {} fault(s): {}", .0.len(), listed(.0))]
pub struct SettingsError(pub Vec<SettingsFault>);

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {fault}")]
pub struct SettingsFault {
    /// The setting's name, its path in [`Settings`].
    pub setting: String,
    /// What is wrong with it.
    pub fault: String,
}

/// What a setting is called in a document.
pub(super) fn in_document(setting: &str) -> String {
    let name = match setting {
        "hook_url" => "webhook.url",
        "registration_check" => "webhook.check every",
        "referral_link" => "rules.referral link",
        "audit_limit" => "limits.audit letters",
        "concurrency" => "limits.concurrency",
        "daily_calls" => "limits.daily calls",
        "most_deals" => "limits.deals",
        "call_timeout" => "times.call timeout",
        "poll_interval" => "times.poll every",
        "reconcile_interval" => "times.reconcile every",
        "overlap" => "times.overlap",
        "longest_backoff" => "times.longest back-off",
        "denied_pause" => "times.denied pause",
        "unknown_create_wait" => "times.unknown create wait",
        "crm.active_stage" => "variables.Active stage name",
        "crm.on_hold_stage" => "variables.On-hold stage name",
        "crm.country_field" => "variables.Customer Account Country Code (field name)",
        other => other,
    };
    name.to_owned()
}

fn listed(faults: &[SettingsFault]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Collects faults.
struct Faults(Vec<SettingsFault>);

impl Faults {
    fn unless(&mut self, good: bool, setting: &'static str, fault: &'static str) {
        if !good {
            self.0.push(SettingsFault {
                setting: setting.to_owned(),
                fault: fault.to_owned(),
            });
        }
    }

    fn base(&mut self, text: &str, setting: &'static str) {
        let parsed: Option<http::Uri> = text.parse().ok();
        let good = parsed.is_some_and(|uri| {
            let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
            scheme && uri.authority().is_some() && uri.path() == "/" && uri.query().is_none()
        });
        let fault = "must be an http or https URL of a host, without path and trailing slash";
        self.unless(good && !text.ends_with('/'), setting, fault);
    }

    fn filled(&mut self, text: &str, setting: &'static str) {
        self.unless(!text.trim().is_empty(), setting, "must not be empty");
    }

    fn secret(&mut self, secret: &Secret, setting: &'static str) {
        self.filled(secret.expose(), setting);
    }

    fn field(&mut self, name: &str, setting: &'static str) {
        self.unless(is_field_name(name), setting, "must be a field's API name");
    }

    fn time(&mut self, span: SignedDuration, setting: &'static str) {
        let good = span > SignedDuration::ZERO && span <= SignedDuration::from_hours(24 * 30);
        self.unless(good, setting, "must be longer than nothing and at most 30 days");
    }
}

pub(super) fn check(settings: &Settings) -> Result<(), SettingsError> {
    let mut faults = Faults(Vec::new());
    partner_center(&settings.partner_center, &mut faults);
    match &settings.crm {
        CrmSettings::Salesforce(salesforce) => check_salesforce(salesforce, &mut faults),
        CrmSettings::Dataverse(dataverse) => check_dataverse(dataverse, &mut faults),
    }
    if let Some(url) = &settings.hook_url {
        let good = url
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some());
        faults.unless(good, "hook_url", "must be an absolute URL");
        let last = url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next());
        let guessed = settings.accept_unsigned_hooks && last.is_none_or(|part| part.len() < 16);
        let fault = "must end with a secret part of at least 16 letters where unsigned webhooks are taken";
        faults.unless(!guessed, "hook_url", fault);
    }
    faults.filled(&settings.referral_link, "referral_link");
    faults.unless(settings.audit_limit >= 500, "audit_limit", "must be at least 500");
    faults.unless(settings.concurrency >= 1, "concurrency", "must be at least 1");
    faults.unless(settings.daily_calls != Some(0), "daily_calls", "must be at least 1");
    faults.unless(settings.most_deals >= 1, "most_deals", "must be at least 1");
    faults.time(settings.call_timeout, "call_timeout");
    faults.time(settings.poll_interval, "poll_interval");
    faults.time(settings.reconcile_interval, "reconcile_interval");
    faults.time(settings.overlap, "overlap");
    faults.time(settings.longest_backoff, "longest_backoff");
    faults.time(settings.denied_pause, "denied_pause");
    faults.time(settings.unknown_create_wait, "unknown_create_wait");
    faults.time(settings.registration_check, "registration_check");
    for (setting, fault) in settings.mapping.faults(&settings.crm) {
        faults.0.push(SettingsFault { setting, fault });
    }
    if faults.0.is_empty() {
        Ok(())
    } else {
        Err(SettingsError(faults.0))
    }
}

fn partner_center(settings: &PartnerCenterSettings, faults: &mut Faults) {
    faults.base(&settings.login, "partner_center.login");
    faults.filled(&settings.tenant, "partner_center.tenant");
    faults.filled(&settings.client_id, "partner_center.client_id");
    faults.secret(&settings.client_secret, "partner_center.client_secret");
    faults.secret(&settings.refresh_token, "partner_center.refresh_token");
    faults.base(&settings.api, "partner_center.api");
    faults.base(&settings.events, "partner_center.events");
    faults.filled(&settings.api_audience, "partner_center.api_audience");
    faults.filled(&settings.events_audience, "partner_center.events_audience");
}

fn check_salesforce(settings: &SalesforceSettings, faults: &mut Faults) {
    faults.base(&settings.org, "crm.org");
    faults.filled(&settings.client_id, "crm.client_id");
    faults.secret(&settings.client_secret, "crm.client_secret");
    let version = settings
        .version
        .strip_prefix('v')
        .is_some_and(|number| number.parse::<f32>().is_ok());
    faults.unless(version, "crm.version", "must look like `v60.0`");
    faults.field(&settings.value_field, "crm.value_field");
    if let Some(field) = &settings.currency_field {
        faults.field(field, "crm.currency_field");
    }
    let code = settings.org_currency.len() == 3 && settings.org_currency.bytes().all(|byte| byte.is_ascii_uppercase());
    faults.unless(code, "crm.org_currency", "must be a code of ISO 4217 in capitals");
    faults.field(&settings.country_field, "crm.country_field");
    let stages = [
        (&settings.active_stage, "crm.active_stage"),
        (&settings.on_hold_stage, "crm.on_hold_stage"),
        (&settings.won_stage, "crm.won_stage"),
        (&settings.lost_stage, "crm.lost_stage"),
    ];
    for (at, (stage, setting)) in stages.iter().enumerate() {
        faults.filled(stage, setting);
        let new = stages[..at].iter().all(|(earlier, _)| earlier != stage);
        faults.unless(new, setting, "must differ from the other stages");
    }
    faults.time(settings.session, "crm.session");
}

fn check_dataverse(settings: &DataverseSettings, faults: &mut Faults) {
    faults.base(&settings.login, "crm.login");
    faults.filled(&settings.tenant, "crm.tenant");
    faults.filled(&settings.client_id, "crm.client_id");
    faults.secret(&settings.client_secret, "crm.client_secret");
    faults.base(&settings.org, "crm.org");
    faults.field(&settings.value_field, "crm.value_field");
    faults.field(&settings.country_field, "crm.country_field");
    let differ = settings.active_status != settings.on_hold_status;
    faults.unless(differ, "crm.on_hold_status", "must differ from the active status");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let partner_center = PartnerCenterSettings::new("t", "c", Secret::new("s"), Secret::new("r"));
        let crm = SalesforceSettings::new("https://contoso.my.salesforce.com", "c", Secret::new("s"));
        Settings::new(partner_center, CrmSettings::Salesforce(crm))
    }

    #[test]
    fn the_defaults_are_good() {
        assert_eq!(settings().check(), Ok(()));
    }

    #[test]
    fn all_faults_are_listed_at_once() {
        let mut settings = settings();
        settings.partner_center.api = "api.partner.microsoft.com/".to_owned();
        settings.poll_interval = SignedDuration::ZERO;
        settings.concurrency = 0;
        if let CrmSettings::Salesforce(salesforce) = &mut settings.crm {
            salesforce.on_hold_stage = salesforce.active_stage.clone();
        }
        let faults = settings.check().unwrap_err();
        let names: Vec<&str> = faults.0.iter().map(|fault| fault.setting.as_str()).collect();
        assert_eq!(
            names,
            [
                "partner_center.api",
                "crm.on_hold_stage",
                "concurrency",
                "poll_interval"
            ]
        );
        assert!(
            faults
                .to_string()
                .starts_with("the settings have 4 fault(s): `partner_center.api` must be")
        );
    }
}
