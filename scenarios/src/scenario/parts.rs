//! Shared set-up: a step `include` stands for the steps of another file, a part.
//!
//! It opens no file itself: a `Library` does. What is wrong in a part is shown in the part, with the include that led
//! there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::examples::{self, Places, Row};
use super::given::{Given, Reader};
use super::key::{Key, Kind, may, must, quoted};
use crate::diagnostic::{Span, nearest, quote};
use crate::yaml::{self, Node};

/// Parts within each other.
const DEEPEST: usize = 16;

/// The keys of a part.
pub const PART_KEYS: [Key; 3] = [
    must("part", Kind::Text, "what these steps achieve, in a few words"),
    may("takes", Kind::Texts, "the names that an include must give a value"),
    must("steps", Kind::Steps, "what happens"),
];

/// Where the texts of parts come from.
pub trait Library {
    /// The text of a file, by the path that leads to it from the file on the command line; or why there is none.
    fn text(&self, path: &str) -> Result<String, String>;
}

/// A library without files.
pub struct NoLibrary;

impl Library for NoLibrary {
    fn text(&self, _path: &str) -> Result<String, String> {
        Err("files cannot be opened here".to_owned())
    }
}

/// The parts that are open while a scenario is read, and the texts of all that were.
pub(super) struct Shelf<'l> {
    library: &'l dyn Library,
    /// From the scenario to the part that is being read.
    open: Vec<Arc<str>>,
    /// Texts by path.
    pub(super) texts: BTreeMap<Arc<str>, Arc<str>>,
}

/// A part that is open: its steps, and what to turn back to.
pub(super) struct Opened {
    pub(super) steps: Vec<Node>,
    back: (Arc<str>, Arc<str>),
}

impl<'l> Shelf<'l> {
    pub(super) fn new(library: &'l dyn Library, path: &str) -> Self {
        Self {
            library,
            open: vec![path.into()],
            texts: BTreeMap::new(),
        }
    }

    /// Opens the part that an include names, and turns the reader to it.
    pub(super) fn open(&mut self, reader: &mut Reader, given: &Given, span: Span) -> Option<Opened> {
        let named = given.text("part")?;
        let at = given.places.get("part").copied().unwrap_or(span);
        let path: Arc<str> = beside(&reader.path, &named).into();
        if self.open.contains(&path) {
            let circle: Vec<&str> = self.open.iter().map(|path| &**path).chain([&*path]).collect();
            let message = format!("{} includes itself", quote(&path));
            let help = format!("the way round is {}", quoted(&circle, " to "));
            reader.report(at, message, "a circle".to_owned(), Some(help));
            return None;
        }
        if self.open.len() > DEEPEST {
            let message = format!("more than {DEEPEST} parts include each other");
            reader.report(at, message, "one too many".to_owned(), None);
            return None;
        }
        let text = self.text(reader, &path, at)?;
        let about = format!("included by {} in line {}", reader.path, reader.line_of(span.start));
        let back = reader.turn_to(Arc::clone(&path), text.clone());
        reader.about.push(about);
        self.open.push(path);
        let steps = Self::steps(reader, &text, given, (&back, span));
        if steps.is_none() {
            self.close(reader, back);
            return None;
        }
        steps.map(|steps| Opened { steps, back })
    }

    /// Turns the reader back to the file that includes the part.
    pub(super) fn done(&mut self, reader: &mut Reader, opened: Opened) {
        self.close(reader, opened.back);
    }

    fn close(&mut self, reader: &mut Reader, back: (Arc<str>, Arc<str>)) {
        self.open.pop();
        reader.about.pop();
        reader.turn_to(back.0, back.1);
    }

