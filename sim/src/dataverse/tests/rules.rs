//! Every listed error, met by a request or answered by a fault; and the rules behind some of them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOBODY, Org, ROOT, Reply};
use crate::dataverse::{ERRORS, Protection, Settings, error_answer};

/// A request that meets the error of that code. None when only a fault does.
fn met(code: &str) -> Option<Reply> {
    let org = Org::new();
    met_by_key(&org, code)
        .or_else(|| met_by_right(&org, code))
        .or_else(|| met_by_value(&org, code))
        .or_else(|| met_by_rule(&org, code))
        .or_else(|| met_by_state(&org, code))
        .or_else(|| met_by_limit(code))
}

fn met_by_key(org: &Org, code: &str) -> Option<Reply> {
    let tag = |tag: &str, path: &str| org.send(&Method::PATCH, path, &[("if-match", tag)], &json!({}));
    Some(match code {
        "0x80040217" => org.get(&format!("accounts({NOBODY})")),
        "0x80060891" => org.get("accounts(accountnumber='7')"),
        "0x80060888" => org.get("account"),
        "0x80040237" => {
            org.made("accounts", &json!({"accountid": NOBODY}));
            org.post("accounts", &json!({"accountid": NOBODY}))
        }
        "0x80060892" => {
            org.made("accounts", &json!({"accountnumber": "7"}));
            org.post("accounts", &json!({"accountnumber": "7"}))
        }
        "0x80040333" => {
            org.made("accounts", &json!({"name": "a"}));
            let look = [("mscrm.suppressduplicatedetection", "false")];
            org.send(&Method::POST, "accounts", &look, &json!({"name": "a"}))
        }
        "0x80060882" => tag("W/\"1\"", &deal(org)),
        "0x80060883" => tag("W/\"x\"", &deal(org)),
        "0x8006088d" => tag("W/\"1\"", &org.made("serviceendpoints", &endpoint())),
        _ => return None,
    })
}

fn met_by_right(org: &Org, code: &str) -> Option<Reply> {
    let nobody = [("mscrmcallerid", NOBODY)];
    Some(match code {
        "0x80072560" => org.as_user("partner").get("accounts"),
        "0x80040220" => org.as_user("seller").post("serviceendpoints", &endpoint()),
        "0x80040231" => org.post("accounts", &json!({"name": "a", "ownerid@odata.bind": outsider(org)})),
        "0x80048405" => org
            .as_user("seller")
            .send(&Method::GET, "WhoAmI", &nobody, &Value::Null),
        _ => return None,
    })
}

fn met_by_value(org: &Org, code: &str) -> Option<Reply> {
    Some(match code {
        "0x80048d19" => org.post("accounts", &json!({"nosuch": 1})),
        "0x80044331" => org.post("accounts", &json!({"name": "x".repeat(161)})),
        "0x8004431a" => org.post("opportunities", &json!({"salesstage": 77})),
        "0x80040203" => org.post("uoms", &json!({"name": "without its schedule"})),
        _ => return None,
    })
}

fn met_by_rule(org: &Org, code: &str) -> Option<Reply> {
    let euro = || format!("transactioncurrencies({})", org.currency("EUR"));
    Some(match code {
        "0x80040227" => {
            org.made(
                "opportunities",
                &json!({"name": "d", "transactioncurrencyid@odata.bind": euro()}),
            );
            org.send(&Method::DELETE, &euro(), &[], &Value::Null)
        }
        "0x80048cf3" => org.post(
            "transactioncurrencies",
            &json!({"isocurrencycode": "EUR", "currencyname": "x", "currencysymbol": "x", "exchangerate": 1,
                "currencyprecision": 2}),
        ),
        "0x80100004" => {
            let list = json!({"name": "l", "transactioncurrencyid@odata.bind": euro()});
            let list = org.made("pricelevels", &list);
            org.post("opportunities", &json!({"name": "d", "pricelevelid@odata.bind": list}))
        }
        "0x80100010" => {
            let schedule = org.made("uomschedules", &json!({"name": "s"}));
            let product = json!({"name": "p", "defaultuomscheduleid@odata.bind": schedule});
            let product = org.made("products", &product);
            let line = json!({"opportunityid@odata.bind": deal(org), "productid@odata.bind": product, "quantity": 1});
            org.post("opportunityproducts", &line)
        }
        _ => return None,
    })
}

fn met_by_state(org: &Org, code: &str) -> Option<Reply> {
    let deal = || deal(org);
    let act = |name: &str, deal: &str| {
        let close = json!({"subject": "x", "opportunityid@odata.bind": deal});
        org.post(name, &json!({"Status": -1, "OpportunityClose": close}))
    };
    Some(match code {
        "0x80100005" => org.patch(&deal(), &json!({"statecode": 1, "statuscode": 3})),
        "0x80040515" => {
            let deal = deal();
            act("WinOpportunity", &deal);
            act("LoseOpportunity", &deal)
        }
        "0x8004051a" => org.patch(&deal(), &json!({"statecode": 0, "statuscode": 1})),
        "0x80048408" => org.patch(&deal(), &json!({"statuscode": 4})),
        _ => return None,
    })
}

