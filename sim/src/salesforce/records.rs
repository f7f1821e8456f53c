//! `/sobjects/T` and `/sobjects/T/ID`: create, read, update and delete over HTTP (salesforce.md section 2.2).
//!
//! What a write does to the rows stands in `write`.

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::error::{JSON, Problem};
use super::id::Id;
use super::soql::path;
use super::state::State;
use super::visit::{Answer, Visit, object, written};
use super::write::{self, Body};
use super::{condition, describe, fall, print, recent};
use crate::reply::{empty_reply, json_reply};

/// `POST /sobjects/T`.
pub(crate) fn collection(state: &mut State, visit: &Visit<'_>, name: &str) -> Answer {
    let object = object(state, name)?;
    visit.only(&[Method::GET, Method::POST])?;
    visit.allow_parameters(&[])?;
    if visit.call.method == Method::GET {
        return describe::basic(state, visit, object);
    }
    let fields = visit.json_body()?;
    let body = Body {
        fields: &fields,
        raw: visit.call.body,
    };
    let id = write::create(state, &visit.author, object, body)?;
    recent::look(state, &visit.author, object, id);
    Ok(created(state, visit, object, id, None))
}

/// The answer to a create. Upserts add whether the record is new.
pub(crate) fn created(state: &State, visit: &Visit<'_>, object: usize, id: Id, new: Option<bool>) -> Response {
    let mut answer = json!({"id": id.to_string(), "success": true, "errors": []});
    if let Some(new) = new {
        answer["created"] = json!(new);
    }
    let mut response = json_reply(StatusCode::CREATED, JSON, &answer);
    let name = &state.org.objects[object].name;
    let location = format!("/services/data/{}/sobjects/{name}/{id}", visit.version);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// `GET`, `PATCH` and `DELETE /sobjects/T/ID`.
pub(crate) fn record(state: &mut State, visit: &Visit<'_>, name: &str, id: &str) -> Answer {
    let object = object(state, name)?;
    let place = place(state, object, id)?;
    row(state, visit, object, place)
}

/// The same for a record that was found in another way.
pub(crate) fn row(state: &mut State, visit: &Visit<'_>, object: usize, place: usize) -> Answer {
    let headers = visit.call.headers;
    match *visit.call.method {
        Method::GET => {
            visit.allow_parameters(&["fields"])?;
            match condition::of_read(state, headers, object, place)? {
                Some(answer) => Ok(answer),
                None => read(state, visit, object, place),
            }
        }
        Method::PATCH => {
            visit.allow_parameters(&[])?;
            condition::of_write(state, headers, object, place)?;
            let fields = visit.json_body()?;
            let body = Body {
                fields: &fields,
                raw: visit.call.body,
            };
            write::update(state, &visit.author, object, place, body)?;
            let id = state.tables[object].row(place).id;
            recent::look(state, &visit.author, object, id);
            Ok(empty_reply(StatusCode::NO_CONTENT))
        }
        Method::DELETE => {
            visit.allow_parameters(&[])?;
            fall::delete(state, &visit.author, object, place)?;
            Ok(empty_reply(StatusCode::NO_CONTENT))
        }
        _ => Err(visit.method_not_allowed("HEAD,GET,PATCH,DELETE")),
    }
}

/// Assumed: an identifier of another object's record is simply not there.
fn place(state: &State, object: usize, id: &str) -> Result<usize, Problem> {
    let Some(parsed) = Id::parse(id) else {
        let message = format!("Provided external ID field does not exist or is not accessible: {id}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", message));
    };
    let table = &state.tables[object];
    let place = table.find(parsed).ok_or_else(Problem::not_found)?;
    if table.row(place).deleted {
        return Err(Problem::deleted());
    }
    Ok(place)
}

