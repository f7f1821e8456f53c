//! From paths to scenarios: walks folders, reads files within bounds, and keeps their texts for diagnostics.
//!
//! It prints nothing and decides nothing: whether anything may run while some files are wrong is for the commands.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::catalog;
use crate::diagnostic::{Diagnostic, Sources, Span, nearest};
use crate::scenario::{Scenario, file};

/// The longest file that is read: a hundred times longer than any scenario.
pub const LONGEST: u64 = 256 * 1024;

/// Folders within each other.
const DEEPEST: usize = 32;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The scenarios that are in order.
    pub scenarios: Vec<Scenario>,
    /// What is wrong with the others.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts of all files.
    pub sources: Sources,
}

/// The scenarios that come with the binary.
pub fn catalog() -> Loaded {
    let mut loaded = Loaded::default();
    for (path, text) in catalog::FILES {
        loaded.parse(path, text);
    }
    loaded
}

/// The scenarios under files and folders, in the order of the arguments, each file once. A path that does not exist on
/// the disk may name a file or a folder of the compiled-in catalog.
pub fn paths(paths: &[PathBuf]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        loaded.path(path, &mut seen);
    }
    loaded
}

impl Loaded {
    fn path(&mut self, path: &Path, seen: &mut BTreeSet<PathBuf>) {
        let name = path.display().to_string();
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                let mut files = Vec::new();
                if let Err((folder, error)) = collect(path, 0, &mut files) {
                    let name = folder.display().to_string();
                    self.diagnostics
                        .push(Diagnostic::error(&name, format!("cannot read this folder: {error}")));
                }
                if files.is_empty() {
                    let diagnostic = Diagnostic::error(&name, "this folder holds no scenario")
                        .help("scenario files end with `.yaml` or `.yml`");
                    self.diagnostics.push(diagnostic);
                }
                for file in files {
                    self.file(&file, seen);
                }
            }
            Ok(_) => self.file(path, seen),
            Err(error) => self.built_in(path, &name, &error),
        }
    }

    fn built_in(&mut self, path: &Path, name: &str, error: &io::Error) {
        let files: Vec<_> = if error.kind() == io::ErrorKind::NotFound {
            catalog::under(name.trim_start_matches("./")).collect()
        } else {
            Vec::new()
        };
        for (path, text) in &files {
            self.parse(path, text);
        }
        if files.is_empty() {
            self.diagnostics.push(unreadable(path, name, error));
        }
    }

    fn file(&mut self, path: &Path, seen: &mut BTreeSet<PathBuf>) {
        if !seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())) {
            return;
        }
        let name = path.display().to_string();
        match read(path) {
            Ok(bytes) if bytes.len() as u64 > LONGEST => {
                let diagnostic = Diagnostic::error(&name, "the file is longer than 256 KiB")
                    .help("a scenario has some twenty lines; is this another kind of file?");
                self.diagnostics.push(diagnostic);
            }
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => self.parse(&name, &text),
                Err(error) => self.not_utf8(&name, error.utf8_error().valid_up_to(), error.as_bytes()),
            },
            Err(error) => self.diagnostics.push(unreadable(path, &name, &error)),
        }
    }

    fn not_utf8(&mut self, name: &str, at: usize, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        self.sources.add(name, &text);
        let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
        let help = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this is UTF-16; save it as UTF-8",
            _ => "save it as UTF-8",
        };
        let diagnostic = Diagnostic::error(
            name,
            format!("the file is not UTF-8: byte {at} belongs to no character"),
        )
        .at(Span::new(at, end), "readable up to here")
        .help(help);
        self.diagnostics.push(diagnostic);
    }

    fn parse(&mut self, name: &str, text: &str) {
        match file::parse(name, text) {
            Ok(scenario) => self.scenarios.push(scenario),
            Err(diagnostics) => self.diagnostics.extend(diagnostics),
        }
        self.sources.add(name, text);
    }
}

/// One byte more than allowed, at most: a device without end ends here too.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Scenario files under a folder, sorted by name; hidden ones and linked folders are left out.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let fail = |error| (folder.to_path_buf(), error);
    if depth > DEEPEST {
        return Err(fail(io::Error::other(format!(
            "more than {DEEPEST} folders within each other"
        ))));
    }
    let mut entries = fs::read_dir(folder)
        .map_err(fail)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if entry.file_type().map_err(fail)?.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, name: &str, error: &io::Error) -> Diagnostic {
    if error.kind() != io::ErrorKind::NotFound {
        return Diagnostic::error(name, format!("cannot read this: {error}"));
    }
    let diagnostic = Diagnostic::error(name, "there is no such file or folder");
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let mut beside: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .take(1_000)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    beside.sort();
    let mut known: Vec<String> = beside
        .iter()
        .map(|name| folder.join(name).display().to_string())
        .collect();
    known.extend(catalog::FILES.iter().map(|(path, _)| (*path).to_owned()));
    let here = folder.join(&*wanted).display().to_string();
    match nearest(&here, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}
