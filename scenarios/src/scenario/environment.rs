//! The Dataverse environment as a scenario sets it: `world: {dynamics: …}`.
//!
//! What each switch does stands with the simulator; here are the words for it, and what is wrong with them.

use cosell_sim::dataverse::{OwnColumn, OwnColumnKind, has_column};

use super::given::{Given, Reader};
use super::key::{Key, Kind, may, must};
use crate::diagnostic::{Span, quote};
use crate::yaml::Node;

pub(super) const DYNAMICS: [Key; 2] = [
    may(
        "strict",
        Kind::YesNo,
        "whether requests that the vendor's server would refuse are findings",
    ),
    may(
        "custom columns",
        Kind::Free,
        "further columns: `opportunity.new_volume: {type: money}`",
    ),
];

const CUSTOM_COLUMN: [Key; 2] = [
    must("type", Kind::Word(&TYPES), "its type"),
    may("length", Kind::Number(1, 32_000), "characters of a text"),
];
const TYPES: [&str; 4] = ["money", "date", "text", "memo"];

/// The columns that somebody has added.
pub(super) fn columns(reader: &mut Reader, dynamics: &Given) -> Vec<OwnColumn> {
    let mut columns: Vec<OwnColumn> = Vec::new();
    for (name, node) in dynamics.free("custom columns").unwrap_or_default() {
        columns.extend(column(reader, &name, &node));
    }
    columns
}

fn column(reader: &mut Reader, name: &str, node: &Node) -> Option<OwnColumn> {
    let given = reader.map(node, &CUSTOM_COLUMN, name, node.span)?;
    let mut refuse = |message: String, label: &str| report(reader, node.span, message, label);
    let Some((table, own)) = name.split_once('.') else {
        return refuse(
            format!("{} is no column", quote(name)),
            "expected table and column, such as `opportunity.new_volume`",
        );
    };
    let Some(known) = has_column(table, own) else {
        return refuse(
            format!("there is no table {}", quote(table)),
            "expected a table by its logical name, such as `opportunity`",
        );
    };
    if known {
        return refuse(
            format!("the table {} has {} already", quote(table), quote(own)),
            "added again",
        );
    }
    let letters = |text: &str| {
        text.bytes()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    let prefixed = own.split_once('_').is_some_and(|(prefix, rest)| {
        prefix.starts_with(|first: char| first.is_ascii_lowercase())
            && letters(prefix)
            && !rest.is_empty()
            && rest.split('_').all(letters)
    });
    if !prefixed {
        return refuse(
            format!("{} is no custom name", quote(own)),
            "expected small letters and digits behind a publisher's prefix, such as `new_volume`",
        );
    }
    let length = given.count("length").map(|length| length as usize);
    let kind = match given.text("type").as_deref() {
        Some("money") => OwnColumnKind::Money,
        Some("date") => OwnColumnKind::Date,
        Some("memo") => OwnColumnKind::Memo(length.unwrap_or(2_000)),
        _ => OwnColumnKind::Text(length.unwrap_or(100)),
    };
    Some(OwnColumn {
        table: table.to_owned(),
        name: own.to_owned(),
        kind,
    })
}

fn report(reader: &mut Reader, span: Span, message: String, label: &str) -> Option<OwnColumn> {
    reader.report(span, message, label.to_owned(), None);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str) -> (Vec<OwnColumn>, Vec<String>) {
        let tree = yaml::parse("file", text);
        let mut reader = Reader::new("file", text);
        let root = tree.root.expect("there are keys");
        let given = reader.map(&root, &DYNAMICS, "an environment", Span::default());
        let columns = columns(&mut reader, &given.unwrap_or_default());
        let told = reader.diagnostics.into_iter().map(|told| told.message).collect();
        (columns, told)
    }

    #[test]
    fn columns_are_added_by_table_and_name() {
        let (columns, told) =
            read("custom columns: {opportunity.new_volume: {type: money}, account.new_iso: {type: text, length: 2}}");
        assert_eq!(told, Vec::<String>::new());
        let kinds: Vec<OwnColumnKind> = columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [OwnColumnKind::Money, OwnColumnKind::Text(2)]);
    }

    #[test]
    fn what_can_be_no_column_is_told() {
        for (name, words) in [
            ("new_volume", "is no column"),
            ("opportunities.new_volume", "there is no table"),
            ("opportunity.estimatedvalue", "already"),
            ("opportunity.Volume", "is no custom name"),
            ("opportunity.volume", "is no custom name"),
        ] {
            let (columns, told) = read(&format!("custom columns: {{{name}: {{type: money}}}}"));
            assert!(
                columns.is_empty() && told.len() == 1 && told[0].contains(words),
                "{name}: {told:?}"
            );
        }
    }
}
