//! Webhook registration, and which delivery a commit owes (partner-center.md sections 6.1 and 6.2).
//!
//! It does not deliver: the world does, from [`crate::happening::Happening::HookDue`].

use std::collections::BTreeSet;

use axum::response::Response;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Settings;
use super::guid::Guid;
use super::throttle::too_many;
use super::validation::TEST_EVENT;
use crate::ground::Ground;
use crate::happening::{CommitKind, Hook};
use crate::reply::json_reply;
use crate::site::Site;

/// The events that can be registered: the documented sample list, and the four of referrals.
pub(super) const EVENTS: [&str; 7] = [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "subscription-updated",
    "test-created",
    "usagerecords-thresholdExceeded",
];

/// The one registration of a partner: a second one replaces the first (partner-center.md section 6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) subscriber: Guid,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) signature_in_ms_header: bool,
}

impl Registration {
    /// Whether an event was registered.
    pub(super) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|registered| registered == event)
    }
}

/// Why the registration API refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HookProblem {
    /// 401. Assumed: code 401 in the code/description shape; no literal body is known.
    Unauthenticated,
    /// 403. Assumed likewise.
    Forbidden,
    /// 404 when nothing is registered (the meaning is inferred).
    NothingRegistered,
    /// 409 with the text of the webhook swagger.
    AlreadyRegistered,
    /// 400 with the documented code 800002.
    Invalid(String),
    /// 404 for a test event that is unknown or purged. Assumed: no literal body is known.
    NoValidation,
    /// 400: the test event is not registered. Assumed: the status and the code; that it must be is documented.
    TestNotRegistered,
    /// The 429 of the whole family, which has a shape of its own.
    TooMany(u64),
    /// Answered with 501.
    NotSimulated(String),
}

impl HookProblem {
    /// The `code`/`description` shape of the api.partnercenter.microsoft.com family (partner-center.md section 4.3).
    ///
    /// Assumed: where no code is documented, it is the HTTP status.
    pub(super) fn answer(&self) -> Response {
        if let Self::TooMany(seconds) = self {
            return too_many(*seconds);
        }
        let (status, code, description) = match self {
            Self::Unauthenticated => (401, 401, "Unauthorized"),
            Self::Forbidden => (403, 403, "Access denied"),
            Self::NothingRegistered => (404, 404, "Registration not found or not available."),
            Self::AlreadyRegistered => (
                409,
                409,
                "Registration already exists, use the PUT method to update a registration.",
            ),
            Self::Invalid(description) => (400, 800_002, description.as_str()),
            Self::NoValidation => (404, 404, "Validation event not found or no longer available."),
            Self::TestNotRegistered => (400, 800_002, "Invalid request input: test-created is not registered"),
            Self::TooMany(_) => (429, 429, "Rate limit is exceeded."),
            Self::NotSimulated(missing) => (501, 501, missing.as_str()),
        };
        let body = json!({
            "code": code, "description": description, "data": [], "source": "PartnerCenter.Webhooks",
        });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json_reply(status, "application/json; charset=utf-8", &body)
    }
}

/// Reads the body of a registration. Field names are taken in any case: the documents print Pascal case, the swagger
/// camel case (inferred).
pub(super) fn read(body: &[u8], subscriber: Guid) -> Result<Registration, HookProblem> {
    let value: Value = serde_json::from_slice(body).map_err(|_| invalid("the body is not JSON"))?;
    let Value::Object(fields) = value else {
        return Err(invalid("the body is not an object"));
    };
    let (mut url, mut events, mut signature_in_ms_header) = (None, None, false);
    for (name, value) in fields {
        match name.to_ascii_lowercase().as_str() {
            "webhookurl" => url = value.as_str().map(str::to_owned),
            "webhookevents" => events = Vec::<String>::deserialize(value).ok(),
            "signaturetokentomssignatureheader" => {
                signature_in_ms_header = value.as_bool().ok_or_else(|| invalid(&name))?;
            }
            // The service sets them; a client that sends back what it read sends them too.
            "subscriberid" | "lastmodifiedtimestamp" => {}
            // Assumed: read and not used, because no answer of the documents prints it.
            "properties" if value.is_object() || value.is_null() => {}
            _ => {
                return Err(HookProblem::NotSimulated(format!(
                    "body field `{name}` in registration"
                )));
            }
        }
    }
    let url = url
        .filter(|url| is_absolute(url))
        .ok_or_else(|| invalid("WebhookUrl"))?;
    let mut events = events
        .filter(|events| !events.is_empty())
        .ok_or_else(|| invalid("WebhookEvents"))?;
    if let Some(unknown) = events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        return Err(invalid(&format!("WebhookEvents: {unknown}")));
    }
    // Assumed: an event that is named twice is registered once.
    let mut seen = BTreeSet::new();
    events.retain(|event| seen.insert(event.clone()));
    Ok(Registration {
        subscriber,
        url,
        events,
        signature_in_ms_header,
    })
}

