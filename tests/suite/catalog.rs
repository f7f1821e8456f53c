//! Every scenario of the catalog passes on each CRM that it is for, and its story is what it was: a snapshot of the log,
//! one line an event. Virtual time and seeded identifiers make it stable; nothing in it is masked.

use std::path::PathBuf;

use cosell::plan::{Plan, crms_of};
use cosell::report::{Ran, human};
use cosell::simulate::{self, Options};
use cosell::verdict::{self, Outcome};
use cosell::{diagnostic::Style, load, log};

include!(concat!(env!("OUT_DIR"), "/catalog_tests.rs"));

/// Runs one file of the compiled-in catalog.
fn scenario(path: &str) {
    let loaded = load::paths(&[PathBuf::from(path)]);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    let scenario = &loaded.scenarios[0];
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
        assert_eq!(ran.outcome(), Outcome::Passed, "{findings}\n{story}");
        let name = path
            .trim_start_matches("catalog/")
            .trim_end_matches(".yaml")
            .replace('/', "__");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}@{}", crm.name()), story);
        });
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
