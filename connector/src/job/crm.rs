//! The CRM's calls, whichever CRM it is: one function each, with the reply already understood.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};

use super::desk::{Desk, Trouble};
use super::feed::Noticed;
use super::stages;
use crate::contract::Reason;
use crate::deal::{Customer, Ending, Field, Person, Solution, canon};
use crate::id::{AccountId, ContactId, OpportunityId, ReferralId, is_guid, is_salesforce_id};
use crate::planted::Planted;
use crate::record::digest;
use crate::settings::{CrmSettings, DataverseSettings};
use crate::system::dataverse::{Currencies, TrackedPage};
use crate::system::identity::Audience;
use crate::system::opportunity::{Change, NewLead, Opportunity, Revision, SolutionRow, Stage, Surroundings};
use crate::system::{Ask, Page, Unreadable, dataverse, salesforce};

async fn ask(desk: &Desk, ask: Ask) -> Result<Response<Bytes>, Trouble> {
    desk.ask(Audience::Crm, ask).await
}

fn unwritable(error: impl std::error::Error) -> Trouble {
    Trouble::refused(error.to_string())
}

/// Whether a text can be the id of an opportunity at all.
pub(crate) fn is_id(desk: &Desk, text: &str) -> bool {
    match &desk.settings().crm {
        CrmSettings::Salesforce(_) => is_salesforce_id(text),
        CrmSettings::Dataverse(_) => is_guid(text),
    }
}

/// Waits for a second: what was read before is in a second of the CRM's clock that is over by then, however wrong the connector's
/// own clock is.
pub(crate) async fn let_second_pass(desk: &Desk) {
    let over = canon::after(desk.now(), SignedDuration::from_secs(1));
    desk.engine().sleep_until(over, Reason::Precondition).await;
}

/// Whether a closed opportunity can still be written.
pub(crate) fn writes_closed(desk: &Desk) -> bool {
    matches!(desk.settings().crm, CrmSettings::Salesforce(_))
}

/// The longest name of an opportunity (salesforce.md section 3.4, dataverse.md section 6).
pub(crate) fn longest_name(desk: &Desk) -> usize {
    match &desk.settings().crm {
        CrmSettings::Salesforce(_) => 120,
        CrmSettings::Dataverse(_) => 300,
    }
}

/// Dataverse's currencies, read once; Salesforce needs none.
async fn currencies(desk: &Desk) -> Result<Arc<Currencies>, Trouble> {
    let CrmSettings::Dataverse(settings) = &desk.settings().crm else {
        return Ok(Arc::default());
    };
    let kept = desk.currencies();
    if !kept.is_empty() {
        return Ok(kept);
    }
    let first = dataverse::currencies(settings);
    let read: Currencies = all(desk, first, |body| dataverse::read_currencies(settings, body))
        .await?
        .into_iter()
        .collect();
    let read = Arc::new(read);
    desk.keep_currencies(Arc::clone(&read));
    Ok(read)
}

/// How many pages of a list that belongs to one thing are read.
const MOST_PAGES: usize = 200;

/// All rows of a list, page by page.
pub(super) async fn all<T>(
    desk: &Desk,
    first: Ask,
    read: impl Fn(&Bytes) -> Result<Page<T>, Unreadable>,
) -> Result<Vec<T>, Trouble> {
    let mut rows = Vec::new();
    let mut next = Some(first);
    for _ in 0..MOST_PAGES {
        let Some(request) = next else {
            break;
        };
        let page = read(ask(desk, request).await?.body())?;
        rows.extend(page.rows.into_iter().flatten());
        next = page.next.map(|link| follow(desk, link));
    }
    Ok(rows)
}

fn follow(desk: &Desk, link: String) -> Ask {
    match &desk.settings().crm {
        CrmSettings::Salesforce(_) => Ask::get(link),
        CrmSettings::Dataverse(_) => dataverse::follow(link),
    }
}

/// Lets the currencies be read again: a person may have added one.
fn forget_currencies(desk: &Desk) {
    desk.keep_currencies(Arc::default());
}

