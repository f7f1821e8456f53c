//! How tables are put together: columns by kind, money with its twin, the platform's own columns.
//!
//! Which tables there are stands in [`super::tables`].

use super::super::amount::Amount;
use super::super::cell::Cell;
use super::{Column, Kind, Name, Navigation, OnDelete, State, System, Table};

impl Column {
    /// A column that requests may set, without a default.
    pub(super) fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name: Name::Borrowed(name),
            wire: Name::Borrowed(name),
            kind,
            settable: true,
            indexed: false,
            default: Cell::Null,
            navigations: Vec::new(),
        }
    }

    pub(super) fn read_only(mut self) -> Self {
        self.settable = false;
        self
    }

    pub(super) fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    pub(super) fn default(mut self, cell: Cell) -> Self {
        self.default = cell;
        self
    }
}

/// Text of at most `max` units.
pub(super) fn text(name: &'static str, max: usize) -> Column {
    Column::new(name, Kind::Text { max })
}

/// Yes or no, `false` in a new row.
pub(super) fn bool(name: &'static str) -> Column {
    Column::new(name, Kind::Bool).default(Cell::Bool(false))
}

/// A choice without a default.
pub(super) fn choice(name: &'static str, values: &'static [i64]) -> Column {
    Column::new(name, Kind::Choice { values })
}

/// A lookup with its bindings: navigation property, target table, what a deletion does.
pub(super) fn lookup(name: &'static str, ways: &[(&'static str, &'static str, OnDelete)]) -> Column {
    let mut column = Column::new(name, Kind::Lookup).indexed();
    column.wire = Name::Owned(format!("_{name}_value"));
    column.navigations = ways
        .iter()
        .map(|(name, target, on_delete)| Navigation {
            name: Name::Borrowed(name),
            target: Name::Borrowed(target),
            on_delete: *on_delete,
        })
        .collect();
    column
}

/// Collects a table's columns.
pub(super) struct Builder {
    logical: &'static str,
    set: &'static str,
    writable: bool,
    states: &'static [State],
    columns: Vec<Column>,
    money: bool,
}

impl Builder {
    pub(super) fn new(logical: &'static str, set: &'static str, key: &'static str, states: &'static [State]) -> Self {
        Self {
            logical,
            set,
            writable: true,
            states,
            columns: vec![Column::new(key, Kind::Key).read_only()],
            money: false,
        }
    }

    pub(super) fn read_only(mut self) -> Self {
        self.writable = false;
        self
    }

    pub(super) fn with(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.columns.extend(columns);
        self
    }

    /// A money column and its `_base` twin right behind it.
    pub(super) fn money(mut self, name: &'static str, bound: i64, settable: bool) -> Self {
        let mut column = Column::new(name, Kind::Money { bound });
        column.settable = settable;
        let mut base = Column::new(name, Kind::BaseMoney).read_only();
        base.name = Name::Owned(format!("{name}_base"));
        base.wire.clone_from(&base.name);
        self.columns.extend([column, base]);
        self.money = true;
        self
    }

    /// Adds the platform's own columns and closes the table.
    pub(super) fn build(mut self) -> Table {
        let mut system = System::default();
        if self.money {
            let at = self.columns.len();
            let way = ("transactioncurrencyid", "transactioncurrency", OnDelete::RemoveLink);
            self.columns.push(lookup("transactioncurrencyid", &[way]));
            let rate = Kind::Decimal {
                places: 10,
                bound: 100_000_000_000,
            };
            self.columns.push(Column::new("exchangerate", rate).read_only());
            system.currency = Some((at, at + 1));
        }
        let mut add = |column: Column| {
            self.columns.push(column);
            self.columns.len() - 1
        };
        let user = |name: &'static str| lookup(name, &[(name, "systemuser", OnDelete::RemoveLink)]).read_only();
        system.owner = add(user("ownerid"));
        system.created_on = add(Column::new("createdon", Kind::Time).read_only().indexed());
        system.created_by = add(user("createdby"));
        system.modified_on = add(Column::new("modifiedon", Kind::Time).read_only().indexed());
        system.modified_by = add(user("modifiedby"));
        system.state = add(Column::new("statecode", Kind::State).default(first_state(self.states, |state| state.code)));
        let status = first_state(self.states, |state| state.statuses[0]);
        system.status = add(Column::new("statuscode", Kind::Status).default(status));
        system.version = add(Column::new("versionnumber", Kind::Version).read_only());
        self.close(system)
    }

    fn close(self, system: System) -> Table {
        let by_wire = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.wire.clone(), at))
            .collect();
        let ways = self.columns.iter().enumerate().flat_map(|(at, column)| {
            let ways = column.navigations.iter().enumerate();
            ways.map(move |(way, navigation)| (navigation.name.clone(), (at, way)))
        });
        Table {
            index: 0,
            logical: Name::Borrowed(self.logical),
            set: Name::Borrowed(self.set),
            writable: self.writable,
            navigations: ways.collect(),
            by_wire,
            states: self.states,
            system,
            columns: self.columns,
        }
    }
}

fn first_state(states: &'static [State], pick: fn(&State) -> i64) -> Cell {
    states.first().map_or(Cell::Null, |state| Cell::Int(pick(state)))
}

/// A decimal default.
pub(super) fn amount(number: i64) -> Cell {
    Cell::Amount(Amount::whole(number))
}
