//! Every scenario of the catalog passes on each CRM that it is for, and its story is what it was: a snapshot of the log,
//! one line an event. Virtual time and seeded identifiers make it stable; nothing in it is masked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cosell::coverage::Coverage;
use cosell::diagnostic::{Style, render};
use cosell::plan::crms_of;
use cosell::report::human;
use cosell::verdict::Outcome;
use cosell::{load, log};
use cosell_tests::given::ran;

include!(concat!(env!("OUT_DIR"), "/catalog_tests.rs"));

/// What each file of the catalog exercised, once it has been run: by its own test, or by the one about all of them.
static RUNS: Mutex<BTreeMap<String, Arc<OnceLock<Coverage>>>> = Mutex::new(BTreeMap::new());

/// Runs one file of the compiled-in catalog, or has it run already.
fn scenario(path: &str) -> Coverage {
    let cell = Arc::clone(
        RUNS.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(path.to_owned())
            .or_default(),
    );
    cell.get_or_init(|| run(path)).clone()
}

/// Runs every row of a file's table of examples, on each CRM. The story of the first row stands for those of the others.
fn run(path: &str) -> Coverage {
    let loaded = load::paths(&[PathBuf::from(path)]);
    assert!(
        loaded.diagnostics.is_empty(),
        "{}",
        render(&loaded.diagnostics, &loaded.sources, Style::PLAIN)
    );
    assert_eq!(
        loaded.scenarios.is_empty(),
        path.starts_with("catalog/parts/"),
        "{path}: parts, and nothing else, stand in catalog/parts"
    );
    let mut coverage = Coverage::default();
    for scenario in loaded.scenarios.iter().filter(|scenario| scenario.skip.is_none()) {
        for crm in crms_of(scenario) {
            let ran = ran(scenario, crm);
            coverage.add(scenario, &ran.plan, &ran.trace);
            let story = log::lines(&ran.trace).join("\n");
            let findings = human::findings(&ran, &loaded.sources, Style::PLAIN);
            assert_eq!(
                ran.outcome(),
                Outcome::Passed,
                "{} on {}\n{findings}\n{story}",
                scenario.title,
                crm.name()
            );
            if scenario.row.is_some_and(|row| row > 1) {
                continue;
            }
            let name = path
                .trim_start_matches("catalog/")
                .trim_end_matches(".yaml")
                .replace('/', "__");
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("{name}@{}", crm.name()), story);
            });
        }
    }
    coverage
}

#[test]
fn the_catalog_exercises_every_cell_of_behaviour_or_says_why_not() {
    let mut all = Coverage::default();
    for path in FILES {
        all.merge(&scenario(path));
    }
    let mut empty = Vec::new();
    for area in all.areas().into_iter().filter(|area| area.cells.is_some()) {
        let unexplained = area.empty.iter().filter(|(_, why)| why.is_none());
        empty.extend(unexplained.map(|(cell, _)| format!("{}: {cell}", area.area)));
        let explained = area.empty.keys().filter(|cell| area.counts.contains_key(*cell));
        assert_eq!(explained.count(), 0, "{}", area.area);
    }
    assert!(empty.is_empty(), "no scenario exercises\n{}", empty.join("\n"));
    assert!((all.percent() - 100.0).abs() < 1e-9, "{}", all.percent());
}

/// What no scenario can show, and why.
const NOT_SHOWN: [(&str, &str); 5] = [
    (
        "M6",
        "exports of the solution are compared before anything runs; there is nothing to simulate",
    ),
    (
        "F4",
        "adding a connection while editing is a matter of the vendor's editor",
    ),
    (
        "F17",
        "enabling the [Customize] flow with too many fields exposed is a matter of the vendor's platform",
    ),
    (
        "F18",
        "the default of the lead's status is a matter of the vendor's editor",
    ),
    (
        "F19",
        "an environment without Dynamics 365 has no system that could be simulated",
    ),
];

/// The page of the guide that says which scenarios show which promise.
fn promises() -> String {
    let scenarios = load::catalog().scenarios;
    let mut page = String::from(
        "# What the catalog shows\n\nEvery requirement (M) and every documented failure mode (F), with the scenarios that \
         show it, or why none can.\n`cosell list --tag M13` lists them with their titles. This page is written by a \
         test: `COSELL_WRITE=1 cargo test -p cosell-tests promise`.\n\n| promise | shown by |\n|---|---|\n",
    );
    let all = (1..=29)
        .map(|number| format!("M{number}"))
        .chain((1..=34).map(|number| format!("F{number}")));
    for promise in all {
        let own = scenarios.iter().filter(|scenario| scenario.proves.contains(&promise));
        let paths: BTreeSet<&str> = own
            .map(|scenario| scenario.path.trim_start_matches("catalog/").trim_end_matches(".yaml"))
            .collect();
        let why = NOT_SHOWN.iter().find(|(name, _)| *name == promise).map(|(_, why)| *why);
        let shown = match (paths.is_empty(), why) {
            (false, _) => paths.into_iter().collect::<Vec<_>>().join(", "),
            (true, Some(why)) => format!("*not shown:* {why}"),
            (true, None) => panic!("no scenario proves {promise}, and nothing says why"),
        };
        writeln!(page, "| {promise} | {shown} |").expect("a string takes text");
    }
    page
}

#[test]
fn every_promise_is_shown_by_a_scenario_or_has_a_reason_and_the_guide_says_so() {
    let path = "../scenarios/guide/catalog.md";
    let page = promises();
    if std::env::var_os("COSELL_WRITE").is_some() {
        fs::write(path, &page).expect("the guide can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        written, page,
        "write it anew: COSELL_WRITE=1 cargo test -p cosell-tests promise"
    );
}

#[test]
fn every_scenario_of_the_catalog_has_a_title_of_its_own() {
    let mut titles = BTreeSet::new();
    for scenario in load::catalog().scenarios {
        let (path, title) = (scenario.address(), scenario.title);
        assert!(titles.insert(title.clone()), "{path}: this title stands twice");
        assert!(title.starts_with(char::is_uppercase) && !title.ends_with('.'), "{path}");
    }
}

#[test]
fn the_catalog_has_a_canary_that_must_fail() {
    let loaded = load::catalog();
    let canaries = loaded
        .scenarios
        .iter()
        .filter(|scenario| scenario.expect_failure.is_some())
        .count();
    assert!(canaries >= 1);
}
