//! The world: systems, network and clock on one event queue, driven step by step.
//!
//! It knows no connector. Requests come in through `World::send`, replies and webhooks wait in it until somebody takes
//! them, and everything that happens comes out as an `Observation`. It never reads its own observations.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;

use crate::delivery_log::DeliveryLog;
use crate::fault::Rule;
use crate::ground::Ground;
use crate::happening::{Happening, Row};
use crate::network::Network;
use crate::network::queue::Queue;
use crate::network::wire::{Shown, WireResponse};
use crate::seed::{Seed, Stream};
use crate::systems::Systems;
use crate::transport::Carrier;
use crate::transport::lock_step::LockStep;

/// What decides a world.
pub mod settings;
/// What can be seen of a world.
pub mod observation;
/// The connector's calls.
mod calls;
/// Webhooks for the connector.
mod deliveries;
/// People at a screen, and Microsoft's own side.
mod people;

pub use crate::network::wire::{Headers, WireBody, WireRequest};
pub use deliveries::Delivery;
pub use observation::{Bound, Leg, Observation, Observed, SignatureState};
pub use settings::WorldSettings;

/// Everything outside the connector.
#[derive(Debug)]
pub struct World {
    settings: WorldSettings,
    ground: Ground,
    systems: Systems,
    /// What [`Systems::next_due`] said when the systems last did anything.
    system_due: Option<Timestamp>,
    carrier: Carrier,
    network: Network,
    queue: Queue<Due>,
    observations: VecDeque<Observation>,
    observations_dropped: u64,
    bounds_hit: BTreeSet<Bound>,
    /// Counts exchanges, copies included.
    exchanges: u64,
    /// The trace's copies of the connector's last reads.
    shown: Shown,
    /// Raw replies that reached the connector, by its own number for the call.
    replies: BTreeMap<u64, http::Response<Bytes>>,
    deliveries: deliveries::Deliveries,
    hook_chance: Stream,
    /// Which life of the connector's process it is: a reply for an earlier one reaches nobody.
    process: u64,
    down: bool,
    tokens: people::Tokens,
    /// The `Date` of the replies of one second.
    date: Option<(i64, HeaderValue)>,
}

/// What may be due.
#[derive(Debug)]
enum Due {
    /// A request reaches its system.
    Request(Box<calls::Call>),
    /// A response reaches the connector.
    Reply(Box<calls::Reply>),
    /// Something about a webhook.
    Delivery(deliveries::Turn),
}

/// Which of the places that know what comes next has it.
enum Next {
    System,
    Queue,
    HookTimeout(u64),
}

impl World {
    /// A world in process.
    pub fn new(settings: WorldSettings) -> Self {
        let ground = settings.ground();
        let systems = Systems::new(settings.systems(), &ground);
        Self::over(settings, ground, systems)
    }

    /// A world whose every exchange and webhook is carried over a loopback socket, in the same virtual time. Must not be
    /// used within an asynchronous runtime: it brings its own.
    pub fn on_sockets(settings: WorldSettings) -> io::Result<Self> {
        let ground = settings.ground();
        let systems = Systems::new(settings.systems(), &ground);
        Self::on_sockets_over(settings, ground, systems)
    }

    /// A world in process over systems of one's own.
    pub fn over(settings: WorldSettings, ground: Ground, systems: Systems) -> Self {
        let carrier = Carrier::InProcess(systems.routers().clone());
        Self::with(settings, ground, systems, carrier)
    }

    /// A world on sockets over systems of one's own.
    pub fn on_sockets_over(settings: WorldSettings, ground: Ground, systems: Systems) -> io::Result<Self> {
        let carrier = Carrier::LockStep(Box::new(LockStep::start(systems.routers())?));
        Ok(Self::with(settings, ground, systems, carrier))
    }

    fn with(settings: WorldSettings, ground: Ground, systems: Systems, carrier: Carrier) -> Self {
        Self {
            network: Network::new(settings.seed, settings.latency),
            queue: Queue::new(settings.queue_limit),
            hook_chance: settings.seed.stream("webhook delay"),
            observations: VecDeque::new(),
            observations_dropped: 0,
            bounds_hit: BTreeSet::new(),
            exchanges: 0,
            shown: Shown::new(settings.keeps_answers),
            replies: BTreeMap::new(),
            deliveries: deliveries::Deliveries::default(),
            process: 0,
            down: false,
            tokens: people::Tokens::default(),
            date: None,
            system_due: systems.next_due(),
            settings,
            ground,
            systems,
            carrier,
        }
    }

    /// Virtual time.
    pub fn now(&self) -> Timestamp {
        self.ground.clock.now()
    }

    /// What the systems stand on: clock, base URLs, users.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    /// The seed.
    pub fn seed(&self) -> Seed {
        self.settings.seed
    }

