//! `cosell settings`: what an exported solution or a profile configures, and in what two of them differ.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::Ui;
use crate::accept::simulated;
use crate::exit::Exit;
use crate::export::{Export, Finding, Weight};
use crate::preflight::profile::Connector;
use crate::scenario::Crm;
use crate::sheet::{self, Compared, Sheet, Source};

/// Read the configuration out of an exported solution or a profile, or compare two
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what an exported solution (zip) or a profile configures, and what is wrong with it
    ///
    /// Exit code 1 when something is wrong that would make the connector fail.
    Show {
        /// The export or the profile
        source: String,
        /// An earlier export: flows other than [Customize] that differ from it are named
        #[arg(long, value_name = "EXPORT")]
        baseline: Option<String>,
        /// The form
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Compare two exports or profiles, or one of each
    ///
    /// Exit code 1 when they differ. A name without its ending finds NAME.toml or NAME.zip.
    Diff {
        /// The one
        left: String,
        /// The other
        right: String,
        /// The form
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

/// The form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
}

pub(crate) fn run(args: &SettingsArgs, ui: Ui) -> Result<Exit, Exit> {
    match &args.command {
        Command::Show {
            source,
            baseline,
            format,
        } => show(source, baseline.as_deref(), *format, ui),
        Command::Diff { left, right, format } => diff(left, right, *format, ui),
    }
}

fn read(named: &str, ui: Ui) -> Result<(std::path::PathBuf, Source), Exit> {
    sheet::read(named).map_err(|error| {
        ui.note(&format!("error: {}", error.to_string().trim_end()));
        if matches!(error, sheet::SheetError::Missing(_)) {
            ui.note("help: name a solution exported from Power Apps (.zip), or a profile (.toml)");
        }
        Exit::Usage
    })
}

/// Reads an export for a command that works with a team's settings, and puts its variables into them.
pub(super) fn export_for(path: &Path, baseline: Option<&Path>, team: &mut Connector, ui: Ui) -> Result<Export, Exit> {
    let export = read_export(path, baseline, ui)?;
    configure(team, &export, ui);
    Ok(export)
}

/// Puts an export's variables into the settings of a profile, and tells each that had another value there.
fn configure(team: &mut Connector, export: &Export, ui: Ui) {
    for (name, before) in team.configure(&export.settings) {
        let now = &export.settings[name];
        ui.note(&format!(
            "note: {name}: {now:?} in the export, {before:?} in the profile; the export's counts"
        ));
    }
}

/// The settings of an exported solution for runs on the simulators, for each CRM that it is for. A field that a simulated CRM
/// does not have is told and left out. They stand instead of those of a profile.
pub(super) fn for_simulators(
    path: Option<&Path>,
    profile: Option<&Connector>,
    ui: Ui,
) -> Result<Vec<(Crm, Connector)>, Exit> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let export = export(path, None, ui)?;
    let mut team = profile.cloned().unwrap_or_default();
    configure(&mut team, &export, ui);
    let crms = export.crm.map_or_else(|| Crm::ALL.to_vec(), |crm| vec![crm]);
    let tailored = crms.into_iter().map(|crm| {
        let (team, stand_ins) = simulated::with_stand_ins(&team, crm);
        for told in stand_ins {
            ui.note(&format!("note: {told}"));
        }
        (crm, team)
    });
    Ok(tailored.collect())
}

/// Reads an export for a command that takes settings from one, compares it with a baseline, and says what is wrong with it.
pub(super) fn export(path: &Path, baseline: Option<&Path>, ui: Ui) -> Result<Export, Exit> {
    let export = read_export(path, baseline, ui)?;
    for finding in &export.findings {
        ui.note(&told(finding));
    }
    Ok(export)
}

fn read_export(path: &Path, baseline: Option<&Path>, ui: Ui) -> Result<Export, Exit> {
    let read = |path: &Path| {
        Export::read(path).map_err(|error| {
            ui.note(&format!("error: {error}"));
            Exit::Usage
        })
    };
    let mut export = read(path)?;
    if let Some(baseline) = baseline {
        export.compare_flows(&read(baseline)?);
    }
    Ok(export)
}

fn told(finding: &Finding) -> String {
    let word = match finding.weight {
        Weight::Fault => "fault",
        Weight::Warning => "warning",
    };
    format!("{word}: {}: {} (do: {})", finding.code, finding.seen, finding.fix)
}

