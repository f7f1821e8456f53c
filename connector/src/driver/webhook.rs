//! The webhook receiver: takes a delivery, finds out what its signature is worth, and waits for the core's answer
//! (partner-center.md section 6.3).
//!
//! The certificate's host must be trusted, its issuer named as expected, its time valid, its key one for RSA; where roots are set,
//! one of them must have signed it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{DriverSettings, Incoming};
use crate::contract::Signature;
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
    keys: Mutex<BTreeMap<String, Arc<[u8]>>>,
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
    let receiver = Receiver {
        path,
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
    fn read(headers: &HeaderMap) -> Option<Result<Self, ()>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let printed = text("x-ms-signature").or_else(|| text(header::AUTHORIZATION.as_str()))?;
        let claim = Self::of(printed, text("x-ms-certificate-url"), text("x-ms-signature-algorithm"));
        Some(claim.ok_or(()))
    }

    fn of(printed: &str, certificate_url: Option<&str>, algorithm: Option<&str>) -> Option<Self> {
        let encoded = printed.trim().strip_prefix("Signature ")?;
        let signature = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        (algorithm? == "rsa-sha256").then_some(())?;
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
            Some(Err(())) => return Signature::Forged,
            Some(Ok(claim)) => claim,
        };
        match self.key(&claim.certificate_url).await {
            Some(key) if is_signed(&key, body, &claim.signature) => Signature::Verified,
            _ => Signature::Forged,
        }
    }

    /// The public key that a certificate URL leads to; none when it is not to be trusted.
    async fn key(&self, url: &str) -> Option<Arc<[u8]>> {
        if !is_trusted(url, &self.settings.trusted_certificate_hosts) {
            return None;
        }
        let known = self
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(url)
            .cloned();
        if known.is_some() {
            return known;
        }
        let response = self.client.get(url).send().await.ok()?.error_for_status().ok()?;
        let certificate = response
            .bytes()
            .await
            .ok()
            .filter(|bytes| bytes.len() <= LARGEST_CERTIFICATE)?;
        let key: Arc<[u8]> = public_key(&certificate, &self.settings, now_in_seconds())?.into();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_CERTIFICATES {
            keys.pop_first();
        }
        keys.insert(url.to_owned(), Arc::clone(&key));
        Some(key)
    }
}

/// Whether a URL's host, with its port if it has one, is among the trusted ones.
fn is_trusted(url: &str, trusted: &[String]) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let uri = uri.filter(|uri| uri.scheme().is_some());
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
fn now_in_seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The public key of a certificate in DER, if it may be trusted: its issuer is the expected organisation, its time is valid, its
/// key is an RSA key, and one of the roots has signed it where there are any.
fn public_key(certificate: &[u8], settings: &DriverSettings, now: i64) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let expected = certificate
        .issuer()
        .iter_organization()
        .any(|name| name.as_str() == Ok(settings.certificate_issuer.as_str()));
    let validity = certificate.validity();
    let in_time = (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now);
    let rsa = certificate.public_key().algorithm.algorithm == OID_PKCS1_RSAENCRYPTION;
    let roots = &settings.certificate_roots;
    let chained = roots.is_empty() || roots.iter().any(|root| has_signed(root, &certificate));
    (expected && in_time && rsa && chained).then(|| certificate.public_key().subject_public_key.data.to_vec())
}

/// Whether a root in DER has signed a certificate.
fn has_signed(root: &[u8], certificate: &X509Certificate<'_>) -> bool {
    X509Certificate::from_der(root).is_ok_and(|(_, root)| {
        let named = root.subject().as_raw() == certificate.issuer().as_raw();
        named && certificate.verify_signature(Some(root.public_key())).is_ok()
    })
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
            assert_eq!(Claim::read(&headers(&[("authorization", printed)])), Some(Err(())));
        }
        let other = [
            ("authorization", "Signature AAEC"),
            ("x-ms-certificate-url", "https://c.example/a.cer"),
            ("x-ms-signature-algorithm", "none"),
        ];
        assert_eq!(Claim::read(&headers(&other)), Some(Err(())));
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
    }

    #[test]
    fn what_is_no_certificate_has_no_key() {
        assert_eq!(public_key(b"no certificate", &DriverSettings::default(), 0), None);
        assert!(is_same("/a/secret", "/a/secret") && !is_same("/a/secret", "/a/secre") && !is_same("/a", "/b"));
        assert!(!is_signed(b"no key", b"body", b"signature"));
    }
}
