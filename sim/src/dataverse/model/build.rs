//! How tables are put together: columns with their twins, the platform's own columns, relationships both ways.
//!
//! Which tables there are stands in the text tables that [`super::load`] reads.

use super::super::cell::Cell;
use super::load::Pair;
use super::{
    Attribute, Collection, Column, Kind, Many, Model, Name, Navigation, OnDelete, Owner, Ownership, Required, State,
    System, Table, Via,
};

/// A table's head.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) logical: Name,
    pub(super) set: Name,
    pub(super) schema: Name,
    pub(super) labels: (&'static str, &'static str),
    pub(super) key: Name,
    pub(super) name: Name,
    pub(super) ownership: Ownership,
    pub(super) code: i64,
    /// Letters of the table of tables.
    pub(super) flags: &'static str,
    pub(super) states: &'static [State],
}

/// Collects a table's columns.
pub(super) struct Builder {
    head: Head,
    columns: Vec<Column>,
}

impl Builder {
    pub(super) fn new(head: Head) -> Self {
        let key = Column::new("", head.labels.0, Kind::Key, Attribute::Uniqueidentifier);
        let mut key = key.read_only().required(Required::System);
        key.name.clone_from(&head.key);
        key.wire.clone_from(&head.key);
        key.schema = if head.key == "activityid" {
            Name::Borrowed("ActivityId")
        } else {
            Name::Owned(format!("{}Id", head.schema))
        };
        let mut columns = vec![key];
        if head.key == "activityid" {
            let kind = Kind::Text { max: 128 };
            let column = Column::new("ActivityTypeCode", "Activity Type", kind, Attribute::EntityName);
            columns.push(column.read_only().default(Cell::text(&head.logical)));
        }
        Self { head, columns }
    }

    /// Adds a column, and behind money its twin in the base currency.
    pub(super) fn push(&mut self, column: Column) {
        let twin = matches!(column.kind, Kind::Money { .. }).then(|| twin(&column));
        self.columns.push(column);
        self.columns.extend(twin);
    }

    /// Adds the platform's own columns and closes the table.
    pub(super) fn build(mut self) -> Table {
        let mut system = System::default();
        if self
            .columns
            .iter()
            .any(|column| matches!(column.kind, Kind::Money { .. }))
        {
            system.currency = Some(self.currency());
        }
        if self.head.ownership == Ownership::User {
            system.owner = Some(self.owner());
        }
        system.created_on = self.add(time("CreatedOn", "Created On"));
        system.created_by = self.user("CreatedBy", "Created By");
        system.created_on_behalf = self.user("CreatedOnBehalfBy", "Created By (Delegate)");
        system.modified_on = self.add(time("ModifiedOn", "Modified On"));
        system.modified_by = self.user("ModifiedBy", "Modified By");
        system.modified_on_behalf = self.user("ModifiedOnBehalfBy", "Modified By (Delegate)");
        if let Some(first) = self.head.states.first() {
            let state = Column::new("StateCode", "Status", Kind::State, Attribute::State);
            let state = self.add(state.required(Required::System).default(Cell::Int(first.code)));
            let status = Column::new("StatusCode", "Status Reason", Kind::Status, Attribute::Status);
            let status = self.add(status.default(Cell::Int(first.statuses[0])));
            system.state = Some((state, status));
        }
        let version = Column::new("VersionNumber", "Version Number", Kind::Version, Attribute::BigInt);
        system.version = self.add(version.read_only());
        self.close(system)
    }

    fn add(&mut self, column: Column) -> usize {
        self.columns.push(column);
        self.columns.len() - 1
    }

    fn currency(&mut self) -> (usize, usize) {
        let column = Column::new("TransactionCurrencyId", "Currency", Kind::Lookup, Attribute::Lookup);
        let relationship = Name::Owned(format!("transactioncurrency_{}", self.head.logical));
        let mut way = way("transactioncurrencyid", "transactioncurrency", relationship);
        way.on_delete = OnDelete::Restrict;
        let currency = self.add(column.pointing(vec![way]));
        let kind = Kind::Decimal {
            places: 10,
            bound: 100_000_000_000,
        };
        let rate = Column::new("ExchangeRate", "Exchange Rate", kind, Attribute::Decimal);
        (currency, self.add(rate.read_only()))
    }

    fn owner(&mut self) -> Owner {
        let set = self.head.set.clone();
        let relationship = |kind: &str| Name::Owned(format!("{kind}_{set}"));
        let id = Column::new("OwnerId", "Owner", Kind::Lookup, Attribute::Owner).required(Required::System);
        let ways = vec![
            way("ownerid", "systemuser", relationship("owner")),
            way("ownerid", "team", relationship("owner")),
        ];
        let derived = |schema, label, navigation, target, kind| {
            let column = Column::new(schema, label, Kind::Lookup, Attribute::Lookup).read_only();
            column.pointing(vec![way(navigation, target, relationship(kind))])
        };
        let (unit, user, team) = (
            derived(
                "OwningBusinessUnit",
                "Owning Business Unit",
                "owningbusinessunit",
                "businessunit",
                "business_unit",
            ),
            derived("OwningUser", "Owning User", "owninguser", "systemuser", "user"),
            derived("OwningTeam", "Owning Team", "owningteam", "team", "team"),
        );
        Owner {
            id: self.add(id.pointing(ways)),
            unit: self.add(unit),
            user: self.add(user),
            team: self.add(team),
        }
    }

