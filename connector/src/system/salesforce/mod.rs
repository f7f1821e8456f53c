//! Salesforce: requests to the REST API and SOQL queries (salesforce.md sections 2 and 4), field names of the package
//! (section 6).

use bytes::Bytes;
use http::Method;
use http::header::{HeaderName, IF_UNMODIFIED_SINCE};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::opportunity::{Change, NewLead, Opportunity, Revision, SolutionRow};
use super::{Ask, Page, Unreadable, json as parse, link_on, percent, text};
use crate::deal::{Customer, Field, Person, Solution, canon};
use crate::id::{AccountId, ContactId, OpportunityId, ReferralId};
use crate::settings::SalesforceSettings;

/// Row ⇄ deal.
mod map;
/// Names and SOQL texts.
mod wire;

pub use map::Unwritable;
use wire::{AUDIT, LINK, REFERRAL, SYNC, opportunity_fields, quoted, quoted_or_null};

/// The field without which Salesforce makes no opportunity.
const CLOSE_DATE: &str = "CloseDate";
/// Keeps owners as they are (salesforce.md section 2.8: connector updates reset them otherwise).
const AUTO_ASSIGN: HeaderName = HeaderName::from_static("sforce-auto-assign");

fn path(settings: &SalesforceSettings) -> String {
    format!("{}/services/data/{}", settings.org, settings.version)
}

fn rows(settings: &SalesforceSettings, object: &str) -> String {
    format!("{}/sobjects/{object}", path(settings))
}

fn query(settings: &SalesforceSettings, soql: &str) -> Ask {
    Ask::get(format!("{}/query?q={}", path(settings), percent(soql)))
}

/// Reads one opportunity.
pub fn read(settings: &SalesforceSettings, id: &OpportunityId) -> Ask {
    let fields = percent(&opportunity_fields(settings));
    Ask::get(format!(
        "{}/{}?fields={fields}",
        rows(settings, "Opportunity"),
        percent(id.as_str())
    ))
}

/// Lists the opportunities with Sync = Yes that were changed at or after a moment.
pub fn changed(settings: &SalesforceSettings, since: Timestamp) -> Ask {
    let fields = opportunity_fields(settings);
    let since = canon::seconds(since);
    query(
        settings,
        &format!(
            "SELECT {fields} FROM Opportunity WHERE {SYNC} = true AND SystemModstamp >= {since} ORDER BY SystemModstamp, Id"
        ),
    )
}

/// Looks for the opportunities that name a referral.
pub fn of_referral(settings: &SalesforceSettings, referral: &ReferralId) -> Ask {
    let id = quoted(referral.as_str());
    let fields = opportunity_fields(settings);
    query(
        settings,
        &format!("SELECT {fields} FROM Opportunity WHERE {REFERRAL} = {id} ORDER BY CreatedDate, Id"),
    )
}

/// Creates the opportunity of a referral: an upsert by Referral Identifier, so that a request that the network doubles makes no
/// second record. The precondition, which no record that is there can meet, keeps the second copy from overwriting what was changed
/// in between; where the record is new there is nothing that it could fail on.
pub fn create(settings: &SalesforceSettings, change: &Change) -> Result<Ask, Unwritable> {
    let mut body = map::body(settings, change)?;
    if settings.closing_date_field != CLOSE_DATE {
        // The org asks for it whatever field the operator goes by (salesforce.md section 3.4).
        let closing = change.values.iter().find(|(field, _)| *field == Field::ClosingDate);
        body[CLOSE_DATE] = json!(closing.and_then(|(_, day)| day.as_deref()));
    }
    let Some(referral) = &change.referral else {
        return Ok(Ask::json(Method::POST, rows(settings, "Opportunity"), &body).header(AUTO_ASSIGN, "FALSE"));
    };
    if let Some(fields) = body.as_object_mut() {
        fields.remove(REFERRAL);
    }
    let url = format!(
        "{}/{REFERRAL}/{}",
        rows(settings, "Opportunity"),
        percent(referral.as_str())
    );
    Ok(Ask::json(Method::PATCH, url, &body)
        .header(AUTO_ASSIGN, "FALSE")
        .header(IF_UNMODIFIED_SINCE, http_date(Timestamp::UNIX_EPOCH)))
}

