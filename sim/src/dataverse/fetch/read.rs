//! XML to tree: names are not resolved, values not fitted to columns.

use roxmltree::{Document, Node};

use super::super::error::Fault;

/// Levels of elements. Assumed: the server has a limit too; its value is not documented.
const MAX_DEPTH: usize = 60;
/// Joins of one query. Documented for the language; the facts do not repeat it (assumed here).
const MAX_LINKS: usize = 15;

/// A whole query.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetch {
    pub(super) entity: Entity,
    pub(super) top: Option<usize>,
    pub(super) count: Option<usize>,
    pub(super) page: Option<u64>,
    pub(super) cookie: Option<String>,
    pub(super) distinct: bool,
    pub(super) total: bool,
}

/// An `entity` or a `link-entity`.
#[derive(Clone, Debug, Default)]
pub(super) struct Entity {
    pub(super) name: String,
    /// Columns with their aliases; none for all.
    pub(super) attributes: Option<Vec<(String, Option<String>)>>,
    pub(super) filters: Vec<Filter>,
    pub(super) orders: Vec<OrderBy>,
    pub(super) links: Vec<Link>,
}

/// A join.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) entity: Entity,
    pub(super) alias: Option<String>,
    /// The column here, and the column of the table that is joined to.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) outer: bool,
}

/// One thing to sort by.
#[derive(Clone, Debug)]
pub(super) struct OrderBy {
    pub(super) attribute: String,
    /// The alias of the join whose column it is.
    pub(super) of: Option<String>,
    pub(super) descending: bool,
}

/// A filter.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Condition(Condition),
}

/// One condition.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) attribute: String,
    pub(super) operator: String,
    pub(super) values: Vec<String>,
    /// The column that it compares with, instead of values.
    pub(super) value_of: Option<String>,
    /// The alias of the join whose column it is.
    pub(super) of: Option<String>,
}

/// Reads a query.
pub(super) fn read(text: &str) -> Result<Fetch, Fault> {
    let document = Document::parse(text.trim()).map_err(|error| {
        // Assumed text: what the server says to XML that it cannot read.
        Fault::Fetch(format!("Invalid XML: {error}"))
    })?;
    let root = document.root_element();
    let deepest = root
        .descendants()
        .map(|node| node.ancestors().take(MAX_DEPTH + 2).count())
        .max();
    if deepest.is_some_and(|deepest| deepest > MAX_DEPTH + 1) {
        return Err(Fault::Fetch("The query is nested too deep.".to_owned()));
    }
    if root.tag_name().name() != "fetch" {
        return Err(unexpected(root));
    }
    let mut fetch = head(root)?;
    let mut entities = elements(root);
    let (Some(entity), None) = (entities.next(), entities.next()) else {
        return Err(Fault::Fetch(
            "A fetch element has exactly one entity element.".to_owned(),
        ));
    };
    if entity.tag_name().name() != "entity" {
        return Err(unexpected(entity));
    }
    let mut links = 0;
    fetch.entity = self::entity(entity, &mut links)?;
    Ok(fetch)
}

fn head(root: Node<'_, '_>) -> Result<Fetch, Fault> {
    let mut fetch = Fetch::default();
    for attribute in root.attributes() {
        let value = attribute.value();
        match attribute.name() {
            "top" => fetch.top = Some(number(root, "top", value)?),
            "count" => fetch.count = Some(number(root, "count", value)?),
            "page" => fetch.page = Some(number(root, "page", value)?),
            "paging-cookie" => fetch.cookie = Some(value.to_owned()).filter(|value| !value.is_empty()),
            "distinct" => fetch.distinct = yes(value),
            "returntotalrecordcount" => fetch.total = yes(value),
            "aggregate" if yes(value) => return Err(not_simulated("aggregate")),
            // They say how the query is carried out, or what is the only way here.
            "aggregate" | "mapping" | "version" | "output-format" | "no-lock" | "min-active-row-version" => {}
            other => return Err(not_simulated(other)),
        }
    }
    if fetch.top.is_some() && fetch.page.is_some() {
        return Err(Fault::Fetch(
            "The top attribute can't be specified with paging attribute page".to_owned(),
        ));
    }
    Ok(fetch)
}

fn entity(node: Node<'_, '_>, links: &mut usize) -> Result<Entity, Fault> {
    let mut entity = Entity {
        name: required(node, "name")?,
        ..Entity::default()
    };
    let mut attributes = Vec::new();
    let mut all = false;
    for child in elements(node) {
        match child.tag_name().name() {
            "all-attributes" => all = true,
            "attribute" => {
                if let Some(other) = ["aggregate", "groupby", "dategrouping"]
                    .iter()
                    .find(|name| child.has_attribute(**name))
                {
                    return Err(not_simulated(other));
                }
                let alias = child.attribute("alias").map(str::to_owned);
                attributes.push((required(child, "name")?, alias));
            }
            "filter" => entity.filters.push(filter(child)?),
            "order" => entity.orders.push(order(child)?),
            "link-entity" => {
                *links += 1;
                if *links > MAX_LINKS {
                    return Err(Fault::Fetch(format!(
                        "A query has at most {MAX_LINKS} link-entity elements."
                    )));
                }
                entity.links.push(link(child, links)?);
            }
            "no-attrs" => entity.attributes = Some(Vec::new()),
            _ => return Err(unexpected(child)),
        }
    }
    if !attributes.is_empty() && !all {
        entity.attributes = Some(attributes);
    }
    Ok(entity)
}

