//! Requests that change rows: create, upsert, delete, one column, links, actions on many rows
//! (dataverse.md sections 2.2, 2.4 and 2.5).
//!
//! What a write means for its row is decided elsewhere.

use std::fmt::Write as _;

use http::{Method, StatusCode};

use super::super::address::{Options, escaped};
use super::super::answer::Answer;
use super::super::cell::Cell;
use super::super::error::Fault;
use super::super::guid::Guid;
use super::super::headers::{self, Conditions, Match, Preferences};
use super::super::key::{RowKey, set_and_key};
use super::super::lapse::Lapse;
use super::super::model::{Collection, Table};
use super::super::payload::{self, writable};
use super::super::write::Work;
use super::super::{multiple, read};
use super::Call;
use super::read::asking;

impl Call<'_> {
    /// `POST accounts`.
    pub(super) fn create(&self, work: &mut Work<'_>, table: &Table) -> Result<Answer, Fault> {
        let (preferences, options, conditions) = self.write_head(table)?;
        if conditions.only_if.is_some() || conditions.unless.is_some() {
            return Err(Fault::NotSimulated("a condition on a POST".to_owned()));
        }
        // What to answer is read before anything is stored, so that a bad `$select` stores nothing.
        let projection = read::Projection::of(table, options.select.as_deref())?;
        let object = payload::object(&table.set, self.body)?;
        let draft = payload::draft(&work.state.store, table, &object)?;
        let id = work.create(table, &draft, None)?;
        self.written(
            work,
            (table, id),
            (&RowKey::Id(id), &projection),
            &preferences,
            StatusCode::CREATED,
        )
    }

    /// PATCH: writes the row, or creates it unless `If-Match` is there (dataverse.md section 2.4).
    pub(super) fn upsert(&self, work: &mut Work<'_>, table: &Table, key: &RowKey) -> Result<Answer, Fault> {
        let (preferences, options, conditions) = self.write_head(table)?;
        let projection = read::Projection::of(table, options.select.as_deref())?;
        let object = payload::object(&table.set, self.body)?;
        match key
            .find(&work.state.store, table)
            .and_then(|id| work.state.store.row(table, id))
        {
            Some(row) => meets(&conditions, table, read::version(table, row))?,
            None if conditions.only_if.is_some() => return Err(key.missing(table)),
            None => {}
        }
        let draft = payload::draft(&work.state.store, table, &object)?;
        if matches!(key, RowKey::Id(id) if draft.key.is_some_and(|key| key != *id)) {
            return Err(Fault::NotSimulated(
                "a body whose primary key differs from the URL's".to_owned(),
            ));
        }
        let (id, created) = work.upsert(table, key, &draft)?;
        let unguarded = conditions.only_if.is_none() && conditions.unless.is_none();
        if !created && unguarded && matches!(key, RowKey::Id(_)) {
            work.state.lapses.push(Lapse::UpdateThatMayCreate);
        }
        let status = if created { StatusCode::CREATED } else { StatusCode::OK };
        self.written(work, (table, id), (key, &projection), &preferences, status)
    }

    /// `DELETE accounts(id)`.
    pub(super) fn delete(&self, work: &mut Work<'_>, table: &Table, key: &RowKey) -> Result<Answer, Fault> {
        self.no_options()?;
        writable(table)?;
        let id = self.held(work, table, key)?;
        work.delete(table, id)?;
        Ok(Answer::empty())
    }

    /// The row of a write that needs one, held against the request's conditions.
    fn held(&self, work: &Work<'_>, table: &Table, key: &RowKey) -> Result<Guid, Fault> {
        let conditions = headers::conditions(&self.parts.headers)?;
        let id = key.existing(&work.state.store, table)?;
        if conditions.unless.is_some() {
            return Err(Fault::NotSimulated(format!(
                "`If-None-Match` on a {}",
                self.parts.method
            )));
        }
        let row = work.state.store.row(table, id).ok_or_else(|| key.missing(table))?;
        meets(&conditions, table, read::version(table, row))?;
        Ok(id)
    }

    /// What stands behind a row: one column, a link, a new row of a collection.
    pub(super) fn below(
        &self,
        work: &mut Work<'_>,
        (table, key): (&Table, &RowKey),
        path: &[String],
    ) -> Result<Answer, Fault> {
        writable(table)?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (path.as_slice(), &self.parts.method) {
            ([name], &Method::PUT) => self.put_column(work, (table, key), name),
            ([name], &Method::DELETE) => self.clear_column(work, (table, key), name),
            ([name], &Method::POST) => self.create_below(work, (table, key), name),
            ([name], &Method::PATCH) => Err(Fault::NotSimulated(format!("upload to the file column `{name}`"))),
            ([name, "$ref"], &Method::PUT) => self.set_link(work, (table, key), name),
            ([name, "$ref"], &Method::POST) => self.add_link(work, (table, key), name),
            ([name, "$ref"], &Method::DELETE) => self.remove_link(work, (table, key), name),
            (path, method) => Err(Fault::NotSimulated(format!(
                "{method} of `{}` behind a row",
                path.join("/")
            ))),
        }
    }

    /// `PUT accounts(id)/name` with `{"value": …}`.
    fn put_column(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        self.require_json()?;
        let id = self.held(work, table, key)?;
        let object = payload::object(&table.set, self.body)?;
        let value = object.get("value");
        // Assumed text: the form of the body is documented.
        let value = value.ok_or_else(|| Fault::payload(&table.set, "The request body has no property 'value'."))?;
        let draft = payload::one_column(&work.state.store, table, name, value)?;
        work.update(table, id, &draft)?;
        Ok(Answer::empty())
    }

    /// `DELETE accounts(id)/name`: no value any more.
    fn clear_column(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        let id = self.held(work, table, key)?;
        let draft = payload::one_column(&work.state.store, table, name, &serde_json::Value::Null)?;
        work.update(table, id, &draft)?;
        Ok(Answer::empty())
    }

    /// `POST accounts(id)/opportunity_customer_accounts`: a new row that belongs to the collection.
    fn create_below(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        let owner = key.existing(&work.state.store, table)?;
        let collection = collection(table, name)?;
        let model = work.model();
        let member = &model.tables()[collection.table];
        let (preferences, options, _) = self.write_head(member)?;
        let projection = read::Projection::of(member, options.select.as_deref())?;
        let object = payload::object(&member.set, self.body)?;
        let draft = payload::draft(&work.state.store, member, &object)?;
        let id = work.create_in(owner, collection, &draft)?;
        self.written(
            work,
            (member, id),
            (&RowKey::Id(id), &projection),
            &preferences,
            StatusCode::CREATED,
        )
    }

    /// `PUT opportunities(id)/parentaccountid/$ref`.
    fn set_link(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        self.require_json()?;
        let id = self.held(work, table, key)?;
        let (column, _) = table
            .navigation(name)
            .ok_or_else(|| Fault::NoSuchSegment(name.to_owned()))?;
        let reference = self.reference(table)?;
        let target = payload::target(&work.state.store, table, name, &reference)?;
        work.update(table, id, &payload::Draft::of(column, Cell::Guid(target)))?;
        Ok(Answer::empty())
    }

    /// `POST accounts(id)/opportunity_customer_accounts/$ref`.
    fn add_link(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        self.require_json()?;
        let owner = key.existing(&work.state.store, table)?;
        let collection = collection(table, name)?;
        let model = work.model();
        let member = &model.tables()[collection.table];
        let reference = self.reference(table)?;
        let (_, other) = payload::row_of(&work.state.store, &table.set, &[member], &reference)?;
        work.link(owner, collection, other)?;
        Ok(Answer::empty())
    }

    /// `DELETE accounts(id)/primarycontactid/$ref`, `…/collection(id2)/$ref`, `…/collection/$ref?$id=url`.
    fn remove_link(&self, work: &mut Work<'_>, (table, key): (&Table, &RowKey), name: &str) -> Result<Answer, Fault> {
        let options = self.options()?;
        options.only_id()?;
        let owner = self.held(work, table, key)?;
        if let Some((column, _)) = table.navigation(name) {
            work.update(table, owner, &payload::Draft::of(column, Cell::Null))?;
            return Ok(Answer::empty());
        }
        let (named, inner) = set_and_key(name).map_or((name, None), |(named, inner)| (named, Some(inner)));
        let collection = collection(table, named)?;
        let model = work.model();
        let member = &model.tables()[collection.table];
        let other = match (inner, options.id) {
            (Some(inner), _) => RowKey::parse(member, inner)?.existing(&work.state.store, member)?,
            (None, Some(reference)) => payload::row_of(&work.state.store, &table.set, &[member], &reference)?.1,
            // Assumed text: one of both must say which row.
            (None, None) => return Err(Fault::Query("The '$id' query option is missing.".to_owned())),
        };
        work.unlink(owner, collection, other)?;
        Ok(Answer::empty())
    }

    /// The `@odata.id` of a body.
    fn reference(&self, table: &Table) -> Result<String, Fault> {
        let object = payload::object(&table.set, self.body)?;
        let reference = object.get("@odata.id").and_then(serde_json::Value::as_str);
        // Assumed text: the form of the body is documented.
        let missing = || Fault::payload(&table.set, "The request body has no property '@odata.id'.");
        reference.map(str::to_owned).ok_or_else(missing)
    }

    /// `POST accounts/Microsoft.Dynamics.CRM.CreateMultiple` and the like.
    ///
    /// Assumed: an upsert of many answers 204; the facts leave open whether it lists results.
    pub(super) fn set_action(&self, work: &mut Work<'_>, table: &Table, name: &str) -> Result<Answer, Fault> {
        self.no_options()?;
        self.require_json()?;
        writable(table)?;
        match name {
            "CreateMultiple" => {
                let mut out = format!(
                    "{{\"@odata.context\":\"{}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse\",\"Ids\":[",
                    self.root
                );
                for (place, id) in multiple::create(work, table, self.body)?.into_iter().enumerate() {
                    let comma = if place == 0 { "" } else { "," };
                    // Writing to a String cannot fail.
                    let _done = write!(out, "{comma}\"{id}\"");
                }
                out.push_str("]}");
                return Ok(Answer::json(StatusCode::OK, out));
            }
            "UpdateMultiple" => multiple::update(work, table, self.body)?,
            "UpsertMultiple" => multiple::upsert(work, table, self.body)?,
            other => return Err(Fault::NotSimulated(format!("action `{other}` on `{}`", table.set))),
        }
        Ok(Answer::empty())
    }

    /// What every write of a row checks first.
    fn write_head(&self, table: &Table) -> Result<(Preferences, Options, Conditions), Fault> {
        writable(table)?;
        self.require_json()?;
        let options = self.options()?;
        options.only_select()?;
        Ok((
            headers::preferences(&self.parts.headers)?,
            options,
            headers::conditions(&self.parts.headers)?,
        ))
    }

    /// The answer to a write (`Location` beside `OData-EntityId` on a creation is assumed): 204 with the row's URL, or the row itself (dataverse.md sections 2.2 and 2.4).
    fn written(
        &self,
        work: &Work<'_>,
        (table, id): (&Table, Guid),
        (key, projection): (&RowKey, &read::Projection),
        preferences: &Preferences,
        status: StatusCode,
    ) -> Result<Answer, Fault> {
        // An alternate key is echoed as it was asked for.
        let url = escaped(&format!("{}{}({})", self.root, table.set, key.print()));
        if !preferences.representation {
            let answer = Answer::empty().of_row(url.clone()).with("odata-entityid", url.clone());
            return Ok(if self.parts.method == Method::POST {
                answer.with("location", url)
            } else {
                answer
            });
        }
        let row = work
            .state
            .store
            .row(table, id)
            .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
        let asking = asking(work);
        let reader = self.reader(work, &asking, preferences);
        let answer = Answer::json(status, reader.body(table, projection, row));
        let answer = answer.of_row(url).with("etag", read::etag(table, row));
        let applied = preferences
            .applied(false)
            .map_or_else(String::new, |more| format!(",{more}"));
        Ok(answer.with("preference-applied", format!("return=representation{applied}")))
    }
}

fn collection<'t>(table: &'t Table, name: &str) -> Result<&'t Collection, Fault> {
    let found = table.collections.get(name);
    found.ok_or_else(|| Fault::NoSuchSegment(name.to_owned()))
}

/// Holds a write against its conditions, for a row that is there.
fn meets(conditions: &Conditions, table: &Table, version: i64) -> Result<(), Fault> {
    match &conditions.unless {
        Some(Match::Any) => return Err(Fault::Duplicate),
        Some(Match::Version(_)) => {
            return Err(Fault::NotSimulated(
                "an entity tag in `If-None-Match` on a write".to_owned(),
            ));
        }
        None => {}
    }
    match &conditions.only_if {
        Some(Match::Version(None)) => Err(Fault::VersionMissing),
        Some(Match::Version(_)) if !table.optimistic => Err(Fault::ConcurrencyOff(table.logical.to_string())),
        Some(wanted) if !wanted.fits(version) => Err(Fault::Version),
        Some(_) | None => Ok(()),
    }
}
