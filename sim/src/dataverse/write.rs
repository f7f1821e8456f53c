//! Creating, updating and deleting rows, with everything that follows from it (dataverse.md sections 2.2 and 2.4).
//!
//! Each stored row is noted as a commit. Requests are read and answered elsewhere.

use std::borrow::Cow;
use std::sync::Arc;

use crate::ground::Ground;
use crate::happening::{Change, Commit, CommitKind, Happening};
use crate::site::Site;
use jiff::Timestamp;

use super::Settings;
use super::access::{Right, Roles};
use super::cell::Cell;
use super::environment::{Caller, State, whole_second};
use super::error::Fault;
use super::event::{self, Message, Written};
use super::guid::Guid;
use super::key::RowKey;
use super::lines;
use super::model::{Model, OnDelete, Table};
use super::payload::{Draft, Nested};
use super::rules;
use super::store::Row;
pub(super) use super::store::fields;

/// One request's hands on the environment.
pub(super) struct Work<'a> {
    pub(super) state: &'a mut State,
    pub(super) ground: &'a Ground,
    pub(super) settings: &'a Settings,
    pub(super) caller: &'a Caller,
    /// Whether duplicate detection was asked for.
    pub(super) detect: bool,
}

impl Work<'_> {
    /// What tables there are.
    pub(super) fn model(&self) -> Arc<Model> {
        Arc::clone(self.state.store.model())
    }

    fn now(&self) -> Timestamp {
        whole_second(self.ground.clock.now())
    }

    /// Stores a new row and what stands below it in the body: rows that it points to first, then those that point to
    /// it. `id` overrides the key of the body; without either one is drawn.
    pub(super) fn create(&mut self, table: &Table, draft: &Draft, id: Option<Guid>) -> Result<Guid, Fault> {
        self.caller.may(Right::Create, table)?;
        let model = self.model();
        let mut draft = Cow::Borrowed(draft);
        for nested in &draft.clone().nested {
            if let Nested::One {
                column,
                table,
                draft: inner,
            } = nested
            {
                let made = self.create(&model.tables()[*table], inner, None)?;
                draft.to_mut().cells.push((*column, Cell::Guid(made)));
            }
        }
        let id = self.create_alone(table, &draft, id)?;
        for nested in &draft.nested {
            match nested {
                Nested::One { .. } => {}
                Nested::Many { collection, drafts } => {
                    for inner in drafts {
                        self.create_in(id, collection, inner)?;
                    }
                }
                Nested::Linked { collection, ids } => {
                    for other in ids {
                        self.link(id, collection, *other)?;
                    }
                }
            }
        }
        Ok(id)
    }

    /// Refuses to delete a row that others hold on to, and the currency in which the environment counts.
    fn not_held(&self, table: &Table, id: Guid) -> Result<(), Fault> {
        if table.logical == "transactioncurrency" && id == self.state.base_currency {
            return Err(Fault::Associated("organization".to_owned()));
        }
        for other in self.state.store.model().tables() {
            for (at, column) in other.columns.iter().enumerate() {
                let way = column.navigations.iter().find(|way| way.target == table.logical);
                let restricts = way.is_some_and(|way| way.on_delete == OnDelete::Restrict);
                if restricts && !self.state.store.pointing_to(other, at, id).is_empty() {
                    return Err(Fault::Associated(other.logical.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Refuses an owner who may not read the row.
    fn acceptable_owner(&self, table: &Table, cells: &[Cell]) -> Result<(), Fault> {
        let owner = table.system.owner.and_then(|owner| cells[owner.id].guid());
        let Some(owner) = owner.filter(|owner| *owner != self.caller.id) else {
            return Ok(());
        };
        let is_user = self
            .state
            .store
            .row(self.state.store.model().expect("systemuser"), owner)
            .is_some();
        if is_user && !Roles::of(&self.state.store, owner).allow(Right::Read, table) {
            return Err(Fault::OwnerMayNotRead {
                user: owner,
                privilege: format!("prvRead{}", table.schema),
            });
        }
        Ok(())
    }

    /// Refuses values of an alternate key that another row has, and, when that was asked for, what a duplicate detection
    /// rule finds.
    fn unique(&self, table: &Table, cells: &[Cell], id: Guid) -> Result<(), Fault> {
        for key in &table.keys {
            let values: Vec<(usize, Cell)> = key
                .columns
                .iter()
                .map(|column| (*column, cells[*column].clone()))
                .collect();
            if values.iter().any(|(_, cell)| cell.is_null()) {
                continue;
            }
            if self
                .state
                .store
                .holding(table, &values)
                .iter()
                .any(|other| *other != id)
            {
                let columns = key.columns.iter().map(|column| table.columns[*column].name.as_ref());
                return Err(Fault::DuplicateKey {
                    key: key.name.to_string(),
                    columns: columns.collect::<Vec<_>>().join(", "),
                });
            }
        }
        self.no_duplicate(table, cells, id)
    }

    fn no_duplicate(&self, table: &Table, cells: &[Cell], id: Guid) -> Result<(), Fault> {
        let rules = self.settings.duplicate_rules.iter().filter(|_| self.detect);
        for rule in rules.filter(|rule| rule.table == table.logical) {
            let columns = rule.columns.iter().filter_map(|name| table.attribute(name));
            let values: Vec<(usize, Cell)> = columns.map(|column| (column, cells[column].clone())).collect();
            let empty = values.iter().any(|(_, cell)| cell.is_null());
            if !empty
                && self
                    .state
                    .store
                    .holding(table, &values)
                    .iter()
                    .any(|other| *other != id)
            {
                return Err(Fault::DuplicateDetected);
            }
        }
        Ok(())
    }

    pub(super) fn create_alone(&mut self, table: &Table, draft: &Draft, id: Option<Guid>) -> Result<Guid, Fault> {
        let given = id.or(draft.key);
        if given.is_some_and(|id| self.state.store.row(table, id).is_some()) {
            return Err(Fault::Duplicate);
        }
        // Nothing is drawn for a request that fails.
        let status = rules::state_of_new(table, draft, given.unwrap_or(Guid::FIRST))?;
        let id = given.unwrap_or_else(|| Guid::draw(&mut self.state.ids));
        let mut cells: Vec<Cell> = table.columns.iter().map(|column| column.default.clone()).collect();
        for (column, cell) in &draft.cells {
            cells[*column] = cell.clone();
        }
        cells[0] = Cell::Guid(id);
        rules::set_state(table, &mut cells, status);
        let now = self.now();
        cells[table.system.created_on] = Cell::Time(now);
        cells[table.system.created_by] = Cell::Guid(self.caller.id);
        cells[table.system.created_on_behalf] = self.caller.on_behalf.map_or(Cell::Null, Cell::Guid);
        if let Some(owner) = table.system.owner.filter(|owner| cells[owner.id].is_null()) {
            cells[owner.id] = Cell::Guid(self.caller.id);
        }
        lines::settle(&self.state.store, table, &mut cells)?;
        let base = self.base_currency();
        rules::settle_money(&self.state.store, table, None, &mut cells, base);
        rules::demands(&self.state.store, table, id, &cells)?;
        lines::demands(table, &cells)?;
        self.unique(table, &cells, id)?;
        self.acceptable_owner(table, &cells)?;
        let present: Vec<usize> = draft.cells.iter().map(|(column, _)| *column).collect();
        let deals = [None, lines::deal_of(table, &cells)];
        self.store(table, None, Row { id, cells }, (&present, now))?;
        self.add_up(deals)?;
        Ok(id)
    }

    /// Writes into the row that a key names, or makes it. Comes back with the row and whether it is new.
    ///
    /// The columns of an alternate key are written into a new row unless the body sets them, and never into one that is
    /// there (dataverse.md section 2.4).
    pub(super) fn upsert(&mut self, table: &Table, key: &RowKey, draft: &Draft) -> Result<(Guid, bool), Fault> {
        let mut draft = draft.clone();
        if let Some(id) = key.find(&self.state.store, table) {
            draft.drop_key(key);
            self.update(table, id, &draft)?;
            return Ok((id, false));
        }
        let id = match key {
            RowKey::Id(id) => Some(*id),
            RowKey::Alternate(key) => {
                for (column, cell) in &key.values {
                    if draft.get(*column).is_none() {
                        draft.cells.push((*column, cell.clone()));
                    }
                }
                None
            }
        };
        Ok((self.create(table, &draft, id)?, true))
    }

    /// Writes into a row that is there.
    pub(super) fn update(&mut self, table: &Table, id: Guid, draft: &Draft) -> Result<(), Fault> {
        self.caller.may(Right::Write, table)?;
        if !draft.nested.is_empty() {
            return Err(Fault::NotSimulated("other rows in the body of an update".to_owned()));
        }
        let row = self
            .state
            .store
            .row(table, id)
            .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
        let locked = self.settings.closed_rows_are_read_only;
        let status = rules::state_of_updated(table, (id, &row.cells), draft, locked)?;
        let before = row.clone();
        let mut cells = before.cells.clone();
        for (column, cell) in &draft.cells {
            cells[*column] = cell.clone();
        }
        rules::set_state(table, &mut cells, status);
        rules::reopened(table, &before.cells, &mut cells);
        lines::settle(&self.state.store, table, &mut cells)?;
        let base = self.base_currency();
        rules::settle_money(&self.state.store, table, Some(&before.cells), &mut cells, base);
        rules::demands(&self.state.store, table, id, &cells)?;
        lines::demands(table, &cells)?;
        self.unique(table, &cells, id)?;
        self.acceptable_owner(table, &cells)?;
        let now = self.now();
        let present: Vec<usize> = draft.cells.iter().map(|(column, _)| *column).collect();
        let deals = [lines::deal_of(table, &before.cells), lines::deal_of(table, &cells)];
        self.store(table, Some(&before), Row { id, cells }, (&present, now))?;
        self.add_up(deals)
    }

    /// Writes what the lines of deals add up to into the deals; one that has gone is left alone.
    fn add_up(&mut self, deals: [Option<Guid>; 2]) -> Result<(), Fault> {
        let [one, other] = deals;
        for id in other.into_iter().chain(one.filter(|_| one != other)) {
            let changes = lines::totals(&self.state.store, id)?;
            if !changes.is_empty() {
                let model = self.model();
                self.force(model.expect("opportunity"), id, &changes)?;
            }
        }
        Ok(())
    }

    /// Puts cells into a row, past the rules of updates: for actions, which have rules of their own.
    pub(super) fn force(&mut self, table: &Table, id: Guid, changes: &[(usize, Cell)]) -> Result<(), Fault> {
        let row = self
            .state
            .store
            .row(table, id)
            .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
        let before = row.clone();
        let mut cells = before.cells.clone();
        for (column, cell) in changes {
            cells[*column] = cell.clone();
        }
        let base = self.base_currency();
        rules::settle_money(&self.state.store, table, Some(&before.cells), &mut cells, base);
        let now = self.now();
        let present: Vec<usize> = changes.iter().map(|(column, _)| *column).collect();
        self.store(table, Some(&before), Row { id, cells }, (&present, now))?;
        Ok(())
    }

    /// Deletes a row and does to those that point to it what the model says.
    pub(super) fn delete(&mut self, table: &Table, id: Guid) -> Result<(), Fault> {
        self.caller.may(Right::Delete, table)?;
        self.erase(table, id)
    }

    pub(super) fn erase(&mut self, table: &Table, id: Guid) -> Result<(), Fault> {
        self.not_held(table, id)?;
        let removed = self.state.store.remove(table, id);
        let removed = removed.ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
        let version = self.state.take_version();
        self.state.store.bury(table, id, version, self.now());
        self.note(table, CommitKind::Deleted, id, changes(table, Some(&removed), None));
        if event::anyone(&self.state.store) {
            self.tell(Message::Delete, table, &removed, &[]);
        }
        let model = self.model();
        for other in model.tables() {
            for (at, column) in other.columns.iter().enumerate() {
                let Some(way) = column.navigations.iter().find(|way| way.target == table.logical) else {
                    continue;
                };
                for pointing in self.state.store.pointing_to(other, at, id) {
                    match way.on_delete {
                        // A row may have gone already, by another path of the same cascade.
                        OnDelete::Cascade => self.erase(other, pointing).or_else(gone_already)?,
                        OnDelete::RemoveLink | OnDelete::Restrict => {
                            self.force(other, pointing, &[(at, Cell::Null)])?;
                        }
                    }
                }
            }
        }
        self.add_up([None, lines::deal_of(table, &removed.cells)])
    }

    /// Stores a row and says so. `present` are the columns that the request set.
    fn store(
        &mut self,
        table: &Table,
        before: Option<&Row>,
        mut row: Row,
        (present, now): (&[usize], Timestamp),
    ) -> Result<(), Fault> {
        rules::compose(table, &mut row.cells);
        rules::settle_owner(
            &self.state.store,
            table,
            &mut row.cells,
            self.state.organisation.business_unit,
        );
        row.cells[table.system.modified_on] = Cell::Time(now);
        row.cells[table.system.modified_by] = Cell::Guid(self.caller.id);
        row.cells[table.system.modified_on_behalf] = self.caller.on_behalf.map_or(Cell::Null, Cell::Guid);
        row.cells[table.system.version] = Cell::Int(self.state.take_version());
        let changes = changes(table, before, Some(&row));
        let (kind, message) = if before.is_some() {
            (CommitKind::Updated, Message::Update)
        } else {
            (CommitKind::Created, Message::Create)
        };
        let id = row.id;
        event::check(&self.state.store, table, &row)?;
        let told = event::anyone(&self.state.store).then(|| row.clone());
        self.state.store.put(table, row);
        self.note(table, kind, id, changes);
        if let Some(row) = told {
            self.tell(message, table, &row, present);
        }
        Ok(())
    }

    /// Notes the webhooks that a write owes.
    fn tell(&mut self, message: Message, table: &Table, row: &Row, present: &[usize]) {
        let written = Written {
            message,
            table,
            row,
            present,
            at: self.ground.clock.now(),
        };
        for hook in event::owed(self.state, self.caller, written) {
            self.state.note(Happening::HookDue(hook));
        }
    }

    fn note(&mut self, table: &Table, kind: CommitKind, id: Guid, changes: Vec<Change>) {
        self.state.note(Happening::Committed(Commit {
            site: Site::Dataverse,
            table: table.logical.to_string(),
            id: id.to_string(),
            kind,
            actor: self.caller.name.clone(),
            at: self.ground.clock.now(),
            changes,
        }));
    }

    /// The currency of the environment: the first of all.
    fn base_currency(&self) -> Guid {
        self.state.base_currency
    }
}

fn gone_already(fault: Fault) -> Result<(), Fault> {
    if matches!(fault, Fault::NoSuchRow { .. }) {
        Ok(())
    } else {
        Err(fault)
    }
}

/// The columns that differ, under their wire names. Stamps are left out, and what was and stays null.
fn changes(table: &Table, before: Option<&Row>, after: Option<&Row>) -> Vec<Change> {
    let cell = |row: Option<&Row>, at: usize| row.map_or(Cell::Null, |row| row.cells[at].clone());
    let columns = table.columns.iter().enumerate().filter(|(at, _)| !table.is_stamp(*at));
    let differing = columns.filter(|(at, _)| match (before, after) {
        (Some(before), Some(after)) => before.cells[*at] != after.cells[*at],
        (None, Some(row)) | (Some(row), None) => !row.cells[*at].is_null(),
        (None, None) => false,
    });
    let change = |(at, column): (usize, &super::model::Column)| Change {
        field: column.wire.to_string(),
        before: cell(before, at).value(),
        after: cell(after, at).value(),
    };
    differing.map(change).collect()
}
