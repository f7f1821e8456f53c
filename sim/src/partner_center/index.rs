//! Where the list finds referrals without looking at each: by state and kind, by country, by e-mail of the team.
//!
//! Each posting is kept in both orders of `$orderby`, so that a page costs what the page costs. It knows no filter:
//! [`super::filter`] says which postings may hold an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Bound;

use jiff::Timestamp;

use super::model::{Referral, is_microsofts};
use super::value::{Direction, Qualification, ReferralType, Status, Substatus};

/// The place of a referral in the order of creation. Referrals are never deleted, so places never move.
pub(super) type Place = u32;

/// Where a row stands in an order: its time of change, or one moment for all when the order is that of creation.
pub(super) type Position = (Timestamp, Place);

/// Rows in some order.
pub(super) type Walk<'a> = Box<dyn Iterator<Item = Position> + 'a>;

/// The words of a referral that the documented filters ask for. A referral has exactly one facet, and there are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Facet {
    pub(super) microsofts: bool,
    pub(super) status: Status,
    pub(super) substatus: Substatus,
    pub(super) direction: Direction,
    pub(super) kind: ReferralType,
    pub(super) qualification: Qualification,
}

impl Facet {
    pub(super) fn of(referral: &Referral) -> Self {
        Self {
            microsofts: is_microsofts(referral),
            status: referral.status,
            substatus: referral.substatus,
            direction: referral.direction,
            kind: referral.kind,
            qualification: referral.qualification,
        }
    }
}

/// What part of an order is wanted, and which way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) by_updated: bool,
    pub(super) descending: bool,
    /// The edges, lower one first. Of an order of creation only the places count.
    pub(super) edges: (Bound<Position>, Bound<Position>),
}

/// When each row was changed last, by its place.
type Times = [Timestamp];

/// How many outdated entries are let lie in the smallest postings; large ones let a quarter of their size lie.
const LEAST_OUTDATED: usize = 1_000;

/// The rows that have one thing in common.
#[derive(Debug, Default)]
pub(super) struct Postings {
    created: BTreeSet<Place>,
    /// Of a row that has changed, earlier entries may still be here. To take each out at once would cost a write to a large
    /// world more than all the rest of it, because nothing else needs that part of the memory.
    updated: BTreeSet<Position>,
    /// How many those are, at most.
    outdated: usize,
}

impl Postings {
    pub(super) fn len(&self) -> usize {
        self.created.len()
    }

    /// A row that stays has changed.
    fn touch(&mut self, is: Position, times: &Times) {
        // When nothing is added, the row changed twice at one moment.
        self.outdated += usize::from(self.updated.insert(is));
        if self.outdated > LEAST_OUTDATED.max(self.len() / 4) {
            self.updated.retain(|position| is_current(*position, times));
            self.outdated = 0;
        }
    }

    fn insert(&mut self, (updated, place): Position) {
        self.created.insert(place);
        self.updated.insert((updated, place));
    }

    fn remove(&mut self, (updated, place): Position) {
        self.created.remove(&place);
        self.updated.remove(&(updated, place));
    }

    /// The rows of a span, in its order.
    fn walk<'a>(&'a self, span: Span, times: &'a Times) -> Walk<'a> {
        let (low, high) = span.edges;
        if is_empty(&low, &high) {
            return Box::new(std::iter::empty());
        }
        if span.by_updated {
            let range = self.updated.range((low, high)).copied();
            let range = range.filter(|position| is_current(*position, times));
            return if span.descending {
                Box::new(range.rev())
            } else {
                Box::new(range)
            };
        }
        let place = |edge: Bound<Position>| edge.map(|(_, place)| place);
        let range = self.created.range((place(low), place(high)));
        let positioned = |place: &Place| (Timestamp::UNIX_EPOCH, *place);
        if span.descending {
            Box::new(range.rev().map(positioned))
        } else {
            Box::new(range.map(positioned))
        }
    }
}

/// Whether an entry is of the last change of its row.
fn is_current((updated, place): Position, times: &Times) -> bool {
    usize::try_from(place).is_ok_and(|row| times.get(row) == Some(&updated))
}

/// A range of a `BTreeSet` must not end before it begins.
fn is_empty(low: &Bound<Position>, high: &Bound<Position>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high))
        | (Bound::Excluded(low), Bound::Included(high)) => low >= high,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

/// All postings.
#[derive(Debug, Default)]
pub(super) struct Index {
    facets: BTreeMap<Facet, Postings>,
    countries: BTreeMap<Box<str>, Postings>,
    emails: BTreeMap<Box<str>, Postings>,
    times: Vec<Timestamp>,
}

