//! Scenario files, runs, verdicts and reports.
