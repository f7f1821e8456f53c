//! `cosell drift`: recorded requests, played at the simulators, and where their answers differ.

use std::path::PathBuf;

use clap::Args;
use cosell_sim::systems::SystemSettings;
use serde_json::json;

use super::{Ui, replay as replays};
use crate::drift::{self, Aspect, Difference, Played, SWITCHES, Switch};
use crate::exit::Exit;
use crate::plan::DEFAULT_SEED;
use crate::replay;

/// Play a recording's requests at the simulators, and tell where their answers differ
///
/// Status, headers that clients read, the vendor's error code, keys and types of the body are compared; values such as
/// identifiers and times are not. Exit code 1 when something differs.
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// A trace that `cosell record` or `cosell run --save-traces` wrote
    trace: PathBuf,
    /// Turn a setting of the simulators to its other value first; may be repeated; an unknown one lists them all
    #[arg(long = "with", value_name = "SWITCH", value_parser = switch)]
    with: Vec<Switch>,
    /// Find out which settings of the simulators make the differences go
    #[arg(long)]
    explain: bool,
    /// The seed of the simulators
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// A setting of the simulators by its name.
fn switch(name: &str) -> Result<Switch, String> {
    Switch::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = SWITCHES.iter().map(|switch| switch.name).collect();
        format!("there is no such setting; there are {}", known.join(", "))
    })
}

pub(crate) fn run(args: &DriftArgs, ui: Ui) -> Result<Exit, Exit> {
    let trace = replay::read_trace(&args.trace).map_err(|error| replays::not_read(&error, ui))?;
    let calls = drift::calls(&trace);
    if calls.is_empty() {
        ui.note(&format!(
            "error: {} holds no request that could be played",
            args.trace.display()
        ));
        ui.note("help: `cosell record` writes traces with requests");
        return Err(Exit::NothingSelected);
    }
    let mut settings = SystemSettings::default();
    for switch in &args.with {
        switch.turn(&mut settings);
    }
    let played = drift::play(&calls, &settings, args.seed);
    let explained = args.explain.then(|| drift::explain(&calls, &settings, args.seed));
    match args.format {
        Format::Text => text(&played, explained.as_ref(), ui)?,
        Format::Json => {
            let (switches, left) = explained.unzip();
            let names = switches.map(|switches| switches.iter().map(|switch| switch.name).collect::<Vec<_>>());
            ui.out(&format!(
                "{:#}",
                json!({"played": played, "explainedBy": names, "left": left})
            ))?;
        }
    }
    Ok(if played.differences.is_empty() {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

fn text(played: &Played, explained: Option<&(Vec<Switch>, Played)>, ui: Ui) -> Result<(), Exit> {
    for difference in &played.differences {
        ui.out(&line(difference))?;
    }
    if let Some((switches, left)) = explained.filter(|_| !played.differences.is_empty()) {
        ui.out("")?;
        for switch in switches {
            ui.out(&format!("explained by --with {}: {}", switch.name, switch.about))?;
        }
        match left.differences.len() {
            0 => ui.out("nothing is left with these")?,
            count => ui.out(&format!("{count} differences are left, which no setting explains:"))?,
        }
        for difference in &left.differences {
            ui.out(&line(difference))?;
        }
    }
    if !played.differences.is_empty() {
        ui.out("")?;
    }
    let (unknown, left_out) = (played.about_unknown_records, played.left_out);
    if unknown > 0 {
        ui.out(&format!(
            "{unknown} calls were about records that were there before the recording, and are not compared"
        ))?;
    }
    if left_out > 0 {
        ui.out(&format!(
            "{left_out} calls were left out: lost on the way, or answered by a busy system"
        ))?;
    }
    ui.out(&format!(
        "{} calls compared, {} differences",
        played.compared,
        played.differences.len()
    ))
}

fn line(difference: &Difference) -> String {
    let Difference {
        site,
        call,
        aspect,
        place,
        recorded,
        simulated,
        times,
        first,
    } = difference;
    let what = match aspect {
        Aspect::Status => "status".to_owned(),
        Aspect::Code => "error code".to_owned(),
        Aspect::Header => format!("header {place}"),
        Aspect::Key => format!("key {place}"),
        Aspect::Type => format!("type of {place}"),
        Aspect::NotSimulated => "not simulated".to_owned(),
    };
    let often = if *times == 1 {
        String::new()
    } else {
        format!(", {times} times")
    };
    format!(
        "{}  {call}: {what}: {recorded:?} recorded, {simulated:?} simulated (exchange {first}{often})",
        site.name()
    )
}
