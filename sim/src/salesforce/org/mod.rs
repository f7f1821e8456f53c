//! Which objects and fields an org has, given its switches.
//!
//! The fields stand in tables beside this file; rows and behaviour stand elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::model::{Abilities, Field, Names, Object};
use super::settings::{Schema, Settings};

/// Values of picklists.
pub(crate) mod lists;
/// Objects and fields that an administrator declared.
mod custom;

const OBJECTS: &str = include_str!("objects.tsv");

/// The parts of an org that bring fields, each with its table.
const TABLES: [(Part, &str); 6] = [
    (Part::Standard, include_str!("standard.tsv")),
    (Part::Package, include_str!("package.tsv")),
    (Part::Currency, include_str!("currency.tsv")),
    (Part::Address, include_str!("address.tsv")),
    (Part::Team, include_str!("team.tsv")),
    (Part::Notes, include_str!("notes.tsv")),
];

/// A part of the schema that an org has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Standard,
    Package,
    Currency,
    Address,
    Team,
    Notes,
}

impl Part {
    fn from_cell(cell: &str) -> Option<Self> {
        Some(match cell {
            "-" => Self::Standard,
            "package" => Self::Package,
            "currency" => Self::Currency,
            "address" => Self::Address,
            "team" => Self::Team,
            "notes" => Self::Notes,
            _ => return None,
        })
    }

    fn is_in(self, shape: &Schema) -> bool {
        match self {
            Self::Standard => true,
            Self::Package => shape.package_installed,
            Self::Currency => shape.multi_currency,
            Self::Address => shape.state_country_picklists,
            Self::Team => shape.team_selling,
            Self::Notes => shape.notes,
        }
    }
}

/// How many schemas are kept: a process sees a handful.
const KEPT: usize = 64;

/// Standard objects that every org has and that are not simulated: asking for one is refused, not denied.
const NOT_SIMULATED: [&str; 25] = [
    "AccountContactRole",
    "Asset",
    "Attachment",
    "Campaign",
    "CampaignMember",
    "Case",
    "ContentVersion",
    "Contract",
    "Event",
    "FieldPermissions",
    "Group",
    "Note",
    "OpportunityFieldHistory",
    "OpportunityHistory",
    "OpportunityLineItem",
    "Order",
    "Partner",
    "PermissionSet",
    "Pricebook2",
    "PricebookEntry",
    "Product2",
    "Quote",
    "UserRole",
    "EntityDefinition",
    "FieldDefinition",
];

/// Fields that some org has on a simulated object and that are not in the tables: refused, not denied. The set-up objects
/// carry only a few of their fields, so for them every standard name is.
pub(crate) fn is_known_elsewhere(object: &Object, field: &str) -> bool {
    object.setup && !field.to_ascii_lowercase().ends_with("__c")
}

/// Records of another object that refer to this one's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Child {
    /// The place of the other object.
    pub(crate) object: usize,
    /// The place of its reference field.
    pub(crate) field: usize,
    /// The name under which a query reaches down; empty when it cannot.
    pub(crate) relationship: String,
}

/// The objects of one org. It never changes while the org lives.
#[derive(Debug)]
pub(crate) struct Org {
    /// The objects, by name.
    pub(crate) objects: Vec<Object>,
    /// In the order of the objects: who refers to their records, by object and field.
    pub(crate) children: Vec<Vec<Child>>,
    by_name: BTreeMap<String, usize>,
}

impl Org {
    /// The org for these switches. Each variant is built once per process: a run needs a world in microseconds.
    pub(crate) fn of(settings: &Settings) -> Arc<Self> {
        Self::of_schema(&settings.schema)
    }

    fn of_schema(schema: &Schema) -> Arc<Self> {
        static VARIANTS: Mutex<BTreeMap<Schema, Arc<Org>>> = Mutex::new(BTreeMap::new());
        let mut variants = VARIANTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = variants.get(schema) {
            return Arc::clone(known);
        }
        let built = Arc::new(Self::build(schema));
        if variants.len() == KEPT {
            variants.pop_first();
        }
        variants.insert(schema.clone(), Arc::clone(&built));
        built
    }

