//! Time that passes on the wall clock: until something is so, or until both sides are quiet.
//!
//! Quiet is told from outside: no write under way or lately, no webhook owed, no pause that a Retry-After or an outage
//! asked for. A write that is refused for good changes nothing, however often it is tried.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of the many observations say something about rest"
)]

use std::time::Duration;

use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::news::News;
use super::{FLOOD, Live};
use crate::board::CONNECTOR;
use crate::expectation::watching::Moment;
use crate::scenario::act::Expectation;
use crate::simulate::people::Scene as _;
use crate::simulate::turns::{is_write, refused_for_good};
use crate::trace::What;

/// How often the connector's process is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Live<'_> {
    pub(super) fn later(&self, by: SignedDuration) -> Timestamp {
        self.now().checked_add(by).unwrap_or(Timestamp::MAX)
    }

    /// Waits until something is so, at most up to a time; says whether it is.
    pub(super) fn wait_until(&mut self, until: Timestamp, so: impl Fn(&Self) -> bool) -> bool {
        loop {
            self.drain();
            self.look_after_process();
            if self.over {
                return false;
            }
            if so(self) {
                return true;
            }
            let left = until.duration_since(self.now());
            if !left.is_positive() {
                return false;
            }
            let pause = left.unsigned_abs().min(LOOK_EVERY);
            if let Ok(news) = self.news.recv_timeout(pause) {
                self.take(news);
            }
        }
    }

    /// Waits until an expectation holds, as long as the patience lasts.
    pub(super) fn wait_for(&mut self, deal: Option<&str>, expected: &Expectation) {
        let until = self.later(self.options.patience);
        self.wait_until(until, |run| {
            let moment = Moment {
                header: &run.header,
                board: &run.board,
                past: &run.past,
                at: run.now(),
            };
            moment.holds(deal, expected)
        });
    }

    /// Waits until both sides are quiet, as long as the patience lasts; says whether they are.
    pub(super) fn rest(&mut self) -> bool {
        self.drain();
        self.active = self.now();
        let until = self.later(self.options.patience);
        // A pause may be longer than the patience: it is no unrest.
        self.wait_until(until, Self::is_quiet) || (!self.over && self.writes_nothing())
    }

    /// Waits, and puts into the trace how it ended.
    pub(super) fn settle(&mut self) {
        if self.rest() {
            self.note(What::Settled);
        } else if !self.over {
            let (patience, quiet) = (self.options.patience.as_millis(), self.options.quiet_for.as_millis());
            let rounds = u32::try_from(patience / quiet.max(1)).unwrap_or(u32::MAX);
            self.note(What::NeverSettled { rounds });
        }
    }

    fn is_quiet(&self) -> bool {
        self.writes_nothing()
            && self.owed.is_empty()
            && self.now().duration_since(self.paused) >= self.options.quiet_for
    }

    fn writes_nothing(&self) -> bool {
        let lately = self.now().duration_since(self.active) < self.options.quiet_for;
        !lately && !self.under_way.values().any(|writes| *writes)
    }

    /// Takes in everything that has been told.
    pub(super) fn drain(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            self.take(news);
        }
    }

    fn take(&mut self, News { at, what, who }: News) {
        match &what {
            Observed::Sent {
                exchange,
                site,
                request,
                ..
            } => {
                // People of the team may look around with tokens of their own.
                if who.is_some_and(|who| who != CONNECTOR) {
                    return;
                }
                self.calls += 1;
                self.calls_in_a_row += 1;
                self.registered |= request.url.contains("/webhooks/v1/registration") && request.method != "GET";
                let writes = is_write(*site, &request.method, &request.url);
                self.under_way.insert(*exchange, writes);
            }
            Observed::Handled { exchange, .. } if !self.under_way.contains_key(exchange) => return,
            Observed::Replied { exchange, response, .. } => {
                let Some(writes) = self.under_way.remove(exchange) else {
                    return;
                };
                if writes && !refused_for_good(response.status) {
                    self.active = at;
                }
                let wait = response.headers.get("retry-after");
                self.pauses(at, wait.and_then(|value| value.parse().ok()));
            }
            Observed::Lost { exchange, .. } => {
                if self.under_way.remove(exchange).is_none() {
                    return;
                }
                self.active = at;
            }
            Observed::Committed { commit, .. } => {
                if !commit.changes.is_empty() {
                    self.calls_in_a_row = 0;
                }
                if !commit.changes.is_empty() || commit.actor == CONNECTOR {
                    self.active = at;
                }
            }
            Observed::DeliveryDue { delivery, .. } => drop(self.owed.insert(*delivery)),
            Observed::Delivered { delivery, .. } | Observed::DeliveryAbandoned { delivery, .. } => {
                self.owed.remove(delivery);
                self.active = at;
            }
            Observed::Faulted { .. } => self.active = at,
            _ => {}
        }
        self.record_at(at, What::Observed(what));
        if self.calls_in_a_row > FLOOD && !self.over {
            self.over = true;
            let bound =
                format!("a flood: {FLOOD} calls of the connector in a row while nothing changed on either side");
            self.note(What::BoundHit { bound });
        }
    }

    /// The connector was asked to wait for so many seconds.
    fn pauses(&mut self, at: Timestamp, seconds: Option<i64>) {
        if let Some(wait) = seconds.map(SignedDuration::from_secs) {
            let until = at.checked_add(wait).unwrap_or(Timestamp::MAX);
            self.paused = self.paused.max(until);
        }
    }
}
