//! What people do with the solution itself: its flows, its connections, the rights of its user.
//!
//! What they break they mostly put right again; the end of every run puts everything right.

use cosell_sim::seed::Stream;

use super::super::draft::Line;
use super::super::sketch::Sketch;
use super::super::words::pick;
use super::people::on;
use crate::scenario::Crm;

/// The flows, children first.
const FLOWS: [&str; 9] = [
    "webhook registration",
    "customize",
    "create referral",
    "helper",
    "microsoft updates",
    "pc to crm",
    "crm to pc",
    "opportunity to pc",
    "solutions to pc",
];

fn flow(stream: &mut Stream, sketch: &Sketch) -> &'static str {
    loop {
        let flow = *pick(stream, &FLOWS);
        if flow != "helper" || sketch.crm == Crm::Dynamics {
            return flow;
        }
    }
}

/// Off, or on again once something is off.
pub(super) fn turn_flow(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    if !sketch.off.is_empty() && stream.between(0, 4) > 1 {
        let last = u64::try_from(sketch.off.len() - 1).unwrap_or_default();
        let at = usize::try_from(stream.between(0, last)).unwrap_or_default();
        return vec![Line::one("turn flow on", sketch.off.remove(at))];
    }
    let flow = flow(stream, sketch);
    sketch.off.push(flow);
    vec![Line::one("turn flow off", flow)]
}

pub(super) fn lose_trigger(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    if sketch.lost && stream.between(0, 2) > 0 {
        sketch.lost = false;
        return vec![Line::bare("make connections again"), Line::bare("resubmit failed runs")];
    }
    sketch.lost = true;
    vec![Line::one("lose trigger", flow(stream, sketch))]
}

pub(super) fn resubmit(_: &mut Stream, _: &mut Sketch, deal: usize) -> Vec<Line> {
    let (_, deal) = on(deal);
    vec![Line::one("resubmit", deal)]
}

pub(super) fn resubmit_flow(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    vec![Line::one("resubmit flow", flow(stream, sketch))]
}

pub(super) fn break_connection(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    if let Some(broken) = sketch.broken.take() {
        return vec![Line::one("repair connection", broken)];
    }
    let to = *pick(stream, &["partner center", "crm"]);
    let because = *pick(stream, &["password expired", "revoked", "missing"]);
    sketch.broken = Some(to);
    vec![Line::keys(
        "break connection",
        vec![("to", to.to_owned()), ("because", because.to_owned())],
    )]
}

pub(super) fn give_roles(stream: &mut Stream, sketch: &mut Sketch, _: usize) -> Vec<Line> {
    let roles = if sketch.lowered {
        "[referrals admin, system administrator]"
    } else {
        *pick(
            stream,
            &[
                "[referrals user, system administrator]",
                "[referrals admin, salesperson]",
                "[]",
            ],
        )
    };
    sketch.lowered = !sketch.lowered;
    vec![Line::keys(
        "give roles",
        vec![("user", "connector".to_owned()), ("roles", roles.to_owned())],
    )]
}
