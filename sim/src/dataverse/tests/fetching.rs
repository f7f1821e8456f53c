//! `FetchXML` as clients send it.

use std::fmt::Write as _;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::queries::stocked;
use super::{Org, Reply};

fn fetch(org: &Org, set: &str, xml: &str) -> Reply {
    let mut text = String::new();
    for byte in xml.bytes() {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").unwrap();
        }
    }
    let all = [(
        "prefer",
        "odata.include-annotations=\"Microsoft.Dynamics.CRM.fetchxmlpagingcookie,Microsoft.Dynamics.CRM.morerecords\"",
    )];
    org.send(&Method::GET, &format!("{set}?fetchXml={text}"), &all, &Value::Null)
}

fn rows(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()["value"].as_array().unwrap().clone()
}

#[test]
fn columns_conditions_joins_and_order_are_carried_out() {
    let (org, _) = stocked();
    let xml = "<fetch><entity name='opportunity'><attribute name='name'/><attribute name='description'/>\
        <attribute name='customerid'/><filter type='and'><condition attribute='statecode' operator='eq' value='0'/>\
        <filter type='or'><condition attribute='name' operator='in'><value>one</value><value>two</value></condition>\
        <condition entityname='a' attribute='name' operator='like' value='lit%'/></filter></filter>\
        <order attribute='name' descending='true'/>\
        <link-entity name='account' from='accountid' to='customerid' alias='a'><attribute name='name'/>\
        <link-entity name='contact' from='contactid' to='primarycontactid' link-type='outer'>\
        <attribute name='fullname' alias='who'/></link-entity></link-entity></entity></fetch>";
    let found = rows(&fetch(&org, "opportunities", xml));
    let names: Vec<&str> = found.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["two", "three", "one"]);
    assert_eq!(
        (&found[0]["a.name"], &found[0]["who"]),
        (&json!("Fourth Coffee"), &json!("Yvonne McKay"))
    );
    assert_eq!(found[1].get("who"), None, "what is null is left out");
    assert_eq!(found[1].get("description"), None);
    assert!(found[0]["opportunityid"].is_string() && found[0]["_customerid_value"].is_string());
    let inner = xml.replace(" link-type='outer'", "");
    assert_eq!(rows(&fetch(&org, "opportunities", &inner)).len(), 2);
    let distinct = "<fetch distinct='true'><entity name='opportunity'><attribute name='customerid'/></entity></fetch>";
    assert_eq!(rows(&fetch(&org, "opportunities", distinct)).len(), 2);
    let pairs = "<fetch><entity name='systemuser'><attribute name='fullname'/><link-entity name='systemuserroles' \
        from='systemuserid' to='systemuserid'><link-entity name='role' from='roleid' to='roleid' alias='r'>\
        <attribute name='name'/><filter><condition attribute='name' operator='begins-with' value='System A'/></filter>\
        </link-entity></link-entity></entity></fetch>";
    let admins = rows(&fetch(&org, "systemusers", pairs));
    assert_eq!(
        (admins.len(), &admins[0]["r.name"]),
        (1, &json!("System Administrator"))
    );
    let top = "<fetch top='1'><entity name='opportunity'><all-attributes/><order attribute='estimatedvalue'/></entity></fetch>";
    assert_eq!(rows(&fetch(&org, "opportunities", top))[0]["name"], "one");
}

#[test]
fn pages_go_on_with_the_cookie_that_the_last_one_gave() {
    let org = Org::new();
    for number in 0..5 {
        org.made("accounts", &json!({"name": format!("a{number}")}));
    }
    let (mut page, mut cookie, mut seen) = (1, String::new(), Vec::new());
    loop {
        let xml = format!(
            "<fetch count='2' page='{page}'{cookie}><entity name='account'><attribute name='name'/>\
             <order attribute='name' descending='true'/></entity></fetch>"
        );
        let reply = fetch(&org, "accounts", &xml);
        seen.extend(rows(&reply).iter().map(|row| row["name"].as_str().unwrap().to_owned()));
        let body = reply.json();
        if body["@Microsoft.Dynamics.CRM.morerecords"] != true {
            break;
        }
        let given = body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(given.starts_with(&format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"%253ccookie%2520page",
            page + 1
        )));
        let inner = given
            .split("pagingcookie=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let once = super::super::address::decode(inner, false).unwrap();
        let plain = super::super::address::decode(&once, false).unwrap();
        let escaped = plain
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        cookie = format!(" paging-cookie=\"{escaped}\"");
        page += 1;
    }
    assert_eq!((page, seen.join(",").as_str()), (3, "a4,a3,a2,a1,a0"));
    // A client that only counts pages gets them too.
    let second = "<fetch count='2' page='2'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>";
    assert_eq!(rows(&fetch(&org, "accounts", second))[0]["name"], "a2");
    let silent = org
        .get("accounts?fetchXml=%3Cfetch+count%3D'2'%3E%3Centity+name%3D'account'/%3E%3C/fetch%3E")
        .json();
    assert_eq!(
        silent.get("@Microsoft.Dynamics.CRM.morerecords"),
        None,
        "told only to those who ask"
    );
    assert_eq!(silent["value"].as_array().unwrap().len(), 2);
}

#[test]
fn bad_queries_get_the_vendors_error_and_aggregates_are_refused_by_name() {
    let org = Org::new();
    let account = |inner: &str| format!("<fetch><entity name='account'>{inner}</entity></fetch>");
    for (xml, code) in [
        ("<fetch".to_owned(), "0x80040203"),
        ("<fetch><entity name='nosuch'/></fetch>".to_owned(), "0x80040203"),
        ("<fetch><entity name='contact'/></fetch>".to_owned(), "0x80040203"),
        (account("<attribute name='nosuch'/>"), "0x80041103"),
        (account("<order attribute='nosuch'/>"), "0x80041103"),
        (
            account("<filter><condition attribute='name' operator='nosuch' value='a'/></filter>"),
            "0x80040203",
        ),
        (
            account("<filter><condition attribute='statecode' operator='eq' value='a'/></filter>"),
            "0x80040203",
        ),
        (
            account("<filter><condition attribute='name' operator='eq'/></filter>"),
            "0x80040203",
        ),
        (
            account("<filter><condition entityname='x' attribute='name' operator='null'/></filter>"),
            "0x80040203",
        ),
        (
            account("<link-entity name='contact' from='nosuch' to='primarycontactid'/>"),
            "0x80041103",
        ),
        (
            "<fetch count='2' page='2' paging-cookie='x'><entity name='account'/></fetch>".to_owned(),
            "0x80040203",
        ),
    ] {
        assert_eq!(fetch(&org, "accounts", &xml).fault(), (400, code.into()), "{xml}");
    }
    let sum = "<fetch aggregate='true'><entity name='account'><attribute name='revenue' aggregate='sum' alias='x'/></entity></fetch>";
    let refused = fetch(&org, "accounts", sum);
    assert_eq!(refused.json()["notSimulated"]["missing"], "`aggregate` in FetchXML");
}
