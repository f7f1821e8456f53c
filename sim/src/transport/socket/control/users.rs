//! Users of the served systems, their roles and their tokens.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, Uri};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::faults::site;
use super::{Complaint, done, read};
use crate::identity::{PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, Role, SALESFORCE_AUDIENCE};
use crate::site::Site;
use crate::systems::audience;
use crate::transport::socket::desk::Desk;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    roles: Vec<Role>,
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
    let users: Vec<_> = users
        .iter()
        .map(|user| json!({"name": user.name, "roles": user.roles}))
        .collect();
    done(StatusCode::OK, &json!({ "users": users }))
}

/// Adds a user, or replaces the roles of one who is known; tokens that are out count for the new roles.
pub(super) async fn put(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Complaint> {
    let Roles { roles } = read(&body, r#"{"roles": ["referrals-admin", "system-administrator", …]}"#)?;
    desk.ground().authority.put_user(&name, &roles);
    Ok(done(StatusCode::OK, &json!({"name": name, "roles": roles})))
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
