//! `conduct`: rules that a vendor documents for clients. Retry-After is honoured, paging links are followed as they
//! stand, a PUT carries its precondition.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::{Code, Finding, Findings, Invariant};
use crate::board::Board;
use crate::trace::{Entry, What};

/// What the connector was asked to wait for, and which links it was given.
#[derive(Default)]
pub(super) struct Conduct {
    /// By exchange under way: its system and request line.
    asked: BTreeMap<u64, (Site, String)>,
    /// By request line: not to be sent again before.
    waits: BTreeMap<(Site, String), Timestamp>,
    links: BTreeSet<String>,
}

impl Invariant for Conduct {
    fn watch(&mut self, entry: &Entry, _board: &Board, findings: &mut Findings) {
        match &entry.what {
            What::Observed(Observed::Sent {
                exchange,
                site,
                request,
                ..
            }) => {
                let line = (*site, format!("{} {}", request.method, request.url));
                self.check_wait(&line, entry, findings);
                self.check_link(&request.url, entry, findings);
                let guarded = request.headers.get("if-match").is_some();
                if request.method == "PUT" && request.url.contains("/engagements/") && !guarded {
                    let text = "a PUT on a referral left without If-Match, which Partner Center asks for".to_owned();
                    findings.add(Finding::new(Code::Conduct, entry.at, None, text));
                }
                self.asked.insert(*exchange, line);
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                let Some(line) = self.asked.remove(exchange) else {
                    return;
                };
                let retry_after = response.headers.get("retry-after").and_then(|value| value.parse().ok());
                if let Some(wait) = retry_after.map(SignedDuration::from_secs) {
                    let until = entry.at.checked_add(wait).unwrap_or(Timestamp::MAX);
                    self.waits.insert(line, until);
                }
                let body = response.body.text();
                if body.contains("nextLink") || body.contains("nextRecordsUrl") {
                    self.links.extend(links_in(&body));
                }
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
    fn check_wait(&mut self, line: &(Site, String), entry: &Entry, findings: &mut Findings) {
        if let Some(until) = self.waits.remove(line)
            && entry.at < until
        {
            let text = format!("{} was sent again before its Retry-After was over", line.1);
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
