//! The answer with the tokens: numbers in v2, strings in v1 (dataverse.md section 1.1).

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::grants::Wanted;
use super::{Footing, Version, discovery, reply, uncached};

impl Footing {
    pub(super) fn token(&self, wanted: &Wanted, version: Version) -> Response {
        let lifetime = self.authority.settings().token_lifetime;
        let Wanted { user, audience, .. } = wanted;
        let token = self
            .authority
            .issue(user, audience, lifetime, wanted.app_only, "entra.");
        // Users are looked up before; nobody removes one meanwhile.
        let token = token.unwrap_or_default();
        let seconds = lifetime.as_secs();
        let now = self.clock.now().as_second();
        let mut body = match version {
            Version::Second => json!({
                "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
            }),
            Version::First => json!({
                "token_type": "Bearer", "expires_in": seconds.to_string(), "ext_expires_in": seconds.to_string(),
                "expires_on": (now + seconds).to_string(), "not_before": now.to_string(),
                "resource": audience, "access_token": token,
            }),
        };
        if !wanted.app_only {
            body["scope"] = json!(format!("{audience}/.default"));
        }
        if let Some(refresh_token) = &wanted.refresh_token {
            body["refresh_token"] = json!(refresh_token);
        }
        if wanted.identity {
            body["id_token"] = json!(self.id_token(wanted, version, now, now + seconds));
        }
        if wanted.client_info {
            let info = json!({"uid": object_of(user), "utid": wanted.tenant});
            body["client_info"] = json!(URL_SAFE_NO_PAD.encode(info.to_string()));
        }
        uncached(reply(200, &body))
    }

    /// A JWT without a signature: `alg` none, and a dummy where the signature would be (measured: MSAL takes it).
    fn id_token(&self, wanted: &Wanted, version: Version, now: i64, expires: i64) -> String {
        let email = self.authority.user(&wanted.user).map(|user| user.email);
        let mut claims = json!({
            "aud": wanted.client,
            "iss": discovery::issuer(&self.bases, &wanted.tenant, version),
            "iat": now,
            "nbf": now,
            "exp": expires,
            "name": wanted.user,
            "oid": object_of(&wanted.user),
            "preferred_username": email,
            "sub": object_of(&wanted.user),
            "tid": wanted.tenant,
            "ver": match version { Version::First => "1.0", Version::Second => "2.0" },
        });
        if let Some(nonce) = &wanted.nonce {
            claims["nonce"] = json!(nonce);
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({"typ": "JWT", "alg": "none"});
        format!("{}.{}.{}", part(&head), part(&claims), URL_SAFE_NO_PAD.encode("none"))
    }
}

/// The identifier of a user: a guid that depends on the name alone.
pub(crate) fn object_of(user: &str) -> String {
    // FNV-1a.
    let hash = user.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("00000000-0000-4000-8000-{:012x}", hash & 0xffff_ffff_ffff)
}
