//! From a long history to a short one that fails the same way: the same invariant, about the same deal.
//!
//! Candidates come in a fixed order, from the boldest to the most careful, until none of a whole round fails any more.
//! What the language refuses is no candidate.

use std::collections::BTreeMap;

use super::draft::{Draft, Line, Said, duration, millis};
use super::trial::{self, Manner};
use crate::invariant::{Code, Finding};

/// Which failure is kept while the rest goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The invariant.
    pub code: Code,
    /// The deal, where the finding names one.
    pub deal: Option<String>,
}

impl Wanted {
    /// The failure that a finding shows.
    pub fn of(finding: &Finding) -> Self {
        Self {
            code: finding.code,
            deal: finding.deal.clone(),
        }
    }

    /// Whether a finding is of this failure. A record's own id, which another history does not have, is no name.
    pub fn is(&self, finding: &Finding) -> bool {
        let named = |deal: &str| deal.starts_with('D') && deal.len() <= 3;
        self.code == finding.code
            && match (&self.deal, &finding.deal) {
                (Some(wanted), Some(found)) => wanted == found || !named(wanted) || !named(found),
                _ => true,
            }
    }
}

/// The shortest history that was found, and what it took.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The history.
    pub draft: Draft,
    /// Its first finding of the wanted kind.
    pub finding: Option<Finding>,
    /// How many candidates were run.
    pub runs: u32,
}

/// Shrinks a history that fails as wanted, with at most so many runs.
pub fn shrink(draft: &Draft, wanted: &Wanted, manner: &Manner, budget: u32) -> Shrunk {
    let mut shrinker = Shrinker {
        best: draft.clone(),
        finding: None,
        wanted,
        manner: Manner {
            // Two runs of a candidate tell no more than one, unless that is what is looked for.
            twice: wanted.code == Code::Deterministic,
            ..manner.clone()
        },
        left: budget,
    };
    while shrinker.round() {}
    shrinker.rename();
    Shrunk {
        runs: budget - shrinker.left,
        draft: shrinker.best,
        finding: shrinker.finding,
    }
}

struct Shrinker<'a> {
    best: Draft,
    finding: Option<Finding>,
    wanted: &'a Wanted,
    manner: Manner,
    left: u32,
}

