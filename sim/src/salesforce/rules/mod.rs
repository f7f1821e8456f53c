//! What a record must satisfy, and what the org fills in by itself.
//!
//! It changes drafts, never stored rows: `write` stores them.

use super::author::Author;
use super::cell::Cell;
use super::error::Problem;
use super::input::Assignment;
use super::kind::{Kind, Reference};
use super::model::Object;
use super::notes;
use super::org::lists::default_value;
use super::state::State;

/// Addresses of orgs in which countries and states are picklists.
mod address;
/// What a task's fields say about each other.
mod activity;
/// Values that may be there once only, and records that are there already.
mod duplicate;
/// Rules of the opportunity: what its stage, amount and date say about the rest.
pub(crate) mod opportunity;
/// Rules that Microsoft's package brings: solution counts and validation rules.
pub(crate) mod package;

/// A record before it is stored.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) shape: &'a Object,
    /// The stored cells, for an update.
    pub(crate) before: Option<&'a [Cell]>,
    pub(crate) cells: Vec<Cell>,
    /// What the request names.
    pub(crate) assigned: &'a [Assignment],
}

impl Draft<'_> {
    /// The value of a field, empty when the org has no such field.
    pub(crate) fn get(&self, name: &str) -> &Cell {
        self.shape.field(name).map_or(&Cell::Null, |place| &self.cells[place])
    }

    /// Sets a field, when the org has it.
    pub(crate) fn set(&mut self, name: &str, cell: Cell) {
        if let Some(place) = self.shape.field(name) {
            self.cells[place] = cell;
        }
    }

    /// Whether the request names the field.
    pub(crate) fn assigns(&self, name: &str) -> bool {
        let place = self.shape.field(name);
        self.assigned.iter().any(|(assigned, _)| Some(*assigned) == place)
    }

    /// Whether the field differs from what is stored. Everything differs in a create.
    pub(crate) fn changes(&self, name: &str) -> bool {
        let (Some(place), Some(before)) = (self.shape.field(name), self.before) else {
            return true;
        };
        before[place] != self.cells[place]
    }
}

/// Fills in what a create leaves out: booleans, owner, currency, picklist defaults.
pub(crate) fn fill_defaults(draft: &mut Draft<'_>, state: &State, author: &Author) {
    for (place, field) in draft.shape.fields.iter().enumerate() {
        if draft.cells[place] != Cell::Null {
            continue;
        }
        draft.cells[place] = match (draft.shape.name.as_str(), field.name.as_str()) {
            (_, "OwnerId") => Cell::Id(author.id),
            ("Opportunity", "Solution_Count__c") => Cell::Number(0.0),
            ("PushTopic", name) if field.kind == Kind::Boolean => Cell::Bool(name != "IsDeleted"),
            _ if field.kind == Kind::Boolean => Cell::Bool(false),
            _ => match default_value(&state.settings, draft.shape, field) {
                Some(value) => Cell::text(&value),
                None => Cell::Null,
            },
        };
    }
}

/// Works out the fields that follow from others.
pub(crate) fn derive(draft: &mut Draft<'_>, state: &State, author: &Author) {
    match draft.shape.name.as_str() {
        "Opportunity" => opportunity::derive(draft, &state.settings, author),
        "Contact" | "Lead" => derive_name(draft),
        "Task" => activity::derive(draft, state),
        "OpportunityTeamMember" => derive_member(draft, state),
        "ContentNote" => notes::derive(draft),
        "Microsoft_Solutions__c" if draft.before.is_none() => package::number_line(draft, state, author),
        // A custom object's name may be left out: it then shows the identifier, which is not known yet.
        _ => {}
    }
    if state.settings.schema.state_country_picklists {
        address::derive(draft);
    }
    assign(draft, state, author);
}

/// Assumed: assignment rules run with updates too, which is why the vendor's guides tell to switch them off.
fn assign(draft: &mut Draft<'_>, state: &State, author: &Author) {
    let name = &draft.shape.name;
    let mut rules = state.settings.assignment_rules.iter();
    let owner = rules
        .find(|rule| rule.object == *name)
        .and_then(|rule| state.user(&rule.owner));
    if let Some(owner) = owner.filter(|_| author.wishes.auto_assign) {
        draft.set("OwnerId", Cell::Id(owner));
    }
}

