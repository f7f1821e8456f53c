//! Which way each field goes, and who wins when both sides changed it: data, so that others can read the same table.
//!
//! It does not merge: see [`crate::sync::merge`].

use crate::deal::Field;

/// Which way a field goes once both records exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Partner Center owns it.
    PcToCrm,
    /// The CRM owns it.
    CrmToPc,
    /// Whoever changed it.
    Both,
    /// Written when a record is created, and never compared again.
    CreateOnly,
    /// Not carried at all.
    Never,
}

/// Who wins a field that both sides changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Policy {
    /// Partner Center.
    #[default]
    PcWins,
    /// The CRM.
    CrmWins,
    /// The side whose record was changed last; Partner Center when both were changed at the same time.
    Latest,
}

impl Policy {
    /// The policy by which the other side wins; only a planted bug asks.
    #[must_use]
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::PcWins => Self::CrmWins,
            Self::CrmWins | Self::Latest => Self::PcWins,
        }
    }
}

/// An edition of the connector: its update sets, its events, its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Profile {
    /// What the overview pages promise; closing date and notes both ways are assumed.
    #[default]
    Overview,
    /// The edition of 2020: a webhook for the partner's own referrals alone, no solutions flow. That its update sets were those
    /// that are printed in 2023 is assumed.
    Documented2020,
    /// The edition of 2021: as in 2020, with the events of related referrals. That its update sets were those that are printed in
    /// 2023 is assumed.
    Documented2021,
    /// The update sets that the troubleshooting page prints in 2023 (partner-center.md section 8.5).
    Documented2023,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [
        Self::Overview,
        Self::Documented2020,
        Self::Documented2021,
        Self::Documented2023,
    ];

    /// The name that people and files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Documented2020 => "documented-2020",
            Self::Documented2021 => "documented-2021",
            Self::Documented2023 => "documented-2023",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Which way a field goes.
    pub fn direction(self, field: Field) -> Direction {
        match (self, field) {
            (_, Field::Name) => Direction::CrmToPc,
            // Notes go one way and Description the other (facts section 8.5): as one pair they go both ways.
            (_, Field::Value | Field::Currency | Field::Notes) | (Self::Overview, Field::ClosingDate) => {
                Direction::Both
            }
            (_, Field::ClosingDate) => Direction::PcToCrm,
        }
    }

    /// Who wins unless the operator says otherwise: the documented connector writes whatever came last.
    pub fn policy(self) -> Policy {
        match self {
            Self::Overview => Policy::PcWins,
            Self::Documented2020 | Self::Documented2021 | Self::Documented2023 => Policy::Latest,
        }
    }

    /// Whether the webhook is registered for the referrals of other parties (product.md M5).
    pub fn hears_related(self) -> bool {
        self != Self::Documented2020
    }

    /// Whether the solutions of a live deal are carried to Partner Center: the flow *CRM Microsoft Solutions to Partner Center*.
    /// The 2020 edition has a text field for products instead.
    pub fn carries_solutions(self) -> bool {
        self != Self::Documented2020
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_differ_in_the_closing_date_alone() {
        for field in Field::ALL {
            for documented in [
                Profile::Documented2020,
                Profile::Documented2021,
                Profile::Documented2023,
            ] {
                let same = Profile::Overview.direction(field) == documented.direction(field);
                assert_eq!(same, field != Field::ClosingDate, "{field:?}");
            }
        }
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
    }
}
