//! The one client of Dataverse that the registry of Rust crates has: what it can do works, and what it does wrong is seen.

use cosell_client_dataverse_rust::{Contact, Deal, NewDeal, Outcome, client, order, required};
use powerplatform_dataverse_service_client::batch::Batch;
use powerplatform_dataverse_service_client::query::Query;
use powerplatform_dataverse_service_client::reference::ReferenceStruct;
use serde_json::{Value, json};
use uuid::Uuid;

/// Tests that take the connector's tokens away or add faults must not run beside others.
static ALONE: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

/// Status-less errors of this client are the body of the answer.
fn code(message: &str) -> Value {
    let body: Value = serde_json::from_str(message).unwrap_or_else(|_| panic!("no JSON: {message}"));
    body["error"]["code"].clone()
}

#[tokio::test]
async fn a_row_is_made_read_changed_and_deleted() -> Outcome {
    let _beside = ALONE.read().await;
    let client = client("secret");
    let mut contact = Contact::new("Zürich ☃ \"O'Brien\"", "Byron");
    assert_eq!(client.create(&contact).await?, contact.contactid);
    assert_eq!(client.retrieve::<Contact>(&contact).await?, contact);
    contact.lastname = "Lovelace".to_owned();
    contact.firstname = None;
    client.update(&contact).await?;
    assert_eq!(client.retrieve::<Contact>(&contact).await?, contact);
    assert_eq!(code(&client.create(&contact).await.unwrap_err().message), "0x80040237");
    client.delete(&contact).await?;
    assert_eq!(code(&client.retrieve::<Contact>(&contact).await.unwrap_err().message), "0x80040217");
    assert_eq!(code(&client.update(&contact).await.unwrap_err().message), "0x80040217");
    assert_eq!(code(&client.delete(&contact).await.unwrap_err().message), "0x80040217");
    Ok(())
}

#[tokio::test]
async fn a_deal_is_bound_to_its_customer_and_read_with_its_types() -> Outcome {
    let _beside = ALONE.read().await;
    let client = client("secret");
    let contact = Contact::new("Ada", "Byron");
    client.create(&contact).await?;
    let mut deal = NewDeal {
        opportunityid: Uuid::new_v4(),
        name: "Ten seats".to_owned(),
        estimatedvalue: 1200.5,
        estimatedclosedate: "2027-03-31".to_owned(),
        customer: format!("/contacts({})", contact.contactid),
    };
    client.create(&deal).await?;
    let read: Deal = client.retrieve(&deal).await?;
    let expected = Deal {
        name: "Ten seats".to_owned(),
        estimatedvalue: Some(1200.5),
        estimatedclosedate: Some("2027-03-31".to_owned()),
        statuscode: 1,
        customer: Some(contact.contactid),
    };
    assert_eq!(read, expected);
    deal.estimatedclosedate = "31.03.2027".to_owned();
    assert_eq!(code(&client.update(&deal).await.unwrap_err().message), "0x80048d19");
    deal.customer = format!("/contacts({})", Uuid::new_v4());
    deal.estimatedclosedate = "2027-03-31".to_owned();
    assert_eq!(code(&client.update(&deal).await.unwrap_err().message), "0x80040217");
    assert_eq!(client.retrieve::<Deal>(&deal).await?, expected, "a refused update changes nothing");
    // A customer goes with its deals.
    client.delete(&contact).await?;
    assert_eq!(code(&client.retrieve::<Deal>(&deal).await.unwrap_err().message), "0x80040217");
    Ok(())
}

#[tokio::test]
async fn an_upsert_makes_a_row_and_then_changes_it() -> Outcome {
    let _beside = ALONE.read().await;
    let client = client("secret");
    let mut contact = Contact::new("Grace", "Murray");
    client.upsert(&contact).await?;
    contact.lastname = "Hopper".to_owned();
    client.upsert(&contact).await?;
    assert_eq!(client.retrieve::<Contact>(&contact).await?, contact);
    Ok(())
}

#[tokio::test]
async fn values_and_tables_that_do_not_fit_are_refused_with_the_vendors_code() -> Outcome {
    let _beside = ALONE.read().await;
    let client = client("secret");
    let long = Contact::new(&"x".repeat(51), "b");
    assert_eq!(code(&client.create(&long).await.unwrap_err().message), "0x80044331");
    let nowhere = ReferenceStruct::new("contact", Uuid::new_v4());
    assert_eq!(code(&client.retrieve::<Contact>(&nowhere).await.unwrap_err().message), "0x80060888");
    let contact = Contact::new("a", "b");
    client.create(&contact).await?;
    let refused = client.retrieve::<Deal>(&contact).await.unwrap_err();
    assert!(refused.message.contains("Could not find a property named 'name'"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_a_token_that_was_taken_away_too() -> Outcome {
    let _alone = ALONE.write().await;
    let refused = client("wrong").create(&Contact::new("a", "b")).await.unwrap_err();
    assert!(refused.message.contains("AADSTS7000215"), "{refused}");
    let client = client("secret");
    let contact = Contact::new("c", "d");
    client.create(&contact).await?;
    order("DELETE", "users/connector/tokens", &Value::Null).await?;
    // The client keeps its token for 900 seconds whatever becomes of it; the 401 has no body.
    assert_eq!(client.retrieve::<Contact>(&contact).await.unwrap_err().message, "");
    let again = cosell_client_dataverse_rust::client("secret");
    assert_eq!(again.retrieve::<Contact>(&contact).await?, contact);
    Ok(())
}

#[tokio::test]
async fn a_limit_of_service_protection_is_an_error_with_its_code() -> Outcome {
    let _alone = ALONE.write().await;
    let client = client("secret");
    let contact = Contact::new("e", "f");
    client.create(&contact).await?;
    let body = json!({"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000."}});
    let answer = json!({"status": 429, "headers": {"retry-after": "3"}, "body": body});
    order("POST", "faults", &json!({"site": "dataverse", "fate": {"answer": answer}})).await?;
    assert_eq!(code(&client.retrieve::<Contact>(&contact).await.unwrap_err().message), "0x80072322");
    assert_eq!(client.retrieve::<Contact>(&contact).await?, contact);
    Ok(())
}

#[tokio::test]
async fn its_batches_name_a_boundary_that_they_do_not_use_and_are_refused() -> Outcome {
    let _beside = ALONE.read().await;
    let url: &'static str = Box::leak(format!("{}/", required("COSELL_DATAVERSE_URL")).into_boxed_str());
    let mut batch = Batch::new(url);
    let contact = Contact::new("never", "stored");
    batch.create(&contact)?;
    batch.update(&contact)?;
    let client = client("secret");
    assert_eq!(code(&client.execute(&batch).await.unwrap_err().message), "0x80048d19");
    assert_eq!(code(&client.retrieve::<Contact>(&contact).await.unwrap_err().message), "0x80040217");
    Ok(())
}

#[tokio::test]
async fn its_lists_name_their_set_twice_and_its_merges_their_key_wrongly_and_both_are_refused() -> Outcome {
    let _beside = ALONE.read().await;
    let client = client("secret");
    let refused = client.retrieve_multiple::<Contact>(&Query::new("contacts").limit(1)).await.unwrap_err();
    assert_eq!(code(&refused.message), "0x80060888", "{refused}");
    assert!(refused.message.contains("segment 'contactscontacts'"), "{refused}");
    assert!(client.merge("contact", Uuid::new_v4(), Uuid::new_v4()).await.is_err());
    Ok(())
}
