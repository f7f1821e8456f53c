//! What stands above the steps: the connector's settings, the simulators', and what is there before the start.

use super::act::UserRole;
use super::environment;
use super::given::{Given, Reader};
use super::key::{Key, Kind, alternatives, may, may_be_none};
use super::org;
use super::settings::{CurrencyField, Further, Given as There, OnHoldEdits, Profile, Settings, WorldSettings};
use super::words::{
    BREAKS, CONNECTED, DIRECTIONS, FIELDS, MAKERS, ON_HOLD_EDITS, PROFILES, ROLES, WINNERS, meaning, words,
};
use crate::diagnostic::{nearest, quote};

pub(super) const SETTINGS: [Key; 33] = [
    may("profile", Kind::Word(&words(&PROFILES)), "which fields go which way"),
    may(
        "on-hold stage",
        Kind::Text,
        "the CRM's stage for deals that wait for acceptance",
    ),
    may("active stage", Kind::Text, "the CRM's stage for accepted deals"),
    may("display check mark", Kind::YesNo, "whether names carry a mark"),
    may("sync co-sell only", Kind::YesNo, "whether leads stay out of the CRM"),
    may(
        "on-hold edits",
        Kind::Word(&words(&ON_HOLD_EDITS)),
        "what becomes of edits made on hold",
    ),
    may(
        "conflicts",
        Kind::Map(&CONFLICTS),
        "who wins when both sides changed a field",
    ),
    may("country field", Kind::Text, "the account's field with the country code"),
    may(
        "deal value field",
        Kind::Text,
        "the opportunity's field with the deal value",
    ),
    may_be_none(
        "deal value currency field",
        Kind::Text,
        "the opportunity's field with the currency",
    ),
    may(
        "closing date field",
        Kind::Text,
        "the opportunity's field with the closing date",
    ),
    may("notes field", Kind::Text, "the opportunity's field with the notes"),
    may(
        "directions",
        Kind::Map(&GOES),
        "which way a field goes, where it is not the profile's way",
    ),
    may("poll every", Kind::Duration, "how often the CRM is asked for changes"),
    may(
        "reconcile every",
        Kind::Duration,
        "how often Partner Center is asked for changes",
    ),
    may("webhooks", Kind::YesNo, "whether it registers for webhooks"),
    may(
        "overwrite registration",
        Kind::YesNo,
        "whether it takes the webhooks of another environment",
    ),
    may(
        "unsigned webhooks",
        Kind::YesNo,
        "whether webhooks without a signature are taken",
    ),
    may(
        "notes are description",
        Kind::YesNo,
        "whether notes and Description are one pair",
    ),
    may(
        "reopen to link",
        Kind::YesNo,
        "whether a closed opportunity is opened and closed again for its link",
    ),
    may(
        "closing date zone",
        Kind::Text,
        "the zone in which a closing date is a day: `UTC`, `UTC+2`, `UTC-8`",
    ),
    may(
        "won reason",
        Kind::Text,
        "the reason in Partner Center of a deal won in the CRM",
    ),
    may(
        "lost reason",
        Kind::Text,
        "the reason in Partner Center of a deal lost in the CRM",
    ),
    may(
        "declined reason",
        Kind::Text,
        "the reason in Partner Center of a deal lost while on hold",
    ),
    may(
        "audit limit",
        Kind::Number(500, 100_000),
        "how many letters the Audit field holds",
    ),
    may("call timeout", Kind::Duration, "how long a call waits for its reply"),
    may("overlap", Kind::Duration, "how far changes are read again"),
    may(
        "longest back-off",
        Kind::Duration,
        "the longest pause between two attempts",
    ),
    may(
        "denied pause",
        Kind::Duration,
        "the pause after a refusal for lack of rights",
    ),
    may(
        "unknown create wait",
        Kind::Duration,
        "how long a create with an unknown outcome may still arrive",
    ),
    may(
        "deals at once",
        Kind::Number(1, 1_000),
        "how many deals are worked on at the same time",
    ),
    may("most deals", Kind::Number(1, 1_000_000), "how many deals may be known"),
    may(
        "daily budget",
        Kind::Number(1, 1_000_000),
        "how many calls to Partner Center it allows itself in a day",
    ),
];

