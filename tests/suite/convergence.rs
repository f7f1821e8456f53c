//! Random histories on both CRMs: whatever people do and whatever goes wrong, both sides agree in the end, and nothing
//! forbidden happens on the way.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cosell::board::Board;
use cosell::explore::Profile;
use cosell::explore::campaign::Failure;
use cosell::explore::draft::Draft;
use cosell::explore::folder::scenario_of;
use cosell::explore::shrink::{Wanted, shrink};
use cosell::explore::trial::Manner;
use cosell::invariant::{self, Finding};
use cosell::record::Field;
use cosell::simulate::{self, Options};
use cosell::trace::{Trace, What};
use cosell::{load, plan, verdict};
use cosell_sim::world::Observed;
use cosell_tests::arbitrary::Histories;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Histories a run unless `COSELL_HISTORIES` says otherwise.
const CASES: u32 = 160;

/// Runs a history; none when the language refuses it, as it may while steps are left out.
fn run(draft: &Draft) -> Option<Trace> {
    let plan = draft.plan().ok()?;
    Some(simulate::run(&plan, &Options::default()).expect("a history can be run"))
}

fn regressions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

/// Shrinks a failure, keeps it as a scenario beside the others, and tells it.
fn keep(draft: &Draft, profile: Profile, finding: Finding) -> String {
    let shrunk = shrink(draft, &Wanted::of(&finding), &Manner::default(), 400);
    let failure = Failure {
        seed: draft.seed,
        crm: draft.crm,
        finding: shrunk.finding.unwrap_or(finding),
        draft: shrunk.draft,
        shrink_runs: Some(shrunk.runs),
    };
    let text = scenario_of(&failure, profile.name());
    let name = format!(
        "{}-{}-{}.yaml",
        failure.finding.code.name(),
        failure.crm.name(),
        failure.seed
    );
    let path = regressions().join(name);
    match std::fs::write(&path, &text) {
        Ok(()) => format!("kept as {}:\n{text}", path.display()),
        Err(error) => format!("not kept ({error}):\n{text}"),
    }
}

#[test]
fn random_histories_converge_on_both_crms() {
    let wanted = std::env::var("COSELL_HISTORIES").ok();
    let cases = wanted.and_then(|number| number.parse().ok()).unwrap_or(CASES);
    let (contested, total) = (Cell::new(0_u32), Cell::new(0_u32));
    for profile in [Profile::Chaos, Profile::Calm] {
        let config = Config {
            cases: cases / 2,
            // Failures are kept as scenarios: a seed alone means another history when the generator changes.
            failure_persistence: None,
            max_shrink_iters: 0,
            ..Config::default()
        };
        // The same histories on every machine; `cosell explore` is there to look for others.
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&Histories(profile), |draft| {
            let Some(trace) = run(&draft) else { return Ok(()) };
            total.set(total.get() + 1);
            contested.set(contested.get() + u32::from(contested_before_a_sync(&trace)));
            match invariant::judge(&trace).into_iter().next() {
                None => Ok(()),
                Some(finding) => Err(TestCaseError::fail(finding.text)),
            }
        });
        if let Err(TestError::Fail(_, draft)) = outcome {
            let trace = run(&draft).expect("it has been run before");
            let finding = invariant::judge(&trace).into_iter().next();
            panic!("{}", keep(&draft, profile, finding.expect("it has failed before")));
        }
    }
    let share = f64::from(contested.get()) / f64::from(total.get().max(1));
    assert!(
        share >= 0.3,
        "only {:.0} % of the histories edit one field on both sides before a sync",
        share * 100.0
    );
}

#[test]
fn every_failure_that_was_ever_kept_stays_mended() {
    if std::fs::read_dir(regressions()).map_or(0, Iterator::count) < 1 {
        return;
    }
    let loaded = load::paths(&[regressions()]);
    for scenario in &loaded.scenarios {
        for crm in plan::crms_of(scenario) {
            let plan = plan::Plan::of(scenario, crm, None);
            let trace = simulate::run(&plan, &Options::default()).expect("a scenario can be run");
            let verdict = verdict::decide(&plan, &trace);
            let texts: Vec<&str> = verdict.findings.iter().map(|finding| finding.text.as_str()).collect();
            assert!(texts.is_empty(), "{}: {texts:?}", scenario.path);
        }
    }
}

#[test]
fn proptest_leaves_out_every_step_that_is_not_needed() {
    let mut runner = TestRunner::deterministic();
    let mut tree = Histories(Profile::Calm)
        .new_tree(&mut runner)
        .expect("a history is drawn");
    let whole = tree.current().steps.len();
    // Only histories with a deal fail: everything else goes.
    let fails = |draft: &Draft| {
        draft
            .steps
            .iter()
            .any(|line| line.verb.ends_with("shares") || line.verb.ends_with("creates"))
    };
    assert!(fails(&tree.current()));
    while if fails(&tree.current()) {
        tree.simplify()
    } else {
        tree.complicate()
    } {}
    let left = tree.current().steps;
    assert!(whole > 3 && left.len() <= 2, "{left:?}");
}

/// Whether a person edited a field on one side, and then a person edited it on the other, with no write of the
/// connector to that field in between.
fn contested_before_a_sync(trace: &Trace) -> bool {
    let mut board = Board::new(&trace.header);
    // By deal and field: the side that a person wrote last.
    let mut open: BTreeMap<(String, Field), bool> = BTreeMap::new();
    for entry in &trace.entries {
        board.apply(entry);
        let What::Observed(Observed::Committed { commit, .. }) = &entry.what else {
            continue;
        };
        let in_pc = board.book.referrals.contains_key(&commit.id);
        if !in_pc && !board.book.opportunities.contains_key(&commit.id) {
            continue;
        }
        let deal = board.name_of(&commit.id).to_owned();
        for field in Field::ALL {
            let name = if in_pc {
                field.pointer()
            } else {
                board.book.column(field)
            };
            if !commit.changes.iter().any(|change| change.field == name) {
                continue;
            }
            let key = (deal.clone(), field);
            if commit.actor == cosell::board::CONNECTOR {
                open.remove(&key);
            } else if open.insert(key, in_pc).is_some_and(|before| before != in_pc) {
                return true;
            }
        }
    }
    false
}
