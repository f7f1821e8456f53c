//! From the text of a file to a scenario, or to everything that is wrong with it.
//!
//! It opens no file; which files there are is for [`crate::load`].

use super::given::{Given, Reader};
use super::key::{Key, Kind, may, may_be_none, must};
use super::settings::{CurrencyField, OnHoldEdits, Profile, Settings, WorldSettings};
use super::words::{
    CRMS, DYNAMICS_STAGES, FIELDS, FINDING_CODES, ON_HOLD_EDITS, PROFILES, SALESFORCE_STAGES, WINNERS, words,
};
use super::{Crm, Scenario, check, steps};
use crate::diagnostic::{Diagnostic, Span, quote};
use crate::yaml::{self, Node};

/// Diagnostics of one file; the rest is counted.
const MOST_DIAGNOSTICS: usize = 20;

/// Steps of one scenario.
const MOST_STEPS: usize = 1_000;

/// The keys of a scenario file.
pub const KEYS: [Key; 9] = [
    must("title", Kind::Text, "the sentence that the scenario proves"),
    may("proves", Kind::Texts, "requirements, such as M16"),
    may("tags", Kind::Texts, "words to select it by"),
    may("crm", Kind::Word(&words(&CRMS)), "the only CRM it is for"),
    may("seed", Kind::Number(0, u64::MAX), "its own seed"),
    may(
        "expect failure",
        Kind::Word(&FINDING_CODES),
        "the finding with which it must fail",
    ),
    may("settings", Kind::Map(&SETTINGS), "the connector under test"),
    may("world", Kind::Map(&WORLD), "the simulators"),
    must("steps", Kind::Steps, "what happens"),
];

const SETTINGS: [Key; 12] = [
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
    may("poll every", Kind::Duration, "how often the CRM is asked for changes"),
    may(
        "reconcile every",
        Kind::Duration,
        "how often Partner Center is asked for changes",
    ),
];

const WINS: Kind = Kind::Word(&words(&WINNERS));
const CONFLICTS: [Key; 4] = [
    may("name", WINS, "the deal's name"),
    may("value", WINS, "the deal value with its currency"),
    may("closes", WINS, "the closing date"),
    may("notes", WINS, "notes and Description"),
];

const WORLD: [Key; 4] = [
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
    may("salesforce", Kind::Map(&SALESFORCE), "the Salesforce org"),
];
const SALESFORCE: [Key; 2] = [
    may("multi-currency", Kind::YesNo, "whether it has several currencies"),
    may("stages", Kind::Texts, "open stages that it has besides the usual ones"),
];

/// Reads a scenario file's text; on failure says everything that is wrong with it, in the order of the file.
pub fn parse(path: &str, text: &str) -> Result<Scenario, Vec<Diagnostic>> {
    let tree = yaml::parse(path, text);
    let mut reader = Reader::new(path, text);
    reader.diagnostics = tree.diagnostics;
    let scenario = match &tree.root {
        Some(root) if !root.is_empty() => scenario(&mut reader, root),
        _ if reader.diagnostics.is_empty() => {
            let diagnostic = Diagnostic::error(path, "the file holds no scenario")
                .at(Span::default(), "nothing but blanks and comments")
                .help("a scenario has at least `title: …` and `steps:`");
            reader.diagnostics.push(diagnostic);
            None
        }
        _ => None,
    };
    let mut diagnostics = reader.diagnostics;
    match scenario {
        Some(scenario) if diagnostics.is_empty() => Ok(scenario),
        _ => {
            diagnostics.sort_by_key(|diagnostic| diagnostic.span);
            Err(bounded(path, diagnostics))
        }
    }
}

fn bounded(path: &str, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let more = diagnostics.len().saturating_sub(MOST_DIAGNOSTICS);
    if more > 0 {
        diagnostics.truncate(MOST_DIAGNOSTICS);
        diagnostics.push(Diagnostic::error(path, format!("and {more} more faults in this file")));
    }
    diagnostics
}

/// The words at which faults of the file as a whole are shown.
const START: Span = Span { start: 0, end: 0 };

fn scenario(reader: &mut Reader<'_>, root: &Node) -> Option<Scenario> {
    let first = match &root.kind {
        yaml::Kind::Map(entries) => entries.first().map_or(START, |(key, _)| key.span),
        yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Refused => root.span,
    };
    let given = reader.map(root, &KEYS, "", first)?;
    texts(reader, &given);
    let settings = given
        .map("settings")
        .map_or_else(Settings::default, |given| settings(&given));
    let crm: Option<Crm> = given.word("crm", &CRMS);
    let world = given
        .map("world")
        .map_or_else(WorldSettings::default, |given| world(&given));
    let configured = [settings.on_hold_stage.as_str(), settings.active_stage.as_str()];
    let own_stages: Vec<&str> = configured
        .into_iter()
        .chain(world.salesforce_stages.iter().map(String::as_str))
        .collect();
    let known_stages = SALESFORCE_STAGES.iter().chain(&DYNAMICS_STAGES).chain(&own_stages);
    reader.stages = known_stages.map(|stage| (*stage).to_owned()).collect();
    reader.stages.sort();
    reader.stages.dedup();

    let list = list_of_steps(reader, root);
    let read: Vec<steps::Read> = list.iter().filter_map(|node| steps::read(reader, node)).collect();
    check::steps(reader, &read, crm, &own_stages);
    Some(Scenario {
        path: reader.path.to_owned(),
        title: given.text("title")?,
        proves: given.texts("proves").unwrap_or_default(),
        tags: given.texts("tags").unwrap_or_default(),
        crm,
        seed: given.number("seed"),
        expect_failure: given.text("expect failure"),
        world,
        settings,
        steps: read.into_iter().filter_map(|read| read.step).collect(),
        places: given.places,
    })
}

