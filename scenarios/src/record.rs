//! What the stored rows of both sides say about a deal, read by rules written by hand from the vendors' facts.
//!
//! It reads rows and commits only. It never asks the connector, and shares no mapping with it: an error that the
//! connector makes must not be made here again.

use std::collections::BTreeMap;

use cosell_sim::happening::{Commit, CommitKind, Row};
use cosell_sim::site::Site;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::money;
use crate::scenario::Crm;

impl Crm {
    /// The simulated system that stores its rows.
    pub fn site(self) -> Site {
        match self {
            Self::Salesforce => Site::Salesforce,
            Self::Dynamics => Site::Dataverse,
        }
    }

    /// The table that holds opportunities.
    pub fn opportunities(self) -> &'static str {
        match self {
            Self::Salesforce => "Opportunity",
            Self::Dynamics => "opportunity",
        }
    }
}

/// A business field of a deal that both sides hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The deal's name, without the connector's mark.
    Name,
    /// The deal value, in minor units of its currency.
    Value,
    /// The ISO 4217 code.
    Currency,
    /// The closing date.
    Closes,
    /// Notes in Partner Center, Description in the CRM.
    Notes,
}

impl Field {
    /// Every field, in the order in which reports list them.
    pub const ALL: [Self; 5] = [Self::Name, Self::Value, Self::Currency, Self::Closes, Self::Notes];

    /// The name that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Value => "value",
            Self::Currency => "currency",
            Self::Closes => "closes",
            Self::Notes => "notes",
        }
    }

    /// Where Partner Center keeps it, as a JSON pointer (partner-center.md section 2.2).
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Name => "/name",
            Self::Value => "/details/dealValue",
            Self::Currency => "/details/currency",
            Self::Closes => "/details/closingDateTime",
            Self::Notes => "/details/notes",
        }
    }

    /// The CRM's column (salesforce.md sections 3.4 and 6, dataverse.md section 6). The Dataverse currency is a look-up.
    pub fn column(self, crm: Crm) -> &'static str {
        match (self, crm) {
            (Self::Name, Crm::Salesforce) => "Name",
            (Self::Name, Crm::Dynamics) => "name",
            (Self::Value, Crm::Salesforce) => "Amount",
            (Self::Value, Crm::Dynamics) => "estimatedvalue",
            (Self::Currency, Crm::Salesforce) => "CurrencyIsoCode",
            (Self::Currency, Crm::Dynamics) => "_transactioncurrencyid_value",
            (Self::Closes, Crm::Salesforce) => "CloseDate",
            (Self::Closes, Crm::Dynamics) => "estimatedclosedate",
            (Self::Notes, Crm::Salesforce) => "Description",
            (Self::Notes, Crm::Dynamics) => "description",
        }
    }
}

/// Where a deal stands, in the one vocabulary that both sides map to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Not accepted: New in Partner Center, the on-hold stage in the CRM.
    Held,
    /// Worked on.
    Open,
    /// Closed and won.
    Won,
    /// Closed otherwise: lost, declined, expired, error.
    Lost,
}

impl Standing {
    /// Won or lost.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "on hold",
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// One stored record: its fields under their wire names, flat (JSON pointers for Partner Center).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record(BTreeMap<String, Value>);

impl Record {
    /// A field's value; null when the record has none.
    pub fn get(&self, field: &str) -> &Value {
        self.0.get(field).unwrap_or(&Value::Null)
    }

    /// A field as text: empty when null, absent or not text.
    pub fn text(&self, field: &str) -> &str {
        self.get(field).as_str().unwrap_or_default()
    }

    /// Every field, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value))
    }

    fn set(&mut self, field: &str, value: &Value) {
        if value.is_null() {
            self.0.remove(field);
        } else if let Some(old) = self.0.get_mut(field) {
            old.clone_from(value);
        } else {
            self.0.insert(field.to_owned(), value.clone());
        }
    }
}

/// Everything stored on both sides, as the commits built it up.
#[derive(Clone, Debug)]
pub struct Book {
    crm: Crm,
    on_hold_stage: String,
    /// Referrals by id, Microsoft's own side included.
    pub referrals: BTreeMap<String, Record>,
    /// Opportunities by id.
    pub opportunities: BTreeMap<String, Record>,
    /// Dataverse only: currency codes by the id of their row.
    currencies: BTreeMap<String, String>,
}

