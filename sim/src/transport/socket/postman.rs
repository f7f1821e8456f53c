//! Sends webhooks over real sockets, and lets the systems do what they do unasked.
//!
//! On the wall clock it works by itself; a manual clock lets it work while the control port moves the time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri};
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use super::fault_book::FaultBook;
use super::{Seen, ServeSettings, Watch};
use crate::delivery_log::Attempt;
use crate::fault::{Exchange, ExchangeKind, Fate, Rule};
use crate::ground::Ground;
use crate::happening::{Happening, Hook};
use crate::network::hooks::{self, AfterAttempt, HookSettings};
use crate::network::queue::Queue;
use crate::network::{Network, after, draw};
use crate::partner_center::signature;
use crate::seed::Stream;
use crate::systems::{Systems, hook_certificate_url};
use crate::transport::client::Connection;

/// How many webhooks may wait for their time.
const QUEUE_LIMIT: usize = 100_000;
/// How many attempts may be under way at once.
const AT_ONCE: usize = 64;

/// Everything that happens on the servers without a request.
pub(super) struct Postman {
    ground: Ground,
    systems: RwLock<Systems>,
    hooks: HookSettings,
    watch: Watch,
    state: Mutex<State>,
    /// Faults that were asked for over the control port: asked before the rules.
    faults: Arc<FaultBook>,
    /// What the rules do to webhooks.
    network: Mutex<Network>,
    /// Rung when something new may be due.
    bell: Notify,
    under_way: Arc<Semaphore>,
    /// Held while the control port moves the time.
    moving: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Postman {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Postman")
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}

struct State {
    queue: Queue<Letter>,
    chance: Stream,
}

/// One attempt to deliver a webhook.
#[derive(Clone, Debug)]
struct Letter {
    hook: Arc<Hook>,
    attempt: u32,
    /// The rules have been asked about this attempt.
    decided: bool,
    /// Made by the network: nobody tries again, and nobody writes it down.
    copy: bool,
}

impl Letter {
    fn new(hook: Arc<Hook>, attempt: u32) -> Self {
        Self {
            hook,
            attempt,
            decided: false,
            copy: false,
        }
    }
}

impl Postman {
    pub(super) fn new(settings: &ServeSettings, ground: Ground, systems: Systems, faults: Arc<FaultBook>) -> Self {
        let ground_seed = ground.seed;
        let state = State {
            queue: Queue::new(QUEUE_LIMIT),
            chance: ground.seed.stream("webhook delay"),
        };
        Self {
            ground,
            systems: RwLock::new(systems),
            hooks: settings.hooks.clone(),
            watch: Arc::clone(&settings.watch),
            network: Mutex::new(Network::new(ground_seed, (Duration::ZERO, Duration::ZERO))),
            state: Mutex::new(state),
            faults,
            bell: Notify::new(),
            under_way: Arc::new(Semaphore::new(AT_ONCE)),
            moving: tokio::sync::Mutex::new(()),
        }
    }

    /// Looks at what the systems noted.
    pub(super) fn collect(&self) {
        let happenings = self.ground.happenings.drain();
        if happenings.is_empty() {
            return;
        }
        for happening in happenings {
            (self.watch)(&Seen::Happening(&happening));
            if let Happening::HookDue(hook) = happening {
                let delay = draw(&mut self.lock().chance, self.hooks.delay);
                let hook = Arc::new(hook);
                self.put(Letter::new(hook, 1), delay);
            }
        }
        self.bell.notify_one();
    }

    /// Lets other systems take the place of those that are here; what was on its way is forgotten.
    pub(super) fn start_over(&self, systems: Systems) {
        *self.systems.write().unwrap_or_else(PoisonError::into_inner) = systems;
        self.lock().queue = Queue::new(QUEUE_LIMIT);
    }

