//! What a session tells about itself, and how it ends: userinfo, the identity address, introspection, revocation
//! (salesforce.md section 1.2).
//!
//! Assumed: which members there are beyond those that clients were seen to read.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{SECRET, client, refused};
use crate::identity::{Grant, SALESFORCE_AUDIENCE};
use crate::reply::{empty_reply, json_reply};
use crate::salesforce::error::JSON;
use crate::salesforce::form;
use crate::salesforce::state::State;
use crate::salesforce::visit::Call;

/// `GET` or `POST /services/oauth2/userinfo`.
pub(crate) fn userinfo(state: &mut State, call: &Call<'_>) -> Response {
    let Some(grant) = session(state, call) else {
        return bad_token("Bad_OAuth_Token");
    };
    let body = person(state, &grant);
    let base = state.base();
    let id = body["user_id"].as_str().unwrap_or_default().to_owned();
    let named = json!({
        "sub": format!("{base}/id/{}/{id}", state.organization),
        "user_id": body["user_id"],
        "organization_id": body["organization_id"],
        "preferred_username": body["username"],
        "nickname": body["nick_name"],
        "name": body["display_name"],
        "email": body["email"],
        "email_verified": true,
        "given_name": body["first_name"],
        "family_name": body["last_name"],
        "zoneinfo": body["timezone"],
        "photos": body["photos"],
        "profile": format!("{base}/{id}"),
        "picture": body["photos"]["picture"],
        "address": {},
        "urls": body["urls"],
        "active": body["active"],
        "user_type": body["user_type"],
        "language": body["language"],
        "locale": body["locale"],
        "utcOffset": body["utcOffset"],
        "updated_at": body["last_modified_date"],
    });
    json_reply(StatusCode::OK, JSON, &named)
}

/// `GET /id/ORGANIZATION/USER`, the address in each answer of the token endpoint.
pub(crate) fn identity(state: &mut State, call: &Call<'_>, organization: &str, user: &str) -> Response {
    let Some(grant) = session(state, call) else {
        let missing = token(call).is_none();
        let text = if missing {
            "Missing_OAuth_Token"
        } else {
            "Bad_OAuth_Token"
        };
        return bad_token(text);
    };
    let body = person(state, &grant);
    let same = |member: &str, asked: &str| body[member].as_str().is_some_and(|known| known.starts_with(asked));
    let whole = |asked: &str| matches!(asked.len(), 15 | 18);
    if !(whole(organization) && whole(user) && same("organization_id", organization) && same("user_id", user)) {
        return bad_token("Bad_Id");
    }
    json_reply(StatusCode::OK, JSON, &body)
}

/// `POST /services/oauth2/introspect`.
pub(crate) fn introspect(state: &mut State, call: &Call<'_>) -> Response {
    let form = str::from_utf8(call.body).ok().and_then(form::pairs).unwrap_or_default();
    let (id, secret) = client(call.headers, &form);
    if id.is_empty() || secret != SECRET {
        return refused(("invalid_client", "invalid client credentials"));
    }
    let token = form::value(&form, "token").unwrap_or_default();
    let Some(grant) = checked(state, token) else {
        return json_reply(StatusCode::OK, JSON, &json!({"active": false}));
    };
    let author = state.author(&grant.user.name);
    let expires = grant.expires.as_second();
    let made = expires - state.settings.session_lifetime.as_secs();
    let base = state.base();
    let body = json!({
        "active": true,
        "scope": "api",
        "client_id": id,
        "username": crate::salesforce::people::username(&grant.user.name),
        "sub": format!("{base}/id/{}/{}", state.organization, author.id),
        "token_type": "access_token",
        "exp": expires,
        "iat": made,
        "nbf": made,
    });
    json_reply(StatusCode::OK, JSON, &body)
}

/// `GET` or `POST /services/oauth2/revoke`: ends a session, or a refresh token with every session of its user.
pub(crate) fn revoke(state: &mut State, call: &Call<'_>) -> Response {
    let query = call.uri.query().unwrap_or_default();
    let body = str::from_utf8(call.body).unwrap_or_default();
    let form = form::pairs(&format!("{query}&{body}")).unwrap_or_default();
    let token = form::value(&form, "token").unwrap_or_default();
    let authority = &state.ground.authority;
    if authority.revoke_token(token) {
        return empty_reply(StatusCode::OK);
    }
    refused(("invalid_token", "invalid token"))
}

/// The token of a request: in the header, in the query, or in the form.
fn token(call: &Call<'_>) -> Option<String> {
    let header = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if let Some((_, token)) = header.and_then(|header| header.split_once(' ')) {
        return Some(token.trim().to_owned());
    }
    let query = call.uri.query().unwrap_or_default();
    let body = str::from_utf8(call.body).unwrap_or_default();
    let form = form::pairs(&format!("{query}&{body}"))?;
    let named = ["oauth_token", "access_token"];
    named
        .iter()
        .find_map(|name| form::value(&form, name))
        .map(str::to_owned)
}

fn session(state: &State, call: &Call<'_>) -> Option<Grant> {
    checked(state, &token(call)?)
}

fn checked(state: &State, token: &str) -> Option<Grant> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_str(&format!("Bearer {token}")).ok()?,
    );
    state.ground.authority.check(&headers, SALESFORCE_AUDIENCE).ok()
}

/// A text, and 403: not the 401 of the REST API (salesforce.md section 1.2).
fn bad_token(text: &'static str) -> Response {
    let mut response = Response::new(axum::body::Body::from(text));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

fn person(state: &mut State, grant: &Grant) -> Value {
    let author = state.author(&grant.user.name);
    let users = state.object("User");
    let shape = &state.org.objects[users];
    let row = state.tables[users]
        .find(author.id)
        .map(|place| state.tables[users].row(place));
    let field = |name: &str| {
        let cell = shape.field(name).and_then(|place| Some(&row?.cells[place]));
        cell.map_or(Value::Null, |cell| cell.to_value(false))
    };
    let base = state.base();
    let rest = format!("{base}/services/data/v{{version}}/");
    json!({
        "id": format!("{base}/id/{}/{}", state.organization, author.id),
        "asserted_user": true,
        "user_id": author.id.to_string(),
        "organization_id": state.organization.to_string(),
        "username": field("Username"),
        "nick_name": field("CommunityNickname"),
        "display_name": field("Name"),
        "email": field("Email"),
        "email_verified": true,
        "first_name": field("FirstName"),
        "last_name": field("LastName"),
        "timezone": field("TimeZoneSidKey"),
        "photos": {"picture": format!("{base}/profilephoto/005/F"), "thumbnail": format!("{base}/profilephoto/005/T")},
        "urls": {
            "enterprise": format!("{base}/services/Soap/c/{{version}}/{}", state.organization.short()),
            "partner": format!("{base}/services/Soap/u/{{version}}/{}", state.organization.short()),
            "rest": rest,
            "sobjects": format!("{rest}sobjects/"),
            "query": format!("{rest}query/"),
            "recent": format!("{rest}recent/"),
            "profile": format!("{base}/{}", author.id),
            "custom_domain": base,
        },
        "active": field("IsActive"),
        "user_type": "STANDARD",
        "language": field("LanguageLocaleKey"),
        "locale": field("LocaleSidKey"),
        "utcOffset": 0,
        "last_modified_date": field("LastModifiedDate"),
    })
}
