//! What a token request asks for, and whether it gets it: one function for each grant type.
//!
//! It prints nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::super::{RefreshFault, Trouble, User};
use super::discovery::tenant_id;
use super::pending::DeviceState;
use super::{CLIENT_SECRET, Call, Fields, Footing, PASSWORD, Problem, Version, basic_credentials, denied, scope_of};

/// The user that an application's own token acts as.
const APPLICATION_USER: &str = "connector";

/// What the token will be.
pub(super) struct Wanted {
    pub(super) user: String,
    pub(super) client: String,
    pub(super) tenant: String,
    pub(super) audience: String,
    pub(super) app_only: bool,
    /// Given to users, not to applications.
    pub(super) refresh_token: Option<String>,
    /// Whether `openid` was asked for: then there is an `id_token`.
    pub(super) identity: bool,
    /// Whether MSAL asked for `client_info`.
    pub(super) client_info: bool,
    pub(super) nonce: Option<String>,
}

/// Who signed in, and how.
struct Signed {
    user: User,
    audience: String,
    /// The refresh token to give back; none for a new one.
    refresh_token: Option<String>,
    second_factor: bool,
    nonce: Option<String>,
    /// What was asked for before, at the page.
    scope: String,
}

impl Footing {
    pub(super) fn wanted(&self, call: &Call, version: Version) -> Result<Wanted, Problem> {
        self.check_tenant(call.tenant(), "invalid_request")?;
        let fields = &call.fields;
        let grant = fields.need("grant_type")?;
        let basic = basic_credentials(&call.headers);
        let (basic_id, basic_secret) = basic.map_or((None, None), |(id, secret)| (Some(id), Some(secret)));
        let client = match basic_id.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => fields.need("client_id")?.to_owned(),
        };
        let secret = fields.get("client_secret").map(str::to_owned).or(basic_secret);
        check_secret(secret.as_deref(), grant == "client_credentials")?;
        let ends = self.authority.settings().secret_expires;
        if secret.is_some() && ends.is_some_and(|ends| ends <= self.clock.now()) {
            let description = format!("The provided client secret keys for app '{client}' are expired.");
            return Err(denied(401, "invalid_client", 7_000_222, description));
        }
        let signed = match grant {
            "client_credentials" => {
                return Ok(Wanted {
                    user: APPLICATION_USER.to_owned(),
                    client,
                    tenant: tenant_id(call.tenant()).to_owned(),
                    audience: self.audience(fields, version)?,
                    app_only: true,
                    refresh_token: None,
                    identity: false,
                    client_info: false,
                    nonce: None,
                });
            }
            "refresh_token" => self.refreshed(fields, version)?,
            "password" => self.with_password(fields, version)?,
            "authorization_code" => self.with_code(fields, &client, version)?,
            "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => self.with_device(fields)?,
            _ => {
                let description = format!("The app requested an unsupported grant type '{grant}'.");
                return Err(denied(400, "unsupported_grant_type", 70_003, description));
            }
        };
        self.for_user(call, client, version, signed)
    }

    fn for_user(&self, call: &Call, client: String, version: Version, signed: Signed) -> Result<Wanted, Problem> {
        check_user(&signed.user)?;
        if self.is_partner_centers(&signed.audience)
            && !signed.second_factor
            && self.authority.settings().second_factor_required
        {
            let description = format!(
                "Due to a configuration change made by your administrator, or because you moved to a new location, you \
                 must use multi-factor authentication to access '{}'.",
                signed.audience
            );
            return Err(denied(400, "invalid_grant", 50_076, description));
        }
        let scope = call.fields.get("scope").unwrap_or_default();
        let words = || scope.split_whitespace().chain(signed.scope.split_whitespace());
        let asks = |word| words().any(|one| one == word);
        // A refresh gives its token back, which stays good. Otherwise v2 wants to be asked for one.
        let new = || {
            self.authority
                .issue_refresh_token(&signed.user.name, signed.second_factor)
        };
        let refresh_token = signed
            .refresh_token
            .or_else(|| (version == Version::First || asks("offline_access")).then(new));
        Ok(Wanted {
            user: signed.user.name,
            client,
            tenant: tenant_id(call.tenant()).to_owned(),
            audience: signed.audience,
            app_only: false,
            refresh_token,
            identity: asks("openid"),
            client_info: call.fields.get("client_info") == Some("1"),
            nonce: signed.nonce,
        })
    }

    fn refreshed(&self, fields: &Fields, version: Version) -> Result<Signed, Problem> {
        let token = fields.need("refresh_token")?;
        let refused = |code, description: &str| denied(400, "invalid_grant", code, description);
        let (user, second_factor) = self.authority.refreshed(token).map_err(|fault| match fault {
            RefreshFault::Unknown => refused(
                70_000,
                "The provided value for the input parameter 'refresh_token' is not valid.",
            ),
            RefreshFault::Expired => refused(70_008, "The refresh token has expired due to inactivity."),
            RefreshFault::Revoked => refused(
                50_173,
                "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
            ),
        })?;
        Ok(Signed {
            user,
            audience: self.audience(fields, version)?,
            refresh_token: Some(token.to_owned()),
            second_factor,
            nonce: None,
            scope: String::new(),
        })
    }

    /// A password alone is one factor. `name@tenant` is the same as `name`.
    fn with_password(&self, fields: &Fields, version: Version) -> Result<Signed, Problem> {
        let name = fields.need("username")?;
        let name = name.split('@').next().unwrap_or_default();
        let description = format!("The user account '{name}' does not exist in the directory.");
        let user = self.authority.user(name);
        let user = user.ok_or_else(|| denied(400, "invalid_grant", 50_034, description))?;
        if fields.need("password")? != PASSWORD {
            let description = "Error validating credentials due to invalid username or password.";
            return Err(denied(400, "invalid_grant", 50_126, description));
        }
        Ok(Signed {
            user,
            audience: self.audience(fields, version)?,
            refresh_token: None,
            second_factor: false,
            nonce: None,
            scope: String::new(),
        })
    }

    /// Assumed: a code is good once, for the client and the address that it was made for.
    fn with_code(&self, fields: &Fields, client: &str, version: Version) -> Result<Signed, Problem> {
        let refused = |code, description: &str| denied(400, "invalid_grant", code, description);
        let given = fields.need("code")?;
        let mut pending = self.pending();
        let code = pending
            .code_of(given)
            .filter(|code| code.client == client)
            .ok_or_else(|| {
                refused(
                    70_000,
                    "The provided value for the input parameter 'code' is not valid.",
                )
            })?;
        if code.redeemed {
            return Err(refused(54_005, "OAuth2 Authorization code was already redeemed."));
        }
        if code.expires <= self.clock.now() {
            return Err(refused(70_008, "The provided authorization code has expired."));
        }
        if fields.get("redirect_uri") != Some(code.redirect.as_str()) {
            let description = "The reply address does not match the reply address provided when requesting the code.";
            return Err(denied(400, "invalid_client", 500_112, description));
        }
        if let Some((challenge, hashed)) = &code.challenge {
            let verifier = fields.get("code_verifier").unwrap_or_default();
            let found = if *hashed {
                URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
            } else {
                verifier.to_owned()
            };
            if &found != challenge {
                let description = "The Code_Verifier does not match the code_challenge supplied in the request.";
                return Err(refused(501_481, description));
            }
        }
        let audience = match (version, fields.get("scope")) {
            (Version::Second, None) => self.audience_of(scope_of(&code.scope)?)?,
            _ => self.audience(fields, version)?,
        };
        code.redeemed = true;
        let (user, nonce, scope) = (code.user.clone(), code.nonce.clone(), code.scope.clone());
        drop(pending);
        self.at_page(&user, audience, scope, nonce)
    }

    fn with_device(&self, fields: &Fields) -> Result<Signed, Problem> {
        // msal for Python sends both names.
        let given = match fields.get("device_code") {
            Some(given) => given,
            None => fields.need("code")?,
        };
        let mut pending = self.pending();
        let device = pending.device_of(given).ok_or_else(|| {
            let description = "The provided value for the input parameter 'device_code' is not valid.";
            denied(400, "bad_verification_code", 70_018, description)
        })?;
        let user = match device.state.clone() {
            DeviceState::Approved(user) => user,
            DeviceState::Waiting if device.expires <= self.clock.now() => {
                let description = "The provided value for the input parameter 'device_code' is not valid. This device \
                                   code has expired.";
                return Err(denied(400, "expired_token", 70_020, description));
            }
            DeviceState::Waiting => {
                let description = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
                return Err(denied(400, "authorization_pending", 70_016, description));
            }
            DeviceState::Declined => {
                let description = "User declined to consent to access the app.";
                return Err(denied(400, "authorization_declined", 65_004, description));
            }
            DeviceState::Redeemed => {
                let description = "OAuth2 Authorization code was already redeemed.";
                return Err(denied(400, "invalid_grant", 54_005, description));
            }
        };
        device.state = DeviceState::Redeemed;
        let (audience, scope) = (device.audience.clone(), device.scope.clone());
        drop(pending);
        self.at_page(&user, audience, scope, None)
    }

    /// Somebody who signed in at a page: with a second factor, when they have one.
    fn at_page(&self, user: &str, audience: String, scope: String, nonce: Option<String>) -> Result<Signed, Problem> {
        let user = self.authority.user(user).ok_or_else(|| {
            let description = format!("The user account '{user}' does not exist in the directory.");
            denied(400, "invalid_grant", 50_034, description)
        })?;
        Ok(Signed {
            audience,
            refresh_token: None,
            second_factor: user.second_factor,
            user,
            nonce,
            scope,
        })
    }
}

fn check_user(user: &User) -> Result<(), Problem> {
    match user.trouble {
        None => Ok(()),
        Some(Trouble::PasswordExpired) => {
            let description = "The password is expired.";
            Err(denied(400, "invalid_grant", 50_055, description))
        }
        Some(Trouble::Disabled) => {
            let description = "The user account is disabled.";
            Err(denied(400, "invalid_grant", 50_057, description))
        }
    }
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
