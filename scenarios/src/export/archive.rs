//! An export as a zip file: the entries that hold configuration, each within bounds. Nothing is written to a disk, and nothing
//! else in the archive is unpacked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

/// The longest file that is opened, in bytes.
const FILE_MAX: u64 = 256 << 20;
/// The most entries that an archive may list.
const ENTRIES_MAX: usize = 20_000;
/// The longest entry that is unpacked, in bytes.
const ENTRY_MAX: u64 = 32 << 20;
/// How much is unpacked of one archive, in bytes.
const ALL_MAX: u64 = 128 << 20;

/// Why an export cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file cannot be opened.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no zip, or a part of one.
    #[error(
        "{path} is no whole zip file ({reason}): the download was cut off, or it is something else; export it again"
    )]
    NotZip {
        /// The file.
        path: PathBuf,
        /// What the reader of zip files says.
        reason: String,
    },
    /// It unpacks to more than anybody exports.
    #[error("{path} is not unpacked: {what}; no solution is that large")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large.
        what: String,
    },
    /// An entry points out of the archive.
    #[error("{path} is not read: its entry {entry:?} points out of the archive, which no export does")]
    Outside {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        entry: String,
    },
    /// It holds no solution.
    #[error("{path} holds no solution: there is no solution.xml at its top{hint}")]
    NoSolution {
        /// The file.
        path: PathBuf,
        /// What it seems to be instead.
        hint: String,
    },
    /// The solution's own description cannot be read.
    #[error("{path}: {entry} cannot be read: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// Why.
        reason: String,
    },
}

/// What an export holds, as far as it was unpacked.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// The entries of configuration, by their names with forward slashes.
    pub(super) texts: BTreeMap<String, String>,
    /// Entries of configuration that could not be unpacked, and why.
    pub(super) damaged: BTreeMap<String, String>,
    /// Zip files inside, which are not opened.
    pub(super) nested: Vec<String>,
}

impl Unpacked {
    /// The text of an entry, found without regard to case.
    pub(super) fn text(&self, name: &str) -> Option<(&str, &str)> {
        let found = self.texts.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(known, text)| (known.as_str(), text.as_str()))
    }
}

/// Unpacks the entries of configuration.
pub(super) fn unpack(path: &Path) -> Result<Unpacked, ExportError> {
    let file = |source| ExportError::File {
        path: path.to_owned(),
        source,
    };
    let opened = File::open(path).map_err(file)?;
    let length = opened.metadata().map_err(file)?.len();
    if length > FILE_MAX {
        return Err(too_large(path, format!("it has {length} bytes, more than {FILE_MAX}")));
    }
    let archive = ZipArchive::new(BufReader::new(opened)).map_err(|error| ExportError::NotZip {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    unpack_all(path, archive)
}

fn too_large(path: &Path, what: String) -> ExportError {
    ExportError::TooLarge {
        path: path.to_owned(),
        what,
    }
}

fn unpack_all<R: Read + Seek>(path: &Path, mut archive: ZipArchive<R>) -> Result<Unpacked, ExportError> {
    if archive.len() > ENTRIES_MAX {
        let count = archive.len();
        return Err(too_large(
            path,
            format!("it lists {count} entries, more than {ENTRIES_MAX}"),
        ));
    }
    let mut unpacked = Unpacked::default();
    let mut left = ALL_MAX;
    for index in 0..archive.len() {
        let raw = match archive.name_for_index(index) {
            Some(Ok(name)) => name.into_owned(),
            // A name that is no text names nothing that is looked for.
            Some(Err(_)) | None => continue,
        };
        let name = raw.replace('\\', "/");
        if name.starts_with('/') || name.contains(':') || name.split('/').any(|part| part == "..") {
            return Err(ExportError::Outside {
                path: path.to_owned(),
                entry: raw,
            });
        }
        if name.to_ascii_lowercase().ends_with(".zip") {
            unpacked.nested.push(name);
        } else if is_configuration(&name) {
            match read_entry(&mut archive, index, left.min(ENTRY_MAX)) {
                Ok(Some(text)) => {
                    left -= text.len() as u64;
                    unpacked.texts.insert(name, text);
                }
                Ok(None) => {
                    let what = format!("its entry {name} unpacks to more than {} bytes", left.min(ENTRY_MAX));
                    return Err(too_large(path, what));
                }
                Err(reason) => drop(unpacked.damaged.insert(name, reason)),
            }
        }
    }
    Ok(unpacked)
}

/// Whether an entry is looked at: the rest are forms, icons, code.
fn is_configuration(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (folder, kind) = (name.split('/').next().unwrap_or_default(), name.rsplit('.').next());
    match folder {
        "solution.xml" | "customizations.xml" => true,
        // What SolutionPackager makes of a solution, told apart in the error.
        "other" => name == "other/solution.xml",
        "workflows" => kind == Some("json"),
        "environmentvariabledefinitions" => matches!(kind, Some("xml" | "json")),
        _ => false,
    }
}

/// The text of an entry; none when it is longer than `most` bytes, whatever the archive says of its length.
fn read_entry<R: Read + Seek>(archive: &mut ZipArchive<R>, index: usize, most: u64) -> Result<Option<String>, String> {
    let entry = archive.by_index(index).map_err(|error| {
        let encrypted = matches!(error, ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED));
        if encrypted {
            "it is encrypted".to_owned()
        } else {
            error.to_string()
        }
    })?;
    let mut bytes = Vec::new();
    entry
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Ok(None);
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())?;
    Ok(Some(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned)))
}
