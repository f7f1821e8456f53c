//! `POST /composite`: parts in a row that may refer to earlier ones, all or none (salesforce.md section 2.5).
//!
//! How one part is answered stands in `part`.

use std::collections::BTreeSet;

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::member;
use super::part::{self, Outcome, Part, Routes};
use super::reference::{Outcomes, Unresolved, in_url, in_value};
use crate::reply::json_reply;
use crate::salesforce::error::{JSON, Problem};
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Visit};

/// The most parts (salesforce.md section 2.5).
pub(super) const MOST_PARTS: usize = 25;
/// How many of them may be queries or collections: documented for this resource.
const MOST_QUERIES: usize = 5;

/// One part and the name under which later ones refer to it.
#[derive(Debug)]
struct Named {
    reference: String,
    part: Part,
}

/// `POST /composite`.
pub(crate) fn composite(state: &mut State, visit: &Visit<'_>, routes: Routes) -> Answer {
    if visit.call.method != Method::POST {
        return Err(visit.method_not_allowed("POST"));
    }
    visit.allow_parameters(&[])?;
    let body = visit.json_body()?;
    member::allow(&body, &["allOrNone", "collateSubrequests", "compositeRequest"])?;
    let all_or_none = member::flag(&body, "allOrNone")?;
    // Whether parts of one kind run together shows in speed alone.
    member::flag(&body, "collateSubrequests")?;
    let parts = parts(member::list(&body, "compositeRequest")?)?;
    let mark = state.transaction.mark();
    let mut outcomes = Outcomes::new();
    let mut failed = None;
    for named in &parts {
        let outcome = one(state, visit, routes, named, all_or_none, &outcomes)?;
        let stop = all_or_none && (outcome.failed() || has_failed_records(&outcome));
        outcomes.insert(named.reference.clone(), outcome);
        if stop {
            failed = Some(named.reference.as_str());
            state.roll_back(mark);
            break;
        }
    }
    Ok(printed(&parts, &outcomes, failed))
}

/// One answer for each part, in their order. When one failed and all or none was asked for, the others are halted.
fn printed(parts: &[Named], outcomes: &Outcomes, failed: Option<&str>) -> Response {
    let halted = Outcome::refused(
        StatusCode::BAD_REQUEST,
        "PROCESSING_HALTED",
        "The transaction was rolled back since another operation in the same transaction failed.",
    );
    let answers = parts.iter().map(|named| {
        let own = outcomes.get(&named.reference);
        let outcome = own
            .filter(|_| failed.is_none_or(|failed| failed == named.reference))
            .unwrap_or(&halted);
        let headers: Map<String, Value> = outcome
            .location
            .iter()
            .map(|location| ("Location".to_owned(), Value::from(location.as_str())))
            .collect();
        json!({
            "body": outcome.body, "httpHeaders": headers, "httpStatusCode": outcome.status.as_u16(),
            "referenceId": named.reference,
        })
    });
    let answers: Vec<Value> = answers.collect();
    json_reply(StatusCode::OK, JSON, &json!({"compositeResponse": answers}))
}

fn one(
    state: &mut State,
    visit: &Visit<'_>,
    routes: Routes,
    named: &Named,
    all_or_none: bool,
    outcomes: &Outcomes,
) -> Result<Outcome, Problem> {
    let resolved = in_url(&named.part.url, outcomes).and_then(|url| Ok((url, in_value(&named.part.body, outcomes)?)));
    let (mut url, mut body) = match resolved {
        Ok(resolved) => resolved,
        Err(Unresolved(message)) => {
            return Ok(Outcome::refused(StatusCode::BAD_REQUEST, "PROCESSING_HALTED", &message));
        }
    };
    if all_or_none && is_collection(&url) {
        // The outer flag rules over the one of a collection.
        if let Some(members) = body.as_object_mut() {
            members.insert("allOrNone".to_owned(), Value::Bool(true));
        } else if url.contains("allOrNone=") {
            url = url.replace("allOrNone=false", "allOrNone=true");
        } else if named.part.method == Method::DELETE {
            url.push_str("&allOrNone=true");
        }
    }
    let part = Part {
        url,
        body,
        ..named.part.clone()
    };
    part::answer(state, visit, routes, &part)
}

/// Whether the answer is that of a collection of which a record failed.
fn has_failed_records(outcome: &Outcome) -> bool {
    let results = outcome.body.as_array();
    results.is_some_and(|results| results.iter().any(|result| result["success"] == Value::Bool(false)))
}

fn is_collection(url: &str) -> bool {
    resource(url).is_some_and(|path| path.starts_with("composite/sobjects"))
}

