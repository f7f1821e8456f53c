//! Requests and responses as a trace shows them: cheap to take, without secrets, serialised only when a trace is saved.
//!
//! Taking one copies no body, save at the token endpoints, whose bodies are rewritten. It is not what travels: the raw
//! messages stay with [`crate::world`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What stands where a secret was.
pub const REDACTED: &str = "…";

/// Parameters of a token request, and members of a token reply, that nobody else may read.
const SECRETS: [&str; 14] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "id_token",
    "password",
    "refresh_token",
    "sessionId",
    "sid",
    "token",
    "user_code",
];

/// A request as a trace shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireRequest {
    /// The method, in capitals.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// The headers, tokens redacted.
    pub headers: Headers,
    /// The body, secrets redacted.
    pub body: WireBody,
}

/// A response as a trace shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body, tokens redacted.
    pub body: WireBody,
}

/// Headers, written as a list of name and value.
///
/// Held as they stand on the wire, `name: value` and the end of a line for each: a trace holds thousands of them and looks few
/// up, and so they take a tenth of the memory of a map.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Box<[u8]>);

/// A body, written as text. Bytes that are not UTF-8 are written as U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireBody(Bytes);

impl WireRequest {
    /// The trace's copy of a request.
    pub fn of(request: &http::Request<Bytes>) -> Self {
        let path = request.uri().path();
        let (url, body) = if is_token_endpoint(path) {
            (redact_query(request.uri()), redact_form(request.body()))
        } else {
            (request.uri().to_string(), WireBody(request.body().clone()))
        };
        Self {
            method: request.method().as_str().to_owned(),
            url,
            headers: Headers::of(request.headers()),
            body,
        }
    }
}

impl WireResponse {
    /// The trace's copy of the response to a request for that path.
    pub fn of(response: &http::Response<Bytes>, path: &str) -> Self {
        Self::of_endpoint(response, is_token_endpoint(path))
    }

    /// The same where it is known whether the path was that of a token endpoint.
    pub(crate) fn of_endpoint(response: &http::Response<Bytes>, gives_tokens: bool) -> Self {
        let (headers, body) = if gives_tokens {
            (Headers::of_tokens(response.headers()), redact_json(response.body()))
        } else {
            (Headers::of(response.headers()), WireBody(response.body().clone()))
        };
        Self {
            status: response.status().as_u16(),
            headers,
            body,
        }
    }
}

impl Headers {
    /// The trace's copy of headers: of `Authorization` only the scheme stays, and of a bearer token a digest by which one
    /// token is told from another.
    pub fn of(headers: &HeaderMap) -> Self {
        Self::with(headers, |name, value| {
            (*name == AUTHORIZATION).then(|| redact_authorization(value))
        })
    }

    /// The same for an answer with tokens: the address that a sign-in goes back to carries an authorization code.
    fn of_tokens(headers: &HeaderMap) -> Self {
        Self::with(headers, |name, value| {
            (*name == LOCATION).then(|| {
                let uri = std::str::from_utf8(value.as_bytes())
                    .ok()
                    .and_then(|text| text.parse().ok());
                let shown = uri.and_then(|uri| HeaderValue::try_from(redact_query(&uri)).ok());
                shown.unwrap_or_else(|| HeaderValue::from_static("-"))
            })
        })
    }

    /// Headers of which some are shown otherwise than they are.
    fn with(headers: &HeaderMap, otherwise: impl Fn(&HeaderName, &HeaderValue) -> Option<HeaderValue>) -> Self {
        let length = |(name, value): (&HeaderName, &HeaderValue)| line_length(name.as_str(), value.as_bytes());
        let mut lines = Vec::with_capacity(headers.iter().map(length).sum());
        for (name, value) in headers {
            match otherwise(name, value) {
                Some(shown) => push_line(&mut lines, name.as_str(), shown.as_bytes()),
                None => push_line(&mut lines, name.as_str(), value.as_bytes()),
            }
        }
        Self(lines.into_boxed_slice())
    }

