//! `cosell check`: whether scenario files can be run, without running them.

use std::path::PathBuf;

use clap::Args;

use super::{Ui, select};
use crate::exit::Exit;

/// Check scenario files without running them
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Scenario files and folders; the compiled-in catalog when none is given
    paths: Vec<PathBuf>,
}

pub(crate) fn run(args: &CheckArgs, ui: Ui) -> Result<Exit, Exit> {
    let selected = select::load(&args.paths, ui)?;
    ui.out(&match selected.scenarios.len() {
        1 => "1 scenario is fine".to_owned(),
        count => format!("{count} scenarios are fine"),
    })?;
    Ok(Exit::Passed)
}
