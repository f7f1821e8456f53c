//! `cosell preflight`: read-only checks of an environment before go-live.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Ui;
use crate::exit::Exit;
use crate::preflight::profile::EXAMPLE;
use crate::preflight::{self, Outcome, report};

/// Check a CRM and Partner Center before go-live, without writing anything
#[derive(Debug, Args)]
pub(crate) struct PreflightArgs {
    /// The environment: a TOML file with its URLs and where its secrets are, or the name of one here or in `profiles`
    #[arg(long, value_name = "NAME", required_unless_present = "example")]
    profile: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print a profile with every key, to start from
    #[arg(long)]
    example: bool,
    /// An exported solution (zip): its environment variables stand instead of the profile's, and its flows are checked
    #[arg(long, value_name = "EXPORT")]
    settings_from: Option<PathBuf>,
    /// An earlier export: flows other than [Customize] that differ from it are named
    #[arg(long, value_name = "EXPORT", requires = "settings_from")]
    baseline: Option<PathBuf>,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// For CI servers
    Junit,
    /// A Markdown table
    Markdown,
}

pub(crate) fn run(args: &PreflightArgs, ui: Ui) -> Result<Exit, Exit> {
    if args.example {
        ui.out(EXAMPLE.trim_end())?;
        return Ok(Exit::Passed);
    }
    let mut profile = super::profile(args.profile.as_deref().unwrap_or(Path::new("")), ui)?;
    let export = match &args.settings_from {
        Some(path) => Some(super::settings::export_for(
            path,
            args.baseline.as_deref(),
            &mut profile.connector,
            ui,
        )?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            ui.note(&format!("error: nothing can be sent: {error}"));
            Exit::Harness
        })?;
    let checks = runtime.block_on(preflight::run(&profile, export.as_ref()));
    let shown = match args.format {
        Format::Table => Ok(format!(
            "{}\n\n{}",
            report::table(&checks).join("\n"),
            report::summary(&checks)
        )),
        Format::Json => report::json(&profile.name, &checks).map_err(|error| error.to_string()),
        Format::Junit => report::junit(&profile.name, &checks).map_err(|error| error.to_string()),
        Format::Markdown => Ok(report::markdown(&profile.name, &checks)),
    };
    ui.out(
        shown
            .map_err(|error| {
                ui.note(&format!("error: the report could not be made: {error}"));
                Exit::Harness
            })?
            .trim_end(),
    )?;
    let failed = report::count(&checks, Outcome::Failed);
    Ok(if failed > 0 { Exit::Failed } else { Exit::Passed })
}