/// An opportunity; none when it does not exist.
pub(crate) async fn read(desk: &Desk, id: &OpportunityId) -> Result<Option<Opportunity>, Trouble> {
    let currencies = currencies(desk).await?;
    let reply = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => ask(desk, salesforce::read(settings, id)).await,
        CrmSettings::Dataverse(settings) => ask(desk, dataverse::read(settings, id)).await,
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(Trouble::Missing) => return Ok(None),
        Err(other) => return Err(other),
    };
    let mut row = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::read_opportunity(settings, reply.body())?,
        CrmSettings::Dataverse(settings) => dataverse::read_opportunity(settings, &currencies, reply.body())?,
    };
    desk.settings().mapping.shape(&mut row.values);
    Ok(Some(row))
}

/// The first page of the opportunities with Sync = Yes that were changed at or after a moment.
pub(crate) async fn changed(desk: &Desk, since: Timestamp) -> Result<Arc<Page<Noticed>>, Trouble> {
    let first = desk.feeds().opportunities.ask(since, || match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::changed(settings, since),
        CrmSettings::Dataverse(settings) => dataverse::changed(settings, since),
    });
    let currencies = currencies(desk).await?;
    let reply = ask(desk, first).await?;
    let known = desk.feeds().opportunities.known(reply.body());
    if let Some(known) = known {
        return Ok(known);
    }
    let page = noticed(read_page(desk, &currencies, reply.body())?);
    Ok(desk.feeds().opportunities.keep(reply.into_body(), page))
}

/// The page that a link leads to.
pub(crate) async fn next_page(desk: &Desk, link: String) -> Result<Arc<Page<Noticed>>, Trouble> {
    Ok(Arc::new(noticed(page(desk, follow(desk, link)).await?)))
}

fn noticed(page: Page<Opportunity>) -> Page<Noticed> {
    Page {
        rows: page.rows.into_iter().map(|row| row.map(Noticed::new)).collect(),
        next: page.next,
    }
}

async fn page(desk: &Desk, request: Ask) -> Result<Page<Opportunity>, Trouble> {
    let currencies = currencies(desk).await?;
    let reply = ask(desk, request).await?;
    Ok(read_page(desk, &currencies, reply.body())?)
}

fn read_page(desk: &Desk, currencies: &Currencies, body: &Bytes) -> Result<Page<Opportunity>, Unreadable> {
    let mut page = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::read_page(settings, body)?,
        CrmSettings::Dataverse(settings) => dataverse::read_page(settings, currencies, body)?,
    };
    for row in page.rows.iter_mut().flatten() {
        desk.settings().mapping.shape(&mut row.values);
    }
    if desk.settings().is_planted(Planted::StopsAfterFirstPage) {
        page.next = None;
    }
    if desk.settings().is_planted(Planted::BuildsPagingLinks) {
        page.next = page.next.map(|link| format!("{link}&"));
    }
    Ok(page)
}

/// The opportunities that name a referral, the oldest first.
pub(crate) async fn of_referral(desk: &Desk, id: &ReferralId) -> Result<Vec<Opportunity>, Trouble> {
    let request = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::of_referral(settings, id),
        CrmSettings::Dataverse(settings) => dataverse::of_referral(settings, id),
    };
    Ok(page(desk, request)
        .await?
        .rows
        .into_iter()
        .collect::<Result<_, Unreadable>>()?)
}

/// Creates an opportunity.
pub(crate) async fn create(desk: &Desk, change: &Change) -> Result<OpportunityId, Trouble> {
    stages::known(desk, change.stage).await?;
    let currencies = currencies(desk).await?;
    match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => {
            let request = salesforce::create(settings, change).map_err(unwritable)?;
            let reply = ask(desk, request).await?;
            Ok(OpportunityId::new(after_write(salesforce::read_created(reply.body()))?))
        }
        CrmSettings::Dataverse(settings) => {
            let request = dataverse::create(settings, &currencies, change).map_err(|error| {
                forget_currencies(desk);
                unwritable(error)
            })?;
            let reply = ask(desk, request).await?;
            Ok(OpportunityId::new(after_write(dataverse::read_created(
                reply.headers(),
            ))?))
        }
    }
}

