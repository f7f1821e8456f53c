//! Plan to answer: rows joined, filtered, sorted, paged and printed.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::StatusCode;

use super::super::answer::Answer;
use super::super::cell::{Cell, print_text};
use super::super::error::Fault;
use super::super::page::{Cookie, malformed, percent_encoded};
use super::super::print::{Reader, version};
use super::super::read::Source;
use super::super::search::find;
use super::super::sort::Order;
use super::super::store::{Row, Store};
use super::bind::{Join, Plan, Tree, bind};
use super::read::{Fetch, read};

/// The most rows that are put together before they are paged: a join may multiply them. Assumed.
const MOST_JOINED: usize = 200_000;

/// The rows of one result, one for each joined table; none where an outer join found nothing.
type Tuple<'s> = Vec<Option<&'s Row>>;

impl<'a> Reader<'a> {
    /// `GET /accounts?fetchXml=...`.
    pub(in crate::dataverse) fn fetch(&self, source: Source<'a>, text: &str) -> Result<Answer, Fault> {
        let fetch = read(text)?;
        if fetch.entity.name != source.table.logical {
            // Assumed text.
            return Err(Fault::Fetch(format!(
                "The query is about '{}', the URL about '{}'.",
                fetch.entity.name, source.table.logical
            )));
        }
        let plan = bind(self.scope(source.table), &fetch)?;
        let mut found = self.joined(&plan)?;
        sort(&plan, &mut found);
        if fetch.distinct {
            let mut seen = BTreeSet::new();
            found.retain(|tuple| seen.insert(shown(&plan, tuple)));
        }
        let total = found.len();
        let order = order_of(&plan);
        let (page, size) = (fetch.page.unwrap_or(1).max(1), self.size(&fetch));
        let mut rows = behind(self.store, found, order.as_ref(), (&fetch, page, size))?;
        let more = fetch.top.is_none() && rows.len() > size;
        rows.truncate(size);
        let body = self.print_found(&plan, (&rows, total), (&fetch, page, more), order.as_ref());
        Ok(self.applied(
            Answer::json(StatusCode::OK, body),
            fetch.count.is_none() && fetch.top.is_none(),
        ))
    }

    fn size(&self, fetch: &Fetch) -> usize {
        let asked = fetch.top.or(fetch.count).or(self.preferences.page_size);
        asked.unwrap_or(self.most).min(self.most)
    }

    fn joined(&self, plan: &Plan<'a>) -> Result<Vec<Tuple<'a>>, Fault> {
        let first = plan.tables[0].table;
        let of_first = plan.condition.of_first();
        let rows: Vec<&Row> = find(self.store, first, of_first.as_ref(), None).collect();
        let mut tuples: Vec<Tuple<'_>> = rows.into_iter().map(|row| vec![Some(row)]).collect();
        for (place, joined) in plan.tables.iter().enumerate() {
            let Some(join) = &joined.join else { continue };
            let mut next = Vec::new();
            for tuple in tuples {
                let matching = self.matching(plan, place, join, &tuple);
                if matching.is_empty() && join.outer {
                    next.push(extended(&tuple, None));
                }
                next.extend(matching.into_iter().map(|row| extended(&tuple, Some(row))));
                if next.len() > MOST_JOINED {
                    return Err(Fault::NotSimulated(format!(
                        "more than {MOST_JOINED} joined rows in FetchXML"
                    )));
                }
            }
            tuples = next;
        }
        if of_first.is_none() {
            tuples.retain(|tuple| holds(&plan.condition, self.store, tuple));
        }
        Ok(tuples)
    }

    /// The rows that a join finds for one result so far.
    fn matching(&self, plan: &Plan<'a>, place: usize, join: &Join, tuple: &Tuple<'a>) -> Vec<&'a Row> {
        let value = tuple[join.parent].map_or(&Cell::Null, |row| &row.cells[join.to]);
        if value.is_null() {
            return Vec::new();
        }
        let table = plan.tables[place].table;
        let mut rows: Vec<&Row> = if join.from == 0 {
            value
                .guid()
                .and_then(|id| self.store.row(table, id))
                .into_iter()
                .collect()
        } else {
            let ids = self.store.holding(table, &[(join.from, value.clone())]);
            ids.into_iter().filter_map(|id| self.store.row(table, id)).collect()
        };
        rows.retain(|row| {
            let mut with = tuple.clone();
            with.resize(place, None);
            with.push(Some(row));
            holds(&join.condition, self.store, &with)
        });
        rows
    }

