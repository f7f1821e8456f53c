//! `POST /composite/tree/T`: records with their children, all or none (salesforce.md section 2.5).
//!
//! What one create does stands in `write`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::member::{self, MOST_RECORDS};
use crate::reply::json_reply;
use crate::salesforce::error::{Complaint, JSON, Problem};
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Visit, object};
use crate::salesforce::write::{self, Body};

/// How deep children may hang, the root counted; and how many objects may take part: documented.
const MOST: usize = 5;

/// One record of the tree, in the order of creation: all of a level before the next.
#[derive(Debug)]
struct Node {
    reference: String,
    object: usize,
    fields: Map<String, Value>,
    /// The place of the parent in the list, and the name of the field that refers to it.
    parent: Option<(usize, String)>,
}

/// A record that waits for its turn: its object, its parent as a [`Node`] has it, its level, and how it is written.
type Waiting<'a> = (usize, Option<(usize, String)>, usize, &'a Value);

/// What is wrong with the records of these references.
type Complaints = Vec<(String, Vec<Complaint>)>;

/// `POST /composite/tree/T`.
pub(crate) fn tree(state: &mut State, visit: &Visit<'_>, name: &str) -> Answer {
    visit.only(&[Method::POST])?;
    visit.allow_parameters(&[])?;
    let object = object(state, name)?;
    let body = visit.json_body()?;
    member::allow(&body, &["records"])?;
    let nodes = nodes(state, object, member::list(&body, "records")?)?;
    let twice = used_twice(&nodes);
    if !twice.is_empty() {
        return Ok(refused(&twice));
    }
    let start = state.transaction.mark();
    match create(state, visit, &nodes)? {
        Ok(results) => {
            let body = json!({"hasErrors": false, "results": results});
            Ok(json_reply(StatusCode::CREATED, JSON, &body))
        }
        Err(complaints) => {
            state.roll_back(start);
            Ok(refused(&complaints))
        }
    }
}

/// Creates every record; when one fails, the others are tried, so that all that is wrong is told.
fn create(state: &mut State, visit: &Visit<'_>, nodes: &[Node]) -> Result<Result<Vec<Value>, Complaints>, Problem> {
    let mut ids: BTreeMap<usize, String> = BTreeMap::new();
    let (mut results, mut wrong) = (Vec::new(), Vec::new());
    for (at, node) in nodes.iter().enumerate() {
        let mut fields = node.fields.clone();
        if let Some((parent, field)) = &node.parent {
            // A child of a record that failed cannot be tried.
            let Some(id) = ids.get(parent) else { continue };
            fields.insert(field.clone(), Value::from(id.as_str()));
        }
        let body = Body {
            fields: &fields,
            raw: b"",
        };
        let mark = state.transaction.mark();
        match write::create(state, &visit.author, node.object, body) {
            Ok(id) => {
                results.push(json!({"referenceId": node.reference, "id": id.to_string()}));
                ids.insert(at, id.to_string());
            }
            Err(Problem::Refused { complaints, .. }) => {
                state.roll_back(mark);
                wrong.push((node.reference.clone(), complaints));
            }
            Err(missing @ Problem::NotSimulated(_)) => return Err(missing),
        }
    }
    Ok(if wrong.is_empty() { Ok(results) } else { Err(wrong) })
}

fn refused(complaints: &Complaints) -> axum::response::Response {
    let print = |(reference, complaints): &(String, Vec<Complaint>)| {
        let errors: Vec<Value> = complaints.iter().map(Complaint::to_element).collect();
        json!({"referenceId": reference, "errors": errors})
    };
    let results: Vec<Value> = complaints.iter().map(print).collect();
    json_reply(
        StatusCode::BAD_REQUEST,
        JSON,
        &json!({"hasErrors": true, "results": results}),
    )
}

