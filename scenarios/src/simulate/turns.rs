//! The event loop: commands and observations carried until nothing moves, and the clock moved to what is due next.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only few observations are for the connector"
)]

use cosell_connector::id::CallId;
use cosell_connector::{Command, Connector, Event, Signature};
use cosell_sim::site::Site;
use cosell_sim::world::observation::{Observation, Observed, SignatureState};
use jiff::Timestamp;

use super::{Run, RunError};
use crate::setup;
use crate::trace::{Decided, What};

impl Run<'_> {
    /// Carries commands and observations until nothing moves at this moment.
    pub(super) fn pump(&mut self) {
        while !self.cut_off {
            let mut moved = false;
            while let Some(command) = self.connector.as_mut().and_then(Connector::poll_command) {
                moved = true;
                self.carry_out(command);
                self.crash_if_due();
            }
            while let Some(observation) = self.world.poll_observation() {
                moved = true;
                self.observe(observation);
            }
            moved |= self.happens();
            if !moved {
                break;
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Call { call, request, .. } => self.world.send(call.0, request),
            Command::Persist { key, value } => self.memory.apply(key, value),
            Command::Answer { hook, status } => self.world.answer_hook(hook.0, status),
            Command::Record(decision) => self.record(What::Decided(Box::new(Decided {
                code: decision.code.to_owned(),
                referral: decision.referral.map(|id| id.to_string()),
                opportunity: decision.opportunity.map(|id| id.to_string()),
                field: decision.field.map(str::to_owned),
                detail: decision.detail,
            }))),
        }
    }

    /// The crash that the options or a step ask for: between one command and the next.
    fn crash_if_due(&mut self) {
        for left in [&mut self.crash_in, &mut self.broken.crash_in] {
            match left {
                Some(0) => {
                    *left = None;
                    self.crash_due = true;
                }
                Some(left) => *left -= 1,
                None => {}
            }
        }
        if self.crash_due {
            self.stop_connector();
        }
    }

    fn observe(&mut self, observation: Observation) {
        let Observation { at, what } = observation;
        self.sets_off(&what);
        let connectors_now = self.connectors_time(at);
        match &what {
            Observed::Replied {
                exchange,
                caller,
                response,
            } => {
                if refused_for_good(response.status) {
                    self.writes.remove(exchange);
                }
                let (call, response) = (CallId(*caller), self.world.take_reply(*caller));
                self.record_at(at, What::Observed(what));
                if let (Some(connector), Some(response)) = (&mut self.connector, response) {
                    connector.handle_event(Event::Reply { call, response }, connectors_now);
                }
            }
            Observed::Delivering { delivery, request, .. } if request.url == setup::ELSEWHERE => {
                let delivery = *delivery;
                self.record_at(at, What::Observed(what));
                self.world.answer_hook(delivery, 200);
            }
            Observed::Delivering {
                delivery, signature, ..
            } => {
                let (delivery, signature) = (*delivery, worth(*signature));
                // Only the body: the signature is worth what the world says, and costs when it is computed.
                let body = self
                    .world
                    .take_delivery(delivery)
                    .map(|delivery| delivery.body)
                    .unwrap_or_default();
                self.record_at(at, What::Observed(what));
                if let Some(connector) = &mut self.connector {
                    let hook = cosell_connector::id::HookId(delivery);
                    connector.handle_event(Event::Hook { hook, body, signature }, connectors_now);
                }
            }
            Observed::Sent {
                exchange,
                site,
                request,
                ..
            } => {
                if is_write(*site, &request.method, &request.url) {
                    self.writes.insert(*exchange);
                }
                self.record_at(at, What::Observed(what));
            }
            _ => self.record_at(at, What::Observed(what)),
        }
    }

    /// Lets everything happen that is due up to a time, and moves the clock there; or stops, and says so, as soon as
    /// something has become so.
    pub(super) fn run_until(&mut self, until: Timestamp, so: impl Fn(&Self) -> bool) -> Result<bool, RunError> {
        self.pump();
        let mut looked_at = usize::MAX;
        while !self.cut_off {
            if let Some(error) = self.broke.take() {
                return Err(error);
            }
            if self.crash_due {
                self.crash_due = false;
                self.start_connector()?;
                self.pump();
            }
            // Looked at once for each time that something happened.
            if looked_at != self.entries.len() {
                if so(self) {
                    return Ok(true);
                }
                looked_at = self.entries.len();
            }
            let timer = self
                .connector
                .as_ref()
                .and_then(Connector::poll_timeout)
                .map(|(due, _)| self.worlds_time(due));
            let world = self.world.next_due();
            match (world, timer) {
                (Some(due), timer) if due <= until && timer.is_none_or(|timer| due <= timer) => {
                    self.world.step();
                }
                (_, Some(due)) if due <= until => {
                    self.world.advance_to(due);
                    let now = self.connectors_now();
                    if let Some(connector) = &mut self.connector {
                        connector.handle_timeout(now);
                    }
                }
                _ => break,
            }
            self.pump();
        }
        self.world.advance_to(until);
        Ok(false)
    }

    /// What the connector's clock says at a moment.
    fn connectors_time(&self, at: Timestamp) -> Timestamp {
        at.checked_add(self.broken.skew).unwrap_or(at)
    }

    /// What the connector's clock says now.
    pub(super) fn connectors_now(&self) -> Timestamp {
        self.connectors_time(self.world.now())
    }

    /// When it is that time on the connector's clock; never in the past.
    fn worlds_time(&self, at: Timestamp) -> Timestamp {
        let time = at.checked_sub(self.broken.skew).unwrap_or(at);
        time.max(self.world.now())
    }
}

/// Whether a request of the connector may change a record: not sign-in, not the webhook's registration.
pub(crate) fn is_write(site: Site, method: &str, url: &str) -> bool {
    method != "GET" && site != Site::Entra && !url.contains("/webhooks/") && !url.contains("/oauth2/")
}

/// Whether a refusal stays what it is however often the same is tried: nothing was written, and nothing will be.
pub(crate) fn refused_for_good(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 408 | 409 | 412 | 429)
}

/// What a delivery's signature is worth to the connector, as the world tells it.
fn worth(signature: SignatureState) -> Signature {
    match signature {
        SignatureState::Valid => Signature::Verified,
        SignatureState::Forged => Signature::Forged,
        SignatureState::Absent => Signature::Absent,
    }
}
