//! Registration and events.

use std::collections::BTreeSet;

use super::*;
use crate::delivery_log::{Attempt, DeliveryState};
use crate::identity::{Scope, User};

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

const VALIDATION: &str = "/webhooks/v1/registration/validationEvents";

/// The status of one attempt, as whoever delivers writes it down.
fn attempted(desk: &Desk, hook: &Hook, status: Option<u16>, state: DeliveryState) {
    let attempt = Attempt {
        at: desk.ground.clock.now(),
        status,
        problem: status.is_none().then(|| "nobody answers".to_owned()),
    };
    desk.ground.deliveries.attempted(hook.number.unwrap(), attempt, state);
}

#[test]
fn a_test_event_is_sent_on_demand_and_reported() {
    let desk = Desk::new();
    desk.hook_call(
        Method::POST,
        REGISTRATION,
        &BODY.replace("referral-created", "test-created"),
    );
    let asked = desk.hook_call(Method::POST, VALIDATION, "");
    assert_eq!(asked.status, 200, "{}", asked.text);
    let correlation = text(&asked.json()["correlationId"]);
    assert_eq!(asked.headers["ms-correlationid"], correlation.as_str());
    let hooks = desk.hooks();
    assert_eq!(
        hooks[0].body,
        "{\"EventName\":\"test-created\",\
         \"ResourceUri\":\"https://api.partnercenter.microsoft.com/v1/webhooks/registration/test\",\
         \"ResourceName\":\"test\",\"AuditUri\":null,\
         \"ResourceChangeUtcDate\":\"2026-01-05T09:00:00.0000000+00:00\"}"
    );
    let report = || desk.hook_call(Method::GET, &format!("{VALIDATION}/{correlation}"), "");
    assert_eq!(report().json()["status"], "pending");
    attempted(&desk, &hooks[0], None, DeliveryState::Waiting);
    desk.wait(SignedDuration::from_mins(1));
    attempted(&desk, &hooks[0], Some(200), DeliveryState::Delivered);
    assert_eq!(
        report().json(),
        json!({
            "correlationId": correlation,
            "partnerId": "00000000-0000-4000-8000-00000000b001",
            "status": "completed",
            "callbackUrl": "https://connector.example/hook",
            "results": [
                {"responseCode": "", "responseMessage": "nobody answers", "systemError": true,
                 "dateTimeUtc": "2026-01-05T09:00:00.0000000"},
                {"responseCode": "OK", "responseMessage": "", "systemError": false,
                 "dateTimeUtc": "2026-01-05T09:01:00.0000000"},
            ],
        })
    );
    desk.wait(SignedDuration::from_hours(7 * 24));
    assert_eq!(report().status, 404);
}

#[test]
fn test_events_must_be_registered_and_are_two_a_minute() {
    let desk = Desk::new();
    let ask = || desk.hook_call(Method::POST, VALIDATION, "");
    desk.hook_call(Method::POST, REGISTRATION, BODY);
    assert_eq!(ask().status, 400);
    desk.hook_call(
        Method::PUT,
        REGISTRATION,
        &BODY.replace("referral-created", "test-created"),
    );
    assert_eq!(ask().status, 200);
    let refused = ask();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(
        refused.text,
        r#"{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 60 seconds." }"#
    );
    desk.wait(SignedDuration::from_secs(60));
    assert_eq!(ask().status, 200);
}

#[test]
fn a_webhook_that_could_never_be_delivered_cannot_be_registered() {
    let desk = Desk::with(Settings {
        hooks_over_http_only: true,
        ..Settings::default()
    });
    let refused = desk.hook_call(Method::POST, REGISTRATION, BODY);
    assert_eq!(refused.status, 501);
    assert!(refused.text.contains("nothing here speaks TLS"), "{}", refused.text);
    let plain = BODY.replace("https:", "http:");
    assert_eq!(desk.hook_call(Method::POST, REGISTRATION, &plain).status, 200);
}

#[test]
fn the_second_environment_gets_the_events_and_the_first_one_none() {
    let desk = Desk::new();
    desk.hook_call(Method::POST, REGISTRATION, BODY);
    let id = text(&desk.created(&deal("a"))["id"]);
    desk.hook_call(
        Method::PUT,
        REGISTRATION,
        &BODY.replace("connector.example", "thief.example"),
    );
    desk.replace(&id, "/details/notes", "x");
    let urls: Vec<String> = desk.hooks().into_iter().map(|hook| hook.url).collect();
    assert_eq!(urls, ["https://connector.example/hook", "https://thief.example/hook"]);
    let logged = desk.ground.deliveries.entries();
    assert_eq!(
        (logged.len(), logged[1].url.as_str()),
        (2, "https://thief.example/hook")
    );
}

