//! What decides a world: the seed, the start, the systems, how slow the network is, how patient Partner Center is.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, default_start};
use crate::dataverse;
use crate::ground::Ground;
use crate::identity;
use crate::network::hooks::HookSettings;
use crate::partner_center;
use crate::salesforce;
use crate::seed::Seed;
use crate::site::Site;
use crate::systems::SystemSettings;

/// The settings of a world. The default is the world of a run that names nothing.
#[derive(Clone, Debug)]
pub struct WorldSettings {
    /// The seed.
    pub seed: Seed,
    /// When virtual time starts.
    pub start: Timestamp,
    /// The CRMs that exist; Entra ID and Partner Center always do.
    pub crm: Vec<Site>,
    /// How Entra ID hands out tokens.
    pub identity: identity::Settings,
    /// How Partner Center is set.
    pub partner_center: partner_center::Settings,
    /// How the Salesforce org is set.
    pub salesforce: salesforce::Settings,
    /// How the Dataverse environment is set.
    pub dataverse: dataverse::Settings,
    /// The range of the time that a message takes one way.
    pub latency: (Duration, Duration),
    /// How Partner Center delivers webhooks.
    pub hooks: HookSettings,
    /// How many items may be due at once. What comes on top is dropped with an observation that names the bound.
    pub queue_limit: usize,
    /// How many observations, replies and open deliveries may wait to be taken. The oldest is dropped first.
    pub waiting_limit: usize,
    /// Whether systems keep answers, and the trace's copies are shared: a world does the same without, and slower.
    pub keeps_answers: bool,
}

impl Default for WorldSettings {
    fn default() -> Self {
        let systems = SystemSettings::default();
        Self {
            seed: Seed::default(),
            start: default_start(),
            crm: systems.crm,
            identity: systems.identity,
            partner_center: systems.partner_center,
            salesforce: systems.salesforce,
            dataverse: systems.dataverse,
            latency: (Duration::from_millis(20), Duration::from_millis(80)),
            hooks: HookSettings::default(),
            queue_limit: 100_000,
            waiting_limit: 100_000,
            keeps_answers: true,
        }
    }
}

impl WorldSettings {
    /// What the systems stand on.
    pub(super) fn ground(&self) -> Ground {
        Ground {
            keeps_answers: self.keeps_answers,
            ..Ground::new(Clock::manual(self.start), self.seed)
        }
    }

    /// The part that is about the systems.
    pub fn systems(&self) -> SystemSettings {
        SystemSettings {
            crm: self.crm.clone(),
            identity: self.identity.clone(),
            partner_center: self.partner_center.clone(),
            salesforce: self.salesforce.clone(),
            dataverse: self.dataverse.clone(),
        }
    }
}
