//! The connector's calls: out through the network, to a system, and back.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::DATE;

use super::observation::{Bound, Leg, Observed};
use super::{Due, World, shown};
use crate::fault::{Exchange, ExchangeKind, Fate, garbled, without};
use crate::network::after;
use crate::network::wire::{WireResponse, is_token_endpoint};
use crate::site::Site;

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Call {
    exchange: u64,
    /// Who waits for the response: nobody waits for a copy's.
    waiting: Option<Waiting>,
    site: Site,
    request: http::Request<Bytes>,
    /// How long the response will travel.
    back: std::time::Duration,
    reply_lost: bool,
    reply_cut: bool,
    row_garbled: bool,
}

/// A response on its way.
#[derive(Debug)]
pub(super) struct Reply {
    exchange: u64,
    waiting: Waiting,
    response: http::Response<Bytes>,
    shown: Arc<WireResponse>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    caller: u64,
    process: u64,
}

impl World {
    /// A request of the connector enters the network now. `caller` is the connector's own number for the call; the
    /// response comes back under it.
    pub fn send(&mut self, caller: u64, request: http::Request<Bytes>) {
        let traced = self.shown.request(&request);
        let site = self.ground.bases.site_of(request.uri());
        let Some(site) = site.filter(|site| self.systems.routers().of(*site).is_some()) else {
            self.observe(Observed::Unreachable {
                caller,
                request: traced,
            });
            return;
        };
        let exchange = self.next_exchange();
        self.observe(Observed::Sent {
            exchange,
            caller,
            site,
            request: traced,
        });
        let decided = self.network.decide(&Exchange {
            number: exchange,
            site,
            kind: ExchangeKind::Call,
            method: request.method(),
            uri: request.uri(),
            body: request.body(),
            event: None,
            sent: self.ground.clock.now(),
            attempt: 1,
        });
        if let Some(rule) = decided.rule {
            let fate = decided.fate.words();
            self.observe(Observed::Faulted {
                exchange: Some(exchange),
                delivery: None,
                fate,
                rule,
            });
        }
        // Both ways are drawn whatever the fate, so that a fault does not shift the latency of later exchanges.
        let arrival = after(self.now(), self.network.one_way());
        let back = self.network.one_way();
        let waiting = Some(Waiting {
            caller,
            process: self.process,
        });
        let call = Call {
            exchange,
            waiting,
            site,
            request,
            back,
            reply_lost: false,
            reply_cut: false,
            row_garbled: false,
        };
        self.let_go(call, decided.fate, arrival);
    }

    /// The response to a call, raw, once it is observed as replied. It is handed out once.
    pub fn take_reply(&mut self, caller: u64) -> Option<http::Response<Bytes>> {
        self.replies.remove(&caller)
    }

    fn next_exchange(&mut self) -> u64 {
        self.exchanges += 1;
        self.exchanges
    }

    fn let_go(&mut self, mut call: Call, fate: Fate, arrival: jiff::Timestamp) {
        let exchange = call.exchange;
        match fate {
            Fate::Pass => self.schedule(arrival, Due::Request(Box::new(call))),
            Fate::Delay(by) => self.schedule(after(arrival, by), Due::Request(Box::new(call))),
            Fate::LoseRequest => self.observe(Observed::Lost {
                exchange,
                leg: Leg::Request,
            }),
            Fate::LoseReply => {
                call.reply_lost = true;
                self.schedule(arrival, Due::Request(Box::new(call)));
            }
            Fate::CutReply => {
                call.reply_cut = true;
                self.schedule(arrival, Due::Request(Box::new(call)));
            }
            Fate::GarbleRow => {
                call.row_garbled = true;
                self.schedule(arrival, Due::Request(Box::new(call)));
            }
            Fate::Without(fields) => {
                let body = without(call.request.body(), &fields);
                if let Some(length) = call.request.headers_mut().get_mut(http::header::CONTENT_LENGTH) {
                    *length = HeaderValue::from(body.len());
                }
                *call.request.body_mut() = body;
                self.schedule(arrival, Due::Request(Box::new(call)));
            }
            Fate::Duplicate(later) => {
                let copy = self.next_exchange();
                self.observe(Observed::Duplicated {
                    exchange: Some(exchange),
                    delivery: None,
                    copy,
                });
                let second = Call {
                    exchange: copy,
                    waiting: None,
                    ..call.clone()
                };
                self.schedule(arrival, Due::Request(Box::new(call)));
                self.schedule(after(arrival, later), Due::Request(Box::new(second)));
            }
            Fate::Answer(response) => {
                let shown = shown(&response, call.request.uri().path());
                if let Some(waiting) = call.waiting {
                    let reply = Reply {
                        exchange,
                        waiting,
                        response,
                        shown,
                    };
                    self.schedule(after(arrival, call.back), Due::Reply(Box::new(reply)));
                }
            }
        }
    }

    pub(super) fn request_arrives(&mut self, call: Call) {
        let Call {
            exchange,
            waiting,
            site,
            request,
            back,
            reply_lost,
            reply_cut,
            row_garbled,
        } = call;
        let gives_tokens = is_token_endpoint(request.uri().path());
        let mut response = match self.carrier.carry(site, request) {
            Ok(response) => response,
            Err(error) => {
                let (exchange, delivery, error) = (Some(exchange), None, error.to_string());
                self.observe(Observed::CarrierBroke {
                    exchange,
                    delivery,
                    error,
                });
                return;
            }
        };
        self.collect(Some(exchange));
        if reply_cut {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
        }
        if row_garbled {
            *response.body_mut() = garbled(response.body());
        }
        let shown = Arc::new(WireResponse::of_endpoint(&response, gives_tokens));
        self.observe(Observed::Handled {
            exchange,
            response: Arc::clone(&shown),
        });
        if let Some(date) = self.date() {
            // As on a socket, where the server adds it; a trace tells the time anyway.
            response.headers_mut().insert(DATE, date);
        }
        match waiting {
            Some(waiting) if !reply_lost => {
                let reply = Reply {
                    exchange,
                    waiting,
                    response,
                    shown,
                };
                self.schedule(after(self.now(), back), Due::Reply(Box::new(reply)));
            }
            _ => self.observe(Observed::Lost {
                exchange,
                leg: Leg::Reply,
            }),
        }
    }

    /// What an answer of this moment says in `Date` (RFC 9110 section 6.6.1).
    fn date(&mut self) -> Option<HeaderValue> {
        let now = self.now();
        let second = now.as_second();
        if let Some((_, date)) = self.date.as_ref().filter(|(known, _)| *known == second) {
            return Some(date.clone());
        }
        let printed = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let date = HeaderValue::try_from(printed).ok()?;
        self.date = Some((second, date.clone()));
        Some(date)
    }

    pub(super) fn reply_arrives(&mut self, reply: Reply) {
        let Reply {
            exchange,
            waiting,
            response,
            shown,
        } = reply;
        if waiting.process != self.process {
            self.observe(Observed::Lost {
                exchange,
                leg: Leg::Reply,
            });
            return;
        }
        if self.replies.len() >= self.settings.waiting_limit {
            self.replies.pop_first();
            self.hit(Bound::Replies, self.settings.waiting_limit);
        }
        let caller = waiting.caller;
        self.replies.insert(caller, response);
        self.observe(Observed::Replied {
            exchange,
            caller,
            response: shown,
        });
    }
}
