//! Leads become accounts, contacts and opportunities: `POST /actions/standard/convertLead`.
//!
//! Assumed: all of it. Third-party material names the action, its inputs and what it gives back; which fields go where is general
//! knowledge, and that the package's fields of a lead go to those of the same name of the opportunity.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::cell::Cell;
use super::error::{Complaint, JSON, Problem};
use super::id::Id;
use super::model::Object;
use super::state::State;
use super::visit::{Answer, Visit};
use super::write::{self, Body};
use crate::reply::json_reply;

/// The status that says that a lead was converted.
const CONVERTED: &str = "Closed - Converted";
/// Where a lead's fields go: account, contact.
const ADDRESS: [(&str, &str, &str); 5] = [
    ("Street", "BillingStreet", "MailingStreet"),
    ("City", "BillingCity", "MailingCity"),
    ("State", "BillingState", "MailingState"),
    ("PostalCode", "BillingPostalCode", "MailingPostalCode"),
    ("Country", "BillingCountry", "MailingCountry"),
];
/// Fields that lead and contact call the same.
const PERSON: [&str; 7] = [
    "FirstName",
    "LastName",
    "Salutation",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
];
/// Fields that lead and opportunity call the same.
const DEAL: [&str; 5] = [
    "LeadSource",
    "Sync_With_Partner_Center__c",
    "Referral_Identifier__c",
    "Referral_Link__c",
    "Audit__c",
];

