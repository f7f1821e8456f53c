//! Everything that a step can say, as plain data.
//!
//! Defaults of the language are filled in; nothing is bound to a CRM yet.

use jiff::{SignedDuration, civil::Date};

/// What a step does. The deal that it is about stands in the step.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// `microsoft shares`: Microsoft's seller shares a deal with the partner.
    MicrosoftShares(NewDeal),
    /// `microsoft edits`: Microsoft's seller changes it.
    MicrosoftEdits(Edit),
    /// `microsoft accepts`: Microsoft takes part in a deal that the partner shared.
    MicrosoftAccepts,
    /// `microsoft declines`: it does not, for a reason.
    MicrosoftDeclines(Option<String>),
    /// `microsoft sets msx id`: the deal's number in Microsoft's own CRM.
    MicrosoftSetsMsxId(String),
    /// `microsoft adds team member`: somebody of Microsoft's joins the deal.
    MicrosoftAddsTeamMember(Contact),
    /// `partner edits`: a person of the partner changes it in the Partner Center portal.
    PartnerEdits(Edit),
    /// `partner accepts`, in the portal.
    PartnerAccepts,
    /// `partner declines`, in the portal, for a reason.
    PartnerDeclines(Option<String>),
    /// `partner closes`, in the portal, for a reason.
    PartnerCloses(Outcome, Option<String>),
    /// `seller creates`: a person makes it in the CRM.
    SellerCreates(NewDeal),
    /// `seller edits` and `seller moves`: a person saves changed fields in the CRM.
    SellerEdits(Edit),
    /// `seller closes`, in the CRM.
    SellerCloses(Outcome),
    /// `seller reopens`, in the CRM.
    SellerReopens,
    /// `seller deletes`, in the CRM.
    SellerDeletes,
    /// `wait`: time passes.
    Wait(SignedDuration),
    /// `settle`: runs until nothing more is written; takes no fault away.
    Settle,
    /// `heal`: takes all faults away.
    Heal,
    /// From here on, something goes wrong.
    Fault(Fault),
    /// `restart connector`.
    RestartConnector,
    /// `stop connector`.
    StopConnector,
    /// `start connector`.
    StartConnector,
    /// A person does something with the flows of the solution.
    Flows(FlowStep),
    /// Something must be so.
    Expect(Expectation),
}

/// What a person does with the flows of the solution (product.md M4). A flow is named by its words, such as `pc to crm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowStep {
    /// `turn flow on`.
    TurnOn(&'static str),
    /// `turn flow off`.
    TurnOff(&'static str),
    /// `lose trigger`: the trigger of a child flow cannot be found any more.
    LoseTrigger(&'static str),
    /// `make connections again`.
    Reconnect,
    /// `resubmit`: the run of the step's deal.
    Resubmit,
    /// `resubmit failed runs`.
    ResubmitFailed,
    /// `resubmit flow`: its last run.
    ResubmitFlow(&'static str),
}

/// How a deal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Won.
    Won,
    /// Lost.
    Lost,
}

/// A deal that somebody makes. What the file does not spell has the default of the language; `None` is a spelled `none`.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeal {
    /// Its name.
    pub name: String,
    /// The customer's account.
    pub customer: Option<Customer>,
    /// The deal value.
    pub value: Option<Money>,
    /// The closing date.
    pub closes: Option<Date>,
    /// Notes; none unless spelled.
    pub notes: Option<String>,
    /// The customer's contact.
    pub contact: Option<Contact>,
    /// Identifiers of the solutions.
    pub solutions: Vec<String>,
    /// The help wanted of Microsoft; none unless spelled.
    pub help: Option<Help>,
    /// CRM only: whether Microsoft's sellers may see it; `None` leaves the CRM's default.
    pub visible: Option<bool>,
    /// CRM only: Sync with Partner Center.
    pub sync: bool,
    /// CRM only: its stage.
    pub stage: Stage,
    /// Partner Center only: the CRM record that the deal claims to belong to (product.md M21).
    pub external_reference: Option<String>,
}

/// A customer account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The company's name.
    pub name: String,
    /// Two letters of ISO 3166, or whatever a scenario wants to try.
    pub country: Option<String>,
    /// The postal code; with the name, it is how accounts are matched.
    pub postal_code: String,
}

