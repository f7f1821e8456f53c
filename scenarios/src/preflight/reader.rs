//! Signing in, and reading: the only requests of a preflight, which has no way to write. `cosell accept` makes a `Writer` of
//! a reader.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::profile::{EntraSignIn, Profile, Salesforce};
use super::secret::Secret;

/// The longest reply that is read, in bytes.
const LONGEST: usize = 32 * 1024 * 1024;

/// A system that somebody is signed in to.
#[derive(Debug)]
pub struct Reader {
    client: reqwest::Client,
    base: String,
    token: String,
    /// How the sign-in went, in words.
    pub signed_in: String,
}

/// What a system answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body; null when there is none.
    pub body: Value,
    /// The machine's time when the reply came.
    pub received: Timestamp,
}

impl Answer {
    /// The vendor's words for an error, behind the status.
    pub fn words(&self) -> String {
        let body = &self.body;
        let text = [
            &body["error"]["message"],
            &body["error_description"],
            &body["description"],
            &body[0]["message"],
            &body["error"],
            &body["message"],
        ]
        .into_iter()
        .find_map(Value::as_str);
        format!("{} {}", self.status, text.unwrap_or_default())
            .trim_end()
            .to_owned()
    }
}

impl Reader {
    /// Signs in to Partner Center for referrals.
    ///
    /// # Errors
    /// Why nobody could sign in, as a sentence.
    pub async fn referrals(profile: &Profile) -> Result<Self, String> {
        let pc = &profile.partner_center;
        let token = pc.sign_in.access_token.as_ref();
        entra(
            profile,
            &pc.sign_in,
            token,
            &pc.referrals_base,
            "https://api.partner.microsoft.com",
        )
        .await
    }

    /// Signs in to Partner Center for webhook registrations, which have an audience of their own.
    ///
    /// # Errors
    /// Why nobody could sign in, as a sentence.
    pub async fn events(profile: &Profile) -> Result<Self, String> {
        let pc = &profile.partner_center;
        let token = pc.events_access_token.as_ref().or(pc.sign_in.access_token.as_ref());
        entra(
            profile,
            &pc.sign_in,
            token,
            &pc.events_base,
            "https://api.partnercenter.microsoft.com",
        )
        .await
    }

    /// Signs in to a Dataverse environment.
    ///
    /// # Errors
    /// Why nobody could sign in, as a sentence.
    pub async fn dataverse(profile: &Profile) -> Result<Self, String> {
        let Some(dataverse) = &profile.dataverse else {
            return Err("the profile has no [dataverse]".to_owned());
        };
        let token = dataverse.sign_in.access_token.as_ref();
        entra(profile, &dataverse.sign_in, token, &dataverse.base, &dataverse.base).await
    }

    /// Signs in to a Salesforce org.
    ///
    /// # Errors
    /// Why nobody could sign in, as a sentence.
    pub async fn salesforce(profile: &Profile) -> Result<Self, String> {
        let Some(salesforce) = &profile.salesforce else {
            return Err("the profile has no [salesforce]".to_owned());
        };
        let client = client(profile)?;
        if let Some(token) = &salesforce.access_token {
            return Ok(Self {
                client,
                base: salesforce.login_base.trim_end_matches('/').to_owned(),
                token: token.read()?,
                signed_in: format!("with a token from {}", token.place()),
            });
        }
        let url = format!("{}/services/oauth2/token", salesforce.login_base.trim_end_matches('/'));
        let answer = send(client.post(&url).body(form(&salesforce_grant(salesforce)?)), true).await?;
        let word = |name: &str| answer.body[name].as_str().map(str::to_owned);
        let (Some(token), Some(base)) = (word("access_token"), word("instance_url")) else {
            return Err(format!("{url} answered {}", answer.words()));
        };
        Ok(Self {
            client,
            signed_in: format!("at {url}, to {base}"),
            base,
            token,
        })
    }

    /// Reads a path, with its query.
    ///
    /// # Errors
    /// Why nothing could be read, as a sentence: no connection, no JSON.
    pub async fn get(&self, path: &str) -> Result<Answer, String> {
        let request = self.client.get(format!("{}{path}", self.base));
        send(
            request.bearer_auth(&self.token).header("Accept", "application/json"),
            false,
        )
        .await
    }
}

/// Somebody who is signed in and may write: `cosell accept`, never a preflight.
#[derive(Debug)]
pub(crate) struct Writer(Reader);

impl Writer {
    /// The base URL behind the sign-in, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.0.base
    }

    /// Sends a request that somebody has made, with the token of the sign-in.
    ///
    /// # Errors
    /// Why there is no answer, as a sentence.
    pub(crate) async fn send(&self, request: &http::Request<bytes::Bytes>) -> Result<Answer, String> {
        let mut sent = self
            .0
            .client
            .request(request.method().clone(), request.uri().to_string());
        for (name, value) in request.headers() {
            sent = sent.header(name, value);
        }
        let sent = sent.header("Accept", "application/json").body(request.body().clone());
        send(sent.bearer_auth(&self.0.token), false).await
    }
}

