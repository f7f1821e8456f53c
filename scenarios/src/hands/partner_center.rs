//! The partner in the Partner Center portal, through the referrals API (partner-center.md sections 4.1 and 4.2).

use cosell_sim::site::Site;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{Refused, Screen, amount, ask, json as body_of, send};
use crate::scenario::act::{Edit, Emptied, Outcome};

const WHO: &str = "partner";

fn url(world: &dyn Screen, referral: &str) -> String {
    format!(
        "{}/v1.0/engagements/referrals/{referral}",
        world.ground().bases.of(Site::PartnerCenter)
    )
}

fn patch(world: &mut dyn Screen, referral: &str, operations: &[(&str, Value)]) -> Result<(), Refused> {
    let operations: Vec<Value> = operations
        .iter()
        .map(|(path, value)| json!({"op": "replace", "path": path, "value": value}))
        .collect();
    let url = url(world, referral);
    ask(world, WHO, Method::PATCH, url, Some(Value::Array(operations))).map(drop)
}

/// Saves changed fields. The name is in no PATCH path: it goes by PUT with the whole resource.
pub fn edit(world: &mut dyn Screen, referral: &str, edit: &Edit) -> Result<(), Refused> {
    if let Some(name) = &edit.name {
        rename(world, referral, name)?;
    }
    let mut operations = Vec::new();
    if let Some(money) = &edit.value {
        operations.push(("/details/dealValue", amount(money.amount)));
        operations.push(("/details/currency", json!(money.currency)));
    }
    if let Some(date) = &edit.closes {
        operations.push(("/details/closingDateTime", json!(format!("{date}T00:00:00Z"))));
    }
    if let Some(notes) = &edit.notes {
        operations.push(("/details/notes", json!(notes)));
    }
    if let Some(reference) = &edit.external_reference {
        operations.push(("/externalReferenceId", json!(reference)));
    }
    for emptied in &edit.empties {
        match emptied {
            Emptied::Value => operations.push(("/details/dealValue", Value::Null)),
            Emptied::Closes => operations.push(("/details/closingDateTime", Value::Null)),
            Emptied::Help => {}
        }
    }
    if operations.is_empty() {
        Ok(())
    } else {
        patch(world, referral, &operations)
    }
}

fn rename(world: &mut dyn Screen, referral: &str, name: &str) -> Result<(), Refused> {
    let url = url(world, referral);
    let response = ask(world, WHO, Method::GET, url.clone(), None)?;
    let mut whole = body_of(&response);
    whole["name"] = json!(name);
    if let Some(fields) = whole.as_object_mut() {
        fields.remove("links");
    }
    let tag = whole["eTag"].as_str().unwrap_or_default().to_owned();
    let request = Request::builder()
        .method(Method::PUT)
        .uri(url)
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::IF_MATCH, tag);
    send(world, WHO, request, Some(whole)).map(drop)
}

/// Registers a webhook in place of whatever is registered (partner-center.md section 6.1).
pub fn register(world: &mut dyn Screen, webhook: &str) -> Result<(), Refused> {
    let url = format!(
        "{}/webhooks/v1/registration",
        world.ground().bases.partner_center_events()
    );
    let events = [
        "referral-created",
        "referral-updated",
        "related-referral-created",
        "related-referral-updated",
    ];
    let body = json!({"WebhookUrl": webhook, "WebhookEvents": events});
    let overwritten = ask(world, WHO, Method::PUT, url.clone(), Some(body.clone()));
    match overwritten {
        Err(refused) if refused.status == 404 => ask(world, WHO, Method::POST, url, Some(body)).map(drop),
        done => done.map(drop),
    }
}

/// Accepts a new referral.
pub fn accept(world: &mut dyn Screen, referral: &str) -> Result<(), Refused> {
    patch(
        world,
        referral,
        &[("/status", json!("Active")), ("/substatus", json!("Accepted"))],
    )
}

/// Declines a new referral.
pub fn decline(world: &mut dyn Screen, referral: &str, reason: Option<&str>) -> Result<(), Refused> {
    close_as(world, referral, "Declined", reason)
}

/// Closes an accepted referral.
pub fn close(world: &mut dyn Screen, referral: &str, outcome: Outcome, reason: Option<&str>) -> Result<(), Refused> {
    let substatus = match outcome {
        Outcome::Won => "Won",
        Outcome::Lost => "Lost",
    };
    close_as(world, referral, substatus, reason)
}

fn close_as(world: &mut dyn Screen, referral: &str, substatus: &str, reason: Option<&str>) -> Result<(), Refused> {
    let mut operations = vec![("/status", json!("Closed")), ("/substatus", json!(substatus))];
    if let Some(reason) = reason {
        operations.push(("/statusReason", json!(reason)));
    }
    patch(world, referral, &operations)
}
