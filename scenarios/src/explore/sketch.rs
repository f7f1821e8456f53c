//! What a generator believes of the deals that it has made: enough to draw steps that mean something.
//!
//! It is a guess. Whether a step can be done is found out in the run, and a share of steps is drawn against it on purpose.

use super::profile::Profile;
use super::swarm::Swarm;
use crate::scenario::Crm;

/// Who makes a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Microsoft shares it.
    Microsoft,
    /// Microsoft gives it as a lead.
    Lead,
    /// The seller makes it and asks for help.
    SellerWithHelp,
    /// The seller makes it alone.
    SellerAlone,
}

/// Where a deal stands on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// New, or on hold.
    Held,
    /// Worked on.
    Open,
    /// Won or lost.
    Closed,
    /// Not there, unless the settings let leads in.
    Absent,
    /// Deleted.
    Gone,
}

impl Place {
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Held | Self::Open)
    }
}

/// One deal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    pub(super) by_microsoft: bool,
    pub(super) in_pc: Place,
    pub(super) in_crm: Place,
    pub(super) synced: bool,
}

impl Deal {
    pub(super) fn shared() -> Self {
        Self {
            by_microsoft: true,
            in_pc: Place::Held,
            in_crm: Place::Held,
            synced: true,
        }
    }

    pub(super) fn lead() -> Self {
        Self {
            in_crm: Place::Absent,
            ..Self::shared()
        }
    }

    pub(super) fn made_by_seller() -> Self {
        Self {
            by_microsoft: false,
            in_pc: Place::Open,
            in_crm: Place::Open,
            synced: true,
        }
    }
}

/// All that is believed while a history is drawn.
pub(super) struct Sketch {
    pub(super) profile: Profile,
    pub(super) swarm: Swarm,
    pub(super) deals: Vec<Deal>,
    pub(super) running: bool,
    pub(super) crm: Crm,
    /// Flows that were turned off.
    pub(super) off: Vec<&'static str>,
    /// The trigger of a flow was lost.
    pub(super) lost: bool,
    /// The connection that is broken.
    pub(super) broken: Option<&'static str>,
    /// The connector's user may do less than it needs.
    pub(super) lowered: bool,
}
