//! Tree to plan: tables, columns and conditions, each with the place of its table among the joined ones.

use super::super::cell::Cell;
use super::super::error::Fault;
use super::super::filter::ast::Comparison;
use super::super::filter::eval::Condition;
use super::super::filter::operator::{Scope, of_fetch};
use super::super::model::Table;
use super::read::{Entity, Fetch, Filter, Link, OrderBy};

/// A query over joined tables. The first is that of the entity.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) tables: Vec<Joined<'a>>,
    pub(super) condition: Tree,
    /// Table among the joined ones, column, and whether it descends.
    pub(super) orders: Vec<(usize, usize, bool)>,
}

/// One of the joined tables.
#[derive(Debug)]
pub(super) struct Joined<'a> {
    pub(super) table: &'a Table,
    /// Columns that are shown, with the name of each.
    pub(super) columns: Vec<(usize, String)>,
    /// How it is joined; the first is not.
    pub(super) join: Option<Join>,
}

/// A join to a table in front of it.
#[derive(Debug)]
pub(super) struct Join {
    /// The table that it is joined to, among the joined ones.
    pub(super) parent: usize,
    /// Its column there, and the column here.
    pub(super) to: usize,
    pub(super) from: usize,
    pub(super) outer: bool,
    /// What its own filters ask of its rows.
    pub(super) condition: Tree,
}

/// A condition over joined rows.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    /// On the row of one of the joined tables.
    Row(usize, Condition),
}

impl Tree {
    /// The same as a condition on the first table alone, when it asks for no other.
    pub(super) fn of_first(&self) -> Option<Condition> {
        let all = |parts: &[Self]| parts.iter().map(Self::of_first).collect::<Option<Vec<_>>>();
        match self {
            Self::All(parts) => Some(Condition::All(all(parts)?)),
            Self::Any(parts) => Some(Condition::Any(all(parts)?)),
            Self::Row(0, condition) => Some(condition.clone()),
            Self::Row(..) => None,
        }
    }
}

/// Fits a query to the tables that it names.
pub(super) fn bind<'a>(scope: Scope<'a>, fetch: &Fetch) -> Result<Plan<'a>, Fault> {
    let mut binder = Binder {
        scope,
        plan: Plan {
            tables: Vec::new(),
            condition: Tree::All(Vec::new()),
            orders: Vec::new(),
        },
        aliases: Vec::new(),
    };
    binder.entity(&fetch.entity, None)?;
    // What is asked of the first may name a join behind it, so it is bound last.
    binder.plan.condition = binder.filters(0, &fetch.entity.filters)?;
    binder.orders(0, &fetch.entity)?;
    Ok(binder.plan)
}

struct Binder<'a> {
    scope: Scope<'a>,
    plan: Plan<'a>,
    /// Aliases and names of the joined tables, in their order.
    aliases: Vec<(Option<String>, String)>,
}

