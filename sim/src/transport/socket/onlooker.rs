//! Tells the watch about calls to the served systems, as a trace shows them.
//!
//! It decides nothing, and does nothing when nobody wants to know about calls.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::desk::Entry;
use super::{Seen, ServeSettings, Watch};
use crate::fault::Fate;
use crate::ground::Ground;
use crate::network::wire::{WireRequest, WireResponse};
use crate::site::Bases;

/// Stands beside the desk.
pub(super) struct Onlooker {
    /// None when nobody wants to know.
    watch: Option<Watch>,
    bases: Bases,
    calls: AtomicU64,
}

/// A call that was told.
pub(super) struct Call {
    number: u64,
    path: String,
}

impl Onlooker {
    pub(super) fn new(settings: &ServeSettings, ground: &Ground) -> Self {
        Self {
            watch: settings.watch_calls.then(|| settings.watch.clone()),
            bases: ground.bases.clone(),
            calls: AtomicU64::new(0),
        }
    }

    pub(super) fn wants_calls(&self) -> bool {
        self.watch.is_some()
    }

    /// Tells about a call that has arrived.
    pub(super) fn called(&self, entry: &Entry, parts: &http::request::Parts, body: &Bytes) -> Call {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(watch) = &self.watch {
            let url = format!("{}{}", self.bases.of(entry.site), entry.path);
            let mut request = http::Request::new(body.clone());
            *request.method_mut() = parts.method.clone();
            // A URL that was received can be read; should it not with the host before it, the path has to do.
            *request.uri_mut() = url.parse().unwrap_or_else(|_| parts.uri.clone());
            request.headers_mut().clone_from(&parts.headers);
            watch(&Seen::Called {
                call: number,
                site: entry.site,
                who: entry.who.as_deref(),
                request: &WireRequest::of(&request),
            });
        }
        let path = parts.uri.path().to_owned();
        Call { number, path }
    }

    /// Tells about the fate that a rule gave a call.
    pub(super) fn faulted(&self, call: &Call, fate: &Fate, rule: Option<&str>) {
        if let (Some(watch), Some(rule)) = (&self.watch, rule) {
            watch(&Seen::CallFaulted {
                call: call.number,
                fate: &fate.words(),
                rule,
            });
        }
    }

    /// Whether there is a response under a fate, and whether it is the system's own.
    pub(super) fn journey(fate: &Fate) -> (bool, bool) {
        match fate {
            Fate::LoseRequest => (false, false),
            Fate::Answer(_) => (true, false),
            Fate::Pass
            | Fate::Delay(_)
            | Fate::LoseReply
            | Fate::Duplicate(_)
            | Fate::Without(_)
            | Fate::CutReply
            | Fate::GarbleRow => (true, true),
        }
    }

    /// Tells how a call ended.
    pub(super) fn answered(
        &self,
        call: &Call,
        answer: Option<(&http::response::Parts, &Bytes)>,
        by_system: bool,
        returns: bool,
    ) {
        let Some(watch) = &self.watch else { return };
        let response = answer.map(|(head, body)| {
            let mut response = http::Response::new(body.clone());
            *response.status_mut() = head.status;
            response.headers_mut().clone_from(&head.headers);
            WireResponse::of(&response, &call.path)
        });
        watch(&Seen::Answered {
            call: call.number,
            response: response.as_ref(),
            by_system,
            returns,
        });
    }
}
