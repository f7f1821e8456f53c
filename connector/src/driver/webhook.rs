//! The webhook receiver: takes a delivery, finds out what its signature is worth, and waits for the core's answer
//! (partner-center.md section 6.3).
//!
//! The certificate's host must be named; whether the certificate itself is to be trusted is the business of the module `certificate`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::certificate::{Key, Trust, public_authorities};
use super::{DriverSettings, Incoming};
use crate::contract::{Distrust, Signature};
use crate::settings::Settings;

/// The largest delivery: a real one has some 250 bytes.
const LARGEST_BODY: usize = 64 * 1024;
/// How long a delivery waits for the core's answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many certificates are remembered.
const MOST_CERTIFICATES: usize = 16;
/// The largest certificate that is read.
const LARGEST_CERTIFICATE: usize = 64 * 1024;

struct Receiver {
    /// The only path that is answered.
    path: String,
    settings: DriverSettings,
    client: reqwest::Client,
    /// The public key of each certificate URL.
    keys: Mutex<BTreeMap<String, Arc<Key>>>,
    /// Who may vouch for a certificate.
    trust: Trust,
    sender: mpsc::Sender<Incoming>,
}

/// The routes of the receiver: the path of the hook's URL, and nothing else.
pub(super) fn receiver(
    settings: &Settings,
    driver: DriverSettings,
    client: reqwest::Client,
    sender: mpsc::Sender<Incoming>,
) -> Router {
    let uri = settings.hook_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    let path = uri.map_or_else(|| "/".to_owned(), |uri| uri.path().to_owned());
    let trust = Trust {
        issuer: driver.certificate_issuer.clone(),
        own: driver.certificate_roots.clone(),
        public: public_authorities(),
    };
    let receiver = Receiver {
        path,
        trust,
        settings: driver,
        client,
        keys: Mutex::default(),
        sender,
    };
    Router::new()
        .fallback(take)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(receiver))
}

/// Serves until told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stopped: oneshot::Receiver<()>,
) -> Result<(), std::io::Error> {
    let stop = async move {
        // Told to stop, or nobody is left to tell.
        let _either = stopped.await;
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the driver is the place where time comes from the wall"
)]
async fn take(
    State(receiver): State<Arc<Receiver>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !is_same(uri.path(), &receiver.path) {
        return StatusCode::NOT_FOUND;
    }
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let signature = receiver.judge(&headers, &body).await;
    let (answer, answered) = oneshot::channel();
    let hook = Incoming::Hook {
        body,
        signature,
        answer,
    };
    if receiver.sender.try_send(hook).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let status = tokio::time::timeout(PATIENCE, answered).await;
    let status = status
        .ok()
        .and_then(Result::ok)
        .and_then(|status| StatusCode::from_u16(status).ok());
    status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// What a delivery's headers say about its signature.
#[derive(Debug, PartialEq, Eq)]
struct Claim {
    signature: Vec<u8>,
    certificate_url: String,
}

impl Claim {
    /// Reads the headers: the signature stands in `Authorization` or in `x-ms-signature`, each after the word
    /// `Signature`. None when there is no signature at all.
    fn read(headers: &HeaderMap) -> Option<Result<Self, Distrust>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let printed = text("x-ms-signature").or_else(|| text(header::AUTHORIZATION.as_str()))?;
        if text("x-ms-signature-algorithm").is_some_and(|algorithm| algorithm != "rsa-sha256") {
            return Some(Err(Distrust::Algorithm));
        }
        let claim = Self::of(printed, text("x-ms-certificate-url"), text("x-ms-signature-algorithm"));
        Some(claim.ok_or(Distrust::Headers))
    }

    fn of(printed: &str, certificate_url: Option<&str>, algorithm: Option<&str>) -> Option<Self> {
        let encoded = printed.trim().strip_prefix("Signature ")?;
        let signature = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        algorithm?;
        Some(Self {
            signature,
            certificate_url: certificate_url?.to_owned(),
        })
    }
}

impl Receiver {
    async fn judge(&self, headers: &HeaderMap, body: &[u8]) -> Signature {
        let claim = match Claim::read(headers) {
            None => return Signature::Absent,
            Some(Err(why)) => return Signature::Unchecked(why),
            Some(Ok(claim)) => claim,
        };
        match self.key(&claim.certificate_url).await {
            Ok(key) if is_signed(&key.public, body, &claim.signature) => Signature::Verified,
            Ok(_) => Signature::Forged,
            Err(why) => Signature::Unchecked(why),
        }
    }