fn invalid(what: &str) -> HookProblem {
    HookProblem::Invalid(format!("Invalid request input: {what}"))
}

fn is_absolute(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some())
}

/// The registration as the API prints it; without `SubscriberId` on a view.
pub(super) fn print(registration: &Registration, with_subscriber: bool) -> Value {
    let mut body = serde_json::Map::new();
    if with_subscriber {
        body.insert("SubscriberId".to_owned(), json!(registration.subscriber));
    }
    body.insert("WebhookUrl".to_owned(), json!(registration.url));
    body.insert("WebhookEvents".to_owned(), json!(registration.events));
    Value::Object(body)
}

/// The registration with all that it holds, as a dump of the state has it; [`read`] takes it back.
pub(super) fn stored(registration: &Registration) -> serde_json::Map<String, Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("WebhookUrl".to_owned(), json!(registration.url));
    fields.insert("WebhookEvents".to_owned(), json!(registration.events));
    let in_ms_header = json!(registration.signature_in_ms_header);
    fields.insert("SignatureTokenToMsSignatureHeader".to_owned(), in_ms_header);
    fields
}

/// The event that a commit causes: `related-…` when the referral is another party's (inferred from the names).
pub(super) fn event_of(kind: CommitKind, microsofts: bool) -> &'static str {
    match (kind, microsofts) {
        (CommitKind::Created, false) => "referral-created",
        (CommitKind::Created, true) => "related-referral-created",
        (CommitKind::Updated | CommitKind::Deleted, false) => "referral-updated",
        (CommitKind::Updated | CommitKind::Deleted, true) => "related-referral-updated",
    }
}

/// The delivery that is owed to whoever registered for an event of a referral; `None` when nobody did.
pub(super) fn hook_due(
    registration: Option<&Registration>,
    ground: &Ground,
    settings: &Settings,
    event: &str,
    id: Guid,
    at: Timestamp,
) -> Option<Hook> {
    let registration = registration.filter(|registration| registration.wants(event))?;
    let resource_uri = if settings.resource_uri_at_referrals_host {
        format!(
            "{}/v1.0/engagements/referrals/{id}",
            ground.bases.of(Site::PartnerCenter)
        )
    } else {
        format!("{}/engagements/v1/referrals/{id}", ground.bases.partner_center_events())
    };
    Some(owed(registration, ground, event, (&resource_uri, "referral"), at))
}

/// The test event that somebody asked for.
///
/// Assumed: its `ResourceUri` is the sample's path at the base URL of the registration API; the sample's host is a
/// developer's own.
pub(super) fn test_due(registration: &Registration, ground: &Ground, at: Timestamp) -> Hook {
    let uri = format!("{}/v1/webhooks/registration/test", ground.bases.partner_center_events());
    owed(registration, ground, TEST_EVENT, (&uri, "test"), at)
}

/// A delivery, written down in the book.
fn owed(
    registration: &Registration,
    ground: &Ground,
    event: &str,
    (resource_uri, resource_name): (&str, &str),
    at: Timestamp,
) -> Hook {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        event_name: &'a str,
        resource_uri: &'a str,
        resource_name: &'a str,
        audit_uri: (),
        resource_change_utc_date: String,
    }
    let stamp = super::value::Stamp(at).to_string();
    let body = Body {
        event_name: event,
        resource_uri,
        resource_name,
        audit_uri: (),
        // Seven digits and `+00:00`, where the REST API prints `Z`.
        resource_change_utc_date: format!("{}+00:00", stamp.trim_end_matches('Z')),
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    Hook {
        number: Some(ground.deliveries.owe(event, &registration.url, &body, at)),
        manner: None,
        event: event.to_owned(),
        url: registration.url.clone(),
        body,
        signature_in_ms_header: registration.signature_in_ms_header,
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber() -> Guid {
        Guid::parse("e82cac64-dc67-4cd3-849b-78b6127dd57d").unwrap()
    }

    #[test]
    fn field_names_are_read_in_any_case() {
        let body = br#"{"webhookUrl":"https://c.example/h","WEBHOOKEVENTS":["test-created"],
                        "SignatureTokenToMsSignatureHeader":true}"#;
        let registration = read(body, subscriber()).unwrap();
        assert_eq!(registration.url, "https://c.example/h");
        assert!(registration.signature_in_ms_header);
    }

    #[test]
    fn bad_registrations_are_refused_with_the_documented_code() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"WebhookUrl":"c.example","WebhookEvents":["test-created"]}"#,
            r#"{"WebhookUrl":"https://c.example","WebhookEvents":[]}"#,
            r#"{"WebhookUrl":"https://c.example","WebhookEvents":["other"]}"#,
            r#"{"WebhookUrl":"https://c.example","WebhookEvents":"test-created"}"#,
        ] {
            let problem = read(body.as_bytes(), subscriber()).unwrap_err();
            assert!(matches!(problem, HookProblem::Invalid(_)), "{body}");
        }
    }
}
