//! `cosell list`: which scenarios there are.

use clap::{Args, ValueEnum};

use super::{Ui, select};
use crate::exit::Exit;
use crate::scenario::Crm;

/// List scenarios with their titles, without running anything
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    selection: select::Selection,
    /// The form of the list
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The form of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

pub(crate) fn run(args: &ListArgs, ui: Ui) -> Result<Exit, Exit> {
    let filter = args.selection.filter(ui)?;
    let loaded = select::load(&args.selection.paths, ui)?;
    let selected = args.selection.of(&loaded, &filter);
    if selected.is_empty() {
        return Err(args.selection.nothing(&loaded, &filter, ui));
    }
    let names = |crms: &[Crm]| crms.iter().map(|crm| crm.name()).collect::<Vec<&str>>();
    if args.format == Format::Json {
        let listed = selected.iter().map(|(scenario, crms)| {
            serde_json::json!({
                "path": scenario.address(),
                "title": scenario.title,
                "proves": scenario.proves,
                "tags": scenario.tags,
                "crms": names(crms),
                "skip": scenario.skip,
            })
        });
        let listed: Vec<serde_json::Value> = listed.collect();
        ui.out(&format!("{:#}", serde_json::Value::from(listed)))?;
        return Ok(Exit::Passed);
    }
    for (scenario, crms) in &selected {
        let crms = names(crms).join(", ");
        let skipped = scenario
            .skip
            .as_ref()
            .map_or_else(String::new, |why| format!("  (skipped: {why})"));
        ui.out(&format!(
            "{}  [{crms}]  {}{skipped}",
            scenario.address(),
            scenario.title
        ))?;
    }
    ui.note(&match selected.len() {
        1 => "1 scenario".to_owned(),
        count => format!("{count} scenarios"),
    });
    Ok(Exit::Passed)
}
