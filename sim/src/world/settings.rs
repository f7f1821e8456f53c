//! What decides a world: the seed, the start, the systems, how slow the network is, how patient Partner Center is.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::default_start;
use crate::seed::Seed;
use crate::site::Site;
use crate::systems::SystemSettings;

/// The settings of a world. The default is the world of a run that names nothing.
///
/// That Partner Center makes 10 attempts to deliver a webhook is documented (partner-center.md section 6.3); every time
/// of a delivery is assumed.
#[derive(Clone, Debug)]
pub struct WorldSettings {
    /// The seed.
    pub seed: Seed,
    /// When virtual time starts.
    pub start: Timestamp,
    /// The CRMs that exist; Entra ID and Partner Center always do.
    pub crm: Vec<Site>,
    /// The range of the time that a message takes one way.
    pub latency: (Duration, Duration),
    /// The range of the time from a change to the first attempt to deliver its webhook.
    pub hook_delay: (Duration, Duration),
    /// How often a delivery is tried before it is abandoned.
    pub hook_attempts: u32,
    /// The pause after the first failed attempt; it doubles with each further one.
    pub hook_backoff: Duration,
    /// The longest pause.
    pub hook_backoff_limit: Duration,
    /// How long an attempt waits for an answer.
    pub hook_timeout: Duration,
    /// How many items may be due at once. What comes on top is dropped with an observation that names the bound.
    pub queue_limit: usize,
    /// How many observations, replies and open deliveries may wait to be taken. The oldest is dropped first.
    pub waiting_limit: usize,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            start: default_start(),
            crm: vec![Site::Salesforce, Site::Dataverse],
            latency: (Duration::from_millis(20), Duration::from_millis(80)),
            hook_delay: (Duration::from_secs(1), Duration::from_secs(5)),
            hook_attempts: 10,
            hook_backoff: Duration::from_mins(1),
            hook_backoff_limit: Duration::from_mins(15),
            hook_timeout: Duration::from_secs(30),
            queue_limit: 100_000,
            waiting_limit: 100_000,
        }
    }
}

impl WorldSettings {
    /// The part that is about the systems.
    pub fn systems(&self) -> SystemSettings {
        SystemSettings { crm: self.crm.clone() }
    }

    /// The pause after the given failed attempt to deliver, counted from 1.
    pub fn pause_after(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.hook_backoff.saturating_mul(factor).min(self.hook_backoff_limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_between_attempts_doubles_up_to_its_limit() {
        let settings = WorldSettings::default();
        let minutes: Vec<u64> = (1..=7)
            .map(|attempt| settings.pause_after(attempt).as_secs() / 60)
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(settings.pause_after(u32::MAX), settings.hook_backoff_limit);
    }
}
