//! The outside world of a co-sell connector: Partner Center, Salesforce and Dataverse as HTTP servers that keep state,
//! a network that can fail, and one clock and one seed that decide everything.
//!
//! It is not a connector and knows none: all that reaches it is an HTTP request, all that leaves it an HTTP response or
//! a webhook delivery.
//!
//! Modules stand in dependency order: a module may name those above it, never those below.

/// Chance: one seed, a labelled stream for each consumer.
pub mod seed;
/// Time as a value.
pub mod clock;
/// Which simulated system, and where it lives.
pub mod site;
/// How well each simulated behaviour is known.
pub mod fidelity;
/// What a system says it did: rows committed, requests refused, webhooks due.
pub mod happening;
/// The book of webhooks: what was owed, each attempt, how it ended.
pub mod delivery_log;
/// Replies that every system shares: JSON bodies, and the loud refusal of what is not simulated.
pub mod reply;
/// Who may call: users, roles, tokens and their life, and the Entra ID token endpoint.
pub mod identity;
/// Answers that are kept while nothing changes.
mod memo;
/// What every system stands on.
pub mod ground;
/// Partner Center: referrals, engagements, webhook registration.
pub mod partner_center;
/// Salesforce: sObjects, SOQL, the co-sell package's fields.
pub mod salesforce;
/// Dataverse: tables, OData queries, opportunity actions.
pub mod dataverse;
/// The systems of one world, wired in one place.
pub mod systems;
/// Rules that decide the fate of an exchange.
pub mod fault;
/// The way between connector and systems: latency, rules, and what is due.
pub mod network;
/// How a request reaches a system: in process, or over a socket.
pub mod transport;
/// All of it together, on one event queue.
pub mod world;
