//! From a request to an answer: paths, versions, sessions, headers.
//!
//! Paths are matched on raw segments, with or without a slash at the end: clients differ (salesforce.md section 0, fact 5).

use std::fmt::Write as _;

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::beyond::named;
use super::bulk::{jobs, work};
use super::composite::part::Routes;
use super::composite::{batch, collections, series, tree};
use super::error::{JSON, Problem, refusal};
use super::queries::Steady;
use super::state::State;
use super::stream::talk;
use super::transaction::Mark;
use super::visit::{Answer, Call, METHOD_OVERRIDE, Visit, written};
use super::{convert, describe, form, limits, notes, oauth, queries, recent, records, replication, undelete, upsert};
use crate::identity::{Grant, SALESFORCE_AUDIENCE};
use crate::memo::Asked;
use crate::reply::{json_reply, refuse};
use crate::site::Site;

const LIMIT_INFO: HeaderName = HeaderName::from_static("sforce-limit-info");
/// The oldest and newest API version that is simulated.
const VERSIONS: std::ops::RangeInclusive<u32> = 44..=68;
/// The newest version that has been retired (salesforce.md section 1.4).
const RETIRED: u32 = 30;
/// The longest URI, in bytes (salesforce.md section 2.3).
const MAX_URI: usize = 16_384;

/// How a request made of parts has them answered.
pub(crate) const PARTS: Routes = Routes {
    check_version,
    resource,
    count: count_request,
};

/// Answers one request. `HEAD` is `GET` without the body; a `POST` may say that it is meant as another method.
pub(crate) fn answer(state: &mut State, call: &Call<'_>) -> Response {
    let meant = match *call.method {
        Method::HEAD => Some(Method::GET),
        Method::POST => meant_method(call.uri.query().unwrap_or_default()),
        _ => None,
    };
    let Some(method) = meant else {
        return answer_as_written(state, call);
    };
    let mut response = answer_as_written(
        state,
        &Call {
            method: &method,
            ..*call
        },
    );
    if call.method == Method::HEAD {
        *response.body_mut() = axum::body::Body::empty();
    }
    response
}

/// The answer to a read that was given before, while nothing has changed: the same as [`answer`] gives, and without the way
/// there. None where the request has to be looked at, and then nothing has happened.
pub(crate) fn known(state: &mut State, call: &Call<'_>) -> Option<http::Response<Bytes>> {
    if call.method != Method::GET || work::next_due(state).is_some() {
        return None;
    }
    let grant = state.ground.authority.check(call.headers, SALESFORCE_AUDIENCE).ok()?;
    let body = state.memo.get(asked(call, &grant), state.revision())?;
    check_api(state, &grant.user.name).ok()?;
    count_request(state).ok()?;
    let mut response = http::Response::new(body);
    let headers = response.headers_mut();
    // With room for the length that whoever carries it adds.
    headers.reserve(3);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(LIMIT_INFO, usage(state)?);
    Some(response)
}

/// What an answer of the REST API may depend on. It names no host.
fn asked<'a>(call: &Call<'a>, grant: &'a Grant) -> Asked<'a> {
    Asked {
        target: call.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str),
        headers: call.headers,
        user: &grant.user,
        base: "",
    }
}

fn meant_method(query: &str) -> Option<Method> {
    let pairs = form::pairs(query)?;
    let method = form::value(&pairs, METHOD_OVERRIDE)?.to_ascii_uppercase();
    Method::from_bytes(method.as_bytes()).ok()
}

fn answer_as_written(state: &mut State, call: &Call<'_>) -> Response {
    let path: Vec<&str> = call
        .uri
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    work::run_due(state, PARTS);
    let answer = match path.as_slice() {
        _ if length(call.uri) > MAX_URI => too_long(),
        ["services", "oauth2", "token"] if call.method == Method::POST => {
            Ok(oauth::token(state, call.headers, call.body))
        }
        ["services", "oauth2", "authorize"] if call.method == Method::GET => oauth::code::authorize(state, call),
        ["services", "oauth2", "userinfo"] => Ok(oauth::session::userinfo(state, call)),
        ["services", "oauth2", "introspect"] if call.method == Method::POST => {
            Ok(oauth::session::introspect(state, call))
        }
        ["services", "oauth2", "revoke"] => Ok(oauth::session::revoke(state, call)),
        ["services", "Soap", "u" | "c", version, ..] => soap(state, call, version),
        ["id", organization, user] => Ok(oauth::session::identity(state, call, organization, user)),
        ["cometd", version, ..] => talk::talk(state, call, version),
        ["services", "data"] if call.method == Method::GET => Ok(versions()),
        ["services", "data", version, rest @ ..] => {
            let answer = rest_api(state, call, version, rest);
            let response = respond(state, call, answer);
            return with_usage(state, response);
        }
        path => Err(Problem::not_simulated(named(path))),
    };
    respond(state, call, answer)
}

