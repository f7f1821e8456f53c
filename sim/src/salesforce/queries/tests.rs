//! Queries over HTTP: conditions, order, pages, and refusals.

use serde_json::json;

use crate::salesforce::Settings;
use crate::salesforce::trial::Trial;

fn stocked() -> Trial {
    let trial = Trial::new();
    for (name, amount, stage) in [
        ("Alpha", json!(100), "Prospecting"),
        ("beta", json!(null), "Closed Won"),
        ("Gamma", json!(300), "On Hold"),
        ("Delta O'Neil", json!(50.5), "Closed Lost"),
    ] {
        trial.wait(1);
        trial.deal(
            name,
            &json!({"Amount": amount, "StageName": stage, "Referral_Identifier__c": format!("ref-{name}")}),
        );
    }
    trial
}

#[test]
fn conditions_find_what_they_say() {
    let trial = stocked();
    for (condition, expected) in [
        ("Amount >= 100", vec!["Alpha", "Gamma"]),
        ("Amount < 100.5", vec!["Alpha", "Delta O'Neil"]),
        ("Amount = null", vec!["beta"]),
        ("Amount != 100", vec!["beta", "Gamma", "Delta O'Neil"]),
        ("Name = 'ALPHA'", vec!["Alpha"]),
        ("Name = 'delta o\\'neil'", vec!["Delta O'Neil"]),
        ("Name LIKE '%eta'", vec!["beta"]),
        ("Name LIKE '_e%'", vec!["beta", "Delta O'Neil"]),
        ("Name IN ('Beta', 'gamma', 'x')", vec!["beta", "Gamma"]),
        ("Name NOT IN ('Beta', 'gamma')", vec!["Alpha", "Delta O'Neil"]),
        ("IsClosed = true AND IsWon = false", vec!["Delta O'Neil"]),
        ("(IsWon = true OR Amount > 200) AND (NOT Name = 'beta')", vec!["Gamma"]),
        ("Referral_Identifier__c = 'REF-GAMMA'", vec!["Gamma"]),
        (
            "Referral_Identifier__c IN ('ref-alpha', 'ref-beta')",
            vec!["Alpha", "beta"],
        ),
        ("SystemModstamp >= 2026-01-05T09:00:03Z", vec!["Gamma", "Delta O'Neil"]),
        (
            "SystemModstamp > 2026-01-05T10:00:03.000+01:00 AND CloseDate = 2026-03-31",
            vec!["Delta O'Neil"],
        ),
        ("CloseDate > 2026-03-31", vec![]),
        ("Account.Name = null", vec!["Alpha", "beta", "Gamma", "Delta O'Neil"]),
        (
            "Owner.Username = 'connector@contoso.example' AND Amount = 300",
            vec!["Gamma"],
        ),
    ] {
        assert_eq!(
            trial.names(&format!("SELECT Name FROM Opportunity WHERE {condition}")),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn order_limit_offset_and_count_are_kept() {
    let trial = stocked();
    for (rest, expected) in [
        ("ORDER BY Name", vec!["Alpha", "beta", "Delta O'Neil", "Gamma"]),
        (
            "ORDER BY Amount DESC NULLS LAST",
            vec!["Gamma", "Alpha", "Delta O'Neil", "beta"],
        ),
        ("ORDER BY Amount", vec!["beta", "Delta O'Neil", "Alpha", "Gamma"]),
        ("ORDER BY IsClosed, SystemModstamp DESC LIMIT 2", vec!["Gamma", "Alpha"]),
        ("ORDER BY Name LIMIT 2 OFFSET 1", vec!["beta", "Delta O'Neil"]),
        ("LIMIT 0", vec![]),
    ] {
        assert_eq!(
            trial.names(&format!("select Name from opportunity {rest}")),
            expected,
            "{rest}"
        );
    }
    let count = trial.query("select count() from Opportunity WHERE Amount > 60");
    assert_eq!(count.text, "{\"totalSize\":2,\"done\":true,\"records\":[]}");
    assert_eq!(
        trial.query("SELECT Id FROM Opportunity OFFSET 2001").fault().1,
        "NUMBER_OUTSIDE_VALID_RANGE"
    );
}

#[test]
fn pages_follow_their_links_and_expire_after_two_days() {
    let trial = Trial::with(Settings {
        page_size: 2,
        ..Settings::default()
    });
    for name in ["a", "b", "c", "d", "e"] {
        trial.deal(name, &json!({}));
    }
    let mut reply = trial.query("SELECT Name FROM Opportunity ORDER BY Name").json();
    let mut names = Vec::new();
    let mut links = Vec::new();
    loop {
        assert_eq!(reply["totalSize"], 5);
        names.extend(
            reply["records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| record["Name"].clone()),
        );
        if reply["done"] == true {
            break;
        }
        let link = reply["nextRecordsUrl"].as_str().unwrap().to_owned();
        reply = trial.get(link.strip_prefix("/services/data/v60.0").unwrap()).json();
        links.push(link);
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    assert_eq!(links.len(), 2);
    assert!(
        links[0].starts_with("/services/data/v60.0/query/0r8") && links[0].ends_with("-2"),
        "{links:?}"
    );
    trial.wait(2 * 24 * 60 * 60 - 1);
    let mut trial = trial;
    trial.sign_in("connector");
    let link = links[0].strip_prefix("/services/data/v60.0").unwrap();
    assert_eq!(trial.get(link).status, 200);
    trial.wait(1);
    assert_eq!(trial.get(link).fault(), (400, "INVALID_QUERY_LOCATOR".to_owned()));
    assert_eq!(trial.get("/query/0r8nothing-2000").fault().1, "INVALID_QUERY_LOCATOR");
}

#[test]
fn an_unknown_object_is_refused_in_the_recorded_words() {
    // salesforce.md section 2.9, recorded.
    let reply = Trial::new().query("select count() from XYZZY");
    assert_eq!(reply.fault(), (400, "INVALID_TYPE".to_owned()));
    assert_eq!(
        reply.message(),
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. If \
         you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your \
         WSDL or the describe call for the appropriate names."
    );
}

/// Each query is refused with the code, and its message ends with the text.
fn refused(cases: &[(&str, &str, &str)]) {
    let trial = Trial::new();
    for (soql, code, end) in cases {
        let reply = trial.query(soql);
        assert_eq!(reply.fault(), (400, (*code).to_owned()), "{soql}: {}", reply.text);
        assert!(reply.message().ends_with(end), "{soql}: {}", reply.message());
    }
}

#[test]
fn what_is_no_soql_is_refused_with_its_place() {
    refused(&[
        (
            "SELECT Id FORM Opportunity",
            "MALFORMED_QUERY",
            "Row:1:Column:11\nunexpected token: 'FORM'",
        ),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        (
            "SELECT Id\nFROM Opportunity\nWHERE Name = 'x",
            "MALFORMED_QUERY",
            "Row:3:Column:14\nunexpected char: '''",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Name = :name",
            "MALFORMED_QUERY",
            "Bind variables only allowed in Apex code",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Name = 'a\\x'",
            "MALFORMED_QUERY",
            "illegal character sequence",
        ),
        (
            "SELECT Id FROM Opportunity LIMIT many",
            "MALFORMED_QUERY",
            "unexpected token: 'many'",
        ),
    ]);
}

#[test]
fn names_and_values_that_do_not_fit_the_schema_are_refused() {
    refused(&[
        (
            "SELECT Nmae FROM Opportunity",
            "INVALID_FIELD",
            "for the appropriate names.",
        ),
        (
            "SELECT Id, id FROM Opportunity",
            "INVALID_FIELD",
            "duplicate field selected: id",
        ),
        (
            "SELECT Nothing.Name FROM Opportunity",
            "INVALID_FIELD",
            "for the appropriate names.",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Description = 'x'",
            "INVALID_FIELD",
            "'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Opportunity ORDER BY Audit__c",
            "INVALID_FIELD",
            "'Audit__c' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Name = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Amount = '5'",
            "INVALID_FIELD",
            "of type double and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z",
            "INVALID_FIELD",
            "should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Opportunity WHERE IsWon > true",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean field",
        ),
        (
            "SELECT Id FROM Opportunity WHERE Id = 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: x",
        ),
    ]);
}

#[test]
fn soql_that_is_not_simulated_is_refused_by_name() {
    let trial = Trial::new();
    for (soql, missing) in [
        (
            "SELECT Name FROM Account GROUP BY ROLLUP(Name)",
            "SOQL clause `GROUP BY ROLLUP`",
        ),
        (
            "SELECT Name FROM Account GROUP BY CUBE(Name, Type)",
            "SOQL clause `GROUP BY CUBE`",
        ),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Lead", "SOQL `TYPEOF`"),
        (
            "SELECT Id FROM Account WHERE DISTANCE(A, B, 'mi') < 5",
            "SOQL function `DISTANCE`",
        ),
        (
            "SELECT Id FROM Account WITH DATA CATEGORY x ABOVE y",
            "SOQL clause `WITH`",
        ),
        ("SELECT Id FROM Account USING SCOPE team", "SOQL scope `team`"),
        ("SELECT Id FROM Account UPDATE TRACKING", "SOQL clause `UPDATE`"),
        ("SELECT Id FROM Event", "object `Event`"),
        ("SELECT Campaign.Name FROM Opportunity", "object `Campaign`"),
        ("SELECT Street FROM User", "field `User.Street`"),
    ] {
        assert_eq!(trial.query(soql).missing().as_deref(), Some(missing), "{soql}");
    }
}

#[test]
fn huge_and_deep_queries_are_refused_at_once() {
    let trial = Trial::new();
    let long = format!("SELECT Id FROM Account WHERE Name = '{}'", "x".repeat(5000));
    assert_eq!(trial.query(&long).status, 200, "encoded length is below the limit");
    let longer = format!("SELECT Id FROM Account WHERE Name = '{}'", "x".repeat(6000));
    assert_eq!(trial.query(&longer).fault().0, 414);
    let deep = format!("SELECT Id FROM Account WHERE {}", "(".repeat(5000));
    assert_eq!(trial.query(&deep).fault(), (400, "MALFORMED_QUERY".to_owned()));
}
