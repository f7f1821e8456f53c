//! Opportunity row ⇄ deal for Salesforce.

use serde_json::{Map, Value};

use super::super::opportunity::{Change, Opportunity, Revision, Stage, Surroundings};
use super::super::{Unreadable, text};
use super::wire::{AUDIT, COUNT, HELP, LINK, MSX, REFERRAL, SYNC, VISIBLE, help_label};
use crate::deal::{Address, Customer, Ending, Field, Help, OpportunityState, Person, Solution, Values, canon};
use crate::id::{OpportunityId, ReferralId};
use crate::settings::SalesforceSettings;

/// Reads an opportunity, from a query or from a read by id.
pub(super) fn opportunity(settings: &SalesforceSettings, row: &Value) -> Result<Opportunity, Unreadable> {
    let moment = |name: &str| {
        let printed = text(row, name).and_then(canon::timestamp);
        printed.ok_or_else(|| Unreadable::missing(name))
    };
    let id = text(row, "Id").ok_or_else(|| Unreadable::missing("Id"))?;
    let name = text(row, "Name").ok_or_else(|| Unreadable::missing("Name"))?;
    let flag = |name: &str| row.get(name).and_then(Value::as_bool).unwrap_or_default();
    let clean = |name: &str| text(row, name).and_then(canon::text);
    let mut values = Values::default();
    values.set(Field::Name, canon::name(name));
    values.set(Field::Value, row.get(&settings.value_field).and_then(canon::amount));
    let currency = match &settings.currency_field {
        Some(field) => text(row, field).and_then(canon::currency),
        None => Some(settings.org_currency.clone()),
    };
    values.set(Field::Currency, currency);
    values.scale();
    values.set(
        Field::ClosingDate,
        text(row, &settings.closing_date_field).and_then(|raw| canon::day_of(raw, jiff::tz::Offset::UTC)),
    );
    values.set(Field::Notes, clean(&settings.notes_field));
    let help = text(row, HELP);
    Ok(Opportunity {
        id: OpportunityId::new(id),
        revision: Revision::UnmodifiedSince(moment("LastModifiedDate")?),
        modified: moment("SystemModstamp")?,
        name: name.to_owned(),
        values,
        state: state(settings, row),
        sync: flag(SYNC),
        referral: clean(REFERRAL).map(ReferralId::new),
        link: clean(LINK),
        audit: text(row, AUDIT).unwrap_or_default().to_owned(),
        help: help.and_then(Help::from_label),
        visible: flag(VISIBLE),
        msx: clean(MSX),
        solution_count: row.get(COUNT).and_then(Value::as_f64).map(canon::count),
    })
}

fn state(settings: &SalesforceSettings, row: &Value) -> OpportunityState {
    let flag = |name: &str| row.get(name).and_then(Value::as_bool).unwrap_or_default();
    if flag("IsWon") {
        OpportunityState::Closed(Ending::Won)
    } else if flag("IsClosed") {
        OpportunityState::Closed(Ending::Lost)
    } else if text(row, "StageName") == Some(settings.on_hold_stage.as_str()) {
        OpportunityState::Held
    } else {
        OpportunityState::Open
    }
}

/// What cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A currency that an org without a currency field does not have.
    #[error("currency {0} cannot be kept: the org has a single currency")]
    Currency(String),
}

/// The body that writes a change.
pub(super) fn body(settings: &SalesforceSettings, change: &Change) -> Result<Value, Unwritable> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if let Some(name) = &change.name {
        set("Name", Value::from(name.as_str()));
    }
    for (field, value) in &change.values {
        match field {
            Field::Name => {}
            Field::Value => {
                let amount = value.as_deref().map_or(Value::Null, canon::amount_to_json);
                set(&settings.value_field, amount);
            }
            Field::Currency => match (&settings.currency_field, value) {
                (Some(field), value) => set(field, Value::from(value.as_deref())),
                (None, Some(code)) if *code != settings.org_currency => return Err(Unwritable::Currency(code.clone())),
                (None, _) => {}
            },
            Field::ClosingDate => set(&settings.closing_date_field, Value::from(value.as_deref())),
            Field::Notes => set(&settings.notes_field, Value::from(value.as_deref())),
        }
    }
    if let Some(stage) = change.stage {
        let name = match stage {
            Stage::OnHold => &settings.on_hold_stage,
            Stage::Active => &settings.active_stage,
            Stage::Closed(Ending::Won) => &settings.won_stage,
            Stage::Closed(Ending::Lost) => &settings.lost_stage,
        };
        set("StageName", Value::from(name.as_str()));
    }
    if let Some(help) = change.help {
        set(HELP, Value::from(help.map(help_label)));
    }
    let flags = [(SYNC, change.sync), (VISIBLE, change.visible)];
    for (name, value) in flags {
        if let Some(value) = value {
            set(name, Value::Bool(value));
        }
    }
    let texts = [
        (REFERRAL, change.referral.as_ref().map(ReferralId::as_str)),
        (LINK, change.link.as_deref()),
        (AUDIT, change.audit.as_deref()),
        (MSX, change.msx.as_deref()),
        ("AccountId", change.account.as_ref().map(crate::id::AccountId::as_str)),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            set(name, Value::from(value));
        }
    }
    Ok(Value::Object(body))
}

