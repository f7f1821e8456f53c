//! HTTP: which path and method does what, who may, and the headers around it (partner-center.md sections 1.1, 1.3, 7).
//!
//! No rule of the resource stands here.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;

use super::PartnerCenter;
use super::create::Draft;
use super::error::Problem;
use super::guid::Guid;
use super::list;
use super::patch::{Patch, Right};
use super::put;
use super::signature::{CERTIFICATE_PATH, certificate};
use super::store::Place;
use super::value::Stamp;
use super::webhook::{self, EVENTS, HookProblem};
use crate::identity::{Grant, PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, Role, TokenFault};
use crate::reply::{empty_reply, json_reply, refuse};
use crate::site::Site;

/// The largest body. Assumed: no limit is documented.
const LARGEST_BODY: usize = 1024 * 1024;

/// A request whose body has been read, or was too large.
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Call {
    async fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: to_bytes(body, LARGEST_BODY).await.ok(),
        }
    }

    /// The body of a write, which must be JSON.
    fn json(&self) -> Result<&Bytes, Problem> {
        let content_type = self.text(header::CONTENT_TYPE).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::UnsupportedMediaType);
        }
        self.body.as_ref().ok_or(Problem::TooLarge)
    }

    fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Refuses every option of a URL that has none.
    fn no_options(&self) -> Result<(), Problem> {
        let option = self.uri.query().and_then(|query| query.split(['=', '&']).next());
        match option.filter(|option| !option.is_empty()) {
            Some(option) => Err(Problem::NotSimulated(format!("query option `{option}`"))),
            None => Ok(()),
        }
    }

    /// Whether `Prefer: return=representation` asks for the changed referral.
    fn wants_representation(&self) -> bool {
        let prefer = self.text(HeaderName::from_static("prefer")).unwrap_or_default();
        prefer
            .split([',', ';'])
            .any(|one| one.trim().eq_ignore_ascii_case("return=representation"))
    }
}

/// The router of both hosts.
pub(super) fn router(partner_center: &PartnerCenter) -> Router {
    let one = get(read).patch(patch).put(replace);
    let registration = get(view).post(register).put(register_again);
    Router::new()
        .route("/v1.0/engagements/referrals", get(all).post(create))
        .route("/v1.0/engagements/referrals/{id}", one)
        // The address that events carry.
        .route("/engagements/v1/referrals/{id}", get(read_from_event))
        .route("/webhooks/v1/registration", registration)
        .route("/webhooks/v1/registration/events", get(events))
        .route(CERTIFICATE_PATH, get(certificate_file))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(partner_center.clone())
}

async fn all(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer(&Call::of(request).await, &[PARTNER_CENTER_AUDIENCE], |it, call, _| {
        it.list(call)
    })
}

async fn create(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer(
        &Call::of(request).await,
        &[PARTNER_CENTER_AUDIENCE],
        PartnerCenter::create,
    )
}

async fn read(State(it): State<PartnerCenter>, Path(id): Path<String>, request: Request) -> Response {
    it.answer(&Call::of(request).await, &[PARTNER_CENTER_AUDIENCE], |it, call, _| {
        it.read(call, &id)
    })
}

/// A token for the host of the address will do, because the official flow asks for one (partner-center.md section 6.2).
async fn read_from_event(State(it): State<PartnerCenter>, Path(id): Path<String>, request: Request) -> Response {
    let audiences = [PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE];
    it.answer(&Call::of(request).await, &audiences, |it, call, _| it.read(call, &id))
}

async fn patch(State(it): State<PartnerCenter>, Path(id): Path<String>, request: Request) -> Response {
    it.answer(
        &Call::of(request).await,
        &[PARTNER_CENTER_AUDIENCE],
        |it, call, grant| it.patch(call, grant, &id),
    )
}

async fn replace(State(it): State<PartnerCenter>, Path(id): Path<String>, request: Request) -> Response {
    it.answer(
        &Call::of(request).await,
        &[PARTNER_CENTER_AUDIENCE],
        |it, call, grant| it.replace(call, grant, &id),
    )
}

async fn view(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, _| it.view())
}

async fn register(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, call| it.register(call, true))
}

async fn register_again(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |it, call| it.register(call, false))
}

async fn events(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer_hook(&Call::of(request).await, |_, _| {
        Ok(hook_json(&serde_json::json!(EVENTS)))
    })
}

