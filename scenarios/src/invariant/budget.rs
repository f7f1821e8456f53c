//! `budget`: no more than 10,000 calls to Partner Center in a day (product.md M23; the figure is from the 2020-21 texts,
//! the counting window, a day of UTC, is assumed).

use cosell_sim::site::Site;
use cosell_sim::world::observation::Observed;

use super::{Code, Finding, Findings, Invariant};
use crate::board::Board;
use crate::trace::{Entry, What};

/// Calls a day.
const CALLS_A_DAY: u32 = 10_000;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Calls of the day that is counted.
#[derive(Default)]
pub(super) struct Budget {
    day: i64,
    calls: u32,
}

impl Invariant for Budget {
    fn watch(&mut self, entry: &Entry, _board: &Board, findings: &mut Findings) {
        let What::Observed(Observed::Sent {
            site: Site::PartnerCenter,
            ..
        }) = &entry.what
        else {
            return;
        };
        let day = entry.at.as_second().div_euclid(DAY);
        if day != self.day {
            (self.day, self.calls) = (day, 0);
        }
        self.calls += 1;
        if self.calls == CALLS_A_DAY + 1 {
            let text = format!("more than {CALLS_A_DAY} calls to Partner Center in one day");
            findings.add(Finding::new(Code::Budget, entry.at, None, text));
        }
    }
}
