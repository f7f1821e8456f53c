//! `/jobs/ingest` and `/jobs/query`: jobs made, filled, closed, read, listed and deleted.
//!
//! What a job does when its time has come stands in `work`.

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{extract, sheet};
use crate::reply::{empty_reply, json_reply};
use crate::salesforce::composite::part::Routes;
use crate::salesforce::error::{JSON, Problem};
use crate::salesforce::id::Id;
use crate::salesforce::job::{DELIMITERS, Job, LineEnding, Operation, Order, Phase, Sheet};
use crate::salesforce::state::State;
use crate::salesforce::upsert;
use crate::salesforce::visit::{Answer, Visit, written};

/// The first three characters of a job's identifier.
const PREFIX: [u8; 3] = *b"750";
/// The largest upload, in bytes: 150 MB in base64 are 100 MB as they are (developer guide).
pub(crate) const MAX_UPLOAD: usize = 100_000_000;
/// The most rows that a page of results holds unless the request says fewer. Assumed.
const MOST_ROWS: usize = 50_000;

/// `GET` and `POST /jobs/ingest` and `/jobs/query`.
pub(crate) fn all(state: &mut State, visit: &Visit<'_>, reads: bool, routes: Routes) -> Answer {
    visit.only(&[Method::GET, Method::POST])?;
    if visit.call.method == Method::GET {
        visit.allow_parameters(&["isPkChunkingEnabled", "jobType", "queryLocator"])?;
        let kind = visit.parameter("jobType").unwrap_or_default();
        let other = !matches!(kind, "" | "V2Ingest" | "V2Query");
        let listed = state
            .jobs
            .iter()
            .filter(|job| !other && job.order.operation.reads() == reads);
        let records: Vec<Value> = listed.map(|job| short(job, "v2")).collect();
        let body = json!({"done": true, "records": records, "nextRecordsUrl": null});
        return Ok(json_reply(StatusCode::OK, JSON, &body));
    }
    visit.allow_parameters(&[])?;
    let body = visit.json_body()?;
    let order = if reads {
        extract::order(state, visit, &body, routes)?
    } else {
        ingest_order(state, visit, &body)?
    };
    let number = state.mint.next_number(state.jobs.last_number);
    state.jobs.last_number = Some(number);
    let now = state.ground.clock.now();
    let job = Job {
        id: state.mint.id(PREFIX, number),
        phase: if reads { Phase::UploadComplete } else { Phase::Open },
        created: now,
        modified: now,
        closed: reads.then_some(now),
        content: None,
        error: None,
        successful: Sheet::new(),
        failed: Sheet::new(),
        unprocessed: Sheet::new(),
        order,
    };
    let answer = short(&job, "new");
    state.jobs.keep(job);
    Ok(json_reply(StatusCode::OK, JSON, &answer))
}

/// `GET`, `PATCH` and `DELETE /jobs/ingest/ID` and `/jobs/query/ID`.
pub(crate) fn one(state: &mut State, visit: &Visit<'_>, reads: bool, id: &str) -> Answer {
    visit.only(&[Method::GET, Method::PATCH, Method::DELETE])?;
    visit.allow_parameters(&[])?;
    let id = find(state, reads, id)?.id;
    match *visit.call.method {
        Method::GET => {
            let job = find(state, reads, &id.to_string())?;
            let takes = state.settings.bulk_processing.as_millis();
            Ok(json_reply(StatusCode::OK, JSON, &long(job, takes)))
        }
        Method::PATCH => change(state, visit, id),
        _ => {
            let job = find(state, reads, &id.to_string())?;
            if !job.phase.is_over() {
                let message = format!("Deleting a job that is {} is not allowed", job.phase.name());
                return Err(Problem::bad("INVALIDJOBSTATE", message));
            }
            state.jobs.remove(id);
            Ok(empty_reply(StatusCode::NO_CONTENT))
        }
    }
}