fn show(named: &str, baseline: Option<&str>, format: Format, ui: Ui) -> Result<Exit, Exit> {
    let (path, mut source) = read(named, ui)?;
    match (&mut source, baseline) {
        (Source::Export(export), Some(baseline)) => match read(baseline, ui)? {
            (_, Source::Export(baseline)) => export.compare_flows(&baseline),
            (path, Source::Profile(_)) => {
                ui.note(&format!(
                    "error: the baseline {} is a profile, and holds no flows",
                    path.display()
                ));
                return Err(Exit::Usage);
            }
        },
        (Source::Profile(_), Some(_)) => {
            ui.note("error: a profile holds no flows that could differ from a baseline");
            return Err(Exit::Usage);
        }
        (_, None) => {}
    }
    let sheet = Sheet::of(&path, &source);
    match (&source, format) {
        (Source::Export(export), Format::Json) => ui.out(&format!("{:#}", json!(export)))?,
        (Source::Profile(_), Format::Json) => ui.out(&format!("{:#}", json!(sheet)))?,
        (Source::Export(export), Format::Table) => table_of_export(&sheet, export, baseline.is_some(), ui)?,
        (Source::Profile(_), Format::Table) => table(&sheet, ui)?,
    }
    let faults = matches!(&source, Source::Export(export) if export.has_faults());
    Ok(if faults { Exit::Failed } else { Exit::Passed })
}

fn table(sheet: &Sheet, ui: Ui) -> Result<(), Exit> {
    ui.out(&format!("{}: {}", sheet.source.display(), sheet.about))?;
    for (section, rows) in &sheet.sections {
        ui.out(&format!("\n{section}"))?;
        let width = rows.keys().map(|name| name.chars().count()).max().unwrap_or(0);
        for (name, value) in rows {
            ui.out(&format!("  {name:<width$}  {value}"))?;
        }
        if rows.is_empty() {
            ui.out("  none")?;
        }
    }
    Ok(())
}

fn table_of_export(sheet: &Sheet, export: &Export, compared: bool, ui: Ui) -> Result<(), Exit> {
    table(sheet, ui)?;
    ui.out("\nwhere the values come from")?;
    for variable in &export.variables {
        let kind = variable.kind.name();
        let (current, default) = (&variable.current, &variable.default);
        ui.out(&format!(
            "  {}: current {}, default {}, {kind}{}",
            variable.schema,
            variable.shown(current.as_deref()),
            variable.shown(default.as_deref()),
            variable
                .means
                .map_or_else(String::new, |means| format!(", taken for {means:?} (assumed)")),
        ))?;
    }
    if !export.findings.is_empty() {
        ui.out("")?;
    }
    for finding in &export.findings {
        let word = match finding.weight {
            Weight::Fault => "FAULT",
            Weight::Warning => "warn ",
        };
        ui.out(&format!("{word} {:<27} {}", finding.code, finding.seen))?;
        ui.out(&format!("      do: {}", finding.fix))?;
    }
    ui.out("\nnot in an export: which connections stand behind the references, and whether they are healthy")?;
    if !compared {
        ui.out("not compared: the flows with a baseline; name an earlier export with `--baseline`")?;
    }
    Ok(())
}

fn diff(left: &str, right: &str, format: Format, ui: Ui) -> Result<Exit, Exit> {
    let sheet = |named: &str| read(named, ui).map(|(path, source)| Sheet::of(&path, &source));
    let (left, right) = (sheet(left)?, sheet(right)?);
    let compared = left.compare(&right);
    match format {
        Format::Json => ui.out(&format!(
            "{:#}",
            json!({
                "left": left.source, "right": right.source,
                "differences": compared.differences, "notCompared": compared.not_compared,
            })
        ))?,
        Format::Table => differences(&left, &right, &compared, ui)?,
    }
    Ok(if compared.differences.is_empty() {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

fn differences(left: &Sheet, right: &Sheet, compared: &Compared, ui: Ui) -> Result<(), Exit> {
    ui.out(&format!("left   {}: {}", left.source.display(), left.about))?;
    ui.out(&format!("right  {}: {}", right.source.display(), right.about))?;
    let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut section = "";
    for difference in &compared.differences {
        if difference.section != section {
            section = difference.section;
            ui.out(&format!("\n{section}"))?;
        }
        let (one, two) = (cell(&difference.left), cell(&difference.right));
        ui.out(&format!("  {}: {one}  ≠  {two}", difference.name))?;
    }
    if compared.differences.is_empty() {
        ui.out("\nno difference")?;
    }
    for section in &compared.not_compared {
        ui.out(&format!("\nnot compared: {section}, which only one of the two has"))?;
    }
    Ok(())
}
