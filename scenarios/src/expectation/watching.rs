//! Expectations over a stretch of time: `within`, `eventually`, `always`, `never`.
//!
//! The run and the judge use the same: the run to know when it may go on, the judge to say what was not so.

use jiff::Timestamp;

use super::{Eye, Past, seen};
use crate::board::Board;
use crate::invariant::Finding;
use crate::scenario::act::{Expectation, RecordSide, Watch};
use crate::scenario::duration_words;
use crate::trace::Header;

/// Both sides at one moment, and what was before.
pub(crate) struct Moment<'a> {
    /// What was run.
    pub(crate) header: &'a Header,
    /// Both sides.
    pub(crate) board: &'a Board,
    /// What was before.
    pub(crate) past: &'a Past,
    /// When.
    pub(crate) at: Timestamp,
}

impl Moment<'_> {
    /// Looks once.
    pub(crate) fn look(&self, step: usize, deal: Option<&str>, expected: &Expectation, findings: &mut Vec<Finding>) {
        let mut eye = Eye {
            header: self.header,
            past: self.past,
            board: self.board,
            at: self.at,
            step,
            deal,
            findings,
        };
        eye.look(expected);
    }

    /// Whether it is so now.
    pub(crate) fn holds(&self, deal: Option<&str>, expected: &Expectation) -> bool {
        let mut findings = Vec::new();
        self.look(0, deal, expected, &mut findings);
        findings.is_empty()
    }
}

/// The value of a deal's field at a moment, as reports print it; `None` when there is no record.
pub(crate) fn remembered(board: &Board, deal: &str, side: RecordSide, field: &str) -> Option<String> {
    let seen = match side {
        RecordSide::Crm => {
            let (id, record) = board.opportunities_of(deal).next()?;
            seen::in_crm(&board.book, id, record, field)
        }
        RecordSide::PartnerCenter => {
            let (_, record) = board.referrals_of(deal).next()?;
            seen::in_pc(&board.book, record, field)
        }
    };
    Some(seen.shown())
}

/// A step that watches.
pub(crate) struct Watching<'a> {
    step: usize,
    deal: Option<String>,
    how: Watch,
    expected: &'a Expectation,
    /// When its step began.
    since: Timestamp,
    /// Within and eventually: it was so. Always and never: it was not as it must be, and is told.
    done: bool,
    /// What was not so when it was last looked at.
    last: Vec<Finding>,
}

impl<'a> Watching<'a> {
    /// From the moment of its step.
    pub(crate) fn new(
        step: usize,
        deal: Option<String>,
        how: Watch,
        expected: &'a Expectation,
        since: Timestamp,
    ) -> Self {
        Self {
            step,
            deal,
            how,
            expected,
            since,
            done: false,
            last: Vec::new(),
        }
    }

    /// Looks at one moment.
    pub(crate) fn look(&mut self, moment: &Moment<'_>, findings: &mut Vec<Finding>) {
        if self.done {
            return;
        }
        let mut missed = Vec::new();
        moment.look(self.step, self.deal.as_deref(), self.expected, &mut missed);
        match self.how {
            Watch::Within(_) | Watch::Eventually => {
                self.done = missed.is_empty();
                self.last = missed;
            }
            Watch::Always(_) => {
                self.done = !missed.is_empty();
                findings.extend(missed);
            }
            Watch::Never(_) if missed.is_empty() => {
                self.done = true;
                let text = "what must never be so is so".to_owned();
                let mut finding = Finding::new(
                    crate::invariant::Code::Expectation,
                    moment.at,
                    self.deal.as_deref(),
                    text,
                );
                finding.step = Some(self.step);
                findings.push(finding.comparing("never", "so at this moment"));
            }
            Watch::Never(_) => {}
        }
    }

    /// Whether it still watches when the next step begins.
    pub(crate) fn goes_on(&mut self, step: usize, at: Timestamp, findings: &mut Vec<Finding>) -> bool {
        if step == self.step || matches!(self.how, Watch::Always(None) | Watch::Never(None)) {
            return true;
        }
        self.ends(at, findings);
        false
    }

    /// The time is over: what was waited for is missed at the deadline, whenever somebody last looked.
    pub(crate) fn ends(&mut self, at: Timestamp, findings: &mut Vec<Finding>) {
        let (time, missed) = match self.how {
            Watch::Within(time) => (
                format!("within {}", duration_words(time)),
                self.since.checked_add(time).unwrap_or(at),
            ),
            Watch::Eventually => ("before all was quiet".to_owned(), at),
            Watch::Always(_) | Watch::Never(_) => return,
        };
        if !self.done {
            findings.extend(self.last.drain(..).map(|mut finding| {
                finding.text = format!("{}, and did not become so {time}", finding.text);
                finding.at = missed;
                finding
            }));
        }
        self.done = true;
    }
}
