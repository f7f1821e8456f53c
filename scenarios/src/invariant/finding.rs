//! What an invariant found: what, where, when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Code;

/// Something that is not as it must be: what, where, when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which invariant or check found it.
    pub code: Code,
    /// Virtual time.
    pub at: Timestamp,
    /// The deal, by symbolic name or record id.
    pub deal: Option<String>,
    /// What is wrong, as a sentence.
    pub text: String,
    /// What should be, when it is a comparison.
    pub expected: Option<String>,
    /// What is, when it is a comparison.
    pub actual: Option<String>,
    /// The scenario's step that asked, when one did.
    pub step: Option<usize>,
    /// The field that the step names, when it names one.
    pub field: Option<String>,
}

impl Finding {
    /// A finding of an invariant.
    pub fn new(code: Code, at: Timestamp, deal: Option<&str>, text: String) -> Self {
        let deal = deal.map(str::to_owned);
        Self {
            code,
            at,
            deal,
            text,
            expected: None,
            actual: None,
            step: None,
            field: None,
        }
    }

    /// Adds what should be and what is.
    #[must_use]
    pub fn comparing(mut self, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.actual = Some(actual.into());
        self
    }
}

/// How much a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The vendor documents it: breaking it fails a run.
    Required,
    /// Good practice: it is told and fails nothing.
    Advice,
}

/// How many findings of one invariant are kept: the first are the ones that matter.
const KEPT_PER_CODE: usize = 10;

/// Where invariants put what they found.
#[derive(Debug, Default)]
pub struct Findings {
    required: Vec<Finding>,
    advice: Vec<Finding>,
}

impl Findings {
    /// Adds a finding, unless that invariant has found enough already.
    pub fn add(&mut self, finding: Finding) {
        put(&mut self.required, finding);
    }

    /// Adds what is no more than advice.
    pub fn advise(&mut self, finding: Finding) {
        put(&mut self.advice, finding);
    }

    /// Drops what these have found.
    pub fn leave_out(&mut self, codes: &[Code]) {
        for findings in [&mut self.required, &mut self.advice] {
            findings.retain(|finding| !codes.contains(&finding.code));
        }
    }

    /// Leaves out all findings but those of one code.
    pub fn keep_only(&mut self, code: Code) {
        for findings in [&mut self.required, &mut self.advice] {
            findings.retain(|finding| finding.code == code);
        }
    }

    /// What fails the run, in order of time.
    pub fn into_required(self) -> Vec<Finding> {
        self.required
    }

    /// What fails the run, each with what is no more than advice.
    pub fn into_both(self) -> (Vec<Finding>, Vec<Finding>) {
        (self.required, self.advice)
    }
}

fn put(list: &mut Vec<Finding>, finding: Finding) {
    if list.iter().filter(|known| known.code == finding.code).count() < KEPT_PER_CODE {
        list.push(finding);
    }
}
