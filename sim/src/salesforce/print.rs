//! Rows as JSON: written straight into the body, without a tree in between.
//!
//! Which rows and fields to print is decided before.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::model::{Kind, Object};
use super::soql::path::Node;
use super::state::State;
use super::store::Row;

/// A record with the named members: `{"attributes":{"type","url"},…}`.
pub(crate) fn record(state: &State, object: usize, row: &Row, nodes: &[Node], version: &str, out: &mut Vec<u8>) {
    let shape = &state.org.objects[object];
    open(shape, row, version, out);
    for node in nodes {
        match node {
            Node::Field(field) => member(shape, row, *field, out),
            Node::Parent {
                reference,
                object,
                nodes,
            } => {
                let name = shape.fields[*reference]
                    .reference()
                    .map_or("", |reference| &reference.relationship);
                put(out, format_args!(",\"{name}\":"));
                let table = &state.tables[*object];
                match row.cells[*reference].as_id().and_then(|id| table.find(id)) {
                    Some(place) => record(state, *object, table.row(place), nodes, version, out),
                    None => put(out, format_args!("null")),
                }
            }
        }
    }
    out.push(b'}');
}

/// A record with all its members, empty ones included (salesforce.md section 2.2).
pub(crate) fn whole_record(shape: &Object, row: &Row, version: &str, out: &mut Vec<u8>) {
    open(shape, row, version, out);
    for field in &shape.visible {
        member(shape, row, *field, out);
    }
    out.push(b'}');
}

/// A record as a tree: every member, without attributes.
pub(crate) fn fields(shape: &Object, row: &Row) -> Map<String, Value> {
    let mut fields = Map::new();
    for (field, cell) in shape.fields.iter().zip(&row.cells) {
        let value = if field.kind == Kind::Address {
            address(shape, row, &field.name)
        } else {
            cell.to_value(field.kind == Kind::Int)
        };
        fields.insert(field.name.clone(), value);
    }
    fields
}

fn open(shape: &Object, row: &Row, version: &str, out: &mut Vec<u8>) {
    let (name, id) = (&shape.name, row.id);
    put(
        out,
        format_args!(
            "{{\"attributes\":{{\"type\":\"{name}\",\"url\":\"/services/data/{version}/sobjects/{name}/{id}\"}}"
        ),
    );
}

fn member(shape: &Object, row: &Row, place: usize, out: &mut Vec<u8>) {
    let field = &shape.fields[place];
    put(out, format_args!(",\"{}\":", field.name));
    if field.kind == Kind::Address {
        put(out, format_args!("{}", address(shape, row, &field.name)));
    } else {
        row.cells[place].print(field.kind == Kind::Int, out);
    }
}

/// The compound of the fields that share a prefix, `null` when all are empty. `BillingAddress` is made of `BillingCity` etc.
fn address(shape: &Object, row: &Row, name: &str) -> Value {
    let prefix = name.strip_suffix("Address").unwrap_or_default();
    let part = |suffix: &str| {
        let place = shape.field(&format!("{prefix}{suffix}"));
        place.map_or(Value::Null, |place| row.cells[place].to_value(false))
    };
    let parts = [
        "City",
        "Country",
        "GeocodeAccuracy",
        "Latitude",
        "Longitude",
        "PostalCode",
        "State",
        "Street",
    ]
    .map(part);
    if parts.iter().all(Value::is_null) {
        return Value::Null;
    }
    let [city, country, accuracy, latitude, longitude, postal_code, state, street] = parts;
    json!({
        "city": city, "country": country, "geocodeAccuracy": accuracy, "latitude": latitude, "longitude": longitude,
        "postalCode": postal_code, "state": state, "street": street,
    })
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    let _written = out.write_fmt(text);
}