/// The customer out of a query over the opportunity and its account.
pub(super) fn customer(settings: &SalesforceSettings, row: &Value) -> Option<Customer> {
    let account = row.get("Account").filter(|account| account.is_object())?;
    let clean = |name: &str| text(account, name).and_then(canon::text);
    let country = settings
        .country_field
        .split('.')
        .try_fold(account, |value, part| value.get(part))
        .and_then(Value::as_str)
        .and_then(canon::text);
    Some(Customer {
        name: clean("Name"),
        address: Address {
            line: clean("BillingStreet"),
            city: clean("BillingCity"),
            state: clean("BillingState"),
            postal_code: clean("BillingPostalCode"),
            country,
        },
        contact: None,
    })
}

/// The person of a contact role.
pub(super) fn person(row: &Value) -> Option<Person> {
    let contact = row.get("Contact").filter(|contact| contact.is_object())?;
    let clean = |name: &str| text(contact, name).and_then(canon::text);
    Some(Person {
        first_name: clean("FirstName"),
        last_name: clean("LastName"),
        email: clean("Email"),
        phone: clean("Phone"),
    })
}

/// The solution of a solution row.
pub(super) fn solution(row: &Value) -> Option<Solution> {
    let detail = row.get("Solution__r").filter(|detail| detail.is_object())?;
    let id = text(detail, "Solution_Identifier__c").and_then(canon::text)?;
    let name = text(detail, "Name").and_then(canon::text);
    Some(Solution { id, name })
}

/// Puts what three queries found into one.
pub fn surroundings(customer: Option<Customer>, contact: Option<Person>, solutions: Vec<Solution>) -> Surroundings {
    Surroundings {
        customer: customer.map(|customer| Customer { contact, ..customer }),
        solutions,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::Secret;

    fn settings() -> SalesforceSettings {
        SalesforceSettings::new("https://contoso.my.salesforce.com", "c", Secret::new("s"))
    }

    #[test]
    fn a_row_becomes_facts() {
        let row = json!({
            "attributes": {"type": "Opportunity"}, "Id": "006A", "Name": "Deal ✔", "StageName": "On Hold", "IsClosed": false,
            "IsWon": false, "CloseDate": "2026-03-01", "Description": null, "Amount": 100.0, "CurrencyIsoCode": "USD",
            "LastModifiedDate": "2026-01-05T09:00:00.000+0000", "SystemModstamp": "2026-01-05T09:00:00.000+0000",
            SYNC: true, REFERRAL: "r1", LINK: null, AUDIT: null, HELP: "Quotes or Licensing", VISIBLE: true
        });
        let read = opportunity(&settings(), &row).unwrap();
        assert_eq!(read.state, OpportunityState::Held);
        assert_eq!(read.values.get(Field::Name), Some("Deal"));
        assert_eq!(read.values.get(Field::Value), Some("100"));
        assert_eq!(
            (read.help, read.visible, read.sync),
            (Some(Help::QuotesOrLicensing), true, true)
        );
        assert_eq!(read.referral, Some(ReferralId::new("r1")));
    }

    #[test]
    fn a_change_becomes_a_body() {
        let change = Change {
            values: vec![(Field::Value, Some("5.5".to_owned())), (Field::Notes, None)],
            stage: Some(Stage::Closed(Ending::Lost)),
            help: Some(None),
            ..Change::default()
        };
        let expected = json!({"Amount": 5.5, "Description": null, "StageName": "Closed Lost", HELP: null});
        assert_eq!(body(&settings(), &change).unwrap(), expected);
    }

    #[test]
    fn an_org_with_one_currency_refuses_another() {
        let settings = SalesforceSettings {
            currency_field: None,
            ..settings()
        };
        let with = |code: &str| Change {
            values: vec![(Field::Currency, Some(code.to_owned()))],
            ..Change::default()
        };
        assert_eq!(body(&settings, &with("USD")).unwrap(), json!({}));
        assert_eq!(
            body(&settings, &with("EUR")),
            Err(Unwritable::Currency("EUR".to_owned()))
        );
    }
}