impl Index {
    /// The rows of several postings within a span, in its order.
    pub(super) fn walk<'a>(&'a self, postings: &[&'a Postings], span: Span) -> Walk<'a> {
        let walks = postings.iter().map(|one| one.walk(span, &self.times));
        merged(walks.collect(), span.descending)
    }

    pub(super) fn facets(&self) -> impl Iterator<Item = (Facet, &Postings)> {
        self.facets.iter().map(|(facet, postings)| (*facet, postings))
    }

    pub(super) fn country(&self, code: &str) -> Option<&Postings> {
        self.countries.get(code)
    }

    pub(super) fn email(&self, address: &str) -> Option<&Postings> {
        self.emails.get(address)
    }

    /// Takes note of a new referral. Its place is the next one.
    pub(super) fn insert(&mut self, referral: &Referral, place: Place) {
        let position = (referral.updated_date_time.0, place);
        self.times.push(position.0);
        self.facets.entry(Facet::of(referral)).or_default().insert(position);
        if let Some(country) = country_of(referral) {
            self.countries.entry(country.into()).or_default().insert(position);
        }
        for email in emails_of(referral) {
            self.emails.entry(email.into()).or_default().insert(position);
        }
    }

    /// Takes note of another version.
    pub(super) fn replace(&mut self, before: &Referral, after: &Referral, place: Place) {
        let (was, is) = ((before.updated_date_time.0, place), (after.updated_date_time.0, place));
        let row = usize::try_from(place).ok();
        if let Some(time) = row.and_then(|row| self.times.get_mut(row)) {
            *time = is.0;
        }
        let touch = |postings: Option<&mut Postings>| postings.into_iter().for_each(|one| one.touch(is, &self.times));
        let (one, other) = (Facet::of(before), Facet::of(after));
        if one == other {
            touch(self.facets.get_mut(&one));
        } else {
            remove(&mut self.facets, &one, was);
            self.facets.entry(other).or_default().insert(is);
        }
        let (one, other) = (country_of(before), country_of(after));
        match (one, other) {
            (Some(one), Some(other)) if one == other => touch(self.countries.get_mut(one)),
            (one, other) => {
                if let Some(one) = one {
                    remove(&mut self.countries, one, was);
                }
                if let Some(other) = other {
                    self.countries.entry(other.into()).or_default().insert(is);
                }
            }
        }
        for email in emails_of(before) {
            if emails_of(after).any(|other| other == email) {
                touch(self.emails.get_mut(email));
            } else {
                remove(&mut self.emails, email, was);
            }
        }
        for email in emails_of(after) {
            if !emails_of(before).any(|other| other == email) {
                self.emails.entry(email.into()).or_default().insert(is);
            }
        }
    }
}

/// Takes a row out, and its posting when it was the last.
fn remove<K: Ord + std::borrow::Borrow<Q>, Q: Ord + ?Sized>(map: &mut BTreeMap<K, Postings>, key: &Q, was: Position) {
    if let Some(postings) = map.get_mut(key) {
        postings.remove(was);
        if postings.created.is_empty() {
            map.remove(key);
        }
    }
}

fn country_of(referral: &Referral) -> Option<&str> {
    referral.customer_profile.address.country.as_deref()
}

fn emails_of(referral: &Referral) -> impl Iterator<Item = &str> {
    referral.team.iter().filter_map(|one| one.email.as_deref())
}

/// Several walks as one, in the same order.
fn merged<'a>(walks: Vec<Walk<'a>>, descending: bool) -> Walk<'a> {
    let mut walks: Vec<Peekable<Walk<'a>>> = walks.into_iter().map(Iterator::peekable).collect();
    if walks.len() == 1 {
        return Box::new(walks.swap_remove(0));
    }
    Box::new(std::iter::from_fn(move || {
        let mut best: Option<(usize, Position)> = None;
        for (number, walk) in walks.iter_mut().enumerate() {
            if let Some(next) = walk.peek() {
                let is_before = |chosen: &Position| if descending { next > chosen } else { next < chosen };
                if best.as_ref().is_none_or(|(_, chosen)| is_before(chosen)) {
                    best = Some((number, *next));
                }
            }
        }
        let (number, position) = best?;
        walks.get_mut(number)?.next();
        Some(position)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::create::blank;
    use super::super::value::Stamp;
    use super::*;
    use crate::partner_center::guid::Guid;

    #[test]
    fn a_row_that_is_written_over_and_over_stands_once_and_at_its_last_change() {
        let moment = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let referral = |seconds: i64| {
            let mut referral = blank(Guid(1), Guid(2), moment(seconds));
            referral.customer_profile.address.country = Some("US".to_owned());
            referral.updated_date_time = Stamp(moment(seconds));
            referral
        };
        let mut index = Index::default();
        index.insert(&referral(0), 0);
        index.insert(&referral(1), 1);
        let everything = Span {
            by_updated: true,
            descending: true,
            edges: (Bound::Unbounded, Bound::Unbounded),
        };
        for second in 2..5_000 {
            index.replace(&referral(second - 1), &referral(second), 1);
            // Twice at one moment is one entry.
            index.replace(&referral(second), &referral(second), 1);
            let postings = index.country("US").unwrap();
            let found: Vec<Position> = index.walk(&[postings], everything).collect();
            assert_eq!(found, [(moment(second), 1), (moment(0), 0)]);
            assert!(
                postings.updated.len() <= LEAST_OUTDATED + 3,
                "{}",
                postings.updated.len()
            );
        }
    }
}
