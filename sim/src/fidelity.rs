//! The fidelity ledger: each simulated behaviour with its mark, source and switch, from `fidelity.tsv`.
//!
//! It simulates nothing. The suite compares the ledger with the code, both ways.

use serde::Serialize;

use crate::site::Site;

/// The file, compiled in.
const TEXT: &str = include_str!("../fidelity.tsv");
/// Its columns.
const HEADER: &str = "id\tsite\tmark\tsource\tswitch\troute\tcode\twhat";

/// How well a behaviour is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// The vendor's documents say so.
    Documented,
    /// A real system was seen to do so.
    Observed,
    /// Nobody says; the simulator had to choose.
    Assumed,
}

impl Mark {
    /// Every mark, best known first.
    pub const ALL: [Self; 3] = [Self::Documented, Self::Observed, Self::Assumed];

    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Assumed => "assumed",
        }
    }
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The row's name: `pc.patch.rights`.
    pub id: &'static str,
    /// The system whose behaviour it is.
    #[serde(serialize_with = "site_name")]
    pub site: Site,
    /// How well it is known.
    pub mark: Mark,
    /// Facts file and section, as `partner-center.md 4.1`.
    pub source: Option<&'static str>,
    /// The setting that changes it.
    pub switch: Option<&'static str>,
    /// Method and path, for the rows that are routes.
    pub route: Option<&'static str>,
    /// The file under `sim/src`.
    pub file: &'static str,
    /// A part of the line in that file where it is decided.
    pub fragment: Option<&'static str>,
    /// The behaviour in a sentence.
    pub what: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn site_name<S: serde::Serializer>(site: &Site, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(site.name())
}

/// Why the file is no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sim/fidelity.tsv:{line}: {problem}")]
pub struct LedgerError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what was expected.
    pub problem: String,
}

/// Every row, in the order of the file.
pub fn ledger() -> Result<Vec<Entry>, LedgerError> {
    read(TEXT)
}

fn read(text: &'static str) -> Result<Vec<Entry>, LedgerError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut headed = false;
    for (index, line) in text.lines().enumerate() {
        let wrong = |problem: String| LedgerError {
            line: index + 1,
            problem,
        };
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if !headed {
            headed = line == HEADER;
            if !headed {
                return Err(wrong(format!("expected the header {HEADER:?}")));
            }
            continue;
        }
        let entry = entry(line).map_err(wrong)?;
        if entries.iter().any(|other| other.id == entry.id) {
            return Err(wrong(format!("the id `{}` is there twice", entry.id)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(line: &'static str) -> Result<Entry, String> {
    let cells: Vec<&str> = line.split('\t').collect();
    let &[id, site, mark, source, switch, route, code, what] = cells.as_slice() else {
        return Err(format!("expected 8 cells parted by tabs, found {}", cells.len()));
    };
    let site_found = Site::ALL.into_iter().find(|one| one.name() == site);
    let mark_found = Mark::ALL.into_iter().find(|one| one.name() == mark);
    let filled = |cell: &'static str| (cell != "-").then_some(cell);
    let (file, fragment) = code
        .split_once('#')
        .map_or((code, None), |(file, part)| (file, Some(part)));
    if [id, file, what].iter().any(|cell| cell.is_empty() || *cell == "-") {
        return Err("`id`, `code` and `what` must be filled".to_owned());
    }
    Ok(Entry {
        id,
        site: site_found.ok_or_else(|| format!("`{site}` is no site: entra, partner-center, salesforce, dataverse"))?,
        mark: mark_found.ok_or_else(|| format!("`{mark}` is no mark: documented, observed, assumed"))?,
        source: filled(source),
        switch: filled(switch),
        route: filled(route),
        file,
        fragment,
        what,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_ledger_is_well_formed() {
        let entries = ledger().unwrap();
        for site in Site::ALL {
            assert!(entries.iter().any(|entry| entry.site == site), "{}", site.name());
        }
        let groundless: Vec<&str> = entries
            .iter()
            .filter(|entry| entry.mark != Mark::Assumed && entry.source.is_none())
            .map(|entry| entry.id)
            .collect();
        assert!(
            groundless.is_empty(),
            "documented or observed, but without a source: {groundless:?}"
        );
    }

    #[test]
    fn a_bad_ledger_names_line_and_fault() {
        let problem = |text: &'static str| read(text).unwrap_err().to_string();
        assert_eq!(
            problem("id\n"),
            format!("sim/fidelity.tsv:1: expected the header {HEADER:?}")
        );
        let head = "id\tsite\tmark\tsource\tswitch\troute\tcode\twhat\n";
        let row = |row: &str| -> &'static str { format!("{head}{row}\n").leak() };
        assert!(problem(row("a\tb")).contains(":2: expected 8 cells parted by tabs, found 2"));
        assert!(problem(row("a\tmars\tassumed\t-\t-\t-\tx.rs\tw")).contains("`mars` is no site"));
        assert!(problem(row("a\tentra\tguessed\t-\t-\t-\tx.rs\tw")).contains("`guessed` is no mark"));
        assert!(problem(row("a\tentra\tassumed\t-\t-\t-\t-\tw")).contains("must be filled"));
        let twice = "a\tentra\tassumed\t-\t-\t-\tx.rs\tw\na\tentra\tassumed\t-\t-\t-\tx.rs\tw";
        assert!(problem(row(twice)).contains(":3: the id `a` is there twice"));
    }
}
