//! From paths to scenarios: walks folders, reads files within bounds, and keeps their texts for diagnostics.
//!
//! It prints nothing and decides nothing: whether anything may run while some files are wrong is for the commands.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::catalog;
use crate::diagnostic::{Diagnostic, Sources, Span, nearest};
use crate::scenario::parts::Library;
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
    /// Files that are no scenarios themselves, but what scenarios include.
    pub parts: Vec<String>,
    /// The texts of all files.
    pub sources: Sources,
}

/// The scenarios that come with the binary.
pub fn catalog() -> Loaded {
    let mut loaded = Loaded::default();
    for (path, text) in catalog::FILES {
        loaded.parse(path, text, &BuiltIn);
    }
    loaded
}

/// The parts that come with the binary.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn;

impl Library for BuiltIn {
    fn text(&self, path: &str) -> Result<String, String> {
        let known = catalog::FILES.iter().find(|(known, _)| *known == path);
        known.map(|(_, text)| (*text).to_owned()).ok_or_else(|| {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let beside = catalog::FILES.iter().map(|(known, _)| *known);
            let near = nearest(path, beside.filter(|known| known.starts_with(folder)));
            near.map_or_else(
                || "there is no such file".to_owned(),
                |near| format!("there is no such file; is it `{near}`?"),
            )
        })
    }
}

/// The parts on the disk.
#[derive(Clone, Copy, Debug)]
struct Disk;

impl Library for Disk {
    fn text(&self, path: &str) -> Result<String, String> {
        let bytes = match read(Path::new(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let near = unreadable(Path::new(path), path, &error).help;
                return Err(near.map_or_else(
                    || "there is no such file".to_owned(),
                    |near| format!("there is no such file; {near}"),
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return Err("this is a folder; name a file in it".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        };
        if bytes.len() as u64 > LONGEST {
            return Err("the file is longer than 256 KiB".to_owned());
        }
        String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())
    }
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

/// The texts of files, unread.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Path and text of each, in the order of the arguments.
    pub texts: Vec<(PathBuf, String)>,
    /// What cannot be read.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that diagnostics point into.
    pub sources: Sources,
}

/// The texts of scenario files and parts under files and folders of the disk.
pub fn files(paths: &[PathBuf]) -> Files {
    let mut found = Files::default();
    for path in paths {
        let mut under = Vec::new();
        let name = path.display().to_string();
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                if let Err((folder, error)) = collect(path, 0, &mut under) {
                    let name = folder.display().to_string();
                    let message = format!("cannot read this folder: {error}");
                    found.diagnostics.push(Diagnostic::error(&name, message));
                }
            }
            Ok(_) => under.push(path.clone()),
            Err(error) => found.diagnostics.push(unreadable(path, &name, &error)),
        }
        for file in under {
            let name = file.display().to_string();
            match Disk.text(&name) {
                Ok(text) => found.texts.push((file, text)),
                Err(why) => found
                    .diagnostics
                    .push(Diagnostic::error(&name, format!("cannot read this: {why}"))),
            }
        }
    }
    found
}

impl Loaded {
    fn path(&mut self, path: &Path, seen: &mut BTreeSet<PathBuf>) {
        let name = path.display().to_string();
        // A file may have such a name itself.
        if let Some((file, row)) = name.rsplit_once('#')
            && let Ok(row) = row.parse()
            && !path.exists()
        {
            let before = self.scenarios.len();
            // Another row of the same file is another scenario.
            self.path(Path::new(file), &mut BTreeSet::new());
            self.only_row(file, row, before);
            return;
        }
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
            self.parse(path, text, &BuiltIn);
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
                Ok(text) => self.parse(&name, &text, &Disk),
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

    fn parse(&mut self, name: &str, text: &str, library: &dyn Library) {
        let found = file::read(name, text, library);
        if found.scenarios.is_empty() && found.diagnostics.is_empty() {
            self.parts.push(name.to_owned());
        }
        self.scenarios.extend(found.scenarios);
        self.diagnostics.extend(found.diagnostics);
        self.sources.add(name, text);
        for (path, text) in found.parts {
            self.sources.add(&path, &text);
        }
    }

    /// Only one row of what was found last: `deal.yaml#2`.
    fn only_row(&mut self, path: &str, row: usize, before: usize) {
        let rows = self.scenarios.len() - before;
        if rows == 0 {
            return; // Something is wrong with the file, and told.
        }
        let mut place = 0;
        self.scenarios.retain(|scenario| {
            place += 1;
            place <= before || scenario.row == Some(row)
        });
        if self.scenarios.len() == before {
            let has = match rows {
                1 => "the file has no table of examples, or one row".to_owned(),
                rows => format!("its table of examples has {rows} rows"),
            };
            self.diagnostics
                .push(Diagnostic::error(path, format!("there is no row {row}")).help(has));
        }
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
        let diagnostic = Diagnostic::error(name, format!("cannot read this: {error}"));
        if error.kind() == io::ErrorKind::PermissionDenied {
            return diagnostic.help("you may not read it: ask its owner, or copy it");
        }
        return diagnostic;
    }
    let diagnostic = Diagnostic::error(name, "there is no such file or folder");
    let known = catalog::FILES.iter().map(|(path, _)| (*path).to_owned());
    match nearest_file(path, known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// The file or folder beside a missing one whose name is nearest.
pub fn beside(path: &Path) -> Option<String> {
    nearest_file(path, std::iter::empty())
}

fn nearest_file(path: &Path, further: impl Iterator<Item = String>) -> Option<String> {
    let here = Path::new(".");
    let named = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut beside: Vec<String> = fs::read_dir(named.unwrap_or(here))
        .into_iter()
        .flatten()
        .flatten()
        .take(1_000)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    beside.sort();
    let known = beside.iter().map(|name| match named {
        Some(folder) => folder.join(name).display().to_string(),
        None => name.clone(),
    });
    let known: Vec<String> = known.chain(further).collect();
    nearest(&path.display().to_string(), known.iter().map(String::as_str)).map(str::to_owned)
}
