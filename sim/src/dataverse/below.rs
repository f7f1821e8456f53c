//! Reading what stands behind a row in a URL: a column, the row that a lookup points to, a collection, links, counts
//! (dataverse.md section 2.3).
//!
//! Writing there is decided elsewhere.

use http::StatusCode;

use super::address::Options;
use super::answer::Answer;
use super::cell::Cell;
use super::error::Fault;
use super::formatted::pointed;
use super::guid::Guid;
use super::headers::Conditions;
use super::key::RowKey;
use super::model::Table;
use super::print::{Reader, url};
use super::read::Source;
use super::store::Row;

impl<'a> Reader<'a> {
    /// `GET /accounts(id)/...`.
    pub(super) fn below(
        &self,
        (table, id): (&'a Table, Guid),
        path: &[String],
        options: &Options,
        conditions: &Conditions,
    ) -> Result<Answer, Fault> {
        let row = self
            .store
            .row(table, id)
            .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
        let Some((segment, rest)) = path.split_first() else {
            return self.one((table, id), options, conditions);
        };
        let rest_words: Vec<&str> = rest.iter().map(String::as_str).collect();
        if let Some(at) = table.column(segment).filter(|at| table.columns[*at].readable) {
            return self.column(table, row, at, &rest_words);
        }
        let (name, key) = match segment.split_once('(') {
            Some((name, key)) => (name, Some(key.strip_suffix(')').ok_or_else(|| unknown(path))?)),
            None => (segment.as_str(), None),
        };
        if let Some(collection) = table.collections.get(name) {
            let rows = &self.store.model().tables()[collection.table];
            self.asking.may_read(rows)?;
            let related = format!("{}({id})/{name}", table.set);
            let source = Source {
                table: rows,
                within: Some((collection.via, id)),
                path: &related,
            };
            return match (key, rest_words.as_slice()) {
                (None, []) => self.list(source, options),
                (None, ["$count"]) => self.count(source, options),
                (None, ["$ref"]) => self.links(source, options),
                (None, _) => Err(unknown(path)),
                (Some(key), _) => {
                    let member = RowKey::parse(rows, key)?.existing(self.store, rows)?;
                    let found = self.store.related(rows, collection.via, id);
                    if found.iter().any(|row| row.id == member) {
                        self.below((rows, member), rest, options, conditions)
                    } else {
                        Err(Fault::no_such_row(&rows.logical, member))
                    }
                }
            };
        }
        let Some((at, _)) = table.navigation(name).filter(|_| key.is_none()) else {
            return Err(Fault::NoSuchSegment(name.to_owned()));
        };
        let Some((target, id)) = self.target(table, row, (at, name)) else {
            return Ok(Answer::empty());
        };
        self.asking.may_read(target)?;
        if rest_words.as_slice() == ["$ref"] {
            let body = format!(
                "{{\"@odata.context\":\"{}$metadata#$ref\",\"@odata.id\":\"{}\"}}",
                self.root,
                url(self.root, target, id)
            );
            return Ok(Answer::json(StatusCode::OK, body));
        }
        self.below((target, id), rest, options, conditions)
    }

    /// The row behind a lookup, when it is of the table that the navigation property leads to.
    fn target(&self, table: &'a Table, row: &Row, (at, name): (usize, &str)) -> Option<(&'a Table, Guid)> {
        let id = row.cells[at].guid()?;
        let (target, _) = pointed(self.store, table, at, id)?;
        let leads_there = table.ways(name).any(|(_, way)| way.target == target.logical);
        let there = self.store.row(target, id).is_some();
        (leads_there && there).then_some((target, id))
    }

    /// One column: as JSON, or bare with `/$value`. Nothing is 204 (assumed, as `OData` has it).
    fn column(&self, table: &Table, row: &Row, at: usize, rest: &[&str]) -> Result<Answer, Fault> {
        let column = &table.columns[at];
        let cell = &row.cells[at];
        if cell.is_null() {
            return Ok(Answer::empty());
        }
        let mut value = String::new();
        cell.print(column.kind.printed_places(), &mut value);
        match rest {
            [] => {
                let body = format!(
                    "{{\"@odata.context\":\"{}$metadata#{}({})/{}\",\"value\":{value}}}",
                    self.root, table.set, row.id, column.wire
                );
                Ok(Answer::json(StatusCode::OK, body))
            }
            ["$value"] => {
                let bare = match cell {
                    Cell::Text(text) => text.to_string(),
                    Cell::Null
                    | Cell::Bool(_)
                    | Cell::Int(_)
                    | Cell::Amount(_)
                    | Cell::Guid(_)
                    | Cell::Date(_)
                    | Cell::Time(_) => value.trim_matches('"').to_owned(),
                };
                Ok(Answer::text("text/plain", bare))
            }
            _ => Err(Fault::NoSuchSegment(rest.join("/"))),
        }
    }

    /// Links to the rows of a collection.
    fn links(&self, source: Source<'a>, options: &Options) -> Result<Answer, Fault> {
        let condition = self.condition(source.table, options)?;
        let rows = self.rows(source, condition.as_ref());
        let links = rows
            .iter()
            .map(|row| format!("{{\"@odata.id\":\"{}\"}}", url(self.root, source.table, row.id)));
        let body = format!(
            "{{\"@odata.context\":\"{}$metadata#Collection($ref)\",\"value\":[{}]}}",
            self.root,
            links.collect::<Vec<_>>().join(",")
        );
        Ok(Answer::json(StatusCode::OK, body))
    }
}

fn unknown(path: &[String]) -> Fault {
    Fault::NotSimulated(format!("path `{}` behind a row", path.join("/")))
}
