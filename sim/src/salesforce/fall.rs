//! Deletes, with what goes along, and undeletes, which bring the same back.
//!
//! Either everything is stored or nothing: checks come before the first row is touched.

use std::sync::Arc;

use super::author::Author;
use super::bin::Fallen;
use super::cell::Cell;
use super::error::Problem;
use super::id::Id;
use super::kind::OnDelete;
use super::model::Object;
use super::rules::{self, package};
use super::state::State;
use super::{locks, notes, write};

/// Puts a record into the recycle bin, with what depends on it.
pub(crate) fn delete(state: &mut State, author: &Author, object: usize, place: usize) -> Result<(), Problem> {
    let org = Arc::clone(&state.org);
    write::refuse(state, author, &org.objects[object])?;
    let mut fallen = Fallen::default();
    gather(&mut fallen, state, object, place)?;
    for &(object, place) in &fallen.buried {
        let cells = state.tables[object].row(place).cells.clone();
        locks::take(state, author, object, Some(place), &cells)?;
    }
    fallen
        .cleared
        .retain(|(object, place, ..)| !fallen.buried.contains(&(*object, *place)));
    for &(object, place, field, _) in &fallen.cleared {
        let mut cells = state.tables[object].row(place).cells.clone();
        cells[field] = Cell::Null;
        state.replace(&author.as_system(), object, place, cells);
    }
    state.bin.keep(&fallen);
    let lines = state.org.object(package::SOLUTIONS);
    for (depth, (gone, place)) in fallen.buried.into_iter().enumerate() {
        let by = if depth == 0 { author.clone() } else { author.as_system() };
        state.bury(&by, gone, place);
        // A line that goes down with its opportunity fires no trigger.
        if depth == 0 && Some(gone) == lines {
            write::after_line(state, author, gone, place);
        }
    }
    Ok(())
}

/// Brings a record back from the recycle bin, with what went along and the references that became empty, unless something else
/// stands there now (SOAP developer guide, `undelete()`).
///
/// The package's trigger does not run (salesforce.md section 6). Assumed: code and words of the refusals.
pub(crate) fn undelete(state: &mut State, author: &Author, id: Id) -> Result<(), Problem> {
    let failed = |words: &str| Err(Problem::write("UNDELETE_FAILED", words, &[]));
    let org = Arc::clone(&state.org);
    let known = org.objects.iter().enumerate().find_map(|(object, shape)| {
        let place = (shape.prefix == id.prefix()).then(|| state.tables[object].find(id))??;
        Some((object, place))
    });
    let Some((object, place)) = known else {
        return Err(Problem::write(
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            &[],
        ));
    };
    let shape = &org.objects[object];
    write::refuse(state, author, shape)?;
    let row = state.tables[object].row(place);
    if !row.deleted || !shape.abilities.has(b'n') {
        return failed("entity is not in the recycle bin");
    }
    let Some(fallen) = state.bin.of(object, place).cloned() else {
        return failed("entity is not in the recycle bin: it was deleted together with its parent");
    };
    if let Some(parent) = missing_master(state, shape, &row.cells) {
        return failed(&format!("entity is deleted: {parent}"));
    }
    for &(object, place) in &fallen.buried {
        let cells = state.tables[object].row(place).cells.clone();
        rules::check_unique(&org.objects[object], &cells, state)?;
        locks::take(state, author, object, Some(place), &cells)?;
    }
    for (depth, &(gone, place)) in fallen.buried.iter().enumerate() {
        let by = if depth == 0 { author.clone() } else { author.as_system() };
        state.exhume(&by, gone, place);
    }
    for (holder, place, field, target) in fallen.cleared {
        let row = state.tables[holder].row(place);
        if !row.deleted && row.cells[field] == Cell::Null {
            let mut cells = row.cells.clone();
            cells[field] = Cell::Id(target);
            state.replace(&author.as_system(), holder, place, cells);
        }
    }
    Ok(())
}

/// The master that a record is a part of, when it is in the recycle bin itself.
fn missing_master(state: &State, shape: &Object, cells: &[Cell]) -> Option<Id> {
    let references = shape.fields.iter().zip(cells);
    references
        .filter(|(field, _)| {
            let part = field
                .reference()
                .is_some_and(|reference| reference.on_delete == OnDelete::Cascade);
            part && !field.nillable
        })
        .filter_map(|(_, cell)| cell.as_id())
        .find(|id| {
            let mut tables = state.org.objects.iter().zip(&state.tables);
            let table = tables
                .find(|(target, _)| target.prefix == id.prefix())
                .map(|(_, table)| table);
            table.is_some_and(|table| table.find(*id).is_none_or(|place| table.row(place).deleted))
        })
}

/// Follows every reference to the record. Objects form no circle of cascades, so the depth is bounded by the schema.
fn gather(fallen: &mut Fallen, state: &State, object: usize, place: usize) -> Result<(), Problem> {
    if fallen.buried.contains(&(object, place)) {
        return Ok(());
    }
    fallen.buried.push((object, place));
    if let Some((other, place)) = notes::other_half(state, object, state.tables[object].row(place).id) {
        gather(fallen, state, other, place)?;
    }
    let target = &state.org.objects[object];
    let id = state.tables[object].row(place).id;
    let Some(key) = Cell::Id(id).key() else {
        return Ok(());
    };
    for (other, shape) in state.org.objects.iter().enumerate() {
        for (field, reference) in shape
            .fields
            .iter()
            .enumerate()
            .filter_map(|(at, field)| Some((at, field.reference()?)))
        {
            let table = &state.tables[other];
            if !reference.to.contains(&target.name) || !table.has_index(field) {
                continue;
            }
            let mut holders = table
                .equal(field, &key)
                .filter(|&holder| !table.row(holder).deleted)
                .peekable();
            match reference.on_delete {
                OnDelete::Clear => fallen.cleared.extend(holders.map(|holder| (other, holder, field, id))),
                OnDelete::Cascade => {
                    for holder in holders {
                        refuse_won(state, (object, place), (other, holder))?;
                        gather(fallen, state, other, holder)?;
                    }
                }
                OnDelete::Restrict if holders.peek().is_some() => {
                    let words = format!("it is associated with the following {}.", shape.name);
                    return Err(stays(state, object, place, &words));
                }
                OnDelete::Restrict => {}
            }
        }
    }
    Ok(())
}

/// An account with an opportunity that was won stays: third-party notes on deleting accounts. Assumed: the words.
fn refuse_won(state: &State, account: (usize, usize), child: (usize, usize)) -> Result<(), Problem> {
    let shape = &state.org.objects[child.0];
    let won = |name: &str| {
        let cells = &state.tables[child.0].row(child.1).cells;
        shape.field(name).is_some_and(|field| cells[field].is_true())
    };
    if shape.name == "Opportunity" && won("IsWon") {
        let words = "some opportunities in that account were closed won.";
        return Err(stays(state, account.0, account.1, words));
    }
    Ok(())
}

/// Assumed: the end of the message, where the facts print dots.
fn stays(state: &State, object: usize, place: usize, why: &str) -> Problem {
    let name = state.org.objects[object].field("Name");
    let shown = name.and_then(|field| state.tables[object].row(place).cells[field].as_text());
    let shown = shown.unwrap_or_default();
    let message = format!("Your attempt to delete {shown} could not be completed because {why}");
    Problem::write("DELETE_FAILED", message, &[])
}

#[cfg(test)]
mod tests;
