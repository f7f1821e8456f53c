//! `conduct`: rules that a vendor documents for clients. Retry-After is honoured, paging links are followed as they
//! stand, a refused token is replaced, what was refused for good is not sent again, failing systems are left in peace.
//!
//! Preconditions where the vendor leaves them open are advice.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Arc, LazyLock};

use cosell_sim::network::wire::{REDACTED, WireRequest, WireResponse};
use cosell_sim::world::observation::{Observed, SignatureState};
use http::header::{AUTHORIZATION, RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};
use memchr::memmem::Finder;
use serde::Deserialize;

use super::closed_is_terminal::holds;
use super::{Code, Finding, Findings, Invariant, Scene};
use crate::board::CONNECTOR;
use crate::calls::{host_of, path_alone};
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "The connector keeps to the rules that the vendors document for clients.

Required: the request that was answered with Retry-After is not sent again before that time; links to further pages are \
followed as they stand, never built; a PUT on a referral carries If-Match; a token that was refused with 401 is replaced \
before the next call (tokens are told apart by the digests that the trace shows); a write that was refused for good (400, 405, 413, 415, 422) is not sent a third time while nobody \
has changed anything; a webhook with a good signature is not refused, one with a forged \
signature is not taken, nor is one registered again while its registration stands; a flow that is turned \
off does nothing; a system whose last 20 calls all failed gets no more than 60 calls a minute.

Advice, which fails nothing: a PATCH of a referral or of an opportunity carries a precondition, and after Retry-After \
nothing else is sent to that host either.";

/// So many failures in a row mean that a system is down.
const DOWN_AFTER: u32 = 20;
/// Calls a minute to a system that is down.
const CALLS_WHILE_DOWN: usize = 60;
/// How soon after it has left a client on a socket must have read a reply.
const READS_WITHIN: SignedDuration = SignedDuration::from_secs(1);
/// How long every client waits for a reply: whoever has given up does not learn that the token was refused.
const GIVES_UP_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// How often a write may be refused for good before sending it again is a finding.
const REFUSALS: u32 = 2;

/// What is known of one host.
#[derive(Default)]
struct Host {
    failures: u32,
    /// Times of the last calls, while it is down.
    calls: VecDeque<Timestamp>,
    busy_until: Option<Timestamp>,
    reported: bool,
}

/// A token that was refused with 401.
struct RefusedToken {
    at: Timestamp,
    /// The calls that it was refused for.
    calls: BTreeSet<(String, String)>,
    reported: bool,
}

/// What every paging link of every vendor has in its name.
static NEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"next"));
/// What every built or followed link to a further page holds.
static PAGED: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| [Finder::new(b"skiptoken"), Finder::new(b"/query/0")]);

/// What the connector was asked to wait for, which links it was given, what was refused.
#[derive(Default)]
pub(super) struct Conduct {
    /// Requests under way.
    asked: BTreeMap<u64, (Timestamp, Arc<WireRequest>)>,
    /// By method and URL: not to be sent again before. Empty in most runs.
    waits: BTreeMap<(String, String), Timestamp>,
    links: BTreeSet<String>,
    hosts: BTreeMap<String, Host>,
    /// By request: how often it was refused for good since anybody else wrote anything.
    refused: BTreeMap<u64, u32>,
    /// By the digest that the trace shows: tokens that were refused. Empty in most runs.
    refused_tokens: BTreeMap<String, RefusedToken>,
    /// The connector's clock was changed once.
    skewed: bool,
    /// Webhooks with a good signature that reached the connector.
    delivering: BTreeSet<u64>,
    /// Webhooks with somebody else's.
    forged: BTreeSet<u64>,
}

impl Invariant for Conduct {
    fn watch(&mut self, entry: &Entry, _scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Sent { exchange, request, .. }) => {
                self.sent(request, entry.at, findings);
                self.asked.insert(*exchange, (entry.at, Arc::clone(request)));
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                if let Some((sent, request)) = self.asked.remove(exchange) {
                    self.replied((sent, &request), response, entry.at);
                }
            }
            // Strict mode: the simulator says itself what the vendor's server would not take. People are no clients.
            What::Observed(Observed::Lapsed {
                exchange: Some(_),
                lapse,
            }) => {
                let text = format!("{}: {}", lapse.request, lapse.what);
                findings.add(Finding::new(Code::Conduct, entry.at, None, text));
            }
            What::Observed(Observed::Lost { exchange, .. }) => {
                if let Some((_, request)) = self.asked.remove(exchange) {
                    self.host(&request.url).failures += 1;
                }
            }
            What::Observed(Observed::Committed { commit, .. }) if commit.actor != CONNECTOR => self.refused.clear(),
            What::Observed(Observed::Delivering {
                delivery, signature, ..
            }) => {
                match signature {
                    SignatureState::Valid => self.delivering.insert(*delivery),
                    SignatureState::Forged => self.forged.insert(*delivery),
                    SignatureState::Absent => false,
                };
            }
            What::Observed(Observed::Delivered { delivery, status, .. }) => {
                self.delivered(*delivery, *status, entry.at, findings);
            }
            // An operator asked for it.
            What::Step { verb, .. } if verb.starts_with("resubmit") => self.refused.clear(),
            // Whoever has a wrong clock, or has had one, waits too short or too long.
            What::Step { verb, .. } if verb == "skew clock" => {
                self.skewed = true;
                self.waits.clear();
            }
            What::Observed(Observed::Healed) if self.skewed => self.waits.clear(),
            // A restarted process remembers neither waits nor links nor tokens.
            What::Observed(Observed::ConnectorDown) => {
                self.waits.clear();
                self.links.clear();
                self.refused.clear();
                self.hosts.clear();
                self.refused_tokens.clear();
            }
            _ => {}
        }
    }
}

