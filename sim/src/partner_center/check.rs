//! What a referral must hold to be accepted (partner-center.md sections 2.2, 3.2, 3.3 and 8.6).
//!
//! The messages are assumed throughout, but for "Solution ID is required", which the facts quote.

use jiff::{SignedDuration, Timestamp};

use super::Settings;
use super::error::Problem;
use super::kind::{Kind, SERVICES, attribute, simulated};
use super::model::{Contact, Details, Referral, Solution};
use super::value::ReferralType;

/// The most solutions, and the most team members, that a deal may have (partner-center.md section 3.3).
const MOST_ENTRIES: usize = 50;

/// The longest notes. Assumed: no limit is documented, and a megabyte must end somewhere.
const LONGEST_NOTES: usize = 65_536;
/// The longest name. Assumed.
const LONGEST_NAME: usize = 1024;

/// What decides whether Microsoft's sellers see a referral.
pub(super) const SHARE: &str = "consent/consentToShareReferralWithMicrosoftSellers";

/// Under which terms an update is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    /// Microsoft has a referral in the engagement.
    pub(super) invited: bool,
    pub(super) now: Timestamp,
    pub(super) settings: &'a Settings,
}

/// Checks a new referral.
///
/// Required by the API's own documents: type, customer profile, consent, details (their presence is checked while the
/// body is read). Assumed from the bulk files: names, country, value, currency and closing date. By kind of deal: a
/// solution once it is shared or help is asked, or role, area and play once it is about services; a customer contact once
/// help is asked. What else the bulk files require is the switch [`Settings::bulk_requirements`].
pub(super) fn creation(referral: &Referral, settings: &Settings, now: Timestamp) -> Result<(), Problem> {
    let customer = &referral.customer_profile;
    require("name", is_filled(Some(&referral.name)))?;
    require("customerProfile/name", is_filled(Some(&customer.name)))?;
    country(referral)?;
    let details = &referral.details;
    require("details/dealValue", details.deal_value.is_some())?;
    require("details/currency", details.currency.is_some())?;
    require("details/closingDateTime", details.closing_date_time.is_some())?;
    by_kind(referral)?;
    if settings.bulk_requirements {
        as_in_bulk(referral)?;
    }
    words(referral)?;
    closing_date(referral, settings, now)?;
    solutions(referral, settings)?;
    everything(referral)
}

/// What each kind of deal needs.
fn by_kind(referral: &Referral) -> Result<(), Problem> {
    let kind = Kind::of(referral);
    if kind == Kind::ServicesCoSell {
        for name in SERVICES {
            let target = format!("details/requirements/additionalRequirements/attributes/{name}");
            require(&target, attribute(referral, name))?;
        }
    }
    let shared = matches!(kind, Kind::PartnerLed | Kind::CoSell) || referral.kind == ReferralType::Shared;
    if shared && kind != Kind::ServicesCoSell && referral.details.requirements.solutions.is_empty() {
        return Err(solution_id());
    }
    if referral.invite_context.asks_for_help() && !referral.customer_profile.team.iter().any(is_contact) {
        let message = "Customer contact is required when Microsoft help is requested.";
        return Err(Problem::invalid("customerProfile/team", message));
    }
    Ok(())
}

/// Required in a bulk file, and not shown to be required by the API. Assumed: "consent to share contact" is
/// `consentToToShareInfoWithOthers`.
fn as_in_bulk(referral: &Referral) -> Result<(), Problem> {
    let address = &referral.customer_profile.address;
    require(
        "customerProfile/address/addressLine1",
        is_filled(address.address_line1.as_ref()),
    )?;
    require("customerProfile/address/city", is_filled(address.city.as_ref()))?;
    require("team", !referral.team.is_empty())?;
    let consent = referral.consent.consent_to_to_share_info_with_others;
    require("consent/consentToToShareInfoWithOthers", consent)?;
    match referral.details.requirements.solutions.as_slice() {
        [] => Err(solution_id()),
        _ => Ok(()),
    }
}

/// Words of a closed list that are kept as text (partner-center.md section 2.1). Assumed: others are refused.
fn words(referral: &Referral) -> Result<(), Problem> {
    let known = |target: &str, word: &str, list: &[&str]| {
        if list.contains(&word) {
            return Ok(());
        }
        let message = format!("The value '{word}' of '{target}' is not one of: {}.", list.join(", "));
        Err(Problem::invalid(target, message))
    };
    for target in &referral.target {
        let kinds = ["None", "BusinessProfileLocation", "SolutionProfile"];
        known("target/type", &target.kind, &kinds)?;
    }
    for id in &referral.customer_profile.ids {
        known(
            "customerProfile/ids/profileType",
            &id.profile_type,
            &["Duns", "External"],
        )?;
    }
    Ok(())
}