/// Writes a change. On Dataverse closing is a step of its own, after everything else is written.
pub(crate) async fn update(desk: &Desk, of: &Opportunity, change: &Change) -> Result<(), Trouble> {
    stages::known(desk, change.stage).await?;
    let unguarded = desk
        .settings()
        .is_planted(Planted::NoPreconditionInCrm)
        .then(|| unguarded(desk, of));
    let of = unguarded.as_ref().unwrap_or(of);
    let currencies = currencies(desk).await?;
    match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => {
            let request = salesforce::update(settings, of, change).map_err(unwritable)?;
            ask(desk, request).await?;
        }
        CrmSettings::Dataverse(settings) => {
            let request = dataverse::update(settings, &currencies, of, change).map_err(|error| {
                forget_currencies(desk);
                unwritable(error)
            })?;
            if let Some(request) = request {
                ask(desk, request).await?;
            }
            if let Some(Stage::Closed(ending)) = change.stage {
                close(desk, &of.id, ending).await?;
            }
        }
    }
    Ok(())
}

/// The opportunity with a revision that anything fits.
fn unguarded(desk: &Desk, of: &Opportunity) -> Opportunity {
    let revision = match &desk.settings().crm {
        CrmSettings::Salesforce(_) => Revision::Etag(String::new()),
        CrmSettings::Dataverse(_) => Revision::UnmodifiedSince(Timestamp::UNIX_EPOCH),
    };
    Opportunity { revision, ..of.clone() }
}

/// Wins or loses an open opportunity in Dataverse.
async fn close(desk: &Desk, id: &OpportunityId, ending: Ending) -> Result<(), Trouble> {
    if let CrmSettings::Dataverse(settings) = &desk.settings().crm {
        let subject = format!("Closed as {} in Partner Center", ending.name());
        ask(desk, dataverse::close(settings, id, ending, &subject)).await?;
    }
    Ok(())
}

/// Opens a closed opportunity again where it could not be written otherwise; whether that was needed.
pub(crate) async fn reopen(desk: &Desk, of: &Opportunity) -> Result<bool, Trouble> {
    match &desk.settings().crm {
        CrmSettings::Salesforce(_) => Ok(false),
        CrmSettings::Dataverse(settings) => {
            ask(desk, dataverse::reopen(settings, of)).await?;
            Ok(true)
        }
    }
}

/// The account of a customer: by company name and postal code, else created.
pub(crate) async fn ensure_account(desk: &Desk, customer: &Customer) -> Result<AccountId, Trouble> {
    let find = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::find_account(settings, customer),
        CrmSettings::Dataverse(settings) => dataverse::find_account(settings, customer),
    };
    if let Some(id) = first(desk, find, "accountid")
        .await?
        .filter(|_| !desk.settings().is_planted(Planted::AccountForEachDeal))
    {
        return Ok(AccountId::new(id));
    }
    let create = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::create_account(settings, &new_customer(desk, customer)),
        CrmSettings::Dataverse(settings) => dataverse::create_account(settings, &new_customer(desk, customer)),
    };
    Ok(AccountId::new(created(desk, create).await?))
}

/// What a planted bug makes of a new customer.
fn new_customer(desk: &Desk, customer: &Customer) -> Customer {
    let mut customer = customer.clone();
    if desk.settings().is_planted(Planted::NoPostalCode) {
        customer.address.postal_code = None;
    }
    customer
}

/// What a planted bug makes of a new person.
fn new_person(desk: &Desk, person: &Person) -> Person {
    let mut person = person.clone();
    if desk.settings().is_planted(Planted::SwapsNames) {
        std::mem::swap(&mut person.first_name, &mut person.last_name);
    }
    person
}