impl From<Reader> for Writer {
    fn from(reader: Reader) -> Self {
        Self(reader)
    }
}

/// Makes ring the cryptography of every TLS connection of this process. Once is enough; again does no harm.
pub fn prepare_tls() {
    // Somebody else has done it already when this fails.
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn client(profile: &Profile) -> Result<reqwest::Client, String> {
    prepare_tls();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(profile.timeout_seconds))
        // A redirect to a login page is no answer.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("cosell-preflight/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("no connections can be made: {}", reason(&error)))
}

async fn entra(
    profile: &Profile,
    sign_in: &EntraSignIn,
    token: Option<&Secret>,
    base: &str,
    audience: &str,
) -> Result<Reader, String> {
    let client = client(profile)?;
    let base = base.trim_end_matches('/').to_owned();
    if let Some(token) = token {
        return Ok(Reader {
            client,
            base,
            token: token.read()?,
            signed_in: format!("with a token from {}", token.place()),
        });
    }
    let Some(tenant) = &sign_in.tenant else {
        return Err("the sign-in names neither an access-token nor a tenant".to_owned());
    };
    let mut fields = vec![("scope", format!("{audience}/.default offline_access"))];
    fields.push(("client_id", sign_in.client_id.clone().unwrap_or_default()));
    if let Some(secret) = &sign_in.client_secret {
        fields.push(("client_secret", secret.read()?));
    }
    if let Some(token) = &sign_in.refresh_token {
        fields.push(("grant_type", "refresh_token".to_owned()));
        fields.push(("refresh_token", token.read()?));
    } else {
        fields.push(("grant_type", "client_credentials".to_owned()));
        fields[0].1 = format!("{audience}/.default");
    }
    let url = format!("{}/{tenant}/oauth2/v2.0/token", sign_in.authority.trim_end_matches('/'));
    let answer = send(client.post(&url).body(form(&fields)), true).await?;
    let Some(token) = answer.body["access_token"].as_str() else {
        return Err(format!("{url} answered {}", answer.words()));
    };
    Ok(Reader {
        client,
        base,
        token: token.to_owned(),
        signed_in: format!("at {url}"),
    })
}

fn salesforce_grant(salesforce: &Salesforce) -> Result<Vec<(&'static str, String)>, String> {
    let mut fields = vec![("client_id", salesforce.client_id.clone().unwrap_or_default())];
    if let Some(secret) = &salesforce.client_secret {
        fields.push(("client_secret", secret.read()?));
    }
    match &salesforce.refresh_token {
        Some(token) => {
            fields.push(("grant_type", "refresh_token".to_owned()));
            fields.push(("refresh_token", token.read()?));
        }
        None => fields.push(("grant_type", "client_credentials".to_owned())),
    }
    Ok(fields)
}

/// A form as browsers send it.
fn form(fields: &[(&str, String)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    pairs.join("&")
}

/// Text as a form or a query carries it.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out
}

/// One digit.
fn hex(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

async fn send(request: reqwest::RequestBuilder, is_form: bool) -> Result<Answer, String> {
    let request = if is_form {
        request.header("Content-Type", "application/x-www-form-urlencoded")
    } else {
        request
    };
    let response = request.send().await.map_err(|error| not_reached(&error))?;
    #[expect(clippy::disallowed_methods, reason = "clock skew is against this machine's clock")]
    let received = Timestamp::now();
    let url = response.url().clone();
    let status = response.status().as_u16();
    let headers: BTreeMap<String, String> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let host = url.host_str().unwrap_or_default().to_owned();
    if (300..400).contains(&status) {
        let to = headers.get("location").map_or("nowhere", String::as_str);
        return Err(format!(
            "{host} sends {} elsewhere, to {to}: is this the right URL?",
            url.path()
        ));
    }
    if response.content_length().is_some_and(|length| length > LONGEST as u64) {
        return Err(format!("{host} answered {status} with more than {LONGEST} bytes"));
    }
    let text = response.text().await.map_err(|error| not_reached(&error))?;
    let body = match serde_json::from_str(&text) {
        Ok(body) => body,
        Err(_) if text.trim().is_empty() => Value::Null,
        Err(_) => {
            let start: String = text.trim_start().chars().take(60).collect();
            let kind = headers.get("content-type").map_or("no content type", String::as_str);
            return Err(format!(
                "{host} answered {status} with no JSON ({kind}): {:?}; a proxy or a login page stands between",
                start.lines().next().unwrap_or_default()
            ));
        }
    };
    Ok(Answer {
        status,
        headers,
        body,
        received,
    })
}

fn not_reached(error: &reqwest::Error) -> String {
    let host = error
        .url()
        .and_then(|url| url.host_str())
        .unwrap_or("the system")
        .to_owned();
    if error.is_timeout() {
        return format!("{host} did not answer in time");
    }
    format!("{host} cannot be reached: {}", reason(error))
}

/// The last cause of an error: the one that says what to look at.
fn reason(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut words = error.to_string();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}
