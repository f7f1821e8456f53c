//! Many runs on many threads, handed over in the order of a single thread.
//!
//! A run depends on its plan alone, so threads change nothing but the wall clock. This file knows no scenarios.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

/// How many jobs, for each thread, may be begun before an earlier one is delivered: bounds the traces that pile up
/// behind a slow run.
const AHEAD: usize = 16;

/// How many results were delivered; whoever is too far ahead waits here.
#[derive(Default)]
struct Progress {
    delivered: Mutex<usize>,
    moved: Condvar,
}

impl Progress {
    fn wait_for(&self, least: usize) {
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.moved.wait_while(delivered, |delivered| *delivered < least));
    }

    fn set(&self, delivered: usize) {
        *self.delivered.lock().unwrap_or_else(PoisonError::into_inner) = delivered;
        self.moved.notify_all();
    }
}

/// Lets everybody go when a job panics: the panic then reaches the caller instead of leaving others waiting.
struct OnPanic<'a>(&'a Progress, &'a AtomicBool);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.1.store(true, Ordering::Relaxed);
            self.0.set(usize::MAX);
        }
    }
}

/// Does each job on one of `threads` threads, and delivers the results in the order of the jobs, on the caller's thread.
///
/// No new job starts after `deliver` breaks or `stop` is set; jobs under way end, and what they give after a break is
/// dropped. So what is delivered before a break is the same for any number of threads. Returns how many were delivered.
pub fn in_order<J: Sync, R: Send>(
    jobs: &[J],
    threads: usize,
    stop: &AtomicBool,
    work: impl Fn(&J) -> R + Sync,
    mut deliver: impl FnMut(&J, R) -> ControlFlow<()>,
) -> usize {
    let threads = threads.clamp(1, jobs.len().max(1));
    let next = AtomicUsize::new(0);
    let ended = AtomicBool::new(false);
    let progress = Progress::default();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, ended, progress, work) = (&next, &ended, &progress, &work);
            scope.spawn(move || {
                let _on_panic = OnPanic(progress, ended);
                while !ended.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { break };
                    progress.wait_for((index + 1).saturating_sub(threads * AHEAD));
                    if sender.send((index, work(job))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut delivered = 0;
        for (index, result) in receiver {
            early.insert(index, result);
            while let Some(result) = early.remove(&delivered) {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                delivered += 1;
                progress.set(delivered);
                if deliver(&jobs[delivered - 1], result).is_break() {
                    ended.store(true, Ordering::Relaxed);
                    // Nobody waits any longer: what is under way ends, and nothing new begins.
                    progress.set(usize::MAX);
                }
            }
        }
        delivered
    })
}

/// As many threads as the machine has cores, one when it does not say.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(threads: usize, breaks_at: u64) -> Vec<u64> {
        let jobs: Vec<u64> = (0..500).collect();
        let mut got = Vec::new();
        let stop = AtomicBool::new(false);
        // Uneven work, so that threads overtake each other.
        let work = |job: &u64| (0..(job * 7919) % 5000).fold(*job, |sum, step| sum ^ (step << 20));
        let count = in_order(&jobs, threads, &stop, work, |job, result| {
            got.push(result ^ *job);
            if *job == breaks_at {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(count, got.len());
        got
    }

    #[test]
    fn any_number_of_threads_delivers_what_one_delivers() {
        for breaks_at in [0, 17, 250, 1000] {
            let serial = delivered(1, breaks_at);
            assert_eq!(serial.len(), 500.min(usize::try_from(breaks_at).expect("small") + 1));
            for threads in [2, 3, 8, 64] {
                assert_eq!(
                    delivered(threads, breaks_at),
                    serial,
                    "{threads} threads, break at {breaks_at}"
                );
            }
        }
    }

    #[test]
    fn a_stop_from_outside_starts_no_further_job() {
        let jobs: Vec<u32> = (0..10_000).collect();
        let stop = AtomicBool::new(false);
        let count = in_order(
            &jobs,
            2,
            &stop,
            |job| *job,
            |job, _| {
                stop.store(*job >= 5, Ordering::Relaxed);
                ControlFlow::Continue(())
            },
        );
        assert!((6..200).contains(&count), "{count} were delivered");
    }

    #[test]
    fn no_jobs_are_no_trouble() {
        let none: [u8; 0] = [];
        assert_eq!(
            in_order(
                &none,
                4,
                &AtomicBool::new(false),
                |_| 0,
                |_, _: i32| ControlFlow::Continue(())
            ),
            0
        );
    }
}
