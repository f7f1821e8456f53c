//! `cosell run`: runs scenarios and says what went wrong.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Ui, select};
use crate::exit::Exit;
use crate::plan::{DEFAULT_SEED, Plan, crms_of};
use crate::report::{Ran, Tally, human, json};
use crate::scenario::Crm;
use crate::simulate::{self, Options};
use crate::verdict;

/// Run scenarios against the simulators, each on each CRM that it is for
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scenario files and folders; the compiled-in catalog when none is given
    paths: Vec<PathBuf>,
    /// Only on this CRM
    #[arg(long, value_enum)]
    crm: Option<CrmChoice>,
    /// The seed that decides latencies, identifiers and jitter, instead of the scenario's own
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Carry every exchange over a loopback socket instead of calling the simulators in process
    #[arg(long)]
    sockets: bool,
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

/// A CRM on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CrmChoice {
    /// Salesforce
    Salesforce,
    /// Dynamics 365 on Dataverse
    Dynamics,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

pub(crate) fn run(args: &RunArgs, ui: Ui) -> Result<Exit, Exit> {
    let selected = select::load(&args.paths, ui)?;
    let only = args.crm.map(|choice| match choice {
        CrmChoice::Salesforce => Crm::Salesforce,
        CrmChoice::Dynamics => Crm::Dynamics,
    });
    if let Some(folder) = &args.save_traces {
        std::fs::create_dir_all(folder).map_err(|error| not_written(ui, folder, &error))?;
    }
    let stopwatch = Stopwatch::start();
    let mut runs = Vec::new();
    for scenario in &selected.scenarios {
        for crm in crms_of(scenario)
            .into_iter()
            .filter(|crm| only.is_none_or(|only| only == *crm))
        {
            let ran = run_one(args, scenario, crm, ui)?;
            if args.format == Format::Human {
                show(args, &ran, &selected.sources, ui)?;
            }
            runs.push(ran);
        }
    }
    if runs.is_empty() {
        ui.note("error: no scenario is for that CRM");
        ui.note("help: `cosell list` names the CRMs of each scenario");
        return Err(Exit::NothingSelected);
    }
    let tally = Tally::of(&runs);
    match args.format {
        Format::Human => {
            ui.out("")?;
            ui.out(&format!(
                "{} (seed {})",
                human::summary(tally, stopwatch.seconds()),
                seed_words(args)
            ))?;
        }
        Format::Json => {
            let document = json::document(&runs, &selected.sources).map_err(|error| {
                ui.note(&format!("error: the report could not be made: {error}"));
                Exit::Harness
            })?;
            ui.out(&document)?;
        }
    }
    Ok(match tally {
        Tally { failed: 1.., .. } => Exit::Failed,
        Tally { inconclusive: 1.., .. } => Exit::Inconclusive,
        Tally { .. } => Exit::Passed,
    })
}

fn seed_words(args: &RunArgs) -> String {
    args.seed.map_or_else(
        || format!("{DEFAULT_SEED} unless a scenario names one"),
        |seed| seed.to_string(),
    )
}

fn run_one<'a>(args: &RunArgs, scenario: &'a crate::scenario::Scenario, crm: Crm, ui: Ui) -> Result<Ran<'a>, Exit> {
    #[cfg_attr(
        not(feature = "planted"),
        expect(unused_mut, reason = "only planted bugs change the plan")
    )]
    let mut plan = Plan::of(scenario, crm, args.seed);
    #[cfg(feature = "planted")]
    plan.planted.clone_from(&args.planted);
    let options = Options {
        sockets: args.sockets,
        ..Options::default()
    };
    let trace = simulate::run(&plan, &options).map_err(|error| {
        ui.note(&format!(
            "error: {} cannot be run on {}: {error}",
            plan.path,
            crm.name()
        ));
        match error {
            simulate::RunError::Settings(_) => Exit::Usage,
            simulate::RunError::Sockets(_) => Exit::Harness,
        }
    })?;
    if let Some(folder) = &args.save_traces {
        save(folder, &plan, &trace, ui)?;
    }
    let verdict = verdict::decide(&plan, &trace);
    Ok(Ran {
        scenario,
        plan,
        trace,
        verdict,
    })
}

fn save(folder: &Path, plan: &Plan, trace: &crate::trace::Trace, ui: Ui) -> Result<(), Exit> {
    let stem: String = plan
        .path
        .chars()
        .map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' })
        .collect();
    let file = folder.join(format!("{}.{}.jsonl", stem.trim_matches('-'), plan.crm.name()));
    let text = trace.to_json_lines().map_err(|error| {
        ui.note(&format!("error: the trace could not be made: {error}"));
        Exit::Harness
    })?;
    std::fs::write(&file, text).map_err(|error| not_written(ui, &file, &error))
}

fn not_written(ui: Ui, path: &Path, error: &std::io::Error) -> Exit {
    ui.note(&format!("error: {} cannot be written: {error}", path.display()));
    ui.note("help: name a folder that you may write to with `--save-traces`");
    Exit::Usage
}

fn show(args: &RunArgs, ran: &Ran<'_>, sources: &crate::diagnostic::Sources, ui: Ui) -> Result<(), Exit> {
    let style = ui.style();
    ui.out(&human::line(ran, style))?;
    if args.log {
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

/// How long the command really took: for the last line only, never for a run.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the time that a person waits is the wall's")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
