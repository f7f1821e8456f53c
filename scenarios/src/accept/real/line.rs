//! The way to real systems: signed in once for each side, every request of a person, and a list of what was made.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use cosell_sim::clock::Clock;
use cosell_sim::ground::Ground;
use cosell_sim::seed::Seed;
use cosell_sim::site::Site;
use http::{Method, Request, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};

use crate::hands::Screen;
use crate::preflight::profile::{Crm, Profile};
use crate::preflight::reader::{Answer, Reader, Writer};

/// A record that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// The object or the entity set.
    pub(super) table: String,
    /// Its identifier.
    pub(super) id: String,
    /// What deletes it.
    pub(super) url: String,
}

/// Where a team sits before its own systems.
pub(super) struct Line<'a> {
    profile: &'a Profile,
    runtime: Runtime,
    partner_center: Writer,
    crm: Writer,
    ground: Ground,
    /// What was made, in order.
    pub(super) made: Vec<Made>,
    /// Why the last request got no answer.
    pub(super) unanswered: Option<String>,
}

/// The status that stands for no answer.
const NO_ANSWER: u16 = 599;

impl<'a> Line<'a> {
    /// Signs in to both sides.
    pub(super) fn new(profile: &'a Profile) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("nothing can be sent: {error}"))?;
        let partner_center = Writer::from(runtime.block_on(Reader::referrals(profile))?);
        let crm = Writer::from(runtime.block_on(crm_reader(profile))?);
        let ground = Ground::new(Clock::wall(), Seed(u64::from(std::process::id())));
        ground.bases.set(Site::PartnerCenter, partner_center.base());
        let site = match profile.crm {
            Crm::None | Crm::Salesforce => Site::Salesforce,
            Crm::Dynamics => Site::Dataverse,
        };
        ground.bases.set(site, crm.base());
        Ok(Self {
            profile,
            runtime,
            partner_center,
            crm,
            ground,
            made: Vec::new(),
            unanswered: None,
        })
    }

    /// Reads from a side.
    pub(super) fn get(&mut self, site: Site, path: &str) -> Result<Answer, String> {
        let url = format!("{}{path}", self.ground.bases.of(site));
        let request = Request::get(url).body(Bytes::new());
        let request = request.map_err(|error| format!("{path} is no address: {error}"))?;
        self.send(site == Site::PartnerCenter, &request)
    }

    /// Sends as somebody of one side; a token that has ended is fetched again, once.
    pub(super) fn send(&mut self, to_partner_center: bool, request: &Request<Bytes>) -> Result<Answer, String> {
        let first = self.once(to_partner_center, request)?;
        if first.status != 401 {
            return Ok(first);
        }
        if to_partner_center {
            self.partner_center = Writer::from(self.runtime.block_on(Reader::referrals(self.profile))?);
        } else {
            self.crm = Writer::from(self.runtime.block_on(crm_reader(self.profile))?);
        }
        self.once(to_partner_center, request)
    }

    fn once(&self, to_partner_center: bool, request: &Request<Bytes>) -> Result<Answer, String> {
        let writer = if to_partner_center {
            &self.partner_center
        } else {
            &self.crm
        };
        Ok(self.runtime.block_on(writer.send(request))?)
    }

    fn remember(&mut self, request: &Request<Bytes>, answer: &Answer) {
        if request.method() != Method::POST || !(200..300).contains(&answer.status) {
            return;
        }
        let url = request.uri().to_string();
        if let Some((_, table)) = url.split_once("/sobjects/") {
            if let Some(id) = answer.body["id"].as_str() {
                self.made.push(Made {
                    table: table.to_owned(),
                    id: id.to_owned(),
                    url: format!("{url}/{id}"),
                });
            }
        } else if let Some(entity) = answer.headers.get("odata-entityid") {
            let (set, id) = entity.rsplit_once('(').unwrap_or_default();
            self.made.push(Made {
                table: set.rsplit('/').next().unwrap_or_default().to_owned(),
                id: id.trim_end_matches(')').to_owned(),
                url: entity.clone(),
            });
        }
    }
}

async fn crm_reader(profile: &Profile) -> Result<Reader, String> {
    match profile.crm {
        Crm::None => Err("the profile names no CRM".to_owned()),
        Crm::Salesforce => Ok(Reader::salesforce(profile).await?),
        Crm::Dynamics => Ok(Reader::dataverse(profile).await?),
    }
}

impl Screen for Line<'_> {
    fn ask(&mut self, who: &str, request: Request<Bytes>) -> Response<Bytes> {
        let answer = self.send(who == "partner", &request);
        let (status, headers, body) = match answer {
            Ok(answer) => {
                self.remember(&request, &answer);
                let body = if answer.body.is_null() {
                    Bytes::new()
                } else {
                    Bytes::from(answer.body.to_string())
                };
                (answer.status, answer.headers, body)
            }
            Err(why) => {
                self.unanswered = Some(why.clone());
                (NO_ANSWER, std::collections::BTreeMap::new(), Bytes::from(why))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        for (name, value) in headers {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value.parse()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn ground(&self) -> &Ground {
        &self.ground
    }
}

/// A word that no other run of today has, for the names of its records.
pub(super) fn run_word() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let moment = Clock::wall().now().as_microsecond().unsigned_abs();
    let mixed = moment ^ (u64::from(std::process::id()) << 20) ^ u64::from(count);
    format!("{:05x}", mixed & 0xf_ffff)
}
