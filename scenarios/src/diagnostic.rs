//! What is wrong, where it stands, what was expected, and what may help: one value for bad files and for failed
//! expectations.
//!
//! It does not decide what is wrong. It shows it: the words of the file with a caret under them.

use std::collections::BTreeMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};
use serde::{Deserialize, Serialize};

/// A stretch of a file, in bytes; the end is not part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From the first byte to the byte after the last.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot stand.
    Error,
    /// It can stand, but is hardly meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line, lower case, without a period.
    pub message: String,
    /// The file, as named on the command line.
    pub path: String,
    /// Where in the file, if anywhere.
    pub span: Option<Span>,
    /// What stands under the caret.
    pub label: String,
    /// Further lines: what was expected, what was found.
    pub notes: Vec<String>,
    /// What to do, such as the nearest name.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error in a file, without a place yet.
    pub fn error(path: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            path: path.to_owned(),
            span: None,
            label: String::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// Says where, and what stands under the caret.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// Adds a line.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what was expected and what is, one below the other.
    #[must_use]
    pub fn comparing(self, expected: &str, actual: &str) -> Self {
        self.note(format!("expected: {expected}"))
            .note(format!("  actual: {actual}"))
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The text of every file that diagnostics may point into, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Remembers a file.
    pub fn add(&mut self, path: &str, text: &str) {
        self.0.insert(path.to_owned(), text.to_owned());
    }

    /// Path and text of every file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

/// How diagnostics look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used; the text says everything without them.
    pub colour: bool,
    /// Columns of the screen, for lines of the file that are longer.
    pub width: usize,
}

impl Style {
    /// Without colours: for logs, pipes, tests and screen readers.
    pub const PLAIN: Self = Self {
        colour: false,
        width: 140,
    };
}

/// A line and a column, both from one; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Diagnostic {
    /// The line and column where it starts, when it has a place and the file is known.
    pub fn position(&self, sources: &Sources) -> Option<Position> {
        let text = sources.text(&self.path)?;
        let start = boundary(text, self.span?.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some(Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1,
        })
    }

    /// Every line of text that it consists of.
    fn render(&self, sources: &Sources, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let message = normalize_untrusted_str(&self.message);
        let label = normalize_untrusted_str(&self.label);
        let path = normalize_untrusted_str(&self.path);
        let mut group = Group::with_title(level.primary_title(&message));
        let place = self.position(sources).zip(sources.text(&self.path)).zip(self.span);
        let window = place.map(|((position, text), span)| (position, Window::around(text, span)));
        group = match &window {
            Some((position, window)) => {
                let annotation = AnnotationKind::Primary.span(window.span.start..window.span.end);
                let label = Some(label.as_str()).filter(|label| !label.is_empty());
                let snippet = Snippet::source(&window.text)
                    .line_start(position.line)
                    .path(&path)
                    .annotation(annotation.label(label));
                group.element(snippet)
            }
            None => group.element(Origin::path(&path)),
        };
        let notes: Vec<String> = self.notes.iter().map(|note| normalize_untrusted_str(note)).collect();
        for note in &notes {
            group = group.element(Level::NOTE.no_name().message(note));
        }
        let help = self.help.as_deref().map(normalize_untrusted_str);
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(help));
        }
        let shown = renderer.render(&[group]);
        match &window {
            Some((position, window)) if window.column != position.column => {
                let line = position.line;
                let cut = format!("{path}:{line}:{}", window.column);
                shown.replacen(&cut, &format!("{path}:{line}:{}", position.column), 1)
            }
            _ => shown,
        }
    }
}

/// Bytes of a line that are shown before, under and after the caret. Lines are cut here, so that no line of a file, however
/// long, fills the screen.
const WIDEST: usize = 100;

/// The line in which a span starts, cut to a part that can be read, and the part of the span that lies in it.
struct Window {
    text: String,
    span: Span,
    /// The column within the cut line.
    column: usize,
}

impl Window {
    fn around(text: &str, span: Span) -> Self {
        let start = boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        // A byte order mark is no column of the first line.
        let marks = text[line_start..start].len() - text[line_start..start].trim_start_matches('\u{feff}').len();
        let line_start = line_start + marks;
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line_end = line_start + text[line_start..line_end].trim_end_matches('\r').len();
        let start = start.min(line_end);
        let end = boundary(text, span.end.min(start + WIDEST)).clamp(start, line_end);
        let from = boundary(text, start.saturating_sub(WIDEST)).max(line_start);
        let to = boundary(text, end + WIDEST).min(line_end);
        let (before, after) = (
            if from > line_start { "…" } else { "" },
            if to < line_end { "…" } else { "" },
        );
        let shift = before.len();
        Self {
            text: format!("{before}{}{after}", &text[from..to]),
            span: Span::new(start - from + shift, end - from + shift),
            column: before.chars().count() + text[from..start].chars().count() + 1,
        }
    }
}

