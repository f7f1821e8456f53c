//! Metadata as real clients ask for them (dataverse.md section 2.9), and bad requests for them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Org, ROOT};

fn rows(org: &Org, path: &str) -> Vec<Value> {
    let reply = org.get(&path.replace(' ', "%20"));
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
    reply.json()["value"].as_array().unwrap().clone()
}

#[test]
fn the_requests_that_real_clients_send_are_answered() {
    let org = Org::new();
    let by_name = "EntityDefinitions?%24select=LogicalName%2CEntitySetName%2CPrimaryIdAttribute&%24filter=LogicalName+eq+%27opportunity%27";
    let found = org.get(by_name).json();
    assert_eq!(
        found["@odata.context"],
        format!("{ROOT}$metadata#EntityDefinitions(LogicalName,EntitySetName,PrimaryIdAttribute)")
    );
    let row = &found["value"][0];
    assert_eq!(
        (&row["LogicalName"], &row["EntitySetName"], &row["PrimaryIdAttribute"]),
        (&json!("opportunity"), &json!("opportunities"), &json!("opportunityid"))
    );
    let id = row["MetadataId"].as_str().unwrap();
    let all = rows(&org, "EntityDefinitions?$select=EntitySetName,LogicalName");
    assert!(all.len() > 30 && all.iter().any(|row| row["EntitySetName"] == "transactioncurrencies"));
    let account = org.get("EntityDefinitions(LogicalName='account')").json();
    assert_eq!(account["PrimaryNameAttribute"], "name");
    assert_eq!(account["DisplayName"]["UserLocalizedLabel"]["Label"], "Account");
    assert_eq!(
        org.get(&format!("EntityDefinitions({id})?$select=SchemaName")).json()["SchemaName"],
        "Opportunity"
    );
    let columns = rows(
        &org,
        "EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName,MaxLength&$filter=AttributeType ne 'Virtual'",
    );
    let name = columns.iter().find(|column| column["LogicalName"] == "name").unwrap();
    assert_eq!(name["MaxLength"], 160);
    assert_eq!(name["@odata.type"], "#Microsoft.Dynamics.CRM.StringAttributeMetadata");
    let choices = rows(
        &org,
        "EntityDefinitions(LogicalName='opportunity')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata\
         ?$select=LogicalName&$expand=OptionSet($select=Options)",
    );
    let stage = choices
        .iter()
        .find(|choice| choice["LogicalName"] == "salesstage")
        .unwrap();
    assert_eq!(stage["OptionSet"]["Options"][3]["Value"], 3);
    assert_eq!(
        stage["OptionSet"]["Options"][3]["Label"]["UserLocalizedLabel"]["Label"],
        "Close"
    );
    assert_eq!(stage.get("@odata.type"), None, "a cast says the type already");
    assert!(choices.iter().all(|choice| choice["LogicalName"] != "name"));
    let keys = rows(&org, "EntityDefinitions(LogicalName='account')/Keys");
    assert_eq!(keys[0]["KeyAttributes"], json!(["accountnumber"]));
    assert!(rows(&org, "EntityDefinitions?$filter=IsPrivate eq false&$select=LogicalName").len() > 30);
    let owned = "EntityDefinitions?$filter=OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'&$select=LogicalName";
    assert!(rows(&org, owned).iter().any(|row| row["LogicalName"] == "account"));
    let filters = "sdkmessagefilters?$expand=sdkmessageid($select=name)&$filter=(sdkmessageid/name eq 'CreateMultiple' or \
                   sdkmessageid/name eq 'UpdateMultiple') and primaryobjecttypecode eq 'account'";
    assert_eq!(rows(&org, filters).len(), 2);
}

#[test]
fn relationships_are_found_from_both_tables_and_by_name() {
    let org = Org::new();
    let of = |table: &str, kind: &str| rows(&org, &format!("EntityDefinitions(LogicalName='{table}')/{kind}"));
    let deals = of("account", "OneToManyRelationships");
    let deals = deals
        .iter()
        .find(|found| found["SchemaName"] == "opportunity_customer_accounts")
        .unwrap();
    assert_eq!(
        (
            &deals["ReferencingEntity"],
            &deals["ReferencingAttribute"],
            &deals["ReferencingEntityNavigationPropertyName"]
        ),
        (
            &json!("opportunity"),
            &json!("customerid"),
            &json!("customerid_account")
        )
    );
    let ways = of("opportunity", "ManyToOneRelationships");
    assert!(
        ways.iter()
            .any(|found| found["SchemaName"] == "opportunity_customer_contacts")
    );
    let roles = of("systemuser", "ManyToManyRelationships");
    assert!(
        roles
            .iter()
            .any(|found| found["IntersectEntityName"] == "systemuserroles")
    );
    let named = rows(
        &org,
        "RelationshipDefinitions?$filter=SchemaName eq 'account_primary_contact'",
    );
    assert_eq!(
        named[0]["@odata.type"],
        "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata"
    );
    let one = org
        .get("RelationshipDefinitions(SchemaName='teammembership_association')")
        .json();
    assert_eq!(one["RelationshipType"], "ManyToManyRelationship");
    let many = "RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata?$select=SchemaName";
    assert_eq!(rows(&org, many).len(), 6);
    let nested = org.get(
        "EntityDefinitions(LogicalName='lead')?$select=LogicalName&$expand=Attributes($select=LogicalName;\
         $filter=LogicalName%20eq%20'statuscode'),Keys",
    );
    assert_eq!(nested.json()["Attributes"][0]["LogicalName"], "statuscode");
    assert_eq!(nested.json()["Keys"], json!([]));
}

