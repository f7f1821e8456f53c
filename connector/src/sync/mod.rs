//! What to do about two sides and their base: pure rules, one idea each.
//!
//! Nothing here calls a system or keeps anything.

/// The lines of the Audit field.
pub mod audit;
/// How long to wait after a failure.
pub mod backoff;
/// What the states of both sides ask for.
pub mod status;
/// The three-way merge of the fields.
pub mod merge;