#[test]
fn the_tenants_calls_are_throttled_and_a_days_budget_ends_at_midnight() {
    let minute = std::time::Duration::from_mins(1);
    let desk = Desk::with(Settings {
        throttle: Some(Throttle { calls: 3, per: minute }),
        ..Settings::default()
    });
    // A call without a good token belongs to no tenant.
    assert_eq!(desk.call(Method::GET, REFERRALS, &[], Body::empty()).status, 401);
    assert_eq!(desk.get(REFERRALS).status, 200);
    assert_eq!(desk.get(&one("nothing")).status, 404);
    assert_eq!(desk.hook_call(Method::GET, REGISTRATION, "").status, 404);
    let refused = desk.get(REFERRALS);
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.headers["retry-after"].to_str().unwrap()
        ),
        (429, "60")
    );
    assert_eq!(refused.headers["content-type"], "application/json");
    // The documented sample is 84 bytes long.
    assert_eq!(refused.text.len(), 84);

    let desk = Desk::with(Settings {
        daily_calls: Some(1),
        ..Settings::default()
    });
    assert_eq!(desk.get(REFERRALS).status, 200);
    let refused = desk.get(REFERRALS);
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.headers["retry-after"].to_str().unwrap()
        ),
        (429, "54000")
    );
    let person =
        desk.ground
            .authority
            .issue_at_screen("connector", PARTNER_CENTER_AUDIENCE, SignedDuration::from_hours(1));
    let person = desk.call(
        Method::GET,
        REFERRALS,
        &[("authorization", &bearer(&person.unwrap()))],
        Body::empty(),
    );
    assert_eq!(person.status, 200);
    desk.wait(SignedDuration::from_secs(54_000));
    assert_eq!(desk.get(REFERRALS).status, 200);
}

#[test]
fn a_role_and_its_scope_decide_what_is_seen_and_changed() {
    let desk = Desk::new();
    let mut body = deal("a");
    body["team"] = json!([{"firstName": "U", "lastName": "Ser", "email": "user@contoso.example"}]);
    let mine = text(&desk.created(&body)["id"]);
    let other = text(&desk.created(&deal("b"))["id"]);
    let engagement = text(&desk.created(&deal("c"))["engagementId"]);
    desk.created(&invitation("c", &json!(engagement)));
    let authority = &desk.ground.authority;
    authority.put_user("user", &[Role::ReferralsUser]);
    authority.set_user(User {
        scope: Scope::Locations(BTreeSet::from(["msft".to_owned()])),
        ..User::new("local", &[Role::ReferralsAdmin])
    });
    let call = |who: &str, method: Method, path: &str, body: &str| {
        let token = bearer(&issue(&desk.ground, who, PARTNER_CENTER_AUDIENCE, false));
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        desk.call(method, path, &headers, body.to_owned())
    };
    let listed = |who: &str, query: &str| {
        let list = call(who, Method::GET, &format!("{REFERRALS}{query}"), "").json();
        list["value"].as_array().unwrap().len()
    };
    assert_eq!(
        (listed("user", ""), listed("local", ""), listed("connector", "")),
        (1, 0, 3)
    );
    // One of the two in the engagement is at that location.
    let both = format!("?$filter=engagementId%20eq%20{engagement}");
    assert_eq!((listed("local", &both), listed("connector", &both)), (1, 2));
    assert_eq!(call("user", Method::GET, &one(&mine), "").status, 200);
    assert_eq!(call("user", Method::GET, &one(&other), "").status, 404);
    let patch = r#"[{"op": "replace", "path": "/details/notes", "value": "x"}]"#;
    assert_eq!(call("user", Method::PATCH, &one(&mine), patch).status, 403);
    assert_eq!(
        call("user", Method::POST, REFERRALS, &deal("d").to_string()).status,
        403
    );
    // A role that is taken away counts at once, whatever the token.
    authority.put_user("connector", &[]);
    let denied = desk.get(REFERRALS);
    assert_eq!(
        (denied.status.as_u16(), denied.error()["code"].as_str()),
        (403, Some("unAuthorized"))
    );
}
