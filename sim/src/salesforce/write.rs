//! Create and update of records, with all that follows from each.
//!
//! Either everything is stored or nothing: checks come before the first row is touched.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::author::Author;
use super::cell::Cell;
use super::error::Problem;
use super::id::Id;
use super::input::{Verb, assignments};
use super::model::Object;
use super::notes;
use super::rules::{self, Draft, package};
use super::state::State;
use super::{convert, foreign, locks};

/// The body of a write, read and as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) fields: &'a Map<String, Value>,
    pub(crate) raw: &'a [u8],
}

/// Creates a record.
pub(crate) fn create(state: &mut State, author: &Author, object: usize, body: Body<'_>) -> Result<Id, Problem> {
    let org = Arc::clone(&state.org);
    let shape = &org.objects[object];
    refuse(state, author, shape)?;
    let resolved = foreign::resolved(state, shape, body.fields)?;
    let fields = resolved.as_ref().unwrap_or(body.fields);
    let assigned = assignments(shape, &state.settings, fields, body.raw, Verb::Create)?;
    let mut draft = Draft {
        shape,
        before: None,
        cells: vec![Cell::Null; shape.fields.len()],
        assigned: &assigned,
    };
    for (place, cell) in &assigned {
        draft.cells[*place] = cell.clone();
    }
    rules::fill_defaults(&mut draft, state, author);
    rules::derive(&mut draft, state, author);
    rules::check(&draft, state, author)?;
    let cells = draft.cells;
    locks::take(state, author, object, None, &cells)?;
    let (place, id) = state.insert(author, object, cells);
    after_create(state, author, shape, object, place);
    Ok(id)
}

/// Writes the named fields of a record.
pub(crate) fn update(
    state: &mut State,
    author: &Author,
    object: usize,
    place: usize,
    body: Body<'_>,
) -> Result<(), Problem> {
    let org = Arc::clone(&state.org);
    let shape = &org.objects[object];
    refuse(state, author, shape)?;
    let resolved = foreign::resolved(state, shape, body.fields)?;
    let fields = resolved.as_ref().unwrap_or(body.fields);
    let assigned = assignments(shape, &state.settings, fields, body.raw, Verb::Update)?;
    let before = &state.tables[object].row(place).cells;
    convert::refuse_converted(shape, before)?;
    let mut draft = Draft {
        shape,
        before: Some(before),
        cells: before.clone(),
        assigned: &assigned,
    };
    for (place, cell) in &assigned {
        draft.cells[*place] = cell.clone();
    }
    rules::derive(&mut draft, state, author);
    rules::check(&draft, state, author)?;
    let cells = draft.cells;
    locks::take(state, author, object, Some(place), &cells)?;
    state.replace(author, object, place, cells);
    if shape.name == ROLE {
        keep_one_primary(state, author, object, place);
    }
    notes::after_write(state, author, object, place);
    Ok(())
}

const ROLE: &str = "OpportunityContactRole";

/// Refuses writes of the set-up, and of people who may only read.
pub(crate) fn refuse(state: &State, author: &Author, shape: &Object) -> Result<(), Problem> {
    if state.settings.read_only_users.contains(&author.name) {
        let message = "insufficient access rights on object id";
        return Err(Problem::write("INSUFFICIENT_ACCESS_OR_READONLY", message, &[]));
    }
    if shape.setup {
        return Err(Problem::not_simulated(format!("writing `{}`", shape.name)));
    }
    Ok(())
}

fn after_create(state: &mut State, author: &Author, shape: &Object, object: usize, place: usize) {
    notes::after_write(state, author, object, place);
    match shape.name.as_str() {
        package::SOLUTIONS => after_line(state, author, object, place),
        ROLE => keep_one_primary(state, author, object, place),
        "Opportunity" => add_primary_role(state, author, object, place),
        _ => {}
    }
}

pub(crate) fn after_line(state: &mut State, author: &Author, lines: usize, place: usize) {
    let parent = state.org.objects[lines].field("Opportunity__c");
    let opportunity = parent.and_then(|field| state.tables[lines].row(place).cells[field].as_id());
    if let Some(opportunity) = opportunity {
        package::recount_solutions(state, author, opportunity);
    }
}

/// An opportunity created with `ContactId` gets that contact as its primary role. Assumed: the role is otherwise empty.
fn add_primary_role(state: &mut State, author: &Author, opportunities: usize, place: usize) {
    let opportunity = state.tables[opportunities].row(place);
    let contact = state.org.objects[opportunities]
        .field("ContactId")
        .map_or(&Cell::Null, |field| &opportunity.cells[field]);
    if *contact == Cell::Null {
        return;
    }
    let given = [
        ("OpportunityId", Cell::Id(opportunity.id)),
        ("ContactId", contact.clone()),
        ("IsPrimary", Cell::Bool(true)),
    ];
    let roles = state.object(ROLE);
    let shape = &state.org.objects[roles];
    let mut cells = vec![Cell::Null; shape.fields.len()];
    for (name, cell) in given {
        if let Some(field) = shape.field(name) {
            cells[field] = cell;
        }
    }
    state.insert(&author.as_system(), roles, cells);
}

