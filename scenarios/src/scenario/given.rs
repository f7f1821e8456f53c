//! Reads a map of the file by the descriptions of its keys, and reports everything in it that does not fit.
//!
//! It knows kinds of values, not what a scenario means; several faults of one map are all reported.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, civil::Date};

use super::Crm;
use super::act::{Money, Plain, Wanted};
use super::key::{Key, Kind, quoted};
use super::value::{self, Fault};
use super::words::meaning;
use crate::diagnostic::{Diagnostic, Span, nearest, quote};
use crate::yaml::{self, Node};

/// What a value must be like.
mod wanted;

/// Keys of one map that are read: many times more than any map has.
const MOST_KEYS: usize = 200;

/// The language's own word for nothing.
const NONE: &str = "none";

/// A value as its key describes it.
#[derive(Clone, Debug)]
enum Value {
    /// The word `none`.
    Nothing,
    /// A text, a word, a stage or the name of a deal.
    Text(String),
    Texts(Vec<(String, Span)>),
    Money(Money),
    Date(Date),
    Duration(SignedDuration),
    YesNo(bool),
    Number(u64),
    Map(Given),
    /// What something must be like.
    Wanted(Wanted),
    /// Steps, read by whoever knows where they belong.
    Steps(Vec<Node>),
    /// Keys of somebody's own, read by whoever knows them.
    Free(Vec<(String, Node)>),
}

impl Value {
    /// The value as something to look for.
    fn plain(&self) -> Option<Plain> {
        match self {
            Self::Text(text) => Some(Plain::Text(text.clone())),
            Self::Texts(texts) => Some(Plain::Texts(texts.iter().map(|(text, _)| text.clone()).collect())),
            Self::Money(money) => Some(Plain::Money(money.clone())),
            Self::Date(date) => Some(Plain::Date(*date)),
            Self::Number(number) => Some(Plain::Number(*number)),
            Self::YesNo(yes) => Some(Plain::Text(if *yes { "yes" } else { "no" }.to_owned())),
            Self::Nothing => Some(Plain::Text(String::new())),
            Self::Duration(_) | Self::Map(_) | Self::Wanted(_) | Self::Steps(_) | Self::Free(_) => None,
        }
    }
}

/// The values of a map that fit to their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    values: BTreeMap<&'static str, Value>,
    /// Where each value stands, by key, and by `key.key` for maps within.
    pub(super) places: BTreeMap<String, Span>,
}

/// A getter for each kind of value; `None` when the key is not given, is `none`, or did not fit.
macro_rules! getters {
    ($($name:ident, $variant:ident, $kind:ty);* $(;)?) => {
        $(pub(super) fn $name(&self, key: &str) -> Option<$kind> {
            match self.values.get(key) {
                Some(Value::$variant(value)) => Some(value.clone()),
                _ => None,
            }
        })*
    };
}

impl Given {
    getters! {
        text, Text, String;
        texts_in_place, Texts, Vec<(String, Span)>;
        money, Money, Money;
        date, Date, Date;
        duration, Duration, SignedDuration;
        yes_no, YesNo, bool;
        number, Number, u64;
        map, Map, Given;
        wanted, Wanted, Wanted;
        steps, Steps, Vec<Node>;
        free, Free, Vec<(String, Node)>;
    }

    /// What is given under a key, as something to look for: a value as exactly that.
    pub(super) fn wanted_or_plain(&self, key: &str) -> Option<Wanted> {
        let value = self.values.get(key)?;
        if let Value::Wanted(wanted) = value {
            return Some(wanted.clone());
        }
        value.plain().map(Wanted::Is)
    }