#[test]
fn choices_are_told_with_state_and_default() {
    let org = Org::new();
    let column = |table: &str, name: &str, cast: &str| {
        let path = format!(
            "EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{name}')/Microsoft.Dynamics.CRM.\
             {cast}AttributeMetadata?$expand=OptionSet"
        );
        let reply = org.get(&path);
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()["OptionSet"].clone()
    };
    let status = column("opportunity", "statuscode", "Status");
    assert_eq!(
        (&status["Options"][1]["Value"], &status["Options"][1]["State"]),
        (&json!(2), &json!(0))
    );
    let state = column("opportunity", "statecode", "State");
    assert_eq!(state["Options"][1]["InvariantName"], "Won");
    let yes = column("opportunity", "msft_microsoftpartnercenterreferralsync", "Boolean");
    assert_eq!(yes["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"], "Yes");
    let set = org.get(
        "EntityDefinitions(LogicalName='opportunity')/Attributes(LogicalName='need')/Microsoft.Dynamics.CRM.\
        PicklistAttributeMetadata/GlobalOptionSet",
    );
    assert_eq!(set.json()["Name"], "need");
    assert!(
        rows(&org, "GlobalOptionSetDefinitions")
            .iter()
            .any(|set| set["Name"] == "budgetstatus")
    );
    assert_eq!(
        org.get("GlobalOptionSetDefinitions(Name='need')").json()["Options"][0]["Value"],
        0
    );
    let label = org.get("EntityDefinitions(LogicalName='account')/DisplayName");
    assert_eq!(label.json()["UserLocalizedLabel"]["Label"], "Account");
    assert_eq!(
        org.get("EntityDefinitions(LogicalName='account')/EntitySetName").json()["value"],
        "accounts"
    );
}

#[test]
fn the_document_names_every_table_and_what_the_data_show() {
    let org = Org::new();
    let reply = org.get("$metadata");
    assert_eq!(reply.header("content-type"), "application/xml");
    let document = roxmltree::Document::parse(&reply.text).unwrap();
    let types: Vec<_> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "EntityType")
        .collect();
    let set = |name: &str| {
        let mut sets = document
            .descendants()
            .filter(|node| node.tag_name().name() == "EntitySet");
        sets.any(|node| node.attribute("Name") == Some(name))
    };
    for table in org.get("").json()["value"].as_array().unwrap() {
        assert!(set(table["name"].as_str().unwrap()), "{table}");
    }
    let opportunity = types
        .iter()
        .find(|node| node.attribute("Name") == Some("opportunity"))
        .unwrap();
    let has = |kind: &str, name: &str, of: &str| {
        opportunity.children().any(|node| {
            node.tag_name().name() == kind && node.attribute("Name") == Some(name) && node.attribute("Type") == Some(of)
        })
    };
    assert!(has("Property", "_customerid_value", "Edm.Guid"));
    assert!(has("Property", "estimatedvalue", "Edm.Decimal"));
    assert!(has("Property", "estimatedclosedate", "Edm.Date"));
    assert!(has("NavigationProperty", "customerid_account", "mscrm.account"));
    assert!(has("NavigationProperty", "Opportunity_Tasks", "Collection(mscrm.task)"));
    org.made("opportunities", &json!({"name": "a"}));
    let shown = org.get("opportunities").json()["value"][0].clone();
    for name in shown.as_object().unwrap().keys().filter(|name| !name.contains('@')) {
        let known = opportunity.children().any(|node| node.attribute("Name") == Some(name));
        assert!(known, "{name} stands in the document");
    }
    for node in types.iter().flat_map(roxmltree::Node::children) {
        let Some(of) = node.attribute("Type").filter(|of| of.contains("mscrm.")) else {
            continue;
        };
        let of = of
            .trim_start_matches("Collection(")
            .trim_end_matches(')')
            .trim_start_matches("mscrm.");
        assert!(
            types.iter().any(|node| node.attribute("Name") == Some(of)),
            "{of} is a type"
        );
    }
}

#[test]
fn bad_requests_for_metadata_get_an_error_and_writes_are_refused_by_name() {
    let org = Org::new();
    for (path, fault) in [
        ("EntityDefinitions(LogicalName='nosuch')", (404, "0x80040217")),
        ("EntityDefinitions(Other='account')", (400, "0x80060888")),
        ("EntityDefinitions(account)", (400, "0x80060888")),
        ("EntityDefinitions?$select=NoSuch", (400, "0x80060888")),
        ("EntityDefinitions?$filter=NoSuch%20eq%20'a'", (400, "0x80060888")),
        ("EntityDefinitions?$expand=NoSuch", (400, "0x80060888")),
        ("EntityDefinitions(LogicalName='account')/NoSuch", (404, "0x80060888")),
        (
            "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='nosuch')",
            (404, "0x80040217"),
        ),
        ("EntityDefinitions/Attributes", (404, "0x80060888")),
        ("GlobalOptionSetDefinitions(Name='nosuch')", (404, "0x80040217")),
    ] {
        let found = org.get(path).fault();
        assert_eq!(found, (fault.0, fault.1.into()), "{path}");
    }
    for path in ["EntityDefinitions", "RelationshipDefinitions", "CreateEntities"] {
        let reply = org.post(path, &json!({"SchemaName": "new_x"}));
        let missing = reply.json()["notSimulated"]["missing"].as_str().unwrap().to_owned();
        assert_eq!(missing, format!("metadata writes (`POST {path}`)"));
    }
    let gone = org.send(
        &Method::DELETE,
        "EntityDefinitions(LogicalName='account')",
        &[],
        &Value::Null,
    );
    assert_eq!(gone.status, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(org.get("EntityDefinitions?$top=1").status, StatusCode::NOT_IMPLEMENTED);
}
