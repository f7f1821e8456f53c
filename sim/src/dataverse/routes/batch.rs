//! Carrying out a batch: one operation after the other, change sets whole or not at all (dataverse.md section 2.7).
//!
//! It reads and prints no multipart text.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;

use super::super::Dataverse;
use super::super::address::{api_path, escaped};
use super::super::answer::Answer;
use super::super::batch::{self, Item, Operation, Printer};
use super::super::environment::{Caller, State};
use super::super::error::Fault;
use super::super::guid::Guid;
use super::super::headers;
use super::super::lapse::Lapse;
use super::Call;

/// The largest answer that is put together. Assumed: the facts name no limit.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// What `$1` stands for, by `Content-ID`: the URLs of the rows that a change set wrote so far.
type Written = BTreeMap<String, String>;

/// Who carries out the operations of one batch.
struct Run<'a> {
    dataverse: &'a Dataverse,
    state: &'a mut State,
    caller: &'a Caller,
    base: &'a str,
    version: &'a str,
}

impl Call<'_> {
    /// `POST $batch`. Without `odata.continue-on-error` the first failure is the whole answer, and what stands behind it
    /// is not carried out; what stood before it stays.
    pub(super) fn batch(&self, dataverse: &Dataverse, state: &mut State, caller: &Caller) -> Result<Answer, Fault> {
        let content_type = self.parts.headers.get("content-type");
        let items = batch::read(content_type.and_then(|value| value.to_str().ok()), self.body)?;
        if let Some(limits) = dataverse.0.settings.protection.filter(|_| !caller.at_screen) {
            let operations = items.iter().map(Item::operations).sum();
            let now = dataverse.0.ground.clock.now();
            state.meter.add_operations(limits, caller.id, operations, now);
        }
        if has_bare_line_feeds(self.body) {
            state.lapses.push(Lapse::BareLineFeeds);
        }
        let goes_on = headers::preferences(&self.parts.headers)?.continue_on_error;
        let mut printer = Printer::batch(Guid::draw(&mut state.requests));
        let (base, version) = self.base_and_version();
        let mut run = Run {
            dataverse,
            state,
            caller,
            base,
            version,
        };
        let mut status = StatusCode::OK;
        for item in &items {
            let before = printer.len();
            let well = match item {
                Item::One(operation) => run.one(operation, &mut printer)?,
                Item::ChangeSet(set) => run.change_set(set, &mut printer)?,
            };
            if printer.len() > MAX_ANSWER {
                return Err(Fault::NotSimulated(
                    "an answer to a batch of more than 256 MiB".to_owned(),
                ));
            }
            if !well && !goes_on {
                printer.drop_before(before);
                status = StatusCode::BAD_REQUEST;
                break;
            }
        }
        let content_type = printer.content_type();
        Ok(Answer::multipart(status, content_type, printer.finished()))
    }

    /// `https://org` and `v9.2` of the root.
    fn base_and_version(&self) -> (&str, &str) {
        let (base, rest) = self.root.split_once("/api/data/").unwrap_or((self.root, ""));
        (base, rest.trim_end_matches('/'))
    }
}

