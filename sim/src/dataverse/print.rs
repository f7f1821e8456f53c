//! How rows are printed: values, annotations, related rows (dataverse.md sections 2.3 and 2.6).
//!
//! Which rows and columns there are has been decided before.

use std::fmt::Write as _;

use super::address::escaped;
use super::cell::print_text;
use super::filter::operator::Asking;
use super::formatted::{formatted, pointed};
use super::guid::Guid;
use super::headers::Preferences;
use super::model::{Kind, Table};
use super::page::Cookie;
use super::projection::{Expanded, Expansion, Projection, Rows, Target};
use super::store::{Row, Store};

/// Formatted values, by the name of their annotation.
pub(super) const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const ASSOCIATED: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// What reading a request's answer needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) store: &'a Store,
    /// Where the API stands: `https://org/api/data/v9.2/`.
    pub(super) root: &'a str,
    pub(super) asking: &'a Asking,
    pub(super) preferences: &'a Preferences,
    /// Rows of a page, at most.
    pub(super) most: usize,
    /// The version number that was given out last.
    pub(super) version: i64,
}

/// The URL of a row.
pub(super) fn url(root: &str, table: &Table, id: Guid) -> String {
    format!("{root}{}({id})", table.set)
}

/// The entity tag of a row.
pub(super) fn etag(table: &Table, row: &Row) -> String {
    format!("W/\"{}\"", version(table, row))
}

/// The version of a row.
pub(super) fn version(table: &Table, row: &Row) -> i64 {
    row.cells[table.system.version].int().unwrap_or(0)
}

impl Reader<'_> {
    /// One row as a whole body.
    pub(super) fn body(&self, table: &Table, projection: &Projection, row: &Row) -> String {
        let mut out = String::with_capacity(1_024);
        out.push_str("{\"@odata.context\":");
        print_text(&self.context(table, projection, "/$entity"), &mut out);
        out.push(',');
        self.row(table, projection, row, &mut out);
        out.push('}');
        out
    }

    /// The URL of what an answer holds.
    pub(super) fn context(&self, table: &Table, projection: &Projection, end: &str) -> String {
        format!("{}$metadata#{}{}{end}", self.root, table.set, projection.context())
    }

    /// The members of a row's object.
    pub(super) fn row(&self, table: &Table, projection: &Projection, row: &Row, out: &mut String) {
        // Writing to a String cannot fail.
        let _done = write!(out, "\"@odata.etag\":\"W/\\\"{}\\\"\"", version(table, row));
        for at in &projection.columns {
            self.member(table, row, *at, &table.columns[*at].wire, out);
        }
        for expansion in &projection.expansions {
            self.expansion(table, row, expansion, out);
        }
    }

    /// A column under a name, its annotations in front.
    pub(super) fn member(&self, table: &Table, row: &Row, at: usize, name: &str, out: &mut String) {
        let annotations = &self.preferences.annotations;
        if annotations.is_some() {
            self.annotate(table, row, at, name, out);
        }
        let _done = write!(out, ",\"{name}\":");
        row.cells[at].print(table.columns[at].kind.printed_places(), out);
    }

    fn annotate(&self, table: &Table, row: &Row, at: usize, name: &str, out: &mut String) {
        let annotations = &self.preferences.annotations;
        if annotations.has(FORMATTED)
            && let Some(text) = formatted(self.store, table, row, at)
        {
            let _done = write!(out, ",\"{name}@{FORMATTED}\":");
            print_text(&text, out);
        }
        let pointed = match (table.columns[at].kind, row.cells[at].guid()) {
            (Kind::Lookup, Some(id)) => pointed(self.store, table, at, id),
            _ => None,
        };
        if let Some((target, navigation)) = pointed {
            if annotations.has(ASSOCIATED) {
                let _done = write!(out, ",\"{name}@{ASSOCIATED}\":\"{navigation}\"");
            }
            if annotations.has(LOGICAL) {
                let _done = write!(out, ",\"{name}@{LOGICAL}\":\"{}\"", target.logical);
            }
        }
    }

    fn expansion(&self, table: &Table, row: &Row, expansion: &Expansion, out: &mut String) {
        let name = &expansion.name;
        let _done = write!(out, ",\"{name}\":");
        match &expansion.what {
            Expanded::One { column, targets, typed } => {
                let id = row.cells[*column].guid();
                match id.and_then(|id| self.pick(targets, id)) {
                    Some((target, row)) if expansion.links => {
                        let table = &self.store.model().tables()[target.table];
                        let _done = write!(out, "{{\"@odata.id\":\"{}\"}}", url(self.root, table, row.id));
                    }
                    Some((target, row)) => self.object(target, row, *typed, out),
                    None => out.push_str("null"),
                }
            }
            Expanded::Many(rows) => self.collection((table, row), name, rows, out),
        }
    }

    fn collection(&self, (table, row): (&Table, &Row), name: &str, rows: &Rows, out: &mut String) {
        let Rows {
            via,
            target,
            order,
            top,
            query,
        } = rows;
        let inside = &self.store.model().tables()[target.table];
        let mut found = self.store.related(inside, *via, row.id);
        if let Some(condition) = &target.condition {
            found.retain(|row| condition.holds(self.store, &row.cells));
        }
        let mut found = order.sort(self.store, found);
        let size = top.unwrap_or(self.preferences.page_size.unwrap_or(self.most));
        let size = size.min(self.most);
        let more = top.is_none() && found.len() > size;
        found.truncate(size);
        out.push('[');
        for (place, row) in found.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            self.object(target, row, false, out);
        }
        out.push(']');
        // Assumed: a link only where rows are left, to the same options on the row's own collection.
        if let Some(last) = found.last().filter(|_| more) {
            let cookie = Cookie {
                page: 2,
                last: order.values(self.store, last),
                tracking: None,
            };
            let joint = if query.is_empty() { "" } else { "&" };
            let link = format!("{}/{name}?{query}{joint}$skiptoken=", url(self.root, table, row.id));
            let _done = write!(out, ",\"{name}@odata.nextLink\":");
            print_text(&format!("{}{}", escaped(&link), cookie.print(order)), out);
        }
    }

    /// The row with that identifier in one of the tables, when it fulfils what was asked.
    fn pick<'t>(&self, targets: &'t [Target], id: Guid) -> Option<(&'t Target, &Row)> {
        targets.iter().find_map(|target| {
            let row = self.store.row(&self.store.model().tables()[target.table], id)?;
            let fits = |condition: &super::filter::eval::Condition| condition.holds(self.store, &row.cells);
            target.condition.as_ref().is_none_or(fits).then_some((target, row))
        })
    }

    fn object(&self, target: &Target, row: &Row, typed: bool, out: &mut String) {
        let table = &self.store.model().tables()[target.table];
        out.push('{');
        if typed {
            let _done = write!(out, "\"@odata.type\":\"#Microsoft.Dynamics.CRM.{}\",", table.logical);
        }
        self.row(table, &target.projection, row, out);
        if table.logical == "systemuser"
            && let Some(owner) = table
                .column("ownerid")
                .filter(|at| !target.projection.columns.contains(at))
        {
            // An expanded user comes with its `ownerid` (dataverse.md section 2.3).
            self.member(table, row, owner, "ownerid", out);
        }
        out.push('}');
    }
}
