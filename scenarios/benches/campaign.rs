//! A standard campaign: profile `faults`, random histories on both CRMs, every invariant, one run in nineteen done twice and
//! compared byte by byte; on one core and on all.
//!
//! `cargo bench -p cosell --bench campaign`, with the number of runs behind `--` (2,000 unless it says so). Histories settle for
//! half an hour of virtual time after each heal, so a run has several hundred exchanges, most of them polls that bring nothing:
//! the figures are runs a second of their own length, exchanges a second, and the memory of the process on the way.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use cosell::explore::Profile;
use cosell::explore::campaign::{Campaign, Pace, carry_out};
use cosell::runner;
use cosell::scenario::Crm;

/// The allocator of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let runs = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(2_000);
    let cores = runner::cores();
    measure(runs, 1);
    if cores > 1 {
        measure(runs, cores);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the time of the machine")]
fn measure(runs: u64, jobs: usize) {
    let campaign = Campaign {
        first: 1,
        end: Some(1 + runs / 2),
        crms: Crm::ALL.to_vec(),
        profile: Profile::Faults,
        uniform: false,
        planted: None,
    };
    let pace = Pace {
        jobs,
        from: 0,
        shrinks: false,
    };
    let (mut exchanges, mut failures, mut done_runs, mut half) = (Vec::new(), 0, 0, 0);
    let start = Instant::now();
    carry_out(&campaign, pace, &AtomicBool::new(false), |done| {
        assert!(done.broken.is_none(), "{:?}", done.broken);
        failures += u32::from(done.failure.is_some());
        exchanges.push(done.exchanges);
        done_runs += 1;
        if done_runs == runs / 2 {
            half = resident();
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let all: u64 = exchanges.iter().sum();
    exchanges.sort_unstable();
    let median = exchanges.get(exchanges.len() / 2).copied().unwrap_or_default();
    let rate = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds;
    println!(
        "{jobs} thread(s): {done_runs} runs of {median} exchanges (median), {failures} with findings: {:.0} runs/s, {:.0} exchanges/s; \
         {} MB resident at half, {} MB at the end",
        rate(done_runs),
        rate(all),
        half / 1024,
        resident() / 1024
    );
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}
