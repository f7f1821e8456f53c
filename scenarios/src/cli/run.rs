//! `cosell run`: runs scenarios and says what went wrong.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use cosell_sim::seed::Seed;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::external::ExternalArgs;
use super::last_run::LastRun;
use super::outputs::{Format, Outputs, Wanted};
use super::{Ui, select};
use crate::accept::tailored;
use crate::coverage::Coverage;
use crate::diagnostic::Sources;
use crate::exit::Exit;
use crate::live::{self, LiveOptions};
use crate::load::Loaded;
use crate::plan::{DEFAULT_SEED, Plan};
use crate::preflight::profile::Connector;
use crate::replay;
use crate::report::{Ended, Ran, Tally, human};
use crate::runner;
use crate::scenario::{Crm, Scenario};
use crate::simulate::{self, Options, RunError};
use crate::trace::{Header, Trace};
use crate::verdict::{self, Outcome};

/// Run scenarios against the simulators, each on each CRM that it is for
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    selection: select::Selection,
    /// The seed that decides latencies, identifiers and jitter, instead of the scenario's own
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// An exported solution (zip): its environment variables are the connector's settings, where a scenario has none of its own
    #[arg(long, value_name = "EXPORT")]
    settings_from: Option<PathBuf>,
    /// Only the runs that did not pass last time in this folder
    #[arg(long)]
    last_failed: bool,
    /// Run each this many times, with seeds that count up
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// Run in a shuffled order; the seed of the order may be given
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's form for a flag with an optional value")]
    shuffle: Option<Option<u64>>,
    /// Stop after the first run that fails
    #[arg(long)]
    fail_fast: bool,
    /// How many runs go on at once; as many as there are cores when not given
    #[arg(long, short, value_name = "THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// The form of the report on standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write a further report: html, json, jsonl, junit or markdown, such as junit=report.xml
    #[arg(long = "report", value_name = "FORM=FILE")]
    reports: Vec<Wanted>,
    /// Show only runs that did not pass, and the summary
    #[arg(long, short)]
    quiet: bool,
    /// List the slowest runs on the wall clock
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "10", require_equals = true)]
    slowest: Option<usize>,
    /// Show which behaviour the runs exercised, and which they never did
    #[arg(long)]
    coverage: bool,
    /// Fail when less than this share of the known behaviour was exercised
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_under: Option<f64>,
    /// Carry every exchange over a loopback socket instead of calling the simulators in process
    #[arg(long)]
    sockets: bool,
    /// Run under a team's own settings: those of this profile, where a scenario does not say otherwise
    #[arg(long, value_name = "NAME")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    external: ExternalArgs,
    /// Print the story of each run, one line an event
    #[arg(long)]
    log: bool,
    /// Save the trace of each run as JSON lines into this folder
    #[arg(long, value_name = "FOLDER")]
    save_traces: Option<PathBuf>,
    /// Run a deliberately broken connector instead of the sound one
    #[cfg(feature = "planted")]
    #[arg(long, value_name = "BUG")]
    planted: Option<String>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

/// One run that is to be done.
#[derive(Clone, Copy, Debug)]
struct Job<'a> {
    scenario: &'a Scenario,
    crm: Crm,
    seed: Option<u64>,
    /// Settings that stand where the scenario has none of its own.
    team: Option<&'a Connector>,
}

