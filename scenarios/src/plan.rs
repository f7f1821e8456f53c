//! A run, resolved: every default filled in, every name bound to a meaning, nothing left to decide but what the seed
//! decides.
//!
//! Plans come from scenario files (see [`crate::resolve`]) and from generators of random histories. A plan is plain
//! data; it runs nothing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date};

use crate::record::{Crm, Field, Mark};

/// One run, ready to go.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The sentence that the scenario proves.
    pub title: String,
    /// The file, as named on the command line.
    pub path: String,
    /// The CRM.
    pub crm: Crm,
    /// The seed.
    pub seed: u64,
    /// The connector's settings.
    pub connector: ConnectorPlan,
    /// The simulators' settings.
    pub world: WorldPlan,
    /// What happens, in order.
    pub steps: Vec<PlannedStep>,
}

/// What an operator sets on the connector (product.md M7 to M11, M18).
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorPlan {
    /// `overview` or `documented-2023`.
    pub profile: String,
    /// The CRM's stage for deals that wait for acceptance.
    pub on_hold_stage: String,
    /// The CRM's stage for accepted deals.
    pub active_stage: String,
    /// Whether names carry a mark.
    pub display_check_mark: bool,
    /// Whether leads stay out of the CRM.
    pub sync_cosell_only: bool,
    /// What becomes of edits made on hold: sent after acceptance, or dropped.
    pub drop_on_hold_edits: bool,
    /// The account field that holds the country code; `None` for the CRM's default.
    pub country_field: Option<String>,
    /// The opportunity field that holds the deal value; `None` for the CRM's default.
    pub value_field: Option<String>,
    /// The opportunity field that holds the currency; `None` for the CRM's default.
    pub currency_field: Option<String>,
    /// Who wins when both sides changed a field; Partner Center where nothing is said.
    pub conflicts: BTreeMap<Field, Winner>,
    /// How often the CRM is polled.
    pub poll_every: Option<SignedDuration>,
    /// How often Partner Center is reconciled.
    pub reconcile_every: Option<SignedDuration>,
    /// The deliberately broken variant to run, by name.
    pub planted: Option<String>,
}

impl Default for ConnectorPlan {
    fn default() -> Self {
        Self {
            profile: "overview".to_owned(),
            on_hold_stage: "On Hold".to_owned(),
            active_stage: "Qualification".to_owned(),
            display_check_mark: true,
            sync_cosell_only: true,
            drop_on_hold_edits: false,
            country_field: None,
            value_field: None,
            currency_field: None,
            conflicts: BTreeMap::new(),
            poll_every: None,
            reconcile_every: None,
            planted: None,
        }
    }
}

/// Who wins a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// Partner Center's value.
    PartnerCenter,
    /// The CRM's value.
    Crm,
    /// The record that was changed later; Partner Center when both at once.
    Latest,
}

/// Settings of the simulators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldPlan {
    /// Rows of a page of any list; `None` for each system's own.
    pub page_size: Option<usize>,
    /// Salesforce: whether the org has several currencies.
    pub multi_currency: bool,
}

impl Default for WorldPlan {
    fn default() -> Self {
        Self {
            page_size: None,
            multi_currency: true,
        }
    }
}

/// A step with what reports say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedStep {
    /// The words that name it in the file.
    pub verb: String,
    /// The deal that it is about.
    pub deal: Option<String>,
    /// Further words.
    pub detail: String,
    /// What it does.
    pub act: Act,
}

/// Everything that a step can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Microsoft's seller shares a deal with the partner.
    MicrosoftShares(NewDeal),
    /// Microsoft's seller changes it.
    MicrosoftEdits(Edit),
    /// The partner changes it in the portal.
    PartnerEdits(Edit),
    /// The partner accepts it in the portal.
    PartnerAccepts,
    /// The partner declines it in the portal.
    PartnerDeclines(Option<String>),
    /// The partner closes it in the portal.
    PartnerCloses(Outcome, Option<String>),
    /// The seller makes it in the CRM.
    SellerCreates(NewDeal),
    /// The seller saves changed fields.
    SellerEdits(Edit),
    /// The seller closes it.
    SellerCloses(Outcome),
    /// The seller opens it again.
    SellerReopens,
    /// The seller deletes it.
    SellerDeletes,
    /// Time passes.
    Wait(SignedDuration),
    /// Runs until nothing more is written.
    Settle,
    /// Takes all faults away.
    Heal,
    /// From here on, something goes wrong.
    Fault(Fault),
    /// The connector's process stops and starts again.
    RestartConnector,
    /// The connector's process stops.
    StopConnector,
    /// The connector's process starts.
    StartConnector,
    /// Something must be so.
    Expect(Expectation),
}

/// How a deal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Won.
    Won,
    /// Lost.
    Lost,
}

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// In major units.
    pub amount: f64,
    /// ISO 4217.
    pub currency: String,
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

/// How Microsoft can help: the six codes (partner-center.md section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// Workload-specific value proposition.
    WorkloadSpecificValueProposition,
    /// Customer technical architecture.
    CustomerTechnicalArchitecture,
    /// Proof of concept or demo.
    ProofOfConceptOrDemo,
    /// Quotes or licensing.
    QuotesOrLicensing,
    /// Post-sales customer success.
    PostSalesCustomerSuccess,
    /// General or other.
    GeneralOrOther,
}

