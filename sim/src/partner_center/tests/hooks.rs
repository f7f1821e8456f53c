//! Registration and events.

use super::*;

const REGISTRATION: &str = "/webhooks/v1/registration";

const BODY: &str = r#"{
    "WebhookUrl": "https://connector.example/hook",
    "WebhookEvents": ["referral-created", "referral-updated"],
    "signatureTokenToMsSignatureHeader": true
}"#;

#[test]
fn one_registration_is_made_once_seen_and_replaced() {
    let desk = Desk::new();
    assert_eq!(desk.hook_call(Method::GET, REGISTRATION, "").status, 404);
    assert_eq!(desk.hook_call(Method::PUT, REGISTRATION, BODY).status, 404);
    let made = desk.hook_call(Method::POST, REGISTRATION, BODY);
    assert_eq!(made.status, 200, "{}", made.text);
    let subscriber = text(&made.json()["SubscriberId"]);
    assert_eq!(
        desk.hook_call(Method::GET, REGISTRATION, "").json(),
        json!({"WebhookUrl": "https://connector.example/hook", "WebhookEvents": ["referral-created", "referral-updated"]})
    );
    let again = desk.hook_call(Method::POST, REGISTRATION, BODY);
    assert_eq!(again.status, 409);
    assert_eq!(
        again.json()["description"],
        "Registration already exists, use the PUT method to update a registration."
    );
    let thief = BODY.replace("connector.example", "thief.example");
    let replaced = desk.hook_call(Method::PUT, REGISTRATION, &thief).json();
    assert_eq!(
        (&replaced["SubscriberId"], &replaced["WebhookUrl"]),
        (&json!(subscriber), &json!("https://thief.example/hook"))
    );
}

#[test]
fn a_commit_owes_the_registered_url_its_event() {
    let desk = Desk::new();
    desk.created(&deal("before anybody listens"));
    assert!(desk.hooks().is_empty());
    desk.hook_call(Method::POST, REGISTRATION, BODY);
    let created = desk.created(&deal("a"));
    let id = text(&created["id"]);
    desk.replace(&id, "/details/notes", "x");
    // Not registered for what happens to Microsoft's side.
    desk.created(&invitation("a", &created["engagementId"]));
    let hooks = desk.hooks();
    let events: Vec<&str> = hooks.iter().map(|hook| hook.event.as_str()).collect();
    assert_eq!(events, ["referral-created", "referral-updated"]);
    assert_eq!(
        hooks[0].body,
        format!(
            "{{\"EventName\":\"referral-created\",\
             \"ResourceUri\":\"https://api.partnercenter.microsoft.com/engagements/v1/referrals/{id}\",\
             \"ResourceName\":\"referral\",\"AuditUri\":null,\
             \"ResourceChangeUtcDate\":\"2026-01-05T09:00:00.0000000+00:00\"}}"
        )
    );
    assert!(hooks[0].signature_in_ms_header);
}

#[test]
fn the_other_partys_changes_are_related_events() {
    let desk = Desk::new();
    let body = BODY
        .replace("referral-created", "related-referral-created")
        .replace("\"referral-updated", "\"related-referral-updated");
    assert_eq!(desk.hook_call(Method::POST, REGISTRATION, &body).status, 200);
    let own = desk.created(&deal("a"));
    desk.created(&invitation("a", &own["engagementId"]));
    let engagement = text(&own["engagementId"]);
    desk.it.microsoft(MicrosoftAct::Accept { engagement }).unwrap();
    let events: Vec<String> = desk.hooks().into_iter().map(|hook| hook.event).collect();
    assert_eq!(events, ["related-referral-created", "related-referral-updated"]);
}

#[test]
fn the_address_in_an_event_can_be_read_with_either_token() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("a"))["id"]);
    let path = format!("/engagements/v1/referrals/{id}");
    assert_eq!(desk.get(&path).status, 200);
    assert_eq!(desk.hook_call(Method::GET, &path, "").status, 200);
    assert_eq!(desk.hook_call(Method::GET, &one(&id), "").status, 401);
}

#[test]
fn events_are_listed_and_the_rest_of_the_api_is_refused() {
    let desk = Desk::new();
    let events = desk.hook_call(Method::GET, "/webhooks/v1/registration/events", "");
    assert_eq!(events.json(), json!(webhook::EVENTS));
    assert_eq!(events.headers["x-locale"], "en-US");
    assert_eq!(
        desk.hook_call(Method::POST, "/webhooks/v1/registration/validationEvents", "")
            .status,
        501
    );
    assert_eq!(desk.hook_call(Method::DELETE, REGISTRATION, "").status, 501);
}

#[test]
fn the_registration_api_has_its_own_error_shape_and_its_own_audience() {
    let desk = Desk::new();
    for (token, status) in [
        (issue(&desk.ground, "connector", PARTNER_CENTER_AUDIENCE, false), 401),
        (
            issue(&desk.ground, "seller", PARTNER_CENTER_EVENTS_AUDIENCE, false),
            403,
        ),
        (
            issue(&desk.ground, "connector", PARTNER_CENTER_EVENTS_AUDIENCE, true),
            404,
        ),
    ] {
        let answer = desk.call(
            Method::GET,
            REGISTRATION,
            &[("authorization", &bearer(&token))],
            Body::empty(),
        );
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert!(answer.json()["description"].is_string());
    }
}
