//! `cosell new`: a scenario or a folder of scenarios to start from, commented, which runs green as it is.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Ui;
use crate::exit::Exit;

/// Make a scenario file, or a folder with scenarios, a shared part and a CI file, to start from
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make one scenario file
    Scenario {
        /// The file, such as `accepted.yaml`
        path: PathBuf,
    },
    /// Make a folder with two scenarios, a part that they share, and a workflow for GitHub Actions
    Suite {
        /// The folder; it may be there, its files may not
        folder: PathBuf,
    },
}

const SCENARIO: &str = include_str!("new/scenario.yaml");
const FIRST: &str = include_str!("new/first.yaml");
const PART: &str = include_str!("new/accepted.yaml");
const WORKFLOW: &str = include_str!("new/cosell.yml");

pub(crate) fn run(args: &NewArgs, ui: Ui) -> Result<Exit, Exit> {
    let files = match &args.what {
        What::Scenario { path } => vec![(path.clone(), SCENARIO)],
        What::Suite { folder } => vec![
            (folder.join("scenarios/leaving-on-hold.yaml"), FIRST),
            (folder.join("scenarios/every-change-arrives.yaml"), SCENARIO),
            (folder.join("scenarios/parts/accepted.yaml"), PART),
            (folder.join(".github/workflows/cosell.yml"), WORKFLOW),
        ],
    };
    if let Some((taken, _)) = files.iter().find(|(path, _)| path.exists()) {
        ui.note(&format!("error: {} is there already", taken.display()));
        ui.note("help: choose another name; nothing was written");
        return Err(Exit::Usage);
    }
    for (path, text) in &files {
        write(path, text).map_err(|error| {
            ui.note(&format!("error: {} cannot be written: {error}", path.display()));
            Exit::Usage
        })?;
        ui.out(&path.display().to_string())?;
    }
    let run = match &args.what {
        What::Scenario { path } => path.display().to_string(),
        What::Suite { folder } => folder.join("scenarios").display().to_string(),
    };
    ui.note(&format!("run it: cosell run {run}"));
    Ok(Exit::Passed)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
