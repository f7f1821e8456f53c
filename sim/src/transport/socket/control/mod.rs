//! The control API: what a test does to the served systems from outside, on a port of its own.
//!
//! None of the simulated systems has such a thing, so nothing here looks like a vendor's. The port is on loopback only.
//! Its routes are one table; `openapi.json` describes them, and a test compares the two.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The time.
mod clock;
/// Reset, dump and load.
mod state;
/// Faults on calls.
mod faults;
/// Users, roles, tokens.
mod users;
/// What Microsoft does.
mod acts;
/// Requests and deliveries.
mod journal;

use super::desk::Desk;
use crate::reply::json_reply;

/// The description that `GET /control/openapi.json` gives.
const OPENAPI: &str = include_str!("openapi.json");
/// The largest body: a state of some hundred thousand referrals.
const LARGEST_BODY: usize = 1024 * 1024 * 1024;

/// Why a call to the control API failed: where, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    status: StatusCode,
    place: String,
    expected: String,
    found: Option<String>,
    help: String,
}

impl Complaint {
    fn new(place: &str, expected: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            place: place.to_owned(),
            expected: expected.into(),
            found: None,
            help: "GET /control/openapi.json describes every call".to_owned(),
        }
    }

    fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl IntoResponse for Complaint {
    fn into_response(self) -> Response {
        let body = json!({"error": {
            "where": self.place, "expected": self.expected, "found": self.found, "help": self.help,
        }});
        done(self.status, &body)
    }
}

fn done(status: StatusCode, body: &Value) -> Response {
    json_reply(status, "application/json", body)
}

/// A body as a value; what serde says about it tells line and column.
fn read<T: DeserializeOwned>(body: &Bytes, expected: &str) -> Result<T, Complaint> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| Complaint::new("request body", expected).found(error.to_string()))
}

type Route = (Method, &'static str, MethodRouter<Arc<Desk>>);

/// Every route: the router is made of it, and the description is held to it.
fn routes() -> Vec<Route> {
    vec![
        (Method::GET, "/control/openapi.json", get(describe)),
        (Method::GET, "/control/clock", get(clock::tell)),
        (Method::POST, "/control/clock", post(clock::advance)),
        (Method::POST, "/control/reset", post(state::reset)),
        (Method::GET, "/control/state", get(state::dump)),
        (Method::PUT, "/control/state", put(state::load)),
        (Method::GET, "/control/faults", get(faults::list)),
        (Method::POST, "/control/faults", post(faults::add)),
        (Method::DELETE, "/control/faults", delete(faults::heal)),
        (Method::DELETE, "/control/faults/{id}", delete(faults::remove)),
        (Method::GET, "/control/users", get(users::list)),
        (Method::PUT, "/control/users/{name}", put(users::put)),
        (Method::DELETE, "/control/users/{name}/tokens", delete(users::revoke)),
        (Method::POST, "/control/users/{name}/tokens", post(users::issue)),
        (Method::POST, "/control/microsoft", post(acts::act)),
        (Method::GET, "/control/journal", get(journal::list)),
        (Method::PUT, "/control/journal", put(journal::set)),
        (Method::DELETE, "/control/journal", delete(journal::clear)),
        (Method::GET, "/control/deliveries", get(journal::deliveries)),
    ]
}

pub(super) fn router(desk: Arc<Desk>) -> Router {
    let with = |router: Router<Arc<Desk>>, (_, path, method): Route| router.route(path, method);
    routes()
        .into_iter()
        .fold(Router::new(), with)
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(desk)
}

async fn describe() -> Response {
    let document: Value = serde_json::from_str(OPENAPI).unwrap_or_default();
    done(StatusCode::OK, &document)
}

async fn unknown(method: Method, uri: Uri) -> Complaint {
    let known: Vec<String> = routes()
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    Complaint::new("request line", format!("one of: {}", known.join(", ")))
        .found(format!("{method} {}", uri.path()))
        .status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_openapi_document_describes_every_route_and_no_other() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3."));
        let mut described = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if method == "parameters" {
                    continue;
                }
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
                assert!(operation["responses"].is_object(), "{method} {path} has no responses");
                described.push(format!("{} {path}", method.to_uppercase()));
            }
        }
        let mut served: Vec<String> = routes()
            .iter()
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect();
        described.sort();
        served.sort();
        assert_eq!(described, served);
    }

    #[test]
    fn the_guide_names_every_route_and_no_other() {
        let guide = include_str!("../../../../control.md");
        let served: Vec<(String, &str)> = routes()
            .iter()
            .map(|(method, path, _)| (method.to_string(), *path))
            .collect();
        for (method, path) in &served {
            assert!(
                guide.contains(&format!("`{method} {path}")),
                "control.md lacks {method} {path}"
            );
        }
        let named = guide.split('`').filter_map(|word| word.split_once(" /control/"));
        for (method, rest) in named.filter(|(method, _)| method.bytes().all(|sign| sign.is_ascii_uppercase())) {
            let path = format!("/control/{}", rest.split(['?', ' ']).next().unwrap_or_default());
            assert!(
                served.iter().any(|one| *one == (method.to_owned(), path.as_str())),
                "{method} {path} is not served"
            );
        }
    }

    #[test]
    fn a_body_that_is_no_json_is_told_where_it_breaks() {
        let complaint = read::<Value>(&Bytes::from_static(b"{\"a\":"), "an object").unwrap_err();
        assert!(complaint.found.unwrap().contains("line 1 column 5"));
    }
}
