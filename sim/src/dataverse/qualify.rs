//! `QualifyLead` and `InitializeFrom`: rows that come out of other rows (dataverse.md section 2.10).
//!
//! Which columns go over is decided here by their names; how rows are stored is not.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::cell::{Cell, print_text};
use super::error::Fault;
use super::guid::Guid;
use super::model::{Kind, Model, Table};
use super::payload::{self, Draft};
use super::rules;
use super::write::Work;

/// Columns of a lead that its account, its contact and its opportunity take over, by their names there.
///
/// Assumed: the mapping, which is the one of a new environment.
const TO_ACCOUNT: &[(&str, &str)] = &[
    ("companyname", "name"),
    ("websiteurl", "websiteurl"),
    ("telephone1", "telephone1"),
    ("emailaddress1", "emailaddress1"),
    ("description", "description"),
    ("revenue", "revenue"),
    ("numberofemployees", "numberofemployees"),
    ("industrycode", "industrycode"),
];
const TO_CONTACT: &[(&str, &str)] = &[
    ("firstname", "firstname"),
    ("lastname", "lastname"),
    ("salutation", "salutation"),
    ("jobtitle", "jobtitle"),
    ("emailaddress1", "emailaddress1"),
    ("telephone1", "telephone1"),
    ("mobilephone", "mobilephone"),
    ("description", "description"),
];
const TO_OPPORTUNITY: &[(&str, &str)] = &[
    ("subject", "name"),
    ("estimatedamount", "estimatedvalue"),
    ("budgetamount", "budgetamount"),
    ("estimatedclosedate", "estimatedclosedate"),
    ("description", "description"),
    ("budgetstatus", "budgetstatus"),
    ("need", "need"),
    ("purchaseprocess", "purchaseprocess"),
    ("purchasetimeframe", "purchasetimeframe"),
];
const ADDRESS: &[&str] = &[
    "address1_line1",
    "address1_line2",
    "address1_line3",
    "address1_city",
    "address1_stateorprovince",
    "address1_postalcode",
    "address1_country",
];

/// What the action's body asks for.
#[derive(Debug, Default)]
struct Wishes {
    account: bool,
    contact: bool,
    opportunity: bool,
    status: i64,
    currency: Option<Guid>,
    customer: Option<(bool, Guid)>,
}

/// A lead that is being qualified.
struct Qualifying<'a> {
    model: &'a Model,
    table: &'a Table,
    id: Guid,
    cells: Vec<Cell>,
    wishes: Wishes,
    /// What was made so far, as table and identifier.
    made: Vec<(usize, Guid)>,
}

/// Qualifies a lead: makes the rows that are asked for and closes it. Comes back with them as table and identifier.
///
/// Assumed: without a company name no account is made; the opportunity's customer is the one that is named, else the
/// lead's, else the new account, else the new contact; a lead that is closed is refused.
pub(super) fn lead(work: &mut Work<'_>, id: Guid, body: &[u8]) -> Result<Vec<(usize, Guid)>, Fault> {
    let model = work.model();
    let (table, wishes) = (model.expect("lead"), wishes(work, &model, body)?);
    let row = work.state.store.row(table, id);
    let cells = row.ok_or_else(|| Fault::no_such_row("lead", id))?.cells.clone();
    if cells[table.expect("statecode")] != Cell::Int(0) {
        return Err(Fault::Argument("The lead is already closed.".to_owned()));
    }
    let state = table.state(1);
    let state = state.ok_or_else(|| Fault::Argument("The lead has no qualified state.".to_owned()))?;
    let status = if wishes.status == -1 {
        state.statuses[0]
    } else {
        wishes.status
    };
    let pair = rules::fitting(table, state, status, id)?;
    let mut qualifying = Qualifying {
        model: &model,
        table,
        id,
        cells,
        wishes,
        made: Vec::new(),
    };
    let account = qualifying.account(work)?;
    let contact = qualifying.contact(work, account)?;
    let opportunity = qualifying.opportunity(work, account, contact)?;
    let links = [
        ("_parentaccountid_value", account),
        ("_parentcontactid_value", contact),
        ("_qualifyingopportunityid_value", opportunity),
    ];
    let links = links
        .into_iter()
        .filter_map(|(name, id)| Some((table.expect(name), Cell::Guid(id?))));
    let mut changes = vec![
        (table.expect("statecode"), Cell::Int(pair.0)),
        (table.expect("statuscode"), Cell::Int(pair.1)),
    ];
    changes.extend(links);
    work.force(table, id, &changes)?;
    Ok(qualifying.made)
}

