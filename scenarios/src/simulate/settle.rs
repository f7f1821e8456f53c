//! Time passes: for so long, or until nothing more is written.

use cosell_connector::Connector;
use jiff::{SignedDuration, Timestamp};

use super::{Run, RunError, SETTLE_ROUND, SETTLE_ROUNDS};
use crate::trace::What;

/// What comes after a pause needs a moment to happen.
const AFTER_A_PAUSE: SignedDuration = SignedDuration::from_mins(1);

impl Run<'_> {
    pub(super) fn wait(&mut self, lasts: SignedDuration) -> Result<(), RunError> {
        self.wait_until(lasts, |_| false)
    }

    /// Time passes, or less of it when something has become so.
    pub(super) fn wait_until(&mut self, lasts: SignedDuration, so: impl Fn(&Self) -> bool) -> Result<(), RunError> {
        let until = self.world.now().checked_add(lasts).unwrap_or(Timestamp::MAX);
        self.run_until(until, so).map(drop)
    }

    /// Runs until a whole round passes without a write, at most [`SETTLE_ROUNDS`]. A pause that the connector makes before
    /// it tries again is no rest: the round lasts until it is over. A pause that follows upon a pause without a write in
    /// between is: what is refused for good is tried again for ever.
    pub(super) fn settle(&mut self) -> Result<(), RunError> {
        self.settle_until(|_| false)
    }

    /// The same, or less when something has become so.
    pub(super) fn settle_until(&mut self, so: impl Fn(&Self) -> bool) -> Result<(), RunError> {
        let settings = &self.plan.settings;
        let slowest = settings.reconcile_every.max(settings.poll_every).unwrap_or_default();
        let usual = SETTLE_ROUND.max(slowest.saturating_add(SignedDuration::from_mins(1)));
        let mut round_lasts = usual;
        let mut waited_out = false;
        for round in 1..=SETTLE_ROUNDS {
            self.writes.clear();
            let until = self.world.now().checked_add(round_lasts).unwrap_or(Timestamp::MAX);
            if self.run_until(until, &so)? {
                return Ok(());
            }
            let writes = u32::try_from(self.writes.len()).unwrap_or(u32::MAX);
            self.record(What::SettleRound { round, writes });
            if self.cut_off {
                return Ok(());
            }
            round_lasts = usual;
            if writes > 0 {
                waited_out = false;
                continue;
            }
            match self.pause() {
                Some(pause) if !waited_out => {
                    waited_out = true;
                    round_lasts = usual.max(pause.saturating_add(AFTER_A_PAUSE));
                }
                _ => {
                    self.record(What::Settled);
                    return Ok(());
                }
            }
        }
        self.record(What::NeverSettled { rounds: SETTLE_ROUNDS });
        Ok(())
    }

    /// How long the connector still pauses before it goes on with work that it has.
    fn pause(&self) -> Option<SignedDuration> {
        let until = self.connector.as_ref().and_then(Connector::work_until)?;
        Some(until.duration_since(self.connectors_now())).filter(SignedDuration::is_positive)
    }
}
