//! Every scenario of the catalog passes on each CRM that it is for, and its story is what it was: a snapshot of the log,
//! one line an event. Virtual time and seeded identifiers make it stable; nothing in it is masked.

use std::collections::BTreeSet;
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
    for scenario in &loaded.scenarios {
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
