//! Which flows are on, which have lost their trigger, and which deals wait for one that is off.
//!
//! It is persisted under `flow/<flow>` and `off/<flow>/<deal>`; the caller does that.

use std::collections::{BTreeMap, BTreeSet};

use super::Flow;
use crate::id::DealNumber;
use crate::settings::CrmSettings;

/// The switches of all flows.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    off: BTreeSet<Flow>,
    lost: BTreeSet<Flow>,
    waiting: BTreeMap<Flow, BTreeSet<DealNumber>>,
}

/// Under what a switch is kept.
pub fn switch_key(flow: Flow) -> String {
    format!("flow/{}", flow.slug())
}

/// Under what a deal that waits for a flow is kept.
pub fn waiting_key(flow: Flow, deal: DealNumber) -> String {
    format!("off/{}/{:>012}", flow.slug(), deal.0)
}

/// Why a flow does not let something through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// It is off, or a child that it needs is.
    Off(Flow),
    /// The trigger of this one is lost.
    Lost(Flow),
}

impl Switches {
    /// What was persisted.
    pub fn load<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut switches = Self::default();
        for (key, value) in entries {
            if let Some(flow) = key.strip_prefix("flow/").and_then(Flow::from_slug) {
                if value.contains("off") {
                    switches.off.insert(flow);
                }
                if value.contains("lost") {
                    switches.lost.insert(flow);
                }
            } else if let Some((flow, deal)) = key.strip_prefix("off/").and_then(|rest| rest.split_once('/'))
                && let (Some(flow), Ok(deal)) = (Flow::from_slug(flow), deal.parse())
            {
                switches.wait(flow, DealNumber(deal));
            }
        }
        switches
    }

    /// The text under which a flow's switch is kept; none when it is on and whole.
    pub fn text(&self, flow: Flow) -> Option<String> {
        match (self.off.contains(&flow), self.lost.contains(&flow)) {
            (false, false) => None,
            (true, false) => Some("\"off\"".to_owned()),
            (false, true) => Some("\"lost\"".to_owned()),
            (true, true) => Some("\"off lost\"".to_owned()),
        }
    }

    /// Whether a flow is on.
    pub fn is_on(&self, flow: Flow) -> bool {
        !self.off.contains(&flow)
    }

    /// Whether a flow's trigger is lost.
    pub fn is_lost(&self, flow: Flow) -> bool {
        self.lost.contains(&flow)
    }

    /// Why a flow does not let something through; none when it does.
    pub fn blocked(&self, flow: Flow) -> Option<Blocked> {
        if !self.is_on(flow) {
            return Some(Blocked::Off(flow));
        }
        self.is_lost(flow).then_some(Blocked::Lost(flow))
    }

    /// The first child that keeps a parent from being turned on.
    pub fn missing_child(&self, flow: Flow, crm: &CrmSettings) -> Option<Flow> {
        flow.children(crm).into_iter().find(|child| !self.is_on(*child))
    }

    /// Turns a flow on or off; whether that changed anything. Turning it off and on finds its trigger again.
    pub fn turn(&mut self, flow: Flow, on: bool) -> bool {
        if on {
            let found = self.off.remove(&flow);
            if found {
                self.lost.remove(&flow);
            }
            found
        } else {
            self.off.insert(flow)
        }
    }

    /// Loses a flow's trigger; whether it had it.
    pub fn lose(&mut self, flow: Flow) -> bool {
        self.lost.insert(flow)
    }

    /// Finds every lost trigger again.
    pub fn reconnect(&mut self) -> Vec<Flow> {
        std::mem::take(&mut self.lost).into_iter().collect()
    }

    /// Lets a deal wait for a flow; whether it is new there.
    pub fn wait(&mut self, flow: Flow, deal: DealNumber) -> bool {
        self.waiting.entry(flow).or_default().insert(deal)
    }

    /// The deals that wait for a flow; they do not any more.
    pub fn release(&mut self, flow: Flow) -> BTreeSet<DealNumber> {
        self.waiting.remove(&flow).unwrap_or_default()
    }

    /// How many deals wait for a flow.
    pub fn waiting(&self, flow: Flow) -> usize {
        self.waiting.get(&flow).map_or(0, BTreeSet::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_persisted_is_loaded_again() {
        let mut switches = Switches::default();
        assert!(switches.turn(Flow::PcToCrm, false));
        assert!(switches.lose(Flow::Customize));
        assert!(switches.wait(Flow::PcToCrm, DealNumber(7)));
        let entries = [
            (switch_key(Flow::PcToCrm), switches.text(Flow::PcToCrm).unwrap()),
            (switch_key(Flow::Customize), switches.text(Flow::Customize).unwrap()),
            (waiting_key(Flow::PcToCrm, DealNumber(7)), "1".to_owned()),
        ];
        let mut loaded = Switches::load(entries.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        assert_eq!(loaded.blocked(Flow::PcToCrm), Some(Blocked::Off(Flow::PcToCrm)));
        assert_eq!(loaded.blocked(Flow::Customize), Some(Blocked::Lost(Flow::Customize)));
        assert_eq!(
            loaded.release(Flow::PcToCrm).into_iter().collect::<Vec<_>>(),
            [DealNumber(7)]
        );
    }

    #[test]
    fn off_and_on_finds_a_lost_trigger_again() {
        let mut switches = Switches::default();
        switches.lose(Flow::Customize);
        assert!(!switches.turn(Flow::Customize, true));
        assert!(switches.is_lost(Flow::Customize));
        switches.turn(Flow::Customize, false);
        switches.turn(Flow::Customize, true);
        assert_eq!(switches.blocked(Flow::Customize), None);
    }
}
