//! Settings out of a document: a tree of words and values, as a YAML or JSON file holds it. Every fault is reported, each with its
//! place and the nearest name.
//!
//! It opens no file and reads no environment: the caller brings the tree, and resolves secrets.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value of a document is of one kind, or of none that fits"
)]

use jiff::tz::Offset;
use serde_json::Value;

use super::check::in_document;
use super::mapping::{FieldRule, STEP_NAMES, Step};
use super::variables::VARIABLES;
use super::{
    CrmSettings, DataverseSettings, Direction, OnHoldEdits, PartnerCenterSettings, Policy, Profile, SalesforceSettings,
    Settings, SettingsError, SettingsFault,
};
use crate::deal::Field;

/// One section.
mod section;

pub use section::Section;
use section::{fault, unknown};

/// Gives the secret behind a value such as `{env: NAME}`; the text says why there is none.
pub type Resolve<'a> = &'a dyn Fn(&Value) -> Result<String, String>;

/// The sections of a document.
const SECTIONS: [&str; 11] = [
    "profile",
    "partner center",
    "crm",
    "variables",
    "mapping",
    "transforms",
    "webhook",
    "rules",
    "times",
    "limits",
    "process",
];

/// Reads a document, and checks the settings that it gives.
pub fn read(document: &Value, resolve: Resolve<'_>) -> Result<Settings, SettingsError> {
    let mut faults = Vec::new();
    match document.as_object() {
        None => fault(&mut faults, "document", "must be keys with values"),
        Some(entries) => {
            for key in entries.keys().filter(|key| !SECTIONS.contains(&key.as_str())) {
                fault(&mut faults, key.clone(), unknown(key, &SECTIONS));
            }
        }
    }
    let partner_center = partner_center(document, resolve, &mut faults);
    let crm = crm(document, resolve, &mut faults);
    let mut settings = Settings::new(partner_center, crm);
    profile(document, &mut settings, &mut faults);
    variables(document, &mut settings, &mut faults);
    fields(document, &mut settings, &mut faults);
    webhook(document, &mut settings, &mut faults);
    rules(document, &mut settings, &mut faults);
    times_and_limits(document, &mut settings, &mut faults);
    if let Err(SettingsError(more)) = settings.check() {
        // A value that is missing or no value at all is told once.
        let words = |name: &str| name.replace('_', " ");
        let told: Vec<String> = faults.iter().map(|fault| words(&fault.setting)).collect();
        let more = more.into_iter().map(|fault| SettingsFault {
            setting: in_document(&fault.setting),
            ..fault
        });
        faults.extend(more.filter(|fault| !told.contains(&words(&fault.setting))));
    }
    if faults.is_empty() {
        Ok(settings)
    } else {
        Err(SettingsError(faults))
    }
}

fn put<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn partner_center(document: &Value, resolve: Resolve<'_>, faults: &mut Vec<SettingsFault>) -> PartnerCenterSettings {
    const KEYS: [&str; 9] = [
        "tenant",
        "client id",
        "client secret",
        "refresh token",
        "login",
        "api",
        "events",
        "api audience",
        "events audience",
    ];
    let mut section = Section::of(document, "partner center", &KEYS, faults);
    let (tenant, client) = (section.needed("tenant"), section.needed("client id"));
    let (secret, token) = (
        section.secret("client secret", resolve),
        section.secret("refresh token", resolve),
    );
    let mut settings = PartnerCenterSettings::new(tenant, client, secret, token);
    put(&mut settings.login, section.text("login"));
    put(&mut settings.api, section.text("api"));
    put(&mut settings.events, section.text("events"));
    put(&mut settings.api_audience, section.text("api audience"));
    put(&mut settings.events_audience, section.text("events audience"));
    settings
}

#[derive(Clone, Copy)]
enum Kind {
    Salesforce,
    Dynamics,
}

fn crm(document: &Value, resolve: Resolve<'_>, faults: &mut Vec<SettingsFault>) -> CrmSettings {
    match kind(document, faults) {
        Kind::Salesforce => CrmSettings::Salesforce(salesforce(document, resolve, faults)),
        Kind::Dynamics => CrmSettings::Dataverse(dynamics(document, resolve, faults)),
    }
}

