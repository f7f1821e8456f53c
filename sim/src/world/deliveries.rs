//! Webhooks for the connector: when they leave, how often they are tried, and when they are given up.
//!
//! Partner Center decides what is owed (`Happening::HookDue`); here it is brought. The RSA operation is left until
//! somebody reads the headers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use jiff::Timestamp;

use super::observation::{Bound, Observed, SignatureState};
use super::{Due, Headers, WireBody, WireRequest, World};
use crate::delivery_log::Attempt;
use crate::fault::{Exchange, ExchangeKind, Fate};
use crate::happening::Hook;
use crate::network::hooks::{self, AfterAttempt};
use crate::network::{after, draw};
use crate::partner_center::signature;
use crate::systems::hook_certificate_url;

/// What stands in traces where a signature is left out.
const SIGNATURE_LEFT_OUT: &str = "(left out)";
/// A signature that is none: as long as a real one, and over nothing.
const FORGED: [u8; 256] = [0; 256];

/// The deliveries that are not over yet.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    open: BTreeMap<u64, Outgoing>,
    /// When the patience with an attempt ends, for those that wait for the connector's answer.
    timeouts: BTreeSet<(Timestamp, u64)>,
    count: u64,
}

/// One delivery on its way, over all its attempts.
#[derive(Clone, Debug)]
struct Outgoing {
    hook: Arc<Hook>,
    uri: Uri,
    signature: SignatureState,
    attempt: u32,
    /// Set while the connector has it and has not answered: until when an answer counts.
    waiting: Option<Timestamp>,
    /// What came out of the socket, when deliveries travel over one.
    arrived: Option<http::Request<Bytes>>,
    /// The answer to this attempt will be lost.
    answer_lost: bool,
    /// Made by the network or by a stranger: nobody tries again.
    once: bool,
}

/// What is due about a delivery.
#[derive(Debug)]
pub(super) enum Turn {
    /// An attempt leaves Partner Center.
    Leaves(u64),
    /// It reaches the connector.
    Arrives(u64),
    /// Partner Center learns how it ended.
    Ends(u64, Option<u16>),
}

/// A webhook that reached the connector.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The delivery's number.
    pub delivery: u64,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Where it was sent.
    pub uri: Uri,
    /// The body exactly as it is signed.
    pub body: Bytes,
    /// What the signature is worth. A driver in process believes this instead of computing.
    pub signature: SignatureState,
    hook: Arc<Hook>,
    certificate_url: String,
    /// The headers that came out of the socket, when it came over one.
    arrived: Option<HeaderMap>,
}

impl Delivery {
    /// The headers, signature included. In process this is where it is computed.
    pub fn headers(&self) -> HeaderMap {
        if let Some(arrived) = &self.arrived {
            return arrived.clone();
        }
        let signature = match self.signature {
            SignatureState::Valid => Some(signature::sign(&self.body)),
            SignatureState::Forged => Some(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, FORGED)),
            SignatureState::Absent => None,
        };
        hooks::headers(&self.hook, &self.certificate_url, signature.as_deref())
    }

    /// The delivery as a request, signature included.
    pub fn into_request(self) -> http::Request<Bytes> {
        let headers = self.headers();
        let mut request = http::Request::new(self.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = headers;
        request
    }
}

impl Outgoing {
    fn take_out(&self, delivery: u64, certificate_url: String) -> Delivery {
        let unsent = || Bytes::copy_from_slice(self.hook.body.as_bytes());
        Delivery {
            delivery,
            attempt: self.attempt,
            uri: self.uri.clone(),
            body: self
                .arrived
                .as_ref()
                .map_or_else(unsent, |request| request.body().clone()),
            signature: self.signature,
            hook: Arc::clone(&self.hook),
            certificate_url,
            arrived: self.arrived.as_ref().map(|request| request.headers().clone()),
        }
    }

    /// The delivery as a trace shows it.
    fn shown(&self, certificate_url: &str) -> WireRequest {
        let left_out = match self.signature {
            SignatureState::Absent => None,
            SignatureState::Valid | SignatureState::Forged => Some(SIGNATURE_LEFT_OUT),
        };
        WireRequest {
            method: Method::POST.as_str().to_owned(),
            url: self.hook.url.clone(),
            headers: Headers::of(&hooks::headers(&self.hook, certificate_url, left_out)),
            body: WireBody::from_text(&self.hook.body),
        }
    }
}

impl Deliveries {
    /// Whose patience ends first, and when.
    pub(super) fn next_timeout(&self) -> Option<(Timestamp, u64)> {
        self.timeouts.first().copied()
    }

    fn add(&mut self, outgoing: Outgoing) -> u64 {
        self.count += 1;
        self.open.insert(self.count, outgoing);
        self.count
    }

