//! Every scenario of the catalog passes on each CRM that it is for, and its story is what it was: a snapshot of the log,
//! one line an event. Virtual time and seeded identifiers make it stable; nothing in it is masked.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use cosell::diagnostic::{Style, render};
use cosell::plan::{Plan, crms_of};
use cosell::report::{Ran, human};
use cosell::simulate::{self, Options};
use cosell::verdict::{self, Outcome};
use cosell::{load, log};

include!(concat!(env!("OUT_DIR"), "/catalog_tests.rs"));

/// Runs one file of the compiled-in catalog: every row of its table of examples, on each CRM. The story of the first row
/// stands for those of the others.
fn scenario(path: &str) {
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
    for scenario in loaded.scenarios.iter().filter(|scenario| scenario.skip.is_none()) {
        for crm in crms_of(scenario) {
            let plan = Plan::of(scenario, crm, None);
            let trace = simulate::run(&plan, &Options::default()).expect("a scenario of the catalog can be run");
            let verdict = verdict::decide(&plan, &trace);
            let ran = Ran {
                scenario,
                plan,
                trace,
                verdict,
                wall: std::time::Duration::ZERO,
            };
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
