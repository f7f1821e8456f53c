//! Entra ID as clients of the simulated systems need it: both versions of the token endpoint, discovery, device codes,
//! authorization codes (dataverse.md section 1, partner-center.md section 7).
//!
//! It issues opaque access tokens, not JWTs: no caller may read one. An `id_token` is a JWT without a signature, which
//! MSAL accepts; so there are no keys to publish. Nobody types a password at a page: whoever opens a sign-in page says
//! who they are. Assumed: any tenant and any client id are right, unless the settings name the tenants.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::{Authority, PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, form};
use crate::clock::Clock;
use crate::happening::Happenings;
use crate::reply::{Said, json_reply, refuse};
use crate::seed::{Seed, Stream};
use crate::site::{Bases, Site};

/// Sign-ins that are under way.
mod pending;
/// What a token request asks for.
mod grants;
/// The answer with the tokens.
mod tokens;
/// Pages, and device codes.
mod sign_in;
/// Documents that tell clients where everything is.
mod discovery;

use pending::Pending;
pub(crate) use tokens::object_of;

/// The only client secret that is right.
pub const CLIENT_SECRET: &str = "secret";
/// The only password that is right.
pub const PASSWORD: &str = "password";
/// The largest body that is read.
const LARGEST_BODY: usize = 64 * 1024;

/// What the endpoints stand on. [`crate::ground`] makes it.
#[derive(Clone, Debug)]
pub struct Footing {
    authority: Authority,
    bases: Bases,
    clock: Clock,
    happenings: Happenings,
    chance: Arc<Mutex<Stream>>,
    pending: Arc<Mutex<Pending>>,
}

impl Footing {
    /// The pieces of a ground.
    pub fn new(authority: Authority, bases: Bases, clock: Clock, happenings: Happenings, seed: Seed) -> Self {
        let chance = Arc::new(Mutex::new(seed.stream("entra trace ids")));
        let pending = Arc::new(Mutex::new(Pending::new(seed)));
        Self {
            authority,
            bases,
            clock,
            happenings,
            chance,
            pending,
        }
    }
}

/// The router of `login.microsoftonline.com`.
pub fn router(footing: impl Into<Footing>) -> Router {
    let page = get(sign_in::device_page).post(sign_in::device_decided);
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(second))
        .route("/{tenant}/oauth2/token", post(first))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(sign_in::second_device))
        .route("/{tenant}/oauth2/devicecode", post(sign_in::first_device))
        .route("/{tenant}/oauth2/deviceauth", page)
        .route("/{tenant}/oauth2/v2.0/authorize", get(sign_in::second_authorize))
        .route("/{tenant}/oauth2/authorize", get(sign_in::first_authorize))
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(discovery::second_document),
        )
        .route(
            "/{tenant}/.well-known/openid-configuration",
            get(discovery::first_document),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/discovery/keys", get(discovery::keys))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route("/{tenant}/userrealm/{user}", get(discovery::realm))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(footing.into())
}

async fn second(State(it): State<Footing>, request: Request) -> Response {
    it.answer(request, Version::Second).await
}

async fn first(State(it): State<Footing>, request: Request) -> Response {
    it.answer(request, Version::First).await
}

async fn unknown(State(it): State<Footing>, method: Method, uri: Uri) -> Response {
    refuse(&it.happenings, Site::Entra, &method, &uri, "route")
}

/// Which of the two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// `resource`, and numbers printed as strings.
    First,
    /// `scope`, and numbers.
    Second,
}

/// Why there is no token: HTTP status, `error`, AADSTS code, and the description behind the code.
///
/// Assumed: the status and the `error` of every code that dataverse.md section 1.2 does not list with them, and the
/// descriptions throughout.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Denied {
        status: u16,
        error: &'static str,
        code: u32,
        description: String,
    },
    NotSimulated(String),
}

fn denied(status: u16, error: &'static str, code: u32, description: impl Into<String>) -> Problem {
    Problem::Denied {
        status,
        error,
        code,
        description: description.into(),
    }
}

/// The fields of a form or of a query.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(text: &str) -> Self {
        Self(form::pairs(text).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, value)| field == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A field without which nothing goes.
    fn need(&self, name: &str) -> Result<&str, Problem> {
        let description = || format!("The request body must contain the following parameter: '{name}'.");
        self.get(name)
            .ok_or_else(|| denied(400, "invalid_request", 900_144, description()))
    }
}

/// A request whose body has been read.
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// The form; what is no form has no fields, and is answered so.
    fields: Fields,
}

impl Call {
    async fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self::at_once(parts, &to_bytes(body, LARGEST_BODY).await.unwrap_or_default())
    }

    fn at_once(parts: http::request::Parts, body: &[u8]) -> Self {
        let is_form = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
            text.starts_with("application/x-www-form-urlencoded")
        });
        let text = if is_form {
            String::from_utf8_lossy(body)
        } else {
            "".into()
        };
        Self {
            fields: Fields::of(&text),
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
        }
    }

    /// The tenant: the first segment of the path.
    fn tenant(&self) -> &str {
        tenant(&self.uri)
    }
}