/// The path below the version, without the query.
fn resource(url: &str) -> Option<&str> {
    let (_, path) = url.strip_prefix("/services/data/")?.split_once('/')?;
    path.split('?').next()
}

fn parts(list: &[Value]) -> Result<Vec<Named>, Problem> {
    if list.len() > MOST_PARTS {
        return Err(too_many(&format!("more than {MOST_PARTS} subrequests")));
    }
    let mut references = BTreeSet::new();
    let mut parts = Vec::with_capacity(list.len());
    for entry in list {
        let entry = member::object(entry, "compositeRequest")?;
        member::allow(entry, &["method", "url", "referenceId", "body", "httpHeaders"])?;
        let reference = reference_of(entry)?;
        if !references.insert(reference.clone()) {
            return Err(refused(&format!(
                "The referenceId '{reference}' is used more than once"
            )));
        }
        let url = member::text(entry, "url")?;
        check_resource(url)?;
        let headers = match entry.get("httpHeaders") {
            None | Some(Value::Null) => Map::new(),
            Some(headers) => member::object(headers, "httpHeaders")?.clone(),
        };
        let part = Part {
            method: part::method(entry)?,
            url: url.to_owned(),
            headers,
            body: entry.get("body").cloned().unwrap_or_default(),
        };
        parts.push(Named { reference, part });
    }
    let query = |named: &&Named| resource(&named.part.url).is_some_and(|path| path.starts_with("query"));
    let counted = parts
        .iter()
        .filter(|named| query(named) || is_collection(&named.part.url));
    if counted.count() > MOST_QUERIES {
        return Err(too_many(&format!(
            "more than {MOST_QUERIES} queries and sObject Collections"
        )));
    }
    Ok(parts)
}

/// Letters, digits and underscores, a letter first.
fn reference_of(part: &Map<String, Value>) -> Result<String, Problem> {
    let reference = member::text(part, "referenceId")?;
    let plain = reference
        .chars()
        .all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
    if !plain || !reference.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        let message = format!(
            "The referenceId '{reference}' must start with a letter or a number and contain only letters, numbers and underscores"
        );
        return Err(refused(&message));
    }
    Ok(reference.to_owned())
}

/// Rows, queries and collections only. Assumed: code and words of the refusal of others.
fn check_resource(url: &str) -> Result<(), Problem> {
    let Some(path) = resource(url) else {
        return Err(refused(&format!(
            "The url '{url}' must begin with /services/data/ and a version"
        )));
    };
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match (segments.next(), segments.next()) {
        (Some("sobjects" | "query" | "queryAll"), _) | (Some("composite"), Some("sobjects")) => Ok(()),
        _ => Err(refused(&format!(
            "The resource '{url}' is not supported in a composite request"
        ))),
    }
}

/// Assumed: code and words.
fn refused(message: &str) -> Problem {
    Problem::bad("INVALID_INPUT", message)
}

