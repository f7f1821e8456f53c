//! The solution's environment variables (partner-center.md section 8.3; product.md M7 to M11): what each is called, which CRM's
//! edition has it, its default, and what it sets.
//!
//! A current value overrides the default value. Schema names were not found: variables go by their display names.

use super::{CrmSettings, Settings};

/// What a variable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Yes` or `No`.
    YesNo,
    /// The API name of a field.
    Field,
    /// The name of a stage.
    Stage,
}

/// Whether an edition has a variable, and its printed default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It has not.
    No,
    /// It has, and prints no default.
    WithoutDefault,
    /// It has, with this default.
    With(&'static str),
}

/// An environment variable of the solution.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its display name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// In the solution for Salesforce.
    pub salesforce: Offered,
    /// In the solution for Dynamics 365.
    pub dynamics: Offered,
}

/// Every variable.
pub const VARIABLES: [Variable; 7] = [
    Variable {
        name: "Display check mark in the opportunity name",
        kind: Kind::YesNo,
        salesforce: Offered::With("Yes"),
        dynamics: Offered::With("Yes"),
    },
    Variable {
        name: "Deal value (field name)",
        kind: Kind::Field,
        salesforce: Offered::With("Amount"),
        dynamics: Offered::With("estimatedvalue"),
    },
    Variable {
        name: "Deal value currency code (field name)",
        kind: Kind::Field,
        salesforce: Offered::With("CurrencyIsoCode"),
        dynamics: Offered::No,
    },
    Variable {
        name: "Customer Account Country Code (field name)",
        kind: Kind::Field,
        salesforce: Offered::With("BillingCountry"),
        dynamics: Offered::With("address1_country"),
    },
    Variable {
        name: "Active stage name",
        kind: Kind::Stage,
        salesforce: Offered::WithoutDefault,
        dynamics: Offered::No,
    },
    Variable {
        name: "On-hold stage name",
        kind: Kind::Stage,
        salesforce: Offered::WithoutDefault,
        dynamics: Offered::No,
    },
    Variable {
        name: "Sync Co-sell opportunity",
        kind: Kind::YesNo,
        salesforce: Offered::WithoutDefault,
        dynamics: Offered::No,
    },
];

impl Variable {
    /// Whether the edition for a CRM has it.
    pub fn offered(&self, crm: &CrmSettings) -> Offered {
        match crm {
            CrmSettings::Salesforce(_) => self.salesforce,
            CrmSettings::Dataverse(_) => self.dynamics,
        }
    }

    /// Its value under these settings, as the solution shows it; none where the edition does not have it.
    pub fn current(&self, settings: &Settings) -> Option<String> {
        if self.offered(&settings.crm) == Offered::No {
            return None;
        }
        let yes_no = |yes: bool| if yes { "Yes" } else { "No" }.to_owned();
        let salesforce = match &settings.crm {
            CrmSettings::Salesforce(salesforce) => Some(salesforce),
            CrmSettings::Dataverse(_) => None,
        };
        match self.name {
            "Display check mark in the opportunity name" => Some(yes_no(settings.display_check_mark)),
            "Sync Co-sell opportunity" => Some(yes_no(settings.sync_cosell_only)),
            "Deal value (field name)" => Some(settings.crm.value_field().to_owned()),
            "Customer Account Country Code (field name)" => Some(settings.crm.country_field().to_owned()),
            "Deal value currency code (field name)" => salesforce?.currency_field.clone(),
            "Active stage name" => Some(salesforce?.active_stage.clone()),
            "On-hold stage name" => Some(salesforce?.on_hold_stage.clone()),
            _ => None,
        }
    }

    /// Gives it a current value; the fault otherwise.
    pub(super) fn set(&self, settings: &mut Settings, value: &str) -> Result<(), &'static str> {
        if self.offered(&settings.crm) == Offered::No {
            return Err("is no variable of the solution for this CRM");
        }
        let yes_no = match value {
            "Yes" | "yes" => Some(true),
            "No" | "no" => Some(false),
            _ => None,
        };
        if self.kind == Kind::YesNo && yes_no.is_none() {
            return Err("must be `Yes` or `No`");
        }
        match (self.name, yes_no) {
            ("Display check mark in the opportunity name", Some(yes)) => settings.display_check_mark = yes,
            ("Sync Co-sell opportunity", Some(yes)) => settings.sync_cosell_only = yes,
            (name, _) => settings.crm.set_name(name, value),
        }
        Ok(())
    }
}

impl CrmSettings {
    /// The opportunity's field of the deal value.
    pub fn value_field(&self) -> &str {
        match self {
            Self::Salesforce(crm) => &crm.value_field,
            Self::Dataverse(crm) => &crm.value_field,
        }
    }

    /// The account's field of the country.
    pub fn country_field(&self) -> &str {
        match self {
            Self::Salesforce(crm) => &crm.country_field,
            Self::Dataverse(crm) => &crm.country_field,
        }
    }

    fn set_name(&mut self, variable: &str, value: &str) {
        let value = value.to_owned();
        match (self, variable) {
            (Self::Salesforce(crm), "Deal value (field name)") => crm.value_field = value,
            (Self::Salesforce(crm), "Deal value currency code (field name)") => crm.currency_field = Some(value),
            (Self::Salesforce(crm), "Customer Account Country Code (field name)") => crm.country_field = value,
            (Self::Salesforce(crm), "Active stage name") => crm.active_stage = value,
            (Self::Salesforce(crm), "On-hold stage name") => crm.on_hold_stage = value,
            (Self::Dataverse(crm), "Deal value (field name)") => crm.value_field = value,
            (Self::Dataverse(crm), "Customer Account Country Code (field name)") => crm.country_field = value,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{DataverseSettings, PartnerCenterSettings, SalesforceSettings, Secret};

    fn settings() -> [Settings; 2] {
        let crms = [
            CrmSettings::Salesforce(SalesforceSettings::new("https://a", "c", Secret::new("s"))),
            CrmSettings::Dataverse(DataverseSettings::new("https://a", "t", "c", Secret::new("s"))),
        ];
        crms.map(|crm| {
            Settings::new(
                PartnerCenterSettings::new("t", "c", Secret::new("s"), Secret::new("r")),
                crm,
            )
        })
    }

    #[test]
    fn the_defaults_are_those_that_the_solution_prints() {
        for settings in settings() {
            for variable in &VARIABLES {
                match variable.offered(&settings.crm) {
                    Offered::With(default) => assert_eq!(variable.current(&settings).as_deref(), Some(default)),
                    Offered::WithoutDefault => assert!(variable.current(&settings).is_some(), "{}", variable.name),
                    Offered::No => assert_eq!(variable.current(&settings), None),
                }
            }
        }
    }

    #[test]
    fn a_current_value_is_taken_or_refused_by_type_and_edition() {
        for mut settings in settings() {
            for variable in &VARIABLES {
                let value = if variable.kind == Kind::YesNo { "No" } else { "Other__c" };
                let taken = variable.set(&mut settings, value);
                assert_eq!(
                    taken.is_ok(),
                    variable.offered(&settings.crm) != Offered::No,
                    "{}",
                    variable.name
                );
                assert_eq!(variable.current(&settings).as_deref(), taken.ok().map(|()| value));
                if variable.kind == Kind::YesNo {
                    assert!(variable.set(&mut settings, "perhaps").is_err());
                }
            }
        }
    }
}
