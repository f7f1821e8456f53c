//! One field's entry in a describe (salesforce.md section 3.5).
//!
//! Most keys follow from the field's type. Assumed: which, where the digest of the real describes does not say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::super::kind::{Kind, OnDelete, Reference, Words};
use super::super::model::{Field, Object};
use super::super::org::lists;
use super::super::places;
use super::super::state::State;

/// What no simulated field is.
const NEVER: [&str; 11] = [
    "aiPredictionField",
    "calculated",
    "caseSensitive",
    "deprecatedAndHidden",
    "displayLocationInDecimal",
    "encrypted",
    "formulaTreatNullNumberAsZero",
    "highScaleNumber",
    "htmlFormatted",
    "searchPrefilterable",
    "writeRequiresMasterRead",
];
/// What no simulated field has.
const EMPTY: [&str; 7] = [
    "calculatedFormula",
    "defaultValueFormula",
    "filteredLookupInfo",
    "inlineHelpText",
    "mask",
    "maskType",
    "referenceTargetField",
];

/// The entry of the field at that place.
pub(super) fn entry(state: &State, shape: &Object, place: usize) -> Value {
    let field = &shape.fields[place];
    let (length, bytes) = sizes(&field.kind);
    let (precision, scale) = digits(&field.kind);
    let reference = field.reference();
    let controller = controller(field);
    let told = json!({
        "aggregatable": field.filterable && !matches!(field.kind, Kind::Boolean | Kind::Address),
        "autoNumber": field.auto_number,
        "byteLength": bytes,
        "cascadeDelete": falls(reference, OnDelete::Cascade),
        "compoundFieldName": compound(shape, field),
        "controllerName": controller,
        "createable": field.createable,
        "custom": field.name.ends_with("__c"),
        "defaultValue": (field.kind == Kind::Boolean).then_some(false),
        "defaultedOnCreate": field.defaulted,
        "dependentPicklist": controller.is_some(),
        "digits": if field.kind == Kind::Int { 9 } else { 0 },
        "externalId": field.external,
        "extraTypeInfo": extra(shape, field),
        "filterable": field.filterable,
        "groupable": field.filterable && !matches!(field.kind, Kind::Number { .. } | Kind::DateTime | Kind::Address),
        "idLookup": field.id_lookup,
        "label": field.label,
        "length": length,
        "name": field.name,
        "nameField": field.is_name,
        "namePointing": reference.is_some_and(|reference| reference.to.len() > 1),
        "nillable": field.nillable,
        "permissionable": field.nillable && (field.createable || field.updateable),
        "picklistValues": picklist(state, shape, field),
        "polymorphicForeignKey": reference.is_some_and(|reference| reference.to.len() > 1),
        "precision": precision,
        "queryByDistance": field.kind == Kind::Address,
        "referenceTo": reference.map_or(&[][..], |reference| &reference.to),
        "relationshipName": reference.map(|reference| &reference.relationship).filter(|name| !name.is_empty()),
        "relationshipOrder": (shape.is_custom() && falls(reference, OnDelete::Cascade)).then_some(0),
        "restrictedDelete": falls(reference, OnDelete::Restrict),
        "restrictedPicklist": field.restricted,
        "scale": scale,
        "soapType": soap_type(&field.kind),
        "sortable": field.sortable,
        "type": field.kind.describe_name(),
        "unique": field.unique,
        "updateable": field.updateable,
    });
    let Value::Object(mut entry) = told else {
        return Value::Null;
    };
    entry.extend(NEVER.iter().map(|name| ((*name).to_owned(), Value::Bool(false))));
    entry.extend(EMPTY.iter().map(|name| ((*name).to_owned(), Value::Null)));
    entry.sort_keys();
    Value::Object(entry)
}

fn falls(reference: Option<&Reference>, how: OnDelete) -> bool {
    reference.is_some_and(|reference| reference.on_delete == how)
}

