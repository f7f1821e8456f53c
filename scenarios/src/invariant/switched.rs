//! The part of `conduct` that is about the solution itself: a flow that a person turned off does nothing (product.md M4), and
//! a webhook that is registered is not registered again without a reason.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::network::wire::WireRequest;
use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::sent::Sent;
use super::{Code, Finding, Findings, Invariant, Scene};
use crate::calls;
use crate::scenario::act::Call;
use crate::trace::{Entry, What};

/// What was decided before a flow was turned off may wait this long for a system that is busy.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(45);
/// How often a process may register its webhook while nobody asks for it: some replies are lost.
const REGISTRATIONS: u32 = 4;

/// Which flows are off, and how often the webhook was registered.
#[derive(Default)]
pub(super) struct Switched {
    /// By flow: since when it is off.
    off: BTreeMap<String, Timestamp>,
    reported: bool,
    /// Registrations that were acknowledged to this process since a person last asked for one.
    registered: u32,
    registering: BTreeSet<u64>,
    told: bool,
}

impl Invariant for Switched {
    fn watch(&mut self, entry: &Entry, scene: &Scene<'_>, findings: &mut Findings) {
        match &entry.what {
            What::Decided(decided) => {
                let flow = decided.field.clone().unwrap_or_default();
                match decided.code.as_str() {
                    "flow.turned_off" => drop(self.off.insert(flow, entry.at)),
                    "flow.turned_on" => {
                        self.off.remove(&flow);
                        self.registered = 0;
                    }
                    "flow.resubmitted" | "register.stolen" | "flow.reconnected" => self.registered = 0,
                    _ => {}
                }
            }
            What::Observed(Observed::Sent {
                exchange,
                site,
                request,
                ..
            }) if request.method != "GET" => {
                let path = calls::path_of(&request.url);
                let body = request.body.text();
                let call = (*site, request.method.as_str(), path, body.as_bytes());
                if calls::is(Call::RegisterWebhook, scene.header.crm, call) {
                    self.registering.insert(*exchange);
                }
                if !self.off.is_empty() && !self.reported {
                    self.judge(*site, request, entry.at, scene, findings);
                }
            }
            What::Observed(Observed::Replied { exchange, response, .. })
                if self.registering.remove(exchange) && (200..300).contains(&response.status) =>
            {
                self.registered += 1;
                if self.registered > REGISTRATIONS && !self.told {
                    self.told = true;
                    let text = "the webhook was registered again, though its registration stands".to_owned();
                    findings.add(Finding::new(Code::Conduct, entry.at, None, text));
                }
            }
            What::Observed(Observed::ConnectorDown) => {
                self.registered = 0;
                self.registering.clear();
            }
            _ => {}
        }
    }
}

impl Switched {
    fn judge(&mut self, site: Site, request: &WireRequest, at: Timestamp, scene: &Scene<'_>, findings: &mut Findings) {
        let path = calls::path_of(&request.url);
        let body = request.body.text();
        let is = |call| calls::is(call, scene.header.crm, (site, &request.method, path, body.as_bytes()));
        let flows: &[&str] = if is(Call::RegisterWebhook) {
            &["webhook-registration"]
        } else if is(Call::CreateOpportunity) {
            &["pc-to-crm", "customize"]
        } else if is(Call::CreateReferral) {
            &["create-referral"]
        } else if is(Call::UpdateReferral)
            && Sent::of(&request.method, &request.url, request.body.bytes(), scene)
                .is_some_and(|sent| request.method == "PATCH" && (!sent.values.is_empty() || sent.status.is_some()))
        {
            &["opportunity-to-pc"]
        } else {
            return;
        };
        let off = |flow: &&&str| {
            self.off
                .get(**flow)
                .is_some_and(|since| at.duration_since(*since) > UNDER_WAY)
        };
        if let Some(flow) = flows.iter().find(off) {
            self.reported = true;
            let (method, url) = (&request.method, &request.url);
            let text = format!("{method} {url} is the work of the flow `{flow}`, which is off");
            findings.add(Finding::new(Code::Conduct, at, None, text));
        }
    }
}