async fn certificate_file() -> Response {
    let mut response = Response::new(Body::from(Bytes::from_static(certificate())));
    let value = HeaderValue::from_static("application/pkix-cert");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

/// Everything else is refused, and the two forms of deal registration by their name.
async fn unknown(State(it): State<PartnerCenter>, method: Method, uri: Uri) -> Response {
    let slashed = uri.path().starts_with("/v1.0/engagements/referrals/") && uri.path().ends_with('/');
    let missing = if method == Method::PATCH && slashed {
        "deal registration"
    } else {
        "route"
    };
    refuse(&it.ground.happenings, Site::PartnerCenter, &method, &uri, missing)
}

impl PartnerCenter {
    /// Answers a call to the referrals API: checks who calls, and puts the common headers round the answer.
    fn answer(
        &self,
        call: &Call,
        audiences: &[&str],
        handle: impl FnOnce(&Self, &Call, &Grant) -> Result<Response, Problem>,
    ) -> Response {
        let answered = self.admit(call, audiences).and_then(|grant| handle(self, call, &grant));
        let mut response = match answered {
            Ok(response) => response,
            Err(Problem::NotSimulated(missing)) => refuse(
                &self.ground.happenings,
                Site::PartnerCenter,
                &call.method,
                &call.uri,
                &missing,
            ),
            Err(problem) => problem.answer(),
        };
        let request_id = self.lock().requests.guid();
        let headers = response.headers_mut();
        insert(headers, "request-id", &request_id);
        insert(headers, "timestamp", &Stamp(self.ground.clock.now()).to_string());
        // Echoed; not enforced although documented as required, because no sample sends it.
        if let Some(given) = call.headers.get("client-request-id") {
            headers.insert("client-request-id", given.clone());
        }
        response
    }

    /// Users with the role Referrals admin, with a token for one of the audiences or for the base URL in force.
    fn admit(&self, call: &Call, audiences: &[&str]) -> Result<Grant, Problem> {
        let grant = self
            .grant(call, audiences, &self.ground.bases.of(Site::PartnerCenter))
            .map_err(|fault| {
                Problem::Unauthenticated(match fault {
                    TokenFault::Missing => "The request has no bearer token.",
                    TokenFault::Expired => "The access token has expired.",
                    TokenFault::Unknown | TokenFault::WrongAudience => "The access token is not valid.",
                })
            })?;
        // "Currently supports only user access."
        if grant.app_only {
            return Err(Problem::NotAuthorized(StatusCode::UNAUTHORIZED));
        }
        if grant.user.roles.contains(&Role::ReferralsAdmin) {
            Ok(grant)
        } else if grant.user.roles.contains(&Role::ReferralsUser) {
            Err(Problem::NotSimulated("role Referrals user".to_owned()))
        } else {
            Err(Problem::NotAuthorized(StatusCode::FORBIDDEN))
        }
    }

    fn grant(&self, call: &Call, audiences: &[&str], base: &str) -> Result<Grant, TokenFault> {
        let authority = &self.ground.authority;
        for audience in audiences {
            match authority.check(&call.headers, audience) {
                Err(TokenFault::WrongAudience) => {}
                decided => return decided,
            }
        }
        authority.check(&call.headers, base)
    }

    fn list(&self, call: &Call) -> Result<Response, Problem> {
        let query = list::Query::read(call.uri.query().unwrap_or_default())?;
        let body = list::page(&mut self.lock().store, &self.settings, query)?;
        Ok(json(StatusCode::OK, Bytes::from(body)))
    }

    fn read(&self, call: &Call, id: &str) -> Result<Response, Problem> {
        call.no_options()?;
        let mut state = self.lock();
        let place = find(&state.store, id)?;
        let body = state.store.entity(place);
        Ok(with_etag(json(StatusCode::OK, body), &state.store, place))
    }

    fn create(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        let draft = Draft::read(call.json()?)?;
        let mut state = self.lock();
        let place = self.writer(&mut state, &grant.user.name).create(draft)?;
        let body = state.store.plain(place);
        let status = if self.settings.create_answers_201 {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok(with_etag(json(status, body), &state.store, place))
    }

    fn patch(&self, call: &Call, grant: &Grant, id: &str) -> Result<Response, Problem> {
        call.no_options()?;
        let patch = Patch::read(call.json()?)?;
        let mut state = self.lock();
        let place = writable(&state.store, id)?;
        precondition(call, &state.store, place, false)?;
        self.apply(&mut state, grant, place, patch, Right::Patch)?;
        let response = if call.wants_representation() {
            json(StatusCode::OK, state.store.plain(place))
        } else {
            empty_reply(StatusCode::NO_CONTENT)
        };
        Ok(with_etag(response, &state.store, place))
    }

    fn replace(&self, call: &Call, grant: &Grant, id: &str) -> Result<Response, Problem> {
        call.no_options()?;
        let body = call.json()?;
        let mut state = self.lock();
        let place = writable(&state.store, id)?;
        precondition(call, &state.store, place, self.settings.put_requires_if_match)?;
        let stored: Value = serde_json::from_slice(&state.store.plain(place)).unwrap_or_default();
        let patch = put::patch(&stored, body)?;
        self.apply(&mut state, grant, place, patch, Right::Put)?;
        let response = json(StatusCode::OK, state.store.plain(place));
        Ok(with_etag(response, &state.store, place))
    }

    fn apply(
        &self,
        state: &mut super::State,
        grant: &Grant,
        place: Place,
        patch: Patch,
        right: Right,
    ) -> Result<(), Problem> {
        let mut writer = self.writer(state, &grant.user.name);
        let (invited, now) = (writer.invited(place), writer.now);
        writer.update(place, |referral| patch.apply(referral, right, invited, now))
    }

    /// Answers a call to the registration API, for users with a role that it knows and for applications.
    ///
    /// Assumed: Referrals admins may register; the documents name other administrators, which are not simulated.
    fn answer_hook(&self, call: &Call, handle: impl FnOnce(&Self, &Call) -> Result<Response, HookProblem>) -> Response {
        let admitted = match self.grant(
            call,
            &[PARTNER_CENTER_EVENTS_AUDIENCE],
            &self.ground.bases.partner_center_events(),
        ) {
            Ok(grant) if grant.app_only || grant.user.roles.contains(&Role::ReferralsAdmin) => Ok(()),
            Ok(_) => Err(HookProblem::Forbidden),
            Err(_) => Err(HookProblem::Unauthenticated),
        };
        let unasked = call
            .no_options()
            .map_err(|problem| HookProblem::NotSimulated(problem.to_string()));
        let mut response = match admitted.and(unasked).and_then(|()| handle(self, call)) {
            Ok(response) => response,
            Err(HookProblem::NotSimulated(missing)) => refuse(
                &self.ground.happenings,
                Site::PartnerCenter,
                &call.method,
                &call.uri,
                &missing,
            ),
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

fn find(store: &super::Store, id: &str) -> Result<Place, Problem> {
    Guid::parse(id).and_then(|id| store.find(id)).ok_or(Problem::NotFound)
}

/// The referral to write to. Microsoft's are read-only to the partner; assumed: 403.
fn writable(store: &super::Store, id: &str) -> Result<Place, Problem> {
    let place = find(store, id)?;
    match store.at(place) {
        Some(referral) if super::writer::is_microsofts(referral) => Err(Problem::NotAuthorized(StatusCode::FORBIDDEN)),
        _ => Ok(place),
    }
}

/// Compares `If-Match` with the stored eTag, quote marks included.
///
/// Assumed: a tag without its quote marks does not match, and neither does a weak one.
fn precondition(call: &Call, store: &super::Store, place: Place, required: bool) -> Result<(), Problem> {
    let current = store
        .at(place)
        .map(|referral| referral.e_tag.to_string())
        .unwrap_or_default();
    let given = match call.headers.get(header::IF_MATCH) {
        Some(given) => given.to_str().unwrap_or_default(),
        None if required => return Err(Problem::Precondition),
        None => return Ok(()),
    };
    let matches = given.split(',').map(str::trim).any(|tag| tag == "*" || tag == current);
    if matches { Ok(()) } else { Err(Problem::Precondition) }
}

fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let value = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

fn hook_json(body: &Value) -> Response {
    json_reply(StatusCode::OK, "application/json; charset=utf-8", body)
}

fn with_etag(mut response: Response, store: &super::Store, place: Place) -> Response {
    if let Some(referral) = store.at(place) {
        insert(response.headers_mut(), "etag", &referral.e_tag.to_string());
    }
    response
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
