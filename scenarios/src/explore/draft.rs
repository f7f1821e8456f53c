//! A scenario while it is being made: steps as words, so that what is run is exactly what a file says.
//!
//! It knows the shape of a file and none of its rules: text is made of it, and the language reads that text as it reads
//! anybody's.

use std::fmt::Write as _;

use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use crate::scenario::file;
use crate::scenario::{Crm, Scenario};

/// What stands behind a step's colon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// Nothing.
    Nothing,
    /// One value.
    One(String),
    /// Keys and their values, in order.
    Keys(Vec<(&'static str, String)>),
    /// The same, and the steps that happen then.
    Then(Vec<(&'static str, String)>, Vec<Line>),
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The words that name it.
    pub verb: &'static str,
    /// What it says.
    pub said: Said,
}

impl Line {
    /// A step that takes nothing.
    pub fn bare(verb: &'static str) -> Self {
        Self {
            verb,
            said: Said::Nothing,
        }
    }

    /// A step that takes one value.
    pub fn one(verb: &'static str, value: impl Into<String>) -> Self {
        Self {
            verb,
            said: Said::One(value.into()),
        }
    }

    /// A step that takes keys.
    pub fn keys(verb: &'static str, keys: Vec<(&'static str, String)>) -> Self {
        Self {
            verb,
            said: Said::Keys(keys),
        }
    }

    /// A step that takes keys and further steps.
    pub fn then(verb: &'static str, keys: Vec<(&'static str, String)>, steps: Vec<Self>) -> Self {
        Self {
            verb,
            said: Said::Then(keys, steps),
        }
    }

    /// The steps that happen when this one's moment comes.
    pub fn inner(&self) -> &[Self] {
        match &self.said {
            Said::Then(_, steps) => steps,
            Said::Nothing | Said::One(_) | Said::Keys(_) => &[],
        }
    }

    /// The deal that it is about.
    pub fn deal(&self) -> Option<&str> {
        match &self.said {
            Said::One(value) if is_about_a_deal(self.verb) => Some(value),
            Said::Nothing | Said::One(_) | Said::Then(..) => None,
            Said::Keys(keys) => keys
                .iter()
                .find(|(key, _)| *key == "deal")
                .map(|(_, deal)| deal.as_str()),
        }
    }

    /// Gives the step to another deal.
    pub fn set_deal(&mut self, name: &str) {
        match &mut self.said {
            Said::One(value) if is_about_a_deal(self.verb) => name.clone_into(value),
            Said::Keys(keys) => {
                for (_, deal) in keys.iter_mut().filter(|(key, _)| *key == "deal") {
                    name.clone_into(deal);
                }
            }
            Said::Nothing | Said::One(_) | Said::Then(..) => {}
        }
    }

    /// Gives it, and the steps in it, to the deals of other names.
    pub fn rename(&mut self, names: &std::collections::BTreeMap<String, String>) {
        if let Some(new) = self.deal().and_then(|deal| names.get(deal)).cloned() {
            self.set_deal(&new);
        }
        if let Said::Then(_, steps) = &mut self.said {
            for step in steps {
                step.rename(names);
            }
        }
    }

    /// The step as the language writes it, in one line.
    fn write(&self, text: &mut String) {
        let keys = |keys: &[(&'static str, String)]| -> Vec<String> {
            keys.iter().map(|(key, value)| format!("{key}: {value}")).collect()
        };
        text.push_str(self.verb);
        match &self.said {
            Said::Nothing => {}
            Said::One(value) => {
                let _ = write!(text, ": {value}");
            }
            Said::Keys(said) => {
                let _ = write!(text, ": {{{}}}", keys(said).join(", "));
            }
            Said::Then(said, steps) => {
                let _ = write!(text, ": {{{}, then: [", keys(said).join(", "));
                for (at, step) in steps.iter().enumerate() {
                    text.push_str(if at == 0 { "" } else { ", " });
                    let bare = step.said == Said::Nothing;
                    text.push_str(if bare { "" } else { "{" });
                    step.write(text);
                    text.push_str(if bare { "" } else { "}" });
                }
                text.push_str("]}");
            }
        }
    }
}

/// Whether the one value of a step is a deal's name: people's steps are about deals, the others about time and faults.
fn is_about_a_deal(verb: &str) -> bool {
    verb == "resubmit"
        || ["microsoft ", "partner ", "seller ", "expect none"]
            .iter()
            .any(|who| verb.starts_with(who))
}

/// A scenario in the making, for one CRM and one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The sentence at its top.
    pub title: String,
    /// The CRM.
    pub crm: Crm,
    /// The seed of the run.
    pub seed: u64,
    /// The connector's settings.
    pub settings: Vec<(&'static str, String)>,
    /// The simulators' settings.
    pub world: Vec<(&'static str, String)>,
    /// The steps.
    pub steps: Vec<Line>,
}

impl Draft {
    /// The file.
    pub fn text(&self) -> String {
        let mut text = format!(
            "title: {}\ncrm: {}\nseed: {}\n",
            quoted(&self.title),
            self.crm.name(),
            self.seed
        );
        for (name, keys) in [("settings", &self.settings), ("world", &self.world)] {
            if !keys.is_empty() {
                let _ = writeln!(text, "{name}:");
            }
            for (key, value) in keys {
                let _ = writeln!(text, "  {key}: {value}");
            }
        }
        text.push_str("steps:\n");
        for line in &self.steps {
            text.push_str("  - ");
            line.write(&mut text);
            text.push('\n');
        }
        text
    }

    /// What the language makes of it.
    pub fn scenario(&self) -> Result<Scenario, Vec<Diagnostic>> {
        file::parse("explored.yaml", &self.text())
    }

    /// What is run.
    pub fn plan(&self) -> Result<Plan, Vec<Diagnostic>> {
        Ok(Plan::of(&self.scenario()?, self.crm, Some(self.seed)))
    }

    /// The deals that it is about, in the order in which they are made.
    pub fn deals(&self) -> Vec<&str> {
        let mut deals: Vec<&str> = Vec::new();
        for deal in self.steps.iter().filter_map(Line::deal) {
            if !deals.contains(&deal) {
                deals.push(deal);
            }
        }
        deals
    }
}

/// A text as the language takes it anywhere: in double quotes, with what would end them escaped.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            sign if sign.is_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(sign));
            }
            sign => quoted.push(sign),
        }
    }
    quoted.push('"');
    quoted
}

