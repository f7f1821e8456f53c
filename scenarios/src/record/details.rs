//! What hangs on a deal besides its own columns: customer, contact, solutions, help, Microsoft's number.
//!
//! Each side by its own names, from the vendors' facts; what a record does not have is empty.

use serde_json::Value;

use super::{Book, Record};
use crate::scenario::Crm;

impl Book {
    /// The rows of a table of the CRM besides the opportunity.
    fn rows(&self, salesforce: &str, dynamics: &str) -> impl Iterator<Item = (&str, &Record)> {
        let table = match self.crm() {
            Crm::Salesforce => salesforce,
            Crm::Dynamics => dynamics,
        };
        let rows = self.others.get(table).into_iter().flatten();
        rows.map(|(id, record)| (id.as_str(), record))
    }

    /// How many accounts, contacts and leads the CRM has.
    pub fn count_of(&self, salesforce: &str, dynamics: &str) -> usize {
        self.rows(salesforce, dynamics).count()
    }

    fn account(&self, opportunity: &Record) -> Option<&Record> {
        let id = match self.crm() {
            Crm::Salesforce => opportunity.text("AccountId"),
            Crm::Dynamics => ["_customerid_value", "_parentaccountid_value"]
                .into_iter()
                .map(|column| opportunity.text(column))
                .find(|id| !id.is_empty())
                .unwrap_or_default(),
        };
        self.rows("Account", "account")
            .find(|(known, _)| *known == id)
            .map(|(_, record)| record)
    }

    /// The name of the customer's company.
    pub fn customer_in_crm(&self, opportunity: &Record) -> String {
        let column = match self.crm() {
            Crm::Salesforce => "Name",
            Crm::Dynamics => "name",
        };
        self.account(opportunity)
            .map_or_else(String::new, |account| account.text(column).to_owned())
    }

    /// The customer's country, in the configured column.
    pub fn country_in_crm(&self, opportunity: &Record) -> String {
        let column = self.country_column();
        self.account(opportunity)
            .map_or_else(String::new, |account| account.text(column).to_owned())
    }

    /// The address of the customer's contact.
    pub fn contact_in_crm(&self, id: &str, opportunity: &Record) -> String {
        let (contact, column) = match self.crm() {
            Crm::Salesforce => {
                let mut roles = self.rows("OpportunityContactRole", "");
                let role = roles.find(|(_, role)| role.text("OpportunityId") == id);
                (role.map_or("", |(_, role)| role.text("ContactId")), "Email")
            }
            Crm::Dynamics => (opportunity.text("_parentcontactid_value"), "emailaddress1"),
        };
        self.rows("Contact", "contact")
            .find(|(known, _)| *known == contact)
            .map_or_else(String::new, |(_, record)| record.text(column).to_owned())
    }

    /// The identifiers of the deal's solutions, sorted.
    pub fn solutions_in_crm(&self, id: &str) -> Vec<String> {
        let mut solutions: Vec<String> = match self.crm() {
            Crm::Salesforce => {
                let lines = self.rows("Microsoft_Solutions__c", "");
                let details = lines
                    .filter(|(_, line)| line.text("Opportunity__c") == id)
                    .map(|(_, line)| line.text("Solution__c"));
                let named = details.filter_map(|detail| {
                    let mut known = self.rows("Microsoft_Solution_Detail__c", "");
                    known
                        .find(|(id, _)| *id == detail)
                        .map(|(_, row)| row.text("Solution_Identifier__c").to_owned())
                });
                named.collect()
            }
            Crm::Dynamics => self
                .rows("", "msft_partnercentersolution")
                .filter(|(_, row)| row.text("_msft_opportunity_value") == id)
                .map(|(_, row)| row.text("msft_solutionidentifier").to_owned())
                .collect(),
        };
        solutions.sort();
        solutions
    }

    /// The help wanted of Microsoft, as [`help_words`] has it.
    pub fn help_in_crm(&self, opportunity: &Record) -> String {
        match self.crm() {
            Crm::Salesforce => help_words(opportunity.text("How_can_Microsoft_help__c")),
            Crm::Dynamics => {
                let choice = opportunity.get("msft_microsoftpartnercenterhelp").as_i64();
                let place = choice.and_then(|choice| usize::try_from(choice - FIRST_HELP).ok());
                place
                    .and_then(|place| HELP_WORDS.get(place))
                    .map_or_else(String::new, |words| (*words).to_owned())
            }
        }
    }

    /// The deal's number in Microsoft's own CRM.
    pub fn msx_id_in_crm<'a>(&self, opportunity: &'a Record) -> &'a str {
        opportunity.text(match self.crm() {
            Crm::Salesforce => "Microsoft_CRM_Identifier__c",
            Crm::Dynamics => "msft_microsoftcrmidentifier",
        })
    }
}

/// The first value of the choice column. Assumed: no public source lists the numbers.
const FIRST_HELP: i64 = 299_600_000;

/// The six kinds of help in the words of the language (partner-center.md section 3.4).
const HELP_WORDS: [&str; 6] = [
    "workload-specific value proposition",
    "customer technical architecture",
    "proof of concept or demo",
    "quotes or licensing",
    "post-sales customer success",
    "general or other",
];

/// The words of the language for a code or a picklist value: all spell them alike but for blanks, dashes and capitals.
pub fn help_words(code: &str) -> String {
    let bare = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let wanted = bare(code);
    let known = HELP_WORDS.into_iter().find(|words| bare(words) == wanted);
    known.map_or_else(String::new, str::to_owned)
}

/// The texts under one key of a referral's list of objects, sorted.
pub fn entries_in_pc(referral: &Record, pointer: &str, key: &str) -> Vec<String> {
    let list = referral.get(pointer).as_array().map_or(&[][..], Vec::as_slice);
    let mut texts: Vec<String> = list
        .iter()
        .filter_map(|entry| entry.get(key).and_then(Value::as_str).map(str::to_owned))
        .collect();
    texts.sort();
    texts
}
