//! Tables of examples: one scenario, many rows. `<name>` stands for the value of that column.
//!
//! It works on the tree, before anything is read: a value that is nothing but `<name>` becomes the row's value with its
//! place, so a report points at the words of the row; within a longer text the words are put in.

use std::collections::BTreeSet;

use super::given::Reader;
use super::key::quoted;
use crate::diagnostic::{Span, nearest, quote};
use crate::yaml::{Kind, Node};

/// Rows of one table.
const MOST_ROWS: usize = 200;

/// Values by name, with the words to call them by in reports.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    values: Vec<(String, Node)>,
    /// The line in which the row stands.
    pub(super) line: usize,
}

impl Row {
    /// Values that stand for names.
    pub(super) fn new(values: Vec<(String, Node)>, line: usize) -> Self {
        Self { values, line }
    }

    /// Whether it has every column that the first one has.
    pub(super) fn has_columns_of(&self, first: &Self) -> bool {
        first.values.iter().all(|(name, _)| self.get(name).is_some())
    }

    fn get(&self, name: &str) -> Option<&Node> {
        self.values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, node)| node)
    }

    /// The row in one line: `country: DE, code: 49`.
    pub(super) fn words(&self) -> String {
        let shown = self.values.iter().map(|(name, node)| match &node.kind {
            Kind::Text { text, .. } if text.is_empty() => format!("{name}: none"),
            Kind::Text { text, .. } => format!("{name}: {text}"),
            Kind::List(_) => format!("{name}: […]"),
            Kind::Map(_) => format!("{name}: {{…}}"),
            Kind::Refused => name.clone(),
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// The rows of a file's `examples`; `None` when it has no such key, or nothing that can be used.
pub(super) fn rows(reader: &mut Reader, root: &Node) -> Option<Vec<Row>> {
    let (key, table) = entry(root, "examples")?;
    let Kind::List(items) = &table.kind else {
        // Reported with the other keys of the file.
        return None;
    };
    if items.is_empty() {
        let help = "leave `examples` out, or write a row: `- {country: DE}`".to_owned();
        reader.report(
            key.span,
            "`examples` is empty".to_owned(),
            "no rows".to_owned(),
            Some(help),
        );
        return None;
    }
    if let Some(item) = items.get(MOST_ROWS) {
        let message = format!("a table of examples has at most {MOST_ROWS} rows");
        reader.report(item.span, message, "one row too many".to_owned(), None);
    }
    let rows: Vec<Row> = items
        .iter()
        .take(MOST_ROWS)
        .filter_map(|item| row(reader, item))
        .collect();
    same_columns(reader, &rows, items);
    let used = names(root);
    for (name, _) in rows.first().map_or(&[][..], |row| row.values.as_slice()) {
        if !used.contains(name) {
            let message = format!("nothing says `<{name}>`");
            let help = format!("write `<{name}>` where the value of this column belongs, or take the column away");
            reader.report(key.span, message, "a column without use".to_owned(), Some(help));
        }
    }
    Some(rows)
}

fn row(reader: &mut Reader, item: &Node) -> Option<Row> {
    let Kind::Map(entries) = &item.kind else {
        let help = "write for example `- {country: DE, code: 49}`".to_owned();
        let message = "a row of `examples` takes keys with values".to_owned();
        reader.report(item.span, message, "no keys".to_owned(), Some(help));
        return None;
    };
    let mut values: Vec<(String, Node)> = Vec::new();
    for (key, value) in entries {
        let name = reader.key_name(key, "examples")?.to_owned();
        if let Some((_, first)) = values.iter().find(|(known, _)| *known == name) {
            reader.repeated(&name, key.span, first.span);
            continue;
        }
        if !is_name(&name) {
            let help = "a name has letters, digits, blanks and dashes".to_owned();
            reader.report(
                key.span,
                format!("{} cannot name a column", quote(&name)),
                "no name".to_owned(),
                Some(help),
            );
            return None;
        }
        values.push((name, value.clone()));
    }
    Some(Row::new(values, reader.line_of(item.span.start)))
}

/// Every row has the columns of the first.
fn same_columns(reader: &mut Reader, rows: &[Row], items: &[Node]) {
    let Some(first) = rows.first() else { return };
    let wanted: Vec<&str> = first.values.iter().map(|(name, _)| name.as_str()).collect();
    for (row, item) in rows.iter().zip(items).skip(1) {
        for name in wanted.iter().filter(|name| row.get(name).is_none()) {
            let message = format!("this row has no `{name}`");
            let label = format!("`{name}` is missing");
            let help = format!("each row has the same keys: {}", quoted(&wanted, ", "));
            reader.report(item.span, message, label, Some(help));
        }
        for (name, node) in row.values.iter().filter(|(name, _)| !wanted.contains(&name.as_str())) {
            let message = format!("only this row has {}", quote(name));
            let help = match nearest(name, wanted.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("each row has the same keys: {}", quoted(&wanted, ", ")),
            };
            reader.report(node.span, message, "not in the first row".to_owned(), Some(help));
        }
    }
}

/// An entry of a map.
pub(super) fn entry<'n>(node: &'n Node, name: &str) -> Option<(&'n Node, &'n Node)> {
    let Kind::Map(entries) = &node.kind else { return None };
    let named = |key: &Node| matches!(&key.kind, Kind::Text { text, .. } if text == name);
    entries
        .iter()
        .find(|(key, _)| named(key))
        .map(|(key, value)| (key, value))
}

fn is_name(word: &str) -> bool {
    let sign = |sign: char| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_');
    !word.is_empty() && word.len() <= 40 && word.chars().all(sign) && word.starts_with(char::is_alphabetic)
}

/// Where `<name>` stands in a text: what is before, the name, what is behind.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('<')?;
        let close = open + text[open..].find('>')?;
        let name = &text[open + 1..close];
        if is_name(name) {
            return Some((&text[..open], name, &text[close + 1..]));
        }
        from = open + 1;
    }
}

