//! Service protection: how much one user may ask of one web server (dataverse.md section 3.3).
//!
//! It answers nothing: a request that is too much becomes a fault with the seconds to wait.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::error::Fault;
use super::guid::Guid;

/// The limits of one user on a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Requests in a window. A batch counts as one.
    pub requests: u32,
    /// Execution time of all requests in a window.
    pub execution: Duration,
    /// Requests at the same time.
    pub concurrent: u32,
    /// The length of the window.
    pub window: Duration,
    /// How long the server is said to work on one operation; those of a batch add up.
    ///
    /// Assumed: none, because the simulator answers at once. Anything else makes the limits of time and of concurrent
    /// requests reachable in virtual time.
    pub operation: Duration,
}

impl Default for Protection {
    fn default() -> Self {
        Self {
            requests: 6_000,
            execution: Duration::from_mins(20),
            concurrent: 52,
            window: Duration::from_mins(5),
            operation: Duration::ZERO,
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Requests,
    Execution,
    Concurrent,
}

/// What every user asked for lately.
#[derive(Debug, Default)]
pub(super) struct Meter(BTreeMap<Guid, Usage>);

#[derive(Debug, Default)]
struct Usage {
    /// Second, requests and execution time, oldest first.
    spent: VecDeque<(i64, u32, Duration)>,
    requests: u32,
    execution: Duration,
    /// When the requests that are being worked on will be done.
    running: Vec<Timestamp>,
}

/// What is left to a user: the two headers that tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remaining {
    pub(super) requests: u32,
    pub(super) execution: Duration,
}

impl Remaining {
    /// Seconds with two places. Assumed: the unit, and that thousands are parted by a comma.
    pub(super) fn execution_text(self) -> Cow<'static, str> {
        // The limit of every environment that nobody set up otherwise, of which nothing is spent.
        if self.execution == Protection::default().execution {
            return "1,200.00".into();
        }
        let millis = self.execution.as_millis();
        let text = format!("{}.{:02}", grouped(millis / 1_000), millis % 1_000 / 10);
        text.into()
    }
}

impl Meter {
    /// Counts a request. `in_flight` says how many others of this user are really being read or answered.
    ///
    /// Assumed: a refused request counts like any other, so that the time to wait grows while a client keeps sending, as
    /// documented; a refused request takes no execution time.
    pub(super) fn count(
        &mut self,
        limits: Protection,
        user: Guid,
        in_flight: usize,
        now: Timestamp,
    ) -> Result<Remaining, Fault> {
        let usage = self.0.entry(user).or_default();
        usage.forget(limits.window, now);
        let running = usage.running.len() + in_flight;
        let reached = if usage.requests >= limits.requests {
            Some(Limit::Requests)
        } else if usage.execution >= limits.execution {
            Some(Limit::Execution)
        } else if running >= usize::try_from(limits.concurrent).unwrap_or(usize::MAX) {
            Some(Limit::Concurrent)
        } else {
            None
        };
        let time = if reached.is_none() {
            limits.operation
        } else {
            Duration::ZERO
        };
        usage.spend(1, time, now);
        if let Some(limit) = reached {
            let wait = usage.wait(limits, limit, now);
            return Err(Fault::TooMuch { limit, limits, wait });
        }
        if !time.is_zero() {
            usage.running.push(now.checked_add(time).unwrap_or(Timestamp::MAX));
        }
        Ok(Remaining {
            requests: limits.requests.saturating_sub(usage.requests),
            execution: limits.execution.saturating_sub(usage.execution),
        })
    }

    /// Adds the time of a batch's further operations.
    pub(super) fn add_operations(&mut self, limits: Protection, user: Guid, operations: usize, now: Timestamp) {
        let further = u32::try_from(operations.saturating_sub(1)).unwrap_or(u32::MAX);
        let time = limits.operation.saturating_mul(further);
        if time.is_zero() {
            return;
        }
        let usage = self.0.entry(user).or_default();
        usage.spend(0, time, now);
        if let Some(end) = usage.running.last_mut() {
            *end = end.checked_add(time).unwrap_or(Timestamp::MAX);
        }
    }
}

/// Requests that are being read or answered at this moment, by user. On sockets there can be several; in process never.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights(Arc<Mutex<BTreeMap<Arc<str>, usize>>>);

/// One request on its way. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Flights,
    user: Arc<str>,
    /// How many others of the same user were under way when this one came.
    pub(super) others: usize,
}

impl Flights {
    /// A request of that user came.
    pub(super) fn enter(&self, user: Arc<str>) -> Flight {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(Arc::clone(&user)).or_default();
        let others = *count;
        *count += 1;
        drop(under_way);
        let flights = self.clone();
        Flight { flights, user, others }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut under_way = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.user);
            }
        }
    }
}

