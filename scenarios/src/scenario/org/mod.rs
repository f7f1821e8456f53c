//! The Salesforce org as a file sets it: `world: {salesforce: …}` of a scenario, and the file of `cosell serve --org`.
//!
//! What each switch does stands with the simulator; here are the words for it, and what is wrong with them.

use std::collections::BTreeSet;

use cosell_sim::salesforce::{AssignmentRule, DuplicateRule, RecordType, Schema, Settings, Stage};

use crate::diagnostic::{Diagnostic, Span, nearest, quote};
use crate::scenario::given::{Given, Reader};
use crate::scenario::key::{Key, Kind, may, must};
use crate::yaml;

/// Objects and fields that an administrator made.
mod custom;

/// The keys of a file that `cosell serve --org` takes: those of a scenario, and where the org says that it is.
pub const FILE: [Key; 30] = [
    may("package", Kind::YesNo, "whether Microsoft's package is installed"),
    may(
        "validation rules",
        Kind::YesNo,
        "whether the package's validation rules are active",
    ),
    may("multi-currency", Kind::YesNo, "whether it has several currencies"),
    may("currencies", Kind::Texts, "the active currencies"),
    may("default currency", Kind::Text, "the corporate currency"),
    may("stages", Kind::Texts, "open stages that it has besides the usual ones"),
    may(
        "won stages",
        Kind::Texts,
        "stages that win a deal, besides the usual one",
    ),
    may(
        "lost stages",
        Kind::Texts,
        "stages that lose a deal, besides the usual one",
    ),
    may(
        "state and country picklists",
        Kind::YesNo,
        "whether states and countries are picklists with codes",
    ),
    may("team selling", Kind::YesNo, "whether opportunities have teams"),
    may("notes", Kind::YesNo, "whether notes are enabled"),
    may(
        "hidden fields",
        Kind::Texts,
        "fields that field-level security hides: `Object.Field`",
    ),
    may(
        "custom objects",
        Kind::Free,
        "further objects: `Name__c: {label: …, plural: …}`",
    ),
    may(
        "custom fields",
        Kind::Free,
        "further fields: `Object.Name__c: {type: …}`",
    ),
    may(
        "record types",
        Kind::Free,
        "record types: `Object.Developer_Name: its name`",
    ),
    may(
        "duplicate rules",
        Kind::Free,
        "rules that find duplicates: `Rule_Name: {object: …, fields: […]}`",
    ),
    may(
        "assignment rules",
        Kind::Free,
        "who gets the records of an object: `Lead: seller`",
    ),
    may(
        "change data capture",
        Kind::Texts,
        "objects whose changes are told to subscribers",
    ),
    may("api", Kind::YesNo, "whether the org has the REST API"),
    may(
        "users without api",
        Kind::Texts,
        "users whose profile may not use the API",
    ),
    may("read-only users", Kind::Texts, "users whose profile may not write"),
    may("soap login", Kind::YesNo, "whether `login()` of the SOAP API works"),
    may("sandbox", Kind::YesNo, "whether it is a sandbox"),
    may(
        "approved application",
        Kind::YesNo,
        "whether the connected application is approved for its users",
    ),
    may("session lifetime", Kind::Duration, "how long a session lives"),
    may(
        "daily calls",
        Kind::Number(1, 100_000_000),
        "how many API calls it takes in a day",
    ),
    may("transaction time", Kind::Duration, "how long a write holds its records"),
    may(
        "lock wait",
        Kind::Duration,
        "how long a write waits for records that another one holds",
    ),
    may(
        "host",
        Kind::Text,
        "the URL under which it says that it is, such as `https://contoso.my.salesforce.com`",
    ),
    may("login host", Kind::Text, "the login URL that signed assertions name"),
];

/// The keys of `world: {salesforce: …}`: in a scenario the org is where its server is.
pub(super) const SALESFORCE: &[Key] = FILE.split_at(28).0;

const DUPLICATE_RULE: [Key; 5] = [
    must("object", Kind::Text, "the object that it looks at"),
    must("fields", Kind::Texts, "the fields that must all be equal"),
    may(
        "may save",
        Kind::YesNo,
        "whether `Sforce-Duplicate-Rule-Header` lets a record pass",
    ),
    may("message", Kind::Text, "what the user is told"),
    may("matching rule", Kind::Text, "the name of the matching rule"),
];

/// Reads the file of an org; on failure says everything that is wrong with it, in the order of the file.
pub fn read(path: &str, text: &str) -> Result<Settings, Vec<Diagnostic>> {
    let tree = yaml::parse(path, text);
    let mut reader = Reader::new(path, text);
    reader.diagnostics = tree.diagnostics;
    let mut org = Settings::default();
    if let Some(root) = tree.root.as_ref().filter(|root| !root.is_empty())
        && let Some(given) = reader.map(root, &FILE, "an org", Span::default())
    {
        org = settings(&mut reader, &given);
    }
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    if diagnostics.is_empty() {
        Ok(org)
    } else {
        Err(diagnostics)
    }
}

