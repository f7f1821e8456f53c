//! Reads a map of the file by the descriptions of its keys, and reports everything in it that does not fit.
//!
//! It knows kinds of values, not what a scenario means; several faults of one map are all reported.

use std::sync::Arc;

use super::Crm;
use super::guess;
use super::key::{Key, Kind, quoted};
use super::value::{self, Fault};
use crate::diagnostic::{Diagnostic, Span, nearest, quote};
use crate::yaml::{self, Node};

/// Values that fit.
mod values;
/// What is said of those that do not.
mod told;
/// Numbers with commas.
mod parted;
/// What a value must be like.
mod wanted;

use parted::parted_by_commas;
use told::{short, texts_of};
pub(super) use values::Given;
use values::Value;

/// Keys of one map that are read: many times more than any map has.
const MOST_KEYS: usize = 200;

/// The language's own word for nothing.
const NONE: &str = "none";

/// Reads nodes, and keeps what is wrong with them.
pub(super) struct Reader {
    /// The file that is being read.
    pub(super) path: Arc<str>,
    text: Arc<str>,
    /// Further words for every report: which row of a table, or which include, it is about.
    pub(super) about: Vec<String>,
    /// Every step that was read.
    pub(super) read: Vec<(Option<Crm>, &'static str)>,
    /// Names of stages that the scenario may use besides the language's own words.
    pub(super) stages: Vec<String>,
    /// Deals named in steps that could not be read: they may well be made there.
    pub(super) doubtful: Vec<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Reader {
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            about: Vec::new(),
            read: Vec::new(),
            stages: Vec::new(),
            doubtful: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Turns to another file; returns what it was turned to before.
    pub(super) fn turn_to(&mut self, path: Arc<str>, text: Arc<str>) -> (Arc<str>, Arc<str>) {
        (
            std::mem::replace(&mut self.path, path),
            std::mem::replace(&mut self.text, text),
        )
    }

    /// The file that is being read, and its text.
    pub(super) fn file(&self) -> (Arc<str>, Arc<str>) {
        (Arc::clone(&self.path), Arc::clone(&self.text))
    }

    /// Reports something in the file that is being read.
    pub(super) fn report(&mut self, span: Span, message: String, label: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::error(&self.path, message).at(span, label);
        diagnostic.notes.clone_from(&self.about);
        diagnostic.help = help;
        self.diagnostics.push(diagnostic);
    }

    /// The line in which a byte of the file stands.
    pub(super) fn line_of(&self, byte: usize) -> usize {
        self.text[..byte.min(self.text.len())].matches('\n').count() + 1
    }

    /// Reads a map. `owner` and `at` are the words that the map belongs to.
    pub(super) fn map(&mut self, node: &Node, keys: &'static [Key], owner: &str, at: Span) -> Option<Given> {
        let entries = match &node.kind {
            yaml::Kind::Map(entries) => entries,
            yaml::Kind::Refused => return None,
            yaml::Kind::Text { .. } | yaml::Kind::List(_) => {
                let span = if node.is_empty() { at } else { node.span };
                let help = self.instead(Kind::Map(keys), owner, node);
                self.mismatch(span, owner, &Kind::Map(keys).expected(), node, help);
                return None;
            }
        };
        let mut given = Given::default();
        let mut seen: Vec<(&str, Span)> = Vec::new();
        let mut misspelled: Vec<&str> = Vec::new();
        if let Some((key, _)) = entries.get(MOST_KEYS) {
            let message = format!("{} has more than {MOST_KEYS} keys", named(owner));
            self.report(key.span, message, "not read from here on".to_owned(), None);
        }
        let parted = parted_by_commas(&entries[..entries.len().min(MOST_KEYS)]);
        for (at, (key_node, value_node)) in entries.iter().take(MOST_KEYS).enumerate() {
            let Some(name) = self.key_name(key_node, owner) else {
                continue;
            };
            if let Some(parted) = parted.iter().find(|parted| parted.covers(at)) {
                if parted.first == at {
                    seen.push((name, key_node.span));
                    self.parted(name, parted);
                }
                continue;
            }
            if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == name) {
                self.repeated(name, key_node.span, *first);
                continue;
            }
            seen.push((name, key_node.span));
            if let Some(key) = keys.iter().find(|key| key.name == name) {
                self.entry(key, key_node.span, value_node, &mut given);
                continue;
            }
            let meant = self.unknown_key(name, key_node.span, keys, owner);
            misspelled.extend(meant);
            let key = meant.and_then(|meant| keys.iter().find(|key| key.name == meant));
            if let Some(key) = key.filter(|key| !given.values.contains_key(key.name)) {
                self.as_meant(key, key_node.span, value_node, &mut given);
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            if !misspelled.contains(&key.name) && !seen.iter().any(|(name, _)| *name == key.name) {
                self.missing(key, owner, at);
            }
        }
        Some(given)
    }

    /// Reads the value of a misspelled key as that of the key that was meant: faults within it are told at once, and what it
    /// names is known to others. A single value that does not fit may show that something else was meant.
    fn as_meant(&mut self, key: &Key, span: Span, node: &Node, given: &mut Given) {
        let before = self.diagnostics.len();
        self.entry(key, span, node, given);
        if !matches!(key.kind, Kind::Map(_) | Kind::Steps) {
            self.diagnostics.truncate(before);
        }
    }

    /// The words of a key.
    pub(super) fn key_name<'n>(&mut self, node: &'n Node, owner: &str) -> Option<&'n str> {
        match &node.kind {
            yaml::Kind::Text { text, .. } => Some(text),
            yaml::Kind::Refused => None,
            yaml::Kind::List(_) | yaml::Kind::Map(_) => {
                let message = format!("a key of {} is not a word", named(owner));
                self.report(node.span, message, "expected words and a colon".to_owned(), None);
                None
            }
        }
    }

