//! `/sobjects/T/FIELD/VALUE`: records named by an external identifier (salesforce.md section 2.2).
//!
//! What each version answers stands here; the writes themselves stand in `write`.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::author::Author;
use super::cell::Cell;
use super::condition;
use super::error::{JSON, Problem};
use super::foreign::{ambiguous, holders};
use super::id::Id;
use super::records;
use super::state::State;
use super::visit::{Answer, Visit, object};
use super::write::{self, Body};
use crate::reply::{empty_reply, json_reply};

/// The first version whose answer says whether the record is new, and that answers an update with a body.
const SAYS_CREATED: u32 = 46;

/// `GET`, `PATCH` and `DELETE /sobjects/T/FIELD/VALUE`.
pub(crate) fn by_external_id(state: &mut State, visit: &Visit<'_>, name: &str, field: &str, value: &str) -> Answer {
    let object = object(state, name)?;
    if state.org.objects[object].seen(field).is_none() && Id::parse(field).is_some() {
        return Err(Problem::not_simulated(format!("path below a record: `{value}`")));
    }
    let key = key(state, object, field)?;
    let value = decoded(value).ok_or_else(Problem::not_found)?;
    match *visit.call.method {
        Method::PATCH => patch(state, visit, object, key, &value),
        Method::GET | Method::DELETE => {
            let found = found(state, object, key, &Value::from(value));
            match found.as_slice() {
                [] => Err(Problem::not_found()),
                [place] => records::row(state, visit, object, *place),
                several => Ok(choices(state, visit, object, several)),
            }
        }
        _ => Err(visit.method_not_allowed("HEAD,GET,PATCH,DELETE")),
    }
}

/// `/sobjects/T/FIELD/A/B`: a value with a slash that was not escaped, as jsforce sends it, leads nowhere.
pub(crate) fn beyond(state: &State, name: &str, field: &str) -> Answer {
    let object = object(state, name)?;
    match key(state, object, field) {
        Ok(_) => Err(Problem::not_found()),
        Err(_) => Err(Problem::not_simulated("route")),
    }
}

/// `POST /sobjects/T/Id`: an upsert whose record has no identifier yet (from version 37).
pub(crate) fn create_without_id(state: &mut State, visit: &Visit<'_>, name: &str) -> Answer {
    let object = object(state, name)?;
    if visit.call.method != Method::POST {
        return Err(visit.method_not_allowed("POST"));
    }
    visit.allow_parameters(&[])?;
    let fields = visit.json_body()?;
    let body = Body {
        fields: &fields,
        raw: visit.call.body,
    };
    let id = write::create(state, &visit.author, object, body)?;
    Ok(records::created(
        state,
        visit,
        object,
        id,
        Some(true).filter(|_| says_created(visit)),
    ))
}

fn patch(state: &mut State, visit: &Visit<'_>, object: usize, key: usize, value: &str) -> Answer {
    visit.allow_parameters(&["updateOnly"])?;
    let update_only = match visit.parameter("updateOnly") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Problem::not_simulated(
                "parameter `updateOnly` with other than true and false",
            ));
        }
    };
    let fields = visit.json_body()?;
    let name = state.org.objects[object].fields[key].name.clone();
    if fields.keys().any(|given| given.eq_ignore_ascii_case(&name)) {
        // Assumed: code and words; that the field must not be in the body is documented.
        let message = format!("The {name} field should not be specified in the sobject data.");
        return Err(Problem::write("INVALID_FIELD", message, &[&name]));
    }
    let found = found(state, object, key, &Value::from(value));
    match found.as_slice() {
        [] if update_only || key == state.org.objects[object].system.id => Err(Problem::not_found()),
        [] => {
            let id = create(
                state,
                &visit.author,
                object,
                (key, &Value::from(value)),
                fields,
                visit.call.body,
            )?;
            Ok(records::created(
                state,
                visit,
                object,
                id,
                Some(true).filter(|_| says_created(visit)),
            ))
        }
        [place] => {
            // Assumed: the preconditions of a record hold for one that is named by an external identifier, too.
            condition::of_write(state, visit.call.headers, object, *place)?;
            let id = state.tables[object].row(*place).id;
            let body = Body {
                fields: &fields,
                raw: visit.call.body,
            };
            write::update(state, &visit.author, object, *place, body)?;
            if !says_created(visit) {
                return Ok(empty_reply(StatusCode::NO_CONTENT));
            }
            let answer = json!({"id": id.to_string(), "success": true, "errors": [], "created": false});
            Ok(json_reply(StatusCode::OK, JSON, &answer))
        }
        several => Ok(choices(state, visit, object, several)),
    }
}

