//! The list of referrals: options, order, pages (partner-center.md sections 1.2 and 1.5).
//!
//! A page costs what the page costs where an index serves the filter: engagement, states and kinds, country, e-mail of the
//! team, and the time of change as the order. Anything else looks further.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::access::Access;
use super::condition::{Condition, Field};
use super::error::Problem;
use super::index::{Place, Position, Postings, Span, Walk};
use super::store::Store;
use super::{CountMeaning, Settings, field, filter};
use crate::identity::form;

/// How many rows of a range of times are put into another order before looking at the order itself gets cheaper.
const MOST_SORTED: usize = 10_000;

/// What a list request asks, and how far its pages have come. Its text form is the `$skiptoken`, which therefore keeps
/// nothing on the server.
///
/// Assumed: a page starts behind the last row of the page before, not after a number of rows. A row that is updated
/// meanwhile moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    filter: Option<String>,
    order: Order,
    descending: bool,
    /// How many rows are still wanted.
    top: Option<usize>,
    /// How many rows of the answer are left out at its beginning. Only the connector's swagger names `$skip`.
    skip: usize,
    /// `$count`, which only the connector's swagger names. Assumed: true counts the rows of all pages, false leaves
    /// `@odata.count` out; without the option it is there, as in the samples.
    count: Option<bool>,
    /// Fields of `$select`. Assumed: those and no others are printed, in the order of the resource.
    select: Option<Vec<String>>,
    after: Option<Position>,
}

/// What rows are ordered by. Assumed: without `$orderby` by creation, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Order {
    #[default]
    Created,
    Updated,
}

impl Query {
    /// Reads the query part of a URL. Options that are not simulated are refused by name.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let mut query = Self::default();
        let mut token = None;
        for (name, value) in form::pairs(text) {
            match name.as_str() {
                "$filter" => query.filter = Some(value),
                "$orderby" => (query.order, query.descending) = order(&value)?,
                "$top" => query.top = Some(number("$top", &value)?),
                "$skip" => query.skip = number("$skip", &value)?,
                "$count" => query.count = Some(switch("$count", &value)?),
                "$select" => query.select = selection(&value)?,
                "$skiptoken" => token = Some(value),
                _ => return Err(Problem::NotSimulated(format!("query option `{name}`"))),
            }
        }
        let Some(token) = token else {
            return Ok(query);
        };
        if query != Self::default() {
            let missing = "query options beside `$skiptoken`";
            return Err(Problem::NotSimulated(missing.to_owned()));
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        read.ok_or_else(|| Problem::invalid("$skiptoken", "The skip token is not valid."))
    }

    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Where a row stands in the order.
    fn position(&self, store: &Store, place: Place) -> Position {
        let updated = match self.order {
            Order::Created => None,
            Order::Updated => store.glimpse(place).map(|glimpse| glimpse.updated),
        };
        (updated.unwrap_or(jiff::Timestamp::UNIX_EPOCH), place)
    }

    /// The part of the order that is left.
    fn span(&self) -> Span {
        let edge = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        Span {
            by_updated: self.order == Order::Updated,
            descending: self.descending,
            edges: if self.descending {
                (Bound::Unbounded, edge)
            } else {
                (edge, Bound::Unbounded)
            },
        }
    }

    /// Whether a row stands behind the page before.
    fn is_left(&self, position: Position) -> bool {
        match (self.after, self.descending) {
            (None, _) => true,
            (Some(after), false) => position > after,
            (Some(after), true) => position < after,
        }
    }

    /// Rows in no order as those that are left, in order.
    fn sorted(&self, store: &Store, places: impl Iterator<Item = Place>) -> Vec<Position> {
        let positions = places.map(|place| self.position(store, place));
        let mut left: Vec<Position> = positions.filter(|position| self.is_left(*position)).collect();
        left.sort_unstable();
        if self.descending {
            left.reverse();
        }
        left
    }
}

fn order(text: &str) -> Result<(Order, bool), Problem> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [field] | [field, "asc"] => Ok((order_field(field)?, false)),
        [field, "desc"] => Ok((order_field(field)?, true)),
        _ => Err(Problem::NotSimulated(format!("`$orderby={text}`"))),
    }
}

fn order_field(field: &str) -> Result<Order, Problem> {
    match field {
        "createdDateTime" => Ok(Order::Created),
        "updatedDateTime" => Ok(Order::Updated),
        _ => Err(Problem::NotSimulated(format!("`$orderby` field `{field}`"))),
    }
}

fn number(option: &str, text: &str) -> Result<usize, Problem> {
    let message = || format!("The value of {option} must be a number that is not negative.");
    text.parse().map_err(|_| Problem::invalid(option, message()))
}

