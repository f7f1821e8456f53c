//! All that an org remembers: its rows, its people, and the note that each write leaves behind.
//!
//! Whether a write is allowed is decided before it comes here.

use std::sync::Arc;

use serde_json::Value;

use super::cell::Cell;
use super::cursor::Cursors;
use super::id::{Id, Mint};
use super::model::{Kind, Object};
use super::org::Org;
use super::settings::Settings;
use super::store::{Row, Table};
use crate::ground::Ground;
use crate::happening::{Change, Commit, CommitKind, Happening};
use crate::site::Site;

/// Who writes, and when. One per request, so that all of a request's writes carry one time.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// The name in commits.
    pub(crate) name: String,
    /// The `User` record.
    pub(crate) id: Id,
    /// The time of the request, in seconds.
    pub(crate) second: i64,
}

impl Author {
    /// The same person, but it is the org's own logic that writes in their name.
    pub(crate) fn as_system(&self) -> Self {
        Self {
            name: "system".to_owned(),
            ..self.clone()
        }
    }
}

/// One org.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ground: Ground,
    pub(crate) settings: Settings,
    pub(crate) org: Arc<Org>,
    /// In the order of [`Org::objects`].
    pub(crate) tables: Vec<Table>,
    pub(crate) mint: Mint,
    /// The org's own identifier.
    pub(crate) organization: Id,
    pub(crate) cursors: Cursors,
    pub(crate) usage: Usage,
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
        let mut state = Self {
            ground: ground.clone(),
            tables: org.objects.iter().map(Table::new).collect(),
            organization: mint.id(*b"00D", number),
            settings,
            org,
            mint,
            cursors: Cursors::default(),
            usage: Usage::default(),
        };
        state.set_up();
        state
    }

    fn set_up(&mut self) {
        let connector = self.author("connector");
        self.author("seller");
        let text = |text: &str| Cell::text(text);
        let organization = [
            ("Name", text("Contoso")),
            ("OrganizationType", text("Enterprise Edition")),
            ("IsSandbox", Cell::Bool(false)),
        ];
        self.put_set_up("Organization", Some(self.organization), &connector, &organization);
        for (order, stage) in (1_u32..).zip(self.settings.stages.clone()) {
            let (category, category_name) = stage.forecast();
            let cells = [
                ("MasterLabel", text(&stage.name)),
                ("ApiName", text(&stage.name)),
                ("IsActive", Cell::Bool(true)),
                ("SortOrder", Cell::Number(f64::from(order))),
                ("IsClosed", Cell::Bool(stage.closed)),
                ("IsWon", Cell::Bool(stage.won)),
                ("ForecastCategory", text(category)),
                ("ForecastCategoryName", text(category_name)),
                ("DefaultProbability", Cell::Number(f64::from(stage.probability))),
            ];
            self.put_set_up("OpportunityStage", None, &connector, &cells);
        }
    }

    /// The author of that user name. Somebody new gets a `User` record.
    pub(crate) fn author(&mut self, name: &str) -> Author {
        let second = self.ground.clock.now().as_second();
        let username = username(name);
        let users = self.object("User");
        let by_username = self.org.objects[users].field("Username").unwrap_or_default();
        let known = Cell::text(&username)
            .key()
            .and_then(|key| self.tables[users].equal(by_username, &key).next());
        if let Some(place) = known {
            let id = self.tables[users].row(place).id;
            return Author {
                name: name.to_owned(),
                id,
                second,
            };
        }
        let number = self.mint.next_number(self.tables[users].last_number);
        let id = self.mint.id(*b"005", number);
        self.tables[users].last_number = Some(number);
        let author = Author {
            name: name.to_owned(),
            id,
            second,
        };
        let cells = [
            ("Username", Cell::text(&username)),
            ("LastName", Cell::text(name)),
            ("Name", Cell::text(name)),
            ("Email", Cell::text(&username)),
            ("Alias", Cell::text(name.get(..8).unwrap_or(name))),
            ("IsActive", Cell::Bool(true)),
            ("UserType", Cell::text("Standard")),
        ];
        self.put_set_up("User", Some(id), &author, &cells);
        author
    }

    /// Set-up rows are part of the world's beginning: they leave no note.
    fn put_set_up(&mut self, object: &str, id: Option<Id>, author: &Author, cells: &[(&str, Cell)]) {
        let object = self.object(object);
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        let mut row = vec![Cell::Null; shape.fields.len()];
        for (name, cell) in cells {
            if let Some(place) = shape.field(name) {
                row[place] = cell.clone();
            }
        }
        if let Some(place) = shape.field("CurrencyIsoCode") {
            row[place] = Cell::text(&self.settings.default_currency);
        }
        let id = id.unwrap_or_else(|| self.new_id(object));
        stamp_created(shape, &mut row, id, author);
        self.tables[object].push(Row {
            id,
            deleted: false,
            cells: row,
        });
    }

    /// The place of an object that every org has.
    pub(crate) fn object(&self, name: &str) -> usize {
        self.org.object(name).unwrap_or_default()
    }

    fn new_id(&mut self, object: usize) -> Id {
        let table = &mut self.tables[object];
        let number = self.mint.next_number(table.last_number);
        table.last_number = Some(number);
        self.mint.id(self.org.objects[object].prefix, number)
    }

    /// Stores a new row and notes it. Hands back its place and identifier.
    pub(crate) fn insert(&mut self, author: &Author, object: usize, mut cells: Vec<Cell>) -> (usize, Id) {
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        let id = self.new_id(object);
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
        self.note(author, shape, id, CommitKind::Created, changes);
        (place, id)
    }

    /// Stores new cells for a row and notes it, even when nothing changed: Salesforce moves its times all the same.
    pub(crate) fn replace(&mut self, author: &Author, object: usize, place: usize, mut cells: Vec<Cell>) {
        let org = Arc::clone(&self.org);
        let shape = &org.objects[object];
        stamp_modified(shape, &mut cells, author);
        let row = self.tables[object].row(place);
        let (id, changes) = (row.id, changes(shape, Some(&row.cells), &cells));
        self.tables[object].replace(place, cells);
        self.note(author, shape, id, CommitKind::Updated, changes);
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
        table.replace(place, cells);
        table.bury(place);
        let id = table.row(place).id;
        self.note(author, shape, id, CommitKind::Deleted, Vec::new());
    }

    fn note(&self, author: &Author, shape: &Object, id: Id, kind: CommitKind, changes: Vec<Change>) {
        self.ground.happenings.push(Happening::Committed(Commit {
            site: Site::Salesforce,
            table: shape.name.clone(),
            id: id.to_string(),
            kind,
            actor: author.name.clone(),
            at: self.ground.clock.now(),
            changes,
        }));
    }
}

/// The name under which somebody signs in.
pub(crate) fn username(name: &str) -> String {
    format!("{name}@contoso.example")
}

fn stamp_created(shape: &Object, cells: &mut [Cell], id: Id, author: &Author) {
    let system = &shape.system;
    cells[system.id] = Cell::Id(id);
    if let Some(deleted) = system.deleted {
        cells[deleted] = Cell::Bool(false);
    }
    cells[system.created] = Cell::Moment(author.second);
    cells[system.created_by] = Cell::Id(author.id);
    stamp_modified(shape, cells, author);
}

/// Moves `SystemModstamp` and `LastModifiedDate` together: whole seconds (salesforce.md section 3.3).
fn stamp_modified(shape: &Object, cells: &mut [Cell], author: &Author) {
    let system = &shape.system;
    cells[system.modified] = Cell::Moment(author.second);
    cells[system.modified_by] = Cell::Id(author.id);
    cells[system.stamp] = Cell::Moment(author.second);
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
