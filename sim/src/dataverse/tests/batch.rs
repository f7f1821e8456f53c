//! Batches: their text in and out, change sets, references, failures.

use http::StatusCode;
use serde_json::json;

use super::{API, NOBODY, Org, ROOT, Reply};

/// One part: headers of the part beyond the usual two, request line, body.
fn part(extra: &str, request: &str, body: &str) -> String {
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/json\r\n"
    };
    format!(
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{extra}\r\n{request} HTTP/1.1\r\n{kind}\r\n{body}"
    )
}

fn multipart(boundary: &str, parts: &[String]) -> String {
    let delimiter = format!("--{boundary}\r\n");
    let parts: Vec<String> = parts.iter().map(|part| format!("{delimiter}{part}\r\n")).collect();
    format!("{}--{boundary}--\r\n", parts.concat())
}

fn change_set(parts: &[String]) -> String {
    format!(
        "Content-Type: multipart/mixed; boundary=\"changeset_1\"\r\n\r\n{}",
        multipart("changeset_1", parts)
    )
}

impl Org {
    fn batch(&self, extra: &[(&str, &str)], parts: &[String]) -> Reply {
        self.raw_batch(
            extra,
            "multipart/mixed; boundary=\"batch_1\"",
            &multipart("batch_1", parts),
        )
    }

    fn raw_batch(&self, extra: &[(&str, &str)], kind: &str, body: &str) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", kind)];
        headers.extend_from_slice(extra);
        self.raw("POST", &format!("{API}$batch"), &headers, body)
    }
}

#[test]
fn a_batch_answers_byte_for_byte_as_documented() {
    let org = Org::new();
    let reply = org.batch(
        &[],
        &[
            change_set(&[part(
                "Content-ID: 1\r\n",
                &format!("POST {ROOT}accounts"),
                r#"{"name":"one"}"#,
            )]),
            part("", "GET /api/data/v9.2/accounts?$select=name", ""),
        ],
    );
    let kind = reply.header("content-type");
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap();
    assert!(boundary.starts_with("batchresponse_"), "{kind}");
    let inner = reply
        .text
        .split("boundary=")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap()
        .to_owned();
    assert!(inner.starts_with("changesetresponse_"), "{inner}");
    let row = &org.get("accounts").json()["value"][0];
    let (id, tag) = (row["accountid"].as_str().unwrap(), row["@odata.etag"].as_str().unwrap());
    let tag = tag.replace('"', "\\\"");
    let wanted = format!(
        "--{boundary}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n\
         --{inner}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n\
         HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nLocation: {ROOT}accounts({id})\r\n\
         OData-EntityId: {ROOT}accounts({id})\r\n\r\n\r\n--{inner}--\r\n\
         --{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Type: application/json; odata.metadata=minimal\r\nOData-Version: 4.0\r\n\r\n\
         {{\"@odata.context\":\"{ROOT}$metadata#accounts(name)\",\"value\":[{{\"@odata.etag\":\"{tag}\",\"name\":\"one\",\
         \"accountid\":\"{id}\"}}]}}\r\n--{boundary}--\r\n"
    );
    assert_eq!((reply.status, reply.text), (StatusCode::OK, wanted));
}

