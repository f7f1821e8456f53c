//! How a run is judged: passed, failed, or inconclusive, and nothing in between.

use cosell::invariant::Code;
use cosell::log;
use cosell::plan::Plan;
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Expectation};
use cosell::scenario::file::parse;
use cosell::simulate::{self, Options};
use cosell::trace::{Entry, What};
use cosell::verdict::{self, Outcome};
use cosell_sim::happening::Refusal;
use cosell_sim::site::Site;
use cosell_sim::world::Observed;
use cosell_tests::given::{deal, on, plan, step, wait_secs};

#[test]
fn a_refusal_of_a_simulator_makes_a_verdict_inconclusive_and_never_a_pass() {
    let plan = plan(Crm::Salesforce, 1);
    let mut trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
    assert_eq!(verdict::decide(&plan, &trace).outcome, Outcome::Passed);
    let refusal = Refusal {
        site: Site::Salesforce,
        request: "GET /services/data/v60.0/tabs".to_owned(),
        missing: "route".to_owned(),
    };
    let at = trace.entries[0].at;
    let what = What::Observed(Observed::Refused {
        exchange: None,
        refusal,
    });
    trace.entries.insert(1, Entry { at, what });
    let verdict = verdict::decide(&plan, &trace);
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    assert_eq!(
        verdict.refused,
        ["salesforce does not simulate route (GET /services/data/v60.0/tabs)"]
    );
}

#[test]
fn a_finding_that_no_refusal_can_cause_fails_the_run_whatever_a_simulator_refused() {
    let mut plan = plan(Crm::Salesforce, 1);
    let count = Expectation::Count {
        opportunities: Some(7),
        referrals: None,
    };
    plan.steps = vec![step(Act::Expect(count)), wait_secs(60)];
    let mut trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
    let refusal = |trace: &mut cosell::trace::Trace, place: usize| {
        let refusal = Refusal {
            site: Site::Salesforce,
            request: "GET /services/data/v60.0/tabs".to_owned(),
            missing: "route".to_owned(),
        };
        let at = trace.entries[place.min(trace.entries.len() - 1)].at;
        let what = What::Observed(Observed::Refused {
            exchange: None,
            refusal,
        });
        let place = place.min(trace.entries.len());
        trace.entries.insert(place, Entry { at, what });
    };
    let mut later = trace.clone();
    refusal(&mut later, usize::MAX);
    let verdict = verdict::decide(&plan, &later);
    assert_eq!(verdict.outcome, Outcome::Failed, "it was found before");
    assert!(verdict.reason.expect("a reason").contains("`expectation`"));
    refusal(&mut trace, 0);
    assert_eq!(verdict::decide(&plan, &trace).outcome, Outcome::Inconclusive);
}

#[test]
fn settling_waits_until_a_long_pause_is_over_but_not_for_ever() {
    for crm in Crm::ALL {
        let told = "title: t\nsteps:\n  - seller creates: {deal: D1}\n  - settle\n  \
            - answer: {of: update referral, status: 503, retry after: 5h}\n  \
            - seller edits: {deal: D1, value: 77 USD}\n  - settle\n  - expect in pc: {deal: D1, value: 77 USD}\n";
        let refused = "title: t\nsteps:\n  - seller creates: {deal: D1}\n  - settle\n  \
            - answer: {of: update referral, status: 403, times: 500}\n  \
            - seller edits: {deal: D1, value: 77 USD}\n  - settle\n";
        for (text, longest) in [(told, 10), (refused, 10)] {
            let scenario = parse("t.yaml", text).expect("a scenario");
            let plan = Plan::of(&scenario, crm, None);
            let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
            let verdict = verdict::decide(&plan, &trace);
            assert_eq!(verdict.findings, Vec::new(), "{crm:?}");
            let last = trace.entries.last().expect("entries").at;
            let hours = last.duration_since(trace.entries[0].at).as_hours();
            assert!(hours < longest, "{crm:?}: {hours} hours");
        }
    }
}

#[test]
fn an_act_that_a_system_refuses_is_a_finding_at_its_step() {
    for crm in Crm::ALL {
        let mut plan = plan(crm, 2);
        plan.steps = vec![
            on("D1", Act::MicrosoftShares(deal("D1"))),
            on("D1", Act::PartnerDeclines(None)),
        ];
        plan.steps.extend([wait_secs(60), on("D1", Act::PartnerAccepts)]);
        let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
        let verdict = verdict::decide(&plan, &trace);
        assert_eq!(verdict.outcome, Outcome::Failed);
        let finding = &verdict.findings[0];
        assert_eq!((finding.code, finding.step), (Code::ActRefused, Some(3)));
    }
}

