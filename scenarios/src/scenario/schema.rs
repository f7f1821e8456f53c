//! A JSON Schema of scenario files, made from the tables that the reader goes by, so that editors complete and check.
//!
//! It is looser than the reader where JSON Schema cannot follow: deals, days that exist, what was remembered.

use serde_json::{Map, Value, json};

use super::file::KEYS;
use super::key::{Key, Kind, MATCHERS, matchers_of};
use super::parts::PART_KEYS;
use super::verbs::{Takes, VERBS, Verb};

/// The schema of a scenario file or a part.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of cosell, or a part that scenarios include",
        "if": {"type": "object", "required": ["part"]},
        "then": map(&PART_KEYS),
        "else": map(&KEYS),
        "$defs": {"step": step(), "steps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}}},
    })
}

/// The values of a column of a table of examples stand for any value.
fn or_a_name(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "string", "pattern": "<[^<>]+>"}]})
}

fn map(keys: &[Key]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        let mut schema = of(key.kind);
        if key.or_none {
            schema = json!({"anyOf": [schema, {"const": "none"}]});
        }
        if let Some(described) = schema.as_object_mut() {
            described.insert("description".to_owned(), json!(key.about));
        }
        properties.insert(key.name.to_owned(), schema);
    }
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let named = keys.iter().any(|key| key.name == "steps");
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "patternProperties": {"<[^<>]+>": true},
    });
    if named {
        schema["required"] = json!(required);
    } else if !required.is_empty() {
        // A key may be a name of a column, so what is missing cannot always be told.
        schema["if"] = json!({"propertyNames": {"not": {"pattern": "<[^<>]+>"}}});
        schema["then"] = json!({"required": required});
    }
    schema
}

fn of(kind: Kind) -> Value {
    let text = |pattern: &str| or_a_name(&json!({"type": "string", "pattern": pattern}));
    match kind {
        Kind::Deal => text(r"^[\p{L}\p{N}_-]{1,40}$"),
        Kind::Text => json!({"type": ["string", "number", "boolean"]}),
        Kind::Texts => or_a_name(&json!({"type": "array", "items": {"type": ["string", "number", "boolean"]}})),
        Kind::Money => text(r"^\d+(\.\d{1,4})? [A-Z]{3}$"),
        Kind::Date => text(r"^\d{4}-\d{2}-\d{2}$"),
        Kind::Duration => text(r"^\d+(d|h|m|s|ms)( \d+(h|m|s|ms))*$"),
        Kind::YesNo => or_a_name(&json!({"enum": ["yes", "no"]})),
        Kind::Number(least, u64::MAX) => or_a_name(&json!({"type": "integer", "minimum": least})),
        Kind::Number(least, most) => or_a_name(&json!({"type": "integer", "minimum": least, "maximum": most})),
        Kind::Word(words) => or_a_name(&json!({"enum": words})),
        Kind::Stage(words) => json!({"type": "string", "examples": words}),
        Kind::Map(keys) => or_a_name(&map(keys)),
        Kind::Steps => json!({"$ref": "#/$defs/steps"}),
        Kind::Wanted(kind) => json!({"anyOf": [of(*kind), matchers(*kind)]}),
        Kind::Free => json!({"type": "object"}),
        Kind::Rows => json!({"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1}}),
    }
}

/// Exactly one word that says what a value must be like.
fn matchers(kind: Kind) -> Value {
    let mut properties = Map::new();
    for name in matchers_of(kind) {
        let about = MATCHERS.iter().find(|(known, _)| known == name).map(|(_, about)| about);
        let mut schema = match *name {
            "one of" => json!({"type": "array", "items": of(kind)}),
            "count" => of(Kind::Number(0, 10_000)),
            "not" | "at least" | "at most" => of(kind),
            _ => of(Kind::Text),
        };
        if let Some(described) = schema.as_object_mut() {
            described.insert("description".to_owned(), json!(about));
        }
        properties.insert((*name).to_owned(), schema);
    }
    json!({
        "type": "object", "properties": properties, "additionalProperties": false,
        "minProperties": 1, "maxProperties": 1,
    })
}

fn step() -> Value {
    let bare: Vec<&str> = VERBS
        .iter()
        .filter(|verb| matches!(verb.takes, Takes::Nothing))
        .map(|verb| verb.name)
        .collect();
    let properties: Map<String, Value> = VERBS.iter().filter_map(with_value).collect();
    json!({"anyOf": [
        {"enum": bare},
        {
            "type": "object", "properties": properties, "additionalProperties": false,
            "patternProperties": {"<[^<>]+>": true}, "minProperties": 1, "maxProperties": 1,
        },
    ]})
}

fn with_value(verb: &Verb) -> Option<(String, Value)> {
    let mut schema = match verb.takes {
        Takes::Nothing => return None,
        Takes::One(kind) => of(kind),
        Takes::Keys(keys) => or_a_name(&map(keys)),
    };
    if let Some(described) = schema.as_object_mut() {
        described.insert("description".to_owned(), json!(verb.about));
    }
    Some((verb.name.to_owned(), schema))
}
