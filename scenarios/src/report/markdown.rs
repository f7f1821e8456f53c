//! The report for a pull request: a table, and each failure folded up. GitHub, GitLab and Azure DevOps show it.

use std::fmt::Write as _;
use std::io;

use super::{Ended, Ran, Report, Sink, human};
use crate::diagnostic::{Sources, Style};
use crate::verdict::Outcome;

/// A comment on GitHub holds 65,536 characters; what is left of that belongs to the table.
const LONGEST: usize = 60_000;

/// Markdown, written in the end.
#[expect(missing_debug_implementations, reason = "a place to write to has nothing to show")]
pub struct Markdown {
    sink: Sink,
    failures: String,
    left_out: usize,
    /// Invariants that did not judge some of the runs.
    not_judged: Vec<&'static str>,
}

impl Markdown {
    /// A summary that goes there.
    pub fn new(sink: Sink) -> Self {
        Self {
            sink,
            failures: String::new(),
            left_out: 0,
            not_judged: Vec::new(),
        }
    }
}

impl Report for Markdown {
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()> {
        if self.not_judged.is_empty() {
            self.not_judged = ran.left_out();
        }
        let word = match ran.outcome() {
            Outcome::Passed => return Ok(()),
            Outcome::Failed => "failed",
            Outcome::Inconclusive => "inconclusive",
        };
        let findings = human::findings(ran, sources, Style::PLAIN);
        let section = format!(
            "<details><summary>{word}: {} [{}]</summary>\n\n{}\n</details>\n\n",
            escaped(&ran.plan.title),
            ran.plan.crm.name(),
            fenced(&findings)
        );
        if self.failures.len() + section.len() > LONGEST {
            self.left_out += 1;
        } else {
            self.failures.push_str(&section);
        }
        Ok(())
    }

    fn finish(&mut self, ended: &Ended) -> io::Result<()> {
        let tally = ended.tally;
        let mut text = String::from(
            "### Co-sell scenarios\n\n| passed | failed | inconclusive | not run |\n|---:|---:|---:|---:|\n",
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |\n",
            tally.passed, tally.failed, tally.inconclusive, ended.not_run
        );
        if ended.interrupted {
            text.push_str("The command was stopped before its end.\n\n");
        }
        if !self.not_judged.is_empty() {
            let _ = writeln!(text, "Judged from outside; left out: {}.\n", self.not_judged.join(", "));
        }
        text.push_str(&self.failures);
        if self.left_out > 0 {
            let _ = writeln!(
                text,
                "{} more are in the other reports: this one is full.\n",
                self.left_out
            );
        }
        self.sink.write_all(text.as_bytes())?;
        self.sink.flush()
    }
}

/// Text that Markdown and HTML show as it is.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '@' => {
                shown.push('\\');
                shown.push(sign);
            }
            _ => shown.push(sign),
        }
    }
    shown
}

/// A block of text as it is, whatever fences it holds itself.
fn fenced(text: &str) -> String {
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_gets_out_of_its_block() {
        assert_eq!(fenced("a ``` b"), "````text\na ``` b\n````\n");
        assert_eq!(escaped("<b>|x`y`"), "&lt;b&gt;\\|x\\`y\\`");
    }
}