/// `PUT /jobs/ingest/ID/batches`: the CSV, once.
pub(crate) fn upload(state: &mut State, visit: &Visit<'_>, id: &str) -> Answer {
    visit.only(&[Method::PUT])?;
    visit.allow_parameters(&[])?;
    let content_type = visit
        .call
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if !essence.eq_ignore_ascii_case("text/csv") {
        let message = format!("Content-Type '{essence}' not supported");
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        ));
    }
    let id = find(state, false, id)?.id;
    let now = state.ground.clock.now();
    let content = visit.call.body.clone();
    let Some(job) = state.jobs.get_mut(id) else {
        return Err(Problem::not_found());
    };
    if job.phase != Phase::Open {
        let message = format!("Uploading to a job that is {} is not allowed", job.phase.name());
        return Err(Problem::bad("INVALIDJOBSTATE", message));
    }
    if job.content.is_some() {
        // Words from general knowledge.
        let message = format!(
            "Found multiple contents for job: <{id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job \
             and make sure you only do 'PUT' once on a given Job."
        );
        return Err(Problem::bad("CLIENTINPUTERROR", message));
    }
    job.content = Some(content);
    job.modified = now;
    Ok(empty_reply(StatusCode::CREATED))
}

/// `GET /jobs/ingest/ID/successfulResults`, `failedResults` and `unprocessedrecords`.
pub(crate) fn results(state: &State, visit: &Visit<'_>, id: &str, which: &str) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&[])?;
    let job = find(state, false, id)?;
    let rows = match which.to_ascii_lowercase().as_str() {
        "successfulresults" => &job.successful,
        "failedresults" => &job.failed,
        "unprocessedrecords" => &job.unprocessed,
        _ => return Err(Problem::not_found()),
    };
    if !job.phase.is_over() {
        let message = format!("Results of a job that is {} are not there yet", job.phase.name());
        return Err(Problem::bad("INVALIDJOBSTATE", message));
    }
    Ok(csv(sheet::write(rows.iter(), &job.order)))
}

/// `GET /jobs/query/ID/results`: pages of what was found. `Sforce-Locator` is `null` on the last one.
pub(crate) fn page(state: &State, visit: &Visit<'_>, id: &str) -> Answer {
    visit.only(&[Method::GET])?;
    visit.allow_parameters(&["locator", "maxRecords"])?;
    let job = find(state, true, id)?;
    if job.phase != Phase::JobComplete {
        let message = format!("Results of a job that is {} are not there", job.phase.name());
        return Err(Problem::bad("INVALIDJOBSTATE", message));
    }
    let most = match visit.parameter("maxRecords") {
        None => MOST_ROWS,
        Some(number) => match number.parse::<usize>() {
            Ok(number) if number > 0 => number.min(MOST_ROWS),
            Ok(_) | Err(_) => return Err(Problem::bad("INVALID_INPUT", "maxRecords must be a number above 0")),
        },
    };
    let rows = job.successful.get(1..).unwrap_or_default();
    let from = match visit.parameter("locator") {
        None => 0,
        Some(locator) => start(locator)
            .filter(|from| *from < rows.len())
            .ok_or_else(|| Problem::bad("INVALID_LOCATOR", format!("invalid locator: {locator}")))?,
    };
    let page = &rows[from..rows.len().min(from.saturating_add(most))];
    let until = from + page.len();
    let mut response = csv(sheet::write(job.successful.first().into_iter().chain(page), &job.order));
    let locator = if until < rows.len() {
        locator(until)
    } else {
        "null".to_owned()
    };
    let headers = response.headers_mut();
    headers.insert("sforce-numberofrecords", HeaderValue::from(page.len()));
    if let Ok(locator) = HeaderValue::from_str(&locator) {
        headers.insert("sforce-locator", locator);
    }
    Ok(response)
}

/// Locators are opaque to clients: base64 of the number of the page's first row.
fn locator(from: usize) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(from.to_string())
}

fn start(locator: &str) -> Option<usize> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(locator).ok()?;
    str::from_utf8(&decoded).ok()?.parse().ok()
}

