//! `budget`: no more than 10,000 calls to Partner Center in a day (product.md M23; the figure is from the 2020-21 texts,
//! the counting window, a day of UTC, is assumed), and no more than 300 calls about one record in an hour (assumed).

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use super::{Code, Finding, Findings, Invariant, Scene};
use crate::calls::{named_after, path_alone};
use crate::trace::{Entry, What};

pub(super) const EXPLANATION: &str = "Calls stay within their budgets.

The paid plan of 2020-21 allowed 10,000 calls to Partner Center a day; the window, a day of UTC, is assumed. Besides, no \
record may be asked about or written more than 300 times in an hour (assumed: ten times what a busy deal needs), and no \
process signs in more than 30 times in an hour, besides after a token was refused (assumed: tokens last an hour). Look first \
at retries without a pause, and at deals that are read again with every poll.";

/// Calls a day.
const CALLS_A_DAY: u32 = 10_000;
/// Calls an hour that name one record.
const CALLS_A_RECORD: u32 = 300;
/// Sign-ins an hour of one process, besides those after a token was refused.
const SIGN_INS: u32 = 30;
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Calls of the day, and of each record in its hour.
#[derive(Default)]
pub(super) struct Budget {
    day: i64,
    calls: u32,
    hour: i64,
    records: BTreeMap<String, u32>,
    signing_in: BTreeSet<u64>,
    /// Tokens that this process got in the hour.
    sign_ins: u32,
    /// Tokens that were refused since it started.
    refused: u32,
}

impl Invariant for Budget {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        let (site, request) = match &entry.what {
            What::Observed(Observed::Sent {
                exchange,
                site,
                request,
                ..
            }) => {
                if request.method == "POST" && request.url.contains("/oauth2/") {
                    self.signing_in.insert(*exchange);
                }
                (site, request)
            }
            What::Observed(Observed::Replied { exchange, response, .. }) => {
                self.refused += u32::from(response.status == 401);
                if self.signing_in.remove(exchange) && response.status == 200 {
                    self.sign_in(entry.at, findings);
                }
                return;
            }
            // A new process has no token.
            What::Observed(Observed::ConnectorDown) => {
                (self.sign_ins, self.refused) = (0, 0);
                return;
            }
            _ => return,
        };
        if let Some(record) = record_in(*site, &request.url) {
            self.record(record, entry.at, scene, findings);
        }
        if *site != Site::PartnerCenter {
            return;
        }
        let day = entry.at.as_second().div_euclid(DAY);
        if day != self.day {
            (self.day, self.calls) = (day, 0);
        }
        self.calls += 1;
        if self.calls == CALLS_A_DAY + 1 {
            let text = format!("more than {CALLS_A_DAY} calls to Partner Center in one day");
            findings.add(Finding::new(Code::Budget, entry.at, None, text));
        }
    }
}

impl Budget {
    fn sign_in(&mut self, at: Timestamp, findings: &mut Findings) {
        self.turn_hour(at);
        self.sign_ins += 1;
        if self.sign_ins.saturating_sub(self.refused) == SIGN_INS + 1 {
            let text = format!("more than {SIGN_INS} sign-ins in one hour, though tokens last an hour");
            findings.add(Finding::new(Code::Budget, at, None, text));
        }
    }

    fn turn_hour(&mut self, at: Timestamp) {
        let hour = at.as_second().div_euclid(HOUR);
        if hour != self.hour {
            self.hour = hour;
            self.sign_ins = 0;
            self.records.clear();
        }
    }

    fn record(&mut self, record: &str, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        self.turn_hour(at);
        let calls = match self.records.get_mut(record) {
            Some(calls) => calls,
            None => self.records.entry(record.to_owned()).or_default(),
        };
        *calls += 1;
        if *calls == CALLS_A_RECORD + 1 {
            let deal = scene.board.name_of(record);
            let text = format!("more than {CALLS_A_RECORD} calls about {deal} in one hour");
            findings.add(Finding::new(Code::Budget, at, Some(deal), text));
        }
    }
}

/// The referral or opportunity that a URL names, if it names one.
fn record_in(site: Site, url: &str) -> Option<&str> {
    let part = match site {
        Site::Entra => return None,
        Site::PartnerCenter => "/referrals/",
        Site::Salesforce => "/sobjects/Opportunity/",
        Site::Dataverse => "/opportunities(",
    };
    named_after(path_alone(url), part)
}