    /// Names and values, as they are.
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (line, behind) = rest.split_at(rest.iter().position(|byte| *byte == b'\n')?);
            rest = &behind[1..];
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = std::str::from_utf8(&line[..colon]).ok()?;
            Some((name, &line[colon + BETWEEN.len()..]))
        })
    }

    /// The first value of a header, found without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.lines().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The first value of a header that is known by name when the program is built.
    pub fn value(&self, name: &HeaderName) -> Option<&str> {
        let found = self.lines().find(|(known, _)| *known == name.as_str());
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Names and values in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines()
            .map(|(name, value)| (name, std::str::from_utf8(value).unwrap_or("\u{fffd}")))
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

/// What stands between a name, which has no colon, and its value, which has no end of a line.
const BETWEEN: &[u8] = b": ";

fn line_length(name: &str, value: &[u8]) -> usize {
    name.len() + BETWEEN.len() + value.len() + 1
}

fn push_line(lines: &mut Vec<u8>, name: &str, value: &[u8]) {
    lines.extend_from_slice(name.as_bytes());
    lines.extend_from_slice(BETWEEN);
    lines.extend_from_slice(value);
    lines.push(b'\n');
}

impl WireBody {
    /// A body of this text.
    pub fn from_text(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// The body as text.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The body as JSON, when it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.0).ok()
    }
}

/// How many requests are remembered as they were shown: a poller's handful.
const REMEMBERED: usize = 8;

/// The trace's copies of the last reads: whoever polls sends the same request again and again, and the trace holds it once.
#[derive(Debug)]
pub struct Shown {
    keeps: bool,
    kept: VecDeque<(http::Request<()>, Arc<WireRequest>)>,
}

impl Shown {
    /// No copies yet, or none to be kept ever.
    pub fn new(keeps: bool) -> Self {
        let kept = VecDeque::new();
        Self { keeps, kept }
    }

    /// The trace's copy of a request.
    pub fn request(&mut self, request: &http::Request<Bytes>) -> Arc<WireRequest> {
        if request.method() != http::Method::GET || !request.body().is_empty() || !self.keeps {
            return Arc::new(WireRequest::of(request));
        }
        let known = self
            .kept
            .iter()
            .find(|(known, _)| is_same(known.uri(), request.uri()) && known.headers().iter().eq(request.headers()));
        if let Some((_, shown)) = known {
            return Arc::clone(shown);
        }
        let shown = Arc::new(WireRequest::of(request));
        let mut kept = http::Request::new(());
        *kept.uri_mut() = request.uri().clone();
        *kept.headers_mut() = request.headers().clone();
        if self.kept.len() == REMEMBERED {
            self.kept.pop_front();
        }
        self.kept.push_back((kept, Arc::clone(&shown)));
        shown
    }
}

/// Whether two URLs are the same, letter for letter.
fn is_same(one: &http::Uri, other: &http::Uri) -> bool {
    fn target(uri: &http::Uri) -> &str {
        uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str)
    }
    fn host(uri: &http::Uri) -> &str {
        uri.authority().map_or("", http::uri::Authority::as_str)
    }
    target(one) == target(other) && host(one) == host(other) && one.scheme() == other.scheme()
}

/// Whether a path is a token endpoint of Entra ID or of Salesforce.
pub(crate) fn is_token_endpoint(path: &str) -> bool {
    path.contains("/oauth2/")
}

/// What a trace shows of an `Authorization` header: the scheme, and of a bearer token the digest. What is shown already stays.
pub fn redact_authorization(value: &HeaderValue) -> HeaderValue {
    let known = ["Bearer", "Basic", "OAuth", "Signature"].into_iter().find(|scheme| {
        value
            .as_bytes()
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
            && value.as_bytes().get(scheme.len()) == Some(&b' ')
    });
    let shown = match known {
        Some("Bearer") if value.as_bytes()["Bearer ".len()..].starts_with(REDACTED.as_bytes()) => return value.clone(),
        Some("Bearer") => format!("Bearer {REDACTED}{:08x}", digest(value.as_bytes())),
        Some(scheme) => format!("{scheme} {REDACTED}"),
        None => REDACTED.to_owned(),
    };
    HeaderValue::from_bytes(shown.as_bytes()).expect("a scheme, a blank, an ellipsis and a number are a header value")
}

/// A digest that tells tokens apart and gives none of them away (FNV-1a, folded to 32 bits: the same on every machine).
fn digest(bytes: &[u8]) -> u32 {
    let whole = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u32::try_from((whole >> 32) ^ (whole & 0xffff_ffff)).unwrap_or_default()
}

fn redact_query(uri: &http::Uri) -> String {
    let url = uri.to_string();
    match url.split_once('?') {
        Some((start, query)) => format!("{start}?{}", redact_pairs(query)),
        None => url,
    }
}

fn redact_form(body: &Bytes) -> WireBody {
    match std::str::from_utf8(body) {
        // A JSON body at a token endpoint is a mistake, and may hold the same secrets.
        Ok(text) if text.trim_start().starts_with('{') => redact_json(body),
        Ok(text) => WireBody::from_text(&redact_pairs(text)),
        Err(_) => WireBody::from_text(REDACTED),
    }
}

fn redact_pairs(pairs: &str) -> String {
    let shown: Vec<Cow<'_, str>> = pairs
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if SECRETS.contains(&key) => Cow::from(format!("{key}={REDACTED}")),
            _ => Cow::from(pair),
        })
        .collect();
    shown.join("&")
}

