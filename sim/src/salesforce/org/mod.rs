//! Which objects and fields an org has, given its switches.
//!
//! The fields stand in tables beside this file; rows and behaviour stand elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::model::{Field, Object};
use super::settings::Settings;

const STANDARD: &str = include_str!("standard.tsv");
const PACKAGE: &str = include_str!("package.tsv");
const CURRENCY: &str = include_str!("currency.tsv");

/// Name, prefix of identifiers, and whether it belongs to the set-up. Prefixes: salesforce.md section 3.1. Assumed: those of
/// custom objects, which each org allots on its own.
const OBJECTS: [(&str, [u8; 3], bool); 13] = [
    ("Account", *b"001", false),
    ("Contact", *b"003", false),
    ("Lead", *b"00Q", false),
    ("Microsoft_Solution_Detail__c", *b"a00", false),
    ("Microsoft_Solutions__c", *b"a01", false),
    ("Opportunity", *b"006", false),
    ("OpportunityContactRole", *b"00K", false),
    ("OpportunityStage", *b"01J", true),
    ("Organization", *b"00D", true),
    ("Partner_Role__c", *b"a04", false),
    ("Solution_Area__c", *b"a02", false),
    ("Solution_Play__c", *b"a03", false),
    ("User", *b"005", true),
];

/// Standard objects that every org has and that are not simulated: asking for one is refused, not denied.
const NOT_SIMULATED: [&str; 34] = [
    "AccountContactRole",
    "Asset",
    "Attachment",
    "Campaign",
    "CampaignMember",
    "Case",
    "ContentDocument",
    "ContentDocumentLink",
    "ContentNote",
    "ContentVersion",
    "Contract",
    "CurrencyType",
    "Event",
    "FieldPermissions",
    "Group",
    "Note",
    "OpportunityFieldHistory",
    "OpportunityHistory",
    "OpportunityLineItem",
    "OpportunityTeamMember",
    "Order",
    "Partner",
    "PermissionSet",
    "Pricebook2",
    "PricebookEntry",
    "Product2",
    "Profile",
    "PushTopic",
    "Quote",
    "RecordType",
    "Task",
    "UserRole",
    "EntityDefinition",
    "FieldDefinition",
];

/// Fields that some org has on a simulated object and that are not in the tables: refused, not denied. The set-up objects
/// carry only a few of their fields, so for them every standard name is.
pub(crate) fn is_known_elsewhere(object: &Object, field: &str) -> bool {
    object.setup && !field.to_ascii_lowercase().ends_with("__c")
}

/// The objects of one org. It never changes while the org lives.
#[derive(Debug)]
pub(crate) struct Org {
    /// The objects, by name.
    pub(crate) objects: Vec<Object>,
    by_name: BTreeMap<String, usize>,
}

impl Org {
    /// The org for these switches. The four variants are built once per process: a run needs a world in microseconds.
    pub(crate) fn of(settings: &Settings) -> Arc<Self> {
        static VARIANTS: [OnceLock<Arc<Org>>; 4] = [const { OnceLock::new() }; 4];
        let variant = usize::from(settings.package_installed) + 2 * usize::from(settings.multi_currency);
        Arc::clone(VARIANTS[variant].get_or_init(|| Arc::new(Self::build(settings))))
    }

    fn build(settings: &Settings) -> Self {
        let mut fields: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
        let tables = [
            (STANDARD, true),
            (PACKAGE, settings.package_installed),
            (CURRENCY, settings.multi_currency),
        ];
        for (table, _) in tables.into_iter().filter(|(_, present)| *present) {
            for line in table.lines().filter(|line| !line.starts_with('#')).skip(1) {
                let cells: Vec<&str> = line.split('\t').collect();
                if let [object, name, rest @ ..] = cells.as_slice()
                    && let Some(field) = Field::from_line(name, rest)
                {
                    fields.entry(object).or_default().push(field);
                }
            }
        }
        let package = |name: &str| name.ends_with("__c");
        let objects: Vec<Object> = OBJECTS
            .into_iter()
            .filter(|(name, ..)| settings.package_installed || !package(name))
            .map(|(name, prefix, setup)| Object::new(name, prefix, setup, fields.remove(name).unwrap_or_default()))
            .collect();
        let names = |(place, object): (usize, &Object)| {
            [(object.name.clone(), place), (object.name.to_ascii_lowercase(), place)]
        };
        let by_name = objects.iter().enumerate().flat_map(names).collect();
        Self { objects, by_name }
    }

    /// The place of the object of that name, in any case.
    pub(crate) fn object(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(place) => Some(*place),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    /// Whether the name is of a standard object that is not simulated.
    pub(crate) fn is_not_simulated(name: &str) -> bool {
        NOT_SIMULATED.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::model::Kind;

    #[test]
    fn every_line_of_the_tables_is_a_field_of_an_object() {
        let org = Org::of(&Settings::default());
        let lines = [STANDARD, PACKAGE, CURRENCY]
            .into_iter()
            .flat_map(str::lines)
            .filter(|line| !line.starts_with('#') && !line.starts_with("object\t"))
            .count();
        assert_eq!(
            org.objects.iter().map(|object| object.fields.len()).sum::<usize>(),
            lines
        );
    }

    #[test]
    fn every_object_has_its_system_fields_and_its_own_prefix() {
        let org = Org::of(&Settings::default());
        let prefixes: std::collections::BTreeSet<_> = org.objects.iter().map(|object| object.prefix).collect();
        assert_eq!(prefixes.len(), org.objects.len());
        for object in &org.objects {
            for name in [
                "Id",
                "CreatedDate",
                "CreatedById",
                "LastModifiedDate",
                "LastModifiedById",
                "SystemModstamp",
            ] {
                assert!(object.field(name).is_some(), "{}.{name}", object.name);
            }
        }
    }

    #[test]
    fn switches_take_fields_and_objects_away() {
        let plain = Org::of(&Settings {
            multi_currency: false,
            package_installed: false,
            ..Settings::default()
        });
        let opportunity = &plain.objects[plain.object("opportunity").unwrap()];
        assert_eq!(opportunity.field("CurrencyIsoCode"), None);
        assert_eq!(opportunity.field("Sync_With_Partner_Center__c"), None);
        assert_eq!(plain.object("Microsoft_Solutions__c"), None);
        let full = Org::of(&Settings::default());
        let opportunity = &full.objects[full.object("OPPORTUNITY").unwrap()];
        let audit = opportunity.field("audit__c").unwrap();
        assert!(matches!(opportunity.fields[audit].kind, Kind::Text(_, 100_000)));
        assert!(!opportunity.fields[audit].filterable);
        assert!(opportunity.fields[opportunity.field("Referral_Identifier__c").unwrap()].indexed);
    }
}
