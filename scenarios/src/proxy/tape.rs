//! The trace of a recording, written line by line as exchanges come and go: whoever ends the proxy loses nothing that was over.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cosell_sim::clock::Clock;
use cosell_sim::network::wire::{WireRequest, WireResponse};
use cosell_sim::site::Site;
use cosell_sim::world::observation::{Leg, Observed};

use super::redact::Redactor;
use super::rows::Rows;
use crate::plan::Plan;
use crate::scenario::Crm;
use crate::scenario::file;
use crate::scenario::parts::Library;
use crate::simulate;
use crate::trace::{Entry, Header, What};

/// The name under which a recording's scenario stands in its trace.
const SCENARIO: &str = "recording.yaml";

/// Where exchanges are written.
#[derive(Debug)]
pub(super) struct Tape(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    file: BufWriter<File>,
    clock: Clock,
    redactor: Redactor,
    rows: Rows,
    exchanges: u64,
    /// The first error of writing, until somebody asks.
    broken: Option<io::Error>,
}

/// A request that went out, to be answered.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) exchange: u64,
    pub(super) site: Site,
    request: Arc<WireRequest>,
    path: String,
}

impl Tape {
    /// Begins a trace. A file that is there already stays as it is, unless it may be replaced.
    pub(super) fn begin(path: &Path, crm: Crm, replace: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(!replace)
            .create(replace)
            .truncate(replace);
        let mut file = BufWriter::new(options.open(path)?);
        let clock = Clock::wall();
        let now = clock.now();
        let title = format!("Recorded on {}", now.strftime("%Y-%m-%d at %H:%M UTC"));
        let header = header(&title, crm)?;
        serde_json::to_writer(&mut file, &header)?;
        file.write_all(b"\n")?;
        file.flush()?;
        Ok(Self(Mutex::new(Inner {
            file,
            clock,
            redactor: Redactor::new(),
            rows: Rows::default(),
            exchanges: 0,
            broken: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request leaves for its system. Its URL is the system's.
    pub(super) fn sent(&self, site: Site, request: &http::Request<Bytes>) -> Sent {
        let mut inner = self.lock();
        inner.redactor.learn_header(request.headers());
        let mut shown = http::Request::new(inner.redactor.body(request.body()));
        *shown.method_mut() = request.method().clone();
        *shown.headers_mut() = inner.redactor.headers(request.headers());
        *shown.uri_mut() = request.uri().clone();
        let mut shown = WireRequest::of(&shown);
        shown.url = inner.redactor.text(&shown.url);
        let request = Arc::new(shown);
        inner.exchanges += 1;
        let exchange = inner.exchanges;
        inner.write(Observed::Sent {
            exchange,
            caller: exchange,
            site,
            request: Arc::clone(&request),
        });
        let path = request.url.split('?').next().unwrap_or_default();
        let path = path.splitn(4, '/').nth(3).unwrap_or_default();
        Sent {
            exchange,
            site,
            path: format!("/{path}"),
            request,
        }
    }

    /// The system answered, and the answer goes to the client. The body is as the system sent it, without compression.
    pub(super) fn answered(&self, sent: &Sent, response: &http::Response<Bytes>) {
        let mut inner = self.lock();
        inner.redactor.learn_reply(response.body());
        let mut shown = http::Response::new(inner.redactor.body(response.body()));
        *shown.status_mut() = response.status();
        *shown.headers_mut() = inner.redactor.headers(response.headers());
        let response = Arc::new(WireResponse::of(&shown, &sent.path));
        let exchange = sent.exchange;
        inner.write(Observed::Handled {
            exchange,
            response: Arc::clone(&response),
        });
        let now = inner.clock.now();
        for commit in inner.rows.learn(sent.site, &sent.request, &response, now) {
            inner.write(Observed::Committed {
                exchange: Some(exchange),
                commit: Box::new(commit),
            });
        }
        inner.write(Observed::Replied {
            exchange,
            caller: exchange,
            response,
        });
        inner.flush();
    }

    /// The request or its reply got lost.
    pub(super) fn lost(&self, sent: &Sent, leg: Leg) {
        let mut inner = self.lock();
        let exchange = sent.exchange;
        inner.write(Observed::Lost { exchange, leg });
        inner.flush();
    }

    /// How many requests there were, and what went wrong with writing them down.
    pub(super) fn end(&self) -> (u64, Option<io::Error>) {
        let mut inner = self.lock();
        inner.flush();
        if let Err(error) = inner.file.get_ref().sync_all() {
            inner.broken.get_or_insert(error);
        }
        (inner.exchanges, inner.broken.take())
    }
}

/// The header of a recording: a scenario of one step, so that whoever reads traces can read it.
fn header(title: &str, crm: Crm) -> io::Result<Header> {
    let text = format!("title: {title}\ncrm: {}\nsteps:\n  - settle\n", crm.name());
    let found = file::read(SCENARIO, &text, &Alone);
    let Some(scenario) = found.scenarios.into_iter().next() else {
        return Err(io::Error::other("the scenario of the recording cannot be read"));
    };
    let mut header = simulate::header(&Plan::of(&scenario, crm, None));
    header.external = true;
    header.recorded = true;
    header.sources.insert(SCENARIO.to_owned(), text);
    Ok(header)
}

/// A scenario that includes nothing.
struct Alone;

impl Library for Alone {
    fn text(&self, path: &str) -> Result<String, String> {
        Err(format!("a recording includes no {path}"))
    }
}

impl Inner {
    fn write(&mut self, what: Observed) {
        let entry = Entry {
            at: self.clock.now(),
            what: What::Observed(what),
        };
        let written = serde_json::to_writer(&mut self.file, &entry).map_err(io::Error::from);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        self.note(written);
    }

    fn flush(&mut self) {
        let flushed = self.file.flush();
        self.note(flushed);
    }

    fn note(&mut self, done: io::Result<()>) {
        if let Err(error) = done {
            self.broken.get_or_insert(error);
        }
    }
}
