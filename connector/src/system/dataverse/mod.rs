//! Dataverse with Dynamics 365 Sales: requests to the Web API (dataverse.md section 2).

use bytes::Bytes;
use http::header::{HeaderName, IF_MATCH};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::opportunity::{Change, NewLead, Opportunity, Revision, SolutionRow};
use super::{Ask, Page, Unreadable, json as parse, link_on, percent, text};
use crate::deal::{Customer, Ending, Person, Solution, canon};
use crate::id::{AccountId, ContactId, OpportunityId, ReferralId};
use crate::settings::DataverseSettings;

/// Row ⇄ deal.
mod map;
/// Names and literals.
mod wire;

pub use map::{Currencies, Unwritable};
use wire::{REFERRAL, SOLUTIONS, SYNC, opportunity_columns, quoted, quoted_or_null};

const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
const VERSION: HeaderName = HeaderName::from_static("odata-version");
const PREFER: HeaderName = HeaderName::from_static("prefer");

fn url(settings: &DataverseSettings, rest: &str) -> String {
    format!("{}/api/data/v9.2/{rest}", settings.org)
}

fn odata(ask: Ask) -> Ask {
    ask.header(MAX_VERSION, "4.0").header(VERSION, "4.0")
}

fn get(settings: &DataverseSettings, rest: &str) -> Ask {
    odata(Ask::get(url(settings, rest)))
}

fn filtered(settings: &DataverseSettings, set: &str, columns: &str, filter: &str, rest: &str) -> Ask {
    let filter = percent(filter);
    get(settings, &format!("{set}?$select={columns}&$filter={filter}{rest}"))
}

/// Reads one opportunity.
pub fn read(settings: &DataverseSettings, id: &OpportunityId) -> Ask {
    let columns = opportunity_columns(settings);
    get(settings, &format!("opportunities({id})?$select={columns}"))
}

/// Lists the opportunities with Sync = Yes that were changed at or after a moment.
pub fn changed(settings: &DataverseSettings, since: Timestamp) -> Ask {
    let filter = format!("{SYNC} eq true and modifiedon ge {}", canon::seconds(since));
    filtered(
        settings,
        "opportunities",
        &opportunity_columns(settings),
        &filter,
        "&$orderby=modifiedon",
    )
}

/// Looks for the opportunities that name a referral.
pub fn of_referral(settings: &DataverseSettings, referral: &ReferralId) -> Ask {
    let filter = format!("{REFERRAL} eq {}", quoted(referral.as_str()));
    filtered(
        settings,
        "opportunities",
        &opportunity_columns(settings),
        &filter,
        "&$orderby=createdon",
    )
}

/// Creates a row and asks for it back.
fn create_row(settings: &DataverseSettings, set: &str, body: &Value) -> Ask {
    odata(Ask::json(Method::POST, url(settings, set), body))
}

/// Creates an opportunity.
pub fn create(settings: &DataverseSettings, currencies: &Currencies, change: &Change) -> Result<Ask, Unwritable> {
    let body = map::body(settings, currencies, change)?;
    Ok(create_row(settings, "opportunities", &body))
}

/// Changes an opportunity, if nobody else has changed it since it was read. None when nothing is left to write.
pub fn update(
    settings: &DataverseSettings,
    currencies: &Currencies,
    of: &Opportunity,
    change: &Change,
) -> Result<Option<Ask>, Unwritable> {
    let body = map::body(settings, currencies, change)?;
    if body.as_object().is_some_and(Map::is_empty) {
        return Ok(None);
    }
    Ok(Some(patch(settings, of, &body)))
}

/// Opens a closed opportunity again (dataverse.md section 2.10).
pub fn reopen(settings: &DataverseSettings, of: &Opportunity) -> Ask {
    patch(
        settings,
        of,
        &json!({"statecode": 0, "statuscode": settings.active_status}),
    )
}

fn patch(settings: &DataverseSettings, of: &Opportunity, body: &Value) -> Ask {
    let condition = match &of.revision {
        Revision::Etag(etag) => etag.clone(),
        Revision::UnmodifiedSince(_) => "*".to_owned(),
    };
    let ask = Ask::json(Method::PATCH, url(settings, &format!("opportunities({})", of.id)), body);
    odata(ask)
        .header(IF_MATCH, condition)
        .header(PREFER, "return=representation")
}

