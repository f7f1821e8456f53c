//! Dataverse (Dynamics 365): tables, OData queries, opportunity actions, as the Web API v9 shows them.
//!
//! Everything is grounded in dataverse.md; what the facts do not say is marked `Assumed`. It has no metadata writes, no
//! aggregates in `FetchXML`, no saved queries and no SQL: those are refused by name.
//!
//! Submodules stand in dependency order: values, model, requests as text, rows, rules, answers.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;

use crate::ground::Ground;
use crate::happening::Row;
use crate::site::Site;

use self::protection::Flights;

mod guid;
mod amount;
mod cell;
mod model;
mod protection;
mod catalogue;
mod error;
mod headers;
mod store;
mod access;
mod filter;
mod search;
mod key;
mod address;
mod expand;
mod sort;
mod page;
mod formatted;
mod projection;
mod print;
mod answer;
mod lapse;
mod moment;
mod batch;
mod read;
mod below;
mod apply;
mod fetch;
mod metadata;
mod environment;
mod function;
mod setup;
mod payload;
mod rules;
mod lines;
mod event;
mod write;
mod link;
mod multiple;
mod qualify;
mod bulk;
mod load;
mod action;
mod routes;
#[cfg(test)]
mod tests;

pub use self::catalogue::{ERRORS, Listed, error_answer};
pub use self::protection::Protection;

/// How an environment is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rows of a page unless a request asks for fewer, and the most that it may ask for: 5,000 on the real server.
    pub page_size: usize,
    /// Whether a won or lost opportunity refuses updates until it is reopened.
    ///
    /// Assumed on, from the documentation of the opportunity; one third-party witness reports that the API lets such
    /// rows be written.
    pub closed_rows_are_read_only: bool,
    /// What duplicate detection looks for when a request asks for it. A rule whose table or columns do not exist finds
    /// nothing.
    ///
    /// Assumed: the rules of a new environment are accounts by name, contacts and leads by e-mail address.
    pub duplicate_rules: Vec<AlternateKey>,
    /// Strict mode: notes requests that are understood here and that the real server would refuse, or take otherwise than
    /// their sender means. They are answered all the same.
    pub strict: bool,
    /// Whether the environment says that it is production, and not a sandbox.
    pub production: bool,
    /// How much one user may ask in five minutes; none for no limit.
    pub protection: Option<Protection>,
    /// The logical name of the co-sell solution's child table, its prefix included; the columns take the prefix too.
    ///
    /// Assumed: the real name was not found (dataverse.md section 5).
    pub solutions_table: String,
    /// Alternate keys that somebody has set up. A key whose table or columns do not exist is ignored.
    ///
    /// Assumed: one on the account number, as the documentation's examples have it.
    pub alternate_keys: Vec<AlternateKey>,
    /// Columns that somebody has added. One whose table does not exist, or that is there already, is ignored.
    pub own_columns: Vec<OwnColumn>,
}

/// A column that somebody has added to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnColumn {
    /// The table's logical name: `opportunity`.
    pub table: String,
    /// Its logical name, with the prefix of its publisher: `new_volume`.
    pub name: String,
    /// What it holds.
    pub kind: OwnColumnKind,
}

/// What a column of somebody's own holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnColumnKind {
    /// An amount in the row's currency.
    Money,
    /// A day.
    Date,
    /// A line of text of up to so many characters.
    Text(usize),
    /// Several lines of text of up to so many characters.
    Memo(usize),
}

/// Whether a table has a column without anybody's doing; none when there is no such table. Both by logical name.
pub fn has_column(table: &str, column: &str) -> Option<bool> {
    let model = model::Model::standard();
    let table = model.by_logical(table)?;
    Some(table.attribute(column).is_some())
}

/// An alternate key: columns whose values together name one row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlternateKey {
    /// The table's logical name: `account`.
    pub table: String,
    /// The key's own name: `accountnumber_key`.
    pub name: String,
    /// Logical names of its columns; lookups are allowed.
    pub columns: Vec<String>,
}

/// What the organisation is called.
const ORGANISATION: &str = "contoso";

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 5_000,
            closed_rows_are_read_only: true,
            duplicate_rules: [
                ("account", "name"),
                ("contact", "emailaddress1"),
                ("lead", "emailaddress1"),
            ]
            .map(|(table, column)| AlternateKey {
                table: table.to_owned(),
                name: format!("{table}s with the same {column}"),
                columns: vec![column.to_owned()],
            })
            .to_vec(),
            strict: false,
            production: false,
            protection: Some(Protection::default()),
            solutions_table: model::SOLUTIONS_TABLE.to_owned(),
            alternate_keys: vec![AlternateKey {
                table: "account".to_owned(),
                name: "accountnumber_key".to_owned(),
                columns: vec!["accountnumber".to_owned()],
            }],
            own_columns: Vec::new(),
        }
    }
}

/// One Dataverse environment. Clones share its rows.
#[derive(Clone, Debug)]
pub struct Dataverse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ground: Ground,
    settings: Settings,
    state: Mutex<environment::State>,
    flights: Flights,
}

impl Dataverse {
    /// An environment with five currencies (USD is the base; EUR, GBP, JPY, INR), the people of the ground, the co-sell
    /// solution, and no rows of business.
    pub fn new(settings: Settings, ground: &Ground) -> Self {
        let mut state = environment::State::new(model::Model::of(&settings), ground);
        setup::fill(&mut state, ground);
        state.store.settle();
        Self(Arc::new(Inner {
            ground: ground.clone(),
            settings,
            state: Mutex::new(state),
            flights: Flights::default(),
        }))
    }

    /// The HTTP interface: everything under `/api/data/`.
    pub fn router(&self) -> Router {
        Router::new().fallback(routes::answer).with_state(self.clone())
    }

    /// All stored rows of business, ordered by table and identifier, with lookups under their `_name_value` names.
    pub fn rows(&self) -> Vec<Row> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let model = Arc::clone(state.store.model());
        let mut rows = Vec::new();
        for table in model.tables().iter().filter(|table| !table.setup) {
            rows.extend(state.store.rows(table).map(|row| Row {
                site: Site::Dataverse,
                table: table.logical.to_string(),
                id: row.id.to_string(),
                fields: write::fields(table, row),
            }));
        }
        rows
    }
}
