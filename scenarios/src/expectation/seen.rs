//! What a field of a record shows, by the words of the language.

use crate::money;
use crate::record::{Book, Field, Record, Standing, entries_in_pc, help_words, pc_standing};

/// What a field shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Words; empty for nothing.
    Text(String),
    /// An amount in minor units of its currency; `None` for nothing.
    Money(Option<(i64, String)>),
    /// Several words.
    List(Vec<String>),
    /// A number.
    Number(usize),
}

impl Seen {
    /// As reports print it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) if text.is_empty() => "nothing".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Money(None) => "no value".to_owned(),
            Self::Money(Some((minor, currency))) => money::show(&minor.to_string(), currency),
            Self::List(list) if list.is_empty() => "nothing".to_owned(),
            Self::List(list) => list.join(", "),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A field in the words of a finding.
pub(super) fn words(field: &str) -> String {
    match field {
        "value" => "the deal value".to_owned(),
        "closes" => "the closing date".to_owned(),
        "audit" => "the Audit trail".to_owned(),
        "msx id" => "Microsoft's number".to_owned(),
        "team" => "the deal's team".to_owned(),
        other => format!("the {other}"),
    }
}

fn amount(minor: Option<String>, currency: Option<String>) -> Seen {
    let minor = minor.and_then(|minor| minor.parse().ok());
    Seen::Money(minor.map(|minor| (minor, currency.unwrap_or_default())))
}

/// A field of an opportunity.
pub(crate) fn in_crm(book: &Book, id: &str, record: &Record, field: &str) -> Seen {
    let value = |field| book.crm_value(record, field).unwrap_or_default();
    Seen::Text(match field {
        "name" => value(Field::Name),
        "value" => {
            return amount(
                book.crm_value(record, Field::Value),
                book.crm_value(record, Field::Currency),
            );
        }
        "closes" => value(Field::Closes),
        "notes" => value(Field::Notes),
        "stage" => stage(book, record),
        "audit" => book.audit(record).to_owned(),
        "solutions" => return Seen::List(book.solutions_in_crm(id)),
        "customer" => book.customer_in_crm(record),
        "country" => book.country_in_crm(record),
        "contact" => book.contact_in_crm(id, record),
        "help" => book.help_in_crm(record),
        "msx id" => book.msx_id_in_crm(record).to_owned(),
        _ => String::new(),
    })
}

/// The language's own word for where an opportunity stands, or the CRM's when the scenario may name stages.
fn stage(book: &Book, record: &Record) -> String {
    match book.crm_standing(record) {
        Standing::Held => "on hold".to_owned(),
        Standing::Won => "won".to_owned(),
        Standing::Lost => "lost".to_owned(),
        Standing::Open => "active".to_owned(),
    }
}

/// A field of a referral (partner-center.md section 2.2).
pub(crate) fn in_pc(book: &Book, record: &Record, field: &str) -> Seen {
    let value = |field| book.pc_value(record, field).unwrap_or_default();
    Seen::Text(match field {
        "name" => value(Field::Name),
        "value" => {
            return amount(
                book.pc_value(record, Field::Value),
                book.pc_value(record, Field::Currency),
            );
        }
        "closes" => value(Field::Closes),
        "notes" => value(Field::Notes),
        "stage" => pc_standing(record).name().to_owned(),
        "status" => record.text("/status").to_owned(),
        "substatus" => record.text("/substatus").to_owned(),
        "reason" => record.text("/statusReason").to_owned(),
        "solutions" => return Seen::List(entries_in_pc(record, "/details/requirements/solutions", "id")),
        "team" => return Seen::List(entries_in_pc(record, "/team", "email")),
        "customer" => record.text("/customerProfile/name").to_owned(),
        "country" => record.text("/customerProfile/address/country").to_owned(),
        "contact" => entries_in_pc(record, "/customerProfile/team", "email").join(", "),
        "help" => help_words(record.text("/inviteContext/assistanceRequestCode")),
        "msx id" => record.text("/trackingInfo/microsoftMsxId").to_owned(),
        _ => String::new(),
    })
}