/// The org that the keys describe.
pub(super) fn settings(reader: &mut Reader, given: &Given) -> Settings {
    let mut org = Settings {
        schema: schema(reader, given),
        ..Settings::default()
    };
    let yes = |key: &str, switch: &mut bool| *switch = given.yes_no(key).unwrap_or(*switch);
    yes("validation rules", &mut org.validation_rules);
    yes("soap login", &mut org.soap_login);
    yes("sandbox", &mut org.sandbox);
    yes("approved application", &mut org.application_approved);
    org.api_disabled = given.yes_no("api") == Some(false);
    let users = |key: &str| given.texts(key).unwrap_or_default().into_iter().collect();
    org.api_disabled_users = users("users without api");
    org.read_only_users = users("read-only users");
    org.session_lifetime = given.duration("session lifetime").unwrap_or(org.session_lifetime);
    org.daily_requests = given.number("daily calls").unwrap_or(org.daily_requests);
    org.transaction_time = given.duration("transaction time").unwrap_or(org.transaction_time);
    org.lock_wait = given.duration("lock wait").unwrap_or(org.lock_wait);
    org.stages = stages(reader, given, org.stages);
    currencies(reader, given, &mut org);
    org.host = url(reader, given, "host");
    org.login_host = url(reader, given, "login host");
    org.record_types = record_types(reader, given, &org.schema);
    org.duplicate_rules = duplicate_rules(reader, given, &org.schema);
    org.assignment_rules = assignment_rules(reader, given, &org.schema);
    if let Some(told) = given.texts_in_place("change data capture") {
        let known = told
            .iter()
            .filter(|(name, span)| object(reader, &org.schema, name, *span));
        org.change_data_capture = known.map(|(name, _)| name.clone()).collect();
    }
    org
}

fn schema(reader: &mut Reader, given: &Given) -> Schema {
    let mut schema = Schema::default();
    let yes = |key: &str, switch: &mut bool| *switch = given.yes_no(key).unwrap_or(*switch);
    yes("package", &mut schema.package_installed);
    yes("multi-currency", &mut schema.multi_currency);
    yes("state and country picklists", &mut schema.state_country_picklists);
    yes("team selling", &mut schema.team_selling);
    yes("notes", &mut schema.notes);
    for (name, node) in given.free("custom objects").unwrap_or_default() {
        let made = custom::object_of(reader, &schema, name, &node);
        schema.custom_objects.extend(made);
    }
    for (name, node) in given.free("custom fields").unwrap_or_default() {
        let made = custom::field_of(reader, &schema, &name, &node);
        schema.custom_fields.extend(made);
    }
    let mut hidden = BTreeSet::new();
    for (name, span) in given.texts_in_place("hidden fields").unwrap_or_default() {
        if field(reader, &schema, &name, span) {
            hidden.insert(name);
        }
    }
    schema.hidden_fields = hidden;
    schema
}

/// A text that must be the base URL of a server.
fn url(reader: &mut Reader, given: &Given, key: &str) -> Option<String> {
    let text = given.text(key)?;
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.map(|host| host.trim_end_matches('/'));
    if host.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#', ' ', '@'])) {
        let span = given.places.get(key).copied().unwrap_or_default();
        let message = format!("`{key}` cannot be {}", quote(&text));
        let label = "expected a URL without a path, such as `https://contoso.my.salesforce.com`".to_owned();
        reader.report(span, message, label, None);
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn stages(reader: &mut Reader, given: &Given, usual: Vec<Stage>) -> Vec<Stage> {
    let mut own: Vec<Stage> = Vec::new();
    let mut closing: Vec<Stage> = Vec::new();
    for (key, closed, won) in [
        ("stages", false, false),
        ("won stages", true, true),
        ("lost stages", true, false),
    ] {
        for (name, span) in given.texts_in_place(key).unwrap_or_default() {
            let mut known = own.iter().chain(&usual).chain(&closing);
            if known.any(|stage| stage.name.eq_ignore_ascii_case(&name)) {
                let message = format!("the org has the stage {} already", quote(&name));
                reader.report(span, message, "named twice".to_owned(), None);
                continue;
            }
            let probability = if closed { u8::from(won) * 100 } else { 10 };
            let stage = Stage {
                name,
                closed,
                won,
                probability,
            };
            if closed { closing.push(stage) } else { own.push(stage) }
        }
    }
    own.into_iter().chain(usual).chain(closing).collect()
}

fn currencies(reader: &mut Reader, given: &Given, org: &mut Settings) {
    if let Some(named) = given.texts_in_place("currencies") {
        for (code, span) in &named {
            if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_uppercase()) {
                let message = format!("{} is no currency", quote(code));
                reader.report(*span, message, "expected an ISO code, such as `USD`".to_owned(), None);
            }
        }
        org.currencies = named.into_iter().map(|(code, _)| code).collect();
        if let Some(first) = org.currencies.first() {
            org.default_currency.clone_from(first);
        }
    }
    if let Some(code) = given.text("default currency") {
        if !org.currencies.contains(&code) {
            let place = given.places.get("default currency").copied().unwrap_or_default();
            let message = format!("the org has no currency {}", quote(&code));
            let help = format!("its currencies are {}", org.currencies.join(", "));
            reader.report(place, message, "not among `currencies`".to_owned(), Some(help));
        }
        org.default_currency = code;
    }
}

