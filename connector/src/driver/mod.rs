//! The driver (feature `io`): the only place with a clock and sockets. It carries the core's commands out and brings it
//! what happens.
//!
//! It decides nothing about deals.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::connector::Connector;
use crate::contract::{Command, Decision, Event, Memory};
use crate::deal::canon;
use crate::flow::FlowAct;
use crate::id::HookId;
use crate::settings::{Settings, SettingsError};

/// Calls over HTTP.
mod http;
/// Where the core's memory is kept.
pub mod store;
/// The core's memory in a SQLite file.
pub mod sqlite;
/// The status page.
mod status;
/// Which certificates may sign webhooks.
mod certificate;
/// The webhook receiver.
pub mod webhook;

use status::Question;
use store::{Store, StoreError};

/// How many events may wait for the core.
const WAITING_EVENTS: usize = 1024;

/// What the driver needs to know beyond the connector's settings.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// The seed of the core's jitter.
    pub seed: u64,
    /// From which hosts a webhook's certificate may come; with a port where it is not the scheme's own.
    pub trusted_certificate_hosts: Vec<String>,
    /// What the certificate's issuer must name as its organisation (partner-center.md section 6.3).
    pub certificate_issuer: String,
    /// Authorities in PEM, beyond the machine's own, that may vouch for the systems' servers.
    pub authorities: Vec<Vec<u8>>,
    /// Certificates in DER that may vouch for a webhook's certificate, beside the authorities that the machine trusts.
    pub certificate_roots: Vec<Vec<u8>>,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            trusted_certificate_hosts: vec!["3psostorageacct.blob.core.windows.net".to_owned()],
            certificate_issuer: "Microsoft Corporation".to_owned(),
            authorities: Vec::new(),
            certificate_roots: Vec::new(),
        }
    }
}

impl DriverSettings {
    /// Adds the certificates of a file in DER or PEM to the roots; whether there was one.
    pub fn add_roots(&mut self, file: &[u8]) -> bool {
        let found = certificate::certificates(file);
        let any = !found.is_empty();
        self.certificate_roots.extend(found);
        any
    }
}

/// Why the driver stopped before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// What must be durable cannot be kept: going on would risk to do things twice.
    #[error("the connector's memory cannot be kept")]
    Store(#[from] StoreError),
    /// The machine's clock stands far behind the time that the memory has seen.
    #[error(
        "the machine's clock says {now}, but the connector's memory has seen {seen}: set the clock, then start again"
    )]
    ClockBack {
        /// What the clock says.
        now: Timestamp,
        /// The latest time in the memory.
        seen: Timestamp,
    },
    /// The webhook receiver cannot be set up.
    #[error("the webhook receiver cannot be set up")]
    Receiver(#[source] std::io::Error),
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// What reaches the loop from outside.
pub(crate) enum Incoming {
    /// Something for the core.
    Event(Event),
    /// A webhook, and where its answer goes.
    Hook {
        body: bytes::Bytes,
        signature: crate::contract::Signature,
        answer: oneshot::Sender<u16>,
    },
    /// Something that a person does with the flows.
    Flow(FlowAct),
    /// Somebody asks how it goes.
    Question {
        question: Question,
        answer: oneshot::Sender<serde_json::Value>,
    },
}

/// Runs the connector until told to stop. Needs a tokio runtime with net and time; one thread is enough.
///
/// `listener` receives the webhooks; `decided` is shown every decision. On the way out nothing is undone: what was under
/// way is found again at the next start.
pub async fn run<S: Store>(
    settings: Settings,
    driver: DriverSettings,
    store: &mut S,
    listener: TcpListener,
    decided: impl FnMut(&Decision),
    shutdown: impl Future<Output = ()>,
) -> Result<(), DriverError> {
    let listeners = Listeners {
        hooks: listener,
        status: None,
    };
    run_with_status(settings, driver, store, listeners, decided, shutdown).await
}

/// Where the connector listens.
#[derive(Debug)]
pub struct Listeners {
    /// For webhooks.
    pub hooks: TcpListener,
    /// For questions about how it goes. Whoever can reach it can turn flows off: it belongs on loopback.
    pub status: Option<TcpListener>,
}

/// The same with a status page.
pub async fn run_with_status<S: Store>(
    settings: Settings,
    driver: DriverSettings,
    store: &mut S,
    listeners: Listeners,
    mut decided: impl FnMut(&Decision),
    shutdown: impl Future<Output = ()>,
) -> Result<(), DriverError> {
    let client = http::client(&settings, &driver.authorities).map_err(DriverError::Client)?;
    let (sender, mut incoming) = mpsc::channel(WAITING_EVENTS);
    let (stop, stopped) = oneshot::channel();
    let seed = driver.seed;
    let receiver = webhook::receiver(&settings, driver, client.clone(), sender.clone());
    let serving = tokio::spawn(webhook::serve(listeners.hooks, receiver, stopped));
    let (stop_status, status_stopped) = oneshot::channel();
    let status = listeners.status.map(|listener| {
        let router = status::router(sender.clone());
        tokio::spawn(webhook::serve(listener, router, status_stopped))
    });
    let memory = store.load()?;
    let mut clock = Clock::start(&memory)?;
    let mut connector = Connector::new(settings, &memory, seed, clock.now())?;
    drop(memory);
    let mut loop_state = Loop {
        store,
        client,
        sender,
        answers: BTreeMap::new(),
        last_hook: 0,
    };
    let mut shutdown = std::pin::pin!(shutdown);
    let result = loop {
        if let Err(error) = loop_state.carry_out(&mut connector, &mut decided, clock.now()) {
            break Err(error.into());
        }
        let timer = connector.poll_timeout().map(|(at, _)| at);
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            Some(next) = incoming.recv() => {
                if let Some(event) = loop_state.event(next, &connector) {
                    connector.handle_event(event, clock.now());
                }
            }
            () = until(timer, clock.now()) => connector.handle_timeout(clock.now()),
        }
    };
    // The receiver may be gone already: then there is nobody to stop.
    let _gone = stop.send(());
    if let Some(status) = status {
        let _gone = stop_status.send(());
        // What the page could not answer any more is nobody's loss.
        drop(status.await);
    }
    match serving.await {
        Ok(Err(error)) if result.is_ok() => Err(DriverError::Receiver(error)),
        _ => result,
    }
}

