//! The executor inside the core: jobs are `async fn`s that wait for a call's outcome, a timer or a turn; an event wakes
//! exactly the one that waits. It is deterministic, has no runtime, and knows no deal.
//!
//! It does not send or persist anything: commands are queued for the driver, in order.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::contract::{Command, Decision, Failure, Reason, System};
use crate::deal::canon;
use crate::id::{CallId, HookId};

/// Something that runs until it is done.
pub(crate) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TaskId(u64);

/// What a call came to.
pub(crate) type CallOutcome = Result<http::Response<Bytes>, Failure>;

struct Waiting {
    task: TaskId,
    outcome: Option<CallOutcome>,
}

type TimerKey = (Timestamp, u64);

struct State {
    now: Timestamp,
    current: TaskId,
    commands: VecDeque<Command>,
    ready: VecDeque<TaskId>,
    spawned: Vec<Job>,
    calls: BTreeMap<CallId, Waiting>,
    last_call: u64,
    timers: BTreeMap<TimerKey, (TaskId, Reason)>,
    last_timer: u64,
    turns: BTreeMap<String, VecDeque<TaskId>>,
    chance: u64,
}

/// What jobs stand on. Clones share one state.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Mutex<State>>);

impl Engine {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            current: TaskId(0),
            commands: VecDeque::new(),
            ready: VecDeque::new(),
            spawned: Vec::new(),
            calls: BTreeMap::new(),
            last_call: 0,
            timers: BTreeMap::new(),
            last_timer: 0,
            turns: BTreeMap::new(),
            chance: seed,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the event that is being handled.
    pub(crate) fn now(&self) -> Timestamp {
        self.state().now
    }

    /// The job that is running.
    pub(crate) fn task(&self) -> u64 {
        self.state().current.0
    }

    /// Moves the time. It never goes back.
    pub(crate) fn set_now(&self, now: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(now);
    }