#[test]
fn the_first_failure_ends_a_batch_unless_it_is_told_to_go_on() {
    let long = json!({"name": "x".repeat(161)}).to_string();
    let parts = [
        part("", "POST accounts", r#"{"name":"before"}"#),
        part("", "POST accounts", &long),
        part("", "POST accounts", r#"{"name":"behind"}"#),
    ];
    let org = Org::new();
    let reply = org.batch(&[], &parts);
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.text.matches("HTTP/1.1 ").count(), 1, "{}", reply.text);
    let start = "HTTP/1.1 400 Bad Request\r\nREQ_ID: ";
    assert!(
        reply.text.contains(start) && reply.text.contains("0x80044331"),
        "{}",
        reply.text
    );
    assert_eq!(org.get("accounts").json()["value"].as_array().unwrap().len(), 1);

    let org = Org::new();
    let reply = org.batch(&[("prefer", "odata.continue-on-error")], &parts);
    assert_eq!(
        (reply.status, reply.text.matches("HTTP/1.1 ").count()),
        (StatusCode::OK, 3)
    );
    assert_eq!(org.get("accounts").json()["value"].as_array().unwrap().len(), 2);
}

#[test]
fn a_change_set_that_fails_half_way_leaves_nothing_and_answers_with_one_error() {
    let org = Org::new();
    let account = org.made("accounts", &json!({"name": "old", "accountnumber": "7"}));
    let child = org.made(
        "opportunities",
        &json!({"name": "deal", "customerid_account@odata.bind": account}),
    );
    org.commits();
    let before = format!("{:?}", org.dataverse.rows());
    let set = change_set(&[
        part("Content-ID: 1\r\n", "POST accounts", r#"{"name":"new"}"#),
        part(
            "Content-ID: 2\r\n",
            &format!("PATCH {account}"),
            r#"{"name":"changed"}"#,
        ),
        part("Content-ID: 3\r\n", &format!("DELETE {account}"), ""),
        part("Content-ID: 4\r\n", &format!("DELETE accounts({NOBODY})"), ""),
    ]);
    for (prefer, status) in [("return=minimal", 400), ("odata.continue-on-error", 200)] {
        let reply = org.batch(&[("prefer", prefer)], std::slice::from_ref(&set));
        assert_eq!(reply.status.as_u16(), status);
        assert_eq!(reply.text.matches("HTTP/1.1 ").count(), 1, "{}", reply.text);
        assert!(
            reply.text.contains("Content-ID: 4\r\n\r\nHTTP/1.1 404 Not Found"),
            "{}",
            reply.text
        );
        assert_eq!(format!("{:?}", org.dataverse.rows()), before);
        assert!(org.commits().is_empty(), "what was rolled back is told to nobody");
    }
    let found = org.get("accounts?$filter=name%20eq%20'old'").json();
    assert_eq!(
        found["value"].as_array().unwrap().len(),
        1,
        "indexes are rolled back too"
    );
    assert_eq!(org.get(&child).json()["name"], "deal");
}

#[test]
fn a_reference_stands_for_a_row_of_the_same_change_set_only() {
    let org = Org::new();
    let set = change_set(&[
        part("Content-ID: 1\r\n", "POST accounts", r#"{"name":"one"}"#),
        part("Content-ID: 2\r\n", "POST contacts", r#"{"lastname":"two"}"#),
        part(
            "Content-ID: 3\r\n",
            "PATCH $1",
            r#"{"telephone1":"3","primarycontactid@odata.bind":"$2"}"#,
        ),
        part(
            "Content-ID: 4\r\n",
            "POST opportunities",
            r#"{"name":"four","customerid_account@odata.bind":"$1"}"#,
        ),
    ]);
    let reply = org.batch(&[], &[set]);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let account = org.get("accounts").json()["value"][0].clone();
    assert_eq!((&account["telephone1"], &account["name"]), (&json!("3"), &json!("one")));
    assert_eq!(
        account["_primarycontactid_value"],
        org.get("contacts").json()["value"][0]["contactid"]
    );
    assert_eq!(
        org.get("opportunities").json()["value"][0]["_customerid_value"],
        account["accountid"]
    );

    org.commits();
    let undeclared = [
        change_set(&[part("Content-ID: 1\r\n", "PATCH $2", r#"{"name":"x"}"#)]),
        change_set(&[part(
            "Content-ID: 1\r\n",
            "POST opportunities",
            r#"{"customerid_account@odata.bind":"$2"}"#,
        )]),
        part(
            "Content-ID: 1\r\n",
            "POST opportunities",
            r#"{"customerid_account@odata.bind":"$1"}"#,
        ),
    ];
    for undeclared in undeclared {
        let first = part("Content-ID: 1\r\n", "POST accounts", r#"{"name":"x"}"#);
        let reply = org.batch(&[], &[first, undeclared]);
        assert_eq!(reply.fault(), (400, "0x80060888".into()));
        assert!(
            reply.text.contains("does not exist in the batch context."),
            "{}",
            reply.text
        );
        assert!(org.commits().is_empty());
    }
}

#[test]
fn urls_of_every_client_are_understood() {
    let org = Org::new();
    let parts: Vec<String> = [
        format!("{ROOT}accounts?$top=1"),
        "http://127.0.0.1:4003/api/data/v9.0/accounts?$top=1".to_owned(),
        "/api/data/v9.2/accounts?$top=1".to_owned(),
        "accounts?$top=1".to_owned(),
        "https:/contoso.crm.dynamics.com/api/data/v9.2/accounts?$top=1".to_owned(),
        "accounts?$filter=name eq 'a b \"ü' and accountnumber eq null&$top=1".to_owned(),
        format!("accounts?$filter=name%20eq%20'{}'", "x".repeat(40_000)),
    ]
    .iter()
    .map(|url| part("", &format!("GET {url}"), ""))
    .collect();
    let reply = org.batch(&[], &parts);
    assert_eq!(
        (reply.status, reply.text.matches("HTTP/1.1 200 OK").count()),
        (StatusCode::OK, parts.len()),
        "{}",
        reply.text
    );
}

#[test]
fn a_batch_that_cannot_be_taken_apart_gets_the_vendors_error_and_changes_nothing() {
    let org = Org::new();
    let body = multipart("batch_1", &[part("", "POST accounts", r#"{"name":"a"}"#)]);
    for (kind, body) in [
        ("multipart/mixed; boundary=batch_2", body.as_str()),
        ("multipart/mixed", body.as_str()),
        ("application/json", r#"{"requests":[]}"#),
        ("multipart/mixed; boundary=batch_1", &body[..body.len() - 4]),
        ("multipart/mixed; boundary=batch_1", ""),
    ] {
        assert_eq!(
            org.raw_batch(&[], kind, body).fault(),
            (400, "0x80048d19".into()),
            "{kind}"
        );
    }
    let nested = part("", "POST $batch", "");
    assert_eq!(org.batch(&[], &[nested]).fault(), (400, "0x80048d19".into()));
    let get = change_set(&[part("", "GET accounts", "")]);
    assert_eq!(org.batch(&[], &[get]).fault(), (400, "0x80048d19".into()));
    let many = vec![part("", "GET accounts?$top=0", ""); 1_001];
    assert_eq!(org.batch(&[], &many).fault(), (400, "0x80048d19".into()));
    assert_eq!(org.batch(&[], &many[..1_000]).status, StatusCode::OK);
    assert_eq!(org.get("$batch").status, StatusCode::METHOD_NOT_ALLOWED);
    let unknown = [
        part("", "POST accounts", r#"{"name":"a"}"#),
        part("", "GET accounts?$compute=x", ""),
    ];
    assert_eq!(org.batch(&[], &unknown).status, StatusCode::NOT_IMPLEMENTED);
    assert!(org.commits().is_empty());
}

#[test]
fn damaged_batches_never_panic() {
    let org = Org::new();
    let whole = multipart(
        "batch_1",
        &[
            change_set(&[
                part("Content-ID: 1\r\n", "POST accounts", r#"{"name":"one"}"#),
                part(
                    "Content-ID: 2\r\n",
                    "PATCH $1",
                    r#"{"primarycontactid@odata.bind":"$2"}"#,
                ),
            ]),
            part("", "GET accounts?$select=name", ""),
        ],
    );
    let mut chance = crate::seed::Seed(5).stream("damage");
    let letters = b"\r\n-$:/() \"{}1Zx\0";
    let mut pick = |length: usize| usize::try_from(chance.between(1, length as u64)).unwrap_or(1) - 1;
    for _ in 0..1_500 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=pick(4) {
            let at = pick(bytes.len());
            match pick(3) {
                0 => bytes[at] = letters[pick(letters.len())],
                1 => bytes.truncate(at),
                _ => bytes.insert(at, letters[pick(letters.len())]),
            }
            if bytes.is_empty() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let reply = org.raw_batch(&[], "multipart/mixed; boundary=batch_1", &text);
        assert!(
            reply.status.as_u16() < 502 && reply.status != StatusCode::INTERNAL_SERVER_ERROR,
            "{text:?}"
        );
        org.later(1);
    }
}