/// A length of time as the language writes it.
pub fn duration(millis: u64) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let mut left = millis.max(1);
    let mut words = Vec::new();
    for (unit, size) in units {
        if left >= size {
            words.push(format!("{}{unit}", left / size));
            left %= size;
        }
    }
    words.join(" ")
}

/// The milliseconds of a length of time as [`duration`] writes it.
pub fn millis(words: &str) -> Option<u64> {
    let mut whole = 0_u64;
    for word in words.split(' ') {
        let at = word.find(|sign: char| !sign.is_ascii_digit())?;
        let number: u64 = word[..at].parse().ok()?;
        let size = match &word[at..] {
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        whole = whole.checked_add(number.checked_mul(size)?)?;
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_written_and_read_back() {
        for millis_in in [1, 999, 1_000, 61_001, 90_061_001, 172_800_000] {
            assert_eq!(millis(&duration(millis_in)), Some(millis_in), "{}", duration(millis_in));
        }
        assert_eq!(duration(90_061_001), "1d 1h 1m 1s 1ms");
    }

    #[test]
    fn the_language_reads_what_a_draft_writes() {
        let draft = Draft {
            title: "Zürich: \"one\" & 'two'".to_owned(),
            crm: Crm::Salesforce,
            seed: 7,
            settings: vec![("profile", "documented-2023".to_owned())],
            world: vec![("page size", "2".to_owned())],
            steps: vec![
                Line::keys(
                    "microsoft shares",
                    vec![("deal", "D1".to_owned()), ("notes", quoted("a: #b, {c}\n\"d\""))],
                ),
                Line::one("wait", duration(61_001)),
                Line::one("partner accepts", "D1"),
                Line::bare("restart connector"),
                Line::then(
                    "on call",
                    vec![("of", "update referral".to_owned()), ("when", "done".to_owned())],
                    vec![
                        Line::keys(
                            "partner edits",
                            vec![("deal", "D1".to_owned()), ("value", "5 USD".to_owned())],
                        ),
                        Line::bare("restart connector"),
                    ],
                ),
            ],
        };
        let scenario = draft.scenario().unwrap();
        assert_eq!(scenario.title, draft.title);
        assert_eq!(scenario.steps.len(), 5);
        assert_eq!(draft.deals(), ["D1"]);
        let crate::scenario::act::Act::MicrosoftShares(deal) = &scenario.steps[0].act else {
            panic!("the first step shares a deal");
        };
        assert_eq!(deal.notes.as_deref(), Some("a: #b, {c}\n\"d\""));
    }
}
