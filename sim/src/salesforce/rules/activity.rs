//! What a task's fields say about each other. Assumed: all of it, from general knowledge.

use super::Draft;
use crate::salesforce::cell::Cell;
use crate::salesforce::state::State;

/// A completed task is closed; a task belongs to the account of what it is about.
pub(super) fn derive(draft: &mut Draft<'_>, state: &State) {
    let closed = draft.get("Status").as_text() == Some("Completed");
    draft.set("IsClosed", Cell::Bool(closed));
    let high = draft.get("Priority").as_text() == Some("High");
    draft.set("IsHighPriority", Cell::Bool(high));
    draft.set("AccountId", account(draft, state).unwrap_or(Cell::Null));
}

fn account(draft: &Draft<'_>, state: &State) -> Option<Cell> {
    let about = draft.get("WhatId").as_id().or_else(|| draft.get("WhoId").as_id())?;
    let (object, row) = state.parent(state.object("Account"), about)?;
    let shape = &state.org.objects[object];
    if shape.name == "Account" {
        return Some(Cell::Id(about));
    }
    shape.field("AccountId").map(|place| row.cells[place].clone())
}
