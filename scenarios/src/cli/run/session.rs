//! The runs of one `cosell run`, one after the other or on many threads: counted, shown and handed to the reports.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;

use super::super::Ui;
use super::super::last_run::LastRun;
use super::super::outputs::Outputs;
use super::job::{Job, Stopwatch, Trouble, run_one, told, without_trace};
use super::{RunArgs, order_seed, seed_words, show};
use crate::coverage::Coverage;
use crate::diagnostic::Sources;
use crate::exit::Exit;
use crate::live::LiveOptions;
use crate::load::Loaded;
use crate::preflight::profile::Connector;
use crate::report::{Ended, Ran, Tally, human};
use crate::runner;
use crate::verdict::Outcome;

/// Set by Ctrl-C.
pub(super) static STOP: AtomicBool = AtomicBool::new(false);

/// One command under way.
pub(super) struct Session<'a> {
    pub(super) args: &'a RunArgs,
    /// How somebody else's connector is run, when it is not the reference connector.
    pub(super) live: Option<LiveOptions>,
    /// The team's own settings, when a profile names them.
    pub(super) team: Option<Connector>,
    pub(super) ui: Ui,
    pub(super) sources: &'a Sources,
    pub(super) outputs: Outputs,
    pub(super) bar: ProgressBar,
    pub(super) tally: Tally,
    pub(super) failed: LastRun,
    pub(super) slowest: Vec<(Duration, String)>,
    pub(super) coverage: Option<Coverage>,
    /// What ends the command besides the runs' outcomes.
    pub(super) trouble: Option<Exit>,
}

impl Session<'_> {
    pub(super) fn go(mut self, jobs: &[Job<'_>], loaded: &Loaded) -> Result<Exit, Exit> {
        let stopwatch = Stopwatch::start();
        let (args, live, team) = (self.args, self.live.clone(), self.team.clone());
        let whole = self.coverage.is_some() || args.log || !self.outputs.is_empty();
        let threads = self.threads();
        let count = runner::in_order(
            jobs,
            threads,
            &STOP,
            |job| {
                let ran = run_one(args, (live.as_ref(), team.as_ref()), *job, loaded)?;
                Ok(if whole { ran } else { without_trace(ran) })
            },
            |job, ran| self.deliver(*job, ran),
        );
        self.bar.finish_and_clear();
        let ended = Ended {
            tally: self.tally,
            not_run: jobs.len() - count,
            interrupted: STOP.load(Ordering::Relaxed),
            wall: stopwatch.lasts(),
            coverage: self.coverage.take(),
        };
        // Nobody reads a summary where a line of a run could not be written.
        if args.format.for_people() && self.trouble.is_none() {
            self.close(&ended)?;
        }
        let short = self.short(&ended);
        if let Err(error) = self.failed.write() {
            self.ui.note(&format!(
                "note: the failed runs could not be remembered for `--last-failed`: {error}"
            ));
        }
        self.outputs.finish(&ended, self.ui)?;
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        Ok(match ended {
            Ended { interrupted: true, .. } => Exit::Interrupted,
            Ended { .. } if short => Exit::Failed,
            Ended {
                tally: Tally { failed: 1.., .. },
                ..
            } => Exit::Failed,
            Ended {
                tally: Tally { inconclusive: 1.., .. },
                ..
            } => Exit::Inconclusive,
            Ended { .. } => Exit::Passed,
        })
    }

    /// Runs with somebody else's connector come one after the other, unless they are asked to share the machine and can.
    fn threads(&self) -> usize {
        let jobs = self.args.jobs.map(usize::from);
        match &self.live {
            Some(live) if live.port.is_some() || live.ready_file.is_some() || live.command.is_none() => 1,
            Some(_) => jobs.unwrap_or(1),
            None => jobs.unwrap_or_else(runner::cores),
        }
    }

    /// Whether less was exercised than `--fail-under` asks for.
    fn short(&self, ended: &Ended) -> bool {
        let Some((least, coverage)) = self.args.fail_under.zip(ended.coverage.as_ref()) else {
            return false;
        };
        let is = coverage.percent();
        if is < least {
            self.ui.note(&format!(
                "error: {is:.1} % of the known behaviour was exercised, `--fail-under` asks for {least} %"
            ));
        }
        is < least
    }

    fn deliver(&mut self, job: Job<'_>, ran: Result<Ran<'_>, Trouble>) -> ControlFlow<()> {
        let ran = match ran {
            Ok(ran) => ran,
            Err(trouble) => {
                self.trouble = Some(self.bar.suspend(|| told(&trouble, job, self.ui)));
                return ControlFlow::Break(());
            }
        };
        let outcome = ran.outcome();
        self.tally.count(outcome);
        if outcome != Outcome::Passed {
            self.failed.failed(&ran.plan.path, ran.plan.crm);
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.add(ran.scenario, &ran.plan, &ran.trace);
        }
        if self.args.slowest.is_some() {
            self.slowest
                .push((ran.wall, format!("{} [{}]", ran.plan.path, ran.plan.crm.name())));
        }
        if self.args.format.for_people()
            && !(self.args.quiet && outcome == Outcome::Passed)
            && let Err(exit) = self.bar.suspend(|| show(self.args.log, &ran, self.sources, self.ui))
        {
            self.trouble = Some(exit);
            return ControlFlow::Break(());
        }
        self.outputs.add(&ran, self.sources);
        self.bar.inc(1);
        if self.tally.failed > 0 {
            self.bar.set_message(format!("{} failed", self.tally.failed));
        }
        if self.args.fail_fast && outcome == Outcome::Failed {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn close(&mut self, ended: &Ended) -> Result<(), Exit> {
        if let Some(count) = self.args.slowest {
            self.slowest.sort_by(|one, other| other.cmp(one));
            self.ui.out("")?;
            self.ui.out("the slowest runs:")?;
            for (wall, name) in self.slowest.iter().take(count) {
                self.ui
                    .out(&format!("{:>9.1} ms  {name}", wall.as_secs_f64() * 1000.0))?;
            }
        }
        for line in ended.coverage.iter().flat_map(human::coverage) {
            self.ui.out(&line)?;
        }
        let order = order_seed(self.args).map_or_else(String::new, |seed| format!(", order {seed}"));
        self.ui.out("")?;
        self.ui.out(&format!(
            "{} (seed {}{order})",
            human::summary(ended),
            seed_words(self.args)
        ))
    }
}
