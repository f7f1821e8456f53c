//! The suites.

#[test]
fn the_workspace_builds() {}
