//! The events of a run as the page shows them: an exchange is one event, from its request to its reply.
//!
//! Secrets never get here: the trace holds none. Long bodies are cut, and say so.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use std::collections::BTreeMap;

use cosell_sim::happening::{Commit, CommitKind};
use cosell_sim::network::wire::{WireRequest, WireResponse};
use cosell_sim::site::Site;
use cosell_sim::world::observation::{Leg, Observed};
use jiff::Timestamp;
use serde::Serialize;

use crate::board::Board;
use crate::log;
use crate::sides::{self, Sides};
use crate::trace::{Decided, Trace, What};

/// How values are printed.
mod text;

use text::{headed, path, short, shown};

/// Where an event stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Lane {
    /// Partner Center, on the left.
    Pc,
    /// Between Partner Center and the connector.
    PcCall,
    /// The connector, in the middle.
    Connector,
    /// Between the connector and the CRM.
    CrmCall,
    /// The CRM, on the right.
    Crm,
    /// Across: steps of the scenario, faults of the whole world.
    All,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    /// Milliseconds since the start of the run.
    at: i64,
    /// Milliseconds until the reply, for an exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<i64>,
    lane: Lane,
    /// `step`, `read`, `write`, `hook`, `commit`, `decision`, `fault`, `note`.
    kind: &'static str,
    text: String,
    /// Whether something went wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bad: bool,
    /// Titled blocks for the panel, each with the number of its text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<(&'static str, usize)>,
    #[serde(skip)]
    stamp: Timestamp,
    /// The number of the scenario's step, when it is one.
    #[serde(skip)]
    step: Option<usize>,
}

/// What an event changed in how the deals stand: all of them at every event would be the square of their number.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Standing {
    after: usize,
    /// Deals that stand otherwise than before, or are new.
    deals: Vec<Sides>,
    /// Deals that are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
}

/// Everything that the page shows of a run's course.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Timeline {
    pub(super) events: Vec<Event>,
    standings: Vec<Standing>,
    /// The texts of blocks, each once: polls answer the same page again and again.
    texts: Vec<String>,
}

impl Timeline {
    /// Reads a trace.
    pub(super) fn of(trace: &Trace) -> Self {
        let mut writer = Writer {
            board: Board::new(&trace.header),
            start: trace.entries.first().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at),
            exchanges: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            known: BTreeMap::new(),
            stood: Vec::new(),
            timeline: Self::default(),
        };
        for entry in &trace.entries {
            writer.board.apply(entry);
            writer.entry(entry.at, &entry.what);
        }
        writer.timeline
    }

    /// The event that a finding is pinned to: the step that asked, else the last event until its time.
    pub(super) fn event_of(&self, at: Timestamp, step: Option<usize>) -> usize {
        let asked = step.and_then(|step| self.events.iter().position(|event| event.step == Some(step)));
        asked.unwrap_or_else(|| self.events.partition_point(|event| event.stamp <= at).saturating_sub(1))
    }
}

struct Writer {
    board: Board,
    start: Timestamp,
    /// The event of each exchange, by its number.
    exchanges: BTreeMap<u64, usize>,
    deliveries: BTreeMap<u64, usize>,
    /// The numbers of texts.
    known: BTreeMap<String, usize>,
    /// How the deals stood after the last event.
    stood: Vec<Sides>,
    timeline: Timeline,
}

impl Writer {
    fn add(&mut self, at: Timestamp, lane: Lane, kind: &'static str, text: String) -> usize {
        self.timeline.events.push(Event {
            at: at.duration_since(self.start).as_millis().try_into().unwrap_or(i64::MAX),
            took: None,
            lane,
            kind,
            text,
            bad: false,
            blocks: Vec::new(),
            stamp: at,
            step: None,
        });
        self.timeline.events.len() - 1
    }

    fn note(&mut self, at: Timestamp, lane: Lane, text: &str) {
        self.add(at, lane, "note", text.to_owned());
    }

    fn wrong(&mut self, at: Timestamp, lane: Lane, kind: &'static str, text: String) {
        let event = self.add(at, lane, kind, text);
        self.bad(event);
    }

    fn bad(&mut self, event: usize) {
        if let Some(event) = self.timeline.events.get_mut(event) {
            event.bad = true;
        }
    }

    fn block(&mut self, event: usize, title: &'static str, text: String) {
        if text.is_empty() {
            return;
        }
        let texts = &mut self.timeline.texts;
        let number = *self.known.entry(text).or_insert_with_key(|text| {
            texts.push(text.clone());
            texts.len() - 1
        });
        if let Some(event) = self.timeline.events.get_mut(event) {
            event.blocks.push((title, number));
        }
    }

    fn asked(&mut self, event: usize, request: &WireRequest) {
        let line = format!("{} {}", request.method, request.url);
        self.block(event, "request", headed(line, &request.headers));
        self.block(event, "request body", short(&request.body.text()));
    }

