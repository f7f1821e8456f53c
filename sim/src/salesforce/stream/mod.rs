//! The Streaming API: CometD long polling with push topics and change data capture (salesforce.md section 5.2).
//!
//! Nothing waits here: an answer that has nothing to tell says so, and whoever carries it over a socket may wait and ask again.

/// The record of a push topic, and which writes it tells.
mod topic;
/// Channels: which there are, and which events are theirs.
mod channel;
/// From writes to events.
pub(crate) mod publish;
/// The protocol.
pub(crate) mod talk;

#[cfg(test)]
mod tests;
