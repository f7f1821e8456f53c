//! The stored referrals and their indexes: by id, by engagement, by expiry, and those of the list ([`super::index`]).
//!
//! It knows no rule of the API and notes no commit: that is [`super::writer`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::guid::Guid;
pub(super) use super::index::Place;
use super::index::{Facet, Index};
use super::model::{ETag, Referral};
use super::packed::{self, Glimpse};
use super::value::Status;

/// How many printed texts are kept, about 600 MB of them: a world of 100,000 referrals answers as fast as a small one, and one of
/// a million does not take twice the memory.
const TEXTS: usize = 200_000;

/// One stored referral in bytes, what is asked most often beside it, and its text while nothing has changed it.
#[derive(Debug)]
struct Stored {
    packed: Box<[u8]>,
    e_tag: ETag,
    facet: Facet,
    printed: Option<Bytes>,
}

/// All referrals of one world, Microsoft's included.
#[derive(Debug)]
pub(super) struct Store {
    rows: Vec<Stored>,
    by_id: BTreeMap<Guid, Place>,
    by_engagement: BTreeSet<(Guid, Place)>,
    index: Index,
    by_expiry: BTreeSet<(Timestamp, Place)>,
    base: Arc<str>,
    /// `{"@odata.context":"…"`: what an answer to get-by-id has in front of the referral.
    opening: String,
    /// Where referrals are written before their bytes or their text is kept.
    scratch: Vec<u8>,
    /// Whose texts are kept, oldest first. A text that was outdated meanwhile is in it twice, and goes early.
    texts: VecDeque<Place>,
    /// How often any referral, or the base URL, has changed.
    revision: u64,
}

impl Store {
    pub(super) fn new(base: &str) -> Self {
        Self {
            rows: Vec::new(),
            by_id: BTreeMap::new(),
            by_engagement: BTreeSet::new(),
            index: Index::default(),
            by_expiry: BTreeSet::new(),
            base: Arc::from(base),
            opening: opening(base),
            scratch: Vec::new(),
            texts: VecDeque::new(),
            revision: 0,
        }
    }

    /// How often anything has changed: what was read at the same revision is as it was.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The base URL that links are printed with.
    pub(super) fn base(&self) -> &Arc<str> {
        &self.base
    }

    /// Moves every link to another base URL, as a socket does once it knows its port.
    pub(super) fn move_to(&mut self, base: &str) {
        if *self.base == *base {
            return;
        }
        self.revision += 1;
        self.base = Arc::from(base);
        self.opening = opening(base);
        for stored in &mut self.rows {
            stored.printed = None;
        }
    }

    /// How many referrals there are.
    pub(super) fn len(&self) -> Place {
        // Fewer than 2^32: each takes more than a kilobyte.
        Place::try_from(self.rows.len()).unwrap_or(Place::MAX)
    }

    pub(super) fn find(&self, id: Guid) -> Option<Place> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn at(&self, place: Place) -> Option<Referral> {
        packed::unpack(&self.rows.get(row(place))?.packed, &self.base)
    }

    /// The version of a referral, which costs less than all of it.
    pub(super) fn e_tag(&self, place: Place) -> Option<ETag> {
        self.rows.get(row(place)).map(|stored| stored.e_tag)
    }

    /// The words of a referral, likewise.
    pub(super) fn facet(&self, place: Place) -> Option<Facet> {
        self.rows.get(row(place)).map(|stored| stored.facet)
    }

