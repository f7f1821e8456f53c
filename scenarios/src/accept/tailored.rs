//! A scenario of the catalog under a team's own settings: its stages, fields, directions and policies.
//!
//! What a scenario sets itself stays: it is what the scenario is about. Nothing is run here.

#![expect(clippy::wildcard_enum_match_arm, reason = "few of the many acts expect something")]

use std::collections::BTreeMap;

use cosell_sim::salesforce::Stage;

use super::checks::Check;
use crate::plan::Plan;
use crate::preflight::profile::{ConflictField, Connector, Direction, FieldProfile, OnHoldEdits, Winner};
use crate::scenario::act::{Act, Expectation, Mark};
use crate::scenario::settings::{self, CurrencyField, OwnField, OwnKind, Settings};
use crate::scenario::{Crm, Scenario};

/// The settings of a team, laid over those of the language.
pub fn settings(team: &Connector, crm: Crm) -> Settings {
    let mut settings = Settings::default();
    lay_over(team, crm, &mut settings, &|_| true);
    settings
}

/// Puts a value that the team has in the place of another.
fn put<T>(target: &mut T, free: bool, value: Option<T>) {
    if let Some(value) = value.filter(|_| free) {
        *target = value;
    }
}

/// Puts each setting that the team has and that `free` lets go.
fn lay_over(team: &Connector, crm: Crm, settings: &mut Settings, free: &dyn Fn(&str) -> bool) {
    let stages = [
        ("on-hold stage", &mut settings.on_hold_stage, &team.on_hold_stage),
        ("active stage", &mut settings.active_stage, &team.active_stage),
    ];
    for (name, target, value) in stages {
        put(target, free(name), value.clone());
    }
    let switches = [
        (
            "display check mark",
            &mut settings.display_check_mark,
            team.display_check_mark,
        ),
        (
            "sync co-sell only",
            &mut settings.sync_cosell_only,
            team.sync_co_sell_only,
        ),
    ];
    for (name, target, value) in switches {
        put(target, free(name), value);
    }
    let fields = [
        ("country field", &mut settings.country_field, &team.country_field),
        (
            "deal value field",
            &mut settings.deal_value_field,
            &team.deal_value_field,
        ),
    ];
    for (name, target, value) in fields {
        put(target, free(name), value.clone().map(Some));
    }
    put(&mut settings.profile, free("profile"), team.field_profile.map(profile));
    put(
        &mut settings.on_hold_edits,
        free("on-hold edits"),
        team.on_hold_edits.map(edits),
    );
    let currency = team
        .deal_value_currency_field
        .as_deref()
        .filter(|_| crm == Crm::Salesforce);
    let currency = currency.map(|field| match field {
        "none" => CurrencyField::None,
        field => CurrencyField::Named(field.to_owned()),
    });
    put(
        &mut settings.deal_value_currency_field,
        free("deal value currency field"),
        currency.map(Some),
    );
    if free("directions") && !team.directions.is_empty() {
        let ways = team.directions.iter();
        settings.directions = ways.map(|(field, way)| (field_of(*field), direction(*way))).collect();
    }
    if free("conflicts") && !team.conflicts.is_empty() {
        let policies = team.conflicts.iter();
        settings.conflicts = policies.map(|(field, who)| (field_of(*field), winner(*who))).collect();
    }
}

fn profile(wanted: FieldProfile) -> settings::Profile {
    match wanted {
        FieldProfile::Overview => settings::Profile::Overview,
        FieldProfile::Documented2020 => settings::Profile::Documented2020,
        FieldProfile::Documented2021 => settings::Profile::Documented2021,
        FieldProfile::Documented2023 => settings::Profile::Documented2023,
    }
}

fn edits(wanted: OnHoldEdits) -> settings::OnHoldEdits {
    match wanted {
        OnHoldEdits::Flush => settings::OnHoldEdits::Flush,
        OnHoldEdits::Drop => settings::OnHoldEdits::Drop,
    }
}

fn field_of(field: ConflictField) -> settings::Field {
    match field {
        ConflictField::Name => settings::Field::Name,
        ConflictField::Value => settings::Field::Value,
        ConflictField::Closes => settings::Field::Closes,
        ConflictField::Notes => settings::Field::Notes,
    }
}

