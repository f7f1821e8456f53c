//! How Salesforce spells things: field names of the co-sell package (salesforce.md section 6), SOQL texts, help labels.

use crate::deal::Help;
use crate::settings::SalesforceSettings;

pub(super) const SYNC: &str = "Sync_With_Partner_Center__c";
pub(super) const REFERRAL: &str = "Referral_Identifier__c";
pub(super) const LINK: &str = "Referral_Link__c";
pub(super) const AUDIT: &str = "Audit__c";
pub(super) const HELP: &str = "How_can_Microsoft_help__c";
pub(super) const VISIBLE: &str = "Referral_visible_to_Microsoft_sellers__c";
pub(super) const MSX: &str = "Microsoft_CRM_Identifier__c";
pub(super) const COUNT: &str = "Solution_Count__c";

/// A text as a SOQL literal (salesforce.md section 4).
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => literal.extend(['\\', letter]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// A text as a SOQL literal, or `null`.
pub(super) fn quoted_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

/// The fields that are read of an opportunity, each once.
pub(super) fn opportunity_fields(settings: &SalesforceSettings) -> String {
    let mut fields = vec![
        "Id",
        "Name",
        "StageName",
        "IsClosed",
        "IsWon",
        "LastModifiedDate",
        "SystemModstamp",
        SYNC,
        REFERRAL,
        LINK,
        AUDIT,
        HELP,
        VISIBLE,
        MSX,
        COUNT,
    ];
    let configured = [
        Some(settings.closing_date_field.as_str()),
        Some(settings.notes_field.as_str()),
        Some(settings.value_field.as_str()),
        settings.currency_field.as_deref(),
    ];
    for field in configured.into_iter().flatten() {
        if !fields.iter().any(|known| known.eq_ignore_ascii_case(field)) {
            fields.push(field);
        }
    }
    fields.join(",")
}

/// The picklist value of a kind of help (partner-center.md section 3.4).
pub(super) fn help_label(help: Help) -> &'static str {
    match help {
        Help::WorkloadSpecificValueProposition => "Workload Specific Value Proposition",
        Help::CustomerTechnicalArchitecture => "Customer Technical Architecture",
        Help::ProofOfConceptOrDemo => "Proof Of Concept or Demo",
        Help::QuotesOrLicensing => "Quotes or Licensing",
        Help::PostSalesCustomerSuccess => "Post Sales Customer Success",
        Help::GeneralOrOther => "General or Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_break_out_of_its_literal() {
        assert_eq!(quoted("O'Neil\\ \n"), "'O\\'Neil\\\\ \\n'");
    }
}
