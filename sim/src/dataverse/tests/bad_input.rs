//! Bad input, one row each: the vendor's status and code, its words, and nothing stored.

use http::Method;
use serde_json::{Value, json};

use super::{API, NOBODY, Org, ROOT};

/// What is sent, and what must come back: status, code, a part of the message.
type Case = (Method, String, Value, u16, &'static str, &'static str);

fn get(path: &str, status: u16, code: &'static str, text: &'static str) -> Case {
    (Method::GET, path.to_owned(), Value::Null, status, code, text)
}

fn post(set: &str, body: Value, (status, code): (u16, &'static str), text: &'static str) -> Case {
    (Method::POST, set.to_owned(), body, status, code, text)
}

fn addresses() -> Vec<Case> {
    vec![
        get("accountz", 404, "0x80060888", "segment 'accountz'"),
        get("account", 404, "0x80060888", "segment 'account'"),
        get("Accounts", 404, "0x80060888", "segment 'Accounts'"),
        get("accounts(1)", 400, "0x80060888", "Error in query syntax"),
        get("accounts(00000000-0000)", 400, "0x80060888", "Error in query syntax"),
        get(&format!("accounts({NOBODY})"), 404, "0x80040217", "Does Not Exist"),
        get("accounts(name='a')", 400, "0x80060888", "The key in the request URI"),
        get("accounts(accountnumber='n')", 404, "0x80060891", "specified key values"),
    ]
}

fn options() -> Vec<Case> {
    let of = |option: &str, code, text| get(&format!("accounts?${option}"), 400, code, text);
    let deep = format!("filter={}name%20eq%20'x'{}", "(".repeat(10_000), ")".repeat(10_000));
    vec![
        of("select=nosuch", "0x80060888", "property named 'nosuch'"),
        of("filter=Name%20eq%20'x'", "0x80060888", "property named 'Name'"),
        of("filter=revenue%20eq%20'x'", "0x80060888", "incompatible types"),
        of("filter=createdon%20eq%202026-02-30", "0x80060888", "Syntax error"),
        of("filter=name%20eq%20'O'Brien'", "0x80060888", "Syntax error at position"),
        of(&deep, "0x80060888", "Recursion depth exceeded"),
        of("skip=1", "0x80060888", "Skip Clause is not supported"),
        of("top=-1", "0x80060888", "non-negative integer"),
        of("orderby=name%20sideways", "0x80060888", "Syntax error"),
        of("expand=nosuch", "0x80060888", "property named 'nosuch'"),
        of("skiptoken=x", "0x80040203", ""),
        get("roles?$deltatoken=1%21x", 400, "0x80072491", "is not enabled"),
        get("accounts?fetchXml=%3Cfetch", 400, "0x80040203", ""),
    ]
}

fn values() -> Vec<Case> {
    const PAYLOAD: (u16, &str) = (400, "0x80048d19");
    const QUERY: (u16, &str) = (400, "0x80060888");
    let account = |column: &str, value: Value, answer, text| post("accounts", json!({column: value}), answer, text);
    let deal = |column: &str, value: Value, answer, text| post("opportunities", json!({column: value}), answer, text);
    let bind = "primarycontactid@odata.bind";
    vec![
        post(
            "accountz",
            json!({"name": "bad"}),
            (404, "0x80060888"),
            "segment 'accountz'",
        ),
        account("nosuch", json!(1), PAYLOAD, "nosuch"),
        account("revenue", json!("12"), PAYLOAD, "InnerException"),
        account("name", json!(5), PAYLOAD, "InnerException"),
        account("name", json!("x".repeat(161)), (400, "0x80044331"), "length of '160'"),
        account("accountid", json!("no guid"), PAYLOAD, "InnerException"),
        account("_primarycontactid_value", json!(NOBODY), QUERY, "Entity Reference"),
        account("primarycontactid", json!(NOBODY), QUERY, "Entity Reference"),
        account(bind, json!("/contacts(no guid)"), PAYLOAD, ""),
        account(bind, json!(format!("/contacts({NOBODY})")), (404, "0x80040217"), ""),
        deal("estimatedclosedate", json!("31.01.2026"), PAYLOAD, "InnerException"),
        deal("salesstage", json!(77), (400, "0x8004431a"), "77"),
        deal(
            "estimatedvalue",
            json!(1e13),
            (400, "0x80044330"),
            "outside the valid range",
        ),
    ]
}

fn closing(deal: &str) -> Vec<Case> {
    let close = |column: &str| json!({"Status": 3, "OpportunityClose": {column: "2026-01-31", "opportunityid@odata.bind": deal}});
    let (win, lose) = ("WinOpportunity", "LoseOpportunity");
    let won = json!({"statecode": 1, "statuscode": 3});
    vec![
        (Method::PATCH, deal.to_owned(), won, 400, "0x80100005", "won message"),
        post(win, close("actualclosedate"), (400, "0x80048d19"), "actualclosedate"),
        post(win, close("actualend"), (204, ""), ""),
        post(win, close("actualend"), (400, "0x80040515"), "already closed"),
        post(lose, close("actualend"), (400, "0x80040515"), "already closed"),
        post("CloseOpportunity", json!({}), (404, "0x80060888"), "segment"),
        (Method::PUT, deal.to_owned(), json!({"name": "bad"}), 405, "", ""),
    ]
}

#[test]
fn each_bad_input_gets_the_vendors_error_and_stores_nothing() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "held"}));
    let deal = org.made(
        "opportunities",
        &json!({"name": "deal", "customerid_account@odata.bind": account}),
    );
    drop(org.commits());
    let all = [addresses(), options(), values(), closing(&deal)].concat();
    for (method, path, body, status, code, text) in all {
        let reply = org.send(&method, &path, &[], &body);
        let shown: String = format!("{method} {path} {body}").chars().take(160).collect();
        assert_eq!(reply.status.as_u16(), status, "{shown}: {}", reply.text);
        let commits = org.commits();
        if status == 204 {
            assert!(!commits.is_empty(), "{shown}");
            continue;
        }
        assert_eq!(reply.fault(), (status, code.to_owned()), "{shown}");
        let members: Vec<String> = reply.json()["error"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["code", "message"], "{shown}");
        assert!(
            reply.json()["error"]["message"].as_str().unwrap().contains(text),
            "{shown}: {}",
            reply.text
        );
        assert!(commits.is_empty(), "{shown}: {commits:?}");
    }
    let left = org.get("accounts?$filter=name%20eq%20'bad'&$count=true").json();
    assert_eq!(left["@odata.count"], json!(0));
}

