//! The way between the connector and the systems: how long it takes, and what the rules do to what travels on it.
//!
//! It carries nothing itself: it decides, and [`crate::world`] puts what travels on the event queue.

use std::time::Duration;

use jiff::Timestamp;

use crate::fault::{Exchange, Fate, Rule};
use crate::seed::{Seed, Stream};

/// What is due, in order.
pub mod queue;
/// How patiently webhooks are delivered.
pub mod hooks;
/// Requests and responses as a trace shows them.
pub mod wire;

/// A moment some time after another; the end of time when there is no such moment.
pub fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A duration drawn from a stream, in whole microseconds, both bounds included.
pub fn draw(chance: &mut Stream, (low, high): (Duration, Duration)) -> Duration {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(chance.between(micros(low), micros(high)))
}

/// What the rules said about one exchange.
#[derive(Debug)]
pub struct Decided {
    /// The fate.
    pub fate: Fate,
    /// The name of the rule that chose it; `None` when every rule let it pass.
    pub rule: Option<String>,
}

/// Latency and rules.
pub struct Network {
    rules: Vec<Box<dyn Rule + Send>>,
    latency: (Duration, Duration),
    chance: Stream,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.name()).collect();
        formatter
            .debug_struct("Network")
            .field("rules", &rules)
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}

impl Network {
    /// A network without rules. `latency` is the range of one way.
    pub fn new(seed: Seed, latency: (Duration, Duration)) -> Self {
        Self {
            rules: Vec::new(),
            latency,
            chance: seed.stream("network latency"),
        }
    }

    /// Adds a rule behind those that are there.
    pub fn add_rule(&mut self, rule: Box<dyn Rule + Send>) {
        self.rules.push(rule);
    }

    /// Removes every rule.
    pub fn heal(&mut self) {
        self.rules.clear();
    }

    /// Asks the rules, first added first asked.
    pub fn decide(&mut self, exchange: &Exchange<'_>) -> Decided {
        for rule in &mut self.rules {
            let fate = rule.decide(exchange);
            if !matches!(fate, Fate::Pass) {
                let rule = Some(rule.name().to_owned());
                return Decided { fate, rule };
            }
        }
        Decided {
            fate: Fate::Pass,
            rule: None,
        }
    }

    /// How long the next message travels.
    pub fn one_way(&mut self) -> Duration {
        draw(&mut self.chance, self.latency)
    }
}
