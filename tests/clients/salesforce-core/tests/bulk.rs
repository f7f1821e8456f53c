//! Bulk API 2.0: a read. The crate uploads a CSV as `application/octet-stream`, where the developer guide asks for `text/csv`,
//! so its loads are refused with 415 and only jobs that read are tried here.

use std::num::NonZeroU64;
use std::time::Duration;

use cosell_client_salesforce_core::{Outcome, bulk, rest};
use futures_util::StreamExt as _;
use salesforce_core::bulkapi::{ByteStream, CreateQueryJobRequest};
use serde_json::{from_value, json};

async fn text(mut stream: ByteStream) -> Result<String, Box<dyn std::error::Error>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(String::from_utf8(bytes)?)
}

#[tokio::test]
async fn a_query_job_hands_out_its_pages() -> Outcome {
    let rest = rest().await?;
    for name in ["Rust 1", "Rust 2"] {
        rest.create("Account", json!({"Name": name})).send().await?;
    }
    let bulk = bulk().await?;
    let query = bulk.query();
    let soql = "SELECT Name FROM Account WHERE Name LIKE 'Rust %' ORDER BY Name";
    let order: CreateQueryJobRequest = from_value(json!({"operation": "query", "query": soql}))?;
    let job = query.create_job(&order).await?;
    for _ in 0..200 {
        if format!("{:?}", query.get_job(&job.id).await?.state).contains("JobComplete") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut pages = query.result_pages(&job.id, NonZeroU64::new(1));
    let mut seen = Vec::new();
    while let Some(page) = pages.next_page().await {
        seen.push(text(page?.body).await?);
    }
    assert_eq!(seen, ["\"Name\"\n\"Rust 1\"\n", "\"Name\"\n\"Rust 2\"\n"]);
    query.delete_job(&job.id).await?;
    Ok(())
}
