//! Lists, single rows and pages.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{API, Org, ROOT};
use crate::dataverse::Settings;

#[test]
fn a_created_row_is_read_back_with_context_and_entity_tag() {
    let org = Org::new();
    let account = org.made(
        "accounts",
        &json!({"name": "Contoso", "address1_postalcode": "98052", "revenue": 20_000_000}),
    );
    let whole = org.get(&account).json();
    assert_eq!(whole["@odata.context"], format!("{ROOT}$metadata#accounts/$entity"));
    assert_eq!(
        (&whole["name"], &whole["websiteurl"]),
        (&json!("Contoso"), &Value::Null)
    );
    let reply = org.get(&format!("{account}?$select=name,revenue"));
    let tag = reply.header("etag").to_owned();
    assert!(
        tag.starts_with("W/\"") && reply.json()["@odata.etag"] == tag.as_str(),
        "{tag}"
    );
    assert_eq!(
        reply.json()["@odata.context"],
        format!("{ROOT}$metadata#accounts(name,revenue)/$entity")
    );
    assert!(
        reply.text.contains("\"revenue\":20000000.0000,"),
        "money has four places: {}",
        reply.text
    );
    let keys: Vec<String> = reply.json().as_object().unwrap().keys().cloned().collect();
    let unasked = ["_transactioncurrencyid_value", "accountid"];
    assert_eq!(&keys[4..], unasked, "the currency of money and the key come along");
    assert_eq!(reply.header("odata-version"), "4.0");
    assert_eq!(reply.header("content-type"), "application/json; odata.metadata=minimal");
    assert_eq!(reply.header("req_id").len(), 36);
}

#[test]
fn a_stale_entity_tag_stops_a_write_and_a_current_one_saves_a_read() {
    let org = Org::new();
    let path = org.made("accounts", &json!({"name": "a"}));
    let tag = org.get(&path).header("etag").to_owned();
    assert_eq!(
        org.send(&Method::GET, &path, &[("if-none-match", &tag)], &Value::Null)
            .status,
        StatusCode::NOT_MODIFIED
    );
    let matching = [("if-match", tag.as_str())];
    assert_eq!(
        org.send(&Method::PATCH, &path, &matching, &json!({"name": "b"})).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.send(&Method::PATCH, &path, &matching, &json!({"name": "c"}))
            .fault(),
        (412, "0x80060882".into())
    );
    assert_eq!(
        org.send(&Method::DELETE, &path, &matching, &Value::Null).fault(),
        (412, "0x80060882".into())
    );
    assert_eq!(
        org.send(&Method::GET, &path, &[("if-none-match", &tag)], &Value::Null)
            .status,
        StatusCode::OK
    );
    assert_eq!(
        org.send(&Method::DELETE, &path, &[], &Value::Null).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.send(&Method::DELETE, &path, &[], &Value::Null).status,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn the_connectors_look_ups_find_their_rows() {
    let org = Org::new();
    let account = org.made(
        "accounts",
        &json!({"name": "O'Brien & Söhne", "address1_postalcode": "80331"}),
    );
    let name_and_code =
        "accounts?%24filter=name+eq+%27o%27%27brien+%26+S%C3%B6hne%27+and+address1_postalcode+eq+%2780331%27";
    assert!(account.contains(org.get(name_and_code).json()["value"][0]["accountid"].as_str().unwrap()));
    org.later(60);
    let deal = json!({"name": "deal", "msft_microsoftpartnercenterreferralidentifier": "R-1",
        "msft_microsoftpartnercenterreferralsync": true});
    let deal = org.made("opportunities", &deal);
    org.made(
        "opportunities",
        &json!({"name": "another", "msft_microsoftpartnercenterreferralsync": true}),
    );
    let by_referral = "opportunities?$select=name&$filter=msft_microsoftpartnercenterreferralidentifier%20eq%20'R-1'";
    let found = org.get(by_referral).json();
    assert_eq!(found["@odata.context"], format!("{ROOT}$metadata#opportunities(name)"));
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    assert!(deal.contains(found["value"][0]["opportunityid"].as_str().unwrap()));
    let changed = |since: &str| {
        let path = format!(
            "opportunities?$filter=msft_microsoftpartnercenterreferralsync%20eq%20true%20and%20modifiedon%20ge%20{since}\
             &$orderby=modifiedon"
        );
        org.get(&path).json()["value"].as_array().unwrap().len()
    };
    assert_eq!(changed("2026-01-05T09:01:00Z"), 2);
    assert_eq!(changed("2026-01-05T09:01:01Z"), 0);
    let solution = json!({"msft_name": "Data", "msft_solutionidentifier": "S-1", "msft_price": 99.5, "msft_quantity": 2,
        "msft_Opportunity@odata.bind": format!("/{deal}")});
    org.made("msft_partnercentersolutions", &solution);
    let id = &deal["opportunities(".len()..deal.len() - 1];
    let rows = org
        .get(&format!(
            "msft_partnercentersolutions?$filter=_msft_opportunity_value%20eq%20{id}&$count=true"
        ))
        .json();
    assert_eq!(
        (&rows["@odata.count"], &rows["value"][0]["msft_price"]),
        (&json!(1), &json!(99.5))
    );
}

/// Follows the links of a list in pages of four: the number of pages, and the keys in the order they came.
fn walk(org: &Org, path: &str) -> (usize, Vec<String>) {
    let bearer = format!("Bearer {}", org.token);
    let headers = [("authorization", bearer.as_str()), ("prefer", "odata.maxpagesize=4")];
    let (mut url, mut seen, mut pages) = (format!("{API}{path}"), Vec::new(), 0);
    loop {
        let reply = org.raw("GET", &url, &headers, "");
        assert_eq!(
            reply.header("preference-applied"),
            "odata.maxpagesize=4",
            "{}",
            reply.text
        );
        let page = reply.json();
        let rows = page["value"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| row["accountid"].to_string()));
        pages += 1;
        let Some(next) = page["@odata.nextLink"].as_str() else {
            return (pages, seen);
        };
        url = next
            .strip_prefix("https://contoso.crm.dynamics.com")
            .unwrap()
            .to_owned();
    }
}

#[test]
fn pages_follow_their_links_without_loss_in_any_order() {
    let org = Org::new();
    for number in 0..25 {
        let name = format!("account {}", number % 7);
        org.made("accounts", &json!({"name": name, "address1_city": "x"}));
    }
    for order in [
        "",
        "&$orderby=name%20desc",
        "&$orderby=modifiedon,name",
        "&$orderby=telephone1",
    ] {
        let (pages, mut seen) = walk(
            &org,
            &format!("accounts?$select=name&$filter=contains(name,'account'){order}"),
        );
        assert_eq!((pages, seen.len()), (7, 25), "{order}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25, "{order}");
    }
}

#[test]
fn top_ends_a_list_and_the_page_size_bounds_it() {
    let org = Org::with(Settings {
        page_size: 2,
        ..Settings::default()
    });
    let top = org.get("transactioncurrencies?$top=1&$count=true").json();
    let rows = top["value"].as_array().unwrap().len();
    assert_eq!((rows, &top["@odata.count"]), (1, &json!(5)));
    assert_eq!(top.get("@odata.nextLink"), None);
    let page = org.get("transactioncurrencies?$select=isocurrencycode").json();
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    let next = page["@odata.nextLink"].as_str().unwrap();
    assert!(
        next.starts_with(&format!(
            "{ROOT}transactioncurrencies?$select=isocurrencycode&$skiptoken="
        )),
        "{next}"
    );
}
