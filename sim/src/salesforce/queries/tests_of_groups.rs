//! Aggregate functions, groups, functions of dates, date literals.

use serde_json::{Value, json};

use crate::salesforce::Settings;
use crate::salesforce::trial::Trial;

/// Five deals on the 5th of January 2026, a Monday.
fn stocked() -> Trial {
    let trial = Trial::new();
    for (name, amount, stage, closes) in [
        ("a", json!(100), "Prospecting", "2026-01-05"),
        ("b", json!(300), "Prospecting", "2026-02-10"),
        ("c", json!(null), "Closed Won", "2026-02-20"),
        ("d", json!(50), "Closed Won", "2025-12-31"),
        ("e", json!(50), "Closed Lost", "2026-01-04"),
    ] {
        let body = json!({"Amount": amount, "StageName": stage, "CloseDate": closes});
        trial.deal(name, &body);
    }
    trial
}

fn records(trial: &Trial, soql: &str) -> Vec<Value> {
    let reply = trial.query(soql);
    assert_eq!(reply.status, 200, "{soql}: {}", reply.text);
    let mut records = reply.json()["records"].as_array().unwrap().clone();
    for record in &mut records {
        assert_eq!(record["attributes"], json!({"type": "AggregateResult"}));
        record.as_object_mut().unwrap().remove("attributes");
    }
    records
}

#[test]
fn groups_have_their_keys_and_functions() {
    let trial = stocked();
    let soql = "SELECT StageName, COUNT(Id), SUM(Amount) total, AVG(Amount), MIN(Name), MAX(CloseDate) FROM Opportunity GROUP BY \
                StageName ORDER BY COUNT(Id) DESC, StageName";
    let expected = [
        json!({"StageName": "Closed Won", "expr0": 2, "total": 50.0, "expr1": 50.0, "expr2": "c", "expr3": "2026-02-20"}),
        json!({"StageName": "Prospecting", "expr0": 2, "total": 400.0, "expr1": 200.0, "expr2": "a", "expr3": "2026-02-10"}),
        json!({"StageName": "Closed Lost", "expr0": 1, "total": 50.0, "expr1": 50.0, "expr2": "e", "expr3": "2026-01-04"}),
    ];
    assert_eq!(records(&trial, soql), expected);
    let having = "SELECT StageName s FROM Opportunity GROUP BY StageName HAVING SUM(Amount) > 50 AND COUNT(Id) = 2";
    assert_eq!(records(&trial, having), [json!({"s": "Prospecting"})]);
    let distinct = "SELECT COUNT_DISTINCT(Amount), COUNT(Amount), COUNT(Id) n FROM Opportunity";
    assert_eq!(records(&trial, distinct), [json!({"expr0": 3, "expr1": 4, "n": 5})]);
    let nothing = "SELECT COUNT(Id), SUM(Amount) FROM Opportunity WHERE Name = 'z'";
    assert_eq!(records(&trial, nothing), [json!({"expr0": 0, "expr1": null})]);
    assert!(records(&trial, &format!("{nothing} GROUP BY StageName")).is_empty());
}

#[test]
fn functions_of_dates_group_and_filter() {
    let trial = stocked();
    let soql = "SELECT CALENDAR_YEAR(CloseDate) y, CALENDAR_MONTH(CloseDate), COUNT(Id) FROM Opportunity GROUP BY \
                CALENDAR_YEAR(CloseDate), CALENDAR_MONTH(CloseDate) ORDER BY CALENDAR_YEAR(CloseDate), CALENDAR_MONTH(CloseDate)";
    let expected = [
        json!({"y": 2025, "expr0": 12, "expr1": 1}),
        json!({"y": 2026, "expr0": 1, "expr1": 2}),
        json!({"y": 2026, "expr0": 2, "expr1": 2}),
    ];
    assert_eq!(records(&trial, soql), expected);
    for (condition, expected) in [
        ("CloseDate = TODAY", vec!["a"]),
        ("CloseDate < TODAY", vec!["d", "e"]),
        ("CloseDate <= TODAY", vec!["a", "d", "e"]),
        ("CloseDate != THIS_YEAR", vec!["d"]),
        ("CloseDate = LAST_WEEK", vec!["d"]),
        ("CloseDate = THIS_WEEK", vec!["a", "e"]),
        ("CloseDate > LAST_N_DAYS:1", vec!["b", "c"]),
        ("CloseDate = NEXT_MONTH AND Amount > USD200", vec!["b"]),
        ("CloseDate = N_YEARS_AGO:1", vec!["d"]),
        (
            "CreatedDate = TODAY AND HOUR_IN_DAY(convertTimezone(CreatedDate)) = 9",
            vec!["a", "b", "c", "d", "e"],
        ),
        ("DAY_ONLY(CreatedDate) > TODAY", vec![]),
        ("CALENDAR_QUARTER(CloseDate) = 4", vec!["d"]),
    ] {
        assert_eq!(
            trial.names(&format!("SELECT Name FROM Opportunity WHERE {condition} ORDER BY Name")),
            expected,
            "{condition}"
        );
    }
    let mut later = trial;
    later.wait(24 * 60 * 60);
    later.sign_in("connector");
    assert_eq!(
        later.names("SELECT Name FROM Opportunity WHERE CloseDate = YESTERDAY"),
        ["a"]
    );
}

