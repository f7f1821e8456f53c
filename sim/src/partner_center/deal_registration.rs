//! Registering a won deal: the two PATCH forms that end in slashes (partner-center.md sections 3.7 and 4.4).
//!
//! Simulated are the wire shape and the documented conditions that can be seen in the referral. The review behind it is
//! not: a registration stays in review, and what a marketplace would have to confirm is refused by name.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::error::Problem;
use super::guid::Guid;
use super::model::Referral;
use super::registered::{Given, Registered, RegistrationStatus, StatusHistory, Term};
use super::value::{Stamp, Substatus};

/// One operation of either form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: String,
    path: String,
    value: Value,
}

/// What the second form may write, below `/registrations/0`.
const UPDATABLE: [&str; 12] = [
    "/contract/startDateTime",
    "/contract/endDateTime",
    "/contract/signDateTime",
    "/contract/term",
    "/contract/value",
    "/solutionDetails/0/value",
    "/solutionDetails/0/currency",
    "/solutionDetails/0/isDeployedOnAzure",
    "/solutionDetails/0/primaryDeploymentOn",
    "/solutionDetails/0/pricingModel",
    "/solutionDetails/0/marketplaceTransactionDetails/isMarketplaceTransacted",
    "/solutionDetails/0/marketplaceTransactionDetails/marketplaceTransactionDateTime",
];

/// The value from which a deal may be registered, in US dollars.
const LEAST_VALUE: f64 = 25_000.0;

fn operations(body: &[u8]) -> Result<Vec<Operation>, Problem> {
    super::body::read("patch", body)
}

fn given(value: &Value) -> Result<Given, Problem> {
    super::body::read_value("registrations", value)
}

/// Reads the first form: `add /registrations/-`, once.
pub(super) fn creation(body: &[u8]) -> Result<Given, Problem> {
    let mut operations = operations(body)?.into_iter();
    let (Some(only), None) = (operations.next(), operations.next()) else {
        let message = "A deal registration is created by exactly one operation.";
        return Err(Problem::invalid("registrations", message));
    };
    if only.op != "add" || only.path != "/registrations/-" {
        let message = "A deal registration is created by 'add' at '/registrations/-'.";
        return Err(Problem::invalid(&only.path, message));
    }
    given(&only.value)
}

/// Adds a registration to a referral. Assumed: a deal has one at a time, which waits for its review.
pub(super) fn add(referral: &mut Referral, given: Given, id: Guid, now: Timestamp) -> Result<(), Problem> {
    if !referral.registrations.is_empty() {
        let message = "The deal is already registered.".to_owned();
        return Err(Problem::Conflict(message));
    }
    eligible(referral)?;
    contract(referral, &given, now)?;
    referral.registration_status = RegistrationStatus::ReviewPending;
    referral.registrations.push(Registered {
        id,
        registration_date_time: Stamp(now),
        status: RegistrationStatus::ReviewPending,
        status_reason: (),
        given,
        status_history: StatusHistory::reviewed_from(Stamp(now)),
    });
    Ok(())
}

/// Carries out the second form on a referral.
pub(super) fn update(referral: &mut Referral, body: &[u8], now: Timestamp) -> Result<(), Problem> {
    let unregistered = || Problem::invalid("registrations", "The deal is not registered.");
    let stored = referral.registrations.first().ok_or_else(unregistered)?;
    let mut changed = serde_json::to_value(&stored.given).unwrap_or_default();
    for Operation { op, path, value } in operations(body)? {
        let refused = |why: &str| Problem::invalid(&path, format!("The path '{path}' {why}."));
        if !matches!(op.as_str(), "replace" | "add") {
            return Err(refused("takes 'replace' or 'add' only"));
        }
        let below = path.strip_prefix("/registrations/0");
        let pointer = below
            .filter(|below| UPDATABLE.contains(below))
            .ok_or_else(|| refused("cannot be updated"))?;
        let slot = changed.pointer_mut(pointer).ok_or_else(|| refused("does not exist"))?;
        *slot = value;
    }
    let changed = given(&changed)?;
    contract(referral, &changed, now)?;
    if let Some(stored) = referral.registrations.first_mut() {
        stored.given = changed;
    }
    Ok(())
}

fn eligible(referral: &Referral) -> Result<(), Problem> {
    let refused = |target: &str, message: &str| Err(Problem::invalid(target, message));
    if referral.substatus != Substatus::Won {
        return refused("substatus", "Only a deal that is Won can be registered.");
    }
    if !referral.consent.is_shared() {
        return refused("consent", "A private deal cannot be registered.");
    }
    let details = &referral.details;
    // Assumed: other currencies are not converted, and let pass.
    let in_dollars = details.currency.as_deref() == Some("USD");
    let value = details.deal_value.map_or(0.0, super::value::Amount::get);
    if in_dollars && value < LEAST_VALUE {
        return refused(
            "details/dealValue",
            "Only a deal of at least USD 25,000 can be registered.",
        );
    }
    if details.requirements.solutions.is_empty() {
        return refused("details/requirements/solutions", "Solution ID is required");
    }
    Ok(())
}

/// The dates and values of a contract. The 72 hours between creation and Won are not a condition: a review "might"
/// reject then.
fn contract(referral: &Referral, given: &Given, now: Timestamp) -> Result<(), Problem> {
    let contract = &given.contract;
    let refused = |field: &str, message: &str| Err(Problem::invalid(&format!("contract/{field}"), message));
    let days_ago = |days: i64| {
        now.checked_sub(SignedDuration::from_hours(24 * days))
            .unwrap_or(Timestamp::MIN)
    };
    if contract.sign_date_time > now {
        return refused("signDateTime", "The contract must not be signed in the future.");
    }
    if contract.sign_date_time < days_ago(60) {
        return refused("signDateTime", "The contract was signed more than 60 days ago.");
    }
    if contract.sign_date_time < referral.created_date_time.0 {
        return refused(
            "signDateTime",
            "The contract was signed before the referral was created.",
        );
    }
    if contract.start_date_time < days_ago(90) {
        return refused("startDateTime", "The contract started more than 90 days ago.");
    }
    match (contract.term, contract.end_date_time) {
        (Term::Finite, None) => return refused("endDateTime", "A finite contract needs an end."),
        (Term::Finite, Some(end)) if end < contract.start_date_time => {
            return refused("endDateTime", "The contract ends before it starts.");
        }
        (Term::Finite, Some(_)) | (Term::Perpetual, _) => {}
    }
    let parts: f64 = given.solution_details.iter().map(|part| part.value.get()).sum();
    if given.solution_details.is_empty() || parts > contract.value.get() {
        return refused(
            "value",
            "The solutions' values must be given, and not exceed the contract's.",
        );
    }
    let transacted =
        |part: &super::registered::SolutionDetail| part.marketplace_transaction_details.is_marketplace_transacted;
    if given.solution_details.iter().any(transacted) {
        let missing = "deal registration with marketplace validation";
        return Err(Problem::NotSimulated(missing.to_owned()));
    }
    Ok(())
}
