//! Makes one test of each scenario in the catalog, so that each is named, filtered and reported on its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    // Asked when it runs: the folder may have moved since this was compiled.
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let catalog = root.join("../scenarios/catalog");
    println!("cargo::rerun-if-changed={}", catalog.display());
    let mut files = Vec::new();
    collect(&catalog, &mut files);
    files.sort();
    let mut tests = String::new();
    let mut paths = String::new();
    for file in &files {
        let path = file
            .strip_prefix(&catalog)
            .expect("a file of the catalog")
            .to_string_lossy()
            .replace('\\', "/");
        let name = path.trim_end_matches(".yaml").replace(['/', '-'], "_");
        writeln!(paths, "    \"catalog/{path}\",").expect("a string takes text");
        writeln!(
            tests,
            "#[test]\nfn {name}() {{\n    drop(scenario(\"catalog/{path}\"));\n}}\n"
        )
        .expect("a string takes text");
    }
    writeln!(
        tests,
        "/// Every file of the catalog.\nconst FILES: [&str; {}] = [\n{paths}];",
        files.len()
    )
    .expect("a string takes text");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("catalog_tests.rs"), tests).expect("OUT_DIR can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the catalog can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}
