//! The closed lists of words: what may stand where a scenario chooses one of several.
//!
//! Names that a CRM or a partner is free to choose (stages, field names, deals) are not here.

use super::Crm;
use super::act::{Call, Help, Mark, Outcome, System};
use super::settings::{Field, OnHoldEdits, Profile, Winner};

/// `crm:`.
pub(super) const CRMS: [(&str, Crm); 2] = [("salesforce", Crm::Salesforce), ("dynamics", Crm::Dynamics)];

/// `profile:` (product.md M18).
pub(super) const PROFILES: [(&str, Profile); 2] = [
    ("overview", Profile::Overview),
    ("documented-2023", Profile::Documented2023),
];

/// `on-hold edits:`.
pub(super) const ON_HOLD_EDITS: [(&str, OnHoldEdits); 2] = [("flush", OnHoldEdits::Flush), ("drop", OnHoldEdits::Drop)];

/// The keys of `conflicts:`.
pub(super) const FIELDS: [(&str, Field); 4] = [
    ("name", Field::Name),
    ("value", Field::Value),
    ("closes", Field::Closes),
    ("notes", Field::Notes),
];

/// The values of `conflicts:`.
pub(super) const WINNERS: [(&str, Winner); 3] = [
    ("pc wins", Winner::PartnerCenter),
    ("crm wins", Winner::Crm),
    ("latest", Winner::Latest),
];

/// `as:` of a closed deal.
pub(super) const OUTCOMES: [(&str, Outcome); 2] = [("won", Outcome::Won), ("lost", Outcome::Lost)];

/// `help:` (partner-center.md section 3.4).
pub(super) const HELPS: [(&str, Help); 6] = [
    (
        "workload-specific value proposition",
        Help::WorkloadSpecificValueProposition,
    ),
    ("customer technical architecture", Help::CustomerTechnicalArchitecture),
    ("proof of concept or demo", Help::ProofOfConceptOrDemo),
    ("quotes or licensing", Help::QuotesOrLicensing),
    ("post-sales customer success", Help::PostSalesCustomerSuccess),
    ("general or other", Help::GeneralOrOther),
];

/// `system:` of a disconnection.
pub(super) const SYSTEMS: [(&str, System); 4] = [
    ("partner center", System::PartnerCenter),
    ("crm", System::Crm),
    ("webhooks", System::Webhooks),
    ("sign-in", System::SignIn),
];

/// `of:` of a fault.
pub(super) const CALLS: [(&str, Call); 14] = [
    ("create referral", Call::CreateReferral),
    ("update referral", Call::UpdateReferral),
    ("read referral", Call::ReadReferral),
    ("list referrals", Call::ListReferrals),
    ("create opportunity", Call::CreateOpportunity),
    ("update opportunity", Call::UpdateOpportunity),
    ("read opportunity", Call::ReadOpportunity),
    ("list opportunities", Call::ListOpportunities),
    ("create account", Call::CreateAccount),
    ("create contact", Call::CreateContact),
    ("close opportunity", Call::CloseOpportunity),
    ("sign in", Call::SignIn),
    ("register webhook", Call::RegisterWebhook),
    ("any", Call::Any),
];

/// `mark:`. No mark is `none`, the language's own word.
pub(super) const MARKS: [(&str, Mark); 2] = [("check", Mark::Check), ("cross", Mark::Cross)];

/// `status:` of a referral, as Partner Center spells it (partner-center.md section 3.1).
pub(super) const STATUSES: [&str; 3] = ["New", "Active", "Closed"];

/// `substatus:` of a referral, as Partner Center spells it (partner-center.md section 3.1).
pub(super) const SUBSTATUSES: [&str; 9] = [
    "None", "Pending", "Received", "Accepted", "Won", "Lost", "Declined", "Expired", "Error",
];

/// The stages of a Salesforce org as it comes (salesforce.md), with the one that the connector needs besides.
pub(super) const SALESFORCE_STAGES: [&str; 11] = [
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
    "On Hold",
];

/// The status reasons of an open opportunity in Dynamics 365 (dataverse.md).
pub(super) const DYNAMICS_STAGES: [&str; 2] = ["In Progress", "On Hold"];

/// What a run can fail with. The invariants have the same codes, and a test holds both lists together.
pub const FINDING_CODES: [&str; 14] = [
    "converged",
    "one-to-one",
    "nothing-lost",
    "nothing-invented",
    "no-leak",
    "closed-is-terminal",
    "quiet",
    "audited",
    "budget",
    "conduct",
    "deterministic",
    "expectation",
    "act-refused",
    "bound",
];

/// The words of a list, without what they stand for.
pub(super) const fn words<T: Copy, const N: usize>(list: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut at = 0;
    while at < N {
        words[at] = list[at].0;
        at += 1;
    }
    words
}

/// What a word stands for.
pub(super) fn meaning<T: Copy>(list: &[(&str, T)], word: &str) -> Option<T> {
    list.iter().find(|(name, _)| *name == word).map(|(_, meaning)| *meaning)
}
