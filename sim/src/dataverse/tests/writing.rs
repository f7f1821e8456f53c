//! Creating, updating and deleting rows.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOBODY, Org, ROOT};
use crate::happening::{Commit, CommitKind};

#[test]
fn a_representation_is_returned_when_asked_for() {
    let org = Org::new();
    let prefer = [("prefer", "return=representation")];
    let reply = org.send(
        &Method::POST,
        "contacts?$select=fullname",
        &prefer,
        &json!({"firstname": "Ada", "lastname": "Byron"}),
    );
    assert_eq!(
        (reply.status, reply.header("preference-applied")),
        (StatusCode::CREATED, "return=representation")
    );
    assert_eq!(reply.json()["fullname"], "Ada Byron");
    assert_eq!(reply.header("odata-entityid"), "");
    let path = format!("contacts({})", reply.json()["contactid"].as_str().unwrap());
    let reply = org.send(&Method::PATCH, &path, &prefer, &json!({"lastname": "Lovelace"}));
    assert_eq!(
        (reply.status, &reply.json()["fullname"]),
        (StatusCode::OK, &json!("Ada Lovelace"))
    );
    assert_ne!(reply.header("etag"), "");
}

#[test]
fn a_patch_creates_a_missing_row_unless_a_match_is_demanded() {
    let org = Org::new();
    let path = format!("accounts({NOBODY})");
    let any = [("if-match", "*"), ("if-none-match", "null")];
    assert_eq!(
        org.send(&Method::PATCH, &path, &any, &json!({"name": "a"})).fault(),
        (404, "0x80040217".into())
    );
    assert_eq!(
        org.get(&path).json()["error"]["message"],
        format!("Entity 'account' With Id = {NOBODY} Does Not Exist")
    );
    let created = org.patch(&path, &json!({"name": "a"}));
    assert_eq!(
        (created.status, created.header("odata-entityid")),
        (StatusCode::NO_CONTENT, format!("{ROOT}{path}").as_str())
    );
    assert_eq!(
        org.send(&Method::PATCH, &path, &any, &json!({"name": "b"})).status,
        StatusCode::NO_CONTENT
    );
    let only_new = [("if-none-match", "*")];
    assert_eq!(
        org.send(&Method::PATCH, &path, &only_new, &json!({"name": "c"}))
            .fault(),
        (412, "0x80040237".into())
    );
    let twice = json!({"accountid": NOBODY, "name": "d"});
    assert_eq!(org.post("accounts", &twice).fault(), (412, "0x80040237".into()));
    assert_eq!(org.get(&path).json()["name"], "b");
}

#[test]
fn lookups_are_bound_by_reference_and_never_written_directly() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "Contoso"}));
    let contact = org.made(
        "contacts",
        &json!({"lastname": "Byron", "parentcustomerid_account@odata.bind": format!("/{account}")}),
    );
    for reference in [format!("/{account}"), account.clone(), format!("{ROOT}{account}")] {
        let body =
            json!({"name": "deal", "customerid_account@odata.bind": reference, "parentcontactid@odata.bind": contact});
        let deal = org.made("opportunities", &body);
        let id = &account["accounts(".len()..account.len() - 1];
        assert_eq!(org.get(&deal).json()["_customerid_value"], id);
        for clearing in [
            json!({"parentcontactid@odata.bind": null}),
            json!({"parentcontactid": null}),
        ] {
            assert_eq!(org.patch(&deal, &clearing).status, StatusCode::NO_CONTENT);
            assert_eq!(org.get(&deal).json()["_parentcontactid_value"], Value::Null);
        }
        let direct = [
            json!({"_customerid_value": id}),
            json!({"customerid": id}),
            json!({"parentaccountid": id}),
        ];
        for body in direct {
            assert_eq!(org.patch(&deal, &body).fault(), (400, "0x80060888".into()), "{body}");
        }
    }
    let gone = json!({"customerid_account@odata.bind": format!("/accounts({NOBODY})")});
    assert_eq!(org.post("opportunities", &gone).fault(), (404, "0x80040217".into()));
    for wrong in ["/contacts(x)", "/contacts", "nonsense"] {
        let body = json!({"customerid_account@odata.bind": wrong});
        assert_eq!(
            org.post("opportunities", &body).fault(),
            (400, "0x80048d19".into()),
            "{wrong}"
        );
    }
    let wrong_case = json!({"msft_opportunity@odata.bind": "/opportunities(x)"});
    let reply = org.post("msft_partnercentersolutions", &wrong_case);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("An undeclared property 'msft_opportunity'")
    );
}