/// Every name that a tree uses, outside the table itself.
fn names(root: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Node> = Vec::new();
    if let Kind::Map(entries) = &root.kind {
        let others = entries
            .iter()
            .filter(|(key, _)| !matches!(&key.kind, Kind::Text { text, .. } if text == "examples"));
        open.extend(others.flat_map(|(key, value)| [key, value]));
    }
    while let Some(node) = open.pop() {
        match &node.kind {
            Kind::Text { text, .. } => {
                let mut rest = text.as_str();
                while let Some((_, name, behind)) = split(rest) {
                    found.insert(name.to_owned());
                    rest = behind;
                }
            }
            Kind::List(items) => open.extend(items),
            Kind::Map(entries) => open.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            Kind::Refused => {}
        }
    }
    found
}

/// Whether a replaced value takes the place of its row, or keeps the place where its name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// The row's.
    OfTheRow,
    /// The name's: the row stands in another file.
    OfTheName,
}

/// A tree with the values of a row in the places of their names. The table itself stays as it is.
pub(super) fn fill(reader: &mut Reader, node: &Node, row: &Row, places: Places) -> Node {
    let kind = match &node.kind {
        Kind::Text { text, quoted } => match split(text) {
            Some(("", name, "")) => return whole(reader, node, name, row, places),
            Some(_) => Kind::Text {
                text: within(reader, text, row, node.span),
                quoted: *quoted,
            },
            None => node.kind.clone(),
        },
        Kind::List(items) => Kind::List(items.iter().map(|item| fill(reader, item, row, places)).collect()),
        Kind::Map(entries) => {
            let filled = entries.iter().map(|(key, value)| {
                let table = matches!(&key.kind, Kind::Text { text, .. } if text == "examples");
                if table {
                    return (key.clone(), value.clone());
                }
                (fill_key(reader, key, row), fill(reader, value, row, places))
            });
            Kind::Map(filled.collect())
        }
        Kind::Refused => Kind::Refused,
    };
    Node { kind, span: node.span }
}

/// A key is a word of the language: it keeps its place.
fn fill_key(reader: &mut Reader, key: &Node, row: &Row) -> Node {
    match &key.kind {
        Kind::Text { text, quoted } if split(text).is_some() => Node {
            kind: Kind::Text {
                text: within(reader, text, row, key.span),
                quoted: *quoted,
            },
            span: key.span,
        },
        Kind::Text { .. } | Kind::List(_) | Kind::Map(_) | Kind::Refused => key.clone(),
    }
}

fn whole(reader: &mut Reader, node: &Node, name: &str, row: &Row, places: Places) -> Node {
    let Some(value) = row.get(name) else {
        unknown(reader, name, row, node.span);
        return Node {
            kind: Kind::Refused,
            span: node.span,
        };
    };
    match places {
        Places::OfTheRow => value.clone(),
        Places::OfTheName => moved(value, node.span),
    }
}

/// The same value at another place.
fn moved(node: &Node, span: Span) -> Node {
    let kind = match &node.kind {
        Kind::List(items) => Kind::List(items.iter().map(|item| moved(item, span)).collect()),
        Kind::Map(entries) => Kind::Map(
            entries
                .iter()
                .map(|(key, value)| (moved(key, span), moved(value, span)))
                .collect(),
        ),
        Kind::Text { .. } | Kind::Refused => node.kind.clone(),
    };
    Node { kind, span }
}

fn within(reader: &mut Reader, text: &str, row: &Row, span: Span) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, name, behind)) = split(rest) {
        filled.push_str(before);
        match row.get(name).map(|node| &node.kind) {
            Some(Kind::Text { text, .. }) => filled.push_str(text),
            Some(Kind::List(_) | Kind::Map(_) | Kind::Refused) => {
                let message = format!("`<{name}>` is not a text in this row, and cannot stand within one");
                reader.report(span, message, "within a text".to_owned(), None);
            }
            None => unknown(reader, name, row, span),
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

fn unknown(reader: &mut Reader, name: &str, row: &Row, span: Span) {
    let known: Vec<&str> = row.values.iter().map(|(name, _)| name.as_str()).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `<{near}>`?"),
        None => format!("there are {}", quoted(&known, ", ")),
    };
    let message = format!("nothing gives `<{name}>` a value");
    reader.report(span, message, "unknown name".to_owned(), Some(help));
}
