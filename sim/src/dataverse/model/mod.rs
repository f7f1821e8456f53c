//! What tables there are: columns, lookups, choices, states, relationships, keys. One model feeds validation, printing,
//! filtering and the metadata that clients read.
//!
//! It holds no rows. The tables themselves stand in the text tables beside this file; [`load`] reads them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::cell::Cell;
use super::{AlternateKey, OwnColumn, OwnColumnKind};

mod choice;
mod column;
mod build;
mod load;

pub(super) use choice::{ChoiceSet, State, choices};
pub(super) use column::{Attribute, Column, Kind, Navigation, OnDelete, Required};

/// A name on the wire. Borrowed for what is built in, so that a configured name can stand beside it.
pub(super) type Name = Cow<'static, str>;

/// The child table of co-sell solutions under the name that it has unless an environment says otherwise.
pub(super) const SOLUTIONS_TABLE: &str = "msft_partnercentersolution";

/// Every table.
#[derive(Debug)]
pub(super) struct Model {
    tables: Vec<Table>,
    by_set: BTreeMap<Name, usize>,
    by_logical: BTreeMap<Name, usize>,
    many: Vec<Many>,
}

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    /// Its place in the model.
    pub(super) index: usize,
    /// The logical name: `opportunity`.
    pub(super) logical: Name,
    /// The name in the schema: `Opportunity`.
    pub(super) schema: Name,
    /// The entity set's name: `opportunities`.
    pub(super) set: Name,
    /// What people read: `Opportunity`, and for several `Opportunities`.
    pub(super) labels: (&'static str, &'static str),
    /// Who owns its rows.
    pub(super) ownership: Ownership,
    /// The number of the type.
    pub(super) code: i64,
    /// Whether requests may write it.
    pub(super) writable: bool,
    /// Whether its rows describe the environment rather than the business.
    pub(super) setup: bool,
    /// Whether a solution added it.
    pub(super) custom: bool,
    /// Whether it only joins the two sides of a many-to-many relationship.
    pub(super) intersect: bool,
    /// Whether changes can be followed (dataverse.md section 2.8).
    pub(super) change_tracking: bool,
    /// Whether entity tags hold a write back or save a read (dataverse.md section 2.3).
    pub(super) optimistic: bool,
    /// Columns; the first is the primary key.
    pub(super) columns: Vec<Column>,
    /// The column that names a row to people.
    pub(super) primary_name: Option<usize>,
    /// Allowed states, each with its statuses. Empty for a table without states.
    pub(super) states: &'static [State],
    /// The columns that every table has, and the currency pair of those with money.
    pub(super) system: System,
    /// Other sets of columns that name one row.
    pub(super) keys: Vec<Key>,
    /// Collection-valued navigation properties, by name.
    pub(super) collections: BTreeMap<Name, Collection>,
    by_wire: BTreeMap<Name, usize>,
    navigations: BTreeMap<Name, Vec<(usize, usize)>>,
}

/// Who owns rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// A user or a team.
    User,
    /// A business unit.
    Unit,
    /// The organisation.
    Organisation,
}

/// An alternate key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: Name,
    /// Its columns.
    pub(super) columns: Vec<usize>,
}

/// A collection-valued navigation property.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    /// The table of its rows.
    pub(super) table: usize,
    /// How its rows are found.
    pub(super) via: Via,
}

/// How the rows of a collection are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// Their lookup in this column points here.
    Lookup(usize),
    /// A row of the intersect table names both: here in column `near`, there in column `far`.
    Intersect { table: usize, near: usize, far: usize },
}

/// A many-to-many relationship.
#[derive(Clone, Debug)]
pub(super) struct Many {
    /// Its name.
    pub(super) name: Name,
    /// The table of pairs.
    pub(super) intersect: usize,
    /// Both sides: table, column of the intersect table, navigation property that leads to the other side.
    pub(super) sides: [(usize, usize, Name); 2],
}

/// Places of the columns that the platform writes.
#[derive(Clone, Debug, Default)]
pub(super) struct System {
    pub(super) created_on: usize,
    pub(super) created_by: usize,
    pub(super) created_on_behalf: usize,
    pub(super) modified_on: usize,
    pub(super) modified_by: usize,
    pub(super) modified_on_behalf: usize,
    pub(super) version: usize,
    /// For rows that users and teams own.
    pub(super) owner: Option<Owner>,
    /// `statecode` and `statuscode`, for tables with states.
    pub(super) state: Option<(usize, usize)>,
    /// `transactioncurrencyid` and `exchangerate`, for tables with money.
    pub(super) currency: Option<(usize, usize)>,
}

/// Places of the columns that say who owns a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// `ownerid`: a user or a team.
    pub(super) id: usize,
    /// `owningbusinessunit`, `owninguser`, `owningteam`: what follows from it.
    pub(super) unit: usize,
    pub(super) user: usize,
    pub(super) team: usize,
}

impl Model {
    /// The model of an environment whose settings name nothing anew, shared by all of those.
    pub(super) fn standard() -> Arc<Self> {
        static STANDARD: LazyLock<Arc<Model>> = LazyLock::new(|| {
            let settings = super::Settings::default();
            Arc::new(Model::new(&settings))
        });
        Arc::clone(&STANDARD)
    }

