//! Every write goes through here: it sets time and version, stores, notes the commit, and owes the webhook.
//!
//! It decides nothing: what may be written is decided before.

use std::sync::Arc;

use jiff::Timestamp;

use super::check::Terms;
use super::error::Problem;
use super::guid::Guid;
pub(super) use super::model::MICROSOFT;
use super::model::is_microsofts;
use super::model::{ETag, Referral};
use super::store::Place;
use super::value::{Stamp, Status, Substatus};
use super::{Settings, State, field, lifecycle, webhook};
use crate::ground::Ground;
use crate::happening::{Commit, CommitKind, Happening};
use crate::site::Site;

/// The table name in commits and rows.
pub(super) const TABLE: &str = "referral";

/// One writer at one moment, with the state locked.
pub(super) struct Writer<'a> {
    pub(super) state: &'a mut State,
    pub(super) ground: &'a Ground,
    pub(super) settings: &'a Settings,
    /// Who writes: a user's name, `microsoft`, or `system`.
    pub(super) actor: &'a str,
    pub(super) now: Timestamp,
}

impl<'a> Writer<'a> {
    /// Under which terms the referral at a place is updated.
    pub(super) fn terms(&self, place: Place) -> Terms<'a> {
        let glimpse = self.state.store.glimpse(place);
        Terms {
            invited: glimpse.is_some_and(|glimpse| self.microsofts_of(glimpse.engagement).is_some()),
            now: self.now,
            settings: self.settings,
        }
    }

    /// A new GUID.
    pub(super) fn guid(&mut self) -> Guid {
        let text = self.state.ids.guid();
        // The stream draws well-formed GUIDs only.
        Guid::parse(&text).unwrap_or_else(|| unreachable!("a drawn guid parses: {text}"))
    }

    /// Stores a new referral.
    pub(super) fn insert(&mut self, mut referral: Referral) -> Place {
        referral.links.base = Arc::clone(self.state.store.base());
        (referral.created_date_time, referral.updated_date_time) = (Stamp(self.now), Stamp(self.now));
        referral.e_tag = self.next_etag();
        let changes = field::contents(&referral);
        let (id, microsofts) = (referral.id, is_microsofts(&referral));
        let place = self.state.store.insert(&referral);
        self.note(id, microsofts, CommitKind::Created, changes);
        place
    }

    /// Stores another version of a referral, or nothing when the edit is refused. A write that changes nothing is a
    /// write all the same: it gives a new eTag, and an event.
    ///
    /// Assumed: the service does not compare before it writes.
    pub(super) fn update(
        &mut self,
        place: Place,
        edit: impl FnOnce(&mut Referral) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.update_from(place, |_, after| edit(after))
    }

    /// The same for an edit that looks at what was there before.
    pub(super) fn update_from(
        &mut self,
        place: Place,
        edit: impl FnOnce(&Referral, &mut Referral) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let before = self.state.store.at(place).ok_or(Problem::NotFound)?;
        let mut after = before.clone();
        edit(&before, &mut after)?;
        let changes = field::changes(&before, &after);
        after.updated_date_time = Stamp(self.now);
        after.e_tag = self.next_etag();
        let (id, microsofts) = (after.id, is_microsofts(&after));
        self.state.store.replace(place, &before, &after);
        self.note(id, microsofts, CommitKind::Updated, changes);
        Ok(())
    }

    fn next_etag(&mut self) -> ETag {
        self.state.versions = self.state.versions.wrapping_add(1);
        ETag::new(self.state.versions, self.now)
    }

    fn note(&mut self, id: Guid, microsofts: bool, kind: CommitKind, changes: Vec<crate::happening::Change>) {
        self.ground.happenings.push(Happening::Committed(Commit {
            site: Site::PartnerCenter,
            table: TABLE.to_owned(),
            id: id.to_string(),
            kind,
            actor: self.actor.to_owned(),
            at: self.now,
            changes,
        }));
        let event = webhook::event_of(kind, microsofts);
        let hook = webhook::hook_due(
            self.state.registration.as_ref(),
            self.ground,
            self.settings,
            event,
            id,
            self.now,
        );
        if let Some(hook) = hook {
            self.ground.happenings.push(Happening::HookDue(hook));
        }
    }

    /// Closes what nobody answered in time.
    pub(super) fn expire_due(&mut self) {
        while let Some((_, place)) = self.state.store.next_expiry().filter(|(due, _)| *due <= self.now) {
            // An expiry is never refused, and takes the referral out of the index; the loop ends in any case.
            if self.expire(place).is_err() {
                break;
            }
        }
    }

    /// Closes what nobody answered. It is nobody's act: `system` is who does it.
    pub(super) fn expire(&mut self, place: Place) -> Result<(), Problem> {
        let now = self.now;
        self.actor = "system";
        self.update(place, |referral| {
            lifecycle::enter(referral, Status::Closed, Substatus::Expired, now);
            Ok(())
        })
    }

    /// The partner's own referral of an engagement.
    pub(super) fn own_of(&self, engagement: Guid) -> Option<Place> {
        let store = &self.state.store;
        store
            .of_engagement(engagement)
            .find(|place| store.facet(*place).is_some_and(|facet| !facet.microsofts))
    }

    /// Microsoft's referral of an engagement.
    pub(super) fn microsofts_of(&self, engagement: Guid) -> Option<Place> {
        let store = &self.state.store;
        store
            .of_engagement(engagement)
            .find(|place| store.facet(*place).is_some_and(|facet| facet.microsofts))
    }
}
