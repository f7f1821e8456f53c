//! Jobs that write: each row of the CSV is a write of its own, and says in a result what became of it.
//!
//! A row that fails takes nothing else with it.

use serde_json::{Map, Value};

use super::{line, sheet};
use crate::happening::{Happening, Refusal};
use crate::salesforce::author::Author;
use crate::salesforce::error::{Complaint, Problem};
use crate::salesforce::fall;
use crate::salesforce::id::Id;
use crate::salesforce::job::{Job, Operation, Phase, Sheet};
use crate::salesforce::state::State;
use crate::salesforce::upsert::{self, Upserted};
use crate::salesforce::write::{self, Body};
use crate::site::Site;

/// Does what a closed job asks for.
pub(super) fn run(state: &mut State, author: &Author, job: &mut Job) {
    match rows(state, job) {
        Err(message) => {
            job.phase = Phase::Failed;
            job.error = Some(message);
        }
        Ok(None) => job.phase = Phase::JobComplete,
        Ok(Some((object, rows))) => {
            work(state, author, job, object, &rows);
            job.phase = Phase::JobComplete;
        }
    }
    job.content = None;
}

/// The object and the rows of a job, the head first; none when nothing was uploaded. The error is that of the whole job.
fn rows(state: &State, job: &Job) -> Result<Option<(usize, Sheet)>, String> {
    let object = state
        .org
        .object(&job.order.object)
        .ok_or("InvalidJob : Unable to find object")?;
    let Some(content) = &job.content else {
        return Ok(None);
    };
    let sheet = sheet::read(content, &job.order)?;
    let Some(head) = sheet.first() else {
        return Ok(None);
    };
    if let Some(name) = line::unknown(&state.org.objects[object], head) {
        // Words from general knowledge.
        return Err(format!("InvalidBatch : Field name not found : {name}"));
    }
    if job.order.operation == Operation::Delete
        && !matches!(head.as_slice(), [only] if only.trim().eq_ignore_ascii_case("Id"))
    {
        // Assumed: words.
        return Err("InvalidBatch : Only the Id column is allowed in a delete".to_owned());
    }
    Ok(Some((object, sheet)))
}

fn work(state: &mut State, author: &Author, job: &mut Job, object: usize, rows: &Sheet) {
    let Some((head, rows)) = rows.split_first() else { return };
    let with = |first: [&str; 2]| {
        first
            .map(str::to_owned)
            .into_iter()
            .chain(head.iter().cloned())
            .collect()
    };
    job.successful = vec![with(["sf__Id", "sf__Created"])];
    job.failed = vec![with(["sf__Id", "sf__Error"])];
    job.unprocessed = vec![head.clone()];
    for cells in rows {
        let fields = line::body(&state.org.objects[object], head, cells);
        let given = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("Id"));
        let given = given.and_then(|(_, id)| id.as_str()).unwrap_or_default().to_owned();
        let mark = state.transaction.mark();
        match one(state, author, job, object, fields) {
            Ok(done) => {
                let first = [done.id.to_string(), done.created.to_string()];
                job.successful
                    .push(first.into_iter().chain(cells.iter().cloned()).collect());
            }
            Err(problem) => {
                state.roll_back(mark);
                tell_missing(state, job, &problem);
                let first = [given, error(&problem)];
                job.failed
                    .push(first.into_iter().chain(cells.iter().cloned()).collect());
            }
        }
    }
}

/// What is not simulated is told as loudly as when a request of its own asks for it.
fn tell_missing(state: &State, job: &Job, problem: &Problem) {
    if let Problem::NotSimulated(missing) = problem {
        state.ground.happenings.push(Happening::Refused(Refusal {
            site: Site::Salesforce,
            request: format!("bulk job {}", job.id),
            missing: missing.clone(),
        }));
    }
}

fn one(
    state: &mut State,
    author: &Author,
    job: &Job,
    object: usize,
    mut fields: Map<String, Value>,
) -> Result<Upserted, Problem> {
    match job.order.operation {
        Operation::Insert => {
            let id = write::create(state, author, object, body(&fields))?;
            Ok(Upserted { id, created: true })
        }
        Operation::Upsert => {
            let key = upsert::key(state, object, job.order.key.as_deref().unwrap_or_default())?;
            upsert::upsert(state, author, object, key, fields)
        }
        Operation::Update => {
            let (id, place) = place(state, object, &mut fields)?;
            write::update(state, author, object, place, body(&fields))?;
            Ok(Upserted { id, created: false })
        }
        Operation::Delete => {
            let (id, place) = place(state, object, &mut fields)?;
            fall::delete(state, author, object, place)?;
            Ok(Upserted { id, created: false })
        }
        Operation::Query | Operation::QueryAll => Err(Problem::not_simulated("a query in an ingest job")),
    }
}

fn body(fields: &Map<String, Value>) -> Body<'_> {
    Body { fields, raw: b"" }
}

/// The record that a row names, its identifier taken out of the body.
fn place(state: &State, object: usize, fields: &mut Map<String, Value>) -> Result<(Id, usize), Problem> {
    let key = fields.keys().find(|name| name.eq_ignore_ascii_case("Id")).cloned();
    let Some(given) = key.and_then(|key| fields.shift_remove(&key)) else {
        return Err(Problem::write(
            "MISSING_ARGUMENT",
            "Id not specified in an update call",
            &["Id"],
        ));
    };
    let found = given.as_str().and_then(Id::parse);
    let table = &state.tables[object];
    match found.and_then(|id| Some((id, table.find(id)?))) {
        Some((_, place)) if table.row(place).deleted => {
            Err(Problem::write("ENTITY_IS_DELETED", "entity is deleted", &[]))
        }
        Some(found) => Ok(found),
        None => Err(upsert::missing_record(&given, "Id")),
    }
}

/// `CODE:message:fields --`, one after the other (words of the developer guide's examples).
fn error(problem: &Problem) -> String {
    match problem {
        Problem::Refused { complaints, .. } => {
            let print = |complaint: &Complaint| {
                let fields = complaint.fields.as_deref().unwrap_or_default().join(",");
                format!("{}:{}:{fields} --", complaint.code, complaint.message)
            };
            complaints.iter().map(print).collect::<Vec<_>>().join(";")
        }
        Problem::NotSimulated(missing) => format!("UNKNOWN_EXCEPTION:not simulated: {missing}: --"),
    }
}