fn link(node: Node<'_, '_>, links: &mut usize) -> Result<Link, Fault> {
    let outer = match node.attribute("link-type") {
        None | Some("inner") => false,
        Some("outer") => true,
        Some(other) => return Err(not_simulated(&format!("link-type={other}"))),
    };
    let (Some(from), Some(to)) = (node.attribute("from"), node.attribute("to")) else {
        return Err(not_simulated("link-entity without from and to"));
    };
    let mut entity = entity(node, links)?;
    // A join shows no columns unless it names them.
    if entity.attributes.is_none() && !elements(node).any(|child| child.tag_name().name() == "all-attributes") {
        entity.attributes = Some(Vec::new());
    }
    Ok(Link {
        entity,
        alias: node.attribute("alias").map(str::to_owned),
        from: from.to_owned(),
        to: to.to_owned(),
        outer,
    })
}

fn order(node: Node<'_, '_>) -> Result<OrderBy, Fault> {
    if node.has_attribute("alias") {
        return Err(not_simulated("order by alias"));
    }
    Ok(OrderBy {
        attribute: required(node, "attribute")?,
        of: node.attribute("entityname").map(str::to_owned),
        descending: node.attribute("descending").is_some_and(yes),
    })
}

fn filter(node: Node<'_, '_>) -> Result<Filter, Fault> {
    let mut parts = Vec::new();
    for child in elements(node) {
        parts.push(match child.tag_name().name() {
            "filter" => filter(child)?,
            "condition" => Filter::Condition(condition(child)?),
            "link-entity" => return Err(not_simulated("link-entity inside filter")),
            _ => return Err(unexpected(child)),
        });
    }
    match node.attribute("type") {
        None | Some("and") => Ok(Filter::All(parts)),
        Some("or") => Ok(Filter::Any(parts)),
        Some(other) => Err(Fault::Fetch(format!("Invalid filter type '{other}'."))),
    }
}

fn condition(node: Node<'_, '_>) -> Result<Condition, Fault> {
    let mut values: Vec<String> = node.attribute("value").map(str::to_owned).into_iter().collect();
    for child in elements(node) {
        if child.tag_name().name() != "value" {
            return Err(unexpected(child));
        }
        values.push(child.text().unwrap_or_default().to_owned());
    }
    Ok(Condition {
        attribute: required(node, "attribute")?,
        operator: required(node, "operator")?,
        values,
        value_of: node.attribute("valueof").map(str::to_owned),
        of: node.attribute("entityname").map(str::to_owned),
    })
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn required(node: Node<'_, '_>, name: &str) -> Result<String, Fault> {
    let found = node.attribute(name).map(str::to_owned);
    found.ok_or_else(|| {
        Fault::Fetch(format!(
            "The element '{}' needs the attribute '{name}'.",
            node.tag_name().name()
        ))
    })
}

fn number<N: std::str::FromStr>(node: Node<'_, '_>, name: &str, value: &str) -> Result<N, Fault> {
    let wrong = |_| {
        let element = node.tag_name().name();
        Fault::Fetch(format!(
            "The attribute '{name}' of '{element}' is not a positive number: '{value}'."
        ))
    };
    value.trim().parse().map_err(wrong)
}

fn yes(value: &str) -> bool {
    matches!(value.trim(), "true" | "1")
}

fn unexpected(node: Node<'_, '_>) -> Fault {
    Fault::Fetch(format!("Unexpected element '{}' in the query.", node.tag_name().name()))
}

fn not_simulated(what: &str) -> Fault {
    Fault::NotSimulated(format!("`{what}` in FetchXML"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_query_is_said_and_what_is_missing_is_named() {
        for wrong in [
            "",
            "<fetch",
            "<fetch/>",
            "<query/>",
            "<fetch><entity/></fetch>",
            "<fetch><entity name='a'/><entity name='b'/></fetch>",
            "<fetch top='x'><entity name='a'/></fetch>",
            "<fetch><entity name='a'><nosuch/></entity></fetch>",
            "<fetch><entity name='a'><filter type='xor'/></entity></fetch>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><fetch><entity name='&a;'/></fetch>",
        ] {
            assert!(matches!(read(wrong), Err(Fault::Fetch(_))), "{wrong}");
        }
        for missing in [
            "<fetch aggregate='true'><entity name='a'/></fetch>",
            "<fetch><entity name='a'><link-entity name='b' from='c' to='d' link-type='any'/></entity></fetch>",
            "<fetch latematerialize='true'><entity name='a'/></fetch>",
        ] {
            assert!(matches!(read(missing), Err(Fault::NotSimulated(_))), "{missing}");
        }
        let deep = format!(
            "<fetch><entity name='a'>{}{}</entity></fetch>",
            "<filter>".repeat(1_000),
            "</filter>".repeat(1_000)
        );
        assert!(matches!(read(&deep), Err(Fault::Fetch(_))));
    }
}
