//! Sign-in, describe, records one by one, queries, collections, a session that ends, a limit that is reached.
//!
//! The crate has no call for a single upsert, for `/composite` itself, for `updated`, and none for streaming by CometD.

use cosell_client_salesforce_core::{Outcome, order, rest, signed_in};
use salesforce_core::restapi;
use serde_json::{Value, from_value, json};

const KEY: &str = "Referral_Identifier__c";

fn deal(name: &str, more: Value) -> Value {
    let mut deal = json!({"Name": name, "StageName": "Prospecting", "CloseDate": "2027-03-31"});
    for (field, value) in more.as_object().into_iter().flatten() {
        deal[field] = value.clone();
    }
    deal
}

/// Tests that take the connector's tokens away or add faults must not run beside others.
static ALONE: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

#[tokio::test]
async fn a_record_is_created_read_changed_and_deleted() -> Outcome {
    let _beside = ALONE.read().await;
    let rest = rest().await?;
    let created = rest
        .create(
            "Opportunity",
            deal("Ten seats", json!({"Amount": 1200.5, KEY: "rust/1"})),
        )
        .send()
        .await?;
    assert!(created.success && created.id.len() == 18);
    let read = rest
        .get("Opportunity", &created.id)
        .fields("Name,Amount")
        .send()
        .await?;
    assert_eq!((&read["Name"], &read["Amount"]), (&json!("Ten seats"), &json!(1200.5)));
    rest.update("Opportunity", &created.id, json!({"Name": "Twelve seats"}))
        .send()
        .await?;
    let found = rest.get_by_external_id("Opportunity", KEY, "rust/1").send().await?;
    assert_eq!(
        (&found["Name"], &found["Id"]),
        (&json!("Twelve seats"), &json!(created.id))
    );
    rest.delete("Opportunity", &created.id).send().await?;
    let gone = rest.get("Opportunity", &created.id).send().await.unwrap_err();
    assert!(format!("{gone:?}").contains("ENTITY_IS_DELETED"), "{gone:?}");
    Ok(())
}

#[tokio::test]
async fn typed_describes_are_complete() -> Outcome {
    let _beside = ALONE.read().await;
    let rest = rest().await?;
    let described = rest.describe("Opportunity").send().await?;
    assert_eq!(described.name, "Opportunity");
    let key = described
        .fields
        .iter()
        .find(|field| field.name == KEY)
        .expect("the package's field");
    assert!(format!("{key:?}").contains("external_id"));
    let basic = rest.basic_info("Account").send().await?;
    assert_eq!(basic.object_describe.name, "Account");
    Ok(())
}

#[tokio::test]
async fn queries_follow_their_pages() -> Outcome {
    let _beside = ALONE.read().await;
    let rest = rest().await?;
    for chunk in 0..11 {
        let record =
            |at: i32| json!({"attributes": {"type": "Account"}, "Name": format!("Page {:04}", chunk * 200 + at)});
        let request = json!({"allOrNone": true, "records": (0..200).map(record).collect::<Vec<_>>()});
        let request: restapi::CompositeCollectionCreateRequest = from_value(request)?;
        assert!(
            rest.create_records(&request)
                .send()
                .await?
                .iter()
                .all(|result| result.success)
        );
    }
    let mut page = rest
        .query("SELECT Id, Name FROM Account WHERE Name LIKE 'Page %' ORDER BY Name")
        .send()
        .await?;
    assert_eq!((page.total_size, page.done, page.records.len()), (2200, false, 2000));
    let next = page.next_records_url.clone().expect("a further page");
    page = rest.query_more(next).send().await?;
    assert_eq!((page.done, page.records.len()), (true, 200));
    let wrong = rest.query("SELECT Nmae FROM Account").send().await.unwrap_err();
    assert!(format!("{wrong:?}").contains("INVALID_FIELD"), "{wrong:?}");
    Ok(())
}

#[tokio::test]
async fn collections_upsert_read_and_delete() -> Outcome {
    let _beside = ALONE.read().await;
    let rest = rest().await?;
    let record = |key: &str, name: &str| {
        let mut record = deal(name, json!({KEY: key}));
        record["attributes"] = json!({"type": "Opportunity"});
        record
    };
    let request: restapi::CompositeCollectionUpsertRequest = from_value(
        json!({"allOrNone": false, "records": [record("rs-1", "one"), record("rs-2", "two"), record("rs-3", "")]}),
    )?;
    let results = rest.upsert_records("Opportunity", KEY, &request).send().await?;
    assert_eq!(
        results.iter().map(|result| result.success).collect::<Vec<_>>(),
        [true, true, false]
    );
    let ids: Vec<String> = results.iter().filter_map(|result| result.id.clone()).collect();
    let request: restapi::CompositeCollectionRetrieveRequest = from_value(json!({"ids": ids, "fields": ["Name"]}))?;
    let read = rest.get_records("Opportunity", &request).send().await?;
    assert_eq!(
        read.iter().map(|record| record["Name"].clone()).collect::<Vec<_>>(),
        ["one", "two"]
    );
    let gone = rest.delete_records(ids.join(",")).all_or_none(true).send().await?;
    assert!(gone.len() == 2 && gone.iter().all(|result| result.success));
    Ok(())
}

