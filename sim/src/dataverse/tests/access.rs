//! Who may call, what is refused, and how bad requests are answered.

use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{API, Org, Reply};
use crate::happening::Happening;
use crate::identity::DATAVERSE_AUDIENCE;
use crate::seed::Seed;

#[test]
fn without_a_valid_token_the_answer_is_an_empty_401_that_says_where_to_sign_in() {
    let org = Org::new();
    let expired = org.token.clone();
    for headers in [
        &[][..],
        &[("authorization", "Bearer nonsense")],
        &[("authorization", "Basic eDp5")],
    ] {
        let reply = org.raw("GET", &format!("{API}accounts"), headers, "");
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::UNAUTHORIZED, ""));
        assert!(
            reply
                .header("www-authenticate")
                .contains("/oauth2/authorize, resource_id=https://contoso.crm.dynamics.com/")
        );
    }
    let token = org
        .ground
        .authority
        .issue("partner", DATAVERSE_AUDIENCE, SignedDuration::from_hours(1), false, "")
        .unwrap();
    let stranger = org.raw(
        "GET",
        &format!("{API}WhoAmI"),
        &[("authorization", &format!("Bearer {token}"))],
        "",
    );
    assert_eq!(stranger.fault(), (403, "0x80072560".into()));
    org.later(48 * 3_600);
    let late = org.raw(
        "GET",
        &format!("{API}WhoAmI"),
        &[("authorization", &format!("Bearer {expired}"))],
        "",
    );
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn who_am_i_tells_the_same_user_every_time_and_the_hint_header() {
    let org = Org::new();
    let reply = org.get("WhoAmI");
    assert_eq!(reply.header("x-ms-dop-hint"), "4");
    assert_eq!(reply.json()["UserId"], org.get("WhoAmI()").json()["UserId"]);
    let account = org.made("accounts", &json!({"name": "a"}));
    assert_eq!(org.get(&account).json()["_createdby_value"], reply.json()["UserId"]);
    assert_eq!(org.post("WhoAmI", &json!({})).fault(), (404, String::new()));
    assert_eq!(org.get("").json()["value"][0]["name"], "accounts");
}