/// The keys of `given`.
pub(super) const GIVEN: [Key; 4] = [
    may(
        "deals",
        Kind::Number(1, 5_000),
        "so many deals, with names and customers drawn from the seed",
    ),
    may("made by", Kind::Word(&words(&MAKERS)), "who made them"),
    may("connections", Kind::Map(&CONNECTIONS), "connections that are broken"),
    may("users", Kind::Map(&USERS), "users with other roles than usual"),
];
const BROKEN: Kind = Kind::Word(&words(&BREAKS));
const CONNECTIONS: [Key; 2] = [
    may("partner center", BROKEN, "why it is broken"),
    may("crm", BROKEN, "why it is broken"),
];
const USERS: [Key; 3] = [
    may("connector", Kind::Texts, "all that the connector's user may do"),
    may("seller", Kind::Texts, "all that the seller may do"),
    may("partner", Kind::Texts, "all that the person in the portal may do"),
];

const GOES_WHERE: Kind = Kind::Word(&words(&DIRECTIONS));
const GOES: [Key; 4] = [
    may("name", GOES_WHERE, "the deal's name"),
    may("value", GOES_WHERE, "the deal value with its currency"),
    may("closes", GOES_WHERE, "the closing date"),
    may("notes", GOES_WHERE, "notes and Description"),
];

const WINS: Kind = Kind::Word(&words(&WINNERS));
const CONFLICTS: [Key; 4] = [
    may("name", WINS, "the deal's name"),
    may("value", WINS, "the deal value with its currency"),
    may("closes", WINS, "the closing date"),
    may("notes", WINS, "notes and Description"),
];

pub(super) const WORLD: [Key; 5] = [
    may("page size", Kind::Number(1, 5_000), "rows on a page of any list"),
    may(
        "daily calls",
        Kind::Number(1, 1_000_000),
        "how many calls to Partner Center a user has in a day",
    ),
    may(
        "calls per minute",
        Kind::Number(1, 100_000),
        "how many calls Partner Center takes in a minute",
    ),
    may("salesforce", Kind::Map(org::SALESFORCE), "the Salesforce org"),
    may(
        "dynamics",
        Kind::Map(&environment::DYNAMICS),
        "the Dataverse environment",
    ),
];
/// The names of all settings of the connector.
pub fn setting_names() -> Vec<String> {
    SETTINGS.iter().map(|key| key.name.to_owned()).collect()
}

/// What can be written of the simulators, and of what is there before the start. What an org is like in detail is the
/// simulator's own matter, and its tests'.
pub fn world_names() -> Vec<String> {
    let world = WORLD.iter().map(|key| key.name.to_owned());
    world
        .chain(GIVEN.iter().map(|key| format!("given {}", key.name)))
        .collect()
}

pub(super) fn settings(reader: &mut Reader, given: &Given) -> Settings {
    let default = Settings::default();
    let conflicts = given.map("conflicts").unwrap_or_default();
    let winner = |(name, field)| conflicts.word(name, &WINNERS).map(|winner| (field, winner));
    let directions = given.map("directions").unwrap_or_default();
    let goes = |(name, field)| directions.word(name, &DIRECTIONS).map(|goes| (field, goes));
    Settings {
        profile: given.word("profile", &PROFILES).unwrap_or(Profile::Overview),
        on_hold_stage: given.text("on-hold stage").unwrap_or(default.on_hold_stage),
        active_stage: given.text("active stage").unwrap_or(default.active_stage),
        display_check_mark: given.yes_no("display check mark").unwrap_or(default.display_check_mark),
        sync_cosell_only: given.yes_no("sync co-sell only").unwrap_or(default.sync_cosell_only),
        on_hold_edits: given
            .word("on-hold edits", &ON_HOLD_EDITS)
            .unwrap_or(OnHoldEdits::Flush),
        conflicts: FIELDS.into_iter().filter_map(winner).collect(),
        country_field: given.text("country field"),
        deal_value_field: given.text("deal value field"),
        deal_value_currency_field: if given.is_none("deal value currency field") {
            Some(CurrencyField::None)
        } else {
            given.text("deal value currency field").map(CurrencyField::Named)
        },
        closing_date_field: given.text("closing date field"),
        notes_field: given.text("notes field"),
        directions: FIELDS.into_iter().filter_map(goes).collect(),
        poll_every: given.duration("poll every"),
        reconcile_every: given.duration("reconcile every"),
        further: further(reader, given),
    }
}

