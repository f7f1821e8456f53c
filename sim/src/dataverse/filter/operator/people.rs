//! Conditions on who and on what stands above: the caller, their teams, rows of a hierarchy.
//!
//! They are looked up when a request is read, not when rows are.

use std::collections::BTreeSet;

use super::super::super::cell::Cell;
use super::super::super::error::Fault;
use super::super::super::guid::Guid;
use super::super::super::model::Via;
use super::Scope;

/// Rows that stand for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum People {
    /// The caller, or anybody else.
    User(bool),
    /// The caller's business unit, or any other.
    BusinessUnit(bool),
    /// The caller's teams, and perhaps the caller too.
    Teams(bool),
}

impl People {
    /// Whether the rows are wanted rather than all others.
    pub(super) fn includes(self) -> bool {
        !matches!(self, Self::User(false) | Self::BusinessUnit(false))
    }

    /// Identifiers of those rows.
    pub(super) fn rows(self, scope: Scope<'_>) -> BTreeSet<Cell> {
        let asking = scope.asking;
        let with_caller = match self {
            Self::User(_) => return BTreeSet::from([Cell::Guid(asking.user)]),
            Self::BusinessUnit(_) => return BTreeSet::from([Cell::Guid(asking.unit)]),
            Self::Teams(with_caller) => with_caller,
        };
        let mut found = BTreeSet::new();
        let model = scope.store.model();
        if let Some(teams) = model.expect("systemuser").collections.get("teammembership_association") {
            let table = &model.tables()[teams.table];
            let rows = scope.store.related(table, teams.via, asking.user);
            found.extend(rows.into_iter().map(|row| Cell::Guid(row.id)));
        }
        if with_caller {
            found.insert(Cell::Guid(asking.user));
        }
        found
    }
}

/// Rows above or below one, by the lookup of its table to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// Above, perhaps with the row itself.
    Above(bool),
    /// Below, perhaps with the row itself.
    Under(bool),
    /// All that are neither below nor the row itself.
    NotUnder,
}

impl Hierarchy {
    /// Identifiers of those rows; of all others for `NotUnder`.
    pub(super) fn rows(
        self,
        scope: Scope<'_>,
        (column, name): (usize, &str),
        id: &Cell,
    ) -> Result<BTreeSet<Cell>, Fault> {
        let (store, table) = (scope.store, scope.table);
        let parent = table.columns.iter().position(|column| {
            let own = column.navigations.iter().any(|way| way.target == table.logical);
            own && column.name.starts_with("parent")
        });
        let (Some(parent), 0, Some(id)) = (parent, column, id.guid()) else {
            // Assumed text.
            let text = format!(
                "The operator '{name}' needs the primary key of a table with a hierarchy, not '{}.{}'.",
                table.logical, table.columns[column].name
            );
            return Err(Fault::Argument(text));
        };
        let mut found: BTreeSet<Cell> = BTreeSet::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            let around: Vec<Guid> = if matches!(self, Self::Above(_)) {
                let row = store.row(table, next);
                row.and_then(|row| row.cells[parent].guid()).into_iter().collect()
            } else {
                let below = store.related(table, Via::Lookup(parent), next);
                below.into_iter().map(|row| row.id).collect()
            };
            open.extend(around.into_iter().filter(|id| found.insert(Cell::Guid(*id))));
        }
        let itself = Cell::Guid(id);
        if matches!(self, Self::Above(true) | Self::Under(true) | Self::NotUnder) {
            found.insert(itself);
        } else {
            found.remove(&itself);
        }
        Ok(found)
    }
}