    fn answered(&mut self, event: usize, response: &WireResponse) {
        self.block(
            event,
            "response",
            headed(response.status.to_string(), &response.headers),
        );
        self.block(event, "response body", short(&response.body.text()));
    }

    fn entry(&mut self, at: Timestamp, what: &What) {
        match what {
            What::Step {
                step,
                verb,
                deal,
                detail,
            } => {
                let words = [verb.as_str(), deal.as_deref().unwrap_or_default(), detail.as_str()];
                let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                let event = self.add(at, Lane::All, "step", words.join(" "));
                if let Some(event) = self.timeline.events.get_mut(event) {
                    event.step = Some(*step);
                }
            }
            What::Observed(observed) => self.observed(at, observed),
            What::ActRefused { status, body, .. } => {
                let event = self.add(at, Lane::All, "fault", format!("the step was refused with {status}"));
                self.bad(event);
                self.block(event, "answer", short(body));
            }
            What::Decided(decided) => {
                let Decided {
                    code,
                    referral,
                    opportunity,
                    field,
                    detail,
                } = &**decided;
                let id = opportunity.as_deref().or(referral.as_deref());
                let decided = log::decided(&self.board, code, id, field.as_deref());
                let bad = [".failed", ".refused", ".denied"].iter().any(|end| code.ends_with(end));
                let event = self.add(at, Lane::Connector, "decision", decided);
                if bad {
                    self.bad(event);
                }
                self.block(event, "why", detail.clone());
            }
            What::Settled => self.note(at, Lane::All, "settled"),
            What::NeverSettled { rounds } => {
                self.wrong(at, Lane::All, "note", format!("never settled in {rounds} rounds"));
            }
            What::BoundHit { bound } => self.wrong(at, Lane::All, "note", format!("cut off: {bound}")),
            What::CannotBeDone { verb, why, .. } => {
                self.wrong(at, Lane::All, "note", format!("cannot do `{verb}`: {why}"));
            }
            What::Process { trouble } => self.wrong(at, Lane::Connector, "note", trouble.clone()),
            What::NeverBegan { why, .. } => self.wrong(at, Lane::All, "note", format!("never began: {why}")),
            _ => {}
        }
    }

    fn observed(&mut self, at: Timestamp, observed: &Observed) {
        match observed {
            Observed::Sent {
                exchange,
                site,
                request,
                ..
            } => self.sent(at, *exchange, *site, request),
            Observed::Replied { exchange, response, .. } => self.replied(at, *exchange, response),
            Observed::Lost { exchange, leg } => {
                let text = match leg {
                    Leg::Request => "the request was lost",
                    Leg::Reply => "the reply was lost",
                };
                self.mark(self.exchanges.get(exchange).copied(), text);
            }
            Observed::Faulted {
                exchange,
                delivery,
                fate,
                rule,
            } => {
                let exchange = exchange.and_then(|number| self.exchanges.get(&number).copied());
                let delivery = delivery.and_then(|number| self.deliveries.get(&number).copied());
                self.mark(exchange.or(delivery), &format!("{fate} ({rule})"));
            }
            Observed::Committed { commit, .. } => self.committed(at, commit),
            Observed::Refused { refusal, .. } => {
                let text = format!("not simulated: {}", refusal.missing);
                let event = self.add(at, lane_of(refusal.site), "fault", text);
                self.bad(event);
                self.block(event, "request", refusal.request.clone());
            }
            Observed::Lapsed { lapse, .. } => {
                let event = self.add(at, lane_of(lapse.site), "fault", format!("lapse: {}", lapse.what));
                self.block(event, "request", lapse.request.clone());
            }
            Observed::ConnectorDown => self.wrong(at, Lane::Connector, "fault", "stopped".to_owned()),
            Observed::ConnectorUp => self.note(at, Lane::Connector, "started"),
            Observed::Healed => self.note(at, Lane::All, "healed"),
            Observed::CarrierBroke { error, .. } => {
                self.wrong(at, Lane::All, "fault", format!("the carrier broke: {error}"));
            }
            other => self.outside(at, other),
        }
    }

