//! One check driven through real systems: people's acts over the vendors' APIs, and a trace of what both sides show.
//!
//! The connector between the systems is not touched and not seen: only what it does to the records is.

#![expect(clippy::wildcard_enum_match_arm, reason = "what no machine does, a person does")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cosell_sim::clock::Clock;
use cosell_sim::partner_center::{ActError, MicrosoftAct};
use cosell_sim::world::observation::Observed;
use jiff::{SignedDuration, Timestamp};

use super::line::Line;
use super::look::{self, Looked};
use crate::board::{Board, CONNECTOR};
use crate::expectation::Past;
use crate::expectation::watching::{Moment, remembered};
use crate::hands::{self, Refused, Screen, Seller};
use crate::plan::{Plan, PlannedStep};
use crate::scenario::Crm;
use crate::scenario::act::{Act, Expectation, Watch};
use crate::simulate;
use crate::simulate::people::Scene;
use crate::trace::{Entry, Header, Trace, What};

/// Times without an answer in a row after which a check ends.
const TRIES: u32 = 5;

/// How long things are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) deadline: SignedDuration,
    pub(super) quiet_for: SignedDuration,
}

impl Times {
    /// How often the records are read: often enough, and no burden.
    fn pause(self) -> Duration {
        let sixtieth = self.deadline.unsigned_abs() / 60;
        sixtieth.clamp(Duration::from_millis(250), Duration::from_secs(10))
    }
}

/// A check under way.
pub(super) struct Drive<'a, 'b> {
    plan: &'a Plan,
    times: Times,
    stop: &'static AtomicBool,
    /// The way to the systems; what was made stands in it.
    pub(super) line: &'a mut Line<'b>,
    /// What was read last.
    pub(super) looked: Looked,
    seller: Box<dyn Seller>,
    header: Header,
    board: Board,
    past: Past,
    entries: Vec<Entry>,
    clock: Clock,
    changed: Timestamp,
    /// Time was to pass here, and has not yet.
    owes: bool,
    failures: u32,
    /// Something was waited for in vain: what follows would only wait in vain too.
    missed: bool,
    /// Why nothing more can come of this.
    pub(super) trouble: Option<String>,
}

impl<'a, 'b> Drive<'a, 'b> {
    pub(super) fn new(plan: &'a Plan, times: Times, line: &'a mut Line<'b>, stop: &'static AtomicBool) -> Self {
        let mut header = simulate::header(plan);
        header.external = true;
        let clock = Clock::wall();
        Self {
            plan,
            times,
            stop,
            line,
            looked: Looked::default(),
            seller: hands::seller(plan),
            board: Board::new(&header),
            header,
            past: Past::of(plan),
            entries: Vec::new(),
            changed: clock.now(),
            clock,
            owes: false,
            failures: 0,
            missed: false,
            trouble: None,
        }
    }

    /// Does every step, waits for quiet, and gives back what was seen.
    pub(super) fn go(&mut self) -> Trace {
        match look::currencies(self.line, self.plan.crm) {
            Ok(rows) => self.note(What::Stored { rows }),
            Err(why) => self.trouble = Some(why),
        }
        for (number, step) in self.plan.steps.iter().enumerate() {
            if self.is_over() || self.missed {
                break;
            }
            self.step(number, step);
        }
        if !self.is_over() && !self.missed {
            self.finish();
        }
        Trace {
            header: self.header.clone(),
            entries: std::mem::take(&mut self.entries),
        }
    }

    fn is_over(&self) -> bool {
        self.trouble.is_some() || self.stop.load(Ordering::Relaxed)
    }

    fn step(&mut self, number: usize, step: &PlannedStep) {
        let deal = step.deal.as_deref();
        match &step.act {
            Act::Nothing => {}
            Act::Wait(_) | Act::Settle | Act::Heal => self.owes = true,
            Act::Expect(expected) => {
                self.await_expected(deal, expected);
                self.begin(number, step);
            }
            Act::Watch(how, expected) => {
                self.begin(number, step);
                match how {
                    Watch::Within(_) | Watch::Eventually => drop(self.wait_for(deal, expected)),
                    Watch::Always(Some(_)) | Watch::Never(Some(_)) => drop(self.rest()),
                    Watch::Always(None) | Watch::Never(None) => {}
                }
            }
            Act::Remember { side, field, name } => {
                self.begin(number, step);
                let value = remembered(&self.board, deal.unwrap_or_default(), *side, field);
                self.past.remembered.extend(value.map(|value| (name.clone(), value)));
            }
            act => self.somebody_acts(number, step, act),
        }
    }

    /// What holds already must still hold when the connector has had its time; anything else is waited for.
    fn await_expected(&mut self, deal: Option<&str>, expected: &Expectation) {
        if self.owes && self.holds(deal, expected) {
            self.rest();
        }
        self.missed = !self.wait_for(deal, expected);
        self.owes = false;
    }

    fn somebody_acts(&mut self, number: usize, step: &PlannedStep, act: &Act) {
        let deal = step.deal.as_deref().unwrap_or_default();
        if std::mem::take(&mut self.owes) {
            self.let_it_arrive();
        }
        let in_pc = matches!(
            act,
            Act::PartnerEdits(_) | Act::PartnerAccepts | Act::PartnerDeclines(_) | Act::PartnerCloses(..)
        );
        if in_pc {
            self.wait_until(self.times.deadline, |drive| drive.referral(deal).is_ok());
        }
        self.begin(number, step);
        if let Err(Refused { status, body }) = self.person_acts(deal, act) {
            self.note(What::ActRefused {
                step: number,
                status,
                body,
            });
        }
        self.look(if in_pc { "partner" } else { "seller" });
    }

