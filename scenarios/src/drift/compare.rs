//! Two answers to one request: status, headers that clients read, the code of an error, keys and types of the body.

use std::collections::{BTreeMap, BTreeSet};

use cosell_sim::network::wire::WireResponse;
use serde::Serialize;
use serde_json::Value;

/// In what two answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The status.
    Status,
    /// The code of the vendor's error.
    Code,
    /// A header.
    Header,
    /// A key of the body.
    Key,
    /// The type of a value in the body.
    Type,
    /// The simulator does not have it.
    NotSimulated,
}

/// One difference between two answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Differs {
    pub(super) aspect: Aspect,
    /// Which header, which key.
    pub(super) place: String,
    pub(super) recorded: String,
    pub(super) simulated: String,
}

/// Headers whose first words are compared.
const BY_VALUE: [&str; 5] = [
    "content-type",
    "odata-version",
    "preference-applied",
    "www-authenticate",
    "allow",
];
/// Headers of which only the presence is compared.
const BY_PRESENCE: [&str; 9] = [
    "etag",
    "location",
    "odata-entityid",
    "retry-after",
    "request-id",
    "sforce-limit-info",
    "x-ms-service-request-id",
    "x-ms-dop-hint",
    "x-ms-ratelimit-burst-remaining-xrm-requests",
];

/// Every difference.
pub(super) fn compare(recorded: &WireResponse, simulated: &WireResponse) -> Vec<Differs> {
    let mut found = Vec::new();
    let mut differs = |aspect, place: &str, recorded: String, simulated: String| {
        found.push(Differs {
            aspect,
            place: place.to_owned(),
            recorded,
            simulated,
        });
    };
    if simulated.status == 501 && recorded.status != 501 {
        let text = simulated.body.text().chars().take(200).collect();
        differs(Aspect::NotSimulated, "", recorded.status.to_string(), text);
        return found;
    }
    if recorded.status != simulated.status {
        differs(
            Aspect::Status,
            "",
            recorded.status.to_string(),
            simulated.status.to_string(),
        );
    }
    if recorded.status / 100 != simulated.status / 100 {
        return found;
    }
    headers(recorded, simulated, &mut differs);
    let (one, other) = (recorded.body.json(), simulated.body.json());
    let (code, their_code) = (error_code(one.as_ref()), error_code(other.as_ref()));
    if recorded.status >= 400 && code != their_code {
        differs(
            Aspect::Code,
            "",
            code.unwrap_or_default(),
            their_code.unwrap_or_default(),
        );
    }
    match (one, other) {
        (Some(one), Some(other)) => found.extend(shapes(&one, &other)),
        (None, None) => {}
        (one, _) => {
            let kind = |is_json: bool| if is_json { "JSON" } else { "no JSON" }.to_owned();
            let is_json = one.is_some();
            differs(Aspect::Type, "the body", kind(is_json), kind(!is_json));
        }
    }
    found
}

/// Headers that differ.
fn headers(recorded: &WireResponse, simulated: &WireResponse, differs: &mut impl FnMut(Aspect, &str, String, String)) {
    let first = |answer: &WireResponse, name: &str| {
        let value = answer.headers.get(name)?;
        let value = if name == "www-authenticate" {
            value.split(' ').next()?
        } else {
            value.split(';').next()?
        };
        Some(value.trim().to_ascii_lowercase())
    };
    for name in BY_VALUE {
        let (one, other) = (first(recorded, name), first(simulated, name));
        if one != other {
            differs(Aspect::Header, name, one.unwrap_or_default(), other.unwrap_or_default());
        }
    }
    for name in BY_PRESENCE {
        let there = |answer: &WireResponse| {
            if answer.headers.get(name).is_some() {
                "there"
            } else {
                "missing"
            }
        };
        let (one, other) = (there(recorded), there(simulated));
        if one != other {
            differs(Aspect::Header, name, one.to_owned(), other.to_owned());
        }
    }
}