impl<'a> Binder<'a> {
    fn table(&self, name: &str) -> Result<&'a Table, Fault> {
        // Assumed text.
        let unknown = || {
            Fault::Fetch(format!(
                "The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
            ))
        };
        let table = self.scope.store.model().by_logical(name).ok_or_else(unknown)?;
        self.scope.asking.may_read(table)?;
        Ok(table)
    }

    fn entity(&mut self, entity: &Entity, link: Option<(usize, &Link)>) -> Result<(), Fault> {
        let table = self.table(&entity.name)?;
        let place = self.plan.tables.len();
        let given = link.and_then(|(_, link)| link.alias.clone());
        // Assumed: a join without an alias is called by its table and its number.
        let alias = given.clone().unwrap_or_else(|| format!("{}{place}", entity.name));
        if self.aliases.iter().any(|(known, _)| known.is_some() && *known == given) {
            return Err(Fault::Fetch(format!("The alias '{alias}' is used more than once.")));
        }
        self.aliases.push((given, entity.name.clone()));
        let join = match link {
            None => None,
            Some((parent, link)) => Some(Join {
                parent,
                to: attribute(self.plan.tables[parent].table, &link.to)?,
                from: attribute(table, &link.from)?,
                outer: link.outer,
                condition: Tree::All(Vec::new()),
            }),
        };
        let columns = columns(table, entity, link.is_some().then_some(alias.as_str()))?;
        self.plan.tables.push(Joined { table, columns, join });
        for link in &entity.links {
            self.entity(&link.entity, Some((place, link)))?;
        }
        if place > 0 {
            let condition = self.filters(place, &entity.filters)?;
            if let Some(join) = &mut self.plan.tables[place].join {
                join.condition = condition;
            }
            self.orders(place, entity)?;
        }
        Ok(())
    }

    fn filters(&self, place: usize, filters: &[Filter]) -> Result<Tree, Fault> {
        let parts = filters.iter().map(|filter| self.filter(place, filter));
        Ok(Tree::All(parts.collect::<Result<_, _>>()?))
    }

    fn filter(&self, place: usize, filter: &Filter) -> Result<Tree, Fault> {
        let each = |parts: &[Filter]| {
            parts
                .iter()
                .map(|part| self.filter(place, part))
                .collect::<Result<Vec<_>, _>>()
        };
        let condition = match filter {
            Filter::All(parts) => return Ok(Tree::All(each(parts)?)),
            Filter::Any(parts) if parts.is_empty() => return Ok(Tree::All(Vec::new())),
            Filter::Any(parts) => return Ok(Tree::Any(each(parts)?)),
            Filter::Condition(condition) => condition,
        };
        let place = self.place(place, condition.of.as_deref())?;
        let table = self.plan.tables[place].table;
        let column = attribute(table, &condition.attribute)?;
        let bound = match &condition.value_of {
            None => {
                let scope = Scope { table, ..self.scope };
                of_fetch(scope, column, &condition.operator, &condition.values)?
            }
            Some(other) => columns_compare(table, column, &condition.operator, attribute(table, other)?)?,
        };
        Ok(Tree::Row(place, bound))
    }

    fn orders(&mut self, place: usize, entity: &Entity) -> Result<(), Fault> {
        for OrderBy {
            attribute: name,
            of,
            descending,
        } in &entity.orders
        {
            let place = self.place(place, of.as_deref())?;
            let column = attribute(self.plan.tables[place].table, name)?;
            self.plan.orders.push((place, column, *descending));
        }
        Ok(())
    }

    /// The joined table that an `entityname` means: an alias, or the name of a table.
    fn place(&self, own: usize, of: Option<&str>) -> Result<usize, Fault> {
        let Some(of) = of else {
            return Ok(own);
        };
        let by_alias = self.aliases.iter().position(|(alias, _)| alias.as_deref() == Some(of));
        let found = by_alias.or_else(|| self.aliases.iter().position(|(_, name)| name == of));
        found.ok_or_else(|| Fault::Fetch(format!("The alias or entity '{of}' is not part of the query.")))
    }
}

fn columns_compare(table: &Table, column: usize, operator: &str, other: usize) -> Result<Condition, Fault> {
    let comparison = match operator {
        "eq" => Comparison::Equal,
        "ne" | "neq" => Comparison::NotEqual,
        "gt" => Comparison::Greater,
        "ge" => Comparison::GreaterOrEqual,
        "lt" => Comparison::Less,
        "le" => Comparison::LessOrEqual,
        _ => {
            return Err(Fault::NotSimulated(format!(
                "operator `{operator}` with `valueof` in FetchXML"
            )));
        }
    };
    let edm = |at: usize| table.columns[at].kind.edm();
    if edm(column) != edm(other) {
        return Err(Fault::Fetch(
            "Columns of different types cannot be compared.".to_owned(),
        ));
    }
    // Rows in which one of them is empty are left out, as SQL does.
    let present = |at| Condition::Compare(at, Comparison::NotEqual, Cell::Null);
    let compared = Condition::Columns(column, comparison, other);
    Ok(Condition::All(vec![present(column), present(other), compared]))
}

/// A column by its logical name.
fn attribute(table: &Table, name: &str) -> Result<usize, Fault> {
    let found = table.attribute(name).filter(|at| table.columns[*at].readable);
    found.ok_or_else(|| Fault::NoSuchAttribute {
        table: table.logical.to_string(),
        name: name.to_owned(),
    })
}

/// The columns that are shown. Assumed: those of a join are called by its alias, a point, and their logical name.
fn columns(table: &Table, entity: &Entity, alias: Option<&str>) -> Result<Vec<(usize, String)>, Fault> {
    let name = |at: usize| match alias {
        Some(alias) => format!("{alias}.{}", table.columns[at].name),
        None => table.columns[at].wire.to_string(),
    };
    let Some(attributes) = &entity.attributes else {
        let readable = (0..table.columns.len()).filter(|at| table.columns[*at].readable);
        return Ok(readable.map(|at| (at, name(at))).collect());
    };
    let shown = attributes.iter().map(|(attribute_name, given)| {
        let at = attribute(table, attribute_name)?;
        Ok((at, given.clone().unwrap_or_else(|| name(at))))
    });
    shown.collect()
}