fn kind(document: &Value, faults: &mut Vec<SettingsFault>) -> Kind {
    let kinds = [("salesforce", Kind::Salesforce), ("dynamics", Kind::Dynamics)];
    // Which keys there are depends on the kind: here only the kind itself is judged.
    let mut unread = Vec::new();
    let mut section = Section::of(document, "crm", &[], &mut unread);
    if section.raw("kind").is_none() {
        section.fault("kind", "is missing: `salesforce` or `dynamics`");
    }
    let kind = section.word("kind", &kinds);
    let own = unread.into_iter().rev().find(|fault| fault.setting == "crm.kind");
    faults.extend(own.filter(|_| kind.is_none()));
    kind.unwrap_or(Kind::Salesforce)
}

fn salesforce(document: &Value, resolve: Resolve<'_>, faults: &mut Vec<SettingsFault>) -> SalesforceSettings {
    const KEYS: [&str; 10] = [
        "kind",
        "org",
        "client id",
        "client secret",
        "version",
        "org currency",
        "won stage",
        "lost stage",
        "session",
        "single currency",
    ];
    let mut section = Section::of(document, "crm", &KEYS, faults);
    let (org, client) = (section.needed("org"), section.needed("client id"));
    let mut crm = SalesforceSettings::new(org, client, section.secret("client secret", resolve));
    put(&mut crm.version, section.text("version"));
    put(&mut crm.org_currency, section.text("org currency"));
    put(&mut crm.won_stage, section.text("won stage"));
    put(&mut crm.lost_stage, section.text("lost stage"));
    put(&mut crm.session, section.span("session"));
    if section.yes_no("single currency") == Some(true) {
        crm.currency_field = None;
    }
    crm
}

fn dynamics(document: &Value, resolve: Resolve<'_>, faults: &mut Vec<SettingsFault>) -> DataverseSettings {
    const KEYS: [&str; 11] = [
        "kind",
        "org",
        "client id",
        "client secret",
        "tenant",
        "login",
        "active status",
        "on-hold status",
        "won status",
        "lost status",
        "first help choice",
    ];
    let mut section = Section::of(document, "crm", &KEYS, faults);
    let (org, tenant, client) = (
        section.needed("org"),
        section.needed("tenant"),
        section.needed("client id"),
    );
    let mut crm = DataverseSettings::new(org, tenant, client, section.secret("client secret", resolve));
    put(&mut crm.login, section.text("login"));
    let mut status = |key, target: &mut i64| {
        put(
            target,
            section.number(key).and_then(|number| i64::try_from(number).ok()),
        );
    };
    status("active status", &mut crm.active_status);
    status("on-hold status", &mut crm.on_hold_status);
    status("won status", &mut crm.won_status);
    status("lost status", &mut crm.lost_status);
    status("first help choice", &mut crm.first_help_choice);
    crm
}

fn profile(document: &Value, settings: &mut Settings, faults: &mut Vec<SettingsFault>) {
    let Some(value) = document.get("profile").filter(|value| !value.is_null()) else {
        return;
    };
    let name = value.as_str().unwrap_or_default();
    match Profile::from_name(name) {
        Some(profile) => settings.profile = profile,
        None => fault(faults, "profile", unknown(name, &Profile::ALL.map(Profile::name))),
    }
}

fn variables(document: &Value, settings: &mut Settings, faults: &mut Vec<SettingsFault>) {
    let known: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    let mut section = Section::of(document, "variables", &known, faults);
    for variable in &VARIABLES {
        if let Some(value) = section.text(variable.name)
            && let Err(text) = variable.set(settings, &value)
        {
            section.fault(variable.name, format!("{text}, not `{value}`"));
        }
    }
}

