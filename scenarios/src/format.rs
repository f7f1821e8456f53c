//! A scenario file in the usual form: two blanks a level, one blank behind a comma, no blanks at the end of a line.
//!
//! It moves blanks and nothing else: words, quotes, comments and the order of lines stay, and a text that would be read
//! differently afterwards is refused.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::yaml::{self, Kind, Node};

/// The text in the usual form; or why it has none.
pub fn format(path: &str, text: &str) -> Result<String, Vec<Diagnostic>> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let tree = yaml::parse(path, &text);
    let Some(root) = tree.root.filter(|_| tree.diagnostics.is_empty()) else {
        return Err(tree.diagnostics);
    };
    let spaced = blanks_within_lines(&text, &root);
    // Lines are moved by a second look, since what stands in them has moved.
    let again = yaml::parse(path, &spaced);
    let done = match again.root {
        Some(root) => indent(&spaced, &root),
        None => spaced,
    };
    let read = yaml::parse(path, &done).root;
    if read.as_ref().map(bare) == Some(bare(&root)) {
        Ok(done)
    } else {
        let message = "this file cannot be put into the usual form without changing what it says";
        Err(vec![
            Diagnostic::error(path, message).help("write the odd part in another way; nothing was changed"),
        ])
    }
}

/// A tree without places, to be compared.
fn bare(node: &Node) -> Node {
    let kind = match &node.kind {
        Kind::List(items) => Kind::List(items.iter().map(bare).collect()),
        Kind::Map(entries) => Kind::Map(entries.iter().map(|(key, value)| (bare(key), bare(value))).collect()),
        Kind::Text { .. } | Kind::Refused => node.kind.clone(),
    };
    Node {
        kind,
        span: crate::diagnostic::Span::default(),
    }
}

fn is_flow(text: &str, node: &Node) -> bool {
    matches!(text.as_bytes().get(node.span.start), Some(b'{' | b'['))
        && matches!(node.kind, Kind::List(_) | Kind::Map(_))
}

fn on_one_line(text: &str, from: usize, to: usize) -> bool {
    text.get(from..to).is_some_and(|part| !part.contains('\n'))
}

/// One blank behind colons, commas and dashes; brackets without blanks inside; none at the end of a line.
fn blanks_within_lines(text: &str, root: &Node) -> String {
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    collect(text, root, &mut changes);
    changes.sort_by_key(|(start, ..)| *start);
    let mut done = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, words) in changes {
        if start >= at {
            done.push_str(&text[at..start]);
            done.push_str(&words);
            at = end;
        }
    }
    done.push_str(&text[at..]);
    done
}

fn collect(text: &str, node: &Node, changes: &mut Vec<(usize, usize, String)>) {
    if is_flow(text, node) {
        if on_one_line(text, node.span.start, node.span.end) {
            changes.push((node.span.start, node.span.end, flow(text, node)));
        }
        return;
    }
    match &node.kind {
        Kind::Map(entries) => {
            for (key, value) in entries {
                let between = text.get(key.span.end..value.span.start).unwrap_or_default();
                if !value.is_empty() && between.trim() == ":" && !between.contains('\n') {
                    changes.push((key.span.end, value.span.start, ": ".to_owned()));
                }
                collect(text, value, changes);
            }
        }
        Kind::List(items) => {
            for item in items {
                let before = &text[..item.span.start];
                let blanks = before.len() - before.trim_end_matches(' ').len();
                if blanks > 1 && before.trim_end_matches(' ').ends_with('-') {
                    changes.push((item.span.start - blanks, item.span.start, " ".to_owned()));
                }
                collect(text, item, changes);
            }
        }
        Kind::Text { .. } | Kind::Refused => {}
    }
}

