//! The closed lists of words: what may stand where a scenario chooses one of several.
//!
//! Names that a CRM or a partner is free to choose (stages, field names, deals) are not here.

use super::Crm;
use super::act::{Break, Call, Counted, Help, LeadSource, Mark, Moment, Outcome, RecordSide, Signed, System, UserRole};
use super::settings::{Direction, Field, Makers, OnHoldEdits, Profile, Winner};

/// `crm:`.
pub(super) const CRMS: [(&str, Crm); 2] = [("salesforce", Crm::Salesforce), ("dynamics", Crm::Dynamics)];

/// `profile:` (product.md M18).
pub(super) const PROFILES: [(&str, Profile); 4] = [
    ("overview", Profile::Overview),
    ("documented-2020", Profile::Documented2020),
    ("documented-2021", Profile::Documented2021),
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

/// The values of `directions:`.
pub(super) const DIRECTIONS: [(&str, Direction); 5] = [
    ("both", Direction::Both),
    ("pc to crm", Direction::PcToCrm),
    ("crm to pc", Direction::CrmToPc),
    ("create only", Direction::CreateOnly),
    ("never", Direction::Never),
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

/// `system:` of a connection and of its tokens.
pub(super) const CONNECTED: [(&str, System); 2] = [("partner center", System::PartnerCenter), ("crm", System::Crm)];

/// `because:` of a broken connection (product.md M3).
pub(super) const BREAKS: [(&str, Break); 3] = [
    ("password expired", Break::PasswordExpired),
    ("revoked", Break::Revoked),
    ("missing", Break::Missing),
];

/// `roles:` of a user (product.md M1).
pub(super) const ROLES: [(&str, UserRole); 5] = [
    ("referrals admin", UserRole::ReferralsAdmin),
    ("referrals user", UserRole::ReferralsUser),
    ("system administrator", UserRole::SystemAdministrator),
    ("system customizer", UserRole::SystemCustomizer),
    ("salesperson", UserRole::Salesperson),
];

/// `made by:` of given deals.
pub(super) const MAKERS: [(&str, Makers); 3] = [
    ("both", Makers::Both),
    ("microsoft", Makers::Microsoft),
    ("seller", Makers::Seller),
];

/// `user:` of a step: who is in every world.
pub(super) const USERS: [&str; 3] = ["connector", "seller", "partner"];

/// `clock:` of a skewed clock.
pub(super) const SKEWS: [(&str, bool); 2] = [("ahead", true), ("behind", false)];

/// `when:` of something that happens at a call.
pub(super) const MOMENTS: [(&str, Moment); 2] = [("sent", Moment::Sent), ("done", Moment::Done)];

/// `signature:` of a webhook that somebody delivers.
pub(super) const SIGNATURES: [(&str, Signed); 3] = [
    ("valid", Signed::Valid),
    ("forged", Signed::Forged),
    ("missing", Signed::Missing),
];

/// `body:` of a webhook that somebody delivers; true when it is no event.
pub(super) const BODIES: [(&str, bool); 2] = [("update", false), ("garbled", true)];

/// `of:` of a row that is garbled: the calls that answer with a list.
pub(super) const LISTS: [(&str, Call); 2] = [
    ("list referrals", Call::ListReferrals),
    ("list opportunities", Call::ListOpportunities),
];

/// `in:` of something remembered.
pub(super) const SIDES: [(&str, RecordSide); 2] = [("crm", RecordSide::Crm), ("pc", RecordSide::PartnerCenter)];

/// `field:` of something remembered: what both sides have, and `status` of a referral.
pub(super) const REMEMBERED: [&str; 7] = ["name", "value", "closes", "notes", "stage", "status", "audit"];

/// `source:` of a lead (partner-center.md section 3.2).
pub(super) const LEADS: [(&str, LeadSource); 3] = [
    ("marketplace", LeadSource::Marketplace),
    ("marketing", LeadSource::Marketing),
    ("sales", LeadSource::Sales),
];

/// The keys of `expect count`.
pub(super) const COUNTED: [(&str, Counted); 6] = [
    ("opportunities", Counted::Opportunities),
    ("referrals", Counted::Referrals),
    ("microsoft referrals", Counted::MicrosoftReferrals),
    ("accounts", Counted::Accounts),
    ("contacts", Counted::Contacts),
    ("leads", Counted::Leads),
];

/// `field:` that an answer ignores, with what both sides call it.
pub(super) const IGNORED: [&str; 4] = ["name", "value", "closes", "notes"];

/// `of:` of a fault.
pub const CALLS: [(&str, Call); 14] = [
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

/// The flows of the solution, in the order in which they are turned on (partner-center.md section 8.2).
pub const FLOWS: [(&str, &str); 9] = [
    ("webhook registration", "webhook registration"),
    ("customize", "customize"),
    ("create referral", "create referral"),
    ("helper", "helper"),
    ("microsoft updates", "microsoft updates"),
    ("pc to crm", "pc to crm"),
    ("crm to pc", "crm to pc"),
    ("opportunity to pc", "opportunity to pc"),
    ("solutions to pc", "solutions to pc"),
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
pub const SALESFORCE_STAGES: [&str; 11] = [
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
pub const FINDING_CODES: [&str; 16] = [
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
    "settings",
    "process",
];

/// The choices that the reference connector reports, each with a stable code and what it means.
pub const DECISIONS: [(&str, &str); 82] = [
    ("accept", "the deal left on-hold, and was accepted in Partner Center"),
    (
        "audit.in_run",
        "an Audit line stands in the run only: the record cannot be written",
    ),
    ("bound.deals", "as many deals are known as there may be"),
    ("bound.pages", "a list had more pages than are read"),
    ("bound.related", "as many engagements are traced as there may be"),
    ("bound.rounds", "a run looked at its deal again too often"),
    ("budget.waiting", "the calls of the day are used up"),
    (
        "by_design.local_edit",
        "a field that does not go that way was edited, and stands",
    ),
    ("conflict.closed", "both sides closed the deal differently"),
    (
        "conflict.crm_wins",
        "both sides changed a field, and the CRM's value stands",
    ),
    (
        "conflict.pc_wins",
        "both sides changed a field, and Partner Center's value stands",
    ),
    (
        "create.closed_before_first_sync",
        "a deal was closed before it reached the CRM",
    ),
    ("create.invitation", "Microsoft was invited"),
    (
        "create.on_hold",
        "a deal of the CRM is on hold, and not yet made in Partner Center",
    ),
    ("create.lead", "a lead was made in the CRM"),
    ("create.opportunity", "an opportunity was made"),
    ("create.referral", "a referral was made"),
    (
        "decline",
        "the deal was lost from on-hold, and was declined in Partner Center",
    ),
    ("filter.lead", "a lead stays out of the CRM by the settings"),
    ("flow.nothing_to_resubmit", "there is no run to submit again"),
    ("flow.off", "something met a flow that is off"),
    ("flow.reconnected", "the connections of the solution were made again"),
    (
        "flow.requires_updates",
        "a flow cannot be turned on before its child: Requiring updates",
    ),
    ("flow.resubmitted", "a run was submitted again"),
    ("flow.trigger_lost", "the trigger of a flow cannot be found any more"),
    ("flow.turned_off", "a flow was turned off"),
    ("flow.turned_on", "a flow was turned on"),
    ("flow.unknown", "the solution for this CRM has no such flow"),
    ("hold.dropped", "an edit on hold was dropped by the settings"),
    (
        "hold.local",
        "an edit on hold stays in the CRM until the deal is accepted",
    ),
    ("hook.algorithm", "a webhook is signed in a way that is not read"),
    (
        "hook.certificate_chain",
        "nobody trusted vouches for a webhook's certificate",
    ),
    (
        "hook.certificate_host",
        "a webhook's certificate is at a host that is not named",
    ),
    ("hook.certificate_issuer", "a webhook's certificate has another issuer"),
    ("hook.certificate_key", "a webhook's certificate holds no RSA key"),
    (
        "hook.certificate_out_of_time",
        "a webhook's certificate has ended or not begun",
    ),
    (
        "hook.certificate_unreachable",
        "a webhook's certificate cannot be fetched",
    ),
    ("hook.certificate_unreadable", "a webhook's certificate cannot be read"),
    ("hook.forged", "a webhook's signature is somebody else's"),
    ("hook.headers", "a header of a webhook's signature is missing"),
    ("hook.unreadable", "a webhook cannot be read"),
    ("hook.unsigned", "a webhook has no signature"),
    ("hook.untraced", "a webhook names a referral whose deal is not found"),
    ("late_edit.closed", "an edit came after the deal was closed"),
    (
        "lead.waits",
        "an accepted lead lacks something, and is no opportunity yet",
    ),
    ("link.conflict", "both records of a link name others"),
    ("link.dangling", "a deal names a CRM record that does not exist"),
    ("link.duplicate_opportunity", "two opportunities name one referral"),
    ("link.duplicate_referral", "two referrals name one opportunity"),
    ("link.found", "a record that was made before is found, and linked"),
    (
        "link.reopened",
        "a closed opportunity was opened and closed again for its link",
    ),
    ("memory.unreadable", "what was persisted cannot be read"),
    ("microsoft.accepted", "Microsoft accepted the deal"),
    ("microsoft.closed", "Microsoft's side was closed"),
    ("microsoft.declined", "Microsoft declined the deal"),
    ("microsoft.team_member", "somebody of Microsoft's joined the deal"),
    ("missing.account", "the customer's account is missing"),
    ("missing.closing_date", "the closing date is missing"),
    ("missing.contact", "the customer's contact is missing"),
    ("missing.country", "the customer's country code is missing"),
    ("missing.solution", "the solution is missing"),
    ("missing.value", "the deal value is missing"),
    (
        "owner.overwrites",
        "the owner of a field overwrites what was edited elsewhere",
    ),
    ("poll.failed", "the CRM cannot be asked for changes"),
    ("poll.unreadable", "a row of the CRM cannot be read"),
    ("reconcile.failed", "Partner Center cannot be asked for changes"),
    ("reconcile.unreadable", "a referral cannot be read"),
    ("record.deleted", "a record was deleted, and is not made again"),
    (
        "register.stolen",
        "somebody else had registered a webhook, which was overwritten",
    ),
    ("register.done", "the webhook is registered"),
    ("register.failed", "the webhook cannot be registered"),
    ("register.kept", "the webhook's registration of somebody else is kept"),
    (
        "reopen.ignored",
        "a closed deal was opened again in the CRM, which Partner Center cannot",
    ),
    ("run.denied", "a run was refused for lack of rights"),
    ("run.later", "a run failed for now, and is tried again"),
    ("run.refused", "a run was refused for what it wrote"),
    ("sign_in.refused", "a sign-in was refused"),
    ("solutions.sent", "the solutions were changed in the CRM, and sent"),
    ("sync.off", "Sync is off, and nothing is sent"),
    ("value.currency_missing", "the CRM does not have the currency"),
    ("value.not_taken", "a system said that it took a value, and did not"),
    ("value.shortened", "a value has more letters than the CRM can hold"),
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