fn redact_json(body: &Bytes) -> WireBody {
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut members)) => {
            for (name, value) in &mut members {
                if SECRETS.contains(&name.as_str()) {
                    *value = Value::from(REDACTED);
                }
            }
            WireBody::from_text(&Value::Object(members).to_string())
        }
        Ok(_) | Err(_) => WireBody(body.clone()),
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut lines = Vec::new();
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            let name = name.parse::<HeaderName>().map_err(D::Error::custom)?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(D::Error::custom)?;
            push_line(&mut lines, name.as_str(), value.as_bytes());
        }
        Ok(Self(lines.into_boxed_slice()))
    }
}

impl Serialize for WireBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for WireBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Bytes::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traced_sign_in_shows_no_code() {
        let response = http::Response::builder()
            .header("location", "http://localhost:1/back?code=abc&state=x")
            .body(Bytes::from_static(br#"{"device_code":"abc","interval":5}"#))
            .unwrap();
        let shown = WireResponse::of(&response, "/contoso/oauth2/authorize");
        assert_eq!(
            shown.headers.get("location"),
            Some("http://localhost:1/back?code=…&state=x")
        );
        assert_eq!(shown.body.text(), r#"{"device_code":"…","interval":5}"#);
    }

    #[test]
    fn a_traced_request_tells_tokens_apart_without_showing_them() {
        let shown = |token: &str| {
            let request = http::Request::get("https://api.partnercenter.microsoft.com/v1.0/engagements/referrals")
                .header("authorization", format!("Bearer {token}"))
                .body(Bytes::new())
                .unwrap();
            let shown = WireRequest::of(&request).headers;
            shown.get("authorization").unwrap().to_owned()
        };
        assert_eq!(shown("t0ken"), shown("t0ken"));
        assert_ne!(shown("t0ken"), shown("another"));
        assert!(shown("t0ken").starts_with("Bearer …") && !shown("t0ken").contains("t0ken"));
    }

    #[test]
    fn a_traced_request_shows_no_token_and_no_secret() {
        let request = http::Request::post("https://login.microsoftonline.com/contoso/oauth2/v2.0/token?code=abc&x=1")
            .header("authorization", "Basic c2VjcmV0")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(
                "grant_type=refresh_token&client_secret=s3cret&refresh_token=r3fresh",
            ))
            .unwrap();
        let shown = serde_json::to_string(&WireRequest::of(&request)).unwrap();
        assert_eq!(
            shown,
            concat!(
                r#"{"method":"POST","url":"https://login.microsoftonline.com/contoso/oauth2/v2.0/token?code=…&x=1","#,
                r#""headers":[["authorization","Basic …"],["content-type","application/x-www-form-urlencoded"]],"#,
                r#""body":"grant_type=refresh_token&client_secret=…&refresh_token=…"}"#
            )
        );
        let read: WireRequest = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, WireRequest::of(&request));
    }

    #[test]
    fn a_traced_reply_of_a_token_endpoint_keeps_all_but_the_tokens() {
        let response = http::Response::new(Bytes::from(
            r#"{"token_type":"Bearer","expires_in":3599,"access_token":"x"}"#,
        ));
        assert_eq!(
            WireResponse::of(&response, "/contoso/oauth2/v2.0/token").body.text(),
            r#"{"token_type":"Bearer","expires_in":3599,"access_token":"…"}"#
        );
    }

    #[test]
    fn the_same_read_is_shown_by_one_copy_and_any_difference_by_another() {
        let get = |path: &str, accept: &str| {
            let request = http::Request::get(format!("https://api.partner.microsoft.com{path}"));
            request.header("accept", accept).body(Bytes::new()).unwrap()
        };
        let mut shown = Shown::new(true);
        let first = shown.request(&get("/a?b=1", "text/plain"));
        assert!(Arc::ptr_eq(&first, &shown.request(&get("/a?b=1", "text/plain"))));
        for other in [get("/a?b=2", "text/plain"), get("/a?b=1", "text/html")] {
            let copy = shown.request(&other);
            assert_eq!(*copy, WireRequest::of(&other));
            assert!(!Arc::ptr_eq(&first, &copy));
        }
        let mut write = get("/a?b=1", "text/plain");
        *write.method_mut() = http::Method::DELETE;
        assert_eq!(shown.request(&write).method, "DELETE");
    }

    #[test]
    fn a_body_elsewhere_is_shared_and_not_copied() {
        let body = Bytes::from(vec![b'x'; 100]);
        let request = http::Request::get("https://api.partner.microsoft.com/v1.0/engagements/referrals")
            .header("authorization", "bearer abc")
            .body(body.clone())
            .unwrap();
        let shown = WireRequest::of(&request);
        assert_eq!(shown.body.bytes().as_ptr(), body.as_ptr());
        // The token's digest, and nothing of the token.
        assert_eq!(shown.headers.get("Authorization"), Some("Bearer …bb0a0a69"));
    }
}
