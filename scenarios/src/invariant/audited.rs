//! `audited`: a linked deal carries an Audit trail, and its name the mark of the last outcome (rule 10 of `converged`).

use super::{Code, Finding, Findings, Invariant, end_of};
use crate::board::Board;
use crate::record::Mark;
use crate::trace::Trace;

/// Looks only at the end.
pub(super) struct Audited;

impl Invariant for Audited {
    fn finish(&mut self, trace: &Trace, board: &Board, findings: &mut Findings) {
        let at = end_of(trace);
        for (id, opportunity) in &board.book.opportunities {
            let deal = board.name_of(id);
            let mark = board.book.mark(opportunity);
            if mark == Mark::Stacked {
                let text = format!("{deal} carries more than one mark in its name");
                findings.add(Finding::new(Code::Audited, at, Some(deal), text));
            }
            let linked = !board.book.referral_of(opportunity).is_empty();
            // A closed record may refuse writes: then the flow run holds the outcome instead.
            if !linked || !board.book.syncs(opportunity) || board.book.crm_standing(opportunity).is_closed() {
                continue;
            }
            if board.book.audit(opportunity).is_empty() {
                let text = format!("{deal} is linked, but its Audit trail is empty");
                findings.add(Finding::new(Code::Audited, at, Some(deal), text));
            }
            let wrong = if trace.header.display_check_mark {
                mark == Mark::None
            } else {
                mark != Mark::None
            };
            if wrong {
                let expected = if trace.header.display_check_mark {
                    "check or cross"
                } else {
                    "none"
                };
                let text = format!("the name of {deal} does not show how its last sync ended");
                findings.add(Finding::new(Code::Audited, at, Some(deal), text).comparing(expected, mark.name()));
            }
        }
    }
}
