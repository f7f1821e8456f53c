//! Which scenarios a command is about: those of the files and folders that it names, or the catalog.

use std::path::PathBuf;

use super::Ui;
use crate::diagnostic::render;
use crate::exit::Exit;
use crate::load::{self, Loaded};

/// Reads every scenario that is meant. Any fault in any file is shown, and ends the command.
pub(crate) fn load(paths: &[PathBuf], ui: Ui) -> Result<Loaded, Exit> {
    let loaded = if paths.is_empty() {
        load::catalog()
    } else {
        load::paths(paths)
    };
    if loaded.diagnostics.is_empty() && !loaded.scenarios.is_empty() {
        return Ok(loaded);
    }
    ui.note(render(&loaded.diagnostics, &loaded.sources, ui.style()).trim_end());
    if loaded.diagnostics.is_empty() {
        ui.note("error: there is no scenario to run");
        return Err(Exit::NothingSelected);
    }
    Err(Exit::Usage)
}
