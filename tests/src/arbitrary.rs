//! Random histories as a strategy of proptest: the generator of `cosell explore`, with proptest's own way of making a
//! failing one shorter.
//!
//! It draws nothing itself. Shrinking leaves steps out, one after the other; what the language refuses then is passed over
//! by the suite that runs it.

use cosell::explore::draft::Draft;
use cosell::explore::{Choice, Profile, history};
use cosell::scenario::Crm;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Histories of one profile; the CRM is drawn too.
#[derive(Clone, Copy, Debug)]
pub struct Histories(pub Profile);

/// A history from which steps are left out.
#[derive(Clone, Debug)]
pub struct Shortening {
    whole: Draft,
    kept: Vec<bool>,
    at: usize,
}

impl Strategy for Histories {
    type Tree = Shortening;
    type Value = Draft;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        use proptest::prelude::Rng as _;
        let bits = runner.rng().next_u64();
        let crm = Crm::ALL[usize::from(bits & 1 == 1)];
        let whole = history(Choice::new(crm, self.0), bits >> 1);
        let kept = vec![true; whole.steps.len()];
        Ok(Shortening { whole, kept, at: 0 })
    }
}

impl ValueTree for Shortening {
    type Value = Draft;

    fn current(&self) -> Draft {
        let kept = self.whole.steps.iter().zip(&self.kept).filter(|(_, kept)| **kept);
        Draft {
            steps: kept.map(|(step, _)| step.clone()).collect(),
            ..self.whole.clone()
        }
    }

    fn simplify(&mut self) -> bool {
        let Some(kept) = self.kept.get_mut(self.at) else {
            return false;
        };
        *kept = false;
        self.at += 1;
        true
    }

    fn complicate(&mut self) -> bool {
        let Some(before) = self.at.checked_sub(1) else {
            return false;
        };
        self.kept[before] = true;
        self.simplify()
    }
}
