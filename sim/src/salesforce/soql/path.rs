//! From a written path to a column, and from columns to the members of a printed record.
//!
//! It reads no rows.

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
        let Some(target) = targets.iter().find_map(|name| org.object(name)) else {
            return Err(Unresolved::Refused(format!("object `{}`", targets.join("` or `"))));
        };
        parents.push((reference, target));
        at = target;
    }
    let shape = &org.objects[at];
    match shape.seen(last) {
        Some(field) => Ok(Column { parents, field }),
        None if is_known_elsewhere(shape, last) => Err(Unresolved::Refused(format!("field `{}.{last}`", shape.name))),
        None => Err(Unresolved::Unknown(format!(
            "No such column '{last}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' after \
             the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
            shape.name
        ))),
    }
}

/// Adds a column to the printed members; fields of one parent stand together.
pub(crate) fn add(nodes: &mut Vec<Node>, column: &Column) {
    let mut level = nodes;
    for &(reference, object) in &column.parents {
        let known = level
            .iter()
            .position(|node| matches!(node, Node::Parent { reference: known, .. } if *known == reference));
        let place = known.unwrap_or_else(|| {
            level.push(Node::Parent {
                reference,
                object,
                nodes: Vec::new(),
            });
            level.len() - 1
        });
        let Node::Parent { nodes, .. } = &mut level[place] else {
            return;
        };
        level = nodes;
    }
    if !level.contains(&Node::Field(column.field)) {
        level.push(Node::Field(column.field));
    }
}
