//! Validation events: a `test-created` webhook on demand, and the report of its delivery (partner-center.md section 6.1).
//!
//! It does not deliver either: the report is read from the book of deliveries.

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::throttle::{Recent, Throttle};
use super::value::Stamp;
use super::webhook::HookProblem;
use crate::delivery_log::{Attempt, DeliveryLog, DeliveryState, Entry};

/// The event that must be registered.
pub(super) const TEST_EVENT: &str = "test-created";
/// "2 requests per minute".
const LIMIT: Throttle = Throttle {
    calls: 2,
    per: Duration::from_mins(1),
};
/// "Data purged after 7 days".
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The test events of the last days.
#[derive(Debug, Default)]
pub(super) struct Validations {
    recent: Recent,
    sent: VecDeque<Sent>,
}

/// One test event.
#[derive(Debug)]
struct Sent {
    correlation: String,
    at: Timestamp,
    /// Its number in the book of deliveries.
    number: u64,
}

impl Validations {
    /// Counts a request for a test event.
    pub(super) fn count(&mut self, now: Timestamp) -> Result<(), HookProblem> {
        self.recent.count(LIMIT, now).map_err(HookProblem::TooMany)
    }

    /// Remembers a test event.
    pub(super) fn remember(&mut self, correlation: &str, at: Timestamp, number: u64) {
        self.purge(at);
        let correlation = correlation.to_owned();
        self.sent.push_back(Sent {
            correlation,
            at,
            number,
        });
    }

    /// The report about a test event.
    ///
    /// Assumed: after 7 days, or when the book of deliveries has forgotten it, it is a 404.
    pub(super) fn report(
        &mut self,
        correlation: &str,
        partner: &str,
        log: &DeliveryLog,
        now: Timestamp,
    ) -> Result<Value, HookProblem> {
        self.purge(now);
        let sent = self
            .sent
            .iter()
            .find(|sent| sent.correlation.eq_ignore_ascii_case(correlation));
        let entry = sent.and_then(|sent| log.entry(sent.number));
        let entry = entry.ok_or(HookProblem::NoValidation)?;
        Ok(print(correlation, partner, &entry))
    }

    fn purge(&mut self, now: Timestamp) {
        while self
            .sent
            .front()
            .is_some_and(|sent| now.duration_since(sent.at) >= KEPT)
        {
            self.sent.pop_front();
        }
    }
}

/// Assumed: `status` is `pending` while there will be another attempt; only `completed` is documented.
fn print(correlation: &str, partner: &str, entry: &Entry) -> Value {
    let status = match entry.state {
        DeliveryState::Waiting => "pending",
        DeliveryState::Delivered | DeliveryState::Offline => "completed",
    };
    json!({
        "correlationId": correlation,
        "partnerId": partner,
        "status": status,
        "callbackUrl": entry.url,
        "results": entry.attempts.iter().map(result).collect::<Vec<_>>(),
    })
}

/// One attempt. `responseCode` is the status in words: `OK` is documented.
///
/// Assumed: the other words are the reason phrases without blanks, as .NET names them; an attempt without an answer has
/// `systemError` true, no code, and the reason as its message.
fn result(attempt: &Attempt) -> Value {
    let phrase = |status: u16| {
        let status = StatusCode::from_u16(status).ok()?;
        let words = status.canonical_reason()?;
        Some(words.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
    };
    let code = attempt
        .status
        .map(|status| phrase(status).unwrap_or_else(|| status.to_string()));
    let stamp = Stamp(attempt.at).to_string();
    json!({
        "responseCode": code.unwrap_or_default(),
        "responseMessage": attempt.problem.as_deref().unwrap_or_default(),
        "systemError": attempt.status.is_none(),
        // Seven digits and no zone.
        "dateTimeUtc": stamp.trim_end_matches('Z'),
    })
}
