//! PUT: a whole referral, of which few fields may differ (partner-center.md section 4.2).
//!
//! It turns the body into a patch of the fields that differ.

use jiff::Timestamp;
use serde_json::Value;

use super::error::Problem;
use super::patch::Patch;

/// What a PUT changes, given what is stored.
///
/// Assumed, as the documents show only one body: a field that is absent stays; a read-only field must be absent or as
/// stored; `links` must have been removed, as the documents ask; `updatedDateTime` is not compared, the eTag is.
pub(super) fn patch(stored: &Value, body: &[u8]) -> Result<Patch, Problem> {
    let given: Value = super::body::read("referral", body)?;
    let Value::Object(fields) = given else {
        return Err(Problem::invalid("referral", "The request body is not an object."));
    };
    let mut edits = Vec::new();
    for (name, value) in fields {
        match name.as_str() {
            "links" => {
                let message = "Remove the links object from the resource.";
                return Err(Problem::invalid("links", message));
            }
            "eTag" if stored.get("eTag") != Some(&value) => return Err(Problem::Precondition),
            "@odata.context" | "eTag" | "updatedDateTime" => {}
            _ => differences(stored, format!("/{name}"), value, &mut edits)?,
        }
    }
    // A state is two fields, of which one may have stayed: a patch names both.
    for (one, other) in [("/status", "/substatus"), ("/substatus", "/status")] {
        let names = |path: &str| edits.iter().any(|(pointer, _)| pointer == path);
        if names(one) && !names(other) {
            edits.push((other.to_owned(), stored.pointer(other).cloned().unwrap_or_default()));
        }
    }
    Ok(Patch::replacing(edits))
}

/// Descends into objects; lists and plain values are compared whole. The depth is bounded by what serde reads.
fn differences(stored: &Value, pointer: String, given: Value, edits: &mut Vec<(String, Value)>) -> Result<(), Problem> {
    let Some(current) = stored.pointer(&pointer) else {
        return Err(Problem::NotSimulated(format!("body field `{pointer}` in referral")));
    };
    if let (Value::Object(fields), true) = (&given, current.is_object()) {
        for (name, value) in fields {
            let name = name.replace('~', "~0").replace('/', "~1");
            differences(stored, format!("{pointer}/{name}"), value.clone(), edits)?;
        }
    } else if !same(current, &given) {
        edits.push((pointer, given));
    }
    Ok(())
}

/// Whether two values mean the same: 10000 and 10000.0, `…T00:00:00Z` and `…T00:00:00.0000000Z`.
fn same(one: &Value, other: &Value) -> bool {
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    one == other
        || (one.is_number() && one.as_f64() == other.as_f64())
        || (moment(one).is_some() && moment(one) == moment(other))
}
