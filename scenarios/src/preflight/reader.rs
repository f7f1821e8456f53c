//! Signing in, and reading: the only requests of a preflight, which has no way to write. `cosell accept` makes a `Writer` of
//! a reader.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::profile::{EntraSignIn, Profile, Salesforce};
use super::secret::Secret;
use super::trouble::{Connection, Trouble};

const REFERRALS: Connection = Connection {
    name: "the Partner Center connection",
    base: "partner-center.referrals-base",
    sign_in: "partner-center.sign-in",
};
const EVENTS: Connection = Connection {
    name: "the Partner Center connection for webhooks",
    base: "partner-center.events-base",
    sign_in: "partner-center.sign-in",
};
const DATAVERSE: Connection = Connection {
    name: "the Dataverse connection",
    base: "dataverse.base",
    sign_in: "dataverse.sign-in",
};
const SALESFORCE: Connection = Connection {
    name: "the Salesforce connection",
    base: "salesforce.login-base",
    sign_in: "salesforce",
};

/// The longest reply that is read, in bytes.
const LONGEST: usize = 32 * 1024 * 1024;

/// A system that somebody is signed in to.
#[derive(Debug)]
pub struct Reader {
    client: Client,
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
        let text = match text {
            // What follows in further lines are numbers for the vendor's support.
            Some(text) => text.lines().next().unwrap_or_default(),
            None if self.body.is_null() => "with an empty body",
            None => "",
        };
        format!("{} {text}", self.status).trim_end().to_owned()
    }
}

impl Reader {
    /// Signs in to Partner Center for referrals.
    ///
    /// # Errors
    /// Why nobody could sign in.
    pub async fn referrals(profile: &Profile) -> Result<Self, Trouble> {
        let pc = &profile.partner_center;
        let token = pc.sign_in.access_token.as_ref();
        let audience = "https://api.partner.microsoft.com";
        entra(profile, REFERRALS, &pc.sign_in, token, (&pc.referrals_base, audience)).await
    }

    /// Signs in to Partner Center for webhook registrations, which have an audience of their own.
    ///
    /// # Errors
    /// Why nobody could sign in.
    pub async fn events(profile: &Profile) -> Result<Self, Trouble> {
        let pc = &profile.partner_center;
        let token = pc.events_access_token.as_ref().or(pc.sign_in.access_token.as_ref());
        let audience = "https://api.partnercenter.microsoft.com";
        entra(profile, EVENTS, &pc.sign_in, token, (&pc.events_base, audience)).await
    }

    /// Signs in to a Dataverse environment.
    ///
    /// # Errors
    /// Why nobody could sign in.
    pub async fn dataverse(profile: &Profile) -> Result<Self, Trouble> {
        let Some(dataverse) = &profile.dataverse else {
            return Err(Trouble::of_profile(
                DATAVERSE,
                "the profile has no [dataverse]",
                "add it",
            ));
        };
        let token = dataverse.sign_in.access_token.as_ref();
        let sign_in = &dataverse.sign_in;
        entra(profile, DATAVERSE, sign_in, token, (&dataverse.base, &dataverse.base)).await
    }

    /// Signs in to a Salesforce org.
    ///
    /// # Errors
    /// Why nobody could sign in.
    pub async fn salesforce(profile: &Profile) -> Result<Self, Trouble> {
        let Some(salesforce) = &profile.salesforce else {
            return Err(Trouble::of_profile(
                SALESFORCE,
                "the profile has no [salesforce]",
                "add it",
            ));
        };
        let client = Client::new(profile, SALESFORCE)?;
        if let Some(token) = &salesforce.access_token {
            return Ok(Self {
                client,
                base: salesforce.login_base.trim_end_matches('/').to_owned(),
                token: read(SALESFORCE, "access-token", token)?,
                signed_in: format!("with a token from {}", token.place()),
            });
        }
        let url = format!("{}/services/oauth2/token", salesforce.login_base.trim_end_matches('/'));
        let answer = client.sign_in(&url, &salesforce_grant(salesforce)?).await?;
        let word = |name: &str| answer.body[name].as_str().map(str::to_owned);
        let (Some(token), Some(base)) = (word("access_token"), word("instance_url")) else {
            return Err(Trouble::of_sign_in(SALESFORCE, client.asked("POST", &url), &answer));
        };
        Ok(Self {
            client,
            signed_in: format!("at {url}, to {base}"),
            base,
            token,
        })
    }

