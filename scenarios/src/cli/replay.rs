//! `cosell replay`: saved traces, judged and shown again without running anything.

use std::io;
use std::path::PathBuf;

use clap::Args;

use super::outputs::{Format, Outputs, Wanted};
use super::{Ui, run};
use crate::coverage::Coverage;
use crate::exit::Exit;
use crate::load;
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
    let kept: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    let mut outputs = Outputs::open(args.format, &args.reports, files.len(), &kept, ui)?;
    let mut tally = Tally::default();
    let mut coverage = args.coverage.then(Coverage::default);
    let mut unread = None;
    for file in &files {
        // The others are shown all the same.
        let replayed = match replay::read(file) {
            Ok(replayed) => replayed,
            Err(error) => {
                unread = Some(not_read(&error, ui));
                continue;
            }
        };
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
        not_run: files.len() - tally.total(),
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
    if let Some(exit) = unread {
        return Err(exit);
    }
    Ok(match tally {
        Tally { failed: 1.., .. } => Exit::Failed,
        Tally { inconclusive: 1.., .. } => Exit::Inconclusive,
        Tally { .. } => Exit::Passed,
    })
}

/// Says why a trace cannot be read.
pub(super) fn not_read(error: &ReplayError, ui: Ui) -> Exit {
    ui.note(&format!("error: {error}"));
    let help = match error {
        ReplayError::File { path, source } if source.kind() == io::ErrorKind::NotFound => {
            Some(match load::beside(path) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`cosell run --save-traces FOLDER` and `cosell record` write traces".to_owned(),
            })
        }
        ReplayError::File { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
            Some("name one of the traces in it".to_owned())
        }
        ReplayError::File { source, .. } if source.kind() == io::ErrorKind::InvalidData => {
            Some("a trace is text: JSON lines, not packed".to_owned())
        }
        ReplayError::File { .. } => None,
        ReplayError::Trace { help, .. } => Some(help.clone()),
        ReplayError::NoScenario(_) | ReplayError::Scenario { .. } => {
            Some("save it again with `cosell run --save-traces FOLDER`".to_owned())
        }
    };
    if let Some(help) = help {
        ui.note(&format!("help: {help}"));
    }
    Exit::Usage
}