impl Book {
    /// An empty book for one CRM, whose on-hold stage has that name (Salesforce; Dataverse has statuscode 2).
    pub fn new(crm: Crm, on_hold_stage: &str) -> Self {
        Self {
            crm,
            on_hold_stage: on_hold_stage.to_owned(),
            referrals: BTreeMap::new(),
            opportunities: BTreeMap::new(),
            currencies: BTreeMap::new(),
        }
    }

    /// Takes in stored rows: what no commit tells, such as the currencies that a new environment has.
    pub fn learn(&mut self, rows: &[Row]) {
        for row in rows {
            self.learn_currency(row.site, &row.table, &row.id, row.fields.get("isocurrencycode"));
        }
    }

    /// A book made of stored rows alone.
    pub fn of_rows(crm: Crm, on_hold_stage: &str, rows: &[Row]) -> Self {
        let mut book = Self::new(crm, on_hold_stage);
        for row in rows {
            if let Some(record) = book.record_mut(row.site, &row.table, &row.id) {
                flatten(record, "", &row.fields, row.site == Site::PartnerCenter);
            }
        }
        book.learn(rows);
        book
    }

    /// Takes in one commit.
    pub fn apply(&mut self, commit: &Commit) {
        if commit.kind == CommitKind::Deleted {
            match (commit.site, commit.table.as_str()) {
                (Site::PartnerCenter, _) => drop(self.referrals.remove(&commit.id)),
                (_, table) if table == self.crm.opportunities() => drop(self.opportunities.remove(&commit.id)),
                _ => {}
            }
            return;
        }
        if let Some(record) = self.record_mut(commit.site, &commit.table, &commit.id) {
            for change in &commit.changes {
                record.set(&change.field, &change.after);
            }
        }
        let code = commit.changes.iter().find(|change| change.field == "isocurrencycode");
        self.learn_currency(commit.site, &commit.table, &commit.id, code.map(|change| &change.after));
    }

    fn record_mut(&mut self, site: Site, table: &str, id: &str) -> Option<&mut Record> {
        let book = match site {
            Site::PartnerCenter if table == "referral" => &mut self.referrals,
            site if site == self.crm.site() && table == self.crm.opportunities() => &mut self.opportunities,
            Site::Entra | Site::PartnerCenter | Site::Salesforce | Site::Dataverse => return None,
        };
        if !book.contains_key(id) {
            book.insert(id.to_owned(), Record::default());
        }
        book.get_mut(id)
    }

    fn learn_currency(&mut self, site: Site, table: &str, id: &str, code: Option<&Value>) {
        if site == Site::Dataverse
            && table == "transactioncurrency"
            && let Some(code) = code.and_then(Value::as_str)
        {
            self.currencies.insert(id.to_owned(), code.to_owned());
        }
    }

    /// Which CRM the book is about.
    pub fn crm(&self) -> Crm {
        self.crm
    }

    /// The referrals of the partner: without those of Microsoft's own side.
    pub fn partner_referrals(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.referrals
            .iter()
            .filter(|(_, referral)| !is_microsoft_side(referral))
    }

    /// A referral's field in canonical form; `None` when empty.
    pub fn pc_value(&self, referral: &Record, field: Field) -> Option<String> {
        let currency = referral.text(Field::Currency.pointer());
        canonical(field, referral.get(field.pointer()), currency)
    }

    /// An opportunity's field in canonical form; `None` when empty.
    pub fn crm_value(&self, opportunity: &Record, field: Field) -> Option<String> {
        let currency = self.crm_currency(opportunity);
        match field {
            Field::Currency => Some(currency).filter(|code| !code.is_empty()),
            Field::Name | Field::Value | Field::Closes | Field::Notes => {
                canonical(field, opportunity.get(field.column(self.crm)), &currency)
            }
        }
    }