/// The answer as a response. A refused request leaves nothing behind, however far it came.
fn respond(state: &mut State, call: &Call<'_>, answer: Answer) -> Response {
    if answer.is_err() {
        state.roll_back(Mark::default());
    }
    match answer {
        Ok(response) => response,
        Err(Problem::Refused { status, complaints }) => refusal(status, &complaints),
        Err(Problem::NotSimulated(missing)) => {
            let happenings = &state.ground.happenings;
            refuse(happenings, Site::Salesforce, call.method, call.uri, &missing)
        }
    }
}

/// `Sforce-Limit-Info` is on every answer of the REST API (salesforce.md section 2.8).
fn with_usage(state: &State, mut response: Response) -> Response {
    response
        .headers_mut()
        .extend(usage(state).map(|value| (LIMIT_INFO, value)));
    response
}

fn usage(state: &State) -> Option<HeaderValue> {
    let mut text = String::with_capacity("api-usage=1000000/1000000".len());
    // Writing into memory does not fail.
    let _done = write!(text, "api-usage={}/{}", state.usage.used, state.settings.daily_requests);
    HeaderValue::try_from(text).ok()
}

/// How long a URI is in print.
fn length(uri: &http::Uri) -> usize {
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    let query = uri.query().map_or(0, |query| query.len() + "?".len());
    scheme + authority + uri.path().len() + query
}

/// Assumed: code and message; the status is documented.
fn too_long() -> Answer {
    let message = format!("The length of the URI exceeds the {MAX_URI} byte limit");
    Err(Problem::new(StatusCode::URI_TOO_LONG, "URI_TOO_LONG", message))
}

/// `GET /services/data`: oldest first, without a session (salesforce.md section 2.1).
fn versions() -> Response {
    let list = VERSIONS.map(|version| {
        let season = ["Spring", "Summer", "Winter"][usize::try_from(version % 3).unwrap_or_default()];
        let label = format!("{season} '{}", (version + 1) / 3 + 4);
        json!({"label": label, "url": format!("/services/data/v{version}.0"), "version": format!("{version}.0")})
    });
    json_reply(StatusCode::OK, JSON, &Value::Array(list.collect()))
}

fn rest_api(state: &mut State, call: &Call<'_>, version: &str, path: &[&str]) -> Answer {
    check_version(version)?;
    let grant = state.ground.authority.check(call.headers, SALESFORCE_AUDIENCE);
    let Ok(grant) = grant else {
        let (code, message) = ("INVALID_SESSION_ID", "Session expired or invalid");
        return Err(Problem::new(StatusCode::UNAUTHORIZED, code, message));
    };
    check_api(state, &grant.user.name)?;
    count_request(state)?;
    let asked = asked(call, &grant);
    if call.method == Method::GET
        && let Some(body) = state.memo.get(asked, state.revision())
    {
        return Ok(written(body));
    }
    refuse_xml(call.headers)?;
    let author = state.author(&grant.user.name);
    state.transaction.origin = origin(call, version);
    let visit = Visit::new(call, version, author)?;
    let mut response = resource(state, &visit, path)?;
    if let Some(Steady(body)) = response.extensions_mut().remove() {
        let revision = state.revision();
        state.memo.keep(asked, revision, &body);
    }
    Ok(response)
}

/// One call of the SOAP API: `login()`, or `undelete()`, for which REST has nothing.
fn soap(state: &mut State, call: &Call<'_>, version: &str) -> Answer {
    if !undelete::is_asked(call) {
        return oauth::soap::call(state, call, version);
    }
    match count_request(state) {
        Ok(()) => undelete::call(state, call, version),
        Err(problem) => Ok(undelete::refused(&problem)),
    }
}

/// Which API a request uses, and which client it names in `Sforce-Call-Options` (salesforce.md section 5.2).
fn origin(call: &Call<'_>, version: &str) -> String {
    let options = call
        .headers
        .get("sforce-call-options")
        .and_then(|value| value.to_str().ok());
    let mut options = options.unwrap_or_default().split(',');
    let client = options.find_map(|option| option.trim().strip_prefix("client="));
    let api = format!("com/salesforce/api/rest/{}", version.trim_start_matches('v'));
    client.map_or_else(|| api.clone(), |client| format!("{api};client={client}"))
}

