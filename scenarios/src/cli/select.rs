//! Which scenarios and CRMs a command is about: files and folders or the catalog, narrowed by flags.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Ui;
use crate::diagnostic::{Sources, nearest, quote, render};
use crate::exit::Exit;
use crate::filter::{self, Filter};
use crate::load::{self, Loaded};
use crate::plan::crms_of;
use crate::scenario::{Crm, Scenario};

/// The flags that narrow a selection; all of them must agree.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Scenario files and folders; the compiled-in catalog when none is given
    pub(crate) paths: Vec<PathBuf>,
    /// Only on this CRM
    #[arg(long, value_enum)]
    crm: Option<CrmChoice>,
    /// Only scenarios with this tag, or that prove this requirement, such as M13; several flags: any of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only the runs that this expression selects, such as 'tag(M13) & crm(salesforce) & not title(/won|lost/)'
    #[arg(long, short = 'E', value_name = "EXPRESSION")]
    filter: Option<String>,
}

/// A CRM on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrmChoice {
    /// Salesforce
    Salesforce,
    /// Dynamics 365 on Dataverse
    Dynamics,
}

/// A seed on the command line.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

impl CrmChoice {
    pub(crate) fn crm(self) -> Crm {
        match self {
            Self::Salesforce => Crm::Salesforce,
            Self::Dynamics => Crm::Dynamics,
        }
    }
}

impl Selection {
    /// Reads the expression of `--filter`. A fault is shown with its place.
    pub(crate) fn filter(&self, ui: Ui) -> Result<Filter, Exit> {
        let Some(expression) = &self.filter else {
            return Ok(Filter::All);
        };
        Filter::parse(expression).map_err(|fault| {
            let mut sources = Sources::default();
            sources.add(filter::SOURCE, expression);
            ui.note(render(&[*fault], &sources, ui.note_style()).trim_end());
            Exit::Usage
        })
    }

    /// The scenarios that are selected, each with the CRMs on which it is.
    pub(crate) fn of<'a>(&self, loaded: &'a Loaded, filter: &Filter) -> Vec<(&'a Scenario, Vec<Crm>)> {
        let only = self.crm.map(CrmChoice::crm);
        let tagged = |scenario: &Scenario| self.tags.is_empty() || self.tags.iter().any(|tag| scenario.has_tag(tag));
        let mut selected = Vec::new();
        for scenario in loaded.scenarios.iter().filter(|scenario| tagged(scenario)) {
            let mut crms = crms_of(scenario);
            crms.retain(|crm| only.is_none_or(|only| only == *crm) && filter.selects(scenario, *crm));
            if !crms.is_empty() {
                selected.push((scenario, crms));
            }
        }
        selected
    }

    /// Says that nothing was selected, and what to look at: a tag that no scenario has, or how to see them all.
    pub(crate) fn nothing(&self, loaded: &Loaded, filter: &Filter, ui: Ui) -> Exit {
        ui.note("error: no scenario is selected");
        let mut known: Vec<&str> = loaded.scenarios.iter().flat_map(Scenario::words).collect();
        known.sort_unstable();
        known.dedup();
        let asked = self.tags.iter().map(String::as_str).chain(filter.tags());
        let mut told = false;
        for tag in asked.filter(|tag| !known.iter().any(|word| word.eq_ignore_ascii_case(tag))) {
            ui.note(&format!(
                "help: no scenario here has the tag {}{}",
                quote(tag),
                instead(tag, &known)
            ));
            told = true;
        }
        if !told {
            ui.note(
                "help: `cosell list` names the scenarios with their CRMs, `cosell list --format json` their tags, too",
            );
        }
        Exit::NothingSelected
    }
}

/// The tags that may have been meant; all of them when they are few.
fn instead(tag: &str, known: &[&str]) -> String {
    match nearest(tag, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; none has any".to_owned(),
        None if known.len() <= 12 => format!("; there are {}", known.join(", ")),
        None => String::new(),
    }
}

/// Reads every scenario that is meant. Any fault in any file is shown, and ends the command.
pub(crate) fn load(paths: &[PathBuf], ui: Ui) -> Result<Loaded, Exit> {
    let loaded = if paths.is_empty() {
        load::catalog()
    } else {
        load::paths(paths)
    };
    if loaded.diagnostics.is_empty() && !loaded.scenarios.is_empty() {
        return Ok(loaded);
    }
    if loaded.diagnostics.is_empty() {
        ui.note("error: there is no scenario to run");
        if let Some(part) = loaded.parts.first() {
            ui.note(&format!("help: {part} is a part: name a scenario that includes it"));
        }
        return Err(Exit::NothingSelected);
    }
    ui.note(render(&loaded.diagnostics, &loaded.sources, ui.note_style()).trim_end());
    Err(Exit::Usage)
}
