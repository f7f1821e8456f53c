//! `undelete()` of the SOAP API: `POST /services/Soap/u/60.0`. REST has no call for it.
//!
//! Source: SOAP developer guide, `undelete()` and `UndeleteResult`; the session's fault is that of salesforce.md section 1.4. What
//! comes back stands in `fall`.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::error::{Complaint, Problem};
use super::fall;
use super::id::Id;
use super::oauth::soap::{element, escaped, next_element, number, unescaped, xml};
use super::state::State;
use super::visit::{Answer, Call};
use crate::identity::SALESFORCE_AUDIENCE;

/// The most identifiers of one call: as for every call that writes.
const MOST: usize = 200;

/// Whether a SOAP request is this call.
pub(crate) fn is_asked(call: &Call<'_>) -> bool {
    call.method == Method::POST && element(&String::from_utf8_lossy(call.body), "undelete").is_some()
}

/// Answers the call, with a result for each identifier.
pub(crate) fn call(state: &mut State, call: &Call<'_>, version: &str) -> Answer {
    let number = number(version).ok_or_else(Problem::not_found)?;
    let text = String::from_utf8_lossy(call.body);
    let session = element(&text, "sessionId").map(unescaped).unwrap_or_default();
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {}", session.trim())) {
        headers.insert(header::AUTHORIZATION, value);
    }
    let Ok(grant) = state.ground.authority.check(&headers, SALESFORCE_AUDIENCE) else {
        let words = "Invalid Session ID found in SessionHeader: Illegal Session";
        return Ok(fault("INVALID_SESSION_ID", words));
    };
    let author = state.author(&grant.user.name);
    let client = element(&text, "CallOptions").and_then(|options| element(options, "client"));
    let client = client.map(|client| format!(";client={}", unescaped(client)));
    state.transaction.origin = format!("com/salesforce/api/soap/{number}.0{}", client.unwrap_or_default());
    let mut rest = element(&text, "undelete").unwrap_or_default();
    let mut ids = Vec::new();
    while let Some((id, after)) = next_element(rest, "ids") {
        ids.push(unescaped(id.trim()));
        rest = after;
    }
    if ids.len() > MOST {
        // Assumed: the words.
        let words = format!("record limit reached. cannot submit more than {MOST} records into this call");
        return Ok(fault("EXCEEDED_ID_LIMIT", &words));
    }
    let all_or_none = element(&text, "allOrNone").is_some_and(|all| all.trim() == "true");
    let start = state.transaction.mark();
    let mut results = Vec::with_capacity(ids.len());
    for id in &ids {
        let mark = state.transaction.mark();
        let done = match Id::parse(id) {
            Some(id) => fall::undelete(state, &author, id).map(|()| id),
            None => Err(Problem::write("MALFORMED_ID", format!("bad id {id}"), &[])),
        };
        match done {
            Ok(id) => results.push(Ok(id)),
            Err(Problem::Refused { complaints, .. }) => {
                state.roll_back(mark);
                results.push(Err(complaints));
            }
            Err(missing @ Problem::NotSimulated(_)) => return Err(missing),
        }
    }
    if all_or_none && results.iter().any(Result::is_err) {
        state.roll_back(start);
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            *result = Err(vec![Complaint::rolled_back()]);
        }
    }
    let shown: String = results.iter().map(shown).collect();
    Ok(xml(
        StatusCode::OK,
        &format!("<undeleteResponse>{shown}</undeleteResponse>"),
    ))
}

/// A refusal of the whole call as a fault.
pub(crate) fn refused(problem: &Problem) -> Response {
    match problem {
        Problem::Refused { complaints, .. } => {
            let first = complaints.first();
            fault(
                first.map_or("UNKNOWN_EXCEPTION", |complaint| complaint.code),
                first.map_or("", |complaint| &complaint.message),
            )
        }
        Problem::NotSimulated(missing) => fault("UNKNOWN_EXCEPTION", missing),
    }
}

fn fault(code: &str, words: &str) -> Response {
    let words = escaped(words);
    let body = format!(
        "<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {words}</faultstring><detail>\
         <sf:UnexpectedErrorFault xsi:type=\"sf:UnexpectedErrorFault\"><sf:exceptionCode>{code}</sf:exceptionCode>\
         <sf:exceptionMessage>{words}</sf:exceptionMessage></sf:UnexpectedErrorFault></detail></soapenv:Fault>"
    );
    xml(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// One `UndeleteResult`.
fn shown(result: &Result<Id, Vec<Complaint>>) -> String {
    match result {
        Ok(id) => format!("<result><id>{id}</id><success>true</success></result>"),
        Err(complaints) => {
            let errors = complaints.iter().map(|complaint| {
                let message = escaped(&complaint.message);
                let code = complaint.code;
                format!("<errors><message>{message}</message><statusCode>{code}</statusCode></errors>")
            });
            let errors: String = errors.collect();
            format!("<result>{errors}<id xsi:nil=\"true\"/><success>false</success></result>")
        }
    }
}
