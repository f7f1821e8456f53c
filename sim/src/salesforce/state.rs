//! All that an org remembers: its rows, its people, and the note that each write leaves behind.
//!
//! Whether a write is allowed is decided before it comes here.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::Value;

use super::cell::Cell;
use super::cursor::Cursors;
use super::feed::{Feed, Written};
use super::id::{Id, Mint};
use super::job::Jobs;
use super::model::{Kind, Object};
use super::oauth::code::Codes;
use super::org::Org;
use super::recent::Recent;
use super::settings::Settings;
use super::soql::plan::Asking;
use super::store::{Row, Table};
use super::transaction::{Mark, Transaction};
use crate::ground::Ground;
use crate::happening::{Change, Commit, CommitKind, Happening};
use crate::identity::Role;
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
    /// What the request's headers ask of its writes.
    pub(crate) wishes: Wishes,
}

/// What the headers of a request ask of its writes (salesforce.md section 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// Whether a record may be saved although a duplicate rule finds others like it.
    pub(crate) allow_duplicates: bool,
    /// Whether assignment rules run.
    pub(crate) auto_assign: bool,
}

impl Wishes {
    /// Reads `Sforce-Duplicate-Rule-Header: allowSave=true` and `Sforce-Auto-Assign: FALSE`. Without the latter rules run.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_ascii_lowercase().replace(' ', "")
        };
        let mut options = header("sforce-duplicate-rule-header");
        options.retain(|character| character != '"');
        Self {
            allow_duplicates: options.split([',', ';']).any(|option| option == "allowsave=true"),
            auto_assign: header("sforce-auto-assign") != "false",
        }
    }
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
    /// For rows of the set-up that came later to this simulator: they must not shift the identifiers of records.
    late_mint: Mint,
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
    profiles: [Id; 2],
    pub(crate) jobs: Jobs,
    pub(crate) feed: Feed,
    /// What the current request has written.
    pub(crate) transaction: Transaction,
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
            transaction: Transaction::default(),
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
            ("IsSandbox", Cell::Bool(self.settings.sandbox)),
            ("DefaultLocaleSidKey", text("en_US")),
            ("LanguageLocaleKey", text("en_US")),
            ("TimeZoneSidKey", text("GMT")),
            ("FiscalYearStartMonth", Cell::Number(1.0)),
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
        self.set_up_late(&connector);
    }

    /// Profiles, currencies and record types. Assumed: the profiles' names, rates of one.
    fn set_up_late(&mut self, author: &Author) {
        let text = |text: &str| Cell::text(text);
        for (id, name) in self.profiles.into_iter().zip(["System Administrator", "Standard User"]) {
            let cells = [("Name", text(name)), ("UserType", text("Standard"))];
            self.put_set_up("Profile", Some(id), author, &cells);
        }
        for currency in self.settings.currencies.clone() {
            let corporate = currency == self.settings.default_currency;
            let places = if currency == "JPY" { 0.0 } else { 2.0 };
            let cells = [
                ("IsoCode", text(&currency)),
                ("ConversionRate", Cell::Number(1.0)),
                ("DecimalPlaces", Cell::Number(places)),
                ("IsActive", Cell::Bool(true)),
                ("IsCorporate", Cell::Bool(corporate)),
            ];
            if self.settings.schema.multi_currency {
                self.put_late("CurrencyType", author, &cells);
            }
        }
        for kind in self.settings.record_types.clone() {
            let cells = [
                ("Name", text(&kind.name)),
                ("DeveloperName", text(&kind.developer_name)),
                ("SobjectType", text(&kind.object)),
                ("IsActive", Cell::Bool(true)),
            ];
            self.put_late("RecordType", author, &cells);
        }
    }

    fn put_late(&mut self, object: &str, author: &Author, cells: &[(&str, Cell)]) {
        let place = self.object(object);
        let number = self.late_mint.next_number(self.tables[place].last_number);
        self.tables[place].last_number = Some(number);
        let id = self.mint.id(self.org.objects[place].prefix, number);
        self.put_set_up(object, Some(id), author, cells);
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
            user,
            multi_currency: self.settings.schema.multi_currency,
            deleted,
        }
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

    /// The author of that user name. Somebody new gets a `User` record.
    pub(crate) fn author(&mut self, name: &str) -> Author {
        let second = self.ground.clock.now().as_second();
        let wishes = Wishes::of(&HeaderMap::new());
        let (username, users) = (username(name), self.object("User"));
        if let Some(id) = self.user(name) {
            return Author {
                name: name.to_owned(),
                id,
                second,
                wishes,
            };
        }
        let number = self.mint.next_number(self.tables[users].last_number);
        let id = self.mint.id(*b"005", number);
        self.tables[users].last_number = Some(number);
        let author = Author {
            name: name.to_owned(),
            id,
            second,
            wishes,
        };
        let cells = [
            ("Username", Cell::text(&username)),
            ("LastName", Cell::text(name)),
            ("Name", Cell::text(name)),
            ("Email", Cell::text(&username)),
            ("Alias", Cell::text(name.get(..8).unwrap_or(name))),
            ("IsActive", Cell::Bool(true)),
            ("UserType", Cell::text("Standard")),
            ("ProfileId", Cell::Id(self.profile_of(name))),
            ("CommunityNickname", Cell::text(name)),
            ("TimeZoneSidKey", Cell::text("GMT")),
            ("LocaleSidKey", Cell::text("en_US")),
            ("EmailEncodingKey", Cell::text("UTF-8")),
            ("LanguageLocaleKey", Cell::text("en_US")),
        ];
        self.put_set_up("User", Some(id), &author, &cells);
        author
    }

    /// The user of that name, when there is a record.
    pub(crate) fn user(&self, name: &str) -> Option<Id> {
        let users = self.object("User");
        let by_username = self.org.objects[users].field("Username")?;
        let key = Cell::text(&username(name)).key()?;
        let place = self.tables[users].equal(by_username, &key).next()?;
        Some(self.tables[users].row(place).id)
    }

    /// Assumed: whoever may customize the org is an administrator.
    pub(crate) fn profile_of(&self, name: &str) -> Id {
        let roles = self
            .ground
            .authority
            .user(name)
            .map(|user| user.roles)
            .unwrap_or_default();
        let administers = roles.contains(&Role::SystemAdministrator) || roles.contains(&Role::SystemCustomizer);
        self.profiles[usize::from(!administers)]
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
        self.note(author, (object, place), CommitKind::Created, changes);
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
        self.note(author, (object, place), CommitKind::Updated, changes);
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
        self.note(author, (object, place), CommitKind::Deleted, Vec::new());
    }

    fn note(&mut self, author: &Author, (object, place): (usize, usize), kind: CommitKind, changes: Vec<Change>) {
        let commit = Commit {
            site: Site::Salesforce,
            table: self.org.objects[object].name.clone(),
            id: self.tables[object].row(place).id.to_string(),
            kind,
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
                kind,
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
    }

    /// Ends the current request: what it wrote stays, and is told.
    pub(crate) fn commit(&mut self) {
        let notes = self.transaction.close();
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
