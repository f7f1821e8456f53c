//! Which metadata a URL asks for.
//!
//! Paths are read segment by segment; what each segment leads to is built elsewhere.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::address::Options;
use super::super::answer::Answer;
use super::super::error::Fault;
use super::super::expand::{self, Expand};
use super::super::guid::Guid;
use super::super::model::{Column, Model, Table, choices};
use super::attribute::attribute;
use super::choice::{self, of_column};
use super::csdl;
use super::entity::{entity, key, many_to_many, one_to_many};
use super::select::{Asked, Item, Related, show, shown};

/// The namespace of casts.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Where the walk along a path stands.
enum Found<'a> {
    One(Item<'a>),
    Many(Vec<Item<'a>>),
    /// A plain property.
    Plain(Value),
}

/// Answers a request for metadata. `path` is what stands behind the API's root.
pub(in crate::dataverse) fn answer(
    model: &Model,
    root: &str,
    (method, path): (&Method, &[String]),
    options: impl FnOnce() -> Result<Options, Fault>,
) -> Result<Answer, Fault> {
    let first = path.first().map_or("", String::as_str);
    if method != Method::GET || matches!(first, "CreateEntities" | "PublishXml" | "PublishAllXml") {
        return Err(Fault::NotSimulated(format!("metadata writes (`{method} {first}`)")));
    }
    if first == "$metadata" {
        return Ok(Answer::text("application/xml", csdl::document(model)));
    }
    let options = options()?;
    options.only_select_filter_and_expand()?;
    let expand = match &options.expand {
        Some(text) => expand::read(text)?,
        None => Vec::new(),
    };
    let asked = Asked {
        select: options.select.as_deref(),
        filter: options.filter.as_deref(),
        expand: &expand,
        aliases: &options.aliases,
    };
    let context = context(root, path, &asked);
    let body = match walk(model, path)? {
        Found::One(item) => {
            let mut body = json!({"@odata.context": format!("{context}/$entity")});
            extend(&mut body, show(item, &asked)?);
            body
        }
        Found::Many(items) => json!({"@odata.context": context, "value": shown(items, &asked)?}),
        Found::Plain(Value::Null) => return Ok(Answer::empty()),
        Found::Plain(value) if value.is_object() => {
            let mut body = json!({"@odata.context": context});
            extend(&mut body, value);
            body
        }
        Found::Plain(value) => json!({"@odata.context": context, "value": value}),
    };
    Ok(Answer::json(StatusCode::OK, body.to_string()))
}

fn extend(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

/// `…$metadata#EntityDefinitions('account')/Attributes(LogicalName)`: assumed, in the manner of rows.
fn context(root: &str, path: &[String], asked: &Asked<'_>) -> String {
    let last = path.len().saturating_sub(1);
    let segments = path
        .iter()
        .enumerate()
        .map(|(place, segment)| match segment.split_once('(') {
            Some((set, _)) if place == last => set.to_owned(),
            Some((set, rest)) => {
                let name = rest
                    .trim_end_matches(')')
                    .split_once('=')
                    .map_or(rest, |(_, name)| name);
                format!("{set}({name})")
            }
            None => segment.clone(),
        });
    let mut names: Vec<String> = asked.select.map(str::to_owned).into_iter().collect();
    names.extend(asked.expand.iter().map(expanded));
    let names = if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(","))
    };
    format!("{root}$metadata#{}{names}", segments.collect::<Vec<_>>().join("/"))
}

fn expanded(expand: &Expand) -> String {
    let mut inner: Vec<String> = expand.select.clone().into_iter().collect();
    inner.extend(expand.inner.iter().map(expanded));
    format!("{}({})", expand.name, inner.join(","))
}

fn walk<'a>(model: &'a Model, path: &[String]) -> Result<Found<'a>, Fault> {
    let mut found: Option<Found<'a>> = None;
    for segment in path {
        let (name, key) = match segment.split_once('(') {
            Some((name, key)) => (name, Some(key.strip_suffix(')').ok_or_else(|| missing(segment))?)),
            None => (segment.as_str(), None),
        };
        let next = match found {
            None => Found::Many(first(model, name)?),
            Some(found) => step(found, name)?,
        };
        found = Some(match (next, key) {
            (next, None) => next,
            (Found::Many(items), Some(key)) => Found::One(pick(items, key, segment)?),
            (Found::One(_) | Found::Plain(_), Some(_)) => return Err(Fault::NoSuchSegment(segment.clone())),
        });
    }
    found.ok_or_else(|| missing(""))
}

fn missing(segment: &str) -> Fault {
    Fault::NotSimulated(format!("metadata `{segment}`"))
}

fn first<'a>(model: &'a Model, name: &str) -> Result<Vec<Item<'a>>, Fault> {
    match name {
        "EntityDefinitions" => Ok(model.tables().iter().map(|table| of_table(model, table)).collect()),
        "GlobalOptionSetDefinitions" => {
            let global = choices().values().filter(|set| set.is_global());
            Ok(global
                .map(|set| plain("OptionSetMetadata", choice::choices(set)))
                .collect())
        }
        "RelationshipDefinitions" => Ok(relationships(model)),
        other => Err(missing(other)),
    }
}