#[tokio::test]
async fn collections_update_and_deleted_records_are_told() -> Outcome {
    let _beside = ALONE.read().await;
    let rest = rest().await?;
    let mut ids = Vec::new();
    for name in ["Kept", "Gone"] {
        ids.push(rest.create("Account", json!({"Name": name})).send().await?.id);
    }
    let record = |id: &String| json!({"attributes": {"type": "Account"}, "id": id, "Industry": "Banking"});
    let request = json!({"allOrNone": true, "records": ids.iter().map(record).collect::<Vec<_>>()});
    let request: restapi::CompositeCollectionUpdateRequest = from_value(request)?;
    let changed = rest.update_records(&request).send().await?;
    assert!(changed.len() == 2 && changed.iter().all(|result| result.success));
    rest.delete("Account", &ids[1]).send().await?;
    let soql = format!("SELECT Industry, IsDeleted FROM Account WHERE Id IN ('{}', '{}')", ids[0], ids[1]);
    assert_eq!(rest.query(&soql).send().await?.total_size, 1);
    let all = rest.query_all(format!("{soql} ORDER BY IsDeleted")).send().await?;
    let seen: Vec<Value> = all.records.iter().map(|record| serde_json::to_value(record).unwrap_or_default()).collect();
    assert_eq!((&seen[0]["IsDeleted"], &seen[1]["IsDeleted"]), (&json!(false), &json!(true)));
    assert_eq!(seen[1]["Industry"], "Banking");
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let span = now - chrono::TimeDelta::minutes(10)..now + chrono::TimeDelta::minutes(10);
    let told = rest.get_deleted("Account", span).send().await?;
    let told: Vec<&str> = told.deleted_records.iter().map(|record| record.id.as_str()).collect();
    assert!(told.contains(&ids[1].as_str()) && !told.contains(&ids[0].as_str()), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn a_tree_is_created_at_once() -> Outcome {
    let _beside = ALONE.read().await;
    let rest = rest().await?;
    let leaf = json!({"attributes": {"type": "Contact", "referenceId": "leaf"}, "LastName": "Leaf"});
    let root = json!({"attributes": {"type": "Account", "referenceId": "root"}, "Name": "Root", "Contacts": {"records": [leaf]}});
    let request: restapi::CompositeTreeRequest = from_value(json!({"records": [root]}))?;
    let done = rest.create_record_tree("Account", &request).send().await?;
    assert!(!done.has_errors);
    assert_eq!(
        done.results
            .iter()
            .map(|result| result.reference_id.as_str())
            .collect::<Vec<_>>(),
        ["root", "leaf"]
    );
    Ok(())
}

#[tokio::test]
async fn a_session_that_is_over_is_an_error_and_a_new_one_works() -> Outcome {
    let _alone = ALONE.write().await;
    let auth = signed_in().await?;
    let rest = restapi::ClientBuilder::new(auth).build()?;
    order("DELETE", "users/connector/tokens", "")?;
    let over = rest.query("SELECT Id FROM Organization").send().await;
    if let Err(over) = over {
        assert!(format!("{over:?}").contains("INVALID_SESSION_ID"), "{over:?}");
    }
    let again = restapi::ClientBuilder::new(signed_in().await?).build()?;
    assert_eq!(again.query("SELECT Id FROM Organization").send().await?.total_size, 1);
    Ok(())
}

#[tokio::test]
async fn the_daily_limit_and_429_are_errors_of_their_kind() -> Outcome {
    let _alone = ALONE.write().await;
    let rest = rest().await?;
    for (status, code) in [(403, "REQUEST_LIMIT_EXCEEDED"), (429, "REQUEST_LIMIT_EXCEEDED")] {
        let body = json!([{"message": "TotalRequests Limit exceeded.", "errorCode": code}]);
        let fault = json!({"site": "salesforce", "fate": {"answer": {"status": status, "body": body}}});
        order("POST", "faults", &fault.to_string())?;
        let refused = rest.query("SELECT Id FROM Account").send().await.unwrap_err();
        assert!(format!("{refused:?}").contains(&status.to_string()), "{refused:?}");
        assert_eq!(refused.is_retryable(), status == 429, "{refused:?}");
    }
    Ok(())
}
