//! Read-only checks of a real or simulated environment before go-live, in the order in which the vendor's guide sets it up.
//!
//! Nothing is written: besides signing in, only GET requests leave. What cannot be read with documented requests is told as
//! not checked, with what to look at by hand.

use serde::Serialize;

/// An environment: where its systems are, and how to sign in.
pub mod profile;
/// Where secrets come from.
pub mod secret;
/// Why there is no answer.
mod trouble;
/// Signing in, and reading.
pub mod reader;
/// What a report says of the checks.
pub mod report;
/// Checks of Partner Center.
mod partner_center;
/// Checks that both CRMs share.
mod rows;
/// Checks of a Salesforce org.
mod salesforce;
/// Checks of a Dataverse environment.
pub(crate) mod dataverse;
/// Checks of an exported solution.
mod exported;
/// Checks of the flows of an environment.
mod flows;

use crate::export::Export;
use profile::{Crm, Profile};
use reader::Reader;
pub use trouble::Trouble;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it must be.
    Passed,
    /// It works, and somebody should look at it.
    Warning,
    /// The connector would fail.
    Failed,
    /// Not checked, for a reason.
    NotChecked,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable code.
    pub code: &'static str,
    /// What should be so.
    pub wanted: String,
    /// The requirement or the page that it rests on.
    pub source: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: String,
    /// What to do, unless it passed.
    pub fix: Option<String>,
}

/// A check before its outcome is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    code: &'static str,
    wanted: &'static str,
    source: &'static str,
    fix: &'static str,
}

impl Question {
    pub(crate) const fn new(code: &'static str, wanted: &'static str, source: &'static str, fix: &'static str) -> Self {
        Self {
            code,
            wanted,
            source,
            fix,
        }
    }

    pub(crate) fn came_out(self, outcome: Outcome, seen: impl Into<String>) -> Check {
        Check {
            code: self.code,
            wanted: self.wanted.to_owned(),
            source: self.source,
            outcome,
            seen: seen.into(),
            fix: (outcome != Outcome::Passed).then(|| self.fix.to_owned()),
        }
    }

    pub(crate) fn passed(self, seen: impl Into<String>) -> Check {
        self.came_out(Outcome::Passed, seen)
    }

    pub(crate) fn failed(self, seen: impl Into<String>) -> Check {
        self.came_out(Outcome::Failed, seen)
    }

    pub(crate) fn warning(self, seen: impl Into<String>) -> Check {
        self.came_out(Outcome::Warning, seen)
    }

    /// Failed for a reason that says itself what to do.
    pub(crate) fn failed_by(self, trouble: &Trouble) -> Check {
        self.because(Outcome::Failed, trouble)
    }

    /// Not checked for a reason that says itself what to do.
    pub(crate) fn not_checked_by(self, trouble: &Trouble) -> Check {
        self.because(Outcome::NotChecked, trouble)
    }

    fn because(self, outcome: Outcome, trouble: &Trouble) -> Check {
        let check = self.came_out(outcome, format!("{}: {}", trouble.asked, trouble.came));
        Check {
            fix: Some(trouble.advice.clone()),
            ..check
        }
    }

    pub(crate) fn not_checked(self, why: impl Into<String>) -> Check {
        self.came_out(Outcome::NotChecked, why)
    }
}

/// The code of the check that an export answers.
const FLOWS_ON: &str = "flows.on";

/// What nothing but a look at the portal can tell.
const BY_HAND: [(Question, &str); 2] = [
    (
        Question::new(
            "solutions.ready",
            "at least one solution is co-sell ready",
            "Microsoft Learn, Partner Center: co-sell connectors, prerequisites",
            "look at Co-sell solutions in Partner Center",
        ),
        "no documented request of the referrals API reads it",
    ),
    (
        Question::new(
            FLOWS_ON,
            "every flow is on, children before their parents, each with Use this connection for run-only users",
            "Microsoft Learn, pages connector-salesforce and connector-dynamics: configure the flows",
            "look at the solution in Power Automate",
        ),
        "the flows are in the Power Platform environment, which this profile does not name; export the solution and name it with --settings-from",
    ),
];

/// Does every check, in the documented order. An exported solution tells what no request reads: flows, edited defaults.
pub async fn run(profile: &Profile, export: Option<&Export>) -> Vec<Check> {
    let mut checks = Vec::new();
    partner_center::checks(profile, Reader::referrals(profile).await, &mut checks).await;
    match profile.crm {
        Crm::None => {}
        Crm::Salesforce => salesforce::checks(profile, Reader::salesforce(profile).await, &mut checks).await,
        Crm::Dynamics => dataverse::checks(profile, Reader::dataverse(profile).await, &mut checks).await,
    }
    for (question, why) in BY_HAND {
        match export {
            Some(export) if question.code == FLOWS_ON => checks.extend(exported::checks(question, export)),
            None if question.code == FLOWS_ON && profile.dataverse.is_some() => {
                checks.push(flows::check(profile, question).await);
            }
            _ => checks.push(question.not_checked(why)),
        }
    }
    checks
}