    fn crm_currency(&self, opportunity: &Record) -> String {
        let stored = opportunity.text(Field::Currency.column(self.crm));
        match self.crm {
            Crm::Salesforce => stored.to_owned(),
            Crm::Dynamics => self.currencies.get(stored).cloned().unwrap_or_default(),
        }
    }

    /// Where an opportunity stands: by stage and its flags on Salesforce, by state and status on Dataverse.
    pub fn crm_standing(&self, opportunity: &Record) -> Standing {
        match self.crm {
            Crm::Salesforce => match (
                opportunity.get("IsClosed").as_bool(),
                opportunity.get("IsWon").as_bool(),
            ) {
                (_, Some(true)) => Standing::Won,
                (Some(true), _) => Standing::Lost,
                _ if opportunity.text("StageName") == self.on_hold_stage => Standing::Held,
                _ => Standing::Open,
            },
            Crm::Dynamics => match (
                opportunity.get("statecode").as_i64(),
                opportunity.get("statuscode").as_i64(),
            ) {
                (Some(1), _) => Standing::Won,
                (Some(2), _) => Standing::Lost,
                (_, Some(2)) => Standing::Held,
                _ => Standing::Open,
            },
        }
    }

    /// The CRM's own word for where an opportunity stands: the stage name, or the label of the status reason.
    pub fn crm_stage(&self, opportunity: &Record) -> String {
        match self.crm {
            Crm::Salesforce => opportunity.text("StageName").to_owned(),
            Crm::Dynamics => match opportunity.get("statuscode").as_i64() {
                Some(1) => "In Progress".to_owned(),
                Some(2) => "On Hold".to_owned(),
                Some(3) => "Won".to_owned(),
                Some(4) => "Canceled".to_owned(),
                Some(5) => "Out-Sold".to_owned(),
                other => format!("statuscode {other:?}"),
            },
        }
    }

    /// Whether the seller wants the deal in step (product.md M12).
    pub fn syncs(&self, opportunity: &Record) -> bool {
        let column = match self.crm {
            Crm::Salesforce => "Sync_With_Partner_Center__c",
            Crm::Dynamics => "msft_microsoftpartnercenterreferralsync",
        };
        opportunity.get(column).as_bool().unwrap_or(false)
    }

    /// The referral that an opportunity names.
    pub fn referral_of<'a>(&self, opportunity: &'a Record) -> &'a str {
        opportunity.text(match self.crm {
            Crm::Salesforce => "Referral_Identifier__c",
            Crm::Dynamics => "msft_microsoftpartnercenterreferralidentifier",
        })
    }

    /// The Audit trail of an opportunity.
    pub fn audit<'a>(&self, opportunity: &'a Record) -> &'a str {
        opportunity.text(match self.crm {
            Crm::Salesforce => "Audit__c",
            Crm::Dynamics => "msft_microsoftpartnercenterreferralsyncaudit",
        })
    }

    /// Whether the opportunity is marked as visible to Microsoft.
    pub fn visible_in_crm(&self, opportunity: &Record) -> bool {
        opportunity.get(visibility_column(self.crm)).as_bool().unwrap_or(false)
    }

    /// The mark that the opportunity's name carries.
    pub fn mark(&self, opportunity: &Record) -> Mark {
        Mark::of(opportunity.text(Field::Name.column(self.crm)))
    }
}

fn flatten(record: &mut Record, path: &str, fields: &serde_json::Map<String, Value>, pointers: bool) {
    for (key, value) in fields {
        let field = if pointers { format!("{path}/{key}") } else { key.clone() };
        match value.as_object().filter(|_| pointers) {
            Some(inner) => flatten(record, &field, inner, pointers),
            None => record.set(&field, value),
        }
    }
}

/// The column that says whether an opportunity is visible to Microsoft.
pub fn visibility_column(crm: Crm) -> &'static str {
    match crm {
        Crm::Salesforce => "Referral_visible_to_Microsoft_sellers__c",
        Crm::Dynamics => "msft_microsoftpartnercenterreferralvisible",
    }
}

/// Whether a referral is Microsoft's own side of an engagement: its target is `msft` (partner-center.md section 2.5).
pub fn is_microsoft_side(referral: &Record) -> bool {
    referral
        .get("/target")
        .as_array()
        .is_some_and(|targets| targets.iter().any(|target| target["id"] == "msft"))
}

