//! `$expand` and what stands behind a row in a URL.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::queries::stocked;
use super::{Org, ROOT};
use crate::dataverse::Settings;

#[test]
fn expanded_rows_stand_inside_with_their_own_options() {
    let (org, [_, rich, ..]) = stocked();
    let path = format!(
        "{rich}?$select=name&$expand=primarycontactid($select=fullname),Account_Tasks($select=subject;\
         $filter=subject%20ne%20'x';$orderby=subject%20desc;$top=1),\
         opportunity_customer_accounts($select=name;$expand=parentaccountid($select=name))"
    );
    let reply = org.get(&path);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let row = reply.json();
    assert_eq!(
        row["@odata.context"],
        format!(
            "{ROOT}$metadata#accounts(name,primarycontactid(fullname),Account_Tasks(subject),\
             opportunity_customer_accounts(name,parentaccountid(name)))/$entity"
        )
    );
    assert_eq!(row["primarycontactid"]["fullname"], "Yvonne McKay");
    assert!(
        row["primarycontactid"]["contactid"].is_string(),
        "an expanded row always has its key"
    );
    assert_eq!(row["Account_Tasks"].as_array().unwrap().len(), 1);
    assert_eq!(row["Account_Tasks"][0]["subject"], "visit");
    assert_eq!(
        row["opportunity_customer_accounts"][1]["parentaccountid"]["name"],
        "Fourth Coffee"
    );
    let owner = org.get(&format!(
        "{rich}?$select=name&$expand=owninguser($select=fullname),ownerid($select=fullname)"
    ));
    let owner = owner.json();
    assert_eq!(owner["owninguser"]["fullname"], "connector");
    assert_eq!(owner["owninguser"]["ownerid"], owner["owninguser"]["systemuserid"]);
    assert_eq!(owner["ownerid"]["@odata.type"], "#Microsoft.Dynamics.CRM.systemuser");
    let links = org
        .get(&format!("{rich}?$select=name&$expand=primarycontactid/$ref"))
        .json();
    assert!(
        links["primarycontactid"]["@odata.id"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{ROOT}contacts("))
    );
    let nobody = org
        .get("accounts?$select=name&$expand=primarycontactid&$filter=name%20eq%20'Litware'")
        .json();
    assert_eq!(nobody["value"][0]["primarycontactid"], Value::Null);
}

#[test]
fn options_that_the_server_does_not_take_get_its_error() {
    let (org, [_, rich, ..]) = stocked();
    for wrong in [
        "primarycontactid($orderby=fullname)",
        "primarycontactid($top=1)",
        "Account_Tasks($expand=Task_Annotation($orderby=subject))",
        "Account_Tasks/$ref",
        "Account_Tasks($levels=2)",
        "Account_Tasks($select=nosuch)",
        "nosuch",
        "Account_Tasks($top=x)",
    ] {
        assert_eq!(
            org.get(&format!("{rich}?$expand={wrong}")).fault(),
            (400, "0x80060888".into()),
            "{wrong}"
        );
    }
    let many = vec!["primarycontactid"; 16].join(",");
    assert_eq!(
        org.get(&format!("{rich}?$expand={many}")).status,
        StatusCode::BAD_REQUEST
    );
}

#[test]
fn a_long_expanded_collection_ends_with_a_link_to_its_rest() {
    let org = Org::with(Settings {
        page_size: 2,
        ..Settings::default()
    });
    let account = org.made("accounts", &json!({"name": "a"}));
    for number in 0..5 {
        let task = json!({"subject": format!("t{number}"), "regardingobjectid_account_task@odata.bind": format!("/{account}")});
        org.made("tasks", &task);
    }
    let row = org
        .get(&format!(
            "{account}?$select=name&$expand=Account_Tasks($select=subject;$orderby=subject)"
        ))
        .json();
    let mut seen: Vec<Value> = row["Account_Tasks"].as_array().unwrap().clone();
    let mut next = row["Account_Tasks@odata.nextLink"].as_str().map(str::to_owned);
    while let Some(link) = next {
        let page = org.get(link.strip_prefix(ROOT).unwrap()).json();
        assert_eq!(page["@odata.context"], format!("{ROOT}$metadata#tasks(subject)"));
        seen.extend(page["value"].as_array().unwrap().iter().cloned());
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    let subjects: Vec<&str> = seen.iter().map(|task| task["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["t0", "t1", "t2", "t3", "t4"]);
}

#[test]
fn columns_rows_collections_links_and_counts_stand_behind_a_row() {
    let (org, [contact, rich, poor, one, _]) = stocked();
    let id = &rich["accounts(".len()..rich.len() - 1];
    assert_eq!(
        org.get(&format!("{rich}/name")).json(),
        json!({"@odata.context": format!("{ROOT}$metadata#accounts({id})/name"), "value": "Fourth Coffee"})
    );
    assert_eq!(org.get(&format!("{rich}/name/$value")).text, "Fourth Coffee");
    assert_eq!(org.get(&format!("{rich}/websiteurl")).status, StatusCode::NO_CONTENT);
    let person = org.get(&format!("{rich}/primarycontactid?$select=fullname"));
    assert_eq!(person.json()["fullname"], "Yvonne McKay");
    assert_eq!(
        person.json()["@odata.context"],
        format!("{ROOT}$metadata#contacts(fullname)/$entity")
    );
    assert_eq!(
        org.get(&format!("{poor}/primarycontactid")).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.get(&format!("{rich}/primarycontactid/$ref")).json(),
        json!({"@odata.context": format!("{ROOT}$metadata#$ref"), "@odata.id": format!("{ROOT}{contact}")})
    );
    assert_eq!(
        org.get(&format!("{one}/customerid_account/primarycontactid/fullname"))
            .json()["value"],
        "Yvonne McKay"
    );
    assert_eq!(
        org.get(&format!("{one}/customerid_contact")).status,
        StatusCode::NO_CONTENT
    );
}

#[test]
fn members_links_and_counts_of_a_collection_stand_behind_its_row() {
    let (org, [_, rich, poor, one, _]) = stocked();
    let deals = org.get(&format!(
        "{rich}/opportunity_customer_accounts?$select=name&$orderby=name%20desc&$count=true"
    ));
    assert_eq!(
        (&deals.json()["@odata.count"], &deals.json()["value"][0]["name"]),
        (&json!(2), &json!("two"))
    );
    let count = org.get(&format!(
        "{rich}/opportunity_customer_accounts/$count?$filter=name%20eq%20'one'"
    ));
    assert_eq!(
        (count.header("content-type"), count.text.as_str()),
        ("text/plain", "\u{feff}1")
    );
    assert_eq!(org.get("accounts/$count").text, "\u{feff}2");
    let links = org.get(&format!("{rich}/opportunity_customer_accounts/$ref")).json();
    assert_eq!(links["@odata.context"], format!("{ROOT}$metadata#Collection($ref)"));
    assert_eq!(links["value"].as_array().unwrap().len(), 2);
    let member = &one["opportunities".len()..];
    let inside = org.get(&format!("{rich}/opportunity_customer_accounts{member}/name"));
    assert_eq!(inside.json()["value"], "one");
    let outside = org.get(&format!("{poor}/opportunity_customer_accounts{member}"));
    assert_eq!(outside.fault(), (404, "0x80040217".into()));
    assert_eq!(
        org.get("accounts(accountnumber='F-4')/name").json()["value"],
        "Fourth Coffee"
    );
    for wrong in ["nosuch", "name/nosuch", "nosuch/$ref"] {
        assert_eq!(
            org.get(&format!("{rich}/{wrong}")).fault(),
            (404, "0x80060888".into()),
            "{wrong}"
        );
    }
}

#[test]
fn pairs_of_a_many_to_many_relationship_are_read_from_both_sides() {
    let org = Org::new();
    let me = org.get("WhoAmI").json()["UserId"].as_str().unwrap().to_owned();
    let roles = org
        .get(&format!("systemusers({me})/systemuserroles_association?$select=name"))
        .json();
    assert_eq!(roles["value"][0]["name"], "System Administrator");
    let path = "roles?$select=name&$filter=systemuserroles_association/any(u:u/fullname%20eq%20'connector')";
    assert_eq!(org.get(path).json()["value"].as_array().unwrap().len(), 1);
    org.ground
        .authority
        .put_user("connector", &[crate::identity::Role::SystemCustomizer]);
    let roles = org
        .get(&format!(
            "systemusers({me})?$expand=systemuserroles_association($select=name)"
        ))
        .json();
    assert_eq!(roles["systemuserroles_association"][0]["name"], "System Customizer");
}

#[test]
fn an_entity_tag_saves_no_read_of_what_other_rows_may_change() {
    let (org, [_, rich, ..]) = stocked();
    let tag = org.get(&rich).header("etag").to_owned();
    let get = |path: &str, prefer: &str| {
        let headers = [("if-none-match", tag.as_str()), ("prefer", prefer)];
        org.send(&Method::GET, path, &headers, &Value::Null).status
    };
    assert_eq!(get(&rich, "x"), StatusCode::NOT_MODIFIED);
    assert_eq!(get(&format!("{rich}?$expand=primarycontactid"), "x"), StatusCode::OK);
    assert_eq!(get(&rich, "odata.include-annotations=\"*\""), StatusCode::OK);
}

#[test]
fn an_environment_has_the_solution_with_its_variables_and_flows() {
    let org = Org::new();
    let count = |path: &str| org.get(path).json()["value"].as_array().unwrap().len();
    assert_eq!(
        count("workflows?$select=name&$filter=category%20eq%205%20and%20statecode%20eq%201"),
        9
    );
    assert_eq!(
        count("solutions?$filter=publisherid/customizationprefix%20eq%20'msft'"),
        1
    );
    let values = "environmentvariabledefinition_environmentvariablevalue($select=value)";
    let found = org.get(&format!(
        "environmentvariabledefinitions?$select=displayname,defaultvalue&$expand={values}"
    ));
    let found = found.json()["value"].as_array().unwrap().clone();
    let field = found
        .iter()
        .find(|found| found["defaultvalue"] == "estimatedvalue")
        .unwrap();
    assert_eq!(field["displayname"], "Deal value field name in Dynamics 365");
    let id = field["environmentvariabledefinitionid"].as_str().unwrap();
    let value = json!({"schemaname": "x", "value": "budgetamount",
        "EnvironmentVariableDefinitionId@odata.bind": format!("/environmentvariabledefinitions({id})")});
    org.made("environmentvariablevalues", &value);
    let current = org
        .get(&format!("environmentvariabledefinitions({id})?$expand={values}"))
        .json();
    assert_eq!(
        current["environmentvariabledefinition_environmentvariablevalue"][0]["value"],
        "budgetamount"
    );
    assert_eq!(count("connectionreferences"), 3);
}
