//! Checks of the flows in the environment's own workflow table, where the profile names one and no export is given.

use super::profile::Profile;
use super::reader::Reader;
use super::{Check, Question, dataverse};
use crate::export::{Export, Finding, Flow, State, Weight};

/// Cloud flows: category 5, and no templates (Microsoft Learn, Work with cloud flows using code: the workflow table).
const ASKED: &str = "workflows?$select=name,statecode,workflowid&$filter=category%20eq%205%20and%20type%20eq%201";

/// One check: every documented flow is there and on, children before their parents.
pub(super) async fn check(profile: &Profile, question: Question) -> Check {
    let reader = match Reader::dataverse(profile).await {
        Ok(reader) => reader,
        Err(trouble) => return question.not_checked_by(&trouble),
    };
    let rows = match dataverse::rows(&reader, ASKED).await {
        Ok(rows) => rows,
        Err(trouble) => return question.not_checked_by(&trouble),
    };
    let flows: Vec<Flow> = rows
        .iter()
        .filter_map(|row| {
            let state = match row["statecode"].as_i64() {
                Some(0) => State::Off,
                Some(1) => State::On,
                Some(2) => State::Suspended,
                _ => State::Unknown,
            };
            Some(Flow::named(row["name"].as_str()?, row["workflowid"].as_str()?, state))
        })
        .filter(|flow| flow.means.is_some())
        .collect();
    if flows.is_empty() {
        return question.not_checked(format!(
            "none of the {} cloud flows in that environment has the name of a documented one; export the solution and name it with \
             --settings-from",
            rows.len()
        ));
    }
    let findings = Export::findings_of(&flows);
    let seen: Vec<&str> = findings.iter().map(|finding| finding.seen.as_str()).collect();
    let is_fault = |finding: &Finding| finding.weight == Weight::Fault;
    if findings.iter().any(is_fault) {
        question.failed(seen.join("; "))
    } else if findings.is_empty() {
        question.passed(format!(
            "{} documented flows are on; who runs them is in an export only",
            flows.len()
        ))
    } else {
        question.warning(seen.join("; "))
    }
}
