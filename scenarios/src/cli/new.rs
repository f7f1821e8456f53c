//! `cosell new`: a scenario, a folder of scenarios or a profile to start from, commented, which is in order as it is.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Ui;
use crate::diagnostic::nearest;
use crate::exit::Exit;
use crate::preflight::profile::{preset, presets};

/// Make a scenario file, a folder with scenarios and a CI file, or a profile of an environment, to start from
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
    /// Make a profile of an environment, for `--profile`
    ///
    /// Presets: simulator, salesforce-sandbox, salesforce-production, dataverse, partner-center.
    Profile {
        /// The preset
        preset: String,
        /// The file, such as `staging.toml`; it is named after the preset when not given
        path: Option<PathBuf>,
    },
}

const SCENARIO: &str = include_str!("new/scenario.yaml");
const FIRST: &str = include_str!("new/first.yaml");
const PART: &str = include_str!("new/accepted.yaml");
const WORKFLOW: &str = include_str!("new/cosell.yml");

/// A profile made of a preset, and its file.
fn of_preset(word: &str, path: Option<&Path>, ui: Ui) -> Result<(PathBuf, String), Exit> {
    let path = path.map_or_else(|| PathBuf::from(format!("{word}.toml")), Path::to_owned);
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = preset(word, &name).ok_or_else(|| {
        let near = nearest(word, presets());
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        ui.note(&format!("error: there is no preset `{word}`{near}"));
        ui.note(&format!(
            "help: presets are {}",
            presets().collect::<Vec<_>>().join(", ")
        ));
        Exit::Usage
    })?;
    Ok((path, text))
}

pub(crate) fn run(args: &NewArgs, ui: Ui) -> Result<Exit, Exit> {
    let files = match &args.what {
        What::Scenario { path } => vec![(path.clone(), SCENARIO.to_owned())],
        What::Suite { folder } => [
            ("scenarios/leaving-on-hold.yaml", FIRST),
            ("scenarios/every-change-arrives.yaml", SCENARIO),
            ("scenarios/parts/accepted.yaml", PART),
            (".github/workflows/cosell.yml", WORKFLOW),
        ]
        .map(|(name, text)| (folder.join(name), text.to_owned()))
        .to_vec(),
        What::Profile { preset, path } => vec![of_preset(preset, path.as_deref(), ui)?],
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
    let next = match &args.what {
        What::Scenario { path } => format!("run it: cosell run {}", path.display()),
        What::Suite { folder } => format!("run it: cosell run {}", folder.join("scenarios").display()),
        What::Profile { .. } => format!("check it: cosell preflight --profile {}", files[0].0.display()),
    };
    ui.note(&next);
    Ok(Exit::Passed)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
