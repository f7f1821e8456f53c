//! The faults that somebody asked for over the control port, and behind them rules of whoever started the servers: one
//! list for calls and deliveries, first added first asked.
//!
//! It carries no fate out: the desk does for calls, the postman for deliveries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fault::{Exchange, ExchangeKind, Fate, Rule, Targeted};

/// One fault. Its target always says which kind of exchange it is about.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) id: u64,
    pub(super) rule: Targeted,
}

/// The faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) rules: Vec<Fault>,
    pub(super) last: u64,
}

/// The list, and how many of it are about calls, so that a run without any takes no lock.
#[derive(Default)]
pub(super) struct FaultBook {
    faults: Mutex<Faults>,
    on_calls: AtomicUsize,
    rules: Mutex<Vec<Box<dyn Rule + Send>>>,
    rules_count: AtomicUsize,
}

impl std::fmt::Debug for FaultBook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("FaultBook");
        shown.field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl FaultBook {
    /// Looks at the faults, or changes them.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Faults) -> T) -> T {
        let mut faults = self.lock();
        let done = work(&mut faults);
        let is_call = |fault: &&Fault| fault.rule.target.kind != Some(ExchangeKind::Delivery);
        let on_calls = faults.rules.iter().filter(is_call).count();
        self.on_calls.store(on_calls, Ordering::SeqCst);
        done
    }

    /// Whether a call could meet one.
    pub(super) fn meets_calls(&self) -> bool {
        self.on_calls.load(Ordering::SeqCst) + self.rules_count.load(Ordering::SeqCst) > 0
    }

    /// Adds a rule behind those that are there.
    pub(super) fn add_rule(&self, rule: Box<dyn Rule + Send>) {
        let mut rules = self.rules();
        rules.push(rule);
        self.rules_count.store(rules.len(), Ordering::SeqCst);
    }

    /// Removes every rule and every fault.
    pub(super) fn heal(&self) {
        self.with(|faults| faults.rules.clear());
        self.rules().clear();
        self.rules_count.store(0, Ordering::SeqCst);
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Box<dyn Rule + Send>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of an exchange, and the name of the fault that says so.
    pub(super) fn decide(&self, exchange: &Exchange<'_>) -> (Fate, Option<String>) {
        for fault in &mut self.lock().rules {
            let fate = fault.rule.decide(exchange);
            if !matches!(fate, Fate::Pass) {
                return (fate, Some(fault.rule.name.clone()));
            }
        }
        for rule in self.rules().iter_mut() {
            let fate = rule.decide(exchange);
            if !matches!(fate, Fate::Pass) {
                return (fate, Some(rule.name().to_owned()));
            }
        }
        (Fate::Pass, None)
    }

    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