    fn build(schema: &Schema) -> Self {
        let mut fields: BTreeMap<String, Vec<Field>> = BTreeMap::new();
        for (_, table) in TABLES.into_iter().filter(|(part, _)| part.is_in(schema)) {
            for cells in lines(table) {
                if let [object, name, rest @ ..] = cells.as_slice()
                    && let Some(field) = Field::from_line(name, rest)
                {
                    fields.entry((*object).to_owned()).or_default().push(field);
                }
            }
        }
        let standard = lines(OBJECTS).filter_map(|cells| names(&cells, schema));
        let mut all: Vec<Names> = standard.collect();
        custom::declare(schema, &mut all, &mut fields);
        all.sort_by(|one, two| one.name.cmp(&two.name));
        for (object, name) in schema.hidden_fields.iter().filter_map(|hidden| hidden.split_once('.')) {
            let hidden = fields.get_mut(object).into_iter().flatten();
            hidden
                .filter(|field| field.name == name)
                .for_each(|field| field.hidden = true);
        }
        let objects: Vec<Object> = all
            .into_iter()
            .map(|names| {
                let own = fields.remove(&names.name).unwrap_or_default();
                Object::new(names, own)
            })
            .collect();
        let names = |(place, object): (usize, &Object)| {
            [(object.name.clone(), place), (object.name.to_ascii_lowercase(), place)]
        };
        let by_name = objects.iter().enumerate().flat_map(names).collect();
        Self {
            children: objects.iter().map(|object| children_of(object, &objects)).collect(),
            objects,
            by_name,
        }
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

impl Schema {
    /// The API names of the objects that an org of this schema has, in their order.
    pub fn object_names(&self) -> Vec<String> {
        let org = Org::of_schema(self);
        org.objects.iter().map(|object| object.name.clone()).collect()
    }

    /// The API names of an object's fields; none when the org has no object of exactly that name.
    pub fn field_names(&self, object: &str) -> Option<Vec<String>> {
        let org = Org::of_schema(self);
        let shape = org.objects.iter().find(|shape| shape.name == object)?;
        Some(shape.fields.iter().map(|field| field.name.clone()).collect())
    }
}

/// The lines of a table without its head, parted into cells.
fn lines(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split('\t').collect())
}

/// An object of the table, when the org has the part that brings it.
fn names(cells: &[&str], schema: &Schema) -> Option<Names> {
    let [name, prefix, label, plural, abilities, part] = cells else {
        return None;
    };
    Part::from_cell(part)?.is_in(schema).then(|| Names {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        plural: (*plural).to_owned(),
        prefix: prefix.as_bytes().try_into().unwrap_or(*b"000"),
        abilities: Abilities::from_cell(abilities),
    })
}

/// Who refers to an object's records.
fn children_of(object: &Object, all: &[Object]) -> Vec<Child> {
    let mut children = Vec::new();
    for (place, other) in all.iter().enumerate() {
        for (field, shape) in other.fields.iter().enumerate() {
            if let Some(reference) = shape
                .reference()
                .filter(|reference| reference.to.contains(&object.name))
            {
                children.push(Child {
                    object: place,
                    field,
                    relationship: reference.children.clone(),
                });
            }
        }
    }
    children
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::kind::Kind;

    fn everything() -> Arc<Org> {
        let mut settings = Settings::default();
        settings.schema.state_country_picklists = true;
        Org::of(&settings)
    }

    #[test]
    fn every_line_of_the_tables_is_a_field_of_an_object() {
        let org = everything();
        let lines = TABLES.into_iter().flat_map(|(_, table)| lines(table)).count();
        assert_eq!(
            org.objects.iter().map(|object| object.fields.len()).sum::<usize>(),
            lines
        );
    }

    #[test]
    fn every_object_has_its_identifier_its_time_and_its_own_prefix() {
        let org = everything();
        let prefixes: std::collections::BTreeSet<_> = org.objects.iter().map(|object| object.prefix).collect();
        assert_eq!(
            prefixes.len(),
            org.objects.len() - 1,
            "a note and its document have one identifier"
        );
        for object in &org.objects {
            for name in ["Id", "SystemModstamp"] {
                assert!(object.field(name).is_some(), "{}.{name}", object.name);
            }
        }
    }

    #[test]
    fn children_are_reached_by_the_names_of_the_describe() {
        let org = everything();
        let names = |object: &str| -> Vec<String> {
            let children = &org.children[org.object(object).unwrap()];
            let named = children.iter().filter(|child| !child.relationship.is_empty());
            named.map(|child| child.relationship.clone()).collect()
        };
        assert!(names("Account").contains(&"Contacts".to_owned()));
        for name in [
            "OpportunityContactRoles",
            "Opportunity_To_Microsoft_Solutions__r",
            "Tasks",
        ] {
            assert!(names("Opportunity").contains(&name.to_owned()), "{name}");
        }
    }

    #[test]
    fn switches_take_fields_and_objects_away() {
        let mut settings = Settings::default();
        settings.schema.multi_currency = false;
        settings.schema.package_installed = false;
        let plain = Org::of(&settings);
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
