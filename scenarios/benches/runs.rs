//! Whole runs a second, in process: world, connector, trace and every invariant, on one core.
//!
//! `cargo bench -p cosell`. A run is one deal there and back with two edits on each side and its settling; the number of
//! its exchanges is printed first, so that figures can be compared with a bare router's. `idle_for_48_hours` is what two quiet
//! days cost: a deal is shared, and then nothing happens but polls.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use cosell::plan::{Plan, PlannedStep};
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Customer, Edit, Money, NewDeal, Stage};
use cosell::scenario::settings::{Settings, WorldSettings};
use cosell::simulate::{self, Options};
use cosell::trace::What;
use cosell::{invariant, verdict};
use cosell_sim::world::Observed;
use jiff::SignedDuration;
use jiff::civil::date;

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    for crm in Crm::ALL {
        tell(crm, "there and back", &there_and_back(crm));
        tell(crm, "idle for 48 hours", &idle(crm));
    }
    divan::main();
}

fn tell(crm: Crm, what: &str, plan: &Plan) {
    let trace = simulate::run(plan, &Options::default()).expect("the plan can be run");
    let sent = |what: &What| {
        matches!(
            what,
            What::Observed(Observed::Sent { .. } | Observed::Delivering { .. })
        )
    };
    let exchanges = trace.entries.iter().filter(|entry| sent(&entry.what)).count();
    let (crm, entries) = (crm.name(), trace.entries.len());
    println!("{crm}, {what}: {exchanges} exchanges a run, {entries} entries");
}

fn on(act: Act) -> PlannedStep {
    PlannedStep {
        verb: String::new(),
        deal: Some("D1".to_owned()),
        detail: String::new(),
        act,
    }
}

fn usd(amount: f64) -> Money {
    Money {
        amount,
        currency: "USD".to_owned(),
    }
}

fn new_deal() -> NewDeal {
    NewDeal {
        name: "Fabrikam migration".to_owned(),
        customer: Some(Customer {
            name: "Fabrikam".to_owned(),
            country: Some("US".to_owned()),
            postal_code: "98052".to_owned(),
        }),
        value: Some(usd(50_000.0)),
        closes: Some(date(2026, 6, 30)),
        notes: None,
        contact: None,
        solutions: vec!["SOL-1".to_owned()],
        help: None,
        visible: None,
        sync: true,
        stage: Stage::OnHold,
        external_reference: None,
    }
}

/// A deal is shared, and then nobody does anything for two days.
fn idle(crm: Crm) -> Plan {
    Plan {
        title: "idle".to_owned(),
        steps: vec![
            on(Act::MicrosoftShares(new_deal())),
            on(Act::Wait(SignedDuration::from_hours(48))),
        ],
        ..there_and_back(crm)
    }
}

fn there_and_back(crm: Crm) -> Plan {
    let wait = || on(Act::Wait(SignedDuration::from_mins(5)));
    let value = |amount| Edit {
        value: Some(usd(amount)),
        ..Edit::default()
    };
    Plan {
        title: "there and back".to_owned(),
        path: String::new(),
        crm,
        seed: 1,
        settings: Settings::default(),
        planted: None,
        world: WorldSettings::default(),
        steps: vec![
            on(Act::MicrosoftShares(new_deal())),
            wait(),
            on(Act::SellerEdits(Edit {
                stage: Some(Stage::Active),
                ..Edit::default()
            })),
            wait(),
            on(Act::PartnerEdits(value(60_000.0))),
            wait(),
            on(Act::SellerEdits(value(70_000.0))),
            wait(),
        ],
    }
}

#[divan::bench(args = Crm::ALL)]
fn run(bencher: divan::Bencher<'_, '_>, crm: Crm) {
    let plan = there_and_back(crm);
    bencher
        .counter(1_u32)
        .bench(|| simulate::run(&plan, &Options::default()));
}

#[divan::bench(args = Crm::ALL)]
fn run_and_judge(bencher: divan::Bencher<'_, '_>, crm: Crm) {
    let plan = there_and_back(crm);
    bencher.counter(1_u32).bench(|| {
        let trace = simulate::run(&plan, &Options::default()).expect("the plan can be run");
        verdict::decide(&plan, &trace)
    });
}

#[divan::bench(args = Crm::ALL, sample_count = 50)]
fn idle_for_48_hours(bencher: divan::Bencher<'_, '_>, crm: Crm) {
    let plan = idle(crm);
    bencher.bench(|| simulate::run(&plan, &Options::default()));
}

#[divan::bench(args = Crm::ALL, sample_count = 50)]
fn idle_for_48_hours_and_judge(bencher: divan::Bencher<'_, '_>, crm: Crm) {
    let plan = idle(crm);
    bencher.bench(|| {
        let trace = simulate::run(&plan, &Options::default()).expect("the plan can be run");
        verdict::decide(&plan, &trace)
    });
}

#[divan::bench(args = Crm::ALL)]
fn judge(bencher: divan::Bencher<'_, '_>, crm: Crm) {
    let trace = simulate::run(&there_and_back(crm), &Options::default()).expect("the plan can be run");
    bencher.counter(1_u32).bench(|| invariant::judge(&trace));
}
