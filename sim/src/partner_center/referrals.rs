//! The calls of the referrals API: who may, what is read and written, and the answer (partner-center.md sections 1.1, 1.3).
//!
//! No rule of the resource stands here.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, header};
use serde_json::Value;

use super::access::Access;
use super::call::{Call, insert, json};
use super::create::Draft;
use super::error::Problem;
use super::guid::Guid;
use super::patch::{Patch, Right};
use super::store::{Place, Store};
use super::value::Stamp;
use super::{PartnerCenter, deal_registration, list, put};
use crate::identity::{Grant, PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE, TokenFault};
use crate::memo::Asked;
use crate::reply::empty_reply;
use crate::site::Site;

/// The one audience of the referrals API.
const OWN: &[&str] = &[PARTNER_CENTER_AUDIENCE];

/// GET on the collection.
pub(super) async fn all(State(it): State<PartnerCenter>, request: Request) -> Response {
    listed(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn listed(it: &PartnerCenter, call: &Call) -> Response {
    it.answer(call, OWN, PartnerCenter::list)
}

/// POST on the collection.
pub(super) async fn create(State(it): State<PartnerCenter>, request: Request) -> Response {
    created(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn created(it: &PartnerCenter, call: &Call) -> Response {
    it.answer(call, OWN, PartnerCenter::create)
}

/// GET on one.
pub(super) async fn read(State(it): State<PartnerCenter>, request: Request) -> Response {
    shown(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn shown(it: &PartnerCenter, call: &Call) -> Response {
    it.answer(call, OWN, PartnerCenter::read)
}

/// GET at the address that events carry. A token for its host will do, because the official flow asks for one
/// (partner-center.md section 6.2).
pub(super) async fn read_from_event(State(it): State<PartnerCenter>, request: Request) -> Response {
    let audiences = &[PARTNER_CENTER_AUDIENCE, PARTNER_CENTER_EVENTS_AUDIENCE];
    it.answer(&Call::of(request).await, audiences, PartnerCenter::read)
}

/// PATCH on one.
pub(super) async fn patch(State(it): State<PartnerCenter>, request: Request) -> Response {
    patched(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn patched(it: &PartnerCenter, call: &Call) -> Response {
    it.answer(call, OWN, PartnerCenter::patch)
}

/// PUT on one.
pub(super) async fn replace(State(it): State<PartnerCenter>, request: Request) -> Response {
    replaced(&it, &Call::of(request).await)
}

/// The same for a call whose body is there.
pub(super) fn replaced(it: &PartnerCenter, call: &Call) -> Response {
    it.answer(call, OWN, PartnerCenter::replace)
}

/// PATCH with one slash behind the id: registers a won deal.
pub(super) async fn register_deal(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer(&Call::of(request).await, OWN, PartnerCenter::register_deal)
}

/// PATCH with two slashes behind the id: changes its registration.
pub(super) async fn update_registration(State(it): State<PartnerCenter>, request: Request) -> Response {
    it.answer(&Call::of(request).await, OWN, PartnerCenter::update_registration)
}

impl PartnerCenter {
    /// Answers a call to the referrals API: checks who calls, and puts the common headers round the answer.
    fn answer(
        &self,
        call: &Call,
        audiences: &[&str],
        handle: impl FnOnce(&Self, &Call, &Grant) -> Result<Response, Problem>,
    ) -> Response {
        let answered = self.admit(call, audiences).and_then(|grant| {
            self.metered(&grant).map_err(Problem::TooMany)?;
            handle(self, call, &grant)
        });
        let mut response = match answered {
            Ok(response) => response,
            Err(Problem::NotSimulated(missing)) => call.refuse(&self.ground.happenings, &missing),
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

    /// Users with a Partner Center role, with a token for one of the audiences or for the base URL in force.
    fn admit(&self, call: &Call, audiences: &[&str]) -> Result<Grant, Problem> {
        let base = || self.ground.bases.of(Site::PartnerCenter);
        let grant = call.grant(&self.ground.authority, audiences, base).map_err(|fault| {
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
        self.access(&grant).map(|_| grant)
    }

    /// What the caller's roles allow.
    fn access(&self, grant: &Grant) -> Result<Access, Problem> {
        Access::of(&grant.user, &self.settings)
    }

    fn list(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        let mut state = self.lock();
        let asked = Asked {
            target: call.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str),
            headers: &call.headers,
            user: &grant.user,
            // A move to another base is a revision of the store.
            base: "",
        };
        let revision = state.store.revision();
        if let Some(body) = state.memo.get(asked, revision) {
            return Ok(json(StatusCode::OK, body));
        }
        let access = self.access(grant)?;
        let query = list::Query::read(call.uri.query().unwrap_or_default())?;
        let body = Bytes::from(list::page(&mut state.store, &self.settings, &access, query)?);
        state.memo.keep(asked, revision, &body);
        Ok(json(StatusCode::OK, body))
    }

    fn read(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        let mut state = self.lock();
        let place = find(&state.store, &self.access(grant)?, call.id())?;
        let body = state.store.entity(place);
        Ok(with_etag(json(StatusCode::OK, body), &state.store, place))
    }

    fn create(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        self.access(grant)?.to_write()?;
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

    fn patch(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        let patch = Patch::read(call.json()?)?;
        let mut state = self.lock();
        let place = writable(&state.store, &self.access(grant)?, call.id())?;
        precondition(call, &state.store, place, false)?;
        self.apply(&mut state, grant, place, patch, Right::Patch)?;
        let response = if call.wants_representation() {
            json(StatusCode::OK, state.store.plain(place))
        } else {
            empty_reply(StatusCode::NO_CONTENT)
        };
        Ok(with_etag(response, &state.store, place))
    }

    fn replace(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        let body = call.json()?;
        let mut state = self.lock();
        let place = writable(&state.store, &self.access(grant)?, call.id())?;
        precondition(call, &state.store, place, self.settings.put_requires_if_match)?;
        let stored: Value = serde_json::from_slice(&state.store.plain(place)).unwrap_or_default();
        let patch = put::patch(&stored, body)?;
        self.apply(&mut state, grant, place, patch, Right::Put)?;
        let response = json(StatusCode::OK, state.store.plain(place));
        Ok(with_etag(response, &state.store, place))
    }

    /// Both forms answer 204.
    fn register_deal(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        let given = deal_registration::creation(call.json()?)?;
        let mut state = self.lock();
        let place = writable(&state.store, &self.access(grant)?, call.id())?;
        precondition(call, &state.store, place, false)?;
        let mut writer = self.writer(&mut state, &grant.user.name);
        let (id, now) = (writer.guid(), writer.now);
        writer.update(place, |referral| deal_registration::add(referral, given, id, now))?;
        Ok(with_etag(empty_reply(StatusCode::NO_CONTENT), &state.store, place))
    }

    fn update_registration(&self, call: &Call, grant: &Grant) -> Result<Response, Problem> {
        call.no_options()?;
        let body = call.json()?;
        let mut state = self.lock();
        let place = writable(&state.store, &self.access(grant)?, call.id())?;
        precondition(call, &state.store, place, false)?;
        let mut writer = self.writer(&mut state, &grant.user.name);
        let now = writer.now;
        writer.update(place, |referral| deal_registration::update(referral, body, now))?;
        Ok(with_etag(empty_reply(StatusCode::NO_CONTENT), &state.store, place))
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
        let terms = writer.terms(place);
        writer.update_from(place, |before, referral| patch.apply(before, referral, right, terms))
    }
}

fn find(store: &Store, access: &Access, id: &str) -> Result<Place, Problem> {
    let place = Guid::parse(id).and_then(|id| store.find(id));
    let is_shown = |place: &Place| access.is_whole() || store.at(*place).is_some_and(|referral| access.sees(&referral));
    place.filter(is_shown).ok_or(Problem::NotFound)
}

/// The referral to write to. Microsoft's are read-only to the partner; assumed: 403.
fn writable(store: &Store, access: &Access, id: &str) -> Result<Place, Problem> {
    let place = find(store, access, id)?;
    access.to_write()?;
    match store.facet(place) {
        Some(facet) if facet.microsofts => Err(Problem::NotAuthorized(StatusCode::FORBIDDEN)),
        _ => Ok(place),
    }
}

/// Compares `If-Match` with the stored eTag, quote marks included.
///
/// Assumed: a tag without its quote marks does not match, and neither does a weak one.
fn precondition(call: &Call, store: &Store, place: Place, required: bool) -> Result<(), Problem> {
    let given = match call.headers.get(header::IF_MATCH) {
        Some(given) => given.to_str().unwrap_or_default(),
        None if required => return Err(Problem::Precondition),
        None => return Ok(()),
    };
    let current = store.e_tag(place).map(|tag| tag.to_string()).unwrap_or_default();
    let matches = given.split(',').map(str::trim).any(|tag| tag == "*" || tag == current);
    if matches { Ok(()) } else { Err(Problem::Precondition) }
}

fn with_etag(mut response: Response, store: &Store, place: Place) -> Response {
    if let Some(tag) = store.e_tag(place) {
        insert(response.headers_mut(), "etag", &tag.to_string());
    }
    response
}
