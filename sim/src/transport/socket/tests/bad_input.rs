//! Every bad input that Partner Center must survive: a vendor-shaped error, and an entry in the journal.

use serde_json::{Value, json};

use super::*;

struct Bench {
    served: Served,
    base: String,
    token: String,
}

/// One request, and what must come of it: status, and a part of the answer.
struct Case {
    what: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    status: u16,
    part: &'static str,
}

impl Bench {
    fn new() -> Self {
        let mut settings = ServeSettings {
            clock: ServeClock::Manual(default_start()),
            ..ServeSettings::default()
        };
        settings.systems.partner_center.known_solutions = Some(vec!["SOL-1".to_owned()]);
        settings.systems.partner_center.closing_date_may_be_past = false;
        let served = serve(&settings).unwrap();
        let base = served.bases().of(Site::PartnerCenter);
        let token = served.token("connector", Site::PartnerCenter, "/").unwrap();
        Self { served, base, token }
    }

    /// Status and body.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, String)], body: &str) -> (u16, String) {
        use std::fmt::Write as _;
        let mut socket = TcpStream::connect(self.base.trim_start_matches("http://")).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let own = |name: &str| headers.iter().any(|(given, _)| *given == name);
        if !own("authorization") {
            write!(head, "authorization: Bearer {}\r\n", self.token).unwrap();
        }
        if !own("content-type") {
            head.push_str("content-type: application/json\r\n");
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
        socket.write_all(head.as_bytes()).unwrap();
        // A server that has read enough may have closed.
        drop(socket.write_all(body.as_bytes()));
        let mut answer = String::new();
        drop(socket.read_to_string(&mut answer));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or(0), body.to_owned())
    }

    fn create(&self) -> String {
        let (status, body) = self.ask("POST", REFERRALS, &[], &deal().to_string());
        assert_eq!(status, 200, "{body}");
        let made: Value = serde_json::from_str(&body).unwrap();
        made["id"].as_str().unwrap().to_owned()
    }
}

const REFERRALS: &str = "/v1.0/engagements/referrals";

fn deal() -> Value {
    json!({
        "name": "One", "type": "Independent", "qualification": "SalesQualified",
        "customerProfile": {"name": "Fabrikam", "address": {"country": "US"}, "team": []},
        "consent": {"consentToToShareInfoWithOthers": true, "consentToContact": true,
                    "consentToShareReferralWithMicrosoftSellers": false},
        "details": {"dealValue": 5, "currency": "USD", "closingDateTime": "2026-06-30T00:00:00Z",
                    "requirements": {"solutions": [{"id": "SOL-1", "name": "One", "type": "Name"}]}},
    })
}

fn case(
    what: &'static str,
    method: &'static str,
    path: &str,
    body: impl Into<String>,
    status: u16,
    part: &'static str,
) -> Case {
    Case {
        what,
        method,
        path: path.to_owned(),
        headers: Vec::new(),
        body: body.into(),
        status,
        part,
    }
}

/// Creates that are wrong in one place.
fn creates() -> Vec<Case> {
    let with = |what, pointer: &str, value: Value, part| {
        let mut body = deal();
        *body.pointer_mut(pointer).unwrap() = value;
        case(what, "POST", REFERRALS, body.to_string(), 400, part)
    };
    let solution = json!({"id": "SOL-1", "name": "One", "type": "Name"});
    let unknown = json!([{"id": "SOL-9", "name": "Nine", "type": "Name"}]);
    let (country, value) = ("/customerProfile/address/country", "/details/dealValue");
    let mut long = deal();
    long["details"]["notes"] = json!("n".repeat(1024 * 1024));
    vec![
        with("unknown solution", "/details/requirements/solutions", unknown, "SOL-9"),
        with(
            "51 solutions",
            "/details/requirements/solutions",
            json!(vec![solution; 51]),
            "at most 50",
        ),
        with("three-letter country", country, json!("USA"), "two-letter"),
        with("lower-case country", country, json!("us"), "two-letter"),
        with("negative value", value, json!(-5), "details/dealValue"),
        with("textual value", value, json!("much"), "details/dealValue"),
        with(
            "past closing date",
            "/details/closingDateTime",
            json!("2025-01-01T00:00:00Z"),
            "in the past",
        ),
        case(
            "a megabyte of notes",
            "POST",
            REFERRALS,
            long.to_string(),
            413,
            "too large",
        ),
        case("a list for a deal", "POST", REFERRALS, "[]", 400, "invalid type: list"),
        Case {
            headers: vec![("content-type", "text/plain".to_owned())],
            ..case(
                "wrong content type",
                "POST",
                REFERRALS,
                deal().to_string(),
                415,
                "Content-Type",
            )
        },
    ]
}

