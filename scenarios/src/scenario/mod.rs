//! A scenario, as written: what a file says, with the place of every word that a finding may point at.
//!
//! It knows neither the simulators nor the connector, and runs nothing; a plan is made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;
use act::Act;
use settings::{Settings, WorldSettings};

/// Everything that a step can say.
pub mod act;
/// What a scenario sets.
pub mod settings;
/// The closed lists of words.
pub mod words;
/// How keys are described.
pub mod key;
mod guess;
mod value;
mod given;
mod examples;
/// Steps of other files.
pub mod parts;
mod build;
/// Every step of the language.
pub mod verbs;
/// The Salesforce org, as scenarios and `cosell serve` set it.
pub mod org;
mod environment;
mod operator;
mod steps;
mod check;
/// From text to scenario.
pub mod file;
/// What editors need to know.
pub mod schema;

pub use operator::{setting_names, world_names};
pub use value::duration_words;

/// One scenario file.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file, as named on the command line; `catalog/…` for the compiled-in ones.
    pub path: String,
    /// The row of its table of examples, from 1; `None` without a table.
    pub row: Option<usize>,
    /// The sentence that it proves.
    pub title: String,
    /// Requirements, such as `M16`.
    pub proves: Vec<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// The only CRM it is for; `None` for each.
    pub crm: Option<Crm>,
    /// Its own seed.
    pub seed: Option<u64>,
    /// Why it is not run, when it is not.
    pub skip: Option<String>,
    /// The finding code with which it must fail.
    pub expect_failure: Option<String>,
    /// The connector under test.
    pub settings: Settings,
    /// The simulators.
    pub world: WorldSettings,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The words of every step as it is written, with the only CRM that it is for: those that stand for others, and those
    /// within others, too.
    pub read: Vec<(Option<Crm>, &'static str)>,
    /// Where each value stands, by the keys that lead to it: `title`, `settings.profile`.
    pub places: BTreeMap<String, Span>,
}

impl Scenario {
    /// What selects exactly this scenario: its file, and `#` with its row when it has one.
    pub fn address(&self) -> String {
        match self.row {
            Some(row) => format!("{}#{row}", self.path),
            None => self.path.clone(),
        }
    }

    /// Its tags and the requirements that it proves.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().chain(&self.proves).map(String::as_str)
    }

    /// Whether it has a tag: a word of `tags` or a requirement of `proves`.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags
            .iter()
            .chain(&self.proves)
            .any(|own| own.eq_ignore_ascii_case(tag))
    }
}

/// A CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crm {
    /// Salesforce.
    Salesforce,
    /// Dynamics 365 on Dataverse.
    Dynamics,
}

impl Crm {
    /// Both, in the order in which reports list them.
    pub const ALL: [Self; 2] = [Self::Salesforce, Self::Dynamics];

    /// The name that files, flags and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Salesforce => "salesforce",
            Self::Dynamics => "dynamics",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The words that name it: `microsoft shares`.
    pub verb: &'static str,
    /// The file in which it stands: the scenario's own, or a part that it includes.
    pub path: Arc<str>,
    /// The only CRM on which it happens; `None` for each.
    pub crm: Option<Crm>,
    /// Where these words stand.
    pub span: Span,
    /// The deal that it is about, by its symbolic name.
    pub deal: Option<String>,
    /// What it does.
    pub act: Act,
    /// Where each of its values stands, by key: `stage`, `contact.email`. A value without a key, as in `wait: 10m`, has
    /// the empty key.
    pub places: BTreeMap<String, Span>,
}

impl Step {
    /// Where the value of a key stands; the step's own words when the key is not written.
    pub fn place(&self, key: &str) -> Span {
        self.places.get(key).copied().unwrap_or(self.span)
    }
}
