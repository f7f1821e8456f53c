//! From request to response: who calls, what is addressed, which rule applies.
//!
//! Handlers never wait: the only `await` is on a body that is in memory already.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode, header};

use crate::identity::User;
use crate::memo::Asked;
use crate::reply::{self, Said};
use crate::site::Site;

use super::access::Right;
use super::address::{Options, Resource, api_path, decode, resource};
use super::answer::Answer;
use super::environment::{Caller, State};
use super::error::Fault;
use super::guid::Guid;
use super::headers;
use super::key::RowKey;
use super::lapse::{Lapse, has_open_quote, has_quoted_key};
use super::model::{Model, Table};
use super::moment;
use super::protection::{Flight, Remaining};
use super::read::TOKEN_LIFE;
use super::write::Work;
use super::{Dataverse, action, bulk, metadata, payload, qualify, setup};

mod batch;
mod read;
mod write;

/// The largest body that is read of a request, and of a batch. Assumed: the facts name no limit.
const MAX_BODY: usize = 1024 * 1024;
const MAX_BATCH: usize = 16 * MAX_BODY;

/// Answers any request.
pub(super) async fn answer(Shared(dataverse): Shared<Dataverse>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let flight = dataverse.flight(&parts);
    let body = to_bytes(body, most_bytes(&parts)).await.map_err(|_| Fault::TooLarge);
    dataverse.answer(&parts, body, &flight).map(Body::from)
}

/// Path and query of a request.
fn target(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

/// How large the body of a request may be.
fn most_bytes(parts: &Parts) -> usize {
    if parts.uri.path().ends_with("/$batch") {
        MAX_BATCH
    } else {
        MAX_BODY
    }
}

impl Dataverse {
    /// Answers a request whose body is there.
    pub(crate) fn answer_at_once(&self, request: http::Request<Bytes>) -> Said {
        let (parts, body) = request.into_parts();
        let flight = self.flight(&parts);
        let fits = body.len() <= most_bytes(&parts);
        Said::Whole(self.answer(&parts, fits.then_some(body).ok_or(Fault::TooLarge), &flight))
    }

    fn flight(&self, parts: &Parts) -> Flight {
        let user = self.0.ground.authority.caller(&parts.headers);
        self.0.flights.enter(user.unwrap_or_default())
    }

    fn answer(&self, parts: &Parts, body: Result<Bytes, Fault>, flight: &Flight) -> http::Response<Bytes> {
        let inner = &*self.0;
        let refuse = |missing: &str| {
            let happenings = &inner.ground.happenings;
            reply::refuse_whole(happenings, Site::Dataverse, &parts.method, &parts.uri, missing)
        };
        let Some((version, rest)) = api_path(&parts.uri) else {
            return refuse(&format!("route `{}`", parts.uri.path()));
        };
        let base = inner.ground.bases.of(Site::Dataverse);
        let mut state = inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        setup::people(&mut state, &inner.ground);
        setup::complete(&mut state, &inner.ground, rest);
        state.store.settle();
        let (outcome, remaining) = self.outcome(&mut state, parts, (&base, version, rest), body, flight);
        if matches!(outcome, Err(Fault::Query(_)))
            && has_open_quote(&decode(parts.uri.query().unwrap_or_default(), true).unwrap_or_default())
        {
            state.lapses.push(Lapse::OpenQuote);
        }
        let line = inner
            .settings
            .strict
            .then(|| format!("{} {}", parts.method, target(parts)));
        state.settle(&inner.ground, line.as_deref());
        let answer = match outcome {
            Ok(answer) => answer,
            Err(Fault::NotSimulated(missing)) => return refuse(&missing),
            Err(Fault::Unauthorized) => {
                let entra = inner.ground.bases.of(Site::Entra);
                Answer::challenge(&format!("{entra}/{}", state.organisation.tenant), &base)
            }
            Err(fault) => Answer::fault(&fault),
        };
        let answer = match remaining {
            Some(remaining) => answer.with_remaining(remaining),
            None => answer,
        };
        let request_id = Guid::draw(&mut state.requests).to_string();
        answer.into_whole(request_id)
    }

    /// What comes of a request of somebody who may call, and what service protection leaves to them.
    fn outcome(
        &self,
        state: &mut State,
        parts: &Parts,
        (base, version, rest): (&str, &str, &str),
        body: Result<Bytes, Fault>,
        flight: &Flight,
    ) -> (Result<Answer, Fault>, Option<Remaining>) {
        let mut remaining = None;
        let outcome = self.caller(state, parts, base).and_then(|(user, caller)| {
            remaining = self.count(state, &caller, flight)?;
            let body = body?;
            let asked = Asked {
                target: target(parts),
                headers: &parts.headers,
                user: &user,
                base,
            };
            if let Some(kept) = self.known(state, parts, asked) {
                return Ok(Answer::json(StatusCode::OK, kept));
            }
            let call = Call {
                parts,
                root: &format!("{base}/api/data/{version}/"),
                body: &body,
                in_batch: false,
            };
            let mark = state.mark();
            let outcome = call.carry_out(self, state, &caller, rest);
            let steady = outcome.as_ref().ok().and_then(Answer::plain_json);
            if let Some(body) = steady.filter(|_| state.lapses.is_empty() && read::is_steady(parts, rest)) {
                let revision = state.store.revision();
                match moment::split(asked.target) {
                    None => state.memo.keep(asked, revision, body),
                    Some((target, _)) if moment::is_in(body) => {
                        state.followed.keep(Asked { target, ..asked }, revision, body);
                    }
                    Some(_) => {}
                }
            }
            outcome.inspect_err(|_| state.roll_back(mark))
        });
        (outcome, remaining)
    }

    /// The answer that was given before, while no row has changed; to those who follow changes, at this moment.
    fn known(&self, state: &State, parts: &Parts, asked: Asked<'_>) -> Option<Bytes> {
        if parts.method != Method::GET {
            return None;
        }
        let revision = state.store.revision();
        if let Some(kept) = state.memo.get(asked, revision) {
            return Some(kept);
        }
        let (target, since) = moment::split(asked.target)?;
        let now = self.0.ground.clock.now();
        let kept = state.followed.get(Asked { target, ..asked }, revision);
        kept.filter(|_| now.duration_since(since) <= TOKEN_LIFE)
            .map(|kept| moment::moved(&kept, now))
    }

    /// Who calls (dataverse.md section 1.4).
    fn caller(&self, state: &mut State, parts: &Parts, base: &str) -> Result<(Arc<User>, Arc<Caller>), Fault> {
        let ground = &self.0.ground;
        let grant = ground.authority.check(&parts.headers, base);
        let grant = grant.map_err(|_| Fault::Unauthorized)?;
        let caller = state.caller(ground.seed, &grant.user, grant.at_screen)?;
        Ok((grant.user, caller))
    }

    /// Holds the request against the limits of service protection. Assumed: people in the app spend none of them.
    fn count(&self, state: &mut State, caller: &Caller, flight: &Flight) -> Result<Option<Remaining>, Fault> {
        let limits = self.0.settings.protection.filter(|_| !caller.at_screen);
        let now = self.0.ground.clock.now();
        let counted = limits.map(|limits| state.meter.count(limits, caller.id, flight.others, now));
        counted.transpose()
    }
}

/// One request.
struct Call<'a> {
    parts: &'a Parts,
    root: &'a str,
    body: &'a Bytes,
    /// Whether it is part of a batch, where URLs may be longer.
    in_batch: bool,
}

