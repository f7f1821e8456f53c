//! What every simulated system stands on: clock, seed, base URLs, token authority, and the place to note what it did.

use crate::clock::Clock;
use crate::delivery_log::DeliveryLog;
use crate::happening::Happenings;
use crate::identity::{Authority, entra};
use crate::seed::Seed;
use crate::site::Bases;

/// Given to each system when it is made. Clones share the same clock, URLs, authority and notes.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The time.
    pub clock: Clock,
    /// The seed: each system derives its own labelled streams.
    pub seed: Seed,
    /// Where each system lives.
    pub bases: Bases,
    /// Where a system notes what it did.
    pub happenings: Happenings,
    /// Webhooks owed and delivered.
    pub deliveries: DeliveryLog,
    /// Users and tokens.
    pub authority: Authority,
    /// Whether systems keep answers to reads while nothing changes. Nobody outside can tell: a test asks both ways.
    pub keeps_answers: bool,
}

impl Ground {
    /// A ground with the three users of every world, at the vendors' own hosts.
    pub fn new(clock: Clock, seed: Seed) -> Self {
        let authority = Authority::new(clock.clone(), seed);
        Self {
            clock,
            seed,
            bases: Bases::default(),
            happenings: Happenings::default(),
            deliveries: DeliveryLog::default(),
            authority,
            keeps_answers: true,
        }
    }
}

impl From<&Ground> for entra::Footing {
    fn from(ground: &Ground) -> Self {
        let Ground {
            clock,
            seed,
            bases,
            happenings,
            authority,
            ..
        } = ground.clone();
        Self::new(authority, bases, clock, happenings, seed)
    }
}
