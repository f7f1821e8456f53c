//! Jobs that move on by themselves, when their time has come.
//!
//! Whoever asks the org for anything first lets it do what is due.

use jiff::Timestamp;

use super::{extract, ingest};
use crate::salesforce::composite::part::Routes;
use crate::salesforce::job::Phase;
use crate::salesforce::state::State;

/// When the next job moves on.
pub(crate) fn next_due(state: &State) -> Option<Timestamp> {
    state.jobs.next_due(state.settings.bulk_processing).map(|(due, _)| due)
}

/// Lets every job do what is due by now, in the order of the times. What a job writes is told at once.
pub(crate) fn run_due(state: &mut State, routes: Routes) {
    let now = state.ground.clock.now();
    while let Some((due, id)) = state.jobs.next_due(state.settings.bulk_processing) {
        if due > now {
            return;
        }
        let Some(mut job) = state.jobs.get(id).cloned() else {
            return;
        };
        job.modified = due;
        if job.phase == Phase::UploadComplete {
            job.phase = Phase::InProgress;
        } else {
            // Assumed: how a bulk job names itself.
            state.transaction.origin = format!(
                "com/salesforce/api/bulkapi/{}",
                job.order.version.trim_start_matches('v')
            );
            let mut author = state.author(&job.order.creator.0);
            author.second = due.as_second();
            if job.order.operation.reads() {
                extract::run(state, &author, &mut job, routes);
            } else {
                ingest::run(state, &author, &mut job);
            }
            state.commit();
        }
        if let Some(kept) = state.jobs.get_mut(id) {
            *kept = job;
        }
    }
}

#[cfg(test)]
mod tests;
