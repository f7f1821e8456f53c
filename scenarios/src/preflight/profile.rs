//! An environment as a TOML file: where its systems are, how to sign in, and what the connector is configured with.
//!
//! `cosell preflight --example` prints one with every key.

use std::path::PathBuf;

use serde::Deserialize;

use super::secret::{ALLOW_INLINE, Secret};

/// What a team has set.
mod team;
/// A profile by its name.
mod find;
/// Profiles to start from.
mod preset;

pub use find::{ProfileError, load};
pub use preset::{preset, presets};
pub use team::{Accept, ConflictField, Connector, Direction, FieldProfile, OnHoldEdits, Winner};

/// A profile with every key, for people to start from.
pub const EXAMPLE: &str = include_str!("example.toml");

/// One environment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// What people call it.
    pub name: String,
    /// What it is used for.
    pub kind: Kind,
    /// Its CRM.
    pub crm: Crm,
    /// Partner Center.
    pub partner_center: PartnerCenter,
    /// The Salesforce org, when that is the CRM.
    pub salesforce: Option<Salesforce>,
    /// The Dataverse environment, when that is the CRM.
    pub dataverse: Option<Dataverse>,
    /// What the connector is configured with.
    #[serde(default)]
    pub connector: Connector,
    /// What `cosell accept` makes its deals of, and how long it waits.
    #[serde(default)]
    pub accept: Accept,
    /// Seconds until a request is given up.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u64,
    /// Files with certificates of authorities to trust besides the machine's own, as PEM.
    #[serde(default)]
    pub authorities: Vec<PathBuf>,
}

fn half_a_minute() -> u64 {
    30
}

/// What an environment is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `cosell serve`.
    Simulator,
    /// A sandbox.
    Staging,
    /// What customers see.
    Production,
}

impl Kind {
    /// The word that profiles use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// A CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crm {
    /// None yet: only Partner Center is looked at.
    None,
    /// Salesforce.
    Salesforce,
    /// Dynamics 365 on Dataverse.
    Dynamics,
}

/// Partner Center.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartnerCenter {
    /// The referrals API.
    #[serde(default = "PartnerCenter::referrals_base")]
    pub referrals_base: String,
    /// The webhook registration API.
    #[serde(default = "PartnerCenter::events_base")]
    pub events_base: String,
    /// The URL that the webhook registration flow printed.
    pub webhook_url: Option<String>,
    /// The MPN ID (Partner ID) that publishes the co-sell solutions.
    pub mpn_id: Option<String>,
    /// A token for webhook registrations, where the access token of the sign-in is for referrals only.
    pub events_access_token: Option<Secret>,
    /// How to sign in.
    pub sign_in: EntraSignIn,
}

impl PartnerCenter {
    fn referrals_base() -> String {
        "https://api.partner.microsoft.com".to_owned()
    }

    fn events_base() -> String {
        "https://api.partnercenter.microsoft.com".to_owned()
    }
}

/// How to get a token from Microsoft Entra ID. An access token alone will do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EntraSignIn {
    /// A token that somebody has already.
    pub access_token: Option<Secret>,
    /// The authority.
    #[serde(default = "EntraSignIn::authority")]
    pub authority: String,
    /// The tenant.
    pub tenant: Option<String>,
    /// The application.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// A refresh token of the user whom the connection belongs to.
    pub refresh_token: Option<Secret>,
}

impl EntraSignIn {
    fn authority() -> String {
        "https://login.microsoftonline.com".to_owned()
    }
}

/// A Salesforce org.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Salesforce {
    /// `https://test.salesforce.com` for a sandbox, `https://login.salesforce.com` for production, or the org's own host.
    pub login_base: String,
    /// The version of the API.
    #[serde(default = "Salesforce::version")]
    pub api_version: String,
    /// A token that somebody has already; the login host is then the org's own.
    pub access_token: Option<Secret>,
    /// The connected app.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// A refresh token; without it the app signs in for itself (client credentials).
    pub refresh_token: Option<Secret>,
}

impl Salesforce {
    fn version() -> String {
        "60.0".to_owned()
    }
}

/// A Dataverse environment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dataverse {
    /// Its URL, such as `https://contoso-sandbox.crm.dynamics.com`.
    pub base: String,
    /// How to sign in.
    pub sign_in: EntraSignIn,
}

/// What the decoder says, with line and column. The line itself is shown only when it can hold no secret.
fn decoding(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim_end();
    let Some(span) = error.span() else {
        return message.to_owned();
    };
    let before = &text[..span.start.min(text.len())];
    let (number, start) = (
        before.matches('\n').count() + 1,
        before.rfind('\n').map_or(0, |at| at + 1),
    );
    let line = text[start..].lines().next().unwrap_or_default().trim_end();
    let hides = ["secret", "token", "password", "insecure"];
    let shown = if hides.iter().any(|word| line.to_ascii_lowercase().contains(word)) {
        format!("{} = …", line.split('=').next().unwrap_or_default().trim_end())
    } else {
        line.to_owned()
    };
    let column = before[start..].chars().count() + 1;
    format!("line {number}, column {column}: {message}\n  | {shown}")
}

