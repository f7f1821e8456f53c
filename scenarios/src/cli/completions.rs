//! `cosell completions`: scripts that complete commands and flags in a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Ui};
use crate::exit::Exit;

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, ui: Ui) -> Result<Exit, Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cosell", &mut script);
    ui.out(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Passed)
}
