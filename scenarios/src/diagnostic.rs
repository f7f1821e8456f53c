//! What is wrong, where it stands, what was expected, and what may help: one value for bad files and for failed
//! expectations.
//!
//! It does not decide what is wrong. It shows it: the words of the file with a caret under them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A stretch of a file, in bytes; the end is not part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From the first byte to the byte after the last.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot stand.
    Error,
    /// It can stand, but is hardly meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line, lower case, without a period.
    pub message: String,
    /// The file, as named on the command line.
    pub path: String,
    /// Where in the file, if anywhere.
    pub span: Option<Span>,
    /// What stands under the caret.
    pub label: String,
    /// Further lines: what was expected, what was found.
    pub notes: Vec<String>,
    /// What to do, such as the nearest name.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error in a file, without a place yet.
    pub fn error(path: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            path: path.to_owned(),
            span: None,
            label: String::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// Says where, and what stands under the caret.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// Adds a line.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what was expected and what is, one below the other.
    #[must_use]
    pub fn comparing(self, expected: &str, actual: &str) -> Self {
        self.note(format!("expected: {expected}"))
            .note(format!("  actual: {actual}"))
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The text of every file that diagnostics may point into, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Remembers a file.
    pub fn add(&mut self, path: &str, text: &str) {
        self.0.insert(path.to_owned(), text.to_owned());
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}
