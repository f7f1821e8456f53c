//! The systems as servers on loopback ports, for anybody on the machine: `cosell serve`.
//!
//! There is no event queue in between: requests are answered as they come. Webhooks are really sent and really signed.
//! Time is the wall's, or stands still until the control port moves it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::delivery_log::DeliveryLog;
use crate::fault::Rule;
use crate::ground::Ground;
use crate::happening::{Happening, Row};
use crate::network::hooks::HookSettings;
use crate::network::wire::{WireRequest, WireResponse};
use crate::partner_center::{ActError, MicrosoftAct};
use crate::seed::Seed;
use crate::site::{Bases, Site};
use crate::systems::{SystemSettings, Systems, audience};

/// Faults that were asked for.
mod fault_book;
/// Sends webhooks.
mod postman;
/// Answers that may come later.
mod patience;
/// Journal, faults, and what stands behind them.
mod desk;
/// Tells the watch about calls.
mod onlooker;
/// People at their screens, beside the ports.
mod screens;
/// The control API.
mod control;

use super::tls::Certificates;
use super::{server, tls_server};
use desk::Desk;
use fault_book::FaultBook;
use onlooker::Onlooker;
use postman::Postman;

/// What decides a set of servers.
#[derive(Clone)]
pub struct ServeSettings {
    /// The seed of identifiers and tokens.
    pub seed: Seed,
    /// Whose time it is.
    pub clock: ServeClock,
    /// Which systems exist, and how each is set.
    pub systems: SystemSettings,
    /// The port of each site; the operating system chooses where none is named.
    pub ports: BTreeMap<Site, u16>,
    /// The control port; the operating system chooses when none is named.
    pub control_port: Option<u16>,
    /// Whether the systems speak TLS, with certificates of a throw-away authority, on `https://localhost:PORT`. The
    /// control port never does.
    pub tls: bool,
    /// How Partner Center delivers webhooks.
    pub hooks: HookSettings,
    /// Told about everything that happens. It must not wait.
    pub watch: Watch,
    /// Whether the watch is told about calls as well. Their bodies are read for it, which takes time.
    pub watch_calls: bool,
}

/// Whose time the servers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServeClock {
    /// The machine's.
    Wall,
    /// Nobody's: it starts here, and moves when the control port says so.
    Manual(Timestamp),
}

/// Told about everything that happens on the servers.
pub type Watch = Arc<dyn Fn(&Seen<'_>) + Send + Sync>;

/// What a [`Watch`] is told.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A system did something.
    Happening(&'a Happening),
    /// A rule decided the fate of an attempt to deliver a webhook.
    Faulted {
        /// The event's name.
        event: &'a str,
        /// The attempt, from 1.
        attempt: u32,
        /// The fate: `lose-reply`, `delay 20s`.
        fate: &'a str,
        /// The rule's name.
        rule: &'a str,
    },
    /// A call arrived, before anything comes of it. Only with [`ServeSettings::watch_calls`].
    Called {
        /// Its number, from 1.
        call: u64,
        /// The system.
        site: Site,
        /// The user behind the token; none without a valid one.
        who: Option<&'a str>,
        /// The request; tokens and secrets are left out.
        request: &'a WireRequest,
    },
    /// A rule or a fault decided the fate of a call.
    CallFaulted {
        /// The call's number.
        call: u64,
        /// The fate: `lose-reply`, `delay 20s`.
        fate: &'a str,
        /// The rule's name.
        rule: &'a str,
    },
    /// A call is over, as far as the system is concerned.
    Answered {
        /// The call's number.
        call: u64,
        /// The response; none when the request was lost.
        response: Option<&'a WireResponse>,
        /// Whether the system gave it, and not something on the way.
        by_system: bool,
        /// Whether it goes back to the caller; a lost one does not.
        returns: bool,
    },
    /// An attempt to deliver a webhook is over.
    Delivered {
        /// The delivery's number; none when nobody owes it.
        number: Option<u64>,
        /// The event's name.
        event: &'a str,
        /// Where it went.
        url: &'a str,
        /// The attempt, from 1.
        attempt: u32,
        /// The status, or why there is none.
        outcome: Result<u16, &'a str>,
        /// Whether there will be no further attempt although it failed.
        abandoned: bool,
    },
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            clock: ServeClock::Wall,
            systems: SystemSettings::default(),
            ports: BTreeMap::new(),
            control_port: None,
            tls: false,
            hooks: HookSettings::default(),
            watch: Arc::new(|_| {}),
            watch_calls: false,
        }
    }
}

