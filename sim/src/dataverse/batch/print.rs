//! Answers to the parts of a batch as text, byte for byte as clients expect it (dataverse.md section 2.7).
//!
//! It knows nothing of requests.

use std::fmt::Write as _;

use super::super::answer::Answer;
use super::super::guid::Guid;

/// Writes one multipart body.
#[derive(Debug)]
pub(in super::super) struct Printer {
    boundary: String,
    out: String,
}

impl Printer {
    /// The body of a whole answer. Clients look for this very name.
    pub(in super::super) fn batch(id: Guid) -> Self {
        Self::new("batchresponse", id)
    }

    /// The body of a change set's part.
    pub(in super::super) fn change_set(id: Guid) -> Self {
        Self::new("changesetresponse", id)
    }

    fn new(name: &str, id: Guid) -> Self {
        Self {
            boundary: format!("{name}_{id}"),
            out: String::new(),
        }
    }

    /// Adds the answer to one request. `id` numbers it.
    pub(in super::super) fn answer(&mut self, answer: &Answer, content_id: Option<&str>, id: Guid) {
        // Writing to a String cannot fail.
        let _done = write!(
            self.out,
            "--{}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n",
            self.boundary
        );
        if let Some(content_id) = content_id {
            let _done = write!(self.out, "Content-ID: {content_id}\r\n");
        }
        self.out.push_str("\r\n");
        answer.print(&id.to_string(), &mut self.out);
        self.out.push_str("\r\n");
    }

    /// Adds a change set.
    pub(in super::super) fn nested(&mut self, set: Self) {
        // Writing to a String cannot fail.
        let _done = write!(
            self.out,
            "--{}\r\nContent-Type: multipart/mixed; boundary={}\r\n\r\n",
            self.boundary, set.boundary
        );
        self.out.push_str(&set.finished());
    }

    /// How many bytes there are so far.
    pub(in super::super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Takes everything back that was added.
    pub(in super::super) fn clear(&mut self) {
        self.out.clear();
    }

    /// Takes back what was added before a place.
    pub(in super::super) fn drop_before(&mut self, place: usize) {
        self.out.drain(..place.min(self.out.len()));
    }

    /// The content type that names the boundary.
    pub(in super::super) fn content_type(&self) -> String {
        format!("multipart/mixed; boundary={}", self.boundary)
    }

    /// The body with its last delimiter.
    pub(in super::super) fn finished(self) -> String {
        let Self { boundary, mut out } = self;
        // Writing to a String cannot fail.
        let _done = write!(out, "--{boundary}--\r\n");
        out
    }
}