    /// The public key that a certificate URL leads to, or why it is not to be trusted.
    async fn key(&self, url: &str) -> Result<Arc<Key>, Distrust> {
        if !is_trusted(url, &self.settings.trusted_certificate_hosts) {
            return Err(Distrust::Host);
        }
        let now = now();
        let known = self
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(url)
            .cloned();
        if let Some(known) = known.filter(|known| known.until >= now.as_second()) {
            return Ok(known);
        }
        let file = self.fetch(url).await.ok_or(Distrust::Unreachable)?;
        let key = Arc::new(self.trust.key(&file, now)?);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_CERTIFICATES {
            keys.pop_first();
        }
        keys.insert(url.to_owned(), Arc::clone(&key));
        Ok(key)
    }

    /// A file; none when it does not come, or is larger than any certificate.
    async fn fetch(&self, url: &str) -> Option<Vec<u8>> {
        let mut response = self.client.get(url).send().await.ok()?.error_for_status().ok()?;
        let mut file = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if file.len() + chunk.len() > LARGEST_CERTIFICATE {
                return None;
            }
            file.extend_from_slice(&chunk);
        }
        Some(file)
    }
}

/// Whether a URL's host, with its port if it has one, is among the trusted ones. Without TLS only this machine's own are.
fn is_trusted(url: &str, trusted: &[String]) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let is_here = |host: Option<&str>| matches!(host, Some("127.0.0.1" | "localhost" | "[::1]"));
    let uri = uri.filter(|uri| match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_here(uri.host()),
        _ => false,
    });
    let authority = uri.as_ref().and_then(Uri::authority).map(http::uri::Authority::as_str);
    authority.is_some_and(|authority| trusted.iter().any(|host| host.eq_ignore_ascii_case(authority)))
}

/// Whether two paths are equal, in a time that does not tell where they differ: the path holds the secret part of the URL.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

#[expect(
    clippy::disallowed_methods,
    reason = "the driver is the place where time comes from the wall"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

fn is_signed(key: &[u8], body: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(body, signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let parsed = pairs.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        parsed.collect()
    }

    #[test]
    fn a_signature_stands_in_either_header() {
        let rest = [
            ("x-ms-certificate-url", "https://c.example/a.cer"),
            ("x-ms-signature-algorithm", "rsa-sha256"),
        ];
        for name in ["authorization", "x-ms-signature"] {
            let claim = Claim::read(&headers(&[(name, "Signature AAEC"), rest[0], rest[1]]))
                .unwrap()
                .unwrap();
            assert_eq!(claim.signature, [0, 1, 2]);
            assert_eq!(claim.certificate_url, "https://c.example/a.cer");
        }
    }

    #[test]
    fn no_signature_is_absent_and_a_broken_one_is_worth_nothing() {
        assert!(Claim::read(&headers(&[])).is_none());
        for printed in ["Bearer AAEC", "Signature !", "Signature AAEC"] {
            let alone = [("authorization", printed), ("x-ms-signature-algorithm", "rsa-sha256")];
            assert_eq!(Claim::read(&headers(&alone)), Some(Err(Distrust::Headers)));
        }
        let other = [
            ("authorization", "Signature AAEC"),
            ("x-ms-certificate-url", "https://c.example/a.cer"),
            ("x-ms-signature-algorithm", "none"),
        ];
        assert_eq!(Claim::read(&headers(&other)), Some(Err(Distrust::Algorithm)));
    }

    #[test]
    fn only_the_named_hosts_are_trusted() {
        let trusted = ["certs.example".to_owned(), "127.0.0.1:8080".to_owned()];
        assert!(is_trusted("https://certs.example/a.cer", &trusted));
        assert!(is_trusted("http://127.0.0.1:8080/a.cer", &trusted));
        assert!(!is_trusted("http://127.0.0.1:8081/a.cer", &trusted));
        assert!(!is_trusted("https://certs.example.evil.example/a.cer", &trusted));
        assert!(!is_trusted("https://evil.example@certs.example.evil/a", &trusted));
        assert!(!is_trusted("certs.example", &trusted));
        assert!(!is_trusted("http://certs.example/a.cer", &trusted));
        assert!(!is_trusted("ftp://certs.example/a.cer", &trusted));
    }

    #[test]
    fn the_secret_path_is_compared_whole_and_what_is_no_key_signs_nothing() {
        assert!(is_same("/a/secret", "/a/secret") && !is_same("/a/secret", "/a/secre") && !is_same("/a", "/b"));
        assert!(!is_signed(b"no key", b"body", b"signature"));
    }
}
