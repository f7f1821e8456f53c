//! Many records in one request.

use serde_json::{Value, json};

use crate::salesforce::trial::{Reply, Trial};

const KEY: &str = "Referral_Identifier__c";

fn send(trial: &Trial, method: &str, path: &str, body: &Value) -> Reply {
    trial.send(
        method,
        &format!("/services/data/v60.0/composite/sobjects{path}"),
        body,
        &[],
    )
}

fn account(name: &str) -> Value {
    json!({"attributes": {"type": "Account"}, "Name": name})
}

fn deal(key: &str, name: &str) -> Value {
    json!({"attributes": {"type": "Opportunity"}, KEY: key, "Name": name, "StageName": "Prospecting", "CloseDate": "2026-03-31"})
}

#[test]
fn records_are_created_changed_and_deleted_in_order() {
    let trial = Trial::new();
    let body = json!({"allOrNone": false, "records": [account("A"), account(""), {"attributes": {"type": "contact"}, "LastName": "C"}]});
    let reply = send(&trial, "POST", "", &body);
    assert_eq!(reply.status, 200);
    let results = reply.json();
    let (first, third) = (results[0]["id"].as_str().unwrap(), results[2]["id"].as_str().unwrap());
    assert_eq!(results[0], json!({"id": first, "success": true, "errors": []}));
    assert_eq!(
        results[1],
        json!({"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [Name]", "fields": ["Name"]}]})
    );
    let body = json!({"records": [
        {"attributes": {"type": "Account"}, "id": first, "Name": "A2"},
        {"attributes": {"type": "Contact"}, "Id": third, "LastName": "C2"},
        {"attributes": {"type": "Account"}, "Name": "?"},
        {"attributes": {"type": "Account"}, "id": third, "Name": "?"},
        {"attributes": {"type": "Account"}, "id": "001000000000001AAA", "Name": "?"},
        {"id": first, "Name": "?"},
    ]});
    let results = send(&trial, "PATCH", "", &body).json();
    let codes: Vec<_> = (2..6)
        .map(|at| results[at]["errors"][0]["statusCode"].clone())
        .collect();
    assert_eq!(
        codes,
        [
            "MISSING_ARGUMENT",
            "MALFORMED_ID",
            "INVALID_CROSS_REFERENCE_KEY",
            "INVALID_INPUT"
        ]
    );
    assert_eq!(trial.read("Account", first)["Name"], "A2");
    let path = format!("?ids={first},{third},{first},nonsense&allOrNone=false");
    let results = send(&trial, "DELETE", &path, &Value::Null).json();
    assert_eq!(results[1], json!({"id": third, "success": true, "errors": []}));
    assert_eq!(results[2]["errors"][0]["statusCode"], "ENTITY_IS_DELETED");
    assert_eq!(results[3]["errors"][0]["message"], "malformed id nonsense");
    assert!(trial.org.rows().is_empty());
}

