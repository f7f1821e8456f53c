//! How Dataverse spells things: columns of the co-sell solution (partner-center.md section 8.4) and of the standard tables.
//!
//! The solutions' child table is assumed: its name was not found.

use crate::deal::Help;
use crate::settings::DataverseSettings;

pub(super) const SYNC: &str = "msft_microsoftpartnercenterreferralsync";
pub(super) const REFERRAL: &str = "msft_microsoftpartnercenterreferralidentifier";
pub(super) const LINK: &str = "msft_microsoftpartnercenterreferrallink";
pub(super) const AUDIT: &str = "msft_microsoftpartnercenterreferralsyncaudit";
pub(super) const HELP: &str = "msft_microsoftpartnercenterhelp";
pub(super) const VISIBLE: &str = "msft_microsoftpartnercenterreferralvisible";
pub(super) const MSX: &str = "msft_microsoftcrmidentifier";

/// The solutions' child table. Assumed.
pub(super) const SOLUTIONS: &str = "msft_partnercentersolutions";

/// A text as an `OData` literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text as an `OData` literal, or `null`.
pub(super) fn quoted_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quoted)
}

/// The columns that are read of an opportunity, each once.
pub(super) fn opportunity_columns(settings: &DataverseSettings) -> String {
    let mut columns = vec![
        "opportunityid",
        "name",
        "statecode",
        "statuscode",
        "_transactioncurrencyid_value",
        "modifiedon",
        SYNC,
        REFERRAL,
        LINK,
        AUDIT,
        HELP,
        VISIBLE,
        MSX,
    ];
    for configured in [
        &settings.closing_date_field,
        &settings.notes_field,
        &settings.value_field,
    ] {
        if !columns.contains(&configured.as_str()) {
            columns.push(configured);
        }
    }
    columns.join(",")
}

/// The choice value of a kind of help. Assumed: in the order of partner-center.md section 3.4.
pub(super) fn help_choice(settings: &DataverseSettings, help: Help) -> i64 {
    let place = Help::ALL.iter().zip(0..).find(|(known, _)| **known == help);
    settings.first_help_choice + place.map_or(0, |(_, place)| place)
}
