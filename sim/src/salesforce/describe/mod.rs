//! What the org and its objects can do: `/services/data/vNN.0`, `/sobjects`, `/sobjects/T` and `/sobjects/T/describe`
//! (salesforce.md sections 2.1 and 3.5).
//!
//! Every key is there whether or not it says much: typed clients refuse an answer that lacks one. It reads the schema and no rows
//! but those that were looked at last.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::condition;
use super::error::JSON;
use super::kind::OnDelete;
use super::model::Object;
use super::org::{Child, Org};
use super::recent;
use super::state::State;
use super::visit::{Answer, Visit, object};
use crate::reply::json_reply;

/// One field's entry.
mod field;

/// The record type that every object has (salesforce.md section 3.5).
const MASTER: &str = "012000000000000AAA";

/// `GET /services/data/vNN.0`: the resources below a version. Assumed: those that are not simulated are not listed.
pub(crate) fn resources(state: &State, visit: &Visit<'_>) -> Answer {
    visit.only(&[Method::GET])?;
    let base = format!("/services/data/{}", visit.version);
    let mut body = Map::new();
    for name in ["composite", "jobs", "limits", "query", "queryAll", "recent", "sobjects"] {
        body.insert(name.to_owned(), Value::from(format!("{base}/{name}")));
    }
    let login = state.base();
    let identity = format!("{login}/id/{}/{}", state.organization, visit.author.id);
    body.insert("identity".to_owned(), Value::from(identity));
    Ok(json_reply(StatusCode::OK, JSON, &Value::Object(body)))
}

/// `GET /sobjects`: every object, in brief.
pub(crate) fn global(state: &State, visit: &Visit<'_>) -> Answer {
    visit.only(&[Method::GET])?;
    if let Some(unchanged) = condition::of_schema(state, visit.call.headers)? {
        return Ok(unchanged);
    }
    let objects = state
        .org
        .objects
        .iter()
        .map(|shape| Value::Object(brief(shape, visit.version)));
    let body = json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects.collect::<Vec<_>>()});
    Ok(json_reply(StatusCode::OK, JSON, &body))
}

/// `GET /sobjects/T`: one object in brief, and its records that were looked at last.
pub(crate) fn basic(state: &State, visit: &Visit<'_>, object: usize) -> Answer {
    if let Some(unchanged) = condition::of_schema(state, visit.call.headers)? {
        return Ok(unchanged);
    }
    let shape = &state.org.objects[object];
    let body = json!({
        "objectDescribe": Value::Object(brief(shape, visit.version)),
        "recentItems": recent::of_object(state, visit, object),
    });
    Ok(json_reply(StatusCode::OK, JSON, &body))
}

/// `GET /sobjects/T/describe`: one object, whole.
pub(crate) fn whole(state: &State, visit: &Visit<'_>, name: &str) -> Answer {
    let object = object(state, name)?;
    visit.only(&[Method::GET])?;
    if let Some(unchanged) = condition::of_schema(state, visit.call.headers)? {
        return Ok(unchanged);
    }
    let body = Value::Object(describe(state, object, visit.version));
    Ok(json_reply(StatusCode::OK, JSON, &body))
}

/// The entry of an object in the list of all.
fn brief(shape: &Object, version: &str) -> Map<String, Value> {
    let can = |letter: u8| shape.abilities.has(letter);
    let writes = |letter: u8| can(letter) && !shape.setup;
    let body = json!({
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "createable": can(b'c'),
        "custom": shape.is_custom(),
        "customSetting": false,
        "deepCloneable": false,
        "deletable": can(b'd'),
        "deprecatedAndHidden": false,
        "feedEnabled": can(b'f'),
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": String::from_utf8_lossy(&shape.prefix),
        "label": shape.label,
        "labelPlural": shape.plural,
        "layoutable": can(b'l'),
        "mergeable": can(b'm'),
        "mruEnabled": can(b'M'),
        "name": shape.name,
        "queryable": can(b'q'),
        "replicateable": can(b'R'),
        "retrieveable": can(b'r'),
        "searchable": can(b's'),
        "triggerable": can(b't'),
        "undeletable": writes(b'n'),
        "updateable": can(b'u'),
        "urls": urls(shape, version),
    });
    let Value::Object(body) = body else { return Map::new() };
    body
}

