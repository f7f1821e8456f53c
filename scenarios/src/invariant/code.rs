//! The stable names of invariants and checks, and what each of them says.

use serde::{Deserialize, Serialize};

use super::{
    audited, budget, closed_is_terminal, conduct, converged, deterministic, no_leak, nothing_invented, nothing_lost,
    one_to_one, quiet,
};

/// The stable name of an invariant or check, as reports print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Both sides agree after heal and settle.
    Converged,
    /// No referral has two opportunities, no opportunity two referrals.
    OneToOne,
    /// Every accepted edit arrived, or was beaten by a recorded decision.
    NothingLost,
    /// No field holds a value that nobody wrote.
    NothingInvented,
    /// No value of an unsynced or held deal reached Partner Center.
    NoLeak,
    /// A closed referral never changes.
    ClosedIsTerminal,
    /// No writes after settle.
    Quiet,
    /// Each success and failure has its Audit line and mark.
    Audited,
    /// Calls within the budget.
    Budget,
    /// Vendors' rules for clients.
    Conduct,
    /// Same plan, same seed, same bytes.
    Deterministic,
    /// What the scenario itself asked for.
    Expectation,
    /// A person's act in the scenario was refused by the system.
    ActRefused,
    /// A bound of the harness was hit.
    Bound,
    /// What an operator set does not fit the CRM.
    Settings,
    /// The process of somebody else's connector ended, or never called.
    Process,
}

impl Code {
    /// Every code, in the order in which documents list them.
    pub const ALL: [Self; 16] = [
        Self::Converged,
        Self::OneToOne,
        Self::NothingLost,
        Self::NothingInvented,
        Self::NoLeak,
        Self::ClosedIsTerminal,
        Self::Quiet,
        Self::Audited,
        Self::Budget,
        Self::Conduct,
        Self::Deterministic,
        Self::Expectation,
        Self::ActRefused,
        Self::Bound,
        Self::Settings,
        Self::Process,
    ];

    /// What only the reference connector can be judged by: it needs the connector's own decisions, or a second run that
    /// is the same.
    pub const NOT_FROM_OUTSIDE: [Self; 2] = [Self::NothingLost, Self::Deterministic];

    /// The name that files and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::OneToOne => "one-to-one",
            Self::NothingLost => "nothing-lost",
            Self::NothingInvented => "nothing-invented",
            Self::NoLeak => "no-leak",
            Self::ClosedIsTerminal => "closed-is-terminal",
            Self::Quiet => "quiet",
            Self::Audited => "audited",
            Self::Budget => "budget",
            Self::Conduct => "conduct",
            Self::Deterministic => "deterministic",
            Self::Expectation => "expectation",
            Self::ActRefused => "act-refused",
            Self::Bound => "bound",
            Self::Settings => "settings",
            Self::Process => "process",
        }
    }

    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// What it demands, when it looks, what it lets pass, and where to look first when it speaks.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Converged => converged::EXPLANATION,
            Self::OneToOne => one_to_one::EXPLANATION,
            Self::NothingLost => nothing_lost::EXPLANATION,
            Self::NothingInvented => nothing_invented::EXPLANATION,
            Self::NoLeak => no_leak::EXPLANATION,
            Self::ClosedIsTerminal => closed_is_terminal::EXPLANATION,
            Self::Quiet => quiet::EXPLANATION,
            Self::Audited => audited::EXPLANATION,
            Self::Budget => budget::EXPLANATION,
            Self::Conduct => conduct::EXPLANATION,
            Self::Deterministic => deterministic::EXPLANATION,
            Self::Expectation => {
                "What a scenario asks for with `expect …` is so at that step.\n\n\
                 It is no invariant: only the scenario's own words demand it. The finding points at the word that is \
                 not so."
            }
            Self::ActRefused => {
                "What a person does in a scenario is accepted by the system it is done in.\n\n\
                 A refused act makes the scenario's further steps meaningless, so it fails the run. Look at the \
                 vendor's answer in the finding; often the deal does not exist yet, or is closed."
            }
            Self::Bound => {
                "A run stays within the bounds of the harness: entries of a trace, queues of the world.\n\n\
                 What happens beyond a bound is not seen, so a verdict without this finding would be worth nothing."
            }
            Self::Settings => {
                "What an operator has set fits the CRM: stages and fields by these names are there.\n\n\
                 Correct the setting, or add what it names to the CRM."
            }
            Self::Process => {
                "The process of an external connector runs until it is stopped, and calls the simulators.\n\n\
                 One that ends by itself, or is never heard of, leaves nothing to judge. Look at what it printed last, or \
                 keep all of it with `--connector-log`."
            }
        }
    }
}
