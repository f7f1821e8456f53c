//! Reads the list of steps, one verb each.
//!
//! A step with faults is kept without its act, so that the checks across steps still know which deals it names.

use std::sync::Arc;

use super::act::{Act, Happens, OnCall};
use super::given::{Given, Reader};
use super::guess;
use super::key::{Kind, quoted};
use super::parts::Shelf;
use super::verbs::{Takes, VERBS, Verb};
use super::words::{CALLS, MOMENTS};
use super::{Crm, Step, operator};
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
    /// Where it stands: file and text, and the includes that led there.
    pub(super) file: (Arc<str>, Arc<str>),
    pub(super) about: Vec<String>,
    /// The only CRM on which it happens.
    pub(super) crm: Option<Crm>,
    /// Whether nothing in it is wrong by itself.
    pub(super) sound: bool,
    /// What happens at a call.
    pub(super) then: Vec<Self>,
}

/// Steps that may stand for others, and where they stand.
pub(super) struct Place {
    /// Set within `on salesforce` and `on dynamics`.
    pub(super) crm: Option<Crm>,
    /// Within `on call`.
    pub(super) at_call: bool,
}

/// Reads a list of steps; an include and a list for one CRM become the steps that they stand for.
pub(super) fn read_list(reader: &mut Reader, shelf: &mut Shelf<'_>, nodes: &[Node], place: &Place) -> Vec<Read> {
    let mut all = Vec::new();
    for node in nodes {
        let Some(mut read) = read(reader, node) else { continue };
        read.crm = place.crm;
        let name = read.verb.name;
        reader.read.push((place.crm.or_else(|| own_crm(name)), name));
        if place.at_call && !read.verb.at_call {
            let message = format!("`{name}` cannot happen at a call");
            let help = "what people do, faults, and the connector's process can".to_owned();
            reader.report(read.span, message, "takes time, or looks".to_owned(), Some(help));
            continue;
        }
        match name {
            "include" => {
                if let Some(opened) = shelf.open(reader, &read.given, read.span) {
                    all.extend(read_list(reader, shelf, &opened.steps, place));
                    shelf.done(reader, opened);
                }
            }
            "on salesforce" | "on dynamics" => all.extend(one_crm(reader, shelf, &read, place)),
            "on call" => {
                at_call(reader, shelf, &mut read, place);
                all.push(read);
            }
            _ => all.push(read),
        }
    }
    all
}

/// The CRM that a step is about by its words.
fn own_crm(verb: &str) -> Option<Crm> {
    match verb {
        "on salesforce" => Some(Crm::Salesforce),
        "on dynamics" => Some(Crm::Dynamics),
        _ => None,
    }
}

fn one_crm(reader: &mut Reader, shelf: &mut Shelf<'_>, read: &Read, place: &Place) -> Vec<Read> {
    let Some(crm) = own_crm(read.verb.name) else {
        return Vec::new();
    };
    if let Some(outer) = place.crm {
        let message = format!("`{}` stands within `on {}`", read.verb.name, outer.name());
        reader.report(
            read.span,
            message,
            "never happens, or always".to_owned(),
            Some("put it beside the other".to_owned()),
        );
        return Vec::new();
    }
    let place = Place {
        crm: Some(crm),
        at_call: false,
    };
    read_list(reader, shelf, &read.given.steps("").unwrap_or_default(), &place)
}

fn at_call(reader: &mut Reader, shelf: &mut Shelf<'_>, read: &mut Read, place: &Place) {
    let nodes = read.given.steps("then").unwrap_or_default();
    let before = reader.diagnostics.len();
    let place = Place {
        crm: place.crm,
        at_call: true,
    };
    let then = read_list(reader, shelf, &nodes, &place);
    let sound = reader.diagnostics.len() == before && !then.is_empty();
    let happens: Option<Vec<Happens>> = then
        .iter()
        .map(|read| {
            read.step.as_ref().map(|step| Happens {
                deal: step.deal.clone(),
                act: step.act.clone(),
            })
        })
        .collect();
    let call = read.given.word("of", &CALLS);
    if let (true, Some(then), Some(call), Some(step)) = (sound, happens, call, &mut read.step) {
        step.act = Act::OnCall(OnCall {
            call,
            after: read.given.count("after").unwrap_or(0),
            times: read.given.count("times").unwrap_or(1),
            moment: read.given.word("when", &MOMENTS).unwrap_or(super::act::Moment::Sent),
            then,
        });
    } else {
        read.step = None;
    }
    read.then = then;
}

