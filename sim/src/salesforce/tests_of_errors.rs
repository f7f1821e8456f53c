//! The catalogue of errors, one row after the other: what brings each about, its status, its shape and its words; and bad input.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::trial::{Reply, Trial};
use super::{DuplicateRule, Settings, fault, fault_codes};

/// An org in which every switch that refuses something is on.
fn strict() -> Trial {
    let mut settings = Settings {
        validation_rules: true,
        duplicate_rules: vec![DuplicateRule {
            name: "Standard_Contact_Duplicate_Rule".to_owned(),
            matching_rule: "Standard_Contact_Match_Rule_v1_1".to_owned(),
            object: "Contact".to_owned(),
            fields: vec!["Email".to_owned()],
            allow_save: true,
            message: "Use one of these records?".to_owned(),
        }],
        ..Settings::default()
    };
    settings.schema.state_country_picklists = true;
    Trial::with(settings)
}

/// An error is a list of objects with a code and a message, and with fields where a write was refused; nothing else.
fn assert_shape(reply: &Reply) {
    let body = reply.json();
    let complaints = body.as_array().unwrap_or_else(|| panic!("{}", reply.text));
    assert!(!complaints.is_empty(), "{}", reply.text);
    for complaint in complaints {
        assert!(
            complaint["errorCode"].is_string() && complaint["message"].is_string(),
            "{}",
            reply.text
        );
        let known = ["errorCode", "message", "fields", "duplicateResult"];
        let members = complaint.as_object().unwrap().keys();
        assert!(
            members.into_iter().all(|name| known.contains(&name.as_str())),
            "{}",
            reply.text
        );
    }
    assert!(
        reply.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/json")
    );
}

/// Object, body of a create, code, a part of the message, fields.
const WRITES: [(&str, &str, &str, &str, &str); 11] = [
    (
        "Account",
        "{}",
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Name]",
        "[\"Name\"]",
    ),
    (
        "Account",
        "{\"Name\": \"x\", \"Sic\": \"123456789012345678901\"}",
        "STRING_TOO_LONG",
        "data value too large: 123456789012345678901 (max length=20)",
        "[\"Sic\"]",
    ),
    (
        "Opportunity",
        "{\"How_can_Microsoft_help__c\": \"Pray\"}",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "How can Microsoft help?: bad value for restricted picklist field: Pray",
        "[\"How_can_Microsoft_help__c\"]",
    ),
    (
        "Opportunity",
        "{\"Name\":\"x\",\"StageName\":\"Prospecting\",\"CloseDate\":\"2026-01-01\",\"Sync_With_Partner_Center__c\":true}",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Please add at least one Solution/Product (1P/3P/Your own company product) before syncing.",
        "[\"Sync_With_Partner_Center__c\"]",
    ),
    (
        "Account",
        "{\"Name\": \"x\", \"BillingCountry\": \"Atlantis\"}",
        "FIELD_INTEGRITY_EXCEPTION",
        "valid countries.: Billing Country",
        "[\"BillingCountry\"]",
    ),
    (
        "Opportunity",
        "{\"IsWon\": true}",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "Unable to create/update fields: IsWon.",
        "[\"IsWon\"]",
    ),
    (
        "Opportunity",
        "{\"IsPrivate\": null}",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "value not of required type: null",
        "[\"IsPrivate\"]",
    ),
    (
        "Contact",
        "{\"LastName\": \"x\", \"AccountId\": \"a01D0000001pPvHAAU\"}",
        "MALFORMED_ID",
        "Account ID: id value of incorrect type: a01D0000001pPvHAAU",
        "[\"AccountId\"]",
    ),
    (
        "Contact",
        "{\"LastName\": \"x\", \"AccountId\": \"001000000000001AAA\"}",
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
        "[]",
    ),
    (
        "Contact",
        "{\"foo\": 1}",
        "INVALID_FIELD",
        "No such column 'foo' on sobject of type Contact",
        "null",
    ),
    (
        "Contact",
        "{\"LastName\": \"x\", \"Email\": \"a@b.example\"}",
        "DUPLICATES_DETECTED",
        "Use one of these records?",
        "null",
    ),
];

#[test]
fn every_refused_write_of_the_catalogue_is_reached_by_a_request() {
    let trial = strict();
    trial.create("Contact", &json!({"LastName": "Xu", "Email": "a@b.example"}));
    for (object, body, code, message, fields) in WRITES {
        let [body, fields]: [Value; 2] = [body, fields].map(|text| serde_json::from_str(text).unwrap());
        let reply = trial.post(object, &body);
        assert_eq!(reply.fault(), (400, code.to_owned()), "{body}: {}", reply.text);
        assert!(reply.message().contains(message), "{code}: {}", reply.message());
        assert_eq!(reply.json()[0]["fields"], fields, "{code}");
        assert_shape(&reply);
    }
    let deal = trial.deal("x", &json!({}));
    let body = json!({"Name": "S", "Solution_Identifier__c": "s"});
    let solution = trial.create("Microsoft_Solution_Detail__c", &body);
    let body = json!({"Opportunity__c": deal, "Solution__c": solution});
    trial.create("Microsoft_Solutions__c", &body);
    let held = trial.delete("Microsoft_Solution_Detail__c", &solution);
    assert_eq!(held.fault(), (400, "DELETE_FAILED".to_owned()));
    assert!(
        held.message()
            .starts_with("Your attempt to delete S could not be completed because it is associated")
    );
}

