//! Saved traces, read back with the scenario that they hold: judged and shown again without running anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::diagnostic::{Sources, Style, render};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::scenario::file;
use crate::scenario::parts::Library;
use crate::trace::{Header, Trace, TraceError};

/// The longest trace that is read, in bytes.
const LONGEST: u64 = 1024 * 1024 * 1024;

/// A saved run.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The scenario that was run.
    pub scenario: Scenario,
    /// What was run.
    pub plan: Plan,
    /// What happened.
    pub trace: Trace,
    /// The texts of the scenario and its parts.
    pub sources: Sources,
}

/// Why a saved run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no trace of this version.
    #[error("{path} is no trace that this version reads: {reason}")]
    Trace {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        reason: String,
        /// What to do.
        help: String,
    },
    /// It holds no scenario.
    #[error("{0} holds no scenario: it was saved by an older version, or cut")]
    NoScenario(PathBuf),
    /// This version does not read its scenario.
    #[error("the scenario in {path} cannot be read by this version:\n{faults}")]
    Scenario {
        /// The file.
        path: PathBuf,
        /// Every fault with its place.
        faults: String,
    },
}

/// The header under which a run is saved: with the text of its scenario and of the parts that it may include.
pub fn header(trace: &Trace, scenario: &Scenario, sources: &Sources, scenarios: &[Scenario]) -> Header {
    let mut header = trace.header.clone();
    for (path, text) in sources.iter() {
        let is_other = path != scenario.path && scenarios.iter().any(|other| other.path == path);
        if !is_other {
            header.sources.insert(path.to_owned(), text.to_owned());
        }
    }
    header
}

struct Kept<'a>(&'a BTreeMap<String, String>);

impl Library for Kept<'_> {
    fn text(&self, path: &str) -> Result<String, String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| "the trace does not hold it".to_owned())
    }
}

/// Reads a saved run.
///
/// # Errors
/// Why it cannot be read, with the file and what is wrong with it.
pub fn read(path: &Path) -> Result<Replayed, ReplayError> {
    let trace = read_trace(path)?;
    let address = trace.header.path.clone();
    let name = address.rsplit_once('#').map_or(address.as_str(), |(name, _)| name);
    let texts = &trace.header.sources;
    let Some((name, text)) = texts.get_key_value(&address).or_else(|| texts.get_key_value(name)) else {
        return Err(ReplayError::NoScenario(path.to_owned()));
    };
    let found = file::read(name, text, &Kept(texts));
    let mut sources = Sources::default();
    for (path, text) in texts {
        sources.add(path, text);
    }
    let Some(scenario) = found
        .scenarios
        .into_iter()
        .find(|scenario| scenario.address() == address)
    else {
        return Err(ReplayError::Scenario {
            path: path.to_owned(),
            faults: render(&found.diagnostics, &sources, Style::PLAIN),
        });
    };
    let mut plan = Plan::of(&scenario, trace.header.crm, Some(trace.header.seed));
    plan.planted.clone_from(&trace.header.planted);
    Ok(Replayed {
        scenario,
        plan,
        trace,
        sources,
    })
}

/// Reads a trace, whether it holds its scenario or not.
///
/// # Errors
/// Why it cannot be read, with the file and the line.
pub fn read_trace(path: &Path) -> Result<Trace, ReplayError> {
    let file = |source| ReplayError::File {
        path: path.to_owned(),
        source,
    };
    let found = fs::metadata(path).map_err(file)?;
    if found.is_dir() {
        return Err(file(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")));
    }
    let length = found.len();
    if length > LONGEST {
        let source = io::Error::other(format!("it has {length} bytes, more than {LONGEST}"));
        return Err(file(source));
    }
    let text = fs::read_to_string(path).map_err(file)?;
    Trace::from_json_lines(&text).map_err(|error| {
        let cut_off = !text.ends_with('\n');
        let again = "save it again with `cosell run --save-traces FOLDER`".to_owned();
        let (reason, help) = match &error {
            TraceError::Line { line: 1, .. } if !text.starts_with('{') => (
                "its first line is no JSON".to_owned(),
                "`cosell run --save-traces FOLDER` writes traces; scenarios are run, not replayed".to_owned(),
            ),
            TraceError::Line { line, source } if *line == text.lines().count() && cut_off => {
                (format!("its last line, {line}, is cut off ({source})"), again)
            }
            TraceError::Line { source, .. } => (format!("{error}: {source}"), again),
            TraceError::Newer { version, .. } => (
                error.to_string(),
                format!("read it with version {version} or a later one, or save it again with this one"),
            ),
            TraceError::Empty | TraceError::BreaksOff { .. } => (error.to_string(), again),
        };
        ReplayError::Trace {
            path: path.to_owned(),
            reason,
            help,
        }
    })
}

/// The traces under paths: files as they are, and of folders every `.jsonl` in order of its name.
///
/// # Errors
/// The first path that cannot be read.
pub fn under(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ReplayError> {
    let mut found = Vec::new();
    for path in paths {
        let file = |source| ReplayError::File {
            path: path.clone(),
            source,
        };
        if !fs::metadata(path).map_err(file)?.is_dir() {
            found.push(path.clone());
            continue;
        }
        let entries: Result<Vec<PathBuf>, io::Error> = fs::read_dir(path)
            .map_err(file)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect();
        let mut files = entries.map_err(file)?;
        files.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
        files.sort();
        found.extend(files);
    }
    Ok(found)
}
