//! The shape of the code: dependencies point one way, inside each member and between members, and no file is forgotten.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests has a parent")
        .to_path_buf()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The modules that a file declares, in the order in which it declares them.
fn declared(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "));
        rest.or_else(|| line.strip_prefix("pub(crate) mod "))?
            .strip_suffix(';')
            .map(str::to_owned)
    };
    text.lines().filter_map(name).collect()
}

/// The top-level module that a file belongs to: `soql` of `src/soql.rs`, `src/soql/mod.rs` and `src/soql/parse.rs`.
fn module_of(source: &Path, folder: &Path) -> String {
    let relative = source.strip_prefix(folder).expect("a source stands in its folder");
    let first = relative.components().next().expect("a path has a part");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Every `crate::name` in a file, with its line.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for rest in code.split("crate::").skip(1) {
            let word = |text: &str| {
                text.chars()
                    .take_while(|sign| sign.is_alphanumeric() || *sign == '_')
                    .collect::<String>()
            };
            match rest.strip_prefix('{') {
                Some(list) => found.extend(list.split(',').map(|item| (number + 1, word(item.trim())))),
                None => found.push((number + 1, word(rest))),
            }
        }
    }
    found
}

/// Says where a module of a crate names one that is declared below it.
fn backward_edges(member: &str) -> Vec<String> {
    let folder = root().join(member).join("src");
    let order = declared(&fs::read_to_string(folder.join("lib.rs")).expect("lib.rs can be read"));
    let place: BTreeMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(index, name)| (name.as_str(), index))
        .collect();
    let mut edges = Vec::new();
    for source in sources(&folder) {
        let module = module_of(&source, &folder);
        let Some(own) = place.get(module.as_str()) else {
            continue;
        };
        let text = fs::read_to_string(&source).expect("a source can be read");
        for (line, other) in named(&text) {
            if place.get(other.as_str()).is_some_and(|other| other > own) {
                edges.push(format!(
                    "{}:{line}: `{module}` names `{other}`, declared below it",
                    source.display()
                ));
            }
        }
    }
    edges
}

#[test]
fn no_module_names_one_declared_below_it() {
    let edges: Vec<String> = ["sim", "connector", "scenarios"]
        .into_iter()
        .flat_map(backward_edges)
        .collect();
    assert!(edges.is_empty(), "arrows that point backward:\n{}", edges.join("\n"));
}

#[test]
fn simulators_and_connector_do_not_know_each_other() {
    for (member, other) in [("sim", "cosell_connector"), ("connector", "cosell_sim")] {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).expect("a manifest can be read");
        assert!(
            !manifest.contains(&other.replace('_', "-")),
            "{member}/Cargo.toml names {other}"
        );
        for source in sources(&root().join(member)) {
            let text = fs::read_to_string(&source).expect("a source can be read");
            assert!(!text.contains(other), "{} names {other}", source.display());
        }
    }
}

#[test]
fn the_reader_of_records_knows_no_connector() {
    for file in ["board.rs", "verdict.rs"] {
        let text = fs::read_to_string(root().join("scenarios/src").join(file)).expect("a source can be read");
        assert!(!text.contains("cosell_connector"), "{file} must judge from outside");
    }
    let folders = ["record", "invariant"].map(|folder| root().join("scenarios/src").join(folder));
    for source in folders.iter().flat_map(|folder| sources(folder)) {
        let text = fs::read_to_string(&source).expect("a source can be read");
        assert!(
            !text.contains("cosell_connector"),
            "{} must judge from outside",
            source.display()
        );
    }
}

#[test]
fn every_suite_file_is_wired_in() {
    let folder = root().join("tests/suite");
    let wired = declared(&fs::read_to_string(folder.join("main.rs")).expect("main.rs can be read"));
    for source in sources(&folder) {
        let module = module_of(&source, &folder);
        assert!(
            module == "main" || wired.contains(&module),
            "tests/suite/{module} is not declared in main.rs"
        );
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for member in ["sim", "connector", "scenarios", "tests"] {
        for source in sources(&root().join(member)) {
            let text = fs::read_to_string(&source).expect("a source can be read");
            assert!(
                text.starts_with("//!"),
                "{} has no module documentation",
                source.display()
            );
        }
    }
}

#[test]
fn the_harness_of_this_test_sees_backward_edges() {
    assert_eq!(
        declared("pub mod a;\nmod b;\n/// c\npub(crate) mod c;\n"),
        ["a", "b", "c"]
    );
    let text = "use crate::b::Thing;\nuse crate::{c, d::E};\n// crate::comment\n";
    let names: Vec<String> = named(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["b", "c", "d"]);
}
