//! What must be true of every run, whatever its scenario asks.
//!
//! Each invariant reads the trace from outside the connector. Safety ones look at every entry; the others at the end.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::trace::{Entry, Header, Trace};

/// Both sides agree after heal and settle.
mod converged;
/// No record has two counterparts.
mod one_to_one;
/// Nothing private reaches Partner Center, and nothing that nobody wrote.
mod no_leak;
/// A closed referral stays as it is.
mod closed_is_terminal;
/// Nothing is written once all is done.
mod quiet;
/// Linked deals carry their trail and mark.
mod audited;
/// The daily budget of calls.
mod budget;
/// Vendors' rules for clients.
mod conduct;

/// The stable name of an invariant or check, as reports print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Both sides agree after heal and settle.
    Converged,
    /// No referral has two opportunities, no opportunity two referrals.
    OneToOne,
    /// Every accepted edit arrived, or was beaten by a recorded decision.
    NothingLost,
    /// No field holds a value that nobody wrote.
    NothingInvented,
    /// No value of an unsynced or held deal reached Partner Center.
    NoLeak,
    /// A closed referral never changes.
    ClosedIsTerminal,
    /// No writes after settle.
    Quiet,
    /// Each success and failure has its Audit line and mark.
    Audited,
    /// Calls within the budget.
    Budget,
    /// Vendors' rules for clients.
    Conduct,
    /// Same plan, same seed, same bytes.
    Deterministic,
    /// What the scenario itself asked for.
    Expectation,
    /// A person's act in the scenario was refused by the system.
    ActRefused,
    /// A bound of the harness was hit.
    Bound,
    /// What an operator set does not fit the CRM.
    Settings,
}

impl Code {
    /// Every code, in the order in which documents list them.
    pub const ALL: [Self; 15] = [
        Self::Converged,
        Self::OneToOne,
        Self::NothingLost,
        Self::NothingInvented,
        Self::NoLeak,
        Self::ClosedIsTerminal,
        Self::Quiet,
        Self::Audited,
        Self::Budget,
        Self::Conduct,
        Self::Deterministic,
        Self::Expectation,
        Self::ActRefused,
        Self::Bound,
        Self::Settings,
    ];

    /// The name that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::OneToOne => "one-to-one",
            Self::NothingLost => "nothing-lost",
            Self::NothingInvented => "nothing-invented",
            Self::NoLeak => "no-leak",
            Self::ClosedIsTerminal => "closed-is-terminal",
            Self::Quiet => "quiet",
            Self::Audited => "audited",
            Self::Budget => "budget",
            Self::Conduct => "conduct",
            Self::Deterministic => "deterministic",
            Self::Expectation => "expectation",
            Self::ActRefused => "act-refused",
            Self::Bound => "bound",
            Self::Settings => "settings",
        }
    }
}

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

/// How many findings of one invariant are kept: the first are the ones that matter.
const KEPT_PER_CODE: usize = 10;

/// Where invariants put what they found.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding, unless that invariant has found enough already.
    pub fn add(&mut self, finding: Finding) {
        if self.0.iter().filter(|known| known.code == finding.code).count() < KEPT_PER_CODE {
            self.0.push(finding);
        }
    }

    /// What was found, in order of time.
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

/// One invariant, fed with a trace.
trait Invariant {
    /// Looks at an entry; the board already holds it.
    fn watch(&mut self, _entry: &Entry, _board: &Board, _findings: &mut Findings) {}

    /// Looks at the end of the run.
    fn finish(&mut self, _trace: &Trace, _board: &Board, _findings: &mut Findings) {}
}

/// Judges a trace by every invariant.
pub fn judge(trace: &Trace) -> Vec<Finding> {
    let mut invariants: Vec<Box<dyn Invariant>> = vec![
        Box::new(one_to_one::OneToOne::default()),
        Box::new(no_leak::NoLeak::default()),
        Box::new(closed_is_terminal::ClosedIsTerminal::default()),
        Box::new(conduct::Conduct::default()),
        Box::new(budget::Budget::default()),
        Box::new(quiet::Quiet::default()),
        Box::new(converged::Converged),
        Box::new(audited::Audited),
    ];
    let mut findings = Findings::default();
    let mut board = Board::new(&trace.header);
    for entry in &trace.entries {
        board.apply(entry);
        for invariant in &mut invariants {
            invariant.watch(entry, &board, &mut findings);
        }
    }
    for invariant in &mut invariants {
        invariant.finish(trace, &board, &mut findings);
    }
    findings.into_vec()
}

/// Judges only whether both sides agree, as they stand on a board at one moment.
pub(crate) fn converged_now(header: &Header, board: &Board, at: Timestamp) -> Vec<Finding> {
    let mut findings = Findings::default();
    converged::check(header, board, at, &mut findings);
    findings.into_vec()
}

/// The time of the last entry.
fn end_of(trace: &Trace) -> Timestamp {
    trace.entries.last().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at)
}
