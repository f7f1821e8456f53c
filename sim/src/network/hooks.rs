//! How patiently webhooks are delivered, in virtual time and on the wall clock alike.
//!
//! It delivers nothing itself.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::delivery_log::DeliveryState;
use crate::happening::Hook;
use crate::partner_center::signature;

/// How Partner Center delivers webhooks.
///
/// That it makes 10 attempts is documented (partner-center.md section 6.3). All times are assumed, and that a status
/// outside the 200s counts as a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookSettings {
    /// The range of the time from a change to the first attempt.
    pub delay: (Duration, Duration),
    /// How often a delivery is tried before it is abandoned.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_limit: Duration,
    /// How long an attempt waits for an answer.
    pub timeout: Duration,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self {
            delay: (Duration::from_secs(1), Duration::from_secs(5)),
            attempts: 10,
            backoff: Duration::from_mins(1),
            backoff_limit: Duration::from_mins(15),
            timeout: Duration::from_secs(30),
        }
    }
}

impl HookSettings {
    /// The pause after the given failed attempt, counted from 1.
    pub fn pause_after(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.backoff.saturating_mul(factor).min(self.backoff_limit)
    }

    /// How long an attempt to bring a webhook waits for an answer.
    pub fn patience(&self, hook: &Hook) -> Duration {
        hook.manner.as_ref().map_or(self.timeout, |manner| manner.timeout)
    }

    /// What follows an attempt to bring a webhook that ended with this status, or without one.
    ///
    /// A CRM's is tried once more, and only when the receiver's gateway failed: documented for 502, 503 and 504. Assumed:
    /// the pause before that.
    pub fn follow(&self, hook: &Hook, attempt: u32, status: Option<u16>) -> AfterAttempt {
        if hook.manner.is_none() {
            return self.judge(attempt, status);
        }
        match status {
            Some(200..300) => AfterAttempt::Accepted,
            Some(502..=504) if attempt == 1 => AfterAttempt::AgainAfter(self.backoff),
            Some(_) | None => AfterAttempt::Abandoned,
        }
    }

    /// What follows an attempt that ended with this status, or without one.
    pub fn judge(&self, attempt: u32, status: Option<u16>) -> AfterAttempt {
        if status.is_some_and(|status| (200..300).contains(&status)) {
            AfterAttempt::Accepted
        } else if attempt >= self.attempts {
            AfterAttempt::Abandoned
        } else {
            AfterAttempt::AgainAfter(self.pause_after(attempt))
        }
    }
}

/// The headers of a webhook. `signature` is what stands in Partner Center's; a CRM's has none.
pub fn headers(hook: &Hook, certificate_url: &str, signature: Option<&str>) -> HeaderMap {
    let Some(manner) = &hook.manner else {
        return signature::headers(hook, certificate_url, signature);
    };
    let pairs = manner.headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        Some((name, HeaderValue::try_from(value.as_str()).ok()?))
    });
    pairs.collect()
}

/// What follows an attempt to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
    /// Nothing: it was accepted.
    Accepted,
    /// Another attempt, that much later.
    AgainAfter(Duration),
    /// Nothing: there were enough.
    Abandoned,
}

impl AfterAttempt {
    /// How the webhook stands then.
    pub fn state(self) -> DeliveryState {
        match self {
            Self::Accepted => DeliveryState::Delivered,
            Self::AgainAfter(_) => DeliveryState::Waiting,
            Self::Abandoned => DeliveryState::Offline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_between_attempts_doubles_up_to_its_limit() {
        let hooks = HookSettings::default();
        let minutes: Vec<u64> = (1..=7)
            .map(|attempt| hooks.pause_after(attempt).as_secs() / 60)
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(hooks.pause_after(u32::MAX), hooks.backoff_limit);
    }

    #[test]
    fn only_the_200s_are_accepted_and_the_tenth_failure_is_the_last() {
        let hooks = HookSettings::default();
        assert_eq!(hooks.judge(1, Some(202)), AfterAttempt::Accepted);
        assert_eq!(
            hooks.judge(1, Some(302)),
            AfterAttempt::AgainAfter(Duration::from_mins(1))
        );
        assert_eq!(hooks.judge(10, None), AfterAttempt::Abandoned);
        assert_eq!(hooks.judge(10, Some(204)), AfterAttempt::Accepted);
    }
}