fn met_by_limit(code: &str) -> Option<Reply> {
    let mut protection = Protection::default();
    match code {
        "0x80072322" => protection.requests = 0,
        "0x80072321" => protection.execution = std::time::Duration::ZERO,
        "0x80072326" => protection.concurrent = 0,
        _ => return None,
    }
    let protection = Some(protection);
    let settings = Settings {
        protection,
        ..Settings::default()
    };
    Some(Org::with(settings).get("WhoAmI"))
}

fn deal(org: &Org) -> String {
    org.made("opportunities", &json!({"name": "d"}))
}

/// A user of whom the organisation knows nothing but the name, as a reference.
fn outsider(org: &Org) -> String {
    let users = org.get("systemusers?$filter=fullname%20eq%20'partner'").json();
    format!("/systemusers({})", users["value"][0]["systemuserid"].as_str().unwrap())
}

fn endpoint() -> Value {
    json!({"name": "e", "contract": 8, "authtype": 4, "authvalue": "k", "url": "https://x.example/h"})
}

#[test]
fn every_listed_error_has_its_status_by_request_or_by_fault() {
    let mut met_by_request = 0;
    for listed in ERRORS {
        let answer = error_answer(listed.code).unwrap();
        assert_eq!(answer.status().as_u16(), listed.status);
        if let Some(reply) = met(listed.code) {
            met_by_request += 1;
            assert_eq!(
                reply.fault(),
                (listed.status, listed.code.to_owned()),
                "{}",
                listed.text
            );
            assert_eq!(reply.header("retry-after").is_empty(), listed.status != 429);
        }
    }
    assert!(met_by_request >= 28, "{met_by_request}");
    assert!(error_answer("0x1").is_none());
}

#[test]
fn a_new_currency_counts_with_its_rate_and_is_kept_while_it_is_used() {
    let org = Org::new();
    let franc = json!({"isocurrencycode": "CHF", "currencyname": "Franc", "currencysymbol": "Fr.", "exchangerate": 0.5, "currencyprecision": 1});
    let franc = org.made("transactioncurrencies", &franc);
    let deal = json!({"name": "d", "estimatedvalue": 100.26, "transactioncurrencyid@odata.bind": franc});
    let deal = org.made("opportunities", &deal);
    let row = org.get(&deal).json();
    assert_eq!(
        json!([row["estimatedvalue"], row["estimatedvalue_base"], row["exchangerate"]]),
        json!([100.3, 200.6, 0.5])
    );
    assert_eq!(
        org.patch(&franc, &json!({"exchangerate": 2})).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.get(&deal).json()["estimatedvalue_base"],
        200.6,
        "a rate counts from the next write on"
    );
    assert_eq!(
        org.patch(&deal, &json!({"estimatedvalue": 10})).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(org.get(&deal).json()["estimatedvalue_base"], 5.0);
    let remove = |path: &str| org.send(&Method::DELETE, path, &[], &Value::Null);
    assert_eq!(remove(&franc).fault(), (405, "0x80040227".into()));
    assert_eq!(remove(&deal).status, StatusCode::NO_CONTENT);
    assert_eq!(remove(&franc).status, StatusCode::NO_CONTENT);
    let dollar = format!("transactioncurrencies({})", org.currency("USD"));
    assert_eq!(remove(&dollar).fault(), (405, "0x80040227".into()));
}

#[test]
fn bad_values_are_refused_before_anything_is_stored() {
    let org = Org::new();
    org.commits();
    for (set, body, code) in [
        ("accounts", json!({"revenue": "12"}), "0x80048d19"),
        ("accounts", json!({"revenue": 1e15}), "0x80044330"),
        ("accounts", json!({"numberofemployees": 1.5}), "0x80048d19"),
        ("accounts", json!({"creditonhold": "yes"}), "0x80048d19"),
        ("accounts", json!({"accountid": "x"}), "0x80048d19"),
        ("accounts", json!({"_primarycontactid_value": NOBODY}), "0x80060888"),
        ("accounts", json!({"primarycontactid": NOBODY}), "0x80060888"),
        ("accounts", json!({"primarycontactid@odata.bind": 5}), "0x80048d19"),
        (
            "accounts",
            json!({"PrimaryContactId@odata.bind": format!("{ROOT}contacts({NOBODY})")}),
            "0x80048d19",
        ),
        ("accounts", json!({"Name": "x"}), "0x80048d19"),
        (
            "opportunities",
            json!({"estimatedclosedate": "2026-02-30"}),
            "0x80048d19",
        ),
        (
            "opportunities",
            json!({"estimatedclosedate": "2026-01-05T09:00:00Z"}),
            "0x80048d19",
        ),
        ("opportunities", json!({"closeprobability": 101}), "0x8004432f"),
        ("opportunities", json!({"statuscode": 3}), "0x80048408"),
        (
            "callbackregistrations",
            json!({"message": 3, "scope": 4, "version": 1, "entityname": "opportunity"}),
            "0x80040203",
        ),
        (
            "callbackregistrations",
            json!({"message": 9, "url": "https://x.example", "scope": 4, "version": 1}),
            "0x8004431a",
        ),
    ] {
        assert_eq!(org.post(set, &body).fault(), (400, code.into()), "{set} {body}");
    }
    assert!(org.commits().is_empty());
}