/// One result for each use of a reference that is used more than once: documented. Assumed: code and words.
fn used_twice(nodes: &[Node]) -> Complaints {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> = nodes
        .iter()
        .map(|node| node.reference.as_str())
        .filter(|reference| !seen.insert(*reference))
        .collect();
    let complaint = Complaint::new("INVALID_INPUT", "Duplicate ReferenceId provided in the request.", &[]);
    nodes
        .iter()
        .filter(|node| twice.contains(node.reference.as_str()))
        .map(|node| (node.reference.clone(), vec![complaint.clone()]))
        .collect()
}

/// The records of a request, level by level.
fn nodes(state: &State, root: usize, records: &[Value]) -> Result<Vec<Node>, Problem> {
    let mut waiting: VecDeque<Waiting<'_>> = records.iter().map(|record| (root, None, 1, record)).collect();
    let mut nodes: Vec<Node> = Vec::new();
    while let Some((object, parent, depth, record)) = waiting.pop_front() {
        if nodes.len() == MOST_RECORDS {
            return Err(too_large(&format!("more than {MOST_RECORDS} records")));
        }
        if depth > MOST {
            return Err(too_large(&format!("more than {MOST} levels")));
        }
        let record = member::object(record, "records")?;
        let reference = reference(state, object, record)?;
        let mut fields = Map::new();
        for (name, value) in record.iter().filter(|(name, _)| *name != "attributes") {
            let Some(below) = value.get("records").and_then(Value::as_array) else {
                fields.insert(name.clone(), value.clone());
                continue;
            };
            let child = state.org.children[object]
                .iter()
                .find(|child| child.relationship.eq_ignore_ascii_case(name));
            let Some(child) = child.filter(|child| !child.relationship.is_empty()) else {
                let message = format!(
                    "No such column '{name}' on sobject of type {}",
                    state.org.objects[object].name
                );
                return Err(Problem::bad("INVALID_FIELD", message));
            };
            let field = state.org.objects[child.object].fields[child.field].name.clone();
            let link = (nodes.len(), field);
            waiting.extend(
                below
                    .iter()
                    .map(|record| (child.object, Some(link.clone()), depth + 1, record)),
            );
        }
        nodes.push(Node {
            reference,
            object,
            fields,
            parent,
        });
    }
    let kinds: BTreeSet<usize> = nodes.iter().map(|node| node.object).collect();
    if kinds.len() > MOST {
        return Err(too_large(&format!("records of more than {MOST} objects")));
    }
    Ok(nodes)
}

/// The reference of a record, whose object must be the one that its place says.
fn reference(state: &State, object: usize, record: &Map<String, Value>) -> Result<String, Problem> {
    let attributes = record.get("attributes").cloned().unwrap_or_default();
    let attributes = member::object(&attributes, "attributes")?;
    let expected = &state.org.objects[object].name;
    let kind = member::text(attributes, "type")?;
    if !kind.eq_ignore_ascii_case(expected) {
        // Assumed: code and words.
        return Err(Problem::bad(
            "INVALID_INPUT",
            format!("The record is a {kind}, but a {expected} stands here"),
        ));
    }
    member::text(attributes, "referenceId").map(str::to_owned)
}

