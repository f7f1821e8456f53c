//! What a campaign lets go wrong.

/// A profile of a campaign: which kinds of transitions may happen at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// People work, nothing fails.
    Calm,
    /// Calls and webhooks fail one by one, and people switch the solution's flows and connections.
    Faults,
    /// The connector's process dies.
    Crashes,
    /// Systems are slow, busy, or cut off.
    Throttled,
    /// All of it.
    Chaos,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] = [Self::Calm, Self::Faults, Self::Crashes, Self::Throttled, Self::Chaos];

    /// The name that flags and files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Faults => "faults",
            Self::Crashes => "crashes",
            Self::Throttled => "throttled",
            Self::Chaos => "chaos",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether transitions of that kind happen.
    pub(super) fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::People => true,
            Kind::Fault => matches!(self, Self::Faults | Self::Chaos),
            Kind::Crash => matches!(self, Self::Crashes | Self::Chaos),
            Kind::Load => matches!(self, Self::Throttled | Self::Chaos),
            Kind::Operator => matches!(self, Self::Faults | Self::Chaos),
        }
    }
}

/// Kinds of transitions, as profiles tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody does something.
    People,
    /// One call or webhook meets a fate.
    Fault,
    /// The connector's process.
    Crash,
    /// A system is busy or away.
    Load,
    /// The solution's flows, connections and rights.
    Operator,
}
