//! What the servers tell, as a trace shows it: calls with the user behind their token, commits, webhooks.
//!
//! It comes from the servers' threads and is put in order here; nothing is judged.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};

use cosell_sim::clock::Clock;
use cosell_sim::happening::Happening;
use cosell_sim::network::wire::WireResponse;
use cosell_sim::transport::socket::{Seen, Watch};
use cosell_sim::world::observation::{Leg, Observed};
use jiff::Timestamp;

/// One thing that was seen.
pub(super) struct News {
    /// When.
    pub(super) at: Timestamp,
    /// What, as a trace holds it.
    pub(super) what: Observed,
    /// For a call: the user behind its token.
    pub(super) who: Option<String>,
}

/// A watch, and where its news arrive.
pub(super) fn channel() -> (Watch, Receiver<News>) {
    let (sender, news) = mpsc::channel();
    let sender = Mutex::new(sender);
    let clock = Clock::wall();
    let watch = move |seen: &Seen<'_>| {
        // One lock around reading the clock and sending: times never go back.
        let sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
        let at = clock.now();
        let who = if let Seen::Called { who, .. } = seen {
            who.map(str::to_owned)
        } else {
            None
        };
        for what in observed(seen) {
            let who = who.clone();
            // A run that is over hears no more.
            drop(sender.send(News { at, what, who }));
        }
    };
    (Arc::new(watch), news)
}

fn observed(seen: &Seen<'_>) -> Vec<Observed> {
    match seen {
        Seen::Happening(happening) => vec![happened(happening)],
        Seen::Called {
            call, site, request, ..
        } => vec![Observed::Sent {
            exchange: *call,
            caller: *call,
            site: *site,
            request: Arc::new((*request).clone()),
        }],
        Seen::CallFaulted { call, fate, rule } => vec![Observed::Faulted {
            exchange: Some(*call),
            delivery: None,
            fate: (*fate).to_owned(),
            rule: (*rule).to_owned(),
        }],
        Seen::Faulted { fate, rule, .. } => vec![Observed::Faulted {
            exchange: None,
            delivery: None,
            fate: (*fate).to_owned(),
            rule: (*rule).to_owned(),
        }],
        Seen::Answered {
            call,
            response,
            by_system,
            returns,
        } => answered(*call, *response, *by_system, *returns),
        Seen::Delivered {
            number,
            event,
            attempt,
            outcome,
            abandoned,
            ..
        } => delivered(number.unwrap_or_default(), event, *attempt, outcome.ok(), *abandoned),
    }
}

fn answered(exchange: u64, response: Option<&WireResponse>, by_system: bool, returns: bool) -> Vec<Observed> {
    let Some(response) = response.map(|response| Arc::new(response.clone())) else {
        let leg = Leg::Request;
        return vec![Observed::Lost { exchange, leg }];
    };
    let mut all = Vec::new();
    if by_system {
        let response = Arc::clone(&response);
        all.push(Observed::Handled { exchange, response });
    }
    all.push(if returns {
        Observed::Replied {
            exchange,
            caller: exchange,
            response,
        }
    } else {
        let leg = Leg::Reply;
        Observed::Lost { exchange, leg }
    });
    all
}

fn delivered(delivery: u64, event: &str, attempt: u32, status: Option<u16>, abandoned: bool) -> Vec<Observed> {
    let mut all = vec![Observed::Delivered {
        delivery,
        attempt,
        status,
    }];
    if abandoned {
        all.push(Observed::DeliveryAbandoned {
            delivery,
            event: event.to_owned(),
            attempts: attempt,
        });
    }
    all
}

fn happened(happening: &Happening) -> Observed {
    match happening {
        Happening::Committed(commit) => Observed::Committed {
            exchange: None,
            commit: Box::new(commit.clone()),
        },
        Happening::Refused(refusal) => Observed::Refused {
            exchange: None,
            refusal: refusal.clone(),
        },
        Happening::Lapsed(lapse) => Observed::Lapsed {
            exchange: None,
            lapse: lapse.clone(),
        },
        Happening::HookDue(hook) => Observed::DeliveryDue {
            delivery: hook.number.unwrap_or_default(),
            exchange: None,
            event: hook.event.clone(),
            url: hook.url.clone(),
        },
    }
}
