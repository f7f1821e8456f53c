//! Carries each exchange over a real loopback socket while the event queue waits: one exchange in flight, virtual time.
//!
//! The systems keep their vendors' URLs: only the socket's address differs from what a trace shows. So a run on sockets
//! gives the same observations as a run in process, byte for byte, and a difference is a difference of the wire.
//!
//! Servers and client share one runtime on the caller's own thread, which runs only while an exchange is carried.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use bytes::Bytes;
use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::client::Connection;
use super::server;
use crate::site::Site;
use crate::systems::Routers;

/// The servers of a world on loopback ports, and a connection to each.
#[derive(Debug)]
pub struct LockStep {
    sites: Vec<(Site, Port)>,
    /// Stands where the connector listens for webhooks.
    connector: Port,
    arrived: Arrived,
    runtime: Runtime,
}

/// One server's address, and the connection to it once there is one.
#[derive(Debug)]
struct Port {
    address: SocketAddr,
    connection: Option<Connection>,
}

/// The webhook that came out of the socket.
type Arrived = Arc<Mutex<Option<http::Request<Bytes>>>>;

impl LockStep {
    /// Starts a server for each system, on ports that the operating system chooses.
    pub fn start(routers: &Routers) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let arrived = Arrived::default();
        let catch = Router::new().fallback(catch).with_state(Arc::clone(&arrived));
        let connector = runtime.block_on(serve(catch))?;
        let mut sites = Vec::new();
        for site in Site::ALL {
            if let Some(router) = routers.of(site) {
                sites.push((site, runtime.block_on(serve(router.clone()))?));
            }
        }
        Ok(Self {
            sites,
            connector,
            arrived,
            runtime,
        })
    }

    /// Whether there is a server for a site.
    pub fn has(&self, site: Site) -> bool {
        self.sites.iter().any(|(served, _)| *served == site)
    }

    /// One exchange with a system.
    pub fn carry(&mut self, site: Site, request: http::Request<Bytes>) -> io::Result<http::Response<Bytes>> {
        let port = self.sites.iter_mut().find(|(served, _)| *served == site);
        let (_, port) = port.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let mut response = self.runtime.block_on(port.exchange(request))?;
        // What a socket adds: the machine's date, and how the connection goes on.
        for name in [header::DATE, header::CONNECTION, header::TRANSFER_ENCODING] {
            response.headers_mut().remove(name);
        }
        Ok(response)
    }

    /// Brings a webhook to the place where the connector listens; comes back with what arrived there.
    pub fn deliver(&mut self, request: http::Request<Bytes>) -> io::Result<http::Request<Bytes>> {
        self.runtime.block_on(self.connector.exchange(request))?;
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner).take();
        arrived.ok_or_else(|| io::Error::other("the webhook did not arrive"))
    }
}

impl Port {
    async fn exchange(&mut self, request: http::Request<Bytes>) -> io::Result<http::Response<Bytes>> {
        let usable = self.connection.take().filter(|connection| !connection.is_closed());
        let mut connection = match usable {
            Some(connection) => connection,
            None => Connection::over(TcpStream::connect(self.address).await?).await?,
        };
        let response = connection.exchange(request).await?;
        self.connection = Some(connection);
        Ok(response)
    }
}

/// Serves a router on a port of its own, for as long as the runtime lives.
async fn serve(router: Router) -> io::Result<Port> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    // The handle is not needed: the runtime ends the server.
    drop(tokio::spawn(server(listener, router)));
    Ok(Port {
        address,
        connection: None,
    })
}

/// Keeps the webhook for [`LockStep::deliver`]. The connector's own answer takes its way through the event queue.
async fn catch(State(arrived): State<Arrived>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    match body.collect().await {
        Ok(body) => {
            let request = http::Request::from_parts(parts, body.to_bytes());
            *arrived.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
            StatusCode::ACCEPTED
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
