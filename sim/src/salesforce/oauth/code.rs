//! The web-server flow: `GET /services/oauth2/authorize` sends the browser back with a code, which is worth a token once.
//!
//! The page is the simulator's own: it lists who can sign in, and asks for no password. Assumed: the descriptions of errors, and
//! that a code lives 15 minutes.

use std::collections::VecDeque;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{HeaderValue, StatusCode, header};

use super::{Fault, check_trouble, is_of_the_org, refused};
use crate::identity::User;
use crate::salesforce::error::Problem;
use crate::salesforce::form;
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Call};

/// How long a code lives, in seconds. Assumed.
const LIFETIME: i64 = 15 * 60;
/// How many codes wait at most.
const KEPT: usize = 200;

/// A code that was given out.
#[derive(Debug)]
struct Given {
    code: String,
    user: String,
    client: String,
    redirect: String,
    /// The challenge of the client, as it sent it.
    challenge: Option<String>,
    scope: String,
    second: i64,
}

/// Codes that were not redeemed yet, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    given: VecDeque<Given>,
    count: u64,
}

/// `GET /services/oauth2/authorize`. `login_hint` or `username` says who signs in; without one a page asks.
pub(crate) fn authorize(state: &mut State, call: &Call<'_>) -> Answer {
    let query = call.uri.query().unwrap_or_default();
    let form = form::pairs(query).unwrap_or_default();
    let field = |name: &str| form::value(&form, name).unwrap_or_default();
    let kind = field("response_type");
    if matches!(kind, "token" | "hybrid_token" | "device_code") {
        return Err(Problem::not_simulated(format!("response type `{kind}`")));
    }
    let redirect = field("redirect_uri").to_owned();
    let fault: Option<Fault> = if field("client_id").is_empty() {
        Some(("invalid_client_id", "client identifier invalid"))
    } else if redirect.is_empty() || redirect.parse::<http::Uri>().is_err() {
        Some(("redirect_uri_mismatch", "redirect_uri must match configuration"))
    } else {
        None
    };
    if let Some(fault) = fault {
        return Ok(refused(fault));
    }
    if kind != "code" {
        return Ok(sent_back(
            &redirect,
            &[("error", "unsupported_response_type"), ("state", field("state"))],
        ));
    }
    let hint = [field("login_hint"), field("username")]
        .into_iter()
        .find(|name| !name.is_empty());
    let Some(hint) = hint else {
        return Ok(page(state, query));
    };
    let user = state.ground.authority.user(hint.split('@').next().unwrap_or_default());
    let Some(user) = user.filter(is_of_the_org).filter(|user| user.trouble.is_none()) else {
        let pairs = [
            ("error", "access_denied"),
            ("error_description", "end-user denied authorization"),
        ];
        return Ok(sent_back(&redirect, &[pairs[0], pairs[1], ("state", field("state"))]));
    };
    let scope = Some(field("scope"))
        .filter(|scope| !scope.is_empty())
        .unwrap_or("api refresh_token");
    let codes = &mut state.codes;
    codes.count += 1;
    let code = format!("aPrx{:0>12}", codes.count);
    codes.given.push_back(Given {
        code: code.clone(),
        user: user.name,
        client: field("client_id").to_owned(),
        redirect: redirect.clone(),
        challenge: form::value(&form, "code_challenge").map(str::to_owned),
        scope: scope.to_owned(),
        second: state.ground.clock.now().as_second(),
    });
    if codes.given.len() > KEPT {
        codes.given.pop_front();
    }
    Ok(sent_back(&redirect, &[("code", &code), ("state", field("state"))]))
}

/// Who redeems a code, and for which scope. A code is gone with the first try.
pub(super) fn redeemed(state: &mut State, client: &str, form: &[(String, String)]) -> Result<(User, String), Fault> {
    let field = |name: &str| form::value(form, name).unwrap_or_default();
    let given = &mut state.codes.given;
    let place = given.iter().position(|given| given.code == field("code"));
    let given = place.and_then(|place| given.remove(place));
    let Some(given) = given.filter(|given| given.client == client) else {
        return Err(("invalid_grant", "invalid authorization code"));
    };
    if state.ground.clock.now().as_second() - given.second >= LIFETIME {
        return Err(("invalid_grant", "expired authorization code"));
    }
    if given.redirect != field("redirect_uri") {
        return Err(("redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    if let Some(challenge) = &given.challenge {
        let digest = ring::digest::digest(&ring::digest::SHA256, field("code_verifier").as_bytes());
        if *challenge != BASE64.encode(digest) {
            return Err(("invalid_grant", "invalid code verifier"));
        }
    }
    let user = state.ground.authority.user(&given.user).filter(is_of_the_org);
    let user = user.ok_or(("invalid_grant", "authentication failure"))?;
    check_trouble(&user)?;
    Ok((user, given.scope))
}

/// A redirection with these pairs in its query; empty ones are left out.
fn sent_back(redirect: &str, pairs: &[(&str, &str)]) -> Response {
    let query: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let sign = if redirect.contains('?') { '&' } else { '?' };
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    if let Ok(location) = HeaderValue::from_str(&format!("{redirect}{sign}{}", query.join("&"))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let parts = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    parts.collect::<Vec<_>>().concat()
}

/// The page that asks who signs in.
fn page(state: &State, query: &str) -> Response {
    let query = query.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let users = state.ground.authority.users().into_iter().filter(is_of_the_org);
    let links: Vec<String> = users
        .map(|user| {
            let name = escaped(&user.name);
            format!("<li><a href=\"?{query}&amp;login_hint={name}\">{name}</a></li>")
        })
        .collect();
    let links = links.concat();
    let body = format!("<!doctype html><title>Sign in</title><h1>Who signs in?</h1><ul>{links}</ul>");
    let mut response = Response::new(axum::body::Body::from(body));
    let html = HeaderValue::from_static("text/html;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}