    fn text(&mut self, reader: &mut Reader, path: &Arc<str>, at: Span) -> Option<Arc<str>> {
        if let Some(text) = self.texts.get(path) {
            return Some(Arc::clone(text));
        }
        if path.is_empty() || path.ends_with("..") {
            let help = "name the file of a part, such as `parts/accepted.yaml`".to_owned();
            reader.report(
                at,
                "a part is a file".to_owned(),
                "this is a folder".to_owned(),
                Some(help),
            );
            return None;
        }
        match self.library.text(path) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                self.texts.insert(Arc::clone(path), Arc::clone(&text));
                Some(text)
            }
            Err(why) => {
                let message = format!("the part {} cannot be read", quote(path));
                let help = "the path leads from the file that includes it".to_owned();
                reader.report(at, message, why, Some(help));
                None
            }
        }
    }

    /// The steps of a part, with the values of the include in the places of their names.
    fn steps(
        reader: &mut Reader,
        text: &str,
        given: &Given,
        (from, span): (&(Arc<str>, Arc<str>), Span),
    ) -> Option<Vec<Node>> {
        let path = Arc::clone(&reader.path);
        let tree = yaml::parse(&path, text);
        if !tree.diagnostics.is_empty() {
            reader.diagnostics.extend(tree.diagnostics);
            return None;
        }
        let start = Span::default();
        let Some(root) = tree.root.filter(|root| !root.is_empty()) else {
            let help = "a part has at least `part: …` and `steps:`".to_owned();
            reader.report(
                start,
                "the file holds no part".to_owned(),
                "nothing here".to_owned(),
                Some(help),
            );
            return None;
        };
        if let Some((title, _)) = examples::entry(&root, "title") {
            let message = "the file is a scenario, not a part".to_owned();
            let help = "a part has `part: …` where a scenario has its title".to_owned();
            reader.report(title.span, message, "a title".to_owned(), Some(help));
            return None;
        }
        let part = reader.map(&root, &PART_KEYS, "part", start)?;
        let row = Self::values(reader, &part, given, from, span)?;
        let steps = part.steps("steps")?;
        if part.texts("takes").is_none() {
            return Some(steps);
        }
        let filled = steps
            .iter()
            .map(|step| examples::fill(reader, step, &row, Places::OfTheName));
        Some(filled.collect())
    }

    /// What the include gives, held against what the part takes. Faults stand in the file that includes.
    fn values(
        reader: &mut Reader,
        part: &Given,
        given: &Given,
        from: &(Arc<str>, Arc<str>),
        span: Span,
    ) -> Option<Row> {
        let takes = part.texts("takes").unwrap_or_default();
        let takes: Vec<&str> = takes.iter().map(String::as_str).collect();
        let with = given.free("with").unwrap_or_default();
        let part_itself = reader.turn_to(Arc::clone(&from.0), Arc::clone(&from.1));
        let about = reader.about.pop();
        let before = reader.diagnostics.len();
        for name in takes
            .iter()
            .filter(|name| !with.iter().any(|(given, _)| given == *name))
        {
            let message = format!("the part needs `{name}`");
            let help = format!("give it: `with: {{{name}: …}}`");
            reader.report(span, message, format!("`{name}` is missing"), Some(help));
        }
        for (name, node) in with.iter().filter(|(name, _)| !takes.contains(&name.as_str())) {
            let help = match nearest(name, takes.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if takes.is_empty() => "it takes nothing".to_owned(),
                None => format!("it takes {}", quoted(&takes, ", ")),
            };
            let message = format!("the part does not take {}", quote(name));
            reader.report(node.span, message, "unknown name".to_owned(), Some(help));
        }
        let sound = reader.diagnostics.len() == before;
        reader.about.extend(about);
        reader.turn_to(part_itself.0, part_itself.1);
        sound.then(|| Row::new(with, 0))
    }
}

/// The path of a file that another one names: from that one's folder, without `.` and `..` in it.
fn beside(path: &str, named: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let rooted = named.starts_with('/');
    let mut parts: Vec<&str> = if rooted {
        Vec::new()
    } else {
        folder.split('/').collect()
    };
    if folder.is_empty() && !rooted {
        parts.clear();
    }
    for part in named.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "." | "")) => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if rooted { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn a_part_is_found_from_the_folder_of_the_file_that_names_it() {
        assert_eq!(
            beside("catalog/trouble/a.yaml", "../parts/b.yaml"),
            "catalog/parts/b.yaml"
        );
        assert_eq!(beside("a.yaml", "b.yaml"), "b.yaml");
        assert_eq!(beside("a.yaml", "../b.yaml"), "../b.yaml");
        assert_eq!(beside("/x/a.yaml", "./y/../b.yaml"), "/x/b.yaml");
        assert_eq!(beside("x/a.yaml", "/b.yaml"), "/b.yaml");
    }
}
