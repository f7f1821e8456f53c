//! Objects and fields that an administrator made, as a file declares them.
//!
//! What a type does with its values stands with the simulator.

use cosell_sim::salesforce::{CustomField, CustomKind, CustomObject, Schema};

use super::{halves, object};
use crate::diagnostic::{Span, quote};
use crate::scenario::given::{Given, Reader};
use crate::scenario::key::{Key, Kind, may, must};
use crate::yaml::Node;

const TYPES: [(&str, Shape); 15] = [
    ("text", Shape::Text),
    ("long text", Shape::LongText),
    ("checkbox", Shape::Plain(CustomKind::Checkbox)),
    ("number", Shape::Number(CustomKind::Number)),
    ("currency", Shape::Number(CustomKind::Currency)),
    ("percent", Shape::Number(CustomKind::Percent)),
    ("date", Shape::Plain(CustomKind::Date)),
    ("date and time", Shape::Plain(CustomKind::DateTime)),
    ("email", Shape::Plain(CustomKind::Email)),
    ("phone", Shape::Plain(CustomKind::Phone)),
    ("url", Shape::Plain(CustomKind::Url)),
    ("picklist", Shape::List),
    ("multi-picklist", Shape::Lists),
    ("look-up", Shape::LookUp),
    ("master-detail", Shape::Master),
];

/// What a type of field needs to know.
#[derive(Clone, Debug)]
enum Shape {
    Plain(CustomKind),
    Text,
    LongText,
    Number(fn(u32, u32) -> CustomKind),
    List,
    Lists,
    LookUp,
    Master,
}

const CUSTOM_OBJECT: [Key; 2] = [
    may("label", Kind::Text, "one of them, on the screen"),
    may("plural", Kind::Text, "several of them, on the screen"),
];
const CUSTOM_FIELD: [Key; 12] = [
    must("type", Kind::Word(&type_words()), "its type"),
    may("label", Kind::Text, "its name on the screen"),
    may("length", Kind::Number(1, 131_072), "characters of a text"),
    may(
        "digits",
        Kind::Number(1, 18),
        "digits of a number, before and after the point",
    ),
    may("decimals", Kind::Number(0, 17), "digits of a number after the point"),
    may("values", Kind::Texts, "the values of a picklist"),
    may("restricted", Kind::YesNo, "whether a picklist takes no other values"),
    may("to", Kind::Text, "the object that a look-up or a detail leads to"),
    may(
        "children",
        Kind::Text,
        "the name under which that object's queries reach the records",
    ),
    may("required", Kind::YesNo, "whether it may not be empty"),
    may("external id", Kind::YesNo, "whether an upsert finds records by it"),
    may("unique", Kind::YesNo, "whether no two records may hold the same value"),
];
const fn type_words() -> [&'static str; TYPES.len()] {
    let mut words = [""; TYPES.len()];
    let mut at = 0;
    while at < TYPES.len() {
        words[at] = TYPES[at].0;
        at += 1;
    }
    words
}

/// Whether a name can be that of something that an administrator made; reports it otherwise.
fn is_custom(reader: &mut Reader, name: &str, span: Span) -> bool {
    let letters = |text: &str| {
        text.bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    };
    let stem = name.strip_suffix("__c");
    let good = stem.is_some_and(|stem| letters(stem) && stem.starts_with(|first: char| first.is_ascii_alphabetic()));
    if !good {
        let message = format!("{} is no custom name", quote(name));
        let label = "expected letters, digits and underscores with `__c` at the end".to_owned();
        reader.report(span, message, label, None);
    }
    good
}

/// An object of that name.
pub(super) fn object_of(reader: &mut Reader, schema: &Schema, name: String, node: &Node) -> Option<CustomObject> {
    let given = reader.map(node, &CUSTOM_OBJECT, &name, node.span)?;
    if !is_custom(reader, &name, node.span) {
        return None;
    }
    if schema.object_names().contains(&name) {
        let message = format!("the org has the object {} already", quote(&name));
        reader.report(node.span, message, "declared again".to_owned(), None);
        return None;
    }
    let stem = name.trim_end_matches("__c").replace('_', " ");
    let label = given.text("label").unwrap_or(stem);
    let plural = given.text("plural").unwrap_or_else(|| format!("{label}s"));
    Some(CustomObject { name, label, plural })
}