/// The entries of `steps`, at least one.
fn list_of_steps<'n>(reader: &mut Reader<'_>, root: &'n Node) -> &'n [Node] {
    let yaml::Kind::Map(entries) = &root.kind else {
        return &[];
    };
    let is_steps = |key: &Node| matches!(&key.kind, yaml::Kind::Text { text, .. } if text == "steps");
    match entries.iter().find(|(key, _)| is_steps(key)) {
        Some((key, node)) => match &node.kind {
            yaml::Kind::List(items) if items.is_empty() => {
                reader.report(
                    key.span,
                    "`steps` is empty".to_owned(),
                    "nothing happens".to_owned(),
                    None,
                );
                &[]
            }
            yaml::Kind::List(items) => {
                if let Some(item) = items.get(MOST_STEPS) {
                    let message = format!("a scenario has at most {MOST_STEPS} steps");
                    reader.report(item.span, message, "one step too many".to_owned(), None);
                }
                &items[..items.len().min(MOST_STEPS)]
            }
            // Reported with the other keys of the file.
            yaml::Kind::Text { .. } | yaml::Kind::Map(_) | yaml::Kind::Refused => &[],
        },
        None => &[],
    }
}

/// Texts with a form of their own.
fn texts(reader: &mut Reader<'_>, given: &Given) {
    let place = |key: &str| given.places.get(key).copied().unwrap_or_default();
    if let Some(title) = given.text("title") {
        let wrong = if title.trim().is_empty() {
            Some("empty")
        } else if title.contains('\n') {
            Some("more than one line")
        } else if title.chars().any(char::is_control) {
            Some("not only letters, digits and signs")
        } else if title.chars().count() > 160 {
            Some("longer than 160 characters")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let message = "the title is not one sentence".to_owned();
            reader.report(place("title"), message, wrong.to_owned(), None);
        }
    }
    let settings = given.map("settings").unwrap_or_default();
    let (default, stage) = (Settings::default(), |key| settings.text(key));
    let on_hold = stage("on-hold stage").unwrap_or(default.on_hold_stage);
    if on_hold == stage("active stage").unwrap_or(default.active_stage) {
        let keys = ["on-hold stage", "active stage"];
        let span = keys.iter().find_map(|key| settings.places.get(*key)).copied();
        let message = "on hold and active are the same stage".to_owned();
        let help = "nobody could see which deals wait for acceptance: name two stages".to_owned();
        reader.report(span.unwrap_or_default(), message, quote(&on_hold), Some(help));
    }
    for (id, span) in given.texts_in_place("proves").unwrap_or_default() {
        let number = id.strip_prefix(['M', 'H', 'F']).unwrap_or_default();
        if number.is_empty() || number.len() > 2 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("{} is not a requirement", quote(&id));
            let help = "a requirement is a letter and a number, such as `M16`".to_owned();
            reader.report(span, message, "no such requirement".to_owned(), Some(help));
        }
    }
}

fn settings(given: &Given) -> Settings {
    let default = Settings::default();
    let conflicts = given.map("conflicts").unwrap_or_default();
    let winner = |(name, field)| conflicts.word(name, &WINNERS).map(|winner| (field, winner));
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
        poll_every: given.duration("poll every"),
        reconcile_every: given.duration("reconcile every"),
    }
}