impl Call<'_> {
    fn carry_out(
        &self,
        dataverse: &Dataverse,
        state: &mut State,
        caller: &Caller,
        rest: &str,
    ) -> Result<Answer, Fault> {
        let directives = headers::directives(&self.parts.headers, rest)?;
        let stand_in = directives.in_name_of.map(|other| caller.in_the_name_of(state, other));
        let stand_in = stand_in.transpose()?;
        let caller = stand_in.as_ref().unwrap_or(caller);
        let model = Arc::clone(state.store.model());
        let resource = resource(&model, rest)?;
        if has_quoted_key(rest) {
            state.lapses.push(Lapse::QuotedKey);
        }
        let method = &self.parts.method;
        if let (Resource::Batch, &Method::POST) = (&resource, method) {
            return self.batch(dataverse, state, caller);
        }
        let mut work = Work {
            state,
            ground: &dataverse.0.ground,
            settings: &dataverse.0.settings,
            caller,
            detect: directives.detect_duplicates,
        };
        if let (Some(table), &Method::GET) = (resource.table(), method) {
            caller.may(Right::Read, table)?;
        }
        match (&resource, method) {
            (Resource::Service, &Method::GET) => Ok(self.service_document(&model)),
            (Resource::WhoAmI, &Method::GET) => Ok(self.who_am_i(&work)),
            (Resource::Set(table), &Method::GET) => self.list(&work, table),
            (Resource::Count(table), &Method::GET) => self.count_rows(&work, table),
            (Resource::Function(name, arguments), &Method::GET) => self.function(&work, (name, arguments)),
            (Resource::Metadata(path), _) => metadata::answer(&model, self.root, (method, path), || self.options()),
            (Resource::Set(table), &Method::POST) => self.create(&mut work, table),
            (Resource::SetAction(table, name), &Method::POST) => self.set_action(&mut work, table, name),
            (Resource::Row(table, key), &Method::GET) => self.row(&work, (table, key), &[]),
            (Resource::Row(table, key), &Method::PATCH) => self.upsert(&mut work, table, key),
            (Resource::Row(table, key), &Method::DELETE) => self.delete(&mut work, table, key),
            (Resource::RowAction(table, key, name), &Method::POST) => self.row_action(&mut work, (table, key), name),
            (Resource::Below(table, key, path), &Method::GET) => self.row(&work, (table, key), path),
            (Resource::Below(table, key, path), _) => self.below(&mut work, (table, key), path),
            (Resource::Action(name), &Method::POST) => self.action(&mut work, name),
            (Resource::InitializeFrom(call), &Method::GET) => self.initialize_from(&work, call),
            (
                Resource::WhoAmI
                | Resource::Function(..)
                | Resource::Action(_)
                | Resource::InitializeFrom(_)
                | Resource::SetAction(..)
                | Resource::RowAction(..),
                _,
            ) => Err(Fault::NoSuchResource(format!("{}{rest}", self.root))),
            (Resource::Service | Resource::Batch | Resource::Set(_) | Resource::Count(_) | Resource::Row(..), _) => {
                Err(Fault::Method(method.to_string()))
            }
        }
    }

    fn row_action(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        self.require_json()?;
        let id = key.existing(&work.state.store, table)?;
        if (table.logical.as_ref(), name) != ("lead", "QualifyLead") {
            return Err(Fault::NotSimulated(format!(
                "action `{name}` on a row of `{}`",
                table.set
            )));
        }
        work.caller.may(Right::Write, table)?;
        let made = qualify::lead(work, id, self.body)?;
        Ok(Answer::json(
            StatusCode::OK,
            qualify::listed(&work.model(), self.root, &made),
        ))
    }

    fn action(&self, work: &mut Work<'_>, name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        self.require_json()?;
        if name == "BulkDelete" {
            let job = bulk::delete(work, self.body)?;
            let context = format!("{}$metadata#Microsoft.Dynamics.CRM.BulkDeleteResponse", self.root);
            let body = serde_json::json!({"@odata.context": context, "JobId": job.to_string()});
            return Ok(Answer::json(StatusCode::OK, body.to_string()));
        }
        work.caller.may(Right::Write, work.model().expect("opportunity"))?;
        action::close(work, name == "WinOpportunity", self.body)?;
        Ok(Answer::empty())
    }

    /// `InitializeFrom(EntityMoniker=@p1,TargetEntityName=@p2,…)?@p1=…`.
    fn initialize_from(&self, work: &Work<'_>, call: &str) -> Result<Answer, Fault> {
        let query = self.parts.uri.query().unwrap_or_default();
        let wrong = || Fault::Query("Error in query syntax.".to_owned());
        let arguments = qualify::arguments(call, query).ok_or_else(wrong)?;
        let text = |name: &str| arguments.get(name).and_then(serde_json::Value::as_str);
        let moniker = arguments
            .get("EntityMoniker")
            .and_then(|moniker| moniker["@odata.id"].as_str());
        let model = work.model();
        let tables: Vec<&Table> = model.tables().iter().collect();
        let store = &work.state.store;
        let source = payload::row_of(store, "InitializeFrom", &tables, moniker.ok_or_else(wrong)?)?;
        let target = text("TargetEntityName").and_then(|name| model.by_logical(name));
        work.caller.may(Right::Read, source.0)?;
        let body = qualify::template(work, self.root, source, target.ok_or_else(wrong)?)?;
        Ok(Answer::json(StatusCode::OK, body))
    }

    fn options(&self) -> Result<Options, Fault> {
        Options::read(&self.parts.uri, self.in_batch)
    }

    fn no_options(&self) -> Result<(), Fault> {
        let options = self.options()?;
        options.only_select()?;
        match options.select {
            Some(_) => Err(Fault::NotSimulated(
                "query option `$select` on an action or a deletion".to_owned(),
            )),
            None => Ok(()),
        }
    }

    /// Assumed: the body must be declared as JSON.
    fn require_json(&self) -> Result<(), Fault> {
        let kind = self
            .parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or("application/octet-stream");
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        Err(Fault::MediaType(essence.to_owned()))
    }

    fn service_document(&self, model: &Model) -> Answer {
        let mut out = format!("{{\"@odata.context\":\"{}$metadata\",\"value\":[", self.root);
        for (place, table) in model.tables().iter().enumerate() {
            let (comma, set) = (if place == 0 { "" } else { "," }, &table.set);
            // Writing to a String cannot fail.
            let _done = write!(
                out,
                "{comma}{{\"name\":\"{set}\",\"kind\":\"EntitySet\",\"url\":\"{set}\"}}"
            );
        }
        out.push_str("]}");
        Answer::json(StatusCode::OK, out)
    }

    /// With the degree of parallelism that a client of Microsoft's own insists on (dataverse.md section 1.5).
    fn who_am_i(&self, work: &Work<'_>) -> Answer {
        let organisation = work.state.organisation;
        let body = format!(
            "{{\"@odata.context\":\"{}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse\",\"BusinessUnitId\":\"{}\",\
             \"UserId\":\"{}\",\"OrganizationId\":\"{}\"}}",
            self.root, organisation.business_unit, work.caller.id, organisation.id
        );
        Answer::json(StatusCode::OK, body).with("x-ms-dop-hint", "4".to_owned())
    }
}
