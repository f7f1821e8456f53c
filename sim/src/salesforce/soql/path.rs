//! From a written path to a column, and from columns to the members of a printed record.
//!
//! It reads no rows.

use std::sync::Arc;

use super::function::Function;
use super::plan::Plan;
use crate::salesforce::error::Problem;
use crate::salesforce::org::{Org, is_known_elsewhere};

/// The most parents that a path may climb (salesforce.md section 4).
const MAX_PARENTS: usize = 5;

/// One printed member of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// The place of a field.
    Field(usize),
    /// A parent, under its relationship's name.
    Parent {
        reference: usize,
        object: usize,
        nodes: Vec<Node>,
    },
    /// A field as a function shows it, perhaps under another name.
    Shown {
        key: Option<String>,
        function: Function,
        column: Column,
    },
    /// The rows of another object that refer to this one.
    Children(Arc<Children>),
}

/// A query of the children of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Children {
    /// The name of the relationship, as the describe spells it.
    pub(crate) name: String,
    /// The place of the reference field in the children's object.
    pub(crate) field: usize,
    pub(crate) plan: Arc<Plan>,
}

/// A field of the row or of one of its parents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// Reference field and the object it leads to, from the row outwards.
    pub(crate) parents: Vec<(usize, usize)>,
    /// The place of the field in the last object.
    pub(crate) field: usize,
}

/// The members for a comma-separated list of fields, as a read of one record names them.
///
/// Assumed: an unknown name is refused in the words of a query, without its frame.
pub(crate) fn nodes_of_list(org: &Org, object: usize, list: &str) -> Result<Vec<Node>, Problem> {
    let mut nodes = Vec::new();
    for written in list.split(',').map(str::trim).filter(|written| !written.is_empty()) {
        let names: Vec<&str> = written.split('.').collect();
        match resolve(org, object, &names) {
            Ok(column) => add(&mut nodes, &column),
            Err(Unresolved::Refused(what)) => return Err(Problem::not_simulated(what)),
            Err(Unresolved::Unknown(message)) => return Err(Problem::bad("INVALID_FIELD", message)),
        }
    }
    Ok(nodes)
}

/// Why a path leads nowhere.
pub(crate) enum Unresolved {
    /// No such relationship or field.
    Unknown(String),
    /// It may exist in an org, and is not simulated.
    Refused(String),
}

/// Follows a path from an object to a field.
pub(crate) fn resolve(org: &Org, object: usize, names: &[&str]) -> Result<Column, Unresolved> {
    let (mut at, mut parents) = (object, Vec::new());
    let (last, climbed) = names.split_last().ok_or_else(|| Unresolved::Unknown(String::new()))?;
    if climbed.len() > MAX_PARENTS {
        return Err(Unresolved::Unknown(format!(
            "a path may climb at most {MAX_PARENTS} relationships"
        )));
    }
    for name in climbed {
        let shape = &org.objects[at];
        let Some(reference) = shape.relationship(name) else {
            if is_known_elsewhere(shape, name) {
                return Err(Unresolved::Refused(format!("relationship `{}.{name}`", shape.name)));
            }
            // Words from general knowledge.
            return Err(Unresolved::Unknown(format!(
                "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be sure \
                 to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the \
                 appropriate names."
            )));
        };
        let targets = shape.fields[reference]
            .reference()
            .map_or(&[][..], |reference| &reference.to);
        let known: Vec<usize> = targets.iter().filter_map(|name| org.object(name)).collect();
        let next = names.get(parents.len() + 1).copied().unwrap_or_default();
        let Some(target) = target(org, &known, next)? else {
            return Err(Unresolved::Refused(format!("object `{}`", targets.join("` or `"))));
        };
        parents.push((reference, target));
        at = target;
    }
    let shape = &org.objects[at];
    match shape.seen(last) {
        Some(field) => Ok(Column { parents, field }),
        None if is_known_elsewhere(shape, last) => Err(Unresolved::Refused(format!("field `{}.{last}`", shape.name))),
        None => Err(Unresolved::Unknown(no_column(last, &shape.name))),
    }
}

/// The object behind a reference. One that leads to several objects shows only what the records of all have in common: names and
/// the like. Assumed: which.
fn target(org: &Org, known: &[usize], next: &str) -> Result<Option<usize>, Unresolved> {
    const COMMON: [&str; 12] = [
        "Alias",
        "Email",
        "FirstName",
        "Id",
        "IsActive",
        "LastName",
        "Name",
        "Phone",
        "ProfileId",
        "Title",
        "Type",
        "Username",
    ];
    if known.len() < 2 {
        return Ok(known.first().copied());
    }
    if next.eq_ignore_ascii_case("Type") {
        return Err(Unresolved::Refused("field `Name.Type`".to_owned()));
    }
    let has = |object: &&usize| org.objects[**object].seen(next).is_some();
    let common = COMMON.iter().any(|name| name.eq_ignore_ascii_case(next));
    match known.iter().find(has).filter(|_| common) {
        Some(object) => Ok(Some(*object)),
        None => Err(Unresolved::Unknown(no_column(next, "Name"))),
    }
}

/// Words from general knowledge.
fn no_column(name: &str, entity: &str) -> String {
    format!(
        "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the '__c' after \
         the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
}

/// Adds a column to the printed members; fields of one parent stand together.
pub(crate) fn add(nodes: &mut Vec<Node>, column: &Column) {
    let level = level(nodes, &column.parents);
    if !level.contains(&Node::Field(column.field)) {
        level.push(Node::Field(column.field));
    }
}

/// The members of a parent, which is added when it is not there yet.
pub(crate) fn level<'a>(nodes: &'a mut Vec<Node>, parents: &[(usize, usize)]) -> &'a mut Vec<Node> {
    let Some((&(reference, object), rest)) = parents.split_first() else {
        return nodes;
    };
    let known = nodes
        .iter()
        .position(|node| matches!(node, Node::Parent { reference: known, .. } if *known == reference));
    let place = known.unwrap_or(nodes.len());
    if known.is_none() {
        nodes.push(Node::Parent {
            reference,
            object,
            nodes: Vec::new(),
        });
    }
    match &mut nodes[place] {
        Node::Parent { nodes, .. } => level(nodes, rest),
        Node::Field(_) | Node::Shown { .. } | Node::Children(_) => unreachable!("the place holds a parent"),
    }
}
