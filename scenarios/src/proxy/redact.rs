//! Takes secrets out of what is written down: tokens, passwords, cookies, signatures, wherever they stand.
//!
//! It knows them by their places and by their form, and remembers those that it has seen. What it writes down is no longer
//! what travelled: it is for reading and for playing again, not for sending on.

use std::collections::BTreeSet;

use bytes::Bytes;
use cosell_sim::network::wire::{REDACTED, redact_authorization};
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use regex_lite::Regex;
use serde_json::Value;

/// Names whose values are secrets, as members, parameters and elements.
const NAMES: &str = "access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password|passwd|passwort|secret|\
    sessionid|session_id|sid|signature|sig|device_code|user_code|code_verifier|api_?key|x-api-key|subscription-key|token";
/// Headers whose values are secrets.
const HEADERS: [&str; 12] = [
    "x-ms-signature",
    "signature",
    "x-api-key",
    "api-key",
    "apikey",
    "ocp-apim-subscription-key",
    "x-functions-key",
    "x-auth-token",
    "x-amz-security-token",
    "x-goog-api-key",
    "x-sfdc-session",
    "sforce-session-id",
];
/// The shortest text that is remembered as a secret: a shorter one would blacken half of the recording.
const SHORTEST: usize = 12;
/// How many secrets are remembered.
const REMEMBERED: usize = 10_000;

/// Takes secrets out.
#[derive(Debug)]
pub(super) struct Redactor {
    /// A pattern, and what stands instead.
    patterns: Vec<(Regex, &'static str)>,
    seen: BTreeSet<String>,
}

impl Redactor {
    pub(super) fn new() -> Self {
        let pattern = |text: &str| Regex::new(text).expect("the patterns are right");
        let patterns = vec![
            (
                pattern(&format!(r#"(?i)("(?:{NAMES})"\s*:\s*)"(?:[^"\\]|\\.)*""#)),
                "$1\"…\"",
            ),
            (
                pattern(&format!(r"(?i)((?:^|[?&;\s])(?:{NAMES})=)[^&\s<>\x22\x27\\]+")),
                "$1…",
            ),
            (
                pattern(&format!(r"(?i)(<(?:[a-z0-9]+:)?(?:{NAMES})(?:\s[^>]*)?>)[^<]+")),
                "$1…",
            ),
            (
                pattern(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*"),
                "…",
            ),
            (pattern(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{20,}"), "$1 …"),
            (pattern(r"00D[A-Za-z0-9]{3,15}![A-Za-z0-9._-]{8,}"), "…"),
        ];
        Self {
            patterns,
            seen: BTreeSet::new(),
        }
    }

    /// Remembers the secret behind the scheme of a header.
    pub(super) fn learn_header(&mut self, headers: &HeaderMap) {
        for name in [AUTHORIZATION, PROXY_AUTHORIZATION] {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            let secrets: Vec<String> = values
                .map(|value| value.rsplit(' ').next().unwrap_or(value).to_owned())
                .collect();
            self.remember(secrets);
        }
    }

    /// Remembers the tokens of a reply.
    pub(super) fn learn_reply(&mut self, body: &[u8]) {
        const TOKENS: [&str; 5] = ["access_token", "refresh_token", "id_token", "device_code", "sessionId"];
        if let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) {
            let tokens = TOKENS.iter().filter_map(|name| members.get(*name)?.as_str());
            let tokens: Vec<String> = tokens.map(str::to_owned).collect();
            self.remember(tokens);
        }
    }

    fn remember(&mut self, secrets: Vec<String>) {
        for secret in secrets {
            if secret.len() >= SHORTEST && self.seen.len() < REMEMBERED {
                self.seen.insert(secret);
            }
        }
    }

    /// A text without its secrets.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.seen {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        for (pattern, instead) in &self.patterns {
            if pattern.is_match(&text) {
                text = pattern.replace_all(&text, *instead).into_owned();
            }
        }
        text
    }

    /// A body without its secrets; bytes that are no text are left out.
    pub(super) fn body(&self, body: &Bytes) -> Bytes {
        match std::str::from_utf8(body) {
            Ok(text) => Bytes::from(self.text(text)),
            Err(_) => Bytes::from(format!("({} bytes that are no text)", body.len())),
        }
    }

    /// Headers without their secrets; the scheme of `Authorization` stays, and of a bearer token a digest.
    pub(super) fn headers(&self, headers: &HeaderMap) -> HeaderMap {
        let mut shown = HeaderMap::new();
        for (name, value) in headers {
            if *name == AUTHORIZATION && value.as_bytes().starts_with(b"Bearer ") {
                shown.append(name.clone(), redact_authorization(value));
                continue;
            }
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = if *name == AUTHORIZATION || *name == PROXY_AUTHORIZATION {
                match text.split_once(' ') {
                    Some((scheme, _)) => format!("{scheme} {REDACTED}"),
                    None => REDACTED.to_owned(),
                }
            } else if *name == COOKIE || *name == SET_COOKIE || HEADERS.contains(&name.as_str()) {
                REDACTED.to_owned()
            } else {
                self.text(&text)
            };
            if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                shown.append(name.clone(), value);
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        let mut redactor = Redactor::new();
        let mut headers = HeaderMap::new();
        headers.insert(
            AUTHORIZATION,
            HeaderValue::from_static("Bearer opaque-token-of-the-org"),
        );
        headers.insert(COOKIE, HeaderValue::from_static("sid=hush-hush"));
        headers.insert("x-ms-signature", HeaderValue::from_static("hush-hush"));
        headers.insert("etag", HeaderValue::from_static("W/\"12\""));
        redactor.learn_header(&headers);
        redactor.learn_reply(br#"{"access_token":"another-token-of-it"}"#);
        let shown = redactor.headers(&headers);
        let authorization = String::from_utf8_lossy(shown["authorization"].as_bytes());
        assert!(authorization.starts_with("Bearer …") && !authorization.contains("opaque"));
        assert_eq!(shown["etag"], "W/\"12\"");
        for text in [
            "grant_type=password&password=hush-hush&client_secret=hush-hush",
            r#"{"a":{"client_secret" : "hush-hush\" hush-hush"},"password":"hush-hush"}"#,
            "<n1:password>hush-hush</n1:password><sessionId>hush-hush</sessionId>",
            r#"{"WebhookUrl":"https://prod.logic.azure.com/workflows/1?sv=1.0&sig=hush-hush"}"#,
            "eyJhushhushhush.eyJhush-hushhush.hush_hush-hush",
            "authorization: bearer hush-hush-hush-hush-hush",
            "00D000000000001!hush-hush.hush",
            "…opaque-token-of-the-org… another-token-of-it",
        ] {
            let shown = redactor.text(text);
            let left = shown.contains("hush") || shown.contains("token-of-the-org") || shown.contains("token-of-it");
            assert!(!left && shown.contains('…'), "{text} -> {shown}");
        }
        let harmless = r#"{"name":"Basic configuration","value":1,"@odata.nextLink":"https://a/b?$skiptoken=100"}"#;
        assert_eq!(redactor.text(harmless), harmless);
        assert_eq!(
            &redactor.body(&Bytes::from_static(&[0xff, 0xfe]))[..],
            b"(2 bytes that are no text)"
        );
        assert!(!format!("{:?}", redactor.headers(&headers)).contains("hush"));
    }
}
