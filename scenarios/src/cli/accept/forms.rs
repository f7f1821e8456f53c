//! The forms of an acceptance report: one on standard output, any number of files beside it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::AcceptArgs;
use crate::accept;
use crate::accept::report::{self, Report};
use crate::cli::Ui;
use crate::cli::outputs::form_and_file;
use crate::exit::Exit;

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// For CI servers, as XML
    Junit,
    /// Markdown
    Markdown,
    /// One page for a browser
    Html,
}

/// One `--report`.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    form: Format,
    path: PathBuf,
}

const FORMS: [(&str, Format); 4] = [
    ("html", Format::Html),
    ("json", Format::Json),
    ("junit", Format::Junit),
    ("markdown", Format::Markdown),
];

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        form_and_file(text, &FORMS, "html=acceptance.html").map(|(form, path)| Self { form, path })
    }
}

/// Files are opened before the first check, so that a path that cannot be written costs nobody a run.
pub(super) fn writable(reports: &[Wanted], ui: Ui) -> Result<(), Exit> {
    for wanted in reports {
        let opened = std::fs::File::options().create(true).append(true).open(&wanted.path);
        opened.map_err(|error| not_written(&wanted.path, &error, ui))?;
    }
    Ok(())
}

fn not_written(path: &Path, error: &std::io::Error, ui: Ui) -> Exit {
    ui.note(&format!(
        "error: the report {} cannot be written: {error}",
        path.display()
    ));
    Exit::Harness
}

/// Writes every report, and says how it ended.
pub(super) fn close(args: &AcceptArgs, report: &Report, ui: Ui) -> Result<Exit, Exit> {
    for wanted in &args.reports {
        let text = form(wanted.form, report, ui)?;
        std::fs::write(&wanted.path, text).map_err(|error| not_written(&wanted.path, &error, ui))?;
    }
    if args.format == Format::Human {
        ui.out("")?;
    }
    ui.out(form(args.format, report, ui)?.trim_end())?;
    Ok(accept::exit(&report.checks, report.interrupted))
}

fn form(form: Format, report: &Report, ui: Ui) -> Result<String, Exit> {
    let text = match form {
        Format::Human => Ok(report::summary(report)),
        Format::Json => report::json(report).map_err(|error| error.to_string()),
        Format::Junit => report::junit(report).map_err(|error| error.to_string()),
        Format::Markdown => Ok(report::markdown(report)),
        Format::Html => Ok(report::html(report)),
    };
    text.map_err(|error| {
        ui.note(&format!("error: the report could not be made: {error}"));
        Exit::Harness
    })
}
