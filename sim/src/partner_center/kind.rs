//! What kind of deal a referral is (partner-center.md section 3.2). No field says it: it follows from several.
//!
//! Partner-to-partner deals and solution assessments are not simulated beyond their wire shape.

use super::error::Problem;
use super::model::MICROSOFT;
use super::model::{Referral, Solution, Target};
use super::value::{Qualification, ReferralType};

/// The kinds of deals and leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody at Microsoft sees it.
    Private,
    /// Microsoft's sellers see it, and are not asked for help.
    PartnerLed,
    /// Microsoft is asked for help with a solution.
    CoSell,
    /// Microsoft is asked for help with a service.
    ServicesCoSell,
    /// From a customer through a marketplace.
    MarketplaceLead,
    /// From Microsoft's marketing or sales.
    QualifiedLead,
}

/// What makes a deal one about services. Assumed: the names and the place of these attributes; the documents name the
/// fields and not their paths.
pub(super) const SERVICES: [&str; 3] = ["PartnerRole", "SolutionArea", "SolutionPlay"];

impl Kind {
    /// The kind of a referral.
    pub(super) fn of(referral: &Referral) -> Self {
        // Assumed: a lead for which Microsoft is asked for help has become a co-sell deal, whatever it was found as.
        if !referral.invite_context.asks_for_help() {
            return match lead(referral) {
                Some(lead) => lead,
                None if referral.consent.is_shared() => Self::PartnerLed,
                None => Self::Private,
            };
        }
        // "Required for Services co-sell referrals only."
        if attribute(referral, SERVICES[0]) {
            Self::ServicesCoSell
        } else {
            Self::CoSell
        }
    }
}

/// The classification by type, qualification, and who invites.
fn lead(referral: &Referral) -> Option<Kind> {
    let inviter = referral.invite_context.invited_by.as_ref();
    let inviter = inviter.and_then(|inviter| inviter.organization_id.as_deref());
    let from_microsoft = inviter == Some(MICROSOFT);
    match (referral.kind, referral.qualification) {
        (ReferralType::Independent, Qualification::Direct) if from_microsoft || inviter.is_none() => {
            Some(Kind::MarketplaceLead)
        }
        (ReferralType::Independent, Qualification::SalesQualified | Qualification::MarketingQualified)
            if from_microsoft =>
        {
            Some(Kind::QualifiedLead)
        }
        _ => None,
    }
}

/// Whether a referral has an attribute of a type.
pub(super) fn attribute(referral: &Referral, name: &str) -> bool {
    let attributes = &referral.details.requirements.additional_requirements.attributes;
    attributes
        .iter()
        .any(|attribute| attribute.kind == name && !attribute.id.trim().is_empty())
}

/// Refuses by name what is not simulated: other partners, and solution assessments.
///
/// Assumed: an assessment is told by the `solutionType` of its solution; no document shows one.
pub(super) fn simulated(targets: &[Target], solutions: &[Solution]) -> Result<(), Problem> {
    if targets
        .iter()
        .any(|target| target.kind == "BusinessProfileLocation" && target.id != MICROSOFT)
    {
        return Err(Problem::NotSimulated("partner-to-partner deal".to_owned()));
    }
    let assessment = |text: &Option<String>| {
        text.as_ref()
            .is_some_and(|text| text.to_ascii_lowercase().contains("assessment"))
    };
    if solutions
        .iter()
        .any(|solution| assessment(&solution.solution_type) || assessment(&solution.kind))
    {
        return Err(Problem::NotSimulated("solution assessment".to_owned()));
    }
    Ok(())
}