    /// Starts a job once the current one waits.
    pub(crate) fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.state().spawned.push(Box::pin(job));
    }

    /// Keeps a value.
    pub(crate) fn persist(&self, key: String, value: Option<String>) {
        self.state().commands.push_back(Command::Persist { key, value });
    }

    /// Answers a webhook.
    pub(crate) fn answer(&self, hook: HookId, status: u16) {
        self.state().commands.push_back(Command::Answer { hook, status });
    }

    /// Records a decision.
    pub(crate) fn record(&self, decision: Decision) {
        self.state().commands.push_back(Command::Record(decision));
    }

    /// Takes the next command.
    pub(crate) fn poll_command(&self) -> Option<Command> {
        self.state().commands.pop_front()
    }

    /// A number from the seed (`SplitMix64`).
    pub(crate) fn chance(&self) -> u64 {
        let mut state = self.state();
        state.chance = state.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next timer.
    pub(crate) fn next_timer(&self) -> Option<(Timestamp, Reason)> {
        self.state()
            .timers
            .first_key_value()
            .map(|((at, _), (_, reason))| (*at, *reason))
    }

    /// When the last timer is due that is not routine: until then there is work, or a pause before work.
    pub(crate) fn last_work(&self) -> Option<Timestamp> {
        let state = self.state();
        let work = state.timers.iter().rev().find(|(_, (_, reason))| !reason.is_routine());
        work.map(|((at, _), _)| *at)
    }

    /// Wakes what waits for a time that has come.
    pub(crate) fn wake_due(&self) {
        let mut state = self.state();
        let now = state.now;
        while let Some((key, (task, _))) = state.timers.first_key_value().map(|(key, value)| (*key, *value)) {
            if key.0 > now {
                break;
            }
            state.timers.remove(&key);
            state.ready.push_back(task);
        }
    }

    /// Hands a call's outcome to the job that waits for it. An outcome that nobody waits for is dropped.
    pub(crate) fn settle(&self, call: CallId, outcome: CallOutcome) {
        let mut state = self.state();
        let Some(waiting) = state.calls.get_mut(&call) else {
            return;
        };
        if waiting.outcome.is_none() {
            waiting.outcome = Some(outcome);
            let task = waiting.task;
            state.ready.push_back(task);
        }
    }

    /// Sends a request and waits for what it comes to. No reply within the limit is an outcome too.
    pub(crate) async fn call(
        &self,
        system: System,
        request: http::Request<Bytes>,
        limit: SignedDuration,
    ) -> CallOutcome {
        let (call, deadline, timer) = {
            let mut state = self.state();
            state.last_call += 1;
            let call = CallId(state.last_call);
            let deadline = canon::after(state.now, limit);
            let task = state.current;
            state.commands.push_back(Command::Call { call, system, request });
            state.calls.insert(call, Waiting { task, outcome: None });
            (call, deadline, state.set_timer(deadline, Reason::CallTimeout))
        };
        std::future::poll_fn(|_| {
            let mut state = self.state();
            let outcome = state.calls.get_mut(&call).and_then(|waiting| waiting.outcome.take());
            let outcome = match outcome {
                Some(outcome) => outcome,
                None if state.now >= deadline => Err(Failure::TimedOut),
                None => return Poll::Pending,
            };
            state.calls.remove(&call);
            state.timers.remove(&timer);
            Poll::Ready(outcome)
        })
        .await
    }

    /// Waits until a time has come.
    pub(crate) async fn sleep_until(&self, at: Timestamp, reason: Reason) {
        let timer = self.state().set_timer(at, reason);
        std::future::poll_fn(|_| {
            let mut state = self.state();
            if state.now < at {
                return Poll::Pending;
            }
            state.timers.remove(&timer);
            Poll::Ready(())
        })
        .await;
    }

    /// Waits for one's turn: whoever asked first for this name goes first, one at a time.
    pub(crate) async fn turn(&self, name: &str) -> Turn {
        let task = {
            let mut state = self.state();
            let task = state.current;
            state.turns.entry(name.to_owned()).or_default().push_back(task);
            task
        };
        let turn = Turn {
            engine: self.clone(),
            name: name.to_owned(),
        };
        std::future::poll_fn(|_| {
            let state = self.state();
            let first = state.turns.get(name).and_then(VecDeque::front);
            if first == Some(&task) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        turn
    }
}

impl State {
    fn set_timer(&mut self, at: Timestamp, reason: Reason) -> TimerKey {
        self.last_timer += 1;
        let key = (at, self.last_timer);
        self.timers.insert(key, (self.current, reason));
        key
    }
}

/// Somebody's turn; dropping it passes it on.
pub(crate) struct Turn {
    engine: Engine,
    name: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.engine.state();
        let Some(queue) = state.turns.get_mut(&self.name) else {
            return;
        };
        queue.pop_front();
        match queue.front().copied() {
            Some(next) => state.ready.push_back(next),
            None => {
                state.turns.remove(&self.name);
            }
        }
    }
}

/// The jobs themselves. They are kept apart from the state that they share, so that one can be polled while it uses it.
pub(crate) struct Executor {
    engine: Engine,
    tasks: BTreeMap<TaskId, Job>,
    last: u64,
}

impl Executor {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            tasks: BTreeMap::new(),
            last: 0,
        }
    }

    /// Runs every job that can go on until all wait.
    pub(crate) fn run(&mut self) {
        loop {
            let spawned = std::mem::take(&mut self.engine.state().spawned);
            for job in spawned {
                self.last += 1;
                let id = TaskId(self.last);
                self.tasks.insert(id, job);
                self.engine.state().ready.push_back(id);
            }
            let next = {
                let mut state = self.engine.state();
                let next = state.ready.pop_front();
                // Outside of jobs nobody is running.
                state.current = next.unwrap_or(TaskId(0));
                next
            };
            let Some(id) = next else {
                return;
            };
            let Some(job) = self.tasks.get_mut(&id) else {
                continue;
            };
            let mut context = Context::from_waker(Waker::noop());
            if job.as_mut().poll(&mut context).is_ready() {
                self.tasks.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> (Engine, Executor) {
        let engine = Engine::new(1, Timestamp::UNIX_EPOCH);
        (engine.clone(), Executor::new(engine))
    }

    fn said(engine: &Engine) -> Vec<String> {
        let mut keys = Vec::new();
        while let Some(command) = engine.poll_command() {
            match command {
                Command::Persist { key, .. } => keys.push(key),
                Command::Call { call, .. } => keys.push(format!("call {}", call.0)),
                Command::Answer { .. } | Command::Record(_) => {}
            }
        }
        keys
    }

    fn request() -> http::Request<Bytes> {
        http::Request::new(Bytes::new())
    }

    const LIMIT: SignedDuration = SignedDuration::from_secs(30);

    #[test]
    fn a_reply_wakes_exactly_the_job_that_waits_for_it() {
        let (engine, mut executor) = start();
        for name in ["a", "b"] {
            let inner = engine.clone();
            engine.spawn(async move {
                let outcome = inner.call(System::Crm, request(), LIMIT).await;
                inner.persist(format!("{name} {}", outcome.is_ok()), None);
            });
        }
        executor.run();
        assert_eq!(said(&engine), ["call 1", "call 2"]);
        engine.settle(CallId(2), Ok(http::Response::new(Bytes::new())));
        engine.settle(CallId(2), Err(Failure::Broken));
        executor.run();
        assert_eq!(said(&engine), ["b true"]);
        engine.settle(CallId(9), Err(Failure::Broken));
        executor.run();
        assert_eq!(said(&engine), Vec::<String>::new());
    }

    #[test]
    fn no_reply_in_time_is_an_outcome() {
        let (engine, mut executor) = start();
        let inner = engine.clone();
        engine.spawn(async move {
            let outcome = inner.call(System::Crm, request(), LIMIT).await;
            inner.persist(format!("{:?}", outcome.err()), None);
        });
        executor.run();
        assert_eq!(engine.next_timer().map(|(at, _)| at.as_second()), Some(30));
        engine.set_now(Timestamp::from_second(30).unwrap());
        engine.wake_due();
        executor.run();
        assert_eq!(said(&engine), ["call 1", "Some(TimedOut)"]);
        assert_eq!(engine.next_timer(), None);
        engine.settle(CallId(1), Ok(http::Response::new(Bytes::new())));
        executor.run();
        assert_eq!(said(&engine), Vec::<String>::new());
    }

    #[test]
    fn turns_are_taken_one_at_a_time_in_the_order_of_asking() {
        let (engine, mut executor) = start();
        for name in ["a", "b"] {
            let inner = engine.clone();
            engine.spawn(async move {
                let turn = inner.turn("t").await;
                inner.persist(format!("{name} in"), None);
                inner
                    .sleep_until(Timestamp::from_second(1).unwrap(), Reason::Retry)
                    .await;
                inner.persist(format!("{name} out"), None);
                drop(turn);
            });
        }
        executor.run();
        assert_eq!(said(&engine), ["a in"]);
        engine.set_now(Timestamp::from_second(1).unwrap());
        engine.wake_due();
        executor.run();
        assert_eq!(said(&engine), ["a out", "b in", "b out"]);
    }
}