fn read(state: &mut State, visit: &Visit<'_>, object: usize, place: usize) -> Answer {
    let id = state.tables[object].row(place).id;
    recent::look(state, &visit.author, object, id);
    let row = state.tables[object].row(place);
    let mut body = Vec::with_capacity(2048);
    match visit.parameter("fields") {
        Some(list) => {
            let nodes = path::nodes_of_list(&state.org, object, list)?;
            print::record(state, object, row, &nodes, visit.version, &mut body);
        }
        None => print::whole_record(&state.org.objects[object], row, visit.version, &mut body),
    }
    let mut response = written(body);
    if let Some(tag) = condition::tag(state, object, place) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::happening::CommitKind;
    use crate::salesforce::trial::Trial;

    #[test]
    fn a_create_answers_201_with_the_identifier_and_its_place() {
        let trial = Trial::new();
        let path = "/services/data/v60.0/sobjects/account/";
        let reply = trial.send("POST", path, &json!({"name": "Fabrikam"}), &[]);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(
            reply.text,
            format!("{{\"id\":\"{id}\",\"success\":true,\"errors\":[]}}")
        );
        assert_eq!(reply.status, 201);
        assert_eq!(
            reply.headers["location"],
            format!("/services/data/v60.0/sobjects/Account/{id}")
        );
        assert_eq!(reply.headers["content-type"], "application/json;charset=UTF-8");
        assert_eq!(reply.headers["sforce-limit-info"], "api-usage=1/100000");
        assert_eq!((id.len(), &id[..3]), (18, "001"));
    }

    #[test]
    fn required_fields_are_listed() {
        let reply = Trial::new().post("Opportunity", &json!({"Name": " "}));
        assert_eq!(
            reply.text,
            "[{\"message\":\"Required fields are missing: [Name, StageName, CloseDate]\",\"errorCode\":\"REQUIRED_FIELD_MISSING\",\
             \"fields\":[\"Name\",\"StageName\",\"CloseDate\"]}]"
        );
        let trial = Trial::new();
        let id = trial.deal("x", &json!({}));
        assert_eq!(
            trial.patch("Opportunity", &id, &json!({"Name": null})).fault().1,
            "REQUIRED_FIELD_MISSING"
        );
    }

    #[test]
    fn a_read_prints_named_fields_or_all_of_them() {
        let trial = Trial::new();
        let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
        let id = trial.deal("Seats", &json!({"AccountId": &account[..15]}));
        let all = trial.read("Opportunity", &id);
        assert_eq!(all["AccountId"], Value::from(account));
        assert_eq!(all["Amount"], Value::Null);
        assert_eq!(all["CurrencyIsoCode"], "USD");
        assert_eq!(all["CreatedDate"], "2026-01-05T09:00:00.000+0000");
        let path = format!("/sobjects/Opportunity/{}?fields=name,Account.Name", &id[..15]);
        let some = trial.get(&path).json();
        assert_eq!(
            (&some["Name"], &some["Account"]["Name"]),
            (&json!("Seats"), &json!("Fabrikam"))
        );
        assert_eq!(some.as_object().unwrap().len(), 3);
        assert_eq!(
            trial.get(&format!("/sobjects/Opportunity/{id}?fields=Nmae")).fault().1,
            "INVALID_FIELD"
        );
    }

    #[test]
    fn what_is_not_there_is_not_found_and_what_was_deleted_says_so() {
        let trial = Trial::new();
        let id = trial.deal("x", &json!({}));
        for path in [
            "/sobjects/Opportunity/006000000000001AAA",
            "/sobjects/Opportunity/nonsense",
            "/sobjects/Nothing__c/006000000000001AAA",
            &format!("/sobjects/Account/{id}"),
        ] {
            assert_eq!(trial.get(path).fault(), (404, "NOT_FOUND".to_owned()), "{path}");
        }
        assert_eq!(trial.delete("Opportunity", &id).status, 204);
        let gone = (404, "ENTITY_IS_DELETED".to_owned());
        assert_eq!(trial.get(&format!("/sobjects/Opportunity/{id}")).fault(), gone);
        assert_eq!(trial.patch("Opportunity", &id, &json!({"Name": "y"})).fault(), gone);
        assert_eq!(trial.delete("Opportunity", &id).fault(), gone);
        assert!(trial.names("SELECT Name FROM Opportunity").is_empty());
        assert!(trial.org.rows().is_empty());
        assert_eq!(trial.commits().last().unwrap().kind, CommitKind::Deleted);
    }

    #[test]
    fn the_stage_decides_what_is_closed_won_and_likely() {
        let trial = Trial::new();
        let id = trial.deal("x", &json!({"Amount": 200, "StageName": "negotiation/review"}));
        let read = trial.read("Opportunity", &id);
        assert_eq!(
            (&read["StageName"], &read["Probability"]),
            (&json!("Negotiation/Review"), &json!(90.0))
        );
        assert_eq!(
            (&read["ExpectedRevenue"], &read["IsClosed"]),
            (&json!(180.0), &json!(false))
        );
        assert_eq!((&read["Fiscal"], &read["FiscalYear"]), (&json!("2026 1"), &json!(2026)));
        trial.patch("Opportunity", &id, &json!({"StageName": "Closed Won"}));
        let read = trial.read("Opportunity", &id);
        assert_eq!((&read["IsClosed"], &read["IsWon"]), (&json!(true), &json!(true)));
        assert_eq!(
            (&read["Probability"], &read["ForecastCategory"]),
            (&json!(100.0), &json!("Closed"))
        );
        trial.patch(
            "Opportunity",
            &id,
            &json!({"StageName": "Our Own Stage", "Probability": 33}),
        );
        let read = trial.read("Opportunity", &id);
        assert_eq!((&read["IsClosed"], &read["Probability"]), (&json!(false), &json!(33.0)));
    }

    #[test]
    fn a_write_without_change_moves_the_times_and_is_noted_without_changes() {
        let trial = Trial::new();
        let id = trial.deal("x", &json!({}));
        trial.commits();
        trial.wait(61);
        trial.patch("Opportunity", &id, &json!({"Name": "x"}));
        let read = trial.read("Opportunity", &id);
        assert_eq!(read["SystemModstamp"], "2026-01-05T09:01:01.000+0000");
        assert_eq!(read["LastModifiedDate"], read["SystemModstamp"]);
        assert_eq!(read["CreatedDate"], "2026-01-05T09:00:00.000+0000");
        let commits = trial.commits();
        assert_eq!((commits.len(), commits[0].changes.len()), (1, 0));
    }

    #[test]
    fn a_precondition_compares_whole_seconds() {
        let trial = Trial::new();
        let id = trial.deal("x", &json!({}));
        let path = format!("/services/data/v60.0/sobjects/Opportunity/{id}");
        let write = |date: &str| {
            let headers = [("if-unmodified-since", date)];
            trial
                .send("PATCH", &path, &json!({"Name": "y"}), &headers)
                .status
                .as_u16()
        };
        trial.wait(5);
        assert_eq!(write("Mon, 05 Jan 2026 08:59:59 GMT"), 412);
        assert_eq!(write("Mon, 05 Jan 2026 09:00:00 GMT"), 204);
        assert_eq!(write("Mon, 05 Jan 2026 09:00:00 GMT"), 412);
        assert_eq!(write("yesterday"), 400);
        let read = |date: &str| {
            let headers = [("if-modified-since", date)];
            trial.send("GET", &path, &Value::Null, &headers).status.as_u16()
        };
        assert_eq!(read("Mon, 05 Jan 2026 09:00:05 GMT"), 304);
        assert_eq!(read("Mon, 05 Jan 2026 09:00:04 GMT"), 200);
    }

    #[test]
    fn an_account_has_a_tag_that_changes_with_it() {
        let trial = Trial::new();
        let id = trial.create("Account", &json!({"Name": "Fabrikam"}));
        let path = format!("/services/data/v60.0/sobjects/Account/{id}");
        let read = |name: &str, tag: &str| trial.send("GET", &path, &Value::Null, &[(name, tag)]);
        let write = |tag: &str| {
            trial
                .send("PATCH", &path, &json!({"Site": tag}), &[("if-match", tag)])
                .status
                .as_u16()
        };
        let tag = read("accept", "*/*").headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(read("if-none-match", &tag).status, 304);
        assert_eq!(read("if-none-match", "\"other\"").status, 200);
        assert_eq!(read("if-match", "\"other\"").status, 412);
        assert_eq!(write(&tag), 204);
        assert_eq!(write(&tag), 412, "the first write changed it within one second");
        assert_eq!(read("if-none-match", &tag).status, 200);
    }

    #[test]
    fn references_must_lead_to_a_record_of_the_right_object() {
        let trial = Trial::new();
        let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
        let deal = trial.deal("x", &json!({}));
        for (value, code) in [
            (json!(deal), "MALFORMED_ID"),
            (json!("a01D0000001pPvHAAU"), "MALFORMED_ID"),
            (json!("001000000000001AAA"), "INVALID_CROSS_REFERENCE_KEY"),
        ] {
            let reply = trial.patch("Opportunity", &deal, &json!({"AccountId": value}));
            assert_eq!(reply.fault(), (400, code.to_owned()), "{value}");
        }
        trial.delete("Account", &account);
        let reply = trial.patch("Opportunity", &deal, &json!({"AccountId": account}));
        assert_eq!(reply.fault(), (400, "ENTITY_IS_DELETED".to_owned()));
        let campaign = trial.patch("Opportunity", &deal, &json!({"CampaignId": "701000000000001AAA"}));
        assert_eq!(
            campaign.missing().unwrap(),
            "reference `Opportunity.CampaignId` to Campaign"
        );
    }

    #[test]
    fn bodies_that_are_no_json_object_are_refused_in_the_vendors_shape() {
        let trial = Trial::new();
        let path = "/services/data/v60.0/sobjects/Account";
        assert_eq!(
            trial.send("POST", path, &json!([1]), &[]).fault(),
            (400, "JSON_PARSER_ERROR".to_owned())
        );
        let plain = trial.send("POST", path, &Value::Null, &[("content-type", "text/plain")]);
        assert_eq!(plain.fault(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
        let xml = trial.send("POST", path, &Value::Null, &[("content-type", "application/xml")]);
        assert_eq!(xml.missing().unwrap(), "header `content-type: application/xml`");
        let huge = trial.post("Account", &json!({"Name": "x".repeat(1 << 20)}));
        assert_eq!(huge.fault(), (413, "REQUEST_ENTITY_TOO_LARGE".to_owned()));
        assert_eq!(trial.send("PUT", path, &json!({}), &[]).fault().0, 405);
        assert_eq!(
            trial
                .send("POST", &format!("{path}?x=1"), &json!({}), &[])
                .missing()
                .unwrap(),
            "parameter `x`"
        );
        let tagged = trial.deal("x", &json!({}));
        let path = format!("/services/data/v60.0/sobjects/Opportunity/{tagged}");
        let tagged = trial.send("PATCH", &path, &json!({}), &[("if-match", "\"x\"")]);
        assert_eq!(tagged.missing().unwrap(), "header `if-match` for `Opportunity`");
    }
}
