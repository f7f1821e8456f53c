//! A plan's settings in the words of the simulators and of the connector under test.
//!
//! The only place that names the types of both. It decides nothing: what a scenario leaves open, each side's own
//! defaults decide.

use std::collections::BTreeMap;
use std::time::Duration;

use cosell_connector::flow::{Flow, FlowAct, Resubmit};
use cosell_connector::id::{OpportunityId, ReferralId};
use cosell_connector::settings::{
    CrmSettings, DataverseSettings, Direction, OnHoldEdits, PartnerCenterSettings, Policy, Profile, SalesforceSettings,
    Secret, Settings,
};
use cosell_sim::identity::{
    Authority, PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, Role, SALESFORCE_AUDIENCE,
};
use cosell_sim::partner_center::Throttle;
use cosell_sim::salesforce::{CustomField, CustomKind};
use cosell_sim::seed::Seed;
use cosell_sim::site::{Bases, Site};
use cosell_sim::world::WorldSettings;

use crate::plan::Plan;
use crate::record::ORG_CURRENCY;
use crate::scenario::Crm;
use crate::scenario::act::{FlowStep, System, UserRole};
use crate::scenario::settings::{self, CurrencyField, Field, Winner};

/// Faults as rules of the network.
mod rules;
/// Settings that the connector refuses.
mod refused;
/// Microsoft's doings.
mod microsoft;

pub use microsoft::{claim, microsoft_edit, microsofts, share, share_lead};
pub use refused::{blamed, in_words};
pub use rules::{BrokenConnection, rules};

/// The URL at which the connector receives webhooks in process. Nothing listens there: the world hands deliveries over.
pub const HOOK_URL: &str = "https://connector.contoso.example/hooks/partner-center";

/// The same where webhooks without a signature are taken: nobody can guess it.
const SECRET_HOOK_URL: &str = "https://connector.contoso.example/hooks/partner-center/3f1c9d52a7e84b06";

/// The URL of another environment's webhooks. What is delivered there the connector does not hear.
pub const ELSEWHERE: &str = "https://staging.contoso.example/hooks/partner-center";

/// The secret that the simulated token endpoints know.
const SECRET: &str = "secret";

/// The world of a plan.
pub fn world(plan: &Plan) -> WorldSettings {
    let mut settings = WorldSettings {
        seed: Seed(plan.seed),
        ..WorldSettings::default()
    };
    settings.crm = vec![plan.crm.site()];
    settings.salesforce = plan.world.salesforce.clone();
    if let Some(page_size) = plan.world.page_size {
        let page_size = page_size as usize;
        settings.partner_center.page_size = page_size;
        settings.salesforce.page_size = page_size;
        settings.dataverse.page_size = page_size;
    }
    settings.partner_center.daily_calls = plan.world.daily_calls;
    settings.partner_center.throttle = plan.world.calls_per_minute.map(|calls| Throttle {
        calls,
        per: Duration::from_mins(1),
    });
    settings.dataverse.strict = plan.world.dynamics_strict;
    settings.dataverse.own_columns.clone_from(&plan.world.dynamics_columns);
    let own = plan.world.salesforce_fields.iter().map(own_field);
    settings.salesforce.schema.custom_fields.extend(own);
    settings
}

fn own_field(field: &settings::OwnField) -> CustomField {
    CustomField {
        object: field.object.to_owned(),
        name: field.name.clone(),
        label: field.name.trim_end_matches("__c").replace('_', " "),
        kind: match field.kind {
            settings::OwnKind::Line => CustomKind::Text(80),
            settings::OwnKind::Text => CustomKind::LongText(32_000),
            settings::OwnKind::Money => CustomKind::Currency(18, 2),
            settings::OwnKind::Date => CustomKind::Date,
        },
        required: false,
        external_id: false,
        unique: false,
    }
}

