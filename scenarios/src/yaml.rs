//! YAML text as a tree in which every word knows its place.
//!
//! Only the plain part of YAML: texts, lists and maps. Anchors, aliases, tags and several documents in one file are
//! refused, so a file says what it says, and cannot grow when it is read. It knows nothing about scenarios.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};

use crate::diagnostic::{Diagnostic, Span};

/// Lists and maps within each other; far more than any scenario has.
pub const DEEPEST: usize = 64;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands. For a map or a list in block form: from its first to its last child.
    pub span: Span,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words. A value that is left out is an unquoted empty text.
    Text {
        /// The words, unescaped.
        text: String,
        /// Whether they stand in quotes or in a block of text, and so are never one of the language's own words.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file; keys may repeat.
    Map(Vec<(Node, Node)>),
    /// Something that is already reported.
    Refused,
}

impl Node {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        matches!(&self.kind, Kind::Text { text, quoted: false } if text.is_empty())
    }
}

/// A file as a tree, and what is wrong with it as YAML. Without a root when it has no content or cannot be read.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The outermost node.
    pub root: Option<Node>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file's text.
pub fn parse(path: &str, text: &str) -> Tree {
    let mut growing = Growing::new(path);
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => {
                let place = span.byte_range().unwrap_or_default();
                if !growing.take(event, Span::new(place.start, place.end)) {
                    break;
                }
            }
            Err(error) => {
                growing.diagnostics.push(syntax(path, text, &error));
                growing.root = None;
                break;
            }
        }
    }
    Tree {
        root: growing.root,
        diagnostics: growing.diagnostics,
    }
}

/// A collection that is still open, with the key that waits for its value.
struct Open {
    kind: Kind,
    span: Span,
    key: Option<Node>,
}

/// The tree while it grows. Iterative, so that depth costs no stack.
struct Growing<'a> {
    path: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    refused: Vec<&'static str>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Growing<'a> {
    fn new(path: &'a str) -> Self {
        Self {
            path,
            open: Vec::new(),
            root: None,
            documents: 0,
            refused: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Takes one event; false when nothing further is of interest.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::DocumentStart(..) => return self.another_document(span),
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_only(anchor, tag.is_some(), span);
                let quoted = style != ScalarStyle::Plain;
                // The parser writes `~` for a value that is left out; people may write it too.
                let text = if !quoted && text == "~" {
                    String::new()
                } else {
                    text.into_owned()
                };
                self.put(Node {
                    kind: Kind::Text { text, quoted },
                    span,
                });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.plain_only(anchor, tag.is_some(), span);
                self.begin(Kind::List(Vec::new()), span);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain_only(anchor, tag.is_some(), span);
                self.begin(Kind::Map(Vec::new()), span);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse("an alias", span);
                self.put(Node {
                    kind: Kind::Refused,
                    span,
                });
            }
            // Nothing else carries content.
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Anchor(..) | Event::Comment(..) | _ => {
            }
        }
        true
    }

    fn another_document(&mut self, span: Span) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            let diagnostic = Diagnostic::error(self.path, "a second document begins here")
                .at(span, "a file holds one scenario")
                .help("put each scenario into a file of its own");
            self.diagnostics.push(diagnostic);
            return false;
        }
        true
    }

    fn plain_only(&mut self, anchor: usize, tagged: bool, span: Span) {
        if anchor != 0 {
            self.refuse("an anchor", span);
        }
        if tagged {
            self.refuse("a tag", span);
        }
    }

    /// Reports each kind of thing once: where there is one, there are often hundreds.
    fn refuse(&mut self, what: &'static str, span: Span) {
        if self.refused.contains(&what) {
            return;
        }
        self.refused.push(what);
        let diagnostic = Diagnostic::error(
            self.path,
            format!("{what} of YAML is not part of the scenario language"),
        )
        .at(span, "not understood")
        .help("write the value itself; a text that starts with `&`, `*` or `!` needs quotes");
        self.diagnostics.push(diagnostic);
    }

    fn begin(&mut self, kind: Kind, span: Span) {
        self.open.push(Open { kind, span, key: None });
    }

    fn end(&mut self, span: Span) {
        let Some(mut open) = self.open.pop() else { return };
        // A block collection's end is an empty span behind it; a flow collection's is its bracket.
        if span.end > span.start {
            open.span.end = span.end;
        }
        self.put(Node {
            kind: open.kind,
            span: open.span,
        });
    }

    fn put(&mut self, node: Node) {
        let Some(parent) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        parent.span.end = parent.span.end.max(node.span.end);
        match &mut parent.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => match parent.key.take() {
                Some(key) => entries.push((key, node)),
                None => parent.key = Some(node),
            },
            Kind::Text { .. } | Kind::Refused => {}
        }
    }
}

