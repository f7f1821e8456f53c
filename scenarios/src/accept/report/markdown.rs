//! The report as Markdown: for a ticket, a wiki, the summary of a pipeline.

use std::fmt::Write as _;

use super::{Report, environment, summary};
use crate::accept::Checked;
use crate::accept::checks::PRACTICE;

/// The whole report.
pub fn markdown(report: &Report) -> String {
    let name = report
        .environment
        .profile
        .as_deref()
        .unwrap_or("the documented defaults");
    let mut text = format!(
        "# Acceptance of {}\n\n{}\n\n{PRACTICE}\n\n",
        cell(name),
        cell(&summary(report))
    );
    text.push_str("## What was tried\n\n| | |\n|---|---|\n");
    // Writing to a string cannot fail.
    for (name, value) in environment(report) {
        let _written = writeln!(text, "| {} | {} |", cell(&name), cell(&value));
    }
    text.push_str("\n## Checks\n\n| no. | check | expected | seen | result | signed |\n|---|---|---|---|---|---|\n");
    for check in &report.checks {
        let _written = writeln!(
            text,
            "| {} | `{}`<br>{}<br>{} | {} | {} | **{}** | |",
            check.number,
            check.code,
            cell(&check.title),
            cell(&check.requirements.join(", ")),
            all(&check.expected),
            seen(check),
            check.outcome.word()
        );
    }
    let left: Vec<String> = report
        .checks
        .iter()
        .flat_map(|check| {
            check
                .left_behind
                .iter()
                .map(move |record| format!("- check {}: {}", check.number, cell(record)))
        })
        .collect();
    if !left.is_empty() {
        let _written = writeln!(text, "\n## Left behind\n\n{}", left.join("\n"));
    }
    text.push_str("\n## Sign-off\n\n| Name | Role | Date | Signature |\n|---|---|---|---|\n| | | | |\n| | | | |\n");
    text
}

/// What was seen, or why nothing was.
fn seen(check: &Checked) -> String {
    match &check.reason {
        Some(reason) => cell(reason),
        None => all(&check.seen),
    }
}

fn all(lines: &[String]) -> String {
    let cells: Vec<String> = lines.iter().map(|line| cell(line)).collect();
    cells.join("<br>")
}

/// Text that cannot leave its cell.
fn cell(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
        .replace(['\n', '\r'], " ")
}
