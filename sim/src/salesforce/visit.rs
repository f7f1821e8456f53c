//! One call of the REST API by somebody who is signed in: what it asks, and the checks that all calls share.
//!
//! What the call does stands in `records` and `queries`.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::{Map, Value};

use super::author::{Author, Wishes};
use super::error::{JSON, Problem};
use super::form;
use super::input::read_body;
use super::org::Org;
use super::state::State;

/// The parameter by which a `POST` says that it is meant as another method, for clients that cannot send that one.
pub(crate) const METHOD_OVERRIDE: &str = "_HttpMethod";

/// One request, its body read.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

/// A request with a session.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) call: &'a Call<'a>,
    /// The version as the path names it: `v60.0`.
    pub(crate) version: &'a str,
    pub(crate) author: Author,
    parameters: Vec<(String, String)>,
}

/// What a route hands back.
pub(crate) type Answer = Result<Response, Problem>;

impl<'a> Visit<'a> {
    /// A visit of an author. Assumed: the words about a query string that does not decode; the vendor's container answers
    /// before the API does.
    pub(crate) fn new(call: &'a Call<'a>, version: &'a str, mut author: Author) -> Result<Self, Problem> {
        author.wishes = Wishes::of(call.headers);
        let parameters = form::pairs(call.uri.query().unwrap_or_default());
        let mut parameters = parameters.ok_or_else(|| Problem::bad("MALFORMED_QUERY", "URL is not encoded well"))?;
        parameters.retain(|(name, _)| name != METHOD_OVERRIDE);
        Ok(Self {
            call,
            version,
            author,
            parameters,
        })
    }

    /// Refuses every method but these; `HEAD` is a `GET` to all routes.
    pub(crate) fn only(&self, allowed: &[Method]) -> Result<(), Problem> {
        if allowed.contains(self.call.method) {
            return Ok(());
        }
        let names = allowed.iter().map(|method| {
            if method == Method::GET {
                "HEAD,GET"
            } else {
                method.as_str()
            }
        });
        Err(self.method_not_allowed(&names.collect::<Vec<_>>().join(",")))
    }

    /// The number of the version: 60.
    pub(crate) fn version_number(&self) -> u32 {
        let number = self.version.strip_prefix('v').and_then(|rest| rest.split('.').next());
        number.and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        form::value(&self.parameters, name)
    }

    /// Refuses parameters that the route does not know.
    pub(crate) fn allow_parameters(&self, known: &[&str]) -> Result<(), Problem> {
        match self.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Problem::not_simulated(format!("parameter `{name}`"))),
            None => Ok(()),
        }
    }

    /// The refusal of a method that the route does not have.
    pub(crate) fn method_not_allowed(&self, allowed: &str) -> Problem {
        let message = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", self.call.method);
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }

    /// The body of a write, which must say that it is JSON. Assumed: the message; code and status are general knowledge.
    pub(crate) fn json_body(&self) -> Result<Map<String, Value>, Problem> {
        let content_type = self.call.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let message = format!("Content-Type '{content_type}' not supported");
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                message,
            ));
        }
        read_body(self.call.body)
    }
}

/// The place of the object that a path names.
pub(crate) fn object(state: &State, name: &str) -> Result<usize, Problem> {
    match state.org.object(name) {
        Some(object) => Ok(object),
        None if Org::is_not_simulated(name) => Err(Problem::not_simulated(format!("object `{name}`"))),
        None => Err(Problem::not_found()),
    }
}

/// A reply whose body is already written.
pub(crate) fn written(body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(axum::body::Body::from(body.into()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
