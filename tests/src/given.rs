//! Plans made by hand, as short as they can be, and what running a plan or a scenario gives.

use cosell::invariant::{self, Code};
use cosell::plan::{Plan, PlannedStep};
use cosell::report::Ran;
use cosell::scenario::act::{Act, Contact, Customer, Edit, Help, Money, NewDeal, Stage};
use cosell::scenario::settings::{Settings, WorldSettings};
use cosell::scenario::{Crm, Scenario};
use cosell::simulate::{self, Options};
use cosell::verdict;
use jiff::SignedDuration;
use jiff::civil::date;

/// A plan without steps.
pub fn plan(crm: Crm, seed: u64) -> Plan {
    Plan {
        title: "a history".to_owned(),
        path: "history".to_owned(),
        crm,
        seed,
        settings: Settings::default(),
        planted: None,
        world: WorldSettings::default(),
        steps: Vec::new(),
    }
}

/// A step about no deal.
pub fn step(act: Act) -> PlannedStep {
    let verb = words(&act);
    PlannedStep {
        verb,
        deal: None,
        detail: String::new(),
        act,
    }
}

/// A step about a deal.
pub fn on(deal: &str, act: Act) -> PlannedStep {
    PlannedStep {
        deal: Some(deal.to_owned()),
        ..step(act)
    }
}

/// The first word of an act's debug form: enough for a log.
fn words(act: &Act) -> String {
    let text = format!("{act:?}");
    text.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

/// Time passes.
pub fn wait_secs(seconds: i64) -> PlannedStep {
    step(Act::Wait(SignedDuration::from_secs(seconds)))
}

/// A complete deal: customer, contact, value, date, one solution.
pub fn deal(name: &str) -> NewDeal {
    NewDeal {
        name: format!("Deal {name}"),
        customer: Some(Customer {
            name: format!("Customer {name}"),
            country: Some("US".to_owned()),
            postal_code: "98052".to_owned(),
        }),
        value: Some(usd(10_000.0)),
        closes: Some(date(2026, 6, 30)),
        notes: Some("first notes".to_owned()),
        contact: Some(Contact {
            first_name: "Sue".to_owned(),
            last_name: "Smith".to_owned(),
            email: format!("sue@{}.example", name.to_lowercase()),
        }),
        solutions: vec!["SOL-1".to_owned()],
        help: Some(Help::GeneralOrOther),
        visible: None,
        sync: true,
        stage: Stage::Active,
        external_reference: None,
    }
}

/// An amount in US dollars.
pub fn usd(amount: f64) -> Money {
    Money {
        amount,
        currency: "USD".to_owned(),
    }
}

/// An edit of the deal value alone.
pub fn value(amount: f64) -> Edit {
    Edit {
        value: Some(usd(amount)),
        ..Edit::default()
    }
}

/// A scenario on one CRM, run and judged.
///
/// # Panics
/// When it cannot be run at all.
pub fn ran(scenario: &Scenario, crm: Crm) -> Ran<'_> {
    let plan = Plan::of(scenario, crm, None);
    let trace = simulate::run(&plan, &Options::default()).expect("the scenario can be run");
    let verdict = verdict::decide(&plan, &trace);
    Ran {
        scenario,
        plan,
        trace,
        verdict,
        wall: std::time::Duration::ZERO,
    }
}

/// The codes of everything that the invariants find in the run of a plan, each once, in order.
///
/// # Panics
/// When it cannot be run at all.
pub fn codes(plan: &Plan) -> Vec<Code> {
    let trace = simulate::run(plan, &Options::default()).expect("the plan can be run");
    let mut codes: Vec<Code> = invariant::judge(&trace)
        .into_iter()
        .map(|finding| finding.code)
        .collect();
    codes.sort();
    codes.dedup();
    codes
}