fn urls(shape: &Object, version: &str) -> Value {
    let at = format!("/services/data/{version}/sobjects/{}", shape.name);
    json!({
        "compactLayouts": format!("{at}/describe/compactLayouts"),
        "rowTemplate": format!("{at}/{{ID}}"),
        "approvalLayouts": format!("{at}/describe/approvalLayouts"),
        "listviews": format!("{at}/listviews"),
        "describe": format!("{at}/describe"),
        "quickActions": format!("{at}/quickActions"),
        "layouts": format!("{at}/describe/layouts"),
        "sobject": at,
    })
}

/// The entry of an object, and all that only its own describe tells. Assumed: the values of keys that say nothing about data.
fn describe(state: &State, object: usize, version: &str) -> Map<String, Value> {
    let org = &state.org;
    let shape = &org.objects[object];
    let mut body = brief(shape, version);
    let layouts = shape.abilities.has(b'l');
    let fields = shape.visible.iter().map(|place| field::entry(state, shape, *place));
    let children = org.children[object].iter().filter_map(|child| self::child(org, child));
    let more = json!({
        "actionOverrides": [],
        "childRelationships": children.collect::<Vec<_>>(),
        "compactLayoutable": layouts,
        "defaultImplementation": null,
        "extendedBy": null,
        "extendsInterfaces": null,
        "fields": fields.collect::<Vec<_>>(),
        "implementedBy": null,
        "implementsInterfaces": null,
        "listviewable": null,
        "lookupLayoutable": null,
        "namedLayoutInfos": [],
        "networkScopeFieldName": null,
        "recordTypeInfos": record_types(state, shape, version),
        "searchLayoutable": layouts,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": scopes(shape),
    });
    body.extend(more.as_object().cloned().unwrap_or_default());
    let page = format!("{}/{{ID}}", state.base());
    let new = format!("{}/{}/e", state.base(), String::from_utf8_lossy(&shape.prefix));
    if layouts && let Some(urls) = body.get_mut("urls").and_then(Value::as_object_mut) {
        urls.insert("uiDetailTemplate".to_owned(), Value::from(page.clone()));
        urls.insert("uiEditTemplate".to_owned(), Value::from(format!("{page}/e")));
        urls.insert("uiNewRecord".to_owned(), Value::from(new));
    }
    body.sort_keys();
    body
}

fn child(org: &Org, child: &Child) -> Option<Value> {
    let shape = &org.objects[child.object];
    let field = &shape.fields[child.field];
    let reference = field.reference().filter(|_| !field.hidden)?;
    let name = Some(child.relationship.as_str()).filter(|name| !name.is_empty());
    Some(json!({
        "cascadeDelete": reference.on_delete == OnDelete::Cascade,
        "childSObject": shape.name,
        "deprecatedAndHidden": false,
        "field": field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": name,
        "restrictedDelete": reference.on_delete == OnDelete::Restrict,
    }))
}

/// The record types of the settings, and the one that every object has.
fn record_types(state: &State, shape: &Object, version: &str) -> Value {
    let entry = |name: &str, developer: &str, id: &str, master: bool, default: bool| {
        json!({
            "active": true,
            "available": true,
            "defaultRecordTypeMapping": default,
            "developerName": developer,
            "master": master,
            "name": name,
            "recordTypeId": id,
            "urls": {"layout": format!("/services/data/{version}/sobjects/{}/describe/layouts/{id}", shape.name)},
        })
    };
    let own: Vec<Value> = state
        .record_types(&shape.name)
        .enumerate()
        .map(|(place, (name, developer, id))| entry(&name, &developer, &id.to_string(), false, place == 0))
        .collect();
    let master = entry("Master", "Master", MASTER, true, own.is_empty());
    Value::Array(own.into_iter().chain([master]).collect())
}

fn scopes(shape: &Object) -> Value {
    let mut scopes = vec![json!({"label": format!("All {}", shape.plural.to_lowercase()), "name": "everything"})];
    if shape.field("OwnerId").is_some() {
        scopes.push(json!({"label": format!("My {}", shape.plural.to_lowercase()), "name": "mine"}));
    }
    Value::Array(scopes)
}

#[cfg(test)]
mod tests;