/// The contact of a person: by email address, else created. None without an email address.
pub(crate) async fn ensure_contact(
    desk: &Desk,
    person: &Person,
    account: &AccountId,
) -> Result<Option<ContactId>, Trouble> {
    let Some(email) = &person.email else {
        return Ok(None);
    };
    let find = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::find_contact(settings, email),
        CrmSettings::Dataverse(settings) => dataverse::find_contact(settings, email),
    };
    if let Some(id) = first(desk, find, "contactid")
        .await?
        .filter(|_| !desk.settings().is_planted(Planted::ContactForEachDeal))
    {
        return Ok(Some(ContactId::new(id)));
    }
    let create = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::create_contact(settings, &new_person(desk, person), account),
        CrmSettings::Dataverse(settings) => dataverse::create_contact(settings, &new_person(desk, person), account),
    };
    Ok(Some(ContactId::new(created(desk, create).await?)))
}

/// Ties a contact to an opportunity; Dataverse does that when the opportunity is created.
pub(crate) async fn ensure_role(desk: &Desk, opportunity: &OpportunityId, contact: &ContactId) -> Result<(), Trouble> {
    let CrmSettings::Salesforce(settings) = &desk.settings().crm else {
        return Ok(());
    };
    if first(desk, salesforce::find_role(settings, opportunity, contact), "Id")
        .await?
        .is_none()
    {
        created(desk, salesforce::create_role(settings, opportunity, contact)).await?;
    }
    Ok(())
}

/// The solutions of an opportunity.
pub(crate) async fn solutions(desk: &Desk, opportunity: &OpportunityId) -> Result<Vec<Solution>, Trouble> {
    match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => {
            let first = salesforce::solutions(settings, opportunity);
            all(desk, first, |body| salesforce::read_solutions(settings, body)).await
        }
        CrmSettings::Dataverse(settings) => {
            let first = dataverse::solutions(settings, opportunity);
            all(desk, first, |body| dataverse::read_solutions(settings, body)).await
        }
    }
}

/// Makes or changes the lead of a referral.
pub(crate) async fn put_lead(desk: &Desk, lead: &NewLead) -> Result<(), Trouble> {
    let request = match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::put_lead(settings, lead),
        CrmSettings::Dataverse(settings) => dataverse::put_lead(settings, lead, &chosen_id(&lead.referral, "lead")),
    };
    ask(desk, request).await.map(drop)
}

/// The id that Dataverse is asked to give the record of a referral: always the same, so that a request that the network doubles
/// makes no second one.
pub(crate) fn chosen_id(id: &ReferralId, kind: &str) -> String {
    let (high, low) = (
        digest(id.as_str().as_bytes()),
        digest(format!("{id}/{kind}").as_bytes()),
    );
    let hex = format!("{high:016x}{low:016x}");
    format!(
        "{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

/// The first page of the solution rows that were changed at or after a moment.
pub(crate) async fn changed_solutions(desk: &Desk, since: Timestamp) -> Result<Arc<Page<SolutionRow>>, Trouble> {
    let first = desk.feeds().solutions.ask(since, || match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::changed_solutions(settings, since),
        CrmSettings::Dataverse(settings) => dataverse::changed_solutions(settings, since),
    });
    let reply = ask(desk, first).await?;
    let known = desk.feeds().solutions.known(reply.body());
    if let Some(known) = known {
        return Ok(known);
    }
    let page = solutions_page(desk, reply.body())?;
    Ok(desk.feeds().solutions.keep(reply.into_body(), page))
}

/// The page of solution rows that a link leads to.
pub(crate) async fn next_solutions(desk: &Desk, link: String) -> Result<Arc<Page<SolutionRow>>, Trouble> {
    let reply = ask(desk, follow(desk, link)).await?;
    Ok(Arc::new(solutions_page(desk, reply.body())?))
}

/// A page of what change tracking tells about solution rows.
pub(crate) async fn tracked_solutions(
    desk: &Desk,
    settings: &DataverseSettings,
    request: Ask,
) -> Result<TrackedPage, Trouble> {
    let reply = ask(desk, request).await?;
    Ok(dataverse::read_tracked(settings, reply.body())?)
}

fn solutions_page(desk: &Desk, body: &Bytes) -> Result<Page<SolutionRow>, Unreadable> {
    match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => salesforce::read_changed_solutions(settings, body),
        CrmSettings::Dataverse(settings) => dataverse::read_changed_solutions(settings, body),
    }
}

