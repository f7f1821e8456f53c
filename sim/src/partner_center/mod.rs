//! Partner Center: the referrals API with Microsoft's side of it, and webhook registration (partner-center.md).
//!
//! It is not the delivery of webhooks, which the world does, nor the sign-in, which is [`crate::identity::entra`]. What
//! the facts leave open is marked `Assumed:` where it is decided, and is a switch in `Settings` where sources conflict.

/// GUIDs as numbers.
mod guid;
/// The error envelope.
mod error;
/// Bodies as values.
mod body;
/// Words, amounts, times.
mod value;
/// A registered deal.
mod registered;
/// The resource.
mod model;
/// It in bytes.
mod packed;
/// Its fields by JSON pointer.
mod field;
/// States and moves.
mod lifecycle;
/// Why deals end.
pub mod reason;
/// Kinds of deals.
mod kind;
/// What a referral must hold.
mod check;
/// JSON Patch.
mod patch;
/// Registering a deal.
mod deal_registration;
/// PUT as a patch.
mod put;
/// Indexes of the list.
mod index;
/// Stored referrals.
mod store;
/// The grammar of `$filter`.
mod filter;
/// What it asks.
mod condition;
/// The list.
mod list;
/// Registration and events.
mod webhook;
/// Test events and their reports.
mod validation;
/// Call limits.
mod throttle;
/// Every write.
mod writer;
/// POST.
mod create;
/// Microsoft's acts.
mod microsoft;
/// Printed referrals, stored again.
mod load;
/// Who sees what.
mod access;
/// A request, and answers.
mod call;
/// Calls of the referrals API.
mod referrals;
/// Calls of the registration API.
mod registration;
/// HTTP.
mod routes;
/// Signed deliveries.
pub mod signature;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;

use self::store::{Place, Store};
use self::throttle::Meter;
use self::validation::Validations;
use self::webhook::Registration;
use self::writer::{TABLE, Writer};
use crate::ground::Ground;
use crate::happening::Row;
use crate::memo::Memo;
use crate::seed::Stream;
use crate::site::Site;

pub use self::microsoft::{ActError, Customer, CustomerContact, Lead, MicrosoftAct, SharedDeal, TeamMember};
pub use self::throttle::Throttle;
pub use self::value::Assistance;

/// What `@odata.count` counts: the sources print both (partner-center.md section 1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountMeaning {
    /// The rows of the page.
    #[default]
    Page,
    /// The rows of all pages.
    Total,
}

/// The partner whose account this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// `organizationId`.
    pub id: String,
    /// `organizationName`.
    pub name: String,
    /// `mpnId`: the partner's number.
    pub mpn_id: String,
}

/// What a run may set. Each switch stands where the sources conflict or say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whose account it is.
    pub organization: Organization,
    /// Rows on a page of the list (100 is inferred).
    pub page_size: usize,
    /// What `@odata.count` counts.
    pub count_meaning: CountMeaning,
    /// Whether the plain list holds Microsoft's referrals too. Assumed: it does not; a filter on the engagement does.
    pub list_shows_related: bool,
    /// Whether filters may use what `OData` has and no document shows: `or`, `not`, `ne`, and `gt`, `ge`, `lt`, `le` on
    /// `updatedDateTime`. Assumed: the service has them not; they are refused as not simulated.
    pub undocumented_filters: bool,
    /// Whether a create must hold all that a row of a bulk file must: address line 1, city, a team member, consent, a
    /// solution (partner-center.md section 3.3). Assumed: the API asks for less.
    pub bulk_requirements: bool,
    /// Whether a closing date that has passed is taken. Assumed: it is, as no document refuses one.
    pub closing_date_may_be_past: bool,
    /// The partner's co-sell ready solutions, Microsoft's included. Without a list every identifier is known.
    pub known_solutions: Option<Vec<String>>,
    /// Whether the reason of Declined, Lost and Error must be one of the lists in [`reason`]. Assumed: it is free text,
    /// as in the documented sample.
    pub reasons_are_checked: bool,
    /// Whether a create answers 201, as the general list of answers says, and not 200, as the connector's swagger says.
    pub create_answers_201: bool,
    /// Whether the partner's own deals are `Outgoing`, as the documented filters suggest, and not `Incoming`, as real
    /// answers show.
    pub own_deals_are_outgoing: bool,
    /// Whether the `ResourceUri` of an event names the host of the referrals API, and not the documented one.
    pub resource_uri_at_referrals_host: bool,
    /// Whether a PUT without `If-Match` is refused.
    pub put_requires_if_match: bool,
    /// Whether only webhook URLs with `http` can be registered, because whoever delivers speaks no TLS: 501 otherwise.
    /// `cosell serve` sets it.
    pub hooks_over_http_only: bool,
    /// Whether a Referrals user may write too, as the older page on permissions says, and not only read, as the newest
    /// page says about the API.
    pub referrals_user_may_write: bool,
    /// Whether leads from a marketplace are hidden from the API, as an older page says ("not supported"), and not told apart
    /// by their fields like other leads, as the introduction to the API does.
    pub marketplace_leads_are_hidden: bool,
    /// Whether a lead is Won only after its stages of qualification and evaluation. Only a secondary source says so.
    pub lead_stages_gate_won: bool,
    /// How many calls the tenant may make in a while; `None` for any number.
    pub throttle: Option<Throttle>,
    /// How many calls a user may make in a day (product.md M23); `None` for any number.
    pub daily_calls: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            organization: Organization {
                id: "00000000-0000-4000-8000-00000000b001".to_owned(),
                name: "Contoso Partner LLP".to_owned(),
                mpn_id: "1234567".to_owned(),
            },
            page_size: 100,
            count_meaning: CountMeaning::Page,
            list_shows_related: false,
            undocumented_filters: false,
            bulk_requirements: false,
            closing_date_may_be_past: true,
            known_solutions: None,
            reasons_are_checked: false,
            create_answers_201: false,
            own_deals_are_outgoing: false,
            resource_uri_at_referrals_host: false,
            put_requires_if_match: true,
            hooks_over_http_only: false,
            referrals_user_may_write: false,
            marketplace_leads_are_hidden: false,
            lead_stages_gate_won: false,
            throttle: None,
            daily_calls: None,
        }
    }
}

