//! What a step looks for.

use jiff::{SignedDuration, civil::Date};

use super::{Call, Money};

/// How an expectation is held against a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// `within`: it becomes so before the time is over; the next step comes at that moment.
    Within(SignedDuration),
    /// `eventually`: it becomes so before all is quiet; the next step comes at that moment.
    Eventually,
    /// `always`: it is so at every moment of the time, or of the rest of the run.
    Always(Option<SignedDuration>),
    /// `never`: it is so at no moment of the time, or of the rest of the run.
    Never(Option<SignedDuration>),
}

/// Which of the two records of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordSide {
    /// The opportunity.
    Crm,
    /// The partner's referral.
    PartnerCenter,
}

/// What somebody looks for, written down.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    /// Words.
    Text(String),
    /// An amount.
    Money(Money),
    /// A day.
    Date(Date),
    /// A number.
    Number(u64),
    /// Several words, in any order.
    Texts(Vec<String>),
}

impl Plain {
    /// The words, if it is words.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Money(_) | Self::Date(_) | Self::Number(_) | Self::Texts(_) => None,
        }
    }
}

/// What a value must be like.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Exactly this.
    Is(Plain),
    /// Anything else.
    Not(Plain),
    /// One of these.
    OneOf(Vec<Plain>),
    /// This or more; for a day: this or later.
    AtLeast(Plain),
    /// This or less; for a day: this or earlier.
    AtMost(Plain),
    /// A text with these words in it, or a list with this entry.
    Contains(String),
    /// A text without these words, or a list without this entry.
    Lacks(String),
    /// A text that follows this pattern from its beginning to its end.
    Matches(String),
    /// A list of so many entries.
    Entries(u32),
    /// What was remembered under this name.
    SameAs(String),
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
    /// `expect count`, where it says more than two exact numbers.
    Counts(Vec<(Counted, Wanted)>),
    /// `expect calls`: the connector has made so many calls of a kind.
    Calls {
        /// Which.
        call: Call,
        /// How many.
        times: Wanted,
    },
    /// `expect decision`: the reference connector made this decision before this step.
    Decision(String),
}

/// Records that can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Opportunities of the CRM.
    Opportunities,
    /// Referrals of the partner.
    Referrals,
    /// Referrals on Microsoft's side.
    MicrosoftReferrals,
    /// Accounts of the CRM.
    Accounts,
    /// Contacts of the CRM.
    Contacts,
    /// Leads of the CRM.
    Leads,
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
    /// What further fields, by the language's words, must be like.
    pub further: Vec<(&'static str, Wanted)>,
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
    /// What further fields, by the language's words, must be like.
    pub further: Vec<(&'static str, Wanted)>,
}
