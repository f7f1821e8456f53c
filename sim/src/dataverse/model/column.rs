//! One column: its names, what it holds, who may write it, and where a lookup points.
//!
//! How columns are put together stands elsewhere.

use super::super::cell::Cell;
use super::super::{OwnColumn, OwnColumnKind};
use super::{ChoiceSet, Name};

/// One column.
#[derive(Clone, Debug)]
pub(in crate::dataverse) struct Column {
    /// The logical name: `customerid`.
    pub(in crate::dataverse) name: Name,
    /// The name in the schema: `CustomerId`.
    pub(in crate::dataverse) schema: Name,
    /// The name under which it is read and filtered: `_customerid_value` for a lookup, else the logical name.
    pub(in crate::dataverse) wire: Name,
    /// What people read.
    pub(in crate::dataverse) label: &'static str,
    /// What it holds.
    pub(in crate::dataverse) kind: Kind,
    /// What metadata call its type.
    pub(in crate::dataverse) attribute: Attribute,
    /// How text or time is meant to be shown: `Email`, `Url`, `DateOnly`. Empty for others.
    pub(in crate::dataverse) format: &'static str,
    /// How much a value is asked for.
    pub(in crate::dataverse) required: Required,
    /// Whether a request may set it. Values for others are ignored.
    pub(in crate::dataverse) settable: bool,
    /// Whether it can be read at all: what is secret cannot.
    pub(in crate::dataverse) readable: bool,
    /// Whether look-ups by its value are fast.
    pub(in crate::dataverse) indexed: bool,
    /// The value of a new row.
    pub(in crate::dataverse) default: Cell,
    /// What people read for no and yes.
    pub(in crate::dataverse) labels: (&'static str, &'static str),
    /// For a lookup: one way to bind it for each table that it may point to.
    pub(in crate::dataverse) navigations: Vec<Navigation>,
}

/// A way to bind a lookup: `customerid_account@odata.bind`.
#[derive(Clone, Debug)]
pub(in crate::dataverse) struct Navigation {
    /// The single-valued navigation property, case as in the schema.
    pub(in crate::dataverse) name: Name,
    /// The logical name of the table that it points to.
    pub(in crate::dataverse) target: Name,
    /// The relationship, and with it the collection on the other side: `opportunity_customer_accounts`.
    pub(in crate::dataverse) relationship: Name,
    /// What happens to a row when the one that it points to is deleted.
    pub(in crate::dataverse) on_delete: OnDelete,
}

/// What happens to a row when the one that it points to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// The lookup is cleared.
    RemoveLink,
    /// The deletion is refused.
    Restrict,
}

/// How much a value is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Required {
    /// Not at all.
    None,
    /// Forms recommend it.
    Recommended,
    /// Forms ask for it.
    Application,
    /// The platform demands it.
    System,
}

impl Required {
    /// The word in metadata.
    pub(in crate::dataverse) fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Recommended => "Recommended",
            Self::Application => "ApplicationRequired",
            Self::System => "SystemRequired",
        }
    }
}

/// What metadata call a column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Attribute {
    Uniqueidentifier,
    String,
    Memo,
    EntityName,
    Boolean,
    Integer,
    BigInt,
    Picklist,
    MultiSelectPicklist,
    State,
    Status,
    Money,
    Decimal,
    Double,
    DateTime,
    Lookup,
    Customer,
    Owner,
}