    /// The model of an environment with these settings.
    pub(super) fn of(settings: &super::Settings) -> Arc<Self> {
        let standard = super::Settings::default();
        let same = settings.solutions_table == standard.solutions_table
            && settings.alternate_keys == standard.alternate_keys
            && settings.own_columns.is_empty();
        if same {
            return Self::standard();
        }
        Arc::new(Self::new(settings))
    }

    fn new(settings: &super::Settings) -> Self {
        let mut tables = load::tables(&settings.solutions_table);
        for own in &settings.own_columns {
            if let Some(table) = tables.iter_mut().find(|table| table.logical == own.table.as_str()) {
                table.add(own);
            }
        }
        let pairs = load::many();
        tables.extend(pairs.iter().map(build::intersect));
        tables.sort_by(|one, other| one.logical.cmp(&other.logical));
        for (index, table) in tables.iter_mut().enumerate() {
            table.index = index;
        }
        let by = |name: fn(&Table) -> &Name| tables.iter().map(|table| (name(table).clone(), table.index)).collect();
        let (by_set, by_logical) = (by(|table| &table.set), by(|table| &table.logical));
        let mut model = Self {
            tables,
            by_set,
            by_logical,
            many: Vec::new(),
        };
        model.many = pairs.iter().filter_map(|pair| build::many(&model, pair)).collect();
        build::collections(&mut model);
        for key in &settings.alternate_keys {
            model.add_key(key);
        }
        model
    }

    /// A key whose table or columns are not there is left out: settings are checked where they are read.
    fn add_key(&mut self, key: &AlternateKey) {
        let Some(index) = self.by_logical.get(key.table.as_str()).copied() else {
            return;
        };
        let table = &mut self.tables[index];
        let column = |name: &String| table.columns.iter().position(|column| column.name == name.as_str());
        let Some(columns) = key.columns.iter().map(column).collect::<Option<Vec<usize>>>() else {
            return;
        };
        if let Some(first) = columns.first() {
            table.columns[*first].indexed = true;
            let name = Name::Owned(key.name.clone());
            table.keys.push(Key { name, columns });
        }
    }

    /// All tables, ordered by logical name.
    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Many-to-many relationships.
    pub(super) fn many(&self) -> &[Many] {
        &self.many
    }

    /// The table of an entity set. Names are case-sensitive.
    pub(super) fn by_set(&self, set: &str) -> Option<&Table> {
        self.by_set.get(set).map(|index| &self.tables[*index])
    }

    /// The table of a logical name.
    pub(super) fn by_logical(&self, logical: &str) -> Option<&Table> {
        self.by_logical.get(logical).map(|index| &self.tables[*index])
    }

    /// A table that the built-in model is known to have.
    pub(super) fn expect(&self, logical: &str) -> &Table {
        self.by_logical(logical).expect("a table of the built-in model")
    }
}

impl Table {
    /// Adds a column of somebody's own, and behind money its twin in the base currency.
    fn add(&mut self, own: &OwnColumn) {
        let money = matches!(own.kind, OwnColumnKind::Money);
        if self.attribute(&own.name).is_some() || (money && self.system.currency.is_none()) {
            return;
        }
        let column = Column::own(own);
        let twin = money.then(|| build::twin(&column));
        for column in std::iter::once(column).chain(twin) {
            self.by_wire.insert(column.wire.clone(), self.columns.len());
            self.columns.push(column);
        }
    }

    /// The column of that wire name, for writing. Names are case-sensitive.
    pub(super) fn column(&self, wire: &str) -> Option<usize> {
        self.by_wire.get(wire).copied()
    }

    /// The column of that logical name: `customerid` for what is read as `_customerid_value`.
    pub(super) fn attribute(&self, logical: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == logical)
    }

    /// The column and the way to bind it, for a single-valued navigation property: the first of several ways.
    pub(super) fn navigation(&self, name: &str) -> Option<(usize, &Navigation)> {
        self.ways(name).next()
    }

    /// The column and every way to bind it, for a single-valued navigation property. `ownerid` has two: a user, a team.
    pub(super) fn ways(&self, name: &str) -> impl Iterator<Item = (usize, &Navigation)> {
        let ways = self.navigations.get(name).into_iter().flatten();
        ways.map(|(column, way)| (*column, &self.columns[*column].navigations[*way]))
    }

    /// A column that the built-in model is known to have.
    pub(super) fn expect(&self, wire: &str) -> usize {
        self.column(wire).expect("a column of the built-in model")
    }

    /// Whether commits leave the column out: times of modification and version numbers.
    pub(super) fn is_stamp(&self, column: usize) -> bool {
        column == self.system.modified_on
            || column == self.system.modified_by
            || column == self.system.modified_on_behalf
            || column == self.system.version
    }

    /// Whether its rows are activities: the key is `activityid`.
    pub(super) fn is_activity(&self) -> bool {
        self.columns[0].name == "activityid"
    }

    /// The state of that number.
    pub(super) fn state(&self, code: i64) -> Option<&'static State> {
        self.states.iter().find(|state| state.code == code)
    }

    /// What a row with all defaults holds.
    pub(super) fn blank(&self) -> Vec<Cell> {
        self.columns.iter().map(|column| column.default.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
