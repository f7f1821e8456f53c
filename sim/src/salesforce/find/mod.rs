//! Rows that a plan finds, in their order.
//!
//! It prints nothing.

use std::borrow::Cow;
use std::cmp::Ordering as Order;

use super::cell::Cell;
use super::id::Id;
use super::soql::ast::{Operator, Piece};
use super::soql::path::Column;
use super::soql::plan::access::access;
use super::soql::plan::{Access, Expr, Ordering, Plan, Test};
use super::state::State;
use super::store::{Row, Table};

/// Groups of rows.
mod group;
/// Values as the functions of a selection show them.
mod show;

pub(crate) use group::groups;
pub(crate) use show::shown;

/// Places of the rows that a plan finds: tested, sorted, cut to its limit. Deleted rows are among them only when the plan says so.
///
/// Assumed: rows that no `ORDER BY` tells apart come in the order of their identifiers.
pub(crate) fn find(state: &State, plan: &Plan) -> Vec<usize> {
    let places = matching(state, plan, None);
    ordered(state, plan, places)
}

/// Places of the rows that a plan finds among those that refer to a record.
pub(crate) fn find_children(state: &State, plan: &Plan, field: usize, parent: Id) -> Vec<usize> {
    let places = matching(state, plan, Some((field, parent)));
    ordered(state, plan, places)
}

/// Rising places of the rows that pass, of all or of those that refer to a record.
fn matching(state: &State, plan: &Plan, parent: Option<(usize, Id)>) -> Vec<usize> {
    let table = &state.tables[plan.object];
    let joined = plan
        .test
        .as_ref()
        .filter(|test| has_join(test))
        .map(|test| resolved(state, test));
    let test = joined.as_ref().or(plan.test.as_ref());
    let mut places = match (parent, &joined) {
        (Some((field, id)), _) => children(table, field, id),
        (None, Some(joined)) => candidates(table, &access(&state.org.objects[plan.object], Some(joined))),
        (None, None) => candidates(table, &plan.access),
    };
    let has_bin = !state.org.objects[plan.object].abilities.has(b'b');
    places.retain(|place| {
        let row = table.row(*place);
        let seen = !row.deleted || (plan.deleted && has_bin);
        seen && test.is_none_or(|test| holds(test, &reader(state, plan.object, row)))
    });
    places
}

fn ordered(state: &State, plan: &Plan, mut places: Vec<usize>) -> Vec<usize> {
    let table = &state.tables[plan.object];
    if !plan.order.is_empty() {
        places.sort_by(|one, two| {
            let [one, two] = [one, two].map(|place| reader(state, plan.object, table.row(*place)));
            compare(&one, &two, &plan.order)
        });
    }
    let limit = plan.limit.unwrap_or(usize::MAX);
    if plan.offset > 0 || limit < places.len() {
        places = places.into_iter().skip(plan.offset).take(limit).collect();
    }
    places
}

/// How many rows a plan looks at, for `explain`.
pub(crate) fn count_candidates(state: &State, plan: &Plan) -> usize {
    candidates(&state.tables[plan.object], &plan.access).len()
}

/// Rising places of the rows that may pass.
fn candidates(table: &Table, access: &Access) -> Vec<usize> {
    let mut places: Vec<usize> = match access {
        Access::All => return (0..table.rows().len()).collect(),
        Access::Ids(ids) => ids.iter().filter_map(|id| table.find(*id)).collect(),
        Access::Keys(field, keys) => keys.iter().flat_map(|key| table.equal(*field, key)).collect(),
        Access::AtLeast(field, key) => table.at_least(*field, key).collect(),
    };
    places.sort_unstable();
    places.dedup();
    places
}

fn children(table: &Table, field: usize, parent: Id) -> Vec<usize> {
    let cell = Cell::Id(parent);
    if let Some(key) = cell.key().filter(|_| table.has_index(field)) {
        return table.equal(field, &key).collect();
    }
    let rows = table.rows().iter().enumerate();
    rows.filter(|(_, row)| row.cells[field] == cell)
        .map(|(place, _)| place)
        .collect()
}

fn has_join(test: &Test) -> bool {
    match test {
        Test::And(parts) | Test::Or(parts) => parts.iter().any(has_join),
        Test::Not(inner) => has_join(inner),
        Test::Join(..) => true,
        Test::Compare(..) | Test::Like(..) | Test::Member(..) | Test::Includes(..) => false,
    }
}

