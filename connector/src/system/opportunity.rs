//! What a CRM says about a deal and what is written to it, whichever CRM it is.
//!
//! Field names and paths are the business of [`crate::system::salesforce`] and [`crate::system::dataverse`].

use jiff::Timestamp;

use crate::deal::{Address, Customer, Ending, Field, Help, OpportunityState, Person, Solution, Values, canon};
use crate::id::{AccountId, ContactId, OpportunityId, ReferralId};
use crate::record::digest;

/// What a write names so that it does not overwrite what it has not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Salesforce: the time of the last change, in whole seconds (`If-Unmodified-Since`, salesforce.md section 2.8).
    UnmodifiedSince(Timestamp),
    /// Dataverse: the etag (`If-Match`, dataverse.md section 2.4).
    Etag(String),
}

impl Revision {
    /// The time of the last change, where that is what a write names.
    pub fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::UnmodifiedSince(changed) => Some(*changed),
            Self::Etag(_) => None,
        }
    }

    /// Whether a change after the read must show: a time in whole seconds says so only once that second is over. `clock` is what
    /// the CRM's own clock said before the row was read.
    pub fn is_trusted(&self, clock: Option<Timestamp>) -> bool {
        match self {
            Self::UnmodifiedSince(changed) => clock.is_some_and(|clock| canon::whole_second(clock) > *changed),
            Self::Etag(_) => true,
        }
    }
}

/// An opportunity as it was read.
#[derive(Clone, Debug)]
pub struct Opportunity {
    /// Its id.
    pub id: OpportunityId,
    /// What a write must name.
    pub revision: Revision,
    /// When the record was last changed.
    pub modified: Timestamp,
    /// The name as it stands, mark included.
    pub name: String,
    /// The merged fields.
    pub values: Values,
    /// Its state.
    pub state: OpportunityState,
    /// *Sync with Partner Center*.
    pub sync: bool,
    /// *Referral Identifier*.
    pub referral: Option<ReferralId>,
    /// *Referral Link*.
    pub link: Option<String>,
    /// *Audit*.
    pub audit: String,
    /// *How can Microsoft help*.
    pub help: Option<Help>,
    /// *Referral Visibility*.
    pub visible: bool,
    /// *Microsoft CRM Identifier*.
    pub msx: Option<String>,
    /// How many solutions it has, where the row says it.
    pub solution_count: Option<usize>,
}

impl Opportunity {
    /// A digest of everything but revision and time: equal means that nothing has changed that matters.
    pub fn digest(&self) -> u64 {
        let content = format!(
            "{:?}",
            (
                &self.name,
                &self.values,
                self.state,
                self.sync,
                &self.referral,
                &self.link,
                &self.audit,
                (self.help, self.visible, &self.msx, self.solution_count),
            )
        );
        digest(content.as_bytes())
    }

    /// What it holds once a change is written.
    #[must_use]
    pub fn with(mut self, change: &Change) -> Self {
        for (field, value) in &change.values {
            self.values.set(*field, value.clone());
        }
        if let Some(name) = &change.name {
            self.name.clone_from(name);
            self.values.set(Field::Name, canon::name(name));
        }
        self.state = match change.stage {
            Some(Stage::Active) => OpportunityState::Open,
            Some(Stage::OnHold) => OpportunityState::Held,
            Some(Stage::Closed(ending)) => OpportunityState::Closed(ending),
            None => self.state,
        };
        self.referral = change.referral.clone().or(self.referral);
        self.link = change.link.clone().or(self.link);
        self.audit = change.audit.clone().unwrap_or(self.audit);
        self.help = change.help.unwrap_or(self.help);
        self.visible = change.visible.unwrap_or(self.visible);
        self.msx = change.msx.clone().or(self.msx);
        self
    }
}

/// A stage that the connector moves an opportunity to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The on-hold stage.
    OnHold,
    /// The active stage.
    Active,
    /// Won or lost.
    Closed(Ending),
}

/// What is written to an opportunity. What is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The name, mark included.
    pub name: Option<String>,
    /// Merged fields but the name.
    pub values: Vec<(Field, Option<String>)>,
    /// The stage.
    pub stage: Option<Stage>,
    /// *Sync with Partner Center*: only a new opportunity is given it.
    pub sync: Option<bool>,
    /// *Referral Identifier*.
    pub referral: Option<ReferralId>,
    /// *Referral Link*.
    pub link: Option<String>,
    /// *Audit*, whole.
    pub audit: Option<String>,
    /// *How can Microsoft help*.
    pub help: Option<Option<Help>>,
    /// *Referral Visibility*.
    pub visible: Option<bool>,
    /// *Microsoft CRM Identifier*.
    pub msx: Option<String>,
    /// The id that a new opportunity is given, where the CRM lets the caller choose.
    pub id: Option<String>,
    /// The customer's account: only a new opportunity is given it.
    pub account: Option<AccountId>,
    /// The customer's contact: only a new opportunity is given it.
    pub contact: Option<ContactId>,
}

impl Change {
    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A lead that is made in the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLead {
    /// The referral.
    pub referral: ReferralId,
    /// *Referral Link*.
    pub link: String,
    /// What the lead is about.
    pub name: String,
    /// The company.
    pub company: String,
    /// The person there.
    pub person: Person,
    /// Where it is.
    pub address: Address,
    /// Notes.
    pub notes: Option<String>,
    /// *Audit*, where the CRM has it on leads.
    pub audit: String,
}

/// A solution of an opportunity, as the list of changed ones says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolutionRow {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// The solution's id.
    pub solution: String,
    /// When the row was last changed.
    pub modified: Timestamp,
}

/// What a referral needs from the CRM beyond the opportunity itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The customer; none without an account.
    pub customer: Option<Customer>,
    /// The solutions.
    pub solutions: Vec<Solution>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_whole_seconds_is_trusted_once_its_second_is_over() {
        let changed: Timestamp = "2026-01-05T09:00:01Z".parse().unwrap();
        let revision = Revision::UnmodifiedSince(changed);
        assert!(!revision.is_trusted("2026-01-05T09:00:01.9Z".parse().ok()));
        assert!(revision.is_trusted("2026-01-05T09:00:02Z".parse().ok()));
        assert!(!revision.is_trusted(None));
        assert!(Revision::Etag("1".to_owned()).is_trusted(None));
    }
}
