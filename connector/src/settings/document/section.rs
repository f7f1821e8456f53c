//! One section of a document: its values by their keys, and what is wrong with them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value of a document is of one kind, or of none that fits"
)]

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::super::mapping::nearest;
use super::super::{Secret, SettingsFault};
use super::Resolve;

/// One section of a document, and what is wrong with it.
pub struct Section<'a> {
    pub(super) place: String,
    entries: Option<&'a Map<String, Value>>,
    faults: &'a mut Vec<SettingsFault>,
}

pub(super) fn fault(faults: &mut Vec<SettingsFault>, place: impl Into<String>, text: impl Into<String>) {
    faults.push(SettingsFault {
        setting: place.into(),
        fault: text.into(),
    });
}

impl<'a> Section<'a> {
    /// A section of the document. What it does not know is a fault.
    pub fn of(document: &'a Value, name: &str, known: &[&str], faults: &'a mut Vec<SettingsFault>) -> Self {
        let entries = match document.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(entries)) => Some(entries),
            Some(_) => {
                fault(faults, name, "must be keys with values");
                None
            }
        };
        for key in entries.into_iter().flat_map(Map::keys) {
            if !known.contains(&key.as_str()) {
                fault(faults, format!("{name}.{key}"), unknown(key, known));
            }
        }
        Self {
            place: name.to_owned(),
            entries,
            faults,
        }
    }

    pub(super) fn raw(&self, key: &str) -> Option<&'a Value> {
        self.entries?.get(key).filter(|value| !value.is_null())
    }

    /// Adds a fault of this section.
    pub fn fault(&mut self, key: &str, text: impl Into<String>) {
        fault(self.faults, format!("{}.{key}", self.place), text);
    }

    /// A text; a number or a switch is one too.
    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.raw(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(if *yes { "Yes" } else { "No" }.to_owned()),
            _ => {
                self.fault(key, "must be a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub fn needed(&mut self, key: &str) -> String {
        let missing = self.raw(key).is_none();
        if missing {
            self.fault(key, "is missing");
        }
        self.text(key).unwrap_or_default()
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let list = match self.raw(key)? {
            Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Value::String(text) => Some(vec![text.clone()]),
            _ => None,
        };
        if list.is_none() {
            self.fault(key, "must be a list of texts");
        }
        list
    }

    /// `yes` or `no`.
    pub fn yes_no(&mut self, key: &str) -> Option<bool> {
        let text = self.text(key)?;
        match text.to_ascii_lowercase().as_str() {
            "yes" | "true" => Some(true),
            "no" | "false" => Some(false),
            _ => {
                self.fault(key, format!("must be `yes` or `no`, not `{text}`"));
                None
            }
        }
    }

    /// A whole number.
    pub fn number(&mut self, key: &str) -> Option<u64> {
        let value = self.raw(key)?;
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        if number.is_none() {
            self.fault(key, "must be a whole number");
        }
        number
    }

    /// A length of time.
    pub fn span(&mut self, key: &str) -> Option<SignedDuration> {
        let text = self.text(key)?;
        let span = text.parse().ok();
        if span.is_none() {
            self.fault(
                key,
                format!("must be a length of time such as `30s` or `15m`, not `{text}`"),
            );
        }
        span
    }

    /// One of several words.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(key, unknown(&text, &known));
        }
        found
    }

    pub(super) fn secret(&mut self, key: &str, resolve: Resolve<'_>) -> Secret {
        let Some(value) = self.raw(key) else {
            self.fault(key, "is missing");
            return Secret::new("");
        };
        match resolve(value) {
            Ok(text) => Secret::new(text),
            Err(why) => {
                self.fault(key, why);
                Secret::new("")
            }
        }
    }
}

/// What is said of an unknown word.
pub(super) fn unknown(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("is not known; did you mean `{near}`?"),
        None => format!("is not known; there are {}", known.join(", ")),
    }
}
