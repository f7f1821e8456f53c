//! What describes must hold: every recorded key, and the switches that take fields away.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::salesforce::trial::Trial;
use crate::salesforce::{CustomField, CustomKind, CustomObject, Settings};

/// The keys of an entry in the list of all objects (salesforce.md section 3.5, recorded).
const BRIEF: &str = "activateable associateEntityType associateParentEntity createable custom customSetting deepCloneable deletable \
    deprecatedAndHidden feedEnabled hasSubtypes isInterface isSubtype keyPrefix label labelPlural layoutable mergeable mruEnabled name \
    queryable replicateable retrieveable searchable triggerable undeletable updateable urls";
const MORE: &str = "actionOverrides childRelationships compactLayoutable defaultImplementation extendedBy extendsInterfaces fields \
    implementedBy implementsInterfaces listviewable lookupLayoutable namedLayoutInfos networkScopeFieldName recordTypeInfos \
    searchLayoutable sobjectDescribeOption supportedScopes";
const FIELD: &str = "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive \
    compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate dependentPicklist \
    deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable filteredLookupInfo \
    formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label length mask maskType name \
    nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision queryByDistance \
    referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete restrictedPicklist scale \
    searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead";

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn words(list: &str) -> BTreeSet<&str> {
    list.split_whitespace().collect()
}

fn field<'a>(describe: &'a Value, name: &str) -> &'a Value {
    let fields = describe["fields"].as_array().unwrap();
    fields
        .iter()
        .find(|field| field["name"] == name)
        .unwrap_or(&Value::Null)
}

#[test]
fn every_object_and_field_has_every_key_that_was_recorded() {
    let trial = Trial::new();
    let global = trial.get("/sobjects/").json();
    assert_eq!(
        (&global["encoding"], &global["maxBatchSize"]),
        (&json!("UTF-8"), &json!(200))
    );
    for entry in global["sobjects"].as_array().unwrap() {
        assert_eq!(keys(entry), words(BRIEF));
        let name = entry["name"].as_str().unwrap();
        let describe = trial.get(&format!("/sobjects/{name}/describe/")).json();
        let both = format!("{BRIEF} {MORE}");
        assert_eq!(keys(&describe), words(&both), "{name}");
        for field in describe["fields"].as_array().unwrap() {
            assert_eq!(keys(field), words(FIELD), "{name}.{}", field["name"]);
        }
    }
}

#[test]
fn an_opportunity_is_described_as_the_recording_describes_it() {
    let trial = Trial::new();
    let describe = trial.get("/sobjects/opportunity/describe").json();
    assert_eq!(
        (&describe["keyPrefix"], &describe["labelPlural"]),
        (&json!("006"), &json!("Opportunities"))
    );
    let name = field(&describe, "Name");
    for (key, expected) in [
        ("length", json!(120)),
        ("byteLength", json!(360)),
        ("nillable", json!(false)),
        ("nameField", json!(true)),
        ("soapType", json!("xsd:string")),
    ] {
        assert_eq!(name[key], expected, "Name.{key}");
    }
    assert_eq!(field(&describe, "IsClosed")["defaultValue"], json!(false));
    assert_eq!(field(&describe, "Amount")["defaultValue"], Value::Null);
    let stages = field(&describe, "StageName")["picklistValues"].as_array().unwrap();
    assert_eq!((stages.len(), &stages[8]["value"]), (11, &json!("On Hold")));
    assert_eq!(
        field(&describe, "CurrencyIsoCode")["picklistValues"][0]["defaultValue"],
        json!(true)
    );
    let children = describe["childRelationships"].as_array().unwrap();
    let lines = children
        .iter()
        .find(|child| child["childSObject"] == "Microsoft_Solutions__c")
        .unwrap();
    assert_eq!(lines["relationshipName"], "Opportunity_To_Microsoft_Solutions__r");
    assert_eq!(
        (&lines["cascadeDelete"], &lines["field"]),
        (&json!(true), &json!("Opportunity__c"))
    );
    assert_eq!(describe["recordTypeInfos"][0]["recordTypeId"], "012000000000000AAA");
    assert!(describe["urls"]["uiNewRecord"].as_str().unwrap().ends_with("/006/e"));
}

