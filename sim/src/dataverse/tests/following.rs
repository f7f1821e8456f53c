//! Following the changes of a table.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Org, ROOT, Reply};

const TRACK: (&str, &str) = ("prefer", "odata.track-changes");

fn first(org: &Org, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![TRACK];
    all.extend_from_slice(headers);
    org.send(&Method::GET, path, &all, &Value::Null)
}

fn delta(org: &Org, page: &Value) -> Value {
    let link = page["@odata.deltaLink"].as_str().expect("a delta link");
    let reply = org.get(link.strip_prefix(ROOT).unwrap());
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

#[test]
fn a_delta_holds_changed_rows_then_deleted_ones_and_a_new_link() {
    let org = Org::new();
    let keep = org.made("accounts", &json!({"name": "keep"}));
    let gone = org.made("accounts", &json!({"name": "gone"}));
    let reply = first(&org, "accounts?$select=name", &[]);
    assert_eq!(reply.header("preference-applied"), "odata.track-changes");
    let start = reply.json();
    assert_eq!(start["value"].as_array().unwrap().len(), 2);
    let link = start["@odata.deltaLink"].as_str().unwrap();
    assert!(
        link.starts_with(&format!("{ROOT}accounts?$select=name&$deltatoken=")),
        "{link}"
    );
    assert!(link.contains("%2101%2f05%2f2026%2009%3a00%3a00"), "{link}");
    assert!(delta(&org, &start)["value"].as_array().unwrap().is_empty());
    org.patch(&keep, &json!({"name": "kept"}));
    let brief = org.made("accounts", &json!({"name": "brief"}));
    let made = org.made("accounts", &json!({"name": "made"}));
    for path in [&gone, &brief] {
        org.send(&Method::DELETE, path, &[], &Value::Null);
    }
    let changes = delta(&org, &start);
    assert_eq!(
        changes["@odata.context"],
        format!("{ROOT}$metadata#accounts(name)/$delta")
    );
    let rows = changes["value"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["kept", "made"]);
    let id = gone.split(['(', ')']).nth(1).unwrap();
    assert_eq!(
        rows[2],
        json!({"@odata.context": format!("{ROOT}$metadata#accounts/$deletedEntity"), "id": id, "reason": "deleted"})
    );
    assert_eq!(rows.len(), 4, "a row that came and went is only told as deleted");
    assert!(delta(&org, &changes)["value"].as_array().unwrap().is_empty());
    let counted = link.replace("accounts?$select=name&", "accounts/$count?");
    assert_eq!(org.get(counted.strip_prefix(ROOT).unwrap()).text, "\u{feff}4");
    org.send(&Method::DELETE, &made, &[], &Value::Null);
}

#[test]
fn a_first_reading_in_pages_loses_no_change_in_between() {
    let org = Org::new();
    let mut paths = Vec::new();
    for number in 0..5 {
        paths.push(org.made("accounts", &json!({"name": format!("a{number}")})));
    }
    paths.sort();
    let size = [("prefer", "odata.maxpagesize=2")];
    let mut page = first(&org, "accounts?$select=name", &size).json();
    let mut seen = page["value"].as_array().unwrap().len();
    org.patch(&paths[0], &json!({"name": "changed while reading"}));
    while let Some(next) = page["@odata.nextLink"].as_str().map(str::to_owned) {
        assert_eq!(page.get("@odata.deltaLink"), None, "only the last page has it");
        // The link says by itself that changes are followed: a client need not say so again.
        let reply = org.send(&Method::GET, next.strip_prefix(ROOT).unwrap(), &size, &Value::Null);
        page = reply.json();
        seen += page["value"].as_array().unwrap().len();
    }
    assert_eq!(seen, 5);
    assert_eq!(delta(&org, &page)["value"][0]["name"], "changed while reading");
}

#[test]
fn what_cannot_be_followed_and_tokens_that_are_too_old_are_refused() {
    let org = Org::new();
    for option in [
        "$filter=name%20eq%20'x'",
        "$orderby=name",
        "$top=1",
        "$expand=primarycontactid",
    ] {
        let fault = first(&org, &format!("accounts?{option}"), &[]).fault();
        assert_eq!(fault, (400, "0x80060888".into()), "{option}");
    }
    assert_eq!(first(&org, "roles", &[]).fault(), (400, "0x80072491".into()));
    assert_eq!(
        org.get("accounts?$deltatoken=nonsense").fault(),
        (400, "0x80040203".into())
    );
    let start = first(&org, "accounts", &[]).json();
    org.later(7 * 24 * 3_600);
    let token = org
        .ground
        .authority
        .issue(
            "connector",
            crate::identity::DATAVERSE_AUDIENCE,
            jiff::SignedDuration::from_hours(1),
            true,
            "",
        )
        .unwrap();
    let bearer = format!("Bearer {token}");
    let link = start["@odata.deltaLink"]
        .as_str()
        .unwrap()
        .strip_prefix("https://contoso.crm.dynamics.com")
        .unwrap();
    let get = || org.raw("GET", link, &[("authorization", bearer.as_str())], "");
    assert_eq!(get().status, StatusCode::OK, "seven days old, to the second");
    org.later(1);
    assert_eq!(get().fault(), (400, "0x80044352".into()));
}
