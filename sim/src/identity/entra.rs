//! The Entra ID token endpoint (dataverse.md sections 1.1 to 1.3).
//!
//! It issues opaque tokens, not JWTs: no caller may read an access token. Sign-in pages, device codes, discovery and
//! `id_token` are not simulated.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use jiff::SignedDuration;
use serde_json::json;

use super::{Authority, PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, form};
use crate::clock::Clock;
use crate::happening::Happenings;
use crate::reply::{json_reply, refuse};
use crate::seed::{Seed, Stream};
use crate::site::{Bases, Site};

/// The only client secret that is right.
pub const CLIENT_SECRET: &str = "secret";
/// The only password that is right.
pub const PASSWORD: &str = "password";
/// The user that an application's own token acts as.
const APPLICATION_USER: &str = "connector";
/// How long a token lives: `expires_in` of the documented answers.
const LIFETIME: SignedDuration = SignedDuration::from_secs(3599);
/// The largest body that is read.
const LARGEST_BODY: usize = 64 * 1024;

/// What the endpoint stands on. [`crate::ground`] makes it.
#[derive(Clone, Debug)]
pub struct Footing {
    authority: Authority,
    bases: Bases,
    clock: Clock,
    happenings: Happenings,
    chance: Arc<Mutex<Stream>>,
}

impl Footing {
    /// The pieces of a ground.
    pub fn new(authority: Authority, bases: Bases, clock: Clock, happenings: Happenings, seed: Seed) -> Self {
        let chance = Arc::new(Mutex::new(seed.stream("entra trace ids")));
        Self {
            authority,
            bases,
            clock,
            happenings,
            chance,
        }
    }
}

/// The router of `login.microsoftonline.com`. Any tenant is right.
pub fn router(footing: impl Into<Footing>) -> Router {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(second))
        .route("/{tenant}/oauth2/token", post(first))
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

/// What the token will be.
struct Wanted {
    user: String,
    audience: String,
    app_only: bool,
    /// Given back to users, not to applications. The one that was used stays good.
    refresh_token: Option<String>,
}

/// The fields of the form.
struct Fields(Vec<(String, String)>);