impl Help {
    /// Every code, in the documented order.
    pub const ALL: [Self; 6] = [
        Self::WorkloadSpecificValueProposition,
        Self::CustomerTechnicalArchitecture,
        Self::ProofOfConceptOrDemo,
        Self::QuotesOrLicensing,
        Self::PostSalesCustomerSuccess,
        Self::GeneralOrOther,
    ];

    /// The code on Partner Center's wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::WorkloadSpecificValueProposition => "WorkloadSpecificValueProposition",
            Self::CustomerTechnicalArchitecture => "CustomerTechnicalArchitecture",
            Self::ProofOfConceptOrDemo => "ProofOfConceptOrDemo",
            Self::QuotesOrLicensing => "QuotesOrLicensing",
            Self::PostSalesCustomerSuccess => "PostSalesCustomerSuccess",
            Self::GeneralOrOther => "GeneralOrOther",
        }
    }

    /// The value of the Salesforce picklist.
    pub fn salesforce_value(self) -> &'static str {
        match self {
            Self::WorkloadSpecificValueProposition => "Workload Specific Value Proposition",
            Self::CustomerTechnicalArchitecture => "Customer Technical Architecture",
            Self::ProofOfConceptOrDemo => "Proof Of Concept or Demo",
            Self::QuotesOrLicensing => "Quotes or Licensing",
            Self::PostSalesCustomerSuccess => "Post Sales Customer Success",
            Self::GeneralOrOther => "General or Other",
        }
    }

    /// The value of the Dataverse choice. Assumed: no public source lists the numbers.
    pub fn dynamics_value(self) -> i64 {
        match self {
            Self::WorkloadSpecificValueProposition => 299_600_000,
            Self::CustomerTechnicalArchitecture => 299_600_001,
            Self::ProofOfConceptOrDemo => 299_600_002,
            Self::QuotesOrLicensing => 299_600_003,
            Self::PostSalesCustomerSuccess => 299_600_004,
            Self::GeneralOrOther => 299_600_005,
        }
    }
}

/// A stage of the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The configured active stage.
    Active,
    /// The configured on-hold stage.
    OnHold,
    /// Any other, by its name in the CRM.
    Named(String),
}

/// A deal that somebody makes.
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
    /// Notes.
    pub notes: Option<String>,
    /// The customer's contact.
    pub contact: Option<Contact>,
    /// Identifiers of the solutions.
    pub solutions: Vec<String>,
    /// The help wanted of Microsoft.
    pub help: Option<Help>,
    /// Whether Microsoft's sellers may see it; `None` leaves the CRM's default.
    pub visible: Option<bool>,
    /// CRM only: Sync with Partner Center.
    pub sync: bool,
    /// CRM only: its stage.
    pub stage: Stage,
    /// Partner Center only: the CRM record that the deal claims to belong to.
    pub external_reference: Option<String>,
}

/// Fields that somebody changes in one save.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// The name.
    pub name: Option<String>,
    /// The deal value with its currency.
    pub value: Option<Money>,
    /// The closing date.
    pub closes: Option<Date>,
    /// Notes.
    pub notes: Option<String>,
    /// CRM only: the stage.
    pub stage: Option<Stage>,
    /// CRM only: Sync with Partner Center.
    pub sync: Option<bool>,
    /// CRM only: the help wanted of Microsoft.
    pub help: Option<Help>,
    /// CRM only: visibility to Microsoft.
    pub visible: Option<bool>,
}

/// Something that goes wrong from now on.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A system cannot be reached for a while.
    Disconnect {
        /// Which.
        system: System,
        /// For how long.
        lasts: SignedDuration,
    },
    /// Some calls of the connector meet a fate.
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
    /// Some webhook deliveries meet a fate.
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
    /// Partner Center, webhooks included.
    PartnerCenter,
    /// The CRM.
    Crm,
    /// Webhook deliveries only.
    Webhooks,
    /// Microsoft's sign-in.
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
        /// Seconds of a Retry-After header.
        retry_after: Option<i64>,
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
    /// A deal's opportunity has these fields.
    InCrm(ExpectedOpportunity),
    /// A deal's referral has these fields.
    InPartnerCenter(ExpectedReferral),
    /// A deal has no opportunity.
    NoneInCrm,
    /// A deal has no referral.
    NoneInPartnerCenter,
    /// So many records are stored.
    Count {
        /// Opportunities.
        opportunities: Option<usize>,
        /// Referrals of the partner.
        referrals: Option<usize>,
    },
    /// Both sides agree now, after settling.
    Converged,
    /// The reference connector made this decision before this step.
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
    /// The description.
    pub notes: Option<String>,
    /// Sync with Partner Center.
    pub sync: Option<bool>,
    /// Whether it names a referral.
    pub linked: Option<bool>,
    /// The mark in its name.
    pub mark: Option<Mark>,
    /// Text that the Audit trail contains.
    pub audit: Option<String>,
}

/// A stage, or how the deal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedStage {
    /// The configured on-hold stage.
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

/// Fields that a referral must have; `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedReferral {
    /// The name.
    pub name: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// The substatus.
    pub substatus: Option<String>,
    /// The deal value and currency.
    pub value: Option<Money>,
    /// The closing date.
    pub closes: Option<Date>,
    /// Notes.
    pub notes: Option<String>,
    /// Whether Microsoft takes part: its own side is in the engagement.
    pub shared: Option<bool>,
    /// Whether Microsoft's sellers may see it.
    pub visible: Option<bool>,
}
