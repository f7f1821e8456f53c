//! Reading rows: lists with their options, single rows, and how a row is printed (dataverse.md sections 2.3 and 2.6).
//!
//! It changes nothing.

use std::cmp::Ordering;
use std::fmt::Write as _;

use http::StatusCode;

use super::address::Options;
use super::answer::Answer;
use super::cell::{Cell, print_text};
use super::error::Fault;
use super::filter::bind::{bind, named_column};
use super::filter::eval::Condition;
use super::filter::parse;
use super::guid::Guid;
use super::headers::{Conditions, Match, Preferences};
use super::model::Table;
use super::page::Cookie;
use super::store::{Row, Store};

/// The most rows that `$count` counts (dataverse.md section 2.6).
const MAX_COUNT: usize = 5_000;

/// Columns of an answer: those asked for in that order, then what comes along unasked.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    columns: Vec<usize>,
    /// The asked names as the context prints them; `None` for all columns.
    asked: Option<String>,
}

impl Projection {
    /// From `$select`. The key always comes along, and the currency with any money (dataverse.md section 2.3).
    pub(super) fn of(table: &Table, select: Option<&str>) -> Result<Self, Fault> {
        let asked = select
            .map(str::trim)
            .filter(|select| !select.is_empty() && *select != "*");
        let Some(asked) = asked else {
            return Ok(Self {
                columns: (0..table.columns.len()).collect(),
                asked: None,
            });
        };
        let mut columns = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for name in asked.split(',').map(str::trim) {
            let column = named_column(table, name)?;
            if !columns.contains(&column) {
                columns.push(column);
                names.push(name);
            }
        }
        let money = columns.iter().any(|column| {
            use super::model::Kind::{BaseMoney, Money};
            matches!(table.columns[*column].kind, Money { .. } | BaseMoney)
        });
        let currency = table.system.currency.filter(|_| money).map(|(currency, _)| currency);
        for column in currency.into_iter().chain([0]) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let asked = Some(names.join(","));
        Ok(Self { columns, asked })
    }
}

/// Where the API stands: `https://org/api/data/v9.2/`.
pub(super) type Root<'a> = &'a str;

/// The entity tag of a row.
pub(super) fn etag(table: &Table, row: &Row) -> String {
    format!("W/\"{}\"", version(table, row))
}

/// The version of a row.
pub(super) fn version(table: &Table, row: &Row) -> i64 {
    row.cells[table.system.version].int().unwrap_or(0)
}

/// One row as a whole body.
pub(super) fn body(root: Root<'_>, table: &Table, projection: &Projection, row: &Row) -> String {
    let mut out = String::with_capacity(1_024);
    out.push_str("{\"@odata.context\":");
    print_text(&context(root, table, projection, "/$entity"), &mut out);
    out.push(',');
    print(table, projection, row, &mut out);
    out.push('}');
    out
}

fn context(root: Root<'_>, table: &Table, projection: &Projection, end: &str) -> String {
    match &projection.asked {
        Some(names) => format!("{root}$metadata#{}({names}){end}", table.set),
        None => format!("{root}$metadata#{}{end}", table.set),
    }
}

/// The members of a row's object.
fn print(table: &Table, projection: &Projection, row: &Row, out: &mut String) {
    // Writing to a String cannot fail.
    let _done = write!(out, "\"@odata.etag\":\"W/\\\"{}\\\"\"", version(table, row));
    for at in &projection.columns {
        let column = &table.columns[*at];
        let _done = write!(out, ",\"{}\":", column.wire);
        row.cells[*at].print(column.kind.printed_places(), out);
    }
}

/// `GET /accounts(id)`.
pub(super) fn one(
    store: &Store,
    root: Root<'_>,
    (table, id): (&Table, Guid),
    options: &Options,
    conditions: &Conditions,
) -> Result<Answer, Fault> {
    options.only_select()?;
    let projection = Projection::of(table, options.select.as_deref())?;
    let row = store
        .row(table, id)
        .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
    if conditions.only_if.is_some() {
        return Err(Fault::NotSimulated("`If-Match` on a GET".to_owned()));
    }
    match &conditions.unless {
        Some(Match::Any) => return Err(Fault::NotSimulated("`If-None-Match: *` on a GET".to_owned())),
        Some(tag) if tag.fits(version(table, row)) => return Ok(Answer::not_modified()),
        Some(_) | None => {}
    }
    let body = body(root, table, &projection, row);
    Ok(Answer::json(StatusCode::OK, body).with("etag", etag(table, row)))
}

/// A list's options, read and fitted to the table.
struct Query {
    projection: Projection,
    condition: Option<Condition>,
    /// Columns and whether they descend; the key last.
    order: Vec<(usize, bool)>,
    top: Option<usize>,
    count: bool,
    cookie: Option<Cookie>,
}