/// Assumed: code and words; the limits are documented.
fn too_large(what: &str) -> Problem {
    Problem::bad("LIMIT_EXCEEDED", format!("The tree holds {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::trial::{Reply, Trial};

    fn send(trial: &Trial, records: &Value) -> Reply {
        let path = "/services/data/v60.0/composite/tree/Account";
        trial.send("POST", path, &json!({"records": records}), &[])
    }

    fn node(kind: &str, reference: &str, extra: &Value) -> Value {
        let mut node = json!({"attributes": {"type": kind, "referenceId": reference}});
        for (name, value) in extra.as_object().into_iter().flatten() {
            node[name] = value.clone();
        }
        node
    }

    #[test]
    fn a_tree_is_created_level_by_level() {
        let trial = Trial::new();
        let deal = json!({"Name": "Seats", "StageName": "Prospecting", "CloseDate": "2026-03-31"});
        let records = json!([
            node(
                "Account",
                "a1",
                &json!({"Name": "One", "Contacts": {"records": [node("Contact", "c1", &json!({"LastName": "Ann"}))]},
                "Opportunities": {"records": [node("Opportunity", "o1", &deal)]}})
            ),
            node("Account", "a2", &json!({"Name": "Two"})),
        ]);
        let reply = send(&trial, &records);
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["hasErrors"]),
            (201, &json!(false)),
            "{}",
            reply.text
        );
        let results = reply.json()["results"].clone();
        let references: Vec<_> = (0..4).map(|at| results[at]["referenceId"].clone()).collect();
        assert_eq!(references, ["a1", "a2", "c1", "o1"]);
        let contact = trial.read("Contact", results[2]["id"].as_str().unwrap());
        assert_eq!(contact["AccountId"], results[0]["id"]);
        assert_eq!(
            trial.names("SELECT Name FROM Opportunity WHERE Account.Name = 'One'"),
            ["Seats"]
        );
    }

    #[test]
    fn one_bad_record_takes_the_tree_back_and_is_named() {
        let trial = Trial::new();
        let records = json!([
            node(
                "Account",
                "good",
                &json!({"Name": "One", "Contacts": {"records": [node("Contact", "bad", &json!({"FirstName": "x"}))]}})
            ),
            node("Account", "worse", &json!({})),
        ]);
        let reply = send(&trial, &records);
        assert_eq!((reply.status.as_u16(), &reply.json()["hasErrors"]), (400, &json!(true)));
        let results = reply.json()["results"].clone();
        assert_eq!(
            (&results[0]["referenceId"], &results[1]["referenceId"]),
            (&json!("worse"), &json!("bad"))
        );
        let expected = json!([{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]);
        assert_eq!(results[1]["errors"], expected);
        assert!(trial.commits().is_empty() && trial.org.rows().is_empty());
    }

    #[test]
    fn trees_that_are_not_well_formed_are_refused() {
        let trial = Trial::new();
        let twice = json!([
            node("Account", "a", &json!({"Name": "x"})),
            node("Account", "a", &json!({"Name": "y"}))
        ]);
        let reply = send(&trial, &twice);
        assert_eq!(reply.json()["results"].as_array().unwrap().len(), 2, "{}", reply.text);
        assert_eq!(reply.json()["results"][0]["errors"][0]["statusCode"], "INVALID_INPUT");
        let many: Vec<Value> = (0..201)
            .map(|at| node("Account", &format!("a{at}"), &json!({"Name": "x"})))
            .collect();
        let child = |name: &str| {
            json!([node(
                "Account",
                "a",
                &json!({"Name": "x", name: {"records": [node("Contact", "c", &json!({}))]}})
            )])
        };
        let mut deep = node("Account", "deep", &json!({"Name": "x"}));
        for at in 0..5 {
            deep = node(
                "Account",
                &format!("d{at}"),
                &json!({"Name": "x", "ChildAccounts": {"records": [deep]}}),
            );
        }
        for (records, code) in [
            (json!([]), "JSON_PARSER_ERROR"),
            (json!([5]), "JSON_PARSER_ERROR"),
            (json!([{"Name": "no attributes"}]), "JSON_PARSER_ERROR"),
            (json!([{"attributes": {"type": "Account"}}]), "JSON_PARSER_ERROR"),
            (json!([node("Contact", "a", &json!({}))]), "INVALID_INPUT"),
            (json!(many), "LIMIT_EXCEEDED"),
            (child("Nothings"), "INVALID_FIELD"),
            (json!([deep]), "LIMIT_EXCEEDED"),
        ] {
            assert_eq!(send(&trial, &records).fault(), (400, code.to_owned()), "{records}");
        }
        assert!(trial.commits().is_empty());
    }
}
