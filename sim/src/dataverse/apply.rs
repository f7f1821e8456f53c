//! `$apply`: rows filtered, grouped and added up (dataverse.md section 2.6).
//!
//! It prints groups, not rows: they have no entity tag.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use http::StatusCode;

use super::address::Options;
use super::amount::Amount;
use super::answer::Answer;
use super::cell::{Cell, print_text};
use super::error::Fault;
use super::expand::parts;
use super::filter::bind::{bind, named_column};
use super::filter::parse;
use super::formatted::of_cell;
use super::model::{Kind, Table};
use super::print::{FORMATTED, Reader};
use super::read::Source;
use super::store::Row;

/// The most rows that are added up (dataverse.md section 2.6).
const MOST: usize = 50_000;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Filter(String),
    Group { by: Vec<String>, sums: Vec<Sum> },
}

/// One aggregate: `estimatedvalue with sum as total`, `$count as count`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sum {
    /// The column; none counts rows.
    of: Option<String>,
    method: Method,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Count,
    Sum,
    Average,
    Least,
    Most,
    Distinct,
}

fn syntax(text: &str) -> Fault {
    Fault::Query(format!("Syntax error in $apply at '{text}'."))
}

fn read(text: &str) -> Result<Vec<Step>, Fault> {
    let steps = parts(text, '/').ok_or_else(|| syntax(text))?;
    // A path like `a/b` inside parentheses is not parted, so every part is a step.
    steps.into_iter().map(|step| one(step.trim())).collect()
}

fn inside<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?
        .trim_start()
        .strip_prefix('(')?
        .strip_suffix(')')
}

fn one(text: &str) -> Result<Step, Fault> {
    if let Some(condition) = inside(text, "filter") {
        return Ok(Step::Filter(condition.to_owned()));
    }
    if let Some(inner) = inside(text, "aggregate") {
        return Ok(Step::Group {
            by: Vec::new(),
            sums: sums(inner)?,
        });
    }
    let Some(inner) = inside(text, "groupby") else {
        let name = text.split('(').next().unwrap_or_default();
        return Err(Fault::NotSimulated(format!("transformation `{name}` in `$apply`")));
    };
    let arguments = parts(inner, ',').ok_or_else(|| syntax(text))?;
    let (by, rest) = arguments.split_first().ok_or_else(|| syntax(text))?;
    let by = by.trim().strip_prefix('(').and_then(|by| by.strip_suffix(')'));
    let by = by
        .ok_or_else(|| syntax(text))?
        .split(',')
        .map(|name| name.trim().to_owned());
    let sums = match rest {
        [] => Vec::new(),
        [one] => sums(inside(one.trim(), "aggregate").ok_or_else(|| syntax(one))?)?,
        _ => return Err(syntax(text)),
    };
    Ok(Step::Group { by: by.collect(), sums })
}

fn sums(text: &str) -> Result<Vec<Sum>, Fault> {
    let each = parts(text, ',').ok_or_else(|| syntax(text))?;
    let sum = |text: &str| {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (of, method, name) = match words.as_slice() {
            ["$count", "as", name] => (None, Method::Count, name),
            [column, "with", method, "as", name] => {
                let method = match *method {
                    "sum" => Method::Sum,
                    "average" => Method::Average,
                    "min" => Method::Least,
                    "max" => Method::Most,
                    "countdistinct" => Method::Distinct,
                    _ => return Err(syntax(text)),
                };
                (Some((*column).to_owned()), method, name)
            }
            _ => return Err(syntax(text)),
        };
        let name = (*name).to_owned();
        Ok(Sum { of, method, name })
    };
    each.into_iter().map(|text| sum(text.trim())).collect()
}

/// A column that rows are grouped by: lookups on the way, the table and column at the end, and its name in the answer.
struct By<'a> {
    steps: Vec<(usize, usize)>,
    table: &'a Table,
    column: usize,
    name: String,
}

/// An aggregate with its column.
struct Bound {
    column: Option<usize>,
    method: Method,
    name: String,
}

