//! Tables, keys and relationships as JSON.
//!
//! What belongs to a table beside its own properties is built only when it is asked for.

use serde_json::{Value, json};

use super::super::model::{Column, Key, Many, Model, Navigation, OnDelete, Ownership, Table};
use super::choice::{id, label, managed};

/// One table.
pub(super) fn entity(table: &Table) -> Value {
    let ownership = match table.ownership {
        Ownership::User => "UserOwned",
        Ownership::Unit => "BusinessOwned",
        Ownership::Organisation if table.intersect => "None",
        Ownership::Organisation => "OrganizationOwned",
    };
    let name = table.primary_name.map(|at| table.columns[at].name.clone());
    let mut found = json!({
        "MetadataId": id("table", &table.logical),
        "HasChanged": null,
        "LogicalName": table.logical,
        "LogicalCollectionName": table.set,
        "CollectionSchemaName": table.set,
        "EntitySetName": table.set,
        "SchemaName": table.schema,
        "ObjectTypeCode": table.code,
        "OwnershipType": ownership,
        "PrimaryIdAttribute": table.columns[0].name,
        "PrimaryNameAttribute": name,
        "PrimaryImageAttribute": null,
        "RecurrenceBaseEntityLogicalName": null,
        "ReportViewName": format!("Filtered{}", table.schema),
        "ExternalName": null,
        "ExternalCollectionName": null,
        "DataProviderId": null,
        "DataSourceId": null,
        "IntroducedVersion": "5.0.0.0",
        "TableType": "Standard",
        "HasNotes": table.collections.contains_key(format!("{}_Annotation", table.schema).as_str()),
        "HasActivities": table.collections.contains_key(format!("{}_Tasks", table.schema).as_str()),
        "HasFeedback": false,
    });
    for more in [flags(table), described(table)] {
        if let (Value::Object(found), Value::Object(more)) = (&mut found, more) {
            found.extend(more);
        }
    }
    found
}

/// What is so or not so of a table.
fn flags(table: &Table) -> Value {
    json!({
        "ActivityTypeMask": i32::from(table.is_activity()),
        "AutoRouteToOwnerQueue": false,
        "CanTriggerWorkflow": true,
        "EntityHelpUrlEnabled": false,
        "EntityHelpUrl": null,
        "IsDocumentManagementEnabled": false,
        "IsOneNoteIntegrationEnabled": false,
        "IsInteractionCentricEnabled": true,
        "IsKnowledgeManagementEnabled": false,
        "IsSLAEnabled": false,
        "DaysSinceRecordLastModified": 0,
        "IsActivity": table.is_activity(),
        "IsActivityParty": false,
        "IsRetrieveAuditEnabled": false,
        "IsAvailableOffline": true,
        "IsChildEntity": false,
        "IsAIRUpdated": true,
        "IsCustomEntity": table.custom,
        "IsEnabledForCharts": true,
        "IsEnabledForTrace": false,
        "IsImportable": true,
        "IsIntersect": table.intersect,
        "IsManaged": true,
        "IsOptimisticConcurrencyEnabled": table.optimistic,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsPrivate": table.intersect,
        "IsQuickCreateEnabled": true,
        "IsReadingPaneEnabled": true,
        "IsValidForAdvancedFind": !table.intersect,
        "IsLogicalEntity": false,
        "IsStateModelAware": !table.states.is_empty(),
    })
}

/// Labels, and what a solution may change.
fn described(table: &Table) -> Value {
    json!({
        "Description": label(""),
        "DisplayName": label(table.labels.0),
        "DisplayCollectionName": label(table.labels.1),
        "IsAuditEnabled": managed(false, "canmodifyauditsettings"),
        "IsValidForQueue": managed(false, "canmodifyqueuesettings"),
        "IsConnectionsEnabled": managed(true, "canmodifyconnectionsettings"),
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsRenameable": managed(true, "isrenameable"),
        "IsMappable": managed(true, "ismappable"),
        "IsDuplicateDetectionEnabled": managed(false, "canmodifyduplicatedetectionsettings"),
        "CanCreateAttributes": managed(true, "cancreateattributes"),
        "CanCreateForms": managed(true, "cancreateforms"),
        "CanCreateViews": managed(true, "cancreateviews"),
        "CanChangeTrackingBeEnabled": managed(true, "canchangetrackingbeenabled"),
    })
}