/// The vendor's code of an error.
fn error_code(body: Option<&Value>) -> Option<String> {
    let body = body?;
    let places = [
        &body["error"]["code"],
        &body[0]["errorCode"],
        &body["error"],
        &body["code"],
    ];
    let found = places
        .into_iter()
        .find(|value| value.is_string() || value.is_number())?;
    Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

/// Types by place; `[]` stands for every item of a list.
#[derive(Debug, Default)]
struct Shape {
    types: BTreeMap<String, BTreeSet<&'static str>>,
    /// Lists without items, of whose items nothing is known.
    empty: BTreeSet<String>,
    /// Places that hold null, of whose inside nothing is known.
    null: BTreeSet<String>,
}

impl Shape {
    fn of(value: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(value, "");
        shape
    }

    fn add(&mut self, value: &Value, place: &str) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        };
        self.types.entry(place.to_owned()).or_default().insert(kind);
        match value {
            Value::Object(members) => {
                for (name, inner) in members {
                    self.add(inner, &format!("{place}/{name}"));
                }
            }
            Value::Array(items) => {
                if items.is_empty() {
                    self.empty.insert(place.to_owned());
                }
                for item in items {
                    self.add(item, &format!("{place}/[]"));
                }
            }
            Value::Null => drop(self.null.insert(place.to_owned())),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether nothing is known of what is inside an outer place.
    fn is_blind_at(&self, place: &str) -> bool {
        let mut outer = place;
        while let Some((start, _)) = outer.rsplit_once('/') {
            outer = start;
            if self.empty.contains(outer) || self.null.contains(outer) || !self.types.contains_key(outer) {
                return true;
            }
        }
        false
    }
}

fn shapes(recorded: &Value, simulated: &Value) -> Vec<Differs> {
    let (one, other) = (Shape::of(recorded), Shape::of(simulated));
    let mut places: BTreeSet<&String> = one.types.keys().collect();
    places.extend(other.types.keys());
    let mut found = Vec::new();
    for place in places {
        let differs = |aspect, recorded: String, simulated: String| Differs {
            aspect,
            place: place.clone(),
            recorded,
            simulated,
        };
        match (one.types.get(place), other.types.get(place)) {
            (Some(types), Some(theirs)) => {
                let real = |types: &BTreeSet<&'static str>| -> BTreeSet<&'static str> {
                    types.iter().copied().filter(|kind| *kind != "null").collect()
                };
                let (types, theirs) = (real(types), real(theirs));
                // Null says nothing of the type.
                if !types.is_empty() && !theirs.is_empty() && types.is_disjoint(&theirs) {
                    let words = |types: BTreeSet<&'static str>| types.into_iter().collect::<Vec<_>>().join(" or ");
                    found.push(differs(Aspect::Type, words(types), words(theirs)));
                }
            }
            (Some(_), None) if !other.is_blind_at(place) => {
                found.push(differs(Aspect::Key, "there".to_owned(), "missing".to_owned()));
            }
            (None, Some(_)) if !one.is_blind_at(place) => {
                found.push(differs(Aspect::Key, "missing".to_owned(), "there".to_owned()));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_types_are_compared_and_values_are_not() {
        let one = json!({"id": "a", "n": 1, "rows": [{"x": 1}, {"x": 2, "y": null}], "gone": true, "none": null});
        let same = json!({"id": "b", "n": 2, "rows": [{"x": 3, "y": "z"}], "gone": false, "none": {"a": 1}});
        assert_eq!(shapes(&one, &same), []);
        let other = json!({"id": 7, "n": 1, "rows": [{"x": 1, "y": 1, "more": 1}], "none": null});
        let found: Vec<(Aspect, String)> = shapes(&one, &other)
            .into_iter()
            .map(|differs| (differs.aspect, differs.place))
            .collect();
        let place = |aspect, place: &str| (aspect, place.to_owned());
        assert_eq!(
            found,
            [
                place(Aspect::Key, "/gone"),
                place(Aspect::Type, "/id"),
                place(Aspect::Key, "/rows/[]/more"),
            ]
        );
        assert_eq!(shapes(&json!({"rows": []}), &json!({"rows": [{"x": 1}]})), []);
    }
}