/// Changes an opportunity, unless it was changed after it was read.
pub fn update(settings: &SalesforceSettings, of: &Opportunity, change: &Change) -> Result<Ask, Unwritable> {
    let body = map::body(settings, change)?;
    let url = format!("{}/{}", rows(settings, "Opportunity"), percent(of.id.as_str()));
    let ask = Ask::json(Method::PATCH, url, &body).header(AUTO_ASSIGN, "FALSE");
    Ok(match &of.revision {
        Revision::UnmodifiedSince(moment) => ask.header(IF_UNMODIFIED_SINCE, http_date(*moment)),
        Revision::Etag(_) => ask,
    })
}

/// A moment as HTTP prints it.
fn http_date(moment: Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Makes or changes the lead of a referral: an upsert by its Referral Identifier.
pub fn put_lead(settings: &SalesforceSettings, lead: &NewLead) -> Ask {
    let last_name = lead.person.last_name.clone().or_else(|| lead.person.email.clone());
    let cut = |text: &str, longest| canon::shortened(text, longest).unwrap_or_else(|| text.to_owned());
    let fields = [
        (
            "LastName",
            &Some(cut(last_name.as_deref().unwrap_or(&lead.company), 80)),
        ),
        ("FirstName", &lead.person.first_name),
        ("Company", &Some(cut(&lead.company, 255))),
        ("Email", &lead.person.email),
        ("Phone", &lead.person.phone),
        ("Street", &lead.address.line),
        ("City", &lead.address.city),
        ("PostalCode", &lead.address.postal_code),
        ("Country", &lead.address.country),
        ("Description", &lead.notes),
        (LINK, &Some(lead.link.clone())),
        (AUDIT, &Some(lead.audit.clone())),
    ];
    let mut body = filled(&fields);
    body[SYNC] = Value::Bool(true);
    let url = format!(
        "{}/{REFERRAL}/{}",
        rows(settings, "Lead"),
        percent(lead.referral.as_str())
    );
    Ask::json(Method::PATCH, url, &body).header(AUTO_ASSIGN, "FALSE")
}

/// Lists the stages of the org.
pub fn stages(settings: &SalesforceSettings) -> Ask {
    query(
        settings,
        "SELECT MasterLabel FROM OpportunityStage WHERE IsActive = true",
    )
}

/// A page of names out of [`stages`].
pub fn read_stages(settings: &SalesforceSettings, body: &Bytes) -> Result<Page<String>, Unreadable> {
    page(settings, body, |row| Some(Ok(text(row, "MasterLabel")?.to_owned())))
}

/// Looks for an account by company name and postal code (product.md M16).
pub fn find_account(settings: &SalesforceSettings, customer: &Customer) -> Ask {
    let name = quoted_or_null(customer.name.as_deref());
    let postal = quoted_or_null(customer.address.postal_code.as_deref());
    let soql = format!(
        "SELECT Id FROM Account WHERE Name = {name} AND BillingPostalCode = {postal} ORDER BY CreatedDate, Id LIMIT 1"
    );
    query(settings, &soql)
}

/// Creates an account; the country goes to the configured field only.
pub fn create_account(settings: &SalesforceSettings, customer: &Customer) -> Ask {
    let address = &customer.address;
    let fields = [
        ("Name", &customer.name),
        ("BillingStreet", &address.line),
        ("BillingCity", &address.city),
        ("BillingState", &address.state),
        ("BillingPostalCode", &address.postal_code),
        (settings.country_field.as_str(), &address.country),
    ];
    Ask::json(Method::POST, rows(settings, "Account"), &filled(&fields))
}

/// Looks for a contact by email address.
pub fn find_contact(settings: &SalesforceSettings, email: &str) -> Ask {
    let email = quoted(email);
    query(
        settings,
        &format!("SELECT Id FROM Contact WHERE Email = {email} ORDER BY CreatedDate, Id LIMIT 1"),
    )
}

/// Creates a contact at an account.
pub fn create_contact(settings: &SalesforceSettings, person: &Person, account: &AccountId) -> Ask {
    let account = Some(account.as_str().to_owned());
    // A contact must have a last name (salesforce-describe-digest.tsv); the email address stands in for it.
    let last_name = person
        .last_name
        .clone()
        .or_else(|| person.first_name.clone())
        .or_else(|| person.email.clone());
    let fields = [
        ("AccountId", &account),
        ("FirstName", &person.first_name),
        ("LastName", &last_name),
        ("Email", &person.email),
        ("Phone", &person.phone),
    ];
    Ask::json(Method::POST, rows(settings, "Contact"), &filled(&fields))
}

/// Looks for the role that ties a contact to an opportunity.
pub fn find_role(settings: &SalesforceSettings, opportunity: &OpportunityId, contact: &ContactId) -> Ask {
    let (opportunity, contact) = (quoted(opportunity.as_str()), quoted(contact.as_str()));
    let soql = format!(
        "SELECT Id FROM OpportunityContactRole WHERE OpportunityId = {opportunity} AND ContactId = {contact} LIMIT 1"
    );
    query(settings, &soql)
}

/// Ties a contact to an opportunity.
pub fn create_role(settings: &SalesforceSettings, opportunity: &OpportunityId, contact: &ContactId) -> Ask {
    let body = json!({"OpportunityId": opportunity.as_str(), "ContactId": contact.as_str(), "IsPrimary": true});
    Ask::json(Method::POST, rows(settings, "OpportunityContactRole"), &body)
}

/// Looks for a solution in the org's catalogue.
pub fn find_catalogue(settings: &SalesforceSettings, solution: &Solution) -> Ask {
    let id = quoted(&solution.id);
    let soql = format!(
        "SELECT Id FROM Microsoft_Solution_Detail__c WHERE Solution_Identifier__c = {id} ORDER BY CreatedDate, Id LIMIT 1"
    );
    query(settings, &soql)
}

/// Adds a solution to the org's catalogue.
pub fn create_catalogue(settings: &SalesforceSettings, solution: &Solution) -> Ask {
    let name = solution.name.as_deref().unwrap_or(&solution.id);
    // The name of a record holds 80 letters.
    let name: String = name.chars().take(80).collect();
    let body = json!({"Name": name, "Solution_Identifier__c": solution.id});
    Ask::json(Method::POST, rows(settings, "Microsoft_Solution_Detail__c"), &body)
}

/// Adds a solution of the catalogue to an opportunity.
pub fn create_solution(settings: &SalesforceSettings, opportunity: &OpportunityId, catalogue: &str) -> Ask {
    let body = json!({"Opportunity__c": opportunity.as_str(), "Solution__c": catalogue});
    Ask::json(Method::POST, rows(settings, "Microsoft_Solutions__c"), &body)
}

/// Reads the solutions of an opportunity.
pub fn solutions(settings: &SalesforceSettings, opportunity: &OpportunityId) -> Ask {
    let id = quoted(opportunity.as_str());
    let soql = format!(
        "SELECT Id, Solution__r.Solution_Identifier__c, Solution__r.Name FROM Microsoft_Solutions__c WHERE Opportunity__c = {id} ORDER BY CreatedDate, Id"
    );
    query(settings, &soql)
}

/// Lists the solution rows that were changed at or after a moment.
pub fn changed_solutions(settings: &SalesforceSettings, since: Timestamp) -> Ask {
    let since = canon::seconds(since);
    let soql = format!(
        "SELECT Id, Opportunity__c, Solution__r.Solution_Identifier__c, SystemModstamp FROM Microsoft_Solutions__c WHERE SystemModstamp >= {since} ORDER BY SystemModstamp, Id"
    );
    query(settings, &soql)
}

/// A page of [`changed_solutions`].
pub fn read_changed_solutions(settings: &SalesforceSettings, body: &Bytes) -> Result<Page<SolutionRow>, Unreadable> {
    page(settings, body, |row| {
        let solution = row
            .get("Solution__r")
            .and_then(|detail| text(detail, "Solution_Identifier__c"));
        Some(Ok(SolutionRow {
            opportunity: OpportunityId::new(text(row, "Opportunity__c")?),
            solution: solution.unwrap_or_default().to_owned(),
            modified: text(row, "SystemModstamp").and_then(canon::timestamp)?,
        }))
    })
}

/// Reads the account of an opportunity.
pub fn customer(settings: &SalesforceSettings, opportunity: &OpportunityId) -> Ask {
    let id = quoted(opportunity.as_str());
    let mut fields = [
        "Name",
        "BillingStreet",
        "BillingCity",
        "BillingState",
        "BillingPostalCode",
    ]
    .to_vec();
    if !fields.contains(&settings.country_field.as_str()) {
        fields.push(&settings.country_field);
    }
    let fields: Vec<String> = fields.iter().map(|field| format!("Account.{field}")).collect();
    query(
        settings,
        &format!("SELECT Id, {} FROM Opportunity WHERE Id = {id}", fields.join(", ")),
    )
}

/// Reads the contacts of an opportunity, the primary one first.
pub fn contacts(settings: &SalesforceSettings, opportunity: &OpportunityId) -> Ask {
    let id = quoted(opportunity.as_str());
    let soql = format!(
        "SELECT Id, Contact.FirstName, Contact.LastName, Contact.Email, Contact.Phone FROM OpportunityContactRole WHERE OpportunityId = {id} ORDER BY IsPrimary DESC, Id"
    );
    query(settings, &soql)
}

fn filled(fields: &[(&str, &Option<String>)]) -> Value {
    let filled = fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), Value::from(value.as_deref()?))));
    Value::Object(filled.collect::<Map<String, Value>>())
}

