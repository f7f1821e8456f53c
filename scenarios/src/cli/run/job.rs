//! One run of `cosell run`: what it is, how it is done, and what kept it from being done.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::Ui;
use super::RunArgs;
use crate::accept::tailored;
use crate::exit::Exit;
use crate::live::{self, LiveOptions};
use crate::load::Loaded;
use crate::plan::Plan;
use crate::preflight::profile::Connector;
use crate::replay;
use crate::report::Ran;
use crate::scenario::{Crm, Scenario};
use crate::simulate::{self, Options, RunError};
use crate::trace::{Header, Trace};
use crate::verdict::{self, Outcome};

/// One run that is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) crm: Crm,
    pub(super) seed: Option<u64>,
    /// Settings that stand where the scenario has none of its own.
    pub(super) team: Option<&'a Connector>,
}

/// Why a job could not be done at all.
pub(super) enum Trouble {
    Run(RunError),
    Trace(String),
    File(PathBuf, std::io::Error),
}

pub(super) fn run_one<'a>(
    args: &RunArgs,
    (live, team): (Option<&LiveOptions>, Option<&Connector>),
    job: Job<'a>,
    loaded: &Loaded,
) -> Result<Ran<'a>, Trouble> {
    let stopwatch = Stopwatch::start();
    #[cfg_attr(
        not(feature = "planted"),
        expect(unused_mut, reason = "only planted bugs change the plan")
    )]
    let mut plan = match job.team.or(team) {
        Some(team) => tailored::plan(job.scenario, job.crm, job.seed, team),
        None => Plan::of(job.scenario, job.crm, job.seed),
    };
    #[cfg(feature = "planted")]
    plan.planted.clone_from(&args.planted);
    let options = Options {
        sockets: args.sockets,
        ..Options::default()
    };
    let trace = match live {
        Some(live) => live::run(&plan, live),
        None => simulate::run(&plan, &options),
    };
    // Whatever the scenario itself makes impossible is its own failure: the others run.
    let trace = trace.or_else(|error| simulate::never_began(&plan, &error).ok_or(Trouble::Run(error)))?;
    if let Some(folder) = &args.save_traces {
        let header = replay::header(&trace, job.scenario, &loaded.sources, &loaded.scenarios);
        save(folder, &plan, &trace, &header, args.repeat > 1)?;
    }
    let verdict = verdict::decide(&plan, &trace);
    Ok(Ran {
        scenario: job.scenario,
        plan,
        trace,
        verdict,
        wall: stopwatch.lasts(),
    })
}

/// A run that passed without what happened between its beginning and its end, which nobody will look at: a thread that lets go
/// of its own run leaves the memory warm for its next one.
pub(super) fn without_trace(mut ran: Ran<'_>) -> Ran<'_> {
    if ran.verdict.outcome == Outcome::Passed && ran.trace.entries.len() > 2 {
        let last = ran.trace.entries.pop();
        ran.trace.entries.truncate(1);
        ran.trace.entries.shrink_to_fit();
        ran.trace.entries.extend(last);
    }
    ran
}

fn save(folder: &Path, plan: &Plan, trace: &Trace, header: &Header, with_seed: bool) -> Result<(), Trouble> {
    let stem: String = plan
        .path
        .chars()
        .map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' })
        .collect();
    let seed = if with_seed {
        format!(".{}", plan.seed)
    } else {
        String::new()
    };
    let file = folder.join(format!("{}.{}{seed}.jsonl", stem.trim_matches('-'), plan.crm.name()));
    let text = trace
        .json_lines_under(header)
        .map_err(|error| Trouble::Trace(error.to_string()))?;
    std::fs::write(&file, text).map_err(|error| Trouble::File(file, error))
}

/// Says why a job could not be done.
pub(super) fn told(trouble: &Trouble, job: Job<'_>, ui: Ui) -> Exit {
    match trouble {
        Trouble::Run(error) => {
            let (path, crm) = (job.scenario.address(), job.crm.name());
            ui.note(&format!("error: {path} cannot be run on {crm}: {error}"));
            match error {
                RunError::Settings(_) | RunError::Given(_) | RunError::Planted(_) | RunError::External { .. } => {
                    Exit::Usage
                }
                RunError::Sockets(_) => Exit::Harness,
            }
        }
        Trouble::Trace(error) => {
            ui.note(&format!("error: the trace could not be made: {error}"));
            Exit::Harness
        }
        Trouble::File(file, error) => not_written(ui, file, error),
    }
}

pub(super) fn not_written(ui: Ui, path: &Path, error: &std::io::Error) -> Exit {
    ui.note(&format!("error: {} cannot be written: {error}", path.display()));
    ui.note("help: name a folder that you may write to with `--save-traces`");
    Exit::Usage
}

/// How long something really took: for people and CI servers, never for a verdict.
pub(super) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the time that a person waits is the wall's")]
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn lasts(&self) -> Duration {
        self.0.elapsed()
    }
}
