//! The environment as a client sees it: requests through the router, answers on the wire.

use axum::Router;
use axum::body::{Body, to_bytes};
use futures_util::FutureExt as _;
use http::{HeaderMap, Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Dataverse, Settings};
use crate::clock::{Clock, default_start};
use crate::ground::Ground;
use crate::happening::{Commit, Happening};
use crate::identity::DATAVERSE_AUDIENCE;
use crate::seed::Seed;

mod access;
mod acting;
mod bad_input;
mod batch;
mod closing;
mod events;
mod fetching;
mod following;
mod queries;
mod related;
mod keys;
mod lines;
mod limits;
mod metadata;
mod linking;
mod reading;
mod roles;
mod rules;
mod strict;
mod writing;

const API: &str = "/api/data/v9.2/";
const ROOT: &str = "https://contoso.crm.dynamics.com/api/data/v9.2/";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

struct Org {
    ground: Ground,
    dataverse: Dataverse,
    router: Router,
    token: String,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and error code.
    fn fault(&self) -> (u16, String) {
        (
            self.status.as_u16(),
            self.json()["error"]["code"].as_str().unwrap_or("none").to_owned(),
        )
    }
}

impl Org {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed(1));
        let dataverse = Dataverse::new(settings, &ground);
        let token = ground
            .authority
            .issue(
                "connector",
                DATAVERSE_AUDIENCE,
                SignedDuration::from_hours(48),
                true,
                "",
            )
            .unwrap();
        Self {
            router: dataverse.router(),
            ground,
            dataverse,
            token,
        }
    }

    /// The same environment with somebody else's token.
    fn as_user(&self, user: &str) -> Self {
        let lifetime = SignedDuration::from_hours(48);
        let token = self
            .ground
            .authority
            .issue(user, DATAVERSE_AUDIENCE, lifetime, false, "");
        Self {
            router: self.router.clone(),
            ground: self.ground.clone(),
            dataverse: self.dataverse.clone(),
            token: token.unwrap(),
        }
    }

    fn raw(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).now_or_never().unwrap().unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).now_or_never().unwrap().unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    fn send(&self, method: &Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        if !body.is_null() {
            all.push(("content-type", "application/json"));
        }
        self.raw(method.as_str(), &format!("{API}{path}"), &all, &text)
    }

    fn get(&self, path: &str) -> Reply {
        self.send(&Method::GET, path, &[], &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(&Method::POST, path, &[], body)
    }

    fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(&Method::PATCH, path, &[], body)
    }

    /// Creates a row and returns its path, `accounts(id)`.
    fn made(&self, set: &str, body: &Value) -> String {
        let reply = self.post(set, body);
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text);
        reply.header("odata-entityid").strip_prefix(ROOT).unwrap().to_owned()
    }

    fn commits(&self) -> Vec<Commit> {
        let commit = |happening| {
            if let Happening::Committed(commit) = happening {
                Some(commit)
            } else {
                None
            }
        };
        self.ground.happenings.drain().into_iter().filter_map(commit).collect()
    }

    fn later(&self, seconds: i64) {
        let now = self.ground.clock.now();
        self.ground.clock.advance_to(now + SignedDuration::from_secs(seconds));
    }

    fn currency(&self, code: &str) -> String {
        let found = self.get(&format!("transactioncurrencies?$filter=isocurrencycode eq '{code}'").replace(' ', "%20"));
        found.json()["value"][0]["transactioncurrencyid"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
