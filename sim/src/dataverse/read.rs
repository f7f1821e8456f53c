//! Reading rows: single rows and lists with their options, pages and changes (dataverse.md sections 2.3, 2.6 and 2.8).
//!
//! It changes nothing.

use std::fmt::Write as _;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::address::Options;
use super::answer::Answer;
use super::cell::print_text;
use super::error::Fault;
use super::expand;
use super::filter::bind::bind;
use super::filter::eval::Condition;
use super::filter::operator::Scope;
use super::filter::parse;
use super::guid::Guid;
use super::headers::{Conditions, Match};
use super::model::{Table, Via};
use super::moment;
use super::page::{Cookie, Stand};
pub(super) use super::print::{Reader, etag, version};
pub(super) use super::projection::Projection;
use super::projection::top;
use super::search::find;
use super::sort::Order;
use super::store::Row;

/// The most rows that `$count` counts (dataverse.md section 2.6).
const MAX_COUNT: usize = 5_000;
/// How long a delta token lives by default (dataverse.md section 2.8).
pub(super) const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whose rows a list holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) table: &'a Table,
    /// For a collection of a row: how its rows are found, and that row.
    pub(super) within: Option<(Via, Guid)>,
    /// The path of the list below the root, for links.
    pub(super) path: &'a str,
}