impl Run<'_> {
    /// A request that stands for itself. Whether it was carried out.
    fn one(&mut self, operation: &Operation, printer: &mut Printer) -> Result<bool, Fault> {
        let answer = self.carry_out(operation, &Written::new())?;
        let id = Guid::draw(&mut self.state.requests);
        printer.answer(&answer, None, id);
        Ok(answer.is_success())
    }

    /// All of a change set, or nothing and one error.
    fn change_set(&mut self, set: &[Operation], printer: &mut Printer) -> Result<bool, Fault> {
        let mark = self.state.mark();
        let mut inner = Printer::change_set(Guid::draw(&mut self.state.requests));
        let mut written = Written::new();
        let mut well = true;
        for operation in set {
            let answer = self.carry_out(operation, &written)?;
            if !answer.is_success() {
                self.state.roll_back(mark);
                inner.clear();
                well = false;
            }
            let id = Guid::draw(&mut self.state.requests);
            inner.answer(&answer, operation.content_id.as_deref(), id);
            if !well {
                break;
            }
            if let (Some(id), Some(row)) = (&operation.content_id, answer.row()) {
                written.insert(id.clone(), row.to_owned());
            }
        }
        printer.nested(inner);
        Ok(well)
    }

    /// The answer to one operation. What is not simulated ends the whole batch, so that no half of it passes unseen; so
    /// does a `$1` that nothing declared (documented).
    fn carry_out(&mut self, operation: &Operation, written: &Written) -> Result<Answer, Fault> {
        let mark = self.state.mark();
        let request = self.request(operation, written)?;
        let (parts, body) = request.into_parts();
        let Some((version, rest)) = api_path(&parts.uri) else {
            return Err(Fault::NotSimulated(format!("`{}` inside a batch", operation.url)));
        };
        if rest == "$batch" {
            // Assumed text: that a batch holds no other batch is documented.
            let text = "Microsoft.OData.ODataException: A batch request cannot contain another batch request.";
            return Err(Fault::Batch(text.to_owned()));
        }
        let root = format!("{}/api/data/{version}/", self.base);
        let call = Call {
            parts: &parts,
            root: &root,
            body: &body,
            in_batch: true,
        };
        match call.carry_out(self.dataverse, self.state, self.caller, rest) {
            Ok(answer) => Ok(answer),
            Err(fault @ Fault::NotSimulated(_)) => Err(fault),
            Err(fault) => {
                self.state.roll_back(mark);
                Ok(Answer::fault(&fault))
            }
        }
    }

    /// The operation as a request of its own.
    fn request(&mut self, operation: &Operation, written: &Written) -> Result<Request<Bytes>, Fault> {
        let path = self.path(&operation.url, written)?;
        let mut request = Request::new(resolved(&operation.body, written)?);
        *request.method_mut() = operation.method.clone();
        *request.uri_mut() = escaped(&path).parse().map_err(|_| Fault::UrlTooLong)?;
        *request.headers_mut() = operation.headers.clone();
        Ok(request)
    }

    /// Path and query. Assumed: the host of an absolute URL is not looked at. `https:/host/…` with one slash, as two
    /// clients send it, is understood (dataverse.md section 2.7).
    fn path(&mut self, url: &str, written: &Written) -> Result<String, Fault> {
        let end = url.find(['/', '?']).unwrap_or(url.len());
        if url.starts_with('$') && !matches!(&url[..end], "$metadata" | "$batch") {
            let row = referred(&url[..end], written)?;
            return Ok(format!("{}{}", self.path(row, written)?, &url[end..]));
        }
        let absolute = ["https:", "http:"].iter().find_map(|scheme| url.strip_prefix(scheme));
        if let Some(rest) = absolute {
            if !rest.starts_with("//") {
                self.state.lapses.push(Lapse::SingleSlash);
            }
            let rest = rest.trim_start_matches('/');
            return Ok(rest.find('/').map_or("/", |slash| &rest[slash..]).to_owned());
        }
        if url.starts_with('/') {
            return Ok(url.to_owned());
        }
        Ok(format!("/api/data/{}/{url}", self.version))
    }
}

/// Whether a line of the batch ends in LF alone.
fn has_bare_line_feeds(body: &[u8]) -> bool {
    let ends = body.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at).any(|at| at == 0 || body[at - 1] != b'\r')
}

/// The URL behind `$1`.
fn referred<'w>(reference: &str, written: &'w Written) -> Result<&'w str, Fault> {
    let row = written.get(reference.trim_start_matches('$'));
    row.map(String::as_str)
        .ok_or_else(|| Fault::ContentId(reference.to_owned()))
}

/// A body in which `"$1"` stands no longer for a row.
fn resolved(body: &Bytes, written: &Written) -> Result<Bytes, Fault> {
    let holds = body.windows(2).any(|pair| pair == b"\"$");
    let Some(mut value) = holds.then(|| serde_json::from_slice::<Value>(body).ok()).flatten() else {
        return Ok(body.clone());
    };
    resolve(&mut value, written)?;
    Ok(Bytes::from(value.to_string()))
}

fn resolve(value: &mut Value, written: &Written) -> Result<(), Fault> {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let refers = name.ends_with("@odata.bind") || name == "@odata.id";
                match value {
                    Value::String(text) if refers => replace(text, written)?,
                    Value::Array(texts) if refers => {
                        for text in texts {
                            if let Value::String(text) = text {
                                replace(text, written)?;
                            }
                        }
                    }
                    nested @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_)) => resolve(nested, written)?,
                }
            }
            Ok(())
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| resolve(value, written)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn replace(text: &mut String, written: &Written) -> Result<(), Fault> {
    if text.starts_with('$') {
        *text = referred(text, written)?.to_owned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_where_rows_are_named_and_nowhere_else() {
        let written = Written::from([("1".to_owned(), "https://x/api/data/v9.2/accounts(a)".to_owned())]);
        let body =
            Bytes::from(r#"{"name":"$1","a@odata.bind":"$1","b":[{"c@odata.bind":["$1","/x(1)"]}],"@odata.id":"$1"}"#);
        let out = String::from_utf8(resolved(&body, &written).unwrap().to_vec()).unwrap();
        let row = "\"https://x/api/data/v9.2/accounts(a)\"";
        assert_eq!(
            out,
            format!(
                r#"{{"name":"$1","a@odata.bind":{row},"b":[{{"c@odata.bind":[{row},"/x(1)"]}}],"@odata.id":{row}}}"#
            )
        );
        let undeclared = Bytes::from(r#"{"a@odata.bind":"$2"}"#);
        assert_eq!(resolved(&undeclared, &written), Err(Fault::ContentId("$2".to_owned())));
    }
}