/// Wins or loses an opportunity (dataverse.md section 2.10).
pub fn close(settings: &DataverseSettings, id: &OpportunityId, ending: Ending, subject: &str) -> Ask {
    let (action, status) = match ending {
        Ending::Won => ("WinOpportunity", settings.won_status),
        Ending::Lost => ("LoseOpportunity", settings.lost_status),
    };
    let body = json!({
        "Status": status,
        "OpportunityClose": {"subject": subject, "opportunityid@odata.bind": url(settings, &format!("opportunities({id})"))},
    });
    odata(Ask::json(Method::POST, url(settings, action), &body))
}

/// Lists the environment's currencies.
pub fn currencies(settings: &DataverseSettings) -> Ask {
    get(
        settings,
        "transactioncurrencies?$select=transactioncurrencyid,isocurrencycode",
    )
}

/// Looks for an account by company name and postal code (product.md M16).
pub fn find_account(settings: &DataverseSettings, customer: &Customer) -> Ask {
    let name = quoted_or_null(customer.name.as_deref());
    let postal = quoted_or_null(customer.address.postal_code.as_deref());
    let filter = format!("name eq {name} and address1_postalcode eq {postal}");
    filtered(settings, "accounts", "accountid", &filter, "&$orderby=createdon")
}

/// Creates an account; the country goes to the configured column only.
pub fn create_account(settings: &DataverseSettings, customer: &Customer) -> Ask {
    let address = &customer.address;
    let fields = [
        ("name", &customer.name),
        ("address1_line1", &address.line),
        ("address1_city", &address.city),
        ("address1_stateorprovince", &address.state),
        ("address1_postalcode", &address.postal_code),
        (settings.country_field.as_str(), &address.country),
    ];
    create_row(settings, "accounts", &filled(&fields))
}

/// Looks for a contact by email address.
pub fn find_contact(settings: &DataverseSettings, email: &str) -> Ask {
    let filter = format!("emailaddress1 eq {}", quoted(email));
    filtered(settings, "contacts", "contactid", &filter, "&$orderby=createdon")
}

/// Creates a contact at an account.
pub fn create_contact(settings: &DataverseSettings, person: &Person, account: &AccountId) -> Ask {
    // A contact must have a last name (dataverse.md section 6); the first name or the email address stands in for it.
    let last_name = person
        .last_name
        .clone()
        .or_else(|| person.first_name.clone())
        .or_else(|| person.email.clone());
    let fields = [
        ("firstname", &person.first_name),
        ("lastname", &last_name),
        ("emailaddress1", &person.email),
        ("telephone1", &person.phone),
    ];
    let mut body = filled(&fields);
    body["parentcustomerid_account@odata.bind"] = json!(format!("/accounts({account})"));
    create_row(settings, "contacts", &body)
}

/// Reads the solutions of an opportunity.
pub fn solutions(settings: &DataverseSettings, opportunity: &OpportunityId) -> Ask {
    let filter = format!("_msft_opportunity_value eq {opportunity}");
    filtered(
        settings,
        SOLUTIONS,
        "msft_name,msft_solutionidentifier",
        &filter,
        "&$orderby=createdon",
    )
}

/// Makes or changes the lead of a referral, under an id that follows from the referral's. Columns of the co-sell solution are not
/// documented for leads: what there is to say stands in the description.
pub fn put_lead(settings: &DataverseSettings, lead: &NewLead, id: &str) -> Ask {
    let last_name = lead.person.last_name.clone().or_else(|| lead.person.email.clone());
    let cut = |text: &str, longest| Some(canon::shortened(text, longest).unwrap_or_else(|| text.to_owned()));
    let notes = format!(
        "{}{}\n{}",
        lead.notes
            .as_deref()
            .map_or_else(String::new, |notes| format!("{notes}\n")),
        lead.link,
        lead.audit
    );
    let fields = [
        ("subject", &cut(&lead.name, 300)),
        ("companyname", &cut(&lead.company, 100)),
        ("lastname", &cut(last_name.as_deref().unwrap_or(&lead.company), 50)),
        ("firstname", &lead.person.first_name),
        ("emailaddress1", &lead.person.email),
        ("telephone1", &lead.person.phone),
        ("address1_city", &lead.address.city),
        ("address1_postalcode", &lead.address.postal_code),
        ("address1_country", &lead.address.country),
        ("description", &cut(&notes, 2_000)),
    ];
    odata(Ask::json(
        Method::PATCH,
        url(settings, &format!("leads({id})")),
        &filled(&fields),
    ))
}

/// Lists the solution rows that were changed at or after a moment.
pub fn changed_solutions(settings: &DataverseSettings, since: Timestamp) -> Ask {
    let filter = format!("modifiedon ge {}", canon::seconds(since));
    let columns = "_msft_opportunity_value,msft_solutionidentifier,modifiedon";
    filtered(settings, SOLUTIONS, columns, &filter, "&$orderby=modifiedon")
}

