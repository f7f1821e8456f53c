//! The referral resource as typed values, in the order and with the nulls of real answers (partner-center.md sections
//! 2.2 and 2.3).
//!
//! It holds no rules: who may change what stands in [`super::patch`] and [`super::lifecycle`].
#![expect(clippy::struct_field_names, reason = "fields are named as on the wire")]

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::Deserializer;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::guid::Guid;
use super::registered::{Registered, RegistrationStatus};
use super::value::{Amount, Assistance, Direction, Qualification, ReferralType, Stamp, Status, Substatus};

/// One referral: one party's view of an engagement.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Referral {
    pub(super) id: Guid,
    pub(super) engagement_id: Guid,
    pub(super) name: String,
    pub(super) organization_id: Arc<str>,
    pub(super) organization_name: Arc<str>,
    pub(super) last_modified_via: Never,
    pub(super) last_run_id: Never,
    pub(super) external_reference_id: Option<String>,
    pub(super) created_date_time: Stamp,
    pub(super) updated_date_time: Stamp,
    pub(super) expiration_date_time: Option<Timestamp>,
    pub(super) status: Status,
    pub(super) substatus: Substatus,
    pub(super) status_reason: Option<String>,
    pub(super) qualification: Qualification,
    #[serde(rename = "type")]
    pub(super) kind: ReferralType,
    pub(super) referral_source: Never,
    pub(super) e_tag: ETag,
    pub(super) favorite: bool,
    pub(super) campaign_id: Option<String>,
    pub(super) sales_stage: Option<String>,
    pub(super) quality: Unknown,
    pub(super) is_spam: bool,
    pub(super) direction: Direction,
    pub(super) mpn_id: Option<Arc<str>>,
    pub(super) referral_program: Option<String>,
    pub(super) deal_sensitivity: NoneWord,
    pub(super) created_via: Never,
    pub(super) tags: Nothing,
    pub(super) accepted_date_time: Option<Stamp>,
    pub(super) closed_date_time: Option<Stamp>,
    pub(super) call_to_action: Never,
    pub(super) registration_status: RegistrationStatus,
    pub(super) target: Vec<Target>,
    pub(super) customer_profile: CustomerProfile,
    pub(super) consent: Consent,
    pub(super) details: Details,
    pub(super) team: Vec<Contact>,
    pub(super) invite_context: InviteContext,
    pub(super) links: Links,
    pub(super) tracking_info: TrackingInfo,
    pub(super) registrations: Vec<Registered>,
}

/// The `organizationId` of Microsoft's own referrals. Assumed: the literal that `invitedBy` holds for Microsoft.
pub(super) const MICROSOFT: &str = "msft";

/// Whether a referral is Microsoft's side of an engagement.
pub(super) fn is_microsofts(referral: &Referral) -> bool {
    &*referral.organization_id == MICROSOFT
}

/// A field that is always null here, so that it costs no memory.
pub(super) type Never = ();
/// A list that is always empty here.
pub(super) type Nothing = [(); 0];

/// A field that always reads `Unknown` here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) enum Unknown {
    Unknown,
}

/// A field that always reads `None` here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) enum NoneWord {
    None,
}

/// The version of a referral, printed like a Cosmos `_etag`: quote marks are part of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ETag {
    pub(super) version: u32,
    /// When it was written: the low 32 bits of the seconds since the Unix epoch, as two's complement has them.
    pub(super) seconds: u32,
}

impl std::fmt::Display for ETag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl ETag {
    /// The version that was written at a moment.
    pub(super) fn new(version: u32, at: Timestamp) -> Self {
        let seconds = u32::try_from(at.as_second() & 0xffff_ffff).unwrap_or_default();
        Self { version, seconds }
    }

    /// The printed form. Digits are put in by hand: every answer carries one.
    fn text(self) -> [u8; 38] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"\"00000000-0000-0100-0000-000000000000\"";
        for (start, number) in [(1, self.version), (25, self.seconds)] {
            for (place, shift) in (0..8).zip([28, 24, 20, 16, 12, 8, 4, 0]) {
                let digit = usize::try_from((number >> shift) & 0xf).unwrap_or_default();
                text[start + place] = DIGITS[digit];
            }
        }
        text
    }
}

impl Serialize for ETag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// `target[]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
}

impl Target {
    /// What marks a referral as Microsoft's (partner-center.md section 2.5, two POSTs).
    pub(super) fn microsoft() -> Self {
        Self {
            kind: "BusinessProfileLocation".to_owned(),
            id: "msft".to_owned(),
        }
    }

    pub(super) fn is_microsoft(&self) -> bool {
        self.kind == "BusinessProfileLocation" && self.id == "msft"
    }
}

/// `customerProfile`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct CustomerProfile {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    pub(super) size: Option<String>,
    #[serde(skip_deserializing)]
    pub(super) is_matching_complete: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) address: Address,
    #[serde(deserialize_with = "or_default")]
    pub(super) team: Vec<Contact>,
    #[serde(deserialize_with = "or_default")]
    pub(super) ids: Vec<ProfileId>,
}

/// `customerProfile.address`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Address {
    pub(super) address_line1: Option<String>,
    pub(super) address_line2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) state: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) country: Option<String>,
    pub(super) region: Option<String>,
}

/// `customerProfile.ids[]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProfileId {
    pub(super) profile_type: String,
    pub(super) id: String,
}

