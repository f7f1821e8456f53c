//! `cosell list`: which scenarios there are.

use std::path::PathBuf;

use clap::Args;

use super::{Ui, select};
use crate::exit::Exit;
use crate::plan::crms_of;

/// List scenarios with their titles, without running anything
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Scenario files and folders; the compiled-in catalog when none is given
    paths: Vec<PathBuf>,
}

pub(crate) fn run(args: &ListArgs, ui: Ui) -> Result<Exit, Exit> {
    let selected = select::load(&args.paths, ui)?;
    for scenario in &selected.scenarios {
        let crms: Vec<&str> = crms_of(scenario).into_iter().map(crate::scenario::Crm::name).collect();
        ui.out(&format!("{}  [{}]  {}", scenario.path, crms.join(", "), scenario.title))?;
    }
    ui.note(&format!("{} scenarios", selected.scenarios.len()));
    Ok(Exit::Passed)
}
