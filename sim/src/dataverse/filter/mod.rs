//! `$filter`: text → tree → bound to a table's columns → evaluated on rows.
//!
//! Query functions of Dynamics and operators of `FetchXML` become the same conditions.

pub(super) mod ast;
pub(super) mod parse;
pub(super) mod bind;
pub(super) mod eval;
pub(super) mod operator;
#[cfg(test)]
mod tests;
