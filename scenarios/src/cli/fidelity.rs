//! `cosell fidelity`: what of the simulators is documented, observed or assumed.

use clap::{Args, ValueEnum};
use cosell_sim::fidelity::{Entry, Mark, ledger};
use cosell_sim::site::Site;

use super::Ui;
use crate::exit::Exit;

/// Print the fidelity ledger: each simulated behaviour, whether it is documented, observed or assumed, and by which source
#[derive(Debug, Args)]
pub(crate) struct FidelityArgs {
    /// Only the behaviours of this system
    #[arg(long, value_enum)]
    site: Option<SiteChoice>,
    /// Only the behaviours with this mark
    #[arg(long, value_enum)]
    mark: Option<MarkChoice>,
    /// The form of the ledger
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A system on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SiteChoice {
    /// Microsoft Entra ID
    Entra,
    /// Partner Center
    PartnerCenter,
    /// Salesforce
    Salesforce,
    /// Dynamics 365 on Dataverse
    Dataverse,
}

/// A mark on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MarkChoice {
    /// The vendor's documents say so
    Documented,
    /// A real system was seen to do so
    Observed,
    /// Nobody says; the simulator had to choose
    Assumed,
}

/// The form of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// One JSON document
    Json,
}

pub(crate) fn run(args: &FidelityArgs, ui: Ui) -> Result<Exit, Exit> {
    let entries = ledger().map_err(|error| {
        ui.note(&format!("error: {error}"));
        Exit::Harness
    })?;
    let site = args.site.map(|choice| match choice {
        SiteChoice::Entra => Site::Entra,
        SiteChoice::PartnerCenter => Site::PartnerCenter,
        SiteChoice::Salesforce => Site::Salesforce,
        SiteChoice::Dataverse => Site::Dataverse,
    });
    let mark = args.mark.map(|choice| match choice {
        MarkChoice::Documented => Mark::Documented,
        MarkChoice::Observed => Mark::Observed,
        MarkChoice::Assumed => Mark::Assumed,
    });
    let shown: Vec<&Entry> = entries
        .iter()
        .filter(|entry| site.is_none_or(|site| site == entry.site) && mark.is_none_or(|mark| mark == entry.mark))
        .collect();
    match args.format {
        Format::Table => {
            for line in table(&shown) {
                ui.out(&line)?;
            }
        }
        Format::Json => {
            let document = serde_json::to_string_pretty(&shown).map_err(|error| {
                ui.note(&format!("error: the ledger could not be printed: {error}"));
                Exit::Harness
            })?;
            ui.out(&document)?;
        }
    }
    ui.note(&counts(&shown));
    Ok(Exit::Passed)
}

/// A line for each row, its first columns of equal width.
fn table(entries: &[&Entry]) -> Vec<String> {
    let width = |cell: fn(&Entry) -> &str| entries.iter().map(|entry| cell(entry).len()).max().unwrap_or_default();
    let (id, source) = (width(|entry| entry.id), width(|entry| entry.source.unwrap_or("-")));
    let line = |entry: &&Entry| {
        let route = entry.route.map(|route| format!("{route}: ")).unwrap_or_default();
        let switch = entry.switch.map(|switch| format!(" [switch {switch}]"));
        let what = format!("{route}{}{}", entry.what, switch.unwrap_or_default());
        let (mark, text) = (entry.mark.name(), entry.source.unwrap_or("-"));
        format!(
            "{:<id$}  {:<14}  {mark:<10}  {text:<source$}  {what}",
            entry.id,
            entry.site.name()
        )
    };
    entries.iter().map(line).collect()
}

fn counts(entries: &[&Entry]) -> String {
    let of = |mark: Mark| entries.iter().filter(|entry| entry.mark == mark).count();
    let marks: Vec<String> = Mark::ALL
        .into_iter()
        .map(|mark| format!("{} {}", of(mark), mark.name()))
        .collect();
    format!("{} behaviours: {}", entries.len(), marks.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_mark_source_and_switch() {
        let entries = ledger().unwrap();
        let one = entries.iter().find(|entry| entry.id == "pc.switch.page-size").unwrap();
        let lines = table(&[one]);
        assert_eq!(
            lines,
            [
                "pc.switch.page-size  partner-center  assumed     partner-center.md 1.5  \
              100 rows on a page: inferred from \"more than 100 items\". [switch page_size]"
            ]
        );
        assert_eq!(counts(&[one]), "1 behaviours: 0 documented, 0 observed, 1 assumed");
    }
}