#[test]
fn a_currency_that_is_referred_to_is_not_deleted() {
    let org = Org::new();
    let euro = format!("transactioncurrencies({})", org.currency("EUR"));
    org.made(
        "opportunities",
        &json!({"name": "d", "transactioncurrencyid@odata.bind": euro}),
    );
    let refused = org.send(&Method::DELETE, &euro, &[], &Value::Null);
    assert_eq!(refused.fault(), (405, "0x80040227".into()));
    assert_eq!(org.get(&euro).status, 200);
}

#[test]
fn a_batch_without_its_boundary_and_a_change_set_that_fails_half_way_store_nothing() {
    let org = Org::new();
    let bearer = format!("Bearer {}", org.token);
    let batch = |content_type: &str, text: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type)];
        org.raw("POST", &format!("{API}$batch"), &headers, &text.replace('\n', "\r\n"))
    };
    let part = |id: u8, body: &str| {
        format!(
            "--c\nContent-Type: application/http\nContent-ID: {id}\n\nPOST {ROOT}accounts HTTP/1.1\n\
             Content-Type: application/json\n\n{body}\n"
        )
    };
    let set = format!(
        "--b\nContent-Type: multipart/mixed; boundary=c\n\n{}{}--c--\n--b--\n",
        part(1, "{\"name\":\"first\"}"),
        part(2, "{\"nosuch\":1}")
    );
    for wrong in ["multipart/mixed; boundary=other", "multipart/mixed", "application/json"] {
        assert_eq!(batch(wrong, &set).fault(), (400, "0x80048d19".into()), "{wrong}");
    }
    let reply = batch("multipart/mixed; boundary=b", &set);
    assert_eq!(reply.status.as_u16(), 400);
    assert_eq!(
        reply.text.matches("HTTP/1.1 400 Bad Request").count(),
        1,
        "{}",
        reply.text
    );
    assert!(!reply.text.contains("204"), "{}", reply.text);
    assert_eq!(org.get("accounts?$count=true").json()["@odata.count"], json!(0));
    assert!(org.commits().is_empty());
}

#[test]
fn a_preference_that_nobody_knows_changes_nothing_and_is_not_said_to_be_applied() {
    let org = Org::new();
    for prefer in ["nosuch=1", "return=everything", "odata.maxpagesize=many", ""] {
        let reply = org.send(&Method::GET, "accounts", &[("prefer", prefer)], &Value::Null);
        assert_eq!(
            (reply.status.as_u16(), reply.header("preference-applied")),
            (200, ""),
            "{prefer}: {}",
            reply.text
        );
    }
}