/// Where a referral stands (partner-center.md section 3.1).
pub fn pc_standing(referral: &Record) -> Standing {
    match (referral.text("/status"), referral.text("/substatus")) {
        ("New", _) => Standing::Held,
        ("Closed", "Won") => Standing::Won,
        ("Closed", _) => Standing::Lost,
        _ => Standing::Open,
    }
}

/// Whether Microsoft's sellers may see the referral.
pub fn visible_in_pc(referral: &Record) -> bool {
    referral
        .get("/consent/consentToShareReferralWithMicrosoftSellers")
        .as_bool()
        .unwrap_or(false)
}

/// The help asked of Microsoft: `None` when the code is `Unknown` or empty.
pub fn help_in_pc(referral: &Record) -> Option<&str> {
    Some(referral.text("/inviteContext/assistanceRequestCode")).filter(|code| !matches!(*code, "" | "Unknown"))
}

/// The sign that the connector puts on an opportunity's name (product.md M7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// None.
    None,
    /// In step.
    Check,
    /// The last sync failed.
    Cross,
    /// More than one: marks stacked up.
    Stacked,
}

impl Mark {
    /// The mark in a name.
    pub fn of(name: &str) -> Self {
        let mut marks = name.chars().filter_map(Self::of_char);
        match (marks.next(), marks.next()) {
            (None, _) => Self::None,
            (Some(mark), None) => mark,
            (Some(_), Some(_)) => Self::Stacked,
        }
    }

    fn of_char(sign: char) -> Option<Self> {
        match sign {
            '✔' => Some(Self::Check),
            '✗' | '✖' => Some(Self::Cross),
            _ => None,
        }
    }

    /// The word that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Check => "check",
            Self::Cross => "cross",
            Self::Stacked => "stacked",
        }
    }
}

/// A name without marks at either end, entities decoded, trimmed.
pub fn plain_name(name: &str) -> String {
    let is_mark = |sign: char| Mark::of_char(sign).is_some() || sign == '\u{fe0f}' || sign.is_whitespace();
    decode_entities(name.trim_matches(is_mark)).trim().to_owned()
}

fn decode_entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // Ampersand last, or `&amp;lt;` would be decoded twice.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// A wire value in the form in which both sides are compared; `None` when it says nothing.
pub fn canonical(field: Field, value: &Value, currency: &str) -> Option<String> {
    let text = match (field, value) {
        (_, Value::Null) => return None,
        (Field::Value, value) => return money::minor_units(value, currency).map(|minor| minor.to_string()),
        (Field::Name, Value::String(text)) => plain_name(text),
        (Field::Closes, Value::String(text)) => text.chars().take(10).collect(),
        (Field::Notes | Field::Currency, Value::String(text)) => decode_entities(text).trim().to_owned(),
        (_, other) => other.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_compared_without_marks_entities_and_blanks() {
        assert_eq!(plain_name("✔ Oil &amp; Gas ✔\u{fe0f} "), "Oil & Gas");
        assert_eq!(plain_name("Fabrikam ✗"), "Fabrikam");
        assert_eq!(plain_name("A ✔ in the middle stays"), "A ✔ in the middle stays");
    }

    #[test]
    fn amounts_are_equal_at_the_scale_of_their_currency_whatever_their_json_type() {
        assert_eq!(
            canonical(Field::Value, &json!("10000"), "USD"),
            canonical(Field::Value, &json!(10000.0), "USD")
        );
        assert_eq!(canonical(Field::Value, &json!(10.004), "USD"), Some("1000".to_owned()));
        assert_eq!(canonical(Field::Value, &json!(1200), "JPY"), Some("1200".to_owned()));
        assert_eq!(canonical(Field::Value, &Value::Null, "USD"), None);
    }

    #[test]
    fn marks_are_counted_not_only_found() {
        assert_eq!(Mark::of("Deal ✔"), Mark::Check);
        assert_eq!(Mark::of("Deal ✔ ✔"), Mark::Stacked);
        assert_eq!(Mark::of("Deal"), Mark::None);
    }
}