impl Qualifying<'_> {
    fn of(&self, name: &str) -> Cell {
        self.cells[self.table.expect(name)].clone()
    }

    fn account(&mut self, work: &mut Work<'_>) -> Result<Option<Guid>, Fault> {
        let known = self.of("_parentaccountid_value").guid();
        if !self.wishes.account || known.is_some() || self.of("companyname").is_null() {
            return Ok(known);
        }
        let target = self.model.expect("account");
        let draft = taken_over(self.table, &self.cells, target, (TO_ACCOUNT, ADDRESS), self.id);
        make(work, target, &draft, &mut self.made).map(Some)
    }

    fn contact(&mut self, work: &mut Work<'_>, account: Option<Guid>) -> Result<Option<Guid>, Fault> {
        let known = self.of("_parentcontactid_value").guid();
        if !self.wishes.contact || known.is_some() {
            return Ok(known);
        }
        let target = self.model.expect("contact");
        let mut draft = taken_over(self.table, &self.cells, target, (TO_CONTACT, ADDRESS), self.id);
        if let Some(account) = account {
            let parent = target.expect("_parentcustomerid_value");
            draft.cells.push((parent, Cell::Guid(account)));
        }
        make(work, target, &draft, &mut self.made).map(Some)
    }

    fn opportunity(
        &mut self,
        work: &mut Work<'_>,
        account: Option<Guid>,
        contact: Option<Guid>,
    ) -> Result<Option<Guid>, Fault> {
        if !self.wishes.opportunity {
            return Ok(None);
        }
        let target = self.model.expect("opportunity");
        let mut draft = taken_over(self.table, &self.cells, target, (TO_OPPORTUNITY, &[]), self.id);
        let named = self.wishes.customer;
        let customer = named.map(|(_, id)| id).or_else(|| self.of("_customerid_value").guid());
        let own_account = named.filter(|(is_account, _)| *is_account).map(|(_, id)| id);
        let currency = self
            .wishes
            .currency
            .or_else(|| self.of("_transactioncurrencyid_value").guid());
        let links = [
            ("_customerid_value", customer.or(account).or(contact)),
            ("_parentaccountid_value", account.or(own_account)),
            ("_parentcontactid_value", contact),
            ("_transactioncurrencyid_value", currency),
        ];
        let links = links
            .into_iter()
            .filter_map(|(name, id)| Some((target.expect(name), Cell::Guid(id?))));
        draft.cells.extend(links);
        make(work, target, &draft, &mut self.made).map(Some)
    }
}

fn make(work: &mut Work<'_>, table: &Table, draft: &Draft, made: &mut Vec<(usize, Guid)>) -> Result<Guid, Fault> {
    let id = work.create(table, draft, None)?;
    made.push((table.index, id));
    Ok(id)
}

fn taken_over(
    lead: &Table,
    cells: &[Cell],
    target: &Table,
    (renamed, same): (&[(&str, &str)], &[&str]),
    id: Guid,
) -> Draft {
    let same = same.iter().map(|name| (*name, *name));
    let pairs = renamed.iter().copied().chain(same);
    let taken = pairs.filter_map(|(from, to)| {
        let cell = cells[lead.column(from)?].clone();
        Some((target.column(to)?, cell)).filter(|(_, cell)| !cell.is_null())
    });
    let mut draft = Draft {
        cells: taken.collect(),
        ..Draft::default()
    };
    if let Some(column) = target.column("_originatingleadid_value") {
        draft.cells.push((column, Cell::Guid(id)));
    }
    draft
}

