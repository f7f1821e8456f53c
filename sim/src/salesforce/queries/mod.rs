//! `/query` and the pages that follow (salesforce.md section 2.3).
//!
//! How a query is read and planned stands in `soql`, how its rows are found in `find`.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::author::Author;
use super::cursor::Cursor;
use super::error::{JSON, Problem};
use super::model::Object;
use super::soql::path::Node;
use super::soql::plan::{self, Access, Plan};
use super::state::State;
use super::visit::{Answer, Visit, written};
use super::{find, print, recent};
use crate::reply::json_reply;

/// `GET /query?q=` and `GET /queryAll?q=`, which finds rows in the recycle bin too (salesforce.md section 2.3).
pub(crate) fn query(state: &mut State, visit: &Visit<'_>, deleted: bool) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&["q", "explain"])?;
    if let Some(text) = visit.parameter("explain") {
        let plan = plan(state, &visit.author, text, deleted)?;
        return Ok(json_reply(StatusCode::OK, JSON, &explained(state, &plan, text)));
    }
    let Some(text) = visit.parameter("q") else {
        // Words from general knowledge.
        return Err(Problem::bad("MALFORMED_QUERY", "A query string has to be specified"));
    };
    state.time_matters.set(false);
    let plan = plan(state, &visit.author, text, deleted)?;
    if let Some(grouping) = &plan.group {
        let groups = find::groups(state, &plan, grouping);
        if groups.len() > state.settings.page_size {
            // Code and words from general knowledge.
            let message =
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch";
            return Err(Problem::bad("EXCEEDED_ID_LIMIT", message));
        }
        let mut body = Vec::with_capacity(1024);
        print::groups(grouping, &groups, &mut body);
        return Ok(written(body));
    }
    let places = find::find(state, &plan);
    if plan.counts_only {
        let body = json!({"totalSize": places.len(), "done": true, "records": []});
        return Ok(json_reply(StatusCode::OK, JSON, &body));
    }
    if plan.views {
        for place in places.iter().rev() {
            let id = state.tables[plan.object].row(*place).id;
            recent::look(state, &visit.author, plan.object, id);
        }
    }
    let mut cursor = Cursor {
        plan: Arc::new(plan),
        places: places.into(),
        page_size: page_size(state, visit.call.headers),
        locator: None,
    };
    if cursor.places.len() > cursor.page_size {
        cursor.locator = Some(format!("0r8{}", state.mint.opaque(15)));
        state.cursors.keep(state.ground.clock.now().as_second(), cursor.clone());
    }
    let mut body = Vec::with_capacity(4096);
    print::page(state, &cursor, 0, visit.version, &mut body);
    let body = Bytes::from(body);
    let mut response = written(body.clone());
    // A page that another follows opened a cursor, and so may a list of children.
    let children = |node: &Node| matches!(node, Node::Children(_));
    let opens_none = cursor.locator.is_none() && !cursor.plan.nodes.iter().any(children);
    if opens_none && !cursor.plan.views && !state.time_matters.get() {
        response.extensions_mut().insert(Steady(body));
    }
    Ok(response)
}

/// Travels with an answer that stays the same while no row changes.
#[derive(Clone, Debug)]
pub(crate) struct Steady(pub(crate) Bytes);

/// Reads a query and checks it against the schema. `deleted`: whether it finds rows in the recycle bin too.
pub(crate) fn plan(state: &State, author: &Author, text: &str, deleted: bool) -> Result<Plan, Problem> {
    let plan = plan::plan(state.asking(author.id, deleted), text)?;
    check_filter_of_links(&state.org.objects[plan.object], &plan)?;
    Ok(plan)
}

/// Links of documents are found by their document or by what they are linked to, and in no other way. Code and words from general
/// knowledge.
fn check_filter_of_links(shape: &Object, plan: &Plan) -> Result<(), Problem> {
    let by_key = matches!(plan.access, Access::Keys(..) | Access::Ids(_));
    if shape.name != "ContentDocumentLink" || by_key {
        return Ok(());
    }
    let message = "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or \
                   LinkedEntityId using the equals operator or multiple Id's using the IN operator.";
    Err(Problem::bad("MALFORMED_QUERY", message))
}

/// How a query would be run. Assumed: the figures; the vendor's depend on statistics that nobody else has.
fn explained(state: &State, plan: &Plan, text: &str) -> Value {
    let shape = &state.org.objects[plan.object];
    let total = state.tables[plan.object].live();
    let looked_at = find::count_candidates(state, plan);
    let (operation, fields) = match &plan.access {
        Access::Ids(_) => ("Index", vec!["Id"]),
        Access::Keys(field, _) | Access::AtLeast(field, _) => ("Index", vec![shape.fields[*field].name.as_str()]),
        Access::All => ("TableScan", Vec::new()),
    };
    let part_of_all =
        |part: usize| u32::try_from(part).map_or(1.0, f64::from) / u32::try_from(total.max(1)).map_or(1.0, f64::from);
    let notes = match plan.access {
        Access::All if plan.test.is_some() => json!([{
            "description": "Not considering filter for optimization because unindexed",
            "fields": [],
            "tableEnumOrId": shape.name,
        }]),
        Access::All | Access::Ids(_) | Access::Keys(..) | Access::AtLeast(..) => json!([]),
    };
    json!({
        "plans": [{
            "cardinality": looked_at,
            "fields": fields,
            "leadingOperationType": operation,
            "notes": notes,
            "relativeCost": part_of_all(looked_at),
            "sobjectCardinality": total,
            "sobjectType": shape.name,
        }],
        "sourceQuery": text,
    })
}

/// `GET {nextRecordsUrl}`.
pub(crate) fn next_page(state: &State, visit: &Visit<'_>, segment: &str) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&[])?;
    let second = state.ground.clock.now().as_second();
    let found = segment.rsplit_once('-').and_then(|(locator, from)| {
        let from: usize = from.parse().ok()?;
        let cursor = state.cursors.get(locator, second)?;
        (from < cursor.places.len()).then_some((from, cursor))
    });
    let Some((from, cursor)) = found else {
        // Words from general knowledge.
        return Err(Problem::bad("INVALID_QUERY_LOCATOR", "invalid query locator"));
    };
    let mut body = Vec::with_capacity(4096);
    print::page(state, &cursor, from, visit.version, &mut body);
    Ok(written(body))
}

/// The header may ask for pages of 200 to 2,000 rows; never more than the org's own. Assumed: other sizes are moved into the range.
fn page_size(state: &State, headers: &HeaderMap) -> usize {
    let asked = headers
        .get("sforce-query-options")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            value
                .split(',')
                .find_map(|option| option.trim().strip_prefix("batchSize="))
        })
        .and_then(|size| size.trim().parse::<usize>().ok())
        .map_or(usize::MAX, |size| size.clamp(200, 2000));
    asked.min(state.settings.page_size).max(1)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_groups;
#[cfg(test)]
mod tests_of_relations;
