//! The org's rules over HTTP: addresses, duplicates, unique values, assignment, people who may only read.

use serde_json::{Value, json};

use crate::salesforce::trial::Trial;
use crate::salesforce::{AssignmentRule, CustomField, CustomKind, DuplicateRule, Settings};

#[test]
fn countries_and_states_are_names_of_the_list_with_their_codes() {
    let mut settings = Settings::default();
    settings.schema.state_country_picklists = true;
    let trial = Trial::with(settings);
    for (body, code, country) in [
        (json!({"BillingCountry": "germany"}), "DE", "Germany"),
        (json!({"BillingCountry": "DE"}), "DE", "Germany"),
        (
            json!({"BillingCountryCode": "US", "BillingState": "Texas"}),
            "US",
            "United States",
        ),
    ] {
        let mut whole = json!({"Name": "x"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let id = trial.create("Account", &whole);
        let read = trial.read("Account", &id);
        assert_eq!(
            (&read["BillingCountryCode"], &read["BillingCountry"]),
            (&json!(code), &json!(country)),
            "{body}"
        );
        if code == "US" {
            assert_eq!(read["BillingStateCode"], "TX");
            trial.patch("Account", &id, &json!({"BillingCountry": null}));
            assert_eq!(trial.read("Account", &id)["BillingCountryCode"], Value::Null);
        }
    }
    let reply = trial.post("Account", &json!({"Name": "x", "BillingCountry": "Atlantis"}));
    assert_eq!(
        reply.text,
        "[{\"message\":\"There's a problem with this country, even though it may appear correct. Please select a \
         country/territory from the list of valid countries.: Billing Country\",\"errorCode\":\"FIELD_INTEGRITY_EXCEPTION\",\
         \"fields\":[\"BillingCountry\"]}]"
    );
    let code = trial.post("Account", &json!({"Name": "x", "BillingCountryCode": "XX"}));
    assert_eq!(code.fault().1, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    let state = trial.post(
        "Account",
        &json!({"Name": "x", "BillingCountry": "US", "BillingState": "Bavaria"}),
    );
    assert_eq!(state.fault().1, "FIELD_INTEGRITY_EXCEPTION");
    let plain = Trial::new().post("Account", &json!({"Name": "x", "BillingCountry": "Atlantis"}));
    assert_eq!(plain.status, 201);
}

#[test]
fn a_duplicate_rule_finds_others_and_lets_them_pass_when_asked() {
    let rule = DuplicateRule {
        name: "Standard_Contact_Duplicate_Rule".to_owned(),
        matching_rule: "Standard_Contact_Match_Rule_v1_1".to_owned(),
        object: "Contact".to_owned(),
        fields: vec!["Email".to_owned()],
        allow_save: true,
        message: "Use one of these records?".to_owned(),
    };
    let trial = Trial::with(Settings {
        duplicate_rules: vec![rule],
        ..Settings::default()
    });
    let body = json!({"LastName": "Xu", "Email": "ann@fabrikam.example"});
    let first = trial.create("Contact", &body);
    let reply = trial.post("Contact", &json!({"LastName": "Yi", "Email": "Ann@fabrikam.example"}));
    assert_eq!(reply.fault(), (400, "DUPLICATES_DETECTED".to_owned()));
    let found = &reply.json()[0]["duplicateResult"];
    assert_eq!(
        found["matchResults"][0]["matchRecords"][0]["record"]["Id"],
        json!(first)
    );
    let path = "/services/data/v60.0/sobjects/Contact";
    let saved = trial.send(
        "POST",
        path,
        &body,
        &[("sforce-duplicate-rule-header", "allowSave=true")],
    );
    assert_eq!(saved.status, 201);
    assert_eq!(
        trial.patch("Contact", &first, &json!({"Title": "CEO"})).status,
        204,
        "the field did not change"
    );
}

#[test]
fn a_unique_value_is_held_by_one_record() {
    let mut settings = Settings::default();
    settings.schema.custom_fields.push(CustomField {
        object: "Account".to_owned(),
        name: "Number__c".to_owned(),
        label: "Number".to_owned(),
        kind: CustomKind::Number(8, 0),
        required: false,
        external_id: true,
        unique: true,
    });
    let trial = Trial::with(settings);
    let first = trial.create("Account", &json!({"Name": "a", "Number__c": 7}));
    let reply = trial.post("Account", &json!({"Name": "b", "Number__c": 7}));
    assert_eq!(reply.fault(), (400, "DUPLICATE_VALUE".to_owned()));
    assert_eq!(
        reply.message(),
        format!("duplicate value found: Number__c duplicates value on record with id: {first}")
    );
    assert_eq!(trial.patch("Account", &first, &json!({"Number__c": 7})).status, 204);
    trial.delete("Account", &first);
    assert_eq!(trial.post("Account", &json!({"Name": "b", "Number__c": 7})).status, 201);
}

#[test]
fn assignment_rules_reset_the_owner_unless_the_header_says_false() {
    let trial = Trial::with(Settings {
        assignment_rules: vec![AssignmentRule {
            object: "Lead".to_owned(),
            owner: "seller".to_owned(),
        }],
        ..Settings::default()
    });
    let lead = trial.create("Lead", &json!({"LastName": "Xu", "Company": "Fabrikam"}));
    let owner =
        |trial: &Trial| trial.query("SELECT Owner.Name FROM Lead").json()["records"][0]["Owner"]["Name"].clone();
    assert_eq!(owner(&trial), "seller");
    let connector = trial.query("SELECT Id FROM User WHERE Name = 'connector'").json()["records"][0]["Id"].clone();
    let path = format!("/services/data/v60.0/sobjects/Lead/{lead}");
    let write = |header: &str| {
        let body = json!({"OwnerId": connector});
        trial
            .send("PATCH", &path, &body, &[("sforce-auto-assign", header)])
            .status
            .as_u16()
    };
    assert_eq!((write("FALSE"), owner(&trial)), (204, json!("connector")));
    assert_eq!((write("TRUE"), owner(&trial)), (204, json!("seller")));
}

#[test]
fn people_who_may_only_read_write_nothing() {
    let trial = Trial::with(Settings {
        read_only_users: ["connector".to_owned()].into_iter().collect(),
        ..Settings::default()
    });
    let reply = trial.post("Account", &json!({"Name": "x"}));
    assert_eq!(reply.fault(), (400, "INSUFFICIENT_ACCESS_OR_READONLY".to_owned()));
    assert_eq!(trial.get("/limits").status, 200);
}

#[test]
fn a_task_knows_its_account_and_whether_it_is_done() {
    let trial = Trial::new();
    let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
    let deal = trial.deal("x", &json!({"AccountId": account}));
    let task = trial.create("Task", &json!({"Subject": "Call", "WhatId": deal, "Priority": "High"}));
    let read = trial.read("Task", &task);
    assert_eq!(
        (&read["AccountId"], &read["Status"]),
        (&json!(account), &json!("Not Started"))
    );
    assert_eq!(
        (&read["IsClosed"], &read["IsHighPriority"]),
        (&json!(false), &json!(true))
    );
    trial.patch("Task", &task, &json!({"Status": "Completed"}));
    assert_eq!(trial.read("Task", &task)["IsClosed"], true);
}