impl Query {
    fn read(table: &Table, options: &Options) -> Result<Self, Fault> {
        let condition = match &options.filter {
            Some(text) => Some(bind(table, &parse::filter(text)?)?),
            None => None,
        };
        let order = order(table, options.order_by.as_deref().unwrap_or_default())?;
        let sorted_by: Vec<usize> = order.iter().map(|(column, _)| *column).collect();
        let cookie = match &options.skip_token {
            Some(token) => Some(Cookie::read(token, table, &sorted_by)?),
            None => None,
        };
        Ok(Self {
            projection: Projection::of(table, options.select.as_deref())?,
            condition,
            order,
            top: options.top.as_deref().map(top).transpose()?,
            count: count(options.count.as_deref())?,
            cookie,
        })
    }

    fn compare(&self, one: &[Cell], other: impl Fn(usize) -> Cell) -> Ordering {
        for (column, descending) in &self.order {
            let order = one[*column].folded().cmp(&other(*column).folded());
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }

    fn is_after_cookie(&self, cells: &[Cell]) -> bool {
        let Some(cookie) = &self.cookie else { return true };
        let last = |column| {
            let found = cookie.last.iter().find(|(at, _)| *at == column);
            found.map_or(Cell::Null, |(_, cell)| cell.clone())
        };
        self.compare(cells, last).is_gt()
    }
}

fn order(table: &Table, text: &str) -> Result<Vec<(usize, bool)>, Fault> {
    let mut order = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let mut words = part.split_ascii_whitespace();
        let column = named_column(table, words.next().unwrap_or_default())?;
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(Fault::Query(format!("Syntax error at position 0 in '{text}'."))),
        };
        if order.iter().all(|(known, _)| *known != column) {
            order.push((column, descending));
        }
    }
    if order.iter().all(|(column, _)| *column != 0) {
        order.push((0, false));
    }
    Ok(order)
}

fn top(text: &str) -> Result<usize, Fault> {
    let wrong = || {
        Fault::Query(format!(
            "Invalid value '{text}' for $top query option found. The $top query option requires a non-negative integer \
             value."
        ))
    };
    text.trim().parse().map_err(|_| wrong())
}

fn count(text: Option<&str>) -> Result<bool, Fault> {
    match text.map(str::trim) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Fault::Query(format!(
            "Invalid value '{other}' for $count query option found. Valid values are 'true' or 'false'."
        ))),
    }
}

/// `GET /accounts?...`. With `$top`, the page size is ignored and no link to a next page is given: the reading of two
/// documentation pages that the facts chose.
pub(super) fn list(
    store: &Store,
    root: Root<'_>,
    table: &Table,
    options: &Options,
    preferences: Preferences,
    most: usize,
) -> Result<Answer, Fault> {
    let query = Query::read(table, options)?;
    let mut rows = store.find(table, query.condition.as_ref());
    let total = rows.len();
    if query.order.first() != Some(&(0, false)) {
        rows.sort_by(|one, other| query.compare(&one.cells, |column| other.cells[column].clone()));
    }
    rows.retain(|row| query.is_after_cookie(&row.cells));
    if query.top.is_some_and(|top| top > most) && rows.len() > most {
        return Err(Fault::NotSimulated("`$top` above the page size".to_owned()));
    }
    let size = query
        .top
        .unwrap_or_else(|| preferences.page_size.unwrap_or(most))
        .min(most);
    let more = query.top.is_none() && rows.len() > size;
    rows.truncate(size);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|last| next_link(root, table, options, &query, last));
    let body = page(root, table, &query, &rows, total, next.as_deref());
    let answer = Answer::json(StatusCode::OK, body);
    Ok(match preferences.page_size.filter(|_| query.top.is_none()) {
        Some(size) => answer.with("preference-applied", format!("odata.maxpagesize={size}")),
        None => answer,
    })
}

fn page(root: Root<'_>, table: &Table, query: &Query, rows: &[&Row], total: usize, next: Option<&str>) -> String {
    let mut out = String::with_capacity(256 + rows.len() * 64 * query.projection.columns.len().min(16));
    out.push_str("{\"@odata.context\":");
    print_text(&context(root, table, &query.projection, ""), &mut out);
    if query.count {
        // Writing to a String cannot fail.
        let _done = write!(out, ",\"@odata.count\":{}", total.min(MAX_COUNT));
    }
    out.push_str(",\"value\":[");
    for (place, row) in rows.iter().enumerate() {
        out.push_str(if place == 0 { "{" } else { ",{" });
        print(table, &query.projection, row, &mut out);
        out.push('}');
    }
    out.push(']');
    if let Some(next) = next {
        out.push_str(",\"@odata.nextLink\":");
        print_text(next, &mut out);
    }
    out.push('}');
    out
}

/// The same URL with the cookie of the page's last row.
fn next_link(root: Root<'_>, table: &Table, options: &Options, query: &Query, last: &Row) -> String {
    let cookie = Cookie {
        page: query.cookie.as_ref().map_or(2, |cookie| cookie.page.saturating_add(1)),
        last: query
            .order
            .iter()
            .map(|(column, _)| (*column, last.cells[*column].clone()))
            .collect(),
    };
    let joint = if options.without_token.is_empty() { "" } else { "&" };
    format!(
        "{root}{}?{}{joint}$skiptoken={}",
        table.set,
        options.without_token,
        cookie.print(table)
    )
}
