//! The same plan and the same seed give the same bytes, and the saved form gives the trace back. That another process
//! writes the same bytes too is shown with the command line, in `scenarios/tests`.

use cosell::explore::Profile;
use cosell::scenario::Crm;
use cosell::simulate::{self, Options};
use cosell::trace::Trace;
use cosell_tests::arbitrary::Histories;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn trace(plan: &cosell::plan::Plan) -> String {
    trace_with(plan, false)
}

fn trace_with(plan: &cosell::plan::Plan, forgetful: bool) -> String {
    let options = Options {
        forgetful,
        ..Options::default()
    };
    let trace = simulate::run(plan, &options).expect("a plan can be run");
    trace.to_json_lines().expect("a trace can be written")
}

#[test]
fn a_history_run_twice_gives_the_same_bytes() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..12 {
        let history = Histories(Profile::Chaos)
            .new_tree(&mut runner)
            .expect("a history can be drawn")
            .current();
        let plan = history.plan().expect("a history is a scenario");
        assert_eq!(trace(&plan), trace(&plan), "{} differs", history.text());
    }
}

#[test]
fn answers_that_are_kept_change_no_byte() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let calm_and_wild = [Profile::Calm, Profile::Faults, Profile::Chaos];
    for profile in calm_and_wild.into_iter().cycle().take(24) {
        let history = Histories(profile)
            .new_tree(&mut runner)
            .expect("a history can be drawn")
            .current();
        let mut plan = history.plan().expect("a history is a scenario");
        // Long enough for a token to be renewed, and for a day's budgets to begin anew.
        plan.steps.push(cosell_tests::given::wait_secs(30 * 3_600));
        assert_eq!(
            trace_with(&plan, true),
            trace_with(&plan, false),
            "{} differs",
            history.text()
        );
    }
}

#[test]
fn another_seed_gives_another_trace() {
    let history = cosell_tests::given::plan(Crm::Salesforce, 1);
    let mut other = history.clone();
    other.steps.push(cosell_tests::given::wait_secs(60));
    other.seed = 2;
    let mut same = other.clone();
    same.seed = 1;
    assert_ne!(trace(&same), trace(&other));
}

#[test]
fn the_saved_form_of_a_trace_reads_back_as_it_was() {
    let history = cosell_tests::given::plan(Crm::Dynamics, 5);
    let text = trace(&history);
    let read = Trace::from_json_lines(&text).expect("a trace can be read");
    assert_eq!(read.to_json_lines().expect("a trace can be written"), text);
}
