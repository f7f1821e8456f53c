//! What people do with deals, on both sides and at Microsoft.

use cosell_sim::seed::Stream;

use super::super::draft::{Line, duration};
use super::super::sketch::{Place, Sketch};
use super::super::words::{self, pick};

pub(super) fn on(deal: usize) -> (&'static str, String) {
    ("deal", words::name_of(deal))
}

fn one_edit(verb: &'static str, stream: &mut Stream, sketch: &Sketch, deal: usize, allowed: &[&'static str]) -> Line {
    let mut keys = vec![on(deal)];
    keys.extend(words::edit(stream, sketch, allowed));
    Line::keys(verb, keys)
}

pub(super) fn partner_edits(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![one_edit(
        "partner edits",
        stream,
        sketch,
        deal,
        &["name", "value", "closes", "notes"],
    )]
}

pub(super) fn seller_edits(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![one_edit(
        "seller edits",
        stream,
        sketch,
        deal,
        &["name", "value", "closes", "notes"],
    )]
}

pub(super) fn microsoft_edits(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![one_edit(
        "microsoft edits",
        stream,
        sketch,
        deal,
        &["value", "closes", "notes"],
    )]
}

/// One field on both sides, before anybody can have carried the first edit over.
pub(super) fn both_edit(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
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

pub(super) fn seller_moves(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let to = *pick(stream, &["active", "active", "active", "on hold"]);
    let known = &mut sketch.deals[deal];
    known.in_crm = if to == "active" { Place::Open } else { Place::Held };
    if to == "active" && known.in_pc == Place::Held {
        known.in_pc = Place::Open;
    }
    vec![Line::keys("seller moves", vec![on(deal), ("to", to.to_owned())])]
}

pub(super) fn seller_closes(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_crm = Place::Closed;
    let how = *pick(stream, &["won", "lost"]);
    vec![Line::keys("seller closes", vec![on(deal), ("as", how.to_owned())])]
}

pub(super) fn seller_reopens(_: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_crm = Place::Open;
    vec![Line::one("seller reopens", words::name_of(deal))]
}

pub(super) fn seller_deletes(_: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_crm = Place::Gone;
    vec![Line::one("seller deletes", words::name_of(deal))]
}

pub(super) fn seller_syncs(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let known = &mut sketch.deals[deal];
    known.synced = !known.synced;
    let sync = if known.synced { "yes" } else { "no" };
    let mut keys = vec![on(deal), ("sync", sync.to_owned())];
    if stream.between(0, 2) == 0 {
        keys.extend(words::edit(stream, sketch, &["value", "notes"]));
    }
    vec![Line::keys("seller edits", keys)]
}

pub(super) fn seller_asks(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let help = (*pick(stream, &words::HELPS)).to_owned();
    vec![Line::keys("seller edits", vec![on(deal), ("help", help)])]
}

pub(super) fn seller_shows(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let visible = (*pick(stream, &["yes", "no"])).to_owned();
    vec![Line::keys("seller edits", vec![on(deal), ("visible", visible)])]
}

pub(super) fn partner_accepts(_: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_pc = Place::Open;
    vec![Line::one("partner accepts", words::name_of(deal))]
}

pub(super) fn partner_declines(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_pc = Place::Closed;
    let mut keys = vec![on(deal)];
    if stream.between(0, 1) == 0 {
        keys.push(("reason", "not our field".to_owned()));
    }
    vec![Line::keys("partner declines", keys)]
}

pub(super) fn partner_closes(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    sketch.deals[deal].in_pc = Place::Closed;
    let how = (*pick(stream, &["won", "lost"])).to_owned();
    vec![Line::keys("partner closes", vec![on(deal), ("as", how)])]
}

pub(super) fn microsoft_accepts(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![Line::one("microsoft accepts", words::name_of(deal))]
}

pub(super) fn microsoft_declines(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    vec![Line::keys("microsoft declines", vec![on(deal)])]
}

pub(super) fn microsoft_sets_msx(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let id = format!("7-{:04}", stream.between(0, 9_999));
    vec![Line::keys("microsoft sets msx id", vec![on(deal), ("id", id)])]
}

pub(super) fn microsoft_adds_member(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let person = [
        ("first name", "Ada"),
        ("last name", "Seller"),
        ("email", "ada@microsoft.example"),
    ];
    let mut keys = vec![on(deal)];
    keys.extend(person.map(|(key, value)| (key, value.to_owned())));
    vec![Line::keys("microsoft adds team member", keys)]
}

/// Solutions that deals have and lose.
const SOLUTIONS: [&str; 3] = ["SOL-1", "SOL-2", "SOL-3"];

pub(super) fn seller_adds_solution(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let solution = (*pick(stream, &SOLUTIONS[1..])).to_owned();
    vec![Line::keys(
        "seller adds solution",
        vec![on(deal), ("solution", solution)],
    )]
}

pub(super) fn seller_removes_solution(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let solution = (*pick(stream, &SOLUTIONS)).to_owned();
    vec![Line::keys(
        "seller removes solution",
        vec![on(deal), ("solution", solution)],
    )]
}

/// A field is left with nothing in it.
pub(super) fn empties(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let (verb, field) = *pick(
        stream,
        &[
            ("partner edits", "notes"),
            ("partner edits", "value"),
            ("seller edits", "notes"),
            ("seller edits", "value"),
            ("seller edits", "closes"),
        ],
    );
    vec![Line::keys(verb, vec![on(deal), (field, "none".to_owned())])]
}
