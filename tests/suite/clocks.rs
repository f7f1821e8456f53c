//! The connector's own clock is wrong by any amount: nothing is lost, nothing is overwritten, nothing is made twice.

use cosell::invariant;
use cosell::log;
use cosell::plan::PlannedStep;
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Edit, Stage};
use cosell::simulate::{self, Options};
use cosell_tests::given::{deal, on, plan, step, value, wait_secs};
use jiff::SignedDuration;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Histories on each CRM.
const CASES: u32 = 48;

/// What happens around a wrong clock: edits on both sides, close together or far apart, and the clock put wrong once more.
fn happens() -> impl Strategy<Value = Vec<PlannedStep>> {
    let amount = || (1_u32..90).prop_map(|thousands| value(f64::from(thousands) * 1_000.0));
    prop_oneof![
        3 => amount().prop_map(|edit| vec![on("D1", Act::SellerEdits(edit))]),
        3 => amount().prop_map(|edit| vec![on("D1", Act::PartnerEdits(edit))]),
        1 => amount().prop_map(|edit| vec![on("D2", Act::SellerEdits(edit))]),
        4 => (0_i64..90).prop_map(|seconds| vec![wait_secs(seconds)]),
        1 => skewed(),
        1 => Just(vec![step(Act::RestartConnector)]),
    ]
}

/// A process that starts under a wrong clock: while it runs, its clock cannot be put back.
fn skewed() -> impl Strategy<Value = Vec<PlannedStep>> {
    (0_i64..7_200_000, any::<bool>()).prop_map(|(millis, ahead)| {
        let by = SignedDuration::from_millis(millis);
        vec![step(Act::SkewClock { by, ahead }), step(Act::RestartConnector)]
    })
}

#[test]
fn however_wrong_the_clock_is_no_edit_is_lost() {
    for crm in Crm::ALL {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let histories = (skewed(), proptest::collection::vec(happens(), 4..16), any::<u64>());
        let outcome = runner.run(&histories, |(first, steps, seed)| {
            let mut plan = plan(crm, seed);
            plan.steps = first;
            plan.steps.extend([
                on("D1", Act::MicrosoftShares(deal("D1"))),
                on("D2", Act::SellerCreates(deal("D2"))),
                wait_secs(300),
                on(
                    "D1",
                    Act::SellerEdits(Edit {
                        stage: Some(Stage::Active),
                        ..Edit::default()
                    }),
                ),
                wait_secs(300),
            ]);
            plan.steps.extend(steps.into_iter().flatten());
            plan.steps.push(wait_secs(1_200));
            let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
            let findings = invariant::judge(&trace);
            if findings.is_empty() {
                return Ok(());
            }
            let told = format!("{}: {findings:#?}\n{}", crm.name(), log::lines(&trace).join("\n"));
            Err(TestCaseError::fail(told))
        });
        if let Err(error) = outcome {
            panic!("{error}");
        }
    }
}
