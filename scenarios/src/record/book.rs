//! All records of both sides, as commits and stored rows built them up.
//!
//! It says what a record's fields mean; it judges nothing.

use std::collections::BTreeMap;

use cosell_sim::happening::{Commit, CommitKind, Row};
use cosell_sim::site::Site;
use serde_json::Value;

use super::{Columns, Field, Mark, ORG_CURRENCY, Record, Standing, canonical, is_microsoft_side, visibility_column};
use crate::scenario::Crm;

/// The tables of both CRMs, besides the opportunity, that expectations look into.
const BESIDES: [&str; 10] = [
    "Account",
    "Contact",
    "Lead",
    "OpportunityContactRole",
    "Microsoft_Solutions__c",
    "Microsoft_Solution_Detail__c",
    "account",
    "contact",
    "lead",
    "msft_partnercentersolution",
];

/// Everything stored on both sides, as the commits built it up.
#[derive(Clone, Debug)]
pub struct Book {
    crm: Crm,
    on_hold_stage: String,
    columns: Columns,
    /// Referrals by id, Microsoft's own side included.
    pub referrals: BTreeMap<String, Record>,
    /// Opportunities by id.
    pub opportunities: BTreeMap<String, Record>,
    /// What else the CRM has of a deal, by table and id: see `BESIDES`.
    pub others: BTreeMap<String, BTreeMap<String, Record>>,
    /// Dataverse only: currency codes by the id of their row.
    currencies: BTreeMap<String, String>,
}

impl Book {
    /// An empty book for one CRM, whose on-hold stage has that name (Salesforce; Dataverse has statuscode 2).
    pub fn new(crm: Crm, on_hold_stage: &str) -> Self {
        Self {
            crm,
            on_hold_stage: on_hold_stage.to_owned(),
            columns: Columns::standard(crm),
            referrals: BTreeMap::new(),
            opportunities: BTreeMap::new(),
            others: BTreeMap::new(),
            currencies: BTreeMap::new(),
        }
    }

    /// The same book, read under other names of columns.
    #[must_use]
    pub fn with_columns(mut self, columns: Columns) -> Self {
        self.columns = columns;
        self
    }

    /// The CRM's column of a field, as it is configured. Empty for the currency of an org that has one only.
    pub fn column(&self, field: Field) -> &str {
        self.columns.of_field(field, self.crm)
    }

    /// The account's column with the country code, as it is configured.
    pub(super) fn country_column(&self) -> &str {
        &self.columns.country
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
                (_, table) => {
                    if let Some(rows) = self.others.get_mut(table) {
                        rows.remove(&commit.id);
                    }
                }
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
            site if site == self.crm.site() && BESIDES.contains(&table) => {
                self.others.entry(table.to_owned()).or_default()
            }
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
        self.sent_value(field, referral.get(field.pointer()), currency)
    }

    /// A value as it is sent to Partner Center, in canonical form; `None` when empty.
    pub fn sent_value(&self, field: Field, value: &Value, currency: &str) -> Option<String> {
        match value.as_str() {
            Some(moment) if field == Field::Closes => day_in_zone(moment, self.columns.zone_hours),
            _ => canonical(field, value, currency),
        }
    }

    /// An opportunity's field in canonical form; `None` when empty.
    pub fn crm_value(&self, opportunity: &Record, field: Field) -> Option<String> {
        let currency = self.crm_currency(opportunity);
        match field {
            Field::Currency => Some(currency).filter(|code| !code.is_empty()),
            Field::Name | Field::Value | Field::Closes | Field::Notes => {
                canonical(field, opportunity.get(self.column(field)), &currency)
            }
        }
    }

    fn crm_currency(&self, opportunity: &Record) -> String {
        let stored = opportunity.text(self.column(Field::Currency));
        match self.crm {
            Crm::Salesforce if self.columns.currency.is_none() => ORG_CURRENCY.to_owned(),
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

/// The day of a moment in a zone of whole hours.
fn day_in_zone(moment: &str, hours: i8) -> Option<String> {
    let Ok(moment) = moment.parse::<jiff::Timestamp>() else {
        return Some(moment.chars().take(10).collect()).filter(|day: &String| !day.is_empty());
    };
    let zoned = moment.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(hours)));
    Some(zoned.date().to_string())
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