#[test]
fn values_are_shown_as_functions_show_them() {
    let trial = Trial::new();
    trial.deal("x", &json!({"Amount": 1_234_567.5, "Probability": 20}));
    let soql = "SELECT FORMAT(Amount) shown, Amount, FORMAT(CloseDate) day, FORMAT(CreatedDate), toLabel(StageName), \
                convertCurrency(ExpectedRevenue) FROM Opportunity";
    let record = trial.query(soql).json()["records"][0].clone();
    for (key, expected) in [
        ("shown", json!("USD 1,234,567.50")),
        ("Amount", json!(1_234_567.5)),
        ("day", json!("3/31/2026")),
        ("CreatedDate", json!("1/5/2026, 9:00 AM")),
        ("StageName", json!("Prospecting")),
        ("ExpectedRevenue", json!(246_913.5)),
    ] {
        assert_eq!(record[key], expected, "{key}");
    }
}

#[test]
fn what_cannot_be_grouped_is_refused_with_its_place() {
    let trial = Trial::new();
    for (soql, end) in [
        (
            "SELECT Name, COUNT(Id) FROM Account",
            "Row:1:Column:8\nField must be grouped or aggregated: Name",
        ),
        (
            "SELECT Name, Type FROM Account GROUP BY Name",
            "Field must be grouped or aggregated: Type",
        ),
        (
            "SELECT COUNT(Id) FROM Account GROUP BY Description",
            "field 'Description' can not be grouped in a query call",
        ),
        (
            "SELECT Amount FROM Opportunity GROUP BY Amount",
            "field 'Amount' can not be grouped in a query call",
        ),
        (
            "SELECT SUM(Name) FROM Account",
            "field Name does not support aggregate operator SUM",
        ),
        ("SELECT COUNT(Id) n, MAX(Name) N FROM Account", "duplicate alias: N"),
        (
            "SELECT Name n FROM Account",
            "only aggregate expressions use field aliasing",
        ),
        (
            "SELECT Id FROM Account WHERE COUNT(Id) > 1",
            "aggregate function not allowed here: COUNT",
        ),
        ("SELECT COUNT() FROM Account GROUP BY Name", "without groups"),
        (
            "SELECT CALENDAR_YEAR(Name) FROM Account",
            "field Name does not support function CALENDAR_YEAR",
        ),
        (
            "SELECT FIELDS(ALL) FROM Account",
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        (
            "SELECT FIELDS(CUSTOM) FROM Account LIMIT 201",
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        ("SELECT Id FROM Account HAVING COUNT(Id) > 1", "HAVING needs GROUP BY"),
        (
            "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:x",
            "unexpected token: 'x'",
        ),
    ] {
        let reply = trial.query(soql);
        assert_eq!(
            reply.fault(),
            (400, "MALFORMED_QUERY".to_owned()),
            "{soql}: {}",
            reply.text
        );
        assert!(reply.message().ends_with(end), "{soql}: {}", reply.message());
    }
}

#[test]
fn groups_beyond_a_page_are_refused() {
    let trial = Trial::with(Settings {
        page_size: 2,
        ..Settings::default()
    });
    for name in ["a", "b", "c"] {
        trial.create("Account", &json!({"Name": name}));
    }
    let many = trial.query("SELECT Name FROM Account GROUP BY Name");
    assert_eq!(many.fault(), (400, "EXCEEDED_ID_LIMIT".to_owned()));
}
