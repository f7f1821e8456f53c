//! A run, resolved: one scenario on one CRM with one seed, nothing left to decide but what the seed decides.
//!
//! Plans come from scenario files and from generators of random histories. A plan is plain data; it runs nothing.

#![expect(clippy::wildcard_enum_match_arm, reason = "only few steps have more to say")]

use crate::calls;
use crate::scenario::act::{Act, Expectation, Watch};
use crate::scenario::settings::{Settings, WorldSettings};
use crate::scenario::{Crm, Scenario, duration_words};

/// One run, ready to go.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The sentence that the scenario proves.
    pub title: String,
    /// The file, as named on the command line, with `#` and the row of its table of examples when it has one.
    pub path: String,
    /// The CRM.
    pub crm: Crm,
    /// The seed.
    pub seed: u64,
    /// The connector's settings.
    pub settings: Settings,
    /// The deliberately broken variant of the connector to run, by name.
    pub planted: Option<String>,
    /// The simulators' settings.
    pub world: WorldSettings,
    /// What happens, in order: as many steps as the scenario has, in the same order.
    pub steps: Vec<PlannedStep>,
}

/// A step with what reports say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedStep {
    /// The words that name it in the file.
    pub verb: String,
    /// The deal that it is about.
    pub deal: Option<String>,
    /// Further words: a duration, what is expected.
    pub detail: String,
    /// What it does.
    pub act: Act,
}

/// The seed of a run that names none.
pub const DEFAULT_SEED: u64 = 2026;

impl Plan {
    /// Resolves a scenario. The seed is the given one, else the scenario's own, else [`DEFAULT_SEED`].
    pub fn of(scenario: &Scenario, crm: Crm, seed: Option<u64>) -> Self {
        // A step for the other CRM keeps its place, so that numbers of steps mean the same everywhere.
        let steps = scenario.steps.iter().map(|step| PlannedStep {
            verb: step.verb.to_owned(),
            deal: step.deal.clone(),
            detail: detail(&step.act),
            act: match step.crm {
                Some(only) if only != crm => Act::Nothing,
                _ => step.act.clone(),
            },
        });
        Self {
            title: scenario.title.clone(),
            path: scenario.address(),
            crm,
            seed: seed.or(scenario.seed).unwrap_or(DEFAULT_SEED),
            settings: scenario.settings.clone(),
            planted: None,
            world: scenario.world.clone(),
            steps: steps.collect(),
        }
    }
}

/// The CRMs that a scenario is for.
pub fn crms_of(scenario: &Scenario) -> Vec<Crm> {
    scenario.crm.map_or_else(|| Crm::ALL.to_vec(), |crm| vec![crm])
}

fn detail(act: &Act) -> String {
    match act {
        Act::Wait(lasts) => duration_words(*lasts),
        Act::Expect(Expectation::Converged) => "converged".to_owned(),
        Act::Expect(Expectation::Decision(code)) => code.clone(),
        Act::Watch(Watch::Within(time) | Watch::Always(Some(time)) | Watch::Never(Some(time)), _) => {
            duration_words(*time)
        }
        Act::SkewClock { by, ahead } => {
            let side = if *ahead { "ahead" } else { "behind" };
            format!("{} {side}", duration_words(*by))
        }
        Act::OnCall(on) => calls::name(on.call).to_owned(),
        _ => String::new(),
    }
}