/// Whether a URL is one of this machine: what answers there is no environment of anybody's customers.
pub fn is_here(base: &str) -> bool {
    let host = base.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    matches!(host, "127.0.0.1" | "localhost")
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// What is wrong, with its line and the words that are meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| decoding(text, &error))?;
        match profile.crm {
            Crm::Salesforce if profile.salesforce.is_none() => {
                Err("`crm` is salesforce, and there is no [salesforce] with its URL and sign-in".to_owned())
            }
            Crm::Dynamics if profile.dataverse.is_none() => {
                Err("`crm` is dynamics, and there is no [dataverse] with its URL and sign-in".to_owned())
            }
            Crm::None | Crm::Salesforce | Crm::Dynamics => profile.checked(),
        }
    }

    fn checked(self) -> Result<Self, String> {
        for (key, secret) in self.secrets() {
            if secret.is_inline() && std::env::var_os(ALLOW_INLINE).is_none_or(|value| value != "1") {
                return Err(format!(
                    "`{key}` is written out: a profile is no place for a secret. Give {{ env = \"NAME\" }}, {{ file = \"path\" }} or \
                     {{ command = \"…\" }}; for a throw-away profile, {ALLOW_INLINE}=1 in the environment lets \
                     {{ insecure-value = \"…\" }} pass"
                ));
            }
            if !secret.is_one() {
                return Err(format!(
                    "`{key}` names no place or several: give one of {{ env = \"NAME\" }}, {{ file = \"path\" }}, {{ command = \"…\" }}"
                ));
            }
        }
        for (key, base) in self.bases() {
            let plain = base.starts_with("http://localhost") || base.starts_with("http://127.0.0.1");
            if !(base.starts_with("https://") || plain) || base.len() < 12 {
                return Err(format!(
                    "`{key}` is {base:?}: expected https://…, or http:// on this machine"
                ));
            }
        }
        Ok(self)
    }

    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let mut all = vec![("events-access-token", self.partner_center.events_access_token.as_ref())];
        let mut sign_ins = vec![&self.partner_center.sign_in];
        sign_ins.extend(self.dataverse.as_ref().map(|dataverse| &dataverse.sign_in));
        for sign_in in sign_ins {
            all.push(("access-token", sign_in.access_token.as_ref()));
            all.push(("client-secret", sign_in.client_secret.as_ref()));
            all.push(("refresh-token", sign_in.refresh_token.as_ref()));
        }
        if let Some(salesforce) = &self.salesforce {
            all.push(("salesforce.access-token", salesforce.access_token.as_ref()));
            all.push(("salesforce.client-secret", salesforce.client_secret.as_ref()));
            all.push(("salesforce.refresh-token", salesforce.refresh_token.as_ref()));
        }
        all.into_iter()
            .filter_map(|(key, secret)| Some((key, secret?)))
            .collect()
    }

    /// Every base URL, by its key.
    pub fn bases(&self) -> Vec<(&'static str, &str)> {
        let mut bases = vec![
            (
                "partner-center.referrals-base",
                self.partner_center.referrals_base.as_str(),
            ),
            ("partner-center.events-base", self.partner_center.events_base.as_str()),
            (
                "partner-center.sign-in.authority",
                self.partner_center.sign_in.authority.as_str(),
            ),
        ];
        if let Some(salesforce) = &self.salesforce {
            bases.push(("salesforce.login-base", &salesforce.login_base));
        }
        if let Some(dataverse) = &self.dataverse {
            bases.push(("dataverse.base", &dataverse.base));
            bases.push(("dataverse.sign-in.authority", &dataverse.sign_in.authority));
        }
        bases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_in_order() {
        let profile = Profile::parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((profile.kind, profile.crm), (Kind::Staging, Crm::Salesforce));
    }

    #[test]
    fn wrong_profiles_say_what_and_where() {
        for (from, to, part) in [
            (
                "kind = \"staging\"",
                "kind = \"stagin\"",
                "unknown variant `stagin`, expected one of",
            ),
            ("crm = \"salesforce\"", "crm = \"dynamics\"", ""),
            (
                "api-version = \"60.0\"",
                "api-versoin = \"60.0\"",
                "unknown field `api-versoin`",
            ),
            ("login-base = \"https://", "login-base = \"ftp://", "expected https://"),
            (
                "{ env = \"SALESFORCE_CLIENT_SECRET\" }",
                "\"hush\"",
                "`salesforce.client-secret` is written out",
            ),
            (
                "{ env = \"SALESFORCE_CLIENT_SECRET\" }",
                "{ insecure-value = \"hush\", nev = \"A\" }",
                "unknown field `nev`",
            ),
            (
                "deadline = \"10m\"",
                "deadline = \"soon\"",
                "\"soon\" is no time from 1s to 24h",
            ),
            (
                "{ env = \"SALESFORCE_CLIENT_SECRET\" }",
                "{ env = \"A\", file = \"b\" }",
                "names no place or several",
            ),
        ] {
            assert!(EXAMPLE.contains(from), "{from}");
            let read = Profile::parse(&EXAMPLE.replacen(from, to, 1));
            if part.is_empty() {
                assert!(read.is_ok());
                continue;
            }
            let error = read.expect_err(to);
            assert!(error.contains(part) && !error.contains("hush"), "{error}");
        }
    }
}