fn wishes(work: &Work<'_>, model: &Model, body: &[u8]) -> Result<Wishes, Fault> {
    let mut wishes = Wishes::default();
    let object = payload::object("QualifyLead", body)?;
    let wrong = |name: &str| {
        Fault::payload(
            "QualifyLead",
            format!("The parameter '{name}' is missing or of the wrong type."),
        )
    };
    for name in ["CreateAccount", "CreateContact", "CreateOpportunity", "Status"] {
        if !object.contains_key(name) {
            return Err(wrong(name));
        }
    }
    for (name, value) in &object {
        let yes = || value.as_bool().ok_or_else(|| wrong(name));
        match name.as_str() {
            "CreateAccount" => wishes.account = yes()?,
            "CreateContact" => wishes.contact = yes()?,
            "CreateOpportunity" => wishes.opportunity = yes()?,
            "Status" => wishes.status = value.as_i64().ok_or_else(|| wrong(name))?,
            "OpportunityCurrencyId" => {
                wishes.currency = entity(work, value, &[model.expect("transactioncurrency")])?.map(|(_, id)| id);
            }
            "OpportunityCustomerId" => {
                let tables = [model.expect("account"), model.expect("contact")];
                wishes.customer = entity(work, value, &tables)?.map(|(table, id)| (table.logical == "account", id));
            }
            // Assumed: campaigns are not simulated; a null says nothing.
            "SourceCampaignId" | "ProcessInstanceId" if value.is_null() => {}
            "SuppressDuplicateDetection" if value.is_boolean() => {}
            other if other.starts_with('@') => {}
            "SourceCampaignId" | "ProcessInstanceId" | "SuppressDuplicateDetection" => {
                return Err(Fault::NotSimulated(format!("parameter `{name}` of QualifyLead")));
            }
            _ => {
                return Err(Fault::payload(
                    "QualifyLead",
                    format!(
                        "The parameter '{name}' in the request payload is not a valid parameter for the operation \
                         'QualifyLead'."
                    ),
                ));
            }
        }
    }
    Ok(wishes)
}

/// A row named by an object: `@odata.type` with the key, or `@odata.id`. Null names none.
fn entity<'t>(work: &Work<'_>, value: &Value, tables: &[&'t Table]) -> Result<Option<(&'t Table, Guid)>, Fault> {
    let Value::Object(object) = value else {
        return if value.is_null() {
            Ok(None)
        } else {
            Err(Fault::payload("QualifyLead", "A row is not named by an object."))
        };
    };
    if let Some(reference) = object.get("@odata.id").and_then(Value::as_str) {
        return payload::row_of(&work.state.store, "QualifyLead", tables, reference).map(Some);
    }
    let named = tables.iter().find_map(|table| {
        let key = object.get(&*table.columns[0].wire)?.as_str()?;
        Some((*table, Guid::parse(key)?))
    });
    let Some((table, id)) = named else {
        return Err(Fault::payload(
            "QualifyLead",
            "An object names no row: its key is missing.",
        ));
    };
    match work.state.store.row(table, id) {
        Some(_) => Ok(Some((table, id))),
        None => Err(Fault::no_such_row(&table.logical, id)),
    }
}

