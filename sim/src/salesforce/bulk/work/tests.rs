//! Bulk jobs over HTTP, from their making to their results.

use serde_json::{Value, json};

use crate::salesforce::trial::{Reply, Trial};

const ROOT: &str = "/services/data/v60.0/jobs";

fn send(trial: &Trial, method: &str, path: &str, body: &Value) -> Reply {
    trial.send(method, &format!("{ROOT}{path}"), body, &[])
}

fn put(trial: &Trial, id: &str, csv: &str) -> Reply {
    trial.text("PUT", &format!("{ROOT}/ingest/{id}/batches"), csv, "text/csv")
}

/// Makes a job, fills and closes it, and lets it finish; its identifier.
fn job(trial: &Trial, order: &Value, csv: &str) -> String {
    let made = send(trial, "POST", "/ingest", order);
    assert_eq!(made.status, 200, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(put(trial, &id, csv).status, 201);
    let closed = send(
        trial,
        "PATCH",
        &format!("/ingest/{id}"),
        &json!({"state": "UploadComplete"}),
    );
    assert_eq!(closed.json()["state"], "UploadComplete", "{}", closed.text);
    trial.wait(60);
    id
}

fn state(trial: &Trial, kind: &str, id: &str) -> String {
    let job = send(trial, "GET", &format!("/{kind}/{id}"), &Value::Null).json();
    job["state"].as_str().unwrap().to_owned()
}

fn result(trial: &Trial, id: &str, which: &str) -> String {
    send(trial, "GET", &format!("/ingest/{id}/{which}"), &Value::Null).text
}

#[test]
fn a_new_job_is_told_with_what_was_left_out() {
    let trial = Trial::new();
    let made = send(
        &trial,
        "POST",
        "/ingest",
        &json!({"operation": "insert", "object": "account"}),
    );
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("750") && id.len() == 18);
    for (member, value) in [
        ("operation", json!("insert")),
        ("object", json!("Account")),
        ("state", json!("Open")),
        ("contentType", json!("CSV")),
        ("apiVersion", json!(60.0)),
        ("lineEnding", json!("LF")),
        ("columnDelimiter", json!("COMMA")),
        (
            "contentUrl",
            json!(format!("services/data/v60.0/jobs/ingest/{id}/batches")),
        ),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
}

#[test]
fn a_job_goes_through_its_states_on_the_clock() {
    let trial = Trial::new();
    let made = send(
        &trial,
        "POST",
        "/ingest",
        &json!({"operation": "insert", "object": "account"}),
    )
    .json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(put(&trial, id, "Name\nOne\n").status, 201);
    assert_eq!(
        put(&trial, id, "Name\nTwo\n").fault(),
        (400, "CLIENTINPUTERROR".to_owned())
    );
    trial.wait(3600);
    assert_eq!(
        state(&trial, "ingest", id),
        "Open",
        "nothing happens before it is closed"
    );
    assert!(result(&trial, id, "successfulResults").contains("INVALIDJOBSTATE"));
    send(
        &trial,
        "PATCH",
        &format!("/ingest/{id}"),
        &json!({"state": "UploadComplete"}),
    );
    assert_eq!(state(&trial, "ingest", id), "UploadComplete");
    trial.wait(1);
    assert_eq!(state(&trial, "ingest", id), "InProgress");
    assert!(trial.names("SELECT Name FROM Account").is_empty());
    trial.wait(1);
    assert_eq!(state(&trial, "ingest", id), "JobComplete");
    assert_eq!(trial.names("SELECT Name FROM Account"), ["One"]);
    let over = send(&trial, "PATCH", &format!("/ingest/{id}"), &json!({"state": "Aborted"}));
    assert_eq!(over.fault(), (400, "INVALIDJOBSTATE".to_owned()));
    let told = send(&trial, "GET", &format!("/ingest/{id}"), &Value::Null).json();
    assert_eq!(
        (&told["numberRecordsProcessed"], &told["jobType"]),
        (&json!(1), &json!("V2Ingest"))
    );
    assert_eq!(
        send(&trial, "DELETE", &format!("/ingest/{id}"), &Value::Null).status,
        204
    );
    assert_eq!(
        send(&trial, "GET", &format!("/ingest/{id}"), &Value::Null).fault().0,
        404
    );
}

#[test]
fn an_insert_tells_what_became_of_each_row() {
    let trial = Trial::new();
    let csv =
        "Name,Industry,Description\n\"Quoted, with \"\"signs\"\"\",,\"two\nlines\"\n,Banking,no name\nPlain,#N/A,x\n";
    let id = job(&trial, &json!({"operation": "insert", "object": "Account"}), csv);
    let accounts = trial.query("SELECT Id, Name FROM Account ORDER BY Name").json();
    let of = |at: usize| accounts["records"][at]["Id"].as_str().unwrap().to_owned();
    assert_eq!(
        result(&trial, &id, "successfulResults"),
        format!(
            "\"sf__Id\",\"sf__Created\",\"Name\",\"Industry\",\"Description\"\n\"{}\",\"true\",\"Quoted, with \"\"signs\"\"\",\"\",\"two\nlines\"\n\
             \"{}\",\"true\",\"Plain\",\"#N/A\",\"x\"\n",
            of(1),
            of(0)
        )
    );
    assert_eq!(
        result(&trial, &id, "failedResults"),
        "\"sf__Id\",\"sf__Error\",\"Name\",\"Industry\",\"Description\"\n\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: \
         [Name]:Name --\",\"\",\"Banking\",\"no name\"\n"
    );
    assert_eq!(
        result(&trial, &id, "unprocessedrecords"),
        "\"Name\",\"Industry\",\"Description\"\n"
    );
    let told = send(&trial, "GET", &format!("/ingest/{id}"), &Value::Null).json();
    assert_eq!(
        (&told["numberRecordsProcessed"], &told["numberRecordsFailed"]),
        (&json!(3), &json!(1))
    );
}

#[test]
fn updates_upserts_and_deletes_find_their_records() {
    let trial = Trial::new();
    let key = "Referral_Identifier__c";
    let deal = trial.deal("old", &json!({key: "k-1", "Amount": 5, "NextStep": "call"}));
    let csv = format!("Id;Amount;NextStep;Name\r\n{deal};7.5;#N/A;\r\nx;1;;\r\n;1;;\r\n");
    let order =
        json!({"operation": "update", "object": "Opportunity", "lineEnding": "CRLF", "columnDelimiter": "SEMICOLON"});
    let id = job(&trial, &order, &csv);
    let read = trial.read("Opportunity", &deal);
    assert_eq!(
        (&read["Amount"], &read["NextStep"], &read["Name"]),
        (&json!(7.5), &Value::Null, &json!("old"))
    );
    let failed = result(&trial, &id, "failedResults");
    assert!(
        failed.contains("\"x\";\"MALFORMED_ID:Id: id value of incorrect type: x:Id --\"") && failed.ends_with("\r\n"),
        "{failed}"
    );
    assert!(failed.contains("MISSING_ARGUMENT"), "{failed}");
    let csv = format!(
        "{key},Name,StageName,CloseDate,{}\nK-1,new,,,yes\nk-2,made,Prospecting,2026-03-31,0\n",
        "Sync_With_Partner_Center__c"
    );
    let order = json!({"operation": "upsert", "object": "Opportunity", "externalIdFieldName": key});
    let id = job(&trial, &order, &csv);
    assert_eq!(result(&trial, &id, "successfulResults").matches("\"false\"").count(), 1);
    let read = trial.read("Opportunity", &deal);
    assert_eq!(
        (&read["Name"], &read["Sync_With_Partner_Center__c"]),
        (&json!("new"), &json!(true))
    );
    assert_eq!(
        trial.names("SELECT Name FROM Opportunity WHERE Name = 'made'"),
        ["made"]
    );
    let order = json!({"operation": "delete", "object": "Opportunity"});
    let id = job(&trial, &order, &format!("Id\n{deal}\n{deal}\n"));
    assert!(result(&trial, &id, "failedResults").contains("ENTITY_IS_DELETED"));
    assert_eq!(trial.names("SELECT Name FROM Opportunity"), ["made"]);
    let children = "LastName,Account.Name\nAnn,Nobody\n";
    let id = job(&trial, &json!({"operation": "insert", "object": "Contact"}), children);
    assert!(result(&trial, &id, "failedResults").contains("sf__Error"));
}

#[test]
fn a_csv_that_cannot_be_read_fails_the_job_with_a_reason() {
    let trial = Trial::new();
    let order = json!({"operation": "insert", "object": "Account"});
    for (csv, reason) in [
        ("Name,Nmae\nx,y\n", "InvalidBatch : Field name not found : Nmae"),
        (
            "Name\r\nx\r\n",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        ("Name,Industry\nx\n", "InvalidBatch : the CSV cannot be read"),
    ] {
        let id = job(&trial, &order, csv);
        let told = send(&trial, "GET", &format!("/ingest/{id}"), &Value::Null).json();
        assert_eq!(told["state"], "Failed");
        assert!(told["errorMessage"].as_str().unwrap().starts_with(reason), "{told}");
    }
    let id = job(
        &trial,
        &json!({"operation": "delete", "object": "Account"}),
        "Id,Name\nx,y\n",
    );
    assert_eq!(state(&trial, "ingest", &id), "Failed");
    for empty in ["", "Name\n"] {
        assert_eq!(state(&trial, "ingest", &job(&trial, &order, empty)), "JobComplete");
    }
    assert!(trial.names("SELECT Name FROM Account").is_empty());
}

#[test]
fn an_aborted_job_keeps_its_rows_unprocessed() {
    let trial = Trial::new();
    let made = send(
        &trial,
        "POST",
        "/ingest",
        &json!({"operation": "insert", "object": "Account"}),
    )
    .json();
    let id = made["id"].as_str().unwrap();
    put(&trial, id, "Name\nOne\n");
    assert_eq!(
        send(&trial, "DELETE", &format!("/ingest/{id}"), &Value::Null).fault().1,
        "INVALIDJOBSTATE"
    );
    send(&trial, "PATCH", &format!("/ingest/{id}"), &json!({"state": "Aborted"}));
    trial.wait(3600);
    assert_eq!(state(&trial, "ingest", id), "Aborted");
    assert_eq!(result(&trial, id, "unprocessedrecords"), "\"Name\"\n\"One\"\n");
    assert!(trial.names("SELECT Name FROM Account").is_empty());
}

#[test]
fn a_query_job_hands_out_pages() {
    let trial = Trial::new();
    let account = trial.create("Account", &json!({"Name": "Comma, Ltd"}));
    for (at, parent) in [(1, json!(account)), (2, Value::Null), (3, json!(account))] {
        trial.deal(&format!("Deal {at}"), &json!({"AccountId": parent, "Amount": at}));
    }
    let soql = "SELECT name, Account.Name, Amount, IsClosed FROM Opportunity ORDER BY Name";
    let made = send(&trial, "POST", "/query", &json!({"operation": "query", "query": soql})).json();
    assert_eq!(
        (&made["state"], &made["object"]),
        (&json!("UploadComplete"), &json!("Opportunity"))
    );
    let id = made["id"].as_str().unwrap();
    let results = format!("/query/{id}/results?maxRecords=2");
    assert_eq!(
        send(&trial, "GET", &results, &Value::Null).fault(),
        (400, "INVALIDJOBSTATE".to_owned())
    );
    trial.wait(60);
    assert_eq!(state(&trial, "query", id), "JobComplete");
    let first = send(&trial, "GET", &results, &Value::Null);
    assert_eq!(
        first.text,
        "\"Name\",\"Account.Name\",\"Amount\",\"IsClosed\"\n\"Deal 1\",\"Comma, Ltd\",\"1.0\",\"false\"\n\"Deal 2\",\"\",\"2.0\",\"false\"\n"
    );
    assert_eq!(
        (&first.headers["sforce-numberofrecords"], &first.headers["content-type"]),
        (&"2".parse().unwrap(), &"text/csv".parse().unwrap())
    );
    let locator = first.headers["sforce-locator"].to_str().unwrap();
    let second = send(&trial, "GET", &format!("{results}&locator={locator}"), &Value::Null);
    assert!(
        second.text.ends_with("\"Deal 3\",\"Comma, Ltd\",\"3.0\",\"false\"\n"),
        "{}",
        second.text
    );
    assert_eq!(
        (
            &second.headers["sforce-locator"],
            &second.headers["sforce-numberofrecords"]
        ),
        (&"null".parse().unwrap(), &"1".parse().unwrap())
    );
    for bad in ["locator=x", "locator=OTk", "maxRecords=0", "maxRecords=x"] {
        assert_eq!(
            send(&trial, "GET", &format!("/query/{id}/results?{bad}"), &Value::Null)
                .fault()
                .0,
            400,
            "{bad}"
        );
    }
    let list = send(&trial, "GET", "/query", &Value::Null).json();
    assert_eq!(
        (&list["done"], &list["records"][0]["jobType"]),
        (&json!(true), &json!("V2Query"))
    );
    assert_eq!(
        send(&trial, "GET", "/ingest", &Value::Null).json()["records"],
        json!([])
    );
}

#[test]
fn orders_that_make_no_sense_are_refused_at_once() {
    let trial = Trial::new();
    for (path, order, code) in senseless() {
        assert_eq!(
            send(&trial, "POST", path, &order).fault(),
            (400, code.to_owned()),
            "{order}"
        );
    }
    assert_eq!(send(&trial, "GET", "/ingest/750nothing", &Value::Null).fault().0, 404);
    assert_eq!(send(&trial, "PUT", "/ingest", &json!({})).fault().0, 405);
    let made = send(
        &trial,
        "POST",
        "/ingest",
        &json!({"operation": "insert", "object": "Account"}),
    )
    .json();
    let id = made["id"].as_str().unwrap();
    let json = trial.text("PUT", &format!("{ROOT}/ingest/{id}/batches"), "{}", "application/json");
    assert_eq!(json.fault(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    let odd = send(&trial, "PATCH", &format!("/ingest/{id}"), &json!({"state": "Open"}));
    assert_eq!(odd.fault(), (400, "INVALID_INPUT".to_owned()));
    assert_eq!(
        send(&trial, "GET", &format!("/query/{id}"), &Value::Null).fault().0,
        404,
        "it is no query"
    );
}

/// Where each order goes, the order, and the code of its refusal.
fn senseless() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "/ingest",
            json!({"operation": "insert", "object": "Nothing__c"}),
            "INVALIDENTITY",
        ),
        (
            "/ingest",
            json!({"operation": "destroy", "object": "Account"}),
            "INVALIDJOB",
        ),
        (
            "/ingest",
            json!({"operation": "hardDelete", "object": "Account"}),
            "FEATURENOTENABLED",
        ),
        (
            "/ingest",
            json!({"operation": "upsert", "object": "Account"}),
            "INVALIDJOB",
        ),
        (
            "/ingest",
            json!({"operation": "upsert", "object": "Account", "externalIdFieldName": "Name"}),
            "INVALIDJOB",
        ),
        (
            "/ingest",
            json!({"operation": "insert", "object": "Account", "contentType": "XML"}),
            "INVALIDJOB",
        ),
        (
            "/ingest",
            json!({"operation": "insert", "object": "Account", "lineEnding": "CR"}),
            "INVALIDJOB",
        ),
        (
            "/ingest",
            json!({"operation": "insert", "object": "Account", "columnDelimiter": ","}),
            "INVALIDJOB",
        ),
        (
            "/ingest",
            json!({"operation": 5, "object": "Account"}),
            "JSON_PARSER_ERROR",
        ),
        ("/ingest", json!([]), "JSON_PARSER_ERROR"),
        (
            "/query",
            json!({"operation": "query", "query": "SELECT Nmae FROM Account"}),
            "INVALID_FIELD",
        ),
        ("/query", json!({"operation": "query"}), "MALFORMED_QUERY"),
        (
            "/query",
            json!({"operation": "insert", "query": "SELECT Id FROM Account"}),
            "INVALIDJOB",
        ),
    ]
}
