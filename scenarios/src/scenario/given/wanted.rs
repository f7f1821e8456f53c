//! Reads what a value must be like: `{contains: …}`, `{at least: …}`.

use super::super::act::{Plain, Wanted};
use super::super::guess;
use super::super::key::{Key, Kind, matchers_of, quoted};
use super::told::short;
use super::{Reader, Value};
use crate::diagnostic::{Span, nearest, quote};
use crate::yaml::{self, Node};

impl Reader {
    /// `{contains: …}`, `{at least: …}`: one key that says what a value must be like.
    pub(super) fn wanted(&mut self, key: &Key, kind: Kind, entries: &[(Node, Node)], span: Span) -> Option<Value> {
        let known = matchers_of(kind);
        let [(name_node, node)] = entries else {
            let message = format!("`{}` takes one word that says what it must be like", key.name);
            let help = format!("it is one of {}", quoted(known, ", "));
            self.report(span, message, "exactly one".to_owned(), Some(help));
            return None;
        };
        let name = self.key_name(name_node, key.name)?.to_owned();
        let Some(matcher) = known.iter().find(|known| **known == name) else {
            let message = format!("`{}` cannot be looked for with {}", key.name, quote(&name));
            let near = guess::alias(&name, known).or_else(|| nearest(&name, known.iter().copied()));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it is one of {}", quoted(known, ", ")),
            };
            self.report(name_node.span, message, "unknown".to_owned(), Some(help));
            return None;
        };
        let wanted = match *matcher {
            "one of" => self.one_of_several(key, kind, node, name_node.span)?,
            "contains" => Wanted::Contains(self.inner(key, Kind::Text, node, name_node.span)?.text()?),
            "lacks" => Wanted::Lacks(self.inner(key, Kind::Text, node, name_node.span)?.text()?),
            "same as" => Wanted::SameAs(self.inner(key, Kind::Text, node, name_node.span)?.text()?),
            "matches" => Wanted::Matches(self.pattern(key, node, name_node.span)?),
            "count" => match self.inner(key, Kind::Number(0, 10_000), node, name_node.span)? {
                Plain::Number(count) => Wanted::Entries(u32::try_from(count).ok()?),
                Plain::Text(_) | Plain::Money(_) | Plain::Date(_) | Plain::Texts(_) => return None,
            },
            "not" => Wanted::Not(self.inner(key, kind, node, name_node.span)?),
            "at least" => Wanted::AtLeast(self.inner(key, kind, node, name_node.span)?),
            _ => Wanted::AtMost(self.inner(key, kind, node, name_node.span)?),
        };
        Some(Value::Wanted(wanted))
    }

    fn inner(&mut self, key: &Key, kind: Kind, node: &Node, span: Span) -> Option<Plain> {
        if node.is_empty() {
            let message = format!("what `{}` must be like has no value", key.name);
            self.report(span, message, format!("expected {}", kind.expected()), None);
            return None;
        }
        let inner = Key { kind, ..*key };
        self.value(&inner, span, node)?.plain()
    }

    fn one_of_several(&mut self, key: &Key, kind: Kind, node: &Node, span: Span) -> Option<Wanted> {
        let yaml::Kind::List(items) = &node.kind else {
            let help = match &node.kind {
                yaml::Kind::Text { text, .. } if !node.is_empty() => short(format!("write `{{one of: [{text}]}}`")),
                yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => None,
            };
            self.mismatch(node.span, "one of", "a list", node, help);
            return None;
        };
        let several: Option<Vec<Plain>> = items.iter().map(|item| self.inner(key, kind, item, span)).collect();
        several.map(Wanted::OneOf)
    }

    fn pattern(&mut self, key: &Key, node: &Node, span: Span) -> Option<String> {
        let pattern = self.inner(key, Kind::Text, node, span)?.text()?;
        if let Err(error) = regex_lite::Regex::new(&pattern) {
            let message = format!("`matches` of `{}` is no pattern", key.name);
            let help = "a pattern is a regular expression: `.*` stands for anything, `\\d+` for digits".to_owned();
            self.report(node.span, message, error.to_string(), Some(help));
            return None;
        }
        Some(pattern)
    }
}