impl Shrinker<'_> {
    /// Takes a candidate if it fails as wanted.
    fn take(&mut self, candidate: Draft) -> bool {
        if self.left == 0 || candidate == self.best {
            return false;
        }
        self.left -= 1;
        let Ok(trial) = trial::run(&candidate, &self.manner, None) else {
            return false;
        };
        let Some(finding) = trial.findings.into_iter().find(|finding| self.wanted.is(finding)) else {
            return false;
        };
        // What shows a planted bug is worth nothing if the sound connector fails on it too.
        if self.manner.planted.is_some() && !is_sound(&candidate) {
            return false;
        }
        self.finding = Some(finding);
        self.best = candidate;
        true
    }

    /// One round of everything; whether anything became shorter or simpler.
    fn round(&mut self) -> bool {
        let before = self.best.clone();
        self.drop_deals();
        self.drop_steps();
        self.open_up();
        self.drop_settings();
        self.drop_keys();
        self.merge_waits();
        self.simplify();
        self.left > 0 && self.best != before
    }

    fn drop_deals(&mut self) {
        let deals: Vec<String> = self.best.deals().into_iter().map(str::to_owned).collect();
        for deal in deals.iter().rev() {
            let mut candidate = self.best.clone();
            candidate.steps.retain(|line| {
                line.deal() != Some(deal) && line.inner().iter().all(|inner| inner.deal() != Some(deal))
            });
            if !candidate.steps.is_empty() {
                self.take(candidate);
            }
        }
    }

    fn drop_steps(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.best.steps.len() {
                let mut candidate = self.best.clone();
                let end = (at + size).min(candidate.steps.len());
                candidate.steps.drain(at..end);
                if candidate.steps.is_empty() || !self.take(candidate) {
                    at += size;
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }

    /// What happens at a call happens just so instead, or less of it does.
    fn open_up(&mut self) {
        let mut at = 0;
        while at < self.best.steps.len() {
            let inner = self.best.steps[at].inner().to_vec();
            let mut candidate = self.best.clone();
            candidate.steps.splice(at..=at, inner.clone());
            if !inner.is_empty() && self.take(candidate) {
                continue;
            }
            for left_out in (0..inner.len()).rev().filter(|_| inner.len() > 1) {
                let mut candidate = self.best.clone();
                if let Said::Then(_, steps) = &mut candidate.steps[at].said
                    && left_out < steps.len()
                {
                    steps.remove(left_out);
                    self.take(candidate);
                }
            }
            at += 1;
        }
    }

    fn drop_settings(&mut self) {
        for at in (0..self.best.settings.len()).rev() {
            let mut candidate = self.best.clone();
            candidate.settings.remove(at);
            self.take(candidate);
        }
        for at in (0..self.best.world.len()).rev() {
            let mut candidate = self.best.clone();
            candidate.world.remove(at);
            self.take(candidate);
        }
    }

    fn drop_keys(&mut self) {
        for step in 0..self.best.steps.len() {
            let (Said::Keys(keys) | Said::Then(keys, _)) = &self.best.steps[step].said else {
                continue;
            };
            for at in (0..keys.len()).rev() {
                let mut candidate = self.best.clone();
                if let Said::Keys(keys) | Said::Then(keys, _) = &mut candidate.steps[step].said
                    && keys[at].0 != "deal"
                {
                    keys.remove(at);
                    self.take(candidate);
                }
            }
        }
    }

    /// Two waits in a row become one, and two edits in a row of one deal by one person too.
    fn merge_waits(&mut self) {
        let mut at = 0;
        while at + 1 < self.best.steps.len() {
            let merged = merged(&self.best.steps[at], &self.best.steps[at + 1]);
            let taken = merged.is_some_and(|line| {
                let mut candidate = self.best.clone();
                candidate.steps[at] = line;
                candidate.steps.remove(at + 1);
                self.take(candidate)
            });
            if !taken {
                at += 1;
            }
        }
    }

    fn simplify(&mut self) {
        for step in 0..self.best.steps.len() {
            match &self.best.steps[step].said {
                Said::Nothing => {}
                Said::One(value) => {
                    for simpler in simpler("", value) {
                        let mut candidate = self.best.clone();
                        candidate.steps[step].said = Said::One(simpler);
                        if self.take(candidate) {
                            break;
                        }
                    }
                }
                Said::Keys(keys) | Said::Then(keys, _) => {
                    for at in 0..keys.len() {
                        self.simplify_key(step, at);
                    }
                }
            }
        }
    }

    fn simplify_key(&mut self, step: usize, at: usize) {
        let (Said::Keys(keys) | Said::Then(keys, _)) = &self.best.steps[step].said else {
            return;
        };
        let Some((key, value)) = keys.get(at) else { return };
        for simpler in simpler(key, value) {
            let mut candidate = self.best.clone();
            if let Said::Keys(keys) | Said::Then(keys, _) = &mut candidate.steps[step].said {
                keys[at].1 = simpler;
            }
            if self.take(candidate) {
                return;
            }
        }
    }

    /// Deals are numbered from one, as somebody would write them.
    fn rename(&mut self) {
        let names: BTreeMap<String, String> = self
            .best
            .deals()
            .into_iter()
            .enumerate()
            .map(|(number, deal)| (deal.to_owned(), format!("D{}", number + 1)))
            .collect();
        if names.iter().all(|(old, new)| old == new) {
            return;
        }
        let mut candidate = self.best.clone();
        for line in &mut candidate.steps {
            line.rename(&names);
        }
        let wanted = Wanted {
            deal: self
                .wanted
                .deal
                .as_ref()
                .map(|deal| names.get(deal).unwrap_or(deal).clone()),
            ..self.wanted.clone()
        };
        let trial = trial::run(&candidate, &self.manner, None);
        let found = trial
            .ok()
            .and_then(|trial| trial.findings.into_iter().find(|finding| wanted.is(finding)));
        if found.is_some() {
            self.finding = found;
            self.best = candidate;
        }
    }
}

/// Whether the sound connector passes a history.
pub fn is_sound(draft: &Draft) -> bool {
    trial::run(draft, &Manner::default(), None).is_ok_and(|trial| trial.findings.is_empty())
}

/// Two steps as one, where that means the same.
fn merged(one: &Line, other: &Line) -> Option<Line> {
    if one.verb != other.verb || one.deal() != other.deal() {
        return None;
    }
    match (&one.said, &other.said) {
        (Said::One(one_value), Said::One(other_value)) if one.verb == "wait" => {
            Some(Line::one("wait", duration(millis(one_value)? + millis(other_value)?)))
        }
        (Said::Keys(first), Said::Keys(second)) if one.verb.ends_with(" edits") => {
            let mut keys: Vec<(&'static str, String)> = first.clone();
            keys.retain(|(key, _)| !second.iter().any(|(other, _)| other == key));
            keys.extend(second.iter().cloned());
            Some(Line::keys(one.verb, keys))
        }
        _ => None,
    }
}

/// Simpler values to try, the simplest first; none for what is simple already.
fn simpler(key: &str, value: &str) -> Vec<String> {
    let several = |list: &[&str]| {
        let known = list.iter().position(|simple| *simple == value).unwrap_or(list.len());
        list[..known]
            .iter()
            .map(|simple| (*simple).to_owned())
            .collect::<Vec<_>>()
    };
    match key {
        "" | "by" | "for" | "retry after" => {
            let Some(now) = millis(value) else { return Vec::new() };
            let mut tries = several(&["10m", "1h", "20m", "1m", "10s", "1s", "2d"]);
            // Shorter ones last: a reader expects a pause to last until everything is said.
            tries.retain(|simple| millis(simple).is_some_and(|simple| simple != now));
            if key == "retry after" {
                // Nobody asks for days.
                tries.retain(|simple| simple != "2d");
            }
            if is_round(now) { Vec::new() } else { tries }
        }
        "value" => several(&["20000 USD", "30000 USD"]),
        "closes" => several(&["2026-06-30", "2026-07-31"]),
        "notes" => several(&["changed", "other"]),
        "name" => several(&["Renamed", "Other"]),
        "of" => several(&["any"]),
        "times" => several(&["1", "2", "3"]),
        "after" => several(&["1"]),
        "status" => several(&["503"]),
        _ => Vec::new(),
    }
}

fn is_round(millis: u64) -> bool {
    [1_000, 10_000, 60_000, 600_000, 1_200_000, 3_600_000, 172_800_000].contains(&millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_added_up_and_the_later_edit_of_a_field_stays() {
        let wait = |words: &str| Line::one("wait", words);
        assert_eq!(merged(&wait("1m"), &wait("30s")), Some(wait("1m 30s")));
        let edit = |keys: &[(&'static str, &str)]| {
            let mut all = vec![("deal", "D1".to_owned())];
            all.extend(keys.iter().map(|(key, value)| (*key, (*value).to_owned())));
            Line::keys("seller edits", all)
        };
        let (one, other) = (edit(&[("value", "1 USD"), ("notes", "a")]), edit(&[("value", "2 USD")]));
        assert_eq!(
            merged(&one, &other),
            Some(reordered(edit(&[("notes", "a"), ("value", "2 USD")])))
        );
        assert_eq!(merged(&wait("1m"), &one), None);
    }

    /// The deal's key moves with the later edit.
    fn reordered(mut line: Line) -> Line {
        if let Said::Keys(keys) = &mut line.said {
            keys.swap(0, 1);
        }
        line
    }

    #[test]
    fn what_is_simple_is_left_alone() {
        assert_eq!(simpler("wait", "x"), Vec::<String>::new());
        assert_eq!(simpler("", "10m"), Vec::<String>::new());
        assert_eq!(simpler("value", "20000 USD"), Vec::<String>::new());
        assert_eq!(simpler("value", "30000 USD"), ["20000 USD"]);
        assert_eq!(simpler("times", "4"), ["1", "2", "3"]);
    }
}