    /// Ends the wait for an answer. None when nobody waits.
    fn stop_waiting(&mut self, delivery: u64) -> Option<&mut Outgoing> {
        let outgoing = self.open.get_mut(&delivery)?;
        let until = outgoing.waiting.take()?;
        self.timeouts.remove(&(until, delivery));
        Some(outgoing)
    }
}

impl World {
    /// A webhook that reached the connector, raw. It can be taken until it is answered or Partner Center's patience
    /// with the attempt ends.
    pub fn take_delivery(&mut self, delivery: u64) -> Option<Delivery> {
        let outgoing = self.deliveries.open.get(&delivery)?;
        outgoing.waiting?;
        Some(outgoing.take_out(delivery, hook_certificate_url(&self.ground)))
    }

    /// The connector's answer to a delivery. An answer that nobody waits for goes nowhere.
    pub fn answer_hook(&mut self, delivery: u64, status: u16) {
        let now = self.now();
        let Some(outgoing) = self.deliveries.stop_waiting(delivery) else {
            return;
        };
        let (due, status) = if outgoing.answer_lost {
            (after(now, self.settings.hooks.patience(&outgoing.hook)), None)
        } else {
            (after(now, self.network.one_way()), Some(status))
        };
        self.schedule(due, Due::Delivery(Turn::Ends(delivery, status)));
    }

    /// Somebody delivers a webhook that Partner Center does not owe, with a signature of that worth. It is tried once.
    pub fn stray_delivery(&mut self, hook: Hook, signature: SignatureState) {
        self.open_delivery(hook, signature, None, true);
    }

    /// A webhook is owed. Only Partner Center signs its own.
    pub(super) fn hook_due(&mut self, hook: Hook, signature: SignatureState, exchange: Option<u64>) {
        let signature = if hook.manner.is_some() {
            SignatureState::Absent
        } else {
            signature
        };
        self.open_delivery(hook, signature, exchange, false);
    }

    fn open_delivery(&mut self, hook: Hook, signature: SignatureState, exchange: Option<u64>, once: bool) {
        if self.deliveries.open.len() >= self.settings.waiting_limit {
            self.hit(Bound::Deliveries, self.settings.waiting_limit);
            if let Some(number) = hook.number {
                self.ground.deliveries.given_up(number);
            }
            return;
        }
        let (event, url) = (hook.event.clone(), hook.url.clone());
        let uri: Option<Uri> = url.parse().ok();
        let outgoing = Outgoing {
            hook: Arc::new(hook),
            uri: uri.clone().unwrap_or_default(),
            signature,
            attempt: 1,
            waiting: None,
            arrived: None,
            answer_lost: false,
            once,
        };
        let delivery = self.deliveries.add(outgoing);
        self.observe(Observed::DeliveryDue {
            delivery,
            exchange,
            event,
            url,
        });
        if uri.is_none() {
            self.abandon(delivery, 0);
            return;
        }
        let delay = draw(&mut self.hook_chance, self.settings.hooks.delay);
        self.schedule(after(self.now(), delay), Due::Delivery(Turn::Leaves(delivery)));
    }

    pub(super) fn delivery_turn(&mut self, turn: &Turn) {
        match *turn {
            Turn::Leaves(delivery) => self.delivery_leaves(delivery),
            Turn::Arrives(delivery) => self.delivery_arrives(delivery),
            Turn::Ends(delivery, status) => self.delivery_ends(delivery, status),
        }
    }

    pub(super) fn hook_timed_out(&mut self, delivery: u64) {
        self.deliveries.stop_waiting(delivery);
        self.delivery_ends(delivery, None);
    }

    /// The connector's process ended: what it had not answered it never will.
    pub(super) fn drop_open_deliveries(&mut self) {
        let waiting: Vec<u64> = self.deliveries.timeouts.iter().map(|(_, delivery)| *delivery).collect();
        for delivery in waiting {
            self.deliveries.stop_waiting(delivery);
            let due = after(self.now(), self.network.one_way());
            self.schedule(due, Due::Delivery(Turn::Ends(delivery, None)));
        }
    }

    fn delivery_leaves(&mut self, delivery: u64) {
        let now = self.now();
        let Some(outgoing) = self.deliveries.open.get(&delivery) else {
            return;
        };
        let decided = self.network.decide(&Exchange {
            number: delivery,
            site: outgoing.hook.site(),
            kind: ExchangeKind::Delivery,
            method: &Method::POST,
            uri: &outgoing.uri,
            body: outgoing.hook.body.as_bytes(),
            event: Some(&outgoing.hook.event),
            sent: now,
            attempt: outgoing.attempt,
        });
        if let Some(rule) = decided.rule {
            let fate = decided.fate.words();
            self.observe(Observed::Faulted {
                exchange: None,
                delivery: Some(delivery),
                fate,
                rule,
            });
        }
        let arrival = after(now, self.network.one_way());
        self.let_delivery_go(delivery, decided.fate, arrival);
    }