    /// What webhooks and people at a screen do.
    fn outside(&mut self, at: Timestamp, observed: &Observed) {
        match observed {
            Observed::Asked {
                who,
                site,
                request,
                response,
            } => {
                let text = format!(
                    "{who}: {} {} -> {}",
                    request.method,
                    path(&request.url),
                    response.status
                );
                let event = self.add(
                    at,
                    lane_of(*site),
                    if request.method == "GET" { "read" } else { "write" },
                    text,
                );
                if response.status >= 400 {
                    self.bad(event);
                }
                self.asked(event, request);
                self.answered(event, response);
            }
            Observed::Delivering {
                delivery,
                attempt,
                event,
                request,
                ..
            } => {
                let text = format!(
                    "webhook {event}{}",
                    if *attempt > 1 {
                        format!(", attempt {attempt}")
                    } else {
                        String::new()
                    }
                );
                let shown = self.add(at, Lane::PcCall, "hook", text);
                self.asked(shown, request);
                self.deliveries.insert(*delivery, shown);
            }
            Observed::Delivered { delivery, status, .. } => self.delivered(at, *delivery, *status),
            Observed::DeliveryAbandoned { event, attempts, .. } => {
                let text = format!("webhook {event} given up after {attempts} attempts");
                self.wrong(at, Lane::Pc, "hook", text);
            }
            _ => {}
        }
    }

    fn sent(&mut self, at: Timestamp, exchange: u64, site: Site, request: &WireRequest) {
        let lane = match site {
            Site::Salesforce | Site::Dataverse => Lane::CrmCall,
            Site::Entra | Site::PartnerCenter => Lane::PcCall,
        };
        let kind = if request.method == "GET" || site == Site::Entra {
            "read"
        } else {
            "write"
        };
        let text = format!("{} {}", request.method, path(&request.url));
        let event = self.add(at, lane, kind, text);
        self.asked(event, request);
        self.exchanges.insert(exchange, event);
    }

    fn replied(&mut self, at: Timestamp, exchange: u64, response: &WireResponse) {
        let Some(event) = self.exchanges.remove(&exchange) else {
            return;
        };
        self.ended(at, event, &response.status.to_string());
        if response.status >= 400 {
            self.bad(event);
        }
        self.answered(event, response);
    }

    fn delivered(&mut self, at: Timestamp, delivery: u64, status: Option<u16>) {
        let Some(event) = self.deliveries.remove(&delivery) else {
            return;
        };
        self.ended(
            at,
            event,
            &status.map_or_else(|| "lost".to_owned(), |status| status.to_string()),
        );
        if status.is_none_or(|status| status >= 300) {
            self.bad(event);
        }
    }

    /// How an exchange or a delivery came out, and how long it took.
    fn ended(&mut self, at: Timestamp, event: usize, outcome: &str) {
        let since = at.duration_since(self.start).as_millis();
        if let Some(event) = self.timeline.events.get_mut(event) {
            event.took = i64::try_from(since).ok().map(|since| since - event.at);
            event.text = format!("{} -> {outcome}", event.text);
        }
    }

    /// Notes a fault on the event of an exchange or a delivery.
    fn mark(&mut self, index: Option<usize>, text: &str) {
        if let Some(event) = index.and_then(|index| self.timeline.events.get_mut(index)) {
            event.bad = true;
            event.text = format!("{} [{text}]", event.text);
        }
    }

    fn committed(&mut self, at: Timestamp, commit: &Commit) {
        let verb = match commit.kind {
            CommitKind::Created => "created",
            CommitKind::Updated => "updated",
            CommitKind::Deleted => "deleted",
        };
        let deal = self.board.name_of(&commit.id).to_owned();
        let fields: Vec<&str> = commit
            .changes
            .iter()
            .map(|change| change.field.rsplit('/').next().unwrap_or_default())
            .collect();
        let fields = match (commit.kind, fields.is_empty()) {
            (CommitKind::Updated, false) => format!(": {}", fields.join(", ")),
            (CommitKind::Updated, true) => ": nothing new".to_owned(),
            _ => String::new(),
        };
        let text = format!("{} {deal} {verb} by {}{fields}", commit.table, commit.actor);
        let changes: Vec<String> = commit
            .changes
            .iter()
            .map(|change| match commit.kind {
                CommitKind::Created => format!("{}: {}", change.field, shown(&change.after)),
                _ => format!("{}: {} → {}", change.field, shown(&change.before), shown(&change.after)),
            })
            .collect();
        let event = self.add(at, lane_of(commit.site), "commit", text);
        self.block(event, "row", format!("{} {}", commit.table, commit.id));
        self.block(event, "changes", changes.join("\n"));
        let deals = sides::of(&self.board);
        let after = self.timeline.events.len() - 1;
        let gone: Vec<String> = self
            .stood
            .iter()
            .filter(|old| !deals.iter().any(|deal| deal.deal == old.deal))
            .map(|old| old.deal.clone())
            .collect();
        let moved: Vec<Sides> = deals
            .iter()
            .filter(|deal| !self.stood.contains(deal))
            .cloned()
            .collect();
        self.stood = deals;
        if !moved.is_empty() || !gone.is_empty() {
            let deals = moved;
            self.timeline.standings.push(Standing { after, deals, gone });
        }
    }
}

fn lane_of(site: Site) -> Lane {
    match site {
        Site::Entra | Site::PartnerCenter => Lane::Pc,
        Site::Salesforce | Site::Dataverse => Lane::Crm,
    }
}