fn says_created(visit: &Visit<'_>) -> bool {
    visit.version_number() >= SAYS_CREATED
}

/// What an upsert found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upserted {
    pub(crate) id: Id,
    pub(crate) created: bool,
}

/// An upsert of one record that carries its own key, as collections and bulk jobs send it.
///
/// Assumed: code and words when the key is missing, and that a key of nothing in `Id` creates.
pub(crate) fn upsert(
    state: &mut State,
    author: &Author,
    object: usize,
    key: usize,
    mut fields: Map<String, Value>,
) -> Result<Upserted, Problem> {
    let shape = &state.org.objects[object];
    let (name, by_id) = (shape.fields[key].name.clone(), key == shape.system.id);
    let given = fields.keys().find(|given| given.eq_ignore_ascii_case(&name)).cloned();
    let value = given
        .and_then(|given| fields.shift_remove(&given))
        .unwrap_or(Value::Null);
    if value.is_null() || value == "" {
        if !by_id {
            let message = format!("{name} not specified");
            return Err(Problem::write("MISSING_ARGUMENT", message, &[&name]));
        }
        let body = Body {
            fields: &fields,
            raw: b"",
        };
        let id = write::create(state, author, object, body)?;
        return Ok(Upserted { id, created: true });
    }
    let found = found(state, object, key, &value);
    match found.as_slice() {
        [] if by_id => Err(missing_record(&value, &name)),
        [] => {
            let id = create(state, author, object, (key, &value), fields, b"")?;
            Ok(Upserted { id, created: true })
        }
        [place] => {
            let id = state.tables[object].row(*place).id;
            let body = Body {
                fields: &fields,
                raw: b"",
            };
            write::update(state, author, object, *place, body)?;
            Ok(Upserted { id, created: false })
        }
        several => Err(ambiguous(state, object, &name, several)),
    }
}

/// A write names a record by an identifier that leads nowhere. Assumed: words.
pub(crate) fn missing_record(value: &Value, field: &str) -> Problem {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if Id::parse(&shown).is_some() {
        return Problem::write("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
    }
    let message = format!("{field}: id value of incorrect type: {shown}");
    Problem::write("MALFORMED_ID", message, &[field])
}

fn create(
    state: &mut State,
    author: &Author,
    object: usize,
    (key, value): (usize, &Value),
    mut fields: Map<String, Value>,
    raw: &[u8],
) -> Result<Id, Problem> {
    fields.insert(state.org.objects[object].fields[key].name.clone(), value.clone());
    let body = Body { fields: &fields, raw };
    write::create(state, author, object, body)
}

/// The field that a path names as the key of its records: an external identifier, or `Id`.
pub(crate) fn key(state: &State, object: usize, field: &str) -> Result<usize, Problem> {
    let shape = &state.org.objects[object];
    let usable = |place: &usize| shape.fields[*place].external || *place == shape.system.id;
    shape.seen(field).filter(usable).ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {field}");
        Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    })
}

fn found(state: &State, object: usize, key: usize, value: &Value) -> Vec<usize> {
    match Cell::decode(&state.org.objects[object].fields[key], value) {
        Ok(Cell::Id(id)) if key == state.org.objects[object].system.id => {
            let place = state.tables[object].find(id);
            place
                .filter(|&place| !state.tables[object].row(place).deleted)
                .into_iter()
                .collect()
        }
        // A value that does not fit its field is held by nobody.
        Ok(Cell::Null) | Err(_) => Vec::new(),
        Ok(cell) => holders(state, object, key, &cell),
    }
}

