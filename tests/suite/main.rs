//! Every suite of the workspace, in one binary.

mod structure;
mod bad_files;
mod bad_requests;
mod golden_simulator;
mod golden_connector;
mod fidelity;
mod state;
mod signatures;
mod catalog;
mod determinism;
mod guide;
mod editor;
mod parity;
mod driver;
mod recovery;
mod clocks;
mod planted;
mod planted_bugs;
mod verdicts;
mod convergence;
