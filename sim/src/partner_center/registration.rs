//! The calls of the webhook registration API (partner-center.md section 6.1).
//!
//! What a registration is, and what it causes, stands in [`super::webhook`].

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::PartnerCenter;
use super::call::{Call, insert};
use super::webhook::{self, EVENTS, HookProblem};
use crate::identity::{PARTNER_CENTER_EVENTS_AUDIENCE, Role};
use crate::reply::json_reply;

/// GET on the registration.
pub(super) async fn view(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, _| it.view())
}

/// POST: the first registration.
pub(super) async fn register(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, call| it.register(call, true))
}

/// PUT: another registration instead.
pub(super) async fn register_again(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, call| it.register(call, false))
}

/// GET on the events that can be registered.
pub(super) async fn events(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |_, _| Ok(hook_json(&json!(EVENTS))))
}

impl PartnerCenter {
    /// Answers a call to the registration API, for users with a role that it knows and for applications.
    ///
    /// Assumed: Referrals admins may register; the documents name other administrators, which are not simulated.
    fn answer_hook(&self, call: &Call, handle: impl FnOnce(&Self, &Call) -> Result<Response, HookProblem>) -> Response {
        let base = self.ground.bases.partner_center_events();
        let admitted = match call.grant(&self.ground.authority, &[PARTNER_CENTER_EVENTS_AUDIENCE], &base) {
            Ok(grant) if grant.app_only || grant.user.roles.contains(&Role::ReferralsAdmin) => Ok(()),
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
        for name in ["ms-correlationid", "ms-requestid"] {
            let id = state.requests.guid();
            let given = call.headers.get(name).cloned();
            if let Some(value) = given.or_else(|| HeaderValue::try_from(id).ok()) {
                headers.insert(name, value);
            }
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
        let response = hook_json(&webhook::print(&registration, true));
        state.registration = Some(registration);
        Ok(response)
    }
}

fn hook_json(body: &Value) -> Response {
    json_reply(StatusCode::OK, "application/json; charset=utf-8", body)
}
