//! What one row of a CSV says: cells into the members of a body.
//!
//! The body is checked where every body is.

use serde_json::{Map, Value, json};

use crate::salesforce::kind::Kind;
use crate::salesforce::model::Object;

/// What a cell must hold to empty a field; an empty cell leaves the field as it is.
const NOTHING: &str = "#N/A";

/// The columns of a head that lead nowhere.
pub(super) fn unknown<'a>(shape: &Object, head: &'a [String]) -> Option<&'a str> {
    let known = |name: &str| match name.split_once('.') {
        Some((relationship, _)) => {
            let relationship = relationship.rsplit_once(':').map_or(relationship, |(_, name)| name);
            shape.relationship(relationship).is_some()
        }
        None => shape.seen(name).is_some(),
    };
    head.iter().map(String::as_str).find(|name| !known(name.trim()))
}

/// The body that a row describes. Columns of a parent read `Relationship.Field` or `Object:Relationship.Field`.
pub(super) fn body(shape: &Object, head: &[String], cells: &[String]) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, cell) in head.iter().zip(cells) {
        let name = name.trim();
        if cell.is_empty() {
            continue;
        }
        match name.split_once('.') {
            Some((relationship, field)) => {
                let (kind, relationship) = match relationship.split_once(':') {
                    Some((kind, relationship)) => (Some(kind), relationship),
                    None => (None, relationship),
                };
                let parent = match (cell.as_str(), kind) {
                    (NOTHING, _) => Value::Null,
                    (cell, Some(kind)) => json!({"attributes": {"type": kind}, field: cell}),
                    (cell, None) => json!({field: cell}),
                };
                body.insert(relationship.to_owned(), parent);
            }
            None => {
                body.insert(name.to_owned(), value(shape, name, cell));
            }
        }
    }
    body
}

/// Truth has several spellings in a CSV; all else is read as it is in JSON.
fn value(shape: &Object, name: &str, cell: &str) -> Value {
    if cell == NOTHING {
        return Value::Null;
    }
    let boolean = shape
        .field(name)
        .is_some_and(|place| shape.fields[place].kind == Kind::Boolean);
    match cell.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "on" | "1" if boolean => Value::Bool(true),
        "no" | "n" | "false" | "off" | "0" if boolean => Value::Bool(false),
        _ => Value::from(cell),
    }
}
