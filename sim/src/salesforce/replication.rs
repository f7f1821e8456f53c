//! `/sobjects/T/updated` and `/sobjects/T/deleted`: which records changed or went in a span of time (salesforce.md section 2.6).
//!
//! Spans are whole minutes: seconds are cut off both ends.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::cell::Cell;
use super::error::{JSON, Problem};
use super::state::State;
use super::store::Row;
use super::visit::{Answer, Visit, object};
use crate::reply::json_reply;

/// How far back a span may reach, in seconds: 30 days.
const WINDOW: i64 = 30 * 24 * 60 * 60;
/// The most identifiers of one answer.
const MAX_IDS: usize = 600_000;

/// `GET /sobjects/T/updated?start=…&end=…`.
pub(crate) fn updated(state: &State, visit: &Visit<'_>, name: &str) -> Answer {
    let object = replicated(state, visit, name)?;
    let span = span(state, visit)?;
    let rows = rows(state, object, span).filter(|row| !row.deleted);
    let ids: Vec<String> = rows.map(|row| row.id.to_string()).collect();
    check_count(ids.len())?;
    let body = json!({"ids": ids, "latestDateCovered": covered(state, span)});
    Ok(json_reply(StatusCode::OK, JSON, &body))
}

/// `GET /sobjects/T/deleted?start=…&end=…`. Rows that never were in the recycle bin are told here too.
///
/// Assumed: the earliest date is that of the org.
pub(crate) fn deleted(state: &State, visit: &Visit<'_>, name: &str) -> Answer {
    let object = replicated(state, visit, name)?;
    let span = span(state, visit)?;
    let stamp = state.org.objects[object].system.stamp.unwrap_or_default();
    let rows = rows(state, object, span).filter(|row| row.deleted);
    let records: Vec<Value> = rows
        .map(|row| json!({"deletedDate": row.cells[stamp].to_value(false), "id": row.id.to_string()}))
        .collect();
    check_count(records.len())?;
    let body = json!({
        "deletedRecords": records,
        "earliestDateAvailable": moment(state.made),
        "latestDateCovered": covered(state, span),
    });
    Ok(json_reply(StatusCode::OK, JSON, &body))
}

/// Assumed: code and words for an object that cannot be replicated.
fn replicated(state: &State, visit: &Visit<'_>, name: &str) -> Result<usize, Problem> {
    let object = object(state, name)?;
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&["start", "end"])?;
    let shape = &state.org.objects[object];
    if shape.abilities.has(b'R') || shape.abilities.has(b'b') {
        return Ok(object);
    }
    let message = format!("object type {} is not replicateable", shape.name);
    Err(Problem::bad("INVALID_TYPE_FOR_OPERATION", message))
}

/// The rows that last changed in a span, by time. Deleting is a change.
fn rows(state: &State, object: usize, (start, end): (i64, i64)) -> impl Iterator<Item = &Row> {
    let table = &state.tables[object];
    let stamp = state.org.objects[object].system.stamp.unwrap_or_default();
    let key = Cell::Moment(start).key();
    let places = key
        .into_iter()
        .flat_map(move |key| table.at_least(stamp, &key).collect::<Vec<_>>());
    places
        .map(|place| table.row(place))
        .take_while(move |row| matches!(row.cells[stamp], Cell::Moment(second) if second < end))
}

/// Start and end in seconds. Code of the documented refusals; assumed: their words, and those for a text that is no date.
fn span(state: &State, visit: &Visit<'_>) -> Result<(i64, i64), Problem> {
    let read = |name: &str| {
        let text = visit.parameter(name).unwrap_or_default();
        // A plus sign that was not escaped reads as a blank.
        let moment = text.replace(' ', "+").parse::<Timestamp>();
        let wrong = || {
            let message = format!("{name} must be a date and time with a zone, such as 2026-01-05T09:00:00Z");
            Problem::bad("INVALID_REPLICATION_DATE", message)
        };
        moment
            .map(|moment| moment.as_second().div_euclid(60) * 60)
            .map_err(|_| wrong())
    };
    let (start, end) = (read("start")?, read("end")?);
    let refused = |message: &str| Err(Problem::bad("INVALID_REPLICATION_DATE", message));
    if start >= end {
        return refused("startDate before endDate by at least one minute is required");
    }
    if start < state.ground.clock.now().as_second() - WINDOW - 60 {
        return refused("startDate is before org replication enabled date or more than 30 days ago");
    }
    Ok((start, end))
}