fn switch(option: &str, text: &str) -> Result<bool, Problem> {
    let message = || format!("The value of {option} must be true or false.");
    text.parse().map_err(|_| Problem::invalid(option, message()))
}

/// The fields of `$select`, or `None` for all of them.
fn selection(text: &str) -> Result<Option<Vec<String>>, Problem> {
    let mut names = Vec::new();
    for name in text.split(',').map(str::trim) {
        if name == "*" {
            return Ok(None);
        }
        if !field::exists(name) {
            let message = format!("Could not find a property named '{name}' on type 'Referral'.");
            return Err(Problem::invalid("$select", message));
        }
        if name.contains('/') {
            return Err(Problem::NotSimulated(format!("`$select` path `{name}`")));
        }
        names.push(name.to_owned());
    }
    Ok(Some(names))
}

/// Which rows a query is about.
struct Search<'a> {
    query: &'a Query,
    access: &'a Access,
    condition: Option<&'a Condition>,
    related: bool,
}

impl Search<'_> {
    fn holds(&self, store: &Store, place: Place) -> bool {
        let Some(facet) = store.facet(place) else {
            return false;
        };
        let holds = |condition: &Condition| {
            let decided = condition.of_facet(facet);
            decided.unwrap_or_else(|| {
                store
                    .glimpse(place)
                    .is_some_and(|glimpse| condition.holds(facet, &glimpse))
            })
        };
        (self.related || !facet.microsofts)
            && self.condition.is_none_or(holds)
            && (self.access.is_whole() || store.at(place).is_some_and(|referral| self.access.sees(&referral)))
    }

    /// The postings that may hold an answer: the smallest choice of the indexes.
    fn postings<'a>(&self, store: &'a Store) -> Vec<&'a Postings> {
        let index = store.index();
        let may_hold = |condition: &Condition, facet| condition.of_facet(facet) != Some(false);
        let facets: Vec<&Postings> = index
            .facets()
            .filter(|(facet, _)| self.related || !facet.microsofts)
            .filter(|(facet, _)| self.condition.is_none_or(|condition| may_hold(condition, *facet)))
            .map(|(_, postings)| postings)
            .collect();
        let text_of = |field| self.condition.and_then(|condition| condition.text_of(field));
        let country = text_of(Field::Country).map(|code| index.country(code).into_iter().collect());
        let email = text_of(Field::TeamEmail).map(|address| index.email(address).into_iter().collect());
        let team = self
            .access
            .team_member()
            .map(|address| index.email(address).into_iter().collect());
        let choices = [Some(facets), country, email, team];
        let size = |choice: &Vec<&Postings>| choice.iter().map(|postings| postings.len()).sum::<usize>();
        choices.into_iter().flatten().min_by_key(size).unwrap_or_default()
    }

    /// The rows that may be on the page, in order, from where the last page ended.
    fn rows<'a>(&self, store: &'a Store) -> Walk<'a> {
        let query = self.query;
        if let Some(engagement) = self.condition.and_then(Condition::engagement) {
            return Box::new(query.sorted(store, store.of_engagement(engagement)).into_iter());
        }
        let postings = self.postings(store);
        let mut span = query.span();
        let (first, last) = self
            .condition
            .map_or((Bound::Unbounded, Bound::Unbounded), Condition::updated);
        if matches!((first, last), (Bound::Unbounded, Bound::Unbounded)) {
            return store.index().walk(&postings, span);
        }
        // Of all rows of one moment the first and the last place are the edges.
        let first = at_place(first, Place::MIN, Place::MAX);
        let last = at_place(last, Place::MAX, Place::MIN);
        if span.by_updated {
            span.edges = (higher(span.edges.0, first), lower(span.edges.1, last));
            return store.index().walk(&postings, span);
        }
        let range = Span {
            by_updated: true,
            descending: false,
            edges: (first, last),
        };
        let found: Vec<Place> = store
            .index()
            .walk(&postings, range)
            .map(|(_, place)| place)
            .take(MOST_SORTED + 1)
            .collect();
        if found.len() > MOST_SORTED {
            return store.index().walk(&postings, span);
        }
        Box::new(query.sorted(store, found.into_iter()).into_iter())
    }

    /// How many rows there are on all pages. It looks at each that an index does not settle.
    fn total(&self, store: &Store) -> usize {
        let whole = Query {
            after: None,
            ..self.query.clone()
        };
        let all = Search { query: &whole, ..*self };
        let settled = |condition: &Condition, facet| condition.of_facet(facet) == Some(true);
        let index = store.index();
        let wanted = || index.facets().filter(|(facet, _)| self.related || !facet.microsofts);
        let by_facets = wanted().all(|(facet, _)| {
            self.condition
                .is_none_or(|condition| condition.of_facet(facet).is_some())
        });
        if by_facets && self.access.is_whole() {
            return wanted()
                .filter(|(facet, _)| self.condition.is_none_or(|condition| settled(condition, *facet)))
                .map(|(_, postings)| postings.len())
                .sum();
        }
        all.rows(store).filter(|(_, place)| self.holds(store, *place)).count()
    }
}

