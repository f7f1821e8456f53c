//! `cosell replay`: saved traces, judged and shown again without running anything.

use std::path::PathBuf;

use clap::Args;

use super::outputs::{Format, Outputs, Wanted};
use super::{Ui, run};
use crate::coverage::Coverage;
use crate::exit::Exit;
use crate::replay::{self, ReplayError};
use crate::report::{Ended, Ran, Tally, human};
use crate::verdict;

/// Judge and show saved traces again, without running anything
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Traces that `cosell run --save-traces` wrote, or folders of them
    #[arg(required = true)]
    traces: Vec<PathBuf>,
    /// The form of the report on standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write a further report: html, json, jsonl, junit or markdown, such as html=report.html
    #[arg(long = "report", value_name = "FORM=FILE")]
    reports: Vec<Wanted>,
    /// Print the story of each run, one line an event
    #[arg(long)]
    log: bool,
    /// Show which behaviour the runs exercised, and which they never did
    #[arg(long)]
    coverage: bool,
}

pub(crate) fn run(args: &ReplayArgs, ui: Ui) -> Result<Exit, Exit> {
    let files = replay::under(&args.traces).map_err(|error| not_read(&error, ui))?;
    if files.is_empty() {
        ui.note("error: there is no trace in these folders");
        ui.note("help: `cosell run --save-traces FOLDER` writes them, as .jsonl");
        return Err(Exit::NothingSelected);
    }
    let mut outputs = Outputs::open(args.format, &args.reports, files.len(), ui)?;
    let mut tally = Tally::default();
    let mut coverage = args.coverage.then(Coverage::default);
    for file in &files {
        let replayed = replay::read(file).map_err(|error| not_read(&error, ui))?;
        let verdict = verdict::decide(&replayed.plan, &replayed.trace);
        let ran = Ran {
            scenario: &replayed.scenario,
            plan: replayed.plan,
            trace: replayed.trace,
            verdict,
            wall: std::time::Duration::ZERO,
        };
        tally.count(ran.outcome());
        if let Some(coverage) = &mut coverage {
            coverage.add(ran.scenario, &ran.plan, &ran.trace);
        }
        if args.format.for_people() {
            run::show(args.log, &ran, &replayed.sources, ui)?;
        }
        outputs.add(&ran, &replayed.sources);
    }
    let ended = Ended {
        tally,
        coverage,
        ..Ended::default()
    };
    if args.format.for_people() {
        ui.out("")?;
        for line in ended.coverage.iter().flat_map(human::coverage) {
            ui.out(&line)?;
        }
        ui.out(&format!("{} (replayed)", human::summary(&ended)))?;
    }
    outputs.finish(&ended, ui)?;
    Ok(match tally {
        Tally { failed: 1.., .. } => Exit::Failed,
        Tally { inconclusive: 1.., .. } => Exit::Inconclusive,
        Tally { .. } => Exit::Passed,
    })
}

/// Says why a trace cannot be read.
pub(super) fn not_read(error: &ReplayError, ui: Ui) -> Exit {
    ui.note(&format!("error: {error}"));
    if !matches!(error, ReplayError::File { .. }) {
        ui.note("help: save it again with `cosell run --save-traces FOLDER`");
    }
    Exit::Usage
}
