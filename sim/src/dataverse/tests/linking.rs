//! Links, deep inserts, single columns, and actions on many rows.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOBODY, Org, ROOT};

fn id_of(path: &str) -> &str {
    path.split_once('(').unwrap().1.trim_end_matches(')')
}

impl Org {
    fn put(&self, path: &str, body: &Value) -> super::Reply {
        self.send(&Method::PUT, path, &[], body)
    }

    fn remove(&self, path: &str) -> super::Reply {
        self.send(&Method::DELETE, path, &[], &Value::Null)
    }
}

#[test]
fn one_column_is_put_and_deleted() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a", "telephone1": "1"}));
    let column = format!("{account}/telephone1");
    let tag = org.get(&account).header("etag").to_owned();
    assert_eq!(org.put(&column, &json!({"value": "2"})).status, StatusCode::NO_CONTENT);
    assert_eq!(org.get(&account).json()["telephone1"], "2");
    let stale = [("if-match", tag.as_str())];
    assert_eq!(
        org.send(&Method::PUT, &column, &stale, &json!({"value": "3"})).fault(),
        (412, "0x80060882".into())
    );
    assert_eq!(org.remove(&column).status, StatusCode::NO_CONTENT);
    assert_eq!(org.get(&account).json()["telephone1"], Value::Null);
    assert_eq!(org.put(&column, &json!({})).fault(), (400, "0x80048d19".into()));
    assert_eq!(
        org.put(&column, &json!({"value": 5})).fault(),
        (400, "0x80048d19".into())
    );
    assert_eq!(
        org.put(&format!("{account}/nosuch"), &json!({"value": 5})).fault(),
        (400, "0x80048d19".into())
    );
    let missing = format!("accounts({NOBODY})/telephone1");
    assert_eq!(
        org.put(&missing, &json!({"value": "2"})).fault(),
        (404, "0x80040217".into())
    );
    assert_eq!(
        org.patch(&format!("{account}/new_document"), &json!({})).status,
        StatusCode::NOT_IMPLEMENTED
    );
}

#[test]
fn links_are_set_and_cleared_from_either_side() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a"}));
    let contact = org.made("contacts", &json!({"lastname": "c"}));
    let deal = org.made("opportunities", &json!({"name": "d"}));
    let primary = format!("{account}/primarycontactid/$ref");
    for reference in [format!("{ROOT}{contact}"), contact.clone()] {
        assert_eq!(
            org.put(&primary, &json!({"@odata.id": reference})).status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(org.get(&account).json()["_primarycontactid_value"], id_of(&contact));
        assert_eq!(org.remove(&primary).status, StatusCode::NO_CONTENT);
        assert_eq!(org.get(&account).json()["_primarycontactid_value"], Value::Null);
    }
    let deals = format!("{account}/opportunity_customer_accounts");
    let reference = json!({"@odata.id": format!("{ROOT}{deal}")});
    let leave: [String; 2] = [
        format!("{deals}({})/$ref", id_of(&deal)),
        format!("{deals}/$ref?$id={ROOT}{deal}"),
    ];
    for leave in leave {
        assert_eq!(
            org.post(&format!("{deals}/$ref"), &reference).status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(org.get(&deal).json()["_customerid_value"], id_of(&account));
        let reply = org.remove(&leave);
        assert_eq!(
            (reply.status, reply.header("odata-entityid")),
            (StatusCode::NO_CONTENT, ""),
            "{}",
            reply.text
        );
        assert_eq!(org.get(&deal).json()["_customerid_value"], Value::Null);
        assert_eq!(org.remove(&leave).fault(), (404, "0x80040217".into()));
    }
    assert_eq!(
        org.post(&format!("{account}/nosuch/$ref"), &reference).fault(),
        (404, "0x80060888".into())
    );
    assert_eq!(org.put(&primary, &reference).fault(), (400, "0x80048d19".into()));
    assert_eq!(org.put(&primary, &json!({})).fault(), (400, "0x80048d19".into()));
}

#[test]
fn a_pair_of_a_many_to_many_relationship_is_made_once_and_taken_apart() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "d"}));
    let rival = org.made("competitors", &json!({"name": "c"}));
    let rivals = format!("{deal}/opportunitycompetitors_association");
    let reference = json!({"@odata.id": rival});
    assert_eq!(
        org.post(&format!("{rivals}/$ref"), &reference).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.post(&format!("{rivals}/$ref"), &reference).fault(),
        (412, "0x80040237".into())
    );
    let leave = format!("{rivals}({})/$ref", id_of(&rival));
    assert_eq!(org.remove(&leave).status, StatusCode::NO_CONTENT);
    assert_eq!(org.remove(&leave).fault(), (404, "0x80040217".into()));
}