impl Usage {
    /// Drops what is older than the window, and what is done.
    fn forget(&mut self, window: Duration, now: Timestamp) {
        let window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        let from = now.as_second().saturating_sub(window);
        while let Some((second, requests, time)) = self.spent.front().copied()
            && second <= from
        {
            self.requests -= requests;
            self.execution = self.execution.saturating_sub(time);
            self.spent.pop_front();
        }
        self.running.retain(|end| *end > now);
    }

    fn spend(&mut self, requests: u32, time: Duration, now: Timestamp) {
        let second = now.as_second();
        match self.spent.back_mut() {
            Some((last, some, spent)) if *last == second => {
                *some = some.saturating_add(requests);
                *spent = spent.saturating_add(time);
            }
            _ => self.spent.push_back((second, requests, time)),
        }
        self.requests = self.requests.saturating_add(requests);
        self.execution = self.execution.saturating_add(time);
    }

    /// Seconds until the limit is no longer reached, if nothing more is asked; at least one.
    fn wait(&self, limits: Protection, limit: Limit, now: Timestamp) -> u64 {
        if limit == Limit::Concurrent {
            let first = self.running.iter().min();
            let wait = first.map_or(SignedDuration::ZERO, |end| end.duration_since(now));
            return u64::try_from(wait.as_secs()).unwrap_or(0) + 1;
        }
        let (mut requests, mut execution) = (self.requests, self.execution);
        let window = i64::try_from(limits.window.as_secs()).unwrap_or(i64::MAX);
        for (second, some, time) in &self.spent {
            requests -= some;
            execution = execution.saturating_sub(*time);
            let free = match limit {
                Limit::Requests => requests < limits.requests,
                Limit::Execution | Limit::Concurrent => execution < limits.execution,
            };
            if free {
                let at = second.saturating_add(window);
                return u64::try_from(at.saturating_sub(now.as_second())).unwrap_or(0).max(1);
            }
        }
        limits.window.as_secs().max(1)
    }
}

/// `1200000` as `1,200,000`.
pub(super) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::default_start;

    const USER: Guid = Guid::FIRST;

    fn wait_of(outcome: Result<Remaining, Fault>) -> (Limit, u64) {
        match outcome {
            Err(Fault::TooMuch { limit, wait, .. }) => (limit, wait),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_window_slides_and_the_wait_grows_while_a_client_keeps_sending() {
        let limits = Protection {
            requests: 3,
            ..Protection::default()
        };
        let mut meter = Meter::default();
        let at = |seconds: i64| default_start() + SignedDuration::from_secs(seconds);
        for (second, left) in [(0, 2), (10, 1), (20, 0)] {
            assert_eq!(meter.count(limits, USER, 0, at(second)).unwrap().requests, left);
        }
        assert_eq!(wait_of(meter.count(limits, USER, 0, at(30))), (Limit::Requests, 280));
        assert_eq!(
            wait_of(meter.count(limits, USER, 0, at(40))),
            (Limit::Requests, 280),
            "ten seconds on, as long to wait"
        );
        assert!(
            meter.count(limits, Guid::LAST, 0, at(40)).is_ok(),
            "another user has a window of their own"
        );
        assert!(meter.count(limits, USER, 0, at(319)).is_err());
        assert!(meter.count(limits, USER, 0, at(700)).is_ok());
    }

    #[test]
    fn time_adds_up_over_a_batch_and_what_runs_at_once_is_bounded() {
        let limits = Protection {
            execution: Duration::from_secs(10),
            concurrent: 2,
            operation: Duration::from_secs(2),
            ..Protection::default()
        };
        let mut meter = Meter::default();
        let at = |seconds: i64| default_start() + SignedDuration::from_secs(seconds);
        assert!(meter.count(limits, USER, 0, at(0)).is_ok());
        assert!(meter.count(limits, USER, 0, at(0)).is_ok());
        assert_eq!(wait_of(meter.count(limits, USER, 0, at(0))).0, Limit::Concurrent);
        let left = meter.count(limits, USER, 0, at(3)).unwrap();
        assert_eq!(
            (left.execution, &*left.execution_text()),
            (Duration::from_secs(4), "4.00")
        );
        meter.add_operations(limits, USER, 3, at(3));
        assert_eq!(wait_of(meter.count(limits, USER, 0, at(20))), (Limit::Execution, 280));
        assert!(meter.count(limits, USER, 0, at(302)).is_ok());
        assert_eq!(
            wait_of(meter.count(Protection::default(), Guid::LAST, 52, at(0))).0,
            Limit::Concurrent
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1_000, 1_200_000].map(grouped),
            ["0", "999", "1,000", "1,200,000"]
        );
    }
}