/// One alternate key.
pub(super) fn key(table: &Table, key: &Key) -> Value {
    let names: Vec<&str> = key.columns.iter().map(|at| &*table.columns[*at].name).collect();
    json!({
        "MetadataId": id("key", &format!("{} {}", table.logical, key.name)),
        "HasChanged": null,
        "KeyAttributes": names,
        "EntityLogicalName": table.logical,
        "LogicalName": key.name,
        "SchemaName": key.name,
        "EntityKeyIndexStatus": "Active",
        "IsManaged": false,
        "IsSynchronous": false,
        "IsExportKey": false,
        "IsSecondaryKey": false,
        "IntroducedVersion": "1.0.0.0",
        "DisplayName": label(&key.name),
        "IsCustomizable": managed(true, "iscustomizable"),
    })
}

/// Every one-to-many relationship, by the table that points: each once, with both sides.
pub(super) fn one_to_many(model: &Model) -> Vec<Value> {
    let mut found = Vec::new();
    for table in model.tables() {
        for column in &table.columns {
            for (place, way) in column.navigations.iter().enumerate() {
                // `ownerid` has one relationship for users and teams.
                let again = column.navigations[..place]
                    .iter()
                    .any(|before| before.relationship == way.relationship);
                if let Some(target) = model.by_logical(&way.target).filter(|_| !again) {
                    found.push(relationship(table, column, way, target));
                }
            }
        }
    }
    found
}

fn relationship(table: &Table, column: &Column, way: &Navigation, target: &Table) -> Value {
    let delete = match way.on_delete {
        OnDelete::Cascade => "Cascade",
        OnDelete::RemoveLink => "RemoveLink",
        OnDelete::Restrict => "Restrict",
    };
    json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "MetadataId": id("relationship", &way.relationship),
        "HasChanged": null,
        "IsCustomRelationship": table.custom || way.relationship.starts_with("msft_"),
        "IsValidForAdvancedFind": true,
        "SchemaName": way.relationship,
        "SecurityTypes": "Append",
        "IsManaged": true,
        "RelationshipType": "OneToManyRelationship",
        "IntroducedVersion": "5.0.0.0",
        "ReferencedAttribute": target.columns[0].name,
        "ReferencedEntity": target.logical,
        "ReferencingAttribute": column.name,
        "ReferencingEntity": table.logical,
        "IsHierarchical": target.logical == table.logical && column.name.starts_with("parent"),
        "EntityKey": null,
        "IsRelationshipAttributeDenormalized": false,
        "ReferencedEntityNavigationPropertyName": way.relationship,
        "ReferencingEntityNavigationPropertyName": way.name,
        "RelationshipBehavior": 1,
        "IsDenormalizedLookup": false,
        "DenormalizedAttributeName": null,
        "IsCustomizable": managed(true, "iscustomizable"),
        "AssociatedMenuConfiguration": {
            "Behavior": "UseCollectionName", "Group": "Details", "Order": null, "IsCustomizable": true, "Icon": null,
            "ViewId": id("view", &target.logical), "AvailableOffline": true, "MenuId": null, "QueryApi": null,
            "Label": label(""),
        },
        "CascadeConfiguration": {
            "Assign": "NoCascade", "Delete": delete, "Archive": "NoCascade", "Merge": "NoCascade",
            "Reparent": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade", "RollupView": "NoCascade",
        },
    })
}

/// One many-to-many relationship.
pub(super) fn many_to_many(model: &Model, many: &Many) -> Value {
    let [one, other] = &many.sides;
    let tables = model.tables();
    let intersect = &tables[many.intersect];
    json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
        "MetadataId": id("relationship", &many.name),
        "HasChanged": null,
        "IsCustomRelationship": false,
        "IsValidForAdvancedFind": true,
        "SchemaName": many.name,
        "SecurityTypes": "None",
        "IsManaged": true,
        "RelationshipType": "ManyToManyRelationship",
        "IntroducedVersion": "5.0.0.0",
        "Entity1LogicalName": tables[one.0].logical,
        "Entity2LogicalName": tables[other.0].logical,
        "IntersectEntityName": intersect.logical,
        "Entity1IntersectAttribute": intersect.columns[one.1].name,
        "Entity2IntersectAttribute": intersect.columns[other.1].name,
        "Entity1NavigationPropertyName": one.2,
        "Entity2NavigationPropertyName": other.2,
        "IsCustomizable": managed(true, "iscustomizable"),
    })
}