/// A field of that name, `Object.Name__c`.
pub(super) fn field_of(reader: &mut Reader, schema: &Schema, name: &str, node: &Node) -> Option<CustomField> {
    let given = reader.map(node, &CUSTOM_FIELD, name, node.span)?;
    let (of, own) = halves(reader, name, node.span)?;
    if !object(reader, schema, of, node.span) || !is_custom(reader, own, node.span) {
        return None;
    }
    if schema
        .field_names(of)
        .unwrap_or_default()
        .iter()
        .any(|field| field == own)
    {
        let message = format!("`{of}` has the field {} already", quote(own));
        reader.report(node.span, message, "declared again".to_owned(), None);
        return None;
    }
    let label = own.trim_end_matches("__c").replace('_', " ");
    let yes = |key: &str| given.yes_no(key).unwrap_or(false);
    Some(CustomField {
        kind: kind_of(reader, schema, (of, own), &given, node.span)?,
        object: of.to_owned(),
        name: own.to_owned(),
        label: given.text("label").unwrap_or(label),
        required: yes("required"),
        external_id: yes("external id"),
        unique: yes("unique"),
    })
}

fn kind_of(
    reader: &mut Reader,
    schema: &Schema,
    (of, own): (&str, &str),
    given: &Given,
    span: Span,
) -> Option<CustomKind> {
    let word = given.text("type")?;
    let (_, shape) = TYPES.iter().find(|(name, _)| *name == word)?;
    let takes: &[&str] = match shape {
        Shape::Plain(_) => &[],
        Shape::Text | Shape::LongText => &["length"],
        Shape::Number(_) => &["digits", "decimals"],
        Shape::List | Shape::Lists => &["values", "restricted"],
        Shape::LookUp | Shape::Master => &["to", "children"],
    };
    let special = ["length", "digits", "decimals", "values", "restricted", "to", "children"];
    for key in given.keys().filter(|key| special.contains(key) && !takes.contains(key)) {
        let place = given.places.get(key).copied().unwrap_or(span);
        let message = format!("a field of type `{word}` has no `{key}`");
        reader.report(place, message, "does not belong here".to_owned(), None);
    }
    let restricted = given.yes_no("restricted").unwrap_or(false);
    let values = given.texts("values").unwrap_or_default();
    Some(match shape {
        Shape::Plain(kind) => kind.clone(),
        Shape::Text => CustomKind::Text(given.count("length").unwrap_or(255).min(255) as usize),
        Shape::LongText => CustomKind::LongText(given.count("length").unwrap_or(32_768) as usize),
        Shape::Number(kind) => kind(
            given.count("digits").unwrap_or(18),
            given.count("decimals").unwrap_or(0),
        ),
        Shape::List => CustomKind::Picklist { values, restricted },
        Shape::Lists => CustomKind::MultiPicklist { values, restricted },
        Shape::LookUp | Shape::Master => {
            let Some(to) = given.text("to") else {
                let message = format!("`{of}.{own}` needs `to`");
                let label = format!("a field of type `{word}` leads to an object");
                reader.report(span, message, label, None);
                return None;
            };
            let place = given.places.get("to").copied().unwrap_or(span);
            if !object(reader, schema, &to, place) {
                return None;
            }
            let children = given.text("children").unwrap_or_default();
            if matches!(shape, Shape::LookUp) {
                return Some(CustomKind::LookUp { to, children });
            }
            if !of.ends_with("__c") {
                let message = format!("`{of}` cannot be a detail");
                reader.report(span, message, "only custom objects have masters".to_owned(), None);
                return None;
            }
            CustomKind::MasterDetail { to, children }
        }
    })
}
