//! Parents, children, joins, lists of values, scopes, deleted rows, plans.

use serde_json::{Value, json};

use crate::salesforce::trial::{Trial, encoded};
use crate::salesforce::{CustomField, CustomKind, Settings};

fn stocked(settings: Settings) -> (Trial, [String; 2]) {
    let trial = Trial::with(settings);
    let accounts = ["Fabrikam", "Tailspin"].map(|name| trial.create("Account", &json!({"Name": name})));
    for (first, last) in [("Ann", "Xu"), ("Bob", "Yi"), ("Cem", "Zeh")] {
        let body = json!({"FirstName": first, "LastName": last, "AccountId": accounts[0]});
        trial.create("Contact", &body);
    }
    trial.deal("Seats", &json!({"AccountId": accounts[1]}));
    (trial, accounts)
}

#[test]
fn children_are_nested_with_their_own_condition_order_and_limit() {
    let (trial, accounts) = stocked(Settings::default());
    let soql = "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName != 'Yi' ORDER BY LastName DESC LIMIT 5) FROM Account \
                ORDER BY Name";
    let reply = trial.query(soql).json();
    let children = &reply["records"][0]["Contacts"];
    assert_eq!((&children["totalSize"], &children["done"]), (&json!(2), &json!(true)));
    let names: Vec<&Value> = children["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| &child["LastName"])
        .collect();
    assert_eq!(names, ["Zeh", "Xu"]);
    assert_eq!(children["records"][0]["attributes"]["type"], "Contact");
    assert_eq!(reply["records"][1]["Contacts"], Value::Null);
    let deep = "SELECT Name, (SELECT Name, (SELECT Id FROM OpportunityContactRoles), Account.Name FROM Opportunities) FROM Account";
    let found = trial.query(&format!("{deep} WHERE Id = '{}'", accounts[1])).json();
    let deal = &found["records"][0]["Opportunities"]["records"][0];
    assert_eq!(
        (&deal["Account"]["Name"], &deal["OpportunityContactRoles"]),
        (&json!("Tailspin"), &Value::Null)
    );
    for (soql, code) in [
        ("SELECT Id, (SELECT Id FROM Contactz) FROM Account", "INVALID_TYPE"),
        (
            "SELECT Id, (SELECT Nothing FROM Contacts) FROM Account",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id, (SELECT Id FROM Contacts FROM Account", "MALFORMED_QUERY"),
    ] {
        assert_eq!(trial.query(soql).fault(), (400, code.to_owned()), "{soql}");
    }
}

#[test]
fn children_beyond_a_page_have_a_page_of_their_own() {
    let (trial, _) = stocked(Settings {
        page_size: 2,
        ..Settings::default()
    });
    let reply = trial
        .query("SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account ORDER BY Name")
        .json();
    let children = &reply["records"][0]["Contacts"];
    assert_eq!((&children["totalSize"], &children["done"]), (&json!(3), &json!(false)));
    let link = children["nextRecordsUrl"]
        .as_str()
        .unwrap()
        .strip_prefix("/services/data/v60.0")
        .unwrap();
    let rest = trial.get(link).json();
    assert_eq!(
        (&rest["records"][0]["LastName"], &rest["done"]),
        (&json!("Zeh"), &json!(true))
    );
}

#[test]
fn joins_find_what_another_query_finds() {
    let (trial, _) = stocked(Settings::default());
    for (condition, expected) in [
        ("Id IN (SELECT AccountId FROM Contact)", vec!["Fabrikam"]),
        ("Id NOT IN (SELECT AccountId FROM Contact)", vec!["Tailspin"]),
        (
            "Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Nobody')",
            vec![],
        ),
        (
            "Id IN (SELECT AccountId FROM Opportunity WHERE IsClosed = false) AND Name LIKE 'T%'",
            vec!["Tailspin"],
        ),
    ] {
        assert_eq!(
            trial.names(&format!("SELECT Name FROM Account WHERE {condition}")),
            expected,
            "{condition}"
        );
    }
    for condition in [
        "Name IN (SELECT AccountId FROM Contact)",
        "Id IN (SELECT Name FROM Contact)",
        "Id IN (SELECT AccountId, Id FROM Contact)",
        "Name = 'x' OR Id IN (SELECT AccountId FROM Contact)",
        "Id IN (SELECT AccountId FROM Contact WHERE AccountId IN (SELECT Id FROM Account))",
    ] {
        let reply = trial.query(&format!("SELECT Id FROM Account WHERE {condition}"));
        assert_eq!(reply.fault(), (400, "MALFORMED_QUERY".to_owned()), "{condition}");
    }
    let unknown = trial.query("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Nothing)");
    assert_eq!(unknown.fault().1, "INVALID_TYPE");
}

#[test]
fn lists_of_values_are_included_or_excluded() {
    let mut settings = Settings::default();
    settings.schema.custom_fields.push(CustomField {
        object: "Account".to_owned(),
        name: "Regions__c".to_owned(),
        label: "Regions".to_owned(),
        kind: CustomKind::MultiPicklist {
            values: ["North", "South", "West"].map(str::to_owned).to_vec(),
            restricted: true,
        },
        required: false,
        external_id: false,
        unique: false,
    });
    let trial = Trial::with(settings);
    for (name, regions) in [("a", "North;South"), ("b", "West"), ("c", "")] {
        trial.create("Account", &json!({"Name": name, "Regions__c": regions}));
    }
    for (condition, expected) in [
        ("Regions__c INCLUDES ('north')", vec!["a"]),
        ("Regions__c INCLUDES ('North;South', 'West')", vec!["a", "b"]),
        ("Regions__c INCLUDES ('North;West')", vec![]),
        ("Regions__c EXCLUDES ('West')", vec!["a", "c"]),
        ("Regions__c = 'North;South'", vec!["a"]),
    ] {
        assert_eq!(
            trial.names(&format!("SELECT Name FROM Account WHERE {condition}")),
            expected,
            "{condition}"
        );
    }
    let wrong = trial.query("SELECT Id FROM Account WHERE Name INCLUDES ('x')");
    assert_eq!(wrong.fault().1, "INVALID_QUERY_FILTER_OPERATOR");
    let reply = trial.post("Account", &json!({"Name": "d", "Regions__c": "North;East"}));
    assert_eq!(reply.fault().1, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
}

#[test]
fn a_reference_to_several_objects_shows_a_name() {
    let (trial, accounts) = stocked(Settings::default());
    let contact = trial.query("SELECT Id FROM Contact WHERE LastName = 'Xu'").json()["records"][0]["Id"].clone();
    trial.create(
        "Task",
        &json!({"Subject": "Call", "WhoId": contact, "WhatId": accounts[0]}),
    );
    let found = trial
        .query("SELECT Subject, Who.Name, What.Name FROM Task WHERE What.Name = 'fabrikam'")
        .json();
    let task = &found["records"][0];
    assert_eq!(
        (&task["Who"]["Name"], &task["What"]["Name"]),
        (&json!("Ann Xu"), &json!("Fabrikam"))
    );
    assert_eq!(task["Who"]["attributes"]["type"], "Name");
    let path = task["Who"]["attributes"]["url"].as_str().unwrap();
    assert!(path.contains("/sobjects/Contact/003"), "{path}");
    assert_eq!(trial.query("SELECT Who.Birthdate FROM Task").fault().1, "INVALID_FIELD");
}

#[test]
fn deleted_rows_are_found_only_when_asked_for() {
    let (trial, accounts) = stocked(Settings::default());
    let gone = trial.deal("Gone", &json!({"AccountId": accounts[1]}));
    trial.delete("Opportunity", &gone);
    let soql = "SELECT+Name,IsDeleted+FROM+Opportunity+WHERE+IsDeleted=true";
    assert_eq!(trial.get(&format!("/query?q={soql}")).json()["totalSize"], 0);
    let all = trial.get(&format!("/queryAll/?q={soql}")).json();
    assert_eq!(
        (&all["records"][0]["Name"], &all["records"][0]["IsDeleted"]),
        (&json!("Gone"), &json!(true))
    );
    assert_eq!(
        trial.names("SELECT Name FROM Opportunity WHERE IsDeleted = true ALL ROWS"),
        ["Gone"]
    );
    let nested = "SELECT+(SELECT+Name+FROM+Opportunities)+FROM+Account+WHERE+Name='Tailspin'";
    let nested = trial.get(&format!("/queryAll?q={nested}")).json();
    assert_eq!(nested["records"][0]["Opportunities"]["totalSize"], 2);
}

#[test]
fn aliases_scopes_and_views_are_understood() {
    let (mut trial, _) = stocked(Settings::default());
    let listed =
        "SELECT c.LastName, a.Name FROM Contact c, c.Account a WHERE a.Name = 'Fabrikam' AND c.LastName = 'Xu'";
    let found = trial.query(listed).json();
    assert_eq!(found["records"][0]["Account"]["Name"], "Fabrikam");
    assert_eq!(
        trial.names("SELECT Name FROM Opportunity USING SCOPE mine WITH SECURITY_ENFORCED"),
        ["Seats"]
    );
    trial.query("SELECT Id FROM Account WHERE Name = 'Tailspin' FOR VIEW");
    assert_eq!(trial.get("/recent").json()[0]["Name"], "Tailspin");
    let fields = trial.query("SELECT FIELDS(STANDARD) FROM Opportunity").json()["records"][0].clone();
    assert!(fields.get("Amount").is_some() && fields.get("Audit__c").is_none());
    let all = trial.query("SELECT FIELDS(ALL) FROM Opportunity LIMIT 200").json()["records"][0].clone();
    assert!(all.get("Audit__c").is_some());
    trial.sign_in("seller");
    assert!(trial.names("SELECT Name FROM Opportunity USING SCOPE mine").is_empty());
}

#[test]
fn a_plan_tells_which_index_it_uses() {
    let (trial, accounts) = stocked(Settings::default());
    let leading = |condition: &str| {
        let soql = encoded(&format!("SELECT Id FROM Opportunity WHERE {condition}"));
        let plan = trial.get(&format!("/query/?explain={soql}")).json()["plans"][0].clone();
        (
            plan["leadingOperationType"].as_str().unwrap().to_owned(),
            plan["fields"].clone(),
        )
    };
    let index = |field: &str| ("Index".to_owned(), json!([field]));
    assert_eq!(leading("Id='006000000000001'"), index("Id"));
    assert_eq!(leading("Referral_Identifier__c='r'"), index("Referral_Identifier__c"));
    assert_eq!(leading(&format!("AccountId='{}'", accounts[0])), index("AccountId"));
    assert_eq!(leading("Name='x'"), index("Name"));
    assert_eq!(leading("SystemModstamp>2026-01-01T00:00:00Z"), index("SystemModstamp"));
    assert_eq!(leading("Amount>5"), ("TableScan".to_owned(), json!([])));
}
