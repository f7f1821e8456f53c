//! Columns as JSON.
//!
//! Their choices are told apart from them: `OptionSet` is a navigation property, shown when it is expanded.

use serde_json::{Value, json};

use super::super::cell::Cell;
use super::super::model::{Attribute, Column, Kind, Required, Table};
use super::choice::{id, label, managed};

/// The name of the type in metadata: `StringAttributeMetadata`.
fn type_name(column: &Column) -> String {
    let word = match column.attribute.name() {
        "Virtual" => "MultiSelectPicklist",
        "Uniqueidentifier" => "UniqueIdentifier",
        "Customer" | "Owner" => "Lookup",
        other => other,
    };
    format!("{word}AttributeMetadata")
}

/// One column. `number` is its place in the table.
pub(super) fn attribute(table: &Table, column: &Column, number: usize) -> Value {
    let of_table = format!("{} {}", table.logical, column.name);
    let mut found = json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{}", type_name(column)),
        "MetadataId": id("column", &of_table),
        "HasChanged": null,
        "AttributeOf": null,
        "AttributeType": column.attribute.name(),
        "ColumnNumber": number + 1,
        "DeprecatedVersion": null,
        "IntroducedVersion": "5.0.0.0",
        "EntityLogicalName": table.logical,
        "IsCustomAttribute": column.schema.starts_with("msft_") || (table.custom && number > 0 && column.schema.contains('_')),
        "IsPrimaryId": number == 0,
        "IsValidODataAttribute": true,
        "IsPrimaryName": table.primary_name == Some(number),
        "IsValidForCreate": (column.settable || number == 0) && column.attribute != Attribute::State,
        "IsValidForRead": column.readable,
        "IsValidForUpdate": column.settable,
        "CanBeSecuredForRead": false,
        "CanBeSecuredForCreate": false,
        "CanBeSecuredForUpdate": false,
        "IsSecured": false,
        "IsRetrievable": column.readable,
        "IsFilterable": true,
        "IsSearchable": false,
        "IsManaged": true,
        "LinkedAttributeId": null,
        "LogicalName": column.name,
        "IsValidForForm": true,
        "IsRequiredForForm": false,
        "IsValidForGrid": true,
        "SchemaName": column.schema,
        "ExternalName": null,
        "IsLogical": false,
        "IsDataSourceSecret": false,
        "InheritsFrom": null,
        "SourceType": Value::Null,
        "AutoNumberFormat": "",
    });
    for more in [described(column), details(column)] {
        if let (Value::Object(found), Value::Object(more)) = (&mut found, more) {
            found.extend(more);
        }
    }
    found
}

/// Labels, and what a solution may change.
fn described(column: &Column) -> Value {
    let of_type = if matches!(column.attribute, Attribute::Customer | Attribute::Owner) {
        column.attribute.name().to_owned()
    } else {
        type_name(column).trim_end_matches("AttributeMetadata").to_owned()
    };
    json!({
        "AttributeTypeName": {"Value": format!("{of_type}Type")},
        "Description": label(""),
        "DisplayName": label(column.label),
        "IsAuditEnabled": managed(true, "canmodifyauditsettings"),
        "IsGlobalFilterEnabled": managed(false, "canmodifyglobalfiltersettings"),
        "IsSortableEnabled": managed(false, "canmodifyissortablesettings"),
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsRenameable": managed(true, "isrenameable"),
        "IsValidForAdvancedFind": managed(true, "canmodifysearchsettings"),
        "RequiredLevel": {
            "Value": column.required.name(),
            "CanBeChanged": column.required != Required::System,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "CanModifyAdditionalSettings": managed(true, "canmodifyadditionalsettings"),
    })
}

/// What the type of a column adds.
fn details(column: &Column) -> Value {
    match column.kind {
        Kind::Text { max } => json!({
            "MaxLength": max,
            "Format": if column.format.is_empty() { "Text" } else { column.format },
            "FormatName": {"Value": if column.format.is_empty() { "Text" } else { column.format }},
            "ImeMode": "Auto",
            "IsLocalizable": false,
            "DatabaseLength": max.saturating_mul(2),
            "FormulaDefinition": "",
            "SourceTypeMask": 0,
        }),
        Kind::Int { min, max } => json!({
            "MinValue": min, "MaxValue": max, "Format": "None", "FormulaDefinition": "", "SourceTypeMask": 0,
        }),
        Kind::Version => json!({"MinValue": i64::MIN, "MaxValue": i64::MAX}),
        Kind::Decimal { places, bound } => json!({
            "MinValue": -bound, "MaxValue": bound, "Precision": places, "ImeMode": "Disabled", "SourceTypeMask": 0,
        }),
        Kind::Money { bound } => money(column, bound, false),
        Kind::BaseMoney => money(column, 922_337_203_685_477, true),
        Kind::Date => json!({
            "Format": "DateOnly", "ImeMode": "Inactive", "DateTimeBehavior": {"Value": "DateOnly"}, "SourceTypeMask": 0,
        }),
        Kind::Time => json!({
            "Format": column.format,
            "ImeMode": "Inactive",
            "DateTimeBehavior": {"Value": "UserLocal"},
            "SourceTypeMask": 0,
        }),
        Kind::Lookup => {
            let mut targets: Vec<&str> = column.navigations.iter().map(|way| &*way.target).collect();
            targets.dedup();
            json!({"Targets": targets, "Format": "None"})
        }
        Kind::Bool => json!({"DefaultValue": column.default == Cell::Bool(true), "SourceTypeMask": 0}),
        Kind::Choice { .. } | Kind::Choices { .. } | Kind::State | Kind::Status => {
            json!({"DefaultFormValue": column.default.int().unwrap_or(-1), "SourceTypeMask": 0})
        }
        Kind::Key | Kind::Guid => json!({}),
    }
}

fn money(column: &Column, bound: i64, base: bool) -> Value {
    let of = column.name.trim_end_matches("_base");
    json!({
        "MinValue": -bound,
        "MaxValue": bound,
        "Precision": 2,
        "PrecisionSource": 2,
        "ImeMode": "Disabled",
        "CalculationOf": if base { json!(of) } else { Value::Null },
        "IsBaseCurrency": base,
        "SourceTypeMask": 0,
    })
}