/// Whether the org has the object; reports it otherwise.
fn object(reader: &mut Reader, schema: &Schema, name: &str, span: Span) -> bool {
    let known = schema.object_names();
    if known.iter().any(|object| object == name) {
        return true;
    }
    let near = nearest(name, known.iter().map(String::as_str));
    let help = near.map_or_else(
        || format!("its objects are {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("the org has no object {}", quote(name));
    reader.report(span, message, "unknown object".to_owned(), Some(help));
    false
}

/// The halves of `Object.Field`; reports what is not of that form.
fn halves<'n>(reader: &mut Reader, name: &'n str, span: Span) -> Option<(&'n str, &'n str)> {
    let halves = name
        .split_once('.')
        .filter(|(object, field)| !object.is_empty() && !field.is_empty());
    if halves.is_none() {
        let message = format!("{} is no field", quote(name));
        let label = "expected object and field, such as `Opportunity.Amount`".to_owned();
        reader.report(span, message, label, None);
    }
    halves
}

/// Whether the org has the field `Object.Field`; reports it otherwise.
fn field(reader: &mut Reader, schema: &Schema, name: &str, span: Span) -> bool {
    let Some((of, own)) = halves(reader, name, span) else {
        return false;
    };
    if !object(reader, schema, of, span) {
        return false;
    }
    let known = schema.field_names(of).unwrap_or_default();
    if own != "Id" && known.iter().any(|field| field == own) {
        return true;
    }
    let near = nearest(own, known.iter().map(String::as_str).filter(|field| *field != "Id"));
    let help = near.map(|near| format!("did you mean `{of}.{near}`?"));
    let message = format!("`{of}` has no field {} that could be named here", quote(own));
    reader.report(span, message, "unknown field".to_owned(), help);
    false
}

/// The entries of a map whose values are texts.
fn named_texts(reader: &mut Reader, given: &Given, key: &str) -> Vec<(String, String, Span)> {
    let mut named = Vec::new();
    for (name, node) in given.free(key).unwrap_or_default() {
        match &node.kind {
            yaml::Kind::Text { text, .. } if !node.is_empty() => named.push((name, text.clone(), node.span)),
            yaml::Kind::Text { .. } | yaml::Kind::List(_) | yaml::Kind::Map(_) | yaml::Kind::Refused => {
                let message = format!("{} takes a text", quote(&name));
                reader.report(node.span, message, "this is none".to_owned(), None);
            }
        }
    }
    named
}

fn record_types(reader: &mut Reader, given: &Given, schema: &Schema) -> Vec<RecordType> {
    let mut types = Vec::new();
    for (key, name, span) in named_texts(reader, given, "record types") {
        let Some((of, developer_name)) = halves(reader, &key, span) else {
            continue;
        };
        if object(reader, schema, of, span) {
            types.push(RecordType {
                object: of.to_owned(),
                name,
                developer_name: developer_name.to_owned(),
            });
        }
    }
    types
}

fn assignment_rules(reader: &mut Reader, given: &Given, schema: &Schema) -> Vec<AssignmentRule> {
    let rules = named_texts(reader, given, "assignment rules");
    let known = rules
        .into_iter()
        .filter(|(name, _, span)| object(reader, schema, name, *span));
    known
        .map(|(object, owner, _)| AssignmentRule { object, owner })
        .collect()
}

fn duplicate_rules(reader: &mut Reader, given: &Given, schema: &Schema) -> Vec<DuplicateRule> {
    let mut rules = Vec::new();
    for (name, node) in given.free("duplicate rules").unwrap_or_default() {
        let Some(inner) = reader.map(&node, &DUPLICATE_RULE, &name, node.span) else {
            continue;
        };
        let (Some(of), Some(fields)) = (inner.text("object"), inner.texts_in_place("fields")) else {
            continue;
        };
        let place = inner.places.get("object").copied().unwrap_or(node.span);
        if !object(reader, schema, &of, place) {
            continue;
        }
        let known: Vec<String> = fields
            .into_iter()
            .filter(|(own, span)| field(reader, schema, &format!("{of}.{own}"), *span))
            .map(|(own, _)| own)
            .collect();
        rules.push(DuplicateRule {
            matching_rule: inner.text("matching rule").unwrap_or_else(|| format!("{name}_Match")),
            name,
            object: of,
            fields: known,
            allow_save: inner.yes_no("may save").unwrap_or(true),
            message: inner
                .text("message")
                .unwrap_or_else(|| "Use one of these records?".to_owned()),
        });
    }
    rules
}

#[cfg(test)]
mod tests;