impl Attribute {
    /// The `AttributeType` in metadata. A choice of several values is `Virtual` there.
    pub(in crate::dataverse) fn name(self) -> &'static str {
        match self {
            Self::Uniqueidentifier => "Uniqueidentifier",
            Self::String => "String",
            Self::Memo => "Memo",
            Self::EntityName => "EntityName",
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::BigInt => "BigInt",
            Self::Picklist => "Picklist",
            Self::MultiSelectPicklist => "Virtual",
            Self::State => "State",
            Self::Status => "Status",
            Self::Money => "Money",
            Self::Decimal => "Decimal",
            Self::Double => "Double",
            Self::DateTime => "DateTime",
            Self::Lookup => "Lookup",
            Self::Customer => "Customer",
            Self::Owner => "Owner",
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Kind {
    /// The primary key.
    Key,
    /// Any other identifier that points to nothing here.
    Guid,
    /// Text up to so many UTF-16 units.
    Text { max: usize },
    /// Yes or no.
    Bool,
    /// A whole number within bounds.
    Int { min: i64, max: i64 },
    /// One of a list of numbers.
    Choice { set: &'static ChoiceSet },
    /// Several of a list of numbers, kept as text: ascending, parted by commas.
    Choices { set: &'static ChoiceSet },
    /// `statecode`.
    State,
    /// `statuscode`.
    Status,
    /// Money in the row's currency, within ± the bound.
    Money { bound: i64 },
    /// Money in the base currency: the twin of the money column at this distance before it.
    BaseMoney,
    /// A decimal number with so many places.
    Decimal { places: u32, bound: i64 },
    /// A day without a time.
    Date,
    /// A moment.
    Time,
    /// A reference to a row of another table.
    Lookup,
    /// The row's version.
    Version,
}

impl Kind {
    /// Decimal places in print. Money has four (dataverse.md section 2.3, documented sample).
    pub(in crate::dataverse) fn printed_places(self) -> u32 {
        if let Self::Decimal { places, .. } = self {
            places
        } else {
            4
        }
    }

    /// The name of its `OData` type, for messages.
    pub(in crate::dataverse) fn edm(self) -> &'static str {
        match self {
            Self::Key | Self::Lookup | Self::Guid => "Edm.Guid",
            Self::Text { .. } | Self::Choices { .. } => "Edm.String",
            Self::Bool => "Edm.Boolean",
            Self::Int { .. } | Self::Choice { .. } | Self::State | Self::Status => "Edm.Int32",
            Self::Version => "Edm.Int64",
            Self::Money { .. } | Self::BaseMoney | Self::Decimal { .. } => "Edm.Decimal",
            Self::Date => "Edm.Date",
            Self::Time => "Edm.DateTimeOffset",
        }
    }
}

impl Column {
    /// A column that requests may set, without a default. Its logical name is the schema's in lower case.
    pub(super) fn new(schema: &'static str, label: &'static str, kind: Kind, attribute: Attribute) -> Self {
        let name = if schema.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Name::Owned(schema.to_ascii_lowercase())
        } else {
            Name::Borrowed(schema)
        };
        Self {
            wire: name.clone(),
            name,
            schema: Name::Borrowed(schema),
            label,
            kind,
            attribute,
            format: "",
            required: Required::None,
            settable: true,
            readable: true,
            indexed: false,
            default: Cell::Null,
            labels: ("No", "Yes"),
            navigations: Vec::new(),
        }
    }

    /// A column of somebody's own. Its name in the schema is its logical name.
    pub(super) fn own(own: &OwnColumn) -> Self {
        let (kind, attribute, format) = match own.kind {
            OwnColumnKind::Money => (
                Kind::Money {
                    bound: 1_000_000_000_000,
                },
                Attribute::Money,
                "",
            ),
            OwnColumnKind::Date => (Kind::Date, Attribute::DateTime, "DateOnly"),
            OwnColumnKind::Text(max) => (Kind::Text { max }, Attribute::String, "Text"),
            OwnColumnKind::Memo(max) => (Kind::Text { max }, Attribute::Memo, "TextArea"),
        };
        let name = Name::Owned(own.name.clone());
        Self {
            wire: name.clone(),
            schema: name.clone(),
            name,
            ..Self::new("own", "A column of one's own", kind, attribute).format(format)
        }
    }

    pub(super) fn read_only(mut self) -> Self {
        self.settable = false;
        self
    }

    pub(super) fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }

    pub(super) fn format(mut self, format: &'static str) -> Self {
        self.format = format;
        self
    }

    pub(super) fn required(mut self, required: Required) -> Self {
        self.required = required;
        self
    }

    pub(super) fn default(mut self, cell: Cell) -> Self {
        self.default = cell;
        self
    }

    /// Makes it a lookup with these ways.
    pub(super) fn pointing(mut self, navigations: Vec<Navigation>) -> Self {
        self.wire = Name::Owned(format!("_{}_value", self.name));
        self.navigations = navigations;
        self.indexed()
    }

    /// The name of its `OData` type in the schema.
    pub(in crate::dataverse) fn edm(&self) -> &'static str {
        if self.attribute == Attribute::Double {
            "Edm.Double"
        } else {
            self.kind.edm()
        }
    }
}
