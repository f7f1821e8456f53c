//! Values that may be there once only, and records that are there already (salesforce.md section 2.9).

use serde_json::{Value, json};

use super::Draft;
use crate::salesforce::author::Author;
use crate::salesforce::cell::Cell;
use crate::salesforce::error::{Complaint, Problem};
use crate::salesforce::id::Id;
use crate::salesforce::settings::DuplicateRule;
use crate::salesforce::state::State;
use crate::salesforce::store::Row;

/// Refuses a value of a unique field that another record holds.
pub(super) fn check_unique(draft: &Draft<'_>, state: &State) -> Result<(), Problem> {
    let unique = draft.shape.fields.iter().enumerate().filter(|(_, field)| field.unique);
    for (place, field) in unique {
        let Some(key) = draft.cells[place].key() else { continue };
        let table = &state.tables[state.object(&draft.shape.name)];
        let mut holders = table.equal(place, &key).map(|holder| table.row(holder));
        if let Some(holder) = holders.find(|row| is_other(draft, row)) {
            let message = format!(
                "duplicate value found: {} duplicates value on record with id: {}",
                field.name, holder.id
            );
            return Err(Problem::write("DUPLICATE_VALUE", message, &[]));
        }
    }
    Ok(())
}

/// Refuses a record that a rule finds others like, unless the rule and the request both let it pass.
///
/// Assumed: a rule runs when a field that it compares changes.
pub(super) fn check_rules(draft: &Draft<'_>, state: &State, author: &Author) -> Result<(), Problem> {
    let rules = state
        .settings
        .duplicate_rules
        .iter()
        .filter(|rule| rule.object == draft.shape.name);
    for rule in rules {
        let passes = rule.allow_save && author.wishes.allow_duplicates;
        if passes || !rule.fields.iter().any(|field| draft.changes(field)) {
            continue;
        }
        let found = matches(draft, state, rule);
        if !found.is_empty() {
            let mut complaint = Complaint::new("DUPLICATES_DETECTED", &rule.message, &[]);
            complaint.duplicates = Some(Box::new(result(rule, &found)));
            return Err(Problem::writes(vec![complaint]));
        }
    }
    Ok(())
}

fn is_other(draft: &Draft<'_>, row: &Row) -> bool {
    let own = draft.before.map(|cells| &cells[draft.shape.system.id]);
    !row.deleted && own != Some(&Cell::Id(row.id))
}

fn matches(draft: &Draft<'_>, state: &State, rule: &DuplicateRule) -> Vec<Id> {
    let places: Option<Vec<usize>> = rule.fields.iter().map(|name| draft.shape.field(name)).collect();
    let places = places.unwrap_or_default();
    if places.is_empty() || places.iter().any(|place| draft.cells[*place] == Cell::Null) {
        return Vec::new();
    }
    let equal = |row: &Row, place: usize| row.cells[place].compare(&draft.cells[place]).is_eq();
    let rows = state.tables[state.object(&draft.shape.name)].rows().iter();
    rows.filter(|row| is_other(draft, row) && places.iter().all(|place| equal(row, *place)))
        .map(|row| row.id)
        .collect()
}

fn result(rule: &DuplicateRule, found: &[Id]) -> Value {
    let record = |id: &Id| {
        let url = format!("/services/data/v60.0/sobjects/{}/{id}", rule.object);
        json!({
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": {"type": rule.object, "url": url}, "Id": id.to_string()},
        })
    };
    json!({
        "allowSave": rule.allow_save,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": rule.object,
        "errorMessage": rule.message,
        "matchResults": [{
            "entityType": rule.object,
            "errors": [],
            "matchEngine": "FuzzyMatchEngine",
            "matchRecords": found.iter().map(record).collect::<Vec<_>>(),
            "rule": rule.matching_rule,
            "size": found.len(),
            "success": true,
        }],
    })
}