/// Why a job could not be done at all.
enum Trouble {
    Run(RunError),
    Trace(String),
    File(PathBuf, std::io::Error),
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(args: &RunArgs, ui: Ui) -> Result<Exit, Exit> {
    let live = args.external.options(args.sockets, ui)?;
    let team = args
        .profile
        .as_deref()
        .map(|name| super::profile(name, ui))
        .transpose()?;
    let team = team.map(|profile| profile.connector);
    let filter = args.selection.filter(ui)?;
    let last = if args.last_failed { Some(last_run(ui)?) } else { None };
    let paths = match &last {
        Some(last) if args.selection.paths.is_empty() => last.paths(),
        _ => args.selection.paths.clone(),
    };
    let loaded = select::load(&paths, ui)?;
    let selected = args.selection.of(&loaded, &filter);
    for (scenario, _) in &selected {
        if let Some(why) = &scenario.skip {
            ui.note(&format!("skipped: {} ({}): {why}", scenario.address(), scenario.title));
        }
    }
    let teams = super::settings::for_simulators(args.settings_from.as_deref(), team.as_ref(), ui)?;
    let jobs = jobs(args, &selected, last.as_ref(), &teams);
    if jobs.is_empty() {
        return Err(args.selection.nothing(ui));
    }
    if let Some(folder) = &args.save_traces {
        std::fs::create_dir_all(folder).map_err(|error| not_written(ui, folder, &error))?;
    }
    // Before the first line is printed: whoever reads it may press the keys.
    // Ctrl-C ends the command after the runs under way, with its reports; a second one ends it at once.
    super::stop::on_ctrl_c(&STOP, ui);
    let outputs = Outputs::open(args.format, &args.reports, jobs.len(), ui)?;
    if live.is_some() {
        ui.note(&super::external::left_out());
    }
    Session {
        args,
        live,
        team,
        ui,
        sources: &loaded.sources,
        outputs,
        bar: bar(args, jobs.len()),
        tally: Tally::default(),
        failed: LastRun::default(),
        slowest: Vec::new(),
        coverage: (args.coverage || args.fail_under.is_some()).then(Coverage::default),
        trouble: None,
    }
    .go(&jobs, &loaded)
}

fn last_run(ui: Ui) -> Result<LastRun, Exit> {
    match LastRun::read() {
        Ok(Some(last)) => Ok(last),
        Ok(None) => {
            ui.note("error: no run is remembered as failed in this folder");
            ui.note("help: run without `--last-failed` first");
            Err(Exit::NothingSelected)
        }
        Err(error) => {
            ui.note(&format!("error: what failed last time cannot be read: {error}"));
            Err(Exit::Usage)
        }
    }
}

fn jobs<'a>(
    args: &RunArgs,
    selected: &[(&'a Scenario, Vec<Crm>)],
    last: Option<&LastRun>,
    teams: &'a [(Crm, Connector)],
) -> Vec<Job<'a>> {
    let mut jobs = Vec::new();
    for (scenario, crms) in selected.iter().filter(|(scenario, _)| scenario.skip.is_none()) {
        for crm in crms {
            if last.is_some_and(|last| !last.holds(&scenario.address(), *crm)) {
                continue;
            }
            let first = args.seed.or(scenario.seed);
            let team = teams.iter().find(|(of, _)| of == crm).map(|(_, team)| team);
            jobs.extend((0..args.repeat).map(|round| Job {
                scenario,
                crm: *crm,
                team,
                seed: if round == 0 {
                    args.seed
                } else {
                    Some(first.unwrap_or(DEFAULT_SEED).wrapping_add(round))
                },
            }));
        }
    }
    if let Some(seed) = order_seed(args) {
        let mut stream = Seed(seed).stream("order of runs");
        for last in (1..jobs.len()).rev() {
            let other = stream.between(0, last as u64);
            jobs.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
    jobs
}

fn order_seed(args: &RunArgs) -> Option<u64> {
    args.shuffle.map(|seed| seed.or(args.seed).unwrap_or(DEFAULT_SEED))
}

/// A bar for people at a terminal; hidden anywhere else.
fn bar(args: &RunArgs, count: usize) -> ProgressBar {
    let target = if args.format.for_people() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(count as u64), target);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message("none failed")
}

/// One command under way.
struct Session<'a> {
    args: &'a RunArgs,
    /// How somebody else's connector is run, when it is not the reference connector.
    live: Option<LiveOptions>,
    /// The team's own settings, when a profile names them.
    team: Option<Connector>,
    ui: Ui,
    sources: &'a Sources,
    outputs: Outputs,
    bar: ProgressBar,
    tally: Tally,
    failed: LastRun,
    slowest: Vec<(Duration, String)>,
    coverage: Option<Coverage>,
    /// What ends the command besides the runs' outcomes.
    trouble: Option<Exit>,
}

impl Session<'_> {
    fn go(mut self, jobs: &[Job<'_>], loaded: &Loaded) -> Result<Exit, Exit> {
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
        if args.format.for_people() {
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

fn seed_words(args: &RunArgs) -> String {
    args.seed.map_or_else(
        || format!("{DEFAULT_SEED} unless a scenario names one"),
        |seed| seed.to_string(),
    )
}

fn run_one<'a>(
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
    let trace = trace.map_err(Trouble::Run)?;
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
fn without_trace(mut ran: Ran<'_>) -> Ran<'_> {
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
fn told(trouble: &Trouble, job: Job<'_>, ui: Ui) -> Exit {
    match trouble {
        Trouble::Run(error) => {
            let (path, crm) = (job.scenario.address(), job.crm.name());
            ui.note(&format!("error: {path} cannot be run on {crm}: {error}"));
            match error {
                RunError::Settings(_) | RunError::Given(_) | RunError::External { .. } => Exit::Usage,
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

fn not_written(ui: Ui, path: &Path, error: &std::io::Error) -> Exit {
    ui.note(&format!("error: {} cannot be written: {error}", path.display()));
    ui.note("help: name a folder that you may write to with `--save-traces`");
    Exit::Usage
}

/// Shows a run to a person.
pub(super) fn show(log: bool, ran: &Ran<'_>, sources: &Sources, ui: Ui) -> Result<(), Exit> {
    let style = ui.style();
    ui.out(&human::line(ran, style))?;
    if log {
        for line in crate::log::lines(&ran.trace) {
            ui.out(&format!("      {line}"))?;
        }
    }
    let findings = human::findings(ran, sources, style);
    if !findings.is_empty() {
        ui.out(&findings)?;
    }
    Ok(())
}

/// How long something really took: for people and CI servers, never for a verdict.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the time that a person waits is the wall's")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn lasts(&self) -> Duration {
        self.0.elapsed()
    }
}
