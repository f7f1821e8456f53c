//! The connector: four verbs, and nothing else changes it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::board::Board;
use crate::contract::{Command, Event, Memory, Reason};
use crate::engine::{Engine, Executor};
use crate::id::ReferralId;
use crate::job::desk::Desk;
use crate::job::{hook, poll, register, run};
use crate::record::Record;
use crate::settings::{Settings, SettingsError};

/// The reference connector without input or output.
///
/// After each [`handle_event`](Self::handle_event) and [`handle_timeout`](Self::handle_timeout), and after
/// [`new`](Self::new), call [`poll_command`](Self::poll_command) until it gives nothing, carrying out each command before
/// the next; then wait for an event, or for the time that [`poll_timeout`](Self::poll_timeout) names.
pub struct Connector {
    engine: Engine,
    executor: Executor,
    desk: Desk,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("settings", self.desk.settings())
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Starts from what was persisted; the seed decides about jitter alone.
    pub fn new(settings: Settings, memory: &Memory, seed: u64, now: Timestamp) -> Result<Self, SettingsError> {
        settings.check()?;
        let (board, unreadable) = Board::load(memory, now);
        let engine = Engine::new(seed, now);
        let desk = Desk::new(engine.clone(), settings, board, memory);
        if unreadable > 0 {
            let detail =
                format!("{unreadable} persisted records cannot be read; their deals are found again by looking");
            desk.say(&Record::default(), "memory.unreadable", None, detail);
        }
        engine.spawn(register::register_and_reconcile(desk.clone()));
        engine.spawn(poll::poll(desk.clone()));
        for (key, _) in memory.entries() {
            if let Some(id) = key.strip_prefix(hook::RELATED) {
                engine.spawn(hook::trace_related(desk.clone(), ReferralId::new(id)));
            }
        }
        let executor = Executor::new(engine.clone());
        let mut connector = Self { engine, executor, desk };
        connector.go_on();
        Ok(connector)
    }

    /// Takes something that happened outside.
    pub fn handle_event(&mut self, event: Event, now: Timestamp) {
        self.engine.set_now(now);
        self.engine.wake_due();
        match event {
            Event::Reply { call, response } => self.engine.settle(call, Ok(response)),
            Event::Failed { call, failure } => self.engine.settle(call, Err(failure)),
            Event::Hook { hook, body, signature } => self.hook(hook, &body, signature),
        }
        self.go_on();
    }

    fn hook(&self, hook: crate::id::HookId, body: &Bytes, signature: crate::contract::Signature) {
        hook::take(&self.desk, hook, body, signature);
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.engine.set_now(now);
        self.engine.wake_due();
        self.go_on();
    }

    /// Gives the next thing to do.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.engine.poll_command()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called if nothing happens before, and why.
    pub fn poll_timeout(&self) -> Option<(Timestamp, Reason)> {
        let start = self.desk.board().next_start(self.desk.settings().concurrency);
        let start = start.map(|at| (at, Reason::Retry));
        [self.engine.next_timer(), start].into_iter().flatten().min()
    }

    /// Runs everything that can go on, and starts the runs that may start, until all wait.
    fn go_on(&mut self) {
        self.executor.run();
        loop {
            let started = self
                .desk
                .board()
                .start(self.engine.now(), self.desk.settings().concurrency);
            let Some(started) = started else {
                return;
            };
            self.engine.spawn(run::run(self.desk.clone(), started));
            self.executor.run();
        }
    }
}
