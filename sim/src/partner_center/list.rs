//! The list of referrals: options, order, pages (partner-center.md sections 1.2 and 1.5).
//!
//! A page costs what the page costs unless a filter has to look further; engagements have an index.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use super::filter::{self, Condition};
use super::store::{Place, Store};
use super::writer::is_microsofts;
use super::{CountMeaning, Settings};
use crate::identity::form;

/// What a list request asks, and how far its pages have come. Its text form is the `$skiptoken`, which therefore keeps
/// nothing on the server.
///
/// Assumed: a page starts behind the last row of the page before, not after a number of rows. A row that is updated
/// meanwhile moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Query {
    filter: Option<String>,
    order: Order,
    descending: bool,
    /// How many rows are still wanted.
    top: Option<usize>,
    after: Option<(Timestamp, Place)>,
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

    /// The places that may be on the page, in order, from where the last page ended.
    fn places<'a>(
        &self,
        store: &'a Store,
        engagement: Option<super::guid::Guid>,
    ) -> Box<dyn Iterator<Item = Place> + 'a> {
        if let Some(engagement) = engagement {
            return Box::new(self.places_of(store, engagement).into_iter());
        }
        let edge = self.after.map(|(_, place)| place);
        match (self.order, self.descending) {
            (Order::Updated, descending) => store.by_updated(self.after, descending),
            (Order::Created, false) => Box::new(edge.map_or(0, |place| place.saturating_add(1))..store.len()),
            (Order::Created, true) => Box::new((0..edge.unwrap_or(Place::MAX).min(store.len())).rev()),
        }
    }

    /// The same for one engagement, which has a handful of referrals.
    fn places_of(&self, store: &Store, engagement: super::guid::Guid) -> Vec<Place> {
        let key = |place: &Place| self.position(store, *place);
        let is_left = |place: &Place| match (self.after, self.descending) {
            (None, _) => true,
            (Some(after), false) => key(place) > after,
            (Some(after), true) => key(place) < after,
        };
        let mut places: Vec<Place> = store.of_engagement(engagement).filter(is_left).collect();
        places.sort_by_key(key);
        if self.descending {
            places.reverse();
        }
        places
    }

    /// Where a row stands in the order.
    fn position(&self, store: &Store, place: Place) -> (Timestamp, Place) {
        let updated = store.at(place).map(|referral| referral.updated_date_time.0);
        match self.order {
            Order::Created => (Timestamp::UNIX_EPOCH, place),
            Order::Updated => (updated.unwrap_or(Timestamp::UNIX_EPOCH), place),
        }
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

/// One page of referrals as the API prints it.
pub(super) fn page(store: &mut Store, settings: &Settings, mut query: Query) -> Result<Vec<u8>, Problem> {
    let condition = match &query.filter {
        Some(text) => Some(Condition::of(&filter::parse(text)?)?),
        None => None,
    };
    let engagement = condition.as_ref().and_then(Condition::engagement);
    let related = settings.list_shows_related || engagement.is_some();
    let wanted = |store: &Store, place: &Place| {
        let Some(referral) = store.at(*place) else {
            return false;
        };
        (related || !is_microsofts(referral)) && condition.as_ref().is_none_or(|condition| condition.holds(referral))
    };
    let size = query.top.unwrap_or(usize::MAX).min(settings.page_size.max(1));
    let mut rows: Vec<Place> = query
        .places(store, engagement)
        .filter(|place| wanted(store, place))
        // One more tells whether there is another page.
        .take(size.saturating_add(1))
        .collect();
    let more = rows.len() > size && query.top.is_none_or(|top| top > size);
    rows.truncate(size);
    let count = match settings.count_meaning {
        CountMeaning::Page => rows.len(),
        CountMeaning::Total => {
            let all = Query {
                after: None,
                ..query.clone()
            };
            all.places(store, engagement)
                .filter(|place| wanted(store, place))
                .count()
        }
    };
    let next = rows.last().filter(|_| more).map(|last| {
        query.after = Some(query.position(store, *last));
        query.top = query.top.map(|top| top - size);
        query.token()
    });
    Ok(print(store, &rows, count, next))
}

/// Assumed: `@odata.context` on https; the samples print http.
fn print(store: &mut Store, rows: &[Place], count: usize, next: Option<String>) -> Vec<u8> {
    let base = std::sync::Arc::clone(store.base());
    let mut text = Vec::with_capacity(256 + 2600 * rows.len());
    let opening =
        format!("{{\"@odata.context\":\"{base}/v1.0/$metadata#Referrals\",\"@odata.count\":{count},\"value\":[");
    text.extend_from_slice(opening.as_bytes());
    for (index, place) in rows.iter().enumerate() {
        text.extend_from_slice(if index == 0 { b"{" } else { b",{" });
        text.extend_from_slice(&store.members(*place));
    }
    text.push(b']');
    if let Some(token) = next {
        let link = format!(",\"@odata.nextLink\":\"{base}/v1.0/engagements/referrals?$skiptoken={token}\"");
        text.extend_from_slice(link.as_bytes());
    }
    text.push(b'}');
    text
}
