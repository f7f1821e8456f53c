//! What the language says about files that are wrong: each file of `bad` has its diagnostics next to it.
//!
//! It runs no scenario.

#![expect(clippy::unwrap_used, reason = "a test stops at what should not fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::time::{Duration, Instant};

use cosell::catalog;
use cosell::diagnostic::{Sources, Style, render};
use cosell::invariant::Code;
use cosell::load;
use cosell::scenario::file::parse;
use cosell::scenario::words::{DECISIONS, FINDING_CODES};

/// The folder that tests run in is the package's own, so names stay the same on every machine.
fn bad_files() -> Vec<PathBuf> {
    let entries = fs::read_dir("bad").unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn diagnostics(path: &Path) -> String {
    let loaded = load::paths(&[path.to_path_buf()]);
    assert!(loaded.scenarios.is_empty(), "{} is in order", path.display());
    assert!(!loaded.diagnostics.is_empty(), "{} is wrong in silence", path.display());
    render(&loaded.diagnostics, &loaded.sources, Style::PLAIN)
}

#[test]
fn every_bad_file_says_what_is_wrong_where_and_what_may_help() {
    let files = bad_files();
    assert!(files.len() >= 60);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        insta::with_settings!({
            snapshot_path => "../bad",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, diagnostics(&path));
        });
    }
}

#[test]
fn no_snapshot_of_a_bad_file_outlives_it() {
    for entry in fs::read_dir("bad").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "snap") {
            assert!(path.with_extension("").exists(), "{} has no file", path.display());
        }
    }
}

/// A folder of this test's own, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cosell-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind at worst.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// What is wrong with a path, and how it is shown.
fn read(path: &Path) -> (load::Loaded, String) {
    let loaded = load::paths(&[path.to_path_buf()]);
    let shown = render(&loaded.diagnostics, &loaded.sources, Style::PLAIN);
    (loaded, shown)
}

/// How long the promised second may take here: tests are built with little optimisation, on machines that do other things
/// besides. Work that grows with the square of the file takes minutes.
const LONG: Duration = Duration::from_secs(5);

/// What is wrong with a path, said in time.
#[expect(clippy::disallowed_methods, reason = "the promise is about the wall clock")]
fn messages_in_time(path: &Path) -> Vec<String> {
    let tried = (0..3).find_map(|_| {
        let start = Instant::now();
        let read = read(path);
        (start.elapsed() < LONG).then_some(read)
    });
    let (loaded, shown) = tried.unwrap_or_else(|| panic!("{} takes more than {LONG:?}", path.display()));
    assert!(shown.len() < 100_000, "{} says {} bytes", path.display(), shown.len());
    assert!(loaded.scenarios.is_empty(), "{} is in order", path.display());
    loaded
        .diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.message)
        .collect()
}

#[test]
fn a_file_that_is_far_too_long_is_not_read() {
    let folder = Folder::new("long");
    let path = folder.write("long.yaml", &vec![b'-'; 50 * 1024 * 1024]);
    assert_eq!(messages_in_time(&path), ["the file is longer than 256 KiB"]);
    assert_eq!(
        messages_in_time(Path::new("/dev/zero")),
        ["the file is longer than 256 KiB"]
    );
}

#[test]
fn a_map_of_many_different_keys_is_answered_in_time() {
    let folder = Folder::new("keys");
    let keys: Vec<String> = (0..20_000).map(|number| format!("key{number}: 1")).collect();
    let messages = messages_in_time(&folder.write("keys.yaml", keys.join("\n").as_bytes()));
    assert_eq!(messages.len(), 21);
}

#[rustfmt::skip]
const PIECES: [&str; 56] = [
    "[", "{", "]", "- ", "? ", ": ", "a: ", "{a: ", "\"", "'", "\\", "\n", " ", "\t", "\r", "#", "# \n", "&a ", "*a ",
    "!a ", "!!a ", "%a\n", "---\n", "...\n", "|\n", ">\n", "a\n", "a:\n", "a: b\n", "- a\n", "- - a\n", "- a: b\n",
    "- a:\n", "- nonsense\n", "[a, ", "[a], ", "{a: b}, ", "a: {b: c}\n", "  - settle\n", "é", "\u{feff}", "\u{0}", "x",
    "x ", "a, ", ",", "- \"\n", "- |\n a\n", "&a [*a", "<<: *a\n", "- {deal: D1}\n", "- seller creates: {deal: D1}\n",
    "- seller edits: {deal: D1, value: 5 USD}\n", "- {a: b, ", "\"a\": ", "'a': b\n",
];