    fn systems(&self) -> Systems {
        self.systems.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let letter = self.lock().queue.next_due();
        [letter, self.systems().next_due()].into_iter().flatten().min()
    }

    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        self.ground.clock.now()
    }

    /// Works for good on the wall clock. On a manual clock there is nothing to do between two moves.
    pub(super) async fn work(self: Arc<Self>) {
        while !self.ground.clock.is_manual() {
            let now = self.now();
            match self.next_due() {
                Some(due) if due <= now => {
                    if let Some(letter) = self.take_due(now) {
                        self.bring_aside(letter).await;
                    }
                }
                Some(due) => {
                    let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
                    tokio::select! {
                        () = rest(wait) => {}
                        () = self.bell.notified() => {}
                    }
                }
                None => self.bell.notified().await,
            }
        }
    }

    /// Moves a manual clock, and does on the way what becomes due, one thing after the other.
    pub(super) async fn move_to(&self, to: Timestamp) {
        let _only_one = self.moving.lock().await;
        while let Some(due) = self.next_due().filter(|due| *due <= to) {
            self.ground.clock.advance_to(due);
            if let Some(letter) = self.take_due(self.now()) {
                self.bring(letter).await;
            }
        }
        self.ground.clock.advance_to(to);
    }

    /// Lets the systems do what is due, and takes the first letter that is.
    fn take_due(&self, now: Timestamp) -> Option<Letter> {
        let systems = self.systems();
        if systems.next_due().is_some_and(|due| due <= now) {
            systems.run_due(now);
            self.collect();
        }
        let mut state = self.lock();
        if state.queue.next_due().is_some_and(|due| due <= now) {
            state.queue.pop().map(|(_, letter)| letter)
        } else {
            None
        }
    }

