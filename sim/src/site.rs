//! Which simulated system a request is for, and under which base URL each one lives.

use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};

/// One simulated system: one router, one host in process, one port on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// Microsoft Entra ID: `login.microsoftonline.com`.
    Entra,
    /// Partner Center: referrals (`api.partner.microsoft.com`) and webhooks (`api.partnercenter.microsoft.com`).
    PartnerCenter,
    /// One Salesforce org, its login host included.
    Salesforce,
    /// One Dataverse environment.
    Dataverse,
}

impl Site {
    /// Every site, in a fixed order.
    pub const ALL: [Self; 4] = [Self::Entra, Self::PartnerCenter, Self::Salesforce, Self::Dataverse];

    /// The name that people and files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::PartnerCenter => "partner-center",
            Self::Salesforce => "salesforce",
            Self::Dataverse => "dataverse",
        }
    }

    /// The base URL in process: the vendor's own host, without a trailing slash.
    pub fn default_base(self) -> &'static str {
        match self {
            Self::Entra => "https://login.microsoftonline.com",
            Self::PartnerCenter => "https://api.partner.microsoft.com",
            Self::Salesforce => "https://contoso.my.salesforce.com",
            Self::Dataverse => "https://contoso.crm.dynamics.com",
        }
    }
}

/// The second host of Partner Center: webhook registration (partner-center.md section 6.1).
pub const PARTNER_CENTER_EVENTS: &str = "https://api.partnercenter.microsoft.com";

/// The base URLs in force, shared by all systems: the vendors' hosts in process, loopback ports on sockets.
///
/// Systems print them in links, `nextLink`, `OData-EntityId`, `instance_url` and the like.
#[derive(Clone, Debug)]
pub struct Bases(Arc<RwLock<[String; 5]>>);

impl Default for Bases {
    fn default() -> Self {
        let [entra, partner_center, salesforce, dataverse] = Site::ALL.map(|site| site.default_base().to_owned());
        Self(Arc::new(RwLock::new([
            entra,
            partner_center,
            salesforce,
            dataverse,
            PARTNER_CENTER_EVENTS.to_owned(),
        ])))
    }
}

impl Bases {
    /// The base URL of a site, without a trailing slash.
    pub fn of(&self, site: Site) -> String {
        self.read()[index(site)].clone()
    }

    /// Looks at the base URL of a site without a copy: the simulators ask for each request.
    pub fn with<T>(&self, site: Site, look: impl FnOnce(&str) -> T) -> T {
        look(&self.read()[index(site)])
    }

    /// The base URL of Partner Center's webhook registration.
    pub fn partner_center_events(&self) -> String {
        self.read()[4].clone()
    }

    /// Moves a site to another base URL, as a socket does once it knows its port. Partner Center's events move along.
    pub fn set(&self, site: Site, base: &str) {
        let mut bases = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        base.trim_end_matches('/').clone_into(&mut bases[index(site)]);
        if site == Site::PartnerCenter {
            base.trim_end_matches('/').clone_into(&mut bases[4]);
        }
    }

    /// The site that answers for an absolute URL's scheme and authority.
    pub fn site_of(&self, uri: &http::Uri) -> Option<Site> {
        let authority = uri.authority()?.as_str();
        let bases = self.read();
        let found = bases.iter().position(|base| {
            base.strip_suffix(authority)
                .is_some_and(|scheme| scheme.ends_with("://"))
        })?;
        Some(if found == 4 {
            Site::PartnerCenter
        } else {
            Site::ALL[found]
        })
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, [String; 5]> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_finds_its_site_by_authority_before_and_after_a_move() {
        let bases = Bases::default();
        let uri: http::Uri = "https://api.partnercenter.microsoft.com/webhooks/v1/registration"
            .parse()
            .unwrap();
        assert_eq!(bases.site_of(&uri), Some(Site::PartnerCenter));
        bases.set(Site::Dataverse, "http://127.0.0.1:4010/");
        assert_eq!(bases.of(Site::Dataverse), "http://127.0.0.1:4010");
        let moved: http::Uri = "http://127.0.0.1:4010/api/data/v9.2/accounts".parse().unwrap();
        assert_eq!(bases.site_of(&moved), Some(Site::Dataverse));
        assert_eq!(bases.site_of(&"https://example.com/".parse().unwrap()), None);
    }
}