/// What the YAML parser stumbled over, in words for people who do not know YAML.
fn syntax(path: &str, text: &str, error: &ScanError) -> Diagnostic {
    let marker = error.marker();
    let start = marker.byte_offset().unwrap_or(text.len()).min(text.len());
    let end = text[start..]
        .chars()
        .next()
        .map_or(start, |sign| if sign == '\n' { start } else { start + sign.len_utf8() });
    // The text in quotes ran into the next key; what people look for is the mark that opened it.
    let ran_on = matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent);
    let opened = if ran_on { text[..start].rfind(['"', '\'']) } else { None };
    let span = opened.map_or(Span::new(start, end), |mark| Span::new(mark, mark + 1));
    if let Some((message, label, help)) = advice(error.kind()) {
        return Diagnostic::error(path, message).at(span, label).help(help);
    }
    Diagnostic::error(path, format!("this is not YAML: {}", error.kind())).at(span, "cannot go on here")
}

/// Message, label and help for the slips that people make.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser has some eighty kinds; the rest keep its own words"
)]
fn advice(kind: &ErrorKind) -> Option<(&'static str, &'static str, &'static str)> {
    let advice = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => (
            "a tab stands where only blanks may stand",
            "a tab",
            "indent with blanks: two for each level",
        ),
        ErrorKind::RecursionLimitExceeded => (
            "lists and maps are nested too deeply",
            "one level too many",
            "a scenario needs no more than five levels",
        ),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => (
            "a quotation mark is never closed",
            "opened here, or before",
            "close the text with the same mark",
        ),
        ErrorKind::UnclosedFlowCollection { .. } => (
            "a bracket is never closed",
            "still open here",
            "close it on the same line",
        ),
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "a bracket closes that was never opened",
            "not opened",
            "each `{` and `[` has one `}` or `]`",
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed | ErrorKind::InvalidColonPlacement => (
            "a colon stands where no key can stand",
            "a second key on this line, or a wrong indent",
            "put a text that holds `: ` into quotes; a key has a blank behind its colon",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::BlockSequenceEntryNotAllowed => (
            "this line does not fit to the lines above it",
            "a wrong indent, or a colon is missing",
            "keys of one map, and the dashes of one list, start in the same column; a key ends with `: `",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => (
            "a comma or a closing bracket is missing",
            "before this",
            "within brackets a comma parts one key from the next; put a text that holds `: ` into quotes",
        ),
        ErrorKind::UnexpectedCharacter { character } if !character.is_control() => (
            "a value cannot begin with this sign",
            "this sign has a meaning of its own",
            "put the text into quotes; to compare, write `{at least: …}` or `{at most: …}`",
        ),
        _ => return None,
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(node: &Node, text: &str) -> Vec<String> {
        let own = vec![text[node.span.start..node.span.end].to_owned()];
        match &node.kind {
            Kind::Text { .. } | Kind::Refused => own,
            Kind::List(items) => items.iter().flat_map(|item| words(item, text)).collect(),
            Kind::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| words(key, text).into_iter().chain(words(value, text)))
                .collect(),
        }
    }

    #[test]
    fn every_node_knows_the_words_it_was_written_with() {
        let text = "title: \"Größe\"\r\nsteps:\r\n  - wait: 10m # soon\r\n  - a: {b: 'c', d: [e]}\r\n";
        let tree = parse("a.yaml", text);
        assert_eq!(tree.diagnostics, Vec::new());
        let words = words(&tree.root.unwrap(), text);
        assert_eq!(
            words,
            ["title", "\"Größe\"", "steps", "wait", "10m", "a", "b", "'c'", "d", "e"]
        );
    }

    #[test]
    fn quotes_are_remembered_and_nothing_is_told_apart_from_an_empty_text() {
        let tree = parse("a.yaml", "[none, \"none\", '', ]");
        let Some(Node {
            kind: Kind::List(items),
            ..
        }) = tree.root
        else {
            panic!("a list")
        };
        let quoted: Vec<bool> = items
            .iter()
            .map(|item| matches!(item.kind, Kind::Text { quoted: true, .. }))
            .collect();
        assert_eq!(quoted, [false, true, true]);
        assert!(items.iter().all(|item| !item.is_empty()));
    }

    #[test]
    fn depth_is_bounded_without_using_up_the_stack() {
        for deep in [
            "[".repeat(500_000),
            "- ".repeat(500_000),
            "{a: ".repeat(200_000),
            "? ".repeat(500_000),
        ] {
            let tree = parse("deep.yaml", &deep);
            assert!(tree.root.is_none());
            assert_eq!(tree.diagnostics.len(), 1);
        }
    }

    #[test]
    fn nothing_in_a_file_refers_to_something_else_in_it() {
        let tree = parse("a.yaml", "a: &x [1]\nb: *x\nc: !!str 5\nd: *y\n");
        let messages: Vec<&str> = tree
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "an anchor of YAML is not part of the scenario language",
                "an alias of YAML is not part of the scenario language",
                "a tag of YAML is not part of the scenario language",
            ]
        );
    }
}
