//! Calls over HTTP: a command's request goes out, an event comes back.
//!
//! Redirects are not followed: a token must not travel to a host that nobody named.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::contract::{Event, Failure};
use crate::id::CallId;
use crate::settings::Settings;

/// The largest reply that is read.
const LARGEST_REPLY: usize = 64 * 1024 * 1024;

/// The client of all calls. The core's own timer decides about a call; this one only frees its connection.
/// `authorities` in PEM may vouch for servers beside those that the machine trusts.
pub(super) fn client(settings: &Settings, authorities: &[Vec<u8>]) -> reqwest::Result<reqwest::Client> {
    // Somebody may have chosen a provider for the whole process already: then theirs is used.
    drop(rustls::crypto::ring::default_provider().install_default());
    let longest = Duration::try_from(settings.call_timeout).unwrap_or_default() + Duration::from_secs(5);
    let mut trusted = Vec::new();
    for authority in authorities {
        trusted.extend(reqwest::Certificate::from_pem_bundle(authority)?);
    }
    reqwest::Client::builder()
        .tls_certs_merge(trusted)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(longest)
        .build()
}

/// Sends a request and gives what it comes to.
pub(super) async fn exchange(client: &reqwest::Client, call: CallId, request: http::Request<Bytes>) -> Event {
    match reply(client, request).await {
        Ok(response) => Event::Reply { call, response },
        Err(failure) => Event::Failed { call, failure },
    }
}

async fn reply(client: &reqwest::Client, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Failure> {
    let request = reqwest::Request::try_from(request).map_err(|_| Failure::NotSent)?;
    let mut response = client.execute(request).await.map_err(|error| failure(&error))?;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > LARGEST_REPLY {
            return Err(Failure::Broken);
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::new(body.freeze());
    *whole.status_mut() = response.status();
    *whole.headers_mut() = std::mem::take(response.headers_mut());
    Ok(whole)
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::NotSent
    } else if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Broken
    }
}
