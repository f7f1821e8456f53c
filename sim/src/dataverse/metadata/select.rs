//! `$select`, `$filter` and `$expand` over metadata, which are JSON here and no rows.
//!
//! Assumed: text functions and sorting, which the real server does not have for metadata, are refused by name.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::super::error::Fault;
use super::super::expand::Expand;
use super::super::filter::ast::{Comparison, Filter, Literal, Operand, Path};
use super::super::filter::parse::{self, Aliases};

/// Something that metadata describe, with what can be expanded from it.
pub(super) struct Item<'a> {
    /// The type's name, for messages.
    pub(super) kind: &'static str,
    pub(super) value: Value,
    /// Navigation properties by name, built when they are asked for.
    pub(super) related: Lookup<'a>,
}

/// Finds what a navigation property leads to, by its name.
pub(super) type Lookup<'a> = Box<dyn Fn(&str) -> Option<Related<'a>> + 'a>;

/// What a navigation property of metadata leads to.
pub(super) enum Related<'a> {
    One(Option<Item<'a>>),
    Many(Vec<Item<'a>>),
}

/// What is asked of each item.
pub(super) struct Asked<'a> {
    pub(super) select: Option<&'a str>,
    pub(super) filter: Option<&'a str>,
    pub(super) expand: &'a [Expand],
    pub(super) aliases: &'a Aliases,
}

/// The items that fulfil the filter, each as it is shown.
pub(super) fn shown(items: Vec<Item<'_>>, asked: &Asked<'_>) -> Result<Vec<Value>, Fault> {
    let filter = match asked.filter {
        Some(text) => Some(parse::filter(text, asked.aliases)?),
        None => None,
    };
    let mut found = Vec::new();
    for item in items {
        let fits = match &filter {
            Some(filter) => holds(filter, &item)?,
            None => true,
        };
        if fits {
            found.push(show(item, asked)?);
        }
    }
    Ok(found)
}

/// One item as it is shown: what is selected, `MetadataId` always, and what is expanded.
pub(super) fn show(item: Item<'_>, asked: &Asked<'_>) -> Result<Value, Fault> {
    let expanded = asked.expand.iter().map(|expand| {
        let related = (item.related)(&expand.name);
        let related = related.ok_or_else(|| no_such(item.kind, &expand.name))?;
        let inside = Asked {
            select: expand.select.as_deref(),
            filter: expand.filter.as_deref(),
            expand: &expand.inner,
            aliases: asked.aliases,
        };
        if let Some(other) = expand
            .order_by
            .as_ref()
            .map(|_| "$orderby")
            .or(expand.top.as_ref().map(|_| "$top"))
        {
            return Err(Fault::NotSimulated(format!("query option `{other}` on metadata")));
        }
        let value = match related {
            Related::One(None) => Value::Null,
            Related::One(Some(item)) => show(item, &inside)?,
            Related::Many(items) => Value::Array(shown(items, &inside)?),
        };
        Ok((expand.name.clone(), value))
    });
    let expanded = expanded.collect::<Result<Vec<_>, Fault>>()?;
    let Value::Object(mut all) = item.value else {
        return Ok(item.value);
    };
    if let Some(select) = asked
        .select
        .map(str::trim)
        .filter(|select| !select.is_empty() && *select != "*")
    {
        all = selected(item.kind, &all, select, &*item.related)?;
    }
    all.extend(expanded);
    Ok(Value::Object(all))
}

fn selected<'a>(
    kind: &'static str,
    all: &Map<String, Value>,
    select: &str,
    related: &(dyn Fn(&str) -> Option<Related<'a>> + 'a),
) -> Result<Map<String, Value>, Fault> {
    let mut found = Map::new();
    if let Some(word) = all.get("@odata.type") {
        found.insert("@odata.type".to_owned(), word.clone());
    }
    for name in select.split(',').map(str::trim) {
        match all.get(name) {
            Some(value) => {
                found.insert(name.to_owned(), value.clone());
            }
            // A property of another type of column, as real lists of mixed types leave it out.
            None if kind == "AttributeMetadata" && OF_SOME_TYPES.contains(&name) => {}
            None if related(name).is_some() => {}
            None => return Err(no_such(kind, name)),
        }
    }
    if let Some(id) = all.get("MetadataId") {
        found.insert("MetadataId".to_owned(), id.clone());
    }
    Ok(found)
}

/// Properties that only some types of columns have.
const OF_SOME_TYPES: [&str; 10] = [
    "DateTimeBehavior",
    "DefaultFormValue",
    "DefaultValue",
    "Format",
    "FormatName",
    "MaxLength",
    "MaxValue",
    "MinValue",
    "Precision",
    "Targets",
];

fn no_such(kind: &str, name: &str) -> Fault {
    Fault::NoSuchProperty {
        table: kind.to_owned(),
        name: name.to_owned(),
    }
}

fn holds(filter: &Filter, item: &Item<'_>) -> Result<bool, Fault> {
    match filter {
        Filter::And(parts) => every(parts, |part| holds(part, item)),
        Filter::Or(parts) => Ok(!every(parts, |part| Ok(!holds(part, item)?))?),
        Filter::Not(inner) => Ok(!holds(inner, item)?),
        Filter::Compare(Operand::Path(path), operator, Operand::Literal(literal)) => {
            Ok(compare(value(path, item)?, *operator, literal))
        }
        Filter::Compare(Operand::Literal(literal), operator, Operand::Path(path)) => {
            Ok(compare(value(path, item)?, operator.mirrored(), literal))
        }
        other @ (Filter::Compare(..) | Filter::Text(..) | Filter::Lambda { .. } | Filter::Function { .. }) => {
            Err(Fault::NotSimulated(format!("`{other}` in the `$filter` of metadata")))
        }
    }
}

fn every(parts: &[Filter], mut holds: impl FnMut(&Filter) -> Result<bool, Fault>) -> Result<bool, Fault> {
    for part in parts {
        if !holds(part)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn value<'i>(path: &Path, item: &'i Item<'_>) -> Result<&'i Value, Fault> {
    let mut at = &item.value;
    for name in &path.0 {
        let next = at.get(name);
        at = match next {
            Some(next) => next,
            None if OF_SOME_TYPES.contains(&name.as_str()) => &Value::Null,
            None => return Err(no_such(item.kind, &path.to_string())),
        };
    }
    Ok(at)
}

fn compare(stored: &Value, operator: Comparison, literal: &Literal) -> bool {
    let order = match (stored, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::Bool(stored), Literal::Bool(given)) => Some(stored.cmp(given)),
        (Value::String(stored), Literal::Text(given) | Literal::Member(_, given)) => Some(stored.as_str().cmp(given)),
        (Value::String(stored), Literal::Guid(given)) => Some(stored.as_str().cmp(given.to_string().as_str())),
        (Value::Number(stored), Literal::Number(given)) => {
            stored.as_f64().and_then(|stored| stored.partial_cmp(&given.as_f64()))
        }
        _ => None,
    };
    match order {
        Some(order) => operator.holds(order),
        None => operator == Comparison::NotEqual,
    }
}
