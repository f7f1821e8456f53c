//! Which runs failed last time, for `--last-failed`: a small file for each working folder, in the user's state folder.
//!
//! Nothing is written into the working folder. A run without failures removes what was remembered.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs, io};

use serde::{Deserialize, Serialize};

use crate::scenario::Crm;

/// The runs that did not pass, by path and CRM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LastRun {
    /// The folder in which the paths are to be read.
    folder: PathBuf,
    failed: BTreeSet<(String, Crm)>,
}

impl LastRun {
    /// Remembers that a run did not pass.
    pub(crate) fn failed(&mut self, path: &str, crm: Crm) {
        self.failed.insert((path.to_owned(), crm));
    }

    /// Whether a run did not pass last time.
    pub(crate) fn holds(&self, path: &str, crm: Crm) -> bool {
        self.failed.contains(&(path.to_owned(), crm))
    }

    /// The paths that did not pass.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let paths: BTreeSet<PathBuf> = self.failed.iter().map(|(path, _)| PathBuf::from(path)).collect();
        paths.into_iter().collect()
    }

    /// What is remembered for the working folder; `None` when nothing failed last time.
    pub(crate) fn read() -> io::Result<Option<Self>> {
        let folder = env::current_dir()?;
        let text = match fs::read_to_string(file(&folder)?) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let read: Self = serde_json::from_str(&text)?;
        Ok((read.folder == folder).then_some(read))
    }

    /// Remembers this for the working folder, or forgets what was remembered when nothing failed.
    pub(crate) fn write(mut self) -> io::Result<()> {
        self.folder = env::current_dir()?;
        let file = file(&self.folder)?;
        if self.failed.is_empty() {
            return match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, serde_json::to_string_pretty(&self)?)
    }
}

/// `COSELL_STATE_DIR`, else the XDG state folder, else its default under the home folder.
fn file(folder: &std::path::Path) -> io::Result<PathBuf> {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = named("COSELL_STATE_DIR")
        .or_else(|| named("XDG_STATE_HOME").map(|state| state.join("cosell")))
        .or_else(|| env::home_dir().map(|home| home.join(".local/state/cosell")))
        .ok_or_else(|| io::Error::other("there is no home folder; set COSELL_STATE_DIR"))?;
    Ok(state.join(format!(
        "last-run-{:016x}.json",
        fnv(folder.to_string_lossy().as_bytes())
    )))
}

/// FNV-1a: a short name for a folder. The file holds the folder itself, so that two folders cannot be mistaken.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
