//! Requests that are wrong: a vendor-shaped error each, and never a panic.

use super::*;

/// A change of the small deal that must be refused, with the target that the error names.
fn refused(pointer: &str, value: Value, target: &str) {
    let desk = Desk::new();
    let mut body = deal("One");
    *body.pointer_mut(pointer).unwrap() = value;
    let answer = desk.post(&body);
    assert_eq!(answer.status, 400, "{pointer}: {}", answer.text);
    assert_eq!(answer.error()["code"], "invalidRequest");
    assert_eq!(answer.error()["target"], target, "{pointer}: {}", answer.text);
    assert!(desk.commits().is_empty());
}

#[test]
fn a_create_without_something_required_is_refused() {
    refused("/name", json!(" "), "name");
    refused("/type", Value::Null, "type");
    refused("/customerProfile", Value::Null, "customerProfile");
    refused("/customerProfile/name", Value::Null, "customerProfile/name");
    refused("/consent", Value::Null, "consent");
    refused("/details", Value::Null, "details");
    refused("/details/dealValue", Value::Null, "details/dealValue");
    refused("/details/currency", Value::Null, "details/currency");
    refused("/details/closingDateTime", Value::Null, "details/closingDateTime");
    refused("/customerProfile/team", json!([]), "customerProfile/team");
    let solutions = "details/requirements/solutions";
    refused("/details/requirements/solutions", json!([]), solutions);
    refused("/details/requirements/solutions/0/id", json!(""), solutions);
}

#[test]
fn a_create_with_a_wrong_value_is_refused() {
    let country = "customerProfile/address/country";
    for value in [Value::Null, json!("USA"), json!("us"), json!("")] {
        refused("/customerProfile/address/country", value, country);
    }
    refused("/details/currency", json!("usd"), "details/currency");
    for value in [json!(-1), json!("abc"), json!("-1"), json!(true)] {
        refused("/details/dealValue", value, "details/dealValue");
    }
    for value in [
        json!("tomorrow"),
        json!("2026-06-30"),
        json!("2026-06-30T00:00:00"),
        json!(5),
    ] {
        refused("/details/closingDateTime", value, "details/closingDateTime");
    }
    refused("/type", json!("Other"), "type");
    let help = "inviteContext/assistanceRequestCode";
    refused("/inviteContext/assistanceRequestCode", json!("Money"), help);
    let solution = json!({"id": "SOL-1", "name": "One", "type": "Name"});
    let many = "details/requirements/solutions";
    refused("/details/requirements/solutions", json!(vec![solution; 51]), many);
    let member = json!({"email": "a@contoso.example"});
    refused("/team", json!(vec![member; 51]), "team");
}

