//! What is said of a map that does not fit: another kind of value, a key that is missing, unknown or there twice.

use super::super::guess;
use super::super::key::{Key, Kind, quoted};
use super::{Reader, named};
use crate::diagnostic::{Span, nearest, quote};
use crate::yaml::{self, Node};

impl Reader {
    /// What to write instead of something of another kind, where that can be told.
    pub(super) fn instead(&self, kind: Kind, owner: &str, node: &Node) -> Option<String> {
        let fits = |kind: Kind, node: &Node| match &node.kind {
            yaml::Kind::Text { text, quoted } if !node.is_empty() => {
                self.scalar(kind, text, *quoted).is_ok().then(|| text.clone())
            }
            yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => None,
        };
        let value = match (kind, &node.kind) {
            (Kind::Map(keys), yaml::Kind::Text { .. }) => {
                let required: Vec<&Key> = keys.iter().filter(|key| key.required).collect();
                let first = *required.first().or(keys.first().as_ref().filter(|_| keys.len() == 1))?;
                let text = fits(first.kind, node)?;
                let more = required.iter().skip(1).map(|key| format!(", {}: …", key.name));
                format!("{{{}: {text}{}}}", first.name, more.collect::<String>())
            }
            (Kind::Texts, yaml::Kind::Text { text, .. }) => format!("[{text}]"),
            (Kind::Steps, yaml::Kind::Text { text, .. }) => {
                return short(format!("write `- {text}` in a line of its own"));
            }
            (Kind::Deal, yaml::Kind::List(items)) if items.len() > 1 => {
                return Some("write a step for each deal".to_owned());
            }
            (_, yaml::Kind::List(items)) => fits(kind, items.first().filter(|_| items.len() == 1)?)?,
            (_, yaml::Kind::Map(entries)) => {
                let (key, value) = entries.first().filter(|_| entries.len() == 1)?;
                fits(kind, if value.is_empty() { key } else { value })?
            }
            _ => return None,
        };
        // A whole file that is no map has no name to write before its keys.
        if owner.is_empty() {
            return None;
        }
        short(format!("write `{owner}: {value}`"))
    }

    pub(super) fn mismatch(&mut self, span: Span, name: &str, expected: &str, node: &Node, help: Option<String>) {
        let message = format!("{} takes {expected}", named(name));
        let label = match &node.kind {
            yaml::Kind::Text { .. } if node.is_empty() => "nothing follows",
            yaml::Kind::Text { .. } => "this is a text",
            yaml::Kind::List(_) => "this is a list",
            yaml::Kind::Map(_) => "these are keys with values",
            yaml::Kind::Refused => "this is not understood",
        };
        self.report(span, message, label.to_owned(), help);
    }

    pub(super) fn missing(&mut self, key: &Key, owner: &str, at: Span) {
        let message = format!("{} needs `{}`", named(owner), key.name);
        let label = format!("`{}` is missing", key.name);
        let help = format!("`{}` ({}) takes {}", key.name, key.about, key.kind.expected());
        self.report(at, message, label, Some(help));
    }

    pub(in crate::scenario) fn repeated(&mut self, name: &str, span: Span, first: Span) {
        let line = self.line_of(first.start);
        let message = format!("{} is written twice", quote(name));
        self.report(span, message, format!("already written in line {line}"), None);
    }

    /// Reports a key that does not exist; the key that was probably meant needs no report of its own.
    pub(super) fn unknown_key(&mut self, name: &str, span: Span, keys: &[Key], owner: &str) -> Option<&'static str> {
        let names: Vec<&'static str> = keys.iter().map(|key| key.name).collect();
        let near = guess::alias(name, &names).or_else(|| nearest(name, names.iter().copied()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its keys are {}", quoted(&names, ", ")),
        };
        let message = format!("{} has no key {}", named(owner), quote(name));
        self.report(span, message, "unknown key".to_owned(), Some(help));
        near.and_then(|near| names.into_iter().find(|name| *name == near))
    }
}

/// What to write instead, unless it is longer than anybody reads: a whole file may stand where a word belongs.
pub(super) fn short(help: String) -> Option<String> {
    (help.len() <= 200).then_some(help)
}

/// The words of a list that holds nothing else.
pub(super) fn texts_of(items: &[Node]) -> Option<Vec<&str>> {
    items
        .iter()
        .map(|item| match &item.kind {
            yaml::Kind::Text { text, .. } => Some(text.as_str()),
            yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => None,
        })
        .collect()
}