fn fields(document: &Value, settings: &mut Settings, faults: &mut Vec<SettingsFault>) {
    const KEYS: [&str; 5] = ["pc", "crm", "direction", "conflicts", "transforms"];
    const DIRECTIONS: [(&str, Direction); 5] = [
        ("pc to crm", Direction::PcToCrm),
        ("crm to pc", Direction::CrmToPc),
        ("both", Direction::Both),
        ("create only", Direction::CreateOnly),
        ("never", Direction::Never),
    ];
    const POLICIES: [(&str, Policy); 3] = [
        ("pc wins", Policy::PcWins),
        ("crm wins", Policy::CrmWins),
        ("latest", Policy::Latest),
    ];
    // Names the keys that it does not know.
    let _whole = Section::of(document, "mapping", &Field::ALL.map(Field::name), faults);
    let nothing = Value::Null;
    let rules = document.get("mapping").unwrap_or(&nothing);
    for field in Field::ALL.into_iter().filter(|field| rules.get(field.name()).is_some()) {
        let mut section = Section::of(rules, field.name(), &KEYS, faults);
        section.place = format!("mapping.{}", field.name());
        let mut rule = FieldRule {
            pc: section.text("pc"),
            crm: section.text("crm"),
            direction: section.word("direction", &DIRECTIONS),
            policy: section.word("conflicts", &POLICIES),
            transforms: Vec::new(),
        };
        let steps = section.raw("transforms").cloned();
        rule.transforms = steps.map_or_else(Vec::new, |steps| {
            read_steps(&steps, &format!("mapping.{}.transforms", field.name()), faults)
        });
        if let Some(column) = &rule.crm {
            settings.crm.set_column(field, column);
        }
        settings.mapping.fields.insert(field, rule);
    }
    if let Some(Value::Object(named)) = document.get("transforms") {
        for (name, steps) in named {
            let place = format!("transforms.{name}");
            if STEP_NAMES.contains(&name.as_str()) {
                fault(faults, place, "is there already under this name");
                continue;
            }
            let steps = read_steps(steps, &place, faults);
            settings.mapping.transforms.insert(name.clone(), steps);
        }
    }
}

fn read_steps(value: &Value, place: &str, faults: &mut Vec<SettingsFault>) -> Vec<Step> {
    let one = std::slice::from_ref(value);
    let list = value.as_array().map_or(one, Vec::as_slice);
    let mut steps = Vec::new();
    for step in list {
        let read = match step {
            Value::String(name) => Some(match name.as_str() {
                "single blanks" => Step::SingleBlanks,
                "upper" => Step::Upper,
                "lower" => Step::Lower,
                "first line" => Step::FirstLine,
                _ => Step::Named(name.clone()),
            }),
            Value::Object(entries) => match entries.iter().next() {
                Some((name, longest @ (Value::Number(_) | Value::String(_)))) if name == "shorten" => {
                    let number = longest.as_u64().or_else(|| longest.as_str()?.parse().ok());
                    number
                        .and_then(|longest| usize::try_from(longest).ok())
                        .map(Step::Shorten)
                }
                Some((name, Value::Object(pairs))) if name == "synonyms" => {
                    let pairs = pairs
                        .iter()
                        .map(|(from, to)| Some((from.clone(), to.as_str()?.to_owned())));
                    pairs.collect::<Option<_>>().map(Step::Synonyms)
                }
                _ => None,
            },
            _ => None,
        };
        match read {
            Some(step) => steps.push(step),
            None => fault(
                faults,
                place,
                format!("`{step}` is no transform; there are {}", STEP_NAMES.join(", ")),
            ),
        }
    }
    steps
}

fn webhook(document: &Value, settings: &mut Settings, faults: &mut Vec<SettingsFault>) {
    let keys = ["url", "overwrite", "accept unsigned", "check every"];
    let mut section = Section::of(document, "webhook", &keys, faults);
    settings.hook_url = section.text("url");
    put(&mut settings.overwrite_registration, section.yes_no("overwrite"));
    put(&mut settings.accept_unsigned_hooks, section.yes_no("accept unsigned"));
    put(&mut settings.registration_check, section.span("check every"));
}

fn rules(document: &Value, settings: &mut Settings, faults: &mut Vec<SettingsFault>) {
    let keys = [
        "on-hold edits",
        "notes is description",
        "reopen to link",
        "closing date zone",
        "won reason",
        "lost reason",
        "declined reason",
        "referral link",
    ];
    let mut section = Section::of(document, "rules", &keys, faults);
    let edits = [("flush", OnHoldEdits::Flush), ("drop", OnHoldEdits::Drop)];
    put(&mut settings.on_hold_edits, section.word("on-hold edits", &edits));
    put(
        &mut settings.notes_is_description,
        section.yes_no("notes is description"),
    );
    put(&mut settings.reopen_to_link, section.yes_no("reopen to link"));
    put(&mut settings.won_reason, section.text("won reason"));
    put(&mut settings.lost_reason, section.text("lost reason"));
    put(&mut settings.declined_reason, section.text("declined reason"));
    put(&mut settings.referral_link, section.text("referral link"));
    if let Some(text) = section.text("closing date zone") {
        match zone(&text) {
            Some(zone) => settings.closing_date_zone = zone,
            None => section.fault("closing date zone", format!("must look like `+05:30`, not `{text}`")),
        }
    }
}

