//! JSON Patch on a referral: which paths may be written, and by whom (partner-center.md sections 3.3 and 4.1).
//!
//! It edits a copy; storing it is up to [`super::writer`].

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use super::body;
use super::check::{self, Terms};
use super::error::Problem;
use super::lifecycle;
use super::model::Referral;
use super::reason;
use super::value::{Status, Substatus, stage_number};

/// Who edits: each may do what those above it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    /// PATCH: the paths that the connector's swagger lists. Assumed: the service allows no others.
    Patch,
    /// PUT: also the name and what is asked of Microsoft. Assumed.
    Put,
    /// Microsoft: also who the customer is.
    Microsoft,
}

/// One operation of a JSON Patch document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: String,
    path: String,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    /// Belongs to `move` and `copy`, which are refused by their name.
    #[serde(default)]
    #[expect(dead_code, reason = "read so that a `move` is refused for what it is")]
    from: Option<String>,
}

/// Tells a value of null from no value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A patch that has been read and not yet applied.
#[derive(Debug)]
pub(super) struct Patch(Vec<Operation>);

impl Patch {
    /// Reads a JSON Patch document. Only `replace` and `add` are supported by the API.
    pub(super) fn read(json: &[u8]) -> Result<Self, Problem> {
        let operations: Vec<Operation> = body::read("patch", json)?;
        for Operation { op, path, value, .. } in &operations {
            if !matches!(op.as_str(), "replace" | "add") {
                let message = format!("Operation '{op}' is not supported. Use 'replace' or 'add'.");
                return Err(Problem::invalid(path, message));
            }
            if value.is_none() {
                return Err(Problem::invalid(path, "The operation has no value."));
            }
            if op == "replace" && path.ends_with("/-") {
                return Err(Problem::invalid(path, "Operation 'replace' cannot append to a list."));
            }
        }
        Ok(Self(operations))
    }

    /// One replacement, as a PUT and Microsoft's acts are made of.
    pub(super) fn replacing(edits: impl IntoIterator<Item = (String, Value)>) -> Self {
        let operation = |(path, value)| Operation {
            op: "replace".to_owned(),
            path,
            value: Some(value),
            from: None,
        };
        Self(edits.into_iter().map(operation).collect())
    }

    /// Applies all operations to a copy of what was there, or refuses them all.
    pub(super) fn apply(
        self,
        before: &Referral,
        referral: &mut Referral,
        right: Right,
        terms: Terms<'_>,
    ) -> Result<(), Problem> {
        lifecycle::refuse_when_closed(before)?;
        let (mut status, mut substatus) = (None, None);
        for Operation { path, value, .. } in &self.0 {
            let value = value.as_ref().unwrap_or(&Value::Null);
            match path.as_str() {
                // The party that received a referral answers it (section 3.1): the partner, not Microsoft.
                "/status" | "/substatus" if right == Right::Microsoft => return Err(refused(path)),
                "/status" => status = Some(read::<Status>(path, value)?),
                "/substatus" => substatus = Some(read::<Substatus>(path, value)?),
                _ => set(referral, path, value, right)?,
            }
        }
        check::update(before, referral, terms)?;
        match (status, substatus) {
            (None, None) => Ok(()),
            (Some(status), Some(substatus)) => {
                lifecycle::check_move((before.status, before.substatus), (status, substatus), false)?;
                if terms.settings.lead_stages_gate_won && substatus == Substatus::Won {
                    check::lead_stages(referral)?;
                }
                if terms.settings.reasons_are_checked {
                    reason::check(substatus, referral.status_reason.as_deref())?;
                }
                lifecycle::enter(referral, status, substatus, terms.now);
                Ok(())
            }
            (None, Some(_)) | (Some(_), None) => {
                let message = "Status and substatus must be updated together.";
                Err(Problem::invalid("status", message))
            }
        }
    }
}

/// Writes one value to one path.
fn set(referral: &mut Referral, path: &str, value: &Value, right: Right) -> Result<(), Problem> {
    let details = &mut referral.details;
    match path {
        "/campaignId" => referral.campaign_id = read(path, value)?,
        "/consent/consentToShareReferralWithMicrosoftSellers" => {
            referral.consent.consent_to_share_referral_with_microsoft_sellers = Some(read(path, value)?);
        }
        "/customerProfile/team" => referral.customer_profile.team = read(path, value)?,
        "/customerProfile/team/-" => referral.customer_profile.team.push(read(path, value)?),
        "/details/closingDateTime" => details.closing_date_time = Some(read(path, value)?),
        "/details/currency" => details.currency = Some(read(path, value)?),
        "/details/dealValue" => details.deal_value = Some(read(path, value)?),
        "/details/notes" => details.notes = read(path, value)?,
        "/details/requirements/solutions" => details.requirements.solutions = read(path, value)?,
        "/details/requirements/solutions/-" => details.requirements.solutions.push(read(path, value)?),
        "/externalReferenceId" => referral.external_reference_id = read(path, value)?,
        "/referralProgram" => referral.referral_program = read(path, value)?,
        "/salesStage" => {
            let stage: Option<String> = read(path, value)?;
            referral.sales_stage = stage.map(|stage| stage_number(&stage)).transpose()?;
        }
        "/statusReason" => referral.status_reason = read(path, value)?,
        "/team" => referral.team = read(path, value)?,
        "/team/-" => referral.team.push(read(path, value)?),
        _ if right >= Right::Put => return set_more(referral, path, value, right),
        _ => return Err(refused(path)),
    }
    Ok(())
}

/// The paths that a PATCH does not reach.
fn set_more(referral: &mut Referral, path: &str, value: &Value, right: Right) -> Result<(), Problem> {
    match path {
        "/name" => referral.name = read(path, value)?,
        "/inviteContext/notes" => referral.invite_context.notes = read(path, value)?,
        "/inviteContext/assistanceRequestCode" => {
            referral.invite_context.assistance_request_code = Some(read(path, value)?);
        }
        _ if right == Right::Microsoft => return set_customer(referral, path, value),
        _ => return Err(refused(path)),
    }
    Ok(())
}

/// Who the customer is: read-only after creation for everybody but Microsoft, whose account matching may correct it.
fn set_customer(referral: &mut Referral, path: &str, value: &Value) -> Result<(), Problem> {
    let customer = &mut referral.customer_profile;
    match path {
        "/customerProfile/name" => customer.name = read(path, value)?,
        "/customerProfile/address/addressLine1" => customer.address.address_line1 = read(path, value)?,
        "/customerProfile/address/addressLine2" => customer.address.address_line2 = read(path, value)?,
        "/customerProfile/address/city" => customer.address.city = read(path, value)?,
        "/customerProfile/address/state" => customer.address.state = read(path, value)?,
        "/customerProfile/address/postalCode" => customer.address.postal_code = read(path, value)?,
        "/customerProfile/address/country" => customer.address.country = read(path, value)?,
        "/trackingInfo/microsoftMsxId" => referral.tracking_info.microsoft_msx_id = read(path, value)?,
        _ => return Err(refused(path)),
    }
    Ok(())
}

fn refused(path: &str) -> Problem {
    Problem::invalid(path, format!("The path '{path}' cannot be updated."))
}

fn read<T: DeserializeOwned>(path: &str, value: &Value) -> Result<T, Problem> {
    body::read_value(path, value)
}