#[test]
fn an_expectation_that_cannot_be_met_is_a_finding_with_both_values() {
    let mut plan = plan(Crm::Dynamics, 3);
    let count = Expectation::Count {
        opportunities: Some(7),
        referrals: None,
    };
    plan.steps = vec![step(Act::Expect(count))];
    let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
    let verdict = verdict::decide(&plan, &trace);
    let finding = &verdict.findings[0];
    assert_eq!(
        (finding.expected.as_deref(), finding.actual.as_deref()),
        (Some("7"), Some("0"))
    );
}

#[test]
fn a_saved_trace_is_judged_as_the_run_itself() {
    let mut plan = plan(Crm::Salesforce, 4);
    plan.steps = vec![on("D1", Act::SellerCreates(deal("D1"))), wait_secs(600)];
    let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
    let saved = trace.to_json_lines().expect("a trace can be written");
    let read = cosell::trace::Trace::from_json_lines(&saved).expect("a trace can be read");
    assert_eq!(verdict::decide(&plan, &trace), verdict::decide(&plan, &read));
}

#[test]
fn a_closing_that_never_reaches_the_crm_is_no_reopening_by_the_seller() {
    let text = "title: t\nsteps:\n  - microsoft shares: {deal: D1}\n  - settle\n  \
        - seller moves: {deal: D1, to: active}\n  - settle\n  \
        - answer: {of: update opportunity, status: 400, times: 50}\n  \
        - answer: {of: close opportunity, status: 400, times: 50}\n  \
        - partner closes: {deal: D1, as: won}\n  - settle\n";
    let scenario = parse("t.yaml", text).expect("a scenario");
    for crm in Crm::ALL {
        let plan = Plan::of(&scenario, crm, None);
        let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
        let findings = verdict::decide(&plan, &trace).findings;
        assert!(
            findings.iter().any(|finding| finding.code == Code::Converged),
            "{crm:?}: {findings:#?}"
        );
    }
}

#[test]
fn what_a_later_step_does_at_the_same_moment_is_not_told_as_what_came_before_a_finding() {
    let text = "title: A wrong expectation\nsteps:\n  - microsoft shares: {deal: D1}\n  - settle\n  \
                - expect in crm: {deal: D1, value: 1 USD}\n  - partner edits: {deal: D1, value: 70000 USD}\n  - settle\n";
    let scenario = parse("later.yaml", text).expect("a scenario in order");
    let plan = Plan::of(&scenario, Crm::Dynamics, None);
    let trace = simulate::run(&plan, &Options::default()).expect("it can be run");
    let verdict = verdict::decide(&plan, &trace);
    let finding = &verdict.findings[0];
    assert_eq!((finding.code, finding.step), (Code::Expectation, Some(2)));
    let told = |asking| log::last_about(&trace, "D1", finding.at, asking, 3).join("\n");
    assert!(!told(finding.step).contains("by partner"), "{}", told(finding.step));
    assert!(told(None).contains("by partner"), "{}", told(None));
}

#[test]
fn what_does_not_become_so_in_time_is_missed_at_the_deadline() {
    let text = "title: t\nsteps:\n  - seller creates: {deal: D1}\n  - wait: 1h\n  \
        - within: {time: 10m, expect in pc: {deal: D1, value: 1 USD}}\n  - wait: 1h\n  \
        - eventually: {expect in pc: {deal: D1, value: 2 USD}}\n";
    let scenario = parse("t.yaml", text).expect("a scenario");
    for crm in Crm::ALL {
        let plan = Plan::of(&scenario, crm, None);
        let trace = simulate::run(&plan, &Options::default()).expect("a plan can be run");
        let findings = verdict::decide(&plan, &trace).findings;
        let start = trace.entries[0].at;
        let at = |index: usize| findings[index].at.duration_since(start);
        // An hour and ten minutes after the start, not at the last poll before.
        assert_eq!(at(0), jiff::SignedDuration::from_mins(70), "{findings:#?}");
        assert!(at(1) > jiff::SignedDuration::from_mins(130), "{findings:#?}");
        assert_eq!(findings.len(), 2, "{findings:#?}");
    }
}

#[test]
fn a_run_that_never_began_has_one_finding_at_its_setting() {
    let text = "title: t\nsettings: {overlap: 3650d}\nsteps:\n  - seller creates: {deal: D1}\n";
    let scenario = parse("t.yaml", text).expect("a scenario");
    let plan = Plan::of(&scenario, Crm::Salesforce, None);
    let error = simulate::run(&plan, &Options::default()).expect_err("the connector refuses it");
    let trace = simulate::never_began(&plan, &error).expect("the scenario is at fault");
    let findings = verdict::decide(&plan, &trace).findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        (findings[0].code, findings[0].field.as_deref()),
        (Code::Settings, Some("settings.overlap"))
    );
}
