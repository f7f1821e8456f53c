//! How a request reaches a system: in process, or over a loopback socket in lock-step with the event queue.
//!
//! The system's router is the same either way. Neither way knows latency, faults or virtual time.

use bytes::Bytes;

use crate::site::Site;
use crate::systems::Routers;

/// Calls a router as a service.
pub mod in_process;

/// What brings a request to a system and its response back.
#[derive(Debug)]
pub enum Carrier {
    /// The router is called.
    InProcess(Routers),
}

/// Why a request got no response at all.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// There is no such system here.
    #[error("no system answers for {}", .0.name())]
    NoSystem(Site),
}

impl Carrier {
    /// Brings a request to a system; comes back with its response. One at a time.
    pub fn carry(&mut self, site: Site, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, CarryError> {
        match self {
            Self::InProcess(routers) => {
                let router = routers.of_mut(site).ok_or(CarryError::NoSystem(site))?;
                Ok(in_process::call(router, request))
            }
        }
    }
}

/// A request as it stands on the wire: path and query only, as a server sees it.
fn origin_form(mut request: http::Request<Bytes>) -> http::Request<Bytes> {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(http::Uri::default, http::Uri::from);
    request
}