impl<'a> Reader<'a> {
    /// What conditions and projections on a table are bound to.
    pub(super) fn scope(&self, table: &'a Table) -> Scope<'a> {
        Scope {
            store: self.store,
            asking: self.asking,
            table,
        }
    }

    /// What `$select` and `$expand` ask for.
    pub(super) fn projection(&self, table: &'a Table, options: &Options) -> Result<Projection, Fault> {
        let expands = match options.expand.as_deref().map(str::trim) {
            None | Some("") => Vec::new(),
            Some(text) => expand::read(text)?,
        };
        Projection::with(self.scope(table), options.select.as_deref(), &expands, &options.aliases)
    }

    /// What `$filter` asks for.
    pub(super) fn condition(&self, table: &'a Table, options: &Options) -> Result<Option<Condition>, Fault> {
        match &options.filter {
            Some(text) => Ok(Some(bind(self.scope(table), &parse::filter(text, &options.aliases)?)?)),
            None => Ok(None),
        }
    }

    /// `GET /accounts(id)`.
    pub(super) fn one(
        &self,
        (table, id): (&'a Table, Guid),
        options: &Options,
        conditions: &Conditions,
    ) -> Result<Answer, Fault> {
        options.only_select_and_expand()?;
        let projection = self.projection(table, options)?;
        let row = self
            .store
            .row(table, id)
            .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
        if conditions.only_if.is_some() {
            return Err(Fault::NotSimulated("`If-Match` on a GET".to_owned()));
        }
        // Only where nothing comes from other rows can a tag say that all is as it was (dataverse.md section 2.3).
        let own = projection.expansions.is_empty() && !self.preferences.annotations.is_some() && table.optimistic;
        match &conditions.unless {
            Some(Match::Any) => return Err(Fault::NotSimulated("`If-None-Match: *` on a GET".to_owned())),
            Some(tag) if own && tag.fits(version(table, row)) => return Ok(Answer::not_modified()),
            Some(_) | None => {}
        }
        let body = self.body(table, &projection, row);
        Ok(self.applied(Answer::json(StatusCode::OK, body).with("etag", etag(table, row)), false))
    }

    /// With the preferences that were applied.
    pub(super) fn applied(&self, answer: Answer, page_size: bool) -> Answer {
        match self.preferences.applied(page_size) {
            Some(applied) => answer.with("preference-applied", applied),
            None => answer,
        }
    }

    /// `GET /accounts?...`, and the same of a collection. With `$top`, the page size is ignored and no link to a next page
    /// is given: the reading of two documentation pages that the facts chose.
    pub(super) fn list(&self, source: Source<'a>, options: &Options) -> Result<Answer, Fault> {
        // A later page of a list whose changes are followed says so itself.
        let token = options.skip_token.as_deref().unwrap_or_default();
        let goes_on = token.contains("istracking=\"True\"");
        if self.preferences.track_changes || options.delta_token.is_some() || goes_on {
            return self.changes(source, options);
        }
        let table = source.table;
        let query = Query {
            projection: self.projection(table, options)?,
            condition: self.condition(table, options)?,
            order: Order::read(self.scope(table), options.order_by.as_deref().unwrap_or_default())?,
            top: options.top.as_deref().map(top).transpose()?,
            count: count(options.count.as_deref())?,
        };
        let page = self.page(source, &query, options)?;
        let body = self.print_page(table, &query, &page);
        Ok(self.applied(Answer::json(StatusCode::OK, body), query.top.is_none()))
    }

    /// How many rows fulfil the filter: a byte order mark and digits (dataverse.md section 2.3).
    pub(super) fn count(&self, source: Source<'a>, options: &Options) -> Result<Answer, Fault> {
        if let Some(token) = &options.delta_token {
            let stand = self.stand(token)?;
            let (changed, gone) = self.changed(source.table, stand.version);
            return Ok(digits(changed.len() + gone.len()));
        }
        let condition = self.condition(source.table, options)?;
        Ok(digits(self.rows(source, condition.as_ref()).len()))
    }

    /// The rows of a source that fulfil a condition, by key.
    pub(super) fn rows(&self, source: Source<'_>, condition: Option<&Condition>) -> Vec<&'a Row> {
        match source.within {
            None => find(self.store, source.table, condition, None).collect(),
            Some((via, id)) => {
                let mut rows = self.store.related(source.table, via, id);
                rows.retain(|row| condition.is_none_or(|condition| condition.holds(self.store, &row.cells)));
                rows
            }
        }
    }

    fn page(&self, source: Source<'_>, query: &Query, options: &Options) -> Result<Page<'a>, Fault> {
        let cookie = match &options.skip_token {
            Some(token) => Some(Cookie::read(token, &query.order)?),
            None => None,
        };
        let size = query
            .top
            .unwrap_or_else(|| self.preferences.page_size.unwrap_or(self.most));
        let size = size.min(self.most);
        let by_key = source.within.is_none() && query.order.is_by_key();
        let (mut rows, total) = if by_key && (query.condition.is_none() || !query.count) {
            // Nothing has to be looked at but what fills the page; the total is that of the table, or nobody asked for it.
            let after = cookie.as_ref().and_then(|cookie| cookie.last.first()?.guid());
            let rows = find(self.store, source.table, query.condition.as_ref(), after);
            (
                rows.take(size.saturating_add(1)).collect(),
                self.store.count(source.table),
            )
        } else {
            let found = self.rows(source, query.condition.as_ref());
            let total = found.len();
            let mut rows = query.order.sort(self.store, found);
            if let Some(cookie) = &cookie {
                rows.retain(|row| query.order.is_after(self.store, row, &cookie.last));
            }
            (rows, total)
        };
        if query.top.is_some_and(|top| top > self.most) && rows.len() > self.most {
            return Err(Fault::NotSimulated("`$top` above the page size".to_owned()));
        }
        let more = query.top.is_none() && rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|last| {
            let next = Cookie {
                page: cookie.as_ref().map_or(2, |cookie| cookie.page.saturating_add(1)),
                last: query.order.values(self.store, last),
                tracking: None,
            };
            self.link(source, options, &format!("$skiptoken={}", next.print(&query.order)))
        });
        Ok(Page { rows, total, next })
    }

    /// The list's own URL with one more option.
    fn link(&self, source: Source<'_>, options: &Options, last: &str) -> String {
        let joint = if options.without_token.is_empty() { "" } else { "&" };
        format!("{}{}?{}{joint}{last}", self.root, source.path, options.without_token)
    }

    fn print_page(&self, table: &Table, query: &Query, page: &Page<'_>) -> String {
        let mut out = String::with_capacity(256 + page.rows.len() * 64 * query.projection.columns.len().min(16));
        out.push_str("{\"@odata.context\":");
        print_text(&self.context(table, &query.projection, ""), &mut out);
        if query.count {
            // Writing to a String cannot fail.
            let _done = write!(out, ",\"@odata.count\":{}", page.total.min(MAX_COUNT));
        }
        self.totals(query.count.then_some(page.total), &mut out);
        out.push_str(",\"value\":[");
        for (place, row) in page.rows.iter().enumerate() {
            out.push_str(if place == 0 { "{" } else { ",{" });
            self.row(table, &query.projection, row, &mut out);
            out.push('}');
        }
        out.push(']');
        if let Some(next) = &page.next {
            out.push_str(",\"@odata.nextLink\":");
            print_text(next, &mut out);
        }
        out.push('}');
        out
    }

    /// Annotations of a list: how many rows there are, -1 when nobody asked (dataverse.md section 2.6).
    pub(super) fn totals(&self, total: Option<usize>, out: &mut String) {
        let has = |name: &str| {
            self.preferences
                .annotations
                .has(&format!("Microsoft.Dynamics.CRM.{name}"))
        };
        if has("totalrecordcount") {
            let count = total.map_or_else(|| "-1".to_owned(), |total| total.min(MAX_COUNT).to_string());
            let _done = write!(out, ",\"@Microsoft.Dynamics.CRM.totalrecordcount\":{count}");
        }
        if has("totalrecordcountlimitexceeded") {
            let exceeded = total.is_some_and(|total| total > MAX_COUNT);
            let _done = write!(
                out,
                ",\"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\":{exceeded}"
            );
        }
        // Assumed: the number of a metadata version that never changes.
        if has("globalmetadataversion") {
            let _done = write!(out, ",\"@Microsoft.Dynamics.CRM.globalmetadataversion\":\"1000000\"");
        }
    }

    /// A list whose changes are followed: all rows at first, with a token, then what changed since (dataverse.md section
    /// 2.8).
    fn changes(&self, source: Source<'a>, options: &Options) -> Result<Answer, Fault> {
        let table = source.table;
        if !table.change_tracking || source.within.is_some() {
            return Err(Fault::NotTracked(table.logical.to_string()));
        }
        for (name, value) in [
            ("filter", &options.filter),
            ("orderby", &options.order_by),
            ("expand", &options.expand),
            ("top", &options.top),
        ] {
            if value.is_some() {
                // Documented text (dataverse.md section 2.8).
                let text =
                    format!("The \"${{{name}}}\" query parameter isn't supported when Change Tracking is enabled.");
                return Err(Fault::Query(text));
            }
        }
        let query = Query {
            projection: self.projection(table, options)?,
            condition: None,
            order: Order::of(table, &[]),
            top: None,
            count: false,
        };
        let body = match &options.delta_token {
            None => self.first_changes(source, &query, options)?,
            Some(token) => self.delta(source, &query, options, self.stand(token)?),
        };
        Ok(self.applied(Answer::json(StatusCode::OK, body), options.delta_token.is_none()))
    }

    /// All rows, page by page; the last page has the token of the moment at which the first was asked for.
    fn first_changes(&self, source: Source<'_>, query: &Query, options: &Options) -> Result<String, Fault> {
        let mut page = self.page(source, query, options)?;
        let begun = match &options.skip_token {
            Some(token) => Cookie::read(token, &query.order)?.tracking,
            None => None,
        };
        let stand = begun.unwrap_or(self.now());
        if let (Some(_), Some(last)) = (&page.next, page.rows.last()) {
            let number = match &options.skip_token {
                Some(token) => Cookie::read(token, &query.order)?.page,
                None => 1,
            };
            let cookie = Cookie {
                page: number + 1,
                last: query.order.values(self.store, last),
                tracking: Some(stand),
            };
            page.next = Some(self.link(source, options, &format!("$skiptoken={}", cookie.print(&query.order))));
        }
        let last_page = page.next.is_none();
        let mut out = self.print_page(source.table, query, &page);
        if last_page {
            self.push_delta_link(source, options, stand, &mut out);
        }
        Ok(out)
    }

    /// Changed rows, then deleted ones, and a new token. Assumed: all in one page.
    fn delta(&self, source: Source<'_>, query: &Query, options: &Options, since: Stand) -> String {
        let table = source.table;
        let (changed, gone) = self.changed(table, since.version);
        let mut out = String::from("{\"@odata.context\":");
        print_text(&self.context(table, &query.projection, "/$delta"), &mut out);
        out.push_str(",\"value\":[");
        for (place, row) in changed.iter().enumerate() {
            out.push_str(if place == 0 { "{" } else { ",{" });
            self.row(table, &query.projection, row, &mut out);
            out.push('}');
        }
        for (place, id) in gone.iter().enumerate() {
            let comma = if place == 0 && changed.is_empty() { "" } else { "," };
            let _done = write!(
                out,
                "{comma}{{\"@odata.context\":\"{}$metadata#{}/$deletedEntity\",\"id\":\"{id}\",\"reason\":\"deleted\"}}",
                self.root, table.set
            );
        }
        out.push_str("]}");
        self.push_delta_link(source, options, self.now(), &mut out);
        out
    }

    /// Rows that were written after a version number, oldest write first, and those that were deleted.
    fn changed(&self, table: &Table, version: i64) -> (Vec<&'a Row>, Vec<Guid>) {
        let of = |row: &Row| super::print::version(table, row);
        let mut changed: Vec<&Row> = self.store.rows(table).filter(|row| of(row) > version).collect();
        changed.sort_by_key(|row| of(row));
        (changed, self.store.buried_since(table, version))
    }

    fn now(&self) -> Stand {
        Stand {
            version: self.version,
            at: self.asking.now,
        }
    }

    /// `919042!08/22/2017 08:10:44` (dataverse.md section 2.8).
    fn push_delta_link(&self, source: Source<'_>, options: &Options, stand: Stand, out: &mut String) {
        let token = format!("{}%21{}", stand.version, moment::print(stand.at));
        out.pop();
        out.push_str(",\"@odata.deltaLink\":");
        print_text(&self.link(source, options, &format!("$deltatoken={token}")), out);
        out.push('}');
    }

    /// A decoded token that is not too old.
    fn stand(&self, token: &str) -> Result<Stand, Fault> {
        let read = || -> Option<Stand> {
            let (version, at) = token.split_once('!')?;
            let (day, time) = at.trim_end_matches('/').split_once(' ')?;
            let mut parts = day.split('/');
            let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
            let at: Timestamp = format!("{year}-{month}-{day}T{time}Z").parse().ok()?;
            Some(Stand {
                version: version.parse().ok()?,
                at,
            })
        };
        // Assumed text: a token that nobody gave out.
        let stand = read().ok_or_else(|| Fault::Argument(format!("The delta token '{token}' is not valid.")))?;
        if self.asking.now.duration_since(stand.at) > TOKEN_LIFE {
            return Err(Fault::TokenExpired);
        }
        Ok(stand)
    }
}

/// A list's options, read and fitted to the table.
struct Query {
    projection: Projection,
    condition: Option<Condition>,
    order: Order,
    top: Option<usize>,
    count: bool,
}

/// One page of a list.
struct Page<'s> {
    rows: Vec<&'s Row>,
    /// Rows of all pages.
    total: usize,
    next: Option<String>,
}

fn digits(count: usize) -> Answer {
    Answer::text("text/plain", format!("\u{feff}{}", count.min(MAX_COUNT)))
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