/// A customer's contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email address.
    pub email: String,
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// In major units; at most fifteen digits, so that nothing is lost.
    pub amount: f64,
    /// ISO 4217.
    pub currency: String,
}

/// How Microsoft can help: the six codes (partner-center.md section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// `workload-specific value proposition`.
    WorkloadSpecificValueProposition,
    /// `customer technical architecture`.
    CustomerTechnicalArchitecture,
    /// `proof of concept or demo`.
    ProofOfConceptOrDemo,
    /// `quotes or licensing`.
    QuotesOrLicensing,
    /// `post-sales customer success`.
    PostSalesCustomerSuccess,
    /// `general or other`.
    GeneralOrOther,
}

/// A stage of the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `active`: the configured active stage.
    Active,
    /// `on hold`: the configured on-hold stage.
    OnHold,
    /// Any other, by its name in the CRM.
    Named(String),
}

/// Fields that somebody changes in one save; `None` is left as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// The name.
    pub name: Option<String>,
    /// The deal value with its currency.
    pub value: Option<Money>,
    /// The closing date.
    pub closes: Option<Date>,
    /// Notes; empty text for a spelled `none`.
    pub notes: Option<String>,
    /// CRM only: the stage.
    pub stage: Option<Stage>,
    /// CRM only: Sync with Partner Center.
    pub sync: Option<bool>,
    /// CRM only: the help wanted of Microsoft.
    pub help: Option<Help>,
    /// CRM only: visibility to Microsoft.
    pub visible: Option<bool>,
    /// What is written as `none`, and so becomes empty.
    pub empties: Vec<Emptied>,
}

/// A field that an edit makes empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Emptied {
    /// The deal value.
    Value,
    /// The closing date.
    Closes,
    /// CRM only: the help wanted of Microsoft.
    Help,
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

/// What a scenario asks for at a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// `expect in crm`: the deal's opportunity has these fields.
    InCrm(ExpectedOpportunity),
    /// `expect in pc`: the deal's referral has these fields.
    InPartnerCenter(ExpectedReferral),
    /// `expect none in crm`: the deal has no opportunity.
    NoneInCrm,
    /// `expect none in pc`: the deal has no referral.
    NoneInPartnerCenter,
    /// `expect count`: so many records are stored.
    Count {
        /// Opportunities.
        opportunities: Option<u32>,
        /// Referrals of the partner; Microsoft's sides are not counted.
        referrals: Option<u32>,
    },
    /// `expect: converged`: both sides agree now.
    Converged,
    /// `expect decision`: the reference connector made this decision before this step.
    Decision(String),
}

/// Fields that an opportunity must have; `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedOpportunity {
    /// The name without its mark.
    pub name: Option<String>,
    /// The stage.
    pub stage: Option<ExpectedStage>,
    /// The deal value and currency.
    pub value: Option<Money>,
    /// The closing date.
    pub closes: Option<Date>,
    /// Notes; empty text for a spelled `none`.
    pub notes: Option<String>,
    /// Sync with Partner Center.
    pub sync: Option<bool>,
    /// Whether it names its referral.
    pub linked: Option<bool>,
    /// The mark in its name.
    pub mark: Option<Mark>,
    /// A text that its Audit trail contains.
    pub audit: Option<String>,
    /// Whether it is marked as visible to Microsoft's sellers.
    pub visible: Option<bool>,
}

/// Where an opportunity must stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedStage {
    /// In the configured on-hold stage.
    OnHold,
    /// Open and not on hold.
    Active,
    /// Closed and won.
    Won,
    /// Closed and lost.
    Lost,
    /// Exactly this stage.
    Named(String),
}

/// The mark in an opportunity's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// No mark.
    None,
    /// In step.
    Check,
    /// The last sync failed.
    Cross,
}

/// Fields that a referral must have; `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedReferral {
    /// The name.
    pub name: Option<String>,
    /// The status, as Partner Center spells it.
    pub status: Option<String>,
    /// The substatus, as Partner Center spells it.
    pub substatus: Option<String>,
    /// The deal value and currency.
    pub value: Option<Money>,
    /// The closing date.
    pub closes: Option<Date>,
    /// Notes; empty text for a spelled `none`.
    pub notes: Option<String>,
    /// Whether Microsoft takes part: its own side is in the engagement.
    pub shared: Option<bool>,
    /// Whether Microsoft's sellers may see it.
    pub visible: Option<bool>,
}
