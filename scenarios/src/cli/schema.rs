//! `cosell schema`: the JSON Schema of scenario files.

use clap::Args;

use super::Ui;
use crate::exit::Exit;
use crate::scenario::schema;

/// Print the JSON Schema of scenario files, for editors
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {}

pub(crate) fn run(_args: &SchemaArgs, ui: Ui) -> Result<Exit, Exit> {
    ui.out(&format!("{:#}", schema::schema()))?;
    Ok(Exit::Passed)
}