/// The connector's settings for a plan, with the systems at their base URLs.
pub fn connector(plan: &Plan, bases: &Bases) -> Result<Settings, String> {
    let login = bases.of(Site::Entra);
    let secret = || Secret::new(SECRET);
    let refresh_token = Secret::new(Authority::refresh_token_of("connector"));
    let mut partner_center = PartnerCenterSettings::new("contoso.example", "connector", secret(), refresh_token);
    partner_center.login.clone_from(&login);
    partner_center.api = bases.of(Site::PartnerCenter);
    partner_center.events = bases.partner_center_events();
    let wanted = &plan.settings;
    let crm = match plan.crm {
        Crm::Salesforce => {
            let mut crm = SalesforceSettings::new(bases.of(Site::Salesforce), "connector", secret());
            crm.on_hold_stage.clone_from(&wanted.on_hold_stage);
            crm.active_stage.clone_from(&wanted.active_stage);
            override_with(&mut crm.value_field, wanted.deal_value_field.as_ref());
            override_with(&mut crm.country_field, wanted.country_field.as_ref());
            override_with(&mut crm.closing_date_field, wanted.closing_date_field.as_ref());
            override_with(&mut crm.notes_field, wanted.notes_field.as_ref());
            match &wanted.deal_value_currency_field {
                Some(CurrencyField::Named(field)) => crm.currency_field = Some(field.clone()),
                Some(CurrencyField::None) => crm.currency_field = None,
                None => {}
            }
            ORG_CURRENCY.clone_into(&mut crm.org_currency);
            CrmSettings::Salesforce(crm)
        }
        Crm::Dynamics => {
            let base = bases.of(Site::Dataverse);
            let mut crm = DataverseSettings::new(base, "contoso.example", "connector", secret());
            crm.login = login;
            override_with(&mut crm.value_field, wanted.deal_value_field.as_ref());
            override_with(&mut crm.country_field, wanted.country_field.as_ref());
            override_with(&mut crm.closing_date_field, wanted.closing_date_field.as_ref());
            override_with(&mut crm.notes_field, wanted.notes_field.as_ref());
            CrmSettings::Dataverse(crm)
        }
    };
    let mut settings = Settings::new(partner_center, crm);
    settings.hook_url = Some(HOOK_URL.to_owned());
    operator(&mut settings, wanted);
    directions(&mut settings, wanted);
    further(&mut settings, &wanted.further);
    plant(&mut settings, plan)?;
    Ok(settings)
}

/// The reasons for closing a referral, by the substatus in small letters.
pub fn reasons(plan: &Plan) -> BTreeMap<String, String> {
    let further = &plan.settings.further;
    let own = |wanted: &Option<String>, own: &str| wanted.clone().unwrap_or_else(|| own.to_owned());
    BTreeMap::from([
        ("won".to_owned(), own(&further.won_reason, "Won in the CRM")),
        ("lost".to_owned(), own(&further.lost_reason, "Others")),
        ("declined".to_owned(), own(&further.declined_reason, "Others")),
    ])
}

fn operator(settings: &mut Settings, wanted: &settings::Settings) {
    settings.profile = match wanted.profile {
        settings::Profile::Overview => Profile::Overview,
        settings::Profile::Documented2020 => Profile::Documented2020,
        settings::Profile::Documented2021 => Profile::Documented2021,
        settings::Profile::Documented2023 => Profile::Documented2023,
    };
    settings.on_hold_edits = match wanted.on_hold_edits {
        settings::OnHoldEdits::Flush => OnHoldEdits::Flush,
        settings::OnHoldEdits::Drop => OnHoldEdits::Drop,
    };
    settings.display_check_mark = wanted.display_check_mark;
    settings.sync_cosell_only = wanted.sync_cosell_only;
    settings.poll_interval = wanted.poll_every.unwrap_or(settings.poll_interval);
    settings.reconcile_interval = wanted.reconcile_every.unwrap_or(settings.reconcile_interval);
    for (field, winner) in &wanted.conflicts {
        let policy = match winner {
            Winner::PartnerCenter => Policy::PcWins,
            Winner::Crm => Policy::CrmWins,
            Winner::Latest => Policy::Latest,
        };
        for field in fields(*field) {
            settings.field_policy.insert(field, policy);
        }
    }
}

/// Which way fields go that do not go the profile's way.
fn directions(settings: &mut Settings, wanted: &settings::Settings) {
    for (field, goes) in &wanted.directions {
        let direction = match goes {
            settings::Direction::Both => Direction::Both,
            settings::Direction::PcToCrm => Direction::PcToCrm,
            settings::Direction::CrmToPc => Direction::CrmToPc,
            settings::Direction::CreateOnly => Direction::CreateOnly,
            settings::Direction::Never => Direction::Never,
        };
        for field in fields(*field) {
            settings.mapping.fields.entry(field).or_default().direction = Some(direction);
        }
    }
}

/// What few scenarios set.
fn further(settings: &mut Settings, wanted: &settings::Further) {
    fn put<T: Clone>(target: &mut T, wanted: Option<&T>) {
        if let Some(wanted) = wanted {
            target.clone_from(wanted);
        }
    }
    if wanted.webhooks == Some(false) {
        settings.hook_url = None;
    }
    put(
        &mut settings.overwrite_registration,
        wanted.overwrite_registration.as_ref(),
    );
    if wanted.unsigned_webhooks == Some(true) && settings.hook_url.is_some() {
        settings.accept_unsigned_hooks = true;
        settings.hook_url = Some(SECRET_HOOK_URL.to_owned());
    }
    put(
        &mut settings.notes_is_description,
        wanted.notes_are_description.as_ref(),
    );
    put(&mut settings.reopen_to_link, wanted.reopen_to_link.as_ref());
    if let Some(hours) = wanted.closing_date_zone {
        settings.closing_date_zone = jiff::tz::Offset::constant(hours);
    }
    put(&mut settings.won_reason, wanted.won_reason.as_ref());
    put(&mut settings.lost_reason, wanted.lost_reason.as_ref());
    put(&mut settings.declined_reason, wanted.declined_reason.as_ref());
    put(&mut settings.call_timeout, wanted.call_timeout.as_ref());
    put(&mut settings.overlap, wanted.overlap.as_ref());
    put(&mut settings.longest_backoff, wanted.longest_backoff.as_ref());
    put(&mut settings.denied_pause, wanted.denied_pause.as_ref());
    put(&mut settings.unknown_create_wait, wanted.unknown_create_wait.as_ref());
    if let Some(calls) = wanted.daily_budget {
        settings.daily_calls = Some(u64::from(calls));
    }
    let counts = [
        (&mut settings.audit_limit, wanted.audit_limit),
        (&mut settings.concurrency, wanted.deals_at_once),
        (&mut settings.most_deals, wanted.most_deals),
    ];
    for (target, wanted) in counts {
        put(target, wanted.map(|count| count as usize).as_ref());
    }
}