    /// The entries of a list of texts.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let texts = self.texts_in_place(key)?;
        Some(texts.into_iter().map(|(text, _)| text).collect())
    }

    /// What a word of a closed list stands for.
    pub(super) fn word<T: Copy>(&self, key: &str, list: &[(&str, T)]) -> Option<T> {
        meaning(list, &self.text(key)?)
    }

    /// Whether the key is given as `none`.
    pub(super) fn is_none(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Value::Nothing))
    }

    /// A count that fits, by its description, into 32 bits.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        self.number(key).and_then(|number| u32::try_from(number).ok())
    }

    /// What a step that watches looks for stands one level deeper: its deal and the places of its fields come up.
    pub(super) fn lift_the_watched(&mut self, keys: &[Key]) {
        let watched = keys.iter().filter(|key| key.name.starts_with("expect "));
        let Some(name) = watched.map(|key| key.name).find(|name| self.values.contains_key(name)) else {
            return;
        };
        if let Some(Value::Map(inner)) = self.values.get(name) {
            let inner = inner.clone();
            self.places.extend(inner.places.clone());
            if let Some(deal) = inner.values.get("deal") {
                self.values.insert("deal", deal.clone());
            }
        } else if let Some(Value::Text(deal)) = self.values.get(name).cloned() {
            if let Some(place) = self.places.get(name).copied() {
                self.places.insert("deal".to_owned(), place);
            }
            self.values.insert("deal", Value::Text(deal));
        }
    }

    /// The keys that are given.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.values.keys().copied()
    }
}

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
                self.mismatch(span, owner, &Kind::Map(keys).expected(), node);
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
        for (key_node, value_node) in entries.iter().take(MOST_KEYS) {
            let Some(name) = self.key_name(key_node, owner) else {
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == name) {
                self.repeated(name, key_node.span, *first);
                continue;
            }
            seen.push((name, key_node.span));
            match keys.iter().find(|key| key.name == name) {
                Some(key) => self.entry(key, key_node.span, value_node, &mut given),
                None => misspelled.extend(self.unknown_key(name, key_node.span, keys, owner)),
            }
        }
        for key in keys.iter().filter(|key| key.required) {
            if !misspelled.contains(&key.name) && !seen.iter().any(|(name, _)| *name == key.name) {
                self.missing(key, owner, at);
            }
        }
        Some(given)
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
                        self.report(node.span, message, label, fault.help);
                        None
                    }
                }
            }
            _ => {
                self.mismatch(node.span, key.name, &expected(), node);
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
                    self.mismatch(item.span, key.name, &key.kind.expected(), item);
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
            Kind::Word(words) => one_of(text, words.iter().copied()),
            Kind::Stage(words) => one_of(
                text,
                words.iter().copied().chain(self.stages.iter().map(String::as_str)),
            ),
            // Not read from a text; the caller has told them apart.
            Kind::Texts | Kind::Map(_) | Kind::Steps | Kind::Rows | Kind::Free | Kind::Wanted(_) => Err(Fault {
                label: String::new(),
                help: None,
            }),
        }
    }

    fn mismatch(&mut self, span: Span, name: &str, expected: &str, node: &Node) {
        let message = format!("{} takes {expected}", named(name));
        let label = match &node.kind {
            yaml::Kind::Text { .. } if node.is_empty() => "nothing follows",
            yaml::Kind::Text { .. } => "this is a text",
            yaml::Kind::List(_) => "this is a list",
            yaml::Kind::Map(_) => "these are keys with values",
            yaml::Kind::Refused => "this is not understood",
        };
        self.report(span, message, label.to_owned(), None);
    }

    fn missing(&mut self, key: &Key, owner: &str, at: Span) {
        let message = format!("{} needs `{}`", named(owner), key.name);
        let label = format!("`{}` is missing", key.name);
        let help = format!("`{}` ({}) takes {}", key.name, key.about, key.kind.expected());
        self.report(at, message, label, Some(help));
    }

    pub(super) fn repeated(&mut self, name: &str, span: Span, first: Span) {
        let line = self.line_of(first.start);
        let message = format!("{} is written twice", quote(name));
        self.report(span, message, format!("already written in line {line}"), None);
    }

    /// Reports a key that does not exist; the key that was probably meant needs no report of its own.
    fn unknown_key(&mut self, name: &str, span: Span, keys: &[Key], owner: &str) -> Option<&'static str> {
        let names: Vec<&'static str> = keys.iter().map(|key| key.name).collect();
        let near = nearest(name, names.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its keys are {}", quoted(&names, ", ")),
        };
        let message = format!("{} has no key {}", named(owner), quote(name));
        self.report(span, message, "unknown key".to_owned(), Some(help));
        near.and_then(|near| names.into_iter().find(|name| *name == near))
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

fn one_of<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Result<Value, Fault> {
    let words: Vec<&str> = words.collect();
    if words.contains(&text) {
        return Ok(Value::Text(text.to_owned()));
    }
    let many = words.len() > FEW;
    let help = match nearest(text, words.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if many => Some(format!("it is one of {}", quoted(&words, ", "))),
        None => None,
    };
    Err(Fault {
        label: if many { "unknown".to_owned() } else { String::new() },
        help,
    })
}
