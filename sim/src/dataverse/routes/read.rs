//! Requests that only read: lists, rows, what stands behind them, functions.
//!
//! It finds out what is needed to read and hands over; how answers look is decided where rows are read.

use http::Method;
use http::request::Parts;

use super::super::address::{Options, decode};
use super::super::answer::Answer;
use super::super::error::Fault;
use super::super::filter::operator::Asking;
use super::super::headers::{self, Preferences};
use super::super::key::RowKey;
use super::super::model::Table;
use super::super::moment;
use super::super::read::{Reader, Source};
use super::super::write::Work;
use super::Call;

impl Call<'_> {
    /// What reading needs.
    pub(super) fn reader<'r>(
        &'r self,
        work: &'r Work<'_>,
        asking: &'r Asking,
        preferences: &'r Preferences,
    ) -> Reader<'r> {
        Reader {
            store: &work.state.store,
            root: self.root,
            asking,
            preferences,
            most: work.settings.page_size.max(1),
            version: work.state.next_version - 1,
        }
    }

    /// Reads with everything that the request's headers and options say.
    fn reading(
        &self,
        work: &Work<'_>,
        read: impl FnOnce(Reader<'_>, &Options) -> Result<Answer, Fault>,
    ) -> Result<Answer, Fault> {
        let preferences = headers::preferences(&self.parts.headers)?;
        let asking = asking(work);
        read(self.reader(work, &asking, &preferences), &self.options()?)
    }

    /// `GET /accounts`, also by `$apply` and `FetchXML`.
    pub(super) fn list(&self, work: &Work<'_>, table: &Table) -> Result<Answer, Fault> {
        self.reading(work, |reader, options| {
            let table = &reader.store.model().tables()[table.index];
            let source = Source {
                table,
                within: None,
                path: &table.set,
            };
            match (&options.apply, &options.fetch_xml) {
                (None, None) => reader.list(source, options),
                (Some(apply), None) => reader.apply(source, apply, options),
                (None, Some(fetch)) => reader.fetch(source, fetch),
                (Some(_), Some(_)) => Err(Fault::NotSimulated("`fetchXml` beside `$apply`".to_owned())),
            }
        })
    }

    /// `GET /accounts/$count`.
    pub(super) fn count_rows(&self, work: &Work<'_>, table: &Table) -> Result<Answer, Fault> {
        self.reading(work, |reader, options| {
            let table = &reader.store.model().tables()[table.index];
            let source = Source {
                table,
                within: None,
                path: &table.set,
            };
            reader.count(source, options)
        })
    }

    /// `GET /accounts(id)`, and whatever stands behind it.
    pub(super) fn row(
        &self,
        work: &Work<'_>,
        (table, key): (&Table, &RowKey),
        path: &[String],
    ) -> Result<Answer, Fault> {
        let conditions = headers::conditions(&self.parts.headers)?;
        self.reading(work, |reader, options| {
            let table = &reader.store.model().tables()[table.index];
            let id = key.existing(reader.store, table)?;
            reader.below((table, id), path, options, &conditions)
        })
    }

    /// `GET /RetrieveVersion()` and its like.
    pub(super) fn function(&self, work: &Work<'_>, function: (&str, &str)) -> Result<Answer, Fault> {
        let organisation = work.state.organisation;
        let base = self.root.split("/api/").next().unwrap_or_default();
        let production = work.settings.production;
        self.reading(work, |reader, options| {
            reader.function(function, options, organisation, (base, production))
        })
    }
}

/// Whether the answer to a list stays the same while no row changes: it asks for no changes, and compares with no time that
/// passes, as functions of Dataverse's own may. That of changes differs in the moment of its token.
pub(super) fn is_steady(parts: &Parts, rest: &str) -> bool {
    const MOVING: [&str; 3] = ["microsoft.dynamics", "fetchxml", "$apply"];
    let query = decode(parts.uri.query().unwrap_or_default(), true).unwrap_or_default();
    let query = query.to_ascii_lowercase();
    parts.method == Method::GET
        && !parts.headers.contains_key("prefer")
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !MOVING.iter().any(|word| query.contains(word))
        && (!query.contains("$deltatoken") || moment::split(super::target(parts)).is_some())
}

/// Who asks, and when.
pub(super) fn asking(work: &Work<'_>) -> Asking {
    Asking {
        now: work.ground.clock.now(),
        user: work.caller.id,
        unit: work.state.organisation.business_unit,
        roles: work.caller.roles.clone(),
    }
}
