//! Winning, losing and reopening opportunities.

use http::StatusCode;
use serde_json::{Value, json};

use super::{NOBODY, Org, ROOT};
use crate::dataverse::Settings;

fn close_body(deal: &str, status: i64) -> Value {
    json!({"Status": status, "OpportunityClose": {"subject": "Closed", "opportunityid@odata.bind": format!("{ROOT}{deal}")}})
}

#[test]
fn winning_sets_state_value_and_date_and_leaves_one_close_activity() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "deal", "estimatedvalue": 5000}));
    for state in [json!({"statecode": 1, "statuscode": 3}), json!({"statecode": 2})] {
        assert_eq!(org.patch(&deal, &state).fault(), (400, "0x80100005".into()));
    }
    org.commits();
    org.later(90_000);
    assert_eq!(
        org.post("WinOpportunity", &close_body(&deal, 4)).fault(),
        (400, "0x80048408".into())
    );
    assert_eq!(
        org.post("WinOpportunity", &close_body(&deal, -1)).status,
        StatusCode::NO_CONTENT
    );
    let row = org.get(&deal).json();
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(1), &json!(3)));
    assert_eq!(
        (&row["actualvalue"], &row["actualclosedate"]),
        (&json!(5000.0), &json!("2026-01-06"))
    );
    let closings = org.get("opportunitycloses").json();
    assert_eq!(closings["value"].as_array().unwrap().len(), 1);
    assert_eq!(closings["value"][0]["actualrevenue"], json!(5000.0));
    let tables: Vec<String> = org.commits().into_iter().map(|commit| commit.table).collect();
    assert_eq!(tables, ["opportunityclose", "opportunity"]);
    assert_eq!(
        org.post("WinOpportunity", &close_body(&deal, 3)).fault(),
        (400, "0x80040515".into())
    );
    assert_eq!(
        org.post("LoseOpportunity", &close_body(&deal, 4)).fault(),
        (400, "0x80040515".into())
    );
}

#[test]
fn a_closed_row_is_read_only_until_it_is_reopened() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "deal"}));
    assert_eq!(
        org.post("LoseOpportunity", &close_body(&deal, 5)).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(org.get(&deal).json()["statuscode"], 5);
    assert_eq!(
        org.patch(&deal, &json!({"name": "late"})).status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        org.patch(&deal, &json!({"statecode": 0, "statuscode": 1})).status,
        StatusCode::NO_CONTENT
    );
    let row = org.get(&deal).json();
    assert_eq!((&row["statecode"], &row["actualclosedate"]), (&json!(0), &Value::Null));
    assert_eq!(
        org.patch(&deal, &json!({"statecode": 0, "statuscode": 1})).fault(),
        (400, "0x8004051a".into())
    );
    for hold in [
        json!({"statuscode": 2}),
        json!({"statecode": 0, "statuscode": 1}),
        json!({"statecode": 0, "statuscode": 1, "name": "x"}),
    ] {
        assert_eq!(org.patch(&deal, &hold).status, StatusCode::NO_CONTENT, "{hold}");
    }
    let lenient = Org::with(Settings {
        closed_rows_are_read_only: false,
        ..Settings::default()
    });
    let deal = lenient.made("opportunities", &json!({"name": "deal"}));
    lenient.post("LoseOpportunity", &close_body(&deal, 4));
    assert_eq!(
        lenient.patch(&deal, &json!({"name": "late"})).status,
        StatusCode::NO_CONTENT
    );
}

#[test]
fn an_action_with_wrong_parameters_changes_nothing() {
    let org = Org::new();
    let deal = org.made("opportunities", &json!({"name": "deal"}));
    org.commits();
    let mut unknown_column = close_body(&deal, 3);
    unknown_column["OpportunityClose"]["actualclosedate"] = json!("2026-01-05");
    let mut without_parent = close_body(&deal, 3);
    without_parent["OpportunityClose"] = json!({"subject": "x"});
    for body in [
        unknown_column,
        without_parent,
        json!({"Status": 3}),
        json!({"OpportunityClose": {}}),
        json!({"X": 1}),
    ] {
        assert_eq!(
            org.post("WinOpportunity", &body).fault(),
            (400, "0x80048d19".into()),
            "{body}"
        );
    }
    let missing = close_body(&format!("opportunities({NOBODY})"), 3);
    assert_eq!(org.post("WinOpportunity", &missing).fault(), (404, "0x80040217".into()));
    assert_eq!(org.post("CloseOpportunity", &missing).status, StatusCode::NOT_FOUND);
    assert!(org.commits().is_empty());
}