/// Reads one entry of `steps`.
fn read(reader: &mut Reader, node: &Node) -> Option<Read> {
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
                return Some(unread(reader, verb, key.span, rest));
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

fn bare_word(reader: &mut Reader, text: &str, span: Span) -> Option<Read> {
    let started = VERBS
        .iter()
        .filter(|verb| !matches!(verb.takes, Takes::Nothing))
        .filter(|verb| {
            text.strip_prefix(verb.name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        .max_by_key(|verb| verb.name.len());
    let is_a_step = VERBS
        .iter()
        .any(|verb| verb.name == text && matches!(verb.takes, Takes::Nothing));
    if let Some(verb) = started.filter(|_| !is_a_step) {
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
    Some(finish(reader, verb, span, Given::default(), true))
}

fn known_verb(reader: &mut Reader, name: &str, span: Span) -> Option<&'static Verb> {
    let found = VERBS.iter().find(|verb| verb.name == name);
    if found.is_none() {
        let near = nearest(name, VERBS.iter().map(|verb| verb.name));
        let help = match (guess::step(name), near) {
            (Some(help), _) => help,
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => steps_like(name),
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
    // `within 10m: …`: the verb, and a value that belongs inside.
    let begun = VERBS
        .iter()
        .filter(|verb| name.strip_prefix(verb.name).is_some_and(|rest| rest.starts_with(' ')))
        .max_by_key(|verb| verb.name.len());
    let number = |rest: &&str| rest.len() <= 40 && rest.starts_with(|sign: char| sign.is_ascii_digit());
    let begun = begun.and_then(|verb| Some((verb, name.strip_prefix(verb.name).map(str::trim).filter(number)?)));
    if let Some((verb, rest)) = begun {
        return match verb.takes {
            Takes::Nothing => format!("`{}` stands alone", verb.name),
            Takes::One(_) => format!("write `{}: {rest}`", verb.name),
            Takes::Keys(keys) => format!("`{}` takes {}", verb.name, Kind::Map(keys).expected()),
        };
    }
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

fn beside_the_verb(reader: &mut Reader, verb: &Verb, beside: &Node) {
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
fn unread(reader: &Reader, verb: &'static Verb, span: Span, rest: &[(Node, Node)]) -> Read {
    Read {
        verb,
        span,
        deal: deal_among(rest),
        given: Given::default(),
        step: None,
        file: reader.file(),
        about: reader.about.clone(),
        crm: None,
        sound: false,
        then: Vec::new(),
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

fn with_value(reader: &mut Reader, verb: &'static Verb, span: Span, value: &Node) -> Read {
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
    if verb.name == "give roles" {
        operator::roles(reader, &given, "roles");
    }
    let sound = reader.diagnostics.len() == before;
    finish(reader, verb, span, given, sound)
}

fn finish(reader: &Reader, verb: &'static Verb, span: Span, mut given: Given, sound: bool) -> Read {
    if let Takes::Keys(keys) = verb.takes {
        given.lift_the_watched(keys);
    }
    let key = match verb.takes {
        Takes::One(Kind::Deal) => "",
        Takes::One(_) | Takes::Nothing | Takes::Keys(_) => "deal",
    };
    let place = given.places.get(key).copied().unwrap_or(span);
    let deal = given.text(key).map(|name| (name, place));
    let step = if sound { (verb.build)(&given) } else { None };
    let step = step.map(|act| Step {
        verb: verb.name,
        path: Arc::clone(&reader.path),
        crm: None,
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
        file: reader.file(),
        about: reader.about.clone(),
        crm: None,
        sound,
        then: Vec::new(),
    }
}