    fn user(&mut self, schema: &'static str, label: &'static str) -> usize {
        let column = Column::new(schema, label, Kind::Lookup, Attribute::Lookup).read_only();
        let name = column.name.clone();
        let base = if self.head.flags.contains('x') { "" } else { "base" };
        let relationship = Name::Owned(format!("lk_{}{base}_{name}", self.head.logical));
        let mut way = way("", "systemuser", relationship);
        way.name = name;
        self.add(column.pointing(vec![way]))
    }

    fn close(self, system: System) -> Table {
        let columns = self.columns.iter().enumerate();
        let by_wire = columns.map(|(at, column)| (column.wire.clone(), at)).collect();
        let mut table = Table {
            index: 0,
            primary_name: self.columns.iter().position(|column| column.name == self.head.name),
            logical: self.head.logical,
            schema: self.head.schema,
            set: self.head.set,
            labels: self.head.labels,
            ownership: self.head.ownership,
            code: self.head.code,
            writable: self.head.flags.contains('w'),
            setup: self.head.flags.contains('s'),
            custom: self.head.flags.contains('x'),
            intersect: self.head.flags.contains('m'),
            change_tracking: self.head.flags.contains('t'),
            optimistic: self.head.flags.contains('c'),
            states: self.head.states,
            navigations: std::collections::BTreeMap::new(),
            collections: std::collections::BTreeMap::new(),
            keys: Vec::new(),
            by_wire,
            system,
            columns: self.columns,
        };
        for (at, column) in table.columns.iter().enumerate() {
            for (way, navigation) in column.navigations.iter().enumerate() {
                table
                    .navigations
                    .entry(navigation.name.clone())
                    .or_default()
                    .push((at, way));
            }
        }
        table
    }
}

/// The twin of a money column in the base currency.
pub(super) fn twin(column: &Column) -> Column {
    let mut base = column.clone().read_only().required(Required::None).default(Cell::Null);
    base.kind = Kind::BaseMoney;
    base.indexed = false;
    base.name = Name::Owned(format!("{}_base", column.name));
    base.wire.clone_from(&base.name);
    base.schema = Name::Owned(format!("{}_Base", column.schema));
    base
}

fn time(schema: &'static str, label: &'static str) -> Column {
    let column = Column::new(schema, label, Kind::Time, Attribute::DateTime);
    column.format("DateAndTime").read_only().indexed()
}

fn way(name: &'static str, target: &'static str, relationship: Name) -> Navigation {
    Navigation {
        name: Name::Borrowed(name),
        target: Name::Borrowed(target),
        relationship,
        on_delete: OnDelete::RemoveLink,
    }
}

/// The table of pairs of a many-to-many relationship.
pub(super) fn intersect(pair: &Pair) -> Table {
    let mut builder = Builder::new(Head {
        logical: Name::Borrowed(pair.intersect),
        set: Name::Borrowed(pair.set),
        schema: Name::Borrowed(pair.intersect),
        labels: (pair.intersect, pair.intersect),
        key: Name::Owned(format!("{}id", pair.intersect)),
        name: Name::Borrowed("-"),
        ownership: Ownership::Organisation,
        code: 0,
        flags: "sm",
        states: &[],
    });
    for (_, column, _) in pair.sides {
        let column = Column::new(column, column, Kind::Guid, Attribute::Uniqueidentifier);
        builder.push(column.read_only().indexed());
    }
    builder.build()
}

/// A many-to-many relationship over the tables of a model. `None` when one of them is not there.
pub(super) fn many(model: &Model, pair: &Pair) -> Option<Many> {
    let intersect = model.by_logical(pair.intersect)?;
    let side = |(table, column, navigation): (&'static str, &'static str, &'static str)| {
        let table = model.by_logical(table)?;
        Some((table.index, intersect.column(column)?, Name::Borrowed(navigation)))
    };
    Some(Many {
        name: Name::Borrowed(pair.relationship),
        intersect: intersect.index,
        sides: [side(pair.sides[0])?, side(pair.sides[1])?],
    })
}

/// Gives every table the collections that lead to rows which point to its own.
pub(super) fn collections(model: &mut Model) {
    let mut found: Vec<(usize, Name, Collection)> = Vec::new();
    for table in &model.tables {
        for (at, column) in table.columns.iter().enumerate() {
            for way in &column.navigations {
                let Some(target) = model.by_logical(&way.target) else {
                    continue;
                };
                let collection = Collection {
                    table: table.index,
                    via: Via::Lookup(at),
                };
                found.push((target.index, way.relationship.clone(), collection));
            }
        }
    }
    for many in &model.many {
        let [one, other] = &many.sides;
        for (near, far) in [(one, other), (other, one)] {
            let via = Via::Intersect {
                table: many.intersect,
                near: near.1,
                far: far.1,
            };
            let collection = Collection { table: far.0, via };
            found.push((near.0, near.2.clone(), collection));
        }
    }
    for (table, name, collection) in found {
        model.tables[table].collections.insert(name, collection);
    }
}
