//! The desk in front of the served systems: every request passes it, is put in the journal, and may meet a fault.
//!
//! It answers for no system. Behind it the systems can be replaced as a whole, which is what a reset does.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::fault_book::FaultBook;
use super::onlooker::Onlooker;
use super::patience::outlast;
use super::postman::{Postman, rest};
use crate::fault::{Exchange, ExchangeKind, Fate, garbled, without};
use crate::ground::Ground;
use crate::reply::json_reply;
use crate::site::Site;
use crate::systems::{SystemSettings, Systems};

/// How many entries the journal keeps unless told otherwise.
const KEPT: usize = 1_000;
/// The most that it may be told to keep.
pub(super) const MOST_KEPT: usize = 100_000;
/// The largest body that faults and the journal look at. The systems themselves take less.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// How much of a body the journal keeps.
const BODY_KEPT: usize = 16 * 1024;

/// One answered request.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    at: Timestamp,
    pub(super) site: Site,
    method: http::Method,
    pub(super) path: String,
    /// None when the reply was lost on purpose.
    status: Option<u16>,
    pub(super) who: Option<Arc<str>>,
    fault: Option<String>,
    request: Option<Bytes>,
    response: Option<Bytes>,
}

impl Entry {
    pub(super) fn print(&self) -> Value {
        let text = |body: &Option<Bytes>| {
            let kept = body.as_ref().map(|body| &body[..body.len().min(BODY_KEPT)]);
            kept.map(|kept| String::from_utf8_lossy(kept).into_owned())
        };
        let mut entry = json!({
            "number": self.number, "at": self.at.to_string(), "site": self.site.name(), "method": self.method.as_str(),
            "path": self.path, "status": self.status, "who": self.who, "fault": self.fault,
        });
        if self.request.is_some() || self.response.is_some() {
            entry["requestBody"] = json!(text(&self.request));
            entry["responseBody"] = json!(text(&self.response));
        }
        entry
    }
}

/// What was asked, as far as it is kept.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) entries: VecDeque<Entry>,
    pub(super) total: u64,
    pub(super) keep: usize,
}

/// Stands in front of every served system.
pub(super) struct Desk {
    ground: RwLock<Ground>,
    systems: RwLock<Systems>,
    /// How the systems are set each time they start.
    settings: SystemSettings,
    postman: Arc<Postman>,
    journal: Mutex<Journal>,
    faults: Arc<FaultBook>,
    onlooker: Onlooker,
    /// Whether the journal keeps bodies, known without a lock.
    with_bodies: AtomicBool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// The desk of one site.
#[derive(Clone, Debug)]
struct Window {
    site: Site,
    desk: Arc<Desk>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(super) fn new(
        ground: Ground,
        systems: Systems,
        settings: SystemSettings,
        postman: Arc<Postman>,
        faults: Arc<FaultBook>,
        onlooker: Onlooker,
    ) -> Self {
        let journal = Journal {
            entries: VecDeque::new(),
            total: 0,
            keep: KEPT,
        };
        Self {
            ground: RwLock::new(ground),
            systems: RwLock::new(systems),
            settings,
            postman,
            journal: Mutex::new(journal),
            faults,
            onlooker,
            with_bodies: AtomicBool::new(false),
        }
    }

    /// What a site's port serves.
    pub(super) fn router(self: &Arc<Self>, site: Site) -> Router {
        let desk = Arc::clone(self);
        Router::new().fallback(answer).with_state(Window { site, desk })
    }

