//! The options of a run, drawn from its seed before anything else: which transitions, fields and pauses it has at all.
//!
//! A history with everything in it hides what only many of one kind bring about; leaving kinds out at random reaches more
//! states than drawing evenly from all of them (the swarm of random testing).

use cosell_sim::seed::Stream;

use super::profile::Profile;
use super::transition::TRANSITIONS;

/// Which fields people edit.
pub(super) const FIELDS: [&str; 4] = ["name", "value", "closes", "notes"];

/// How long people pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Within one sync.
    Hasty,
    /// Between two polls.
    Brisk,
    /// Until everything is said.
    Slow,
    /// All of these.
    Mixed,
}

/// The options of one run.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn apart from the others")]
pub(super) struct Swarm {
    /// By transition: whether it happens in this run.
    pub(super) on: [bool; TRANSITIONS.len()],
    pub(super) fields: [bool; FIELDS.len()],
    pub(super) pace: Pace,
    pub(super) currencies: &'static [&'static str],
    /// Percent of steps that are drawn against what is believed.
    pub(super) meaningless: u64,
    pub(super) deals: usize,
    /// People write much: most texts are long.
    pub(super) wordy: bool,
    /// All deals are one customer's.
    pub(super) one_customer: bool,
    /// Half of the deals are leads, and leads are let in.
    pub(super) leads: bool,
    /// Most amounts have something after the point.
    pub(super) cents: bool,
}

const PLAIN: [&str; 1] = ["USD"];
const SEVERAL: [&str; 4] = ["USD", "EUR", "JPY", "GBP"];

impl Swarm {
    /// The options that a seed draws. `uniform`: everything is on, for comparison.
    pub(super) fn draw(stream: &mut Stream, profile: Profile, uniform: bool) -> Self {
        let keeps = stream.between(3, 8);
        let mut on = [true; TRANSITIONS.len()];
        for (on, transition) in on.iter_mut().zip(&TRANSITIONS) {
            let kept = stream.between(1, 10) <= keeps;
            *on = profile.allows(transition.kind) && (kept || uniform);
        }
        let mut fields = [true; FIELDS.len()];
        if !uniform {
            fields = fields.map(|_| stream.between(0, 9) < 7);
            let one = usize::try_from(stream.between(0, 3)).unwrap_or_default();
            fields[one] = true;
        }
        let pace = match stream.between(0, 5) {
            _ if uniform => Pace::Mixed,
            0 => Pace::Hasty,
            1 | 2 => Pace::Brisk,
            3 => Pace::Slow,
            _ => Pace::Mixed,
        };
        let several = stream.between(0, 3) == 0;
        Self {
            on,
            fields,
            pace,
            currencies: if several { &SEVERAL } else { &PLAIN },
            meaningless: if uniform { 8 } else { stream.between(0, 15) },
            // More deals than one page of a list holds, now and then.
            deals: usize::try_from(match stream.between(0, 9) {
                0 => stream.between(4, 6),
                _ => stream.between(1, 3),
            })
            .unwrap_or(1),
            wordy: !uniform && stream.between(0, 4) == 0,
            one_customer: !uniform && stream.between(0, 4) == 0,
            leads: !uniform && stream.between(0, 7) == 0,
            cents: !uniform && stream.between(0, 4) == 0,
        }
    }

    /// The fields of a list that people edit in this run; all of the list when none is.
    pub(super) fn fields_of<'a>(&self, list: &[&'a str]) -> Vec<&'a str> {
        let on = |field: &&str| {
            FIELDS
                .iter()
                .position(|known| known == field)
                .is_none_or(|at| self.fields[at])
        };
        let kept: Vec<&str> = list.iter().copied().filter(|field| on(field)).collect();
        if kept.is_empty() { list.to_vec() } else { kept }
    }
}