impl std::fmt::Debug for ServeSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServeSettings")
            .field("seed", &self.seed)
            .field("clock", &self.clock)
            .field("ports", &self.ports)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Servers that run until this is dropped.
#[derive(Debug)]
pub struct Served {
    ground: Ground,
    desk: Arc<Desk>,
    control: String,
    certificates: Option<Certificates>,
    stops: Vec<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the servers; they are reachable when this returns. A port that is taken is an error that names it.
pub fn serve(settings: &ServeSettings) -> io::Result<Served> {
    let mut settings = settings.clone();
    // Nobody here could bring a webhook to anything else.
    settings.systems.partner_center.hooks_over_http_only = true;
    let systems = |ground: &Ground| Systems::new(settings.systems.clone(), ground);
    serve_over(&settings, new_ground(&settings), systems)
}

fn new_ground(settings: &ServeSettings) -> Ground {
    let clock = match settings.clock {
        ServeClock::Wall => Clock::wall(),
        ServeClock::Manual(start) => Clock::manual(start),
    };
    Ground::new(clock, settings.seed)
}

/// Serves systems of the caller's own. They are made when the base URLs are known.
fn serve_over(
    settings: &ServeSettings,
    ground: Ground,
    systems: impl FnOnce(&Ground) -> Systems,
) -> io::Result<Served> {
    let certificates = settings
        .tls
        .then(|| Certificates::new(Clock::wall().now()))
        .transpose()?;
    let mut listeners = Vec::new();
    for site in settings.systems.sites() {
        let listener = bind(site.name(), settings.ports.get(&site).copied())?;
        let base = match certificates {
            Some(_) => match listener.local_addr()?.port() {
                // Clients leave out the port that goes without saying, and compare.
                443 => "https://localhost".to_owned(),
                port => format!("https://localhost:{port}"),
            },
            None => url_of(&listener)?,
        };
        ground.bases.set(site, &base);
        listeners.push((site, listener));
    }
    let systems = systems(&ground);
    let faults = Arc::new(FaultBook::default());
    let postman = Postman::new(settings, ground.clone(), systems.clone(), Arc::clone(&faults));
    let postman = Arc::new(postman);
    let desk = Desk::new(
        ground.clone(),
        systems,
        settings.systems.clone(),
        Arc::clone(&postman),
        faults,
        Onlooker::new(settings, &ground),
    );
    let desk = Arc::new(desk);
    let mut servers: Vec<Server> = Vec::new();
    for (site, listener) in listeners {
        if desk.systems().routers().of(site).is_some() {
            servers.push((listener, desk.router(site), certificates.clone()));
        }
    }
    let listener = bind("the control port", settings.control_port)?;
    let control = url_of(&listener)?;
    servers.push((listener, control::router(Arc::clone(&desk)), None));
    let (mut stops, mut threads) = (Vec::new(), Vec::new());
    for number in 0..workers() {
        let mut shared = Vec::new();
        for (listener, router, certificates) in &servers {
            shared.push((listener.try_clone()?, router.clone(), certificates.clone()));
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        // One of them does what happens without a request.
        let working = (number == 0).then(|| Arc::clone(&postman));
        let thread = std::thread::Builder::new().name("simulated systems".to_owned());
        threads.push(thread.spawn(move || runtime.block_on(run(shared, working, stopped)))?);
        stops.push(stop);
    }
    Ok(Served {
        ground,
        desk,
        control,
        certificates,
        stops,
        threads,
    })
}

/// What listens, what answers there, and with which certificates when it speaks TLS.
type Server = (TcpListener, Router, Option<Certificates>);

/// How many threads serve. Each has a runtime of its own and accepts from the same ports, so a connection stays on one
/// thread.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8))
}

impl Served {
    /// Where each system lives.
    pub fn bases(&self) -> &Bases {
        &self.ground.bases
    }