/// Answers what stands below a version, for a request of its own and for a part of a composite one.
fn resource(state: &mut State, visit: &Visit<'_>, path: &[&str]) -> Answer {
    match path {
        [] => describe::resources(state, visit),
        ["limits"] => limits::limits(state, visit),
        ["limits", "recordCount"] => limits::record_count(state, visit),
        ["recent"] => recent::list(state, visit),
        ["sobjects"] => describe::global(state, visit),
        ["sobjects", name, "describe"] => describe::whole(state, visit, name),
        ["sobjects", name] => records::collection(state, visit, name),
        ["sobjects", name, "Id" | "id"] => upsert::create_without_id(state, visit, name),
        ["sobjects", name, "updated"] => replication::updated(state, visit, name),
        ["sobjects", name, "deleted"] => replication::deleted(state, visit, name),
        ["sobjects", _, "listviews" | "quickActions", ..] => Err(Problem::not_simulated(named(path))),
        ["sobjects", name, id] => records::record(state, visit, name, id),
        ["sobjects", name, id, "Content"] => notes::content(state, visit, name, id),
        ["actions", "standard", "convertLead"] => convert::action(state, visit),
        ["sobjects", name, field, value] if *field != "describe" => {
            upsert::by_external_id(state, visit, name, field, value)
        }
        ["sobjects", name, field, _, _, ..] if *field != "describe" => upsert::beyond(state, name, field),
        ["composite"] => series::composite(state, visit, PARTS),
        ["composite", "batch"] => batch::batch(state, visit, PARTS),
        ["composite", "tree", name] => tree::tree(state, visit, name),
        ["composite", "sobjects"] => collections::many(state, visit),
        ["composite", "sobjects", name] => collections::read_many(state, visit, name),
        ["composite", "sobjects", name, field] => collections::upsert_many(state, visit, name, field),
        ["jobs", "ingest"] => jobs::all(state, visit, false, PARTS),
        ["jobs", "ingest", id] => jobs::one(state, visit, false, id),
        ["jobs", "ingest", id, "batches"] => jobs::upload(state, visit, id),
        ["jobs", "ingest", id, which] => jobs::results(state, visit, id, which),
        ["jobs", "query"] => jobs::all(state, visit, true, PARTS),
        ["jobs", "query", id] => jobs::one(state, visit, true, id),
        ["jobs", "query", id, "results"] => jobs::page(state, visit, id),
        ["query"] => queries::query(state, visit, false),
        ["queryAll"] => queries::query(state, visit, true),
        ["query" | "queryAll", locator] => queries::next_page(state, visit, locator),
        _ => Err(Problem::not_simulated(named(path))),
    }
}

/// Assumed: code and words for a user whose profile may not use the API.
fn check_api(state: &State, user: &str) -> Result<(), Problem> {
    if state.settings.api_disabled {
        let message = "The REST API is not enabled for this Organization.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "API_DISABLED_FOR_ORG", message));
    }
    if state.settings.api_disabled_users.contains(user) {
        let message = "API is currently disabled for this user.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "API_CURRENTLY_DISABLED", message));
    }
    Ok(())
}

/// Versions that the vendor retired are gone, versions to come are not there, and old ones that still work are not simulated.
///
/// Assumed: code and message of the 410.
fn check_version(version: &str) -> Result<(), Problem> {
    let number = version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(number) if VERSIONS.contains(&number) => Ok(()),
        Some(number) if (1..=RETIRED).contains(&number) => {
            let message = format!("API version {number}.0 has been retired");
            Err(Problem::new(StatusCode::GONE, "UNSUPPORTED_API_VERSION", message))
        }
        Some(number) if number < *VERSIONS.start() => Err(Problem::not_simulated(format!("API version {number}.0"))),
        Some(_) | None => Err(Problem::not_found()),
    }
}

/// Counts a call against the day's budget. Assumed: the day is that of UTC.
fn count_request(state: &mut State) -> Result<(), Problem> {
    let day = state.ground.clock.now().as_second().div_euclid(24 * 60 * 60);
    if state.usage.day != day {
        state.usage.day = day;
        state.usage.used = 0;
    }
    if state.usage.used >= state.settings.daily_requests {
        let (code, message) = ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
        return Err(Problem::new(StatusCode::FORBIDDEN, code, message));
    }
    state.usage.used += 1;
    Ok(())
}

