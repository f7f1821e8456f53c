//! The connector's process stops and starts again at every step that it takes: nothing is lost, nothing is made twice.

use std::collections::BTreeSet;

use cosell::invariant;
use cosell::plan::Plan;
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Edit, Outcome, Stage};
use cosell::simulate::{self, Options};
use cosell::{log, trace::What};
use cosell_tests::given::{deal, on, plan, value, wait_secs};

/// A deal from Microsoft, accepted by its seller, changed on both sides.
fn from_microsoft(crm: Crm) -> Plan {
    let mut plan = plan(crm, 11);
    plan.steps = vec![
        on("D1", Act::MicrosoftShares(deal("D1"))),
        wait_secs(300),
        on(
            "D1",
            Act::SellerEdits(Edit {
                stage: Some(Stage::Active),
                ..Edit::default()
            }),
        ),
        wait_secs(300),
        on("D1", Act::PartnerEdits(value(20_000.0))),
        on(
            "D1",
            Act::SellerEdits(Edit {
                notes: Some("from the seller".to_owned()),
                ..Edit::default()
            }),
        ),
        wait_secs(300),
    ];
    plan
}

/// A deal from the seller, with Microsoft's help, renamed.
fn from_the_crm(crm: Crm) -> Plan {
    let mut plan = plan(crm, 12);
    plan.steps = vec![
        on("D1", Act::SellerCreates(deal("D1"))),
        wait_secs(400),
        on(
            "D1",
            Act::SellerEdits(Edit {
                name: Some("Renamed".to_owned()),
                ..Edit::default()
            }),
        ),
        wait_secs(400),
    ];
    plan
}

/// A deal that is won in the CRM, and one that is lost in Partner Center.
fn closed_on_both_sides(crm: Crm) -> Plan {
    let mut plan = plan(crm, 13);
    plan.steps = vec![
        on("D1", Act::SellerCreates(deal("D1"))),
        on("D2", Act::MicrosoftShares(deal("D2"))),
        wait_secs(400),
        on("D1", Act::SellerCloses(Outcome::Won)),
        on("D2", Act::PartnerCloses(Outcome::Lost, None)),
        wait_secs(400),
    ];
    plan
}

/// How many commands the connector issues in a run that nothing interrupts: an upper bound for where to stop it.
fn exchanges(plan: &Plan) -> u64 {
    let trace = simulate::run(plan, &Options::default()).expect("a plan can be run");
    let sent = trace.entries.iter().filter(|entry| {
        matches!(
            &entry.what,
            What::Observed(cosell_sim::world::Observed::Sent { .. }) | What::Decided(_)
        )
    });
    // Each call comes with at most three further commands: what is persisted before and after it, and an answer.
    u64::try_from(sent.count()).expect("a small number") * 4
}

fn survives_a_stop_at_every_step(plan: &Plan) {
    let whole = simulate::run(plan, &Options::default()).expect("a plan can be run");
    assert!(
        invariant::judge(&whole).is_empty(),
        "the run itself has findings: {:?}",
        invariant::judge(&whole)
    );
    let mut stopped = 0;
    let mut moments = BTreeSet::new();
    for step in 0..exchanges(plan) {
        let trace = simulate::run(
            plan,
            &Options {
                crash_after: Some(step),
                ..Options::default()
            },
        );
        let trace = trace.expect("a plan can be run");
        let down = |entry: &cosell::trace::Entry| {
            matches!(&entry.what, What::Observed(cosell_sim::world::Observed::ConnectorDown))
        };
        let Some(fell) = trace.entries.iter().find(|entry| down(entry)) else {
            break; // The run has fewer steps than that.
        };
        moments.insert(fell.at);
        stopped += 1;
        let findings = invariant::judge(&trace);
        assert!(
            findings.is_empty(),
            "stopped at step {step} on {}: {findings:#?}\n{}",
            plan.crm.name(),
            log::lines(&trace).join("\n")
        );
    }
    assert!(stopped > 40, "only {stopped} steps were tried");
    // A step is one command: most instants have several, and the process stops between any two of them.
    let instants = moments.len();
    assert!(
        instants + 20 < stopped,
        "{stopped} stops at {instants} instants: whole instants were skipped"
    );
}

#[test]
fn a_deal_from_microsoft_survives_a_stop_at_every_step() {
    for crm in Crm::ALL {
        survives_a_stop_at_every_step(&from_microsoft(crm));
    }
}

#[test]
fn a_deal_from_the_crm_survives_a_stop_at_every_step() {
    for crm in Crm::ALL {
        survives_a_stop_at_every_step(&from_the_crm(crm));
    }
}

#[test]
fn closings_on_both_sides_survive_a_stop_at_every_step() {
    for crm in Crm::ALL {
        survives_a_stop_at_every_step(&closed_on_both_sides(crm));
    }
}