impl<'a> Reader<'a> {
    /// `GET /opportunities?$apply=...`.
    pub(super) fn apply(&self, source: Source<'a>, text: &str, options: &Options) -> Result<Answer, Fault> {
        let others = [
            ("$select", &options.select),
            ("$filter", &options.filter),
            ("$orderby", &options.order_by),
            ("$top", &options.top),
            ("$count", &options.count),
            ("$expand", &options.expand),
            ("$skiptoken", &options.skip_token),
        ];
        if let Some((name, _)) = others.iter().find(|(_, value)| value.is_some()) {
            return Err(Fault::NotSimulated(format!("query option `{name}` beside `$apply`")));
        }
        let mut rows = self.rows(source, None);
        let mut steps = read(text)?.into_iter().peekable();
        while let Some(step) = steps.next() {
            match step {
                Step::Filter(condition) => {
                    let condition = parse::filter(&condition, &options.aliases)?;
                    let condition = bind(self.scope(source.table), &condition)?;
                    rows.retain(|row| condition.holds(self.store, &row.cells));
                }
                Step::Group { by, sums } if steps.peek().is_none() => {
                    if rows.len() > MOST {
                        return Err(Fault::AggregateLimit);
                    }
                    return self.groups(source.table, &rows, (&by, &sums));
                }
                Step::Group { .. } => {
                    return Err(Fault::NotSimulated(
                        "a step behind `groupby` or `aggregate` in `$apply`".to_owned(),
                    ));
                }
            }
        }
        Err(Fault::NotSimulated(
            "`$apply` without `groupby` or `aggregate`".to_owned(),
        ))
    }

    fn groups(&self, table: &'a Table, rows: &[&'a Row], (by, sums): (&[String], &[Sum])) -> Result<Answer, Fault> {
        let by = by
            .iter()
            .map(|path| self.by(table, path))
            .collect::<Result<Vec<_>, _>>()?;
        let sums = sums
            .iter()
            .map(|sum| bound(table, sum))
            .collect::<Result<Vec<_>, _>>()?;
        let mut groups: BTreeMap<Vec<Cell>, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let values = by.iter().map(|by| self.value(row, by)).collect();
            groups.entry(values).or_default().push(row);
        }
        if by.is_empty() {
            groups.entry(Vec::new()).or_default();
        }
        let names = by
            .iter()
            .map(|by| by.name.as_str())
            .chain(sums.iter().map(|sum| sum.name.as_str()));
        let names = names.collect::<Vec<_>>().join(",");
        let mut out = String::from("{\"@odata.context\":");
        print_text(&format!("{}$metadata#{}({names})", self.root, table.set), &mut out);
        out.push_str(",\"value\":[");
        for (place, (values, rows)) in groups.iter().enumerate() {
            out.push_str(if place == 0 { "{" } else { ",{" });
            let start = out.len();
            for (by, value) in by.iter().zip(values) {
                self.push((by.table, by.column), &by.name, value, &mut out);
            }
            for sum in &sums {
                self.push_sum(table, sum, rows, &mut out);
            }
            if out[start..].starts_with(',') {
                out.remove(start);
            }
            out.push('}');
        }
        out.push_str("]}");
        Ok(self.applied(Answer::json(StatusCode::OK, out), false))
    }

    fn by(&self, table: &'a Table, path: &str) -> Result<By<'a>, Fault> {
        let mut names: Vec<&str> = path.split('/').collect();
        let last = names.pop().unwrap_or_default();
        let (mut steps, mut at) = (Vec::new(), table);
        for name in names {
            let (column, way) = at.navigation(name).ok_or_else(|| Fault::NoSuchProperty {
                table: at.logical.to_string(),
                name: name.to_owned(),
            })?;
            let target = self.store.model().by_logical(&way.target);
            at = target.ok_or_else(|| Fault::NotSimulated(format!("table `{}` in `$apply`", way.target)))?;
            self.asking.may_read(at)?;
            steps.push((column, at.index));
        }
        Ok(By {
            steps,
            table: at,
            column: named_column(at, last)?,
            name: path.replace('/', "_"),
        })
    }

    fn value(&self, row: &'a Row, by: &By<'_>) -> Cell {
        let mut row = row;
        for (column, table) in &by.steps {
            let table = &self.store.model().tables()[*table];
            match row.cells[*column].guid().and_then(|id| self.store.row(table, id)) {
                Some(next) => row = next,
                None => return Cell::Null,
            }
        }
        row.cells[by.column].clone()
    }

    fn push(&self, (table, column): (&Table, usize), name: &str, value: &Cell, out: &mut String) {
        if self.preferences.annotations.has(FORMATTED)
            && let Some(text) = of_cell(self.store, (table, column), value, || None)
        {
            let _done = write!(out, ",\"{name}@{FORMATTED}\":");
            print_text(&text, out);
        }
        let _done = write!(out, ",\"{name}\":");
        let kind = table.columns[column].kind;
        match value.amount().filter(|_| matches!(kind, Kind::Int { .. })) {
            // What whole numbers add up to is printed without more places than it has.
            Some(amount) => out.push_str(&amount.plain()),
            None => value.print(kind.printed_places(), out),
        }
    }

    fn push_sum(&self, table: &Table, sum: &Bound, rows: &[&Row], out: &mut String) {
        let values = || {
            rows.iter()
                .map(|row| sum.column.map_or(&Cell::Null, |at| &row.cells[at]))
        };
        let present = || values().filter(|cell| !cell.is_null());
        let number = match sum.method {
            Method::Count => rows.len(),
            Method::Distinct => present().map(Cell::folded).collect::<BTreeSet<Cell>>().len(),
            Method::Sum | Method::Average | Method::Least | Method::Most => {
                let value = match sum.method {
                    Method::Least => present().min_by_key(|cell| cell.folded()).cloned(),
                    Method::Most => present().max_by_key(|cell| cell.folded()).cloned(),
                    Method::Count | Method::Sum | Method::Average | Method::Distinct => total(present(), sum.method),
                };
                let value = value.unwrap_or(Cell::Null);
                if let Some(column) = sum.column {
                    self.push((table, column), &sum.name, &value, out);
                }
                return;
            }
        };
        let _done = write!(out, ",\"{}\":{number}", sum.name);
    }
}