/// An edge in time as an edge between rows.
fn at_place(edge: Bound<jiff::Timestamp>, included: Place, excluded: Place) -> Bound<Position> {
    match edge {
        Bound::Included(moment) => Bound::Included((moment, included)),
        Bound::Excluded(moment) => Bound::Excluded((moment, excluded)),
        Bound::Unbounded => Bound::Unbounded,
    }
}

fn higher(one: Bound<Position>, other: Bound<Position>) -> Bound<Position> {
    match (&one, &other) {
        (Bound::Unbounded, _) => other,
        (_, Bound::Unbounded) => one,
        (Bound::Included(left) | Bound::Excluded(left), Bound::Included(right) | Bound::Excluded(right)) => {
            if left >= right { one } else { other }
        }
    }
}

fn lower(one: Bound<Position>, other: Bound<Position>) -> Bound<Position> {
    match (&one, &other) {
        (Bound::Unbounded, _) => other,
        (_, Bound::Unbounded) => one,
        (Bound::Included(left) | Bound::Excluded(left), Bound::Included(right) | Bound::Excluded(right)) => {
            if left <= right { one } else { other }
        }
    }
}

/// One page of referrals as the API prints it.
pub(super) fn page(
    store: &mut Store,
    settings: &Settings,
    access: &Access,
    mut query: Query,
) -> Result<Vec<u8>, Problem> {
    let condition = match &query.filter {
        Some(text) => Some(Condition::of(&filter::parse(text)?, settings.undocumented_filters)?),
        None => None,
    };
    let engagement = condition.as_ref().and_then(Condition::engagement);
    let search = Search {
        query: &query,
        access,
        condition: condition.as_ref(),
        related: settings.list_shows_related || engagement.is_some(),
    };
    let size = query.top.unwrap_or(usize::MAX).min(settings.page_size.max(1));
    let mut rows: Vec<Place> = search
        .rows(store)
        .map(|(_, place)| place)
        .filter(|place| search.holds(store, *place))
        .skip(query.skip)
        // One more tells whether there is another page.
        .take(size.saturating_add(1))
        .collect();
    let more = rows.len() > size && query.top.is_none_or(|top| top > size);
    rows.truncate(size);
    let meaning = match query.count {
        None => Some(settings.count_meaning),
        Some(true) => Some(CountMeaning::Total),
        Some(false) => None,
    };
    let count = meaning.map(|meaning| match meaning {
        CountMeaning::Page => rows.len(),
        CountMeaning::Total => search.total(store),
    });
    let next = rows.last().filter(|_| more).map(|last| {
        query.after = Some(query.position(store, *last));
        query.top = query.top.map(|top| top - size);
        query.skip = 0;
        query.token()
    });
    Ok(print(store, &rows, &query, count, next))
}

/// Assumed: `@odata.context` on https; the samples print http.
fn print(store: &mut Store, rows: &[Place], query: &Query, count: Option<usize>, next: Option<String>) -> Vec<u8> {
    let base = std::sync::Arc::clone(store.base());
    let mut text = Vec::with_capacity(256 + 2600 * rows.len());
    let opening = format!("{{\"@odata.context\":\"{base}/v1.0/$metadata#Referrals\"");
    text.extend_from_slice(opening.as_bytes());
    if let Some(count) = count {
        text.extend_from_slice(format!(",\"@odata.count\":{count}").as_bytes());
    }
    text.extend_from_slice(b",\"value\":[");
    for (index, place) in rows.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        match &query.select {
            None => {
                text.push(b'{');
                text.extend_from_slice(&store.members(*place));
            }
            Some(names) => text.extend_from_slice(&selected(&store.plain(*place), names)),
        }
    }
    text.push(b']');
    if let Some(token) = next {
        let link = format!(",\"@odata.nextLink\":\"{base}/v1.0/engagements/referrals?$skiptoken={token}\"");
        text.extend_from_slice(link.as_bytes());
    }
    text.push(b'}');
    text
}

/// A referral with some of its fields.
fn selected(printed: &[u8], names: &[String]) -> Vec<u8> {
    let mut fields: Map<String, Value> = serde_json::from_slice(printed).unwrap_or_default();
    fields.retain(|name, _| names.contains(name));
    serde_json::to_vec(&fields).unwrap_or_default()
}
