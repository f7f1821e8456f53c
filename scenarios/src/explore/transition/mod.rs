//! The closed list of transitions: everything that can happen in a history, when it means something, and the step that says
//! it.

use cosell_sim::seed::Stream;

use super::draft::Line;
use super::profile::Kind;
use super::sketch::{Deal, Made, Place, Sketch};
use super::words::{self, pick};

/// What people do with deals.
mod people;
/// What goes wrong.
pub(super) mod faults;
/// What happens in the middle of a call.
mod at_call;
/// What people do with the solution: flows, connections, roles.
mod operator;

use at_call::{dies_at_call, happens_at_call, meets_a_fault, page_changes};
use faults::{
    answer, calls, crash, delay, delay_hooks, disconnect, expire_tokens, hooks, ignore_field, restart, skew, stop,
    stray_webhook, throttle,
};
use operator::{break_connection, give_roles, lose_trigger, resubmit, resubmit_flow, turn_flow};
use people::{
    both_edit, empties, microsoft_accepts, microsoft_adds_member, microsoft_declines, microsoft_edits,
    microsoft_sets_msx, on, partner_accepts, partner_closes, partner_declines, partner_edits, seller_adds_solution,
    seller_asks, seller_closes, seller_deletes, seller_edits, seller_moves, seller_removes_solution, seller_reopens,
    seller_shows, seller_syncs,
};

/// One thing that can happen.
pub(super) struct Transition {
    /// The step's words; a transition is known by them.
    pub(super) verb: &'static str,
    /// How it is told apart from others with the same words.
    pub(super) kind: Kind,
    /// How often it is drawn, against the others.
    pub(super) weight: u64,
    /// Whether it means something for a deal as it is known; `None` for what is about no deal.
    pub(super) fits: Option<fn(&Deal) -> bool>,
    /// The step, and what it changes in the sketch.
    pub(super) make: fn(&mut Stream, &mut Sketch, usize) -> Vec<Line>,
}

const fn people(
    verb: &'static str,
    weight: u64,
    fits: fn(&Deal) -> bool,
    make: fn(&mut Stream, &mut Sketch, usize) -> Vec<Line>,
) -> Transition {
    Transition {
        verb,
        kind: Kind::People,
        weight,
        fits: Some(fits),
        make,
    }
}

const fn wrong(
    verb: &'static str,
    kind: Kind,
    weight: u64,
    make: fn(&mut Stream, &mut Sketch, usize) -> Vec<Line>,
) -> Transition {
    Transition {
        verb,
        kind,
        weight,
        fits: None,
        make,
    }
}

/// Every transition. What a history begins with, making its deals, is drawn apart.
#[rustfmt::skip]
pub(super) const TRANSITIONS: [Transition; 51] = [
    people("partner edits", 8, |deal| deal.in_pc.is_live(), partner_edits),
    people("seller edits", 9, |deal| deal.in_crm.is_live(), seller_edits),
    people("both edit", 9, |deal| deal.in_pc.is_live() && deal.in_crm.is_live(), both_edit),
    people("microsoft edits", 3, |deal| deal.by_microsoft && deal.in_pc.is_live(), microsoft_edits),
    people("seller moves", 5, |deal| deal.in_crm.is_live(), seller_moves),
    people("seller closes", 3, |deal| deal.in_crm.is_live(), seller_closes),
    people("seller reopens", 2, |deal| deal.in_crm == Place::Closed, seller_reopens),
    people("seller deletes", 1, |deal| deal.in_crm.is_live(), seller_deletes),
    people("seller switches sync", 3, |deal| deal.in_crm.is_live(), seller_syncs),
    people("seller asks for help", 3, |deal| deal.in_crm == Place::Open, seller_asks),
    people("seller shows or hides", 2, |deal| deal.in_crm.is_live(), seller_shows),
    people("seller adds solution", 2, |deal| deal.in_crm.is_live(), seller_adds_solution),
    people("seller removes solution", 2, |deal| deal.in_crm.is_live(), seller_removes_solution),
    people("somebody empties a field", 2, |deal| deal.in_pc.is_live() && deal.in_crm.is_live(), empties),
    people("partner accepts", 3, |deal| deal.in_pc == Place::Held, partner_accepts),
    people("partner declines", 1, |deal| deal.in_pc == Place::Held, partner_declines),
    people("partner closes", 2, |deal| deal.in_pc.is_live(), partner_closes),
    people("microsoft accepts", 2, |deal| !deal.by_microsoft && deal.in_pc.is_live(), microsoft_accepts),
    people("microsoft declines", 1, |deal| !deal.by_microsoft && deal.in_pc.is_live(), microsoft_declines),
    people("microsoft sets msx id", 1, |deal| deal.in_pc.is_live(), microsoft_sets_msx),
    people("microsoft adds team member", 1, |deal| deal.in_pc.is_live(), microsoft_adds_member),
    wrong("lose request", Kind::Fault, 4, |stream, _, _| calls(stream, "lose request", &[])),
    wrong("lose reply", Kind::Fault, 6, |stream, _, _| calls(stream, "lose reply", &[])),
    wrong("duplicate request", Kind::Fault, 2, |stream, _, _| calls(stream, "duplicate request", &[])),
    wrong("cut reply", Kind::Fault, 2, |stream, _, _| calls(stream, "cut reply", &[])),
    wrong("ignore field", Kind::Fault, 1, ignore_field),
    wrong("delay", Kind::Fault, 3, delay),
    wrong("answer", Kind::Fault, 4, answer),
    wrong("lose webhooks", Kind::Fault, 2, |stream, _, _| hooks(stream, "lose webhooks")),
    wrong("duplicate webhooks", Kind::Fault, 2, |stream, _, _| hooks(stream, "duplicate webhooks")),
    wrong("reorder webhooks", Kind::Fault, 2, |stream, _, _| hooks(stream, "reorder webhooks")),
    wrong("delay webhooks", Kind::Fault, 2, delay_hooks),
    wrong("expire tokens", Kind::Fault, 2, expire_tokens),
    wrong("skew clock", Kind::Fault, 1, skew),
    people("something happens at a call", 6, |deal| deal.in_pc.is_live() && deal.in_crm.is_live(), happens_at_call).of(Kind::Fault),
    wrong("restart connector", Kind::Crash, 4, restart),
    wrong("stop connector", Kind::Crash, 2, stop),
    wrong("crash connector", Kind::Crash, 4, crash),
    wrong("the connector dies at a call", Kind::Crash, 3, dies_at_call),
    wrong("disconnect", Kind::Load, 3, disconnect),
    wrong("throttle", Kind::Load, 3, throttle),
    wrong("turn flow", Kind::Operator, 4, turn_flow),
    wrong("lose trigger", Kind::Operator, 1, lose_trigger),
    people("resubmit", 1, |deal| deal.in_pc.is_live() && deal.in_crm.is_live(), resubmit).of(Kind::Operator),
    wrong("resubmit failed runs", Kind::Operator, 1, |_, _, _| vec![Line::bare("resubmit failed runs")]),
    wrong("resubmit flow", Kind::Operator, 1, resubmit_flow),
    wrong("break connection", Kind::Operator, 2, break_connection),
    wrong("give roles", Kind::Operator, 1, give_roles),
    people("what somebody does meets a fault", 4, |deal| deal.in_pc.is_live() && deal.in_crm.is_live(), meets_a_fault).of(Kind::Fault),
    people("deliver webhook", 1, |deal| deal.in_pc.is_live(), stray_webhook).of(Kind::Fault),
    people("deals of a page change", 2, |deal| deal.in_pc.is_live(), page_changes).of(Kind::Fault),
];

