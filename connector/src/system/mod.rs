//! What each system can do, as data: requests to send, replies to read.
//!
//! Nothing here waits or decides: a request is a value, and a reply is turned into facts or into the reason why not.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use serde_json::Value;

/// The token life cycle.
pub mod identity;
/// What a CRM says about a deal, whichever CRM it is.
pub mod opportunity;
/// Dataverse with Dynamics 365 Sales.
pub mod dataverse;
/// Partner Center.
pub mod partner_center;
/// Salesforce.
pub mod salesforce;

/// A request before it has a token.
#[derive(Clone, Debug)]
pub struct Ask {
    method: Method,
    /// Taken apart once: a feed is asked for with the same URL again and again. What is no URL stays text until it is sent.
    url: Result<Uri, String>,
    headers: Vec<(HeaderName, Cow<'static, str>)>,
    body: Option<(&'static str, Bytes)>,
}

impl Ask {
    /// Reads something.
    pub fn get(url: String) -> Self {
        Self {
            method: Method::GET,
            url: Uri::try_from(url.as_str()).map_err(|_| url),
            headers: vec![(header::ACCEPT, Cow::Borrowed("application/json"))],
            body: None,
        }
    }

    /// Sends JSON.
    pub fn json(method: Method, url: String, body: &Value) -> Self {
        Self {
            method,
            body: Some(("application/json", Bytes::from(body.to_string()))),
            ..Self::get(url)
        }
    }

    /// The same without a header; only a planted bug leaves one out.
    pub(crate) fn without(mut self, name: &HeaderName) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Posts a form.
    pub fn form(url: String, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", percent(value)))
            .collect();
        Self {
            method: Method::POST,
            body: Some(("application/x-www-form-urlencoded", Bytes::from(pairs.join("&")))),
            ..Self::get(url)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request with its `Authorization`, if it needs one.
    pub fn into_request(self, authorization: Option<&HeaderValue>) -> Result<Request<Bytes>, http::Error> {
        let uri = match self.url {
            Ok(uri) => uri,
            Err(text) => Uri::try_from(text)?,
        };
        let (kind, body) = self.body.unzip();
        let mut request = Request::new(body.unwrap_or_default());
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.reserve(self.headers.len() + 2);
        for (name, value) in self.headers {
            let value = match value {
                Cow::Borrowed(value) => HeaderValue::from_static(value),
                Cow::Owned(value) => HeaderValue::try_from(value)?,
            };
            headers.append(name, value);
        }
        if let Some(value) = authorization {
            headers.append(header::AUTHORIZATION, value.clone());
        }
        if let Some(kind) = kind {
            headers.append(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(request)
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Its rows; one that cannot be read carries the reason.
    pub rows: Vec<Result<T, Unreadable>>,
    /// Where the next page is, when there is one.
    pub next: Option<String>,
}

/// A reply that does not say what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It breaks off, or is no JSON at all: another attempt may bring it whole.
    #[error("the reply is not JSON: {0}")]
    Broken(String),
    /// It is whole, and does not say what it should.
    #[error("{0}")]
    Lacks(String),
}

impl Unreadable {
    fn missing(what: &str) -> Self {
        Self::Lacks(format!("the reply has no usable `{what}`"))
    }
}

/// A reply's body as JSON.
pub fn json(body: &Bytes) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|error| Unreadable::Broken(error.to_string()))
}

/// The first error in a body of any vendor's shape, as `code: message` (partner-center.md sections 1.6 and 4.3,
/// salesforce.md section 2.9, dataverse.md section 3.1).
pub fn error_text(body: &Bytes) -> String {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let first = match parsed.as_array() {
        Some(errors) => errors.first().unwrap_or(&Value::Null),
        None => parsed.get("error").filter(|error| error.is_object()).unwrap_or(&parsed),
    };
    let part = |names: &[&str]| names.iter().find_map(|name| first.get(name).and_then(Value::as_str));
    let code = part(&["errorCode", "code", "error"]).unwrap_or_default();
    let message = part(&["message", "error_description", "description"]).unwrap_or_default();
    let whole = match (code, message) {
        ("", "") => "no reason given".to_owned(),
        ("", text) | (text, "") => text.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    let line = whole.replace(['\r', '\n'], " ");
    line.chars().take(300).collect()
}

/// Percent-encodes everything but unreserved letters.
pub fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 15] {
                encoded.extend(char::from_digit(u32::from(nibble), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    encoded
}

/// A paging link, if it leads to the host that it came from: a token must not follow a link elsewhere. The scheme stays
/// the configured one: the documented sample prints `http` where the API is `https` (partner-center.md section 1.1).
fn link_on(base: &str, link: &str) -> Option<String> {
    // The usual link, word for word.
    let own = link.strip_prefix(base).is_some_and(|path| path.starts_with('/'));
    if own && base.split_once("://").is_some_and(|(_, host)| !host.contains('/')) {
        return Some(link.to_owned());
    }
    let of = |url: &str| url.parse::<Uri>().ok()?.authority().map(ToString::to_string);
    if link.starts_with('/') {
        return Some(format!("{base}{link}"));
    }
    let (_, rest) = link.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    (of(link)? == of(base)?).then(|| format!("{base}{path}"))
}

/// A text member of a JSON object; nothing when it is null, absent or no text.
fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendors_error_is_read() {
        let cases = [
            (
                r#"{"error":{"code":"invalidRequest","message":"no"}}"#,
                "invalidRequest: no",
            ),
            (
                r#"[{"message":"bad","errorCode":"INVALID_FIELD"}]"#,
                "INVALID_FIELD: bad",
            ),
            (r#"{ "statusCode": 429, "message": "Rate limit" }"#, "Rate limit"),
            (
                r#"{"error":"invalid_client","error_description":"AADSTS\r\n1"}"#,
                "invalid_client: AADSTS  1",
            ),
            ("", "no reason given"),
        ];
        for (body, expected) in cases {
            assert_eq!(error_text(&Bytes::from(body)), expected);
        }
    }

    #[test]
    fn a_paging_link_to_another_host_is_not_followed() {
        let base = "https://api.example";
        assert_eq!(link_on(base, "/next").as_deref(), Some("https://api.example/next"));
        assert_eq!(
            link_on(base, "http://api.example/a?b").as_deref(),
            Some("https://api.example/a?b")
        );
        assert_eq!(link_on(base, "https://evil.example/a"), None);
    }

    #[test]
    fn reserved_letters_are_encoded() {
        assert_eq!(percent("a b'é"), "a%20b%27%C3%A9");
    }
}
