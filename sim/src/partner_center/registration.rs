//! The calls of the webhook registration API (partner-center.md section 6.1).
//!
//! What a registration is, and what it causes, stands in [`super::webhook`].

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::PartnerCenter;
use super::call::{Call, insert};
use super::validation::TEST_EVENT;
use super::webhook::{self, EVENTS, HookProblem};
use crate::happening::Happening;
use crate::identity::{Grant, PARTNER_CENTER_EVENTS_AUDIENCE, Role};
use crate::reply::json_reply;

/// The roles that may register: those of the documents (partner-center.md section 7), and the connector's own.
const REGISTRARS: [Role; 6] = [
    Role::GlobalAdmin,
    Role::BillingAdmin,
    Role::AdminAgent,
    Role::SalesAgent,
    Role::HelpdeskAgent,
    Role::ReferralsAdmin,
];
/// The header that ties an answer to the service's own log.
const CORRELATION: &str = "ms-correlationid";

/// GET on the registration.
pub(super) async fn view(State(it): State<PartnerCenter>, request: Request) -> Response {
    viewed(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn viewed(it: &PartnerCenter, call: &Call) -> Response {
    it.answer_hook(call, |it, _| it.view())
}

/// POST: the first registration.
pub(super) async fn register(State(it): State<PartnerCenter>, request: Request) -> Response {
    registered(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn registered(it: &PartnerCenter, call: &Call) -> Response {
    it.answer_hook(call, |it, call| it.register(call, true))
}

/// PUT: another registration instead.
pub(super) async fn register_again(State(it): State<PartnerCenter>, request: Request) -> Response {
    registered_again(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn registered_again(it: &PartnerCenter, call: &Call) -> Response {
    it.answer_hook(call, |it, call| it.register(call, false))
}

/// GET on the events that can be registered.
pub(super) async fn events(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |_, _| Ok(hook_json(&json!(EVENTS))))
}

/// POST: a test event, please.
pub(super) async fn validate(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, _| it.validate())
}

/// GET on the report about a test event.
pub(super) async fn report(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, PartnerCenter::report)
}

impl PartnerCenter {
    /// Answers a call to the registration API, for users with a role that it knows and for applications.
    ///
    /// Assumed: Referrals admins may register too; the documents name other administrators ([`REGISTRARS`]), and the
    /// connector's documents ask for a Referrals admin only.
    ///
    /// The samples' answers have a `MS-CorrelationId` of their own, also where the request brings one, and the answer to
    /// a test event has the event's. Assumed: a request's `MS-RequestId` comes back.
    fn answer_hook(&self, call: &Call, handle: impl FnOnce(&Self, &Call) -> Result<Response, HookProblem>) -> Response {
        let base = || self.ground.bases.partner_center_events();
        let admitted = match call.grant(&self.ground.authority, &[PARTNER_CENTER_EVENTS_AUDIENCE], base) {
            Ok(grant) if grant.app_only || REGISTRARS.iter().any(|role| grant.user.roles.contains(role)) => {
                self.metered(&grant).map_err(HookProblem::TooMany)
            }
            Ok(_) => Err(HookProblem::Forbidden),
            Err(_) => Err(HookProblem::Unauthenticated),
        };
        let unasked = call
            .no_options()
            .map_err(|problem| HookProblem::NotSimulated(problem.to_string()));
        let mut response = match admitted.and(unasked).and_then(|()| handle(self, call)) {
            Ok(response) => response,
            Err(HookProblem::NotSimulated(missing)) => call.refuse(&self.ground.happenings, &missing),
            Err(problem) => problem.answer(),
        };
        let mut state = self.lock();
        let headers = response.headers_mut();
        let (correlation, id) = (state.requests.guid(), state.requests.guid());
        if !headers.contains_key(CORRELATION) {
            insert(headers, CORRELATION, &correlation);
        }
        let given = call.headers.get("ms-requestid").cloned();
        if let Some(value) = given.or_else(|| HeaderValue::try_from(id).ok()) {
            headers.insert("ms-requestid", value);
        }
        insert(headers, "x-locale", "en-US");
        response
    }

    fn view(&self) -> Result<Response, HookProblem> {
        let state = self.lock();
        let registration = state.registration.as_ref().ok_or(HookProblem::NothingRegistered)?;
        Ok(hook_json(&webhook::print(registration, false)))
    }

    /// Assumed: a PUT without a registration is a 404, and keeps the subscriber's id where there is one.
    fn register(&self, call: &Call, first: bool) -> Result<Response, HookProblem> {
        let body = call
            .json()
            .map_err(|problem| HookProblem::Invalid(problem.to_string()))?;
        let mut state = self.lock();
        let subscriber = match (&state.registration, first) {
            (Some(_), true) => return Err(HookProblem::AlreadyRegistered),
            (None, false) => return Err(HookProblem::NothingRegistered),
            (Some(registration), false) => registration.subscriber,
            (None, true) => self.writer(&mut state, "system").guid(),
        };
        let registration = webhook::read(body, subscriber)?;
        if self.settings.hooks_over_http_only && !registration.url.starts_with("http://") {
            let missing = "webhook URL with https: nothing here speaks TLS, so it could never be delivered; use http";
            return Err(HookProblem::NotSimulated(missing.to_owned()));
        }
        let response = hook_json(&webhook::print(&registration, true));
        state.registration = Some(registration);
        Ok(response)
    }
}

impl PartnerCenter {
    /// Owes the test event, and answers before it is delivered.
    fn validate(&self) -> Result<Response, HookProblem> {
        let now = self.ground.clock.now();
        let mut state = self.lock();
        state.validations.count(now)?;
        let registration = state.registration.as_ref();
        let registration = registration.filter(|registration| registration.wants(TEST_EVENT));
        let hook = webhook::test_due(registration.ok_or(HookProblem::TestNotRegistered)?, &self.ground, now);
        let correlation = state.requests.guid();
        if let Some(number) = hook.number {
            state.validations.remember(&correlation, now, number);
        }
        self.ground.happenings.push(Happening::HookDue(hook));
        let mut response = hook_json(&json!({ "correlationId": correlation }));
        insert(response.headers_mut(), CORRELATION, &correlation);
        Ok(response)
    }

    /// What became of a test event.
    fn report(&self, call: &Call) -> Result<Response, HookProblem> {
        let (log, partner) = (&self.ground.deliveries, &self.settings.organization.id);
        let now = self.ground.clock.now();
        let report = self.lock().validations.report(call.id(), partner, log, now)?;
        Ok(hook_json(&report))
    }

    /// Counts a call against the limits in force; comes back with the seconds to wait when there were too many.
    pub(super) fn metered(&self, grant: &Grant) -> Result<(), u64> {
        let limits = (self.settings.throttle, self.settings.daily_calls);
        if limits == (None, None) {
            return Ok(());
        }
        self.lock().meter.count(limits, grant, self.ground.clock.now())
    }
}

fn hook_json(body: &Value) -> Response {
    json_reply(StatusCode::OK, "application/json; charset=utf-8", body)
}