fn direction(way: Direction) -> settings::Direction {
    match way {
        Direction::Both => settings::Direction::Both,
        Direction::PcToCrm => settings::Direction::PcToCrm,
        Direction::CrmToPc => settings::Direction::CrmToPc,
        Direction::CreateOnly => settings::Direction::CreateOnly,
        Direction::Never => settings::Direction::Never,
    }
}

fn winner(winner: Winner) -> settings::Winner {
    match winner {
        Winner::PcWins => settings::Winner::PartnerCenter,
        Winner::CrmWins => settings::Winner::Crm,
        Winner::Latest => settings::Winner::Latest,
    }
}

/// What a team has set, by the names of the language: for people, and for the digest.
pub fn listed(settings: &Settings, crm: Crm) -> BTreeMap<&'static str, String> {
    let columns = crate::record::Columns::of(crm, settings);
    let yes_no = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let policies =
        |(field, winner): (&settings::Field, &settings::Winner)| format!("{}: {}", field.name(), winner.name());
    let mut listed = BTreeMap::from([
        ("profile", settings.profile.name().to_owned()),
        ("display check mark", yes_no(settings.display_check_mark)),
        ("sync co-sell only", yes_no(settings.sync_cosell_only)),
        ("country field", columns.country),
        ("deal value field", columns.value),
        (
            "on-hold edits",
            match settings.on_hold_edits {
                settings::OnHoldEdits::Flush => "flush".to_owned(),
                settings::OnHoldEdits::Drop => "drop".to_owned(),
            },
        ),
        (
            "conflicts",
            if settings.conflicts.is_empty() {
                "pc wins".to_owned()
            } else {
                settings.conflicts.iter().map(policies).collect::<Vec<_>>().join(", ")
            },
        ),
    ]);
    let ways = |(field, way): (&settings::Field, &settings::Direction)| format!("{}: {}", field.name(), way.name());
    if !settings.directions.is_empty() {
        let ways = settings.directions.iter().map(ways).collect::<Vec<_>>();
        listed.insert("directions", ways.join(", "));
    }
    let fields = [
        ("closing date field", &settings.closing_date_field),
        ("notes field", &settings.notes_field),
    ];
    for (name, field) in fields {
        listed.extend(field.clone().map(|field| (name, field)));
    }
    if crm == Crm::Salesforce {
        listed.insert("on-hold stage", settings.on_hold_stage.clone());
        listed.insert("active stage", settings.active_stage.clone());
        let currency = columns
            .currency
            .unwrap_or_else(|| "none: the org has one currency".to_owned());
        listed.insert("deal value currency field", currency);
    }
    listed
}

/// Which way a field must go for a check to say anything.
const NEEDS: [(&str, ConflictField, Direction); 9] = [
    ("update.name", ConflictField::Name, Direction::CrmToPc),
    ("update.mark", ConflictField::Name, Direction::CrmToPc),
    ("update.mark", ConflictField::Value, Direction::PcToCrm),
    ("update.value", ConflictField::Value, Direction::Both),
    ("update.closing-date", ConflictField::Closes, Direction::PcToCrm),
    ("privacy.sync-off", ConflictField::Value, Direction::CrmToPc),
    ("microsoft.declines", ConflictField::Value, Direction::CrmToPc),
    ("trouble.webhooks-twice", ConflictField::Value, Direction::PcToCrm),
    ("trouble.disconnected", ConflictField::Value, Direction::CrmToPc),
];

/// Why a check says nothing about this team's settings, when it does not.
pub fn does_not_apply(check: Check, scenario: &Scenario, crm: Crm, team: &Connector) -> Option<String> {
    let against = |(code, field, needed): &(&str, ConflictField, Direction)| {
        let way = team.directions.get(field).filter(|_| *code == check.code)?;
        let goes = way == needed || *way == Direction::Both;
        let (field, way) = (field_of(*field).name(), direction(*way).name());
        (!goes).then(|| format!("the profile has `directions: {field}: {way}`, which it would go against"))
    };
    if let Some(why) = NEEDS.iter().find_map(against) {
        return Some(why);
    }
    if let Some(only) = scenario.crm.filter(|only| *only != crm) {
        return Some(format!("it is for {} only", name_of(only)));
    }
    let (own, theirs) = (listed(&scenario.settings, crm), listed(&settings(team, crm), crm));
    theirs.iter().find_map(|(name, value)| {
        let set = scenario.places.contains_key(&format!("settings.{name}"));
        let wants = own.get(name).filter(|wants| set && *wants != value)?;
        Some(format!(
            "it is for `{name}: {wants}`, and the profile has `{name}: {value}`"
        ))
    })
}