    /// What the systems stand on: clock, base URLs, users.
    pub fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Microsoft does something in Partner Center; gives back the id of the partner's referral.
    pub fn microsoft(&self, act: MicrosoftAct) -> Result<String, ActError> {
        let done = self.desk.systems().microsoft(act);
        self.desk.postman().collect();
        done
    }

    /// Adds a rule about webhooks behind those that are there: duplicates, delay, reordering, loss, an answer from the way.
    /// Calls are not subject to it.
    pub fn add_hook_rule(&self, rule: Box<dyn Rule + Send>) {
        self.desk.postman().add_rule(rule);
    }

    /// Adds a rule about calls and webhooks alike, behind those that the control port added.
    pub fn add_rule(&self, rule: Box<dyn Rule + Send>) {
        self.desk.faults().add_rule(rule);
    }

    /// Removes every rule and every fault. What is delayed keeps its time.
    pub fn heal(&self) {
        self.desk.faults().heal();
        self.heal_hooks();
    }

    /// Removes every rule about webhooks. What is delayed keeps its time.
    pub fn heal_hooks(&self) {
        self.desk.postman().heal();
    }

    /// Every webhook that was owed, each attempt, and how it ended; the offline queue included.
    pub fn deliveries(&self) -> &DeliveryLog {
        &self.ground.deliveries
    }

    /// Every stored row of every system, in a fixed order.
    pub fn rows(&self) -> Vec<Row> {
        self.desk.systems().rows()
    }

    /// The base URL of the control port; `GET /control/openapi.json` says what it can do.
    pub fn control(&self) -> &str {
        &self.control
    }

    /// The certificate of the authority that a client must trust, as PEM, when the systems speak TLS.
    pub fn authority(&self) -> Option<&str> {
        self.certificates.as_ref().map(Certificates::authority)
    }

    /// A token of that user for the URLs of a site, good for 30 days. None for Entra ID, which needs none, and for
    /// unknown users. Partner Center's registration of webhooks wants another one than its referrals: name a path.
    pub fn token(&self, who: &str, site: Site, path: &str) -> Option<String> {
        let audience = audience(site, &path.parse().ok()?, &self.ground.bases)?;
        let prefix = if site == Site::Salesforce {
            "00Dserve!"
        } else {
            "serve-"
        };
        let lifetime = SignedDuration::from_hours(30 * 24);
        self.ground.authority.issue(who, &audience, lifetime, false, prefix)
    }

    /// Blocks for as long as the servers run.
    pub fn wait(mut self) {
        for thread in self.threads.drain(..) {
            // Whoever panicked there has already said so.
            drop(thread.join());
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        for stop in self.stops.drain(..) {
            // The receiver is gone when the servers are, which is what is wanted.
            let _ = stop.send(());
        }
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn bind(whose: &str, port: Option<u16>) -> io::Result<TcpListener> {
    let port = port.unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        let message = if error.kind() == io::ErrorKind::AddrInUse {
            format!("port {port}, wanted for {whose}, is in use")
        } else {
            format!("cannot listen on port {port} for {whose}: {error}")
        };
        io::Error::new(error.kind(), message)
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn url_of(listener: &TcpListener) -> io::Result<String> {
    let address: SocketAddr = listener.local_addr()?;
    Ok(format!("http://{address}"))
}

async fn run(servers: Vec<Server>, postman: Option<Arc<Postman>>, stopped: oneshot::Receiver<()>) {
    for (listener, router, certificates) in servers {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        // The runtime ends them all when it is dropped.
        drop(match certificates {
            Some(certificates) => tokio::spawn(tls_server(listener, router, certificates)),
            None => tokio::spawn(server(listener, router)),
        });
    }
    if let Some(postman) = postman {
        drop(tokio::spawn(postman.work()));
    }
    // An error says that nobody can stop the servers any more, so they run for good.
    if stopped.await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