/// Characters and bytes: three bytes for each character (salesforce.md section 3.5).
fn sizes(kind: &Kind) -> (usize, usize) {
    match kind {
        Kind::Id | Kind::Reference(_) => (18, 18),
        Kind::Text(words, length) if *words != Words::Base64 => (*length, length * 3),
        Kind::Text(..)
        | Kind::Boolean
        | Kind::Number { .. }
        | Kind::Int
        | Kind::Date
        | Kind::DateTime
        | Kind::Address => (0, 0),
    }
}

fn digits(kind: &Kind) -> (u32, u32) {
    match kind {
        Kind::Number { precision, scale, .. } => (*precision, *scale),
        Kind::Id
        | Kind::Reference(_)
        | Kind::Text(..)
        | Kind::Boolean
        | Kind::Int
        | Kind::Date
        | Kind::DateTime
        | Kind::Address => (0, 0),
    }
}

fn soap_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference(_) => "tns:ID",
        Kind::Text(Words::Base64, _) => "xsd:base64Binary",
        Kind::Text(..) => "xsd:string",
        Kind::Boolean => "xsd:boolean",
        Kind::Number { .. } => "xsd:double",
        Kind::Int => "xsd:int",
        Kind::Date => "xsd:date",
        Kind::DateTime => "xsd:dateTime",
        Kind::Address => "urn:address",
    }
}

fn extra(shape: &Object, field: &Field) -> Option<&'static str> {
    if matches!(field.kind, Kind::Text(Words::TextArea, _)) {
        Some("plaintextarea")
    } else {
        (field.is_name && shape.field("LastName").is_some()).then_some("personname")
    }
}

/// The compound that a field is a part of: an address, or a person's name.
fn compound(shape: &Object, field: &Field) -> Option<String> {
    if field.kind == Kind::Address {
        return None;
    }
    if matches!(field.name.as_str(), "FirstName" | "LastName" | "Salutation") {
        return Some("Name".to_owned());
    }
    let parts = [
        "Street",
        "City",
        "State",
        "PostalCode",
        "Country",
        "Latitude",
        "Longitude",
    ];
    let more = ["GeocodeAccuracy", "StateCode", "CountryCode"];
    let mut prefixes = parts
        .iter()
        .chain(&more)
        .filter_map(|part| field.name.strip_suffix(part));
    prefixes.find_map(|prefix| {
        let name = format!("{prefix}Address");
        let place = shape.field(&name)?;
        (shape.fields[place].kind == Kind::Address).then_some(name)
    })
}

/// The field on whose value the picklist depends.
fn controller(field: &Field) -> Option<String> {
    if field.name == "Customer_purchase_intent__c" {
        return Some("Co_sell_Type__c".to_owned());
    }
    let prefix = field.name.strip_suffix("StateCode")?;
    Some(format!("{prefix}CountryCode"))
}

/// The values of a picklist: those of the table, or those that the settings say.
fn picklist(state: &State, shape: &Object, field: &Field) -> Value {
    let entry = |label: &str, value: &str, default: bool, valid_for: Option<String>| json!({"active": true, "defaultValue": default, "label": label, "validFor": valid_for, "value": value});
    if field.name.ends_with("CountryCode") {
        let all = places::COUNTRIES
            .iter()
            .map(|(code, name)| entry(name, code, false, None));
        return Value::Array(all.collect());
    }
    if field.name.ends_with("StateCode") {
        let all = places::states().map(|(country, code, name)| entry(name, code, false, Some(bit(country))));
        return Value::Array(all.collect());
    }
    let default = lists::default_value(&state.settings, shape, field);
    let valid_for = (field.name == "Customer_purchase_intent__c").then(|| bit(0));
    let values = lists::picklist(&state.settings, shape, field);
    let all = values
        .iter()
        .map(|value| entry(value, value, default.as_deref() == Some(*value), valid_for.clone()));
    Value::Array(all.collect())
}

/// A row of bits with one set, the first bit first, in base64: which value of the controlling picklist a value is for.
fn bit(place: usize) -> String {
    let mut bytes = vec![0_u8; place / 8 + 1];
    bytes[place / 8] = 0x80 >> (place % 8);
    while !bytes.len().is_multiple_of(3) {
        bytes.push(0);
    }
    BASE64.encode(bytes)
}
