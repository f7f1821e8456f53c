//! `conduct`: rules that a vendor documents for clients. Retry-After is honoured, paging links are followed as they
//! stand, a PUT carries its precondition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cosell_sim::network::wire::WireRequest;
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::closed_is_terminal::holds;
use super::{Code, Finding, Findings, Invariant};
use crate::board::Board;
use crate::trace::{Entry, What};

/// What the connector was asked to wait for, and which links it was given.
#[derive(Default)]
pub(super) struct Conduct {
    /// By exchange under way.
    asked: BTreeMap<u64, Arc<WireRequest>>,
    /// By method and URL: not to be sent again before. Empty in most runs.
    waits: BTreeMap<(String, String), Timestamp>,
    links: BTreeSet<String>,
}

impl Invariant for Conduct {
    fn watch(&mut self, entry: &Entry, _board: &Board, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Sent { exchange, request, .. }) => {
                self.check_wait(request, entry, findings);
                self.check_link(&request.url, entry, findings);
                let guarded = request.headers.get("if-match").is_some();
                if request.method == "PUT" && request.url.contains("/engagements/") && !guarded {
                    let text = "a PUT on a referral left without If-Match, which Partner Center asks for".to_owned();
                    findings.add(Finding::new(Code::Conduct, entry.at, None, text));
                }
                self.asked.insert(*exchange, Arc::clone(request));
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                let Some(request) = self.asked.remove(exchange) else {
                    return;
                };
                let retry_after = response.headers.get("retry-after").and_then(|value| value.parse().ok());
                if let Some(wait) = retry_after.map(SignedDuration::from_secs) {
                    let until = entry.at.checked_add(wait).unwrap_or(Timestamp::MAX);
                    self.waits.insert(line_of(&request), until);
                }
                let body = response.body.bytes();
                if holds(body, b"nextLink") || holds(body, b"nextRecordsUrl") {
                    self.links.extend(links_in(&response.body.text()));
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
            // A restarted process remembers neither waits nor links.
            What::Observed(Observed::ConnectorDown) => {
                self.waits.clear();
                self.links.clear();
            }
            _ => {}
        }
    }
}

impl Conduct {
    fn check_wait(&mut self, request: &WireRequest, entry: &Entry, findings: &mut Findings) {
        if !self.waits.is_empty()
            && let Some(until) = self.waits.remove(&line_of(request))
            && entry.at < until
        {
            let (method, url) = (&request.method, &request.url);
            let text = format!("{method} {url} was sent again before its Retry-After was over");
            let finding = Finding::new(Code::Conduct, entry.at, None, text);
            findings.add(finding.comparing(format!("not before {until}"), entry.at.to_string()));
        }
    }

    fn check_link(&self, url: &str, entry: &Entry, findings: &mut Findings) {
        if (url.contains("skiptoken") || url.contains("/query/0"))
            && !self.links.iter().any(|link| url.ends_with(link.as_str()))
        {
            let text = format!("a paging link was built instead of followed: {url}");
            findings.add(Finding::new(Code::Conduct, entry.at, None, text));
        }
    }
}

fn line_of(request: &WireRequest) -> (String, String) {
    (request.method.clone(), request.url.clone())
}

/// The paging links in a list's reply, without scheme and host: Salesforce prints a path only.
fn links_in(body: &str) -> Vec<String> {
    let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else {
        return Vec::new();
    };
    ["@odata.nextLink", "nextRecordsUrl"]
        .iter()
        .filter_map(|key| body[*key].as_str())
        .map(|link| match link.split_once("://") {
            Some((_, rest)) => rest
                .split_once('/')
                .map_or_else(String::new, |(_, path)| format!("/{path}")),
            None => link.to_owned(),
        })
        .collect()
}
