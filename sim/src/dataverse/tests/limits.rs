//! Service protection limits as a client meets them.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{API, Org};
use crate::dataverse::{Protection, Settings};

fn limited(protection: Protection) -> Org {
    Org::with(Settings {
        protection: Some(protection),
        ..Settings::default()
    })
}

#[test]
fn the_documented_limits_and_what_is_left_of_them_are_told_with_every_answer() {
    let org = Org::new();
    let reply = org.get("WhoAmI");
    assert_eq!(reply.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "5999");
    assert_eq!(reply.header("x-ms-ratelimit-time-remaining-xrm-requests"), "1,200.00");
    assert_eq!(
        org.get("account").header("x-ms-ratelimit-burst-remaining-xrm-requests"),
        "5998"
    );
    for _ in 2..6_000 {
        org.get("");
    }
    let reply = org.get("WhoAmI");
    assert_eq!(reply.fault(), (429, "0x80072322".into()));
    assert_eq!(
        reply.json()["error"]["message"],
        "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
    );
    assert_eq!(reply.header("retry-after"), "300");
    org.later(200);
    assert_eq!(org.get("WhoAmI").header("retry-after"), "100");
    org.later(101);
    assert_eq!(org.get("WhoAmI").status.as_u16(), 200);
}

#[test]
fn a_batch_is_one_request_and_its_time_counts_in_full() {
    let org = limited(Protection {
        operation: Duration::from_secs(100),
        ..Protection::default()
    });
    let part = "--b\r\nContent-Type: application/http\r\n\r\nGET accounts HTTP/1.1\r\n\r\n";
    let bearer = format!("Bearer {}", org.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "multipart/mixed; boundary=b"),
    ];
    let reply = org.raw(
        "POST",
        &format!("{API}$batch"),
        &headers,
        &format!("{}--b--", part.repeat(12)),
    );
    assert_eq!(reply.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "5999");
    let reply = org.get("accounts");
    assert_eq!(reply.fault(), (429, "0x80072321".into()));
    assert!(
        reply.text.contains("exceeded limit of 1,200,000 milliseconds"),
        "{}",
        reply.text
    );
    org.later(1_201);
    assert_eq!(org.get("accounts").status.as_u16(), 200);
}

#[test]
fn too_many_requests_at_once_are_refused_and_another_user_is_not_affected() {
    let org = limited(Protection {
        operation: Duration::from_secs(3),
        ..Protection::default()
    });
    for _ in 0..52 {
        assert_eq!(org.get("accounts").status.as_u16(), 200);
    }
    let reply = org.post("accounts", &json!({"name": "a"}));
    assert_eq!(reply.fault(), (429, "0x80072326".into()));
    assert_eq!(
        reply.json()["error"]["message"],
        "Number of concurrent requests exceeded the limit of 52."
    );
    assert_ne!(reply.header("retry-after"), "");
    assert!(org.commits().is_empty());
    let other = org.as_user("seller");
    assert_eq!(other.get("accounts").status.as_u16(), 200);
    org.later(4);
    assert_eq!(
        org.send(&Method::GET, "accounts", &[], &Value::Null).status.as_u16(),
        200
    );
}
