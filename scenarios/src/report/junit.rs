//! The report for CI servers: JUnit XML, one suite a folder of scenarios, one case a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{Ended, Ran, Report, Sink, human};
use crate::diagnostic::{Sources, Style};
use crate::verdict::Outcome;

/// `JUnit` XML, written in the end.
#[expect(missing_debug_implementations, reason = "a place to write to has nothing to show")]
pub struct Junit {
    sink: Sink,
    suites: BTreeMap<String, TestSuite>,
}

impl Junit {
    /// A document that goes there.
    pub fn new(sink: Sink) -> Self {
        Self {
            sink,
            suites: BTreeMap::new(),
        }
    }
}

impl Report for Junit {
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()> {
        let folder = ran.plan.path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let suite = self
            .suites
            .entry(folder.to_owned())
            .or_insert_with(|| TestSuite::new(folder));
        suite.add_test_case(case(ran, sources));
        Ok(())
    }

    fn finish(&mut self, ended: &Ended) -> io::Result<()> {
        let mut report = quick_junit::Report::new("cosell");
        report.set_time(ended.wall);
        report.add_test_suites(std::mem::take(&mut self.suites).into_values());
        let text = report.to_string().map_err(io::Error::other)?;
        self.sink.write_all(as_the_schema_has_it(&text).as_bytes())?;
        self.sink.flush()
    }
}

/// The common schema (Jenkins' `junit-10.xsd`) knows `skipped` on a suite, not on the root, where the library writes it too.
pub(crate) fn as_the_schema_has_it(text: &str) -> String {
    let Some((before, root)) = text.split_once("<testsuites ") else {
        return text.to_owned();
    };
    let (root, after) = root.split_once('>').unwrap_or((root, ""));
    let kept: Vec<&str> = root
        .split_inclusive("\" ")
        .filter(|attribute| !attribute.starts_with("skipped=") && !attribute.starts_with("disabled="))
        .collect();
    format!("{before}<testsuites {}>{after}", kept.concat().trim_end())
}

fn case(ran: &Ran<'_>, sources: &Sources) -> TestCase {
    let findings = human::findings(ran, sources, Style::PLAIN);
    let first = ran.verdict.findings.first();
    let status = match ran.outcome() {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(first.map_or("expect failure", |finding| finding.code.name()));
            status.set_message(
                first.map_or_else(|| "did not fail as it must".to_owned(), |finding| finding.text.clone()),
            );
            status.set_description(findings);
            status
        }
        Outcome::Inconclusive => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("inconclusive");
            status.set_message(ran.verdict.refused.join("; "));
            status.set_description(findings);
            status
        }
    };
    let mut case = TestCase::new(format!("{} [{}]", ran.plan.title, ran.plan.crm.name()), status);
    case.set_classname(ran.plan.path.clone());
    case.set_time(ran.wall);
    // The seed is in the command: the schema has no properties on a case.
    let mut said = ran.command();
    let left_out = ran.left_out();
    if !left_out.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(said, "\njudged from outside; left out: {}", left_out.join(", "));
    }
    case.set_system_out(said);
    case
}
