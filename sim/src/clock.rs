//! Time as a value: virtual for runs, the wall's for `serve`.
//!
//! It does not schedule anything: that is the event queue of [`crate::world`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// The moment at which virtual time starts unless a run says otherwise: a Monday, 09:00 UTC.
pub const START: &str = "2026-01-05T09:00:00Z";

/// What a system asks for the time. Clones read the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// Microseconds since the Unix epoch, moved by whoever owns the run.
    Virtual(Arc<AtomicI64>),
    Wall,
}

impl Clock {
    /// A clock that stands still until [`Clock::advance_to`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Kind::Virtual(Arc::new(AtomicI64::new(start.as_microsecond()))))
    }

    /// The machine's clock: for `serve` and free-running drivers only.
    pub fn wall() -> Self {
        Self(Kind::Wall)
    }

    /// The time now, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::Virtual(micros) => {
                Timestamp::from_microsecond(micros.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
            Kind::Wall => wall_now(),
        }
    }

    /// Moves a manual clock forward. A time in the past and a wall clock are left as they are.
    pub fn advance_to(&self, to: Timestamp) {
        if let Kind::Virtual(micros) = &self.0 {
            micros.fetch_max(to.as_microsecond(), Ordering::SeqCst);
        }
    }

    /// Whether the clock moves only when told.
    pub fn is_manual(&self) -> bool {
        matches!(self.0, Kind::Virtual(_))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where `serve` reads the wall clock"
)]
fn wall_now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// The default start of virtual time, [`START`], as a value.
pub fn default_start() -> Timestamp {
    START.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_forward_and_only_when_told() {
        let clock = Clock::manual(default_start());
        let copy = clock.clone();
        assert_eq!(clock.now().to_string(), START);
        copy.advance_to("2026-01-06T00:00:00Z".parse().unwrap());
        copy.advance_to("2026-01-05T00:00:00Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2026-01-06T00:00:00Z");
    }
}
