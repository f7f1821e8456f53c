//! Where people sign in: device codes, and the page that gives authorization codes.
//!
//! The pages are the simulator's own. Assumed: whoever opens one says who they are, by `login_hint` or by a click, and
//! that counts as a sign-in with every factor that the user has.

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use serde_json::json;

use super::pending::{Code, DEVICE_LIFETIME, DeviceState};
use super::{Call, Fields, Footing, Problem, Version, denied, reply, uncached};
use crate::reply::empty_reply;
use crate::site::Site;

/// How long a device waits between two questions.
const INTERVAL: u64 = 5;

pub(super) async fn second_device(State(it): State<Footing>, request: Request) -> Response {
    let call = Call::of(request).await;
    it.answered(&call.method, &call.uri, it.device(&call, Version::Second))
}

pub(super) async fn first_device(State(it): State<Footing>, request: Request) -> Response {
    let call = Call::of(request).await;
    it.answered(&call.method, &call.uri, it.device(&call, Version::First))
}

pub(super) async fn second_authorize(State(it): State<Footing>, method: Method, uri: Uri) -> Response {
    it.answered(&method, &uri, it.authorize(&uri, Version::Second))
}

pub(super) async fn first_authorize(State(it): State<Footing>, method: Method, uri: Uri) -> Response {
    it.answered(&method, &uri, it.authorize(&uri, Version::First))
}

/// The page where a user code is typed in.
pub(super) async fn device_page(State(it): State<Footing>) -> Response {
    let users: String = it.authority.users().iter().map(|user| option(&user.name)).collect();
    page(
        StatusCode::OK,
        &format!(
            "<form method=\"post\"><label>Code <input name=\"user_code\"></label> <label>Sign in as <select \
             name=\"username\">{users}</select></label> <button name=\"decision\" value=\"approve\">Approve</button> \
             <button name=\"decision\" value=\"decline\">Decline</button></form>"
        ),
    )
}

/// Somebody typed a user code in: form fields `user_code`, `username`, and `decision` (`approve` unless `decline`).
pub(super) async fn device_decided(State(it): State<Footing>, request: Request) -> Response {
    let call = Call::of(request).await;
    let fields = &call.fields;
    let user = fields.get("username").and_then(|name| it.authority.user(name));
    let Some(user) = user else {
        return page(StatusCode::BAD_REQUEST, "Nobody has that name.");
    };
    let state = if fields.get("decision") == Some("decline") {
        DeviceState::Declined
    } else {
        DeviceState::Approved(user.name)
    };
    let code = fields.get("user_code").unwrap_or_default();
    if it.pending().decide(code, state, it.clock.now()) {
        page(StatusCode::OK, "Done. The device can go on.")
    } else {
        page(StatusCode::BAD_REQUEST, "That code did not work.")
    }
}

impl Footing {
    fn answered(&self, method: &Method, uri: &Uri, answer: Result<Response, Problem>) -> Response {
        answer.unwrap_or_else(|problem| self.problem(method, uri, problem))
    }

    /// Another device code. v1 prints numbers as strings and calls the page `verification_url`.
    fn device(&self, call: &Call, version: Version) -> Result<Response, Problem> {
        call.fields.need("client_id")?;
        let audience = self.audience(&call.fields, version)?;
        let scope = call.fields.get("scope").unwrap_or_default();
        let device = self.pending().device(audience, scope, self.clock.now());
        let uri = format!("{}/common/oauth2/deviceauth", self.bases.of(Site::Entra));
        let lifetime = DEVICE_LIFETIME.as_secs();
        let message = format!(
            "To sign in, use a web browser to open the page {uri} and enter the code {} to authenticate.",
            device.user_code
        );
        let body = match version {
            Version::Second => json!({
                "user_code": device.user_code, "device_code": device.secret, "verification_uri": uri,
                "expires_in": lifetime, "interval": INTERVAL, "message": message,
            }),
            Version::First => json!({
                "user_code": device.user_code, "device_code": device.secret, "verification_url": uri,
                "expires_in": lifetime.to_string(), "interval": INTERVAL.to_string(), "message": message,
            }),
        };
        Ok(uncached(reply(200, &body)))
    }