impl Transition {
    /// The same among those of another kind.
    const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}

/// The step that makes a deal, and what is known of it then.
pub(super) fn make(stream: &mut Stream, sketch: &Sketch, number: usize) -> (Line, Deal) {
    let leads = sketch.swarm.leads && stream.between(0, 1) == 0;
    let made = match stream.between(0, 19) {
        _ if leads => Made::Lead,
        0..=8 => Made::Microsoft,
        9 => Made::Lead,
        10..=15 => Made::SellerWithHelp,
        _ => Made::SellerAlone,
    };
    let mut keys = vec![on(number)];
    keys.extend(words::new_deal(stream, sketch));
    if stream.between(0, 3) == 0 {
        let solutions = *pick(stream, &["[SOL-2]", "[SOL-1, SOL-2]", "[SOL-1, SOL-2, SOL-3]"]);
        keys.push(("solutions", solutions.to_owned()));
    }
    if matches!(made, Made::Microsoft | Made::Lead) && stream.between(0, 7) == 0 {
        keys.retain(|(key, _)| *key != "value");
        keys.push(("value", "none".to_owned()));
    }
    if made == Made::Microsoft {
        if stream.between(0, 3) == 0 {
            keys.push(("help", (*pick(stream, &words::HELPS)).to_owned()));
        }
        return (Line::keys("microsoft shares", keys), Deal::shared());
    }
    if made == Made::Lead {
        let source = *pick(stream, &["marketplace", "marketing", "sales"]);
        keys.push(("source", source.to_owned()));
        return (Line::keys("microsoft shares lead", keys), Deal::lead());
    }
    if made == Made::SellerWithHelp {
        keys.push(("help", (*pick(stream, &words::HELPS)).to_owned()));
    }
    let mut deal = Deal::made_by_seller();
    if stream.between(0, 6) == 0 {
        keys.push(("sync", "no".to_owned()));
        deal.synced = false;
    }
    match stream.between(0, 15) {
        0 => {
            keys.retain(|(key, _)| *key != "contact");
            keys.push(("contact", "none".to_owned()));
        }
        1 => {
            keys.retain(|(key, _)| *key != "solutions");
            keys.push(("solutions", "none".to_owned()));
        }
        4 => keys.push(("country", (*pick(stream, &["none", "Germany", "de"])).to_owned())),
        5 => {
            let missing = *pick(stream, &["value", "closes", "customer"]);
            keys.retain(|(key, _)| *key != missing);
            keys.push((missing, "none".to_owned()));
        }
        2 => {
            keys.push(("stage", "on hold".to_owned()));
            deal.in_crm = Place::Held;
        }
        3 => keys.push(("visible", "yes".to_owned())),
        _ => {}
    }
    (Line::keys("seller creates", keys), deal)
}