    fn entry(&mut self, key: &Key, key_span: Span, node: &Node, given: &mut Given) {
        given
            .places
            .insert(key.name.to_owned(), if node.is_empty() { key_span } else { node.span });
        let Some(value) = self.value(key, key_span, node) else {
            return;
        };
        if let Value::Map(inner) = &value {
            for (name, span) in &inner.places {
                given.places.insert(format!("{}.{name}", key.name), *span);
            }
        }
        given.values.insert(key.name, value);
    }

    /// Reads a value that stands alone behind its step: `wait: 10m`.
    pub(super) fn alone(&mut self, kind: Kind, owner: &'static str, at: Span, node: &Node) -> Given {
        let key = super::key::must(owner, kind, "");
        let mut given = Given::default();
        given
            .places
            .insert(String::new(), if node.is_empty() { at } else { node.span });
        if let Some(value) = self.value(&key, at, node) {
            given.values.insert("", value);
        }
        given
    }

    fn value(&mut self, key: &Key, key_span: Span, node: &Node) -> Option<Value> {
        let expected = || {
            let expected = key.kind.expected();
            if key.or_none {
                format!("{expected}, or `{NONE}`")
            } else {
                expected
            }
        };
        if node.is_empty() {
            let message = format!("`{}` has no value", key.name);
            self.report(key_span, message, format!("expected {}", expected()), None);
            return None;
        }
        let kind = match (key.kind, &node.kind) {
            (Kind::Wanted(kind), yaml::Kind::Map(entries)) => return self.wanted(key, *kind, entries, node.span),
            (Kind::Wanted(kind), _) => *kind,
            (kind, _) => kind,
        };
        match (&node.kind, kind) {
            (yaml::Kind::Refused, _) => None,
            (yaml::Kind::Text { text, quoted: false }, _) if text == NONE && key.or_none => Some(Value::Nothing),
            (yaml::Kind::Map(_), Kind::Map(keys)) => self.map(node, keys, key.name, key_span).map(Value::Map),
            (yaml::Kind::List(items), Kind::Texts) => self.texts(key, items),
            (yaml::Kind::List(items), Kind::Steps) => Some(Value::Steps(items.clone())),
            (yaml::Kind::List(_), Kind::Rows) => Some(Value::Nothing),
            (yaml::Kind::Map(entries), Kind::Free) => Some(self.free(entries, key.name)),
            (yaml::Kind::Text { text, quoted }, kind)
                if !matches!(
                    kind,
                    Kind::Map(_) | Kind::Texts | Kind::Steps | Kind::Rows | Kind::Free | Kind::Wanted(_)
                ) =>
            {
                match self.scalar(kind, text, *quoted) {
                    Ok(value) => Some(value),
                    Err(fault) => {
                        let message = format!("`{}` cannot be {}", key.name, quote(text));
                        let label = match fault.label.as_str() {
                            "" => format!("expected {}", expected()),
                            _ => fault.label,
                        };
                        let compared = matches!(key.kind, Kind::Wanted(_)).then(|| guess::comparison(key.name, text));
                        let help = compared.flatten().or(fault.help);
                        self.report(node.span, message, label, help);
                        None
                    }
                }
            }
            _ => {
                let help = match (key.kind, &node.kind) {
                    (Kind::Wanted(_), yaml::Kind::List(items)) if !matches!(kind, Kind::Texts) => texts_of(items)
                        .and_then(|texts| short(format!("write `{}: {{one of: [{}]}}`", key.name, texts.join(", ")))),
                    _ => self.instead(kind, key.name, node),
                };
                self.mismatch(node.span, key.name, &expected(), node, help);
                None
            }
        }
    }

