//! The harness can fail: each deliberately broken connector is caught by the invariant that claims it.

use cosell::invariant::Code;
use cosell::plan::Plan;
use cosell::scenario::Crm;
use cosell::scenario::act::{Act, Call, CallFate, Edit, Fault, Outcome, System};
use cosell_connector::planted::Planted;
use cosell_tests::given::{codes, deal, on, plan, step, value, wait_secs};
use jiff::SignedDuration;
use jiff::civil::date;

/// What a broken connector does wrong, and what must say so.
struct Claim {
    bug: Planted,
    code: Code,
    history: fn(Crm) -> Plan,
}

const CLAIMS: [Claim; 6] = [
    Claim {
        bug: Planted::NoLookUpAfterLostReply,
        code: Code::OneToOne,
        history: a_lost_reply_on_create,
    },
    Claim {
        bug: Planted::NoEchoCheck,
        code: Code::Quiet,
        history: one_deal_from_microsoft,
    },
    Claim {
        bug: Planted::SendsWhileOnHold,
        code: Code::NoLeak,
        history: an_edit_on_hold,
    },
    Claim {
        bug: Planted::IgnoresClosingDate,
        code: Code::Converged,
        history: a_new_closing_date,
    },
    Claim {
        bug: Planted::SwapsWonAndLost,
        code: Code::Converged,
        history: a_deal_won_in_the_crm,
    },
    Claim {
        bug: Planted::StopsAfterFirstPage,
        code: Code::NothingLost,
        history: more_deals_than_a_page_holds,
    },
];

/// Webhooks are lost too: they would tell of the referral that the lost reply is about.
fn a_lost_reply_on_create(crm: Crm) -> Plan {
    let mut plan = plan(crm, 31);
    let lost = Fault::Calls {
        call: Call::CreateReferral,
        after: 0,
        times: 1,
        fate: CallFate::LoseReply,
    };
    let away = Fault::Disconnect {
        system: System::Webhooks,
        lasts: SignedDuration::from_hours(1),
    };
    plan.steps = vec![
        step(Act::Fault(lost)),
        step(Act::Fault(away)),
        on("D1", Act::SellerCreates(deal("D1"))),
        wait_secs(1200),
    ];
    plan
}

fn one_deal_from_microsoft(crm: Crm) -> Plan {
    let mut plan = plan(crm, 32);
    plan.steps = vec![on("D1", Act::MicrosoftShares(deal("D1"))), wait_secs(600)];
    plan
}

fn an_edit_on_hold(crm: Crm) -> Plan {
    let mut plan = one_deal_from_microsoft(crm);
    plan.steps
        .extend([on("D1", Act::SellerEdits(value(77_777.0))), wait_secs(600)]);
    plan
}

fn a_new_closing_date(crm: Crm) -> Plan {
    let mut plan = plan(crm, 33);
    let closes = Edit {
        closes: Some(date(2026, 9, 30)),
        ..Edit::default()
    };
    plan.steps = vec![
        on("D1", Act::SellerCreates(deal("D1"))),
        wait_secs(600),
        on("D1", Act::PartnerEdits(closes)),
        wait_secs(600),
    ];
    plan
}

fn a_deal_won_in_the_crm(crm: Crm) -> Plan {
    let mut plan = plan(crm, 34);
    plan.steps = vec![
        on("D1", Act::SellerCreates(deal("D1"))),
        wait_secs(600),
        on("D1", Act::SellerCloses(Outcome::Won)),
        wait_secs(600),
    ];
    plan
}

/// Webhooks are lost, so that only the list can bring the deals in.
fn more_deals_than_a_page_holds(crm: Crm) -> Plan {
    let mut plan = plan(crm, 35);
    plan.world.page_size = Some(2);
    let away = Fault::Disconnect {
        system: System::Webhooks,
        lasts: SignedDuration::from_hours(48),
    };
    plan.steps = vec![step(Act::Fault(away))];
    plan.steps
        .extend(["D1", "D2", "D3", "D4", "D5"].map(|name| on(name, Act::MicrosoftShares(deal(name)))));
    plan.steps.push(wait_secs(3600));
    plan
}

#[test]
fn each_planted_bug_is_caught_by_the_invariant_that_claims_it() {
    for Claim { bug, code, history } in CLAIMS {
        for crm in Crm::ALL {
            let mut plan = history(crm);
            plan.planted = Some(bug.name().to_owned());
            let codes = codes(&plan);
            assert!(
                codes.contains(&code),
                "{} on {}: expected {code:?}, found {codes:?}",
                bug.name(),
                crm.name()
            );
        }
    }
}

#[test]
fn the_sound_connector_passes_what_catches_the_planted_bugs() {
    for Claim { bug, history, .. } in CLAIMS {
        for crm in Crm::ALL {
            let codes = codes(&history(crm));
            assert!(
                codes.is_empty(),
                "the history for {} on {} has findings: {codes:?}",
                bug.name(),
                crm.name()
            );
        }
    }
}