    /// Brings a letter without waiting for its end, so that a slow receiver delays nobody else's.
    async fn bring_aside(self: &Arc<Self>, letter: Letter) {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&self.under_way).acquire_owned().await else {
            return;
        };
        let postman = Arc::clone(self);
        drop(tokio::spawn(async move {
            postman.bring(letter).await;
            drop(permit);
        }));
    }

    async fn bring(&self, mut letter: Letter) {
        let fate = if letter.decided {
            Fate::Pass
        } else {
            self.decide(&letter)
        };
        letter.decided = true;
        let outcome = match fate {
            Fate::Pass | Fate::Without(_) | Fate::CutReply | Fate::GarbleRow => self.post(&letter.hook).await,
            Fate::Delay(by) => {
                self.put(letter, by);
                self.bell.notify_one();
                return;
            }
            Fate::LoseRequest => Err("lost on the way".to_owned()),
            Fate::LoseReply => {
                let answered = self.post(&letter.hook).await;
                answered.and(Err("the answer was lost on the way".to_owned()))
            }
            Fate::Duplicate(later) => {
                let copy = Letter {
                    copy: true,
                    ..letter.clone()
                };
                self.put(copy, later);
                self.bell.notify_one();
                self.post(&letter.hook).await
            }
            Fate::Answer(response) => Ok(response.status().as_u16()),
        };
        self.brought(letter, &outcome);
    }

    /// What follows an attempt.
    fn brought(&self, letter: Letter, outcome: &Result<u16, String>) {
        let Letter {
            hook, attempt, copy, ..
        } = letter;
        let next = self.hooks.follow(&hook, attempt, outcome.as_ref().ok().copied());
        (self.watch)(&Seen::Delivered {
            number: hook.number,
            event: &hook.event,
            url: &hook.url,
            attempt,
            outcome: outcome.as_ref().map(|status| *status).map_err(String::as_str),
            abandoned: next == AfterAttempt::Abandoned,
        });
        if copy {
            return;
        }
        self.write_down(&hook, outcome, next);
        if let AfterAttempt::AgainAfter(pause) = next {
            self.put(Letter::new(hook, attempt + 1), pause);
            self.bell.notify_one();
        }
    }

    /// What the rules do to an attempt.
    fn decide(&self, letter: &Letter) -> Fate {
        let Ok(uri) = letter.hook.url.parse::<Uri>() else {
            return Fate::Pass;
        };
        let exchange = Exchange {
            number: letter.hook.number.unwrap_or_default(),
            site: letter.hook.site(),
            kind: ExchangeKind::Delivery,
            method: &Method::POST,
            uri: &uri,
            body: letter.hook.body.as_bytes(),
            event: Some(&letter.hook.event),
            sent: self.now(),
            attempt: letter.attempt,
        };
        let (fate, rule) = match self.faults.decide(&exchange) {
            (Fate::Pass, _) => {
                let decided = self.network().decide(&exchange);
                (decided.fate, decided.rule)
            }
            asked_for => asked_for,
        };
        if let Some(rule) = &rule {
            (self.watch)(&Seen::Faulted {
                event: &letter.hook.event,
                attempt: letter.attempt,
                fate: &fate.words(),
                rule,
            });
        }
        fate
    }

    /// Adds a rule about webhooks behind those that are there.
    pub(super) fn add_rule(&self, rule: Box<dyn Rule + Send>) {
        self.network().add_rule(rule);
    }

    /// Removes every rule. What is delayed keeps its time.
    pub(super) fn heal(&self) {
        self.network().heal();
    }

    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_down(&self, hook: &Hook, outcome: &Result<u16, String>, next: AfterAttempt) {
        let Some(number) = hook.number else { return };
        let attempt = Attempt {
            at: self.now(),
            status: outcome.as_ref().ok().copied(),
            problem: outcome.as_ref().err().cloned(),
        };
        self.ground.deliveries.attempted(number, attempt, next.state());
    }

    /// One attempt: the status, or why there is none.
    async fn post(&self, hook: &Hook) -> Result<u16, String> {
        let uri: Uri = hook.url.parse().map_err(|_| "not a URL".to_owned())?;
        if uri.scheme_str() != Some("http") {
            return Err("only http:// can be reached".to_owned());
        }
        let body = Bytes::copy_from_slice(hook.body.as_bytes());
        let certificate_url = hook_certificate_url(&self.ground);
        let mut request = http::Request::new(body);
        *request.method_mut() = Method::POST;
        let signed = hook.manner.is_none().then(|| signature::sign(hook.body.as_bytes()));
        *request.headers_mut() = hooks::headers(hook, &certificate_url, signed.as_deref());
        *request.uri_mut() = uri;
        let patience = self.hooks.patience(hook);
        let answer = within(patience, exchange(request)).await;
        let answer = answer.ok_or_else(|| format!("no answer within {patience:?}"))?;
        answer.map_err(|error| error.to_string())
    }

    fn put(&self, letter: Letter, wait: Duration) {
        let due = after(self.now(), wait);
        let (event, number) = (letter.hook.event.clone(), letter.hook.number);
        let (url, attempt) = (letter.hook.url.clone(), letter.attempt);
        let full = self.lock().queue.push(due, letter).err().map(|full| full.to_string());
        if let Some(full) = &full {
            if let Some(number) = number {
                self.ground.deliveries.given_up(number);
            }
            let (event, url) = (event.as_str(), url.as_str());
            let outcome = Err(full.as_str());
            (self.watch)(&Seen::Delivered {
                number,
                event,
                url,
                attempt,
                outcome,
                abandoned: true,
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn exchange(request: http::Request<Bytes>) -> std::io::Result<u16> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    let port = request.uri().port_u16().unwrap_or(80);
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let mut connection = Connection::over(socket).await?;
    Ok(connection.exchange(request).await?.status().as_u16())
}

#[expect(clippy::disallowed_methods, reason = "servers on the wall clock wait in real time")]
pub(super) async fn rest(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[expect(clippy::disallowed_methods, reason = "a real receiver is waited for in real time")]
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
