//! `WinOpportunity` and `LoseOpportunity` (dataverse.md section 2.10).
//!
//! Other actions are not simulated.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::amount::Amount;
use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::model::{Model, State, Table};
use super::payload::{self, Draft};
use super::rules;
use super::write::Work;

/// Closes an opportunity as won or lost, and leaves an `opportunityclose` row behind.
///
/// Documented: without `actualrevenue` a win takes the estimated revenue. Assumed: a loss takes nothing, and without
/// `actualend` the closing date is today in UTC.
pub(super) fn close(work: &mut Work<'_>, wins: bool, bytes: &[u8]) -> Result<(), Fault> {
    let model = work.model();
    let (opportunity, closing) = (model.expect("opportunity"), model.expect("opportunityclose"));
    let name = if wins { "WinOpportunity" } else { "LoseOpportunity" };
    let body = payload::object(name, bytes)?;
    let (status, object) = parameters(name, &body)?;
    let mut draft = payload::draft(&work.state.store, closing, object)?;
    let parent = closing.expect("_opportunityid_value");
    let id = draft.get(parent).and_then(Cell::guid);
    let id = id.ok_or_else(|| Fault::payload(name, "The opportunity close activity names no opportunity."))?;
    let change = closed(work, opportunity, (wins, id, status))?;
    complete(work, &model, (&mut draft, id), wins)?;
    work.create(closing, &draft, None)?;
    let end = draft.get(closing.expect("actualend"));
    let revenue = draft
        .get(closing.expect("actualrevenue"))
        .cloned()
        .unwrap_or(Cell::Null);
    let day = match end {
        Some(Cell::Time(time)) => Cell::Date(time.to_zoned(TimeZone::UTC).date()),
        _ => Cell::Null,
    };
    let cells = [
        (opportunity.expect("statecode"), Cell::Int(change.0)),
        (opportunity.expect("statuscode"), Cell::Int(change.1)),
        (opportunity.expect("actualvalue"), revenue),
        (opportunity.expect("actualclosedate"), day),
    ];
    work.force(opportunity, id, &cells)
}

/// The action's two parameters.
fn parameters<'a>(name: &str, body: &'a Map<String, Value>) -> Result<(i64, &'a Map<String, Value>), Fault> {
    let known = |parameter: &str| matches!(parameter, "Status" | "OpportunityClose") || parameter.starts_with('@');
    if let Some(other) = body.keys().find(|parameter| !known(parameter)) {
        let text = format!(
            "The parameter '{other}' in the request payload is not a valid parameter for the operation '{name}'."
        );
        return Err(Fault::payload(name, text));
    }
    let missing = |parameter: &str| {
        Fault::payload(
            name,
            format!("The parameter '{parameter}' is missing or of the wrong type."),
        )
    };
    let status = body
        .get("Status")
        .and_then(Value::as_i64)
        .ok_or_else(|| missing("Status"))?;
    let object = body.get("OpportunityClose").and_then(Value::as_object);
    Ok((status, object.ok_or_else(|| missing("OpportunityClose"))?))
}

/// State and status that the opportunity gets. `-1` lets the system choose.
fn closed(work: &Work<'_>, table: &Table, (wins, id, status): (bool, Guid, i64)) -> Result<(i64, i64), Fault> {
    let row = work
        .state
        .store
        .row(table, id)
        .ok_or_else(|| Fault::no_such_row(&table.logical, id))?;
    if row.cells[table.expect("statecode")] != Cell::Int(table.states[0].code) {
        return Err(Fault::AlreadyClosed);
    }
    let action = if wins { "won" } else { "lost" };
    let target = table.states.iter().find(|state| state.action == Some(action));
    let target: &State = target.ok_or(Fault::UseMessage(action))?;
    let status = if status == -1 { target.statuses[0] } else { status };
    rules::fitting(table, target, status, id)
}

/// Fills what the body leaves out.
fn complete(work: &Work<'_>, model: &Model, (draft, id): (&mut Draft, Guid), wins: bool) -> Result<(), Fault> {
    let (opportunity, closing) = (model.expect("opportunity"), model.expect("opportunityclose"));
    let row = work
        .state
        .store
        .row(opportunity, id)
        .ok_or_else(|| Fault::no_such_row("opportunity", id))?;
    let of = |column: &str| row.cells[opportunity.expect(column)].clone();
    let revenue = if wins {
        of("estimatedvalue")
    } else {
        Cell::Amount(Amount::ZERO)
    };
    let defaults = [
        ("actualrevenue", revenue),
        (
            "actualend",
            Cell::Time(super::environment::whole_second(work.ground.clock.now())),
        ),
        ("_transactioncurrencyid_value", of("_transactioncurrencyid_value")),
    ];
    for (column, cell) in defaults {
        let column = closing.expect(column);
        if draft.get(column).is_none_or(Cell::is_null) {
            draft.cells.push((column, cell));
        }
    }
    Ok(())
}