#[test]
fn all_or_none_takes_the_good_ones_back() {
    let trial = Trial::new();
    let kept = trial.create("Account", &json!({"Name": "Kept"}));
    trial.commits();
    let update = json!({"attributes": {"type": "Account"}, "id": kept, "Name": "Changed"});
    let bad = json!({"attributes": {"type": "Account"}, "id": kept, "OwnerId": "nobody"});
    let results = send(
        &trial,
        "PATCH",
        "",
        &json!({"allOrNone": true, "records": [update, bad]}),
    )
    .json();
    assert_eq!(
        results[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(results[1]["errors"][0]["statusCode"], "MALFORMED_ID");
    assert_eq!(trial.read("Account", &kept)["Name"], "Kept");
    let results = send(&trial, "DELETE", &format!("?ids={kept},x&allOrNone=true"), &Value::Null).json();
    assert_eq!(
        results[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(trial.names("SELECT Name FROM Account WHERE Name = 'Kept'"), ["Kept"]);
    assert!(trial.commits().is_empty());
}

#[test]
fn upserts_find_by_their_key_and_say_what_is_new() {
    let trial = Trial::new();
    let known = trial.deal("old", &json!({KEY: "k-1"}));
    for name in ["one", "two"] {
        trial.deal(name, &json!({KEY: "twice"}));
    }
    let mut keyless = deal("", "x");
    keyless[KEY] = Value::Null;
    let body = json!({"records": [deal("K-1", "changed"), deal("k-2", "made"), deal("twice", "?"), keyless]});
    let results = send(&trial, "PATCH", &format!("/Opportunity/{KEY}"), &body).json();
    assert_eq!(
        results[0],
        json!({"id": known, "success": true, "errors": [], "created": false})
    );
    assert_eq!(results[1]["created"], true);
    let code = |at: usize| {
        (
            results[at]["errors"][0]["statusCode"].clone(),
            results[at]["created"].clone(),
        )
    };
    assert_eq!(code(2), (json!("DUPLICATE_EXTERNAL_ID"), json!(true)));
    assert_eq!(code(3), (json!("MISSING_ARGUMENT"), json!(true)));
    assert_eq!(trial.read("Opportunity", &known)["Name"], "changed");
    let wrong = send(&trial, "PATCH", "/Opportunity/Name", &body);
    assert_eq!(wrong.fault(), (404, "NOT_FOUND".to_owned()));
    let mut by_id = deal("x", "by id");
    by_id["Id"] = json!(known);
    let mut new = deal("y", "new");
    new["Id"] = Value::Null;
    let results = send(
        &trial,
        "PATCH",
        "/Opportunity/Id",
        &json!({"records": [by_id, new, {"Id": "x"}]}),
    )
    .json();
    assert_eq!(
        (&results[0]["created"], &results[1]["created"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(results[2]["errors"][0]["statusCode"], "MALFORMED_ID");
}

#[test]
fn many_records_are_read_in_order_with_null_for_what_is_not_there() {
    let trial = Trial::new();
    let [one, two] = ["One", "Two"].map(|name| trial.create("Account", &json!({"Name": name})));
    trial.delete("Account", &one);
    let body = json!({"ids": [two, one, "x", two], "fields": ["name", "Owner.Name"]});
    let results = send(&trial, "POST", "/Account", &body).json();
    assert_eq!((&results[1], &results[2]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&results[0]["Name"], &results[3]["Owner"]["Name"]),
        (&json!("Two"), &json!("connector"))
    );
    let same = send(
        &trial,
        "GET",
        &format!("/Account?ids={two},{one}&fields=Name"),
        &Value::Null,
    )
    .json();
    assert_eq!((&same[0]["Name"], &same[1]), (&json!("Two"), &Value::Null));
    for (body, code) in [
        (json!({"ids": [two], "fields": ["Nmae"]}), "INVALID_FIELD"),
        (json!({"ids": [two]}), "JSON_PARSER_ERROR"),
        (json!({"ids": [1], "fields": ["Name"]}), "JSON_PARSER_ERROR"),
        (json!({"ids": vec!["x"; 2001], "fields": ["Name"]}), "EXCEEDED_ID_LIMIT"),
    ] {
        assert_eq!(send(&trial, "POST", "/Account", &body).fault(), (400, code.to_owned()));
    }
    assert_eq!(
        send(&trial, "GET", "/Account?ids=x", &Value::Null).fault().1,
        "MISSING_ARGUMENT"
    );
}

#[test]
fn limits_and_bad_bodies_are_refused_as_a_whole() {
    let trial = Trial::new();
    let mixed: Vec<Value> = (0..11)
        .map(|at| {
            let kind = if at % 2 == 0 { "Account" } else { "Contact" };
            json!({"attributes": {"type": kind}, "Name": "x"})
        })
        .collect();
    for (body, code) in [
        (json!({"records": vec![account("x"); 201]}), "EXCEEDED_ID_LIMIT"),
        (json!({"records": mixed}), "LIMIT_EXCEEDED"),
        (json!({"records": []}), "JSON_PARSER_ERROR"),
        (json!({"records": {}}), "JSON_PARSER_ERROR"),
        (
            json!({"allOrNone": "true", "records": [account("x")]}),
            "JSON_PARSER_ERROR",
        ),
    ] {
        for method in ["POST", "PATCH"] {
            assert_eq!(
                send(&trial, method, "", &body).fault(),
                (400, code.to_owned()),
                "{body}"
            );
        }
    }
    let words = send(&trial, "POST", "", &json!({"records": vec![account("x"); 201]}));
    assert_eq!(
        words.message(),
        "record limit reached. cannot submit more than 200 records into this call"
    );
    let ids = vec!["001000000000001AAA"; 201].join(",");
    assert_eq!(
        send(&trial, "DELETE", &format!("?ids={ids}"), &Value::Null).fault().1,
        "EXCEEDED_ID_LIMIT"
    );
    assert_eq!(send(&trial, "DELETE", "", &Value::Null).fault().1, "MISSING_ARGUMENT");
    assert_eq!(send(&trial, "PUT", "", &json!({})).fault().0, 405);
    let strange = json!({"records": [{"attributes": {"type": "Nothing__c"}}, 5, account("fine")]});
    let results = send(&trial, "POST", "", &strange).json();
    let codes: Vec<_> = (0..3)
        .map(|at| results[at]["errors"][0]["statusCode"].clone())
        .collect();
    assert_eq!(codes, [json!("NOT_FOUND"), json!("JSON_PARSER_ERROR"), Value::Null]);
    assert_eq!(trial.names("SELECT Name FROM Account"), ["fine"]);
}