/// A page of [`changed_solutions`].
pub fn read_changed_solutions(settings: &DataverseSettings, body: &Bytes) -> Result<Page<SolutionRow>, Unreadable> {
    page(settings, body, |row| {
        Some(Ok(SolutionRow {
            opportunity: OpportunityId::new(text(row, "_msft_opportunity_value")?),
            solution: text(row, "msft_solutionidentifier").unwrap_or_default().to_owned(),
            modified: text(row, "modifiedon").and_then(canon::timestamp)?,
        }))
    })
}

/// What change tracking tells about a solution row (dataverse.md section 2.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// It is there: new, changed, or read for the first time.
    Kept {
        /// The row.
        row: String,
        /// The opportunity that it belongs to.
        opportunity: OpportunityId,
        /// The solution's id.
        solution: String,
    },
    /// It was deleted.
    Deleted {
        /// The row.
        row: String,
    },
}

/// A page of changed rows.
#[derive(Clone, Debug)]
pub struct TrackedPage {
    /// The rows; one that cannot be read carries the reason.
    pub rows: Vec<Result<Tracked, Unreadable>>,
    /// Where the next page is, when there is one.
    pub next: Option<String>,
    /// On the last page: where later changes are.
    pub delta: Option<String>,
}

/// Reads all solution rows, and asks for a link to their later changes.
pub fn all_solutions(settings: &DataverseSettings) -> Ask {
    let ask = get(
        settings,
        &format!("{SOLUTIONS}?$select=msft_solutionidentifier,_msft_opportunity_value"),
    );
    ask.header(PREFER, "odata.track-changes")
}

/// A page, or later changes, that a link leads to.
pub fn track(link: String) -> Ask {
    follow(link)
}

/// A page of changed rows out of [`all_solutions`] and [`track`].
pub fn read_tracked(settings: &DataverseSettings, body: &Bytes) -> Result<TrackedPage, Unreadable> {
    let page = parse(body)?;
    let link = |name: &'static str| match text(&page, name) {
        Some(link) => link_on(&settings.org, link)
            .map(Some)
            .ok_or_else(|| Unreadable::missing(name)),
        None => Ok(None),
    };
    let rows = records(&page)?.iter().map(tracked).collect();
    Ok(TrackedPage {
        rows,
        next: link("@odata.nextLink")?,
        delta: link("@odata.deltaLink")?,
    })
}

fn tracked(row: &Value) -> Result<Tracked, Unreadable> {
    let of = |name: &'static str| text(row, name).ok_or_else(|| Unreadable::missing(name));
    if text(row, "reason") == Some("deleted") {
        return Ok(Tracked::Deleted {
            row: of("id")?.to_owned(),
        });
    }
    Ok(Tracked::Kept {
        row: of("msft_partnercentersolutionid")?.to_owned(),
        opportunity: OpportunityId::new(of("_msft_opportunity_value")?),
        solution: text(row, "msft_solutionidentifier").unwrap_or_default().to_owned(),
    })
}

/// Adds a solution to an opportunity.
pub fn create_solution(settings: &DataverseSettings, opportunity: &OpportunityId, solution: &Solution) -> Ask {
    let name: String = solution
        .name
        .as_deref()
        .unwrap_or(&solution.id)
        .chars()
        .take(100)
        .collect();
    let body = json!({
        "msft_name": name,
        "msft_solutionidentifier": solution.id,
        "msft_Opportunity@odata.bind": format!("/opportunities({opportunity})"),
    });
    create_row(settings, SOLUTIONS, &body)
}

/// Reads which account and contact an opportunity names.
pub fn parties(settings: &DataverseSettings, opportunity: &OpportunityId) -> Ask {
    get(
        settings,
        &format!(
            "opportunities({opportunity})?$select=_customerid_value,_parentaccountid_value,_parentcontactid_value"
        ),
    )
}

/// Reads an account.
pub fn account(settings: &DataverseSettings, id: &AccountId) -> Ask {
    let mut columns = [
        "name",
        "address1_line1",
        "address1_city",
        "address1_stateorprovince",
        "address1_postalcode",
    ]
    .to_vec();
    if !columns.contains(&settings.country_field.as_str()) {
        columns.push(&settings.country_field);
    }
    get(settings, &format!("accounts({id})?$select={}", columns.join(",")))
}

/// Reads a contact.
pub fn contact(settings: &DataverseSettings, id: &ContactId) -> Ask {
    get(
        settings,
        &format!("contacts({id})?$select=firstname,lastname,emailaddress1,telephone1"),
    )
}

