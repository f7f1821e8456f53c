//! The named flows of the connector solution (partner-center.md section 8.2): what each is called in which CRM's edition, the
//! order in which they are turned on, which are children of which, and what a person may do with them.
//!
//! Nothing runs here: the jobs ask whether a flow lets something through.

use serde::{Deserialize, Serialize};

use crate::id::{OpportunityId, ReferralId};
use crate::settings::CrmSettings;

/// The run history.
pub mod history;
/// Which flows are on.
pub mod switches;

pub use history::{CallMade, FlowRun, RunStatus, Trigger};

/// A flow of the solution, in the order in which they are turned on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// *Partner Center Webhook Registration*.
    WebhookRegistration,
    /// *\[Customize\] Create or Get Details from the CRM*: a child that makes and changes the CRM's records.
    Customize,
    /// *Create Co-sell Referral, CRM to Partner Center*: a child.
    CreateReferral,
    /// *Partner Center to Dynamics 365 - Helper*: a child; Dynamics 365 only.
    Helper,
    /// *Partner Center Microsoft Co-sell Referral Updates*: a child.
    MicrosoftUpdates,
    /// *Partner Center to CRM*.
    PcToCrm,
    /// *CRM to Partner Center*: new opportunities. Which of the two CRM flows does what is assumed.
    CrmToPc,
    /// *CRM Opportunity to Partner Center*: changed opportunities. Assumed as above.
    OpportunityToPc,
    /// *CRM Microsoft Solutions to Partner Center*.
    SolutionsToPc,
}

impl Flow {
    /// Every flow, in the order in which they are turned on.
    pub const ALL: [Self; 9] = [
        Self::WebhookRegistration,
        Self::Customize,
        Self::CreateReferral,
        Self::Helper,
        Self::MicrosoftUpdates,
        Self::PcToCrm,
        Self::CrmToPc,
        Self::OpportunityToPc,
        Self::SolutionsToPc,
    ];

    /// The flows of a CRM's edition, in the order in which they are turned on.
    pub fn of(crm: &CrmSettings) -> impl Iterator<Item = Self> {
        let dynamics = matches!(crm, CrmSettings::Dataverse(_));
        Self::ALL
            .into_iter()
            .filter(move |flow| dynamics || *flow != Self::Helper)
    }

    /// The short name in decisions, keys and commands.
    pub fn slug(self) -> &'static str {
        match self {
            Self::WebhookRegistration => "webhook-registration",
            Self::Customize => "customize",
            Self::CreateReferral => "create-referral",
            Self::Helper => "helper",
            Self::MicrosoftUpdates => "microsoft-updates",
            Self::PcToCrm => "pc-to-crm",
            Self::CrmToPc => "crm-to-pc",
            Self::OpportunityToPc => "opportunity-to-pc",
            Self::SolutionsToPc => "solutions-to-pc",
        }
    }

    /// The flow of that short name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flow| flow.slug() == slug)
    }

    /// The name that the solution shows.
    pub fn display_name(self, crm: &CrmSettings) -> String {
        let name = match crm {
            CrmSettings::Salesforce(_) => "Salesforce",
            CrmSettings::Dataverse(_) => "Dynamics 365",
        };
        let create = match crm {
            CrmSettings::Salesforce(_) => "Create Co-sell Referral-",
            CrmSettings::Dataverse(_) => "Create Co-sell Referral – ",
        };
        match self {
            Self::WebhookRegistration => "Partner Center Webhook Registration (Insider Preview)".to_owned(),
            Self::Customize => format!("[Customize] Create or Get Details from {name}"),
            Self::CreateReferral => format!("{create}{name} to Partner Center (Insider Preview)"),
            Self::Helper => format!("Partner Center to {name} - Helper (Insider Preview)"),
            Self::MicrosoftUpdates => {
                format!("Partner Center Microsoft Co-sell Referral Updates to {name} (Insider Preview)")
            }
            Self::PcToCrm => format!("Partner Center to {name} (Insider Preview)"),
            Self::CrmToPc => format!("{name} to Partner Center (Insider Preview)"),
            Self::OpportunityToPc => format!("{name} Opportunity to Partner Center (Insider Preview)"),
            Self::SolutionsToPc => format!("{name} Microsoft Solutions to Partner Center (Insider Preview)"),
        }
    }

    /// The child flows that must be on before this one is turned on. Documented for *Partner Center to CRM* with Helper and
    /// Microsoft's updates; that the flows before them in the order of turning on are children too is assumed.
    pub fn children(self, crm: &CrmSettings) -> Vec<Self> {
        let all: &[Self] = match self {
            Self::PcToCrm => &[Self::Customize, Self::Helper, Self::MicrosoftUpdates],
            Self::CrmToPc => &[Self::CreateReferral],
            Self::WebhookRegistration
            | Self::Customize
            | Self::CreateReferral
            | Self::Helper
            | Self::MicrosoftUpdates
            | Self::OpportunityToPc
            | Self::SolutionsToPc => &[],
        };
        let here: Vec<Self> = Self::of(crm).collect();
        all.iter().copied().filter(|child| here.contains(child)).collect()
    }
}

