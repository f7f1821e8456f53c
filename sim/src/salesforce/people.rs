//! The rows of a new org that nobody created: people, profiles, stages, currencies, record types.
//!
//! They are part of the world's beginning and leave no note.

use std::sync::Arc;

use http::HeaderMap;

use super::author::{Author, Wishes};
use super::cell::Cell;
use super::id::Id;
use super::state::{State, stamp_created};
use super::store::Row;
use crate::identity::Role;

impl State {
    pub(crate) fn set_up(&mut self) {
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
}

/// The name under which somebody signs in.
pub(crate) fn username(name: &str) -> String {
    format!("{name}@contoso.example")
}
