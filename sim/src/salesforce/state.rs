//! All that an org remembers: its rows, its people, and the note that each write leaves behind.
//!
//! Whether a write is allowed is decided before it comes here.

use std::cell::Cell as Flag;
use std::sync::Arc;

use serde_json::Value;

use super::author::Author;
use super::bin::Bin;
use super::cell::Cell;
use super::cursor::Cursors;
use super::feed::{Act, Feed, Written};
use super::id::{Id, Mint};
use super::job::Jobs;
use super::kind::Kind;
use super::locks::Locks;
use super::model::Object;
use super::oauth::code::Codes;
use super::org::Org;
use super::recent::Recent;
use super::settings::Settings;
use super::soql::plan::Asking;
use super::store::{Row, Table};
use super::transaction::{Mark, Transaction};
use crate::ground::Ground;
use crate::happening::{Change, Commit, CommitKind, Happening};
use crate::memo::Memo;
use crate::site::Site;

/// One org.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ground: Ground,
    pub(crate) settings: Settings,
    pub(crate) org: Arc<Org>,
    /// In the order of [`Org::objects`].
    pub(crate) tables: Vec<Table>,
    pub(crate) mint: Mint,
    /// For rows of the set-up that came later to this simulator: they must not shift the identifiers of records.
    pub(crate) late_mint: Mint,
    /// The org's own identifier.
    pub(crate) organization: Id,
    pub(crate) cursors: Cursors,
    pub(crate) usage: Usage,
    pub(crate) recent: Recent,
    /// Codes of the web-server flow that wait to be redeemed.
    pub(crate) codes: Codes,
    /// When the org was made, in seconds.
    pub(crate) made: i64,
    /// The profiles of administrators and of everybody else.
    pub(crate) profiles: [Id; 2],
    pub(crate) jobs: Jobs,
    pub(crate) feed: Feed,
    /// What each delete took along.
    pub(crate) bin: Bin,
    /// Records that a write still holds.
    pub(crate) locks: Locks,
    /// What the current request has written.
    pub(crate) transaction: Transaction,
    /// Answers to queries, while no row changes.
    pub(crate) memo: Memo,
    /// Whether a query was planned that means other rows at another time.
    pub(crate) time_matters: Flag<bool>,
}

/// Calls of the current day.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Days since the epoch.
    pub(crate) day: i64,
    pub(crate) used: u64,
}

impl State {
    /// A new org with its set-up rows: the organization, the people of every world, the sales stages.
    pub(crate) fn new(settings: Settings, ground: &Ground) -> Self {
        let org = Org::of(&settings);
        let mut mint = Mint::new(ground.seed.stream("salesforce ids"));
        let number = mint.next_number(None);
        let organization = mint.id(*b"00D", number);
        let mut late_mint = mint.beside(ground.seed.stream("salesforce set-up ids"));
        let first = late_mint.next_number(None);
        let mut state = Self {
            profiles: [mint.id(*b"00e", first), mint.id(*b"00e", first + 1)],
            recent: Recent::default(),
            codes: Codes::default(),
            made: ground.clock.now().as_second(),
            late_mint,
            ground: ground.clone(),
            tables: org.objects.iter().map(Table::new).collect(),
            organization,
            settings,
            org,
            mint,
            cursors: Cursors::default(),
            usage: Usage::default(),
            jobs: Jobs::default(),
            feed: Feed::default(),
            bin: Bin::default(),
            locks: Locks::default(),
            transaction: Transaction::default(),
            memo: Memo::new(ground.keeps_answers),
            time_matters: Flag::default(),
        };
        state.set_up();
        state
    }

    /// Name, developer name and identifier of an object's record types, in the order of the settings.
    pub(crate) fn record_types(&self, object: &str) -> impl Iterator<Item = (String, String, Id)> {
        let place = self.object("RecordType");
        let shape = &self.org.objects[place];
        let fields = ["SobjectType", "Name", "DeveloperName"].map(|name| shape.field(name).unwrap_or_default());
        self.tables[place].rows().iter().filter_map(move |row| {
            let [of, name, developer] = fields.map(|field| row.cells[field].as_text().unwrap_or_default());
            (of == object).then(|| (name.to_owned(), developer.to_owned(), row.id))
        })
    }

