//! The simulator as a caller sees it: requests to the router, answers, and what was noted.

use axum::body::Body;
use futures_util::FutureExt as _;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::clock::{Clock, default_start};
use crate::happening::{Commit, CommitKind, Happening, Hook, Refusal};
use crate::identity::{PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, Role};
use crate::seed::Seed;

/// Microsoft's side, and time.
mod acts;
/// Requests that are wrong.
mod bad_input;
/// The samples of the documents.
mod golden;
/// Leads.
mod leads;
/// Pages and filters.
mod lists;
/// Kinds of deals, reasons, and registering a deal.
mod rules;
/// POST, PATCH, PUT.
mod writes;
/// Registration and events.
mod hooks;

const REFERRALS: &str = "/v1.0/engagements/referrals";

/// An answer with its body read.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The `error` of the envelope.
    fn error(&self) -> Value {
        self.json()["error"].clone()
    }
}

/// One account, and a token of the connector's for each of the two APIs.
struct Desk {
    ground: Ground,
    it: PartnerCenter,
    token: String,
    events_token: String,
}

impl Desk {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let ground = Ground::new(Clock::manual(default_start()), Seed::default());
        let it = PartnerCenter::new(settings, &ground);
        let issue = |audience| issue(&ground, "connector", audience, false);
        let (token, events_token) = (issue(PARTNER_CENTER_AUDIENCE), issue(PARTNER_CENTER_EVENTS_AUDIENCE));
        Self {
            ground,
            it,
            token,
            events_token,
        }
    }

    fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.it.router().oneshot(request).now_or_never().unwrap().unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.call(
            Method::GET,
            path,
            &[("authorization", &bearer(&self.token))],
            Body::empty(),
        )
    }

    fn write(&self, method: Method, path: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = bearer(&self.token);
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend_from_slice(more);
        self.call(method, path, &headers, body.to_string())
    }

    fn post(&self, body: &Value) -> Answer {
        self.write(Method::POST, REFERRALS, &[], body)
    }

    fn patch(&self, id: &str, body: &Value) -> Answer {
        self.write(Method::PATCH, &one(id), &[], body)
    }

    fn created(&self, body: &Value) -> Value {
        let answer = self.post(body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// One replacement, which must succeed.
    fn replace(&self, id: &str, path: &str, value: impl Into<Value>) {
        let answer = self.patch(id, &json!([{"op": "replace", "path": path, "value": value.into()}]));
        assert_eq!(answer.status, 204, "{}", answer.text);
    }

    fn hook_call(&self, method: Method, path: &str, body: &str) -> Answer {
        let bearer = bearer(&self.events_token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.call(method, path, &headers, body.to_owned())
    }

    fn shared(&self, deal: SharedDeal) -> String {
        self.it.microsoft(MicrosoftAct::Share(deal)).unwrap()
    }

    fn stored(&self, id: &str) -> Value {
        let answer = self.get(&one(id));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    fn commits(&self) -> Vec<Commit> {
        self.noted(|happening| match happening {
            Happening::Committed(commit) => Some(commit),
            Happening::Refused(_) | Happening::HookDue(_) | Happening::Lapsed(_) => None,
        })
    }

    fn refusals(&self) -> Vec<Refusal> {
        self.noted(|happening| match happening {
            Happening::Refused(refusal) => Some(refusal),
            Happening::Committed(_) | Happening::HookDue(_) | Happening::Lapsed(_) => None,
        })
    }

    fn hooks(&self) -> Vec<Hook> {
        self.noted(|happening| match happening {
            Happening::HookDue(hook) => Some(hook),
            Happening::Committed(_) | Happening::Refused(_) | Happening::Lapsed(_) => None,
        })
    }

    /// Takes all that was noted, and keeps one kind.
    fn noted<T>(&self, pick: fn(Happening) -> Option<T>) -> Vec<T> {
        self.ground.happenings.drain().into_iter().filter_map(pick).collect()
    }

    fn wait(&self, duration: SignedDuration) {
        self.ground.clock.advance_to(self.ground.clock.now() + duration);
    }
}

fn issue(ground: &Ground, user: &str, audience: &str, app_only: bool) -> String {
    let day = SignedDuration::from_hours(24 * 30);
    ground.authority.issue(user, audience, day, app_only, "t").unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn one(id: &str) -> String {
    format!("{REFERRALS}/{id}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The smallest deal that the simulator takes, as JSON.
fn deal(name: &str) -> Value {
    json!({
        "name": name,
        "externalReferenceId": "006000000000001AAA",
        "type": "Shared",
        "qualification": "SalesQualified",
        "customerProfile": {
            "name": "Fabrikam",
            "address": {"postalCode": "98052", "country": "US"},
            "team": [{"firstName": "Sue", "lastName": "Smith", "email": "sue.smith@fabrikam.example"}],
        },
        "consent": {"consentToToShareInfoWithOthers": true, "consentToContact": true,
                    "consentToShareReferralWithMicrosoftSellers": true},
        "details": {
            "notes": "first", "dealValue": 10000, "currency": "USD", "closingDateTime": "2026-06-30T00:00:00Z",
            "requirements": {"solutions": [{"id": "SOL-34104-EBB", "name": "Solution", "type": "Name"}]},
        },
        "team": [],
        "inviteContext": {"assistanceRequestCode": "GeneralOrOther"},
    })
}

/// The same deal for Microsoft, in an engagement.
fn invitation(name: &str, engagement: &Value) -> Value {
    let mut body = deal(name);
    body["engagementId"] = engagement.clone();
    body["target"] = json!([{"type": "BusinessProfileLocation", "id": "msft"}]);
    body
}

/// A deal that Microsoft shares.
fn from_microsoft(name: &str) -> SharedDeal {
    SharedDeal {
        name: name.to_owned(),
        customer: Customer {
            name: "Fabrikam".to_owned(),
            country: Some("US".to_owned()),
            postal_code: Some("98052".to_owned()),
            contact: Some(CustomerContact {
                first_name: "Sue".to_owned(),
                last_name: "Smith".to_owned(),
                phone: None,
                email: "sue.smith@fabrikam.example".to_owned(),
            }),
            ..Customer::default()
        },
        value: Some(50_000.0),
        currency: "USD".to_owned(),
        closing: "2026-06-30T00:00:00Z".parse().unwrap(),
        notes: None,
        solutions: vec![("SOL-1".to_owned(), "One".to_owned())],
        help: Some(Assistance::ProofOfConceptOrDemo),
    }
}
