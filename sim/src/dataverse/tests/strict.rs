//! Strict mode: what is understood here and not by the real server is noted.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{API, Org};
use crate::dataverse::Settings;
use crate::happening::Happening;

impl Org {
    fn lapses(&self) -> Vec<String> {
        let lapse = |happening| {
            if let Happening::Lapsed(lapse) = happening {
                Some(lapse.what)
            } else {
                None
            }
        };
        self.ground.happenings.drain().into_iter().filter_map(lapse).collect()
    }
}

fn requests(org: &Org) -> Vec<Vec<String>> {
    let account = org.made("accounts", &json!({"name": "a"}));
    let bearer = format!("Bearer {}", org.token);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "multipart/mixed; boundary=b"),
    ];
    let batch = |text: &str| {
        let reply = org.raw("POST", &format!("{API}$batch"), &headers, text);
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        org.lapses()
    };
    let part = "--b\nContent-Type: application/http\n\nGET accounts HTTP/1.1\n\n\n--b--\n";
    let mut found = vec![
        batch(part),
        batch(&part.replace('\n', "\r\n")),
        batch(
            &part
                .replace('\n', "\r\n")
                .replace("accounts", "https:/contoso.crm.dynamics.com/api/data/v9.2/accounts"),
        ),
    ];
    for conditions in [&[][..], &[("if-match", "*")]] {
        let reply = org.send(&Method::PATCH, &account, conditions, &json!({"name": "b"}));
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        found.push(org.lapses());
    }
    org.patch("accounts(accountnumber='7')", &json!({}));
    found.push(org.lapses());
    let quoted = account.replace('(', "('").replace(')', "')");
    assert_eq!(org.get(&quoted).json()["name"], json!("b"));
    found.push(org.lapses());
    for name in ["O'Brien", "O''Brien"] {
        org.send(
            &Method::GET,
            &format!("accounts?$filter=name%20eq%20'{name}'"),
            &[],
            &Value::Null,
        );
        found.push(org.lapses());
    }
    found
}

#[test]
fn lapses_are_noted_in_strict_mode_and_answered_as_ever() {
    let strict = Org::with(Settings {
        strict: true,
        ..Settings::default()
    });
    let found = requests(&strict);
    let noted: Vec<bool> = found.iter().map(|lapses| !lapses.is_empty()).collect();
    assert_eq!(
        noted,
        [true, false, true, true, false, false, true, true, false],
        "{found:?}"
    );
    assert!(found[3][0].contains("without If-Match"), "{found:?}");
    assert!(requests(&Org::new()).iter().all(Vec::is_empty));
}
