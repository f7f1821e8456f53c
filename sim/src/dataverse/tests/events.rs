//! Who is told of writes: callbacks of flows, and webhooks.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Org, ROOT};
use crate::happening::{Happening, Hook};

impl Org {
    /// What was owed since the last look.
    fn owed(&self) -> Vec<Hook> {
        let owed = |happening| {
            if let Happening::HookDue(hook) = happening {
                Some(hook)
            } else {
                None
            }
        };
        self.ground.happenings.drain().into_iter().filter_map(owed).collect()
    }

    fn callback(&self, more: &Value) -> String {
        let mut body = json!({"name": "f", "entityname": "opportunity", "message": 7, "scope": 4, "version": 1, "url": "https://flow.example/run"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.made("callbackregistrations", &body)
    }

    fn messages(&self) -> Vec<String> {
        let told = self.owed();
        told.iter()
            .map(|hook| {
                serde_json::from_str::<Value>(&hook.body).unwrap()["SdkMessage"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    fn named(&self, set: &str, filter: &str) -> String {
        let rows = self
            .get(&format!("{set}?$filter={}", filter.replace(' ', "%20")))
            .json();
        let row = rows["value"][0].as_object().unwrap();
        let key = row
            .iter()
            .find(|(name, _)| name.ends_with("id") && !name.starts_with('_'))
            .unwrap();
        format!("{set}({})", key.1.as_str().unwrap())
    }

    fn step(&self, endpoint: &Value, more: &Value) -> String {
        let endpoint = self.made("serviceendpoints", endpoint);
        let filter = self.get(&format!(
            "sdkmessagefilters?$filter=primaryobjecttypecode%20eq%20'opportunity'%20and%20_sdkmessageid_value%20eq%20{}",
            self.message_id("Update")
        ));
        let filter = filter.json()["value"][0]["sdkmessagefilterid"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut body = json!({
            "name": "s", "stage": 40, "mode": 1, "rank": 1, "asyncautodelete": true, "supporteddeployment": 0,
            "eventhandler_serviceendpoint@odata.bind": format!("/{endpoint}"),
            "sdkmessageid@odata.bind": format!("/sdkmessages({})", self.message_id("Update")),
            "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter})"),
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.made("sdkmessageprocessingsteps", &body)
    }

    fn message_id(&self, name: &str) -> String {
        let path = self.named("sdkmessages", &format!("name eq '{name}'"));
        path["sdkmessages(".len()..path.len() - 1].to_owned()
    }
}

fn endpoint() -> Value {
    json!({"name": "e", "url": "https://hook.example/in", "contract": 8, "authtype": 4, "authvalue": "k 1", "messageformat": 2})
}

#[test]
fn a_callback_is_owed_for_each_write_and_carries_the_row() {
    let org = Org::new();
    let registration = org.callback(&json!({}));
    org.owed();
    let deal = org.made("opportunities", &json!({"name": "d", "estimatedvalue": 5}));
    let hook = org.owed().remove(0);
    let body: Value = serde_json::from_str(&hook.body).unwrap();
    assert_eq!(
        (hook.url.as_str(), hook.event.as_str()),
        ("https://flow.example/run", "callback opportunity Create")
    );
    assert_eq!(
        json!([body["SdkMessage"], body["name"], body["estimatedvalue"]]),
        json!(["Create", "d", 5.0])
    );
    assert_eq!(body["RunAsSystemUserId"], body["_ownerid_value"]);
    for _ in 0..2 {
        org.patch(&deal, &json!({"name": "same"}));
    }
    org.send(&Method::DELETE, &deal, &[], &Value::Null);
    let owed = org.owed();
    let last: Value = serde_json::from_str(&owed[2].body).unwrap();
    assert_eq!(
        last.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["opportunityid", "SdkMessage", "RunAsSystemUserId"]
    );
    assert_eq!(owed.len(), 3, "nothing is left out because it came before");
    org.made("accounts", &json!({"name": "another table"}));
    org.send(&Method::DELETE, &registration, &[], &Value::Null);
    org.made("opportunities", &json!({"name": "nobody listens"}));
    assert!(org.owed().is_empty());
}

#[test]
fn columns_filter_updates_even_when_unchanged_and_an_expression_sees_the_row_after() {
    let org = Org::new();
    org.callback(&json!({"filteringattributes": "estimatedvalue, customerid"}));
    let deal = org.made("opportunities", &json!({"name": "d", "estimatedvalue": 5}));
    assert_eq!(org.messages(), ["Create"]);
    org.patch(&deal, &json!({"name": "other"}));
    assert!(org.messages().is_empty());
    org.patch(&deal, &json!({"estimatedvalue": 5}));
    assert_eq!(org.messages(), ["Update"], "in the update, though unchanged");
    org.patch(&deal, &json!({"customerid_account@odata.bind": null}));
    assert_eq!(org.messages(), ["Update"]);

    let org = Org::new();
    org.callback(&json!({"message": 3, "filterexpression": "estimatedvalue gt 10"}));
    let deal = org.made("opportunities", &json!({"name": "d", "estimatedvalue": 50}));
    assert!(org.messages().is_empty(), "only modified rows");
    for (value, told) in [(5, 0), (11, 1)] {
        org.patch(&deal, &json!({"estimatedvalue": value}));
        assert_eq!(org.messages().len(), told, "{value}");
    }
    let bad = json!({"name": "f", "entityname": "opportunity", "message": 7, "scope": 4, "version": 1, "url": "https://x.example", "filterexpression": "estimatedvalue gt"});
    assert_eq!(org.post("callbackregistrations", &bad).status, StatusCode::BAD_REQUEST);
    let own = Org::new();
    own.callback(&json!({"scope": 1}));
    own.as_user("seller")
        .made("opportunities", &json!({"name": "somebody else's"}));
    assert!(own.messages().is_empty());
}

#[test]
fn what_is_rolled_back_is_told_to_nobody_and_many_rows_are_told_one_by_one() {
    let org = Org::new();
    org.callback(&json!({}));
    org.owed();
    let act = |targets: Value| {
        org.post(
            "opportunities/Microsoft.Dynamics.CRM.CreateMultiple",
            &json!({"Targets": targets}),
        )
    };
    assert_eq!(
        act(json!([{"name": "a"}, {"name": "x".repeat(301)}])).status,
        StatusCode::BAD_REQUEST
    );
    assert!(org.owed().is_empty());
    assert!(org.ground.deliveries.entries().is_empty());
    act(json!([{"name": "a"}, {"name": "b"}]));
    assert_eq!(org.owed().len(), 2);
    assert_eq!(org.ground.deliveries.entries().len(), 2);
}

#[test]
fn a_webhook_carries_the_execution_context_and_says_who_calls() {
    let org = Org::new();
    org.step(
        &endpoint(),
        &json!({"filteringattributes": "estimatedvalue,statuscode,customerid"}),
    );
    let account = org.made("accounts", &json!({"name": "a"}));
    let deal = org.made("opportunities", &json!({"name": "d"}));
    org.owed();
    org.patch(&deal, &json!({"name": "no filtered column"}));
    assert!(org.owed().is_empty());
    org.patch(
        &deal,
        &json!({"estimatedvalue": 5000, "statuscode": 2, "customerid_account@odata.bind": account}),
    );
    let hook = org.owed().remove(0);
    assert_eq!(hook.url, "https://hook.example/in?code=k%201");
    let manner = hook.manner.unwrap();
    assert_eq!(manner.timeout.as_secs(), 60);
    let header = |name: &str| {
        manner
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("x-ms-dynamics-entity-name"), Some("opportunity"));
    assert_eq!(header("x-ms-dynamics-request-name"), Some("Update"));
    assert_eq!(header("x-ms-dynamics-msg-size-exceeded"), None);
    let body: Value = serde_json::from_str(&hook.body).unwrap();
    assert_eq!(
        json!([body["MessageName"], body["Stage"], body["Mode"], body["Depth"]]),
        json!(["Update", 40, 1, 1])
    );
    assert_eq!(header("x-ms-correlation-request-id"), body["CorrelationId"].as_str());
    assert!(deal.contains(body["PrimaryEntityId"].as_str().unwrap()));
    let target = &body["InputParameters"][0]["value"];
    assert_eq!(
        target["__type"],
        "Entity:http://schemas.microsoft.com/xrm/2011/Contracts"
    );
    let value = |key: &str| {
        let found = target["Attributes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|pair| pair["key"] == key);
        found.map(|pair| pair["value"].clone())
    };
    assert_eq!(value("estimatedvalue").unwrap()["Value"], 5000.0);
    assert_eq!(
        value("statuscode").unwrap(),
        json!({"__type": "OptionSetValue:http://schemas.microsoft.com/xrm/2011/Contracts", "Value": 2})
    );
    assert_eq!(value("customerid").unwrap()["LogicalName"], "account");
    assert_eq!(value("modifiedon").unwrap(), "/Date(1767603600000)/");
    assert_eq!(value("name"), None, "only what the request set");
}

#[test]
fn a_body_above_256_kib_goes_without_its_parameters() {
    let org = Org::new();
    let headers = json!({"name": "e", "url": "https://hook.example/in", "contract": 8, "authtype": 5,
        "authvalue": "<settings><setting name=\"x-key\" value=\"1\"/></settings>", "messageformat": 2});
    org.step(&headers, &json!({}));
    let deal = org.made("opportunities", &json!({"name": "d"}));
    org.owed();
    let audit = "x".repeat(99_000);
    org.patch(
        &deal,
        &json!({"msft_microsoftpartnercenterreferralsyncaudit": "\u{1}".repeat(50_000)}),
    );
    let hook = org.owed().remove(0);
    let manner = hook.manner.unwrap();
    assert!(
        manner
            .headers
            .contains(&("x-ms-dynamics-msg-size-exceeded".to_owned(), "true".to_owned()))
    );
    assert!(manner.headers.contains(&("x-key".to_owned(), "1".to_owned())));
    assert!(!hook.body.contains("InputParameters") && hook.body.len() < 4_096);
    org.patch(&deal, &json!({"msft_microsoftpartnercenterreferralsyncaudit": audit}));
    assert!(org.owed().remove(0).body.len() > 99_000);
}

#[test]
fn registrations_that_would_not_work_are_refused() {
    let org = Org::new();
    let mut bus = endpoint();
    bus["contract"] = json!(1);
    assert_eq!(org.post("serviceendpoints", &bus).status, StatusCode::NOT_IMPLEMENTED);
    let mut broken = endpoint();
    broken["authtype"] = json!(6);
    assert_eq!(
        org.post("serviceendpoints", &broken).fault(),
        (400, "0x80040203".into())
    );
    let endpoint = org.made("serviceendpoints", &endpoint());
    let step = json!({"name": "s", "stage": 40, "mode": 0, "rank": 1, "supporteddeployment": 0,
        "eventhandler_serviceendpoint@odata.bind": format!("{ROOT}{endpoint}"),
        "sdkmessageid@odata.bind": format!("/sdkmessages({})", org.message_id("Update"))});
    assert_eq!(
        org.post("sdkmessageprocessingsteps", &step).status,
        StatusCode::NOT_IMPLEMENTED,
        "inside the operation"
    );
    let nobody = json!({"entityname": "nosuch", "message": 1, "scope": 4, "version": 1, "url": "https://x.example"});
    assert_eq!(
        org.post("callbackregistrations", &nobody).fault(),
        (400, "0x80040203".into())
    );
}