fn refuse_xml(headers: &HeaderMap) -> Result<(), Problem> {
    for name in [header::ACCEPT, header::CONTENT_TYPE] {
        let xml = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.starts_with("application/xml"));
        if headers.get(&name).is_some_and(xml) {
            return Err(Problem::not_simulated(format!("header `{name}: application/xml`")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::identity::SALESFORCE_AUDIENCE;
    use crate::salesforce::Settings;
    use crate::salesforce::trial::Trial;

    #[test]
    fn a_session_that_is_missing_wrong_or_over_is_refused() {
        let mut trial = Trial::new();
        let expected = "[{\"message\":\"Session expired or invalid\",\"errorCode\":\"INVALID_SESSION_ID\"}]";
        let path = "/services/data/v60.0/query?q=SELECT+Id+FROM+Account";
        let stranger = http::Request::get(format!("https://contoso.my.salesforce.com{path}"));
        let reply = trial.raw(stranger.body(bytes::Bytes::new()).unwrap());
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (401, expected));
        assert_eq!(trial.send("GET", path, &Value::Null, &[]).status, 200);
        trial.ground.authority.revoke("connector", SALESFORCE_AUDIENCE);
        assert_eq!(trial.send("GET", path, &Value::Null, &[]).fault().0, 401);
        trial.sign_in("connector");
        trial.wait(24 * 60 * 60);
        assert_eq!(trial.send("GET", path, &Value::Null, &[]).fault().0, 401);
    }

    #[test]
    fn versions_are_listed_and_others_refused() {
        let trial = Trial::new();
        let list = trial.send("GET", "/services/data/", &Value::Null, &[]).json();
        assert_eq!(list.as_array().unwrap().len(), 25);
        let spring = list
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["version"] == "60.0")
            .unwrap();
        assert_eq!(
            (&spring["label"], &spring["url"]),
            (&"Spring '24".into(), &"/services/data/v60.0".into())
        );
        assert_eq!(list[24]["label"], "Winter '27");
        for (version, status) in [
            ("v44.0", 200),
            ("v68.0", 200),
            ("v69.0", 404),
            ("v30.0", 410),
            ("v43.0", 501),
            ("60", 404),
        ] {
            let path = format!("/services/data/{version}/query/?q=SELECT+Id+FROM+Account");
            assert_eq!(trial.send("GET", &path, &Value::Null, &[]).status, status, "{version}");
        }
    }

    #[test]
    fn unknown_routes_are_refused_by_name() {
        let trial = Trial::new();
        for (path, name) in [
            ("/", "route"),
            ("/services/async/60.0/job", "Bulk API 1.0"),
            ("/services/Soap/m/60.0", "Metadata API"),
            ("/services/apexrest/x", "Apex REST"),
            ("/services/data/v60.0/search?q=FIND+%7Bx%7D", "search (SOSL)"),
            ("/services/data/v60.0/parameterizedSearch/?q=x", "search (SOSL)"),
            ("/services/data/v60.0/composite/graph", "composite graph"),
            ("/services/data/v60.0/tabs", "tabs"),
            ("/services/data/v60.0/theme", "theme"),
            ("/services/data/v60.0/sobjects/Account/describe/layouts", "layouts"),
            (
                "/services/data/v60.0/sobjects/Account/describe/approvalLayouts/",
                "layouts",
            ),
            ("/services/data/v60.0/sobjects/Account/listviews", "list views"),
            ("/services/data/v60.0/sobjects/Account/quickActions", "quick actions"),
            ("/services/data/v60.0/tooling/query?q=x", "Tooling API"),
            ("/services/data/v60.0/chatter/users/me", "Connect API"),
            (
                "/services/data/v60.0/actions/custom/flow",
                "action other than `convertLead`",
            ),
            ("/services/data/v60.0/nothing", "route"),
        ] {
            let reply = trial.send("GET", path, &Value::Null, &[]);
            assert_eq!(reply.missing().as_deref(), Some(name), "{path}");
        }
    }

    #[test]
    fn head_is_get_without_a_body_and_a_post_may_mean_another_method() {
        let trial = Trial::new();
        let head = trial.send("HEAD", "/services/data/v60.0/limits", &Value::Null, &[]);
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
        let id = trial.deal("x", &serde_json::json!({}));
        let path = format!("/services/data/v60.0/sobjects/Opportunity/{id}?_HttpMethod=PATCH");
        let reply = trial.send("POST", &path, &serde_json::json!({"Name": "y"}), &[]);
        assert_eq!(reply.status, 204);
        assert_eq!(trial.read("Opportunity", &id)["Name"], "y");
    }

    #[test]
    fn the_daily_budget_ends_and_comes_back() {
        let mut trial = Trial::with(Settings {
            daily_requests: 2,
            ..Settings::default()
        });
        let path = "/query?q=SELECT+Id+FROM+Account";
        assert_eq!(trial.get(path).headers["sforce-limit-info"], "api-usage=1/2");
        assert_eq!(trial.get(path).status, 200);
        assert_eq!(trial.get(path).fault(), (403, "REQUEST_LIMIT_EXCEEDED".to_owned()));
        trial.wait(15 * 60 * 60);
        trial.sign_in("connector");
        assert_eq!(trial.get(path).status, 200);
    }

    #[test]
    fn two_orgs_of_one_seed_are_equal() {
        let rows = || {
            let trial = Trial::new();
            trial.deal("x", &serde_json::json!({"Amount": 5}));
            trial.org.rows()
        };
        assert_eq!(rows(), rows());
    }
}
