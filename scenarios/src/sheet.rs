//! What is configured, from an exported solution or a profile, as rows that people read and that two environments are compared by.
//!
//! It reads files and asks no system. Secrets are not in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::export::{Export, ExportError};
use crate::preflight::profile::Profile;

/// The configuration of one environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sheet {
    /// Where it comes from.
    pub source: PathBuf,
    /// What it is, as a sentence without its full stop.
    pub about: String,
    /// Rows by section: `variables`, `flows`, `connections`, `systems`.
    pub sections: BTreeMap<&'static str, BTreeMap<String, String>>,
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// No file of that name.
    #[error("there is no export or profile {0}, {0}.toml or {0}.zip")]
    Missing(String),
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The export cannot be used.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The profile is not in order.
    #[error("the profile {path} is not in order: {reason}")]
    Profile {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        reason: String,
    },
}

/// What was named on the command line.
#[derive(Clone, Debug)]
pub enum Source {
    /// An exported solution.
    Export(Box<Export>),
    /// A profile.
    Profile(Box<Profile>),
}

/// One row that differs; none where a side does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The section.
    pub section: &'static str,
    /// The row's name.
    pub name: String,
    /// Its value on the left.
    pub left: Option<String>,
    /// Its value on the right.
    pub right: Option<String>,
}

/// Two configurations next to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// What differs.
    pub differences: Vec<Difference>,
    /// Sections that only one of the two has.
    pub not_compared: Vec<&'static str>,
}

/// Reads what a path or a name stands for: the file, or the file with `.toml` or `.zip` behind it.
///
/// # Errors
/// Why it cannot be read.
pub fn read(named: &str) -> Result<(PathBuf, Source), SheetError> {
    let tries = [named.to_owned(), format!("{named}.toml"), format!("{named}.zip")];
    let Some(path) = tries.into_iter().map(PathBuf::from).find(|path| path.is_file()) else {
        return Err(SheetError::Missing(named.to_owned()));
    };
    let file = |source| SheetError::File {
        path: path.clone(),
        source,
    };
    if path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("zip")) || is_zip(&path).map_err(file)? {
        let export = Export::read(&path)?;
        return Ok((path, Source::Export(Box::new(export))));
    }
    let text = std::fs::read_to_string(&path).map_err(file)?;
    let profile = Profile::parse(&text).map_err(|reason| SheetError::Profile {
        path: path.clone(),
        reason,
    })?;
    Ok((path, Source::Profile(Box::new(profile))))
}

/// Whether a file begins as zip files do.
fn is_zip(path: &Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(2).read_to_end(&mut start)?;
    Ok(start == b"PK")
}

impl Sheet {
    /// The rows of a source.
    pub fn of(path: &Path, source: &Source) -> Self {
        match source {
            Source::Export(export) => Self::of_export(path, export),
            Source::Profile(profile) => Self::of_profile(path, profile),
        }
    }

    fn of_export(path: &Path, export: &Export) -> Self {
        let managed = match export.managed {
            Some(true) => "managed",
            Some(false) => "unmanaged",
            None => "managed or not",
        };
        let mut variables: BTreeMap<String, String> = export.settings.clone();
        for variable in &export.variables {
            let name = variable.means.unwrap_or(&variable.schema).to_owned();
            variables
                .entry(name)
                .or_insert_with(|| variable.shown(variable.value()));
        }
        let flows = export
            .flows
            .iter()
            .map(|flow| (plain(&flow.name), flow.state.name().to_owned()));
        let connections = export
            .references
            .iter()
            .map(|one| (one.name.clone(), one.connector.clone()));
        Self {
            source: path.to_owned(),
            about: format!("{managed} solution {} {}", export.solution, export.version),
            sections: BTreeMap::from([
                ("variables", variables),
                ("flows", flows.collect()),
                ("connections", connections.collect()),
            ]),
        }
    }

    fn of_profile(path: &Path, profile: &Profile) -> Self {
        let bases = profile.bases().into_iter();
        let mut systems: BTreeMap<String, String> =
            bases.map(|(name, base)| (name.to_owned(), base.to_owned())).collect();
        systems.insert("crm".to_owned(), format!("{:?}", profile.crm).to_lowercase());
        systems.insert("kind".to_owned(), format!("{:?}", profile.kind).to_lowercase());
        if let Some(url) = &profile.partner_center.webhook_url {
            systems.insert("partner-center.webhook-url".to_owned(), without_query(url));
        }
        if let Some(tenant) = &profile.partner_center.sign_in.tenant {
            systems.insert("partner-center.sign-in.tenant".to_owned(), tenant.clone());
        }
        Self {
            source: path.to_owned(),
            about: format!("profile {:?}", profile.name),
            sections: BTreeMap::from([("variables", profile.connector.variables()), ("systems", systems)]),
        }
    }

    /// Compares two configurations in the sections that both have.
    pub fn compare(&self, other: &Self) -> Compared {
        let mut differences = Vec::new();
        let mut not_compared = Vec::new();
        let mut sections: Vec<&'static str> = self.sections.keys().chain(other.sections.keys()).copied().collect();
        sections.sort_unstable();
        sections.dedup();
        for section in sections {
            let (Some(left), Some(right)) = (self.sections.get(section), other.sections.get(section)) else {
                not_compared.push(section);
                continue;
            };
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let (one, two) = (left.get(name), right.get(name));
                if one != two {
                    differences.push(Difference {
                        section,
                        name: name.clone(),
                        left: one.cloned(),
                        right: two.cloned(),
                    });
                }
            }
        }
        Compared {
            differences,
            not_compared,
        }
    }
}

/// A flow's name with plain blanks.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A webhook's URL holds its secret in the query.
fn without_query(url: &str) -> String {
    url.split_once('?')
        .map_or_else(|| url.to_owned(), |(start, _)| format!("{start}?…"))
}