    fn begin(&mut self, number: usize, step: &PlannedStep) {
        self.note(What::Step {
            step: number,
            verb: step.verb.clone(),
            deal: step.deal.clone(),
            detail: step.detail.clone(),
        });
    }

    /// Gives the connector its time before a person acts again: until every deal is linked and nothing moves.
    fn let_it_arrive(&mut self) {
        self.wait_until(self.times.quiet_for, |drive| {
            let book = &drive.board.book;
            let mut open = book
                .opportunities
                .values()
                .filter(|opportunity| book.syncs(opportunity));
            open.all(|opportunity| !book.referral_of(opportunity).is_empty())
        });
        let pause = SignedDuration::try_from(self.times.pause() * 3).unwrap_or(self.times.quiet_for);
        let pause = pause.min(self.times.quiet_for);
        self.wait_until(self.times.quiet_for, |drive| drive.still_for(pause));
    }

    fn still_for(&self, time: SignedDuration) -> bool {
        self.clock.now().duration_since(self.changed) >= time
    }

    /// Waits until nothing has changed for the quiet time; says whether that came to be.
    fn rest(&mut self) -> bool {
        self.changed = self.clock.now();
        let quiet_for = self.times.quiet_for;
        let longest = self.times.deadline.max(quiet_for.saturating_mul(2));
        self.wait_until(longest, |drive| drive.still_for(quiet_for))
    }

    fn finish(&mut self) {
        if self.rest() {
            self.note(What::Settled);
        } else if !self.is_over() {
            let rounds = self.times.deadline.as_millis() / self.times.quiet_for.as_millis().max(1);
            let rounds = u32::try_from(rounds).unwrap_or(u32::MAX).max(1);
            self.note(What::NeverSettled { rounds });
        }
    }

    fn holds(&self, deal: Option<&str>, expected: &Expectation) -> bool {
        let moment = Moment {
            header: &self.header,
            board: &self.board,
            past: &self.past,
            at: self.clock.now(),
        };
        moment.holds(deal, expected)
    }

    fn wait_for(&mut self, deal: Option<&str>, expected: &Expectation) -> bool {
        self.wait_until(self.times.deadline, |drive| drive.holds(deal, expected))
    }

    fn wait_until(&mut self, longest: SignedDuration, so: impl Fn(&Self) -> bool) -> bool {
        let began = self.clock.now();
        loop {
            self.look(CONNECTOR);
            if self.is_over() {
                return false;
            }
            if so(self) {
                return true;
            }
            if self.clock.now().duration_since(began) >= longest {
                return false;
            }
            pause(self.times.pause(), self.stop);
        }
    }

    /// Reads both sides, and takes in what is new. What changes right after an act is its doing.
    fn look(&mut self, actor: &str) {
        let crm = self.plan.crm;
        let opportunities = self.opportunities();
        match self.looked.look(self.line, crm, &opportunities) {
            Ok(commits) => {
                self.failures = 0;
                for mut commit in commits {
                    let theirs = (actor == "seller" && commit.site == crm.site())
                        || (actor == "partner" && commit.site != crm.site());
                    let actor = if theirs { actor } else { CONNECTOR };
                    actor.clone_into(&mut commit.actor);
                    commit.at = self.clock.now();
                    self.changed = commit.at;
                    let commit = Box::new(commit);
                    self.note(What::Observed(Observed::Committed { exchange: None, commit }));
                }
            }
            Err(why) => {
                self.failures += 1;
                if self.failures >= TRIES {
                    self.trouble = Some(why);
                }
            }
        }
    }

    /// Every opportunity that a person of this check has made.
    pub(super) fn opportunities(&self) -> Vec<String> {
        let table = match self.plan.crm {
            Crm::Salesforce => "Opportunity",
            Crm::Dynamics => "opportunities",
        };
        let made = self.line.made.iter().filter(|made| made.table == table);
        made.map(|made| made.id.clone()).collect()
    }
}

/// Waits, and looks up now and then whether somebody wants to stop.
#[expect(clippy::disallowed_methods, reason = "real systems take real time")]
fn pause(lasts: Duration, stop: &AtomicBool) {
    let blink = Duration::from_millis(100);
    let mut left = lasts;
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        let part = left.min(blink);
        std::thread::sleep(part);
        left -= part;
    }
}

impl Scene for Drive<'_, '_> {
    fn board(&self) -> &Board {
        &self.board
    }

    fn crm(&self) -> Crm {
        self.plan.crm
    }

    fn seat(&mut self) -> (&dyn Seller, &mut dyn Screen) {
        (self.seller.as_ref(), self.line)
    }

    fn microsoft(&mut self, _act: MicrosoftAct) -> Result<String, ActError> {
        Err(ActError::Refused("only somebody at Microsoft can do that".to_owned()))
    }

    fn note(&mut self, what: What) {
        let entry = Entry {
            at: self.clock.now(),
            what,
        };
        self.board.apply(&entry);
        self.past.apply(&entry);
        self.entries.push(entry);
    }
}