/// What a person does with the flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowAct {
    /// Turns a flow on or off. Turning on a parent whose child is off fails: *Requiring updates* (F3).
    Turn {
        /// Which.
        flow: Flow,
        /// On, or off.
        on: bool,
    },
    /// A child flow's trigger cannot be found any more (F1): its parents fail until it is turned off and on, or the
    /// connection is made again.
    LoseTrigger {
        /// Which.
        flow: Flow,
    },
    /// The connections are made again: cures every lost trigger.
    Reconnect,
    /// Something is run again.
    Resubmit(Resubmit),
}

/// What is run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resubmit {
    /// One run of the history, by its number.
    Run(u64),
    /// Every run of the history that failed or met a flow that was off, one for each deal.
    Failed,
    /// The last run of a flow: for *Partner Center Webhook Registration*, registers again.
    Flow(Flow),
    /// The deal of a referral.
    Referral(ReferralId),
    /// The deal of an opportunity.
    Opportunity(OpportunityId),
}

/// A flow as a status page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowState {
    /// Which.
    pub flow: Flow,
    /// The name that the solution shows.
    pub name: String,
    /// Whether it is on.
    pub on: bool,
    /// Whether its trigger is lost.
    pub trigger_lost: bool,
    /// How many deals wait for it to be turned on.
    pub waiting: usize,
}

/// The error of a parent whose child's trigger is lost, as partner-center.md section 8.6 (F1) prints it.
pub fn trigger_lost_text(flow: Flow) -> String {
    format!(
        "Request to Azure Resource Manager failed with error: '{{\"error\":{{\"code\":\"WorkflowTriggerNotFound\",\"message\":\
         \"The workflow '{}' trigger 'manual' couldn't be found.\"}}}}'.",
        flow.slug()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{DataverseSettings, SalesforceSettings, Secret};

    fn crms() -> [CrmSettings; 2] {
        [
            CrmSettings::Salesforce(SalesforceSettings::new("https://a", "c", Secret::new("s"))),
            CrmSettings::Dataverse(DataverseSettings::new("https://a", "t", "c", Secret::new("s"))),
        ]
    }

    #[test]
    fn every_edition_has_its_documented_flows_in_order() {
        let counts = crms().map(|crm| Flow::of(&crm).count());
        assert_eq!(counts, [8, 9]);
        let [salesforce, dynamics] = crms();
        assert_eq!(
            Flow::CreateReferral.display_name(&salesforce),
            "Create Co-sell Referral-Salesforce to Partner Center (Insider Preview)"
        );
        assert_eq!(
            Flow::Helper.display_name(&dynamics),
            "Partner Center to Dynamics 365 - Helper (Insider Preview)"
        );
        for crm in crms() {
            let order: Vec<Flow> = Flow::of(&crm).collect();
            for parent in &order {
                for child in parent.children(&crm) {
                    assert!(child < *parent && order.contains(&child), "{child:?} before {parent:?}");
                }
            }
        }
    }

    #[test]
    fn each_flow_is_found_by_its_short_name() {
        for flow in Flow::ALL {
            assert_eq!(Flow::from_slug(flow.slug()), Some(flow));
        }
        assert_eq!(Flow::from_slug("pc_to_crm"), None);
    }
}
