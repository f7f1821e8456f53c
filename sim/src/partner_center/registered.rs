//! `registrations[]` as typed values: a won deal that the partner registers (partner-center.md sections 2.4 and 4.4).
//!
//! It holds no rules: those stand in [`super::deal_registration`].
#![expect(clippy::struct_field_names, reason = "fields are named as on the wire")]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::guid::Guid;
use super::value::{Amount, Stamp};

/// `registrationStatus`: the two values that real answers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum RegistrationStatus {
    /// Nothing is registered.
    None,
    /// Microsoft looks at it.
    ReviewPending,
}

/// One registration as the resource prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registered {
    pub(super) id: Guid,
    pub(super) registration_date_time: Stamp,
    pub(super) status: RegistrationStatus,
    pub(super) status_reason: (),
    #[serde(flatten)]
    pub(super) given: Given,
    pub(super) status_history: StatusHistory,
}

/// `statusHistory`. Nobody decides a review here, so only its beginning is ever set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusHistory {
    pub(super) review_pending_date_time: Stamp,
    pub(super) action_required_date_time: (),
    pub(super) passed_date_time: (),
    pub(super) failed_date_time: (),
    pub(super) approved_date_time: (),
}

impl StatusHistory {
    /// In review since then.
    pub(super) fn reviewed_from(since: Stamp) -> Self {
        Self {
            review_pending_date_time: since,
            action_required_date_time: (),
            passed_date_time: (),
            failed_date_time: (),
            approved_date_time: (),
        }
    }
}

/// What the partner sends: the value of `add /registrations/-`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Given {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) contract: Contract,
    pub(super) solution_details: Vec<SolutionDetail>,
}

/// `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// The only one of the connector's swagger.
    AzureIPCoSell,
}

/// `contract`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Contract {
    pub(super) value: Amount,
    pub(super) currency: String,
    pub(super) start_date_time: Timestamp,
    pub(super) end_date_time: Option<Timestamp>,
    pub(super) sign_date_time: Timestamp,
    pub(super) term: Term,
}

/// `contract.term`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Term {
    Perpetual,
    Finite,
}

/// `solutionDetails[]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SolutionDetail {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) value: Amount,
    #[serde(default)]
    pub(super) currency: Option<String>,
    pub(super) is_deployed_on_azure: bool,
    pub(super) primary_deployment_on: PrimaryDeployment,
    pub(super) pricing_model: PricingModel,
    #[serde(default)]
    pub(super) marketplace_transaction_details: Marketplace,
}

/// `primaryDeploymentOn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PrimaryDeployment {
    Customer,
    Partner,
}

/// `pricingModel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PricingModel {
    PayAsYouGo,
    Other,
}

/// `marketplaceTransactionDetails`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Marketplace {
    pub(super) is_marketplace_transacted: bool,
    pub(super) marketplace_transaction_date_time: Option<Timestamp>,
}
