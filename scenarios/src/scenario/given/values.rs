//! The values of a map that fit to their keys, and how builders get at them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date};

use super::super::act::{Money, Plain, Wanted};
use super::super::key::Key;
use super::super::words::meaning;
use crate::diagnostic::Span;
use crate::yaml::Node;

/// A value as its key describes it.
#[derive(Clone, Debug)]
pub(super) enum Value {
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
    pub(super) fn plain(&self) -> Option<Plain> {
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
pub(in crate::scenario) struct Given {
    pub(super) values: BTreeMap<&'static str, Value>,
    /// Where each value stands, by key, and by `key.key` for maps within.
    pub(in crate::scenario) places: BTreeMap<String, Span>,
}

/// A getter for each kind of value; `None` when the key is not given, is `none`, or did not fit.
macro_rules! getters {
    ($($name:ident, $variant:ident, $kind:ty);* $(;)?) => {
        $(pub(in crate::scenario) fn $name(&self, key: &str) -> Option<$kind> {
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
    pub(in crate::scenario) fn wanted_or_plain(&self, key: &str) -> Option<Wanted> {
        let value = self.values.get(key)?;
        if let Value::Wanted(wanted) = value {
            return Some(wanted.clone());
        }
        value.plain().map(Wanted::Is)
    }

    /// The entries of a list of texts.
    pub(in crate::scenario) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let texts = self.texts_in_place(key)?;
        Some(texts.into_iter().map(|(text, _)| text).collect())
    }

    /// What a word of a closed list stands for.
    pub(in crate::scenario) fn word<T: Copy>(&self, key: &str, list: &[(&str, T)]) -> Option<T> {
        meaning(list, &self.text(key)?)
    }

    /// Whether the key is given as `none`.
    pub(in crate::scenario) fn is_none(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Value::Nothing))
    }

    /// A count that fits, by its description, into 32 bits.
    pub(in crate::scenario) fn count(&self, key: &str) -> Option<u32> {
        self.number(key).and_then(|number| u32::try_from(number).ok())
    }

    /// What a step that watches looks for stands one level deeper: its deal and the places of its fields come up.
    pub(in crate::scenario) fn lift_the_watched(&mut self, keys: &[Key]) {
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
    pub(in crate::scenario) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.values.keys().copied()
    }
}
