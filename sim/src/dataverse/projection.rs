//! Which columns and which related rows an answer has: `$select` and `$expand` fitted to a table.
//!
//! It prints nothing.

use super::error::Fault;
use super::expand::Expand;
use super::filter::bind::{bind, named_column};
use super::filter::eval::Condition;
use super::filter::operator::Scope;
use super::filter::parse::{self, Aliases};
use super::model::{Kind, Table, Via};
use super::sort::Order;

/// Columns of an answer: those asked for in that order, then what comes along unasked.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    pub(super) columns: Vec<usize>,
    /// The asked names as the context prints them; `None` for all columns.
    asked: Option<String>,
    pub(super) expansions: Vec<Expansion>,
}

/// One expanded navigation property.
#[derive(Clone, Debug)]
pub(super) struct Expansion {
    pub(super) name: String,
    /// Links instead of rows.
    pub(super) links: bool,
    pub(super) what: Expanded,
}

/// What is expanded.
#[derive(Clone, Debug)]
pub(super) enum Expanded {
    /// The row that a lookup points to, in one of these tables.
    One {
        column: usize,
        targets: Vec<Target>,
        /// Whether the property leads to several tables, so that each row says of which it is.
        typed: bool,
    },
    /// The rows of a collection.
    Many(Box<Rows>),
}

/// The rows of an expanded collection.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) via: Via,
    pub(super) target: Target,
    pub(super) order: Order,
    pub(super) top: Option<usize>,
    /// The options as written, for the link to the next page.
    pub(super) query: String,
}

/// How rows of one table are shown inside others.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) table: usize,
    pub(super) projection: Projection,
    pub(super) condition: Option<Condition>,
}

impl Projection {
    /// From `$select`. The key always comes along, and the currency with any money (dataverse.md section 2.3).
    pub(super) fn of(table: &Table, select: Option<&str>) -> Result<Self, Fault> {
        let asked = select
            .map(str::trim)
            .filter(|select| !select.is_empty() && *select != "*");
        let Some(asked) = asked else {
            let readable = |at: &usize| table.columns[*at].readable;
            return Ok(Self {
                columns: (0..table.columns.len()).filter(readable).collect(),
                asked: None,
                expansions: Vec::new(),
            });
        };
        let mut columns = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for name in asked.split(',').map(str::trim) {
            let column = named_column(table, name)?;
            if !columns.contains(&column) {
                columns.push(column);
                names.push(name);
            }
        }
        let is_money = |column: &usize| matches!(table.columns[*column].kind, Kind::Money { .. } | Kind::BaseMoney);
        let money = columns.iter().any(is_money);
        let currency = table.system.currency.filter(|_| money).map(|(currency, _)| currency);
        for column in currency.into_iter().chain([0]) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        Ok(Self {
            columns,
            asked: Some(names.join(",")),
            expansions: Vec::new(),
        })
    }

    /// From `$select` and `$expand`.
    pub(super) fn with(
        scope: Scope<'_>,
        select: Option<&str>,
        expand: &[Expand],
        aliases: &Aliases,
    ) -> Result<Self, Fault> {
        let mut projection = Self::of(scope.table, select)?;
        for one in expand {
            projection.expansions.push(expansion(scope, one, aliases, false)?);
        }
        Ok(projection)
    }

    /// What stands in parentheses behind the set's name in a context: nothing for all columns.
    pub(super) fn context(&self) -> String {
        let mut names: Vec<String> = self.asked.iter().cloned().collect();
        names.extend(self.expansions.iter().map(|expansion| {
            let target = match &expansion.what {
                Expanded::One { targets, .. } => targets.first(),
                Expanded::Many(rows) => Some(&rows.target),
            };
            let inner = target.map_or_else(String::new, |target| target.projection.context());
            let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
            format!("{}({})", expansion.name, inner.unwrap_or_default())
        }));
        if names.is_empty() {
            String::new()
        } else {
            format!("({})", names.join(","))
        }
    }
}

fn expansion(scope: Scope<'_>, expand: &Expand, aliases: &Aliases, nested: bool) -> Result<Expansion, Fault> {
    let table = scope.table;
    let what = if let Some(collection) = table.collections.get(expand.name.as_str()) {
        let rows = &scope.store.model().tables()[collection.table];
        scope.asking.may_read(rows)?;
        if expand.links {
            let text = "Expand with $ref is only supported on lookup type navigation property.";
            return Err(Fault::Query(text.to_owned()));
        }
        if nested {
            only_select_and_filter(expand)?;
        }
        Expanded::Many(Box::new(Rows {
            via: collection.via,
            target: target(Scope { table: rows, ..scope }, expand, aliases)?,
            order: Order::read(
                Scope { table: rows, ..scope },
                expand.order_by.as_deref().unwrap_or_default(),
            )?,
            top: expand.top.as_deref().map(top).transpose()?,
            query: query(expand),
        }))
    } else {
        only_select_and_filter(expand)?;
        let mut targets = Vec::new();
        let mut column = None;
        let mut trouble = None;
        for (at, way) in table.ways(&expand.name) {
            column = Some(at);
            let Some(rows) = scope.store.model().by_logical(&way.target) else {
                // Nothing can point there, so there is nothing to show.
                continue;
            };
            scope.asking.may_read(rows)?;
            match target(Scope { table: rows, ..scope }, expand, aliases) {
                Ok(target) => targets.push(target),
                Err(fault) => trouble = Some(fault),
            }
        }
        let column = column.ok_or_else(|| Fault::NoSuchProperty {
            table: table.logical.to_string(),
            name: expand.name.clone(),
        })?;
        if let Some(fault) = trouble.filter(|_| targets.is_empty()) {
            return Err(fault);
        }
        Expanded::One {
            column,
            targets,
            typed: table.ways(&expand.name).count() > 1,
        }
    };
    Ok(Expansion {
        name: expand.name.clone(),
        links: expand.links,
        what,
    })
}

fn target(scope: Scope<'_>, expand: &Expand, aliases: &Aliases) -> Result<Target, Fault> {
    let mut projection = Projection::of(scope.table, expand.select.as_deref())?;
    for one in &expand.inner {
        projection.expansions.push(expansion(scope, one, aliases, true)?);
    }
    let condition = match &expand.filter {
        Some(text) => Some(bind(scope, &parse::filter(text, aliases)?)?),
        None => None,
    };
    Ok(Target {
        table: scope.table.index,
        projection,
        condition,
    })
}

/// Documented text (dataverse.md section 2.6).
fn only_select_and_filter(expand: &Expand) -> Result<(), Fault> {
    if expand.order_by.is_none() && expand.top.is_none() {
        return Ok(());
    }
    Err(Fault::Query(
        "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested \
         one-to-many relationship."
            .to_owned(),
    ))
}

/// The options of an expanded collection as those of a request.
fn query(expand: &Expand) -> String {
    let options = [
        ("$select", &expand.select),
        ("$filter", &expand.filter),
        ("$orderby", &expand.order_by),
    ];
    let given = options
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    given.collect::<Vec<_>>().join("&")
}

/// The value of `$top`.
pub(super) fn top(text: &str) -> Result<usize, Fault> {
    let wrong = || {
        Fault::Query(format!(
            "Invalid value '{text}' for $top query option found. The $top query option requires a non-negative integer \
             value."
        ))
    };
    text.trim().parse().map_err(|_| wrong())
}
