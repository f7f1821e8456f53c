//! What a query prints of each row: fields, parents, children, values as functions show them.

use std::sync::Arc;

use super::super::ast::{At, Condition, FieldSet, Item, Name, Query, Selection, Term};
use super::super::path::{Children, Column, Node, add, level};
use super::{Planner, Problem};

/// The greatest `LIMIT` of a query that asks for all fields. From general knowledge.
const MAX_LIMIT_OF_ALL: u64 = 200;
/// The most queries within one query's selection. From general knowledge.
const MAX_CHILDREN: usize = 20;

impl<'a> Planner<'a> {
    /// Whether any item is an aggregate function, or rows are grouped.
    pub(super) fn is_grouped(self) -> bool {
        let aggregates = |item: &Item| matches!(item, Item::Term { term, .. } if term.is_aggregate());
        let selected = matches!(&self.query.selection, Selection::Items(items) if items.iter().any(aggregates));
        selected || !self.query.group.is_empty()
    }

    /// The members of each printed row, and whether it is only counted.
    pub(super) fn nodes(self) -> Result<(Vec<Node>, bool), Problem> {
        let items = match &self.query.selection {
            Selection::Count if self.query.group.is_empty() && self.query.having.is_none() && self.is_outer => {
                return Ok((Vec::new(), true));
            }
            Selection::Count => {
                // Assumed: the words.
                return Err(self.malformed(
                    self.query.from.at,
                    "COUNT() must be the only element of a query without groups",
                ));
            }
            Selection::Items(items) => items,
        };
        if self.is_grouped() {
            return Ok((Vec::new(), false));
        }
        if let Some(having) = &self.query.having {
            let at = first_term(having);
            return Err(self.malformed(at, "HAVING needs GROUP BY"));
        }
        let (mut nodes, mut seen) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        let mut children = 0;
        for item in items {
            match item {
                Item::Term { term, alias } => self.add_term(term, alias.as_ref(), &mut nodes, &mut seen)?,
                Item::Fields(at, set) => self.add_fields(*at, *set, &mut nodes, &mut seen)?,
                Item::Children(query) => {
                    children += 1;
                    if children > MAX_CHILDREN {
                        let message = format!("a query may hold at most {MAX_CHILDREN} queries of children");
                        return Err(self.malformed(query.from.at, &message));
                    }
                    nodes.push(self.children(query)?);
                }
            }
        }
        Ok((nodes, false))
    }

    fn add_term(
        self,
        term: &Term,
        alias: Option<&Name>,
        nodes: &mut Vec<Node>,
        seen: &mut Vec<(Column, Option<String>)>,
    ) -> Result<(), Problem> {
        let column = self.column(term.path())?;
        let key = alias.map(|alias| alias.text.clone());
        let entry = (column.clone(), key.clone());
        if seen.contains(&entry) {
            let name = term.path().names.last().map_or("", String::as_str);
            return Err(self.refuse("INVALID_FIELD", term.at(), &format!("duplicate field selected: {name}")));
        }
        seen.push(entry);
        self.expr(term)?;
        match (term, alias) {
            (Term::Field(_), None) => add(nodes, &column),
            (Term::Call { function, .. }, _) if function.is_display() => {
                let function = *function;
                match key {
                    Some(key) => nodes.push(Node::Shown {
                        key: Some(key),
                        function,
                        column,
                    }),
                    None => level(nodes, &column.parents).push(Node::Shown {
                        key: None,
                        function,
                        column: Column {
                            parents: Vec::new(),
                            field: column.field,
                        },
                    }),
                }
            }
            (Term::Field(_), Some(alias)) => {
                return Err(self.malformed(alias.at, "only aggregate expressions use field aliasing"));
            }
            (Term::Call { .. }, _) => {
                let name = &self.field(&column).name;
                return Err(self.malformed(term.at(), &format!("Field must be grouped or aggregated: {name}")));
            }
        }
        Ok(())
    }

    fn add_fields(
        self,
        at: At,
        set: FieldSet,
        nodes: &mut Vec<Node>,
        seen: &mut Vec<(Column, Option<String>)>,
    ) -> Result<(), Problem> {
        if set != FieldSet::Standard && self.query.limit.is_none_or(|limit| limit > MAX_LIMIT_OF_ALL) {
            let message = format!("The SOQL FIELDS function must have a LIMIT of at most {MAX_LIMIT_OF_ALL}");
            return Err(self.malformed(at, &message));
        }
        let shape = &self.asking.org.objects[self.object];
        for place in &shape.visible {
            let field = &shape.fields[*place];
            let custom = field.name.ends_with("__c");
            let wanted = match set {
                FieldSet::All => true,
                FieldSet::Standard => !custom,
                FieldSet::Custom => custom,
            };
            let column = Column {
                parents: Vec::new(),
                field: *place,
            };
            let entry = (column.clone(), None);
            if wanted && seen.contains(&entry) {
                let message = format!("duplicate field selected: {}", field.name);
                return Err(self.refuse("INVALID_FIELD", at, &message));
            }
            if wanted {
                add(nodes, &column);
                seen.push(entry);
            }
        }
        Ok(())
    }

    /// The query of a row's children. It is planned as one of its own, over the object that the relationship leads to.
    fn children(self, query: &'a Query) -> Result<Node, Problem> {
        let org = self.asking.org;
        let written = &query.from.text;
        let known = org.children[self.object].iter().find(|child| {
            child.relationship.eq_ignore_ascii_case(written) && !org.objects[child.object].fields[child.field].hidden
        });
        let Some(child) = known.filter(|child| !child.relationship.is_empty()) else {
            let message = format!(
                "Didn't understand relationship '{written}' in FROM part of query call. If you are attempting to use a custom \
                 relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the \
                 describe call for the appropriate names."
            );
            return Err(self.refuse("INVALID_TYPE", query.from.at, &message));
        };
        let planner = Planner {
            query,
            object: child.object,
            is_outer: false,
            ..self
        };
        if planner.is_grouped() {
            let message = "aggregate functions are not allowed in a query of children";
            return Err(self.malformed(query.from.at, message));
        }
        Ok(Node::Children(Arc::new(Children {
            name: child.relationship.clone(),
            field: child.field,
            plan: Arc::new(planner.plan()?),
        })))
    }
}

/// Where a condition's first term stands.
fn first_term(condition: &Condition) -> At {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.first().map_or(At(0), first_term),
        Condition::Not(inner) => first_term(inner),
        Condition::Compare { term, .. }
        | Condition::Like { term, .. }
        | Condition::Member { term, .. }
        | Condition::Join { term, .. }
        | Condition::Includes { term, .. } => term.at(),
    }
}