    /// What else filters ask, likewise.
    pub(super) fn glimpse(&self, place: Place) -> Option<Glimpse<'_>> {
        Glimpse::of(&self.rows.get(row(place))?.packed)
    }

    /// The referrals of one engagement, oldest first.
    pub(super) fn of_engagement(&self, engagement: Guid) -> impl Iterator<Item = Place> + '_ {
        let range = (engagement, Place::MIN)..=(engagement, Place::MAX);
        self.by_engagement.range(range).map(|(_, place)| *place)
    }

    /// The indexes of the list.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// When the next unanswered referral expires.
    pub(super) fn next_expiry(&self) -> Option<(Timestamp, Place)> {
        self.by_expiry.first().copied()
    }

    pub(super) fn insert(&mut self, referral: &Referral) -> Place {
        self.revision += 1;
        let place = self.len();
        self.by_id.insert(referral.id, place);
        self.by_engagement.insert((referral.engagement_id, place));
        self.index.insert(referral, place);
        self.by_expiry.extend(expiry(referral).map(|due| (due, place)));
        self.rows.push(Stored {
            packed: packed(&mut self.scratch, referral).into(),
            e_tag: referral.e_tag,
            facet: Facet::of(referral),
            printed: None,
        });
        place
    }

    /// Puts another version in place of the one that is there.
    pub(super) fn replace(&mut self, place: Place, before: &Referral, after: &Referral) {
        let Some(stored) = self.rows.get_mut(row(place)) else {
            return;
        };
        self.revision += 1;
        self.index.replace(before, after, place);
        let (was, is) = (expiry(before), expiry(after));
        if was != is {
            if let Some(due) = was {
                self.by_expiry.remove(&(due, place));
            }
            self.by_expiry.extend(is.map(|due| (due, place)));
        }
        let bytes = packed(&mut self.scratch, after);
        if stored.packed.len() == bytes.len() {
            stored.packed.copy_from_slice(bytes);
        } else {
            stored.packed = bytes.into();
        }
        stored.e_tag = after.e_tag;
        stored.facet = Facet::of(after);
        stored.printed = None;
    }

    /// The answer to get-by-id, context included. Printed once for each version.
    pub(super) fn entity(&mut self, place: Place) -> Bytes {
        let Some(stored) = self.rows.get_mut(row(place)) else {
            return Bytes::new();
        };
        if let Some(printed) = &stored.printed {
            return printed.clone();
        }
        let Some(referral) = packed::unpack(&stored.packed, &self.base) else {
            return Bytes::new();
        };
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.extend_from_slice(self.opening.as_bytes());
        let written = serde_json::to_writer(&mut text, &referral);
        debug_assert!(
            written.is_ok(),
            "writing to memory cannot fail, and every field has a JSON form"
        );
        if let Some(brace) = text.get_mut(self.opening.len()) {
            *brace = b',';
        }
        // A copy has no room to spare, which would cost kilobytes for each referral.
        let printed = Bytes::copy_from_slice(&text);
        self.scratch = text;
        stored.printed = Some(printed.clone());
        self.texts.push_back(place);
        if self.texts.len() > TEXTS
            && let Some(oldest) = self.texts.pop_front().and_then(|place| self.rows.get_mut(row(place)))
        {
            oldest.printed = None;
        }
        printed
    }

    /// The referral's members without the opening brace and without context: `"id":…}`.
    pub(super) fn members(&mut self, place: Place) -> Bytes {
        let entity = self.entity(place);
        entity.slice((self.opening.len() + 1).min(entity.len())..)
    }

    /// The referral alone, as a list and a write print it.
    pub(super) fn plain(&mut self, place: Place) -> Bytes {
        let members = self.members(place);
        let mut text = Vec::with_capacity(members.len() + 1);
        text.push(b'{');
        text.extend_from_slice(&members);
        Bytes::from(text)
    }
}

/// A referral in bytes, written where others were written before.
fn packed<'a>(scratch: &'a mut Vec<u8>, referral: &Referral) -> &'a [u8] {
    scratch.clear();
    packed::pack(referral, scratch);
    scratch
}

fn row(place: Place) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// When a referral expires unless it is answered.
fn expiry(referral: &Referral) -> Option<Timestamp> {
    referral.expiration_date_time.filter(|_| referral.status == Status::New)
}

fn opening(base: &str) -> String {
    format!("{{\"@odata.context\":\"{base}/v1.0/$metadata#Referrals/$entity\"")
}
