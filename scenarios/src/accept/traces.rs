//! Traces of the checks, one file for each, for `cosell replay`.

use std::path::PathBuf;

use super::Checked;
use super::checks::Check;
use crate::load::{self, Loaded};
use crate::replay;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// A folder for traces.
#[derive(Debug)]
pub struct Traces {
    folder: PathBuf,
    catalog: Loaded,
}

impl Traces {
    /// Makes the folder when it is not there.
    ///
    /// # Errors
    /// What the machine says.
    pub fn new(folder: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let catalog = load::catalog();
        Ok(Self { folder, catalog })
    }

    /// Keeps the trace of a check; a check whose trace cannot be written says so.
    pub(super) fn keep(&self, check: Check, scenario: &Scenario, trace: &Trace, checked: &mut Checked) {
        let header = replay::header(trace, scenario, &self.catalog.sources, &self.catalog.scenarios);
        let file = self.folder.join(format!("{:02}-{}.jsonl", check.number, check.code));
        let kept = trace
            .json_lines_under(&header)
            .map_err(|error| error.to_string())
            .and_then(|text| std::fs::write(&file, text).map_err(|error| error.to_string()));
        checked.seen.push(match kept {
            Ok(()) => format!("trace: {}", file.display()),
            Err(why) => format!("the trace {} could not be written: {why}", file.display()),
        });
    }
}