/// `team[]` and `customerProfile.team[]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Contact {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) phone_number: Option<String>,
    pub(super) email: Option<String>,
    pub(super) title: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) contact_preference: ContactPreference,
}

/// `contactPreference`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ContactPreference {
    pub(super) locale: Option<String>,
    pub(super) disable_notifications: Option<bool>,
}

/// `consent`. The doubled "To" is the real spelling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Consent {
    pub(super) consent_to_to_share_info_with_others: bool,
    pub(super) consent_to_contact: bool,
    /// `None` only while a create is being read.
    #[serde(serialize_with = "false_when_none")]
    pub(super) consent_to_share_referral_with_microsoft_sellers: Option<bool>,
}

impl Consent {
    /// Whether Microsoft's sellers see the referral.
    pub(super) fn is_shared(&self) -> bool {
        self.consent_to_share_referral_with_microsoft_sellers.unwrap_or(false)
    }
}

/// `details`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Details {
    pub(super) notes: Option<String>,
    pub(super) deal_value: Option<Amount>,
    pub(super) currency: Option<String>,
    pub(super) closing_date_time: Option<Timestamp>,
    pub(super) customer_requested_contact: Option<bool>,
    pub(super) customer_action: Option<String>,
    #[serde(skip_deserializing)]
    pub(super) incentive_level: Never,
    #[serde(deserialize_with = "or_default")]
    pub(super) requirements: Requirements,
}

/// `details.requirements`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Requirements {
    #[serde(deserialize_with = "or_default")]
    pub(super) industries: Vec<Named>,
    #[serde(deserialize_with = "or_default")]
    pub(super) products: Vec<Named>,
    #[serde(deserialize_with = "or_default")]
    pub(super) services: Vec<Named>,
    #[serde(deserialize_with = "or_default")]
    pub(super) solutions: Vec<Solution>,
    #[serde(skip_deserializing)]
    pub(super) sales_plays: Nothing,
    #[serde(deserialize_with = "or_default")]
    pub(super) additional_requirements: AdditionalRequirements,
}

/// An entry that has nothing but an id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) id: String,
}

/// `details.requirements.solutions[]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Solution {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) price: Option<Amount>,
    pub(super) quantity: Option<Amount>,
    pub(super) currency: Option<String>,
    pub(super) publisher_name: Option<String>,
    pub(super) solution_type: Option<String>,
    pub(super) closing_date_time: Option<Timestamp>,
}

/// `details.requirements.additionalRequirements`. `iot` is printed as in real answers and never written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AdditionalRequirements {
    #[serde(skip_deserializing)]
    pub(super) iot: Iot,
    /// The generic list of the connector's swagger. Real answers without entries do not print it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub(super) attributes: Vec<Attribute>,
}

/// `additionalRequirements.attributes[]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attribute {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Iot {
    customer_license_agreement_number: Never,
    device_category: Never,
    silicon_type: Never,
    azure_certified_device: bool,
    attach_services: bool,
}

/// `inviteContext`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct InviteContext {
    pub(super) notes: Option<String>,
    #[serde(serialize_with = "unknown_when_none")]
    pub(super) assistance_request_code: Option<Assistance>,
    pub(super) invited_mpn_id: Option<String>,
    pub(super) invited_by: Option<Organization>,
}

impl InviteContext {
    /// Whether Microsoft's help is asked.
    pub(super) fn asks_for_help(&self) -> bool {
        !matches!(self.assistance_request_code, None | Some(Assistance::Unknown))
    }
}

/// `inviteContext.invitedBy`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Organization {
    pub(super) organization_id: Option<String>,
    pub(super) organization_name: Option<String>,
}

/// `trackingInfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct TrackingInfo {
    #[serde(rename = "microsoftMsxId")]
    pub(super) microsoft_msx_id: Option<String>,
    #[serde(rename = "microsoftUSFedOpportunityId")]
    pub(super) us_fed_opportunity_id: Never,
    #[serde(rename = "microsoftUSFedLeadId")]
    pub(super) us_fed_lead_id: Never,
    #[serde(rename = "migratedPSCDealId")]
    pub(super) psc_deal_id: Never,
    #[serde(rename = "migratedPSCPartnerDealId")]
    pub(super) psc_partner_deal_id: Never,
}

/// `links`, which real answers spell right and without quotes round the guid (partner-center.md section 1.1).
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) base: Arc<str>,
    pub(super) id: Guid,
    pub(super) engagement_id: Guid,
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Link {
            uri: String,
            method: &'static str,
        }
        let (base, id, engagement) = (&self.base, self.id, self.engagement_id);
        let related = format!("{base}/v1.0/engagements/referrals?$filter=engagementId eq {engagement}");
        let own = format!("{base}/v1.0/engagements/referrals/{id}");
        let link = |uri| Link { uri, method: "GET" };
        let mut links = serializer.serialize_struct("Links", 2)?;
        links.serialize_field("relatedReferrals", &link(related))?;
        links.serialize_field("self", &link(own))?;
        links.end()
    }
}

/// Reads null as nothing given: lists and objects are never null in an answer.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn false_when_none<S: Serializer>(value: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(value.unwrap_or(false))
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn unknown_when_none<S: Serializer>(value: &Option<Assistance>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.unwrap_or(Assistance::Unknown).as_str())
}
