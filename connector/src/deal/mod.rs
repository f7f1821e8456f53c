//! The canonical deal: what both sides say, in one form that can be compared.
//!
//! It knows neither how a system spells a field (see [`crate::system`]) nor who wins (see [`crate::sync`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How values are brought to one form.
pub mod canon;
/// The mark in an opportunity's name.
pub mod mark;

/// A field that is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The deal's name, without mark.
    Name,
    /// The amount.
    Value,
    /// The amount's currency, ISO 4217.
    Currency,
    /// The closing date, a day.
    ClosingDate,
    /// Notes in Partner Center, description in the CRM.
    Notes,
}

impl Field {
    /// Every field, in the order in which audit lines name them.
    pub const ALL: [Self; 5] = [Self::Name, Self::Value, Self::Currency, Self::ClosingDate, Self::Notes];

    /// The name in decisions and audit lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Currency => "currency",
            Self::ClosingDate => "closing date",
            Self::Notes => "notes",
        }
    }

    /// Whether nothing is a value of this field. Where it is not, an empty side never overwrites the other one.
    pub fn may_be_empty(self) -> bool {
        self == Self::Notes
    }
}

/// The canonical values of the merged fields. A field that is not in it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<Field, String>);

impl Values {
    /// The value of a field; none when it is empty.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    /// Sets or empties a field.
    pub fn set(&mut self, field: Field, value: Option<String>) {
        match value.filter(|text| !text.is_empty()) {
            Some(value) => self.0.insert(field, value),
            None => self.0.remove(&field),
        };
    }

    /// Brings the amount to the scale of its currency.
    pub fn scale(&mut self) {
        if let Some(amount) = self.get(Field::Value) {
            let scaled = canon::at_scale(amount, self.get(Field::Currency));
            self.set(Field::Value, Some(scaled));
        }
    }

    /// Whether a field still holds what it held before. An amount that stayed while its currency changed is printed at the scale of
    /// the new one.
    pub fn holds_as_before(&self, field: Field, before: Option<&str>) -> bool {
        let now = self.get(field);
        now == before
            || field == Field::Value
                && before.is_some_and(|before| now == Some(canon::at_scale(before, self.get(Field::Currency)).as_str()))
    }

    /// The same values with one field set.
    #[must_use]
    pub fn with(mut self, field: Field, value: Option<String>) -> Self {
        self.set(field, value);
        self
    }
}

/// How a deal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The customer buys.
    Won,
    /// Anything else: lost, declined, expired, error.
    Lost,
}

impl Ending {
    /// The word in audit lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Won => Self::Lost,
            Self::Lost => Self::Won,
        }
    }
}

/// The state of a referral (partner-center.md section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferralState {
    /// Not answered yet.
    New,
    /// Accepted.
    Active,
    /// Terminal.
    Closed(Ending),
}

/// The state of an opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpportunityState {
    /// In the on-hold stage.
    Held,
    /// In any other open stage.
    Open,
    /// Closed.
    Closed(Ending),
}

/// The last state that both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreed {
    /// New in Partner Center, on hold in the CRM.
    New,
    /// Active on both sides.
    Active,
    /// Won on both sides.
    Won,
    /// Lost on both sides.
    Lost,
}

impl Agreed {
    /// The agreed form of an ending.
    pub fn closed(ending: Ending) -> Self {
        match ending {
            Ending::Won => Self::Won,
            Ending::Lost => Self::Lost,
        }
    }

    /// Whether it is terminal.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

/// What Microsoft may help with: the six values of partner-center.md section 3.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Help {
    /// Workload-specific value proposition.
    WorkloadSpecificValueProposition,
    /// Customer technical architecture.
    CustomerTechnicalArchitecture,
    /// Proof of concept or demo.
    ProofOfConceptOrDemo,
    /// Quotes or licensing.
    QuotesOrLicensing,
    /// Post-sales customer success.
    PostSalesCustomerSuccess,
    /// General or other.
    GeneralOrOther,
}

impl Help {
    /// Every kind of help, in the order of the documents.
    pub const ALL: [Self; 6] = [
        Self::WorkloadSpecificValueProposition,
        Self::CustomerTechnicalArchitecture,
        Self::ProofOfConceptOrDemo,
        Self::QuotesOrLicensing,
        Self::PostSalesCustomerSuccess,
        Self::GeneralOrOther,
    ];

    /// The kind of help that a picklist's label means, however it is written: case, blanks, strokes and dashes tell nothing, and
    /// `Proof of concept/demo` is `Proof Of Concept or Demo` (partner-center.md section 3.4).
    pub fn from_label(label: &str) -> Option<Self> {
        let plain = |text: &str| {
            let words = text.replace('/', " or ").to_lowercase();
            words.chars().filter(char::is_ascii_alphanumeric).collect::<String>()
        };
        let asked = plain(label);
        Self::ALL.into_iter().find(|help| plain(help.code()) == asked)
    }

    /// `inviteContext.assistanceRequestCode` in Partner Center.
    pub fn code(self) -> &'static str {
        match self {
            Self::WorkloadSpecificValueProposition => "WorkloadSpecificValueProposition",
            Self::CustomerTechnicalArchitecture => "CustomerTechnicalArchitecture",
            Self::ProofOfConceptOrDemo => "ProofOfConceptOrDemo",
            Self::QuotesOrLicensing => "QuotesOrLicensing",
            Self::PostSalesCustomerSuccess => "PostSalesCustomerSuccess",
            Self::GeneralOrOther => "GeneralOrOther",
        }
    }
}

/// A postal address, as much of it as both sides have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Street and number.
    pub line: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country: two letters of ISO 3166 where it is usable.
    pub country: Option<String>,
}

/// A person at the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Email address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
}

/// The customer of a deal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The company's name.
    pub name: Option<String>,
    /// Where it is.
    pub address: Address,
    /// The first contact there.
    pub contact: Option<Person>,
}

/// A solution of a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The id: `SOL-34104-EBB`, or a guid for Microsoft's own.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_understood_however_it_is_written() {
        for label in [
            "Proof of concept/demo",
            "Proof Of Concept or Demo",
            "ProofOfConceptOrDemo",
        ] {
            assert_eq!(Help::from_label(label), Some(Help::ProofOfConceptOrDemo), "{label}");
        }
        assert_eq!(
            Help::from_label("Post-sales customer success"),
            Some(Help::PostSalesCustomerSuccess)
        );
        assert_eq!(Help::from_label("Other help"), None);
    }

    #[test]
    fn an_empty_text_is_no_value() {
        let values = Values::default().with(Field::Notes, Some(String::new()));
        assert_eq!(values, Values::default());
    }
}
