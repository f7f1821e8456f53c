//! The driver (feature `io`): the only place with a clock and sockets. It carries the core's commands out and brings it
//! what happens.
//!
//! It decides nothing about deals. It speaks http only: everything that it talks to so far is on loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::connector::Connector;
use crate::contract::{Command, Decision, Event};
use crate::id::HookId;
use crate::settings::{Settings, SettingsError};

/// Calls over HTTP.
mod http;
/// Where the core's memory is kept.
pub mod store;
/// The webhook receiver.
pub mod webhook;

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
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            trusted_certificate_hosts: vec!["3psostorageacct.blob.core.windows.net".to_owned()],
            certificate_issuer: "Microsoft Corporation".to_owned(),
        }
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
    mut decided: impl FnMut(&Decision),
    shutdown: impl Future<Output = ()>,
) -> Result<(), DriverError> {
    let client = http::client(&settings).map_err(DriverError::Client)?;
    let (sender, mut incoming) = mpsc::channel(WAITING_EVENTS);
    let (stop, stopped) = oneshot::channel();
    let seed = driver.seed;
    let receiver = webhook::receiver(&settings, driver, client.clone(), sender.clone());
    let serving = tokio::spawn(webhook::serve(listener, receiver, stopped));
    let memory = store.load()?;
    let mut connector = Connector::new(settings, &memory, seed, now())?;
    let mut loop_state = Loop {
        store,
        client,
        sender,
        answers: BTreeMap::new(),
        last_hook: 0,
    };
    let mut shutdown = std::pin::pin!(shutdown);
    let result = loop {
        if let Err(error) = loop_state.carry_out(&mut connector, &mut decided) {
            break Err(error.into());
        }
        let timer = connector.poll_timeout().map(|(at, _)| at);
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            Some(next) = incoming.recv() => {
                let event = loop_state.event(next);
                connector.handle_event(event, now());
            }
            () = until(timer) => connector.handle_timeout(now()),
        }
    };
    // The receiver may be gone already: then there is nobody to stop.
    let _gone = stop.send(());
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
    fn carry_out(&mut self, connector: &mut Connector, decided: &mut impl FnMut(&Decision)) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        while let Some(command) = connector.poll_command() {
            if let Command::Persist { key, value } = command {
                entries.push((key, value));
                continue;
            }
            self.keep(&mut entries)?;
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
        self.keep(&mut entries)
    }

    fn keep(&mut self, entries: &mut Vec<(String, Option<String>)>) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.store.keep(std::mem::take(entries))
    }

    fn event(&mut self, incoming: Incoming) -> Event {
        match incoming {
            Incoming::Event(event) => event,
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
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the driver is the place where time comes from the wall"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits until a time has come; for ever without one.
#[expect(
    clippy::disallowed_methods,
    reason = "the driver is the place where time comes from the wall"
)]
async fn until(at: Option<Timestamp>) {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    let left = Duration::try_from(at.duration_since(now())).unwrap_or_default();
    tokio::time::sleep(left).await;
}
