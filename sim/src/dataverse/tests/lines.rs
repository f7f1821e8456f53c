//! Product lines and what they add up to.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Org;

fn line(deal: &str, more: &Value) -> Value {
    let mut line =
        json!({"opportunityid@odata.bind": deal, "isproductoverridden": true, "productdescription": "seats"});
    for (name, value) in more.as_object().into_iter().flatten() {
        line[name] = value.clone();
    }
    line
}

fn money(org: &Org, path: &str, columns: &[&str]) -> Vec<Value> {
    let row = org.get(path).json();
    columns.iter().map(|column| row[*column].clone()).collect()
}

#[test]
fn a_line_comes_to_quantity_times_price_less_discount_with_tax() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "d"}));
    let amounts = json!({"quantity": 3, "priceperunit": 99.995, "manualdiscountamount": 10, "tax": 0.5});
    let path = org.made("opportunityproducts", &line(&deal, &amounts));
    // The price is rounded to the currency when it is stored, the amount after it was multiplied.
    assert_eq!(
        money(&org, &path, &["baseamount", "extendedamount", "extendedamount_base"]),
        [json!(299.99), json!(290.49), json!(290.49)]
    );
    org.patch(&path, &json!({"quantity": null}));
    assert_eq!(
        money(&org, &path, &["baseamount", "extendedamount"]),
        [Value::Null, Value::Null]
    );
    org.patch(&path, &json!({"quantity": 2, "priceperunit": 10, "extendedamount": 1}));
    assert_eq!(
        money(&org, &path, &["extendedamount"]),
        [json!(10.5)],
        "it is not written"
    );
}

#[test]
fn a_deal_has_the_total_of_its_lines_in_its_own_currency() {
    let org = Org::new();
    let euro = format!("/transactioncurrencies({})", org.currency("EUR"));
    let deal = org.made(
        "opportunities",
        &json!({"name": "d", "transactioncurrencyid@odata.bind": euro}),
    );
    let other = org.made("opportunities", &json!({"name": "o"}));
    let priced = |price: i64| json!({"quantity": 1, "priceperunit": price});
    let one = org.made("opportunityproducts", &line(&deal, &priced(100)));
    let two = org.made("opportunityproducts", &line(&deal, &priced(50)));
    assert_eq!(
        money(&org, &deal, &["totalamount", "estimatedvalue"]),
        [json!(150.0), Value::Null]
    );
    let currency = "_transactioncurrencyid_value";
    assert_eq!(money(&org, &one, &[currency]), money(&org, &deal, &[currency]));
    org.patch(&two, &json!({"opportunityid@odata.bind": other}));
    assert_eq!(money(&org, &deal, &["totalamount"]), [json!(100.0)]);
    assert_eq!(money(&org, &other, &["totalamount"]), [json!(50.0)]);
    org.send(&Method::DELETE, &one, &[], &Value::Null);
    assert_eq!(money(&org, &deal, &["totalamount"]), [Value::Null]);
    org.send(&Method::DELETE, &other, &[], &Value::Null);
    assert_eq!(org.get(&two).status, StatusCode::NOT_FOUND, "a line goes with its deal");
}

#[test]
fn revenue_that_the_system_calculates_is_the_total() {
    let org = Org::new();
    let deal = org.made(
        "opportunities",
        &json!({"name": "d", "estimatedvalue": 7, "isrevenuesystemcalculated": true}),
    );
    assert_eq!(money(&org, &deal, &["estimatedvalue"]), [json!(0.0)]);
    let path = org.made(
        "opportunityproducts",
        &line(&deal, &json!({"quantity": 2, "priceperunit": 21})),
    );
    assert_eq!(money(&org, &deal, &["estimatedvalue"]), [json!(42.0)]);
    org.patch(&deal, &json!({"estimatedvalue": 5}));
    assert_eq!(money(&org, &deal, &["estimatedvalue"]), [json!(42.0)], "it is computed");
    org.patch(&deal, &json!({"isrevenuesystemcalculated": false, "estimatedvalue": 5}));
    org.patch(&path, &json!({"quantity": 3}));
    assert_eq!(
        money(&org, &deal, &["estimatedvalue", "totalamount"]),
        [json!(5.0), json!(63.0)]
    );
}

#[test]
fn what_a_line_cannot_come_to_is_refused_and_a_price_list_is_not_simulated() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "d"}));
    let huge = json!({"quantity": 100_000_000_000_i64, "priceperunit": 1_000_000_000_000_i64});
    assert_eq!(
        org.post("opportunityproducts", &line(&deal, &huge)).fault(),
        (400, "0x80044330".into())
    );
    let half = json!({"quantity": 1, "priceperunit": 600_000_000_000_i64});
    org.made("opportunityproducts", &line(&deal, &half));
    assert_eq!(
        org.post("opportunityproducts", &line(&deal, &half)).fault(),
        (400, "0x80044330".into())
    );
    let lines = org.get("opportunityproducts").json();
    assert_eq!(
        lines["value"].as_array().unwrap().len(),
        1,
        "the line that is too much is not there"
    );
    let schedule = org.made("uomschedules", &json!({"name": "s"}));
    let product = org.made(
        "products",
        &json!({"name": "p", "defaultuomscheduleid@odata.bind": schedule}),
    );
    let list = org.made("pricelevels", &json!({"name": "l"}));
    let deal = org.made("opportunities", &json!({"name": "d", "pricelevelid@odata.bind": list}));
    let mut existing = json!({"opportunityid@odata.bind": deal, "productid@odata.bind": product, "quantity": 1});
    let refused = org.post("opportunityproducts", &existing);
    assert_eq!(refused.status, StatusCode::NOT_IMPLEMENTED);
    assert!(refused.text.contains("price list"), "{}", refused.text);
    existing["ispriceoverridden"] = json!(true);
    existing["priceperunit"] = json!(8);
    org.made("opportunityproducts", &existing);
    assert_eq!(money(&org, &deal, &["totalamount"]), [json!(8.0)]);
}
