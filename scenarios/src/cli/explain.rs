//! `cosell explain`: what an invariant demands.

use clap::Args;

use super::Ui;
use crate::diagnostic::nearest;
use crate::exit::Exit;
use crate::invariant::Code;

/// Say what an invariant or another finding means, and where to look first
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Its code, as reports print it; all of them in a line each when none is given
    code: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs, ui: Ui) -> Result<Exit, Exit> {
    let Some(name) = &args.code else {
        for code in Code::ALL {
            let first = code.explanation().lines().next().unwrap_or_default();
            ui.out(&format!("{:<20} {first}", code.name()))?;
        }
        return Ok(Exit::Passed);
    };
    let Some(code) = Code::from_name(name) else {
        let near = nearest(name, Code::ALL.iter().map(|code| code.name()));
        let help = near.map_or_else(
            || "`cosell explain` lists them all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        ui.note(&format!("error: no finding has the code `{name}`\n  help: {help}"));
        return Err(Exit::Usage);
    };
    ui.out(&format!("{}\n\n{}", code.name(), code.explanation()))?;
    Ok(Exit::Passed)
}