fn csv(body: Vec<u8>) -> Response {
    let mut response = written(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv"));
    response
}

fn find<'a>(state: &'a State, reads: bool, id: &str) -> Result<&'a Job, Problem> {
    let job = Id::parse(id).and_then(|id| state.jobs.get(id));
    job.filter(|job| job.order.operation.reads() == reads)
        .ok_or_else(Problem::not_found)
}

/// A job is closed when its upload is complete, or aborted.
fn change(state: &mut State, visit: &Visit<'_>, id: Id) -> Answer {
    let body = visit.json_body()?;
    let wanted = match body.get("state").and_then(Value::as_str) {
        Some("UploadComplete") => Phase::UploadComplete,
        Some("Aborted") => Phase::Aborted,
        _ => {
            return Err(Problem::bad(
                "INVALID_INPUT",
                "The state of a job can be set to UploadComplete or Aborted",
            ));
        }
    };
    let now = state.ground.clock.now();
    let Some(job) = state.jobs.get_mut(id) else {
        return Err(Problem::not_found());
    };
    let reads = job.order.operation.reads();
    let allowed = if wanted == Phase::UploadComplete {
        job.phase == Phase::Open && !reads
    } else {
        !job.phase.is_over()
    };
    if !allowed {
        let message = format!("{} a job that is {} is not allowed", wanted.name(), job.phase.name());
        return Err(Problem::bad("INVALIDJOBSTATE", message));
    }
    job.phase = wanted;
    job.modified = now;
    if wanted == Phase::UploadComplete {
        job.closed = Some(now);
    } else if let Some(content) = &job.content {
        job.unprocessed = sheet::read(content, &job.order).unwrap_or_default();
    }
    Ok(json_reply(StatusCode::OK, JSON, &short(job, "changed")))
}

fn ingest_order(state: &State, visit: &Visit<'_>, body: &Map<String, Value>) -> Result<Order, Problem> {
    let known = [
        "operation",
        "object",
        "contentType",
        "lineEnding",
        "columnDelimiter",
        "externalIdFieldName",
        "assignmentRuleId",
    ];
    allow(body, &known)?;
    let operation = match text(body, "operation")?.unwrap_or_default() {
        "insert" => Operation::Insert,
        "update" => Operation::Update,
        "upsert" => Operation::Upsert,
        "delete" => Operation::Delete,
        "hardDelete" => {
            let message = "hardDelete operation requires special user profile permission, please contact your system administrator";
            return Err(Problem::bad("FEATURENOTENABLED", message));
        }
        other => return Err(Problem::bad("INVALIDJOB", format!("Invalid operation: '{other}'"))),
    };
    let name = text(body, "object")?.unwrap_or_default();
    let Some(object) = state.org.object(name) else {
        crate::salesforce::visit::object(state, name)
            .map(drop)
            .or_else(|problem| match problem {
                missing @ Problem::NotSimulated(_) => Err(missing),
                Problem::Refused { .. } => Ok(()),
            })?;
        return Err(Problem::bad("INVALIDENTITY", format!("Unable to find object: {name}")));
    };
    let object_name = state.org.objects[object].name.clone();
    let key = match (operation, text(body, "externalIdFieldName")?) {
        (Operation::Upsert, None | Some("")) => {
            let message =
                format!("External ID was blank for {object_name}. An External ID must be specified for upsert.");
            return Err(Problem::bad("INVALIDJOB", message));
        }
        (Operation::Upsert, Some(key)) => {
            let key = upsert::key(state, object, key).map_err(|_| {
                let message = format!("Field name provided, {key} does not match an External ID, Salesforce Id, or indexed field for {object_name}");
                Problem::bad("INVALIDJOB", message)
            })?;
            Some(state.org.objects[object].fields[key].name.clone())
        }
        _ => None,
    };
    Ok(Order {
        operation,
        object: object_name,
        key,
        soql: String::new(),
        line_ending: line_ending(body)?,
        delimiter: delimiter(body)?,
        version: visit.version.to_owned(),
        creator: (visit.author.name.clone(), visit.author.id),
    })
}

