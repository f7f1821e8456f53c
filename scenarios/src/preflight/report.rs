//! The checks as a table, JSON, JUnit's XML or Markdown.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::{Check, Outcome};

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warning => "WARN",
            Self::Failed => "FAIL",
            Self::NotChecked => "----",
        }
    }
}

/// How many checks came out that way.
pub fn count(checks: &[Check], outcome: Outcome) -> usize {
    checks.iter().filter(|check| check.outcome == outcome).count()
}

/// The last line.
pub fn summary(checks: &[Check]) -> String {
    format!(
        "{} checks: {} passed, {} warnings, {} failed, {} not checked; nothing was written",
        checks.len(),
        count(checks, Outcome::Passed),
        count(checks, Outcome::Warning),
        count(checks, Outcome::Failed),
        count(checks, Outcome::NotChecked)
    )
}

/// For people.
pub fn table(checks: &[Check]) -> Vec<String> {
    let mut lines = Vec::new();
    for check in checks {
        lines.push(format!(
            "{:<4}  {:<20}  {}",
            check.outcome.word(),
            check.code,
            check.wanted
        ));
        if check.outcome != Outcome::Passed {
            lines.push(format!("      seen: {}", check.seen));
        }
        if let Some(fix) = &check.fix {
            lines.push(format!("      do:   {fix}"));
            lines.push(format!("      see:  {}", check.source));
        }
    }
    lines
}

/// For programs.
///
/// # Errors
/// Those of the encoder.
pub fn json(profile: &str, checks: &[Check]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        version: &'a str,
        profile: &'a str,
        checks: &'a [Check],
    }
    serde_json::to_string_pretty(&Document {
        format: 1,
        version: env!("CARGO_PKG_VERSION"),
        profile,
        checks,
    })
}

/// For CI servers.
///
/// # Errors
/// Those of the encoder.
pub fn junit(profile: &str, checks: &[Check]) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(profile);
    for check in checks {
        let status = match check.outcome {
            Outcome::Passed | Outcome::Warning => TestCaseStatus::success(),
            Outcome::Failed => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_type(check.code).set_message(check.seen.clone());
                status.set_description(check.fix.clone().unwrap_or_default());
                status
            }
            Outcome::NotChecked => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(check.seen.clone());
                status
            }
        };
        let mut case = TestCase::new(check.wanted.clone(), status);
        case.set_classname(format!("preflight.{}", check.code));
        case.set_system_out(check.seen.clone());
        suite.add_test_case(case);
    }
    let mut report = quick_junit::Report::new("cosell preflight");
    report.add_test_suite(suite);
    Ok(crate::report::junit::as_the_schema_has_it(&report.to_string()?))
}

/// For a pull request or a ticket.
pub fn markdown(profile: &str, checks: &[Check]) -> String {
    let mut text = format!(
        "### Preflight of {}\n\n| | check | seen | to do |\n|---|---|---|---|\n",
        cell(profile)
    );
    for check in checks {
        let fix = check.fix.as_deref().unwrap_or_default();
        let row = [check.outcome.word(), check.code, check.seen.as_str(), fix].map(cell);
        let wanted = cell(&check.wanted);
        text.extend([
            "| ", &row[0], " | `", &row[1], "` ", &wanted, " | ", &row[2], " | ", &row[3], " |\n",
        ]);
    }
    text + "\n" + &summary(checks)
}

/// Text that cannot leave its cell.
fn cell(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
        .replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::Question;
    use super::*;

    const ANY: Question = Question::new("any", "a | b < c", "product.md", "do something");

    #[test]
    fn each_form_holds_each_check() {
        let checks = [
            ANY.passed("fine"),
            ANY.failed("<script>"),
            ANY.not_checked("why"),
            ANY.warning("look"),
        ];
        assert_eq!(
            summary(&checks),
            "4 checks: 1 passed, 1 warnings, 1 failed, 1 not checked; nothing was written"
        );
        assert_eq!(table(&checks).iter().filter(|line| line.contains("  any  ")).count(), 4);
        let markdown = markdown("x", &checks);
        assert!(
            markdown.contains("&lt;script>") && markdown.contains("a \\| b &lt; c"),
            "{markdown}"
        );
        let read = quick_junit::Report::deserialize_from_str(&junit("x", &checks).expect("XML")).expect("JUnit");
        assert_eq!((read.tests, read.failures), (4, 1));
        let json: serde_json::Value = serde_json::from_str(&json("x", &checks).expect("JSON")).expect("JSON");
        assert_eq!(json["checks"][2]["outcome"], "not-checked");
    }
}