/// What the loop holds.
struct Loop<'a, S> {
    store: &'a mut S,
    client: reqwest::Client,
    sender: mpsc::Sender<Incoming>,
    answers: BTreeMap<HookId, oneshot::Sender<u16>>,
    last_hook: u64,
}

impl<S: Store> Loop<'_, S> {
    /// Carries out everything that the core wants done. What must be kept is kept, together, before what comes after it.
    fn carry_out(
        &mut self,
        connector: &mut Connector,
        decided: &mut impl FnMut(&Decision),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        while let Some(command) = connector.poll_command() {
            if let Command::Persist { key, value } = command {
                entries.push((key, value));
                continue;
            }
            self.keep(&mut entries, now)?;
            match command {
                Command::Call { call, request, .. } => {
                    let (client, sender) = (self.client.clone(), self.sender.clone());
                    tokio::spawn(async move {
                        let event = http::exchange(&client, call, request).await;
                        // The loop may have stopped: then nobody waits for the reply.
                        let _unheard = sender.send(Incoming::Event(event)).await;
                    });
                }
                Command::Answer { hook, status } => {
                    if let Some(answer) = self.answers.remove(&hook) {
                        // Partner Center may have hung up: it will deliver again.
                        let _unheard = answer.send(status);
                    }
                }
                Command::Record(decision) => decided(&decision),
                Command::Persist { .. } => {}
            }
        }
        self.keep(&mut entries, now)
    }

    fn keep(&mut self, entries: &mut Vec<(String, Option<String>)>, now: Timestamp) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        entries.push((SEEN.to_owned(), Some(now.to_string())));
        self.store.keep(std::mem::take(entries))
    }

    /// What the core is told; nothing when it is only asked.
    fn event(&mut self, incoming: Incoming, connector: &Connector) -> Option<Event> {
        Some(match incoming {
            Incoming::Event(event) => event,
            Incoming::Flow(act) => Event::Flow(act),
            Incoming::Question { question, answer } => {
                // Whoever asked may have hung up.
                let _unheard = answer.send(connector.answer(question));
                return None;
            }
            Incoming::Hook {
                body,
                signature,
                answer,
            } => {
                self.last_hook += 1;
                let hook = HookId(self.last_hook);
                self.answers.insert(hook, answer);
                Event::Hook { hook, body, signature }
            }
        })
    }
}

/// Under what the latest time that was seen is kept.
const SEEN: &str = "driver/seen";
/// How far the machine's clock may stand behind the memory: then time stands still until it has caught up.
const STANDS_STILL: SignedDuration = SignedDuration::from_mins(10);

/// The clock of a process: it starts at the machine's time and never goes back, whatever becomes of that.
#[derive(Debug)]
struct Clock {
    start: Timestamp,
    since: Instant,
    latest: Timestamp,
    warned: bool,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver is the place where time comes from the wall"
    )]
    fn start(memory: &Memory) -> Result<Self, DriverError> {
        let now = Timestamp::now();
        let seen = memory.get(SEEN).and_then(|seen| seen.parse().ok()).unwrap_or(now);
        if canon::after(now, STANDS_STILL) < seen {
            return Err(DriverError::ClockBack { now, seen });
        }
        Ok(Self {
            start: now,
            since: Instant::now(),
            latest: now.max(seen),
            warned: false,
        })
    }

    /// The time. A clock that somebody sets is followed forwards; backwards it is told once, and time goes on as it did.
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver is the place where time comes from the wall"
    )]
    fn now(&mut self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or_default();
        let counted = canon::after(self.start, passed);
        let wall = Timestamp::now();
        if wall < canon::after(counted, -STANDS_STILL) && !self.warned {
            self.warned = true;
            tracing::warn!(%wall, %counted, "the machine's clock was set back; the connector goes on counting");
        }
        self.latest = self.latest.max(counted).max(wall);
        self.latest
    }
}

/// Waits until a time has come; for ever without one.
#[expect(
    clippy::disallowed_methods,
    reason = "the driver is the place where time comes from the wall"
)]
async fn until(at: Option<Timestamp>, now: Timestamp) {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    let left = Duration::try_from(at.duration_since(now)).unwrap_or_default();
    tokio::time::sleep(left).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ahead: SignedDuration) -> Memory {
        let mut memory = Memory::default();
        let mut clock = Clock::start(&memory).unwrap();
        memory.apply(SEEN.to_owned(), Some(canon::after(clock.now(), ahead).to_string()));
        memory
    }

    #[test]
    fn a_clock_that_was_set_back_a_little_stands_still_and_one_far_behind_is_refused() {
        let memory = seen(SignedDuration::from_mins(5));
        let latest: Timestamp = memory.get(SEEN).unwrap().parse().unwrap();
        let mut clock = Clock::start(&memory).unwrap();
        assert_eq!((clock.now(), clock.now()), (latest, latest));
        let error = Clock::start(&seen(SignedDuration::from_hours(1))).unwrap_err();
        assert!(matches!(error, DriverError::ClockBack { .. }), "{error}");
        assert!(error.to_string().contains("set the clock, then start again"));
    }
}
