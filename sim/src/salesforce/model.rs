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
    /// Whether only the values of [`Field::values`] are taken.
    pub(crate) restricted: bool,
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

/// One object: its names and fields.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// The API name.
    pub(crate) name: String,
    /// The first three characters of its records' identifiers.
    pub(crate) prefix: [u8; 3],
    /// Part of the set-up: readable, never written through the API here, not among the stored rows.
    pub(crate) setup: bool,
    /// The fields, in the order in which they are printed.
    pub(crate) fields: Vec<Field>,
    /// Places of the system fields.
    pub(crate) system: System,
    by_name: BTreeMap<String, usize>,
    by_relationship: BTreeMap<String, usize>,
}

/// The places of the fields that the system itself writes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct System {
    pub(crate) id: usize,
    pub(crate) deleted: Option<usize>,
    pub(crate) created: usize,
    pub(crate) created_by: usize,
    pub(crate) modified: usize,
    pub(crate) modified_by: usize,
    pub(crate) stamp: usize,
}

impl Object {
    /// An object from its fields, which must hold the system fields.
    pub(crate) fn new(name: &str, prefix: [u8; 3], setup: bool, fields: Vec<Field>) -> Self {
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        let system = System {
            id: place("Id").unwrap_or_default(),
            deleted: place("IsDeleted"),
            created: place("CreatedDate").unwrap_or_default(),
            created_by: place("CreatedById").unwrap_or_default(),
            modified: place("LastModifiedDate").unwrap_or_default(),
            modified_by: place("LastModifiedById").unwrap_or_default(),
            stamp: place("SystemModstamp").unwrap_or_default(),
        };
        // Under its own case, too: most requests write names as they are printed.
        let names =
            |(place, field): (usize, &Field)| [(field.name.clone(), place), (field.name.to_ascii_lowercase(), place)];
        let relationships = fields.iter().enumerate().filter_map(|(place, field)| {
            let reference = field
                .reference()
                .filter(|reference| !reference.relationship.is_empty())?;
            Some((reference.relationship.to_ascii_lowercase(), place))
        });
        Self {
            name: name.to_owned(),
            prefix,
            setup,
            system,
            by_name: fields.iter().enumerate().flat_map(names).collect(),
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
        [id, created, created_by, modified, modified_by, stamp].contains(&place) || deleted == Some(place)
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
        let keyed = is('x') || is('i') || matches!(name, "Name" | "SystemModstamp");
        let foreign = matches!(&kind, Kind::Reference(reference) if !reference.to.iter().any(|to| to == "User"));
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
            restricted: is('r'),
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
        })
    }
}
