//! The body of a write: JSON into cells, with the refusals that need nothing but the schema.
//!
//! References are not followed here and nothing is stored.

use serde_json::{Map, Value};

use super::cell::{Cell, Misfit, exceeded_length};
use super::error::{Complaint, Problem};
use super::kind::{Kind, Words};
use super::model::{Field, Object};
use super::org::lists;
use super::settings::Settings;

/// Which write names the fields: they may be open to one and closed to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
}

/// One field of the body: its place and its new value.
pub(crate) type Assignment = (usize, Cell);

/// Reads a body that must be one JSON object.
pub(crate) fn read_body(raw: &[u8]) -> Result<Map<String, Value>, Problem> {
    if raw.is_empty() {
        // As public suites against real orgs assert it.
        let message = "The HTTP entity body is required, but this request has no entity body.";
        return Err(Problem::bad("JSON_PARSER_ERROR", message));
    }
    match serde_json::from_slice(raw) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(other) => Err(unreadable("SObject", &other, 1, 1)),
        Err(error) => {
            // The vendor prints its own parser's words; only the place can be true here.
            let message = format!(
                "Unexpected character at [line:{}, column:{}]",
                error.line(),
                error.column()
            );
            Err(Problem::bad("JSON_PARSER_ERROR", message))
        }
    }
}

/// Turns a body into assignments. Assumed: the order of the checks; unknown names first, then closed fields, then values.
pub(crate) fn assignments(
    shape: &Object,
    settings: &Settings,
    body: &Map<String, Value>,
    raw: &[u8],
    verb: Verb,
) -> Result<Vec<Assignment>, Problem> {
    let mut named = Vec::with_capacity(body.len());
    for (name, value) in body {
        if let Some(place) = named_field(shape, name)? {
            named.push((place, name, value));
        }
    }
    refuse_closed_fields(shape, &named, verb)?;
    let (mut assigned, mut complaints) = (Vec::with_capacity(named.len()), Vec::new());
    for (place, name, value) in named {
        let field = &shape.fields[place];
        match Cell::decode(field, value) {
            Ok(cell) => {
                complaints.extend(unfit(shape, field, settings, &cell));
                assigned.push((place, cell));
            }
            Err(Misfit::Unreadable) => {
                let (line, column) = position(raw, name);
                return Err(unreadable(field.kind.soap_name(), value, line, column));
            }
            Err(misfit) => complaints.push(complaint(field, misfit, value)),
        }
    }
    if complaints.is_empty() {
        Ok(assigned)
    } else {
        Err(Problem::writes(complaints))
    }
}

/// The place of a named field; `None` for the one name that a body may carry without being a field.
fn named_field(shape: &Object, name: &str) -> Result<Option<usize>, Problem> {
    if name == "attributes" {
        return Ok(None);
    }
    if name.eq_ignore_ascii_case("Id") {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(Problem::write("INVALID_FIELD", message, &["Id"]));
    }
    if let Some(place) = shape.seen(name) {
        return Ok(Some(place));
    }
    if shape.relationship(name).is_some() {
        return Err(Problem::not_simulated(format!("relationship `{name}` in a body")));
    }
    let message = format!("No such column '{name}' on sobject of type {}", shape.name);
    Err(Problem::bad("INVALID_FIELD", message))
}

fn refuse_closed_fields(shape: &Object, named: &[(usize, &String, &Value)], verb: Verb) -> Result<(), Problem> {
    let open = |field: &Field| match verb {
        Verb::Create => field.createable,
        Verb::Update => field.updateable,
    };
    let closed: Vec<&str> = named
        .iter()
        .map(|(place, ..)| &shape.fields[*place])
        .filter(|field| !open(field))
        .map(|field| field.name.as_str())
        .collect();
    if closed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write \
         for your profile or permission set.",
        closed.join(", ")
    );
    Err(Problem::write("INVALID_FIELD_FOR_INSERT_UPDATE", message, &closed))
}

/// What is wrong with a value that reads as its type: too long, or not in the list.
fn unfit(shape: &Object, field: &Field, settings: &Settings, cell: &Cell) -> Option<Complaint> {
    let text = cell.as_text()?;
    if let Some(length) = exceeded_length(field, text) {
        let message = format!("{}: data value too large: {text} (max length={length})", field.label);
        return Some(Complaint::new("STRING_TOO_LONG", message, &[&field.name]));
    }
    let list = lists::picklist(settings, shape, field);
    let Kind::Text(words, _) = field.kind else { return None };
    let known = match words {
        Words::Picklist => list.contains(&text),
        Words::MultiPicklist => text.split(';').all(|one| list.contains(&one.trim())),
        Words::String
        | Words::TextArea
        | Words::Combobox
        | Words::Email
        | Words::Phone
        | Words::Url
        | Words::Base64 => true,
    };
    if field.restricted && !known {
        let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
        let code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST";
        return Some(Complaint::new(code, message, &[&field.name]));
    }
    None
}