/// Partner Center of one partner. Clones share one state.
#[derive(Clone, Debug)]
pub struct PartnerCenter {
    settings: Arc<Settings>,
    ground: Ground,
    state: Arc<Mutex<State>>,
}

/// Everything that changes.
#[derive(Debug)]
struct State {
    store: Store,
    registration: Option<Registration>,
    validations: Validations,
    meter: Meter,
    /// Answers to lists, while no referral changes.
    memo: Memo,
    /// How many versions have been written: part of each eTag.
    versions: u32,
    ids: Stream,
    requests: Stream,
}

impl State {
    /// A referral as a stored row.
    fn row(&mut self, place: Place) -> Option<Row> {
        match serde_json::from_slice(&self.store.plain(place)) {
            Ok(Value::Object(fields)) => Some(Row {
                site: Site::PartnerCenter,
                table: TABLE.to_owned(),
                id: fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
                fields,
            }),
            _ => None,
        }
    }
}

impl PartnerCenter {
    /// An account without referrals and without registration.
    pub fn new(settings: Settings, ground: &Ground) -> Self {
        let state = State {
            store: Store::new(&ground.bases.of(Site::PartnerCenter)),
            registration: None,
            validations: Validations::default(),
            meter: Meter::default(),
            memo: Memo::new(ground.keeps_answers),
            versions: 0,
            ids: ground.seed.stream("partner-center ids"),
            requests: ground.seed.stream("partner-center request ids"),
        };
        Self {
            settings: Arc::new(settings),
            ground: ground.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Both hosts in one router: referrals and webhook registration share no path.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// Every stored referral as the API prints it, Microsoft's included, ordered by id. Microsoft's have
    /// `organizationId` = `msft`.
    pub fn rows(&self) -> Vec<Row> {
        let mut state = self.lock();
        let mut rows: Vec<Row> = (0..state.store.len()).filter_map(|place| state.row(place)).collect();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        rows
    }

    /// Lets Microsoft do something; gives back the id of the partner's referral.
    pub fn microsoft(&self, act: MicrosoftAct) -> Result<String, ActError> {
        let mut state = self.lock();
        self.writer(&mut state, "microsoft").act(act)
    }

    /// When the next unanswered referral expires.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().store.next_expiry().map(|(due, _)| due)
    }

    /// Closes the referrals that nobody has answered by then.
    pub fn run_due(&self, now: Timestamp) {
        let mut state = self.lock();
        let mut writer = self.writer(&mut state, "system");
        writer.now = now;
        writer.expire_due();
    }

    /// The state, its links at the base URL in force.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.ground
            .bases
            .with(Site::PartnerCenter, |base| state.store.move_to(base));
        state
    }

    fn writer<'a>(&'a self, state: &'a mut State, actor: &'a str) -> Writer<'a> {
        Writer {
            state,
            ground: &self.ground,
            settings: &self.settings,
            actor,
            now: self.ground.clock.now(),
        }
    }
}

#[cfg(test)]
mod tests;
