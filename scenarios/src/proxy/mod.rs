//! A reverse proxy that records: it stands between a connector and the systems, keeps the connector on itself, and writes every
//! exchange into a trace without its secrets.
//!
//! It changes nothing but base URLs, and judges nothing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use cosell_sim::site::Site;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::scenario::Crm;

/// Secrets stay out of the trace.
mod redact;
/// Absolute links.
mod links;
/// Rows that calls show.
mod rows;
/// The trace.
mod tape;
/// One exchange.
mod carry;

pub use links::{Route, to_upstream};

use carry::Door;
use tape::Tape;

/// How long those who are being answered are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How long a system may take until its next bytes come: longer than a long poll.
const PATIENCE: Duration = Duration::from_mins(3);
/// How many hosts of Salesforce orgs are met at most.
const INSTANCES_MAX: usize = 16;

/// A system to stand before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Which one it is.
    pub site: Site,
    /// Its base URL: scheme, host, port.
    pub base: String,
    /// The proxy's port for it; a free one when none is named.
    pub port: Option<u16>,
}

/// How to record.
#[derive(Clone)]
pub struct ProxySettings {
    /// The systems.
    pub upstreams: Vec<Upstream>,
    /// The trace.
    pub file: PathBuf,
    /// Whether a file that is there may be replaced.
    pub replace: bool,
    /// Certificates of authorities to trust besides the machine's own, as PEM.
    pub authorities: Vec<Vec<u8>>,
    /// Told what somebody at the terminal should know.
    pub tell: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The trace cannot be written.
    #[error("the trace {path} cannot be written: {source}")]
    Tape {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A port cannot be listened at.
    #[error("the proxy for {site} cannot listen at port {port}: {source}", site = site.name())]
    Port {
        /// For which system.
        site: Site,
        /// The port; 0 for a free one.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// A certificate cannot be read.
    #[error("a certificate of `--ca` cannot be read: {0}")]
    Authority(String),
    /// No connections can be made.
    #[error("no connections can be made: {0}")]
    Client(String),
}

/// What all doors share.
pub(crate) struct Desk {
    tape: Tape,
    client: reqwest::Client,
    routes: Mutex<Vec<Route>>,
    doors: Mutex<JoinSet<()>>,
    stop: watch::Receiver<bool>,
    tell: Arc<dyn Fn(&str) + Send + Sync>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Desk")
            .field("routes", &self.routes())
            .finish_non_exhaustive()
    }
}

/// A proxy that listens.
#[derive(Debug)]
pub struct Proxy {
    desk: Arc<Desk>,
    stop: watch::Sender<bool>,
}

impl Proxy {
    /// Begins the trace and listens. Must be called within a tokio runtime, which then carries the exchanges.
    ///
    /// # Errors
    /// Why nothing can be recorded.
    pub async fn start(settings: &ProxySettings) -> Result<Self, ProxyError> {
        let client = client(settings)?;
        let mut listeners = Vec::new();
        for upstream in &settings.upstreams {
            listeners.push((upstream.clone(), listen(upstream).await?));
        }
        let dynamics = settings
            .upstreams
            .iter()
            .any(|upstream| upstream.site == Site::Dataverse);
        let crm = if dynamics { Crm::Dynamics } else { Crm::Salesforce };
        let tape = Tape::begin(&settings.file, crm, settings.replace).map_err(|source| ProxyError::Tape {
            path: settings.file.clone(),
            source,
        })?;
        let (stop, stopped) = watch::channel(false);
        let desk = Arc::new(Desk {
            tape,
            client,
            routes: Mutex::default(),
            doors: Mutex::default(),
            stop: stopped,
            tell: Arc::clone(&settings.tell),
        });
        for (upstream, listener) in listeners {
            desk.open(upstream.site, &upstream.base, listener);
        }
        Ok(Self { desk, stop })
    }

    /// Where the proxy stands in for which system.
    pub fn routes(&self) -> Vec<Route> {
        self.desk.routes()
    }