/// The CRM as people call it.
pub fn name_of(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "Salesforce",
        Crm::Dynamics => "Dynamics 365",
    }
}

/// The plan of a scenario under a team's settings. Simulated orgs get the stages and the fields that the team names.
pub fn plan(scenario: &Scenario, crm: Crm, seed: Option<u64>, team: &Connector) -> Plan {
    let mut plan = Plan::of(scenario, crm, seed);
    let free = |name: &str| !scenario.places.contains_key(&format!("settings.{name}"));
    lay_over(team, crm, &mut plan.settings, &free);
    if crm == Crm::Salesforce {
        let stages = [&plan.settings.on_hold_stage, &plan.settings.active_stage];
        for stage in stages {
            let known = &mut plan.world.salesforce.stages;
            if !known.iter().any(|known| known.name == *stage) && !scenario_names(scenario, stage) {
                known.insert(0, Stage::open(stage, 10));
            }
        }
        own_fields(&mut plan);
        if plan.settings.deal_value_currency_field == Some(CurrencyField::None) {
            plan.world.salesforce.schema.multi_currency = false;
        }
    }
    if !plan.settings.display_check_mark {
        each_expectation(&mut plan, &mut without_mark);
    }
    plan
}

/// Whether the scenario itself is about a stage, and says on purpose whether the org has it.
fn scenario_names(scenario: &Scenario, stage: &str) -> bool {
    let own = &scenario.settings;
    let named = |name: &str| scenario.places.contains_key(&format!("settings.{name}"));
    (named("on-hold stage") && own.on_hold_stage == stage) || (named("active stage") && own.active_stage == stage)
}

/// Fields of the team's own, which a simulated org does not come with.
fn own_fields(plan: &mut Plan) {
    let settings = &plan.settings;
    let currency = match &settings.deal_value_currency_field {
        Some(CurrencyField::Named(name)) => Some(name.clone()),
        Some(CurrencyField::None) | None => None,
    };
    let named = [
        (settings.country_field.clone(), "Account", OwnKind::Line),
        (settings.deal_value_field.clone(), "Opportunity", OwnKind::Money),
        (currency, "Opportunity", OwnKind::Line),
        (settings.closing_date_field.clone(), "Opportunity", OwnKind::Date),
        (settings.notes_field.clone(), "Opportunity", OwnKind::Text),
    ];
    for (name, object, kind) in named {
        // The standard fields are there.
        if let Some(name) = name.filter(|name| name.to_ascii_lowercase().ends_with("__c")) {
            plan.world.salesforce_fields.push(OwnField { name, object, kind });
        }
    }
}

/// Where names carry no mark, none is expected.
fn without_mark(expectation: &mut Expectation) {
    if let Expectation::InCrm(fields) = expectation
        && fields.mark.is_some()
    {
        fields.mark = Some(Mark::None);
    }
}

/// Changes what a plan expects.
pub(super) fn each_expectation(plan: &mut Plan, change: &mut dyn FnMut(&mut Expectation)) {
    for step in &mut plan.steps {
        match &mut step.act {
            Act::Expect(expected) => change(expected),
            Act::Watch(_, expected) => change(expected),
            _ => {}
        }
    }
}

/// Leaves out what only the reference connector can be asked: its decisions.
pub fn from_outside(plan: &mut Plan) {
    for step in &mut plan.steps {
        let inside = match &step.act {
            Act::Expect(expected) => matches!(expected, Expectation::Decision(_)),
            Act::Watch(_, expected) => matches!(**expected, Expectation::Decision(_)),
            _ => false,
        };
        if inside {
            step.act = Act::Nothing;
        }
    }
}
