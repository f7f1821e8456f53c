//! What tables there are: columns, lookups, states. One model feeds validation, printing and filtering.
//!
//! It holds no rows. The tables themselves stand in [`tables`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::cell::Cell;

mod build;
mod tables;

/// A name on the wire. Borrowed for what is built in, so that a configured name can stand beside it.
pub(super) type Name = Cow<'static, str>;

/// Every table.
#[derive(Debug)]
pub(super) struct Model {
    tables: Vec<Table>,
    by_set: BTreeMap<Name, usize>,
    by_logical: BTreeMap<Name, usize>,
}

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    /// Its place in the model.
    pub(super) index: usize,
    /// The logical name: `opportunity`.
    pub(super) logical: Name,
    /// The entity set's name: `opportunities`.
    pub(super) set: Name,
    /// Whether requests may write it.
    pub(super) writable: bool,
    /// Columns; the first is the primary key.
    pub(super) columns: Vec<Column>,
    /// Allowed states, each with its statuses. Empty for a table without states.
    pub(super) states: &'static [State],
    /// The columns that every table has, and the currency pair of those with money.
    pub(super) system: System,
    by_wire: BTreeMap<Name, usize>,
    navigations: BTreeMap<Name, (usize, usize)>,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    /// The logical name: `customerid`.
    pub(super) name: Name,
    /// The name under which it is read and filtered: `_customerid_value` for a lookup, else the logical name.
    pub(super) wire: Name,
    /// What it holds.
    pub(super) kind: Kind,
    /// Whether a request may set it. Values for others are ignored.
    pub(super) settable: bool,
    /// Whether look-ups by its value are fast.
    pub(super) indexed: bool,
    /// The value of a new row.
    pub(super) default: Cell,
    /// For a lookup: one way to bind it for each table that it may point to.
    pub(super) navigations: Vec<Navigation>,
}

/// A way to bind a lookup: `customerid_account@odata.bind`.
#[derive(Debug)]
pub(super) struct Navigation {
    /// The single-valued navigation property, case as in the schema.
    pub(super) name: Name,
    /// The logical name of the table that it points to.
    pub(super) target: Name,
    /// What happens to a row when the one that it points to is deleted.
    pub(super) on_delete: OnDelete,
}

/// What happens to a row when the one that it points to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// The lookup is cleared.
    RemoveLink,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The primary key.
    Key,
    /// Text up to so many UTF-16 units.
    Text { max: usize },
    /// Yes or no.
    Bool,
    /// A whole number within bounds.
    Int { min: i64, max: i64 },
    /// One of a list of numbers.
    Choice { values: &'static [i64] },
    /// `statecode`.
    State,
    /// `statuscode`.
    Status,
    /// Money in the row's currency, within ± the bound.
    Money { bound: i64 },
    /// Money in the base currency: the twin of the money column at this distance before it.
    BaseMoney,
    /// A decimal number with so many places.
    Decimal { places: u32, bound: i64 },
    /// A day without a time.
    Date,
    /// A moment.
    Time,
    /// A reference to a row of another table.
    Lookup,
    /// The row's version.
    Version,
}

impl Kind {
    /// Decimal places in print. Money has four (dataverse.md section 2.3, documented sample).
    pub(super) fn printed_places(self) -> u32 {
        match self {
            Self::Decimal { places, .. } => places,
            Self::Key
            | Self::Text { .. }
            | Self::Bool
            | Self::Int { .. }
            | Self::Choice { .. }
            | Self::State
            | Self::Status
            | Self::Money { .. }
            | Self::BaseMoney
            | Self::Date
            | Self::Time
            | Self::Lookup
            | Self::Version => 4,
        }
    }

    /// The name of its `OData` type, for messages.
    pub(super) fn edm(self) -> &'static str {
        match self {
            Self::Key | Self::Lookup => "Edm.Guid",
            Self::Text { .. } => "Edm.String",
            Self::Bool => "Edm.Boolean",
            Self::Int { .. } | Self::Choice { .. } | Self::State | Self::Status => "Edm.Int32",
            Self::Version => "Edm.Int64",
            Self::Money { .. } | Self::BaseMoney | Self::Decimal { .. } => "Edm.Decimal",
            Self::Date => "Edm.Date",
            Self::Time => "Edm.DateTimeOffset",
        }
    }
}