    pub(super) fn ground(&self) -> Ground {
        self.ground.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn systems(&self) -> Systems {
        self.systems.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn postman(&self) -> &Postman {
        &self.postman
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        locked(&self.journal)
    }

    pub(super) fn keeps_bodies(&self) -> bool {
        self.with_bodies.load(Ordering::SeqCst)
    }

    pub(super) fn keep_bodies(&self, keep: bool) {
        self.with_bodies.store(keep, Ordering::SeqCst);
    }

    /// The faults in force.
    pub(super) fn faults(&self) -> &FaultBook {
        &self.faults
    }

    /// Puts new systems on another ground behind the desk; journal and faults start as new, too.
    pub(super) fn start_over(&self, mut ground: Ground) {
        // The postman writes in the same book.
        ground.deliveries = self.ground().deliveries;
        ground.deliveries.clear();
        let systems = Systems::new(self.settings.clone(), &ground);
        self.postman.start_over(systems.clone());
        *self.ground.write().unwrap_or_else(PoisonError::into_inner) = ground;
        *self.systems.write().unwrap_or_else(PoisonError::into_inner) = systems;
        self.faults.with(|faults| faults.rules.clear());
        let mut journal = self.journal();
        journal.entries.clear();
        journal.total = 0;
    }

    /// The system's answer.
    async fn pass(&self, site: Site, request: Request) -> Response {
        let router = {
            let systems = self.systems.read().unwrap_or_else(PoisonError::into_inner);
            systems.routers().of(site).cloned()
        };
        let response = match router {
            Some(router) => match router.oneshot(request).await {
                Ok(response) => outlast(response).await,
                Err(never) => match never {},
            },
            None => Response::default(),
        };
        self.postman.collect();
        response
    }

    fn decide(&self, site: Site, parts: &http::request::Parts, body: &[u8]) -> (Fate, Option<String>) {
        if !self.faults.meets_calls() {
            return (Fate::Pass, None);
        }
        self.faults.decide(&Exchange {
            number: 0,
            site,
            kind: ExchangeKind::Call,
            method: &parts.method,
            uri: &parts.uri,
            body,
            event: None,
            sent: self.postman.now(),
            attempt: 1,
        })
    }

    fn write_down(&self, mut entry: Entry) {
        let mut journal = self.journal();
        journal.total += 1;
        entry.number = journal.total;
        while journal.entries.len() >= journal.keep.max(1) {
            journal.entries.pop_front();
        }
        if journal.keep > 0 {
            journal.entries.push_back(entry);
        }
    }

    /// Who the bearer token stands for.
    fn who(&self, headers: &http::HeaderMap) -> Option<Arc<str>> {
        let ground = self.ground.read().unwrap_or_else(PoisonError::into_inner);
        ground.authority.caller(headers)
    }

    /// The slow way: bodies are read, because a fault or the journal wants them.
    async fn look_at(self: &Arc<Self>, site: Site, request: Request, mut entry: Entry) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            let complaint = json!({"error": {
                "where": "request body", "expected": format!("at most {LARGEST_BODY} bytes"), "help": "send less",
            }});
            return json_reply(StatusCode::PAYLOAD_TOO_LARGE, "application/json", &complaint);
        };
        let call = self.onlooker.called(&entry, &parts, &body);
        let (fate, rule) = self.decide(site, &parts, &body);
        self.onlooker.faulted(&call, &fate, rule.as_deref());
        let (arrives, by_system) = Onlooker::journey(&fate);
        let again = || Request::from_parts(parts.clone(), Body::from(body.clone()));
        let (response, lost) = match fate {
            Fate::Pass => (self.pass(site, again()).await, false),
            Fate::Delay(by) => {
                rest(by).await;
                (self.pass(site, again()).await, false)
            }
            Fate::LoseRequest => (Response::default(), true),
            Fate::LoseReply => (self.pass(site, again()).await, true),
            Fate::Duplicate(after) => {
                self.repeat(site, again(), after);
                (self.pass(site, again()).await, false)
            }
            Fate::Answer(answer) => (answer.map(Body::from), false),
            Fate::Without(fields) => {
                let mut parts = parts.clone();
                parts.headers.remove(http::header::CONTENT_LENGTH);
                let body = without(&body, &fields);
                (
                    self.pass(site, Request::from_parts(parts, Body::from(body))).await,
                    false,
                )
            }
            Fate::CutReply => (cut(self.pass(site, again()).await).await, false),
            Fate::GarbleRow => (garble(self.pass(site, again()).await).await, false),
        };
        entry.fault = rule;
        entry.status = (!lost).then(|| response.status().as_u16());
        let (head, answer) = response.into_parts();
        // Simulated bodies are in memory.
        let answer = to_bytes(answer, usize::MAX).await.unwrap_or_default();
        self.onlooker
            .answered(&call, arrives.then_some((&head, &answer)), by_system, !lost);
        if self.keeps_bodies() {
            entry.request = Some(body);
            entry.response = Some(answer.clone());
        }
        self.write_down(entry);
        if lost {
            return lost_reply();
        }
        Response::from_parts(head, Body::from(answer))
    }

    /// Lets the same request arrive once more; nobody waits for its answer.
    fn repeat(self: &Arc<Self>, site: Site, request: Request, after: Duration) {
        let desk = Arc::clone(self);
        drop(tokio::spawn(async move {
            rest(after).await;
            drop(desk.pass(site, request).await);
        }));
    }
}

/// A reply whose body breaks off in the middle.
async fn cut(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // Simulated bodies are in memory.
    let mut body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    body.truncate(body.len() / 2);
    head.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// A reply whose list begins with an empty row.
async fn garble(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // Simulated bodies are in memory.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(garbled(&body)))
}

/// A body that fails before its first byte, at which the server closes the connection without an answer.
fn lost_reply() -> Response {
    let fails = async { Err::<hyper::body::Frame<Bytes>, _>(std::io::Error::other("lost on purpose")) };
    Response::new(Body::new(http_body_util::StreamBody::new(futures_util::stream::once(
        fails,
    ))))
}

async fn answer(State(Window { site, desk }): State<Window>, request: Request) -> Response {
    let entry = Entry {
        number: 0,
        at: desk.postman.now(),
        site,
        method: request.method().clone(),
        path: request
            .uri()
            .path_and_query()
            .map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned()),
        status: None,
        who: desk.who(request.headers()),
        fault: None,
        request: None,
        response: None,
    };
    if desk.faults.meets_calls() || desk.keeps_bodies() || desk.onlooker.wants_calls() {
        return desk.look_at(site, request, entry).await;
    }
    let response = desk.pass(site, request).await;
    let status = Some(response.status().as_u16());
    desk.write_down(Entry { status, ..entry });
    response
}
