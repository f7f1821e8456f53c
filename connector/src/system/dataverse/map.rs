//! Opportunity row ⇄ deal for Dataverse.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::opportunity::{Change, Opportunity, Revision, Stage};
use super::super::{Unreadable, text};
use super::wire::{AUDIT, HELP, LINK, MSX, REFERRAL, SYNC, VISIBLE, help_choice};
use crate::deal::{Address, Customer, Ending, Field, Help, OpportunityState, Person, Solution, Values, canon};
use crate::id::{OpportunityId, ReferralId};
use crate::settings::DataverseSettings;

/// The environment's currencies: ISO code → row id.
pub type Currencies = BTreeMap<String, String>;

/// Reads an opportunity. A currency that is not in the table is left empty.
pub(super) fn opportunity(
    settings: &DataverseSettings,
    currencies: &Currencies,
    row: &Value,
) -> Result<Opportunity, Unreadable> {
    let id = text(row, "opportunityid").ok_or_else(|| Unreadable::missing("opportunityid"))?;
    let etag = text(row, "@odata.etag").ok_or_else(|| Unreadable::missing("@odata.etag"))?;
    let modified = text(row, "modifiedon").and_then(canon::timestamp);
    let name = text(row, "name").unwrap_or_default();
    let flag = |name: &str| row.get(name).and_then(Value::as_bool).unwrap_or_default();
    let clean = |name: &str| text(row, name).and_then(canon::text);
    let currency = text(row, "_transactioncurrencyid_value");
    let code = currency.and_then(|id| currencies.iter().find(|(_, known)| known.eq_ignore_ascii_case(id)));
    let mut values = Values::default();
    values.set(Field::Name, canon::name(name));
    values.set(Field::Value, row.get(&settings.value_field).and_then(canon::amount));
    values.set(Field::Currency, code.map(|(code, _)| code.clone()));
    values.scale();
    values.set(
        Field::ClosingDate,
        clean(&settings.closing_date_field).and_then(|day| day.get(..10).map(str::to_owned)),
    );
    values.set(Field::Notes, clean(&settings.notes_field));
    let help = row.get(HELP).and_then(Value::as_i64);
    Ok(Opportunity {
        id: OpportunityId::new(id),
        revision: Revision::Etag(etag.to_owned()),
        modified: modified.ok_or_else(|| Unreadable::missing("modifiedon"))?,
        name: name.to_owned(),
        values,
        state: state(settings, row)?,
        sync: flag(SYNC),
        referral: clean(REFERRAL).map(ReferralId::new),
        link: clean(LINK),
        audit: text(row, AUDIT).unwrap_or_default().to_owned(),
        help: Help::ALL
            .into_iter()
            .find(|known| help == Some(help_choice(settings, *known))),
        visible: flag(VISIBLE),
        msx: clean(MSX),
        solution_count: None,
    })
}

fn state(settings: &DataverseSettings, row: &Value) -> Result<OpportunityState, Unreadable> {
    let number = |name: &str| {
        row.get(name)
            .and_then(Value::as_i64)
            .ok_or_else(|| Unreadable::missing(name))
    };
    Ok(match (number("statecode")?, number("statuscode")?) {
        (1, _) => OpportunityState::Closed(Ending::Won),
        (2, _) => OpportunityState::Closed(Ending::Lost),
        (_, status) if status == settings.on_hold_status => OpportunityState::Held,
        _ => OpportunityState::Open,
    })
}

/// What cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A currency that the environment does not have (product.md M29).
    #[error("currency {0} is missing in the CRM")]
    Currency(String),
}

