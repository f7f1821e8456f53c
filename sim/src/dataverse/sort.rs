//! `$orderby`: by which values rows are sorted, also through lookups, and where a page goes on.
//!
//! It reads no pages itself.

use std::cmp::Ordering;

use super::cell::Cell;
use super::error::Fault;
use super::filter::bind::named_column;
use super::filter::operator::Scope;
use super::model::{Kind, Table};
use super::store::{Row, Store};

/// One thing to sort by.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Lookups on the way: column, and the place of the table that it points to.
    steps: Vec<(usize, usize)>,
    column: usize,
    descending: bool,
    /// As a cookie names it.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What rows are sorted by, the primary key last.
#[derive(Clone, Debug)]
pub(super) struct Order(pub(super) Vec<Key>);

impl Order {
    /// From the text of `$orderby`.
    pub(super) fn read(scope: Scope<'_>, text: &str) -> Result<Self, Fault> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let mut words = part.split_ascii_whitespace();
            let path = words.next().unwrap_or_default();
            let descending = match (words.next(), words.next()) {
                (None | Some("asc"), None) => false,
                (Some("desc"), None) => true,
                _ => return Err(Fault::Query(format!("Syntax error at position 0 in '{text}'."))),
            };
            let key = key(scope, path, descending)?;
            if keys.iter().all(|known| known.name != key.name) {
                keys.push(key);
            }
        }
        Ok(Self::then_key(scope.table, keys))
    }

    /// These columns, and the primary key behind them.
    pub(super) fn of(table: &Table, columns: &[(usize, bool)]) -> Self {
        let keys = columns
            .iter()
            .map(|(column, descending)| own(table, *column, *descending));
        Self::then_key(table, keys.collect())
    }

    fn then_key(table: &Table, mut keys: Vec<Key>) -> Self {
        let is_key = |key: &Key| key.steps.is_empty() && key.column == 0;
        if !keys.iter().any(is_key) {
            keys.push(own(table, 0, false));
        }
        Self(keys)
    }

    /// Whether it is the order in which rows are stored.
    pub(super) fn is_by_key(&self) -> bool {
        matches!(self.0.as_slice(), [key] if key.steps.is_empty() && key.column == 0 && !key.descending)
    }

    /// The values of a row, as they are.
    pub(super) fn values(&self, store: &Store, row: &Row) -> Vec<Cell> {
        self.0.iter().map(|key| key.value(store, row)).collect()
    }

    /// Sorts rows.
    pub(super) fn sort<'r>(&self, store: &Store, rows: Vec<&'r Row>) -> Vec<&'r Row> {
        if self.is_by_key() {
            return rows;
        }
        let mut keyed: Vec<(Vec<Cell>, &Row)> = rows.into_iter().map(|row| (self.folded(store, row), row)).collect();
        keyed.sort_by(|(one, _), (other, _)| self.compare(one, other));
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// Whether a row stands behind the one that had these values.
    pub(super) fn is_after(&self, store: &Store, row: &Row, last: &[Cell]) -> bool {
        let last: Vec<Cell> = last.iter().map(Cell::folded).collect();
        self.compare(&self.folded(store, row), &last).is_gt()
    }

    fn folded(&self, store: &Store, row: &Row) -> Vec<Cell> {
        self.0.iter().map(|key| key.value(store, row).folded()).collect()
    }

    fn compare(&self, one: &[Cell], other: &[Cell]) -> Ordering {
        for ((key, one), other) in self.0.iter().zip(one).zip(other) {
            let order = one.cmp(other);
            if order.is_ne() {
                return if key.descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }
}

impl Key {
    fn value(&self, store: &Store, row: &Row) -> Cell {
        let mut row = row;
        for (column, table) in &self.steps {
            let table = &store.model().tables()[*table];
            match row.cells[*column].guid().and_then(|id| store.row(table, id)) {
                Some(next) => row = next,
                None => return Cell::Null,
            }
        }
        row.cells[self.column].clone()
    }
}

fn own(table: &Table, column: usize, descending: bool) -> Key {
    Key {
        steps: Vec::new(),
        column,
        descending,
        name: table.columns[column].name.to_string(),
        kind: table.columns[column].kind,
    }
}

fn key(scope: Scope<'_>, path: &str, descending: bool) -> Result<Key, Fault> {
    let mut names: Vec<&str> = path.split('/').collect();
    let last = names.pop().unwrap_or_default();
    let (mut steps, mut at) = (Vec::new(), scope.table);
    for name in names {
        let way = at.navigation(name).ok_or_else(|| Fault::NoSuchProperty {
            table: at.logical.to_string(),
            name: name.to_owned(),
        })?;
        let target = scope.store.model().by_logical(&way.1.target);
        let target = target.ok_or_else(|| Fault::NotSimulated(format!("table `{}` in `$orderby`", way.1.target)))?;
        scope.asking.may_read(target)?;
        steps.push((way.0, target.index));
        at = target;
    }
    let column = named_column(at, last)?;
    let mut key = own(at, column, descending);
    if !steps.is_empty() {
        key.name = format!(
            "{}.{}",
            path.rsplit_once('/').map_or("", |(lookups, _)| lookups),
            key.name
        )
        .replace('/', ".");
    }
    key.steps = steps;
    Ok(key)
}