#[test]
fn bad_requests_get_the_vendors_error() {
    let org = Org::new();
    let bearer = format!("Bearer {}", org.token);
    let raw = |kind: &str, body: &str| {
        org.raw(
            "POST",
            &format!("{API}accounts"),
            &[("authorization", &bearer), ("content-type", kind)],
            body,
        )
        .fault()
    };
    for body in ["", "{", "[]", "\"x\"", "{\"name\":}", &"[".repeat(100_000)] {
        assert_eq!(raw("application/json", body), (400, "0x80048d19".into()));
    }
    assert_eq!(raw("text/plain", "{}").0, 415);
    assert_eq!(raw("application/json", &" ".repeat(2 * 1024 * 1024)).0, 413);
    assert_eq!(org.get("account").fault(), (404, "0x80060888".into()));
    assert_eq!(org.get("accounts(1)").fault(), (400, "0x80060888".into()));
    assert_eq!(org.get("accounts?$select=Name").fault(), (400, "0x80060888".into()));
    assert_eq!(
        org.get("accounts?$filter=name%20eqq%20'x'").fault(),
        (400, "0x80060888".into())
    );
    assert_eq!(org.get("accounts?$orderby=nosuch").fault(), (400, "0x80060888".into()));
    assert_eq!(org.get("accounts?$top=-1").fault(), (400, "0x80060888".into()));
    assert_eq!(org.get("accounts?$skip=1").fault(), (400, "0x80060888".into()));
    assert_eq!(org.get("accounts?$skiptoken=2").fault(), (400, "0x80040203".into()));
    assert_eq!(
        org.get(&format!("accounts?$filter={}", "(".repeat(10_000))).fault(),
        (400, "0x80060888".into())
    );
    assert_eq!(
        org.get(&format!("accounts?$filter={}", "x".repeat(40_000))).status,
        StatusCode::URI_TOO_LONG
    );
    assert_eq!(org.patch("accounts", &json!({})).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn what_is_not_simulated_is_refused_by_name_and_noted() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a"}));
    org.ground.happenings.drain();
    let missing = |reply: Reply| {
        assert_eq!(reply.status, StatusCode::NOT_IMPLEMENTED, "{}", reply.text);
        reply.json()["notSimulated"]["missing"].as_str().unwrap().to_owned()
    };
    assert_eq!(missing(org.get("accounts?$expand=*")), "`*` in `$expand`");
    assert_eq!(missing(org.get("accounts?sql=SELECT%20name")), "query option `sql`");
    assert_eq!(missing(org.get("campaigns")), "resource `campaigns`");
    assert_eq!(
        missing(org.get("EntityDefinitions?$top=1")),
        "query option `$top` on a single row"
    );
    assert_eq!(
        missing(org.patch(&account, &json!({"primarycontactid": {"lastname": "x"}}))),
        "other rows in the body of an update"
    );
    assert_eq!(
        missing(org.post("organizations", &json!({}))),
        "writing to `organizations`"
    );
    assert_eq!(
        missing(org.send(&Method::GET, "accounts", &[("prefer", "respond-async")], &Value::Null)),
        "preference `respond-async`"
    );
    assert_eq!(
        missing(org.send(&Method::GET, "accounts", &[("mscrm.nosuch", "x")], &Value::Null)),
        "header `mscrm.nosuch: x`"
    );
    assert_eq!(missing(org.raw("GET", "/elsewhere", &[], "")), "route `/elsewhere`");
    let refusals = org.ground.happenings.drain();
    assert_eq!(refusals.len(), 9);
    assert!(
        refusals
            .iter()
            .all(|happening| matches!(happening, Happening::Refused(_)))
    );
}

#[test]
fn two_environments_with_one_seed_answer_byte_for_byte_alike() {
    let run = || {
        let org = Org::new();
        let account = org.made("accounts", &json!({"name": "a"}));
        org.made(
            "opportunities",
            &json!({"name": "b", "customerid_account@odata.bind": format!("/{account}")}),
        );
        let reply = org.get("opportunities");
        (
            reply.text.clone(),
            reply.header("req_id").to_owned(),
            format!("{:?}", org.dataverse.rows()),
        )
    };
    assert_eq!(run(), run());
}

/// Pieces that requests are made of.
const PIECES: [&str; 50] = [
    "accounts",
    "opportunities",
    "(",
    ")",
    "/",
    "?",
    "$filter=",
    "&",
    "$select=",
    "$skiptoken=",
    "$orderby=",
    "$expand=",
    "$apply=",
    "$deltatoken=",
    "fetchXml=",
    "$metadata",
    "EntityDefinitions",
    "(LogicalName='account')",
    "/Attributes",
    "/$count",
    "/$ref",
    "primarycontactid",
    "Account_Tasks",
    "/any(o:o/",
    "groupby((",
    "aggregate(",
    "Microsoft.Dynamics.CRM.",
    "%3Cfetch%3E%3Centity%20name=%27account%27/%3E%3C/fetch%3E",
    "1!01/05/2026%2009:00:00",
    "RetrieveTotalRecordCount(",
    "@p1",
    "%",
    "%C3",
    "%27",
    "+",
    "name",
    "=",
    ",",
    "'",
    "%3Ccookie%20pagenumber=%222%22",
    "%20pagingcookie=%22%253c",
    "%22/%3E",
    "$top=",
    "99999999999999999999",
    "01234567-89ab-4def-8000-00000000abcd",
    "WhoAmI",
    "eq%20",
    "desc",
    "*",
    "$count=true",
];

#[test]
fn noise_never_panics_and_never_stores() {
    let org = Org::new();
    let mut chance = Seed(21).stream("noise");
    let methods = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::PUT,
        Method::HEAD,
    ];
    for _ in 0..5_000 {
        let count = chance.between(0, 8);
        let mut pick = |length: usize| usize::try_from(chance.between(1, length as u64)).unwrap_or(1) - 1;
        let path: String = (0..count).map(|_| PIECES[pick(PIECES.len())]).collect();
        let method = &methods[pick(methods.len())];
        let reply = org.send(method, &path, &[], &json!({"name": {"a": []}}));
        assert!(
            reply.status.as_u16() < 502 && reply.status != StatusCode::INTERNAL_SERVER_ERROR,
            "{method} {path}"
        );
    }
    assert!(org.commits().is_empty());
}