    fn let_delivery_go(&mut self, delivery: u64, fate: Fate, arrival: Timestamp) {
        match fate {
            Fate::Pass | Fate::Without(_) | Fate::CutReply | Fate::GarbleRow => {
                self.delivery_due(arrival, Turn::Arrives(delivery));
            }
            Fate::Delay(by) => self.delivery_due(after(arrival, by), Turn::Arrives(delivery)),
            Fate::LoseRequest => {
                let outgoing = self.deliveries.open.get(&delivery);
                let patience = outgoing.map_or(self.settings.hooks.timeout, |outgoing| {
                    self.settings.hooks.patience(&outgoing.hook)
                });
                self.delivery_due(after(self.now(), patience), Turn::Ends(delivery, None));
            }
            Fate::LoseReply => {
                if let Some(outgoing) = self.deliveries.open.get_mut(&delivery) {
                    outgoing.answer_lost = true;
                }
                self.delivery_due(arrival, Turn::Arrives(delivery));
            }
            Fate::Duplicate(later) => {
                if let Some(outgoing) = self.deliveries.open.get(&delivery).cloned() {
                    let copy = self.deliveries.add(Outgoing { once: true, ..outgoing });
                    self.observe(Observed::Duplicated {
                        exchange: None,
                        delivery: Some(delivery),
                        copy,
                    });
                    self.delivery_due(arrival, Turn::Arrives(delivery));
                    self.delivery_due(after(arrival, later), Turn::Arrives(copy));
                }
            }
            Fate::Answer(response) => {
                let due = after(arrival, self.network.one_way());
                self.delivery_due(due, Turn::Ends(delivery, Some(response.status().as_u16())));
            }
        }
    }

    fn delivery_arrives(&mut self, delivery: u64) {
        let now = self.now();
        if self.down {
            let due = after(now, self.network.one_way());
            self.delivery_due(due, Turn::Ends(delivery, None));
            return;
        }
        let certificate_url = hook_certificate_url(&self.ground);
        let Some(outgoing) = self.deliveries.open.get_mut(&delivery) else {
            return;
        };
        let until = after(now, self.settings.hooks.patience(&outgoing.hook));
        let unsent = || outgoing.take_out(delivery, certificate_url.clone()).into_request();
        match self.carrier.deliver(unsent) {
            Ok(arrived) => outgoing.arrived = arrived,
            Err(error) => {
                let (exchange, delivery, error) = (None, Some(delivery), error.to_string());
                self.observe(Observed::CarrierBroke {
                    exchange,
                    delivery,
                    error,
                });
                return;
            }
        }
        outgoing.waiting = Some(until);
        self.deliveries.timeouts.insert((until, delivery));
        let request = Arc::new(outgoing.shown(&certificate_url));
        let (attempt, signature) = (outgoing.attempt, outgoing.signature);
        let event = outgoing.hook.event.clone();
        self.observe(Observed::Delivering {
            delivery,
            attempt,
            event,
            request,
            signature,
        });
    }

    fn delivery_ends(&mut self, delivery: u64, status: Option<u16>) {
        let Some(outgoing) = self.deliveries.open.get_mut(&delivery) else {
            return;
        };
        let (attempt, once, number) = (outgoing.attempt, outgoing.once, outgoing.hook.number);
        let hook = Arc::clone(&outgoing.hook);
        outgoing.attempt += 1;
        outgoing.answer_lost = false;
        outgoing.arrived = None;
        self.observe(Observed::Delivered {
            delivery,
            attempt,
            status,
        });
        let next = self.settings.hooks.follow(&hook, attempt, status);
        // What the network doubled is not the sender's to know.
        if let Some(number) = number.filter(|_| !once) {
            let (at, problem) = (self.now(), None);
            let attempt = Attempt { at, status, problem };
            self.ground.deliveries.attempted(number, attempt, next.state());
        }
        match next {
            AfterAttempt::AgainAfter(pause) if !once => {
                self.delivery_due(after(self.now(), pause), Turn::Leaves(delivery));
            }
            AfterAttempt::Abandoned if !once => self.abandon(delivery, attempt),
            AfterAttempt::Accepted | AfterAttempt::AgainAfter(_) | AfterAttempt::Abandoned => {
                self.deliveries.open.remove(&delivery);
            }
        }
    }

    fn abandon(&mut self, delivery: u64, attempts: u32) {
        if let Some(outgoing) = self.deliveries.open.remove(&delivery) {
            if let Some(number) = outgoing.hook.number {
                self.ground.deliveries.given_up(number);
            }
            let event = outgoing.hook.event.clone();
            self.observe(Observed::DeliveryAbandoned {
                delivery,
                event,
                attempts,
            });
        }
    }

    fn delivery_due(&mut self, due: Timestamp, turn: Turn) {
        self.schedule(due, Due::Delivery(turn));
    }
}
