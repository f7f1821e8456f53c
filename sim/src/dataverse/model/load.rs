//! The text tables as tables of the model.
//!
//! Their form is explained in each file's head. They are compiled in, so a fault in one is a fault of this crate and is
//! raised at once; the tests load all of them.

use super::super::amount::Amount;
use super::super::cell::Cell;
use super::build::{Builder, Head};
use super::choice::{choice, states};
use super::{Attribute, Column, Kind, Name, Navigation, OnDelete, Ownership, Required, SOLUTIONS_TABLE, Table};

const COLUMNS: [&str; 3] = [
    include_str!("people.tsv"),
    include_str!("sales.tsv"),
    include_str!("platform.tsv"),
];

/// The lines of a text table after its head, cut into so many cells. Cells that a line leaves out are `-`.
pub(super) fn lines<const CELLS: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; CELLS]> {
    let plain = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    plain.skip(1).map(|line| {
        let mut cells = ["-"; CELLS];
        for (place, cell) in line.split('\t').take(CELLS).enumerate() {
            cells[place] = cell;
        }
        cells
    })
}

/// A many-to-many relationship as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) relationship: &'static str,
    pub(super) intersect: &'static str,
    pub(super) set: &'static str,
    /// Table, column of the intersect table, navigation property.
    pub(super) sides: [(&'static str, &'static str, &'static str); 2],
}

/// Every many-to-many relationship.
pub(super) fn many() -> Vec<Pair> {
    lines::<9>(include_str!("many.tsv"))
        .map(|cells| {
            let [
                relationship,
                intersect,
                set,
                one,
                one_column,
                one_way,
                other,
                other_column,
                other_way,
            ] = cells;
            Pair {
                relationship,
                intersect,
                set,
                sides: [(one, one_column, one_way), (other, other_column, other_way)],
            }
        })
        .collect()
}

/// Every table but those of pairs. The child table of co-sell solutions gets the given logical name, and its columns
/// that name's prefix (dataverse.md section 5: neither was found).
pub(super) fn tables(solutions_table: &str) -> Vec<Table> {
    lines::<11>(include_str!("tables.tsv"))
        .map(|cells| {
            let logical = cells[0];
            let renamed = |name: &'static str| {
                if logical == SOLUTIONS_TABLE {
                    rename(name, solutions_table)
                } else {
                    Name::Borrowed(name)
                }
            };
            let mut builder = Builder::new(head(&cells, renamed));
            for line in COLUMNS.iter().flat_map(|text| lines::<9>(text)) {
                if line[0] == logical {
                    for column in columns(&line) {
                        builder.push(rename_column(column, &renamed));
                    }
                }
            }
            builder.build()
        })
        .collect()
}

fn head(cells: &[&'static str; 11], renamed: impl Fn(&'static str) -> Name) -> Head {
    let [
        logical,
        set,
        schema,
        label,
        labels,
        key,
        name,
        owner,
        code,
        flags,
        machine,
    ] = *cells;
    Head {
        logical: renamed(logical),
        set: renamed(set),
        schema: renamed(schema),
        labels: (label, labels),
        key: renamed(key),
        name: renamed(name),
        ownership: match owner {
            "user" => Ownership::User,
            "unit" => Ownership::Unit,
            _ => Ownership::Organisation,
        },
        code: whole(code),
        flags,
        states: states(machine),
    }
}

/// A name of the solutions table under the configured one: `msft_partnercentersolution` as a whole, and else the prefix.
fn rename(name: &'static str, solutions_table: &str) -> Name {
    let is_default = solutions_table == SOLUTIONS_TABLE;
    let lower = name.to_ascii_lowercase();
    if is_default {
        return Name::Borrowed(name);
    }
    if let Some(rest) = lower.strip_prefix(SOLUTIONS_TABLE) {
        return Name::Owned(format!("{solutions_table}{rest}"));
    }
    let prefix = solutions_table.split_once('_').map_or("", |(prefix, _)| prefix);
    match name.strip_prefix("msft_") {
        Some(rest) if !prefix.is_empty() => Name::Owned(format!("{prefix}_{rest}")),
        Some(rest) => Name::Borrowed(rest),
        None => Name::Borrowed(name),
    }
}