/// Reads one opportunity out of a reply.
pub fn read_opportunity(settings: &SalesforceSettings, body: &Bytes) -> Result<Opportunity, Unreadable> {
    map::opportunity(settings, &parse(body)?)
}

/// Reads a page of opportunities.
pub fn read_page(settings: &SalesforceSettings, body: &Bytes) -> Result<Page<Opportunity>, Unreadable> {
    page(settings, body, |row| Some(map::opportunity(settings, row)))
}

/// A page of anything; rows of which nothing is read are left out.
fn page<T>(
    settings: &SalesforceSettings,
    body: &Bytes,
    read: impl Fn(&Value) -> Option<Result<T, Unreadable>>,
) -> Result<Page<T>, Unreadable> {
    let page = parse(body)?;
    let next = match text(&page, "nextRecordsUrl") {
        Some(link) => Some(link_on(&settings.org, link).ok_or_else(|| Unreadable::missing("nextRecordsUrl"))?),
        None => None,
    };
    let rows = records(&page)?.iter().filter_map(read).collect();
    Ok(Page { rows, next })
}

/// The id of the first row of a query, if there is one.
pub fn read_first_id(body: &Bytes) -> Result<Option<String>, Unreadable> {
    let page = parse(body)?;
    let first = records(&page)?
        .first()
        .and_then(|row| text(row, "Id"))
        .map(str::to_owned);
    Ok(first)
}

