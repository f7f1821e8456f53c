//! Many seeds on many threads: each run once, some twice, and failures shrunk and told apart.
//!
//! Which seeds are run depends on nothing but the campaign; how many threads run them changes only the order in which they
//! are done.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;

use super::coverage::Coverage;
use super::draft::{Draft, Said};
use super::generate::{Choice, history};
use super::profile::Profile;
use super::shrink::{Wanted, shrink};
use super::trial::{self, Manner, Trial};
use crate::invariant::{Code, Finding};
use crate::scenario::Crm;

/// One run in so many is done twice: odd, so that it meets each CRM.
const TWICE_EVERY: u64 = 19;
/// How many failures of one invariant are shrunk: the others are counted.
const SHRUNK_PER_CODE: u32 = 12;
/// Runs that shrinking one failure may take.
pub const SHRINK_BUDGET: u32 = 1_500;

/// What is explored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// The first seed.
    pub first: u64,
    /// The seed after the last one; none for a campaign that is ended by time.
    pub end: Option<u64>,
    /// The CRMs; each seed is run on each.
    pub crms: Vec<Crm>,
    /// What may go wrong.
    pub profile: Profile,
    /// Whether options are left out of the seeds.
    pub uniform: bool,
    /// The deliberately broken connector to run.
    pub planted: Option<String>,
}

impl Campaign {
    /// The number of runs, when it is known.
    pub fn runs(&self) -> Option<u64> {
        let crms = u64::try_from(self.crms.len()).unwrap_or(1);
        self.end.map(|end| end.saturating_sub(self.first).saturating_mul(crms))
    }

    /// The history of the run of that number, from 0.
    pub fn draft(&self, number: u64) -> Draft {
        let crms = u64::try_from(self.crms.len()).unwrap_or(1).max(1);
        let crm = self.crms[usize::try_from(number % crms).unwrap_or_default()];
        let choice = Choice {
            uniform: self.uniform,
            ..Choice::new(crm, self.profile)
        };
        history(choice, self.first.wrapping_add(number / crms))
    }
}

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The CRM.
    pub crm: Crm,
    /// What was found first.
    pub finding: Finding,
    /// The history, shrunk if it was shrunk.
    pub draft: Draft,
    /// The runs that shrinking took; none when it was left long.
    pub shrink_runs: Option<u32>,
}

impl Failure {
    /// What tells it apart from others: the invariant and the steps that are left, without their values.
    pub fn shape(&self) -> String {
        let mut words = vec![self.finding.code.name()];
        words.extend(self.draft.settings.iter().map(|(key, _)| *key));
        for line in self.draft.steps.iter().filter(|line| line.verb != "wait") {
            words.push(line.verb);
            if let Said::Keys(keys) | Said::Then(keys, _) = &line.said {
                words.extend(keys.iter().map(|(key, _)| *key).filter(|key| *key != "deal"));
            }
            words.extend(line.inner().iter().map(|inner| inner.verb));
        }
        words.join(" ")
    }
}

/// One run that is over.
#[derive(Debug)]
pub struct Done {
    /// Its number.
    pub number: u64,
    /// Messages.
    pub exchanges: u64,
    /// Virtual time.
    pub lasted: SignedDuration,
    /// What the simulators refused.
    pub missing: Vec<String>,
    /// What was wrong.
    pub failure: Option<Failure>,
    /// The harness could not run it.
    pub broken: Option<String>,
}

/// The state that threads share.
struct Shared<'a> {
    campaign: &'a Campaign,
    next: AtomicU64,
    end: u64,
    stop: &'a AtomicBool,
    shrunk: Mutex<BTreeMap<Code, u32>>,
    shrinks: bool,
}

/// How a campaign is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Threads.
    pub jobs: usize,
    /// The first run to do: the others were done before.
    pub from: u64,
    /// Whether failures are shrunk.
    pub shrinks: bool,
}

/// Runs a campaign until it is over or `stop` is set, and tells each run as it is done. Gives what was reached.
pub fn carry_out(campaign: &Campaign, pace: Pace, stop: &AtomicBool, mut told: impl FnMut(Done)) -> Coverage {
    let shared = Shared {
        campaign,
        next: AtomicU64::new(pace.from),
        end: campaign.runs().unwrap_or(u64::MAX),
        stop,
        shrunk: Mutex::default(),
        shrinks: pace.shrinks,
    };
    let (sender, receiver): (Sender<Done>, Receiver<Done>) = channel();
    std::thread::scope(|scope| {
        let shared = &shared;
        let workers: Vec<_> = (0..pace.jobs.max(1))
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || work(shared, &sender))
            })
            .collect();
        drop(sender);
        for done in receiver {
            told(done);
        }
        let mut coverage = Coverage::default();
        for worker in workers {
            // A worker that panicked is the harness's own fault, and is told as it is.
            match worker.join() {
                Ok(reached) => coverage.add(&reached),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        coverage
    })
}

fn work(shared: &Shared<'_>, sender: &Sender<Done>) -> Coverage {
    let mut coverage = Coverage::default();
    while !shared.stop.load(Ordering::Relaxed) {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.end {
            break;
        }
        let done = one(shared, number, &mut coverage);
        if sender.send(done).is_err() {
            break;
        }
    }
    coverage
}

fn one(shared: &Shared<'_>, number: u64, coverage: &mut Coverage) -> Done {
    let draft = shared.campaign.draft(number);
    let manner = Manner {
        planted: shared.campaign.planted.clone(),
        twice: number.is_multiple_of(TWICE_EVERY),
    };
    let mut done = Done {
        number,
        exchanges: 0,
        lasted: SignedDuration::ZERO,
        missing: Vec::new(),
        failure: None,
        broken: None,
    };
    match trial::run(&draft, &manner, Some(coverage)) {
        Ok(Trial {
            findings,
            missing,
            exchanges,
            lasted,
            ..
        }) => {
            (done.exchanges, done.lasted, done.missing) = (exchanges, lasted, missing);
            done.failure = findings
                .into_iter()
                .next()
                .map(|finding| failure(shared, draft, finding, &manner));
        }
        Err(error) => done.broken = Some(format!("seed {}: {error}", draft.seed)),
    }
    done
}

fn failure(shared: &Shared<'_>, draft: Draft, finding: Finding, manner: &Manner) -> Failure {
    let (seed, crm) = (draft.seed, draft.crm);
    let wanted = Wanted::of(&finding);
    let shrinks = shared.shrinks && {
        let mut shrunk = shared.shrunk.lock().unwrap_or_else(PoisonError::into_inner);
        let times = shrunk.entry(wanted.code).or_default();
        *times += 1;
        *times <= SHRUNK_PER_CODE
    };
    if !shrinks {
        return Failure {
            seed,
            crm,
            finding,
            draft,
            shrink_runs: None,
        };
    }
    let shrunk = shrink(&draft, &wanted, manner, SHRINK_BUDGET);
    Failure {
        seed,
        crm,
        finding: shrunk.finding.unwrap_or(finding),
        draft: shrunk.draft,
        shrink_runs: Some(shrunk.runs),
    }
}
