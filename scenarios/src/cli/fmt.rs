//! `cosell fmt`: puts scenario files into the usual form.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::Ui;
use crate::diagnostic::{Sources, render};
use crate::exit::Exit;
use crate::format;
use crate::load;

/// Put scenario files into the usual form; words, comments and order stay
#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Scenario files and folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Change nothing; name the files that are not in the usual form, and fail when there are any
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &FmtArgs, ui: Ui) -> Result<Exit, Exit> {
    let mut exit = Exit::Passed;
    let found = load::files(&args.paths);
    if !found.diagnostics.is_empty() {
        ui.note(render(&found.diagnostics, &found.sources, ui.note_style()).trim_end());
        return Err(Exit::Usage);
    }
    for (path, text) in found.texts {
        let name = path.display().to_string();
        let usual = match format::format(&name, &text) {
            Ok(usual) => usual,
            Err(diagnostics) if diagnostics.is_empty() => {
                ui.note(&format!("error: {name} holds nothing but blanks and comments"));
                exit = Exit::Usage;
                continue;
            }
            Err(diagnostics) => {
                let mut sources = Sources::default();
                sources.add(&name, &text);
                ui.note(render(&diagnostics, &sources, ui.note_style()).trim_end());
                exit = Exit::Usage;
                continue;
            }
        };
        if usual == text {
            continue;
        }
        ui.out(&name)?;
        if args.check {
            exit = exit.max(Exit::Failed);
        } else {
            fs::write(&path, usual).map_err(|error| {
                ui.note(&format!("error: {name} cannot be written: {error}"));
                Exit::Usage
            })?;
        }
    }
    Ok(exit)
}