fn world(given: &Given) -> WorldSettings {
    let salesforce = given.map("salesforce").unwrap_or_default();
    WorldSettings {
        page_size: given.count("page size"),
        daily_calls: given.count("daily calls"),
        calls_per_minute: given.count("calls per minute"),
        salesforce_multi_currency: salesforce.yes_no("multi-currency").unwrap_or(true),
        salesforce_stages: salesforce.texts("stages").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::scenario::act::{Act, Call, CallFate, Expectation, Fault, Help, Stage};
    use crate::scenario::settings::{Field, Winner};

    fn read(text: &str) -> Scenario {
        match parse("a.yaml", text) {
            Ok(scenario) => scenario,
            Err(diagnostics) => panic!("{diagnostics:#?}"),
        }
    }

    fn wrong(text: &str) -> Vec<String> {
        let diagnostics = parse("a.yaml", text).unwrap_err();
        diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect()
    }

    #[test]
    fn what_a_deal_does_not_spell_has_a_default_and_none_takes_it_away() {
        let scenario = read(
            "title: t\nsteps:\n  - seller creates: {deal: D1}\n  \
             - seller creates: {deal: D2, contact: none, value: none, solutions: none, country: none, notes: \"none\"}\n",
        );
        let [first, second] = scenario.steps.as_slice() else {
            panic!("two steps")
        };
        let (Act::SellerCreates(first), Act::SellerCreates(second)) = (&first.act, &second.act) else {
            panic!("two deals")
        };
        assert_eq!(
            (first.name.as_str(), first.stage.clone(), first.sync),
            ("Deal D1", Stage::Active, true)
        );
        assert_eq!(first.closes.unwrap().to_string(), "2026-04-05");
        assert_eq!(first.contact.as_ref().unwrap().email, "sue.smith@d1.example");
        assert_eq!((first.help, first.notes.clone()), (None, None));
        assert_eq!((second.contact.clone(), second.value.clone()), (None, None));
        assert!(second.solutions.is_empty());
        assert_eq!(second.customer.as_ref().unwrap().country, None);
        assert_eq!(second.notes.as_deref(), Some("none"));
    }

    #[test]
    fn settings_faults_and_places_are_read() {
        let text = "title: t\nproves: [M8, F26]\ncrm: dynamics\nseed: 7\nsettings:\n  conflicts: {value: crm wins}\n\
                    world: {page size: 2, daily calls: 500, calls per minute: 60, salesforce: {multi-currency: no}}\nsteps:\n\
                    \x20 - lose reply: {of: create referral, times: 2, after: 1}\n\
                    \x20 - microsoft shares: {deal: D1, help: proof of concept or demo, postal code: 01067}\n\
                    \x20 - settle\n  - expect in crm: {deal: D1, stage: on hold, mark: none, value: 10000 USD}\n\
                    \x20 - expect decision: conflict.pc_wins\n";
        let scenario = read(text);
        assert_eq!((scenario.crm, scenario.seed), (Some(Crm::Dynamics), Some(7)));
        assert_eq!(scenario.settings.conflicts.get(&Field::Value), Some(&Winner::Crm));
        assert_eq!(
            (scenario.world.page_size, scenario.world.salesforce_multi_currency),
            (Some(2), false)
        );
        assert_eq!(
            (scenario.world.daily_calls, scenario.world.calls_per_minute),
            (Some(500), Some(60))
        );
        let place = scenario.places["settings.conflicts.value"];
        assert_eq!(&text[place.start..place.end], "crm wins");
        let fault = Fault::Calls {
            call: Call::CreateReferral,
            after: 1,
            times: 2,
            fate: CallFate::LoseReply,
        };
        assert_eq!(scenario.steps[0].act, Act::Fault(fault));
        let Act::MicrosoftShares(deal) = &scenario.steps[1].act else {
            panic!("a deal")
        };
        assert_eq!(deal.help, Some(Help::ProofOfConceptOrDemo));
        assert_eq!(deal.customer.as_ref().unwrap().postal_code, "01067");
        let expect = &scenario.steps[3];
        let place = expect.place("stage");
        assert_eq!(
            (&text[place.start..place.end], expect.verb),
            ("on hold", "expect in crm")
        );
        assert_eq!(expect.deal.as_deref(), Some("D1"));
        let place = expect.place("closes");
        assert_eq!(&text[place.start..place.end], "expect in crm");
        let decision = Expectation::Decision("conflict.pc_wins".to_owned());
        assert_eq!(scenario.steps[4].act, Act::Expect(decision));
    }

    #[test]
    fn one_value_steps_and_bare_words_are_read() {
        let text = "title: t\nsteps: [{wait: 2d 4h}, settle, heal, restart connector, \
                    {seller creates: {deal: A}}, {seller deletes: A}, {expect none in pc: A}, {expect: converged}]";
        let scenario = read(text);
        assert_eq!(scenario.steps[0].act, Act::Wait(SignedDuration::from_hours(52)));
        let verbs: Vec<&str> = scenario.steps.iter().map(|step| step.verb).collect();
        assert_eq!(verbs[1..4], ["settle", "heal", "restart connector"]);
        assert_eq!(scenario.steps[6].deal.as_deref(), Some("A"));
    }

    #[test]
    fn every_fault_of_a_file_is_reported_in_the_order_of_the_file() {
        let text = "titel: t\ncrm: sales force\nsteps:\n  - microsft shares: {deal: D1}\n  - wait: soon\n  \
                    - seller closes: {deal: D2, as: wun}\n  - seller edits:\n    deal: D1\n";
        assert_eq!(
            wrong(text),
            [
                "a scenario has no key `titel`",
                "`crm` cannot be `sales force`",
                "there is no step `microsft shares`",
                "`wait` cannot be `soon`",
                "the deal `D2` is used before it is made",
                "`as` cannot be `wun`",
                "`deal` stands beside `seller edits`, not inside it",
            ]
        );
    }

    #[test]
    fn a_file_of_faults_reports_only_so_many() {
        let text = format!("title: t\nsteps:\n{}", "  - nonsense\n".repeat(100));
        let messages = wrong(&text);
        assert_eq!(messages.len(), MOST_DIAGNOSTICS + 1);
        assert_eq!(messages.last().unwrap(), "and 80 more faults in this file");
    }
}
