//! The report that somebody signs: as a table for a terminal, Markdown, one HTML page, JSON or JUnit's XML.
//!
//! Each form holds every check, also those that were not run, and why.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::checks::PRACTICE;
use super::fingerprint::Fingerprint;
use super::{Checked, Outcome, count};

/// One page for a browser and a printer.
mod html;
/// For a ticket or a wiki.
mod markdown;

pub use html::html;
pub use markdown::markdown;

/// What was tried, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What exactly was tried.
    pub environment: Fingerprint,
    /// Whether somebody stopped the command.
    pub interrupted: bool,
    /// Every check, in the order of the numbers.
    pub checks: Vec<Checked>,
}

impl Outcome {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed => "FAIL",
            Self::NotRun => "not run",
        }
    }
}

/// The last line.
pub fn summary(report: &Report) -> String {
    let checks = &report.checks;
    let number = |outcome| count(checks, outcome);
    let left: usize = checks.iter().map(|check| check.left_behind.len()).sum();
    let left = match left {
        0 => String::new(),
        left => format!("; {left} records could not be cleaned up"),
    };
    let open = checks.iter().filter(|check| check.is_open).count();
    let open = match open {
        0 => String::new(),
        open => format!(" ({open} of them should have been)"),
    };
    let stopped = if report.interrupted {
        "; stopped with Ctrl-C"
    } else {
        ""
    };
    format!(
        "{} checks: {} passed, {} failed, {} not run{open}{left}{stopped}",
        checks.len(),
        number(Outcome::Passed),
        number(Outcome::Failed),
        number(Outcome::NotRun)
    )
}

/// The lines of one check, for people at a terminal.
pub fn lines(check: &Checked) -> Vec<String> {
    let word = match check.outcome {
        Outcome::Passed => "PASS",
        Outcome::Failed => "FAIL",
        Outcome::NotRun => "----",
    };
    let mut lines = vec![format!(
        "{word}  {:>2}  {:<30}  {}",
        check.number, check.code, check.title
    )];
    if let Some(reason) = &check.reason {
        lines.push(format!("      not run: {reason}"));
    }
    if check.outcome == Outcome::Failed {
        lines.extend(check.expected.iter().map(|words| format!("      expected: {words}")));
        lines.extend(check.seen.iter().map(|words| format!("      seen:     {words}")));
    }
    lines.extend(
        check
            .left_behind
            .iter()
            .map(|record| format!("      left behind: {record}")),
    );
    lines
}

/// What exactly was tried, name and value, in the order in which every form shows it.
fn environment(report: &Report) -> Vec<(String, String)> {
    let environment = &report.environment;
    let mut rows = Vec::new();
    let mut say = |name: &str, value: &str| rows.push((name.to_owned(), value.to_owned()));
    if let Some(profile) = &environment.profile {
        say(
            "profile",
            &format!("{profile} ({})", environment.kind.unwrap_or_default()),
        );
    }
    say("ran against", &environment.against);
    say("connector", &environment.connector);
    for (name, value) in &environment.systems {
        say(name, value);
    }
    for (name, value) in &environment.settings {
        say(&format!("setting: {name}"), value);
    }
    say("settings digest (SHA-256)", &environment.settings_digest);
    say("cosell", environment.version);
    say("began", &environment.started);
    say("ended", &environment.ended);
    rows
}

/// For programs.
///
/// # Errors
/// Those of the encoder.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        practice: &'a str,
        summary: String,
        #[serde(flatten)]
        report: &'a Report,
    }
    serde_json::to_string_pretty(&Document {
        format: 1,
        practice: PRACTICE,
        summary: summary(report),
        report,
    })
}

/// For CI servers.
///
/// # Errors
/// Those of the encoder.
pub fn junit(report: &Report) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(
        report
            .environment
            .profile
            .clone()
            .unwrap_or_else(|| "accept".to_owned()),
    );
    for check in &report.checks {
        let status = match check.outcome {
            Outcome::Passed => TestCaseStatus::success(),
            Outcome::Failed => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status
                    .set_type(check.code)
                    .set_message(check.seen.first().cloned().unwrap_or_default());
                status.set_description(check.seen.join("\n"));
                status
            }
            Outcome::NotRun => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(check.reason.clone().unwrap_or_default());
                status
            }
        };
        let mut case = TestCase::new(format!("{} {}", check.number, check.title), status);
        case.set_classname(format!("accept.{}", check.code));
        case.set_time(std::time::Duration::from_secs_f64(check.seconds));
        case.set_system_out(check.seen.join("\n"));
        suite.add_test_case(case);
    }
    let mut xml = quick_junit::Report::new("cosell accept");
    xml.add_test_suite(suite);
    Ok(crate::report::junit::as_the_schema_has_it(&xml.to_string()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Described;
    use super::super::checks::CHECKS;
    use super::*;
    use crate::scenario::Crm;

    fn report() -> Report {
        let described = || Described {
            title: "A | title <b>".to_owned(),
            requirements: vec!["M18".to_owned()],
            expected: vec!["expect none in pc: D1".to_owned()],
        };
        let mut failed = Checked::of(CHECKS[1], described());
        failed.outcome = Outcome::Failed;
        failed.seen = vec!["<script>alert(1)</script>".to_owned()];
        failed.left_behind = vec!["Opportunity 006".to_owned()];
        Report {
            environment: Fingerprint::new(None, Crm::Salesforce, BTreeMap::new()),
            interrupted: false,
            checks: vec![
                Checked::of(CHECKS[0], described()),
                failed,
                Checked::not_run(CHECKS[2], described(), "only Microsoft can do that", false),
            ],
        }
    }

    #[test]
    fn each_form_holds_each_check_and_nothing_becomes_markup() {
        let report = report();
        assert_eq!(
            summary(&report),
            "3 checks: 1 passed, 1 failed, 1 not run; 1 records could not be cleaned up"
        );
        let (html, markdown) = (html(&report), markdown(&report));
        for check in &report.checks {
            assert!(
                html.contains(check.code) && markdown.contains(check.code),
                "{}",
                check.code
            );
        }
        assert!(
            !html.contains("<script>alert") && html.contains("&lt;script&gt;alert"),
            "{html}"
        );
        assert!(
            !html.contains("http://") && !html.contains("https://"),
            "the page needs no network"
        );
        assert!(
            markdown.contains("A \\| title &lt;b>") && !markdown.contains("<script>"),
            "{markdown}"
        );
        assert!(markdown.contains("only Microsoft can do that") && html.contains("only Microsoft can do that"));
        for form in [&html, &markdown] {
            assert!(form.contains("Signature") && form.contains("Opportunity 006"), "{form}");
        }
        let read = quick_junit::Report::deserialize_from_str(&junit(&report).expect("XML")).expect("JUnit");
        assert_eq!((read.tests, read.failures), (3, 1));
        let json: serde_json::Value = serde_json::from_str(&json(&report).expect("JSON")).expect("JSON");
        assert_eq!(json["checks"][2]["outcome"], "not-run");
        assert_eq!(json["checks"][1]["leftBehind"][0], "Opportunity 006");
    }
}
