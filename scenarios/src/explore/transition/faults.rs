//! What goes wrong: single calls and webhooks, systems, and the connector's process.

use cosell_sim::seed::Stream;

use super::super::draft::{Line, duration};
use super::super::sketch::Sketch;
use super::super::words::pick;
use super::people::on;

/// Calls that a fault can meet.
pub(super) const CALLS: [&str; 13] = [
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

pub(super) fn calls(stream: &mut Stream, verb: &'static str, more: &[(&'static str, String)]) -> Vec<Line> {
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

pub(super) fn delay(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    // No longer than a connector that has no idempotency key can wait for a create whose outcome it does not know.
    let by = duration(stream.between(500, 90_000));
    calls(stream, "delay", &[("by", by)])
}

pub(super) fn answer(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let status = *pick(stream, &["429", "503", "500", "502", "504", "401", "408"]);
    let mut more = vec![("status", status.to_owned())];
    if status == "429" || (status == "503" && stream.between(0, 1) == 0) {
        more.push(("retry after", duration(stream.between(1, 300) * 1_000)));
    }
    calls(stream, "answer", &more)
}

pub(super) fn hooks(stream: &mut Stream, verb: &'static str) -> Vec<Line> {
    vec![Line::keys(verb, vec![("times", stream.between(1, 4).to_string())])]
}

pub(super) fn delay_hooks(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let by = duration(stream.between(1, 1_200) * 1_000);
    let times = stream.between(1, 4).to_string();
    vec![Line::keys("delay webhooks", vec![("by", by), ("times", times)])]
}

/// At any point: somewhere within the calls that the step before has caused.
pub(super) fn restart(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if !sketch.running {
        lines.push(Line::bare("start connector"));
        sketch.running = true;
    }
    lines.push(Line::one("wait", duration(stream.between(1, 1_500))));
    lines.push(Line::bare("restart connector"));
    lines
}

pub(super) fn stop(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
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

pub(super) fn disconnect(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let system = (*pick(stream, &["partner center", "crm", "webhooks", "sign-in"])).to_owned();
    let lasts = match stream.between(0, 3) {
        0 => stream.between(1, 60) * 1_000,
        1 | 2 => stream.between(60, 7_200) * 1_000,
        _ => stream.between(2, 12) * 3_600_000,
    };
    vec![Line::keys(
        "disconnect",
        vec![("system", system), ("for", duration(lasts))],
    )]
}

pub(super) fn throttle(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
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

/// A system says that it is done, and leaves a field as it was.
pub(super) fn ignore_field(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let of = *pick(
        stream,
        &[
            "update referral",
            "update opportunity",
            "create referral",
            "create opportunity",
        ],
    );
    let field = *pick(stream, &["name", "value", "closes", "notes"]);
    let keys = vec![("of", of.to_owned()), ("field", field.to_owned())];
    vec![Line::keys("ignore field", keys)]
}

/// Somebody delivers a webhook that Partner Center does not owe, signed or not.
pub(super) fn stray_webhook(stream: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let signature = *pick(stream, &["valid", "forged", "forged", "missing"]);
    vec![Line::keys(
        "deliver webhook",
        vec![on(deal), ("signature", signature.to_owned())],
    )]
}

pub(super) fn expire_tokens(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    vec![Line::one("expire tokens", *pick(stream, &["partner center", "crm"]))]
}

/// Sometimes the clock is put right again.
pub(super) fn skew(stream: &mut Stream, _: &mut Sketch, _: usize) -> Vec<Line> {
    let by = match stream.between(0, 2) {
        0 => stream.between(1, 5_000),
        1 => stream.between(5, 300) * 1_000,
        _ => 1,
    };
    let to = (*pick(stream, &["ahead", "behind"])).to_owned();
    vec![Line::keys("skew clock", vec![("by", duration(by)), ("to", to)])]
}

/// Between one thing that the process does and the next, even within one instant.
pub(super) fn crash(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    if !sketch.running {
        lines.push(Line::bare("start connector"));
        sketch.running = true;
    }
    let after = stream.between(0, 40).to_string();
    lines.push(Line::keys("crash connector", vec![("after", after)]));
    lines
}

/// What goes wrong at the creation of a record and is told by nobody: the reply is lost, or the request comes late, and the
/// webhooks that would speak of it do not come.
pub(in crate::explore) fn silent_creation(stream: &mut Stream) -> Vec<Line> {
    let of = *pick(stream, &["create referral", "create referral", "create opportunity"]);
    let mut keys = vec![("of", of.to_owned())];
    if stream.between(0, 2) == 0 {
        keys.push(("after", "1".to_owned()));
    }
    let mut lines = vec![if stream.between(0, 1) == 0 {
        Line::keys("lose reply", keys)
    } else {
        keys.push(("by", duration(stream.between(31, 90) * 1_000)));
        Line::keys("delay", keys)
    }];
    if stream.between(0, 3) > 0 {
        let times = stream.between(1, 6).to_string();
        lines.push(Line::keys("lose webhooks", vec![("times", times)]));
    }
    lines
}
