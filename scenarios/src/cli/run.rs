//! `cosell run`: runs scenarios and says what went wrong.

use std::path::PathBuf;

use clap::Args;
use cosell_sim::seed::Seed;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::external::ExternalArgs;
use super::last_run::LastRun;
use super::outputs::{Format, Outputs, Wanted};
use super::{Ui, select};
use crate::coverage::Coverage;
use crate::diagnostic::Sources;
use crate::exit::Exit;
use crate::plan::DEFAULT_SEED;
use crate::preflight::profile::Connector;
use crate::report::{Ran, Tally, human};
use crate::scenario::{Crm, Scenario};

/// One run.
mod job;
/// The runs of one command.
mod session;

use job::{Job, not_written};
use session::{STOP, Session};

/// Run scenarios against the simulators, each on each CRM that it is for
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    selection: select::Selection,
    /// The seed that decides latencies, identifiers and jitter, instead of the scenario's own
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = select::seed)]
    seed: Option<u64>,
    /// An exported solution (zip): its environment variables are the connector's settings, where a scenario has none of its own
    #[arg(long, value_name = "EXPORT")]
    settings_from: Option<PathBuf>,
    /// Only the runs that did not pass last time in this folder
    #[arg(long)]
    last_failed: bool,
    /// Run each this many times, with seeds that count up
    #[arg(long, value_name = "TIMES", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
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
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent)]
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
    if selected.is_empty() {
        return Err(args.selection.nothing(&loaded, &filter, ui));
    }
    bounded(args, selected.len(), ui)?;
    let jobs = jobs(args, &selected, last.as_ref(), &teams);
    if jobs.is_empty() {
        return Err(nothing_left(last.is_some(), ui));
    }
    if let Some(folder) = &args.save_traces {
        std::fs::create_dir_all(folder).map_err(|error| not_written(ui, folder, &error))?;
    }
    // Before the first line is printed: whoever reads it may press the keys.
    // Ctrl-C ends the command after the runs under way, with its reports; a second one ends it at once.
    super::stop::on_ctrl_c(&STOP, ui);
    let kept: Vec<&str> = loaded.sources.iter().map(|(path, _)| path).collect();
    let outputs = Outputs::open(args.format, &args.reports, jobs.len(), &kept, ui)?;
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
        bar: bar(args, jobs.len(), ui),
        tally: Tally::default(),
        failed: LastRun::default(),
        slowest: Vec::new(),
        coverage: (args.coverage || args.fail_under.is_some()).then(Coverage::default),
        trouble: None,
    }
    .go(&jobs, &loaded)
}

/// Runs of one command at most: more would not fit into memory.
const MOST_RUNS: u64 = 2_000_000;

/// `--repeat` times what is selected stays within bounds.
fn bounded(args: &RunArgs, selected: usize, ui: Ui) -> Result<(), Exit> {
    let runs = (selected as u64).saturating_mul(2).saturating_mul(args.repeat);
    if runs <= MOST_RUNS {
        return Ok(());
    }
    ui.note(&format!(
        "error: `--repeat {}` of {selected} scenarios is more than {MOST_RUNS} runs",
        args.repeat
    ));
    ui.note("help: repeat less often, or select fewer scenarios");
    Err(Exit::Usage)
}

/// Says why nothing is run of what was selected.
fn nothing_left(last_failed: bool, ui: Ui) -> Exit {
    if last_failed {
        ui.note("error: none of the runs that are selected failed last time");
        ui.note("help: `cosell run --last-failed` alone runs every one that did");
    } else {
        ui.note("error: every scenario that is selected is skipped");
        ui.note("help: take `skip` out of the file to run it");
    }
    Exit::NothingSelected
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
fn bar(args: &RunArgs, count: usize, ui: Ui) -> ProgressBar {
    let target = if args.format.for_people() && ui.bars {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(count as u64), target);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message("none failed")
}

fn seed_words(args: &RunArgs) -> String {
    args.seed.map_or_else(
        || format!("{DEFAULT_SEED} unless a scenario names one"),
        |seed| seed.to_string(),
    )
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
