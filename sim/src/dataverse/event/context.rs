//! The body of a webhook: the remote execution context (dataverse.md section 4.2).
//!
//! Assumed: the `__type` of money, choices and references, which follow the documented pattern of an entity; that an update
//! carries the columns of the request and who modified the row and when; that the depth is always 1.

use serde_json::{Value, json};

use super::super::ORGANISATION;
use super::super::cell::Cell;
use super::super::environment::{Caller, State};
use super::super::guid::Guid;
use super::super::model::{Column, Kind, Table};
use super::super::store::{Row, Store};
use super::{Message, Named, Written};

const CONTRACTS: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// A body and the number by which its request is known.
pub(super) struct Body {
    pub(super) correlation: Guid,
    value: Value,
}

impl Body {
    /// As JSON; without what makes it large, when it is too large.
    pub(super) fn text(&self, whole: bool) -> String {
        if whole {
            return self.value.to_string();
        }
        let mut value = self.value.clone();
        if let Value::Object(members) = &mut value {
            for name in [
                "ParentContext",
                "InputParameters",
                "PreEntityImages",
                "PostEntityImages",
            ] {
                members.shift_remove(name);
            }
        }
        value.to_string()
    }
}

/// What a step is told of a write.
pub(super) fn body(state: &mut State, caller: &Caller, step: &Row, written: Written<'_>) -> Body {
    let [correlation, operation, request] = [(); 3].map(|()| Guid::draw(&mut state.requests));
    let organisation = state.organisation;
    let initiator = caller.on_behalf.unwrap_or(caller.id);
    let people = state.store.model().expect("systemuser");
    let person = state
        .store
        .row(people, initiator)
        .map(|row| Named { table: people, row });
    let object = person.and_then(|person| person.guid("azureactivedirectoryobjectid"));
    let output = match written.message {
        Message::Create => json!([{"key": "id", "value": written.row.id.to_string()}]),
        Message::Update | Message::Delete => json!([]),
    };
    let value = json!({
        "BusinessUnitId": organisation.business_unit.to_string(),
        "CorrelationId": correlation.to_string(),
        "Depth": 1,
        "InitiatingUserAzureActiveDirectoryObjectId": object.unwrap_or(Guid::FIRST).to_string(),
        "InitiatingUserId": initiator.to_string(),
        "InputParameters": [{"key": "Target", "value": target(&state.store, written)}],
        "IsExecutingOffline": false,
        "IsInTransaction": false,
        "IsOfflinePlayback": false,
        "IsolationMode": 1,
        "MessageName": written.message.name(),
        "Mode": 1,
        "OperationCreatedOn": format!("/Date({}+0000)/", written.at.as_millisecond()),
        "OperationId": operation.to_string(),
        "OrganizationId": organisation.id.to_string(),
        "OrganizationName": ORGANISATION,
        "OutputParameters": output,
        "OwningExtension": reference(None, "sdkmessageprocessingstep", step.id),
        "ParentContext": null,
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": written.row.id.to_string(),
        "PrimaryEntityName": written.table.logical,
        "RequestId": request.to_string(),
        "SecondaryEntityName": "none",
        "SharedVariables": [],
        "Stage": 40,
        "UserId": caller.id.to_string(),
    });
    Body { correlation, value }
}

fn typed(name: &str) -> String {
    format!("{name}:{CONTRACTS}")
}

fn reference(kind: Option<&str>, logical: &str, id: Guid) -> Value {
    let mut value =
        json!({"Id": id.to_string(), "KeyAttributes": [], "LogicalName": logical, "Name": null, "RowVersion": null});
    if let (Some(kind), Value::Object(members)) = (kind, &mut value) {
        members.shift_insert(0, "__type".to_owned(), Value::from(typed(kind)));
    }
    value
}

/// The row that was written: its columns, or for a deletion its name alone.
fn target(store: &Store, written: Written<'_>) -> Value {
    let Written { table, row, .. } = written;
    if written.message == Message::Delete {
        return reference(Some("EntityReference"), &table.logical, row.id);
    }
    let stamps = [
        table.system.modified_on,
        table.system.modified_by,
        table.system.modified_on_behalf,
    ];
    let shown = |column: usize| match written.message {
        Message::Create => !row.cells[column].is_null(),
        Message::Update | Message::Delete => {
            column == 0
                || written.present.contains(&column)
                || (stamps.contains(&column) && !row.cells[column].is_null())
        }
    };
    let columns = (0..table.columns.len()).filter(|column| shown(*column));
    let attributes = columns.map(|column| {
        let value = attribute(store, table, &table.columns[column], &row.cells[column]);
        json!({"key": table.columns[column].name, "value": value})
    });
    json!({
        "__type": typed("Entity"),
        "Attributes": attributes.collect::<Vec<_>>(),
        "EntityState": null,
        "FormattedValues": [],
        "Id": row.id.to_string(),
        "KeyAttributes": [],
        "LogicalName": table.logical,
        "RelatedEntities": [],
        "RowVersion": null,
    })
}

fn attribute(store: &Store, table: &Table, column: &Column, cell: &Cell) -> Value {
    match (column.kind, cell) {
        (_, Cell::Null) => Value::Null,
        (Kind::Money { .. } | Kind::BaseMoney, cell) => json!({"__type": typed("Money"), "Value": cell.value()}),
        (Kind::Choice { .. } | Kind::State | Kind::Status, cell) => {
            json!({"__type": typed("OptionSetValue"), "Value": cell.value()})
        }
        (Kind::Lookup, Cell::Guid(id)) => {
            let model = store.model();
            let targets = column
                .navigations
                .iter()
                .filter_map(|way| model.by_logical(&way.target));
            let there = targets.clone().find(|target| store.row(target, *id).is_some());
            let logical = there
                .or_else(|| targets.clone().next())
                .map_or(&table.logical, |target| &target.logical);
            reference(Some("EntityReference"), logical, *id)
        }
        (_, Cell::Time(at)) => Value::from(format!("/Date({})/", at.as_millisecond())),
        (_, Cell::Date(day)) => {
            let midnight = day
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map_or(0, |zoned| zoned.timestamp().as_millisecond());
            Value::from(format!("/Date({midnight})/"))
        }
        (_, cell) => cell.value(),
    }
}
