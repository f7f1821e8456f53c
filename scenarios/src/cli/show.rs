//! `cosell show`: both records of each deal at one moment of a run.

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;

use super::{Ui, replay as replays, select};
use crate::board::Board;
use crate::exit::Exit;
use crate::plan::{Plan, crms_of};
use crate::report::human;
use crate::sides::{self, Sides};
use crate::simulate::{self, Options};
use crate::trace::Trace;
use crate::{load, replay};

/// Show both records of each deal at one moment of a run
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A scenario, which is run first, or a saved trace (.jsonl)
    path: PathBuf,
    /// The moment, from the start of the run, such as 2h or 1d 30m; the end when not given
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = moment)]
    at: Option<SignedDuration>,
    /// Only on this CRM
    #[arg(long, value_enum)]
    crm: Option<select::CrmChoice>,
    /// The seed, instead of the scenario's own
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = select::seed)]
    seed: Option<u64>,
}

fn moment(text: &str) -> Result<SignedDuration, String> {
    let parsed = text.parse::<SignedDuration>().ok().or_else(|| days(text));
    parsed
        .filter(|at| !at.is_negative())
        .ok_or_else(|| "expected a time such as 90s, 10m, 2h or 1d 4h".to_owned())
}

/// `1d 4h`: a day has 24 hours in virtual time.
fn days(text: &str) -> Option<SignedDuration> {
    let (days, rest) = text.split_once('d')?;
    let days: i64 = days.trim().parse().ok()?;
    let rest = rest.trim();
    let rest = if rest.is_empty() {
        SignedDuration::ZERO
    } else {
        rest.parse().ok()?
    };
    SignedDuration::from_hours(days.checked_mul(24)?).checked_add(rest)
}

pub(crate) fn run(args: &ShowArgs, ui: Ui) -> Result<Exit, Exit> {
    if args.path.extension().is_some_and(|kind| kind == "jsonl") {
        let trace = replay::read_trace(&args.path).map_err(|error| replays::not_read(&error, ui))?;
        print(&trace, args.at, ui)?;
        return Ok(Exit::Passed);
    }
    let loaded: load::Loaded = select::load(std::slice::from_ref(&args.path), ui)?;
    let only = args.crm.map(select::CrmChoice::crm);
    for scenario in &loaded.scenarios {
        for crm in crms_of(scenario)
            .into_iter()
            .filter(|crm| only.is_none_or(|only| only == *crm))
        {
            let plan = Plan::of(scenario, crm, args.seed);
            let trace = simulate::run(&plan, &Options::default()).map_err(|error| {
                ui.note(&format!(
                    "error: {} cannot be run on {}: {error}",
                    plan.path,
                    crm.name()
                ));
                Exit::Usage
            })?;
            print(&trace, args.at, ui)?;
        }
    }
    Ok(Exit::Passed)
}

fn print(trace: &Trace, at: Option<SignedDuration>, ui: Ui) -> Result<(), Exit> {
    let header = &trace.header;
    let mut board = Board::new(header);
    let start = trace.entries.first().map(|entry| entry.at);
    let mut last = SignedDuration::ZERO;
    for entry in &trace.entries {
        let since = start.map_or(SignedDuration::ZERO, |start| entry.at.duration_since(start));
        if at.is_some_and(|at| since > at) {
            break;
        }
        last = since;
        board.apply(entry);
    }
    let end = trace.entries.last().zip(start);
    let end = end.map_or(SignedDuration::ZERO, |(entry, start)| entry.at.duration_since(start));
    let when = match at {
        Some(at) if at > end => format!(
            "{} after the start (the run ended {} after the start)",
            human::time(at),
            human::time(end)
        ),
        at => format!("{} after the start", human::time(at.unwrap_or(last))),
    };
    ui.out(&format!("{} on {}, {when}", header.title, header.crm.name()))?;
    let deals = sides::of(&board);
    if deals.is_empty() {
        ui.out("  no deal is on either side yet")?;
    }
    for deal in &deals {
        for line in table(deal, header.crm.name()) {
            ui.out(&line)?;
        }
    }
    ui.out("")
}

/// A deal as a table: both sides next to each other, `≠` before what differs.
fn table(deal: &Sides, crm: &str) -> Vec<String> {
    let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let width = deal
        .lines
        .iter()
        .map(|line| cell(&line.pc).chars().count())
        .max()
        .unwrap_or(0)
        .max(14);
    let mut lines = vec![format!("  {:<12}  {:<width$}  {crm}", deal.deal, "partner center")];
    for line in &deal.lines {
        let mark = if line.differs { '≠' } else { ' ' };
        lines.push(format!(
            "{mark} {:<12}  {:<width$}  {}",
            line.what,
            cell(&line.pc),
            cell(&line.crm)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_may_have_days() {
        assert_eq!(moment("2h"), Ok(SignedDuration::from_hours(2)));
        assert_eq!(moment("1d 30m"), Ok(SignedDuration::from_mins(24 * 60 + 30)));
        assert_eq!(moment("2d"), Ok(SignedDuration::from_hours(48)));
        assert!(moment("soon").is_err() && moment("-2h").is_err());
    }
}