/// Writes to one referral, which is open, and to one that is closed.
fn writes(open: &str, closed: &str) -> Vec<Case> {
    let patch = |what, id: &str, body: Value, status, part| {
        case(
            what,
            "PATCH",
            &format!("{REFERRALS}/{id}"),
            body.to_string(),
            status,
            part,
        )
    };
    let to = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    let won = json!([{"op": "replace", "path": "/status", "value": "New"},
                     {"op": "replace", "path": "/substatus", "value": "Pending"}]);
    let stale = vec![("if-match", "\"0-0\"".to_owned())];
    vec![
        patch("malformed patch", open, json!({"op": "replace"}), 400, "patch"),
        case("no JSON", "PATCH", &format!("{REFERRALS}/{open}"), "[{", 400, "EOF"),
        patch("read-only path", open, to("/eTag", json!("x")), 400, "/eTag"),
        patch("illegal transition", open, won, 400, "not allowed"),
        patch(
            "closed referral",
            closed,
            to("/details/notes", json!("late")),
            400,
            "No further updates",
        ),
        Case {
            headers: stale,
            ..patch("stale eTag", open, to("/details/notes", json!("x")), 412, "99918")
        },
    ]
}

/// Reads, and who may not.
fn reads(served: &Served) -> Vec<Case> {
    let list = |what, query: &str, part| case(what, "GET", &format!("{REFERRALS}?{query}"), "", 400, part);
    let deep = format!(
        "$filter={}status%20eq%20'New'{}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    let by = |what, token: Option<String>, part| Case {
        headers: vec![("authorization", format!("Bearer {}", token.unwrap()))],
        ..case(what, "GET", REFERRALS, "", 401, part)
    };
    let authority = &served.ground().authority;
    let issue = |audience: &str, seconds| {
        authority.issue("connector", audience, SignedDuration::from_secs(seconds), false, "t-")
    };
    let own = crate::identity::PARTNER_CENTER_AUDIENCE;
    vec![
        list("unknown filter field", "$filter=colour%20eq%20'red'", "colour"),
        list("ten thousand parentheses", &deep, "$filter"),
        by(
            "wrong audience",
            issue(crate::identity::PARTNER_CENTER_EVENTS_AUDIENCE, 60),
            "unauthenticated",
        ),
        by("expired token", issue(own, 0), "expired"),
        by("foreign token", Some("somebody-elses".to_owned()), "unauthenticated"),
    ]
}

#[test]
fn each_bad_input_gets_a_vendor_shaped_error_and_an_entry_in_the_journal() {
    let bench = Bench::new();
    let (open, closed) = (bench.create(), bench.create());
    let close = json!([{"op": "replace", "path": "/status", "value": "Closed"},
                       {"op": "replace", "path": "/substatus", "value": "Lost"}]);
    let (status, _) = bench.ask("PATCH", &format!("{REFERRALS}/{closed}"), &[], &close.to_string());
    assert_eq!(status, 204);
    let before = bench.served.rows();
    let control = bench.served.control().to_owned();
    let mut cases = creates();
    cases.extend(writes(&open, &closed));
    cases.extend(reads(&bench.served));
    assert_eq!(cases.len(), 21);
    for Case {
        what,
        method,
        path,
        headers,
        body,
        status,
        part,
    } in cases
    {
        let (found, answer) = bench.ask(method, &path, &headers, &body);
        assert_eq!(found, status, "{what}: {answer}");
        let error: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{what}: {answer}"));
        let error = &error["error"];
        assert!(
            error["code"].is_string() && error["message"].is_string() && error["target"].is_string(),
            "{what}: {answer}"
        );
        assert!(answer.contains(part), "{what}: {answer}");
        let journal: Value = serde_json::from_str(&say(&control, "GET /control/journal?limit=1").1).unwrap();
        let entry = &journal["entries"][0];
        assert_eq!(
            (&entry["status"], &entry["method"]),
            (&json!(status), &json!(method)),
            "{what}: {entry}"
        );
    }
    assert_eq!(bench.served.rows(), before, "nothing of it was stored");
}

#[test]
fn a_webhook_url_that_nobody_answers_is_tried_ten_times_and_lies_in_the_offline_queue() {
    let bench = Bench::new();
    let token = bench
        .served
        .token("connector", Site::PartnerCenter, "/webhooks/v1/registration")
        .unwrap();
    let registration = json!({"WebhookUrl": "http://127.0.0.1:1/h", "WebhookEvents": ["referral-created"]});
    let headers = [("authorization", format!("Bearer {token}"))];
    let (status, body) = bench.ask("POST", "/webhooks/v1/registration", &headers, &registration.to_string());
    assert_eq!(status, 200, "{body}");
    bench.create();
    let control = bench.served.control();
    say(control, "POST /control/clock\n{\"advance\":\"1d\"}");
    let offline = say(control, "GET /control/deliveries?state=offline").1;
    let offline: Value = serde_json::from_str(&offline).unwrap();
    let attempts = offline["deliveries"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 10, "{offline}");
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt["status"].is_null() && attempt["problem"].is_string()),
        "{offline}"
    );
}
