//! The token endpoint: `POST /services/oauth2/token` (salesforce.md section 1.1).
//!
//! It issues tokens; whether a token is still worth something is asked of the authority with each call.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, StatusCode, header};
use ring::hmac;
use serde_json::{Map, Value, json};

use super::error::JSON;
use super::form;
use super::state::State;
use crate::identity::{Role, SALESFORCE_AUDIENCE, Trouble, User};
use crate::reply::json_reply;

/// The JWT bearer grant.
mod assertion;
/// The sign-in page and its codes.
pub(crate) mod code;
/// What a session tells about itself, and its end.
pub(crate) mod session;
/// `login()` of the SOAP API.
pub(crate) mod soap;

/// What every connected application's secret is here.
const SECRET: &str = "secret";
/// What every user's password is here. A security token may follow it.
const PASSWORD: &str = "password";
/// The JWT bearer grant.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An error of the token endpoint: its code and description.
type Fault = (&'static str, &'static str);

/// Answers a token request.
pub(crate) fn token(state: &mut State, headers: &HeaderMap, body: &[u8]) -> Response {
    let form = str::from_utf8(body).ok().and_then(form::pairs).unwrap_or_default();
    let grant = form::value(&form, "grant_type").unwrap_or_default();
    let answer = signed_in(state, headers, grant, &form).map(|(user, scope)| {
        let mut answer = issue(state, &user.name, grant, &scope);
        if grant == "authorization_code" {
            let refresh = state
                .ground
                .authority
                .issue_refresh_token(&user.name, user.second_factor);
            answer.insert("refresh_token".to_owned(), Value::from(refresh));
        }
        Value::Object(answer)
    });
    match answer {
        Ok(body) => json_reply(StatusCode::OK, JSON, &body),
        Err(fault) => refused(fault),
    }
}

/// `{"error","error_description"}` with status 400.
fn refused((error, description): Fault) -> Response {
    let body = json!({"error": error, "error_description": description});
    json_reply(StatusCode::BAD_REQUEST, JSON, &body)
}

/// Who signs in, and for which scope.
fn signed_in(
    state: &mut State,
    headers: &HeaderMap,
    grant: &str,
    form: &[(String, String)],
) -> Result<(User, String), Fault> {
    let field = |name: &str| form::value(form, name).unwrap_or_default();
    match grant {
        JWT_BEARER => return assertion::signed_in(state, field("assertion")).map(|user| (user, "api".to_owned())),
        "client_credentials" | "password" | "refresh_token" | "authorization_code" => {}
        _ => return Err(("unsupported_grant_type", "grant type not supported")),
    }
    let (id, secret) = client(headers, form);
    if id.is_empty() {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    // A public client proves itself by the code's verifier instead.
    let public = grant == "authorization_code" && secret.is_empty() && !field("code_verifier").is_empty();
    if secret != SECRET && !public {
        return Err(("invalid_client", "invalid client credentials"));
    }
    if grant == "authorization_code" {
        return code::redeemed(state, &id, form);
    }
    let authority = &state.ground.authority;
    let (user, otherwise) = match grant {
        "client_credentials" => (authority.user("connector"), "authentication failure"),
        "refresh_token" => {
            let user = authority.user_of_refresh_token(field("refresh_token"));
            (user, "expired access/refresh token")
        }
        _ => (
            with_password(state, field("username"), field("password")),
            "authentication failure",
        ),
    };
    let user = user.filter(is_of_the_org).ok_or(("invalid_grant", otherwise))?;
    check_trouble(&user)?;
    Ok((user, "api".to_owned()))
}

/// The client's identifier and secret, from Basic authentication or from the form.
fn client(headers: &HeaderMap, form: &[(String, String)]) -> (String, String) {
    let field = |name: &str| form::value(form, name).unwrap_or_default().to_owned();
    basic(headers).unwrap_or_else(|| (field("client_id"), field("client_secret")))
}

/// The user of that name and password, which a security token may follow.
fn with_password(state: &State, username: &str, password: &str) -> Option<User> {
    let name = username.split('@').next().unwrap_or_default();
    let user = state.ground.authority.user(name)?;
    password.starts_with(PASSWORD).then_some(user)
}

/// Assumed: the descriptions, and that a password that is too old is told as a wrong one.
fn check_trouble(user: &User) -> Result<(), Fault> {
    match user.trouble {
        Some(Trouble::Disabled) => Err(("inactive_user", "user is inactive")),
        Some(Trouble::PasswordExpired) => Err(("invalid_grant", "authentication failure")),
        None => Ok(()),
    }
}

/// Somebody without any role in the CRM has no user in the org.
fn is_of_the_org(user: &User) -> bool {
    let roles = [Role::SystemAdministrator, Role::SystemCustomizer, Role::Salesperson];
    roles.iter().any(|role| user.roles.contains(role))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// A new session: an access token of the org.
fn open_session(state: &State, user: &str) -> String {
    let prefix = format!("{}!", state.organization.short());
    let lifetime = state.settings.session_lifetime;
    let authority = &state.ground.authority;
    let token = authority.issue(user, SALESFORCE_AUDIENCE, lifetime, false, &prefix);
    token.unwrap_or_default()
}

/// The whole set of members always, since some clients insist on one or the other (salesforce.md section 1.1).
fn issue(state: &mut State, user: &str, grant: &str, scope: &str) -> Map<String, Value> {
    let author = state.author(user);
    let token = open_session(state, user);
    let ground = &state.ground;
    let base = state.base();
    let id = format!("{base}/id/{}/{}", state.organization, author.id);
    let issued_at = ground.clock.now().as_millisecond().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()));
    let mut body = Map::new();
    let mut put = |name: &str, value: String| body.insert(name.to_owned(), Value::String(value));
    put("access_token", token);
    put("signature", signature);
    put("scope", scope.to_owned());
    put("instance_url", base.clone());
    put("id", id);
    put("token_type", "Bearer".to_owned());
    put("issued_at", issued_at);
    if grant == "client_credentials" {
        put("api_instance_url", base);
    }
    body
}

#[cfg(test)]
mod tests;
