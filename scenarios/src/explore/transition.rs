//! The closed list of transitions: everything that can happen in a history, when it means something, and the step that says
//! it.

use cosell_sim::seed::Stream;

use super::draft::{Line, duration};
use super::profile::Kind;
use super::sketch::{Deal, Made, Place, Sketch};
use super::words::{self, pick};

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
pub(super) const TRANSITIONS: [Transition; 30] = [
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
    people("partner accepts", 3, |deal| deal.in_pc == Place::Held, partner_accepts),
    people("partner declines", 1, |deal| deal.in_pc == Place::Held, partner_declines),
    people("partner closes", 2, |deal| deal.in_pc.is_live(), partner_closes),
    people("microsoft accepts", 2, |deal| !deal.by_microsoft && deal.in_pc.is_live(), microsoft_accepts),
    people("microsoft declines", 1, |deal| !deal.by_microsoft && deal.in_pc.is_live(), microsoft_declines),
    people("microsoft sets msx id", 1, |deal| deal.in_pc.is_live(), microsoft_sets_msx),
    people("microsoft adds team member", 1, |deal| deal.in_pc.is_live(), microsoft_adds_member),
    wrong("lose request", Kind::Fault, 4, |stream, _, _| calls(stream, "lose request", &[])),
    wrong("lose reply", Kind::Fault, 6, |stream, _, _| calls(stream, "lose reply", &[])),
    wrong("delay", Kind::Fault, 3, delay),
    wrong("answer", Kind::Fault, 4, answer),
    wrong("lose webhooks", Kind::Fault, 2, |stream, _, _| hooks(stream, "lose webhooks")),
    wrong("duplicate webhooks", Kind::Fault, 2, |stream, _, _| hooks(stream, "duplicate webhooks")),
    wrong("reorder webhooks", Kind::Fault, 2, |stream, _, _| hooks(stream, "reorder webhooks")),
    wrong("delay webhooks", Kind::Fault, 2, delay_hooks),
    wrong("restart connector", Kind::Crash, 4, crash),
    wrong("stop connector", Kind::Crash, 2, stop),
    wrong("disconnect", Kind::Load, 3, disconnect),
    wrong("throttle", Kind::Load, 3, throttle),
];

fn on(deal: usize) -> (&'static str, String) {
    ("deal", words::name_of(deal))
}

fn one_edit(verb: &'static str, stream: &mut Stream, sketch: &Sketch, deal: usize, allowed: &[&'static str]) -> Line {
    let mut keys = vec![on(deal)];
    keys.extend(words::edit(stream, sketch, allowed));
    Line::keys(verb, keys)
}

fn partner_edits(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![one_edit(
        "partner edits",
        stream,
        sketch,
        deal,
        &["name", "value", "closes", "notes"],
    )]
}

fn seller_edits(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![one_edit(
        "seller edits",
        stream,
        sketch,
        deal,
        &["name", "value", "closes", "notes"],
    )]
}

fn microsoft_edits(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![one_edit(
        "microsoft edits",
        stream,
        sketch,
        deal,
        &["value", "closes", "notes"],
    )]
}

/// One field on both sides, before anybody can have carried the first edit over.
fn both_edit(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let field = *pick(stream, &["value", "value", "notes", "closes", "name"]);
    let mut lines = vec![one_edit("partner edits", stream, sketch, deal, &[field])];
    if stream.between(0, 1) == 0 {
        lines.push(Line::one("wait", duration(stream.between(1, 4_000))));
    }
    lines.push(one_edit("seller edits", stream, sketch, deal, &[field]));
    if stream.between(0, 1) == 0 {
        lines.reverse();
    }
    lines
}

fn seller_moves(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let to = *pick(stream, &["active", "active", "active", "on hold"]);
    let known = &mut sketch.deals[deal];
    known.in_crm = if to == "active" { Place::Open } else { Place::Held };
    if to == "active" && known.in_pc == Place::Held {
        known.in_pc = Place::Open;
    }
    vec![Line::keys("seller moves", vec![on(deal), ("to", to.to_owned())])]
}

fn seller_closes(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_crm = Place::Closed;
    let how = *pick(stream, &["won", "lost"]);
    vec![Line::keys("seller closes", vec![on(deal), ("as", how.to_owned())])]
}

fn seller_reopens(_: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_crm = Place::Open;
    vec![Line::one("seller reopens", words::name_of(deal))]
}

fn seller_deletes(_: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_crm = Place::Gone;
    vec![Line::one("seller deletes", words::name_of(deal))]
}

fn seller_syncs(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let known = &mut sketch.deals[deal];
    known.synced = !known.synced;
    let sync = if known.synced { "yes" } else { "no" };
    let mut keys = vec![on(deal), ("sync", sync.to_owned())];
    if stream.between(0, 2) == 0 {
        keys.extend(words::edit(stream, sketch, &["value", "notes"]));
    }
    vec![Line::keys("seller edits", keys)]
}

fn seller_asks(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let help = (*pick(stream, &words::HELPS)).to_owned();
    vec![Line::keys("seller edits", vec![on(deal), ("help", help)])]
}

fn seller_shows(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let visible = (*pick(stream, &["yes", "no"])).to_owned();
    vec![Line::keys("seller edits", vec![on(deal), ("visible", visible)])]
}

fn partner_accepts(_: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_pc = Place::Open;
    vec![Line::one("partner accepts", words::name_of(deal))]
}

fn partner_declines(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_pc = Place::Closed;
    let mut keys = vec![on(deal)];
    if stream.between(0, 1) == 0 {
        keys.push(("reason", "not our field".to_owned()));
    }
    vec![Line::keys("partner declines", keys)]
}