impl Conduct {
    /// What a webhook was answered with.
    fn delivered(&mut self, delivery: u64, status: Option<u16>, at: Timestamp, findings: &mut Findings) {
        let text = match status {
            Some(status @ (400 | 401 | 403)) if self.delivering.contains(&delivery) => {
                format!("a webhook that Partner Center signed was answered with {status}")
            }
            Some(200..=299) if self.forged.contains(&delivery) => {
                "a webhook whose signature is not Partner Center's was taken".to_owned()
            }
            _ => String::new(),
        };
        self.delivering.remove(&delivery);
        self.forged.remove(&delivery);
        if !text.is_empty() {
            findings.add(Finding::new(Code::Conduct, at, None, text));
        }
    }

    fn host(&mut self, url: &str) -> &mut Host {
        let host = host_of(url);
        if !self.hosts.contains_key(host) {
            self.hosts.insert(host.to_owned(), Host::default());
        }
        self.hosts.entry(host.to_owned()).or_default()
    }

    fn sent(&mut self, request: &WireRequest, at: Timestamp, findings: &mut Findings) {
        self.check_wait(request, at, findings);
        self.check_link(&request.url, at, findings);
        check_precondition(request, at, findings);
        self.check_refused(request, at, findings);
        self.check_token(request, at, findings);
        if self.hosts.is_empty() {
            return;
        }
        let Some(host) = self.hosts.get_mut(host_of(&request.url)) else {
            return;
        };
        if host.busy_until.is_some_and(|until| at < until) {
            let text = format!(
                "{} was called before the Retry-After of another call was over",
                host_of(&request.url)
            );
            findings.advise(Finding::new(Code::Conduct, at, None, text));
        }
        if host.failures < DOWN_AFTER {
            host.calls.clear();
            return;
        }
        host.calls.push_back(at);
        while host
            .calls
            .front()
            .is_some_and(|first| at.duration_since(*first) > SignedDuration::from_mins(1))
        {
            host.calls.pop_front();
        }
        if host.calls.len() > CALLS_WHILE_DOWN && !host.reported {
            host.reported = true;
            let text = format!(
                "{} got more than {CALLS_WHILE_DOWN} calls in a minute though its last {} calls all failed",
                host_of(&request.url),
                host.failures
            );
            findings.add(Finding::new(Code::Conduct, at, None, text));
        }
    }

    fn replied(&mut self, (sent, request): (Timestamp, &WireRequest), response: &WireResponse, at: Timestamp) {
        let sign_in = || is_sign_in(&request.url);
        let retry_after = response
            .headers
            .value(&RETRY_AFTER)
            .and_then(|value| value.parse().ok());
        let until = retry_after.map(|wait| {
            at.checked_add(SignedDuration::from_secs(wait))
                .unwrap_or(Timestamp::MAX)
        });
        let failed = response.status >= 500 || matches!(response.status, 403 | 429);
        let is_known = || !self.hosts.is_empty() && self.hosts.contains_key(host_of(&request.url));
        if failed || response.status == 401 || until.is_some() || is_known() {
            let host = self.host(&request.url);
            host.failures = if failed { host.failures + 1 } else { 0 };
            host.busy_until = host.busy_until.max(until);
        }
        if response.status == 401
            && !sign_in()
            && at.duration_since(sent) < GIVES_UP_AFTER
            && let Some(token) = token_of(request)
        {
            let refused = self.refused_tokens.entry(token.to_owned());
            let refused = refused.or_insert_with(|| RefusedToken {
                at,
                calls: BTreeSet::new(),
                reported: false,
            });
            refused.calls.insert(line_of(request));
        }
        if let Some(until) = until {
            self.waits.insert(line_of(request), until);
        }
        let body = response.body.bytes();
        if matches!(response.status, 400 | 405 | 413 | 415 | 422)
            && request.method != "GET"
            && !sign_in()
            && !holds(body, b"UNABLE_TO_LOCK_ROW")
        {
            *self.refused.entry(digest(request)).or_default() += 1;
        }
        if NEXT.find(body).is_some() && (holds(body, b"nextLink") || holds(body, b"nextRecordsUrl")) {
            self.links.extend(links_in(body));
        }
    }