/// An offset such as `+05:30`.
fn zone(text: &str) -> Option<Offset> {
    if matches!(text, "UTC" | "Z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sound = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    sound.then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

fn times_and_limits(document: &Value, settings: &mut Settings, faults: &mut Vec<SettingsFault>) {
    let keys = [
        "call timeout",
        "poll every",
        "reconcile every",
        "overlap",
        "longest back-off",
        "denied pause",
        "unknown create wait",
    ];
    let mut section = Section::of(document, "times", &keys, faults);
    put(&mut settings.call_timeout, section.span("call timeout"));
    put(&mut settings.poll_interval, section.span("poll every"));
    put(&mut settings.reconcile_interval, section.span("reconcile every"));
    put(&mut settings.overlap, section.span("overlap"));
    put(&mut settings.longest_backoff, section.span("longest back-off"));
    put(&mut settings.denied_pause, section.span("denied pause"));
    put(&mut settings.unknown_create_wait, section.span("unknown create wait"));
    let mut section = Section::of(
        document,
        "limits",
        &["concurrency", "deals", "audit letters", "daily calls"],
        faults,
    );
    let size = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok());
    put(&mut settings.concurrency, size(section.number("concurrency")));
    put(&mut settings.most_deals, size(section.number("deals")));
    settings.daily_calls = section.number("daily calls");
    put(&mut settings.audit_limit, size(section.number("audit letters")));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inline(value: &Value) -> Result<String, String> {
        value.as_str().map(str::to_owned).ok_or_else(|| "no secret".to_owned())
    }

    fn good() -> Value {
        json!({
            "profile": "documented-2023",
            "partner center": {"tenant": "t", "client id": "c", "client secret": "s", "refresh token": "r"},
            "crm": {"kind": "salesforce", "org": "https://contoso.my.salesforce.com", "client id": "c", "client secret": "s"},
            "variables": {"Deal value (field name)": "Total__c", "Sync Co-sell opportunity": "No", "On-hold stage name": "Waiting"},
            "mapping": {"notes": {"crm": "NextStep", "pc": "/campaignId", "direction": "pc to crm", "transforms": ["tidy"]}},
            "transforms": {"tidy": ["single blanks", {"shorten": 255}]},
            "rules": {"closing date zone": "-03:30"},
            "times": {"poll every": "1m"}
        })
    }

    #[test]
    fn a_document_becomes_settings() {
        let settings = read(&good(), &inline).unwrap();
        assert_eq!(settings.crm.column(Field::Value), Some("Total__c"));
        assert_eq!(settings.crm.column(Field::Notes), Some("NextStep"));
        assert_eq!(settings.direction(Field::Notes), Direction::PcToCrm);
        assert_eq!(settings.mapping.path(Field::Notes), "/campaignId");
        assert_eq!(settings.closing_date_zone.seconds(), -12_600);
        assert!(!settings.sync_cosell_only);
        assert_eq!(settings.profile, Profile::Documented2023);
    }

    #[test]
    fn every_fault_is_told_at_once_with_the_nearest_name() {
        let mut document = good();
        document["profil"] = json!("x");
        document["profile"] = json!("documented-2032");
        document["partner center"]["refresh token"] = json!(7);
        document["crm"]["lost stagr"] = json!("x");
        document["variables"]["Deal value (field)"] = json!("x");
        document["variables"]["Display check mark in the opportunity name"] = json!("perhaps");
        document["mapping"]["notes"]["direction"] = json!("up");
        document["mapping"]["value"] = json!({"crm": "CloseDate"});
        document["times"]["poll every"] = json!("soon");
        let SettingsError(faults) = read(&document, &inline).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        assert_eq!(
            places,
            [
                "profil",
                "partner center.refresh token",
                "crm.lost stagr",
                "profile",
                "variables.Deal value (field)",
                "variables.Display check mark in the opportunity name",
                "mapping.notes.direction",
                "times.poll every",
                "mapping.closing date.crm",
            ]
        );
        assert_eq!(faults[0].fault, "is not known; did you mean `profile`?");
        assert_eq!(faults[3].fault, "is not known; did you mean `documented-2023`?");
    }
}