/// The words are assumed.
fn check_count(count: usize) -> Result<(), Problem> {
    if count > MAX_IDS {
        let message = format!("more than {MAX_IDS} identifiers: ask for a shorter span");
        return Err(Problem::bad("EXCEEDED_ID_LIMIT", message));
    }
    Ok(())
}

/// Up to when the answer is whole: the end of the span, or the current minute when that is earlier.
fn covered(state: &State, (_, end): (i64, i64)) -> Value {
    let minute = state.ground.clock.now().as_second().div_euclid(60) * 60;
    moment(end.min(minute))
}

fn moment(second: i64) -> Value {
    Cell::Moment(second).to_value(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::salesforce::trial::Trial;

    #[test]
    fn a_span_finds_what_changed_in_it_and_says_up_to_when() {
        let trial = Trial::new();
        let (first, gone) = (trial.deal("a", &json!({})), trial.deal("b", &json!({})));
        trial.wait(10 * 60);
        trial.deal("c", &json!({}));
        trial.delete("Opportunity", &gone);
        let ask = |kind: &str, start: &str, end: &str| {
            trial.get(&format!("/sobjects/Opportunity/{kind}/?start={start}&end={end}"))
        };
        let early = ask("updated", "2026-01-05T08:59:59Z", "2026-01-05T09:01:30.5Z");
        assert_eq!(
            early.text,
            format!("{{\"ids\":[\"{first}\"],\"latestDateCovered\":\"2026-01-05T09:01:00.000+0000\"}}")
        );
        for start in [
            "2026-01-05T09%3A00%3A00%2B00%3A00",
            "2026-01-05T09:00:00.769057932Z",
            "2026-01-05T10:00:00+01:00",
        ] {
            let all = ask("updated", start, "2026-01-06T00:00:00Z").json();
            assert_eq!(all["ids"].as_array().unwrap().len(), 2, "{start}");
            assert_eq!(all["latestDateCovered"], "2026-01-05T09:10:00.000+0000");
        }
        let deleted = ask("deleted", "2026-01-05T09:05:00Z", "2026-01-05T09:30:00Z").json();
        assert_eq!(
            deleted["deletedRecords"],
            json!([{"deletedDate": "2026-01-05T09:10:00.000+0000", "id": gone}])
        );
        assert_eq!(deleted["earliestDateAvailable"], "2026-01-05T09:00:00.000+0000");
    }

    #[test]
    fn bad_spans_are_refused() {
        let trial = Trial::new();
        for query in [
            "start=2026-01-05T09:00:00Z&end=2026-01-05T09:00:59Z",
            "start=2026-01-05T09:00:00Z&end=2026-01-04T09:00:00Z",
            "start=2025-12-01T09:00:00Z&end=2026-01-04T09:00:00Z",
            "start=yesterday&end=2026-01-04T09:00:00Z",
            "end=2026-01-04T09:00:00Z",
        ] {
            let reply = trial.get(&format!("/sobjects/Account/updated?{query}"));
            assert_eq!(reply.fault(), (400, "INVALID_REPLICATION_DATE".to_owned()), "{query}");
        }
        let note = trial.get("/sobjects/ContentNote/updated?start=2026-01-05T08:00:00Z&end=2026-01-05T09:00:00Z");
        assert_eq!(note.fault().1, "INVALID_TYPE_FOR_OPERATION");
    }

    #[test]
    fn a_member_of_a_team_is_gone_for_queries_and_told_by_deleted() {
        let trial = Trial::new();
        let deal = trial.deal("a", &json!({}));
        let user = trial.query("SELECT Id FROM User WHERE Name = 'seller'").json()["records"][0]["Id"].clone();
        let body = json!({"OpportunityId": deal, "UserId": user, "TeamMemberRole": "Sales Rep"});
        let member = trial.create("OpportunityTeamMember", &body);
        let read = trial.read("OpportunityTeamMember", &member);
        assert_eq!(
            (&read["Name"], &read["OpportunityAccessLevel"]),
            (&json!("seller"), &json!("Read"))
        );
        trial.delete("OpportunityTeamMember", &member);
        let all = trial.get("/queryAll?q=SELECT+Id+FROM+OpportunityTeamMember").json();
        assert_eq!(all["totalSize"], 0);
        let path = "/sobjects/OpportunityTeamMember/deleted?start=2026-01-05T09:00:00Z&end=2026-01-05T09:30:00Z";
        assert_eq!(trial.get(path).json()["deletedRecords"][0]["id"], json!(member));
    }
}