    /// Gives a code to whoever `login_hint` names; without one, asks who it is.
    fn authorize(&self, uri: &Uri, version: Version) -> Result<Response, Problem> {
        let query = uri.query().unwrap_or_default();
        let fields = Fields::of(query);
        let client = fields.need("client_id")?.to_owned();
        let redirect = fields.need("redirect_uri")?.to_owned();
        let by_form = match (fields.need("response_type")?, fields.get("response_mode")) {
            ("code", None | Some("query")) => false,
            ("code", Some("form_post")) => true,
            ("code", Some(mode)) => return Err(Problem::NotSimulated(format!("response mode `{mode}`"))),
            (kind, _) => return Err(Problem::NotSimulated(format!("response type `{kind}`"))),
        };
        // v1 may name the resource later, when the code is redeemed.
        if version == Version::Second {
            self.audience(&fields, version)?;
        }
        let Some(hint) = fields.get("login_hint") else {
            return Ok(self.who_are_you(uri.path(), query));
        };
        let name = hint.split('@').next().unwrap_or_default();
        let user = self.authority.user(name).ok_or_else(|| {
            let description = format!("The user account '{name}' does not exist in the directory.");
            denied(400, "invalid_request", 50_034, description)
        })?;
        let hashed = fields.get("code_challenge_method") == Some("S256");
        let draft = Code {
            secret: String::new(),
            user: user.name,
            client,
            scope: fields.get("scope").unwrap_or_default().to_owned(),
            nonce: fields.get("nonce").map(str::to_owned),
            challenge: fields.get("code_challenge").map(|text| (text.to_owned(), hashed)),
            expires: self.clock.now(),
            redeemed: false,
            redirect,
        };
        let redirect = draft.redirect.clone();
        let code = self.pending().code(draft, self.clock.now());
        if by_form {
            return Ok(posted_back(&redirect, &code, fields.get("state")));
        }
        let joint = if redirect.contains('?') { '&' } else { '?' };
        let state = fields.get("state").map(|state| format!("&state={}", escaped(state)));
        let location = format!("{redirect}{joint}code={code}{}", state.unwrap_or_default());
        let location = HeaderValue::try_from(location)
            .map_err(|_| denied(400, "invalid_request", 90_008, "The reply address is not a URL."))?;
        let mut response = empty_reply(StatusCode::FOUND);
        response.headers_mut().insert(header::LOCATION, location);
        Ok(uncached(response))
    }

    fn who_are_you(&self, path: &str, query: &str) -> Response {
        let here = format!("{path}?{query}").replace('&', "&amp;").replace('"', "%22");
        let link = |name: &str| {
            let hint = escaped(name);
            format!("<li><a href=\"{here}&amp;login_hint={hint}\">{}</a></li>", text(name))
        };
        let links: String = self.authority.users().iter().map(|user| link(&user.name)).collect();
        page(StatusCode::OK, &format!("<p>Sign in as</p><ul>{links}</ul>"))
    }
}

/// A page that brings the code back by itself, as a form.
fn posted_back(redirect: &str, code: &str, state: Option<&str>) -> Response {
    let field = |name: &str, value: &str| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", text(value));
    let state = state.map(|state| field("state", state)).unwrap_or_default();
    let form = format!(
        "<form method=\"post\" action=\"{}\">{}{state}<button>Go on</button></form><script>document.forms[0].submit()\
         </script>",
        text(redirect),
        field("code", code)
    );
    page(StatusCode::OK, &form)
}

fn option(name: &str) -> String {
    format!("<option>{}</option>", text(name))
}

/// Text for a page.
fn text(plain: &str) -> String {
    let plain = plain.replace('&', "&amp;").replace('<', "&lt;");
    plain.replace('>', "&gt;").replace('"', "&quot;")
}

/// Text for a query.
fn escaped(plain: &str) -> String {
    let mut escaped = String::new();
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(["%".to_owned(), format!("{byte:02X}")]);
        }
    }
    escaped
}

fn page(status: StatusCode, content: &str) -> Response {
    let html = format!("<!doctype html><meta charset=\"utf-8\"><title>Simulated sign-in</title>{content}\n");
    let mut response = Response::new(axum::body::Body::from(html));
    *response.status_mut() = status;
    let value = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    uncached(response)
}
