//! Every stored field of a referral by its JSON pointer, so that two versions can be compared leaf by leaf.
//!
//! Lists are one leaf. `updatedDateTime`, `eTag` and the derived `links` are not listed, nor are fields that never hold
//! anything.

use serde_json::Value;

use super::model::Referral;
use crate::happening::Change;

/// One leaf of the resource.
struct Field {
    pointer: &'static str,
    same: fn(&Referral, &Referral) -> bool,
    show: fn(&Referral) -> Value,
}

macro_rules! fields {
    ($($pointer:literal => $($name:ident).+;)+) => {
        &[$(Field {
            pointer: $pointer,
            same: |one, other| one.$($name).+ == other.$($name).+,
            show: |referral| serde_json::to_value(&referral.$($name).+).unwrap_or(Value::Null),
        }),+]
    };
}

/// In the order in which they are printed.
const FIELDS: &[Field] = fields! {
    "/id" => id;
    "/engagementId" => engagement_id;
    "/name" => name;
    "/organizationId" => organization_id;
    "/organizationName" => organization_name;
    "/externalReferenceId" => external_reference_id;
    "/createdDateTime" => created_date_time;
    "/expirationDateTime" => expiration_date_time;
    "/status" => status;
    "/substatus" => substatus;
    "/statusReason" => status_reason;
    "/qualification" => qualification;
    "/type" => kind;
    "/campaignId" => campaign_id;
    "/salesStage" => sales_stage;
    "/direction" => direction;
    "/mpnId" => mpn_id;
    "/referralProgram" => referral_program;
    "/acceptedDateTime" => accepted_date_time;
    "/closedDateTime" => closed_date_time;
    "/target" => target;
    "/customerProfile/name" => customer_profile.name;
    "/customerProfile/size" => customer_profile.size;
    "/customerProfile/address/addressLine1" => customer_profile.address.address_line1;
    "/customerProfile/address/addressLine2" => customer_profile.address.address_line2;
    "/customerProfile/address/city" => customer_profile.address.city;
    "/customerProfile/address/state" => customer_profile.address.state;
    "/customerProfile/address/postalCode" => customer_profile.address.postal_code;
    "/customerProfile/address/country" => customer_profile.address.country;
    "/customerProfile/address/region" => customer_profile.address.region;
    "/customerProfile/team" => customer_profile.team;
    "/customerProfile/ids" => customer_profile.ids;
    "/consent/consentToToShareInfoWithOthers" => consent.consent_to_to_share_info_with_others;
    "/consent/consentToContact" => consent.consent_to_contact;
    "/consent/consentToShareReferralWithMicrosoftSellers" => consent.consent_to_share_referral_with_microsoft_sellers;
    "/details/notes" => details.notes;
    "/details/dealValue" => details.deal_value;
    "/details/currency" => details.currency;
    "/details/closingDateTime" => details.closing_date_time;
    "/details/customerRequestedContact" => details.customer_requested_contact;
    "/details/customerAction" => details.customer_action;
    "/details/requirements/industries" => details.requirements.industries;
    "/details/requirements/products" => details.requirements.products;
    "/details/requirements/services" => details.requirements.services;
    "/details/requirements/solutions" => details.requirements.solutions;
    "/details/requirements/additionalRequirements/attributes" => details.requirements.additional_requirements.attributes;
    "/team" => team;
    "/inviteContext/notes" => invite_context.notes;
    "/inviteContext/assistanceRequestCode" => invite_context.assistance_request_code;
    "/inviteContext/invitedMpnId" => invite_context.invited_mpn_id;
    "/inviteContext/invitedBy" => invite_context.invited_by;
    "/registrationStatus" => registration_status;
    "/registrations" => registrations;
    "/trackingInfo/microsoftMsxId" => tracking_info.microsoft_msx_id;
};

/// Whether the resource has such a field, in the notation of filters: `customerProfile/address/country`.
pub(super) fn exists(path: &str) -> bool {
    /// Fields that never change by themselves, and those whose parts are not told apart above.
    const MORE: &[&str] = &[
        "updatedDateTime",
        "eTag",
        "lastModifiedVia",
        "lastRunId",
        "referralSource",
        "favorite",
        "quality",
        "isSpam",
        "dealSensitivity",
        "createdVia",
        "tags",
        "callToAction",
        "links",
    ];
    let is_or_holds = |pointer: &str| {
        let pointer = pointer.trim_start_matches('/');
        let rest = pointer.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    !path.is_empty() && (FIELDS.iter().any(|field| is_or_holds(field.pointer)) || MORE.contains(&path))
}

/// What differs between two versions of a referral.
pub(super) fn changes(before: &Referral, after: &Referral) -> Vec<Change> {
    let differing = FIELDS.iter().filter(|field| !(field.same)(before, after));
    differing
        .map(|field| Change {
            field: field.pointer.to_owned(),
            before: (field.show)(before),
            after: (field.show)(after),
        })
        .collect()
}

/// What a new referral holds: each field that is not null.
pub(super) fn contents(referral: &Referral) -> Vec<Change> {
    let shown = FIELDS.iter().map(|field| Change {
        field: field.pointer.to_owned(),
        before: Value::Null,
        after: (field.show)(referral),
    });
    // Nothing is registered, and nothing is asked beyond what every referral has: as absent as null.
    let is_blank = |change: &Change| match change.field.as_str() {
        "/registrationStatus" | "/registrations" => true,
        "/details/requirements/additionalRequirements/attributes" => change.after == Value::Array(Vec::new()),
        _ => change.after.is_null(),
    };
    shown.filter(|change| !is_blank(change)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_field_is_listed_once() {
        let pointers: BTreeSet<&str> = FIELDS.iter().map(|field| field.pointer).collect();
        assert_eq!(pointers.len(), FIELDS.len());
    }
}