#[test]
fn declared_objects_and_fields_are_described_and_written_and_hidden_ones_are_not() {
    let mut settings = Settings::default();
    let field_of = |object: &str, name: &str, kind| CustomField {
        object: object.to_owned(),
        name: name.to_owned(),
        label: name.replace("__c", ""),
        kind,
        required: false,
        external_id: false,
        unique: false,
    };
    settings.schema.custom_objects.push(CustomObject {
        name: "Visit__c".to_owned(),
        label: "Visit".to_owned(),
        plural: "Visits".to_owned(),
    });
    let master = CustomKind::MasterDetail {
        to: "Opportunity".to_owned(),
        children: "Visits__r".to_owned(),
    };
    settings.schema.custom_fields = vec![
        field_of("Visit__c", "Deal__c", master),
        field_of("Account", "Region__c", CustomKind::Text(10)),
    ];
    settings.schema.hidden_fields.insert("Opportunity.Amount".to_owned());
    let trial = Trial::with(settings);
    let deal = trial.deal("Seats", &json!({}));
    let visit = trial.create("Visit__c", &json!({"Deal__c": deal, "Name": "First"}));
    assert_eq!(
        trial.names("SELECT Name FROM Visit__c WHERE Deal__r.Name = 'seats'"),
        ["First"]
    );
    assert_eq!(&visit[..3], "a0G");
    let describe = trial.get("/sobjects/Opportunity/describe").json();
    let names: Vec<&Value> = describe["childRelationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| &child["relationshipName"])
        .collect();
    assert!(names.contains(&&json!("Visits__r")));
    assert_eq!(*field(&describe, "Amount"), Value::Null);
    assert_eq!(
        trial.patch("Opportunity", &deal, &json!({"Amount": 1})).fault().1,
        "INVALID_FIELD"
    );
    assert_eq!(trial.query("SELECT Amount FROM Opportunity").fault().1, "INVALID_FIELD");
    assert_eq!(trial.read("Opportunity", &deal).get("Amount"), None);
    let long = trial.post("Account", &json!({"Name": "x", "Region__c": "x".repeat(11)}));
    assert_eq!(long.fault().1, "STRING_TOO_LONG");
    assert_eq!(trial.delete("Opportunity", &deal).status, 204);
    assert!(trial.names("SELECT Name FROM Visit__c").is_empty());
}

#[test]
fn a_describe_that_the_client_has_is_not_sent_again() {
    let trial = Trial::new();
    for path in ["/sobjects", "/sobjects/Account", "/sobjects/Account/describe"] {
        let path = format!("/services/data/v60.0{path}");
        let status = |date: &str| {
            let headers = [("if-modified-since", date)];
            trial.send("GET", &path, &Value::Null, &headers).status.as_u16()
        };
        assert_eq!(status("Mon, 05 Jan 2026 09:00:00 GMT"), 304, "{path}");
        assert_eq!(status("Mon, 05 Jan 2026 08:59:59 GMT"), 200, "{path}");
    }
    assert_eq!(
        trial.get("/sobjects/Nothing__c/describe").fault(),
        (404, "NOT_FOUND".to_owned())
    );
    assert_eq!(
        trial.get("/sobjects/Campaign/describe").missing().unwrap(),
        "object `Campaign`"
    );
}

#[test]
fn the_resources_of_a_version_are_listed() {
    let trial = Trial::new();
    let list = trial.get("").json();
    assert_eq!(list["sobjects"], "/services/data/v60.0/sobjects");
    assert!(
        list["identity"]
            .as_str()
            .unwrap()
            .starts_with("https://contoso.my.salesforce.com/id/00D")
    );
}
