//! Users of the served systems, their roles and their tokens.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, Uri};
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::faults::site;
use super::{Complaint, done, read};
use crate::identity::{
    PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, Role, SALESFORCE_AUDIENCE, Scope, Trouble, User,
};
use crate::site::Site;
use crate::systems::audience;
use crate::transport::socket::desk::Desk;

/// What may be said about a user. What is left out stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// In a dump; the path names the user otherwise.
    pub(super) name: Option<String>,
    roles: Option<Vec<Role>>,
    email: Option<String>,
    scope: Option<Scope>,
    second_factor: Option<bool>,
    /// Null when there is none any more.
    #[serde(default)]
    trouble: TroubleWanted,
}

/// What becomes of a user's trouble.
#[derive(Debug, Default)]
enum TroubleWanted {
    /// Nothing was said.
    #[default]
    AsItIs,
    /// This, or none.
    Now(Option<Trouble>),
}

impl<'de> Deserialize<'de> for TroubleWanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Now)
    }
}

impl Wanted {
    /// The user with what is wanted.
    pub(super) fn apply(self, mut user: User) -> User {
        if let Some(roles) = self.roles {
            user.roles = roles.into_iter().collect();
        }
        user.email = self.email.unwrap_or(user.email);
        user.scope = self.scope.unwrap_or(user.scope);
        user.second_factor = self.second_factor.unwrap_or(user.second_factor);
        if let TroubleWanted::Now(trouble) = self.trouble {
            user.trouble = trouble;
        }
        user
    }
}

pub(super) fn print(user: &User) -> Value {
    json!({
        "name": user.name, "roles": user.roles, "email": user.email, "scope": user.scope,
        "secondFactor": user.second_factor, "trouble": user.trouble,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenWanted {
    site: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    seconds: Option<i64>,
    #[serde(default)]
    app_only: bool,
}

pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Response {
    let users = desk.ground().authority.users();
    let users: Vec<Value> = users.iter().map(print).collect();
    done(StatusCode::OK, &json!({ "users": users }))
}

/// Adds a user, or changes one who is known; tokens that are out count for the new roles.
pub(super) async fn put(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Complaint> {
    let expected = r#"{"roles"?: ["referrals-admin", "system-administrator", …], "email"?, "scope"?: "global" | {"locations": ["…"]}, "secondFactor"?: true, "trouble"?: null | "password-expired" | "disabled"}"#;
    let wanted: Wanted = read(&body, expected)?;
    if let Some(other) = wanted.name.as_deref().filter(|other| *other != name) {
        let expected = format!("no name, or `{name}` as in the path");
        return Err(Complaint::new("request body /name", expected).found(other));
    }
    let authority = desk.ground().authority;
    let user = wanted.apply(authority.user(&name).unwrap_or_else(|| User::new(&name, &[])));
    let printed = print(&user);
    authority.set_user(user);
    Ok(done(StatusCode::OK, &printed))
}

/// Ends every token of a user.
pub(super) async fn revoke(State(desk): State<Arc<Desk>>, Path(name): Path<String>) -> Result<Response, Complaint> {
    let ground = desk.ground();
    ground.authority.user(&name).ok_or_else(|| unknown(&name))?;
    let audiences = [
        PARTNER_CENTER_AUDIENCE,
        PARTNER_CENTER_EVENTS_AUDIENCE,
        SALESFORCE_AUDIENCE,
    ]
    .map(str::to_owned);
    let bases = [Site::PartnerCenter, Site::Dataverse].map(|site| ground.bases.of(site));
    for audience in audiences.iter().chain(&bases) {
        ground.authority.revoke(&name, audience);
    }
    Ok(done(StatusCode::OK, &json!({"revoked": name})))
}

/// A token for the URLs of a site.
pub(super) async fn issue(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Complaint> {
    let expected =
        r#"{"site": "partner-center", "path"?: "/webhooks/v1/registration", "seconds"?: 3599, "appOnly"?: false}"#;
    let wanted: TokenWanted = read(&body, expected)?;
    let ground = desk.ground();
    let path = wanted.path.as_deref().unwrap_or("/");
    let uri: Uri = path
        .parse()
        .map_err(|_| Complaint::new("request body /path", "a path").found(path))?;
    let audience = audience(site(&wanted.site)?, &uri, &ground.bases)
        .ok_or_else(|| Complaint::new("request body /site", "a system that asks for tokens").found(&wanted.site))?;
    let seconds = wanted.seconds.unwrap_or(3599);
    let lifetime = SignedDuration::from_secs(seconds.clamp(0, 10 * 366 * 24 * 3600));
    let token = ground
        .authority
        .issue(&name, &audience, lifetime, wanted.app_only, "control-");
    let token = token.ok_or_else(|| unknown(&name))?;
    Ok(done(StatusCode::OK, &json!({"token": token, "audience": audience})))
}

fn unknown(name: &str) -> Complaint {
    Complaint::new("path /control/users/{name}", "the name of a user")
        .found(name)
        .help("GET /control/users lists them; PUT /control/users/{name} adds one")
        .status(StatusCode::NOT_FOUND)
}
