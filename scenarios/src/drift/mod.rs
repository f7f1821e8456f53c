//! Plays recorded requests at the simulators, in process, and tells where their answers differ from the recorded ones in status,
//! header or shape; values are not compared.
//!
//! Identifiers that the recording made are those of the simulator from then on. Records that were there before are put in as far
//! as answers show them whole; calls about others are counted apart.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use cosell_sim::clock::Clock;
use cosell_sim::ground::Ground;
use cosell_sim::happening::Row;
use cosell_sim::identity::{Authority, entra};
use cosell_sim::network::wire::{WireRequest, WireResponse};
use cosell_sim::seed::Seed;
use cosell_sim::site::Site;
use cosell_sim::systems::{SystemSettings, Systems, audience};
use cosell_sim::transport::in_process;
use cosell_sim::world::observation::{Leg, Observed};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::board::CONNECTOR;
use crate::proxy::{Route, origin_of};
use crate::trace::{Trace, What};

/// Settings that a difference may come from.
pub mod switches;
/// Identifiers.
mod ids;
/// Two answers.
mod compare;

pub use compare::Aspect;
use compare::{Differs, compare};
use ids::Ids;
pub use switches::{SWITCHES, Switch};

/// One recorded call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number in the trace.
    pub number: u64,
    at: Timestamp,
    site: Site,
    request: Arc<WireRequest>,
    /// None when it got lost on its way back.
    response: Option<Arc<WireResponse>>,
}

/// A difference, with how often it was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The system.
    pub site: Site,
    /// The method and the path, with `{id}` for identifiers.
    pub call: String,
    /// In what the answers differ.
    pub aspect: Aspect,
    /// Which header, or which place of the body.
    pub place: String,
    /// What was recorded.
    pub recorded: String,
    /// What the simulator says.
    pub simulated: String,
    /// How often.
    pub times: u32,
    /// The first exchange of the trace.
    pub first: u64,
}

/// What playing a recording gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Played {
    /// How many calls were played and compared.
    pub compared: usize,
    /// How many were about records that nobody could put into the simulator.
    pub about_unknown_records: usize,
    /// How many were not played: lost requests, answers that only a busy system gives.
    pub left_out: usize,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// The calls of a trace, in the order in which they left.
pub fn calls(trace: &Trace) -> Vec<Call> {
    let mut calls: BTreeMap<u64, Call> = BTreeMap::new();
    for entry in &trace.entries {
        match &entry.what {
            What::Observed(Observed::Sent {
                exchange,
                site,
                request,
                ..
            }) => {
                let call = Call {
                    number: *exchange,
                    at: entry.at,
                    site: *site,
                    request: Arc::clone(request),
                    response: None,
                };
                calls.insert(*exchange, call);
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                if let Some(call) = calls.get_mut(exchange) {
                    call.response = Some(Arc::clone(response));
                }
            }
            What::Observed(Observed::Lost {
                exchange,
                leg: Leg::Request,
            }) => drop(calls.remove(exchange)),
            _ => {}
        }
    }
    calls.into_values().collect()
}

/// Plays calls at simulators with these settings.
pub fn play(calls: &[Call], settings: &SystemSettings, seed: u64) -> Played {
    let mut stage = Stage::new(calls, settings, seed);
    let mut played = Played::default();
    for call in calls {
        let busy = call
            .response
            .as_ref()
            .is_some_and(|response| matches!(response.status, 429 | 502..=504));
        if busy {
            played.left_out += 1;
            continue;
        }
        let knows = !stage.is_about_unknown(call);
        let simulated = stage.ask(call);
        let Some(recorded) = &call.response else {
            played.left_out += 1;
            continue;
        };
        if !knows && recorded.status < 400 && simulated.status >= 400 {
            played.about_unknown_records += 1;
            continue;
        }
        stage.learn(recorded, &simulated);
        played.compared += 1;
        let path = stage.ids.template(path_of(&call.request.url));
        for differs in compare(recorded, &simulated) {
            note(&mut played.differences, call, &path, differs);
        }
    }
    played
}

