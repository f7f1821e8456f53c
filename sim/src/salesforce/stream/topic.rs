//! Push topics: a query, and which writes to the records that it finds are told.
//!
//! They are records of the object `PushTopic`, read when something was written.

use serde_json::Value;

use crate::salesforce::cell::Cell;
use crate::salesforce::feed::{Act, Written};
use crate::salesforce::print;
use crate::salesforce::soql::plan::{self, Access};
use crate::salesforce::state::State;

/// The object that holds them.
pub(super) const OBJECT: &str = "PushTopic";

/// One active push topic.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    pub(super) name: String,
    query: String,
    version: String,
    /// `All`, `Referenced`, `Select` or `Where`.
    fields: String,
    /// Which kinds of write it tells: created, updated, deleted, undeleted.
    kinds: [bool; 4],
}

/// The active push topics.
pub(super) fn active(state: &State) -> Vec<Topic> {
    let Some(object) = state.org.object(OBJECT) else {
        return Vec::new();
    };
    let shape = &state.org.objects[object];
    let rows = state.tables[object].rows().iter().filter(|row| !row.deleted);
    rows.filter_map(|row| {
        let cell = |name: &str| shape.field(name).map(|place| &row.cells[place]);
        let text = |name: &str| Some(cell(name)?.as_text()?.to_owned());
        let is = |name: &str| cell(name).is_some_and(Cell::is_true);
        is("IsActive").then_some(())?;
        Some(Topic {
            name: text("Name")?,
            query: text("Query")?,
            version: format!("v{:.1}", cell("ApiVersion")?.as_number()?),
            fields: text("NotifyForFields").unwrap_or_default(),
            kinds: [
                "NotifyForOperationCreate",
                "NotifyForOperationUpdate",
                "NotifyForOperationDelete",
                "NotifyForOperationUndelete",
            ]
            .map(is),
        })
    })
    .collect()
}

/// What the topic tells of a write: the record as its query shows it. None when the write is none of its business.
///
/// Assumed: a query that cannot be run tells nothing; a deleted record is shown by its identifier alone.
pub(super) fn shown(state: &State, topic: &Topic, written: &Written) -> Option<Value> {
    let wanted = match written.kind {
        Act::Created => topic.kinds[0],
        Act::Updated => topic.kinds[1] && touched(state, topic, written),
        Act::Deleted => topic.kinds[2],
        Act::Undeleted => topic.kinds[3],
    };
    if !wanted {
        return None;
    }
    let mut plan = plan::plan(state.asking(written.user, true), &topic.query).ok()?;
    if plan.object != written.object {
        return None;
    }
    plan.access = Access::Ids(vec![written.id]);
    if crate::salesforce::find::find(state, &plan).is_empty() {
        return None;
    }
    if written.kind == Act::Deleted {
        return Some(serde_json::json!({"Id": written.id.to_string()}));
    }
    let row = state.tables[written.object].row(written.place);
    let mut body = Vec::new();
    print::record(state, written.object, row, &plan.nodes, &topic.version, &mut body);
    let mut shown: Value = serde_json::from_slice(&body).ok()?;
    shown.as_object_mut()?.shift_remove("attributes");
    Some(shown)
}

/// Whether a field changed that the topic watches: any, those of its SELECT, of its WHERE, or of both.
fn touched(state: &State, topic: &Topic, written: &Written) -> bool {
    let query = topic.query.to_ascii_lowercase();
    let (select, rest) = query.split_once(" from ").unwrap_or((&query, ""));
    let condition = rest.split_once(" where ").map_or("", |(_, condition)| condition);
    let text = match topic.fields.as_str() {
        "All" => return true,
        "Select" => select.to_owned(),
        "Where" => condition.to_owned(),
        _ => format!("{select} {condition}"),
    };
    let words: Vec<&str> = text
        .split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_')
        .collect();
    let shape = &state.org.objects[written.object];
    let name = |place: usize| shape.fields[place].name.to_ascii_lowercase();
    written
        .fields
        .iter()
        .any(|(place, _)| words.contains(&name(*place).as_str()))
}