fn filled(fields: &[(&str, &Option<String>)]) -> Value {
    let filled = fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), Value::from(value.as_deref()?))));
    Value::Object(filled.collect::<Map<String, Value>>())
}

/// Reads one opportunity out of a reply.
pub fn read_opportunity(
    settings: &DataverseSettings,
    currencies: &Currencies,
    body: &Bytes,
) -> Result<Opportunity, Unreadable> {
    map::opportunity(settings, currencies, &parse(body)?)
}

/// Reads a page of opportunities.
pub fn read_page(
    settings: &DataverseSettings,
    currencies: &Currencies,
    body: &Bytes,
) -> Result<Page<Opportunity>, Unreadable> {
    page(settings, body, |row| Some(map::opportunity(settings, currencies, row)))
}

/// A page of anything; rows of which nothing is read are left out.
fn page<T>(
    settings: &DataverseSettings,
    body: &Bytes,
    read: impl Fn(&Value) -> Option<Result<T, Unreadable>>,
) -> Result<Page<T>, Unreadable> {
    let page = parse(body)?;
    let next = match text(&page, "@odata.nextLink") {
        Some(link) => Some(link_on(&settings.org, link).ok_or_else(|| Unreadable::missing("@odata.nextLink"))?),
        None => None,
    };
    let rows = records(&page)?.iter().filter_map(read).collect();
    Ok(Page { rows, next })
}

/// A page that a link leads to.
pub fn follow(link: String) -> Ask {
    odata(Ask::get(link))
}

/// A page of ISO codes and row ids out of [`currencies`].
pub fn read_currencies(settings: &DataverseSettings, body: &Bytes) -> Result<Page<(String, String)>, Unreadable> {
    page(settings, body, |row| {
        let code = text(row, "isocurrencycode").and_then(canon::currency)?;
        Some(Ok((code, text(row, "transactioncurrencyid")?.to_owned())))
    })
}

/// The id of the first row of a query, if there is one.
pub fn read_first_id(body: &Bytes, key: &str) -> Result<Option<String>, Unreadable> {
    let page = parse(body)?;
    Ok(records(&page)?
        .first()
        .and_then(|row| text(row, key))
        .map(str::to_owned))
}

/// The id of a row that was created: the guid in `OData-EntityId` (dataverse.md section 2.2).
pub fn read_created(headers: &HeaderMap) -> Result<String, Unreadable> {
    let name = HeaderName::from_static("odata-entityid");
    let printed = headers.get(name).and_then(|value| value.to_str().ok());
    let id = printed.and_then(|url| url.strip_suffix(')')?.rsplit('(').next());
    id.filter(|id| crate::id::is_guid(id))
        .map(str::to_owned)
        .ok_or_else(|| Unreadable::missing("OData-EntityId"))
}

/// Account and contact out of [`parties`].
pub fn read_parties(body: &Bytes) -> Result<(Option<AccountId>, Option<ContactId>), Unreadable> {
    let row = parse(body)?;
    let account = text(&row, "_customerid_value").or_else(|| text(&row, "_parentaccountid_value"));
    let contact = text(&row, "_parentcontactid_value");
    Ok((account.map(AccountId::new), contact.map(ContactId::new)))
}

/// The customer out of [`account`].
pub fn read_customer(settings: &DataverseSettings, body: &Bytes) -> Result<Customer, Unreadable> {
    Ok(map::customer(settings, &parse(body)?))
}

/// The person out of [`contact`].
pub fn read_person(body: &Bytes) -> Result<Person, Unreadable> {
    Ok(map::person(&parse(body)?))
}

/// A page of solutions out of [`solutions`].
pub fn read_solutions(settings: &DataverseSettings, body: &Bytes) -> Result<Page<Solution>, Unreadable> {
    page(settings, body, |row| map::solution(row).map(Ok))
}

fn records(page: &Value) -> Result<&Vec<Value>, Unreadable> {
    page.get("value")
        .and_then(Value::as_array)
        .ok_or_else(|| Unreadable::missing("value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_new_row_stands_in_a_header() {
        let id = "4111fffc-f9ee-4d53-bba6-569135228642";
        let mut headers = HeaderMap::new();
        assert!(read_created(&headers).is_err());
        let url = format!("https://org/api/data/v9.2/accounts({id})");
        headers.insert(HeaderName::from_static("odata-entityid"), url.parse().unwrap());
        assert_eq!(read_created(&headers).unwrap(), id);
    }
}