/// Every place of a value, the whole included.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, member) in inner {
        places(member, &format!("{path}/{name}"), found);
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_told_in_the_words_of_json_wherever_it_stands() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let patch = json!([{"op": "add", "path": "/customerProfile/team/-", "value": {"firstName": "A"}}]);
    let hook = json!({"WebhookUrl": "http://c.example/h", "WebhookEvents": ["test-created"]});
    let mut refused = 0;
    for (kind, whole) in [
        ("post", deal("One")),
        ("patch", patch),
        ("put", deal("One")),
        ("hook", hook),
    ] {
        let mut found = Vec::new();
        places(&whole, "", &mut found);
        for place in found {
            for wrong in [
                json!([]),
                json!([1]),
                json!({}),
                json!(5),
                json!("x"),
                json!(true),
                Value::Null,
            ] {
                let mut body = whole.clone();
                *body.pointer_mut(&place).unwrap() = wrong.clone();
                let answer = match kind {
                    "post" => desk.post(&body),
                    "patch" => desk.patch(&id, &body),
                    "put" => desk.write(Method::PUT, &one(&id), &[("if-match", "*")], &body),
                    _ => desk.hook_call(Method::PUT, "/webhooks/v1/registration", &body.to_string()),
                };
                assert_ne!(answer.status, 500, "{kind} {place} {wrong}");
                for word in [
                    "struct",
                    "enum ",
                    "f64",
                    "i64",
                    "u64",
                    "elements",
                    "variant identifier",
                    "tuple",
                    "Draft",
                ] {
                    assert!(!answer.text.contains(word), "{kind} {place} {wrong}: {}", answer.text);
                }
                if answer.status == 400 && kind != "hook" {
                    refused += 1;
                    assert_eq!(answer.error()["code"], "invalidRequest");
                    assert!(
                        answer.error()["target"]
                            .as_str()
                            .is_some_and(|target| !target.is_empty())
                    );
                }
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn a_list_is_taken_for_no_object() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let listed = desk.post(&json!([]));
    assert_eq!(
        listed.error()["message"],
        "The request body is not valid: invalid type: list, expected an object at line 1 column 0."
    );
    let mut body = deal("One");
    body["consent"] = json!([true, true, true]);
    assert_eq!(desk.post(&body).error()["target"], "consent", "a list is no object");
    assert_eq!(
        desk.patch(&id, &json!([["replace", "/details/notes", "x"]])).error()["target"],
        "0"
    );
}

#[test]
fn a_missing_solution_is_named_as_the_documents_name_it() {
    let desk = Desk::new();
    let mut body = deal("One");
    body["details"]["requirements"]["solutions"] = json!([]);
    assert_eq!(desk.post(&body).error()["message"], "Solution ID is required");
}

#[test]
fn an_unknown_field_is_not_simulated() {
    let desk = Desk::new();
    let mut body = deal("One");
    body["details"]["probability"] = json!(50);
    assert_eq!(desk.post(&body).status, 501);
    assert_eq!(desk.refusals()[0].missing, "body field `probability` in referral");
    let mut body = deal("One");
    body["id"] = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(desk.post(&body).status, 501);
}

#[test]
fn a_wrong_engagement_is_refused() {
    let desk = Desk::new();
    let nobodys = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(desk.post(&invitation("One", &nobodys)).status, 404);
    assert_eq!(desk.post(&invitation("One", &json!("x"))).status, 400);
    assert_eq!(desk.post(&invitation("One", &Value::Null)).status, 400);
    let own = desk.created(&deal("One"));
    let mut body = deal("One");
    body["engagementId"] = own["engagementId"].clone();
    assert_eq!(desk.post(&body).status, 501);
}

#[test]
fn wrong_patches_are_refused() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    for (body, status) in [
        (json!({}), 400),
        (json!([1]), 400),
        (json!([{"op": "replace", "path": "/details/notes"}]), 400),
        (json!([{"op": "remove", "path": "/details/notes"}]), 400),
        (json!([{"op": "move", "path": "/details/notes", "from": "/name"}]), 400),
        (json!([{"op": "replace", "path": "/team/-", "value": {}}]), 400),
        (json!([{"op": "replace", "path": "/eTag", "value": "x"}]), 400),
        (json!([{"op": "replace", "path": "", "value": {}}]), 400),
        (
            json!([{"op": "replace", "path": "/details/dealValue", "value": null}]),
            400,
        ),
        (
            json!([{"op": "replace", "path": "/details/dealValue", "value": "1e9"}]),
            400,
        ),
        (json!([{"op": "replace", "path": "/team", "value": 5}]), 400),
        (
            json!([{"op": "add", "path": "/team/-", "value": {"nickname": "x"}}]),
            501,
        ),
        (
            json!([{"op": "replace", "path": "/details/notes", "value": "x", "why": 1}]),
            501,
        ),
    ] {
        let answer = desk.patch(&id, &body);
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
    }
}

#[test]
fn wrong_transport_is_refused() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let bearer = bearer(&desk.token);
    let authorized = ("authorization", bearer.as_str());
    let post = |content_type: &str, body: &str| {
        let headers = [authorized, ("content-type", content_type)];
        desk.call(Method::POST, REFERRALS, &headers, body.to_owned())
            .status
            .as_u16()
    };
    assert_eq!(post("text/plain", "{}"), 415);
    assert_eq!(post("application/json-patch+json", "{}"), 415);
    assert_eq!(post("application/json; charset=utf-8", "{"), 400);
    assert_eq!(post("application/json", ""), 400);
    assert_eq!(post("application/json", &"[".repeat(100_000)), 400);
    let notes = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(post("application/json", &notes), 413);
    let unknown = one("00000000-0000-4000-8000-000000000000");
    for (path, status) in [
        (unknown.as_str(), 404),
        ("/v1.0/engagements/referrals/x", 404),
        ("/v1.0/engagements/referrals/%ff", 404),
        ("/v1.0/engagements/referrals/x?$select=id", 501),
        ("/v1.0/engagements", 501),
        ("/v2.0/engagements/referrals", 501),
    ] {
        assert_eq!(desk.get(path).status.as_u16(), status, "{path}");
    }
    desk.refusals();
    assert_eq!(desk.write(Method::DELETE, &one(&id), &[], &json!([])).status, 501);
    assert_eq!(desk.refusals()[0].missing, "route");
}

