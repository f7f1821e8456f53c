//! One environment's state: rows, version counter, identifiers, and who is who.
//!
//! It answers no requests.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::ground::Ground;
use crate::happening::{Happening, Happenings};
use crate::identity::{Role, User};
use crate::seed::{Seed, Stream};

use super::guid::Guid;
use super::model::Model;
use super::protection::Meter;
use super::store::Store;

/// The first version number that a row gets. Versions count for the whole environment.
const FIRST_VERSION: i64 = 1_000_001;

/// Everything that changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    /// The version number that the next write gives out.
    pub(super) next_version: i64,
    /// Identifiers of new rows.
    pub(super) ids: Stream,
    /// Identifiers of requests: apart, so that reading does not shift the rows' identifiers.
    pub(super) requests: Stream,
    /// What users asked for lately.
    pub(super) meter: Meter,
    /// The currency in which the environment counts.
    pub(super) base_currency: Guid,
    /// The identifiers that never change.
    pub(super) organisation: Organisation,
    /// The people who are in the rows, as the token authority last told.
    pub(super) people: Vec<User>,
    /// What the request under way did; told to nobody until it is over.
    notes: Vec<Happening>,
}

/// A moment inside a request, to which everything can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    changes: usize,
    notes: usize,
}

/// What the environment belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Organisation {
    /// The organisation itself.
    pub(super) id: Guid,
    /// Its root business unit.
    pub(super) business_unit: Guid,
    /// The Entra ID tenant in which its users sign in.
    pub(super) tenant: Guid,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The user's name.
    pub(super) name: String,
    /// Their `systemuserid`.
    pub(super) id: Guid,
    /// Whether it is a person at a screen, whom service protection does not count.
    pub(super) at_screen: bool,
}

impl Caller {
    /// The caller behind a token. `None` when they are not in the organisation.
    pub(super) fn of(seed: Seed, user: &User, at_screen: bool) -> Option<Self> {
        let crm = [Role::SystemAdministrator, Role::SystemCustomizer, Role::Salesperson];
        crm.iter().any(|role| user.roles.contains(role)).then(|| Self {
            name: user.name.clone(),
            id: user_id(seed, &user.name),
            at_screen,
        })
    }
}

/// The `systemuserid` of a user: the same in every run with one seed.
pub(super) fn user_id(seed: Seed, name: &str) -> Guid {
    Guid::draw(&mut seed.stream(&format!("dataverse user {name}")))
}

impl State {
    /// An environment without any row.
    pub(super) fn new(model: Arc<Model>, ground: &Ground) -> Self {
        let mut fixed = ground.seed.stream("dataverse organisation");
        Self {
            store: Store::new(model),
            next_version: FIRST_VERSION,
            ids: ground.seed.stream("dataverse ids"),
            requests: ground.seed.stream("dataverse requests"),
            meter: Meter::default(),
            base_currency: Guid::FIRST,
            organisation: Organisation {
                id: Guid::draw(&mut fixed),
                business_unit: Guid::draw(&mut fixed),
                tenant: Guid::draw(&mut fixed),
            },
            people: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Notes what happened, to be told when the request is over.
    pub(super) fn note(&mut self, happening: Happening) {
        self.notes.push(happening);
    }

    /// Where the request under way stands.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            changes: self.store.changes(),
            notes: self.notes.len(),
        }
    }

    /// Takes back every row and every note since a mark. Identifiers and version numbers that were given out stay so.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        self.store.roll_back(mark.changes);
        self.notes.truncate(mark.notes);
    }

    /// Ends a request: what it did stays, and is told.
    pub(super) fn settle(&mut self, happenings: &Happenings) {
        self.store.settle();
        self.notes.drain(..).for_each(|note| happenings.push(note));
    }

    /// The next version number.
    pub(super) fn take_version(&mut self) -> i64 {
        let version = self.next_version;
        self.next_version += 1;
        version
    }
}

/// Times are stored in whole seconds (assumed: the facts print no fraction).
pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    let fraction = SignedDuration::from_nanos(i64::from(time.subsec_nanosecond()));
    let whole = time.checked_sub(fraction).unwrap_or(time);
    if fraction.is_negative() {
        return whole.checked_sub(SignedDuration::from_secs(1)).unwrap_or(whole);
    }
    whole
}
