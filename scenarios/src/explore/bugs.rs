//! Hunting planted bugs: how many histories it takes until the invariant that claims a broken connector speaks.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

use cosell_connector::planted::Planted;

use super::campaign::{Campaign, Failure, SHRINK_BUDGET};
use super::profile::Profile;
use super::shrink::{Wanted, is_sound, shrink};
use super::trial::{self, Manner};
use crate::invariant::{Code, Finding};
use crate::scenario::Crm;

/// How far apart the places among the seeds are from which hunts start.
const APART: u64 = 1_000_000;

/// How many of one bug's failures are shrunk.
const SHRUNK: usize = 2;

/// How bugs are hunted.
#[derive(Clone, Copy, Debug)]
pub struct Hunt {
    /// From how many places.
    pub places: u64,
    /// Runs after which a hunt is given up.
    pub most: u64,
    /// Threads.
    pub jobs: usize,
}

/// What became of hunting one bug.
#[derive(Debug)]
pub struct Caught {
    /// The bug.
    pub bug: Planted,
    /// Runs that it took, the median of all places; a hunt that was given up counts whole.
    pub runs: u64,
    /// Seconds of one thread for that hunt, in the median, shrinking left out.
    pub seconds: f64,
    /// The shortest scenario; none when a hunt was given up.
    pub shortest: Option<Failure>,
}

/// Hunts all bugs, and tells each in their order.
pub fn hunt_all(bugs: &[Planted], hunt: Hunt, mut told: impl FnMut(&Caught)) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = channel();
    let waiting: Mutex<Vec<(usize, Caught)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..hunt.jobs.max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, bug)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    bugs.get(at).map(|bug| (at, *bug))
                } {
                    if sender.send((at, hunt_one(bug, hunt))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut telling = 0;
        for caught in receiver {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(caught);
            while let Some(at) = waiting.iter().position(|(at, _)| *at == telling) {
                told(&waiting.swap_remove(at).1);
                telling += 1;
            }
        }
    });
}

/// Hunts one bug from every place.
fn hunt_one(bug: Planted, hunt: Hunt) -> Caught {
    let mut hunts: Vec<(u64, f64, Option<Failure>)> = (0..hunt.places)
        .map(|place| from_place(bug, place, hunt.most))
        .collect();
    let escaped = hunts.iter().any(|(_, _, failure)| failure.is_none());
    hunts.sort_by_key(|(runs, _, _)| *runs);
    let middle = hunts.len() / 2;
    let (runs, seconds) = hunts
        .get(middle)
        .map_or((0, 0.0), |(runs, seconds, _)| (*runs, *seconds));
    let mut found: Vec<Failure> = hunts.into_iter().filter_map(|(_, _, failure)| failure).collect();
    // Shrinking costs more than finding, and what is short already ends up shortest.
    found.sort_by_key(|failure| failure.draft.steps.len());
    let shortest = found
        .into_iter()
        .take(SHRUNK)
        .map(|failure| shrunk(bug, failure))
        .min_by_key(|failure| failure.draft.steps.len());
    Caught {
        bug,
        runs,
        seconds,
        shortest: shortest.filter(|_| !escaped),
    }
}

/// The invariant that claims a bug.
pub fn claim(bug: Planted) -> Code {
    Code::from_name(bug.claimed_by()).unwrap_or(Code::Converged)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a hunt took is told to a person; no run sees it"
)]
fn from_place(bug: Planted, place: u64, most: u64) -> (u64, f64, Option<Failure>) {
    let start = Instant::now();
    let campaign = Campaign {
        first: place * APART,
        end: None,
        crms: Crm::ALL.to_vec(),
        profile: Profile::from_name(bug.hunted_with()).unwrap_or(Profile::Chaos),
        uniform: false,
        planted: Some(bug.name().to_owned()),
    };
    let manner = Manner {
        planted: campaign.planted.clone(),
        twice: false,
    };
    for number in 0..most {
        let draft = campaign.draft(number);
        let Ok(trial) = trial::run(&draft, &manner, None) else {
            continue;
        };
        let found: Option<Finding> = trial.findings.into_iter().find(|finding| finding.code == claim(bug));
        if let Some(finding) = found.filter(|_| is_sound(&draft)) {
            let failure = Failure {
                seed: draft.seed,
                crm: draft.crm,
                finding,
                draft,
                shrink_runs: None,
            };
            return (number + 1, start.elapsed().as_secs_f64(), Some(failure));
        }
    }
    (most, start.elapsed().as_secs_f64(), None)
}

fn shrunk(bug: Planted, failure: Failure) -> Failure {
    let manner = Manner {
        planted: Some(bug.name().to_owned()),
        twice: false,
    };
    let shrunk = shrink(&failure.draft, &Wanted::of(&failure.finding), &manner, SHRINK_BUDGET);
    Failure {
        draft: shrunk.draft,
        finding: shrunk.finding.unwrap_or(failure.finding),
        shrink_runs: Some(shrunk.runs),
        ..failure
    }
}
