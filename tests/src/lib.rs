//! Builders and strategies for the suites.
