//! Rows as JSON: written straight into the body, without a tree in between.
//!
//! Which rows and fields to print is decided before.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::cell::Cell;
use super::cursor::Cursor;
use super::find;
use super::kind::{Kind, Words};
use super::model::Object;
use super::soql::path::Node;
use super::soql::plan::Grouping;
use super::state::State;
use super::store::Row;

/// A record with the named members: `{"attributes":{"type","url"},…}`.
pub(crate) fn record(state: &State, object: usize, row: &Row, nodes: &[Node], version: &str, out: &mut Vec<u8>) {
    open(&state.org.objects[object], row, version, out);
    members(state, object, row, nodes, version, out);
}

fn members(state: &State, object: usize, row: &Row, nodes: &[Node], version: &str, out: &mut Vec<u8>) {
    let shape = &state.org.objects[object];
    for node in nodes {
        match node {
            Node::Field(field) => member(shape, row, *field, version, out),
            Node::Parent {
                reference,
                object,
                nodes,
            } => parent(state, shape, row, (*reference, *object), nodes, version, out),
            Node::Shown { key, function, column } => {
                let last = column.parents.last().map_or(object, |(_, object)| *object);
                let field = &state.org.objects[last].fields[column.field];
                let currency = shape
                    .field("CurrencyIsoCode")
                    .and_then(|place| row.cells[place].as_text());
                let cell = find::shown(*function, field, find::cell(state, object, row, column), currency);
                put(out, format_args!(",\"{}\":", key.as_ref().unwrap_or(&field.name)));
                cell.print(field.kind == Kind::Int, out);
            }
            Node::Children(children) => {
                put(out, format_args!(",\"{}\":", children.name));
                let places = find::find_children(state, &children.plan, children.field, row.id);
                if places.is_empty() {
                    put(out, format_args!("null"));
                    continue;
                }
                let cursor = state.cursors.open(state, &children.plan, places);
                page(state, &cursor, 0, version, out);
            }
        }
    }
    out.push(b'}');
}

/// The record that a reference leads to. One that may lead to several objects shows the type `Name`.
fn parent(
    state: &State,
    shape: &Object,
    row: &Row,
    (reference, planned): (usize, usize),
    nodes: &[Node],
    version: &str,
    out: &mut Vec<u8>,
) {
    let target = shape.fields[reference].reference();
    put(
        out,
        format_args!(",\"{}\":", target.map_or("", |reference| &reference.relationship)),
    );
    let found = row.cells[reference].as_id().and_then(|id| state.parent(planned, id));
    let Some((object, parent)) = found else {
        put(out, format_args!("null"));
        return;
    };
    let org = &state.org;
    let many = target.is_some_and(|target| target.to.iter().filter(|name| org.object(name).is_some()).count() > 1);
    if !many {
        record(state, object, parent, nodes, version, out);
        return;
    }
    let actual = &org.objects[object];
    let (name, id) = (&actual.name, parent.id);
    let url = format!("/services/data/{version}/sobjects/{name}/{id}");
    put(
        out,
        format_args!("{{\"attributes\":{{\"type\":\"Name\",\"url\":\"{url}\"}}"),
    );
    for node in nodes {
        if let Node::Field(field) = node {
            let field = &org.objects[planned].fields[*field];
            match actual.field(&field.name) {
                Some(place) => member(actual, parent, place, version, out),
                None => put(out, format_args!(",\"{}\":null", field.name)),
            }
        }
    }
    out.push(b'}');
}

/// A page of a query's result: `{"totalSize","done"[,"nextRecordsUrl"],"records"}`.
pub(crate) fn page(state: &State, cursor: &Cursor, from: usize, version: &str, out: &mut Vec<u8>) {
    let until = from.saturating_add(cursor.page_size).min(cursor.places.len());
    put(out, format_args!("{{\"totalSize\":{},", cursor.places.len()));
    match cursor.locator.as_ref().filter(|_| until < cursor.places.len()) {
        Some(locator) => {
            let url = format!("/services/data/{version}/query/{locator}-{until}");
            put(
                out,
                format_args!("\"done\":false,\"nextRecordsUrl\":\"{url}\",\"records\":["),
            );
        }
        None => put(out, format_args!("\"done\":true,\"records\":[")),
    }
    let plan = &cursor.plan;
    let rows = cursor.places[from..until]
        .iter()
        .map(|&place| state.tables[plan.object].row(place));
    for (index, row) in rows.filter(|row| !row.deleted || plan.deleted).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        record(state, plan.object, row, &plan.nodes, version, out);
    }
    out.extend_from_slice(b"]}");
}

/// The groups of an aggregate query.
pub(crate) fn groups(grouping: &Grouping, groups: &[Vec<Cell>], out: &mut Vec<u8>) {
    put(
        out,
        format_args!("{{\"totalSize\":{},\"done\":true,\"records\":[", groups.len()),
    );
    for (index, slots) in groups.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        put(
            out,
            format_args!("{comma}{{\"attributes\":{{\"type\":\"AggregateResult\"}}"),
        );
        for (name, slot, whole) in &grouping.shown {
            put(out, format_args!(",\"{name}\":"));
            slots[*slot].print(*whole, out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

/// A record with all its members, empty ones included (salesforce.md section 2.2).
pub(crate) fn whole_record(shape: &Object, row: &Row, version: &str, out: &mut Vec<u8>) {
    open(shape, row, version, out);
    for field in &shape.visible {
        member(shape, row, *field, version, out);
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

fn member(shape: &Object, row: &Row, place: usize, version: &str, out: &mut Vec<u8>) {
    let field = &shape.fields[place];
    put(out, format_args!(",\"{}\":", field.name));
    let bytes = matches!(field.kind, Kind::Text(Words::Base64, _)) && row.cells[place] != Cell::Null;
    if bytes {
        let (object, id, name) = (&shape.name, row.id, &field.name);
        put(
            out,
            format_args!("\"/services/data/{version}/sobjects/{object}/{id}/{name}\""),
        );
    } else if field.kind == Kind::Address {
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
