//! What cannot be done with a connector that is somebody else's process: it is said before anything is started.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of the many acts need the inside of a connector"
)]

use jiff::SignedDuration;

use super::LiveOptions;
use crate::plan::Plan;
use crate::scenario::act::{Act, Expectation};
use crate::trace::What;

/// A wait of this length is there for something that only time itself brings: reminders and expiry of a deal.
const TIME_ITSELF: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The steps that cannot be done, each with its reason.
pub(super) fn cannot(plan: &Plan, options: &LiveOptions) -> Vec<What> {
    let steps = plan.steps.iter().enumerate();
    steps
        .filter_map(|(step, planned)| {
            Some(What::CannotBeDone {
                step,
                verb: planned.verb.clone(),
                why: why_not(&planned.act, options)?.to_owned(),
            })
        })
        .collect()
}

fn why_not(act: &Act, options: &LiveOptions) -> Option<&'static str> {
    match act {
        Act::Flows(_) => Some("the flows are inside the connector"),
        Act::SkewClock { .. } => Some("the clock is the machine's"),
        Act::DeliverWebhook { .. } => Some("only Partner Center delivers webhooks on a socket"),
        Act::CrashConnector(_) => Some("what the connector does one after the other is not seen from outside"),
        Act::OnCall(_) => Some("nothing can be done in the middle of a call on a socket"),
        Act::RestartConnector | Act::StopConnector | Act::StartConnector if options.command.is_none() => {
            Some("the connector was not started here; `--connector-command` says how to")
        }
        Act::Wait(lasts) if *lasts >= TIME_ITSELF => Some("a week of the wall's time does not pass in a run"),
        Act::Expect(Expectation::Decision(_)) => Some("the decisions are inside the connector"),
        Act::Watch(_, expected) if matches!(**expected, Expectation::Decision(_)) => {
            Some("the decisions are inside the connector")
        }
        _ => None,
    }
}