pub(super) fn world(reader: &mut Reader, given: &Given) -> WorldSettings {
    let salesforce = given.map("salesforce").unwrap_or_default();
    let dynamics = given.map("dynamics").unwrap_or_default();
    WorldSettings {
        page_size: given.count("page size"),
        daily_calls: given.count("daily calls"),
        calls_per_minute: given.count("calls per minute"),
        salesforce: org::settings(reader, &salesforce),
        dynamics_strict: dynamics.yes_no("strict").unwrap_or(false),
        dynamics_columns: environment::columns(reader, &dynamics),
        salesforce_fields: Vec::new(),
        given: There::default(),
    }
}

fn further(reader: &mut Reader, given: &Given) -> Further {
    Further {
        webhooks: given.yes_no("webhooks"),
        overwrite_registration: given.yes_no("overwrite registration"),
        unsigned_webhooks: given.yes_no("unsigned webhooks"),
        notes_are_description: given.yes_no("notes are description"),
        reopen_to_link: given.yes_no("reopen to link"),
        closing_date_zone: zone(reader, given),
        won_reason: given.text("won reason"),
        lost_reason: given.text("lost reason"),
        declined_reason: given.text("declined reason"),
        audit_limit: given.count("audit limit"),
        call_timeout: given.duration("call timeout"),
        overlap: given.duration("overlap"),
        longest_backoff: given.duration("longest back-off"),
        denied_pause: given.duration("denied pause"),
        unknown_create_wait: given.duration("unknown create wait"),
        deals_at_once: given.count("deals at once"),
        most_deals: given.count("most deals"),
        daily_budget: given.count("daily budget"),
    }
}

/// Whole hours before or behind UTC.
fn zone(reader: &mut Reader, given: &Given) -> Option<i8> {
    let words = given.text("closing date zone")?;
    let hours = match words.strip_prefix("UTC") {
        Some("") => Some(0),
        Some(rest) if rest.starts_with(['+', '-']) => rest.parse().ok(),
        Some(_) | None => None,
    };
    let zone = hours.filter(|hours| (-12..=14).contains(hours));
    if zone.is_none() {
        let span = given.places.get("closing date zone").copied().unwrap_or_default();
        let message = format!("{} is no zone", quote(&words));
        let label = "expected `UTC`, or whole hours from it, such as `UTC+2`".to_owned();
        reader.report(span, message, label, None);
    }
    zone
}

/// What is there before the connector starts.
pub(super) fn given(reader: &mut Reader, given: &Given) -> There {
    let connections = given.map("connections").unwrap_or_default();
    let users = given.map("users").unwrap_or_default();
    let broken = CONNECTED
        .iter()
        .filter_map(|(name, system)| Some((*system, connections.word(name, &BREAKS)?)));
    let broken = broken.collect();
    let named = ["connector", "seller", "partner"];
    There {
        deals: given.count("deals").unwrap_or_default(),
        made_by: given.word("made by", &MAKERS).unwrap_or_default(),
        broken,
        roles: named
            .into_iter()
            .filter_map(|name| roles(reader, &users, name).map(|roles| (name.to_owned(), roles)))
            .collect(),
    }
}

/// A list of roles; what is none is reported.
pub(super) fn roles(reader: &mut Reader, given: &Given, key: &str) -> Option<Vec<UserRole>> {
    let mut roles = Vec::new();
    for (word, span) in given.texts_in_place(key)? {
        if let Some(role) = meaning(&ROLES, &word) {
            roles.push(role);
            continue;
        }
        let help = match nearest(&word, words(&ROLES)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", alternatives(&words(&ROLES))),
        };
        let message = format!("{} is no role", quote(&word));
        reader.report(span, message, "unknown".to_owned(), Some(help));
    }
    Some(roles)
}
