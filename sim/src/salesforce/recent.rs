//! `/recent`: the records that somebody looked at or wrote last (salesforce.md section 2.7).
//!
//! Assumed: a read, a create and an update of one record, and a query `FOR VIEW` or `FOR REFERENCE`, make a record recent.

use std::collections::VecDeque;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::author::Author;
use super::error::{JSON, Problem};
use super::id::Id;
use super::state::State;
use super::visit::{Answer, Visit};
use crate::reply::json_reply;

/// How many are remembered for each person. Assumed.
const KEPT: usize = 200;
/// How many are remembered in all.
const KEPT_IN_ALL: usize = 2000;

/// Who looked at which record, the last look first.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<(Id, usize, Id)>);

impl Recent {
    /// Notes that somebody looked at a record.
    pub(crate) fn note(&mut self, by: Id, object: usize, record: Id) {
        let entry = (by, object, record);
        if self.0.front() == Some(&entry) {
            return;
        }
        self.0.retain(|known| *known != entry);
        self.0.push_front(entry);
        self.0.truncate(KEPT_IN_ALL);
    }
}

/// Notes a look at a record, when the object has a list of recent ones.
pub(crate) fn look(state: &mut State, author: &Author, object: usize, record: Id) {
    if state.org.objects[object].abilities.has(b'M') {
        state.recent.note(author.id, object, record);
    }
}

/// `GET /recent?limit=n`.
pub(crate) fn list(state: &State, visit: &Visit<'_>) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&["limit"])?;
    let limit = match visit.parameter("limit") {
        None => KEPT,
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if (1..=KEPT).contains(&limit) => limit,
            // Assumed: code and words.
            Ok(_) | Err(_) => {
                let message = format!("limit must be a number from 1 to {KEPT}");
                return Err(Problem::bad("INVALID_QUERY_VALUE", message));
            }
        },
    };
    let items: Vec<Value> = items(state, visit, None).take(limit).collect();
    Ok(json_reply(StatusCode::OK, JSON, &Value::Array(items)))
}

/// The records of one object, for its basic description.
pub(crate) fn of_object(state: &State, visit: &Visit<'_>, object: usize) -> Vec<Value> {
    items(state, visit, Some(object)).take(KEPT).collect()
}

fn items(state: &State, visit: &Visit<'_>, only: Option<usize>) -> impl Iterator<Item = Value> {
    let own = state
        .recent
        .0
        .iter()
        .filter(move |(by, object, _)| *by == visit.author.id && only.is_none_or(|only| *object == only));
    own.filter_map(move |(_, object, record)| {
        let shape = &state.org.objects[*object];
        let row = state.tables[*object].row(state.tables[*object].find(*record)?);
        let mut item = Map::new();
        let url = format!("/services/data/{}/sobjects/{}/{record}", visit.version, shape.name);
        item.insert("attributes".to_owned(), json!({"type": shape.name, "url": url}));
        item.insert("Id".to_owned(), Value::from(record.to_string()));
        if let Some(name) = shape.name_field() {
            item.insert(shape.fields[name].name.clone(), row.cells[name].to_value(false));
        }
        (!row.deleted).then_some(Value::Object(item))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::salesforce::trial::Trial;

    #[test]
    fn what_was_looked_at_last_comes_first_and_only_ones_own() {
        let mut trial = Trial::new();
        let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
        let deal = trial.deal("Seats", &json!({}));
        trial.read("Account", &account);
        let names = |trial: &Trial, path: &str| -> Vec<String> {
            let list = trial.get(path).json();
            let items = list.as_array().or_else(|| list["recentItems"].as_array()).unwrap();
            items
                .iter()
                .map(|item| item["Name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&trial, "/recent"), ["Fabrikam", "Seats"]);
        assert_eq!(names(&trial, "/recent?limit=1"), ["Fabrikam"]);
        assert_eq!(names(&trial, "/sobjects/Opportunity/"), ["Seats"]);
        assert_eq!(trial.get("/recent?limit=many").fault().0, 400);
        trial.delete("Opportunity", &deal);
        assert_eq!(names(&trial, "/recent"), ["Fabrikam"]);
        trial.sign_in("seller");
        assert!(names(&trial, "/recent").is_empty());
    }
}
