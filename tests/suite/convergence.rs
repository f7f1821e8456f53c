//! Random histories on both CRMs: whatever people do and whatever goes wrong, both sides agree in the end, and nothing
//! forbidden happens on the way.

use std::cell::Cell;
use std::collections::BTreeMap;

use cosell::invariant::{self, Finding};
use cosell::record::Field;
use cosell::scenario::Crm;
use cosell::simulate::{self, Options};
use cosell::trace::{Trace, What};
use cosell::{board::Board, log};
use cosell_sim::world::Observed;
use cosell_tests::arbitrary::{self, History};
use proptest::test_runner::{Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Histories a run unless `COSELL_HISTORIES` says otherwise; each is run on both CRMs.
const CASES: u32 = 160;

fn run(history: &History, crm: Crm) -> Trace {
    simulate::run(&history.plan(crm), &Options::default()).expect("a history can be run")
}

fn report(history: &History, crm: Crm, trace: &Trace, findings: &[Finding]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{} on seed {}:\n", crm.name(), history.seed);
    for finding in findings {
        let compared = finding.expected.as_deref().zip(finding.actual.as_deref());
        let compared = compared.map_or_else(String::new, |(expected, actual)| format!(" ({expected} / {actual})"));
        writeln!(text, "  {}: {}{compared}", finding.code.name(), finding.text).expect("a string takes text");
    }
    for line in log::lines(trace) {
        writeln!(text, "    {line}").expect("a string takes text");
    }
    text
}

#[test]
fn random_histories_converge_on_both_crms() {
    let wanted = std::env::var("COSELL_HISTORIES")
        .ok()
        .and_then(|number| number.parse().ok());
    let config = Config {
        cases: wanted.unwrap_or(CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel("proptest-regressions"))),
        max_shrink_iters: 2000,
        ..Config::default()
    };
    // The same histories on every machine; `cosell explore` is there to look for others.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (contested, total) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = runner.run(&arbitrary::history(), |history| {
        let mut both_edited = false;
        for crm in Crm::ALL {
            let trace = run(&history, crm);
            both_edited |= contested_before_a_sync(&trace);
            let findings = invariant::judge(&trace);
            if !findings.is_empty() {
                return Err(TestCaseError::fail(report(&history, crm, &trace, &findings)));
            }
        }
        total.set(total.get() + 1);
        contested.set(contested.get() + u32::from(both_edited));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let share = f64::from(contested.get()) / f64::from(total.get().max(1));
    assert!(
        share >= 0.3,
        "only {:.0} % of the histories edit one field on both sides before a sync",
        share * 100.0
    );
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
                field.column(trace.header.crm)
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