/// Whether a refusal is about a currency that the CRM does not have.
pub(crate) fn is_about_currency(desk: &Desk, why: &str) -> bool {
    let field = desk.settings().crm.column(Field::Currency);
    why.contains("is missing in the CRM")
        || why.contains("the org has a single currency")
        || field.is_some_and(|field| why.contains(field))
}

/// The longest notes of an opportunity (salesforce.md section 3.4, dataverse.md section 6).
pub(crate) fn longest_notes(desk: &Desk) -> usize {
    match &desk.settings().crm {
        CrmSettings::Salesforce(_) => 32_000,
        CrmSettings::Dataverse(_) => 2_000,
    }
}

/// Adds a solution to an opportunity, in Salesforce by way of the org's catalogue.
pub(crate) async fn add_solution(desk: &Desk, opportunity: &OpportunityId, solution: &Solution) -> Result<(), Trouble> {
    match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => {
            let found = first(desk, salesforce::find_catalogue(settings, solution), "Id").await?;
            let detail = match found {
                Some(detail) => detail,
                None => created(desk, salesforce::create_catalogue(settings, solution)).await?,
            };
            created(desk, salesforce::create_solution(settings, opportunity, &detail)).await?;
        }
        CrmSettings::Dataverse(settings) => {
            created(desk, dataverse::create_solution(settings, opportunity, solution)).await?;
        }
    }
    Ok(())
}

/// Customer, contact and solutions of an opportunity.
pub(crate) async fn surroundings(desk: &Desk, opportunity: &OpportunityId) -> Result<Surroundings, Trouble> {
    let solutions = solutions(desk, opportunity).await?;
    match &desk.settings().crm {
        CrmSettings::Salesforce(settings) => {
            let reply = ask(desk, salesforce::customer(settings, opportunity)).await?;
            let customer = salesforce::read_customer(settings, reply.body())?;
            let reply = ask(desk, salesforce::contacts(settings, opportunity)).await?;
            let contact = salesforce::read_person(reply.body())?;
            Ok(salesforce::surroundings(customer, contact, solutions))
        }
        CrmSettings::Dataverse(settings) => {
            let reply = ask(desk, dataverse::parties(settings, opportunity)).await?;
            let (account, contact) = dataverse::read_parties(reply.body())?;
            let mut customer = match account {
                Some(id) => found(ask(desk, dataverse::account(settings, &id)).await)?
                    .map(|reply| dataverse::read_customer(settings, reply.body()))
                    .transpose()?,
                None => None,
            };
            if let (Some(customer), Some(id)) = (customer.as_mut(), contact) {
                let reply = found(ask(desk, dataverse::contact(settings, &id)).await)?;
                customer.contact = reply.map(|reply| dataverse::read_person(reply.body())).transpose()?;
            }
            Ok(Surroundings { customer, solutions })
        }
    }
}

fn found(reply: Result<Response<Bytes>, Trouble>) -> Result<Option<Response<Bytes>>, Trouble> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(Trouble::Missing) => Ok(None),
        Err(other) => Err(other),
    }
}

async fn first(desk: &Desk, find: Ask, key: &str) -> Result<Option<String>, Trouble> {
    let reply = ask(desk, find).await?;
    Ok(match &desk.settings().crm {
        CrmSettings::Salesforce(_) => salesforce::read_first_id(reply.body())?,
        CrmSettings::Dataverse(_) => dataverse::read_first_id(reply.body(), key)?,
    })
}

async fn created(desk: &Desk, create: Ask) -> Result<String, Trouble> {
    let reply = ask(desk, create).await?;
    after_write(match &desk.settings().crm {
        CrmSettings::Salesforce(_) => salesforce::read_created(reply.body()),
        CrmSettings::Dataverse(_) => dataverse::read_created(reply.headers()),
    })
}

/// What a write made. A reply that cannot be read leaves open what that is: it is looked for.
fn after_write(made: Result<String, Unreadable>) -> Result<String, Trouble> {
    made.map_err(|unreadable| Trouble::after_write(&unreadable))
}
