//! Documents that tell clients where everything is (dataverse.md section 1.3).
//!
//! The set of members is the one that msal, azure-identity and msal-node were measured to need.

use axum::extract::{Request, State};
use axum::response::Response;
use http::Uri;
use serde_json::{Value, json};

use super::{Fields, Footing, Version, reply, tenant};
use crate::site::{Bases, Site};

/// The identifier of the partner's tenant: what every name of it stands for.
pub(super) const TENANT: &str = "00000000-0000-4000-8000-0000c0de0001";

/// The identifier behind the first segment of a path. Assumed: a guid is one, and everything else (a domain, `common`,
/// `organizations`) means the partner's tenant, where every user is at home.
pub(super) fn tenant_id(named: &str) -> &str {
    let is_guid = named.len() == 36
        && named.bytes().enumerate().all(|(at, sign)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                sign == b'-'
            } else {
                sign.is_ascii_hexdigit()
            }
        });
    if is_guid { named } else { TENANT }
}

/// Who says so. Assumed for v1: the login host, too; the real one names `sts.windows.net`.
pub(super) fn issuer(bases: &Bases, tenant: &str, version: Version) -> String {
    let base = bases.of(Site::Entra);
    match version {
        Version::First => format!("{base}/{tenant}/"),
        Version::Second => format!("{base}/{tenant}/v2.0"),
    }
}

pub(super) async fn second_document(State(it): State<Footing>, request: Request) -> Response {
    it.documented(&request, Version::Second)
}

pub(super) async fn first_document(State(it): State<Footing>, request: Request) -> Response {
    it.documented(&request, Version::First)
}

impl Footing {
    /// Assumed: the `error` that a tenant gets here which does not exist.
    fn documented(&self, request: &Request, version: Version) -> Response {
        let uri = request.uri();
        match self.check_tenant(tenant(uri), "invalid_tenant") {
            Ok(()) => reply(200, &self.document(tenant(uri), version)),
            Err(problem) => self.problem(request.method(), uri, problem),
        }
    }
}

/// There are none: nothing here is signed with a key of Entra ID.
pub(super) async fn keys() -> Response {
    reply(200, &json!({ "keys": [] }))
}

/// Instance discovery: MSAL asks it whether a host is an authority.
pub(super) async fn instance(State(it): State<Footing>, request: Request) -> Response {
    let uri = request.uri();
    let fields = Fields::of(uri.query().unwrap_or_default());
    let asked: Option<Uri> = fields.get("authorization_endpoint").and_then(|text| text.parse().ok());
    let tenant = asked.as_ref().map_or_else(|| tenant(uri), tenant);
    let base = it.bases.of(Site::Entra);
    let host = base.split("://").nth(1).unwrap_or_default();
    let body = json!({
        "tenant_discovery_endpoint": format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    });
    reply(200, &body)
}

/// Where a user signs in: MSAL for Python asks before it sends a password. Assumed: the shape; everybody is managed here.
pub(super) async fn realm(State(it): State<Footing>, request: Request) -> Response {
    let user = request.uri().path().rsplit('/').next().unwrap_or_default();
    let user = super::form::decoded(user);
    let domain = user.rsplit('@').next().unwrap_or_default();
    let host = it.bases.of(Site::Entra);
    let host = host.split("://").nth(1).unwrap_or_default();
    let body = json!({
        "ver": "1.0", "account_type": "Managed", "domain_name": domain, "cloud_instance_name": host,
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    });
    reply(200, &body)
}

impl Footing {
    fn document(&self, tenant: &str, version: Version) -> Value {
        let root = format!("{}/{tenant}", self.bases.of(Site::Entra));
        // Assumed: where the tenant is not said, a placeholder stands for the one that the user turns out to be of.
        let said = match tenant {
            "common" | "organizations" => "{tenantid}",
            named => tenant_id(named),
        };
        let (oauth, keys) = match version {
            Version::First => (format!("{root}/oauth2"), format!("{root}/discovery/keys")),
            Version::Second => (format!("{root}/oauth2/v2.0"), format!("{root}/discovery/v2.0/keys")),
        };
        json!({
            "token_endpoint": format!("{oauth}/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "jwks_uri": keys,
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["none"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": issuer(&self.bases, said, version),
            "authorization_endpoint": format!("{oauth}/authorize"),
            "device_authorization_endpoint": format!("{oauth}/devicecode"),
        })
    }
}