    fn check_wait(&mut self, request: &WireRequest, at: Timestamp, findings: &mut Findings) {
        if !self.waits.is_empty()
            && let Some(until) = self.waits.remove(&line_of(request))
            && at < until
        {
            let (method, url) = (&request.method, &request.url);
            let text = format!("{method} {url} was sent again before its Retry-After was over");
            let finding = Finding::new(Code::Conduct, at, None, text);
            findings.add(finding.comparing(format!("not before {until}"), at.to_string()));
        }
    }

    /// Exact but for calls of other kinds within a moment of the first refusal: a client on a socket may not have read it
    /// yet when they leave.
    fn check_token(&mut self, request: &WireRequest, at: Timestamp, findings: &mut Findings) {
        if self.refused_tokens.is_empty() {
            return;
        }
        let refused = token_of(request).and_then(|token| self.refused_tokens.get_mut(token));
        let Some(refused) = refused.filter(|refused| !refused.reported) else {
            return;
        };
        if at.duration_since(refused.at) > READS_WITHIN || refused.calls.contains(&line_of(request)) {
            refused.reported = true;
            let text = format!(
                "{} was called again with a token that had been refused with 401",
                host_of(&request.url)
            );
            findings.add(Finding::new(Code::Conduct, at, None, text));
        }
    }

    fn check_link(&self, url: &str, at: Timestamp, findings: &mut Findings) {
        if PAGED.iter().any(|mark| mark.find(url.as_bytes()).is_some())
            && !self.links.iter().any(|link| url.ends_with(link.as_str()))
        {
            let text = format!("a paging link was built instead of followed: {url}");
            findings.add(Finding::new(Code::Conduct, at, None, text));
        }
    }

    fn check_refused(&self, request: &WireRequest, at: Timestamp, findings: &mut Findings) {
        if !self.refused.is_empty()
            && request.method != "GET"
            && self
                .refused
                .get(&digest(request))
                .is_some_and(|times| *times >= REFUSALS)
        {
            let (method, url) = (&request.method, &request.url);
            let text =
                format!("{method} {url} was sent again though it had been refused for good, and nothing has changed");
            findings.add(Finding::new(Code::Conduct, at, None, text));
        }
    }
}

fn check_precondition(request: &WireRequest, at: Timestamp, findings: &mut Findings) {
    let has = |name: &str| request.headers.get(name).is_some();
    let (method, url) = (request.method.as_str(), &request.url);
    if !matches!(method, "PUT" | "PATCH") || has("if-match") || has("if-unmodified-since") {
        return;
    }
    if method == "PUT" && url.contains("/engagements/") {
        let text = "a PUT on a referral left without If-Match, which Partner Center asks for".to_owned();
        findings.add(Finding::new(Code::Conduct, at, None, text));
    } else if ["/engagements/", "/sobjects/Opportunity/", "/opportunities("]
        .iter()
        .any(|part| url.contains(part))
    {
        let text = format!("PATCH {url} left without a precondition");
        findings.advise(Finding::new(Code::Conduct, at, None, text));
    }
}

/// The digest of the bearer token of a request; none in a trace of a version that did not show it.
fn token_of(request: &WireRequest) -> Option<&str> {
    let authorization = request.headers.value(&AUTHORIZATION)?;
    let token = authorization.strip_prefix("Bearer ")?;
    (token != REDACTED).then_some(token)
}

fn is_sign_in(url: &str) -> bool {
    holds(path_alone(url).as_bytes(), b"/oauth2/")
}

fn line_of(request: &WireRequest) -> (String, String) {
    (request.method.clone(), request.url.clone())
}

fn digest(request: &WireRequest) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(request.method.as_bytes());
    hasher.write(request.url.as_bytes());
    hasher.write(request.body.bytes());
    hasher.write(request.headers.get("if-match").unwrap_or_default().as_bytes());
    hasher.write(
        request
            .headers
            .get("if-unmodified-since")
            .unwrap_or_default()
            .as_bytes(),
    );
    hasher.finish()
}

/// The paging link of a list's reply. The rows are passed over, not taken apart.
#[derive(Deserialize)]
struct Links<'a> {
    #[serde(borrow, default, rename = "@odata.nextLink")]
    odata: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "nextRecordsUrl")]
    records: Option<Cow<'a, str>>,
}

/// The paging links in a list's reply, without scheme and host: Salesforce prints a path only.
fn links_in(body: &[u8]) -> Vec<String> {
    let Ok(links) = serde_json::from_slice::<Links<'_>>(body) else {
        return Vec::new();
    };
    [links.odata, links.records]
        .iter()
        .flatten()
        .map(|link| match link.split_once("://") {
            Some((_, rest)) => rest
                .split_once('/')
                .map_or_else(String::new, |(_, path)| format!("/{path}")),
            None => link.to_string(),
        })
        .collect()
}
