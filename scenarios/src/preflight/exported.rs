//! Checks of an exported solution: flows that are on, flows that somebody changed, variables.

use super::{Check, Question};
use crate::export::{Export, Finding, Weight};

const BASELINE: Question = Question::new(
    "flows.unchanged",
    "no flow but [Customize] differs from the baseline",
    "Microsoft Learn, pages connector-salesforce and connector-dynamics: customize the flow",
    "put the flow back; only [Customize] and the environment variables may be changed",
);
const VARIABLES: Question = Question::new(
    "variables",
    "the environment variables have values of their type, and their defaults are as delivered",
    "Microsoft Learn, Partner Center: co-sell connectors, environment variables",
    "edit current values only, each of the variable's type",
);
const WHOLE: Question = Question::new(
    "export.whole",
    "the export could be read whole",
    "Microsoft Learn, Power Apps: export solutions",
    "export the solution again, with its environment variables and connection references",
);

/// One check for each kind of finding.
pub(super) fn checks(flows_on: Question, export: &Export) -> Vec<Check> {
    let changes = ["flows.changed", "flows.added", "flows.removed", "flows.unread"];
    let is_change = |finding: &Finding| changes.contains(&finding.code);
    let on = export
        .flows
        .iter()
        .filter(|flow| flow.state == crate::export::State::On)
        .count();
    vec![
        check(
            export,
            WHOLE,
            format!("{} {}", export.solution, export.version),
            |finding| finding.code.starts_with("export.") || finding.code.starts_with("connections."),
        ),
        check(
            export,
            VARIABLES,
            format!(
                "{} variables, {} of them documented",
                export.variables.len(),
                export.settings.len()
            ),
            |finding| finding.code.starts_with("variables."),
        ),
        check(
            export,
            flows_on,
            format!("{on} of {} flows are on", export.flows.len()),
            |finding| finding.code.starts_with("flows.") && !is_change(finding),
        ),
        if export.is_compared {
            check(
                export,
                BASELINE,
                "every flow is as in the baseline".to_owned(),
                is_change,
            )
        } else {
            BASELINE.not_checked("no baseline is named; `--baseline` takes an earlier export")
        },
    ]
}

fn check(export: &Export, question: Question, good: String, about: impl Fn(&Finding) -> bool) -> Check {
    let findings: Vec<&Finding> = export.findings.iter().filter(|finding| about(finding)).collect();
    let seen: Vec<&str> = findings.iter().map(|finding| finding.seen.as_str()).collect();
    if findings.is_empty() {
        question.passed(good)
    } else if findings.iter().any(|finding| finding.weight == Weight::Fault) {
        question.failed(seen.join("; "))
    } else {
        question.warning(seen.join("; "))
    }
}
