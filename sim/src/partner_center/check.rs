//! What a referral must hold to be accepted (partner-center.md sections 2.2, 3.2, 3.3 and 8.6).
//!
//! The messages are assumed throughout, but for "Solution ID is required", which the facts quote.

use super::error::Problem;
use super::model::{Contact, Details, Referral, Solution};
use super::value::ReferralType;

/// The most solutions, and the most team members, that a deal may have (partner-center.md section 3.3).
const MOST_ENTRIES: usize = 50;

/// Checks a new referral.
///
/// Required by the API's own documents: type, customer profile, consent, details (their presence is checked while the
/// body is read). Assumed from the bulk files: names, country, value, currency and closing date; a solution once the
/// deal is shared or help is asked; a customer contact once help is asked. Not required here although the bulk files
/// do: address line, city, team member, purchase intent.
pub(super) fn creation(referral: &Referral) -> Result<(), Problem> {
    require("name", !referral.name.trim().is_empty())?;
    require(
        "customerProfile/name",
        !referral.customer_profile.name.trim().is_empty(),
    )?;
    country(referral)?;
    let details = &referral.details;
    require("details/dealValue", details.deal_value.is_some())?;
    require("details/currency", details.currency.is_some())?;
    require("details/closingDateTime", details.closing_date_time.is_some())?;
    let helped = referral.invite_context.asks_for_help();
    let shared = referral.kind == ReferralType::Shared || referral.consent.is_shared() || helped;
    if shared && details.requirements.solutions.is_empty() {
        return Err(solution_id());
    }
    if helped && !referral.customer_profile.team.iter().any(is_contact) {
        let message = "Customer contact is required when Microsoft help is requested.";
        return Err(Problem::invalid("customerProfile/team", message));
    }
    everything(referral)
}

/// Checks a changed referral against what it was.
pub(super) fn update(before: &Referral, after: &Referral, invited: bool) -> Result<(), Problem> {
    if before.consent.is_shared() && !after.consent.is_shared() {
        let message = "Sharing with Microsoft cannot be undone.";
        let target = "consent/consentToShareReferralWithMicrosoftSellers";
        return Err(Problem::invalid(target, message));
    }
    let (was, is) = (&before.invite_context, &after.invite_context);
    if was.asks_for_help() && !is.asks_for_help() {
        let message = "Asking Microsoft for help cannot be undone.";
        return Err(Problem::invalid("inviteContext/assistanceRequestCode", message));
    }
    if invited {
        after_sharing(before, after)?;
    }
    require("name", !after.name.trim().is_empty())?;
    everything(after)
}

/// What is read-only once Microsoft has been invited: contacts, notes to Microsoft, and the kind of help.
fn after_sharing(before: &Referral, after: &Referral) -> Result<(), Problem> {
    let (was, is) = (&before.invite_context, &after.invite_context);
    if was.asks_for_help() && was.assistance_request_code != is.assistance_request_code {
        return Err(read_only("inviteContext/assistanceRequestCode"));
    }
    if was.notes.is_some() && was.notes != is.notes {
        return Err(read_only("inviteContext/notes"));
    }
    let (was, is) = (&before.customer_profile.team, &after.customer_profile.team);
    // More contacts may be added; those that Microsoft has seen stay.
    if is.starts_with(was) {
        Ok(())
    } else {
        Err(read_only("customerProfile/team"))
    }
}

fn read_only(target: &str) -> Problem {
    Problem::invalid(
        target,
        format!("The field '{target}' is read-only after sharing with Microsoft."),
    )
}

/// What holds for every referral at any time, and all that is asked of a deal which Microsoft shares.
pub(super) fn everything(referral: &Referral) -> Result<(), Problem> {
    let Details {
        currency, requirements, ..
    } = &referral.details;
    if currency.as_ref().is_some_and(|code| !is_code(code, 3)) {
        let message = "The currency must be a three-letter code of ISO 4217 in capitals.";
        return Err(Problem::invalid("details/currency", message));
    }
    if requirements.solutions.iter().any(|solution| !has_id(solution)) {
        return Err(solution_id());
    }
    at_most("details/requirements/solutions", requirements.solutions.len())?;
    at_most("team", referral.team.len())?;
    at_most("customerProfile/team", referral.customer_profile.team.len())
}

fn country(referral: &Referral) -> Result<(), Problem> {
    let country = referral.customer_profile.address.country.as_deref();
    if country.is_some_and(|code| is_code(code, 2)) {
        return Ok(());
    }
    let message = "The country must be a two-letter code of ISO 3166 in capitals.";
    Err(Problem::invalid("customerProfile/address/country", message))
}

fn is_code(code: &str, letters: usize) -> bool {
    code.len() == letters && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn has_id(solution: &Solution) -> bool {
    solution.id.as_ref().is_some_and(|id| !id.trim().is_empty())
}

fn is_contact(contact: &Contact) -> bool {
    contact.email.as_ref().is_some_and(|email| !email.trim().is_empty())
}

fn solution_id() -> Problem {
    Problem::invalid("details/requirements/solutions", "Solution ID is required")
}

fn require(target: &str, holds: bool) -> Result<(), Problem> {
    if holds {
        return Ok(());
    }
    Err(Problem::invalid(target, format!("The field '{target}' is required.")))
}

fn at_most(target: &str, entries: usize) -> Result<(), Problem> {
    if entries <= MOST_ENTRIES {
        return Ok(());
    }
    let message = format!("The field '{target}' has {entries} entries; at most {MOST_ENTRIES} are allowed.");
    Err(Problem::invalid(target, message))
}
