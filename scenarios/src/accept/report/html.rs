//! The report as one HTML page that needs no network, and that prints.

use std::fmt::Write as _;

use super::{Report, environment, summary};
use crate::accept::checks::PRACTICE;
use crate::accept::{Checked, Outcome};

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.8rem 0 .5rem}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:.35rem .5rem;text-align:left;vertical-align:top;\
overflow-wrap:anywhere}th{background:#eee}code{font-size:.9em}small{color:#555}.result{font-weight:700;white-space:nowrap}\
.passed .result{color:#0a5d1f}.failed .result{color:#a30000}.failed{background:#fff1f1}.not-run{color:#555}\
.sign{min-width:6rem}.lines td{height:2.6rem}tr{break-inside:avoid}\
@media print{body{margin:0;max-width:none;font-size:11px}thead{display:table-header-group}}";

/// The whole page.
pub fn html(report: &Report) -> String {
    let name = report
        .environment
        .profile
        .as_deref()
        .unwrap_or("the documented defaults");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Acceptance of {0}</title>\n<style>{STYLE}</style></head><body>\n<h1>Acceptance of {0}</h1>\n\
         <p><strong>{1}</strong></p>\n<p>{PRACTICE}</p>\n<h2>What was tried</h2>\n<table><tbody>\n",
        safe(name),
        safe(&summary(report))
    );
    // Writing to a string cannot fail.
    for (name, value) in environment(report) {
        let _written = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            safe(&name),
            safe(&value)
        );
    }
    page.push_str(
        "</tbody></table>\n<h2>Checks</h2>\n<table><thead><tr><th>No.</th><th>Check</th><th>Expected</th><th>Seen</th>\
         <th>Result</th><th class=\"sign\">Signed</th></tr></thead><tbody>\n",
    );
    for check in &report.checks {
        row(&mut page, check);
    }
    page.push_str("</tbody></table>\n");
    let left = report.checks.iter().flat_map(|check| &check.left_behind);
    let left: Vec<String> = left.map(|record| format!("<li>{}</li>", safe(record))).collect();
    if !left.is_empty() {
        let _written = writeln!(page, "<h2>Left behind</h2>\n<ul>{}</ul>", left.concat());
    }
    page.push_str(
        "<h2>Sign-off</h2>\n<table class=\"lines\"><thead><tr><th>Name</th><th>Role</th><th>Date</th><th>Signature</th></tr></thead>\
         <tbody><tr><td></td><td></td><td></td><td></td></tr><tr><td></td><td></td><td></td><td></td></tr></tbody></table>\n\
         </body></html>\n",
    );
    page
}

fn row(page: &mut String, check: &Checked) {
    let class = match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotRun => "not-run",
    };
    let seen = match &check.reason {
        Some(reason) => safe(reason),
        None => all(&check.seen),
    };
    // Writing to a string cannot fail.
    let _written = writeln!(
        page,
        "<tr class=\"{class}\"><td>{}</td><td><code>{}</code><br>{}<br><small>{} · {}</small></td><td>{}</td><td>{seen}</td>\
         <td class=\"result\">{}</td><td></td></tr>",
        check.number,
        safe(check.code),
        safe(&check.title),
        safe(check.practice),
        safe(&check.requirements.join(", ")),
        all(&check.expected),
        check.outcome.word()
    );
}

fn all(lines: &[String]) -> String {
    let safe: Vec<String> = lines.iter().map(|line| safe(line)).collect();
    safe.join("<br>")
}

/// Text that stays text.
fn safe(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
