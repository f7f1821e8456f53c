//! Faults on calls to the served systems and on their webhooks: added, listed, removed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use jiff::{Span, SpanRelativeTo};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Complaint, done, read};
use crate::fault::{ExchangeKind, Fate, Target, Targeted};
use crate::site::Site;
use crate::transport::socket::desk::Desk;
use crate::transport::socket::fault_book::Fault;

/// What a body must be.
const EXPECTED: &str = r#"{"fate": "lose-request" | "lose-reply" | {"delay": "2s"} | {"duplicate": "1s"} | {"answer": {"status": 429, "headers": {"retry-after": "5"}, "body": {}}}, "name"?, "on"?: "calls" | "deliveries", "event"?, "site"?, "method"?, "pathContains"?, "pathEnds"?, "bodyContains"?, "bodyLacks"?, "skip"?: 0, "times"?: 1}"#;
/// The most faults at once.
const MOST: usize = 1_000;
/// The longest delay.
const LONGEST: Duration = Duration::from_hours(1);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    name: Option<String>,
    on: Option<On>,
    event: Option<String>,
    site: Option<String>,
    method: Option<String>,
    path_contains: Option<String>,
    path_ends: Option<String>,
    body_contains: Option<String>,
    body_lacks: Option<String>,
    #[serde(default)]
    skip: u32,
    times: Option<u32>,
    fate: FateWanted,
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum On {
    Calls,
    Deliveries,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FateWanted {
    LoseRequest,
    LoseReply,
    Delay(String),
    Duplicate(String),
    Answer(Answer),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Value>,
}

pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Response {
    let faults = desk
        .faults()
        .with(|faults| faults.rules.iter().map(print).collect::<Vec<_>>());
    done(StatusCode::OK, &json!({ "faults": faults }))
}

pub(super) async fn add(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, Complaint> {
    let mut rule = read::<Wanted>(&body, EXPECTED)?.rule()?;
    let added = desk.faults().with(|faults| {
        if faults.rules.len() >= MOST {
            return Err(Complaint::new("faults", format!("at most {MOST} at once")).help("DELETE /control/faults"));
        }
        faults.last += 1;
        let id = faults.last;
        if rule.name.is_empty() {
            rule.name = format!("fault {id}");
        }
        let fault = Fault { id, rule };
        let printed = print(&fault);
        faults.rules.push(fault);
        Ok(printed)
    })?;
    Ok(done(StatusCode::CREATED, &added))
}

/// Removes every fault.
pub(super) async fn heal(State(desk): State<Arc<Desk>>) -> Response {
    let removed = desk.faults().with(|faults| std::mem::take(&mut faults.rules).len());
    done(StatusCode::OK, &json!({ "removed": removed }))
}

pub(super) async fn remove(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Result<Response, Complaint> {
    let removed = desk.faults().with(|faults| {
        let before = faults.rules.len();
        faults.rules.retain(|fault| fault.id.to_string() != id);
        before - faults.rules.len()
    });
    if removed == 0 {
        let expected = "the id of a fault in force";
        return Err(Complaint::new("path /control/faults/{id}", expected)
            .found(id)
            .help("GET /control/faults lists them")
            .status(StatusCode::NOT_FOUND));
    }
    Ok(done(StatusCode::OK, &json!({ "removed": removed })))
}

impl Wanted {
    fn rule(self) -> Result<Targeted, Complaint> {
        let site = self.site.map(|name| site(&name)).transpose()?;
        let kind = match (self.on, &self.event) {
            (Some(On::Calls), Some(event)) => {
                let expected = "no event, or \"on\": \"deliveries\": only webhooks have one";
                return Err(Complaint::new("request body /event", expected).found(event));
            }
            (Some(On::Calls) | None, None) => ExchangeKind::Call,
            (Some(On::Deliveries), _) | (None, Some(_)) => ExchangeKind::Delivery,
        };
        let method = self.method.map(|method| method.to_ascii_uppercase());
        Ok(Targeted {
            name: self.name.unwrap_or_default(),
            target: Target {
                site,
                method,
                path_contains: self.path_contains,
                path_ends: self.path_ends,
                body_contains: self.body_contains,
                body_lacks: self.body_lacks,
                event: self.event,
                kind: Some(kind),
            },
            skip: self.skip,
            times: self.times.unwrap_or(1),
            fate: self.fate.fate()?,
        })
    }
}

/// The site of that name.
pub(super) fn site(name: &str) -> Result<Site, Complaint> {
    let names: Vec<&str> = Site::ALL.into_iter().map(Site::name).collect();
    let found = Site::ALL.into_iter().find(|site| site.name() == name);
    found.ok_or_else(|| Complaint::new("request body /site", format!("one of {}", names.join(", "))).found(name))
}

impl FateWanted {
    fn fate(self) -> Result<Fate, Complaint> {
        Ok(match self {
            Self::LoseRequest => Fate::LoseRequest,
            Self::LoseReply => Fate::LoseReply,
            Self::Delay(text) => Fate::Delay(duration("/fate/delay", &text)?),
            Self::Duplicate(text) => Fate::Duplicate(duration("/fate/duplicate", &text)?),
            Self::Answer(answer) => Fate::Answer(answer.response()?),
        })
    }
}

fn duration(place: &str, text: &str) -> Result<Duration, Complaint> {
    let wrong = || Complaint::new(&format!("request body {place}"), "a duration up to an hour, as \"2s\"").found(text);
    let span: Span = text.parse().map_err(|_| wrong())?;
    let signed = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())?;
    let duration = Duration::try_from(signed).map_err(|_| wrong())?;
    if duration > LONGEST { Err(wrong()) } else { Ok(duration) }
}

impl Answer {
    fn response(self) -> Result<http::Response<Bytes>, Complaint> {
        let wrong =
            |place: &str, expected: &str| Complaint::new(&format!("request body /fate/answer/{place}"), expected);
        let mut response = http::Response::builder().status(self.status);
        if !(200..600).contains(&self.status) {
            return Err(wrong("status", "a status from 200 to 599").found(self.status.to_string()));
        }
        if self.body.is_some()
            && !self
                .headers
                .keys()
                .any(|name| name.eq_ignore_ascii_case("content-type"))
        {
            response = response.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            response = response.header(name, text);
        }
        let body = match self.body {
            None => Bytes::new(),
            Some(Value::String(text)) => Bytes::from(text),
            Some(body) => Bytes::from(body.to_string()),
        };
        response
            .body(body)
            .map_err(|error| wrong("headers", "names and values of HTTP").found(error.to_string()))
    }
}

fn print(fault: &Fault) -> Value {
    let (rule, target) = (&fault.rule, &fault.rule.target);
    let on = match target.kind {
        Some(ExchangeKind::Delivery) => "deliveries",
        Some(ExchangeKind::Call) | None => "calls",
    };
    json!({
        "id": fault.id, "name": rule.name, "on": on, "event": target.event, "site": target.site.map(Site::name), "method": target.method,
        "pathContains": target.path_contains, "pathEnds": target.path_ends, "bodyContains": target.body_contains,
        "bodyLacks": target.body_lacks, "skipLeft": rule.skip, "timesLeft": rule.times, "fate": rule.fate.words(),
    })
}
