//! Partner Center: requests to the referrals API and to the webhook registration (partner-center.md sections 1, 4 and 6).
//!
//! Only documented options are used: no filter on `externalReferenceId`, no range operators.

use bytes::Bytes;
use http::Method;
use http::header::{HeaderName, IF_MATCH};
use jiff::tz::Offset;
use serde_json::{Value, json};

use super::{Ask, Page, Unreadable, json as parse, link_on, percent, text};
use crate::deal::{Ending, Field, Solution, canon};
use crate::id::{EngagementId, ReferralId};
use crate::settings::PartnerCenterSettings;

/// Referral ⇄ deal.
pub mod map;
/// JSON shapes.
mod wire;

pub use map::{NewReferral, Referral};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The events about referrals (partner-center.md section 6.2): the first two are about the partner's own.
pub const EVENTS: [&str; 4] = [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
];

fn referrals(settings: &PartnerCenterSettings) -> String {
    format!("{}/v1.0/engagements/referrals", settings.api)
}

fn referral(settings: &PartnerCenterSettings, id: &ReferralId) -> String {
    format!("{}/{}", referrals(settings), percent(id.as_str()))
}

/// Reads one referral.
pub fn read(settings: &PartnerCenterSettings, id: &ReferralId) -> Ask {
    Ask::get(referral(settings, id))
}

/// Lists the referrals, the one that was changed last first.
pub fn list(settings: &PartnerCenterSettings) -> Ask {
    Ask::get(format!("{}?$orderby=updatedDateTime%20desc", referrals(settings)))
}

/// Lists the referrals of all parties to an engagement.
pub fn engagement(settings: &PartnerCenterSettings, id: &EngagementId) -> Ask {
    let filter = percent(&format!("engagementId eq '{}'", id.as_str().replace('\'', "''")));
    Ask::get(format!("{}?$filter={filter}", referrals(settings)))
}

/// Creates a referral.
pub fn create(settings: &PartnerCenterSettings, body: &Value) -> Ask {
    Ask::json(Method::POST, referrals(settings), body)
}

/// Changes what PATCH can change, if nobody else has changed the referral since it was read.
pub fn patch(settings: &PartnerCenterSettings, of: &Referral, operations: &Patch) -> Ask {
    let body = Value::Array(operations.0.clone());
    Ask::json(Method::PATCH, referral(settings, &of.id), &body)
        .header(IF_MATCH, of.etag.clone())
        .header(PREFER, "return=representation")
}

/// Replaces the whole referral, if nobody else has changed it since it was read.
pub fn put(settings: &PartnerCenterSettings, of: &Referral, body: &Value) -> Ask {
    Ask::json(Method::PUT, referral(settings, &of.id), body).header(IF_MATCH, of.etag.clone())
}

/// Reads the registration.
pub fn registration(settings: &PartnerCenterSettings) -> Ask {
    Ask::get(format!("{}/webhooks/v1/registration", settings.events))
}

/// The URL and the events of a registration.
pub fn read_registration(body: &Bytes) -> Result<(String, Vec<String>), Unreadable> {
    let reply = parse(body)?;
    let of = |names: [&str; 2]| names.into_iter().find_map(|name| reply.get(name)).cloned();
    let url = of(["WebhookUrl", "webhookUrl"]).and_then(|url| url.as_str().map(str::to_owned));
    let events = of(["WebhookEvents", "webhookEvents"]).unwrap_or_default();
    let events = events.as_array().into_iter().flatten();
    let events = events.filter_map(|event| event.as_str().map(str::to_owned)).collect();
    Ok((url.ok_or_else(|| Unreadable::missing("WebhookUrl"))?, events))
}

/// Registers the webhook; `again` replaces a registration that exists.
pub fn register(settings: &PartnerCenterSettings, url: &str, events: &[&str], again: bool) -> Ask {
    let body = json!({"WebhookUrl": url, "WebhookEvents": events});
    let method = if again { Method::PUT } else { Method::POST };
    Ask::json(method, format!("{}/webhooks/v1/registration", settings.events), &body)
}

/// The operations of a PATCH (partner-center.md section 4.1).
#[derive(Clone, Debug, Default)]
pub struct Patch(Vec<Value>);

