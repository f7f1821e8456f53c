//! Call limits (partner-center.md section 1.6): so many calls of the tenant in a while, so many calls of a user in a day.
//!
//! Both are off unless a run sets them: no figure for this API is known.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};

use super::call::json;
use crate::identity::Grant;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// So many calls in any stretch of time of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// The calls that are answered.
    pub calls: u32,
    /// The length of the stretch.
    pub per: Duration,
}

/// The latest calls under one throttle.
///
/// Assumed: the window slides, and a refused call counts like any other: "all requests accrue against your usage
/// limits", so a client that does not wait never gets through.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Timestamp>);

impl Recent {
    /// Counts a call. Refused with the number of seconds to wait.
    pub(super) fn count(&mut self, throttle: Throttle, now: Timestamp) -> Result<(), u64> {
        let over = |at: Timestamp| at.checked_add(throttle.per).unwrap_or(Timestamp::MAX);
        while self.0.front().is_some_and(|at| over(*at) <= now) {
            self.0.pop_front();
        }
        let allowed = usize::try_from(throttle.calls).unwrap_or(usize::MAX);
        let refused = self.0.len() >= allowed;
        self.0.push_back(now);
        while self.0.len() > allowed {
            self.0.pop_front();
        }
        if !refused {
            return Ok(());
        }
        let free = self.0.front().copied().map_or_else(|| over(now), over);
        Err(whole_seconds(free.duration_since(now)))
    }
}

/// What the tenant and its users have called so far.
#[derive(Debug, Default)]
pub(super) struct Meter {
    recent: Recent,
    /// The day, and the calls of that day, by user.
    days: BTreeMap<String, (i64, u32)>,
}

impl Meter {
    /// Counts a call of somebody who is admitted. Refused with the number of seconds to wait.
    ///
    /// Assumed: the daily budget (product.md M23) belongs to the user behind the connection, its day is a day of UTC,
    /// and refused calls do not use it up. Assumed: people in the portal spend neither limit.
    pub(super) fn count(
        &mut self,
        (throttle, daily): (Option<Throttle>, Option<u32>),
        grant: &Grant,
        now: Timestamp,
    ) -> Result<(), u64> {
        if grant.at_screen {
            return Ok(());
        }
        if let Some(throttle) = throttle {
            self.recent.count(throttle, now)?;
        }
        let Some(daily) = daily else { return Ok(()) };
        let today = now.as_second().div_euclid(DAY);
        let spent = self.days.entry(grant.user.name.clone()).or_insert((today, 0));
        if spent.0 != today {
            *spent = (today, 0);
        }
        if spent.1 >= daily {
            return Err(u64::try_from((today + 1) * DAY - now.as_second()).unwrap_or(1));
        }
        spent.1 += 1;
        Ok(())
    }
}

/// At least one second: a `Retry-After` of 0 would invite the next refusal.
fn whole_seconds(wait: SignedDuration) -> u64 {
    let seconds = u64::try_from(wait.as_secs()).unwrap_or(0);
    (seconds + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The documented 429, blanks included: neither the error envelope nor the code/description shape.
pub(super) fn too_many(seconds: u64) -> Response {
    let body =
        format!(r#"{{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in {seconds} seconds." }}"#);
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, body.into());
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::default_start;

    #[test]
    fn a_client_that_waits_gets_through_and_one_that_hammers_does_not() {
        let throttle = Throttle {
            calls: 2,
            per: Duration::from_mins(1),
        };
        let at = |second: u64| default_start() + Duration::from_secs(second);
        let mut polite = Recent::default();
        let answers: Vec<_> = [0, 1, 2, 61].map(|second| polite.count(throttle, at(second))).into();
        assert_eq!(answers, [Ok(()), Ok(()), Err(59), Ok(())]);
        let mut hammering = Recent::default();
        let refused = (0..300).filter(|second| hammering.count(throttle, at(*second)).is_err());
        assert_eq!(refused.count(), 298);
        let mut nothing = Recent::default();
        let none = Throttle { calls: 0, ..throttle };
        assert_eq!(nothing.count(none, at(0)), Err(60));
    }
}