/// The test with the result of each inner query in its place.
fn resolved(state: &State, test: &Test) -> Test {
    match test {
        Test::And(parts) => Test::And(parts.iter().map(|part| resolved(state, part)).collect()),
        Test::Or(parts) => Test::Or(parts.iter().map(|part| resolved(state, part)).collect()),
        Test::Not(inner) => Test::Not(Box::new(resolved(state, inner))),
        Test::Join(expr, negated, inner) => {
            let (plan, selected) = inner.as_ref();
            let table = &state.tables[plan.object];
            let rows = find(state, plan).into_iter().map(|place| table.row(place));
            let mut cells: Vec<Cell> = rows
                .map(|row| value(state, plan.object, row, selected).into_owned())
                .collect();
            cells.retain(|cell| *cell != Cell::Null);
            cells.sort_by(Cell::compare);
            cells.dedup();
            Test::Member(expr.clone(), *negated, cells)
        }
        Test::Compare(..) | Test::Like(..) | Test::Member(..) | Test::Includes(..) => test.clone(),
    }
}

/// Reads the values of one row.
struct Reader<'a> {
    state: &'a State,
    object: usize,
    row: &'a Row,
}

fn reader<'a>(state: &'a State, object: usize, row: &'a Row) -> Reader<'a> {
    Reader { state, object, row }
}

/// Something that has a value for each `E`: a row, or a group of rows.
trait Values<E> {
    fn value(&self, of: &E) -> Cow<'_, Cell>;
}

impl Values<Expr> for Reader<'_> {
    fn value(&self, of: &Expr) -> Cow<'_, Cell> {
        value(self.state, self.object, self.row, of)
    }
}

/// The value of an expression over one row.
pub(crate) fn value<'a>(state: &'a State, object: usize, row: &'a Row, expr: &Expr) -> Cow<'a, Cell> {
    match expr {
        Expr::Column(column) => Cow::Borrowed(cell(state, object, row, column)),
        Expr::Of(function, inner) => Cow::Owned(function.of_date(&value(state, object, row, inner))),
    }
}

/// The value of a column; empty when a parent on the way is. A reference may lead to another object than the one that was planned;
/// a field of the same name is read there.
pub(crate) fn cell<'a>(state: &'a State, object: usize, row: &'a Row, column: &Column) -> &'a Cell {
    let org = &state.org;
    let (mut planned, mut actual, mut row) = (object, object, row);
    let same = |planned: usize, actual: usize, field: usize| {
        if planned == actual {
            return Some(field);
        }
        org.objects[actual].field(&org.objects[planned].fields[field].name)
    };
    for &(reference, target) in &column.parents {
        let id = same(planned, actual, reference).and_then(|field| row.cells[field].as_id());
        let Some((object, parent)) = id.and_then(|id| state.parent(target, id)) else {
            return &Cell::Null;
        };
        (planned, actual, row) = (target, object, parent);
    }
    match same(planned, actual, column.field) {
        Some(field) => &row.cells[field],
        None => &Cell::Null,
    }
}

/// Whether a row or a group passes. Assumed: an empty field differs from every value, and is neither less nor greater than one.
fn holds<E>(test: &Test<E>, values: &impl Values<E>) -> bool {
    match test {
        Test::And(parts) => parts.iter().all(|part| holds(part, values)),
        Test::Or(parts) => parts.iter().any(|part| holds(part, values)),
        Test::Not(inner) => !holds(inner, values),
        Test::Compare(expr, operator, value) => {
            let cell = values.value(expr);
            let order = cell.compare(value);
            let known = *cell != Cell::Null;
            match operator {
                Operator::Equal => order == Order::Equal,
                Operator::NotEqual => order != Order::Equal,
                Operator::Less => known && order == Order::Less,
                Operator::LessOrEqual => known && order != Order::Greater,
                Operator::Greater => known && order == Order::Greater,
                Operator::GreaterOrEqual => known && order != Order::Less,
            }
        }
        Test::Like(expr, pattern) => values.value(expr).as_text().is_some_and(|text| like(text, pattern)),
        Test::Member(expr, negated, members) => {
            let cell = values.value(expr);
            members.binary_search_by(|value| value.compare(&cell)).is_ok() != *negated
        }
        // Joins are resolved before rows are tested.
        Test::Join(..) => false,
        Test::Includes(expr, negated, lists) => {
            let cell = values.value(expr);
            let held: Vec<String> = cell
                .as_text()
                .unwrap_or_default()
                .split(';')
                .map(str::to_lowercase)
                .collect();
            lists.iter().any(|list| list.iter().all(|one| held.contains(one))) != *negated
        }
    }
}

