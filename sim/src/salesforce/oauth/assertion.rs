//! The JWT bearer grant: a signed statement of who the user is (salesforce.md section 1.1).
//!
//! Assumed: every description but that of an application that nobody approved.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::{Fault, check_trouble, is_of_the_org};
use crate::identity::User;
use crate::salesforce::state::State;

/// The user whom a statement names, when it holds.
pub(super) fn signed_in(state: &State, assertion: &str) -> Result<User, Fault> {
    const BROKEN: Fault = ("invalid_grant", "invalid assertion");
    let (signed, signature) = assertion.rsplit_once('.').ok_or(BROKEN)?;
    let (head, claims) = signed.split_once('.').ok_or(BROKEN)?;
    let (head, claims) = (read(head).ok_or(BROKEN)?, read(claims).ok_or(BROKEN)?);
    let signature = BASE64.decode(signature.trim_end_matches('=')).map_err(|_| BROKEN)?;
    if head["alg"] != "RS256" {
        return Err(("invalid_grant", "invalid assertion: only RS256 is supported"));
    }
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    if text("iss").is_empty() {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    check_signature(state, signed, &signature)?;
    check_audience(state, text("aud"))?;
    // Some clients send a number, some a text (salesforce.md section 1.1).
    let expires = claims["exp"]
        .as_i64()
        .or_else(|| text("exp").parse().ok())
        .ok_or(BROKEN)?;
    if expires <= state.ground.clock.now().as_second() {
        return Err(("invalid_grant", "assertion has expired"));
    }
    if !state.settings.application_approved {
        return Err(("invalid_grant", "user hasn't approved this consumer"));
    }
    let name = text("sub").split('@').next().unwrap_or_default();
    let user = state.ground.authority.user(name).filter(is_of_the_org);
    let user = user.ok_or(("invalid_grant", "user hasn't approved this consumer"))?;
    check_trouble(&user)?;
    Ok(user)
}

fn read(part: &str) -> Option<Value> {
    let bytes = BASE64.decode(part.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

/// Without a key in the settings any signature is taken: the simulator does not know the application's certificate.
fn check_signature(state: &State, signed: &str, signature: &[u8]) -> Result<(), Fault> {
    let Some(key) = &state.settings.application_key else {
        return Ok(());
    };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(signed.as_bytes(), signature)
        .map_err(|_| ("invalid_grant", "invalid assertion: signature does not match"))
}

/// The audience is the login host: the vendor's for this kind of org, or the org's own.
fn check_audience(state: &State, audience: &str) -> Result<(), Fault> {
    let own = state.base();
    let hosts = [own.as_str(), state.settings.login_host()];
    if hosts.contains(&audience.trim_end_matches('/')) {
        return Ok(());
    }
    Err(("invalid_grant", "audience is invalid"))
}
