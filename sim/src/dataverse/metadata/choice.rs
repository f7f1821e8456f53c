//! Labels and choices as JSON.
//!
//! Assumed: members that the facts do not show, here and in the rest of the metadata, which are those of the public
//! reference; every label is in English alone.

use serde_json::{Value, json};

use super::super::guid::Guid;
use super::super::model::{ChoiceSet, Column, Kind, Table};
use crate::seed::Seed;

/// The identifier of something that metadata describe: the same in every environment.
pub(super) fn id(kind: &str, name: &str) -> String {
    Guid::draw(&mut Seed(0).stream(&format!("metadata {kind} {name}"))).to_string()
}

/// A text that people read.
pub(super) fn label(text: &str) -> Value {
    if text.is_empty() {
        return json!({"LocalizedLabels": [], "UserLocalizedLabel": null});
    }
    let one = json!({
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": true,
        "MetadataId": id("label", text),
        "HasChanged": null,
    });
    json!({"LocalizedLabels": [one.clone()], "UserLocalizedLabel": one})
}

/// A property that a solution may lock.
pub(super) fn managed(value: bool, name: &str) -> Value {
    json!({"Value": value, "CanBeChanged": true, "ManagedPropertyLogicalName": name})
}

fn option(value: i64, text: &str) -> Value {
    json!({
        "Value": value,
        "Color": null,
        "IsManaged": true,
        "ExternalValue": "",
        "ParentValues": [],
        "Tag": null,
        "IsHidden": false,
        "MetadataId": null,
        "HasChanged": null,
        "Label": label(text),
        "Description": label(""),
    })
}

fn set(name: &str, kind: &str, global: bool) -> Value {
    json!({
        "MetadataId": id("choice", name),
        "HasChanged": null,
        "IsCustomOptionSet": name.starts_with("msft_"),
        "IsGlobal": global,
        "IsManaged": true,
        "Name": name,
        "ExternalTypeName": null,
        "OptionSetType": kind,
        "IntroducedVersion": "5.0.0.0",
        "ParentOptionSetName": null,
        "Description": label(""),
        "DisplayName": label(name),
        "IsCustomizable": managed(true, "iscustomizable"),
    })
}

/// A choice with its options.
pub(super) fn choices(choice: &ChoiceSet) -> Value {
    let mut found = set(choice.name, "Picklist", choice.is_global());
    let options = choice.values.iter().zip(&choice.labels);
    found["Options"] = options.map(|(value, text)| option(*value, text)).collect();
    found
}

/// The choice of a column, when it has one.
pub(super) fn of_column(table: &Table, column: &Column) -> Option<Value> {
    let own = format!("{}_{}", table.logical, column.name);
    match column.kind {
        Kind::Choice { set } | Kind::Choices { set } => Some(choices(set)),
        Kind::Bool => {
            let mut found = set(&own, "Boolean", false);
            found["FalseOption"] = option(0, column.labels.0);
            found["TrueOption"] = option(1, column.labels.1);
            Some(found)
        }
        Kind::State => Some(states(table, &own)),
        Kind::Status => Some(statuses(table, &own)),
        Kind::Key
        | Kind::Guid
        | Kind::Text { .. }
        | Kind::Int { .. }
        | Kind::Money { .. }
        | Kind::BaseMoney
        | Kind::Decimal { .. }
        | Kind::Date
        | Kind::Time
        | Kind::Lookup
        | Kind::Version => None,
    }
}

fn states(table: &Table, own: &str) -> Value {
    let mut found = set(own, "State", false);
    let options = table.states.iter().map(|state| {
        let mut option = option(state.code, state.name);
        option["@odata.type"] = json!("#Microsoft.Dynamics.CRM.StateOptionMetadata");
        option["DefaultStatus"] = json!(state.statuses.first());
        option["InvariantName"] = json!(state.name);
        option
    });
    found["Options"] = options.collect();
    found
}

fn statuses(table: &Table, own: &str) -> Value {
    let mut found = set(own, "Status", false);
    let each = table.states.iter().flat_map(|state| {
        let statuses = state.statuses.iter().zip(&state.reasons);
        statuses.map(move |(status, reason)| (state.code, *status, *reason))
    });
    let options = each.map(|(state, status, reason)| {
        let mut option = option(status, reason);
        option["@odata.type"] = json!("#Microsoft.Dynamics.CRM.StatusOptionMetadata");
        option["State"] = json!(state);
        option["TransitionData"] = Value::Null;
        option
    });
    found["Options"] = options.collect();
    found
}
