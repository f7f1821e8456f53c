//! `$filter`: text → tree → bound to a table's columns → evaluated on rows.
//!
//! Lambdas, lookup paths and Dynamics query functions are recognised and refused, not evaluated.

pub(super) mod ast;
pub(super) mod parse;
pub(super) mod bind;
pub(super) mod eval;
#[cfg(test)]
mod tests;
