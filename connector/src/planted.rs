//! Deliberately broken variants of the connector, which a harness must catch. Behind the non-default feature `planted`.
//!
//! It decides nothing by itself: the places that can break ask [`Settings::planted`](crate::settings::Settings).

/// One way in which the connector can be broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Planted {
    /// Creates again after a lost reply without looking first.
    NoLookUpAfterLostReply,
    /// Takes its own writes for changes: each hit of the poll writes an Audit line.
    NoEchoCheck,
    /// Sends the CRM's values to Partner Center while the deal is on hold.
    SendsWhileOnHold,
    /// Never carries the closing date.
    IgnoresClosingDate,
    /// Closes the other side as lost when a deal is won, and as won when it is lost.
    SwapsWonAndLost,
    /// Reads the first page of a list and ignores that there are more.
    StopsAfterFirstPage,
}

impl Planted {
    /// Every variant.
    pub const ALL: [Self; 6] = [
        Self::NoLookUpAfterLostReply,
        Self::NoEchoCheck,
        Self::SendsWhileOnHold,
        Self::IgnoresClosingDate,
        Self::SwapsWonAndLost,
        Self::StopsAfterFirstPage,
    ];

    /// The name that people and files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoLookUpAfterLostReply => "no-look-up-after-lost-reply",
            Self::NoEchoCheck => "no-echo-check",
            Self::SendsWhileOnHold => "sends-while-on-hold",
            Self::IgnoresClosingDate => "ignores-closing-date",
            Self::SwapsWonAndLost => "swaps-won-and-lost",
            Self::StopsAfterFirstPage => "stops-after-first-page",
        }
    }

    /// The variant of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|planted| planted.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_is_found_by_its_name() {
        for planted in Planted::ALL {
            assert_eq!(Planted::from_name(planted.name()), Some(planted));
        }
        assert_eq!(Planted::from_name("none"), None);
    }
}