#[test]
fn whatever_fills_a_file_the_answer_comes_in_time() {
    let folder = Folder::new("filled");
    for piece in PIECES {
        for start in ["", "title: t\nsteps:\n", "title: t\nsteps: [", "title: \""] {
            let filled = piece.repeat((256 * 1024 - start.len()) / piece.len());
            let path = folder.write("filled.yaml", format!("{start}{filled}").as_bytes());
            assert!(!messages_in_time(&path).is_empty(), "{start:?} {piece:?}");
        }
    }
}

fn shown(paths: &[PathBuf]) -> String {
    let loaded = load::paths(paths);
    render(&loaded.diagnostics, &loaded.sources, Style::PLAIN)
}

#[test]
fn a_folder_without_scenarios_and_a_path_without_file_are_named() {
    let folder = Folder::new("none");
    folder.write("readme.txt", b"nothing");
    folder.write(".hidden.yaml", b"nothing");
    assert!(shown(slice::from_ref(&folder.0)).contains("this folder holds no scenario"));
    let wanted = folder.write("deal.yaml", b"").with_file_name("dael.yaml");
    let said = shown(&[wanted]);
    assert!(
        said.contains("there is no such file or folder") && said.contains("deal.yaml`?"),
        "{said}"
    );
}

#[test]
fn a_folder_is_read_in_the_order_of_names_and_each_file_once() {
    let folder = Folder::new("order");
    let text = |title: &str| format!("title: {title}\nsteps:\n  - settle\n").into_bytes();
    let first = folder.write("b.yml", &text("first"));
    folder.write("a/z.yaml", &text("second"));
    folder.write("c.yaml", &text("third"));
    folder.write("notes.md", b"# notes");
    let titles = |paths: &[PathBuf]| {
        let loaded = load::paths(paths);
        assert!(loaded.diagnostics.is_empty());
        loaded
            .scenarios
            .into_iter()
            .map(|scenario| scenario.title)
            .collect::<Vec<_>>()
    };
    assert_eq!(titles(slice::from_ref(&folder.0)), ["second", "first", "third"]);
    assert_eq!(titles(&[first, folder.0.clone()]), ["first", "second", "third"]);
}

#[test]
fn a_path_into_the_catalog_needs_no_file_on_the_disk() {
    let all = load::catalog();
    assert!(all.diagnostics.is_empty());
    let one = load::paths(&[PathBuf::from("catalog/canary/this-one-must-fail.yaml")]);
    assert_eq!(one.scenarios.len(), 1);
    assert!(all.scenarios.contains(&one.scenarios[0]));
    let said = shown(&[PathBuf::from("catalog/canary/this-one-must-fall.yaml")]);
    assert!(
        said.contains("did you mean `catalog/canary/this-one-must-fail.yaml`?"),
        "{said}"
    );
}

#[test]
fn the_language_knows_every_code_that_a_run_can_fail_with() {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(FINDING_CODES.as_slice(), codes);
}

#[test]
fn the_language_knows_every_decision_of_the_reference_connector() {
    let folder = Path::new("../connector/src");
    let mut files: Vec<PathBuf> = ["job", "job/desk", "sync"]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.push(folder.join("connector.rs"));
    let code = |word: &str| {
        let parts: Vec<&str> = word.split('.').collect();
        let plain =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        parts.len() == 2 && parts.iter().all(plain)
    };
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let words = text
            .split("mod tests")
            .next()
            .unwrap_or_default()
            .split('"')
            .skip(1)
            .step_by(2);
        for word in words.filter(|word| code(word)) {
            let known = DECISIONS.iter().any(|(known, _)| *known == word);
            assert!(
                known,
                "{}: add `{word}` to DECISIONS in scenario/words.rs",
                file.display()
            );
        }
    }
}

#[test]
fn no_damage_to_a_file_makes_the_reader_stumble() {
    for (path, text) in catalog::FILES {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        // Every ninth place of each file: together every sign meets every kind of word.
        for (turn, at) in places.into_iter().enumerate().step_by(9) {
            let (before, after) = text.split_at(at);
            let sign = ["", "\t", ":", "{", "]", "\"", "-", "&", "\u{301}", "\n", "é"][turn % 11];
            for damaged in [
                before.to_owned(),
                format!("{before}{sign}{}", after.get(1..).unwrap_or_default()),
            ] {
                let mut sources = Sources::default();
                sources.add(path, &damaged);
                if let Err(diagnostics) = parse(path, &damaged) {
                    assert!(!diagnostics.is_empty());
                    assert!(!render(&diagnostics, &sources, Style::PLAIN).is_empty());
                }
            }
        }
    }
}
