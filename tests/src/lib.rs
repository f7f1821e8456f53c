//! Builders and strategies for the suites. It holds no test of its own.

/// Plans made by hand, as short as they can be.
pub mod given;
/// Random histories, as strategies.
pub mod arbitrary;
