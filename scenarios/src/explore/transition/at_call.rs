//! What happens in the middle of a call: somebody edits, closes or takes back while the connector has decided on what it read,
//! or its process ends, or the call that carries over what somebody has done goes wrong.

use cosell_sim::seed::Stream;

use super::super::draft::{Line, duration};
use super::super::sketch::Sketch;
use super::super::words::{self, pick};
use super::people::{on, seller_asks, seller_moves};

/// The fields of a race, with those that are in most of them first.
const FIELDS: [&str; 4] = ["value", "value", "notes", "closes"];

fn edit(stream: &mut Stream, sketch: &Sketch, verb: &'static str, deal: usize, field: &'static str) -> Line {
    let mut keys = vec![on(deal)];
    keys.extend(words::edit(stream, sketch, &[field]));
    Line::keys(verb, keys)
}

fn at_call(stream: &mut Stream, of: &str, then: Vec<Line>) -> Line {
    let when = *pick(stream, &["sent", "done"]);
    let mut keys = vec![("of", of.to_owned()), ("when", when.to_owned())];
    if stream.between(0, 3) == 0 {
        keys.push(("after", stream.between(1, 2).to_string()));
    }
    Line::then("on call", keys, then)
}

/// Somebody acts while a call about the deal is under way, and something makes the connector call.
pub(super) fn happens_at_call(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let field = *pick(stream, &FIELDS);
    let other = *pick(stream, &FIELDS);
    let to_pc = stream.between(0, 1) == 0;
    let of = if to_pc {
        *pick(
            stream,
            &[
                "update referral",
                "update referral",
                "read opportunity",
                "read referral",
            ],
        )
    } else {
        *pick(
            stream,
            &[
                "update opportunity",
                "update opportunity",
                "read opportunity",
                "read referral",
            ],
        )
    };
    let race = match stream.between(0, 11) {
        0..=3 => edit(stream, sketch, "partner edits", deal, other),
        4..=7 => edit(stream, sketch, "seller edits", deal, other),
        8 => Line::keys("seller edits", vec![on(deal), ("sync", "no".to_owned())]),
        9 => Line::keys("seller moves", vec![on(deal), ("to", "on hold".to_owned())]),
        10 => Line::keys(
            "partner closes",
            vec![on(deal), ("as", (*pick(stream, &["won", "lost"])).to_owned())],
        ),
        _ => Line::one("expire tokens", *pick(stream, &["partner center", "crm"])),
    };
    let verb = if to_pc { "seller edits" } else { "partner edits" };
    vec![at_call(stream, of, vec![race]), edit(stream, sketch, verb, deal, field)]
}

/// What somebody does meets a fault: the call that carries it over, or those that do, go wrong.
pub(super) fn meets_a_fault(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let field = *pick(stream, &FIELDS);
    let (of, done) = match stream.between(0, 9) {
        0..=3 => (
            "update referral",
            vec![edit(stream, sketch, "seller edits", deal, field)],
        ),
        4..=6 => (
            "update opportunity",
            vec![edit(stream, sketch, "partner edits", deal, field)],
        ),
        7 => ("update referral", seller_moves(stream, sketch, deal)),
        // Help that is wanted later: Microsoft is invited.
        _ => ("create referral", seller_asks(stream, sketch, deal)),
    };
    let mut keys = vec![("of", of.to_owned())];
    if stream.between(0, 3) == 0 {
        keys.push(("times", stream.between(2, 3).to_string()));
    }
    let verb = match stream.between(0, 7) {
        0..=2 => "lose reply",
        3 | 4 => "lose request",
        5 => "cut reply",
        6 => {
            keys.push(("by", duration(stream.between(500, 90_000))));
            "delay"
        }
        _ => {
            keys.push(("status", (*pick(stream, &["500", "502", "503", "408"])).to_owned()));
            "answer"
        }
    };
    let mut lines = vec![Line::keys(verb, keys)];
    lines.extend(done);
    lines
}

/// The process ends while a call is under way, and starts again.
pub(super) fn dies_at_call(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if !sketch.running {
        lines.push(Line::bare("start connector"));
        sketch.running = true;
    }
    let of = *pick(stream, &super::faults::CALLS);
    lines.push(at_call(stream, of, vec![Line::bare("restart connector")]));
    lines
}

/// A list is read page by page while its rows change places.
pub(super) fn page_changes(stream: &mut Stream, sketch: &mut Sketch, deal: usize) -> Vec<Line> {
    let (of, verb) = *pick(
        stream,
        &[
            ("list referrals", "partner edits"),
            ("list opportunities", "seller edits"),
        ],
    );
    if verb == "seller edits" && !sketch.deals[deal].in_crm.is_live() {
        return Vec::new();
    }
    let field = *pick(stream, &FIELDS);
    let edited = edit(stream, sketch, verb, deal, field);
    let mut lines = vec![at_call(stream, of, vec![edited])];
    // Another deal comes to the front of the same page, before it is read.
    let other = (0..sketch.deals.len()).find(|other| {
        let known = sketch.deals[*other];
        *other != deal && known.in_pc.is_live() && known.in_crm.is_live()
    });
    if let Some(other) = other.filter(|_| stream.between(0, 1) == 0) {
        let edited = edit(stream, sketch, verb, other, field);
        lines.insert(
            0,
            Line::then(
                "on call",
                vec![("of", of.to_owned()), ("when", "sent".to_owned())],
                vec![edited],
            ),
        );
    }
    lines
}
