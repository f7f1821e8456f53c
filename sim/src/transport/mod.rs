//! How a request reaches a system: in process, over a loopback socket in lock-step with the event queue, or from anybody
//! on the machine over sockets that stay open.
//!
//! The system's router is the same each way. None of the ways knows latency, faults or virtual time.

use axum::Router;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use tokio::net::TcpListener;

use crate::site::Site;
use crate::systems::Routers;

/// Calls a router as a service.
pub mod in_process;
/// The client half of an exchange over a socket.
mod client;
/// TLS on loopback, with a throw-away certificate authority.
mod tls;
/// Carries exchanges over loopback sockets, one at a time.
pub mod lock_step;
/// The systems as servers for anybody on the machine.
pub mod socket;

use lock_step::LockStep;
use tls::{Certificates, TlsListener};

/// What brings a request to a system and its response back.
#[derive(Debug)]
pub enum Carrier {
    /// The router is called.
    InProcess(Routers),
    /// Each exchange goes over a loopback socket.
    LockStep(Box<LockStep>),
}

/// Why a request got no response at all: a fault of the harness.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// There is no such system here.
    #[error("no system answers for {}", .0.name())]
    NoSystem(Site),
    /// The socket failed.
    #[error("the loopback socket failed: {0}")]
    Socket(#[from] std::io::Error),
}

impl Carrier {
    /// Brings a request to a system; comes back with its response. One at a time.
    pub fn carry(&mut self, site: Site, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, CarryError> {
        match self {
            Self::InProcess(routers) => {
                let way = routers.way(site).ok_or(CarryError::NoSystem(site))?;
                Ok(in_process::ask(way, request))
            }
            Self::LockStep(sockets) if sockets.has(site) => Ok(sockets.carry(site, request)?),
            Self::LockStep(_) => Err(CarryError::NoSystem(site)),
        }
    }

    /// Brings a webhook to the connector's door; comes back with what arrived there. In process nothing has to travel,
    /// and `request` is not even made: that would compute its signature.
    pub fn deliver(
        &mut self,
        request: impl FnOnce() -> http::Request<Bytes>,
    ) -> Result<Option<http::Request<Bytes>>, CarryError> {
        match self {
            Self::InProcess(_) => Ok(None),
            Self::LockStep(sockets) => Ok(Some(sockets.deliver(request())?)),
        }
    }
}

/// A request as it stands on the wire: path and query only, as a server sees it.
fn origin_form(mut request: http::Request<Bytes>) -> http::Request<Bytes> {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(http::Uri::default, http::Uri::from);
    request
}

/// Serves a router until the runtime ends. A response leaves at once, however small its last part is.
async fn server(listener: TcpListener, router: Router) {
    let listener = listener.tap_io(|socket| {
        // An error here is an error of the socket, which the next read reports.
        drop(socket.set_nodelay(true));
    });
    // It never ends by itself, and has no errors of its own.
    drop(axum::serve(listener, router).await);
}

/// The same over TLS.
async fn tls_server(listener: TcpListener, router: Router, certificates: Certificates) {
    if let Ok(listener) = TlsListener::new(listener, &certificates) {
        drop(axum::serve(listener, router).await);
    }
}
