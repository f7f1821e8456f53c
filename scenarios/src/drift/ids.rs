//! Identifiers, versions and links of a recording, and what they are called in the simulator: learned from pairs of answers.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

/// What recorded texts are called in the simulator.
#[derive(Debug)]
pub(super) struct Ids {
    known: BTreeMap<String, String>,
    token: Regex,
}

impl Ids {
    pub(super) fn new() -> Self {
        // A guid, or an identifier of Salesforce.
        let token = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-zA-Z]{18}\b|\b[0-9a-zA-Z]{15}\b";
        Self {
            known: BTreeMap::new(),
            token: Regex::new(token).expect("the pattern is right"),
        }
    }

    /// Whether a text is one identifier.
    fn is_token(&self, text: &str) -> bool {
        let whole = self.token.find(text).is_some_and(|found| found.len() == text.len());
        whole && text.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// Identifiers of a Salesforce record have two lengths.
    fn key(text: &str) -> String {
        if text.len() == 18 && !text.contains('-') {
            text[..15].to_owned()
        } else {
            text.to_ascii_lowercase()
        }
    }

    fn put(&mut self, recorded: &str, simulated: &str) {
        let key = if self.is_token(recorded) {
            Self::key(recorded)
        } else {
            recorded.to_owned()
        };
        self.known.insert(key, simulated.to_owned());
    }

    fn get(&self, recorded: &str) -> Option<&String> {
        if recorded.len() == 15 {
            return self.known.get(recorded);
        }
        self.known
            .get(&Self::key(recorded))
            .or_else(|| self.known.get(recorded))
    }

    /// Learns from the same place of both answers.
    pub(super) fn learn(&mut self, name: &str, recorded: &Value, simulated: &Value) {
        match (recorded, simulated) {
            (Value::Object(one), Value::Object(other)) => {
                for (name, inner) in one {
                    if let Some(there) = other.get(name) {
                        self.learn(name, inner, there);
                    }
                }
            }
            (Value::Array(one), Value::Array(other)) => {
                for (inner, there) in one.iter().zip(other) {
                    self.learn(name, inner, there);
                }
            }
            (Value::String(one), Value::String(other)) => self.learn_text(name, one, other),
            _ => {}
        }
    }

    /// Learns from one text: an identifier, a version, a link with identifiers in it.
    pub(super) fn learn_text(&mut self, name: &str, recorded: &str, simulated: &str) {
        let lower = name.to_ascii_lowercase();
        let is_link = lower.ends_with("link") || lower.ends_with("recordsurl") || lower.ends_with("location");
        if self.is_token(recorded) || lower.contains("etag") || is_link {
            self.put(recorded, simulated);
            self.put(recorded.trim_matches('"'), simulated.trim_matches('"'));
        }
        if recorded.contains('/') || recorded.contains('(') {
            let find = |text: &str| -> Vec<String> {
                let found = self.token.find_iter(text).map(|found| found.as_str().to_owned());
                found.filter(|token| self.is_token(token)).collect()
            };
            let (one, other) = (find(recorded), find(simulated));
            if one.len() == other.len() {
                for (one, other) in one.iter().zip(&other) {
                    self.put(one, other);
                }
            }
        }
    }

    /// A recorded text in the simulator's words.
    pub(super) fn apply(&self, text: &str) -> String {
        if let Some(whole) = self.known.get(text) {
            return whole.clone();
        }
        let replaced = self.token.replace_all(text, |found: &regex_lite::Captures<'_>| {
            let token = &found[0];
            self.get(token).cloned().unwrap_or_else(|| token.to_owned())
        });
        replaced.into_owned()
    }

    /// Identifiers in a text that nobody has learned.
    pub(super) fn unknown_in(&self, text: &str) -> bool {
        let tokens = self.token.find_iter(text).map(|found| found.as_str());
        tokens
            .filter(|token| self.is_token(token))
            .any(|token| self.get(token).is_none())
    }

    /// A path with `{id}` where identifiers stand.
    pub(super) fn template(&self, path: &str) -> String {
        let shown = self.token.replace_all(path, |found: &regex_lite::Captures<'_>| {
            if self.is_token(&found[0]) {
                "{id}".to_owned()
            } else {
                found[0].to_owned()
            }
        });
        shown.into_owned()
    }
}