fn compare<E>(one: &impl Values<E>, two: &impl Values<E>, order: &[Ordering<E>]) -> Order {
    for Ordering {
        by,
        descending,
        nulls_last,
    } in order
    {
        let (one, two) = (one.value(by), two.value(by));
        let found = match (*one == Cell::Null, *two == Cell::Null) {
            (true, true) => Order::Equal,
            (true, false) if *nulls_last => Order::Greater,
            (true, false) => Order::Less,
            (false, true) if *nulls_last => Order::Less,
            (false, true) => Order::Greater,
            (false, false) if *descending => two.compare(&one),
            (false, false) => one.compare(&two),
        };
        if found != Order::Equal {
            return found;
        }
    }
    Order::Equal
}

/// Whether a text matches a folded pattern. On a mismatch only the last `%` takes one character more, so the time is at most
/// the product of both lengths.
fn like(text: &str, pattern: &[Piece]) -> bool {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut at, mut piece) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(piece) {
            Some(Piece::Any) => {
                retry = Some((at, piece));
                piece += 1;
            }
            Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Exactly(character)) if *character == text[at] => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Exactly(_)) | None => match retry {
                Some((from, any)) => {
                    retry = Some((from + 1, any));
                    (at, piece) = (from + 1, any + 1);
                }
                None => return false,
            },
        }
    }
    pattern[piece..].iter().all(|rest| *rest == Piece::Any)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::soql::plan::plan;
    use crate::salesforce::trial::Trial;
    use crate::seed::Seed;

    fn pattern(text: &str) -> Vec<Piece> {
        text.chars()
            .map(|character| match character {
                '%' => Piece::Any,
                '_' => Piece::One,
                other => Piece::Exactly(other),
            })
            .collect()
    }

    #[test]
    fn like_knows_both_wildcards_and_no_case() {
        for (text, like_text, expected) in [
            ("Fabrikam", "fab%", true),
            ("Fabrikam", "%KAM".to_lowercase().as_str(), true),
            ("Fabrikam", "f_brikam", true),
            ("Fabrikam", "fabrikam_", false),
            ("Fabrikam", "%a%a%", true),
            ("Fabrikam", "%a%a%a%", false),
            ("", "%", true),
            ("", "", true),
            ("abc", "", false),
        ] {
            assert_eq!(like(text, &pattern(like_text)), expected, "{text} {like_text}");
        }
    }

    #[test]
    fn an_index_finds_what_a_scan_finds() {
        let trial = Trial::new();
        let mut chance = Seed(21).stream("index and scan");
        let accounts = ["Fabrikam", "Tailspin"].map(|name| trial.create("Account", &json!({"Name": name})));
        let pick = |number: u64| usize::try_from(number).unwrap();
        let mut deals: Vec<String> = Vec::new();
        for _ in 0..400 {
            trial.wait(i64::try_from(chance.between(0, 2)).unwrap());
            let reference = ["r-1", "R-1", "r-2", "Ä", "ä", ""][pick(chance.between(0, 5))];
            let account = &accounts[pick(chance.between(0, 1))];
            let body =
                json!({"Referral_Identifier__c": reference, "AccountId": account, "Amount": chance.between(0, 3)});
            match chance.between(0, 9) {
                0..=3 => deals.push(trial.deal(reference, &json!({"Name": "n", "Referral_Identifier__c": reference}))),
                4 if !deals.is_empty() => {
                    let gone = deals.swap_remove(pick(chance.between(0, deals.len() as u64 - 1)));
                    assert_eq!(trial.delete("Opportunity", &gone).status, 204);
                }
                _ if !deals.is_empty() => {
                    let deal = &deals[pick(chance.between(0, deals.len() as u64 - 1))];
                    assert_eq!(trial.patch("Opportunity", deal, &body).status, 204);
                }
                _ => {}
            }
        }
        let state = trial.org.lock();
        let second = state.ground.clock.now() - jiff::SignedDuration::from_secs(90);
        for condition in [
            "Referral_Identifier__c = 'r-1'".to_owned(),
            "Referral_Identifier__c IN ('R-2', 'Ä') AND Amount > 0".to_owned(),
            "Referral_Identifier__c = null".to_owned(),
            "Referral_Identifier__c IN ('r-1', null)".to_owned(),
            format!("AccountId = '{}' AND Referral_Identifier__c != 'r-1'", accounts[0]),
            format!("SystemModstamp >= {second} AND AccountId != null"),
            format!("SystemModstamp > {second}"),
            format!("Id IN ('{}', '{}')", deals[0], &deals[1][..15]),
        ] {
            let soql = format!("SELECT Id FROM Opportunity WHERE {condition}");
            let indexed = plan(state.asking(Id::parse("005000000000001").unwrap(), false), &soql).unwrap();
            let mut scan = indexed.clone();
            scan.access = Access::All;
            let found = find(&state, &indexed);
            assert_eq!(found, find(&state, &scan), "{condition}");
            assert!(!found.is_empty(), "{condition} finds something");
        }
    }
}