#[test]
fn money_is_kept_in_the_rows_currency_and_in_the_base_currency() {
    let org = Org::new();
    let yen = org.currency("JPY");
    let body = json!({"name": "deal", "estimatedvalue": 1500.6, "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({yen})")});
    let deal = org.made("opportunities", &body);
    let row = org.get(&deal).json();
    assert_eq!(
        (&row["estimatedvalue"], &row["estimatedvalue_base"]),
        (&json!(1501.0), &json!(10.01))
    );
    assert_eq!(row["_transactioncurrencyid_value"], yen.as_str());
    org.patch(&deal, &json!({"estimatedvalue": null}));
    assert_eq!(org.get(&deal).json()["estimatedvalue_base"], Value::Null);
    let plain = org.made("opportunities", &json!({"name": "plain"}));
    assert_eq!(
        org.get(&plain).json()["_transactioncurrencyid_value"],
        org.currency("USD").as_str()
    );
}

#[test]
fn values_must_fit_their_columns() {
    let org = Org::new();
    let code = |body: Value| org.post("opportunities", &body).fault();
    let payload = (400, "0x80048d19".to_owned());
    for wrong in [
        json!({"estimatedvalue": "5000"}),
        json!({"name": 5}),
        json!({"estimatedclosedate": "2026-01-31T00:00:00Z"}),
        json!({"estimatedclosedate": "2026-02-30"}),
        json!({"closeprobability": 1.5}),
        json!({"msft_microsoftpartnercenterreferralsync": 1}),
        json!({"nosuchcolumn": 1}),
        json!({"opportunityid": "not a guid"}),
    ] {
        assert_eq!(code(wrong.clone()), payload, "{wrong}");
    }
    assert_eq!(code(json!({"name": "x".repeat(301)})), (400, "0x80044331".into()));
    assert_eq!(code(json!({"closeprobability": 101})), (400, "0x8004432f".into()));
    assert_eq!(code(json!({"estimatedvalue": 1e13})), (400, "0x80044330".into()));
    assert_eq!(
        code(json!({"msft_microsoftpartnercenterhelp": 7})),
        (400, "0x8004431a".into())
    );
    assert_eq!(code(json!({"statuscode": 3})), (400, "0x80048408".into()));
    assert!(org.commits().is_empty(), "nothing is stored by a request that fails");
    let accepted =
        json!({"name": "", "description": "☃".repeat(2_000), "statecode": 1, "createdon": "2020-01-01T00:00:00Z"});
    let row = org.get(&org.made("opportunities", &accepted)).json();
    assert_eq!(
        (&row["name"], &row["statecode"], &row["createdon"]),
        (&Value::Null, &json!(0), &json!("2026-01-05T09:00:00Z"))
    );
}

#[test]
fn commits_name_the_caller_and_the_columns_that_differ() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "deal", "estimatedvalue": 100}));
    let created = org.commits().remove(0);
    assert_eq!(
        (created.kind, created.table.as_str(), created.actor.as_str()),
        (CommitKind::Created, "opportunity", "connector")
    );
    assert!(deal.contains(&created.id));
    let field = |commit: &Commit, name: &str| {
        commit
            .changes
            .iter()
            .find(|change| change.field == name)
            .map(|change| change.after.clone())
    };
    assert_eq!(field(&created, "estimatedvalue"), Some(json!(100.0)));
    assert_eq!(field(&created, "description"), None, "null columns are not listed");
    assert_eq!(field(&created, "modifiedon"), None);
    let tag = org.get(&deal).header("etag").to_owned();
    org.later(5);
    org.patch(&deal, &json!({"name": "deal"}));
    let same = org.commits().remove(0);
    assert_eq!((same.kind, same.changes.len()), (CommitKind::Updated, 0));
    let row = org.get(&deal);
    assert_ne!(
        row.header("etag"),
        tag,
        "a write that changes nothing still makes a new version"
    );
    assert_eq!(row.json()["modifiedon"], "2026-01-05T09:00:05Z");
    org.patch(&deal, &json!({"name": "renamed"}));
    let changes = org.commits().remove(0).changes;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (&changes[0].before, &changes[0].after),
        (&json!("deal"), &json!("renamed"))
    );
}

#[test]
fn deleting_an_account_takes_its_deals_along_and_clears_other_links() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "Contoso"}));
    let bind = format!("/{account}");
    let owned = org.made(
        "opportunities",
        &json!({"name": "a", "customerid_account@odata.bind": bind}),
    );
    let linked = org.made(
        "opportunities",
        &json!({"name": "b", "parentaccountid@odata.bind": bind}),
    );
    org.made(
        "msft_partnercentersolutions",
        &json!({"msft_name": "s", "msft_Opportunity@odata.bind": format!("/{owned}")}),
    );
    assert_eq!(
        org.send(&Method::DELETE, &account, &[], &Value::Null).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(org.get(&owned).status, StatusCode::NOT_FOUND);
    assert_eq!(org.get(&linked).json()["_parentaccountid_value"], Value::Null);
    let tables: Vec<String> = org.dataverse.rows().into_iter().map(|row| row.table).collect();
    assert_eq!(
        tables,
        [
            "opportunity",
            "transactioncurrency",
            "transactioncurrency",
            "transactioncurrency",
            "transactioncurrency",
            "transactioncurrency"
        ]
    );
}