/// What a segment means behind what is found: a cast, a navigation property, a property.
fn step<'a>(found: Found<'a>, name: &str) -> Result<Found<'a>, Fault> {
    let unknown = || Fault::NoSuchSegment(name.to_owned());
    if let Some(kind) = name.strip_prefix(NAMESPACE) {
        let wanted = format!("#{NAMESPACE}{kind}");
        // A global choice does not say of which kind it is.
        let is_of = |item: &Item<'_>| match item.value.get("@odata.type") {
            Some(word) => word == wanted.as_str(),
            None => item.kind == kind,
        };
        let bare = |mut item: Item<'a>| {
            if let Value::Object(value) = &mut item.value {
                value.shift_remove("@odata.type");
            }
            item
        };
        return match found {
            Found::Many(items) => Ok(Found::Many(items.into_iter().filter(is_of).map(bare).collect())),
            Found::One(item) if is_of(&item) => Ok(Found::One(bare(item))),
            Found::One(_) | Found::Plain(_) => Err(unknown()),
        };
    }
    let Found::One(item) = found else {
        return Err(unknown());
    };
    match (item.related)(name) {
        Some(Related::Many(items)) => Ok(Found::Many(items)),
        Some(Related::One(Some(item))) => Ok(Found::One(item)),
        Some(Related::One(None)) => Ok(Found::Plain(Value::Null)),
        None => item.value.get(name).cloned().map(Found::Plain).ok_or_else(unknown),
    }
}

/// The item that a key names: by `LogicalName`, `SchemaName` or `Name`, or by its identifier.
fn pick<'a>(items: Vec<Item<'a>>, key: &str, segment: &str) -> Result<Item<'a>, Fault> {
    let (name, value) = match key.split_once('=') {
        Some((name, value)) => (name.trim(), value.trim().trim_matches('\'').to_owned()),
        None => match Guid::parse(key.trim()) {
            Some(id) => ("MetadataId", id.to_string()),
            None => return Err(Fault::Query("Error in query syntax.".to_owned())),
        },
    };
    if !matches!(name, "LogicalName" | "SchemaName" | "Name" | "MetadataId") {
        return Err(Fault::Query("Error in query syntax.".to_owned()));
    }
    let found = items.into_iter().find(|item| item.value[name] == value.as_str());
    found.ok_or_else(|| Fault::NoSuchMetadata(segment.to_owned()))
}

fn plain<'a>(kind: &'static str, value: Value) -> Item<'a> {
    Item {
        kind,
        value,
        related: Box::new(|_| None),
    }
}

fn of_table<'a>(model: &'a Model, table: &'a Table) -> Item<'a> {
    let related = move |name: &str| {
        let relating = |side: &str| {
            let own = one_to_many(model)
                .into_iter()
                .filter(|found| found[side] == *table.logical);
            Related::Many(
                own.map(|found| untyped("OneToManyRelationshipMetadata", found))
                    .collect(),
            )
        };
        match name {
            "Attributes" => Some(Related::Many(attributes(table))),
            "Keys" => {
                let keys = table
                    .keys
                    .iter()
                    .map(|found| plain("EntityKeyMetadata", key(table, found)));
                Some(Related::Many(keys.collect()))
            }
            "OneToManyRelationships" => Some(relating("ReferencedEntity")),
            "ManyToOneRelationships" => Some(relating("ReferencingEntity")),
            "ManyToManyRelationships" => {
                let own = |many: &&super::super::model::Many| many.sides.iter().any(|side| side.0 == table.index);
                let found = model.many().iter().filter(own).map(|many| many_to_many(model, many));
                let items = found.map(|found| untyped("ManyToManyRelationshipMetadata", found));
                Some(Related::Many(items.collect()))
            }
            _ => None,
        }
    };
    Item {
        kind: "EntityMetadata",
        value: entity(table),
        related: Box::new(related),
    }
}

/// An item of a list whose items are all of one type, which is not said then.
fn untyped<'a>(kind: &'static str, mut value: Value) -> Item<'a> {
    if let Value::Object(value) = &mut value {
        value.shift_remove("@odata.type");
    }
    plain(kind, value)
}

fn attributes(table: &Table) -> Vec<Item<'_>> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(number, column)| of_attribute(table, column, number))
        .collect()
}

fn of_attribute<'a>(table: &'a Table, column: &'a Column, number: usize) -> Item<'a> {
    let related = move |name: &str| {
        let choice = of_column(table, column)?;
        let global = choice["IsGlobal"] == true;
        match name {
            "OptionSet" => Some(Related::One(Some(plain("OptionSetMetadata", choice)))),
            "GlobalOptionSet" => Some(Related::One(global.then(|| plain("OptionSetMetadata", choice)))),
            _ => None,
        }
    };
    Item {
        kind: "AttributeMetadata",
        value: attribute(table, column, number),
        related: Box::new(related),
    }
}

fn relationships(model: &Model) -> Vec<Item<'_>> {
    let one = one_to_many(model).into_iter();
    let many = model.many().iter().map(|many| many_to_many(model, many));
    one.chain(many)
        .map(|value| plain("RelationshipMetadataBase", value))
        .collect()
}