/// Refuses members that nobody reads.
pub(super) fn allow(body: &Map<String, Value>, known: &[&str]) -> Result<(), Problem> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Problem::not_simulated(format!("member `{name}`"))),
        None => Ok(()),
    }
}

/// A text of the body; null counts as left out.
pub(super) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let message =
                format!("Cannot deserialize '{name}': expected a text but found {other} at [line:1, column:1]");
            Err(Problem::bad("JSON_PARSER_ERROR", message))
        }
    }
}

/// How lines end: `LF` unless the body says otherwise. The content must be CSV.
pub(super) fn line_ending(body: &Map<String, Value>) -> Result<LineEnding, Problem> {
    if let Some(other) = text(body, "contentType")?.filter(|kind| !kind.eq_ignore_ascii_case("CSV")) {
        return Err(Problem::bad(
            "INVALIDJOB",
            format!("Invalid contentType: '{other}', must be CSV"),
        ));
    }
    match text(body, "lineEnding")? {
        None | Some("LF") => Ok(LineEnding::Lf),
        Some("CRLF") => Ok(LineEnding::Crlf),
        Some(other) => Err(Problem::bad(
            "INVALIDJOB",
            format!("Invalid lineEnding: '{other}', must be LF or CRLF"),
        )),
    }
}

/// What parts cells: a comma unless the body says otherwise.
pub(super) fn delimiter(body: &Map<String, Value>) -> Result<(&'static str, u8), Problem> {
    let Some(name) = text(body, "columnDelimiter")? else {
        return Ok(DELIMITERS[0]);
    };
    let found = DELIMITERS.into_iter().find(|(known, _)| *known == name);
    found.ok_or_else(|| Problem::bad("INVALIDJOB", format!("Invalid columnDelimiter: '{name}'")))
}

fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// What every answer about a job tells.
fn short(job: &Job, why: &str) -> Value {
    let order = &job.order;
    let kind = if order.operation.reads() { "query" } else { "ingest" };
    let version: f64 = order.version.trim_start_matches('v').parse().unwrap_or_default();
    let mut printed = json!({
        "id": job.id.to_string(), "operation": order.operation.name(), "object": order.object,
        "createdById": order.creator.1.to_string(), "createdDate": moment(job.created),
        "systemModstamp": moment(job.modified), "state": job.phase.name(), "concurrencyMode": "Parallel",
        "contentType": "CSV", "apiVersion": version,
    });
    if let Some(key) = &order.key {
        printed["externalIdFieldName"] = json!(key);
    }
    if kind == "ingest" && why == "new" {
        printed["contentUrl"] = json!(format!(
            "services/data/{}/jobs/ingest/{}/batches",
            order.version, job.id
        ));
    }
    if why == "v2" {
        printed["jobType"] = json!(if kind == "query" { "V2Query" } else { "V2Ingest" });
    }
    printed["lineEnding"] = json!(order.line_ending.name());
    printed["columnDelimiter"] = json!(order.delimiter.0);
    printed
}

/// What a look at one job tells beyond that.
fn long(job: &Job, takes: i128) -> Value {
    let mut printed = short(job, "v2");
    let rows = |sheet: &Sheet| sheet.len().saturating_sub(1);
    let spent = if job.phase == Phase::JobComplete {
        i64::try_from(takes).unwrap_or_default()
    } else {
        0
    };
    printed["retries"] = json!(0);
    printed["totalProcessingTime"] = json!(spent);
    if job.order.operation.reads() {
        printed["numberRecordsProcessed"] = json!(rows(&job.successful));
        return printed;
    }
    printed["apiActiveProcessingTime"] = json!(spent);
    printed["apexProcessingTime"] = json!(0);
    printed["numberRecordsProcessed"] = json!(rows(&job.successful) + rows(&job.failed));
    printed["numberRecordsFailed"] = json!(rows(&job.failed));
    if let Some(error) = &job.error {
        printed["errorMessage"] = json!(error);
    }
    printed
}
