//! `POST /composite/batch`: parts that know nothing of each other (salesforce.md section 2.5).
//!
//! Each part is stored and counted on its own.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::member;
use super::part::{self, Outcome, Part, Routes};
use super::series::MOST_PARTS;
use crate::reply::json_reply;
use crate::salesforce::error::{JSON, Problem};
use crate::salesforce::state::State;
use crate::salesforce::visit::{Answer, Visit};

/// `POST /composite/batch`.
pub(crate) fn batch(state: &mut State, visit: &Visit<'_>, routes: Routes) -> Answer {
    if visit.call.method != Method::POST {
        return Err(visit.method_not_allowed("POST"));
    }
    visit.allow_parameters(&[])?;
    let body = visit.json_body()?;
    member::allow(&body, &["haltOnError", "batchRequests"])?;
    let halt = member::flag(&body, "haltOnError")?;
    let parts = parts(member::list(&body, "batchRequests")?)?;
    let mut results = Vec::with_capacity(parts.len());
    let mut failed = false;
    for (at, part) in parts.iter().enumerate() {
        let outcome = if halt && failed {
            // Words from general knowledge; status and code are documented.
            let message = "Batch processing halted per request";
            Outcome::refused(StatusCode::PRECONDITION_FAILED, "BATCH_PROCESSING_HALTED", message)
        } else {
            // The call of the whole was counted already.
            one(state, visit, routes, part, at > 0)?
        };
        state.commit();
        failed |= outcome.failed();
        results.push(json!({"statusCode": outcome.status.as_u16(), "result": outcome.body}));
    }
    Ok(json_reply(
        StatusCode::OK,
        JSON,
        &json!({"hasErrors": failed, "results": results}),
    ))
}

/// Assumed: each part counts as a call, and the whole does not.
fn one(state: &mut State, visit: &Visit<'_>, routes: Routes, part: &Part, counts: bool) -> Result<Outcome, Problem> {
    let counted = if counts { (routes.count)(state) } else { Ok(()) };
    if let Err(Problem::Refused { status, complaints }) = counted {
        let (code, message) = complaints
            .first()
            .map_or(("", ""), |complaint| (complaint.code, complaint.message.as_str()));
        return Ok(Outcome::refused(status, code, message));
    }
    part::answer(state, visit, routes, part)
}

fn parts(list: &[Value]) -> Result<Vec<Part>, Problem> {
    if list.len() > MOST_PARTS {
        // Assumed: code and words; the limit is documented.
        let message = format!("The batch request contains more than {MOST_PARTS} subrequests");
        return Err(Problem::bad("LIMIT_EXCEEDED", message));
    }
    list.iter()
        .map(|entry| {
            let entry = member::object(entry, "batchRequests")?;
            member::allow(entry, &["method", "url", "richInput"])?;
            let url = member::text(entry, "url")?;
            Ok(Part {
                method: part::method(entry)?,
                url: whole_url(url)?,
                headers: Map::new(),
                body: entry.get("richInput").cloned().unwrap_or_default(),
            })
        })
        .collect()
}

/// Both spellings are sent by clients: from the version on, and from `/services/data` on.
fn whole_url(url: &str) -> Result<String, Problem> {
    let below = url.trim_start_matches('/').trim_start_matches("services/data/");
    let mut segments = below.split(['/', '?']).skip(1);
    match segments.next() {
        Some("composite" | "jobs") | None => {
            // Assumed: code and words.
            Err(Problem::bad(
                "INVALID_INPUT",
                format!("The resource '{url}' is not supported in a batch request"),
            ))
        }
        Some(_) => Ok(format!("/services/data/{below}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::trial::{Reply, Trial};

    fn send(trial: &Trial, body: &Value) -> Reply {
        trial.send("POST", "/services/data/v60.0/composite/batch", body, &[])
    }

    #[test]
    fn parts_are_answered_one_by_one_and_counted() {
        let trial = Trial::new();
        let id = trial.create("Account", &json!({"Name": "Fabrikam"}));
        let body = json!({"batchRequests": [
            {"method": "PATCH", "url": format!("v60.0/sobjects/account/{id}"), "richInput": {"Name": "NewName"}},
            {"method": "POST", "url": "/services/data/v60.0/sobjects/Account", "richInput": {}},
            {"method": "GET", "url": format!("v60.0/sobjects/account/{id}?fields=Name")},
        ]});
        let reply = send(&trial, &body);
        assert_eq!((reply.status.as_u16(), &reply.json()["hasErrors"]), (200, &json!(true)));
        let results = reply.json()["results"].clone();
        assert_eq!(results[0], json!({"statusCode": 204, "result": null}));
        assert_eq!(results[1]["result"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
        assert_eq!(
            (&results[2]["statusCode"], &results[2]["result"]["Name"]),
            (&json!(200), &json!("NewName"))
        );
        assert_eq!(reply.headers["sforce-limit-info"], "api-usage=4/100000");
    }

    #[test]
    fn a_batch_that_halts_leaves_the_rest_undone() {
        let trial = Trial::new();
        let create = |body: Value| json!({"method": "POST", "url": "v60.0/sobjects/Account", "richInput": body});
        let body = json!({"haltOnError": true, "batchRequests": [
            create(json!({"Name": "one"})), create(json!({})), create(json!({"Name": "two"}))]});
        let results = send(&trial, &body).json()["results"].clone();
        let statuses: Vec<_> = (0..3).map(|at| results[at]["statusCode"].clone()).collect();
        assert_eq!(statuses, [201, 400, 412]);
        assert_eq!(results[2]["result"][0]["errorCode"], "BATCH_PROCESSING_HALTED");
        assert_eq!(trial.names("SELECT Name FROM Account"), ["one"]);
    }

    #[test]
    fn bad_batches_are_refused_as_a_whole() {
        let trial = Trial::new();
        let good = json!({"method": "GET", "url": "v60.0/sobjects/Account/1"});
        for (body, code) in [
            (json!({"batchRequests": null}), "JSON_PARSER_ERROR"),
            (json!({"batchRequests": vec![good.clone(); 26]}), "LIMIT_EXCEEDED"),
            (
                json!({"batchRequests": [{"method": "HEAD", "url": "v60.0/sobjects"}]}),
                "INVALID_INPUT",
            ),
            (
                json!({"batchRequests": [{"method": "POST", "url": "v60.0/composite/batch"}]}),
                "INVALID_INPUT",
            ),
            (
                json!({"batchRequests": [{"method": "POST", "url": "v60.0"}]}),
                "INVALID_INPUT",
            ),
            (json!({"haltOnError": 1, "batchRequests": [good]}), "JSON_PARSER_ERROR"),
        ] {
            assert_eq!(send(&trial, &body).fault(), (400, code.to_owned()), "{body}");
        }
    }
}
