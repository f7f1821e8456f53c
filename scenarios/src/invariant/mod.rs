//! What must be true of every run, whatever its scenario asks.
//!
//! Each invariant reads the trace from outside the connector. Safety ones look at every entry, in time that does not grow
//! with the length of the trace; the others look at the end.

#![expect(clippy::wildcard_enum_match_arm, reason = "reads few of the many kinds of entries")]

use cosell_sim::world::observation::Observed;
use jiff::Timestamp;

use crate::board::Board;
use crate::trace::{Entry, Header, Trace, What};
use links::Links;

/// Which records belong together.
mod links;
/// Both sides agree after heal and settle.
mod converged;
/// No record has two counterparts.
mod one_to_one;
/// No edit is written over that should stand.
mod nothing_lost;
/// No value appears that nobody wrote.
mod nothing_invented;
/// Acceptances and closings are carried, not made.
mod standing;
/// No customer twice.
mod customers;
/// The list of solutions.
mod solutions;
/// Flows that are off do nothing, and a webhook is registered once.
mod switched;
/// A write to Partner Center, read for its values.
mod sent;
/// Nothing private reaches Partner Center.
mod no_leak;
/// A closed referral stays as it is.
mod closed_is_terminal;
/// Nothing is written once all is done.
mod quiet;
/// Linked deals carry their trail and mark.
mod audited;
/// The budgets of calls.
mod budget;
/// Vendors' rules for clients.
mod conduct;
/// Same plan, same seed, same bytes.
pub mod deterministic;
/// The stable names.
mod code;
/// What was found.
mod finding;

pub use code::Code;
pub use finding::{Finding, Findings, Level};

/// What an invariant sees besides the entry: both sides with that entry folded in.
struct Scene<'a> {
    header: &'a Header,
    board: &'a Board,
    links: &'a Links,
}

/// One invariant, fed with a trace.
trait Invariant {
    /// Looks at an entry; the scene already holds it.
    fn watch(&mut self, _entry: &Entry, _scene: &Scene<'_>, _findings: &mut Findings) {}

    /// Whether it looks at answers before they have travelled: a third of all entries, and most have no use for them.
    fn looks_at_handled(&self) -> bool {
        false
    }

    /// Looks at the end of the run.
    fn finish(&mut self, _trace: &Trace, _scene: &Scene<'_>, _findings: &mut Findings) {}
}

/// Judges a trace by every invariant: what is required.
pub fn judge(trace: &Trace) -> Vec<Finding> {
    judge_with(trace, |_, _| {}).into_required()
}

/// Judges a trace by every invariant, and shows each entry with the board on which it is folded to somebody else too.
pub fn judge_with(trace: &Trace, mut shown: impl FnMut(&Entry, &Board)) -> Findings {
    let mut invariants: Vec<Box<dyn Invariant>> = vec![
        Box::new(one_to_one::OneToOne::default()),
        Box::new(nothing_lost::NothingLost::default()),
        Box::new(nothing_invented::NothingInvented::default()),
        Box::new(standing::Standings::default()),
        Box::new(customers::Customers::default()),
        Box::new(solutions::Solutions::default()),
        Box::new(switched::Switched::default()),
        Box::new(no_leak::NoLeak::default()),
        Box::new(closed_is_terminal::ClosedIsTerminal::default()),
        Box::new(conduct::Conduct::default()),
        Box::new(budget::Budget::default()),
        Box::new(quiet::Quiet::default()),
        Box::new(converged::Converged),
        Box::new(audited::Audited::default()),
    ];
    let early: Vec<usize> = (0..invariants.len())
        .filter(|place| invariants[*place].looks_at_handled())
        .collect();
    let mut findings = Findings::default();
    let mut board = Board::new(&trace.header);
    let mut links = Links::default();
    for entry in &trace.entries {
        board.apply(entry);
        if let What::Observed(Observed::Committed { commit, .. }) = &entry.what {
            links.learn(commit, &board);
        }
        let scene = Scene {
            header: &trace.header,
            board: &board,
            links: &links,
        };
        if let What::Observed(Observed::Handled { .. }) = &entry.what {
            for place in &early {
                invariants[*place].watch(entry, &scene, &mut findings);
            }
        } else {
            for invariant in &mut invariants {
                invariant.watch(entry, &scene, &mut findings);
            }
        }
        shown(entry, &board);
    }
    let scene = Scene {
        header: &trace.header,
        board: &board,
        links: &links,
    };
    for invariant in &mut invariants {
        invariant.finish(trace, &scene, &mut findings);
    }
    if trace.header.external {
        findings.leave_out(&Code::NOT_FROM_OUTSIDE);
    }
    if trace.header.recorded {
        // Of the rows nobody knows more than calls happened to show.
        findings.keep_only(Code::Conduct);
    }
    findings
}

/// Judges only whether both sides agree, as they stand on a board at one moment.
pub(crate) fn converged_now(header: &Header, board: &Board, at: Timestamp) -> Vec<Finding> {
    let mut findings = Findings::default();
    converged::check(header, board, at, &mut findings);
    findings.into_required()
}

/// The time of the last entry.
fn end_of(trace: &Trace) -> Timestamp {
    trace.entries.last().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at)
}
