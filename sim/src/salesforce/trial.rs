//! What this module's tests share: an org with a signed-in person, and requests in one line.
//!
//! It is compiled for tests only.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Salesforce, Settings};
use crate::clock::{Clock, default_start};
use crate::ground::Ground;
use crate::happening::{Commit, Happening};
use crate::identity::SALESFORCE_AUDIENCE;
use crate::seed::Seed;

/// An org and the connector's token.
pub(crate) struct Trial {
    pub(crate) ground: Ground,
    pub(crate) org: Salesforce,
    token: String,
}

/// An answer, its body read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status and code of the first complaint.
    pub(crate) fn fault(&self) -> (u16, String) {
        let code = self.json()[0]["errorCode"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }

    pub(crate) fn message(&self) -> String {
        self.json()[0]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether it is the loud refusal, and of what.
    pub(crate) fn missing(&self) -> Option<String> {
        let missing = self.json()["notSimulated"]["missing"].as_str().map(str::to_owned);
        missing.filter(|_| self.status == StatusCode::NOT_IMPLEMENTED)
    }
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed(7));
        let org = Salesforce::new(settings, &ground);
        let mut trial = Self {
            ground,
            org,
            token: String::new(),
        };
        trial.sign_in("connector");
        trial
    }

    /// Everything that follows is done by that person.
    pub(crate) fn sign_in(&mut self, user: &str) {
        let day = SignedDuration::from_hours(24);
        let token = self
            .ground
            .authority
            .issue(user, SALESFORCE_AUDIENCE, day, false, "00D!");
        self.token = token.unwrap();
    }

    /// The session of whoever is signed in.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// All that a channel tells from its beginning.
    pub(crate) fn told(&self, channel: &str) -> Vec<Value> {
        let talk = |message: Value| self.send("POST", "/cometd/60.0", &json!([message]), &[]).json();
        let hello =
            json!({"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"]});
        let client = talk(hello)[0]["clientId"].clone();
        let channel = json!({"channel": "/meta/subscribe", "clientId": client, "subscription": channel, "ext": {"replay": {channel: -2}}});
        let agreed = talk(channel);
        assert_eq!(agreed[0]["successful"], true, "{agreed}");
        let told = talk(json!({"channel": "/meta/connect", "clientId": client, "connectionType": "long-polling"}));
        let messages = told.as_array().into_iter().flatten();
        messages.filter_map(|message| message.get("data").cloned()).collect()
    }

    pub(crate) fn wait(&self, seconds: i64) {
        let now = self.ground.clock.now();
        self.ground.clock.advance_to(now + SignedDuration::from_secs(seconds));
    }

    pub(crate) fn raw(&self, request: Request<Bytes>) -> Reply {
        let request = request.map(axum::body::Body::from);
        let response = self.org.router().oneshot(request).now_or_never().unwrap().unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        Reply {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// A request with the token, JSON, and further headers.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://contoso.my.salesforce.com{path}"))
            .header("authorization", format!("Bearer {}", self.token));
        if !body.is_null() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.raw(request.body(Bytes::from(body)).unwrap())
    }

    /// A request with the token and a body that is no JSON.
    pub(crate) fn text(&self, method: &str, path: &str, body: &str, content_type: &str) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://contoso.my.salesforce.com{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", content_type);
        self.raw(request.body(Bytes::from(body.to_owned())).unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", &format!("/services/data/v60.0{path}"), &Value::Null, &[])
    }

    pub(crate) fn post(&self, object: &str, body: &Value) -> Reply {
        self.send("POST", &format!("/services/data/v60.0/sobjects/{object}"), body, &[])
    }

    pub(crate) fn patch(&self, object: &str, id: &str, body: &Value) -> Reply {
        self.send(
            "PATCH",
            &format!("/services/data/v60.0/sobjects/{object}/{id}"),
            body,
            &[],
        )
    }

    pub(crate) fn delete(&self, object: &str, id: &str) -> Reply {
        let path = format!("/services/data/v60.0/sobjects/{object}/{id}");
        self.send("DELETE", &path, &Value::Null, &[])
    }

    pub(crate) fn query(&self, soql: &str) -> Reply {
        self.get(&format!("/query?q={}", encoded(soql)))
    }

    /// Names of the rows that a query finds, in order.
    pub(crate) fn names(&self, soql: &str) -> Vec<String> {
        let reply = self.query(soql);
        let reply = reply.json();
        let records = reply["records"].as_array().unwrap_or_else(|| panic!("{reply}"));
        let name = |record: &Value| record["Name"].as_str().unwrap_or_default().to_owned();
        records.iter().map(name).collect()
    }

    /// The identifier of a new record.
    pub(crate) fn create(&self, object: &str, body: &Value) -> String {
        let reply = self.post(object, body);
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// A new opportunity of that name.
    pub(crate) fn deal(&self, name: &str, extra: &Value) -> String {
        let mut body = json!({"Name": name, "StageName": "Prospecting", "CloseDate": "2026-03-31"});
        for (field, value) in extra.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        self.create("Opportunity", &body)
    }

    pub(crate) fn read(&self, object: &str, id: &str) -> Value {
        self.get(&format!("/sobjects/{object}/{id}")).json()
    }

    /// Commits since the last call.
    pub(crate) fn commits(&self) -> Vec<Commit> {
        let happenings = self.ground.happenings.drain().into_iter();
        happenings
            .filter_map(|happening| match happening {
                Happening::Committed(commit) => Some(commit),
                Happening::Refused(_) | Happening::HookDue(_) | Happening::Lapsed(_) => None,
            })
            .collect()
    }
}

/// A text as the value of a query parameter, every byte escaped.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |done, byte| format!("{done}%{byte:02X}"))
}