fn complaint(field: &Field, misfit: Misfit, value: &Value) -> Complaint {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (code, what) = match misfit {
        Misfit::MalformedId => ("MALFORMED_ID", "id value of incorrect type"),
        Misfit::OutOfRange => (
            "NUMBER_OUTSIDE_VALID_RANGE",
            "value outside of valid range on numeric field",
        ),
        Misfit::NotEmpty | Misfit::Unreadable => ("INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type"),
    };
    Complaint::new(code, format!("{}: {what}: {shown}", field.label), &[&field.name])
}

/// Assumed: the words of the vendor's JSON parser, from general knowledge.
fn unreadable(expected: &str, value: &Value, line: usize, column: usize) -> Problem {
    let token = match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(true) => "VALUE_TRUE",
        Value::Bool(false) => "VALUE_FALSE",
        Value::Number(number) if number.is_f64() => "VALUE_NUMBER_FLOAT",
        Value::Number(_) => "VALUE_NUMBER_INT",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    let shown = match value {
        Value::String(text) => format!(" value {text}"),
        Value::Number(number) => format!(" value {number}"),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let message = format!(
        "Cannot deserialize instance of {expected} from {token}{shown} or request may be missing a required field at \
         [line:{line}, column:{column}]"
    );
    Problem::bad("JSON_PARSER_ERROR", message)
}

/// Line and column just after a member's name in the body, both from 1.
fn position(raw: &[u8], name: &str) -> (usize, usize) {
    let text = String::from_utf8_lossy(raw);
    let quoted = Value::from(name).to_string();
    let end = text.find(&quoted).map_or(0, |start| start + quoted.len());
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::org::Org;

    fn try_create(body: &Value) -> Result<Vec<Assignment>, Problem> {
        let settings = Settings::default();
        let org = Org::of(&settings);
        let shape = &org.objects[org.object("Opportunity").unwrap()];
        let raw = body.to_string();
        assignments(
            shape,
            &settings,
            &read_body(raw.as_bytes())?,
            raw.as_bytes(),
            Verb::Create,
        )
    }

    fn codes(body: &Value) -> Vec<&'static str> {
        match try_create(body) {
            Err(Problem::Refused { complaints, .. }) => complaints.iter().map(|complaint| complaint.code).collect(),
            Err(Problem::NotSimulated(_)) => vec!["not simulated"],
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn each_bad_value_has_its_own_code() {
        for (body, code) in [
            (json!({"name": "lower case is fine"}), ""),
            (json!({"Nmae": "x"}), "INVALID_FIELD"),
            (json!({"Id": "x"}), "INVALID_FIELD"),
            (json!({"IsWon": true}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
            (json!({"Name": "x".repeat(121)}), "STRING_TOO_LONG"),
            (json!({"Name": "é".repeat(120)}), ""),
            (json!({"CloseDate": "05/01/2026"}), "JSON_PARSER_ERROR"),
            (json!({"Name": ["x"]}), "JSON_PARSER_ERROR"),
            (
                json!({"CurrencyIsoCode": "XXX"}),
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ),
            (json!({"StageName": "Anything at all"}), ""),
            (json!({"AccountId": "no id"}), "MALFORMED_ID"),
            (json!({"Amount": 1e17}), "NUMBER_OUTSIDE_VALID_RANGE"),
            (
                json!({"Sync_With_Partner_Center__c": null}),
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
            ),
            (json!({"Account": {"Name": "x"}}), "not simulated"),
            (json!([]), "JSON_PARSER_ERROR"),
        ] {
            assert_eq!(codes(&body).first().copied().unwrap_or_default(), code, "{body}");
        }
    }

    #[test]
    fn a_bad_body_is_named_with_its_place() {
        let error = read_body(b"{\n  \"Name\": }").unwrap_err().to_string();
        assert!(error.contains("[line:2, column:11]"), "{error}");
        assert_eq!(position(b"{\n \"A\":1,\n \"B\":2}", "B"), (3, 5));
        let deep = "[".repeat(100_000);
        assert!(read_body(deep.as_bytes()).is_err());
    }
}