/// Assumed: where the switch refuses a closing date that has passed, a day is granted, because Partner Center's pages show local time and
/// the API is in UTC (partner-center.md section 3.3).
fn closing_date(referral: &Referral, settings: &Settings, now: Timestamp) -> Result<(), Problem> {
    let earliest = now
        .checked_sub(SignedDuration::from_hours(48))
        .unwrap_or(Timestamp::MIN);
    let closing = referral.details.closing_date_time;
    if settings.closing_date_may_be_past || closing.is_none_or(|closing| closing > earliest) {
        return Ok(());
    }
    let message = "The closing date must not be in the past.";
    Err(Problem::invalid("details/closingDateTime", message))
}

/// Whether the partner's catalog has the solutions, where a catalog is set.
fn solutions(referral: &Referral, settings: &Settings) -> Result<(), Problem> {
    let target = "details/requirements/solutions";
    for solution in &referral.details.requirements.solutions {
        let kind = solution.kind.as_deref().unwrap_or("Name");
        if !matches!(kind, "None" | "Category" | "Name") {
            let message = format!("The solution type '{kind}' is not one of: None, Category, Name.");
            return Err(Problem::invalid(target, message));
        }
        let id = solution.id.as_deref().unwrap_or_default();
        if let Some(known) = &settings.known_solutions
            && kind != "Category"
            && !id.is_empty()
            && !known.iter().any(|known| known == id)
        {
            let message = format!("The solution '{id}' does not exist or is not co-sell ready.");
            return Err(Problem::invalid(target, message));
        }
    }
    Ok(())
}

/// Checks a changed referral against what it was.
pub(super) fn update(before: &Referral, after: &Referral, terms: Terms<'_>) -> Result<(), Problem> {
    if before.consent.is_shared() && !after.consent.is_shared() {
        return Err(Problem::invalid(SHARE, "Sharing with Microsoft cannot be undone."));
    }
    let (was, is) = (&before.invite_context, &after.invite_context);
    if was.asks_for_help() && !is.asks_for_help() {
        let message = "Asking Microsoft for help cannot be undone.";
        return Err(Problem::invalid("inviteContext/assistanceRequestCode", message));
    }
    if terms.invited {
        after_sharing(before, after)?;
    }
    require("name", is_filled(Some(&after.name)))?;
    // An upgrade needs what a deal of the new kind needs (section 3.2: private, partner-led, co-sell, never back).
    if Kind::of(before) != Kind::of(after) {
        by_kind(after)?;
    }
    if before.details.closing_date_time != after.details.closing_date_time {
        closing_date(after, terms.settings, terms.now)?;
    }
    if before.details.requirements.solutions != after.details.requirements.solutions {
        simulated(&[], &after.details.requirements.solutions)?;
        solutions(after, terms.settings)?;
    }
    everything(after)
}

/// A lead is Won after two stages, where the switch [`Settings::lead_stages_gate_won`] says so (partner-center.md section
/// 3.1). Assumed: its substages of qualification and evaluation are the sales stages 20 and 40.
pub(super) fn lead_stages(referral: &Referral) -> Result<(), Problem> {
    let is_lead = matches!(Kind::of(referral), Kind::MarketplaceLead | Kind::QualifiedLead);
    let stage = referral.sales_stage.as_deref().and_then(|stage| stage.parse().ok());
    if !is_lead || stage.unwrap_or(0) >= 40 {
        return Ok(());
    }
    let message = "A lead must be qualified and evaluated before it is Won.";
    Err(Problem::invalid("salesStage", message))
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
    shorter("details/notes", referral.details.notes.as_deref(), LONGEST_NOTES)?;
    shorter(
        "inviteContext/notes",
        referral.invite_context.notes.as_deref(),
        LONGEST_NOTES,
    )?;
    shorter("name", Some(&referral.name), LONGEST_NAME)?;
    shorter(
        "customerProfile/name",
        Some(&referral.customer_profile.name),
        LONGEST_NAME,
    )?;
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

fn is_filled(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

fn shorter(target: &str, text: Option<&str>, longest: usize) -> Result<(), Problem> {
    if text.is_none_or(|text| text.chars().nth(longest).is_none()) {
        return Ok(());
    }
    let message = format!("The field '{target}' is longer than {longest} characters.");
    Err(Problem::invalid(target, message))
}

fn has_id(solution: &Solution) -> bool {
    is_filled(solution.id.as_ref())
}

fn is_contact(contact: &Contact) -> bool {
    is_filled(contact.email.as_ref())
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