/// The simulators' role of a user.
pub fn role(role: UserRole) -> Role {
    match role {
        UserRole::ReferralsAdmin => Role::ReferralsAdmin,
        UserRole::ReferralsUser => Role::ReferralsUser,
        UserRole::SystemAdministrator => Role::SystemAdministrator,
        UserRole::SystemCustomizer => Role::SystemCustomizer,
        UserRole::Salesperson => Role::Salesperson,
    }
}

/// The audiences of the tokens that the connector has for a system.
pub fn audiences(system: System, crm: Crm, bases: &Bases) -> Vec<String> {
    match (system, crm) {
        (System::Crm, Crm::Salesforce) => vec![SALESFORCE_AUDIENCE.to_owned()],
        (System::Crm, Crm::Dynamics) => vec![bases.of(Site::Dataverse)],
        (System::PartnerCenter | System::Webhooks | System::SignIn, _) => vec![
            PARTNER_CENTER_AUDIENCE.to_owned(),
            PARTNER_CENTER_EVENTS_AUDIENCE.to_owned(),
        ],
    }
}

/// The connector's fields behind a field of the language: the value comes with its currency.
fn fields(field: Field) -> Vec<cosell_connector::deal::Field> {
    use cosell_connector::deal::Field as Theirs;
    match field {
        Field::Name => vec![Theirs::Name],
        Field::Value => vec![Theirs::Value, Theirs::Currency],
        Field::Closes => vec![Theirs::ClosingDate],
        Field::Notes => vec![Theirs::Notes],
    }
}

fn override_with(target: &mut String, wanted: Option<&String>) {
    if let Some(wanted) = wanted {
        target.clone_from(wanted);
    }
}

#[cfg(feature = "planted")]
fn plant(settings: &mut Settings, plan: &Plan) -> Result<(), String> {
    use cosell_connector::planted::Planted;
    let Some(name) = &plan.planted else { return Ok(()) };
    let known = || Planted::ALL.map(Planted::name).join(", ");
    let bug =
        Planted::from_name(name).ok_or_else(|| format!("no planted bug is called `{name}`; there are {}", known()))?;
    settings.planted = Some(bug);
    Ok(())
}

#[cfg(not(feature = "planted"))]
fn plant(_settings: &mut Settings, plan: &Plan) -> Result<(), String> {
    match &plan.planted {
        None => Ok(()),
        Some(name) => Err(format!(
            "`{name}` can only be planted in a build with the feature `planted`"
        )),
    }
}

/// What a person does with the flows, and with the deal of a referral or an opportunity; `None` for a deal that is nowhere.
pub fn flow_act(step: FlowStep, referral: Option<String>, opportunity: Option<String>) -> Option<FlowAct> {
    let flow = |words: &str| Flow::from_slug(&words.replace(' ', "-"));
    Some(match step {
        FlowStep::TurnOn(words) => FlowAct::Turn {
            flow: flow(words)?,
            on: true,
        },
        FlowStep::TurnOff(words) => FlowAct::Turn {
            flow: flow(words)?,
            on: false,
        },
        FlowStep::LoseTrigger(words) => FlowAct::LoseTrigger { flow: flow(words)? },
        FlowStep::Reconnect => FlowAct::Reconnect,
        FlowStep::ResubmitFailed => FlowAct::Resubmit(Resubmit::Failed),
        FlowStep::ResubmitFlow(words) => FlowAct::Resubmit(Resubmit::Flow(flow(words)?)),
        FlowStep::Resubmit => FlowAct::Resubmit(match (referral, opportunity) {
            (_, Some(id)) => Resubmit::Opportunity(OpportunityId::new(id)),
            (Some(id), None) => Resubmit::Referral(ReferralId::new(id)),
            (None, None) => return None,
        }),
    })
}

/// Every flow is turned on, children first, and has its trigger.
pub fn all_flows_on(crm: Crm) -> Vec<FlowAct> {
    let here = |flow: &Flow| crm == Crm::Dynamics || *flow != Flow::Helper;
    let on = Flow::ALL
        .into_iter()
        .filter(here)
        .map(|flow| FlowAct::Turn { flow, on: true });
    std::iter::once(FlowAct::Reconnect).chain(on).collect()
}
