//! From scenario file to verdict: what `cosell` is made of.
//!
//! A scenario is read into a plan, the plan is run on the simulators into a trace, the trace is judged into a verdict,
//! and the verdict is shown in a report. Everything after the run reads only plan and trace.
//!
//! Modules stand in dependency order: a module may name those above it, never those below.

/// What is wrong and where, shown with a caret.
pub mod diagnostic;
/// YAML as a tree in which every word knows its place.
pub mod yaml;
/// Blanks where they belong.
pub mod format;
/// A file of connector settings.
pub mod settings_file;
/// A scenario, as written.
pub mod scenario;
/// What an exported solution says of the connector's configuration.
pub mod export;
/// The scenarios that come with the binary.
pub mod catalog;
/// From paths to scenarios.
pub mod load;
/// Amounts in minor units, and as people write them.
pub mod money;
/// What the rows of both sides say about a deal.
pub mod record;
/// The kinds of call that a connector makes.
pub mod calls;
/// A run, resolved.
pub mod plan;
/// What people do in a scenario.
pub mod hands;
/// A plan in the words of simulators and connector.
pub mod setup;
/// What happened in a run.
pub mod trace;
/// The state of a run at one entry of its trace.
pub mod board;
/// Both records of each deal next to each other.
pub mod sides;
/// The story of a run, one line an event.
pub mod log;
/// What a naive model expects of a deal, from what people wrote alone.
pub mod reference;
/// What must be true of every run.
pub mod invariant;
/// What a scenario asks for at a step.
pub mod expectation;
/// Runs a plan.
pub mod simulate;
/// How a client is told where the simulators are.
pub mod ready;
/// Runs a plan with somebody else's connector, on sockets and the wall clock.
pub mod live;
/// The verdict on a run.
pub mod verdict;
/// Saved traces, read back with their scenario.
pub mod replay;
/// Which behaviour a set of runs exercised.
pub mod coverage;
/// Filter expressions: which runs a command means.
pub mod filter;
/// Many runs on many threads.
pub mod runner;
/// Random histories, and what is left of them when they fail.
pub mod explore;
/// What the exit code says.
pub mod exit;
/// What people and programs are shown.
pub mod report;
/// Checks of an environment before go-live.
pub mod preflight;
/// Acceptance before go-live, and the report that somebody signs.
pub mod accept;
/// A reverse proxy that records.
pub mod proxy;
/// Recorded requests, played at the simulators.
pub mod drift;
/// What is configured, for people and for comparison.
pub mod sheet;
/// The command line.
pub mod cli;
