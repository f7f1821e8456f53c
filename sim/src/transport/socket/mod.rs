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
use tower::util::MapResponseLayer;

use crate::clock::Clock;
use crate::ground::Ground;
use crate::happening::{Happening, Row};
use crate::network::hooks::HookSettings;
use crate::partner_center::{ActError, MicrosoftAct};
use crate::seed::Seed;
use crate::site::{Bases, Site};
use crate::systems::{SystemSettings, Systems, audience};

/// Sends webhooks.
mod postman;
/// Moves a manual clock, over HTTP.
mod control;

use super::server;
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
    /// The control port of a manual clock; the operating system chooses when none is named.
    pub control_port: Option<u16>,
    /// How Partner Center delivers webhooks.
    pub hooks: HookSettings,
    /// Told about everything that happens. It must not wait.
    pub watch: Watch,
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
    /// An attempt to deliver a webhook is over.
    Delivered {
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
            hooks: HookSettings::default(),
            watch: Arc::new(|_| {}),
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
            .finish_non_exhaustive()
    }
}

/// Servers that run until this is dropped.
#[derive(Debug)]
pub struct Served {
    ground: Ground,
    systems: Systems,
    postman: Arc<Postman>,
    control: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the servers; they are reachable when this returns. A port that is taken is an error that names it.
pub fn serve(settings: &ServeSettings) -> io::Result<Served> {
    let systems = |ground: &Ground| Systems::new(settings.systems.clone(), ground);
    serve_over(settings, new_ground(settings), systems)
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
    let mut listeners = Vec::new();
    for site in settings.systems.sites() {
        let listener = bind(site.name(), settings.ports.get(&site).copied())?;
        ground.bases.set(site, &url_of(&listener)?);
        listeners.push((site, listener));
    }
    let systems = systems(&ground);
    let postman = Arc::new(Postman::new(settings, ground.clone(), systems.clone()));
    let mut servers: Vec<(TcpListener, Router)> = Vec::new();
    for (site, listener) in listeners {
        if let Some(router) = systems.routers().of(site) {
            servers.push((listener, watched(router.clone(), &postman)));
        }
    }
    let mut control = None;
    if ground.clock.is_manual() {
        let listener = bind("the control port", settings.control_port)?;
        control = Some(url_of(&listener)?);
        servers.push((listener, control::router(Arc::clone(&postman))));
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let working = Arc::clone(&postman);
    let thread = std::thread::Builder::new().name("simulated systems".to_owned());
    let thread = thread.spawn(move || runtime.block_on(run(servers, working, stopped)))?;
    Ok(Served {
        ground,
        systems,
        postman,
        control,
        stop: Some(stop),
        thread: Some(thread),
    })
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
        let done = self.systems.microsoft(act);
        self.postman.collect();
        done
    }

    /// Every stored row of every system, in a fixed order.
    pub fn rows(&self) -> Vec<Row> {
        self.systems.rows()
    }

    /// The base URL of the control port, when the clock is manual: `GET` and `POST /control/clock`.
    pub fn control(&self) -> Option<&str> {
        self.control.as_deref()
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
        if let Some(thread) = self.thread.take() {
            // Whoever panicked there has already said so.
            drop(thread.join());
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when the servers are, which is what is wanted.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
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

/// A router whose systems' happenings are looked at after each response.
fn watched(router: Router, postman: &Arc<Postman>) -> Router {
    let postman = Arc::clone(postman);
    router.layer(MapResponseLayer::new(move |response: axum::response::Response| {
        postman.collect();
        response
    }))
}

async fn run(servers: Vec<(TcpListener, Router)>, postman: Arc<Postman>, stopped: oneshot::Receiver<()>) {
    for (listener, router) in servers {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        // The runtime ends them all when it is dropped.
        drop(tokio::spawn(server(listener, router)));
    }
    drop(tokio::spawn(postman.work()));
    // An error says that nobody can stop the servers any more, so they run for good.
    if stopped.await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