fn rename_column(mut column: Column, renamed: &impl Fn(&'static str) -> Name) -> Column {
    let again = |name: &Name| match name {
        Name::Borrowed(name) => renamed(name),
        Name::Owned(_) => name.clone(),
    };
    let schema = again(&column.schema);
    if schema != column.schema {
        column.name = Name::Owned(schema.to_ascii_lowercase());
        let is_lookup = column.kind == Kind::Lookup;
        column.wire = if is_lookup {
            Name::Owned(format!("_{}_value", column.name))
        } else {
            column.name.clone()
        };
        column.schema = schema;
        for way in &mut column.navigations {
            way.name = again(&way.name);
            way.relationship = again(&way.relationship);
        }
    }
    column
}

/// The columns of one line: one, or those of the block that it takes in.
fn columns(line: &[&'static str; 9]) -> Vec<Column> {
    if line[1].starts_with('@') {
        let all = COLUMNS.iter().flat_map(|text| lines::<9>(text));
        return all
            .filter(|other| other[0] == line[1])
            .map(|line| column(&line))
            .collect();
    }
    vec![column(line)]
}

fn column(line: &[&'static str; 9]) -> Column {
    let [_, schema, label, form, size, required, flags, reference, default] = *line;
    let (kind, attribute, format) = typed(form, size, reference);
    let mut column = Column::new(schema, label, kind, attribute)
        .format(format)
        .required(match required {
            "r" => Required::Recommended,
            "a" => Required::Application,
            "s" => Required::System,
            _ => Required::None,
        });
    if kind == Kind::Lookup {
        column = column.pointing(reference.split(';').map(way).collect());
    }
    if let Some(labels) = reference.split_once('/').filter(|_| kind == Kind::Bool) {
        column.labels = labels;
    }
    column.settable = !flags.contains('r');
    column.readable = !flags.contains('h');
    column.indexed |= flags.contains('i');
    column.default = initial(kind, default);
    column
}

fn typed(form: &str, size: &'static str, reference: &str) -> (Kind, Attribute, &'static str) {
    let text = |format| {
        let max = usize::try_from(whole(size)).expect("a length in a compiled-in table");
        (Kind::Text { max }, Attribute::String, format)
    };
    let decimal = |attribute| {
        let (places, bound) = size.split_once(',').expect("places and bound in a compiled-in table");
        let places = u32::try_from(whole(places)).expect("places in a compiled-in table");
        let bound = whole(bound);
        (Kind::Decimal { places, bound }, attribute, "")
    };
    match form {
        "text" => text("Text"),
        "url" => text("Url"),
        "email" => text("Email"),
        "phone" => text("Phone"),
        "memo" => (text("").0, Attribute::Memo, "TextArea"),
        "int" => {
            let (min, max) = size.split_once("..").expect("bounds in a compiled-in table");
            let (min, max) = (whole(min), whole(max));
            (Kind::Int { min, max }, Attribute::Integer, "None")
        }
        "bool" => (Kind::Bool, Attribute::Boolean, ""),
        "choice" => (Kind::Choice { set: choice(reference) }, Attribute::Picklist, ""),
        "choices" => (
            Kind::Choices { set: choice(reference) },
            Attribute::MultiSelectPicklist,
            "",
        ),
        "money" => (Kind::Money { bound: whole(size) }, Attribute::Money, ""),
        "decimal" => decimal(Attribute::Decimal),
        "double" => decimal(Attribute::Double),
        "date" => (Kind::Date, Attribute::DateTime, "DateOnly"),
        "time" => (Kind::Time, Attribute::DateTime, "DateAndTime"),
        "lookup" => (Kind::Lookup, Attribute::Lookup, ""),
        "customer" => (Kind::Lookup, Attribute::Customer, ""),
        "guid" => (Kind::Guid, Attribute::Uniqueidentifier, ""),
        other => panic!("no such type in a compiled-in table: {other}"),
    }
}

/// `table>navigation property>relationship>what a delete of the target does`.
fn way(text: &'static str) -> Navigation {
    let mut parts = text.split('>');
    let mut next = || parts.next().expect("four parts in a compiled-in table");
    let (target, name, relationship) = (next(), next(), next());
    Navigation {
        name: Name::Borrowed(name),
        target: Name::Borrowed(target),
        relationship: Name::Borrowed(relationship),
        on_delete: match next() {
            "cascade" => OnDelete::Cascade,
            "restrict" => OnDelete::Restrict,
            _ => OnDelete::RemoveLink,
        },
    }
}

fn initial(kind: Kind, text: &'static str) -> Cell {
    match (kind, text) {
        (_, "-") => Cell::Null,
        (Kind::Bool, _) => Cell::Bool(text == "1"),
        (Kind::Text { .. }, _) => Cell::text(text),
        (Kind::Decimal { .. } | Kind::Money { .. }, _) => Cell::Amount(Amount::whole(whole(text))),
        _ => Cell::Int(whole(text)),
    }
}

fn whole(text: &str) -> i64 {
    text.parse().expect("a whole number in a compiled-in table")
}
