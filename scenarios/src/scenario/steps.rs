//! Reads the list of steps, one verb each.
//!
//! A step with faults is kept without its act, so that the checks across steps still know which deals it names.

use super::Step;
use super::given::{Given, Reader};
use super::key::{Kind, quoted};
use super::verbs::{Takes, VERBS, Verb};
use crate::diagnostic::{Span, nearest, quote};
use crate::yaml::{self, Node};

/// A step as far as it could be read.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) verb: &'static Verb,
    pub(super) span: Span,
    /// The deal's name and where it stands.
    pub(super) deal: Option<(String, Span)>,
    pub(super) given: Given,
    /// The step, when nothing in it is wrong.
    pub(super) step: Option<Step>,
}

/// Reads one entry of `steps`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Read> {
    match &node.kind {
        yaml::Kind::Text { .. } if node.is_empty() => {
            reader.report(
                node.span,
                "a step is empty".to_owned(),
                "nothing behind this dash".to_owned(),
                None,
            );
            None
        }
        yaml::Kind::Text { text, .. } => bare_word(reader, text, node.span),
        yaml::Kind::Map(entries) => {
            let ((key, value), rest) = entries.split_first()?;
            let name = reader.key_name(key, "steps")?;
            let Some(verb) = known_verb(reader, name, key.span) else {
                reader.doubtful.extend(deal_of(value).map(|(name, _)| name));
                return None;
            };
            if let Some((beside, _)) = rest.first() {
                beside_the_verb(reader, verb, beside);
                // The rest may well be this step's values in the wrong column: nothing more can be said of it.
                return Some(unread(verb, key.span, rest));
            }
            Some(with_value(reader, verb, key.span, value))
        }
        yaml::Kind::List(_) => {
            let label = "a list stands here".to_owned();
            reader.report(node.span, "a step is words and their values".to_owned(), label, None);
            None
        }
        yaml::Kind::Refused => None,
    }
}

fn bare_word(reader: &mut Reader<'_>, text: &str, span: Span) -> Option<Read> {
    let started = VERBS
        .iter()
        .filter(|verb| !matches!(verb.takes, Takes::Nothing))
        .filter(|verb| {
            text.strip_prefix(verb.name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        .max_by_key(|verb| verb.name.len());
    if let Some(verb) = started {
        let value = match verb.takes {
            Takes::One(kind) => kind.expected(),
            Takes::Keys(keys) => Kind::Map(keys).expected(),
            Takes::Nothing => String::new(),
        };
        let message = format!("`{}` needs a colon and {value}", verb.name);
        reader.report(span, message, "no colon and value".to_owned(), None);
        return None;
    }
    let verb = known_verb(reader, text, span)?;
    Some(finish(verb, span, Given::default(), true))
}

fn known_verb(reader: &mut Reader<'_>, name: &str, span: Span) -> Option<&'static Verb> {
    let found = VERBS.iter().find(|verb| verb.name == name);
    if found.is_none() {
        let help = match nearest(name, VERBS.iter().map(|verb| verb.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => steps_like(name),
        };
        reader.report(
            span,
            format!("there is no step {}", quote(name)),
            "unknown step".to_owned(),
            Some(help),
        );
    }
    found
}

/// The steps that begin with the same word, or else the words that steps begin with.
fn steps_like(name: &str) -> String {
    let first = |words: &'static str| words.split(' ').next().unwrap_or_default();
    let said = name.split(' ').next().unwrap_or_default();
    let same: Vec<&str> = VERBS
        .iter()
        .map(|verb| verb.name)
        .filter(|verb| first(verb) == said)
        .collect();
    if !same.is_empty() {
        return format!("steps that begin with `{said}` are {}", quoted(&same, ", "));
    }
    let mut begins: Vec<&str> = Vec::new();
    for verb in &VERBS {
        if !begins.contains(&first(verb.name)) {
            begins.push(first(verb.name));
        }
    }
    format!("steps begin with {}", quoted(&begins, ", "))
}

fn beside_the_verb(reader: &mut Reader<'_>, verb: &Verb, beside: &Node) {
    let Some(name) = reader.key_name(beside, verb.name) else {
        return;
    };
    let message = format!("{} stands beside `{}`, not inside it", quote(name), verb.name);
    let help = if VERBS.iter().any(|verb| verb.name == name) {
        "each step begins with a dash of its own".to_owned()
    } else {
        format!(
            "indent it two blanks further, or write the step on one line: `- {}: {{…}}`",
            verb.name
        )
    };
    reader.report(beside.span, message, "a step has one verb".to_owned(), Some(help));
}

/// A step whose values stand beside it; the deal that it means can still be told.
fn unread(verb: &'static Verb, span: Span, rest: &[(Node, Node)]) -> Read {
    Read {
        verb,
        span,
        deal: deal_among(rest),
        given: Given::default(),
        step: None,
    }
}

/// The deal that values name, read without a description of their keys.
fn deal_of(value: &Node) -> Option<(String, Span)> {
    match &value.kind {
        yaml::Kind::Map(entries) => deal_among(entries),
        yaml::Kind::Text { text, .. } => Some((text.clone(), value.span)),
        yaml::Kind::List(_) | yaml::Kind::Refused => None,
    }
}

fn deal_among(entries: &[(Node, Node)]) -> Option<(String, Span)> {
    let is_deal = |key: &Node| matches!(&key.kind, yaml::Kind::Text { text, .. } if text == "deal");
    let (_, value) = entries.iter().find(|(key, _)| is_deal(key))?;
    match &value.kind {
        yaml::Kind::Text { text, .. } => Some((text.clone(), value.span)),
        yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => None,
    }
}

fn with_value(reader: &mut Reader<'_>, verb: &'static Verb, span: Span, value: &Node) -> Read {
    let before = reader.diagnostics.len();
    let given = match verb.takes {
        Takes::Nothing => {
            let help = format!("write `- {}` alone", verb.name);
            let message = format!("`{}` takes no value", verb.name);
            reader.report(span, message, "no colon here".to_owned(), Some(help));
            Given::default()
        }
        Takes::One(kind) => reader.alone(kind, verb.name, span, value),
        Takes::Keys(keys) => reader.map(value, keys, verb.name, span).unwrap_or_default(),
    };
    let sound = reader.diagnostics.len() == before;
    finish(verb, span, given, sound)
}

fn finish(verb: &'static Verb, span: Span, given: Given, sound: bool) -> Read {
    let key = match verb.takes {
        Takes::One(Kind::Deal) => "",
        Takes::One(_) | Takes::Nothing | Takes::Keys(_) => "deal",
    };
    let place = given.places.get(key).copied().unwrap_or(span);
    let deal = given.text(key).map(|name| (name, place));
    let step = if sound { (verb.build)(&given) } else { None };
    let step = step.map(|act| Step {
        verb: verb.name,
        span,
        deal: deal.as_ref().map(|(name, _)| name.clone()),
        act,
        places: given.places.clone(),
    });
    Read {
        verb,
        span,
        deal,
        given,
        step,
    }
}
