//! What goes wrong in a step.

use jiff::SignedDuration;

use super::Act;

/// Why a connection is broken (product.md M3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The user's password expired.
    PasswordExpired,
    /// The user's tokens were revoked.
    Revoked,
    /// There is no connection: nobody ever signed in.
    Missing,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserRole {
    /// Partner Center: every referral.
    ReferralsAdmin,
    /// Partner Center: deals of one's own team.
    ReferralsUser,
    /// The CRM: everything.
    SystemAdministrator,
    /// The CRM: everything that a connector needs.
    SystemCustomizer,
    /// The CRM: sells.
    Salesperson,
}

/// What happens at a call of the connector.
#[derive(Clone, Debug, PartialEq)]
pub struct OnCall {
    /// Which calls.
    pub call: Call,
    /// Let so many pass first.
    pub after: u32,
    /// Then it happens at so many.
    pub times: u32,
    /// When.
    pub moment: Moment,
    /// What.
    pub then: Vec<Happens>,
}

/// Where a call is when something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request is on its way.
    Sent,
    /// The system has done it, and the answer is on its way.
    Done,
}

/// A step within another.
#[derive(Clone, Debug, PartialEq)]
pub struct Happens {
    /// The deal that it is about.
    pub deal: Option<String>,
    /// What it does.
    pub act: Act,
}

/// Something that goes wrong from now on.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// `disconnect`: a system cannot be reached for a while.
    Disconnect {
        /// Which.
        system: System,
        /// For how long.
        lasts: SignedDuration,
    },
    /// `lose request`, `lose reply`, `delay`, `duplicate request`, `answer`: calls of the connector meet a fate.
    Calls {
        /// Which calls.
        call: Call,
        /// Let so many pass first.
        after: u32,
        /// Then so many meet it.
        times: u32,
        /// What happens to them.
        fate: CallFate,
    },
    /// `lose webhooks`, `duplicate webhooks`, `reorder webhooks`, `delay webhooks`: deliveries meet a fate.
    Hooks {
        /// So many.
        times: u32,
        /// What happens to them.
        fate: HookFate,
    },
}

/// What a disconnection cuts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// `partner center`, webhooks included.
    PartnerCenter,
    /// `crm`.
    Crm,
    /// `webhooks`: deliveries only.
    Webhooks,
    /// `sign-in`: Microsoft's.
    SignIn,
}

/// A kind of call that the connector makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Makes a referral (Microsoft's own side included).
    CreateReferral,
    /// Changes a referral.
    UpdateReferral,
    /// Reads one referral.
    ReadReferral,
    /// Lists referrals.
    ListReferrals,
    /// Makes an opportunity.
    CreateOpportunity,
    /// Changes an opportunity.
    UpdateOpportunity,
    /// Reads one opportunity.
    ReadOpportunity,
    /// Queries opportunities.
    ListOpportunities,
    /// Makes an account.
    CreateAccount,
    /// Makes a contact.
    CreateContact,
    /// Wins or loses an opportunity (Dynamics 365).
    CloseOpportunity,
    /// Gets a token.
    SignIn,
    /// Registers the webhook.
    RegisterWebhook,
    /// Any call.
    Any,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallFate {
    /// It never reaches the system.
    LoseRequest,
    /// The system does it, and the answer never arrives.
    LoseReply,
    /// It arrives later.
    Delay(SignedDuration),
    /// It arrives twice.
    Duplicate,
    /// Something on the way answers instead.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The Retry-After header, in whole seconds.
        retry_after: Option<SignedDuration>,
    },
    /// It answers as if it had done everything, and one field was left as it is.
    IgnoreField(String),
    /// Its answer breaks off in the middle.
    CutReply,
    /// The first row of the list that it answers is empty.
    GarbleRow,
}

/// What the signature of a webhook is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Partner Center's own.
    Valid,
    /// Somebody else's.
    Forged,
    /// There is none.
    Missing,
}

/// What happens to a webhook delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookFate {
    /// It never arrives.
    Lose,
    /// It arrives twice.
    Duplicate,
    /// It arrives after the next ones.
    Reorder,
    /// It arrives later.
    Delay(SignedDuration),
}
