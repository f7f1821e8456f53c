//! From a seed to a history, written as a scenario: options first, then deals, then what happens to them.

use cosell_sim::seed::{Seed, Stream};

use super::draft::{Draft, Line, duration};
use super::options::options;
use super::profile::Profile;
use super::sketch::Sketch;
use super::swarm::{Pace, Swarm};
use super::transition::faults::silent_creation;
use super::transition::{TRANSITIONS, make};
use super::words::pick;
use crate::scenario::Crm;

/// What decides a history besides its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The CRM.
    pub crm: Crm,
    /// What may go wrong.
    pub profile: Profile,
    /// How many transitions follow the making of the deals.
    pub events: u64,
    /// Draws from all transitions at once instead of a swarm of them, for comparison.
    pub uniform: bool,
}

impl Choice {
    /// The usual choice: 8 to 20 transitions.
    pub fn new(crm: Crm, profile: Profile) -> Self {
        Self {
            crm,
            profile,
            events: 14,
            uniform: false,
        }
    }
}

/// The history of a seed.
pub fn history(choice: Choice, seed: u64) -> Draft {
    let mut stream = Seed(seed).stream(choice.profile.name());
    let swarm = Swarm::draw(&mut stream, choice.profile, choice.uniform);
    let mut sketch = Sketch {
        profile: choice.profile,
        swarm,
        deals: Vec::new(),
        running: true,
        crm: choice.crm,
        off: Vec::new(),
        lost: false,
        broken: None,
        lowered: false,
    };
    let mut steps = Vec::new();
    begin(&mut stream, &mut sketch, &mut steps);
    let events = stream.between(choice.events.div_ceil(2), choice.events + choice.events / 2);
    for _ in 0..events {
        pause(&mut stream, sketch.swarm.pace, &mut steps);
        happen(&mut stream, &mut sketch, &mut steps);
    }
    if !sketch.running {
        steps.push(Line::bare("start connector"));
    }
    // The end of a history takes every fault away: the last ones get time to meet something.
    if stream.between(0, 5) > 0 {
        steps.push(Line::one("wait", duration(stream.between(1_000, 1_200_000))));
    }
    let (settings, world) = options(&mut stream, choice.profile, &sketch.swarm);
    Draft {
        title: format!("A history of seed {seed}, profile {}", choice.profile.name()),
        crm: choice.crm,
        seed,
        settings,
        world,
        steps,
    }
}

/// Makes the deals; most histories go on from a state that both sides have agreed on.
fn begin(stream: &mut Stream, sketch: &mut Sketch, steps: &mut Vec<Line>) {
    // What goes wrong first meets the creation.
    let faults = if stream.between(0, 2) == 0 {
        stream.between(1, 2)
    } else {
        0
    };
    if sketch.profile.allows(super::profile::Kind::Fault) && stream.between(0, 5) == 0 {
        steps.extend(silent_creation(stream));
    }
    for _ in 0..faults {
        if let Some(at) = draw(stream, sketch, |at| TRANSITIONS[at].fits.is_none()) {
            let waits_for_deals = [
                "restart connector",
                "stop connector",
                "resubmit failed runs",
                "resubmit flow",
            ];
            if waits_for_deals.contains(&TRANSITIONS[at].verb) {
                continue;
            }
            steps.extend((TRANSITIONS[at].make)(stream, sketch, 0));
        }
    }
    for number in 0..sketch.swarm.deals {
        let (line, deal) = make(stream, sketch, number);
        steps.push(line);
        sketch.deals.push(deal);
        if stream.between(0, 3) == 0 {
            pause(stream, sketch.swarm.pace, steps);
        }
    }
    let agreed = if stream.between(0, 3) == 0 {
        stream.between(1, 3_000)
    } else {
        600_000
    };
    steps.push(Line::one("wait", duration(agreed)));
}

fn pause(stream: &mut Stream, pace: Pace, steps: &mut Vec<Line>) {
    let pace = match pace {
        Pace::Mixed => *pick(stream, &[Pace::Hasty, Pace::Hasty, Pace::Brisk, Pace::Slow]),
        Pace::Hasty | Pace::Brisk | Pace::Slow => pace,
    };
    let millis = match pace {
        Pace::Hasty => stream.between(0, 900),
        Pace::Brisk => stream.between(900, 180_000),
        Pace::Slow | Pace::Mixed => match stream.between(0, 15) {
            // A jump of the clock: tokens expire, polls pile up, referrals come near their expiry.
            // A quiet day costs as much as all the rest of a run, so few are longer.
            0 if stream.between(0, 3) == 0 => match stream.between(0, 11) {
                0 => stream.between(24, 360) * 3_600_000,
                _ => stream.between(60, 720) * 60_000,
            },
            _ => stream.between(180_000, 1_500_000),
        },
    };
    if millis > 0 {
        steps.push(Line::one("wait", duration(millis)));
    }
}

fn happen(stream: &mut Stream, sketch: &mut Sketch, steps: &mut Vec<Line>) {
    let last = u64::try_from(sketch.deals.len() - 1).unwrap_or_default();
    let deal = usize::try_from(stream.between(0, last)).unwrap_or_default();
    let against = stream.between(0, 99) < sketch.swarm.meaningless;
    let known = sketch.deals[deal];
    let gone = known.in_crm == super::sketch::Place::Gone;
    let drawn = draw(stream, sketch, |at| {
        let transition = &TRANSITIONS[at];
        // After a deletion the language itself refuses what the seller does.
        let needs_row = transition.verb.starts_with("seller")
            || [
                "both edit",
                "somebody empties a field",
                "something happens at a call",
                "what somebody does meets a fault",
                "deals of a page change",
                "resubmit",
            ]
            .contains(&transition.verb);
        let possible = !(gone && needs_row);
        possible && transition.fits.is_none_or(|fits| against || fits(&known))
    });
    if let Some(at) = drawn {
        steps.extend((TRANSITIONS[at].make)(stream, sketch, deal));
    }
}

/// Draws one of the transitions that this run has and that fit, by weight.
fn draw(stream: &mut Stream, sketch: &Sketch, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let open = |at: &usize| sketch.swarm.on[*at] && sketch.profile.allows(TRANSITIONS[*at].kind) && fits(*at);
    let all: Vec<usize> = (0..TRANSITIONS.len()).filter(open).collect();
    let whole: u64 = all.iter().map(|at| TRANSITIONS[*at].weight).sum();
    if whole == 0 {
        return None;
    }
    let mut left = stream.between(0, whole - 1);
    all.into_iter().find(|at| {
        let weight = TRANSITIONS[*at].weight;
        let here = left < weight;
        left = left.saturating_sub(weight);
        here
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_takes_every_history() {
        for seed in 0..400 {
            for profile in Profile::ALL {
                let draft = history(Choice::new(Crm::Dynamics, profile), seed);
                if let Err(faults) = draft.plan() {
                    panic!("{}\n{faults:#?}", draft.text());
                }
            }
        }
    }

    #[test]
    fn a_seed_gives_one_history_and_another_seed_another() {
        let choice = Choice::new(Crm::Salesforce, Profile::Chaos);
        assert_eq!(history(choice, 5), history(choice, 5));
        assert_ne!(history(choice, 5).steps, history(choice, 6).steps);
    }

    #[test]
    fn calm_histories_hold_no_faults() {
        for seed in 0..100 {
            let draft = history(Choice::new(Crm::Salesforce, Profile::Calm), seed);
            let people = |line: &Line| line.deal().is_some() || line.verb == "wait";
            assert!(draft.steps.iter().all(people), "{}", draft.text());
        }
    }
}
