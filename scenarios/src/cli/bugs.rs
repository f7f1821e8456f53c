//! `cosell bugs`: the harness shows that it can fail. Every deliberately broken connector must be caught by the invariant
//! that claims it.

use std::path::PathBuf;

use clap::Args;
use cosell_connector::planted::Planted;

use super::Ui;
use crate::exit::Exit;
use crate::explore::bugs::{Caught, Hunt, hunt_all};
use crate::explore::folder::scenario_of;

/// Run every deliberately broken connector until the invariant that claims it speaks
#[derive(Debug, Args)]
pub(crate) struct BugsArgs {
    /// Only these; all of them when none is named
    names: Vec<String>,
    /// List them, with what each breaks and which invariant claims it, and run nothing
    #[arg(long)]
    list: bool,
    /// From how many places among the seeds each is hunted; the median is told
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Runs after which a hunt is given up
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    most: u64,
    /// Threads; as many as there are cores when left out
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// Print the table as the guide shows it, in Markdown
    #[arg(long)]
    markdown: bool,
    /// Write the shortest scenario of each into this folder
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
}

/// The bug of that name.
pub(super) fn known(name: Option<&str>, ui: Ui) -> Result<Option<String>, Exit> {
    let Some(name) = name else { return Ok(None) };
    if Planted::from_name(name).is_some() {
        return Ok(Some(name.to_owned()));
    }
    let near = crate::diagnostic::nearest(name, Planted::ALL.map(Planted::name));
    let help = near.map_or_else(
        || "`cosell bugs --list` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let what = format!("no planted bug is called `{name}`");
    Err(super::explore::usage(ui, &what, &help))
}

pub(crate) fn run(args: &BugsArgs, ui: Ui) -> Result<Exit, Exit> {
    for name in &args.names {
        known(Some(name), ui)?;
    }
    let bugs: Vec<Planted> = Planted::ALL
        .into_iter()
        .filter(|bug| args.names.is_empty() || args.names.iter().any(|name| name == bug.name()))
        .collect();
    if args.list {
        for bug in bugs {
            let (name, area, claim) = (bug.name(), bug.area(), bug.claimed_by());
            ui.out(&format!("{name:<32} {area:<10} {claim:<18} {}", bug.about()))?;
        }
        return Ok(Exit::Passed);
    }
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder).map_err(|error| {
            let what = format!("the folder {} cannot be written: {error}", folder.display());
            super::explore::usage(ui, &what, "name a folder that can be")
        })?;
    }
    let hunt = Hunt {
        places: args.seeds,
        most: args.most,
        jobs: super::explore::jobs(args.jobs, ui)?,
    };
    if args.markdown {
        ui.out("| bug | area | caught by | what it does | runs | seconds | steps |\n|---|---|---|---|---|---|---|")?;
    } else {
        ui.out(&format!(
            "{:<32} {:<10} {:<18} {:>6} {:>8} {:>6}",
            "planted bug", "area", "caught by", "runs", "seconds", "steps"
        ))?;
    }
    let mut escaped = Vec::new();
    let mut lengths = Vec::new();
    let mut told = Ok(());
    hunt_all(&bugs, hunt, |caught| {
        told = told.and(tell(args, ui, caught, &mut escaped, &mut lengths));
    });
    told?;
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    ui.out(&format!(
        "{} of {} caught; {median} steps in the median after shrinking",
        bugs.len() - escaped.len(),
        bugs.len()
    ))?;
    for name in &escaped {
        ui.note(&format!(
            "error: `{name}` was not caught by the invariant that claims it"
        ));
    }
    Ok(if escaped.is_empty() { Exit::Passed } else { Exit::Failed })
}

fn tell(
    args: &BugsArgs,
    ui: Ui,
    caught: &Caught,
    escaped: &mut Vec<&'static str>,
    lengths: &mut Vec<usize>,
) -> Result<(), Exit> {
    let name = caught.bug.name();
    ui.out(&row(caught, args.markdown))?;
    let Some(failure) = &caught.shortest else {
        escaped.push(name);
        return Ok(());
    };
    lengths.push(failure.draft.steps.len());
    if let Some(folder) = &args.save {
        let text = format!(
            "# Planted bug `{name}`: {}.\n# `cosell run --planted {name}` on this file shows it; without it, it passes.\n{}",
            caught.bug.about(),
            scenario_of(failure, caught.bug.hunted_with())
        );
        let path = folder.join(format!("{name}.yaml"));
        std::fs::write(&path, text).map_err(|error| {
            ui.note(&format!("error: {} cannot be written: {error}", path.display()));
            Exit::Harness
        })?;
    }
    Ok(())
}

/// One bug's row of the table.
fn row(caught: &Caught, markdown: bool) -> String {
    let bug = caught.bug;
    let (name, area, claim, about) = (bug.name(), bug.area(), bug.claimed_by(), bug.about());
    let (runs, seconds) = (caught.runs, caught.seconds);
    match (
        caught.shortest.as_ref().map(|failure| failure.draft.steps.len()),
        markdown,
    ) {
        (Some(steps), true) => {
            format!("| `{name}` | {area} | `{claim}` | {about} | {runs} | {seconds:.1} | {steps} |")
        }
        (None, true) => format!("| `{name}` | {area} | not caught | {about} | {runs} | {seconds:.1} | |"),
        (Some(steps), false) => format!("{name:<32} {area:<10} {claim:<18} {runs:>6} {seconds:>8.2} {steps:>6}"),
        (None, false) => format!("{name:<32} {area:<10} {:<18} {runs:>6} {seconds:>8.2}", "not caught"),
    }
}