/// Assumed: code and words; the limits are documented.
fn too_many(what: &str) -> Problem {
    Problem::bad("LIMIT_EXCEEDED", format!("The composite request contains {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::trial::{Reply, Trial};

    fn send(trial: &Trial, body: &Value) -> Reply {
        trial.send("POST", "/services/data/v60.0/composite", body, &[])
    }

    fn part(method: &str, path: &str, reference: &str, body: Value) -> Value {
        let mut part =
            json!({"method": method, "url": format!("/services/data/v60.0{path}"), "referenceId": reference});
        if !body.is_null() {
            part["body"] = body;
        }
        part
    }

    fn deal(name: &str) -> Value {
        json!({"Name": name, "StageName": "Prospecting", "CloseDate": "2026-03-31"})
    }

    #[test]
    fn later_parts_use_what_earlier_ones_gave() {
        let trial = Trial::new();
        let mut opportunity = deal("Seats for @{account.id}");
        opportunity["AccountId"] = json!("@{account.id}");
        let body = json!({"compositeRequest": [
            part("POST", "/sobjects/Account", "account", json!({"Name": "Fabrikam"})),
            part("POST", "/sobjects/Opportunity", "deal", opportunity),
            part("GET", "/sobjects/Opportunity/@{deal.id}?fields=Name,AccountId", "read", Value::Null),
            part("GET", "/query?q=SELECT Id, Name FROM Account WHERE Id = '@{read.AccountId}'", "found", Value::Null),
            part("PATCH", "/sobjects/Account/@{found.records[0].Id}", "changed", json!({"Name": "@{found.totalSize} renamed"})),
        ]});
        let reply = send(&trial, &body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        let answers = reply.json()["compositeResponse"].clone();
        let statuses: Vec<_> = (0..5).map(|at| answers[at]["httpStatusCode"].clone()).collect();
        assert_eq!(statuses, [201, 201, 200, 200, 204], "{answers}");
        let account = answers[0]["body"]["id"].as_str().unwrap();
        let location = format!("/services/data/v60.0/sobjects/Account/{account}");
        assert_eq!(answers[0]["httpHeaders"], json!({"Location": location}));
        assert_eq!(answers[2]["body"]["Name"], json!(format!("Seats for {account}")));
        assert_eq!(
            (&answers[4]["body"], &answers[4]["httpHeaders"]),
            (&Value::Null, &json!({}))
        );
        assert_eq!(trial.read("Account", account)["Name"], "1 renamed");
        assert_eq!(
            reply.headers["sforce-limit-info"], "api-usage=1/100000",
            "it is one call"
        );
    }

    #[test]
    fn without_all_or_none_only_what_depends_on_a_failure_is_halted() {
        let trial = Trial::new();
        let body = json!({"allOrNone": false, "compositeRequest": [
            part("POST", "/sobjects/Account", "bad", json!({"Nmae": "x"})),
            part("POST", "/sobjects/Opportunity", "child", json!({"Name": "@{bad.id}"})),
            part("POST", "/sobjects/Account", "good", json!({"Name": "Tailspin"})),
        ]});
        let answers = send(&trial, &body).json()["compositeResponse"].clone();
        assert_eq!(answers[0]["body"][0]["errorCode"], "INVALID_FIELD");
        let expected = json!([{"errorCode": "PROCESSING_HALTED",
            "message": "Invalid reference specified. No value for bad.id found in bad"}]);
        assert_eq!(
            (&answers[1]["body"], &answers[1]["httpStatusCode"]),
            (&expected, &json!(400))
        );
        assert_eq!(answers[2]["httpStatusCode"], 201);
        assert_eq!(trial.names("SELECT Name FROM Account"), ["Tailspin"]);
    }

    #[test]
    fn with_all_or_none_a_failure_takes_everything_back() {
        let trial = Trial::new();
        let kept = trial.create("Account", &json!({"Name": "Kept"}));
        let gone = trial.create("Account", &json!({"Name": "Stays, too"}));
        trial.commits();
        let body = json!({"allOrNone": true, "compositeRequest": [
            part("POST", "/sobjects/Account", "made", json!({"Name": "Never"})),
            part("PATCH", &format!("/sobjects/Account/{kept}"), "changed", json!({"Name": "Changed"})),
            part("DELETE", &format!("/sobjects/Account/{gone}"), "deleted", Value::Null),
            part("POST", "/sobjects/Account", "bad", json!({})),
            part("POST", "/sobjects/Account", "after", json!({"Name": "Never either"})),
        ]});
        let answers = send(&trial, &body).json()["compositeResponse"].clone();
        let codes: Vec<_> = (0..5).map(|at| answers[at]["body"][0]["errorCode"].clone()).collect();
        let halted = "PROCESSING_HALTED";
        assert_eq!(
            codes,
            [halted, halted, halted, "REQUIRED_FIELD_MISSING", halted],
            "{answers}"
        );
        assert_eq!(
            trial.names("SELECT Name FROM Account ORDER BY Name"),
            ["Kept", "Stays, too"]
        );
        assert!(trial.commits().is_empty(), "what was taken back is not told");
        let next = trial.create("Account", &json!({"Name": "Next"}));
        assert_eq!(
            trial.names("SELECT Name FROM Account ORDER BY Name"),
            ["Kept", "Next", "Stays, too"]
        );
        assert_eq!(trial.read("Account", &next)["Name"], "Next");
    }

    #[test]
    fn the_outer_flag_rules_over_that_of_a_collection() {
        let trial = Trial::new();
        let records = json!({"allOrNone": false, "records": [
            {"attributes": {"type": "Account"}, "Name": "One"}, {"attributes": {"type": "Account"}}]});
        let body = |flag: bool| {
            json!({"allOrNone": flag, "compositeRequest": [
            part("POST", "/sobjects/Account", "first", json!({"Name": "First"})),
            part("POST", "/composite/sobjects", "many", records.clone())]})
        };
        let answers = send(&trial, &body(true)).json()["compositeResponse"].clone();
        assert_eq!(answers[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
        assert_eq!(
            answers[1]["body"][0]["errors"][0]["statusCode"],
            "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        );
        assert!(trial.names("SELECT Name FROM Account").is_empty());
        send(&trial, &body(false));
        assert_eq!(trial.names("SELECT Name FROM Account"), ["First", "One"]);
    }

    #[test]
    fn a_cycle_of_references_is_refused_part_by_part() {
        let trial = Trial::new();
        let parts: Vec<Value> = (0..25)
            .map(|at| {
                let next = format!("@{{p{}.id}}", (at + 1) % 25);
                part("POST", "/sobjects/Account", &format!("p{at}"), json!({"Name": next}))
            })
            .collect();
        let answers = send(&trial, &json!({"compositeRequest": parts})).json()["compositeResponse"].clone();
        for at in 0..25 {
            let expected = format!(
                "Invalid reference specified. No value for p{}.id found in p{0}",
                (at + 1) % 25
            );
            assert_eq!(answers[at]["body"][0]["message"], json!(expected));
        }
        assert!(trial.commits().is_empty());
    }

    #[test]
    fn bad_requests_are_refused_as_a_whole() {
        let trial = Trial::new();
        let good = part("POST", "/sobjects/Account", "a", json!({"Name": "x"}));
        let with = |name: &str, value: Value| {
            let mut part = good.clone();
            part[name] = value;
            json!({"compositeRequest": [good.clone(), part]})
        };
        let query = |at: usize| part("GET", "/query?q=SELECT Id FROM Account", &format!("q{at}"), Value::Null);
        let many = |count: usize| {
            let parts: Vec<Value> = (0..count)
                .map(|at| part("POST", "/sobjects/Account", &format!("p{at}"), json!({})))
                .collect();
            json!({"compositeRequest": parts})
        };
        for (body, code) in [
            (json!({}), "JSON_PARSER_ERROR"),
            (json!([]), "JSON_PARSER_ERROR"),
            (json!({"compositeRequest": []}), "JSON_PARSER_ERROR"),
            (json!({"compositeRequest": {}}), "JSON_PARSER_ERROR"),
            (json!({"compositeRequest": ["x"]}), "JSON_PARSER_ERROR"),
            (json!({"compositeRequest": [{}]}), "JSON_PARSER_ERROR"),
            (
                json!({"allOrNone": "yes", "compositeRequest": [good]}),
                "JSON_PARSER_ERROR",
            ),
            (with("referenceId", json!("a")), "INVALID_INPUT"),
            (with("referenceId", json!("a.b")), "INVALID_INPUT"),
            (with("referenceId", json!("_a")), "INVALID_INPUT"),
            (with("referenceId", json!(5)), "JSON_PARSER_ERROR"),
            (with("url", json!("/sobjects/Account")), "INVALID_INPUT"),
            (with("url", json!("/services/data/v60.0/composite")), "INVALID_INPUT"),
            (with("url", json!("/services/data/v60.0/limits")), "INVALID_INPUT"),
            (many(26), "LIMIT_EXCEEDED"),
            (
                json!({"compositeRequest": (0..6).map(query).collect::<Vec<_>>()}),
                "LIMIT_EXCEEDED",
            ),
        ] {
            assert_eq!(send(&trial, &body).fault(), (400, code.to_owned()), "{body}");
        }
        assert_eq!(
            send(&trial, &with("graphs", json!([]))).missing().unwrap(),
            "member `graphs`"
        );
        assert_eq!(trial.get("/composite").fault().0, 405);
        assert!(trial.commits().is_empty());
    }

    #[test]
    fn a_bad_part_is_refused_on_its_own() {
        let trial = Trial::new();
        for (part, status, code) in [
            (part("POST", "/sobjects/Nothing__c", "p", json!({})), 404, "NOT_FOUND"),
            (
                json!({"method": "GET", "url": "/services/data/v30.0/sobjects/Account/1", "referenceId": "p"}),
                410,
                "UNSUPPORTED_API_VERSION",
            ),
            (
                part("GET", "/query?q=SELECT+%zz", "p", Value::Null),
                400,
                "MALFORMED_QUERY",
            ),
            (part("POST", "/query?q=x", "p", json!({})), 405, "METHOD_NOT_ALLOWED"),
        ] {
            let answers = send(&trial, &json!({"compositeRequest": [part]})).json()["compositeResponse"].clone();
            assert_eq!(
                (&answers[0]["httpStatusCode"], &answers[0]["body"][0]["errorCode"]),
                (&json!(status), &json!(code)),
                "{part}"
            );
        }
        let mut header = part("POST", "/sobjects/Account", "p", json!({"Name": "x"}));
        for name in ["Authorization", "content-type", "bad name"] {
            header["httpHeaders"] = json!({name: "x"});
            let answers = send(&trial, &json!({"compositeRequest": [header]})).json()["compositeResponse"].clone();
            assert_eq!(answers[0]["body"][0]["errorCode"], "INVALID_INPUT", "{name}");
        }
    }
}
