//! The Bulk API 2.0: jobs that write a CSV, and jobs that read into one.
//!
//! Sources: salesforce.md section 7.1 and the developer guide of the Bulk API. Assumed throughout: codes and words of the
//! refusals, where no comment names a source; how long a job takes is a switch.

/// What one row of a CSV says.
mod line;
/// CSV in and out.
mod sheet;
/// Jobs over HTTP: made, closed, listed, deleted.
pub(crate) mod jobs;
/// Jobs that write.
mod ingest;
/// Jobs that read.
mod extract;
/// Jobs that move on by themselves.
pub(crate) mod work;
