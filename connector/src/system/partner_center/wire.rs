//! The shape of a referral on the wire (partner-center.md sections 2.2 and 2.3), as much of it as is read.
//!
//! The whole object is kept beside it, because a PUT must send back what it does not understand.

use serde::Deserialize;
use serde_json::Value;

/// A referral. Everything but the id may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireReferral {
    pub(super) id: String,
    pub(super) engagement_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) external_reference_id: Option<String>,
    pub(super) updated_date_time: Option<String>,
    pub(super) status: Option<String>,
    pub(super) substatus: Option<String>,
    pub(super) status_reason: Option<String>,
    pub(super) team: Option<Vec<WirePerson>>,
    pub(super) qualification: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "eTag")]
    pub(super) etag: Option<String>,
    pub(super) target: Option<Vec<WireTarget>>,
    pub(super) customer_profile: Option<WireCustomer>,
    pub(super) consent: Option<WireConsent>,
    pub(super) details: Option<WireDetails>,
    pub(super) invite_context: Option<WireInvite>,
    pub(super) tracking_info: Option<WireTracking>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireTarget {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireCustomer {
    pub(super) name: Option<String>,
    pub(super) address: Option<WireAddress>,
    pub(super) team: Option<Vec<WirePerson>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireAddress {
    pub(super) address_line1: Option<String>,
    pub(super) city: Option<String>,
    pub(super) state: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) country: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WirePerson {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) phone_number: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireConsent {
    pub(super) consent_to_share_referral_with_microsoft_sellers: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireDetails {
    pub(super) notes: Option<String>,
    /// A number in answers, a text in the PATCH samples (partner-center.md section 4.1).
    pub(super) deal_value: Value,
    pub(super) currency: Option<String>,
    pub(super) closing_date_time: Option<String>,
    pub(super) requirements: Option<WireRequirements>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireRequirements {
    pub(super) solutions: Option<Vec<WireSolution>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireSolution {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireInvite {
    pub(super) assistance_request_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireTracking {
    pub(super) microsoft_msx_id: Option<String>,
}
