//! What an object is: its fields, their types and flags, read from tables.
//!
//! It holds no rows and does not know which objects an org has: that is `org`.

use std::collections::BTreeMap;

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

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The record's own identifier.
    Id,
    /// The identifier of another record.
    Reference(Reference),
    /// One line of text, at most so many characters.
    Text(Words, usize),
    /// `true` or `false`, never empty.
    Boolean,
    /// A decimal number.
    Number {
        /// What it counts.
        measure: Measure,
        /// Digits before and after the point.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// A whole number.
    Int,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// A compound of the street, city and so on that share the prefix: `BillingAddress`. Read-only.
    Address,
}

/// What kind of text a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// Plain text.
    String,
    /// Several lines.
    TextArea,
    /// A value of a list.
    Picklist,
    /// A value of a list, or any other text.
    Combobox,
    /// Several values of a list, parted by semicolons.
    MultiPicklist,
    /// Bytes, in base64. Records print the address of the bytes instead.
    Base64,
    /// An address of a mailbox.
    Email,
    /// A telephone number.
    Phone,
    /// An address on the web.
    Url,
}

/// What a decimal number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Money.
    Currency,
    /// Hundredths.
    Percent,
    /// Anything else.
    Double,
}

/// Where a reference points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The names of the objects that it may point to.
    pub(crate) to: Vec<String>,
    /// The name under which a query walks along it; empty when it has none.
    pub(crate) relationship: String,
    /// What happens here when the target is deleted.
    pub(crate) on_delete: OnDelete,
    /// The name under which the target's queries reach down to these records; empty when it has none.
    pub(crate) children: String,
}

/// What a delete does to the records that refer to the deleted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDelete {
    /// The reference becomes empty.
    Clear,
    /// They are deleted too.
    Cascade,
    /// The delete fails.
    Restrict,
    /// What happens is not simulated.
    Refuse,
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

impl Kind {
    fn from_cells(kind: &str, size: &str, reference: &str) -> Option<Self> {
        let words = |words| Some(Self::Text(words, size.parse().ok()?));
        let number = |measure| {
            let (precision, scale) = size.split_once(',').unwrap_or(("18", "0"));
            Some(Self::Number {
                measure,
                precision: precision.parse().ok()?,
                scale: scale.parse().ok()?,
            })
        };
        match kind {
            "id" => Some(Self::Id),
            "reference" => Reference::from_cell(reference).map(Self::Reference),
            "string" => words(Words::String),
            "textarea" => words(Words::TextArea),
            "picklist" => words(Words::Picklist),
            "email" => words(Words::Email),
            "phone" => words(Words::Phone),
            "url" => words(Words::Url),
            "combobox" => words(Words::Combobox),
            "multipicklist" => words(Words::MultiPicklist),
            "base64" => words(Words::Base64),
            "boolean" => Some(Self::Boolean),
            "currency" => number(Measure::Currency),
            "percent" => number(Measure::Percent),
            "double" => number(Measure::Double),
            "int" => Some(Self::Int),
            "date" => Some(Self::Date),
            "datetime" => Some(Self::DateTime),
            "address" => Some(Self::Address),
            _ => None,
        }
    }

    /// The name that a describe gives the type.
    pub(crate) fn describe_name(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Reference(_) => "reference",
            Self::Text(Words::String, _) => "string",
            Self::Text(Words::TextArea, _) => "textarea",
            Self::Text(Words::Picklist, _) => "picklist",
            Self::Text(Words::Combobox, _) => "combobox",
            Self::Text(Words::MultiPicklist, _) => "multipicklist",
            Self::Text(Words::Email, _) => "email",
            Self::Text(Words::Phone, _) => "phone",
            Self::Text(Words::Url, _) => "url",
            Self::Text(Words::Base64, _) => "base64",
            Self::Boolean => "boolean",
            Self::Number {
                measure: Measure::Currency,
                ..
            } => "currency",
            Self::Number {
                measure: Measure::Percent,
                ..
            } => "percent",
            Self::Number {
                measure: Measure::Double,
                ..
            } => "double",
            Self::Int => "int",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Address => "address",
        }
    }

    /// Whether it is a text that is too long for an index of the vendor's: a long text area, or bytes.
    pub(crate) fn is_long_text(&self) -> bool {
        match self {
            Self::Text(Words::TextArea, length) => *length > 255,
            Self::Text(Words::Base64, _) => true,
            Self::Text(..)
            | Self::Id
            | Self::Reference(_)
            | Self::Boolean
            | Self::Number { .. }
            | Self::Int
            | Self::Date
            | Self::DateTime
            | Self::Address => false,
        }
    }

    /// The name that error messages give the type.
    pub(crate) fn soap_name(&self) -> &'static str {
        match self {
            Self::Id | Self::Reference(_) => "ID",
            Self::Text(..) => "string",
            Self::Boolean => "boolean",
            Self::Number { .. } => "double",
            Self::Int => "int",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Address => "address",
        }
    }
}

impl Reference {
    fn from_cell(cell: &str) -> Option<Self> {
        let mut parts = cell.split(':');
        let (to, relationship, on_delete) = (parts.next()?, parts.next()?, parts.next()?);
        let on_delete = match on_delete {
            "clear" => OnDelete::Clear,
            "cascade" => OnDelete::Cascade,
            "restrict" => OnDelete::Restrict,
            "refuse" => OnDelete::Refuse,
            _ => return None,
        };
        Some(Self {
            to: to.split(',').map(str::to_owned).collect(),
            relationship: relationship.to_owned(),
            on_delete,
            children: parts.next().unwrap_or_default().to_owned(),
        })
    }
}