/// Several records hold the value: their paths, and it is for the caller to choose.
fn choices(state: &State, visit: &Visit<'_>, object: usize, places: &[usize]) -> axum::response::Response {
    let name = &state.org.objects[object].name;
    let path = |place: &usize| {
        let id = state.tables[object].row(*place).id;
        Value::from(format!("/services/data/{}/sobjects/{name}/{id}", visit.version))
    };
    let list = Value::Array(places.iter().map(path).collect());
    json_reply(StatusCode::MULTIPLE_CHOICES, JSON, &list)
}

/// A segment of a path, decoded. A plus stays a plus: only query strings write blanks so.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut done = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        done.push(match byte {
            b'%' => {
                let pair = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(str::from_utf8(&pair).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(done).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::trial::Trial;

    const KEY: &str = "Referral_Identifier__c";

    fn deal(name: &str) -> Value {
        json!({"Name": name, "StageName": "Prospecting", "CloseDate": "2026-03-31"})
    }

    fn path(version: u32, value: &str) -> String {
        format!("/services/data/v{version}.0/sobjects/Opportunity/{KEY}/{value}")
    }

    #[test]
    fn an_upsert_creates_then_updates_and_each_version_answers_in_its_way() {
        for (version, created, updated) in [(44, 201, 204), (45, 201, 204), (46, 201, 200), (68, 201, 200)] {
            let trial = Trial::new();
            let path = path(version, "r%201");
            let reply = trial.send("PATCH", &path, &deal("new"), &[]);
            assert_eq!(reply.status, created, "{version}: {}", reply.text);
            let id = reply.json()["id"].as_str().unwrap().to_owned();
            let says = (version >= 46).then_some(true);
            assert_eq!(reply.json().get("created").and_then(Value::as_bool), says, "{version}");
            assert!(reply.headers["location"].to_str().unwrap().ends_with(&id));
            let reply = trial.send("PATCH", &path, &json!({"Name": "newer"}), &[]);
            assert_eq!(reply.status, updated, "{version}");
            if version >= 46 {
                let expected = format!("{{\"id\":\"{id}\",\"success\":true,\"errors\":[],\"created\":false}}");
                assert_eq!(reply.text, expected);
            } else {
                assert_eq!(reply.text, "");
            }
            let read = trial.send("GET", &path, &Value::Null, &[]).json();
            assert_eq!((&read["Name"], &read[KEY]), (&json!("newer"), &json!("r 1")));
        }
    }

    #[test]
    fn several_holders_of_a_value_are_listed_for_the_caller_to_choose() {
        let trial = Trial::new();
        let ids = ["one", "two"].map(|name| trial.deal(name, &json!({KEY: "same"})));
        for method in ["GET", "PATCH", "DELETE"] {
            let body = if method == "PATCH" {
                json!({"Name": "x"})
            } else {
                Value::Null
            };
            let reply = trial.send(method, &path(60, "SAME"), &body, &[]);
            assert_eq!(reply.status, 300, "{method}");
            let expected = ids
                .clone()
                .map(|id| format!("/services/data/v60.0/sobjects/Opportunity/{id}"));
            assert_eq!(reply.json(), json!(expected), "{method}");
        }
        trial.delete("Opportunity", &ids[0]);
        assert_eq!(trial.send("DELETE", &path(60, "same"), &Value::Null, &[]).status, 204);
        assert_eq!(trial.send("GET", &path(60, "same"), &Value::Null, &[]).fault().0, 404);
    }

    #[test]
    fn a_wrong_key_or_body_is_refused_and_writes_nothing() {
        let trial = Trial::new();
        let wrong = trial.get("/sobjects/Opportunity/Namez/x");
        assert_eq!(
            wrong.text,
            "[{\"message\":\"Provided external ID field does not exist or is not accessible: Namez\",\"errorCode\":\"NOT_FOUND\"}]"
        );
        assert_eq!(
            trial.get("/sobjects/Opportunity/Name/x").fault(),
            (404, "NOT_FOUND".to_owned())
        );
        let both = trial.send("PATCH", &path(60, "r"), &json!({"Referral_identifier__c": "r"}), &[]);
        assert_eq!(both.fault(), (400, "INVALID_FIELD".to_owned()));
        let poor = trial.send("PATCH", &path(60, "r"), &json!({"Name": "no stage"}), &[]);
        assert_eq!(poor.fault(), (400, "REQUIRED_FIELD_MISSING".to_owned()));
        let only = trial.send("PATCH", &format!("{}?updateOnly=true", path(68, "r")), &deal("x"), &[]);
        assert_eq!(only.fault(), (404, "NOT_FOUND".to_owned()));
        for slash in ["a/b", "a/b/c/"] {
            let reply = trial.send("PATCH", &path(60, slash), &deal("x"), &[]);
            assert_eq!(reply.fault(), (404, "NOT_FOUND".to_owned()), "{slash}");
        }
        let below = trial.get("/sobjects/Opportunity/Nothing/a/b");
        assert_eq!(below.missing().as_deref(), Some("route"));
        for broken in ["r%", "r%2", "r%zz", "%ff", "r%00"] {
            let reply = trial.send("GET", &path(60, broken), &Value::Null, &[]);
            assert_eq!(reply.fault().0, 404, "{broken}");
        }
        assert_eq!(trial.send("PUT", &path(60, "r"), &json!({}), &[]).fault().0, 405);
        assert!(trial.commits().is_empty());
    }

    #[test]
    fn a_plus_in_a_path_is_a_plus() {
        let trial = Trial::new();
        trial.send("PATCH", &path(60, "a%2Fb+c"), &deal("slash"), &[]);
        assert_eq!(
            trial.names(&format!("SELECT Name FROM Opportunity WHERE {KEY} = 'a/b+c'")),
            ["slash"]
        );
        assert_eq!(trial.send("GET", &path(60, "a%2fb%2Bc"), &Value::Null, &[]).status, 200);
        assert_eq!(
            trial.send("GET", &path(60, "a%2Fb%20c"), &Value::Null, &[]).fault().0,
            404
        );
    }

    #[test]
    fn the_identifier_itself_is_a_key() {
        let trial = Trial::new();
        let made = trial.send(
            "POST",
            "/services/data/v60.0/sobjects/Opportunity/Id",
            &deal("made"),
            &[],
        );
        assert_eq!((made.status.as_u16(), &made.json()["created"]), (201, &json!(true)));
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/services/data/v60.0/sobjects/Opportunity/Id/{id}");
        let reply = trial.send("PATCH", &path, &json!({"Name": "changed"}), &[]);
        assert_eq!((reply.status.as_u16(), &reply.json()["created"]), (200, &json!(false)));
        assert_eq!(trial.read("Opportunity", &id)["Name"], "changed");
        let nobody = "/services/data/v60.0/sobjects/Opportunity/Id/006000000000001AAA";
        assert_eq!(trial.send("PATCH", nobody, &deal("x"), &[]).fault().0, 404);
    }

    #[test]
    fn a_parent_may_be_named_by_its_external_identifier() {
        let trial = Trial::new();
        let parent = trial.deal("parent", &json!({KEY: "p-1"}));
        let detail = json!({"Name": "Seats", "Solution_Identifier__c": "s", "Type__c": "1P"});
        let detail = trial.create("Microsoft_Solution_Detail__c", &detail);
        let line = |parent: Value| {
            trial.post(
                "Microsoft_Solutions__c",
                &json!({"Opportunity__r": parent, "Solution__c": detail}),
            )
        };
        let made = line(json!({KEY: "P-1"}));
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(
            trial.read("Microsoft_Solutions__c", &made)["Opportunity__c"],
            json!(parent)
        );
        let unknown = line(json!({KEY: "p-2"}));
        assert_eq!(unknown.fault(), (400, "INVALID_FIELD".to_owned()));
        assert_eq!(
            unknown.message(),
            format!("Foreign key external ID: p-2 not found for field {KEY} in entity Opportunity")
        );
        trial.deal("twin", &json!({KEY: "p-1"}));
        assert_eq!(line(json!({KEY: "p-1"})).fault().1, "DUPLICATE_EXTERNAL_ID");
        assert_eq!(line(json!({"NextStep": "parent"})).fault().1, "INVALID_FIELD");
        assert_eq!(line(json!({KEY: 5})).fault().0, 400);
        assert!(line(json!({})).missing().is_some());
    }
}
