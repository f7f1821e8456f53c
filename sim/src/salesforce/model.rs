//! What an object is: its fields and flags, read from tables.
//!
//! It holds no rows and does not know which objects an org has: that is `org`.

use std::collections::BTreeMap;

use super::kind::{Kind, Reference};

/// One field of an object, as a describe would tell it.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The API name, in the case in which it is printed.
    pub(crate) name: String,
    /// The name on the screen, which several error messages use.
    pub(crate) label: String,
    /// The type.
    pub(crate) kind: Kind,
    /// Whether it may be empty.
    pub(crate) nillable: bool,
    /// Whether a create may leave it out although it cannot be empty.
    pub(crate) defaulted: bool,
    /// Whether a create may name it.
    pub(crate) createable: bool,
    /// Whether an update may name it.
    pub(crate) updateable: bool,
    /// Whether a query may filter by it.
    pub(crate) filterable: bool,
    /// Whether a query may sort by it.
    pub(crate) sortable: bool,
    /// Whether the store keeps an index over it.
    pub(crate) indexed: bool,
    /// Whether `upsert` may find records by it.
    pub(crate) external: bool,
    /// Whether a record may be named by it where an identifier is asked for.
    pub(crate) id_lookup: bool,
    /// Whether only the values of [`Field::values`] are taken.
    pub(crate) restricted: bool,
    /// Whether no two records may hold the same value.
    pub(crate) unique: bool,
    /// Whether it is the record's name: on screens, in `recent`.
    pub(crate) is_name: bool,
    /// Whether the org numbers the records by it.
    pub(crate) auto_number: bool,
    /// Whether field-level security hides it from every profile that uses the API.
    pub(crate) hidden: bool,
    /// The picklist.
    pub(crate) values: Vec<String>,
}

/// What can be done with an object, as a describe tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abilities(u32);

impl Abilities {
    /// Reads the letters of a table's cell. The letters are explained at the head of `objects.tsv`.
    pub(crate) fn from_cell(cell: &str) -> Self {
        let bits = cell.bytes().filter_map(Self::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }

    /// Whether the letter stands in the cell.
    pub(crate) fn has(self, letter: u8) -> bool {
        Self::bit(letter).is_some_and(|bit| self.0 & bit != 0)
    }

    fn bit(letter: u8) -> Option<u32> {
        const LETTERS: &[u8] = b"cudnqrRstlmfMSb";
        LETTERS
            .iter()
            .position(|known| *known == letter)
            .map(|place| 1 << place)
    }
}

/// The names of an object.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The API name.
    pub(crate) name: String,
    /// On the screen, one of them.
    pub(crate) label: String,
    /// On the screen, several.
    pub(crate) plural: String,
    /// The first three characters of its records' identifiers.
    pub(crate) prefix: [u8; 3],
    /// What can be done with it.
    pub(crate) abilities: Abilities,
}

/// One object: its names and fields.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// The API name.
    pub(crate) name: String,
    /// On the screen, one of them.
    pub(crate) label: String,
    /// On the screen, several.
    pub(crate) plural: String,
    /// The first three characters of its records' identifiers.
    pub(crate) prefix: [u8; 3],
    /// What can be done with it.
    pub(crate) abilities: Abilities,
    /// Part of the set-up: readable, never written through the API here, not among the stored rows.
    pub(crate) setup: bool,
    /// The fields, in the order in which they are printed.
    pub(crate) fields: Vec<Field>,
    /// Places of the system fields.
    pub(crate) system: System,
    /// Places of the fields that the API shows.
    pub(crate) visible: Vec<usize>,
    by_name: BTreeMap<String, usize>,
    by_relationship: BTreeMap<String, usize>,
}

/// The places of the fields that the system itself writes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct System {
    pub(crate) id: usize,
    pub(crate) deleted: Option<usize>,
    pub(crate) created: Option<usize>,
    pub(crate) created_by: Option<usize>,
    pub(crate) modified: Option<usize>,
    pub(crate) modified_by: Option<usize>,
    pub(crate) stamp: Option<usize>,
}