fn partner_closes(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_pc = Place::Closed;
    let how = (*pick(stream, &["won", "lost"])).to_owned();
    vec![Line::keys("partner closes", vec![on(deal), ("as", how)])]
}

fn microsoft_accepts(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![Line::one("microsoft accepts", words::name_of(deal))]
}

fn microsoft_declines(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![Line::keys("microsoft declines", vec![on(deal)])]
}

fn microsoft_sets_msx(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let id = format!("7-{:04}", stream.between(0, 9_999));
    vec![Line::keys("microsoft sets msx id", vec![on(deal), ("id", id)])]
}

fn microsoft_adds_member(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let person = [
        ("first name", "Ada"),
        ("last name", "Seller"),
        ("email", "ada@microsoft.example"),
    ];
    let mut keys = vec![on(deal)];
    keys.extend(person.map(|(key, value)| (key, value.to_owned())));
    vec![Line::keys("microsoft adds team member", keys)]
}

/// Calls that a fault can meet.
const CALLS: [&str; 13] = [
    "create referral",
    "update referral",
    "read referral",
    "list referrals",
    "create opportunity",
    "update opportunity",
    "read opportunity",
    "list opportunities",
    "create account",
    "create contact",
    "sign in",
    "register webhook",
    "any",
];

fn calls(stream: &mut Stream, verb: &'static str, more: &[(&'static str, String)]) -> Vec<Line> {
    let mut keys = vec![("of", (*pick(stream, &CALLS)).to_owned())];
    keys.extend(more.iter().cloned());
    if stream.between(0, 3) == 0 {
        keys.push(("times", stream.between(2, 4).to_string()));
    }
    if stream.between(0, 2) == 0 {
        keys.push(("after", stream.between(1, 3).to_string()));
    }
    vec![Line::keys(verb, keys)]
}

fn delay(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    // No longer than a connector that has no idempotency key can wait for a create whose outcome it does not know.
    let by = duration(stream.between(500, 90_000));
    calls(stream, "delay", &[("by", by)])
}

fn answer(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let status = *pick(stream, &["429", "503", "500", "502", "504", "401", "408"]);
    let mut more = vec![("status", status.to_owned())];
    if status == "429" || (status == "503" && stream.between(0, 1) == 0) {
        more.push(("retry after", duration(stream.between(1, 300) * 1_000)));
    }
    calls(stream, "answer", &more)
}

fn hooks(stream: &mut Stream, verb: &'static str) -> Vec<Line> {
    vec![Line::keys(verb, vec![("times", stream.between(1, 4).to_string())])]
}

fn delay_hooks(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let by = duration(stream.between(1, 1_200) * 1_000);
    let times = stream.between(1, 4).to_string();
    vec![Line::keys("delay webhooks", vec![("by", by), ("times", times)])]
}

/// At any point: somewhere within the calls that the step before has caused.
fn crash(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if !sketch.running {
        lines.push(Line::bare("start connector"));
        sketch.running = true;
    }
    lines.push(Line::one("wait", duration(stream.between(1, 1_500))));
    lines.push(Line::bare("restart connector"));
    lines
}

fn stop(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    if !sketch.running {
        sketch.running = true;
        return vec![Line::bare("start connector")];
    }
    sketch.running = false;
    vec![
        Line::one("wait", duration(stream.between(1, 1_500))),
        Line::bare("stop connector"),
    ]
}

fn disconnect(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let system = (*pick(stream, &["partner center", "crm", "webhooks", "sign-in"])).to_owned();
    let lasts = match stream.between(0, 3) {
        0 => stream.between(1, 60) * 1_000,
        1 | 2 => stream.between(60, 7_200) * 1_000,
        _ => stream.between(2, 48) * 3_600_000,
    };
    vec![Line::keys(
        "disconnect",
        vec![("system", system), ("for", duration(lasts))],
    )]
}

fn throttle(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let status = (*pick(stream, &["429", "429", "503"])).to_owned();
    let mut keys = vec![
        (
            "of",
            (*pick(
                stream,
                &["any", "any", "update referral", "read referral", "update opportunity"],
            ))
            .to_owned(),
        ),
        ("status", status),
    ];
    // A busy system says when to come back, or it does not.
    if stream.between(0, 2) > 0 {
        keys.push(("retry after", duration(stream.between(1, 600) * 1_000)));
        keys.push(("times", stream.between(1, 30).to_string()));
    } else {
        keys.push(("times", stream.between(10, 120).to_string()));
    }
    vec![Line::keys("answer", keys)]
}

/// The step that makes a deal, and what is known of it then.
pub(super) fn make(stream: &mut Stream, sketch: &Sketch, number: usize) -> (Line, Deal) {
    let made = match stream.between(0, 9) {
        0..=4 => Made::Microsoft,
        5..=7 => Made::SellerWithHelp,
        _ => Made::SellerAlone,
    };
    let mut keys = vec![on(number)];
    keys.extend(words::new_deal(stream, sketch));
    if made == Made::Microsoft {
        return (Line::keys("microsoft shares", keys), Deal::shared());
    }
    if made == Made::SellerWithHelp {
        keys.push(("help", (*pick(stream, &words::HELPS)).to_owned()));
    }
    let mut deal = Deal::made_by_seller();
    if stream.between(0, 6) == 0 {
        keys.push(("sync", "no".to_owned()));
        deal.synced = false;
    }
    match stream.between(0, 11) {
        0 => keys.push(("contact", "none".to_owned())),
        1 => keys.push(("solutions", "none".to_owned())),
        2 => {
            keys.push(("stage", "on hold".to_owned()));
            deal.in_crm = Place::Held;
        }
        3 => keys.push(("visible", "yes".to_owned())),
        _ => {}
    }
    (Line::keys("seller creates", keys), deal)
}
