//! From the text of a file to a scenario, or to everything that is wrong with it.
//!
//! It opens no file; which files there are is for [`crate::load`].

use super::examples::{self, Places, Row, entry};
use super::given::{Given, Reader};
use super::key::{Key, Kind, may, must};
use super::parts::{Library, NoLibrary, PART_KEYS, Shelf};
use super::settings::{Settings, WorldSettings};
use super::steps::Place;
use super::words::{CRMS, DYNAMICS_STAGES, FINDING_CODES, SALESFORCE_STAGES, words};
use super::{Crm, Scenario, Step, check, operator, steps};
use crate::diagnostic::{Diagnostic, Span, nearest, quote};
use crate::yaml::{self, Node};

/// Diagnostics of one file; the rest is counted.
const MOST_DIAGNOSTICS: usize = 20;

/// Steps of one scenario.
const MOST_STEPS: usize = 1_000;

/// The keys of a scenario file.
pub const KEYS: [Key; 12] = [
    must("title", Kind::Text, "the sentence that the scenario proves"),
    may("proves", Kind::Texts, "requirements, such as M16"),
    may("tags", Kind::Texts, "words to select it by"),
    may("crm", Kind::Word(&words(&CRMS)), "the only CRM it is for"),
    may("skip", Kind::Text, "why it is not run"),
    may("seed", Kind::Number(0, u64::MAX), "its own seed"),
    may(
        "expect failure",
        Kind::Word(&FINDING_CODES),
        "the finding with which it must fail",
    ),
    may("settings", Kind::Map(&operator::SETTINGS), "the connector under test"),
    may("world", Kind::Map(&operator::WORLD), "the simulators"),
    may("examples", Kind::Rows, "a table: the scenario is run once for each row"),
    may(
        "given",
        Kind::Map(&operator::GIVEN),
        "what is there before the connector starts",
    ),
    must("steps", Kind::Steps, "what happens"),
];

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its scenarios: one, or one for each row of its table of examples. None when it is a part, or wrong.
    pub scenarios: Vec<Scenario>,
    /// What is wrong with it, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Path and text of each part that it includes.
    pub parts: Vec<(String, String)>,
}

/// Reads a scenario file's text; on failure says everything that is wrong with it, in the order of the file. Of a table of
/// examples it is the first row. Parts cannot be included.
pub fn parse(path: &str, text: &str) -> Result<Scenario, Vec<Diagnostic>> {
    let found = read(path, text, &NoLibrary);
    let first = found.scenarios.into_iter().next();
    match first {
        Some(scenario) if found.diagnostics.is_empty() => Ok(scenario),
        _ if found.diagnostics.is_empty() => Err(vec![Diagnostic::error(path, "the file is a part, not a scenario")]),
        _ => Err(found.diagnostics),
    }
}

/// Reads a scenario file's text, with the parts that it includes.
pub fn read(path: &str, text: &str, library: &dyn Library) -> Found {
    let tree = yaml::parse(path, text);
    let mut reader = Reader::new(path, text);
    reader.diagnostics = tree.diagnostics;
    let mut shelf = Shelf::new(library, path);
    let mut scenarios = Vec::new();
    match &tree.root {
        Some(root) if entry(root, "part").is_some() && entry(root, "title").is_none() => {
            // Its steps are read where it is included: there its names have values.
            reader.map(root, &PART_KEYS, "part", START);
        }
        Some(root) if !root.is_empty() => scenarios = every_row(&mut reader, &mut shelf, root),
        _ if reader.diagnostics.is_empty() => {
            let diagnostic = Diagnostic::error(path, "the file holds no scenario")
                .at(Span::default(), "nothing but blanks and comments")
                .help("a scenario has at least `title: …` and `steps:`");
            reader.diagnostics.push(diagnostic);
        }
        _ => {}
    }
    let mut diagnostics = reader.diagnostics;
    if !diagnostics.is_empty() {
        scenarios.clear();
        // The scenario's own file first, then its parts.
        diagnostics.sort_by_key(|diagnostic| (diagnostic.path != path, diagnostic.path.clone(), diagnostic.span));
        diagnostics = bounded(path, diagnostics);
    }
    let parts = shelf.texts.into_iter();
    Found {
        scenarios,
        diagnostics,
        parts: parts.map(|(path, text)| (path.to_string(), text.to_string())).collect(),
    }
}