impl Fields {
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

impl Footing {
    async fn answer(&self, request: Request, version: Version) -> Response {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
        let is_form = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
            text.starts_with("application/x-www-form-urlencoded")
        });
        // What is no form has no fields, and is answered so.
        let text = if is_form {
            String::from_utf8_lossy(&body)
        } else {
            "".into()
        };
        let fields = Fields(form::pairs(&text).collect());
        match self.wanted(&fields, &parts.headers, version) {
            Ok(wanted) => self.token(&wanted, version),
            Err(Problem::NotSimulated(missing)) => {
                refuse(&self.happenings, Site::Entra, &parts.method, &parts.uri, &missing)
            }
            Err(Problem::Denied {
                status,
                error,
                code,
                description,
            }) => self.denial(status, error, code, &description),
        }
    }

    fn wanted(&self, fields: &Fields, headers: &HeaderMap, version: Version) -> Result<Wanted, Problem> {
        let grant = fields.need("grant_type")?;
        let basic = basic_credentials(headers);
        if basic.is_none() {
            fields.need("client_id")?;
        }
        let secret = fields.get("client_secret").map(str::to_owned);
        let secret = secret.or(basic.map(|(_, secret)| secret));
        match grant {
            "client_credentials" => {
                check_secret(secret.as_deref(), true)?;
                Ok(Wanted {
                    user: APPLICATION_USER.to_owned(),
                    audience: self.audience(fields, version)?,
                    app_only: true,
                    refresh_token: None,
                })
            }
            "refresh_token" => {
                check_secret(secret.as_deref(), false)?;
                let token = fields.need("refresh_token")?;
                let user = self.authority.user_of_refresh_token(token);
                let description = "The provided value for the input parameter 'refresh_token' is not valid.";
                let user = user.ok_or_else(|| denied(400, "invalid_grant", 70_000, description))?;
                self.for_user(user.name, Some(token.to_owned()), fields, version)
            }
            "password" => {
                check_secret(secret.as_deref(), false)?;
                let user = self.signed_in(fields)?;
                self.for_user(user, None, fields, version)
            }
            "authorization_code" | "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
                Err(Problem::NotSimulated(format!("grant type `{grant}`")))
            }
            _ => {
                let description = format!("The app requested an unsupported grant type '{grant}'.");
                Err(denied(400, "unsupported_grant_type", 70_003, description))
            }
        }
    }

    fn for_user(
        &self,
        user: String,
        refresh_token: Option<String>,
        fields: &Fields,
        version: Version,
    ) -> Result<Wanted, Problem> {
        let refresh_token = refresh_token.or_else(|| {
            let token = Authority::refresh_token_of(&user);
            self.authority.user_of_refresh_token(&token).map(|_| token)
        });
        Ok(Wanted {
            audience: self.audience(fields, version)?,
            user,
            app_only: false,
            refresh_token,
        })
    }

    /// The user of a password grant; `name@tenant` is the same as `name`.
    fn signed_in(&self, fields: &Fields) -> Result<String, Problem> {
        let name = fields.need("username")?;
        let name = name.split('@').next().unwrap_or_default();
        let description = format!("The user account '{name}' does not exist in the directory.");
        let user = self.authority.user(name);
        let user = user.ok_or_else(|| denied(400, "invalid_grant", 50_034, description))?;
        if fields.need("password")? == PASSWORD {
            return Ok(user.name);
        }
        let description = "Error validating credentials due to invalid username or password.";
        Err(denied(400, "invalid_grant", 50_126, description))
    }

    /// The one API that the token is for.
    fn audience(&self, fields: &Fields, version: Version) -> Result<String, Problem> {
        let asked = match version {
            Version::First => fields.need("resource")?,
            Version::Second => scope_of(fields.need("scope")?)?,
        };
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

    fn token(&self, wanted: &Wanted, version: Version) -> Response {
        let Wanted { user, audience, .. } = wanted;
        let token = self
            .authority
            .issue(user, audience, LIFETIME, wanted.app_only, "entra.");
        // Users are looked up before; nobody removes one meanwhile.
        let token = token.unwrap_or_default();
        let seconds = LIFETIME.as_secs();
        let mut body = match version {
            Version::Second => json!({
                "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
            }),
            Version::First => {
                let now = self.clock.now().as_second();
                json!({
                    "token_type": "Bearer", "expires_in": seconds.to_string(), "ext_expires_in": seconds.to_string(),
                    "expires_on": (now + seconds).to_string(), "not_before": now.to_string(),
                    "resource": audience, "access_token": token,
                })
            }
        };
        if let Some(refresh_token) = &wanted.refresh_token {
            body["scope"] = json!(format!("{audience}/.default"));
            body["refresh_token"] = json!(refresh_token);
        }
        uncached(json_reply(StatusCode::OK, "application/json; charset=utf-8", &body))
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
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        uncached(json_reply(status, "application/json; charset=utf-8", &body))
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

/// Assumed: a client without a secret is a public one, and may do what users may.
fn check_secret(given: Option<&str>, needed: bool) -> Result<(), Problem> {
    match given {
        Some(CLIENT_SECRET) => Ok(()),
        Some(_) => Err(denied(
            401,
            "invalid_client",
            7_000_215,
            "Invalid client secret provided.",
        )),
        None if needed => {
            let description =
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            Err(denied(401, "invalid_client", 7_000_218, description))
        }
        None => Ok(()),
    }
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

fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;
    use crate::clock::default_start;

    fn footing() -> Footing {
        let clock = Clock::manual(default_start());
        let authority = Authority::new(clock.clone(), Seed(1));
        Footing::new(authority, Bases::default(), clock, Happenings::default(), Seed(1))
    }

    fn ask_at(footing: &Footing, path: &str, content_type: &str, body: &str) -> (StatusCode, Value) {
        let request = http::Request::post(path)
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = router(footing.clone())
            .oneshot(request)
            .now_or_never()
            .unwrap()
            .unwrap();
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .now_or_never()
            .unwrap()
            .unwrap()
            .to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn ask(footing: &Footing, body: &str) -> (StatusCode, Value) {
        let form = "application/x-www-form-urlencoded";
        ask_at(footing, "/contoso.example/oauth2/v2.0/token", form, body)
    }

    #[test]
    fn a_refresh_token_gives_a_users_token_for_one_audience() {
        let footing = footing();
        let (status, body) = ask(
            &footing,
            "grant_type=refresh_token&client_id=app&client_secret=secret&refresh_token=refresh-connector\
             &scope=https%3A%2F%2Fapi.partner.microsoft.com%2F.default%20offline_access",
        );
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["expires_in"], 3599);
        assert_eq!(body["refresh_token"], "refresh-connector");
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
        headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
        let grant = footing.authority.check(&headers, PARTNER_CENTER_AUDIENCE).unwrap();
        assert_eq!((grant.user.name.as_str(), grant.app_only), ("connector", false));
    }

    #[test]
    fn the_first_version_prints_numbers_as_strings() {
        let (status, body) = ask_at(
            &footing(),
            "/contoso.example/oauth2/token",
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials&client_id=app&client_secret=secret\
             &resource=https%3A%2F%2Fcontoso.crm.dynamics.com%2F",
        );
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["expires_in"], "3599");
        assert_eq!(body["resource"], "https://contoso.crm.dynamics.com");
    }

    #[test]
    fn each_wrong_request_has_its_own_code() {
        let footing = footing();
        let client = "grant_type=client_credentials&client_id=app";
        let scope = "scope=https%3A%2F%2Fapi.partner.microsoft.com%2F.default";
        for (body, status, code) in [
            (String::new(), 400, 900_144),
            ("grant_type=client_credentials".to_owned(), 400, 900_144),
            (format!("{client}&{scope}"), 401, 7_000_218),
            (format!("{client}&{scope}&client_secret=wrong"), 401, 7_000_215),
            (format!("{client}&client_secret=secret"), 400, 900_144),
            (format!("{client}&client_secret=secret&scope=nothing"), 400, 70_011),
            (
                format!("{client}&client_secret=secret&scope=https://x.example/.default"),
                400,
                500_011,
            ),
            (format!("grant_type=other&client_id=app&{scope}"), 400, 70_003),
            (
                format!("grant_type=refresh_token&client_id=app&{scope}&refresh_token=x"),
                400,
                70_000,
            ),
            (
                format!("grant_type=password&client_id=app&{scope}&username=nobody&password=password"),
                400,
                50_034,
            ),
            (
                format!("grant_type=password&client_id=app&{scope}&username=partner&password=x"),
                400,
                50_126,
            ),
        ] {
            let (found, answer) = ask(&footing, &body);
            assert_eq!(
                (found.as_u16(), answer["error_codes"][0].as_u64()),
                (status, Some(code)),
                "{body}"
            );
            let description = answer["error_description"].as_str().unwrap();
            assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        }
    }

    #[test]
    fn what_is_not_simulated_is_refused_and_noted() {
        let footing = footing();
        let (status, _) = ask(&footing, "grant_type=authorization_code&client_id=app&code=x");
        assert_eq!(status, 501);
        let (status, _) = ask_at(&footing, "/contoso.example/oauth2/v2.0/devicecode", "text/plain", "");
        assert_eq!(status, 501);
        assert_eq!(footing.happenings.drain().len(), 2);
    }

    #[test]
    fn no_body_brings_it_down() {
        let footing = footing();
        let mut chance = Seed(9).stream("bodies");
        for _ in 0..500 {
            let length = chance.between(0, 60);
            let body: String = (0..length)
                .map(|_| {
                    let words = [
                        "grant_type",
                        "=",
                        "&",
                        "%",
                        "refresh_token",
                        "password",
                        "\u{0}",
                        "ä",
                        "scope",
                        "%2",
                        "+",
                    ];
                    words[usize::try_from(chance.between(0, 10)).unwrap()]
                })
                .collect();
            let (status, _) = ask(&footing, &body);
            assert!(status.is_client_error() || status == 501, "{body:?}: {status}");
        }
    }
}
