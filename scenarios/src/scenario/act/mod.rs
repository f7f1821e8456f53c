//! Everything that a step can say, as plain data.
//!
//! Defaults of the language are filled in; nothing is bound to a CRM yet.

use jiff::{SignedDuration, civil::Date};

/// What goes wrong.
mod fault;
/// What is looked for.
mod expected;

pub use expected::{
    Counted, Expectation, ExpectedOpportunity, ExpectedReferral, ExpectedStage, Mark, Plain, RecordSide, Wanted, Watch,
};
pub use fault::{Break, Call, CallFate, Fault, Happens, HookFate, Moment, OnCall, Signed, System, UserRole};

/// What a step does. The deal that it is about stands in the step.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// `microsoft shares`: Microsoft's seller shares a deal with the partner.
    MicrosoftShares(NewDeal),
    /// `microsoft shares lead`: Microsoft gives the partner a lead.
    MicrosoftSharesLead(NewDeal, LeadSource),
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
    /// `seller adds solution`: one more identifier.
    SellerAddsSolution(String),
    /// `seller removes solution`.
    SellerRemovesSolution(String),
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
    /// A step that is for the other CRM.
    Nothing,
    /// From here on, something goes wrong.
    Fault(Fault),
    /// `restart connector`.
    RestartConnector,
    /// `crash connector`: the process ends once it has done so many things more, and starts again.
    CrashConnector(u32),
    /// `stop connector`.
    StopConnector,
    /// `start connector`.
    StartConnector,
    /// A person does something with the flows of the solution.
    Flows(FlowStep),
    /// `skew clock`: the connector's clock goes ahead of everybody's, or behind.
    SkewClock {
        /// By how much.
        by: SignedDuration,
        /// Ahead, or behind.
        ahead: bool,
    },
    /// `expire tokens`: every token of the connector for a system ends now.
    ExpireTokens(System),
    /// `break connection`: the connector cannot sign in to a system any more.
    BreakConnection {
        /// To which.
        system: System,
        /// Why.
        how: Break,
    },
    /// `repair connection`: it can again.
    RepairConnection(System),
    /// `give roles`: what a user may do from now on, and nothing else.
    GiveRoles {
        /// The user's name.
        user: String,
        /// All roles that they have.
        roles: Vec<UserRole>,
    },
    /// `on call`: when the connector makes a certain call, these happen first, or before it hears the answer.
    OnCall(OnCall),
    /// `deliver webhook`: somebody delivers one about the deal that Partner Center does not owe.
    DeliverWebhook {
        /// Whose signature it has.
        signed: Signed,
        /// Whether its body is no event.
        garbled: bool,
    },
    /// `another environment registers`: its webhook takes the place of the connector's.
    AnotherEnvironmentRegisters,
    /// `remember`: a field's value, for expectations that follow.
    Remember {
        /// Where.
        side: RecordSide,
        /// Which field.
        field: String,
        /// Under which name.
        name: String,
    },
    /// Something must be so.
    Expect(Expectation),
    /// Something must be so at some moment, or at every moment, from here on.
    Watch(Watch, Box<Expectation>),
}

/// Where a lead comes from (partner-center.md section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadSource {
    /// A customer asked in a marketplace.
    Marketplace,
    /// Microsoft's marketing.
    Marketing,
    /// Microsoft's sales.
    Sales,
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
    /// In Partner Center: the CRM record that the deal claims to belong to, or the deal whose record it is (product.md
    /// M21). In the CRM: the deal whose referral the record names, as a copy does.
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
    /// Partner Center only: the CRM record that it belongs to, or the deal whose record it is.
    pub external_reference: Option<String>,
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
