//! The reference co-sell connector: it keeps deals in step between Microsoft Partner Center and a CRM.
//!
//! The core has no input and no output. It takes events and gives commands:
//!
//! ```text
//!  Event  (reply, failure, webhook) ──▶ handle_event(event, now) ─┐
//!  time                             ──▶ handle_timeout(now) ──────┤▶ poll_command() ──▶ Command (call, persist, answer, record)
//!                                                                 └▶ poll_timeout() ──▶ (when, why)
//! ```
//!
//! 1. Commands are carried out in order; a [`Persist`](contract::Command::Persist) is durable before the next command.
//! 2. Everything that must survive the process has been persisted before the effect that it announces.
//! 3. Webhooks and polls only mark a deal as due. A run of a deal reads both records, merges them against the base, writes
//!    what differs, and moves the base. Runs of one deal never overlap.
//! 4. It reads no clock, no randomness, no environment, no socket: the same events give the same commands.
//!
//! Modules stand in dependency order, which is also the reading order: a module may name those above it, never those
//! below. The driver (feature `io`) is the only place with a clock and sockets.

/// Newtypes for every identifier.
pub mod id;
/// Deliberately broken variants.
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
/// The canonical deal.
pub mod deal;
/// What an operator may set.
pub mod settings;
/// The named flows.
pub mod flow;
/// What goes into the core and what comes out of it.
pub mod contract;
/// What must not be forgotten about a deal.
pub mod record;
/// What each system can do, as data.
pub mod system;
/// What to do about two sides and their base.
pub mod sync;
/// How it goes.
pub mod status;
/// The executor of the jobs.
mod engine;
/// Which deals are known, due, running.
mod board;
/// What the connector does.
mod job;
/// The four verbs.
pub mod connector;
/// The driver: clock, sockets, store.
#[cfg(feature = "io")]
pub mod driver;

pub use connector::Connector;
pub use contract::{Command, Decision, Event, Failure, Memory, Reason, Signature, System};
pub use settings::Settings;