/// A collection in brackets on one line.
fn flow(text: &str, node: &Node) -> String {
    match &node.kind {
        Kind::List(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(text, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let key = flow(text, key);
                if value.is_empty() {
                    format!("{key}:")
                } else {
                    format!("{key}: {}", flow(text, value))
                }
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::Text { .. } | Kind::Refused => text[node.span.start..node.span.end].to_owned(),
    }
}

/// Where lines begin: what the tree says of them.
#[derive(Default)]
struct Lines {
    /// Columns by line, for lines that begin a key or an entry.
    wanted: BTreeMap<usize, usize>,
    /// Lines that continue what began on another.
    continued: BTreeMap<usize, usize>,
}

fn indent(text: &str, root: &Node) -> String {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let line_of = |byte: usize| starts.partition_point(|start| *start <= byte) - 1;
    let mut lines = Lines::default();
    place(text, root, 0, &line_of, &mut lines);
    let source: Vec<&str> = text.split('\n').collect();
    let width = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut done: Vec<String> = Vec::new();
    for (number, line) in source.iter().enumerate() {
        let words = line.trim_start_matches(' ');
        let column = if let Some(column) = lines.wanted.get(&number) {
            *column
        } else if let Some(first) = lines.continued.get(&number) {
            let (old, new) = (width(source[*first]), lines.wanted.get(first).copied().unwrap_or(0));
            (width(line) + new).saturating_sub(old)
        } else {
            // A comment stands with what follows it.
            let next = lines.wanted.range(number..).next();
            next.map_or(if number == 0 { 0 } else { width(line) }, |(_, column)| *column)
        };
        let words = if lines.continued.contains_key(&number) {
            words
        } else {
            words.trim_end()
        };
        let kept = lines.continued.contains_key(&number);
        if words.is_empty() && !kept && (done.is_empty() || done.last().is_some_and(String::is_empty)) {
            continue;
        }
        done.push(if words.is_empty() {
            String::new()
        } else {
            format!("{}{words}", " ".repeat(column))
        });
    }
    while done.last().is_some_and(String::is_empty) {
        done.pop();
    }
    done.join("\n") + "\n"
}

/// Notes the column of each line that begins something.
fn place(text: &str, node: &Node, column: usize, line_of: &dyn Fn(usize) -> usize, lines: &mut Lines) {
    if is_flow(text, node) {
        return;
    }
    // A text or a collection in brackets goes on, as it is, behind the line that begins it.
    let goes_on = |first: usize, value: &Node, lines: &mut Lines| {
        let whole = is_flow(text, value) || matches!(value.kind, Kind::Text { .. } | Kind::Refused);
        if whole && !value.is_empty() {
            let last = line_of(value.span.end.saturating_sub(1).max(value.span.start));
            for line in first + 1..=last {
                lines.continued.entry(line).or_insert(first);
            }
        }
        whole
    };
    match &node.kind {
        Kind::Map(entries) => {
            for (key, value) in entries {
                let first = line_of(key.span.start);
                lines.wanted.entry(first).or_insert(column);
                if !goes_on(first, value, lines) {
                    place(text, value, column + 2, line_of, lines);
                }
            }
        }
        Kind::List(items) => {
            for item in items {
                // The dash may stand on a line of its own.
                let before = text[..item.span.start].rfind('-').unwrap_or(item.span.start);
                let first = line_of(before);
                lines.wanted.entry(first).or_insert(column);
                if !goes_on(first, item, lines) {
                    place(text, item, column + 2, line_of, lines);
                }
            }
        }
        Kind::Text { .. } | Kind::Refused => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_put_in_order_and_comments_stay() {
        let odd = "\n\ntitle:   A deal   # why\nsettings: { profile: overview,on-hold edits:  drop }\n\n\n\nsteps:\n# first\n-   \
                   settle  \n-  seller creates:\n      deal: D1\n      # the name\n      name:  \"x  y\"\n- seller moves: {deal: \
                   D1 , to:   active}\n\n";
        let usual = "title: A deal   # why\nsettings: {profile: overview, on-hold edits: drop}\n\nsteps:\n  # first\n  - settle\n  \
                     - seller creates:\n      deal: D1\n      # the name\n      name: \"x  y\"\n  - seller moves: {deal: D1, to: \
                     active}\n";
        assert_eq!(format("a.yaml", odd).unwrap(), usual);
        assert_eq!(format("a.yaml", usual).unwrap(), usual);
    }

    #[test]
    fn texts_over_several_lines_keep_their_words() {
        let text = "title: t\nsteps:\n    - seller creates:\n        deal: D1\n        notes: |\n            one\n              two\n    \
                    - settle\n";
        let usual = format("a.yaml", text).unwrap();
        assert!(
            usual.contains("\n  - seller creates:\n      deal: D1\n      notes: |\n"),
            "{usual}"
        );
        assert_eq!(format("a.yaml", &usual).unwrap(), usual);
    }

    #[test]
    fn what_is_no_yaml_is_left_alone() {
        assert!(!format("a.yaml", "a: [1").unwrap_err().is_empty());
    }
}