/// A row that is not stored yet: what a new row of a table would take over from one that is there, as JSON.
///
/// Assumed: it is the currency and the first lookup that leads back; and, from an account to a contact and from a lead
/// to any of its rows, the columns that qualifying takes over.
pub(super) fn template(
    work: &Work<'_>,
    root: &str,
    (source, id): (&Table, Guid),
    target: &Table,
) -> Result<String, Fault> {
    let model = work.model();
    let row = work
        .state
        .store
        .row(source, id)
        .ok_or_else(|| Fault::no_such_row(&source.logical, id))?;
    let mut out = String::from("{\"@odata.context\":");
    print_text(&format!("{root}$metadata#{}/$entity", target.set), &mut out);
    // Writing to a String cannot fail.
    let _done = write!(out, ",\"@odata.type\":\"#Microsoft.Dynamics.CRM.{}\"", target.logical);
    let pairs = match (source.logical.as_ref(), target.logical.as_ref()) {
        ("lead", "account") => TO_ACCOUNT,
        ("lead", "contact") => TO_CONTACT,
        ("lead", "opportunity") => TO_OPPORTUNITY,
        _ => &[],
    };
    let same = if target.column("address1_line1").is_some() {
        ADDRESS
    } else {
        &[]
    };
    for (column, cell) in taken_over(source, &row.cells, target, (pairs, same), id).cells {
        let column = &target.columns[column];
        if column.kind != Kind::Lookup {
            let _done = write!(out, ",\"{}\":", column.wire);
            cell.print(column.kind.printed_places(), &mut out);
        }
    }
    if let (Some(from), true) = (source.system.currency, target.system.currency.is_some())
        && let Some(currency) = row.cells[from.0].guid()
    {
        let set = &model.expect("transactioncurrency").set;
        let _done = write!(out, ",\"transactioncurrencyid@odata.bind\":\"{set}({currency})\"");
    }
    let ways = target
        .columns
        .iter()
        .filter(|column| column.settable)
        .flat_map(|column| &column.navigations);
    let own = |name: &str| name != "transactioncurrencyid";
    if let Some(way) = ways
        .filter(|way| own(&way.name))
        .find(|way| way.target == source.logical)
    {
        let _done = write!(out, ",\"{}@odata.bind\":\"{}({id})\"", way.name, source.set);
    }
    out.push('}');
    Ok(out)
}

/// The rows that `QualifyLead` made, as its answer lists them.
///
/// Assumed: the context.
pub(super) fn listed(model: &Model, root: &str, made: &[(usize, Guid)]) -> String {
    let mut out = String::from("{\"@odata.context\":");
    print_text(&format!("{root}$metadata#Collection(mscrm.crmbaseentity)"), &mut out);
    out.push_str(",\"value\":[");
    for (place, (table, id)) in made.iter().enumerate() {
        let table = &model.tables()[*table];
        let comma = if place == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _done = write!(
            out,
            "{comma}{{\"@odata.type\":\"#Microsoft.Dynamics.CRM.{}\",\"{}\":\"{id}\"}}",
            table.logical, table.columns[0].wire
        );
    }
    out.push_str("]}");
    out
}

/// The parameters of a function call: `InitializeFrom(EntityMoniker=@p1,…)?@p1={…}`, aliases put in.
pub(super) fn arguments(call: &str, query: &str) -> Option<Map<String, Value>> {
    let inner = call.split_once('(')?.1.strip_suffix(')')?;
    let mut found = Map::new();
    for argument in super::key::split_outside_quotes(inner, ',') {
        let (name, value) = argument.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let aliased = value.starts_with('@').then(|| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let decoded =
                pairs.map(|(name, value)| (super::address::decode(name, true), super::address::decode(value, true)));
            decoded.into_iter().find(|(name, _)| name.as_deref() == Some(value))?.1
        });
        let text = match aliased {
            Some(text) => text?,
            None => value.to_owned(),
        };
        // Strings and objects of a URL stand in single quotes.
        let json = text.replace('\'', "\"");
        // What is no JSON is an enumeration's member, which nothing here asks for by its value.
        let value = serde_json::from_str(&json).unwrap_or(Value::String(text));
        found.insert(name.to_owned(), value);
    }
    Some(found)
}
