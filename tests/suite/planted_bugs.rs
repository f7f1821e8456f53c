//! The harness can fail: each deliberately broken connector is caught by the invariant that claims it, on the shortest
//! history that `cosell bugs` found for it; and the sound connector passes each of these histories. The suite `planted`
//! has the histories that were written by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cosell::explore::bugs::claim;
use cosell::invariant::Code;
use cosell::load;
use cosell::plan::Plan;
use cosell::scenario::{Crm, Scenario};
use cosell_connector::planted::Planted;
use cosell_tests::given::codes;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("planted")
}

fn scenario(bug: Planted) -> Scenario {
    let path = folder().join(format!("{}.yaml", bug.name()));
    let mut loaded = load::paths(std::slice::from_ref(&path));
    assert!(
        loaded.scenarios.len() == 1,
        "{} is no scenario; `cosell bugs {} --save tests/planted` writes it",
        path.display(),
        bug.name()
    );
    loaded.scenarios.remove(0)
}

#[test]
fn each_planted_bug_is_caught_by_the_invariant_that_claims_it() {
    let mut missed = Vec::new();
    for bug in Planted::ALL {
        let scenario = scenario(bug);
        let mut plan = Plan::of(&scenario, scenario.crm.unwrap_or(Crm::Salesforce), None);
        plan.planted = Some(bug.name().to_owned());
        let codes = codes(&plan);
        if !codes.contains(&claim(bug)) {
            missed.push(format!(
                "{}: expected {}, found {codes:?}",
                bug.name(),
                bug.claimed_by()
            ));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn the_sound_connector_passes_what_catches_the_planted_bugs() {
    let mut found = Vec::new();
    for bug in Planted::ALL {
        let scenario = scenario(bug);
        let plan = Plan::of(&scenario, scenario.crm.unwrap_or(Crm::Salesforce), None);
        let codes = codes(&plan);
        if !codes.is_empty() {
            found.push(format!("the history for {} has findings: {codes:?}", bug.name()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_history_belongs_to_a_bug_and_every_bug_stands_in_the_guide() {
    let guide = include_str!("../../scenarios/guide/explore.md");
    for bug in Planted::ALL {
        assert!(
            guide.contains(&format!("\n| `{}` |", bug.name())),
            "the guide has no row for `{}`",
            bug.name()
        );
    }
    for entry in std::fs::read_dir(folder()).expect("the folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(
            Planted::from_name(name).is_some(),
            "{} is the history of no bug",
            path.display()
        );
    }
}

#[test]
fn every_invariant_that_is_claimed_is_one_and_every_area_has_its_bugs() {
    let areas: BTreeSet<&str> = Planted::ALL.iter().map(|bug| bug.area()).collect();
    assert!(
        Planted::ALL.len() >= 40 && areas.len() >= 15,
        "{} bugs in {areas:?}",
        Planted::ALL.len()
    );
    for bug in Planted::ALL {
        assert!(
            Code::from_name(bug.claimed_by()).is_some(),
            "{} is claimed by nobody",
            bug.name()
        );
        assert!(
            cosell::explore::Profile::from_name(bug.hunted_with()).is_some(),
            "{} is hunted with no profile",
            bug.name()
        );
    }
}

#[test]
fn half_of_the_histories_have_at_most_eight_steps() {
    let mut lengths: Vec<usize> = Planted::ALL.into_iter().map(|bug| scenario(bug).steps.len()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 8, "the median is {median}: {lengths:?}");
}