    /// Who asks a query, when, and in which schema.
    pub(crate) fn asking(&self, user: Id, deleted: bool) -> Asking<'_> {
        Asking {
            org: &self.org,
            now: self.ground.clock.now(),
            time_matters: &self.time_matters,
            user,
            multi_currency: self.settings.schema.multi_currency,
            deleted,
        }
    }

    /// How often any row of any table has changed.
    pub(crate) fn revision(&self) -> u64 {
        self.tables.iter().map(Table::revision).sum()
    }

    /// The record that a reference leads to, with its object: the planned one, or another of the same identifier's prefix.
    pub(crate) fn parent(&self, planned: usize, id: Id) -> Option<(usize, &Row)> {
        let of_prefix = |object: &usize| self.org.objects[*object].prefix == id.prefix();
        let object = if of_prefix(&planned) {
            planned
        } else {
            (0..self.org.objects.len()).find(of_prefix)?
        };
        let table = &self.tables[object];
        Some((object, table.row(table.find(id)?)))
    }

    /// How many records there are, without the recycle bin and without the set-up.
    pub(crate) fn live_rows(&self) -> usize {
        let objects = self.org.objects.iter().zip(&self.tables);
        objects
            .filter(|(shape, _)| !shape.setup)
            .map(|(_, table)| table.live())
            .sum()
    }

    /// The URL under which the org says that it is, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        let own = self.settings.host.clone();
        own.unwrap_or_else(|| self.ground.bases.of(Site::Salesforce))
    }

    /// The place of an object that every org has.
    pub(crate) fn object(&self, name: &str) -> usize {
        self.org.object(name).unwrap_or_default()
    }

    pub(crate) fn new_id(&mut self, object: usize) -> Id {
        let table = &mut self.tables[object];
        let number = self.mint.next_number(table.last_number);
        table.last_number = Some(number);
        self.mint.id(self.org.objects[object].prefix, number)
    }

    /// Stores a new row and notes it. Hands back its place and identifier.
    pub(crate) fn insert(&mut self, author: &Author, object: usize, cells: Vec<Cell>) -> (usize, Id) {
        let id = self.new_id(object);
        (self.insert_as(author, object, id, cells), id)
    }

    /// Stores a new row under an identifier above all others of its table. Hands back its place.
    pub(crate) fn insert_as(&mut self, author: &Author, object: usize, id: Id, mut cells: Vec<Cell>) -> usize {
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        stamp_created(shape, &mut cells, id, author);
        // A record without a name shows its identifier (assumed: for custom objects only; standard ones require a name).
        if let Some(name) = shape.field("Name").filter(|&name| cells[name] == Cell::Null) {
            cells[name] = Cell::text(id.short());
        }
        let changes = changes(shape, None, &cells);
        let place = self.tables[object].push(Row {
            id,
            deleted: false,
            cells,
        });
        self.transaction.inserted(object, place);
        self.note(author, (object, place), Act::Created, changes);
        place
    }

    /// Stores new cells for a row and notes it, even when nothing changed: Salesforce moves its times all the same.
    pub(crate) fn replace(&mut self, author: &Author, object: usize, place: usize, mut cells: Vec<Cell>) {
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        stamp_modified(shape, &mut cells, author);
        let row = self.tables[object].row(place);
        let (deleted, changes) = (row.deleted, changes(shape, Some(&row.cells), &cells));
        let before = self.tables[object].replace(place, cells);
        self.transaction.replaced(object, place, before, deleted);
        self.note(author, (object, place), Act::Updated, changes);
    }

    /// Puts a row into the recycle bin and notes it.
    pub(crate) fn bury(&mut self, author: &Author, object: usize, place: usize) {
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        let mut cells = self.tables[object].row(place).cells.clone();
        stamp_modified(shape, &mut cells, author);
        if let Some(deleted) = shape.system.deleted {
            cells[deleted] = Cell::Bool(true);
        }
        let table = &mut self.tables[object];
        let before = table.replace(place, cells);
        table.bury(place);
        self.transaction.replaced(object, place, before, false);
        self.note(author, (object, place), Act::Deleted, Vec::new());
    }

    /// Takes a row out of the recycle bin and notes it.
    pub(crate) fn exhume(&mut self, author: &Author, object: usize, place: usize) {
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        let mut cells = self.tables[object].row(place).cells.clone();
        stamp_modified(shape, &mut cells, author);
        put(&mut cells, shape.system.deleted, Cell::Bool(false));
        let changes = changes(shape, None, &cells);
        let table = &mut self.tables[object];
        let before = table.row(place).cells.clone();
        table.restore(place, cells, false);
        self.transaction.replaced(object, place, before, true);
        self.note(author, (object, place), Act::Undeleted, changes);
    }

    fn note(&mut self, author: &Author, (object, place): (usize, usize), act: Act, changes: Vec<Change>) {
        let commit = Commit {
            site: Site::Salesforce,
            table: self.org.objects[object].name.clone(),
            id: self.tables[object].row(place).id.to_string(),
            kind: match act {
                // A record that comes back is one more record to whoever looks.
                Act::Created | Act::Undeleted => CommitKind::Created,
                Act::Updated => CommitKind::Updated,
                Act::Deleted => CommitKind::Deleted,
            },
            actor: author.name.clone(),
            at: self.ground.clock.now(),
            changes,
        };
        let written = self.is_listened_to(object).then(|| {
            let (shape, row) = (&self.org.objects[object], self.tables[object].row(place));
            let places = commit.changes.iter().filter_map(|change| shape.field(&change.field));
            Written {
                object,
                place,
                id: row.id,
                kind: act,
                fields: places.map(|place| (place, row.cells[place].clone())).collect(),
                user: author.id,
                at: commit.at,
                transaction: 0,
                origin: String::new(),
            }
        });
        self.transaction.note(commit, written);
    }

    /// Whether writes to the object may be told to subscribers.
    fn is_listened_to(&self, object: usize) -> bool {
        let name = &self.org.objects[object].name;
        let selected = self
            .settings
            .change_data_capture
            .iter()
            .any(|selected| selected == name);
        selected
            || self
                .org
                .object("PushTopic")
                .is_some_and(|topics| !self.tables[topics].rows().is_empty())
    }

    /// Takes back what the current request wrote since the mark.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.transaction.take_back(mark, &mut self.tables);
        if mark == Mark::default() {
            self.locks
                .close(false, self.ground.clock.now(), self.settings.transaction_time);
        }
    }

    /// Ends the current request: what it wrote stays, and is told.
    pub(crate) fn commit(&mut self) {
        let notes = self.transaction.close();
        let now = self.ground.clock.now();
        self.locks.close(!notes.is_empty(), now, self.settings.transaction_time);
        if notes.is_empty() {
            return;
        }
        self.feed.transactions += 1;
        for (note, written) in notes {
            self.ground.happenings.push(Happening::Committed(note));
            self.feed.pending.extend(written.map(|written| Written {
                transaction: self.feed.transactions,
                origin: self.transaction.origin.clone(),
                ..written
            }));
        }
    }
}

