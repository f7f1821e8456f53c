//! Annotations for GitHub Actions: workflow commands that mark the words of a scenario in a pull request.

use std::io;

use super::{Ended, Ran, Report, Sink, human};
use crate::diagnostic::Sources;
use crate::verdict::Outcome;

/// Workflow commands, a line for each finding.
#[expect(missing_debug_implementations, reason = "a place to write to has nothing to show")]
pub struct Github {
    sink: Sink,
}

impl Github {
    /// Commands that go there: standard output, for the runner to see them.
    pub fn new(sink: Sink) -> Self {
        Self { sink }
    }
}

impl Report for Github {
    fn add(&mut self, ran: &Ran<'_>, sources: &Sources) -> io::Result<()> {
        let level = match ran.outcome() {
            Outcome::Passed => return Ok(()),
            Outcome::Failed => "error",
            Outcome::Inconclusive => "warning",
        };
        let title = format!("{} [{}]", ran.plan.title, ran.plan.crm.name());
        for shown in human::diagnostics(ran) {
            let place = shown.position(sources).map_or_else(String::new, |place| {
                format!(",line={},col={}", place.line, place.column)
            });
            let mut message = shown.message.clone();
            for note in &shown.notes {
                message.push('\n');
                message.push_str(note);
            }
            message.push_str("\nrun it again: ");
            message.push_str(&ran.command());
            writeln!(
                self.sink,
                "::{level} file={}{place},title={}::{}",
                property(&shown.path),
                property(&title),
                body(&message)
            )?;
        }
        self.sink.flush()
    }

    fn finish(&mut self, _ended: &Ended) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The escapes of the runner's own toolkit (actions/toolkit, `command.ts`).
fn body(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    body(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_command() {
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
        assert_eq!(body("one\ntwo: 5 %"), "one%0Atwo: 5 %25");
    }
}