fn note(all: &mut Vec<Difference>, call: &Call, path: &str, differs: Differs) {
    let named = format!("{} {path}", call.request.method);
    let same = |known: &&mut Difference| {
        known.call == named
            && (known.aspect, &known.place) == (differs.aspect, &differs.place)
            && (&known.recorded, &known.simulated) == (&differs.recorded, &differs.simulated)
    };
    if let Some(known) = all.iter_mut().find(same) {
        known.times += 1;
        return;
    }
    all.push(Difference {
        site: call.site,
        call: named,
        aspect: differs.aspect,
        place: differs.place,
        recorded: differs.recorded,
        simulated: differs.simulated,
        times: 1,
        first: call.number,
    });
}

/// The switches that make the differences go, found by turning one after the other; and what is left with them turned.
pub fn explain(calls: &[Call], settings: &SystemSettings, seed: u64) -> (Vec<Switch>, Played) {
    let mut settings = settings.clone();
    let mut left = play(calls, &settings, seed);
    let mut turned: Vec<Switch> = Vec::new();
    while !left.differences.is_empty() && turned.len() < SWITCHES.len() {
        let tried = SWITCHES
            .into_iter()
            .filter(|switch| !turned.contains(switch))
            .map(|switch| {
                let mut other = settings.clone();
                switch.turn(&mut other);
                let played = play(calls, &other, seed);
                (switch, other, played)
            });
        let fewest = tried.min_by_key(|(_, _, played)| weight(played));
        match fewest {
            Some((switch, other, played)) if weight(&played) < weight(&left) => {
                turned.push(switch);
                (settings, left) = (other, played);
            }
            _ => break,
        }
    }
    (turned, left)
}

/// How far a playing is from its recording.
fn weight(played: &Played) -> (u32, usize) {
    let times = played.differences.iter().map(|difference| difference.times).sum();
    (times, played.about_unknown_records)
}

/// Simulators to play at.
struct Stage {
    ground: Ground,
    systems: Systems,
    routes: Vec<Route>,
    ids: Ids,
    tokens: BTreeMap<String, String>,
}

impl Stage {
    fn new(calls: &[Call], settings: &SystemSettings, seed: u64) -> Self {
        let start = calls.first().map_or(Timestamp::UNIX_EPOCH, |call| call.at);
        let ground = Ground::new(Clock::manual(start), Seed(seed));
        let systems = Systems::new(settings.clone(), &ground);
        let mut routes: Vec<Route> = Vec::new();
        for call in calls {
            let Some(local) = origin_of(&call.request.url) else {
                continue;
            };
            if !routes.iter().any(|route| route.local == local) {
                let upstream = ground.bases.of(call.site);
                routes.push(Route {
                    site: call.site,
                    upstream,
                    local,
                });
            }
        }
        for row in referrals_before(calls) {
            // One that cannot be put in is met as an unknown record.
            drop(systems.load(vec![row]));
        }
        Self {
            ground,
            systems,
            routes,
            ids: Ids::new(),
            tokens: BTreeMap::new(),
        }
    }

    /// Whether a call names a record by an identifier that the simulator has not given.
    fn is_about_unknown(&self, call: &Call) -> bool {
        self.ids.unknown_in(path_of(&call.request.url)) || self.ids.unknown_in(&call.request.body.text())
    }

    fn ask(&mut self, call: &Call) -> WireResponse {
        self.ground.clock.advance_to(call.at);
        self.systems.run_due(self.ground.clock.now());
        let request = self.request(call);
        let path = request.uri().path().to_owned();
        let mut routers = self.systems.routers().clone();
        let response = match routers.of_mut(call.site) {
            Some(router) => in_process::call(router, request),
            None => http::Response::new(Bytes::new()),
        };
        WireResponse::of(&response, &path)
    }