#[test]
fn a_deep_insert_makes_all_its_rows_or_none() {
    let org = Org::new();
    let body = json!({
        "name": "Contoso",
        "primarycontactid": {"firstname": "John", "lastname": "Smith"},
        "opportunity_customer_accounts": [
            {"name": "one", "Opportunity_Tasks": [{"subject": "call"}, {"subject": "write"}]},
            {"name": "two"},
        ],
    });
    let account = org.made("accounts", &body);
    let contact = org.get(&account).json()["_primarycontactid_value"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        org.get(&format!("contacts({contact})")).json()["fullname"],
        "John Smith"
    );
    let deals = org.get("opportunities?$orderby=name").json();
    let of = |place: usize, name: &str| deals["value"][place][name].clone();
    assert_eq!((of(0, "name"), of(1, "name")), (json!("one"), json!("two")));
    assert_eq!(of(1, "_customerid_value"), id_of(&account));
    assert_eq!(org.get("tasks").json()["value"].as_array().unwrap().len(), 2);
    let tables: Vec<String> = org.commits().into_iter().map(|commit| commit.table).collect();
    assert_eq!(
        tables,
        ["contact", "account", "opportunity", "task", "task", "opportunity"]
    );

    let mut bad = body;
    bad["opportunity_customer_accounts"][0]["Opportunity_Tasks"][1] = json!({"subject": "x".repeat(201)});
    let refused = org.post("accounts", &bad);
    assert_eq!(refused.fault(), (400, "0x80044331".into()));
    assert!(
        refused.text.contains("'subject' attribute of the 'task' entity"),
        "{}",
        refused.text
    );
    bad["opportunity_customer_accounts"] = json!([{"name": "one", "customerid_account@odata.bind": "accounts(x)"}]);
    assert_eq!(org.post("accounts", &bad).status, StatusCode::BAD_REQUEST);
    bad["opportunity_customer_accounts"] = json!({"name": "one"});
    assert_eq!(org.post("accounts", &bad).fault(), (400, "0x80048d19".into()));
    assert!(org.commits().is_empty());

    let linked = org.made("accounts", &json!({"name": "b", "opportunity_customer_accounts@odata.bind": ["opportunities(".to_owned() + of(0, "opportunityid").as_str().unwrap() + ")"]}));
    let deal = format!("opportunities({})", of(0, "opportunityid").as_str().unwrap());
    assert_eq!(org.get(&deal).json()["_customerid_value"], id_of(&linked));
    assert_eq!(
        org.patch(&account, &json!({"primarycontactid": {"lastname": "x"}}))
            .status,
        StatusCode::NOT_IMPLEMENTED
    );
}

#[test]
fn a_row_is_made_in_a_collection_and_owned_by_whom_the_body_names() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "a"}));
    let seller = org.as_user("seller").get("WhoAmI").json()["UserId"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({"name": "d", "ownerid@odata.bind": format!("/systemusers({seller})")});
    let reply = org.post(&format!("{account}/opportunity_customer_accounts"), &body);
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text);
    let row = org
        .get(reply.header("odata-entityid").strip_prefix(ROOT).unwrap())
        .json();
    assert_eq!(
        (&row["_customerid_value"], &row["_ownerid_value"]),
        (&json!(id_of(&account)), &json!(seller))
    );
}

#[test]
fn many_rows_are_written_by_one_action_or_none_is() {
    let org = Org::new();
    let act = |name: &str, targets: Value| {
        org.post(
            &format!("accounts/Microsoft.Dynamics.CRM.{name}"),
            &json!({"Targets": targets}),
        )
    };
    let kind = "Microsoft.Dynamics.CRM.account";
    let made = act(
        "CreateMultiple",
        json!([{"@odata.type": kind, "name": "a"}, {"@odata.type": kind, "name": "b", "accountnumber": "7"}]),
    );
    assert_eq!(made.status, StatusCode::OK);
    assert_eq!(
        made.json()["@odata.context"],
        format!("{ROOT}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    );
    let ids = made.json()["Ids"].clone();
    assert_eq!(ids.as_array().unwrap().len(), 2);
    let update = json!([{"accountid": ids[0], "telephone1": "1"}, {"@odata.id": "accounts(accountnumber='7')", "telephone1": "2"}]);
    assert_eq!(act("UpdateMultiple", update).status, StatusCode::NO_CONTENT);
    let upsert = json!([{"@odata.id": "accounts(accountnumber='8')", "name": "c"}, {"accountnumber": "7", "telephone1": "3"}, {"name": "d"}]);
    assert_eq!(act("UpsertMultiple", upsert).status, StatusCode::NO_CONTENT);
    let rows = org.get("accounts?$orderby=name").json();
    let seen: Vec<Value> = rows["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["name"], row["telephone1"]]))
        .collect();
    assert_eq!(json!(seen), json!([["a", "1"], ["b", "3"], ["c", null], ["d", null]]));
    org.commits();
    for (name, targets, fault) in [
        (
            "CreateMultiple",
            json!([{"name": "x"}, {"name": "y", "accountnumber": "7"}]),
            (412, "0x80060892"),
        ),
        (
            "CreateMultiple",
            json!([{"name": "x"}, {"@odata.type": "Microsoft.Dynamics.CRM.contact"}]),
            (400, "0x80040203"),
        ),
        ("CreateMultiple", json!({}), (400, "0x80048d19")),
        ("CreateMultiple", json!([1]), (400, "0x80048d19")),
        (
            "UpdateMultiple",
            json!([{"accountid": ids[0], "name": "x"}, {"accountid": NOBODY, "name": "y"}]),
            (404, "0x80040217"),
        ),
        ("UpdateMultiple", json!([{"name": "nobody"}]), (400, "0x80040203")),
    ] {
        assert_eq!(act(name, targets).fault(), (fault.0, fault.1.into()), "{name}");
        assert!(org.commits().is_empty());
    }
    assert_eq!(act("DeleteMultiple", json!([])).status, StatusCode::NOT_IMPLEMENTED);
}