/// The scenario of each row of a table of examples; without a table, the scenario.
fn every_row(reader: &mut Reader, shelf: &mut Shelf<'_>, root: &Node) -> Vec<Scenario> {
    let before = reader.diagnostics.len();
    let Some(rows) = examples::rows(reader, root) else {
        return scenario(reader, shelf, root).into_iter().collect();
    };
    // With a faulty table, the rows that have every column still show what is wrong elsewhere.
    let faulty = reader.diagnostics.len() > before;
    let rows: Vec<Row> = rows
        .iter()
        .filter(|row| row.has_columns_of(&rows[0]))
        .cloned()
        .collect();
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let known = std::mem::take(&mut reader.diagnostics);
        reader.about = vec![format!("with the row in line {}: {}", row.line, row.words())];
        let filled = examples::fill(reader, root, row, Places::OfTheRow);
        let made = scenario(reader, shelf, &filled);
        reader.about.clear();
        let new = std::mem::replace(&mut reader.diagnostics, known);
        for diagnostic in new {
            add_once(&mut reader.diagnostics, diagnostic);
        }
        if let Some(mut scenario) = made {
            scenario.row = Some(at + 1);
            if let Some(same) = scenarios.iter().find(|other| other.title == scenario.title) {
                let line = rows[same.row.unwrap_or(1) - 1].line;
                let message = "two rows have the same title".to_owned();
                let label = format!("the same in lines {line} and {}", row.line);
                let help =
                    "name a column in the title, such as `<country>`: reports and selections go by it".to_owned();
                let span = scenario.places.get("title").copied().unwrap_or_default();
                reader.report(span, message, label, Some(help));
                return Vec::new();
            }
            scenarios.push(scenario);
        }
    }
    if faulty { Vec::new() } else { scenarios }
}

/// What is wrong whatever the row is told once, and then without the row.
fn add_once(diagnostics: &mut Vec<Diagnostic>, new: Diagnostic) {
    let same = |known: &&mut Diagnostic| {
        (&known.path, known.span, &known.message, &known.label) == (&new.path, new.span, &new.message, &new.label)
    };
    match diagnostics.iter_mut().find(same) {
        Some(known) => known.notes.retain(|note| new.notes.contains(note)),
        None => diagnostics.push(new),
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

fn scenario(reader: &mut Reader, shelf: &mut Shelf<'_>, root: &Node) -> Option<Scenario> {
    let first = match &root.kind {
        yaml::Kind::Map(entries) => entries.first().map_or(START, |(key, _)| key.span),
        yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Refused => root.span,
    };
    let given = reader.map(root, &KEYS, "", first)?;
    texts(reader, &given);
    let settings = given
        .map("settings")
        .map_or_else(Settings::default, |given| operator::settings(reader, &given));
    let crm: Option<Crm> = given.word("crm", &CRMS);
    let mut world = given
        .map("world")
        .map_or_else(WorldSettings::default, |given| operator::world(reader, &given));
    if let Some(there) = given.map("given") {
        world.given = operator::given(reader, &there);
    }
    let own_stages = stages_of_its_own(&settings, &world);
    let known_stages = SALESFORCE_STAGES.iter().chain(&DYNAMICS_STAGES).chain(&own_stages);
    reader.stages = known_stages.map(|stage| (*stage).to_owned()).collect();
    reader.stages.sort();
    reader.stages.dedup();

    let list = list_of_steps(reader, root);
    let place = Place {
        crm: None,
        at_call: false,
    };
    reader.read.clear();
    let mut read = steps::read_list(reader, shelf, list, &place);
    if read.len() > MOST_STEPS {
        let message = format!("a scenario has at most {MOST_STEPS} steps, those of its parts included");
        let span = read.get(MOST_STEPS).map(|read| read.span).unwrap_or_default();
        reader.report(span, message, "one step too many".to_owned(), None);
        read.truncate(MOST_STEPS);
    }
    check::steps(reader, &read, crm, &own_stages, &world.given);
    Some(Scenario {
        path: reader.path.to_string(),
        row: None,
        title: given.text("title")?,
        proves: given.texts("proves").unwrap_or_default(),
        tags: given.texts("tags").unwrap_or_default(),
        crm,
        seed: given.number("seed"),
        expect_failure: given.text("expect failure"),
        world,
        settings,
        skip: given.text("skip"),
        steps: read.into_iter().filter_map(into_step).collect(),
        read: std::mem::take(&mut reader.read),
        places: given.places,
    })
}

/// The stages that no CRM has unless the scenario says so.
fn stages_of_its_own<'s>(settings: &'s Settings, world: &'s WorldSettings) -> Vec<&'s str> {
    let added = world.salesforce.stages.iter().map(|stage| stage.name.as_str());
    [settings.on_hold_stage.as_str(), settings.active_stage.as_str()]
        .into_iter()
        .chain(added.filter(|name| !SALESFORCE_STAGES.contains(name)))
        .collect()
}

/// The step, with the CRM on which alone it happens.
fn into_step(read: steps::Read) -> Option<Step> {
    let crm = read.crm;
    read.step.map(|step| Step { crm, ..step })
}

/// The entries of `steps`, at least one.
fn list_of_steps<'n>(reader: &mut Reader, root: &'n Node) -> &'n [Node] {
    let yaml::Kind::Map(entries) = &root.kind else {
        return &[];
    };
    let is_steps = |key: &Node| matches!(&key.kind, yaml::Kind::Text { text, .. } if text == "steps");
    // A misspelled `steps` is reported with the other keys; its steps are read all the same.
    let meant = |key: &Node| match &key.kind {
        yaml::Kind::Text { text, .. } => nearest(text, KEYS.iter().map(|key| key.name)) == Some("steps"),
        yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => false,
    };
    let exact = entries.iter().find(|(key, _)| is_steps(key));
    match exact.or_else(|| entries.iter().find(|(key, _)| meant(key))) {
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
fn texts(reader: &mut Reader, given: &Given) {
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
            (
                scenario.world.page_size,
                scenario.world.salesforce.schema.multi_currency
            ),
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