/// A member of a team shows its user's name.
fn derive_member(draft: &mut Draft<'_>, state: &State) {
    let user = draft
        .get("UserId")
        .as_id()
        .and_then(|id| state.parent(state.object("User"), id));
    let Some((users, row)) = user else { return };
    let shape = &state.org.objects[users];
    for (own, of_user) in [("Name", "Name"), ("Title", "Title")] {
        if let Some(place) = shape.field(of_user) {
            draft.set(own, row.cells[place].clone());
        }
    }
}

/// `Name` of a person: first and last name. The salutation is not part of it.
fn derive_name(draft: &mut Draft<'_>) {
    let parts = ["FirstName", "LastName"].map(|name| draft.get(name).as_text().unwrap_or_default().to_owned());
    let name = parts.join(" ");
    draft.set("Name", Cell::text(name.trim()));
}

/// Refuses a draft that lacks a required field, refers to nothing, or breaks a rule of the org.
pub(crate) fn check(draft: &Draft<'_>, state: &State, author: &Author) -> Result<(), Problem> {
    let missing: Vec<&str> = draft
        .shape
        .fields
        .iter()
        .zip(&draft.cells)
        .filter(|(field, cell)| **cell == Cell::Null && !field.nillable && !field.defaulted)
        .filter(|(field, _)| field.createable || field.updateable)
        .map(|(field, _)| field.name.as_str())
        .collect();
    if !missing.is_empty() {
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        return Err(Problem::write("REQUIRED_FIELD_MISSING", message, &missing));
    }
    for (place, cell) in draft.assigned {
        if let (Some(reference), Cell::Id(_)) = (draft.shape.fields[*place].reference(), cell) {
            check_reference(draft.shape, *place, reference, cell, state)?;
        }
    }
    if state.settings.schema.state_country_picklists {
        address::check(draft)?;
    }
    if draft.shape.name == "Opportunity" && state.settings.validation_rules {
        package::validate(draft)?;
    }
    duplicate::check_unique(draft, state)?;
    duplicate::check_rules(draft, state, author)
}

/// Refuses a record that comes back when another one took a value that may be there once only.
pub(crate) fn check_unique(shape: &Object, cells: &[Cell], state: &State) -> Result<(), Problem> {
    let draft = Draft {
        shape,
        before: None,
        cells: cells.to_vec(),
        assigned: &[],
    };
    duplicate::check_unique(&draft, state)
}

/// The record that a reference names must exist, in an object that it may point to.
fn check_reference(
    shape: &Object,
    place: usize,
    reference: &Reference,
    cell: &Cell,
    state: &State,
) -> Result<(), Problem> {
    let field = &shape.fields[place];
    let Some(id) = cell.as_id() else { return Ok(()) };
    let targets: Vec<usize> = reference.to.iter().filter_map(|name| state.org.object(name)).collect();
    let Some(target) = targets
        .iter()
        .copied()
        .find(|target| state.org.objects[*target].prefix == id.prefix())
    else {
        if targets.len() < reference.to.len() {
            let missing = format!(
                "reference `{}.{}` to {}",
                shape.name,
                field.name,
                reference.to.join(" or ")
            );
            return Err(Problem::not_simulated(missing));
        }
        let message = format!("{}: id value of incorrect type: {id}", field.label);
        return Err(Problem::write("MALFORMED_ID", message, &[&field.name]));
    };
    match state.tables[target]
        .find(id)
        .map(|place| state.tables[target].row(place))
    {
        Some(row) if row.deleted => Err(Problem::write("ENTITY_IS_DELETED", "entity is deleted", &[])),
        Some(_) => Ok(()),
        None => {
            let message = "invalid cross reference id";
            Err(Problem::write("INVALID_CROSS_REFERENCE_KEY", message, &[]))
        }
    }
}

#[cfg(test)]
mod tests;
