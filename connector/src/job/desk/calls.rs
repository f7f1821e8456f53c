//! One request and its reply: gates, the budget of the day, and what an unsuccessful reply means.

use std::sync::MutexGuard;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use super::{Desk, Spent, Trouble, lock};
use crate::contract::{Failure, Reason, System};
use crate::deal::canon;
use crate::planted::Planted;
use crate::record::Record;
use crate::settings::CrmSettings;
use crate::sync::backoff;
use crate::system::{error_text, salesforce};

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Desk {
    /// What a system's own clock said when it answered last (`Date`, RFC 9110 section 6.6.1), in whole seconds. What a system's times
    /// are compared with, because the connector's own clock may be wrong.
    pub(crate) fn clock_of(&self, system: System) -> Option<Timestamp> {
        let said = lock(&self.0.clocks).get(&system).cloned()?;
        canon::http_date(said.to_str().ok()?)
    }

    fn keep_clock(&self, system: System, said: Option<&HeaderValue>) {
        if let Some(said) = said {
            lock(&self.0.clocks).insert(system, said.clone());
        }
    }

    /// One request without a token and its reply, once the system's gate is open.
    pub(super) async fn exchange(
        &self,
        system: System,
        request: http::Request<Bytes>,
    ) -> Result<Response<Bytes>, Trouble> {
        self.admitted(system).await;
        self.send(system, request).await
    }

    /// Waits until a request may leave to a system: for its gate, and for the budget of the day.
    pub(super) async fn admitted(&self, system: System) {
        while let Some(until) = self.gate(system) {
            self.engine().sleep_until(until, Reason::Gate).await;
        }
        self.within_budget(system).await;
    }

    /// Whether a request may leave to a system at once.
    pub(super) fn is_admitted(&self, system: System) -> bool {
        self.gate(system).is_none() && self.has_budget(system)
    }

    /// One request, which may leave, and its reply.
    pub(super) async fn send(&self, system: System, request: http::Request<Bytes>) -> Result<Response<Bytes>, Trouble> {
        if system == System::PartnerCenter {
            self.spent_today().calls += 1;
        }
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let reply = self.engine().call(system, request, self.settings().call_timeout).await;
        let status = reply.as_ref().ok().map(|response| response.status().as_u16());
        let task = self.engine().task();
        self.flows()
            .history
            .called(task, || format!("{method} {}", uri.path()), status);
        match reply {
            Ok(response) => {
                self.keep_clock(system, response.headers().get(DATE));
                Ok(response)
            }
            Err(failure) => {
                self.close_gate(system, None);
                Err(Trouble::Passing {
                    why: format!("{}: {}", system.name(), failure.words()),
                    until: None,
                    unknown: failure != Failure::NotSent,
                })
            }
        }
    }

    /// The calls of Partner Center of this day of UTC.
    fn spent_today(&self) -> MutexGuard<'_, Spent> {
        let today = self.now().as_second().div_euclid(DAY);
        let mut spent = lock(&self.0.spent);
        if spent.day != today {
            *spent = Spent {
                day: today,
                ..Spent::default()
            };
        }
        spent
    }

    fn has_budget(&self, system: System) -> bool {
        let budget = self.settings().daily_calls.filter(|_| system == System::PartnerCenter);
        budget.is_none_or(|budget| self.spent_today().calls < budget)
    }

    /// Waits until the next day of UTC when the calls of this one are used up.
    async fn within_budget(&self, system: System) {
        let budget = self.settings().daily_calls.unwrap_or_default();
        while !self.has_budget(system) {
            let first = !std::mem::replace(&mut self.spent_today().told, true);
            if first {
                let detail =
                    format!("{budget} calls of Partner Center were made today; the rest waits until midnight UTC");
                self.say(&Record::default(), "budget.waiting", None, detail);
            }
            let today = self.now().as_second().div_euclid(DAY);
            let midnight = Timestamp::from_second((today + 1) * DAY).unwrap_or(Timestamp::MAX);
            self.engine().sleep_until(midnight, Reason::Budget).await;
        }
    }

    fn gate(&self, system: System) -> Option<Timestamp> {
        let now = self.now();
        lock(&self.0.gates)
            .get(&system)
            .and_then(|gate| gate.until)
            .filter(|until| *until > now)
    }

    /// Closes a system's gate for as long as it asked, or for a pause that grows with its failures in a row.
    fn close_gate(&self, system: System, asked: Option<jiff::SignedDuration>) -> Timestamp {
        let chance = self.engine().chance();
        let now = self.now();
        let mut gates = lock(&self.0.gates);
        let gate = gates.entry(system).or_default();
        gate.failures = gate.failures.saturating_add(1);
        let asked = asked.filter(|_| !self.settings().is_planted(Planted::IgnoresRetryAfter));
        let pause = asked.unwrap_or_else(|| backoff::pause(gate.failures, self.settings().longest_backoff, chance));
        let unpaused = self.settings().is_planted(Planted::NoBackOff);
        let pause = if unpaused { asked.unwrap_or_default() } else { pause };
        let until = canon::after(now, pause).max(gate.until.unwrap_or(now));
        gate.until = Some(until);
        until
    }

    /// A system works again. A gate that is closed stays so for its time: the reply may be to a request that was under way
    /// when the system asked to be left in peace.
    fn open_gate(&self, system: System) {
        if self.gate(system).is_none() {
            lock(&self.0.gates).remove(&system);
        }
    }

    /// A successful reply, or what an unsuccessful one means.
    pub(super) fn understand(&self, system: System, response: Response<Bytes>) -> Result<Response<Bytes>, Trouble> {
        let status = response.status();
        if status.is_success() {
            self.open_gate(system);
            return Ok(response);
        }
        // A system may print back what it was sent.
        let text = self.settings().without_secrets(error_text(response.body()));
        let mut why = format!("{} answered {}: {text}", system.name(), status.as_u16());
        if system == System::Crm && status.is_client_error() {
            // What the vendor calls a field, an operator knows by the setting that names it.
            let behind = self.settings().setting_behind(&text);
            why.extend(behind.map(|setting| format!(" (see the setting `{setting}`)")));
        }
        let salesforce = matches!(self.settings().crm, CrmSettings::Salesforce(_)) && system == System::Crm;
        if salesforce && salesforce::is_passing(status.as_u16(), &text) {
            let until = (status == StatusCode::FORBIDDEN)
                .then(|| self.close_gate(system, Some(self.settings().longest_backoff)));
            return Err(Trouble::Passing {
                why,
                until,
                unknown: false,
            });
        }
        let asked = backoff::retry_after(response.headers());
        match status.as_u16() {
            429 if self.settings().is_planted(Planted::BusyIsNo) => Err(Trouble::Refused { why, by: Some(system) }),
            500 | 502 if self.settings().is_planted(Planted::BrokenIsDone) => Ok(response),
            429 | 503 | 509 => {
                let until = Some(self.close_gate(system, asked));
                Err(Trouble::Passing {
                    why,
                    until,
                    unknown: false,
                })
            }
            501 => Err(Trouble::Refused { why, by: Some(system) }),
            500.. => {
                let until = Some(self.close_gate(system, asked));
                Err(Trouble::Passing {
                    why,
                    until,
                    unknown: true,
                })
            }
            answered => {
                self.open_gate(system);
                match answered {
                    401 | 403 => Err(Trouble::Denied { why }),
                    404 | 410 => Err(Trouble::Missing),
                    412 => Err(Trouble::Raced),
                    // Salesforce: several records have this external id.
                    300 | 409 => Err(Trouble::Conflict),
                    408 | 423 => Err(Trouble::Passing {
                        why,
                        until: None,
                        unknown: false,
                    }),
                    _ => Err(Trouble::Refused { why, by: Some(system) }),
                }
            }
        }
    }
}
