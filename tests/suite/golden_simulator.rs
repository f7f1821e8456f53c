//! The documented samples, from the simulator's side: it emits what Partner Center prints.
//!
//! The samples are data in `tests/golden`; the connector's side stands in another file and shares no code with this one.

use bytes::Bytes;
use cosell_sim::partner_center::{MicrosoftAct, SharedDeal};
use cosell_sim::site::Site;
use cosell_sim::world::{Observed, World, WorldSettings};
use http::{Method, Request, Response};
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = format!("{}/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a golden file can be read")).expect("it is JSON")
}

fn world() -> World {
    let mut settings = WorldSettings {
        crm: vec![Site::Dataverse],
        ..WorldSettings::default()
    };
    // The sample's closing date is in 2018.
    settings.partner_center.closing_date_may_be_past = true;
    World::new(settings)
}

fn ask(world: &mut World, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Response<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.ask(
        "partner",
        request
            .body(Bytes::from(body.to_string()))
            .expect("a request can be made"),
    )
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).expect("the answer is JSON")
}

const REFERRALS: &str = "https://api.partner.microsoft.com/v1.0/engagements/referrals";

/// Every leaf of a value with its JSON pointer.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    if let Some(fields) = value.as_object() {
        for (key, value) in fields {
            leaves(value, &format!("{path}/{key}"), found);
        }
    } else if let Some(items) = value.as_array().filter(|items| !items.is_empty()) {
        for (index, item) in items.iter().enumerate() {
            leaves(item, &format!("{path}/{index}"), found);
        }
    } else {
        found.push((path.to_owned(), value.clone()));
    }
}

fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    leaves(value, "", &mut found);
    found.into_iter().map(|(path, _)| path).collect()
}

#[test]
fn a_create_as_documented_is_answered_as_documented() {
    let mut world = world();
    let response = ask(&mut world, Method::POST, REFERRALS, &[], &golden("create-request"));
    assert_eq!(response.status(), 200, "{:?}", response.body());
    let created = json_of(&response);
    // Identifiers and times are each run's own; the sample's links are misspelt (facts section 1.1).
    let own = [
        "/id",
        "/engagementId",
        "/organization",
        "/created",
        "/updated",
        "/eTag",
        "/links",
    ];
    let mut wanted = Vec::new();
    leaves(&golden("create-response"), "", &mut wanted);
    for (path, value) in wanted {
        let found = created.pointer(&path);
        if own.iter().any(|prefix| path.starts_with(prefix)) {
            assert!(found.is_some(), "{path} is missing");
        } else {
            assert_eq!(found, Some(&value), "{path} differs");
        }
    }
}

#[test]
fn a_referral_has_every_field_of_a_real_answer_and_no_other() {
    let mut world = world();
    let shared = SharedDeal {
        name: "Discover Sensitive Data Workshop".to_owned(),
        customer: cosell_sim::partner_center::Customer {
            name: "FABRIKAM OIL &amp; GAS S.A.".to_owned(),
            country: Some("AR".to_owned()),
            contact: Some(cosell_sim::partner_center::CustomerContact::default()),
            ..Default::default()
        },
        value: Some(10_000.0),
        currency: "USD".to_owned(),
        closing: "2026-03-04T03:00:00Z".parse().expect("a time"),
        notes: None,
        solutions: vec![(
            "3a2fead4-d3fa-4fe9-819f-8062f6f3b2fe".to_owned(),
            "M365 E5 Compliance".to_owned(),
        )],
        help: None,
    };
    let id = world
        .microsoft(MicrosoftAct::Share(shared))
        .expect("Microsoft may share");
    let found = json_of(&ask(
        &mut world,
        Method::GET,
        &format!("{REFERRALS}/{id}"),
        &[],
        &Value::Null,
    ));
    let real = golden("referral-real");
    let top = |value: &Value| {
        let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    let mut keys = top(&found);
    keys.retain(|key| key != "@odata.context");
    assert_eq!(keys, top(&real));
    let inner = |value: &Value| {
        let kept = |path: &String| {
            !["/target", "/team", "/customerProfile/team", "/customerProfile/ids"]
                .iter()
                .any(|list| path.starts_with(list))
        };
        let mut paths: Vec<String> = pointers(value)
            .into_iter()
            .filter(kept)
            .filter(|path| path != "/@odata.context")
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(inner(&found), inner(&real));
    let tag = found["eTag"].as_str().expect("a text");
    assert!(
        tag.starts_with('"') && tag.ends_with('"'),
        "the quote marks are inside the value: {tag}"
    );
    let created = found["createdDateTime"].as_str().expect("a text");
    assert_eq!(created.len(), "2022-02-24T21:04:06.0372014Z".len(), "{created}");
}

#[test]
fn a_stale_tag_is_refused_with_the_body_that_was_really_seen() {
    let mut world = world();
    let created = json_of(&ask(
        &mut world,
        Method::POST,
        REFERRALS,
        &[],
        &golden("create-request"),
    ));
    let url = format!("{REFERRALS}/{}", created["id"].as_str().expect("an id"));
    let patch = json!([{"op": "replace", "path": "/details/dealValue", "value": "10000"}]);
    let response = ask(&mut world, Method::PATCH, &url, &[("if-match", "\"stale\"")], &patch);
    assert_eq!(response.status(), 412);
    assert_eq!(json_of(&response), golden("precondition-failed"));
}

#[test]
fn a_webhook_has_the_documented_members_in_their_order() {
    let mut world = world();
    let registration = json!({
        "WebhookUrl": "https://connector.example/hook",
        "WebhookEvents": ["referral-created", "referral-updated"],
    });
    let url = "https://api.partnercenter.microsoft.com/webhooks/v1/registration";
    assert_eq!(ask(&mut world, Method::POST, url, &[], &registration).status(), 200);
    assert_eq!(
        ask(&mut world, Method::POST, REFERRALS, &[], &golden("create-request")).status(),
        200
    );
    while world.step() {
        while let Some(observation) = world.poll_observation() {
            let Observed::Delivering { request, event, .. } = observation.what else {
                continue;
            };
            let body = request.body.json().expect("a webhook is JSON");
            let sample = golden("webhook");
            let keys = |value: &Value| {
                value
                    .as_object()
                    .expect("an object")
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(keys(&body), keys(&sample));
            assert_eq!(event, "referral-created");
            assert_eq!(body["ResourceName"], "referral");
            assert_eq!(body["AuditUri"], Value::Null);
            let at = body["ResourceChangeUtcDate"].as_str().expect("a text");
            assert!(
                at.ends_with("+00:00") && at.len() == "2018-02-17T00:05:39.5485487+00:00".len(),
                "{at}"
            );
            return;
        }
    }
    panic!("no webhook was delivered");
}