    /// The recorded request in the simulator's words, with a token of its own.
    fn request(&mut self, call: &Call) -> http::Request<Bytes> {
        let to_simulator = |text: &str| crate::proxy::to_upstream(text, &self.routes);
        let signs_in = path_of(&call.request.url).contains("/oauth2/");
        let taken = call.response.as_ref().is_none_or(|response| response.status < 400);
        let mut url = to_simulator(&self.ids.apply(&call.request.url));
        let mut body = to_simulator(&self.ids.apply(&call.request.body.text()));
        if signs_in && taken {
            body = with_secrets(&body);
            if call.site == Site::Entra {
                url = with_tenant(&url);
            }
        }
        let mut request = http::Request::new(Bytes::from(body));
        *request.method_mut() = call.request.method.parse().unwrap_or_default();
        *request.uri_mut() = url.parse().unwrap_or_default();
        for (name, value) in call.request.headers.iter() {
            let (Ok(name), Ok(value)) = (
                name.parse::<HeaderName>(),
                HeaderValue::from_str(&to_simulator(&self.ids.apply(value))),
            ) else {
                continue;
            };
            if name != HOST && name != CONTENT_LENGTH && name != AUTHORIZATION {
                request.headers_mut().append(name, value);
            }
        }
        let refused = call.response.as_ref().is_some_and(|response| response.status == 401);
        if call.request.headers.get("authorization").is_some() && !signs_in {
            let bearer = if refused {
                "expired".to_owned()
            } else {
                self.token(call.site, request.uri())
            };
            if let Ok(value) = HeaderValue::from_str(&format!("Bearer {bearer}")) {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
        }
        request
    }

    fn token(&mut self, site: Site, uri: &http::Uri) -> String {
        let Some(audience) = audience(site, uri, &self.ground.bases) else {
            return String::new();
        };
        if let Some(token) = self.tokens.get(&audience) {
            return token.clone();
        }
        let prefix = if site == Site::Salesforce {
            "00Ddrift!"
        } else {
            "drift-"
        };
        let year = SignedDuration::from_hours(24 * 365);
        let token = self.ground.authority.issue(CONNECTOR, &audience, year, false, prefix);
        let token = token.unwrap_or_default();
        self.tokens.insert(audience, token.clone());
        token
    }

    fn learn(&mut self, recorded: &WireResponse, simulated: &WireResponse) {
        for name in ["etag", "location", "odata-entityid"] {
            if let (Some(one), Some(other)) = (recorded.headers.get(name), simulated.headers.get(name)) {
                self.ids.learn_text(name, one, other);
            }
        }
        if let (Some(one), Some(other)) = (recorded.body.json(), simulated.body.json()) {
            self.ids.learn("", &one, &other);
        }
    }
}

fn path_of(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or_default();
    path.find("://")
        .and_then(|at| path[at + 3..].find('/').map(|slash| &path[at + 3 + slash..]))
        .unwrap_or(path)
}

/// A form with the simulators' secrets where recorded ones were taken out.
fn with_secrets(form: &str) -> String {
    let refresh = Authority::refresh_token_of(CONNECTOR);
    let secrets = [
        ("client_secret", entra::CLIENT_SECRET),
        ("refresh_token", refresh.as_str()),
        ("password", entra::PASSWORD),
    ];
    let pairs: Vec<String> = form
        .split('&')
        .map(|pair| {
            let known = secrets.iter().find(|(name, _)| pair.split('=').next() == Some(*name));
            known.map_or_else(|| pair.to_owned(), |(name, secret)| format!("{name}={secret}"))
        })
        .collect();
    pairs.join("&")
}

/// A sign-in at the simulators' tenant.
fn with_tenant(url: &str) -> String {
    let path = path_of(url);
    let rest = path
        .trim_start_matches('/')
        .split_once('/')
        .map_or("", |(_, rest)| rest);
    let base = &url[..url.len().saturating_sub(url.len() - url.find(path).unwrap_or(0))];
    format!("{base}/contoso.example/{rest}")
}

/// Referrals that answers show whole and that no call of the recording made: they were there before.
fn referrals_before(calls: &[Call]) -> Vec<Row> {
    let mut made = BTreeSet::new();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let answers = calls.iter().filter(|call| call.site == Site::PartnerCenter);
    for call in answers {
        let Some(body) = call.response.as_ref().and_then(|response| response.body.json()) else {
            continue;
        };
        if call.request.method == "POST" {
            made.extend(body["id"].as_str().map(str::to_owned));
            continue;
        }
        let listed = body["value"]
            .as_array()
            .map_or(std::slice::from_ref(&body), Vec::as_slice);
        for referral in listed {
            let (Some(id), Value::Object(fields)) = (referral["id"].as_str(), referral) else {
                continue;
            };
            if referral["status"].is_string() && !made.contains(id) && !rows.contains_key(id) {
                let mut fields = fields.clone();
                fields.retain(|name, _| !name.starts_with("@odata.context"));
                let row = Row {
                    site: Site::PartnerCenter,
                    table: "referral".to_owned(),
                    id: id.to_owned(),
                    fields,
                };
                rows.insert(id.to_owned(), row);
            }
        }
    }
    rows.into_values().collect()
}