impl Object {
    /// An object from its fields, which must hold the system fields.
    pub(crate) fn new(names: Names, fields: Vec<Field>) -> Self {
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        let system = System {
            id: place("Id").unwrap_or_default(),
            deleted: place("IsDeleted"),
            created: place("CreatedDate"),
            created_by: place("CreatedById"),
            modified: place("LastModifiedDate"),
            modified_by: place("LastModifiedById"),
            stamp: place("SystemModstamp"),
        };
        // Under its own case, too: most requests write names as they are printed.
        let spellings =
            |(place, field): (usize, &Field)| [(field.name.clone(), place), (field.name.to_ascii_lowercase(), place)];
        let relationships = fields.iter().enumerate().filter_map(|(place, field)| {
            let reference = field
                .reference()
                .filter(|reference| !reference.relationship.is_empty())?;
            Some((reference.relationship.to_ascii_lowercase(), place))
        });
        let seen = fields.iter().enumerate().filter(|(_, field)| !field.hidden);
        Self {
            name: names.name,
            label: names.label,
            plural: names.plural,
            prefix: names.prefix,
            abilities: names.abilities,
            setup: names.abilities.has(b'S'),
            system,
            visible: seen.map(|(place, _)| place).collect(),
            by_name: fields.iter().enumerate().flat_map(spellings).collect(),
            by_relationship: relationships.collect(),
            fields,
        }
    }

    /// The place of the field of that name, in any case.
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        match self.by_name.get(name) {
            Some(place) => Some(*place),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    /// The place of the field of that name, unless field-level security hides it.
    pub(crate) fn seen(&self, name: &str) -> Option<usize> {
        self.field(name).filter(|place| !self.fields[*place].hidden)
    }

    /// Whether it is no standard object.
    pub(crate) fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// The place of the field that names a record.
    pub(crate) fn name_field(&self) -> Option<usize> {
        self.fields.iter().position(|field| field.is_name)
    }

    /// The place of the reference field behind a relationship name, in any case.
    pub(crate) fn relationship(&self, name: &str) -> Option<usize> {
        self.by_relationship.get(&name.to_ascii_lowercase()).copied()
    }

    /// Whether the field at that place is one that only the system writes, or tells when or by whom.
    pub(crate) fn is_system(&self, place: usize) -> bool {
        let System {
            id,
            deleted,
            created,
            created_by,
            modified,
            modified_by,
            stamp,
        } = self.system;
        id == place || [deleted, created, created_by, modified, modified_by, stamp].contains(&Some(place))
    }
}

impl Field {
    /// Where it points, when it is a reference.
    pub(crate) fn reference(&self) -> Option<&Reference> {
        match &self.kind {
            Kind::Reference(reference) => Some(reference),
            Kind::Id
            | Kind::Text(..)
            | Kind::Boolean
            | Kind::Number { .. }
            | Kind::Int
            | Kind::Date
            | Kind::DateTime
            | Kind::Address => None,
        }
    }

    /// One line of a table: label, type, size, flags, reference, picklist, parted by tabs. `None` when it is not such a line.
    pub(crate) fn from_line(name: &str, rest: &[&str]) -> Option<Self> {
        let [label, kind, size, flags, reference, values] = rest else {
            return None;
        };
        let is = |flag: char| flags.contains(flag);
        let kind = Kind::from_cells(kind, size, reference)?;
        let keyed = is('x') || is('i') || is('q') || matches!(name, "Name" | "SystemModstamp");
        let foreign = matches!(&kind, Kind::Reference(reference) if reference.to.iter().any(|to| !matches!(to.as_str(), "User" | "Group")));
        let values = match *values {
            "-" => Vec::new(),
            list => list
                .split(';')
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        Some(Self {
            name: name.to_owned(),
            label: (*label).to_owned(),
            indexed: kind != Kind::Id && (keyed || foreign),
            kind,
            nillable: is('n'),
            defaulted: is('d'),
            createable: is('c'),
            updateable: is('u'),
            filterable: is('f'),
            sortable: is('s'),
            external: is('x'),
            id_lookup: is('i'),
            restricted: is('r'),
            unique: is('q'),
            is_name: is('N') || name == "Name",
            auto_number: is('a'),
            hidden: false,
            values,
        })
    }
}