    /// The base URL behind the sign-in, without a trailing slash.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Reads a path, with its query.
    ///
    /// # Errors
    /// Why nothing could be read: no connection, no JSON.
    pub async fn get(&self, path: &str) -> Result<Answer, Trouble> {
        let url = format!("{}{path}", self.base);
        let request = self.client.http.get(&url).header("Accept", "application/json");
        let asked = self.client.asked("GET", &url);
        self.client.send(request.bearer_auth(&self.token), asked).await
    }

    /// Trouble about an answer that is none of the system's own, though its status says so.
    pub(super) fn strange(&self, path: &str, answer: &Answer, lacking: &str) -> Trouble {
        Trouble {
            asked: self.client.asked("GET", &format!("{}{path}", self.base)),
            came: format!("answered {}, without {lacking}", answer.words()),
            advice: format!("is `{}` the right URL?", self.client.connection.base),
        }
    }

    /// Trouble about an answer that is an error.
    pub(super) fn refused(&self, path: &str, answer: &Answer) -> Trouble {
        Trouble::of_sign_in(
            self.client.connection,
            self.client.asked("GET", &format!("{}{path}", self.base)),
            answer,
        )
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
    /// Why there is no answer.
    pub(crate) async fn send(&self, request: &http::Request<bytes::Bytes>) -> Result<Answer, Trouble> {
        let (client, url) = (&self.0.client, request.uri().to_string());
        let asked = client.asked(request.method().as_str(), &url);
        let mut sent = client.http.request(request.method().clone(), url);
        for (name, value) in request.headers() {
            sent = sent.header(name, value);
        }
        let sent = sent.header("Accept", "application/json").body(request.body().clone());
        client.send(sent.bearer_auth(&self.0.token), asked).await
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

/// One connection's way out.
#[derive(Clone, Debug)]
struct Client {
    http: reqwest::Client,
    connection: Connection,
    seconds: u64,
}

impl Client {
    fn new(profile: &Profile, connection: Connection) -> Result<Self, Trouble> {
        prepare_tls();
        let seconds = profile.timeout_seconds;
        let mut builder = reqwest::Client::builder()
            .timeout(Duration::from_secs(seconds))
            // A redirect to a login page is no answer.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cosell-preflight/", env!("CARGO_PKG_VERSION")));
        for file in &profile.authorities {
            let wrong = |why: String| Trouble {
                asked: format!("`authorities`, {}", file.display()),
                came: why,
                advice: "name files that begin with -----BEGIN CERTIFICATE-----".to_owned(),
            };
            let pem = std::fs::read(file).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| wrong("it holds no certificate".to_owned()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| Trouble {
            asked: connection.name.to_owned(),
            came: format!("no connections can be made: {error}"),
            advice: "look at this machine's certificates, and at `authorities` in the profile".to_owned(),
        })?;
        Ok(Self {
            http,
            connection,
            seconds,
        })
    }

    /// The connection, and what is asked over it; the query is left out.
    fn asked(&self, method: &str, url: &str) -> String {
        let url = url.split('?').next().unwrap_or_default();
        format!("{}, {method} {url}", self.connection.name)
    }

    /// Trades credentials for a token.
    async fn sign_in(&self, url: &str, fields: &[(&str, String)]) -> Result<Answer, Trouble> {
        let request = self.http.post(url).body(form(fields));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        self.send(request, self.asked("POST", url)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, asked: String) -> Result<Answer, Trouble> {
        let connection = self.connection;
        let broken = |error: &reqwest::Error| Trouble::of_connection(connection, asked.clone(), error, self.seconds);
        let mut response = request.send().await.map_err(|error| broken(&error))?;
        #[expect(clippy::disallowed_methods, reason = "clock skew is against this machine's clock")]
        let received = Timestamp::now();
        let word = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter();
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), word(value)))
                .collect(),
            body: Value::Null,
            received,
        };
        if (300..400).contains(&answer.status) {
            let to = answer.headers.get("location").map_or("nowhere", String::as_str);
            return Err(Trouble::of_redirect(connection, asked, answer.status, to));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LONGEST {
                return Err(Trouble::of_length(connection, asked, answer.status, LONGEST));
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        answer.body = match serde_json::from_str(&text) {
            Ok(body) => body,
            Err(_) if text.trim().is_empty() => Value::Null,
            Err(_) => return Err(Trouble::of_page(connection, asked, &answer, &text)),
        };
        Ok(answer)
    }
}

/// A secret from its place.
fn read(connection: Connection, key: &str, secret: &Secret) -> Result<String, Trouble> {
    secret.read().map_err(|why| Trouble::of_secret(connection, key, why))
}

/// Signs in at Entra ID to a system with its base URL and its audience.
async fn entra(
    profile: &Profile,
    connection: Connection,
    sign_in: &EntraSignIn,
    token: Option<&Secret>,
    (base, audience): (&str, &str),
) -> Result<Reader, Trouble> {
    let base = base.trim_end_matches('/').to_owned();
    if let Some(token) = token {
        return Ok(Reader {
            client: Client::new(profile, connection)?,
            base,
            token: read(connection, "access-token", token)?,
            signed_in: format!("with a token from {}", token.place()),
        });
    }
    let Some(tenant) = &sign_in.tenant else {
        let came = "it names neither an access-token nor a tenant";
        let advice = format!("give `{}` a tenant, a client-id and secrets", connection.sign_in);
        return Err(Trouble::of_profile(connection, came, advice));
    };
    let authority = match connection.sign_in {
        "dataverse.sign-in" => "dataverse.sign-in.authority",
        _ => "partner-center.sign-in.authority",
    };
    let client = Client::new(profile, connection.at(authority))?;
    let url = format!("{}/{tenant}/oauth2/v2.0/token", sign_in.authority.trim_end_matches('/'));
    let fields = entra_grant(connection, sign_in, audience)?;
    let answer = client.sign_in(&url, &fields).await?;
    let Some(token) = answer.body["access_token"].as_str() else {
        return Err(Trouble::of_sign_in(
            client.connection,
            client.asked("POST", &url),
            &answer,
        ));
    };
    Ok(Reader {
        client: Client { connection, ..client },
        base,
        token: token.to_owned(),
        signed_in: format!("at {url}"),
    })
}

fn entra_grant(
    connection: Connection,
    sign_in: &EntraSignIn,
    audience: &str,
) -> Result<Vec<(&'static str, String)>, Trouble> {
    let mut fields = vec![("client_id", sign_in.client_id.clone().unwrap_or_default())];
    if let Some(secret) = &sign_in.client_secret {
        fields.push(("client_secret", read(connection, "client-secret", secret)?));
    }
    let scope = format!("{}/.default", audience.trim_end_matches('/'));
    if let Some(token) = &sign_in.refresh_token {
        fields.push(("grant_type", "refresh_token".to_owned()));
        fields.push(("refresh_token", read(connection, "refresh-token", token)?));
        fields.push(("scope", format!("{scope} offline_access")));
    } else {
        fields.push(("grant_type", "client_credentials".to_owned()));
        fields.push(("scope", scope));
    }
    Ok(fields)
}

fn salesforce_grant(salesforce: &Salesforce) -> Result<Vec<(&'static str, String)>, Trouble> {
    let mut fields = vec![("client_id", salesforce.client_id.clone().unwrap_or_default())];
    if let Some(secret) = &salesforce.client_secret {
        fields.push(("client_secret", read(SALESFORCE, "client-secret", secret)?));
    }
    match &salesforce.refresh_token {
        Some(token) => {
            fields.push(("grant_type", "refresh_token".to_owned()));
            fields.push(("refresh_token", read(SALESFORCE, "refresh-token", token)?));
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
