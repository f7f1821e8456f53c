//! Rows named by the values of an alternate key.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Org, ROOT};

#[test]
fn a_key_in_the_url_makes_the_row_finds_it_and_is_echoed() {
    let org = Org::new();
    let path = "accounts(accountnumber='A%20''1')";
    assert_eq!(org.get(path).fault(), (404, "0x80060891".into()));
    assert_eq!(
        org.send(&Method::PATCH, path, &[("if-match", "*")], &json!({"name": "a"}))
            .fault(),
        (404, "0x80060891".into())
    );
    let created = org.patch(path, &json!({"name": "a"}));
    assert_eq!(created.status, StatusCode::NO_CONTENT);
    assert_eq!(
        created.header("odata-entityid"),
        format!("{ROOT}accounts(accountnumber='A%20''1')")
    );
    let row = org.get("accounts(accountnumber='a%20''1')").json();
    assert_eq!(
        (&row["name"], &row["accountnumber"]),
        (&json!("a"), &json!("A '1")),
        "keys take no regard of case"
    );
    let changed = org.patch(path, &json!({"name": "b", "accountnumber": "other"}));
    assert_eq!(changed.status, StatusCode::NO_CONTENT);
    let row = org.get(path).json();
    assert_eq!(
        (&row["name"], &row["accountnumber"]),
        (&json!("b"), &json!("A '1")),
        "the key itself is not written"
    );
    let prefer = [("prefer", "return=representation"), ("if-none-match", "*")];
    assert_eq!(
        org.send(&Method::PATCH, path, &prefer, &json!({"name": "c"})).fault(),
        (412, "0x80040237".into())
    );
    assert_eq!(
        org.send(&Method::DELETE, path, &[], &Value::Null).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(org.get(path).status, StatusCode::NOT_FOUND);
}

#[test]
fn a_key_belongs_to_one_row() {
    let org = Org::new();
    let one = org.made("accounts", &json!({"name": "a", "accountnumber": "7"}));
    let other = org.made("accounts", &json!({"name": "b"}));
    org.made("accounts", &json!({"name": "rows without the value may be many"}));
    let refused = org.post("accounts", &json!({"name": "c", "accountnumber": "7"}));
    assert_eq!(refused.fault(), (412, "0x80060892".into()));
    assert!(refused.text.contains("accountnumber_key"), "{}", refused.text);
    assert_eq!(
        org.patch(&other, &json!({"accountnumber": "7"})).fault(),
        (412, "0x80060892".into())
    );
    assert_eq!(
        org.patch(&one, &json!({"accountnumber": "7"})).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.patch(&one, &json!({"accountnumber": null})).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.patch(&other, &json!({"accountnumber": "7"})).status,
        StatusCode::NO_CONTENT
    );
}

#[test]
fn lookups_are_bound_by_key_and_what_is_no_key_is_refused() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a", "accountnumber": "x/(7)"}));
    for reference in ["/accounts(accountnumber='x/(7)')", "accounts(accountnumber='X/(7)')"] {
        let deal = org.made(
            "opportunities",
            &json!({"name": "d", "customerid_account@odata.bind": reference}),
        );
        assert!(account.contains(org.get(&deal).json()["_customerid_value"].as_str().unwrap()));
    }
    let nobody = json!({"customerid_account@odata.bind": "/accounts(accountnumber='8')"});
    assert_eq!(org.post("opportunities", &nobody).fault(), (404, "0x80060891".into()));
    let reply = org.get("accounts(name='a')");
    assert_eq!(reply.fault(), (400, "0x80060888".into()));
    assert!(
        reply
            .text
            .contains("The key in the request URI is not valid for resource"),
        "{}",
        reply.text
    );
    assert_eq!(
        org.patch("accounts(nosuch='a')", &json!({})).fault(),
        (400, "0x80060888".into())
    );
}