#[test]
fn who_may_not_is_told_so() {
    let desk = Desk::new();
    desk.ground.authority.put_user("reader", &[Role::ReferralsUser]);
    let token = |user: &str, audience: &str, app_only: bool| bearer(&issue(&desk.ground, user, audience, app_only));
    for (authorization, status, code) in [
        (String::new(), 401, "unauthenticated"),
        ("Bearer x".to_owned(), 401, "unauthenticated"),
        (
            token("connector", PARTNER_CENTER_EVENTS_AUDIENCE, false),
            401,
            "unauthenticated",
        ),
        (token("connector", PARTNER_CENTER_AUDIENCE, true), 401, "unAuthorized"),
        (token("seller", PARTNER_CENTER_AUDIENCE, false), 403, "unAuthorized"),
    ] {
        let answer = desk.call(
            Method::GET,
            REFERRALS,
            &[("authorization", &authorization)],
            Body::empty(),
        );
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert_eq!(answer.error()["code"], code);
    }
    let reader = token("reader", PARTNER_CENTER_AUDIENCE, false);
    let answer = desk.call(Method::GET, REFERRALS, &[("authorization", &reader)], Body::empty());
    // A Referrals user sees the deals of their own team: none.
    assert_eq!(
        (answer.status.as_u16(), answer.json()["@odata.count"].as_u64()),
        (200, Some(0))
    );
    desk.wait(SignedDuration::from_hours(24 * 31));
    let expired = desk.get(REFERRALS);
    assert_eq!(
        (expired.status.as_u16(), expired.error()["message"].clone()),
        (401, json!("The access token has expired."))
    );
}

/// Pieces that make bodies which are nearly right.
const PIECES: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"name\"",
    "\"op\"",
    "\"replace\"",
    "\"add\"",
    "\"path\"",
    "\"/status\"",
    "\"/team/-\"",
    "\"value\"",
    "null",
    "1",
    "-1e400",
    "\"\\u0000\"",
    "\"details\"",
    "\"customerProfile\"",
    "\"dealValue\"",
    "\"Closed\"",
    "\"/details/closingDateTime\"",
    "\"9999999-99-99\"",
    "\u{feff}",
    "é",
    "'",
    "true",
];

#[test]
fn no_body_no_option_and_no_address_brings_it_down() {
    let desk = Desk::new();
    let id = text(&desk.created(&deal("One"))["id"]);
    let mut chance = Seed(4).stream("bodies");
    let mut draw = |most: u64| usize::try_from(chance.between(0, most)).unwrap();
    for _ in 0..3000 {
        let mut body: String = (0..draw(30)).map(|_| PIECES[draw(27)]).collect();
        if draw(3) == 0 {
            body = format!(
                "[{{\"op\":\"replace\",\"path\":{},\"value\":{}}}]",
                PIECES[6 + draw(17)],
                PIECES[draw(27)]
            );
        }
        let (method, path) = match draw(3) {
            0 => (Method::POST, REFERRALS.to_owned()),
            1 => (Method::PATCH, one(&id)),
            2 => (Method::PUT, one(&id)),
            _ => (Method::POST, "/webhooks/v1/registration".to_owned()),
        };
        let (one, two) = (bearer(&desk.token), bearer(&desk.events_token));
        let token = if path.starts_with("/webhooks") { two } else { one };
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
            ("if-match", "*"),
        ];
        let answer = desk.call(method, &path, &headers, body.clone());
        assert!(answer.status.as_u16() != 500, "{path} {body}: {}", answer.text);
    }
    let signs = [
        "$filter=",
        "status",
        "%20",
        "eq",
        "'",
        "(",
        ")",
        "not",
        "any",
        "t:",
        "%ff",
        "$skiptoken=",
        "&",
        "$top=",
        "9",
    ];
    for _ in 0..3000 {
        let query: String = (0..draw(14)).map(|_| signs[draw(14)]).collect();
        let answer = desk.get(&format!("{REFERRALS}?{query}"));
        assert!(answer.status.as_u16() != 500, "{query}: {}", answer.text);
    }
}