/// The body that writes a change. Winning and losing are no part of it.
pub(super) fn body(
    settings: &DataverseSettings,
    currencies: &Currencies,
    change: &Change,
) -> Result<Value, Unwritable> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if let Some(name) = &change.name {
        set("name", Value::from(name.as_str()));
    }
    for (field, value) in &change.values {
        match field {
            Field::Name => {}
            Field::Value => {
                let amount = value.as_deref().map_or(Value::Null, canon::amount_to_json);
                set(&settings.value_field, amount);
            }
            Field::Currency => {
                if let Some(code) = value {
                    let id = currencies.get(code).ok_or_else(|| Unwritable::Currency(code.clone()))?;
                    set(
                        "transactioncurrencyid@odata.bind",
                        json!(format!("/transactioncurrencies({id})")),
                    );
                }
            }
            Field::ClosingDate => set(&settings.closing_date_field, Value::from(value.as_deref())),
            Field::Notes => set(&settings.notes_field, Value::from(value.as_deref())),
        }
    }
    match change.stage {
        Some(Stage::OnHold) => set("statuscode", Value::from(settings.on_hold_status)),
        Some(Stage::Active) => set("statuscode", Value::from(settings.active_status)),
        Some(Stage::Closed(_)) | None => {}
    }
    if let Some(help) = change.help {
        set(HELP, Value::from(help.map(|help| help_choice(settings, help))));
    }
    for (name, value) in [(SYNC, change.sync), (VISIBLE, change.visible)] {
        if let Some(value) = value {
            set(name, Value::Bool(value));
        }
    }
    let texts = [
        (REFERRAL, change.referral.as_ref().map(ReferralId::as_str)),
        (LINK, change.link.as_deref()),
        (AUDIT, change.audit.as_deref()),
        (MSX, change.msx.as_deref()),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            set(name, Value::from(value));
        }
    }
    bind_parties(change, &mut body);
    Ok(Value::Object(body))
}

/// What only a new opportunity is given: its id, its customer, its contact.
fn bind_parties(change: &Change, body: &mut Map<String, Value>) {
    let parties = [
        ("opportunityid", change.id.clone()),
        (
            "customerid_account@odata.bind",
            change.account.as_ref().map(|account| format!("/accounts({account})")),
        ),
        (
            "parentcontactid@odata.bind",
            change.contact.as_ref().map(|contact| format!("/contacts({contact})")),
        ),
    ];
    for (name, value) in parties {
        if let Some(value) = value {
            body.insert(name.to_owned(), Value::from(value));
        }
    }
}

/// The customer out of an account row.
pub(super) fn customer(settings: &DataverseSettings, row: &Value) -> Customer {
    let clean = |name: &str| text(row, name).and_then(canon::text);
    Customer {
        name: clean("name"),
        address: Address {
            line: clean("address1_line1"),
            city: clean("address1_city"),
            state: clean("address1_stateorprovince"),
            postal_code: clean("address1_postalcode"),
            country: clean(&settings.country_field),
        },
        contact: None,
    }
}

/// The person out of a contact row.
pub(super) fn person(row: &Value) -> Person {
    let clean = |name: &str| text(row, name).and_then(canon::text);
    Person {
        first_name: clean("firstname"),
        last_name: clean("lastname"),
        email: clean("emailaddress1"),
        phone: clean("telephone1"),
    }
}

/// The solution out of a solution row.
pub(super) fn solution(row: &Value) -> Option<Solution> {
    let id = text(row, "msft_solutionidentifier").and_then(canon::text)?;
    let name = text(row, "msft_name").and_then(canon::text);
    Some(Solution { id, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    fn settings() -> DataverseSettings {
        DataverseSettings::new("https://contoso.crm.dynamics.com", "t", "c", Secret::new("s"))
    }

    fn currencies() -> Currencies {
        [("USD".to_owned(), "aa".to_owned())].into_iter().collect()
    }

    #[test]
    fn a_row_becomes_facts() {
        let row = json!({
            "@odata.etag": "W/\"5\"", "opportunityid": "o1", "name": "✔ Deal", "statecode": 0, "statuscode": 2,
            "estimatedclosedate": "2026-01-31", "description": null, "_transactioncurrencyid_value": "AA",
            "modifiedon": "2026-01-05T09:00:00Z", "estimatedvalue": 5000.0000, SYNC: true, HELP: 299_600_003
        });
        let read = opportunity(&settings(), &currencies(), &row).unwrap();
        assert_eq!(read.state, OpportunityState::Held);
        assert_eq!(read.values.get(Field::Value), Some("5000"));
        assert_eq!(read.values.get(Field::Currency), Some("USD"));
        assert_eq!(read.help, Some(Help::QuotesOrLicensing));
        assert_eq!(read.revision, Revision::Etag("W/\"5\"".to_owned()));
    }

    #[test]
    fn a_missing_currency_is_named() {
        let change = Change {
            values: vec![(Field::Currency, Some("CHF".to_owned()))],
            ..Change::default()
        };
        let refused = body(&settings(), &currencies(), &change).unwrap_err();
        assert_eq!(refused.to_string(), "currency CHF is missing in the CRM");
    }

    #[test]
    fn closing_is_no_part_of_a_body() {
        let change = Change {
            stage: Some(Stage::Closed(Ending::Won)),
            ..Change::default()
        };
        assert_eq!(body(&settings(), &currencies(), &change).unwrap(), json!({}));
    }
}
