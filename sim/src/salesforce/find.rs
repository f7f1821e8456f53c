//! Rows that a plan finds, in their order.
//!
//! It prints nothing.

use std::cmp::Ordering as Order;

use super::cell::Cell;
use super::soql::ast::{Operator, Piece};
use super::soql::path::Column;
use super::soql::plan::{Access, Ordering, Plan, Test};
use super::state::State;
use super::store::{Row, Table};

/// Places of the rows that a plan finds: tested, sorted, cut to its limit. Deleted rows are never among them.
///
/// Assumed: rows that no `ORDER BY` tells apart come in the order of their identifiers.
pub(crate) fn find(state: &State, plan: &Plan) -> Vec<usize> {
    let table = &state.tables[plan.object];
    let passes = |place: &usize| {
        let row = table.row(*place);
        !row.deleted && plan.test.as_ref().is_none_or(|test| holds(state, row, test))
    };
    let mut places: Vec<usize> = candidates(table, &plan.access).into_iter().filter(passes).collect();
    if !plan.order.is_empty() {
        places.sort_by(|one, two| compare(state, table.row(*one), table.row(*two), &plan.order));
    }
    let limit = plan.limit.unwrap_or(usize::MAX);
    if plan.offset > 0 || limit < places.len() {
        places = places.into_iter().skip(plan.offset).take(limit).collect();
    }
    places
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

/// The value of a column; empty when a parent on the way is.
fn cell<'a>(state: &'a State, row: &'a Row, column: &Column) -> &'a Cell {
    let mut row = row;
    for &(reference, object) in &column.parents {
        let table = &state.tables[object];
        let parent = row.cells[reference].as_id().and_then(|id| table.find(id));
        match parent {
            Some(place) => row = table.row(place),
            None => return &Cell::Null,
        }
    }
    &row.cells[column.field]
}

/// Whether a row passes. Assumed: an empty field differs from every value, and is neither less nor greater than one.
fn holds(state: &State, row: &Row, test: &Test) -> bool {
    match test {
        Test::And(parts) => parts.iter().all(|part| holds(state, row, part)),
        Test::Or(parts) => parts.iter().any(|part| holds(state, row, part)),
        Test::Not(inner) => !holds(state, row, inner),
        Test::Compare(column, operator, value) => {
            let cell = cell(state, row, column);
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
        Test::Like(column, pattern) => cell(state, row, column)
            .as_text()
            .is_some_and(|text| like(text, pattern)),
        Test::Member(column, negated, values) => {
            let cell = cell(state, row, column);
            values.binary_search_by(|value| value.compare(cell)).is_ok() != *negated
        }
    }
}

fn compare(state: &State, one: &Row, two: &Row, order: &[Ordering]) -> Order {
    for Ordering {
        column,
        descending,
        nulls_last,
    } in order
    {
        let (one, two) = (cell(state, one, column), cell(state, two, column));
        let found = match (*one == Cell::Null, *two == Cell::Null) {
            (true, true) => Order::Equal,
            (true, false) if *nulls_last => Order::Greater,
            (true, false) => Order::Less,
            (false, true) if *nulls_last => Order::Less,
            (false, true) => Order::Greater,
            (false, false) if *descending => two.compare(one),
            (false, false) => one.compare(two),
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
            let indexed = plan(&state.org, &soql).unwrap();
            let mut scan = indexed.clone();
            scan.access = Access::All;
            let found = find(&state, &indexed);
            assert_eq!(found, find(&state, &scan), "{condition}");
            assert!(!found.is_empty(), "{condition} finds something");
        }
    }
}
