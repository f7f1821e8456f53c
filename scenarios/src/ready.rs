//! How a client is told where the served simulators are: base URLs, tokens, sign-in, in a file for scripts.
//!
//! It starts nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cosell_sim::identity::{Authority, entra};
use cosell_sim::site::Site;
use cosell_sim::transport::socket::Served;
use serde_json::{Value, json};

/// A port for each site, in a row.
pub fn ports(first: Option<u16>) -> BTreeMap<Site, u16> {
    let numbered = first.into_iter().flat_map(|first| Site::ALL.into_iter().zip(first..));
    numbered.collect()
}

/// Removes a file that may not be there.
pub fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file that is there whole or not at all, so that nobody who waits for it reads a half.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    fs::write(&aside, text)?;
    fs::rename(&aside, path)
}

/// A token of the user `connector` for each API.
#[derive(Debug)]
pub struct Tokens {
    /// Partner Center's referrals.
    pub referrals: String,
    /// Partner Center's registration of webhooks.
    pub webhooks: String,
    /// Salesforce.
    pub salesforce: String,
    /// Dataverse.
    pub dataverse: String,
}

impl Tokens {
    /// Issues them; they are good for 30 days.
    pub fn of(served: &Served) -> Self {
        let token = |site: Site, path: &str| served.token("connector", site, path).unwrap_or_default();
        Self {
            referrals: token(Site::PartnerCenter, "/v1.0/engagements/referrals"),
            webhooks: token(Site::PartnerCenter, "/webhooks/v1/registration"),
            salesforce: token(Site::Salesforce, "/services/data"),
            dataverse: token(Site::Dataverse, "/api/data"),
        }
    }
}

/// What a script must know: the same as the greeting, for machines.
pub fn document(served: &Served, tokens: &Tokens, seed: u64, authority: Option<&Path>) -> Value {
    let bases: serde_json::Map<String, Value> = Site::ALL
        .into_iter()
        .map(|site| (site.name().to_owned(), json!(served.bases().of(site))))
        .collect();
    json!({
        "bases": bases,
        "control": served.control(),
        "ca": authority.map(|path| path.to_string_lossy()),
        "tokens": {
            "referrals": tokens.referrals, "webhooks": tokens.webhooks,
            "salesforce": tokens.salesforce, "dataverse": tokens.dataverse,
        },
        "signIn": {
            "tenant": "contoso.example", "clientId": "cosell", "clientSecret": entra::CLIENT_SECRET,
            "username": "connector@contoso.example", "password": entra::PASSWORD,
            "refreshToken": Authority::refresh_token_of("connector"),
        },
        "seed": seed,
        "pid": std::process::id(),
    })
}