/// The nearest place at or before a byte where a character starts.
fn boundary(text: &str, byte: usize) -> usize {
    text.floor_char_boundary(byte.min(text.len()))
}

/// Shows diagnostics one below the other, each with its file, line and column, the words of the file, and a caret.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let renderer = if style.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(style.width);
    let shown: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.render(sources, &renderer))
        .collect();
    let mut text = shown.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Somebody's words between backticks: without control characters, and cut where they get long.
pub fn quote(words: &str) -> String {
    const SHOWN: usize = 60;
    let mut text = String::new();
    for sign in words.chars().take(SHOWN) {
        if sign.is_control() {
            text.extend(sign.escape_default());
        } else {
            text.push(sign);
        }
    }
    if words.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    format!("`{text}`")
}

/// The known name that somebody may have meant: the nearest by edit distance when it is near enough, or else the only
/// one that goes on from the same beginning.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any name of the language: whatever it is, it is no slip of a finger.
    if word.len() > 80 {
        return None;
    }
    let word = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let near = |name: &&str| {
        let distance = strsim::damerau_levenshtein(&word, &name.to_lowercase());
        let allowed = (name.chars().count().max(word.chars().count()) / 3).max(1);
        (distance <= allowed).then_some(distance)
    };
    let nearest = known
        .iter()
        .filter_map(|name| near(name).map(|distance| (distance, *name)))
        .min_by_key(|(distance, _)| *distance);
    let goes_on = |name: &&&str| word.len() >= 4 && name.to_lowercase().starts_with(&word);
    let mut longer = known.iter().filter(goes_on);
    match (nearest, longer.next(), longer.next()) {
        (Some((_, name)), ..) => Some(name),
        (None, Some(name), None) => Some(name),
        (None, ..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("deal.yaml", "title: Größe\r\nsteps:\r\n  - wait: soon\r\n");
        sources
    }

    #[test]
    fn a_diagnostic_shows_file_line_column_words_caret_and_help() {
        let diagnostic = Diagnostic::error("deal.yaml", "`soon` is not a length of time")
            .at(Span::new(34, 38), "expected a length of time")
            .help("write for example `10m`");
        let shown = render(&[diagnostic], &sources(), Style::PLAIN);
        assert_eq!(
            shown,
            "error: `soon` is not a length of time
 --> deal.yaml:3:11
  |
3 |   - wait: soon
  |           ^^^^ expected a length of time
  |
  = help: write for example `10m`
"
        );
    }

    #[test]
    fn a_diagnostic_without_a_place_names_the_file_alone() {
        let diagnostic = Diagnostic::error("gone.yaml", "there is no such file").comparing("a file", "nothing");
        let shown = render(&[diagnostic], &sources(), Style::PLAIN);
        assert_eq!(
            shown,
            "error: there is no such file\n--> gone.yaml\n = expected: a file\n =   actual: nothing\n"
        );
    }

    #[test]
    fn columns_count_characters_and_spans_outside_the_text_do_no_harm() {
        let at = |start, end| Diagnostic::error("deal.yaml", "x").at(Span::new(start, end), "y");
        let position = at(13, 14).position(&sources()).unwrap();
        assert_eq!((position.line, position.column), (1, 12));
        for span in [(0, 0), (9, 10), (10, 9), (40, 40), (500, 600)] {
            let shown = render(&[at(span.0, span.1)], &sources(), Style::PLAIN);
            assert!(shown.contains("deal.yaml:"), "{shown}");
        }
    }

    #[test]
    fn control_characters_of_a_file_never_reach_the_terminal() {
        let mut sources = Sources::default();
        sources.add("a\u{1b}[31m.yaml", "title: \u{1b}[2J\u{202e}evil\n");
        let diagnostic = Diagnostic::error("a\u{1b}[31m.yaml", format!("{} is wrong", quote("\u{1b}[2J")))
            .at(Span::new(7, 12), "\u{1b}here")
            .help("\u{7}");
        let shown = render(&[diagnostic], &sources, Style::PLAIN);
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{7}') && !shown.contains('\u{202e}'),
            "{shown}"
        );
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let known = ["microsoft shares", "microsoft edits", "settle"];
        assert_eq!(nearest("microsft shares", known), Some("microsoft shares"));
        assert_eq!(nearest("Settle", known), Some("settle"));
        assert_eq!(nearest("teleport", known), None);
        assert_eq!(
            nearest("negotiation", ["Negotiation/Review", "On Hold"]),
            Some("Negotiation/Review")
        );
        assert_eq!(nearest("microsoft", known), None);
    }
}