/// What the system writes into a new row.
pub(crate) fn stamp_created(shape: &Object, cells: &mut [Cell], id: Id, author: &Author) {
    let system = &shape.system;
    cells[system.id] = Cell::Id(id);
    if let Some(deleted) = system.deleted {
        cells[deleted] = Cell::Bool(false);
    }
    put(cells, system.created, Cell::Moment(author.second));
    put(cells, system.created_by, Cell::Id(author.id));
    stamp_modified(shape, cells, author);
}

/// Moves `SystemModstamp` and `LastModifiedDate` together: whole seconds (salesforce.md section 3.3).
fn stamp_modified(shape: &Object, cells: &mut [Cell], author: &Author) {
    let system = &shape.system;
    put(cells, system.modified, Cell::Moment(author.second));
    put(cells, system.modified_by, Cell::Id(author.id));
    put(cells, system.stamp, Cell::Moment(author.second));
}

fn put(cells: &mut [Cell], place: Option<usize>, cell: Cell) {
    if let Some(place) = place {
        cells[place] = cell;
    }
}

fn changes(shape: &Object, before: Option<&[Cell]>, after: &[Cell]) -> Vec<Change> {
    let differ = |place: usize| match before {
        Some(before) => before[place] != after[place],
        None => after[place] != Cell::Null,
    };
    let listed = (0..after.len()).filter(|&place| !shape.is_system(place) && differ(place));
    listed
        .map(|place| {
            let field = &shape.fields[place];
            let whole = field.kind == Kind::Int;
            Change {
                field: field.name.clone(),
                before: before.map_or(Value::Null, |before| before[place].to_value(whole)),
                after: after[place].to_value(whole),
            }
        })
        .collect()
}
