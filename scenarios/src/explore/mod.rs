//! Random histories: drawn from seeds, run, judged, and shrunk to the scenario that shows the failure in the fewest steps.
//!
//! A history is a scenario in the language of the catalog from the start, so a failure is a file that `cosell run`
//! reproduces. It decides nothing about right and wrong: that is for [`crate::invariant`].

/// A scenario while it is being made.
pub mod draft;
/// What may go wrong.
pub mod profile;
mod words;
mod sketch;
mod transition;
mod swarm;
mod options;
/// From a seed to a history.
pub mod generate;
/// Which states were reached.
pub mod coverage;
/// One history, run and judged.
pub mod trial;
/// From a long history to a short one.
pub mod shrink;
/// Many seeds on many threads.
pub mod campaign;
/// Deliberately broken connectors, caught.
#[cfg(feature = "planted")]
pub mod bugs;
/// A campaign on disk.
pub mod folder;

pub use draft::Draft;
pub use generate::{Choice, history};
pub use profile::Profile;