fn bound(table: &Table, sum: &Sum) -> Result<Bound, Fault> {
    let column = match &sum.of {
        Some(name) => Some(named_column(table, name)?),
        None => None,
    };
    let adds = matches!(sum.method, Method::Sum | Method::Average);
    let summable = |column: usize| {
        let kind = table.columns[column].kind;
        matches!(
            kind,
            Kind::Money { .. } | Kind::BaseMoney | Kind::Decimal { .. } | Kind::Int { .. }
        )
    };
    if adds && !column.is_some_and(summable) {
        // Assumed text.
        return Err(Fault::Query(format!(
            "The property '{}' cannot be used in an aggregation.",
            sum.of.as_deref().unwrap_or("$count")
        )));
    }
    Ok(Bound {
        column,
        method: sum.method,
        name: sum.name.clone(),
    })
}

/// The sum or the average of what is there; an average of whole numbers has its fraction.
fn total<'c>(cells: impl Iterator<Item = &'c Cell>, method: Method) -> Option<Cell> {
    let amounts = cells.filter_map(|cell| cell.amount().or_else(|| cell.int().map(Amount::whole)));
    let (mut sum, mut count) = (Amount::ZERO, 0_i64);
    for amount in amounts {
        sum = sum.plus(amount);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    if method == Method::Average {
        sum = sum.divided_by(Amount::whole(count));
    }
    Some(Cell::Amount(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_with_their_columns_and_names() {
        let steps = read("filter(a eq 1 and b eq 'x/(y')/groupby((c,d/e),aggregate(f with sum as total,$count as n))");
        let steps = steps.unwrap();
        assert_eq!(steps[0], Step::Filter("a eq 1 and b eq 'x/(y'".to_owned()));
        let Step::Group { by, sums } = &steps[1] else {
            panic!("the second step groups");
        };
        assert_eq!(by, &["c", "d/e"]);
        assert_eq!((sums[0].method, sums[1].of.as_deref()), (Method::Sum, None));
        for wrong in [
            "",
            "groupby(a)",
            "aggregate(a)",
            "aggregate(a with nosuch as b)",
            "groupby((a)",
            "filter",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
