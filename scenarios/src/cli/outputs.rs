//! Where reports go: `--format` on standard output, any number of `--report FORM=FILE` beside it.
//!
//! Files are opened before the first run, so that a path that cannot be written costs nobody a run.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::Ui;
use crate::diagnostic::{Sources, nearest};
use crate::exit::Exit;
use crate::report::github::Github;
use crate::report::html::Html;
use crate::report::json::{Json, JsonLines};
use crate::report::junit::Junit;
use crate::report::markdown::Markdown;
use crate::report::{Ended, Ran, Report, Sink};

/// The form of what goes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// For people, and annotations for GitHub Actions
    Github,
    /// One JSON document
    Json,
    /// A JSON line for each run
    Jsonl,
    /// For CI servers, as XML
    Junit,
    /// A Markdown summary
    Markdown,
}

impl Format {
    /// Whether a person reads along.
    pub(crate) fn for_people(self) -> bool {
        matches!(self, Self::Human | Self::Github)
    }
}

/// A form of report that can go to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Jsonl,
    Junit,
    Markdown,
    Html,
}

const FORMS: [(&str, Form); 5] = [
    ("html", Form::Html),
    ("json", Form::Json),
    ("jsonl", Form::Jsonl),
    ("junit", Form::Junit),
    ("markdown", Form::Markdown),
];

impl Form {
    fn into(self, sink: Sink, selected: usize) -> io::Result<Box<dyn Report>> {
        Ok(match self {
            Self::Json => Box::new(Json::new(sink)),
            Self::Jsonl => Box::new(JsonLines::new(sink, selected)?),
            Self::Junit => Box::new(Junit::new(sink)),
            Self::Markdown => Box::new(Markdown::new(sink)),
            Self::Html => Box::new(Html::new(sink)),
        })
    }
}

/// One `--report`.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    form: Form,
    path: PathBuf,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        form_and_file(text, &FORMS, "junit=report.xml").map(|(form, path)| Self { form, path })
    }
}

impl Wanted {
    /// Why the file cannot take this report: another report goes there, or it is one that the command reads.
    fn may_be_written(&self, before: &[Self], kept: &[&str]) -> Result<(), String> {
        let Ok(file) = std::fs::canonicalize(&self.path) else {
            let twice = before.iter().any(|other| other.path == self.path);
            return if twice { Err(self.twice()) } else { Ok(()) };
        };
        // Pipes and devices take what comes, as often as it comes.
        if !file.is_file() {
            return Ok(());
        }
        let is_it = |path: &Path| std::fs::canonicalize(path).is_ok_and(|path| path == file);
        if before.iter().any(|other| is_it(&other.path)) {
            return Err(self.twice());
        }
        if kept.iter().any(|path| is_it(Path::new(path))) {
            return Err(format!(
                "{} is read by this command: a report would replace it",
                self.path.display()
            ));
        }
        Ok(())
    }

    fn twice(&self) -> String {
        format!("two reports go to {}", self.path.display())
    }
}

/// Reads `FORM=FILE`. The error says what was expected, or the nearest form.
pub(crate) fn form_and_file<F: Copy>(text: &str, forms: &[(&str, F)], example: &str) -> Result<(F, PathBuf), String> {
    let names: Vec<&str> = forms.iter().map(|(name, _)| *name).collect();
    let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        return Err(format!(
            "expected FORM=FILE, such as {example}; forms: {}",
            names.join(", ")
        ));
    };
    match forms.iter().find(|(known, _)| *known == name) {
        Some((_, form)) => Ok((*form, PathBuf::from(path))),
        None => Err(match nearest(name, names.iter().copied()) {
            Some(near) => format!("no form is called `{name}`; did you mean `{near}`?"),
            None => format!("no form is called `{name}`; forms: {}", names.join(", ")),
        }),
    }
}

/// The reports of one command, each with the name of the place that it goes to.
pub(crate) struct Outputs {
    reports: Vec<(String, Box<dyn Report>)>,
    /// What could not be written, each once.
    failures: Vec<String>,
}

impl Outputs {
    /// Opens all of them. `kept` are the files that the command reads: no report takes the place of one.
    pub(crate) fn open(
        format: Format,
        wanted: &[Wanted],
        selected: usize,
        kept: &[&str],
        ui: Ui,
    ) -> Result<Self, Exit> {
        for (place, one) in wanted.iter().enumerate() {
            one.may_be_written(&wanted[..place], kept).map_err(|why| {
                ui.note(&format!("error: {why}"));
                ui.note("help: give each `--report FORM=FILE` a file of its own; nothing was written");
                Exit::Usage
            })?;
        }
        let mut outputs = Self {
            reports: Vec::new(),
            failures: Vec::new(),
        };
        let stdout = || -> Sink { Box::new(io::stdout()) };
        let form = match format {
            Format::Human => None,
            Format::Github => {
                let report: Box<dyn Report> = Box::new(Github::new(stdout()));
                outputs.reports.push(("standard output".to_owned(), report));
                None
            }
            Format::Json => Some(Form::Json),
            Format::Jsonl => Some(Form::Jsonl),
            Format::Junit => Some(Form::Junit),
            Format::Markdown => Some(Form::Markdown),
        };
        if let Some(form) = form {
            let report = form
                .into(stdout(), selected)
                .map_err(|error| super::write_failed(&error))?;
            outputs.reports.push(("standard output".to_owned(), report));
        }
        for wanted in wanted {
            let report = create(&wanted.path)
                .and_then(|sink| wanted.form.into(sink, selected))
                .map_err(|error| {
                    ui.note(&format!("error: {} cannot be written: {error}", wanted.path.display()));
                    if error.kind() == io::ErrorKind::StorageFull {
                        return Exit::Harness;
                    }
                    ui.note("help: `--report FORM=FILE` needs a file in a folder that you may write to");
                    Exit::Usage
                })?;
            outputs.reports.push((wanted.path.display().to_string(), report));
        }
        Ok(outputs)
    }

    /// Whether there is no report at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.reports.is_empty()
    }

    /// Adds a run to each.
    pub(crate) fn add(&mut self, ran: &Ran<'_>, sources: &Sources) {
        self.each(|report| report.add(ran, sources));
    }

    /// Ends each; says which could not be written. A pipe that somebody closed is no failure.
    pub(crate) fn finish(mut self, ended: &Ended, ui: Ui) -> Result<(), Exit> {
        self.each(|report| report.finish(ended));
        for failure in &self.failures {
            ui.note(&format!("error: {failure}"));
        }
        if self.failures.is_empty() {
            Ok(())
        } else {
            Err(Exit::Harness)
        }
    }

    /// A report that failed once is left alone from then on.
    fn each(&mut self, mut act: impl FnMut(&mut dyn Report) -> io::Result<()>) {
        let failures = &mut self.failures;
        self.reports.retain_mut(|(place, report)| match act(report.as_mut()) {
            Ok(()) => true,
            Err(error) => {
                if error.kind() != io::ErrorKind::BrokenPipe {
                    failures.push(format!("{place} could not be written: {error}"));
                }
                false
            }
        });
    }
}

/// A new file; missing folders on the way to it are made.
fn create(path: &Path) -> io::Result<Sink> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    Ok(Box::new(BufWriter::new(File::create(path)?)))
}
