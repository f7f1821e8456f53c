//! The systems of one world, wired in one place: which exist, their routers, their rows, what they do unasked.
//!
//! It moves no clock and knows no network. What differs between the systems stays behind this file.

use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use jiff::Timestamp;

use crate::dataverse::{self, Dataverse};
use crate::ground::Ground;
use crate::happening::{LoadError, Row};
use crate::identity::{self, PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, SALESFORCE_AUDIENCE, entra};
use crate::partner_center::{self, ActError, MicrosoftAct, PartnerCenter, signature};
use crate::reply::Said;
use crate::salesforce::{self, Salesforce};
use crate::site::{Bases, Site};

/// Which systems exist, and how each is set.
#[derive(Clone, Debug)]
pub struct SystemSettings {
    /// The CRMs that exist; Entra ID and Partner Center always do.
    pub crm: Vec<Site>,
    /// How Entra ID hands out tokens.
    pub identity: identity::Settings,
    /// How Partner Center is set.
    pub partner_center: partner_center::Settings,
    /// How the Salesforce org is set.
    pub salesforce: salesforce::Settings,
    /// How the Dataverse environment is set.
    pub dataverse: dataverse::Settings,
}

impl Default for SystemSettings {
    /// Every system.
    fn default() -> Self {
        Self {
            crm: vec![Site::Salesforce, Site::Dataverse],
            identity: identity::Settings::default(),
            partner_center: partner_center::Settings::default(),
            salesforce: salesforce::Settings::default(),
            dataverse: dataverse::Settings::default(),
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
pub struct Routers([Option<Way>; 4]);

/// The way to one system.
#[derive(Clone)]
struct Way {
    router: Router,
    /// What stands behind the router, for what is asked most often.
    desk: Option<Arc<Desk>>,
}

/// Answers a request whose body is there, as the router's handler does, or leaves it to the router.
pub(crate) type Desk = dyn Fn(http::Request<Bytes>) -> Said + Send + Sync;

impl std::fmt::Debug for Way {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.router.fmt(formatter)
    }
}

impl Routers {
    /// The router of a site, when the site exists.
    pub fn of(&self, site: Site) -> Option<&Router> {
        self.0[index(site)].as_ref().map(|way| &way.router)
    }

    /// The router of a site, to be called.
    pub fn of_mut(&mut self, site: Site) -> Option<&mut Router> {
        self.0[index(site)].as_mut().map(|way| &mut way.router)
    }

    /// The router of a site, to be called, and what stands behind it, where that can be asked without a router between.
    pub(crate) fn way(&mut self, site: Site) -> Option<(&mut Router, Option<&Desk>)> {
        let way = self.0[index(site)].as_mut()?;
        Some((&mut way.router, way.desk.as_deref()))
    }

    /// Adds a site, or replaces its router.
    pub fn set(&mut self, site: Site, router: Router) {
        self.0[index(site)] = Some(Way { router, desk: None });
    }

    fn set_with_desk(&mut self, site: Site, router: Router, desk: Arc<Desk>) {
        let desk = Some(desk);
        self.0[index(site)] = Some(Way { router, desk });
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
    partner_center: Option<PartnerCenter>,
    salesforce: Option<Salesforce>,
    dataverse: Option<Dataverse>,
}

impl Systems {
    /// The systems that the settings name, all on the same ground.
    pub fn new(settings: SystemSettings, ground: &Ground) -> Self {
        let mut systems = Self::default();
        ground.authority.set(settings.identity);
        let partner_center = PartnerCenter::new(settings.partner_center, ground);
        let footing = entra::Footing::from(ground);
        let router = entra::router(footing.clone());
        let desk = Arc::new(move |request| footing.answer_at_once(request));
        systems.routers.set_with_desk(Site::Entra, router, desk);
        let account = partner_center.clone();
        let desk = Arc::new(move |request| account.answer_at_once(request));
        systems
            .routers
            .set_with_desk(Site::PartnerCenter, partner_center.router(), desk);
        systems.partner_center = Some(partner_center);
        if settings.crm.contains(&Site::Salesforce) {
            let salesforce = Salesforce::new(settings.salesforce, ground);
            let org = salesforce.clone();
            let desk = Arc::new(move |request| org.answer_at_once(request));
            systems
                .routers
                .set_with_desk(Site::Salesforce, salesforce.router(), desk);
            systems.salesforce = Some(salesforce);
        }
        if settings.crm.contains(&Site::Dataverse) {
            let dataverse = Dataverse::new(settings.dataverse, ground);
            let environment = dataverse.clone();
            let desk = Arc::new(move |request| environment.answer_at_once(request));
            systems.routers.set_with_desk(Site::Dataverse, dataverse.router(), desk);
            systems.dataverse = Some(dataverse);
        }
        systems
    }

    /// Routers of one's own instead of the simulated systems: for tests and benchmarks of what carries them.
    pub fn of_routers(routers: Routers) -> Self {
        Self {
            routers,
            ..Self::default()
        }
    }

    /// A router for each system.
    pub fn routers(&self) -> &Routers {
        &self.routers
    }

    /// When a system does something unasked: Partner Center lets referrals expire, Salesforce works on bulk jobs.
    pub fn next_due(&self) -> Option<Timestamp> {
        let expiry = self.partner_center.as_ref().and_then(PartnerCenter::next_due);
        let job = self.salesforce.as_ref().and_then(Salesforce::next_due);
        expiry.into_iter().chain(job).min()
    }

    /// Lets the systems do what is due at that time.
    pub fn run_due(&self, now: Timestamp) {
        if let Some(partner_center) = &self.partner_center {
            partner_center.run_due(now);
        }
        if let Some(salesforce) = &self.salesforce {
            salesforce.run_due();
        }
    }

    /// Lets Microsoft do something; gives back the id of the partner's referral.
    pub fn microsoft(&self, act: MicrosoftAct) -> Result<String, ActError> {
        match &self.partner_center {
            Some(partner_center) => partner_center.microsoft(act),
            None => Err(ActError::Refused("there is no partner center".to_owned())),
        }
    }

    /// All that [`Systems::load`] takes back: every stored row, the recycle bin, set-up and registrations included.
    pub fn dump(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        rows.extend(self.partner_center.iter().flat_map(PartnerCenter::dump));
        rows.extend(self.salesforce.iter().flat_map(Salesforce::dump));
        rows.extend(self.dataverse.iter().flat_map(Dataverse::rows));
        rows
    }

    /// Stores dumped rows in systems that are as new; gives back how many. A CRM without a row keeps what it starts with.
    pub fn load(&self, rows: Vec<Row>) -> Result<usize, LoadError> {
        let mut by_site: [Vec<(usize, Row)>; 4] = Default::default();
        for (number, row) in rows.into_iter().enumerate() {
            let exists = self.routers.of(row.site).is_some() && row.site != Site::Entra;
            if !exists {
                return Err(LoadError::new(
                    number,
                    "/site",
                    "a system that has rows and is served here",
                ));
            }
            by_site[index(row.site)].push((number, row));
        }
        let of = |site: Site| Some(&by_site[index(site)]).filter(|rows| !rows.is_empty());
        let mut loaded = 0;
        if let (Some(partner_center), Some(rows)) = (&self.partner_center, of(Site::PartnerCenter)) {
            loaded += partner_center.load(rows)?;
        }
        if let (Some(salesforce), Some(rows)) = (&self.salesforce, of(Site::Salesforce)) {
            loaded += salesforce.load(rows)?;
        }
        if let (Some(dataverse), Some(rows)) = (&self.dataverse, of(Site::Dataverse)) {
            loaded += dataverse.load(rows)?;
        }
        Ok(loaded)
    }

    /// Every stored row, in the order of [`Site::ALL`], within a site ordered by table and identifier.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        rows.extend(self.partner_center.iter().flat_map(PartnerCenter::rows));
        rows.extend(self.salesforce.iter().flat_map(Salesforce::rows));
        rows.extend(self.dataverse.iter().flat_map(Dataverse::rows));
        rows
    }
}

/// Where the certificate of the webhook signatures is (partner-center.md section 6.3), at Partner Center's own base URL.
pub fn hook_certificate_url(ground: &Ground) -> String {
    format!(
        "{}{}",
        ground.bases.partner_center_events(),
        signature::CERTIFICATE_PATH
    )
}