impl Patch {
    fn replace(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        self.0.push(json!({"op": "replace", "path": path, "value": value}));
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a merged field; the name is none that PATCH can change.
    pub fn field(&mut self, field: Field, value: Option<&str>, zone: Offset) {
        match field {
            Field::Name => {}
            Field::Value => {
                let value = value.map_or(Value::Null, canon::amount_to_json);
                self.replace("/details/dealValue", value);
            }
            Field::Currency => self.replace("/details/currency", value),
            Field::ClosingDate => {
                let moment = value.and_then(|day| canon::start_of(day, zone)).map(canon::seconds);
                self.replace("/details/closingDateTime", moment);
            }
            Field::Notes => self.replace("/details/notes", value.unwrap_or_default()),
        }
    }

    /// Sets a text at a path that the mapping names.
    pub fn text_at(&mut self, path: &str, value: Option<&str>) {
        self.replace(path, value.unwrap_or_default());
    }

    /// Sets the solutions.
    pub fn solutions(&mut self, solutions: &[Solution]) {
        let list: Vec<Value> = solutions
            .iter()
            .map(|solution| json!({"id": solution.id, "name": solution.name, "type": "Name"}))
            .collect();
        self.replace("/details/requirements/solutions", list);
    }

    /// Names the CRM's record.
    pub fn external(&mut self, id: &str) {
        self.replace("/externalReferenceId", id);
    }

    /// Shows the deal to Microsoft's sellers.
    pub fn show(&mut self) {
        self.replace("/consent/consentToShareReferralWithMicrosoftSellers", true);
    }

    /// Tries to hide it again; only a planted bug does.
    pub fn hide(&mut self) {
        self.replace("/consent/consentToShareReferralWithMicrosoftSellers", false);
    }

    /// Accepts.
    pub fn accept(&mut self) {
        self.status("Active", "Accepted");
    }

    /// Declines.
    pub fn decline(&mut self, reason: &str) {
        self.replace("/statusReason", reason);
        self.status("Closed", "Declined");
    }

    /// Closes. It comes last: nothing can be changed afterwards.
    pub fn close(&mut self, ending: Ending, reason: &str) {
        self.replace("/statusReason", reason);
        let substatus = match ending {
            Ending::Won => "Won",
            Ending::Lost => "Lost",
        };
        self.status("Closed", substatus);
    }

    /// Closes what should not be there.
    pub fn close_in_error(&mut self, reason: &str) {
        self.replace("/statusReason", reason);
        self.status("Closed", "Error");
    }

    fn status(&mut self, status: &str, substatus: &str) {
        self.replace("/status", status);
        self.replace("/substatus", substatus);
    }
}

/// Reads one referral out of a reply.
pub fn read_referral(body: &Bytes, zone: Offset) -> Result<Referral, Unreadable> {
    Referral::read(parse(body)?, zone)
}

/// Reads a page of a list. The next link is followed as it is printed.
pub fn read_page(settings: &PartnerCenterSettings, body: &Bytes, zone: Offset) -> Result<Page<Referral>, Unreadable> {
    let Value::Object(mut page) = parse(body)? else {
        return Err(Unreadable::missing("value"));
    };
    let Some(Value::Array(rows)) = page.remove("value") else {
        return Err(Unreadable::missing("value"));
    };
    let next = match text(&Value::Object(page), "@odata.nextLink") {
        Some(link) => Some(link_on(&settings.api, link).ok_or_else(|| Unreadable::missing("@odata.nextLink"))?),
        None => None,
    };
    Ok(Page {
        rows: rows.into_iter().map(|row| Referral::read(row, zone)).collect(),
        next,
    })
}

/// What a webhook says (partner-center.md section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookEvent {
    /// Whether it is about another party's referral in an engagement.
    pub related: bool,
    /// The referral: the last segment of `ResourceUri`, whatever its host.
    pub referral: ReferralId,
}

/// Reads a webhook. `Ok(None)` is an event that is not about referrals.
pub fn read_hook(body: &Bytes) -> Result<Option<HookEvent>, Unreadable> {
    let event = parse(body)?;
    let name = text(&event, "EventName").ok_or_else(|| Unreadable::missing("EventName"))?;
    let related = match name {
        "referral-created" | "referral-updated" => false,
        "related-referral-created" | "related-referral-updated" => true,
        _ => return Ok(None),
    };
    let uri = text(&event, "ResourceUri").ok_or_else(|| Unreadable::missing("ResourceUri"))?;
    let last = uri.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if !crate::id::is_guid(last) {
        return Err(Unreadable::missing("ResourceUri"));
    }
    let referral = ReferralId::new(last.to_ascii_lowercase());
    Ok(Some(HookEvent { related, referral }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_webhook_is_the_last_segment_whatever_the_host() {
        let id = "4111fffc-f9ee-4d53-bba6-569135228642";
        for uri in [
            format!("https://api.partnercenter.microsoft.com/engagements/v1/referrals/{id}"),
            format!(" https://api.partner.microsoft.com/v1.0/engagements/referrals/{id}/"),
        ] {
            let body = json!({"EventName": "related-referral-updated", "ResourceUri": uri, "AuditUri": null});
            let event = read_hook(&Bytes::from(body.to_string())).unwrap().unwrap();
            assert_eq!(
                event,
                HookEvent {
                    related: true,
                    referral: ReferralId::new(id)
                }
            );
        }
        let test = Bytes::from(r#"{"EventName":"test-created","ResourceUri":"x"}"#);
        assert_eq!(read_hook(&test).unwrap(), None);
        assert!(read_hook(&Bytes::from(r#"{"EventName":"referral-created","ResourceUri":"../x"}"#)).is_err());
        assert!(read_hook(&Bytes::from("[")).is_err());
    }

    #[test]
    fn a_closing_patch_ends_with_status_and_substatus() {
        let mut patch = Patch::default();
        patch.field(Field::Value, Some("5"), Offset::UTC);
        patch.close(Ending::Won, "done");
        let paths: Vec<&str> = patch
            .0
            .iter()
            .filter_map(|operation| operation["path"].as_str())
            .collect();
        assert_eq!(paths, ["/details/dealValue", "/statusReason", "/status", "/substatus"]);
    }
}