/// One state of a table with its statuses; the first is its default.
#[derive(Debug)]
pub(super) struct State {
    /// `statecode`.
    pub(super) code: i64,
    /// Its name in messages: `Open`.
    pub(super) name: &'static str,
    /// Allowed `statuscode`s.
    pub(super) statuses: &'static [i64],
    /// What messages call the action that alone leads here, for a state that no update can set: `won`. Its rows are
    /// read-only.
    pub(super) action: Option<&'static str>,
}

/// Places of the columns that the platform writes.
#[derive(Debug, Default)]
pub(super) struct System {
    pub(super) created_on: usize,
    pub(super) created_by: usize,
    pub(super) modified_on: usize,
    pub(super) modified_by: usize,
    pub(super) owner: usize,
    pub(super) version: usize,
    pub(super) state: usize,
    pub(super) status: usize,
    /// `transactioncurrencyid` and `exchangerate`, for tables with money.
    pub(super) currency: Option<(usize, usize)>,
}

impl Model {
    /// The built-in model, shared by every environment.
    pub(super) fn standard() -> Arc<Self> {
        static STANDARD: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(Model::new(tables::standard())));
        Arc::clone(&STANDARD)
    }

    fn new(mut tables: Vec<Table>) -> Self {
        tables.sort_by(|one, other| one.logical.cmp(&other.logical));
        for (index, table) in tables.iter_mut().enumerate() {
            table.index = index;
        }
        let by = |name: fn(&Table) -> &Name| tables.iter().map(|table| (name(table).clone(), table.index)).collect();
        let (by_set, by_logical) = (by(|table| &table.set), by(|table| &table.logical));
        Self {
            tables,
            by_set,
            by_logical,
        }
    }

    /// All tables, ordered by logical name.
    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
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
    /// The column of that wire name. Names are case-sensitive.
    pub(super) fn column(&self, wire: &str) -> Option<usize> {
        self.by_wire.get(wire).copied()
    }

    /// The column and the way to bind it, for a single-valued navigation property.
    pub(super) fn navigation(&self, name: &str) -> Option<(usize, &Navigation)> {
        let (column, way) = self.navigations.get(name)?;
        Some((*column, &self.columns[*column].navigations[*way]))
    }

    /// A column that the built-in model is known to have.
    pub(super) fn expect(&self, wire: &str) -> usize {
        self.column(wire).expect("a column of the built-in model")
    }

    /// Whether commits leave the column out: times of modification and version numbers.
    pub(super) fn is_stamp(&self, column: usize) -> bool {
        column == self.system.modified_on || column == self.system.modified_by || column == self.system.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_are_read_under_their_value_name_and_bound_under_their_navigation_property() {
        let model = Model::standard();
        let opportunity = model.by_set("opportunities").unwrap();
        assert!(opportunity.column("customerid").is_none());
        let column = opportunity.expect("_customerid_value");
        let (bound, way) = opportunity.navigation("customerid_contact").unwrap();
        assert_eq!((column, &*way.target), (bound, "contact"));
        let solution = model.by_set("msft_partnercentersolutions").unwrap();
        assert!(solution.navigation("msft_Opportunity").is_some());
        assert!(
            solution.navigation("msft_opportunity").is_none(),
            "names of custom lookups are case-sensitive"
        );
    }

    #[test]
    fn every_money_column_has_its_base_twin_right_behind_it() {
        for table in Model::standard().tables() {
            for (at, column) in table.columns.iter().enumerate() {
                if matches!(column.kind, Kind::Money { .. }) {
                    assert_eq!(table.columns[at + 1].wire, format!("{}_base", column.name));
                    assert!(table.system.currency.is_some());
                }
            }
        }
    }
}