    /// When something is due next, what the systems do unasked included.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next().map(|(due, _)| due)
    }

    /// Does what is due next, and moves the clock there. False when nothing is due.
    pub fn step(&mut self) -> bool {
        let Some((due, next)) = self.next() else { return false };
        self.ground.clock.advance_to(due);
        match next {
            Next::System => {
                self.systems.run_due(self.now());
                self.collect(None);
                self.system_due = self.systems.next_due();
            }
            Next::HookTimeout(delivery) => self.hook_timed_out(delivery),
            Next::Queue => match self.queue.pop() {
                Some((_, Due::Request(call))) => self.request_arrives(*call),
                Some((_, Due::Reply(reply))) => self.reply_arrives(*reply),
                Some((_, Due::Delivery(turn))) => self.delivery_turn(&turn),
                None => {}
            },
        }
        true
    }

    /// Moves the clock. The caller sees to it that nothing is due before.
    pub fn advance_to(&mut self, to: Timestamp) {
        self.ground.clock.advance_to(to);
    }

    /// The oldest observation that nobody has seen yet.
    pub fn poll_observation(&mut self) -> Option<Observation> {
        self.observations.pop_front()
    }

    /// How many observations were dropped because nobody polled them.
    pub fn observations_dropped(&self) -> u64 {
        self.observations_dropped
    }

    /// Adds a rule behind those that are there.
    pub fn add_rule(&mut self, rule: Box<dyn Rule + Send>) {
        self.network.add_rule(rule);
    }

    /// Removes every rule. What is delayed keeps its time.
    pub fn heal(&mut self) {
        self.network.heal();
        self.observe(Observed::Healed);
    }

    /// Ends the connector's process, or starts it again. While it is down webhooks fail at once; replies that are on
    /// their way when it ends never reach it, even if it is up again before they arrive.
    pub fn connector_down(&mut self, down: bool) {
        if down == self.down {
            return;
        }
        self.down = down;
        if down {
            self.process += 1;
            self.replies.clear();
            self.observe(Observed::ConnectorDown);
            self.drop_open_deliveries();
        } else {
            self.observe(Observed::ConnectorUp);
        }
    }

    /// Every webhook that was owed, each attempt, and how it ended; the offline queue included.
    pub fn deliveries(&self) -> &DeliveryLog {
        &self.ground.deliveries
    }

    /// Every stored row of every system, in a fixed order.
    pub fn rows(&self) -> Vec<Row> {
        self.systems.rows()
    }

    /// What comes next. At the same moment a system goes first, then the queue, then the end of a webhook's patience.
    fn next(&self) -> Option<(Timestamp, Next)> {
        let system = self.system_due.map(|due| (due, Next::System));
        let queue = self.queue.next_due().map(|due| (due, Next::Queue));
        let hook = self
            .deliveries
            .next_timeout()
            .map(|(due, delivery)| (due, Next::HookTimeout(delivery)));
        // `min_by_key` keeps the first of equals.
        [system, queue, hook].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// Puts something on the queue, or says that the queue is full.
    fn schedule(&mut self, due: Timestamp, item: Due) {
        if let Err(full) = self.queue.push(due, item) {
            self.hit(Bound::EventQueue, full.limit);
        }
    }

    fn observe(&mut self, what: Observed) {
        if self.observations.len() >= self.settings.waiting_limit {
            self.observations.pop_front();
            self.observations_dropped += 1;
            if self.bounds_hit.insert(Bound::Observations) {
                let limit = u64::try_from(self.settings.waiting_limit).unwrap_or(u64::MAX);
                let bound = Bound::Observations;
                self.observations.pop_front();
                self.observations_dropped += 1;
                self.push_observation(Observed::BoundHit { bound, limit });
            }
        }
        self.push_observation(what);
    }

    fn push_observation(&mut self, what: Observed) {
        let at = self.now();
        self.observations.push_back(Observation { at, what });
    }

    /// Says once for each bound that it was hit.
    fn hit(&mut self, bound: Bound, limit: usize) {
        if self.bounds_hit.insert(bound) {
            let limit = u64::try_from(limit).unwrap_or(u64::MAX);
            self.observe(Observed::BoundHit { bound, limit });
        }
    }

    /// Turns what the systems noted into observations and deliveries.
    fn collect(&mut self, exchange: Option<u64>) {
        let happenings = self.ground.happenings.drain();
        if happenings.is_empty() {
            return;
        }
        self.system_due = self.systems.next_due();
        for happening in happenings {
            match happening {
                Happening::Committed(commit) => {
                    let commit = Box::new(commit);
                    self.observe(Observed::Committed { exchange, commit });
                }
                Happening::Refused(refusal) => self.observe(Observed::Refused { exchange, refusal }),
                Happening::HookDue(hook) => self.hook_due(hook, SignatureState::Valid, exchange),
                Happening::Lapsed(lapse) => self.observe(Observed::Lapsed { exchange, lapse }),
            }
        }
    }
}

/// The trace's copy of a response, shared by all who show it.
fn shown(response: &http::Response<Bytes>, path: &str) -> Arc<WireResponse> {
    Arc::new(WireResponse::of(response, path))
}

#[cfg(test)]
mod tests;