/// The id of a row that was created.
pub fn read_created(body: &Bytes) -> Result<String, Unreadable> {
    let reply = parse(body)?;
    text(&reply, "id")
        .map(str::to_owned)
        .ok_or_else(|| Unreadable::missing("id"))
}

/// The customer out of [`customer`].
pub fn read_customer(settings: &SalesforceSettings, body: &Bytes) -> Result<Option<Customer>, Unreadable> {
    let page = parse(body)?;
    Ok(records(&page)?.first().and_then(|row| map::customer(settings, row)))
}

/// The first person out of [`contacts`].
pub fn read_person(body: &Bytes) -> Result<Option<Person>, Unreadable> {
    let page = parse(body)?;
    Ok(records(&page)?.iter().find_map(map::person))
}

/// A page of solutions out of [`solutions`].
pub fn read_solutions(settings: &SalesforceSettings, body: &Bytes) -> Result<Page<Solution>, Unreadable> {
    page(settings, body, |row| map::solution(row).map(Ok))
}

pub use map::surroundings;

fn records(page: &Value) -> Result<&Vec<Value>, Unreadable> {
    page.get("records")
        .and_then(Value::as_array)
        .ok_or_else(|| Unreadable::missing("records"))
}

/// Whether a refusal will pass by itself (salesforce.md section 2.9).
pub fn is_passing(status: u16, error: &str) -> bool {
    (status == 400 && error.starts_with("UNABLE_TO_LOCK_ROW"))
        || (status == 403 && error.starts_with("REQUEST_LIMIT_EXCEEDED"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_is_an_http_date() {
        assert_eq!(
            http_date("2026-01-05T09:00:07Z".parse().unwrap()),
            "Mon, 05 Jan 2026 09:00:07 GMT"
        );
    }
}
