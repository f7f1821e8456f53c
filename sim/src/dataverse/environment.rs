//! One environment's state: rows, version counter, identifiers, and who is who.
//!
//! It answers no requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::ground::Ground;
use crate::happening::{self, Happening};
use crate::identity::User;
use crate::memo::Memo;
use crate::seed::{Seed, Stream};
use crate::site::Site;

use super::access::{Right, Roles, permit};
use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::headers::InNameOf;
use super::lapse::Lapse;
use super::model::{Model, Table};
use super::protection::Meter;
use super::store::Store;

/// The first version number that a row gets. Versions count for the whole environment.
const FIRST_VERSION: i64 = 1_000_001;

/// How many callers are remembered with their roles.
const CALLERS: usize = 16;

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
    pub(super) people: Vec<Arc<User>>,
    /// Whether the rows are there that few requests look at.
    pub(super) is_set_up: bool,
    /// Users who have held a role.
    pub(super) members: BTreeSet<Guid>,
    /// What strict mode has to say of the request under way, whether it is carried out or not.
    pub(super) lapses: Vec<Lapse>,
    /// Answers to lists, while no row changes.
    pub(super) memo: Memo,
    /// Answers to those who follow changes, but for the moment, while no row changes.
    pub(super) followed: Memo,
    /// Who called lately, as their roles were at a revision of the rows.
    callers: Vec<(u64, Arc<User>, Arc<Caller>)>,
    /// What the request under way did; told to nobody until it is over.
    notes: Vec<Happening>,
}

/// A moment inside a request, to which everything can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    changes: usize,
    notes: usize,
    version: i64,
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
    /// The name of the user behind the token.
    pub(super) name: String,
    /// The `systemuserid` in whose name rows are written.
    pub(super) id: Guid,
    /// The user behind the token, when they stand in for another.
    pub(super) on_behalf: Option<Guid>,
    /// What they may do, each of them.
    pub(super) roles: Vec<Roles>,
    /// Whether it is a person at a screen, whom service protection does not count.
    pub(super) at_screen: bool,
}

impl Caller {
    /// The caller behind a token.
    ///
    /// Assumed: somebody who never held a role is not in the organisation; who lost theirs still is, and may do nothing.
    pub(super) fn of(state: &State, seed: Seed, user: &User, at_screen: bool) -> Result<Self, Fault> {
        let id = user_id(seed, &user.name);
        let roles = Roles::of(&state.store, id);
        if roles.is_empty() && !state.members.contains(&id) {
            return Err(Fault::NotAMember);
        }
        Ok(Self {
            name: user.name.clone(),
            id,
            on_behalf: None,
            roles: vec![roles],
            at_screen,
        })
    }

    /// The caller in the name of another user (dataverse.md section 2.1): what both may do counts.
    ///
    /// Assumed: only a system administrator may stand in; the code of the refusal; an unknown user is not found.
    pub(super) fn in_the_name_of(&self, state: &State, other: InNameOf) -> Result<Self, Fault> {
        if !self.roles.iter().all(|roles| roles.administrate()) {
            return Err(Fault::MayNotStandIn(self.id));
        }
        let model = state.store.model();
        let table = model.expect("systemuser");
        let found = match other {
            InNameOf::User(id) => state.store.row(table, id).map(|row| row.id),
            InNameOf::Object(object) => {
                let value = [(table.expect("azureactivedirectoryobjectid"), Cell::Guid(object))];
                state.store.holding(table, &value).first().copied()
            }
        };
        let (InNameOf::User(asked) | InNameOf::Object(asked)) = other;
        let id = found.ok_or_else(|| Fault::no_such_row(&table.logical, asked))?;
        let mut caller = self.clone();
        caller.on_behalf = Some(self.id);
        caller.id = id;
        caller.roles.push(Roles::of(&state.store, id));
        Ok(caller)
    }

    /// Whether they may do that with rows of a table.
    pub(super) fn may(&self, right: Right, table: &Table) -> Result<(), Fault> {
        permit(&self.roles, self.id, right, table)
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
            is_set_up: false,
            members: BTreeSet::new(),
            lapses: Vec::new(),
            memo: Memo::new(ground.keeps_answers),
            followed: Memo::new(ground.keeps_answers),
            callers: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Forgets what was read of other rows: revisions begin anew with a store, and may come to those of what was kept.
    pub(super) fn forget_answers(&mut self) {
        self.memo.forget();
        self.followed.forget();
        self.callers.clear();
    }

    /// The caller behind a token: found out once for each revision of the rows.
    pub(super) fn caller(&mut self, seed: Seed, user: &Arc<User>, at_screen: bool) -> Result<Arc<Caller>, Fault> {
        let revision = self.store.revision();
        let known = self
            .callers
            .iter()
            .find(|(at, known, caller)| *at == revision && caller.at_screen == at_screen && Arc::ptr_eq(known, user));
        if let Some((_, _, caller)) = known {
            return Ok(Arc::clone(caller));
        }
        let caller = Arc::new(Caller::of(self, seed, user, at_screen)?);
        self.callers.retain(|(at, ..)| *at == revision);
        if self.callers.len() == CALLERS {
            self.callers.remove(0);
        }
        self.callers.push((revision, Arc::clone(user), Arc::clone(&caller)));
        Ok(caller)
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
            version: self.next_version,
        }
    }

    /// Takes back every row and every note since a mark. Identifiers and version numbers that were given out stay so.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        self.store.roll_back(mark.changes, mark.version);
        self.notes.truncate(mark.notes);
    }

    /// Ends a request: what it did stays, and is told; what it owes is written down.
    ///
    /// `request` is its line, for strict mode; none outside of it.
    pub(super) fn settle(&mut self, ground: &Ground, request: Option<&str>) {
        self.store.settle();
        for lapse in self.lapses.drain(..) {
            if let Some(request) = request {
                ground.happenings.push(Happening::Lapsed(happening::Lapse {
                    site: Site::Dataverse,
                    request: request.to_owned(),
                    what: lapse.to_string(),
                }));
            }
        }
        for mut note in self.notes.drain(..) {
            if let Happening::HookDue(hook) = &mut note {
                hook.number = Some(ground.deliveries.owe(&hook.event, &hook.url, &hook.body, hook.at));
            }
            ground.happenings.push(note);
        }
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