fn tenant(uri: &Uri) -> &str {
    uri.path().split('/').nth(1).unwrap_or_default()
}

impl Footing {
    async fn answer(&self, request: Request, version: Version) -> Response {
        self.answer_call(&Call::of(request).await, version)
    }

    /// Answers a request whose body is there, if it is one for a token.
    pub(crate) fn answer_at_once(&self, request: http::Request<bytes::Bytes>) -> Said {
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        let version = match path.split_once('/').filter(|(tenant, _)| !tenant.is_empty()) {
            Some((_, "oauth2/v2.0/token")) => Version::Second,
            Some((_, "oauth2/token")) => Version::First,
            _ => return Said::Elsewhere(request),
        };
        if request.method() != Method::POST {
            return Said::Elsewhere(request);
        }
        let (parts, body) = request.into_parts();
        let body = if body.len() > LARGEST_BODY { &[][..] } else { &body[..] };
        Said::Handled(self.answer_call(&Call::at_once(parts, body), version))
    }

    fn answer_call(&self, call: &Call, version: Version) -> Response {
        match self.wanted(call, version) {
            Ok(wanted) => self.token(&wanted, version),
            Err(problem) => self.problem(&call.method, &call.uri, problem),
        }
    }

    fn problem(&self, method: &Method, uri: &Uri, problem: Problem) -> Response {
        match problem {
            Problem::NotSimulated(missing) => refuse(&self.happenings, Site::Entra, method, uri, &missing),
            Problem::Denied {
                status,
                error,
                code,
                description,
            } => self.denial(status, error, code, &description),
        }
    }

    /// The one API that a token is for.
    fn audience(&self, fields: &Fields, version: Version) -> Result<String, Problem> {
        let asked = match version {
            Version::First => fields.need("resource")?,
            Version::Second => scope_of(fields.need("scope")?)?,
        };
        self.audience_of(asked)
    }

    fn audience_of(&self, asked: &str) -> Result<String, Problem> {
        let asked = asked.trim_end_matches('/');
        let known = [
            PARTNER_CENTER_AUDIENCE.to_owned(),
            PARTNER_CENTER_EVENTS_AUDIENCE.to_owned(),
            self.bases.of(Site::PartnerCenter),
            self.bases.partner_center_events(),
            self.bases.of(Site::Dataverse),
        ];
        if known.iter().any(|audience| audience == asked) {
            return Ok(asked.to_owned());
        }
        let description = format!("The resource principal named {asked} was not found in the tenant.");
        Err(denied(400, "invalid_resource", 500_011, description))
    }

    /// Refuses a tenant that does not exist (dataverse.md section 1.2). The words that stand for any tenant always do.
    fn check_tenant(&self, tenant: &str, error: &'static str) -> Result<(), Problem> {
        let tenants = self.authority.settings().tenants;
        let any = ["common", "organizations", "consumers"];
        let is_known = tenants.is_empty()
            || any.contains(&tenant)
            || tenant == discovery::TENANT
            || tenants.iter().any(|known| known.eq_ignore_ascii_case(tenant));
        let description = || format!("Tenant '{tenant}' not found.");
        is_known
            .then_some(())
            .ok_or_else(|| denied(400, error, 90_002, description()))
    }

    /// Whether an audience is one of Partner Center's.
    fn is_partner_centers(&self, audience: &str) -> bool {
        audience != self.bases.of(Site::Dataverse)
    }

    fn denial(&self, status: u16, error: &str, code: u32, description: &str) -> Response {
        let (trace, correlation) = {
            let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
            (chance.guid(), chance.guid())
        };
        let timestamp = self.clock.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let lines = format!("\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}");
        let body = json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {description}{lines}"),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        uncached(reply(status, &body))
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The resource of a v2 scope. `openid` and its like name none.
fn scope_of(scope: &str) -> Result<&str, Problem> {
    let is_plain = |word: &&str| !matches!(*word, "openid" | "offline_access" | "profile" | "email");
    let resources: Vec<&str> = scope.split_whitespace().filter(is_plain).collect();
    let resource = match resources.as_slice() {
        [one] => one
            .strip_suffix("/.default")
            .or_else(|| one.strip_suffix("/user_impersonation")),
        _ => None,
    };
    let description = || format!("The provided value for the input parameter 'scope' is not valid: '{scope}'.");
    resource.ok_or_else(|| denied(400, "invalid_scope", 70_011, description()))
}

/// Client id and secret of HTTP Basic, as some clients send them (dataverse.md section 1.1).
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD
        .decode(encoded.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn reply(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    json_reply(status, "application/json; charset=utf-8", body)
}

fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests;
