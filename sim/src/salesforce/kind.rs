//! The types of fields, as a table names them and as a describe tells them.
//!
//! Which field is of which type stands in `model`.

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
}

impl Kind {
    pub(crate) fn from_cells(kind: &str, size: &str, reference: &str) -> Option<Self> {
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