    fn free(&mut self, entries: &[(Node, Node)], owner: &str) -> Value {
        let mut free: Vec<(String, Node)> = Vec::new();
        for (key, value) in entries.iter().take(MOST_KEYS) {
            let Some(name) = self.key_name(key, owner).map(str::to_owned) else {
                continue;
            };
            match free.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => self.repeated(&name, key.span, first.span),
                None => free.push((name, value.clone())),
            }
        }
        Value::Free(free)
    }

    fn texts(&mut self, key: &Key, items: &[Node]) -> Option<Value> {
        let mut texts = Vec::new();
        for item in items {
            match &item.kind {
                yaml::Kind::Text { text, .. } if !item.is_empty() => texts.push((text.clone(), item.span)),
                yaml::Kind::Refused => return None,
                yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Map(_) => {
                    self.mismatch(item.span, key.name, &key.kind.expected(), item, None);
                    return None;
                }
            }
        }
        Some(Value::Texts(texts))
    }

    fn scalar(&self, kind: Kind, text: &str, quoted: bool) -> Result<Value, Fault> {
        match kind {
            Kind::Deal => value::deal(text).map(Value::Text),
            Kind::Text if text == NONE && !quoted => Err(Fault {
                label: "a word of the language".to_owned(),
                help: Some("put it into quotes if the text itself is meant".to_owned()),
            }),
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Money => value::money(text).map(Value::Money),
            Kind::Date => value::date(text).map(Value::Date),
            Kind::Duration => value::duration(text).map(Value::Duration),
            Kind::YesNo => value::yes_no(text).map(Value::YesNo),
            Kind::Number(least, most) => value::number(text, least, most).map(Value::Number),
            Kind::Word(words) => one_of(text, words, &[]),
            Kind::Stage(words) => one_of(text, words, &self.stages),
            // Not read from a text; the caller has told them apart.
            Kind::Texts | Kind::Map(_) | Kind::Steps | Kind::Rows | Kind::Free | Kind::Wanted(_) => Err(Fault {
                label: String::new(),
                help: None,
            }),
        }
    }
}

/// `title` is a key of the file itself, whose owner has no words.
fn named(owner: &str) -> String {
    if owner.is_empty() {
        "a scenario".to_owned()
    } else {
        format!("`{owner}`")
    }
}

/// So many words are told in full under the caret; of more, the nearest is offered, or the list as help.
const FEW: usize = 6;

fn one_of(text: &str, own: &[&'static str], further: &[String]) -> Result<Value, Fault> {
    let words: Vec<&str> = own.iter().copied().chain(further.iter().map(String::as_str)).collect();
    if words.contains(&text) {
        return Ok(Value::Text(text.to_owned()));
    }
    let many = words.len() > FEW;
    let near = guess::alias(text, own).or_else(|| nearest(text, words.iter().copied()));
    let help = match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if own == ["converged"] => {
            Some("what always must be so is checked in every run, without a step".to_owned())
        }
        None if many => Some(format!("it is one of {}", quoted(&words, ", "))),
        None => None,
    };
    Err(Fault {
        label: if many { "unknown".to_owned() } else { String::new() },
        help,
    })
}