/// An opportunity has one primary contact: a new one takes the mark from the others.
fn keep_one_primary(state: &mut State, author: &Author, roles: usize, place: usize) {
    let shape = &state.org.objects[roles];
    let (Some(primary), Some(opportunity)) = (shape.field("IsPrimary"), shape.field("OpportunityId")) else {
        return;
    };
    let table = &state.tables[roles];
    let row = table.row(place);
    let (true, Some(key)) = (row.cells[primary].is_true(), row.cells[opportunity].key()) else {
        return;
    };
    let others: Vec<usize> = table
        .equal(opportunity, &key)
        .filter(|&other| other != place && !table.row(other).deleted && table.row(other).cells[primary].is_true())
        .collect();
    for other in others {
        let mut cells = state.tables[roles].row(other).cells.clone();
        cells[primary] = Cell::Bool(false);
        state.replace(&author.as_system(), roles, other, cells);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::trial::Trial;

    #[test]
    fn refused_values_are_told_in_the_vendors_words() {
        let trial = Trial::new();
        let deal = trial.deal("x", &json!({}));
        let long = "y".repeat(81);
        for (body, message) in [
            (
                json!({"CurrencyIsoCode": "DM"}),
                "Currency ISO Code: bad value for restricted picklist field: DM",
            ),
            (
                json!({"How_can_Microsoft_help__c": "Pray"}),
                "How can Microsoft help?: bad value for restricted picklist field: Pray",
            ),
            (json!({"AccountId": "1"}), "Account ID: id value of incorrect type: 1"),
            (json!({"foo": 1}), "No such column 'foo' on sobject of type Opportunity"),
        ] {
            assert_eq!(trial.patch("Opportunity", &deal, &body).message(), message);
        }
        let reply = trial.post("Contact", &json!({"LastName": long, "FirstName": "z".repeat(41)}));
        assert_eq!(
            reply.message(),
            format!("Last Name: data value too large: {long} (max length=80)")
        );
        assert_eq!(reply.json().as_array().unwrap().len(), 2, "both names are told");
    }

    #[test]
    fn no_value_in_any_field_breaks_the_org() {
        let trial = Trial::new();
        let deal = trial.deal("x", &json!({}));
        let values = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1e300),
            json!(""),
            json!("x"),
            json!("2026-12-31"),
            json!("2026-12-31T23:59:59Z"),
            json!(deal),
            json!("x".repeat(200_000)),
            json!(["x"]),
            json!({"a": {"b": 1}}),
        ];
        let fields: Vec<(String, String)> = {
            let state = trial.org.lock();
            let objects = state.org.objects.iter();
            objects
                .flat_map(|shape| {
                    shape
                        .fields
                        .iter()
                        .map(|field| (shape.name.clone(), field.name.clone()))
                })
                .collect()
        };
        for (object, field) in fields {
            for value in &values {
                let body = Value::Object([(field.clone(), value.clone())].into_iter().collect());
                let status = trial.post(&object, &body).status.as_u16();
                assert!(
                    matches!(status, 201 | 400 | 501),
                    "{object}.{field} = {value}: {status}"
                );
                if object == "Opportunity" {
                    let status = trial.patch(&object, &deal, &body).status.as_u16();
                    assert!(
                        matches!(status, 204 | 400 | 501),
                        "{object}.{field} = {value}: {status}"
                    );
                }
            }
        }
        assert_eq!(trial.get(&format!("/sobjects/Opportunity/{deal}")).status, 200);
    }

    #[test]
    fn a_refused_write_leaves_no_trace() {
        let trial = Trial::new();
        let deal = trial.deal("x", &json!({"Amount": 1}));
        let before = trial.org.rows();
        trial.commits();
        let bad = json!({"Amount": 2, "Name": "changed", "CurrencyIsoCode": "DM"});
        assert_eq!(trial.patch("Opportunity", &deal, &bad).status, 400);
        let orphan = json!({"Opportunity__c": deal, "Solution__c": "a00000000000001AAA"});
        assert_eq!(
            trial.post("Microsoft_Solutions__c", &orphan).fault().1,
            "INVALID_CROSS_REFERENCE_KEY"
        );
        assert_eq!(trial.org.rows(), before);
        assert!(trial.commits().is_empty());
    }
}