    /// Takes no further requests, waits a while for those that are being answered, and ends the trace. Comes back with how many
    /// requests there were.
    ///
    /// # Errors
    /// The first error of writing the trace.
    pub async fn stop(self) -> io::Result<u64> {
        // Nobody listens any more when this fails.
        let _nobody = self.stop.send(true);
        let mut doors = std::mem::take(&mut *self.desk.doors.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while doors.join_next().await.is_some() {} };
        #[expect(clippy::disallowed_methods, reason = "real answers are waited for in real time")]
        let waited = tokio::time::timeout(LAST_ANSWERS, all).await;
        if waited.is_err() {
            (self.desk.tell)("some answers did not come in time; they are missing from the trace");
        }
        doors.abort_all();
        match self.desk.tape.end() {
            (exchanges, None) => Ok(exchanges),
            (_, Some(error)) => Err(error),
        }
    }
}

fn client(settings: &ProxySettings) -> Result<reqwest::Client, ProxyError> {
    crate::preflight::reader::prepare_tls();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(20))
        .read_timeout(PATIENCE);
    for pem in &settings.authorities {
        let certificates =
            reqwest::Certificate::from_pem_bundle(pem).map_err(|error| ProxyError::Authority(reason(&error)))?;
        if certificates.is_empty() {
            return Err(ProxyError::Authority("the file holds none".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| ProxyError::Client(reason(&error)))
}

async fn listen(upstream: &Upstream) -> Result<TcpListener, ProxyError> {
    let port = upstream.port.unwrap_or(0);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| ProxyError::Port {
            site: upstream.site,
            port,
            source,
        })
}

impl Desk {
    fn routes(&self) -> Vec<Route> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, text: &str) {
        (self.tell)(text);
    }

    /// Stands in for a system at a port.
    fn open(self: &Arc<Self>, site: Site, upstream: &str, listener: TcpListener) {
        let address = listener
            .local_addr()
            .unwrap_or_else(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let route = Route {
            site,
            upstream: upstream.trim_end_matches('/').to_owned(),
            local: format!("http://{address}"),
        };
        let door = Door {
            desk: Arc::clone(self),
            site,
            upstream: route.upstream.clone(),
        };
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).push(route);
        let router = Router::new().fallback(carry::carry).with_state(door);
        let mut stop = self.stop.clone();
        let stopped = async move {
            // Gone is as good as told.
            drop(stop.wait_for(|stopped| *stopped).await);
        };
        self.doors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(async move {
                // It has no errors of its own.
                drop(axum::serve(listener, router).with_graceful_shutdown(stopped).await);
            });
    }

    /// A sign-in to Salesforce names the host of the org, which nobody knew before: the proxy stands in for it too.
    async fn meet_instances(self: &Arc<Self>, body: &[u8]) {
        for origin in instances(body) {
            let routes = self.routes();
            let known = routes.iter().any(|route| route.upstream.eq_ignore_ascii_case(&origin));
            if known || routes.len() >= INSTANCES_MAX {
                continue;
            }
            match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
                Ok(listener) => {
                    self.open(Site::Salesforce, &origin, listener);
                    let local = self
                        .routes()
                        .last()
                        .map_or_else(String::new, |route| route.local.clone());
                    self.tell(&format!("salesforce: the sign-in names {origin}; it is at {local}"));
                }
                Err(error) => self.tell(&format!("{origin} cannot be stood in for: {error}")),
            }
        }
    }
}

/// The origins that a sign-in names: `instance_url` of a token reply, `serverUrl` of a SOAP login.
fn instances(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let mut urls: Vec<String> = Vec::new();
    if let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) {
        urls.extend(members.get("instance_url").and_then(Value::as_str).map(str::to_owned));
    }
    let soap = text
        .split_once("<serverUrl>")
        .and_then(|(_, rest)| rest.split_once("</serverUrl>"));
    urls.extend(soap.map(|(url, _)| url.to_owned()));
    urls.iter().filter_map(|url| origin_of(url)).collect()
}

/// Scheme, host and port of a URL.
pub fn origin_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    Some(format!("{scheme}://{}", uri.authority()?))
}

/// Which system a host is, for the vendors' own.
pub fn site_of(origin: &str) -> Option<Site> {
    let host = origin.split("://").nth(1)?.split(':').next()?.to_ascii_lowercase();
    let ends = |end: &str| host == end.trim_start_matches('.') || host.ends_with(end);
    if ends(".microsoftonline.com") || ends(".microsoftonline.us") {
        Some(Site::Entra)
    } else if ends(".partner.microsoft.com")
        || ends(".partnercenter.microsoft.com")
        || ends(".partner.microsoft-ppe.com")
    {
        Some(Site::PartnerCenter)
    } else if ends(".salesforce.com") || ends(".force.com") {
        Some(Site::Salesforce)
    } else if ends(".dynamics.com") {
        Some(Site::Dataverse)
    } else {
        None
    }
}

/// The last cause of an error: the one that says what to look at.
fn reason(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}