/// Carries out the action for each of its inputs.
pub(crate) fn action(state: &mut State, visit: &Visit<'_>) -> Answer {
    visit.only(&[Method::POST])?;
    let body = visit.json_body()?;
    let Some(inputs) = body.get("inputs").and_then(Value::as_array) else {
        return Err(Problem::bad("INVALID_INPUT", "inputs must be a list of objects"));
    };
    let mut results = Vec::with_capacity(inputs.len());
    let mut failed = false;
    for input in inputs {
        let mark = state.transaction.mark();
        results.push(match convert(state, visit, input) {
            Ok(output) => result(true, &Value::Null, &output),
            Err(Problem::Refused { complaints, .. }) => {
                state.roll_back(mark);
                failed = true;
                let errors: Vec<Value> = complaints.iter().map(Complaint::to_element).collect();
                result(false, &Value::Array(errors), &Value::Null)
            }
            Err(refused) => return Err(refused),
        });
    }
    let status = if failed {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    Ok(json_reply(status, JSON, &Value::Array(results)))
}

fn result(success: bool, errors: &Value, output: &Value) -> Value {
    json!({"actionName": "convertLead", "errors": errors, "isSuccess": success, "outputValues": output})
}

/// Refuses to change a lead that was converted. Code and words from general knowledge.
pub(crate) fn refuse_converted(shape: &Object, cells: &[Cell]) -> Result<(), Problem> {
    let converted = shape.field("IsConverted").is_some_and(|place| cells[place].is_true());
    if shape.name == "Lead" && converted {
        return Err(Problem::write(
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "cannot reference converted lead",
            &[],
        ));
    }
    Ok(())
}

fn convert(state: &mut State, visit: &Visit<'_>, input: &Value) -> Result<Value, Problem> {
    let leads = state.object("Lead");
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let place = Id::parse(text("leadId")).and_then(|id| state.tables[leads].find(id));
    let row = place
        .map(|place| state.tables[leads].row(place))
        .filter(|row| !row.deleted);
    let Some((place, row)) = place.zip(row) else {
        return Err(Problem::write(
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            &[],
        ));
    };
    let org = std::sync::Arc::clone(&state.org);
    let shape = &org.objects[leads];
    let mut cells = row.cells.clone();
    refuse_converted(shape, &cells)?;
    if !text("convertedStatus").eq_ignore_ascii_case(CONVERTED) {
        let message = format!("invalid convertedStatus: {}", text("convertedStatus"));
        return Err(Problem::write("INVALID_STATUS", message, &[]));
    }
    let of = |name: &str| {
        shape
            .field(name)
            .map_or(Value::Null, |place| cells[place].to_value(false))
    };
    let account = match text("accountId") {
        "" => create(state, visit, "Account", &account(&of))?,
        given => given.to_owned(),
    };
    let contact = match text("contactId") {
        "" => create(state, visit, "Contact", &contact(&of, &account))?,
        given => given.to_owned(),
    };
    let wanted = input["createOpportunity"].as_bool().unwrap_or(true);
    let opportunity = match text("opportunityName") {
        _ if !wanted => None,
        name => Some(create(
            state,
            visit,
            "Opportunity",
            &opportunity(state, &of, name, &account, &contact),
        )?),
    };
    let today = jiff::tz::Offset::UTC.to_datetime(state.ground.clock.now()).date();
    let id = |text: &str| Id::parse(text).map_or(Cell::Null, Cell::Id);
    for (name, cell) in [
        ("IsConverted", Cell::Bool(true)),
        ("Status", Cell::text(CONVERTED)),
        ("ConvertedDate", Cell::Date(today)),
        ("ConvertedAccountId", id(&account)),
        ("ConvertedContactId", id(&contact)),
        ("ConvertedOpportunityId", id(opportunity.as_deref().unwrap_or_default())),
    ] {
        if let Some(place) = shape.field(name) {
            cells[place] = cell;
        }
    }
    state.replace(&visit.author, leads, place, cells);
    Ok(json!({"leadId": text("leadId"), "accountId": account, "contactId": contact, "opportunityId": opportunity}))
}

fn account(of: &dyn Fn(&str) -> Value) -> Map<String, Value> {
    let mut body = Map::from_iter([("Name".to_owned(), of("Company"))]);
    for (lead, account, _) in ADDRESS {
        body.insert(account.to_owned(), of(lead));
    }
    for name in ["Website", "Industry", "Phone"] {
        body.insert(name.to_owned(), of(name));
    }
    body
}

fn contact(of: &dyn Fn(&str) -> Value, account: &str) -> Map<String, Value> {
    let mut body = Map::from_iter([("AccountId".to_owned(), Value::from(account))]);
    for name in PERSON {
        body.insert(name.to_owned(), of(name));
    }
    for (lead, _, contact) in ADDRESS {
        body.insert(contact.to_owned(), of(lead));
    }
    body
}

/// The opportunity closes at the end of the quarter, in the first stage, unless somebody says otherwise later.
fn opportunity(
    state: &State,
    of: &dyn Fn(&str) -> Value,
    name: &str,
    account: &str,
    contact: &str,
) -> Map<String, Value> {
    let today = jiff::tz::Offset::UTC.to_datetime(state.ground.clock.now()).date();
    let months = i64::from(2 - (today.month() - 1) % 3);
    let closes = today
        .first_of_month()
        .saturating_add(jiff::Span::new().months(months))
        .last_of_month();
    let first = state
        .settings
        .stages
        .first()
        .map_or("Prospecting", |stage| stage.name.as_str());
    let name = if name.is_empty() {
        of("Company")
    } else {
        Value::from(name)
    };
    let mut body = Map::from_iter([
        ("Name".to_owned(), name),
        ("StageName".to_owned(), Value::from(first)),
        ("CloseDate".to_owned(), Value::from(closes.to_string())),
        ("AccountId".to_owned(), Value::from(account)),
        ("ContactId".to_owned(), Value::from(contact)),
    ]);
    let shape = &state.org.objects[state.object("Opportunity")];
    for name in DEAL.into_iter().filter(|name| shape.seen(name).is_some()) {
        body.insert(name.to_owned(), of(name));
    }
    body
}

fn create(state: &mut State, visit: &Visit<'_>, object: &str, fields: &Map<String, Value>) -> Result<String, Problem> {
    let place = state.object(object);
    let fields: Map<String, Value> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let body = Body {
        fields: &fields,
        raw: b"",
    };
    write::create(state, &visit.author, place, body).map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::salesforce::trial::Trial;

    fn convert(trial: &Trial, input: &Value) -> (u16, Value) {
        let path = "/services/data/v60.0/actions/standard/convertLead";
        let reply = trial.send("POST", path, &json!({"inputs": [input]}), &[]);
        (reply.status.as_u16(), reply.json()[0].clone())
    }

    #[test]
    fn a_lead_becomes_an_account_a_contact_and_an_opportunity() {
        let trial = Trial::new();
        let body = json!({"LastName": "Xu", "FirstName": "Ann", "Company": "Fabrikam", "Country": "DE", "PostalCode": "80331",
            "Sync_With_Partner_Center__c": true, "Referral_Identifier__c": "r-1"});
        let lead = trial.create("Lead", &body);
        let (status, result) = convert(
            &trial,
            &json!({"leadId": lead, "convertedStatus": "Closed - Converted"}),
        );
        assert_eq!((status, &result["isSuccess"]), (200, &json!(true)), "{result}");
        let id = |name: &str| result["outputValues"][name].as_str().unwrap().to_owned();
        let deal = trial.read("Opportunity", &id("opportunityId"));
        assert_eq!(
            (&deal["Name"], &deal["CloseDate"]),
            (&json!("Fabrikam"), &json!("2026-03-31"))
        );
        assert_eq!(
            (&deal["AccountId"], &deal["Referral_Identifier__c"]),
            (&json!(id("accountId")), &json!("r-1"))
        );
        assert_eq!(trial.read("Account", &id("accountId"))["BillingCountry"], "DE");
        assert_eq!(trial.read("Contact", &id("contactId"))["Name"], "Ann Xu");
        let read = trial.read("Lead", &lead);
        assert_eq!(
            (&read["IsConverted"], &read["ConvertedDate"]),
            (&json!(true), &json!("2026-01-05"))
        );
        let late = trial.patch("Lead", &lead, &json!({"Title": "x"}));
        assert_eq!(late.fault(), (400, "CANNOT_UPDATE_CONVERTED_LEAD".to_owned()));
        let again = convert(
            &trial,
            &json!({"leadId": lead, "convertedStatus": "Closed - Converted"}),
        );
        assert_eq!(again.1["errors"][0]["statusCode"], "CANNOT_UPDATE_CONVERTED_LEAD");
    }

    #[test]
    fn a_refused_conversion_leaves_nothing_behind() {
        let trial = Trial::new();
        let lead = trial.create("Lead", &json!({"LastName": "Xu", "Company": "Fabrikam"}));
        let before = trial.org.rows();
        let bad_account =
            json!({"leadId": lead, "convertedStatus": "Closed - Converted", "accountId": "001000000000001AAA"});
        for (input, code) in [
            (json!({"leadId": lead, "convertedStatus": "Open"}), "INVALID_STATUS"),
            (
                json!({"leadId": "no", "convertedStatus": "x"}),
                "INVALID_CROSS_REFERENCE_KEY",
            ),
            (bad_account, "INVALID_CROSS_REFERENCE_KEY"),
        ] {
            let (status, result) = convert(&trial, &input);
            assert_eq!(
                (status, &result["errors"][0]["statusCode"]),
                (400, &json!(code)),
                "{input}"
            );
        }
        assert_eq!(trial.org.rows(), before);
        let path = "/services/data/v60.0/actions/standard/convertLead";
        assert_eq!(trial.send("POST", path, &json!({}), &[]).fault().0, 400);
    }
}