/// Method, path, body or content type, status, code, a part of the message. `ID` is a deleted account.
const OTHERS: [(&str, &str, &str, u16, &str, &str); 8] = [
    (
        "GET",
        "/sobjects/Account/001000000000001AAA",
        "",
        404,
        "NOT_FOUND",
        "The requested resource does not exist",
    ),
    (
        "GET",
        "/sobjects/Account/Namez/x",
        "",
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Namez",
    ),
    (
        "GET",
        "/sobjects/Account/ID",
        "",
        404,
        "ENTITY_IS_DELETED",
        "entity is deleted",
    ),
    (
        "POST",
        "/sobjects/Account",
        "[]",
        400,
        "JSON_PARSER_ERROR",
        "at [line:1, column:1]",
    ),
    (
        "PUT",
        "/sobjects/Account",
        "{}",
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,POST",
    ),
    (
        "POST",
        "/sobjects/Account",
        "",
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "text/plain",
    ),
    (
        "GET",
        "/query/0r8none-2000",
        "",
        400,
        "INVALID_QUERY_LOCATOR",
        "invalid query locator",
    ),
    (
        "GET",
        "/sobjects/Account/updated?start=2026-01-05T09:00:00Z&end=2026-01-05T08:00:00Z",
        "",
        400,
        "INVALID_REPLICATION_DATE",
        "startDate before endDate",
    ),
];

#[test]
fn every_other_error_of_the_catalogue_is_reached_by_a_request() {
    let trial = strict();
    let account = trial.create("Account", &json!({"Name": "Fabrikam"}));
    trial.delete("Account", &account);
    for (method, path, body, status, code, message) in OTHERS {
        let path = format!("/services/data/v60.0{}", path.replace("/ID", &format!("/{account}")));
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let plain = [("content-type", "text/plain")];
        let headers = if body.is_null() { &plain[..] } else { &[] };
        let reply = trial.send(method, &path, &body, headers);
        assert_eq!(reply.fault(), (status, code.to_owned()), "{path}: {}", reply.text);
        assert!(reply.message().contains(message), "{path}: {}", reply.message());
        assert_shape(&reply);
    }
    let stranger = Request::get("https://contoso.my.salesforce.com/services/data/v60.0/limits");
    let reply = trial.raw(stranger.body(Bytes::new()).unwrap());
    assert_eq!(reply.fault(), (401, "INVALID_SESSION_ID".to_owned()));
    let spent = Trial::with(Settings {
        daily_requests: 0,
        ..Settings::default()
    });
    let reply = spent.get("/limits");
    assert_eq!(reply.fault(), (403, "REQUEST_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(reply.message(), "TotalRequests Limit exceeded.");
}

#[test]
fn what_no_request_reaches_is_ready_for_a_fault() {
    let codes: Vec<&str> = fault_codes().collect();
    for code in [
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "MALFORMED_SEARCH",
    ] {
        assert!(codes.contains(&code), "{code}");
    }
    for code in codes {
        let response = fault(code).unwrap();
        let reply = Reply {
            status: response.status(),
            headers: response.headers().clone(),
            text: String::from_utf8(response.body().to_vec()).unwrap(),
        };
        assert_eq!(reply.fault().1, code);
        assert_shape(&reply);
    }
    assert!(fault("INVALID_FIELD").is_none());
}

#[test]
fn bad_queries_get_the_vendors_error_and_nothing_else() {
    let trial = Trial::new();
    trial.create("Account", &json!({"Name": "Fabrikam"}));
    let frame = "No such column 'Nmae' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' \
                 after the custom field name. Please reference your WSDL or the describe call for the appropriate names.";
    let reply = trial.query("SELECT Nmae FROM account");
    assert_eq!(
        reply.message(),
        format!("\nSELECT Nmae FROM account\n       ^\nERROR at Row:1:Column:8\n{frame}")
    );
    for (soql, code) in [
        (
            "SELECT Id FROM Account WHERE Name = ''; DROP TABLE Account; --'",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM Account WHERE Name = 'x' OR 1 = 1", "MALFORMED_QUERY"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = \"x\"", "MALFORMED_QUERY"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-13-45T00:00:00Z",
            "MALFORMED_QUERY",
        ),
        (
            "SELECT Id FROM Account WHERE NumberOfEmployees = 'many'",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Account WHERE Id = 'a01D0000001pPvHAAU'",
            "INVALID_QUERY_FILTER_OPERATOR",
        ),
        ("SELECT Id FROM Account LIMIT -1", "MALFORMED_QUERY"),
        (
            "SELECT Id FROM Account WHERE IsDeleted LIKE 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
        ),
        ("SELECT Id, FROM Account", "MALFORMED_QUERY"),
        ("SELECT A.B.C.D.E.F.G FROM Account", "INVALID_FIELD"),
    ] {
        let reply = trial.query(soql);
        assert_eq!(reply.fault(), (400, code.to_owned()), "{soql}: {}", reply.text);
        assert_shape(&reply);
    }
    // An injected quote stays a text when it is escaped, in any case of the names.
    let quoted = "select ID from ACCOUNT where NAME = '\\' OR Name != \\''";
    assert_eq!(trial.query(quoted).json()["totalSize"], 0);
}

#[test]
fn huge_and_deep_queries_are_answered_at_once() {
    let trial = Trial::new();
    let deep = format!("/query?q=SELECT+Id+FROM+Account+WHERE+{}", "(".repeat(10_000));
    assert_eq!(trial.get(&deep).fault(), (400, "MALFORMED_QUERY".to_owned()));
    let long = format!(
        "/query?q=SELECT+Id+FROM+Account+WHERE+Name=%27{}%27",
        "x".repeat(50_000)
    );
    let reply = trial.get(&long);
    assert_eq!(reply.fault().0, 414, "a query of that length fits into no address");
    let names = vec!["Name"; 1000].join(",");
    assert_eq!(
        trial.get(&format!("/query?q=SELECT+{names}+FROM+Account")).fault().1,
        "INVALID_FIELD"
    );
}