    fn print_found(
        &self,
        plan: &Plan<'_>,
        (rows, total): (&[Tuple<'_>], usize),
        (fetch, page, more): (&Fetch, u64, bool),
        order: Option<&Order>,
    ) -> String {
        let first = plan.tables[0].table;
        let mut out = String::from("{\"@odata.context\":");
        let names: Vec<&str> = plan.tables[0].columns.iter().map(|(_, name)| name.as_str()).collect();
        let asked = match &fetch.entity.attributes {
            Some(_) if !names.is_empty() => format!("({})", names.join(",")),
            _ => String::new(),
        };
        print_text(&format!("{}$metadata#{}{asked}", self.root, first.set), &mut out);
        self.totals(fetch.total.then_some(total), &mut out);
        if let Some(last) = rows.last().and_then(|tuple| tuple[0]).filter(|_| more) {
            self.push_more(page, last, order, &mut out);
        } else if self.preferences.annotations.has("Microsoft.Dynamics.CRM.morerecords") {
            out.push_str(",\"@Microsoft.Dynamics.CRM.morerecords\":false");
        }
        out.push_str(",\"value\":[");
        for (place, tuple) in rows.iter().enumerate() {
            out.push_str(if place == 0 { "{" } else { ",{" });
            self.tuple(plan, tuple, fetch.distinct, &mut out);
            out.push('}');
        }
        out.push_str("]}");
        out
    }

    /// That there is more, and where it goes on: told only to those who ask for these annotations (dataverse.md section
    /// 2.6).
    fn push_more(&self, page: u64, last: &Row, order: Option<&Order>, out: &mut String) {
        let has = |name: &str| {
            self.preferences
                .annotations
                .has(&format!("Microsoft.Dynamics.CRM.{name}"))
        };
        if has("fetchxmlpagingcookie") {
            let inner = match order {
                Some(order) => Cookie {
                    page: page.saturating_add(1),
                    last: order.values(self.store, last),
                    tracking: None,
                }
                .inner(order),
                None => format!("<cookie page=\"{page}\"></cookie>"),
            };
            let twice = percent_encoded(&percent_encoded(&inner, b"", true), b"", true);
            let number = page.saturating_add(1);
            let cookie = format!("<cookie pagenumber=\"{number}\" pagingcookie=\"{twice}\" istracking=\"False\" />");
            out.push_str(",\"@Microsoft.Dynamics.CRM.fetchxmlpagingcookie\":");
            print_text(&cookie, out);
        }
        if has("morerecords") {
            out.push_str(",\"@Microsoft.Dynamics.CRM.morerecords\":true");
        }
    }

    /// One result: what is null is left out, as the documentation of `FetchXML` in the Web API says.
    fn tuple(&self, plan: &Plan<'_>, tuple: &Tuple<'_>, distinct: bool, out: &mut String) {
        let start = out.len();
        for (joined, row) in plan.tables.iter().zip(tuple) {
            let Some(row) = row else { continue };
            let is_first = joined.join.is_none();
            if is_first && !distinct {
                // Writing to a String cannot fail.
                let _done = write!(out, "\"@odata.etag\":\"W/\\\"{}\\\"\"", version(joined.table, row));
            }
            for (at, name) in joined.columns.iter().filter(|(at, _)| !row.cells[*at].is_null()) {
                self.member(joined.table, row, *at, name, out);
            }
            if is_first && !distinct && !joined.columns.iter().any(|(at, _)| *at == 0) {
                self.member(joined.table, row, 0, &joined.table.columns[0].wire, out);
            }
        }
        if out[start..].starts_with(',') {
            out.remove(start);
        }
    }
}

fn sort(plan: &Plan<'_>, tuples: &mut [Tuple<'_>]) {
    if plan.orders.is_empty() {
        return;
    }
    tuples.sort_by(|one, other| {
        for (place, column, descending) in &plan.orders {
            let cell = |tuple: &Tuple<'_>| tuple[*place].map_or(Cell::Null, |row| row.cells[*column].folded());
            let order = cell(one).cmp(&cell(other));
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    });
}

/// The order of a query that sorts by the first table alone, which a cookie can carry.
fn order_of(plan: &Plan<'_>) -> Option<Order> {
    let own = plan.orders.iter().all(|(place, ..)| *place == 0) && plan.tables.len() == 1;
    let columns: Vec<(usize, bool)> = plan.orders.iter().map(|(_, column, down)| (*column, *down)).collect();
    own.then(|| Order::of(plan.tables[0].table, &columns))
}

/// The results of a page and all behind them: after the cookie's row, or after so many rows.
fn behind<'s>(
    store: &Store,
    mut found: Vec<Tuple<'s>>,
    order: Option<&Order>,
    (fetch, page, size): (&Fetch, u64, usize),
) -> Result<Vec<Tuple<'s>>, Fault> {
    let last = match (&fetch.cookie, order) {
        (Some(cookie), Some(order)) => Some((Cookie::values(cookie, order).ok_or_else(malformed)?, order)),
        _ => None,
    };
    if let Some((last, order)) = last {
        found.retain(|tuple| tuple[0].is_some_and(|row| order.is_after(store, row, &last)));
    } else {
        let skipped = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(size);
        found.drain(..skipped.min(found.len()));
    }
    Ok(found)
}

fn extended<'s>(tuple: &Tuple<'s>, row: Option<&'s Row>) -> Tuple<'s> {
    let mut next = tuple.clone();
    next.push(row);
    next
}

fn holds(tree: &Tree, store: &Store, tuple: &Tuple<'_>) -> bool {
    match tree {
        Tree::All(parts) => parts.iter().all(|part| holds(part, store, tuple)),
        Tree::Any(parts) => parts.iter().any(|part| holds(part, store, tuple)),
        Tree::Row(place, condition) => {
            let row = tuple.get(*place).copied().flatten();
            condition.holds_for(store, row.map(|row| row.cells.as_slice()))
        }
    }
}

/// What a result shows, for telling results apart.
fn shown(plan: &Plan<'_>, tuple: &Tuple<'_>) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (joined, row) in plan.tables.iter().zip(tuple) {
        for (at, _) in &joined.columns {
            cells.push(row.map_or(Cell::Null, |row| row.cells[*at].clone()));
        }
    }
    cells
}
