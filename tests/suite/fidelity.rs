//! The fidelity ledger against the code: no route, switch, assumption or cited section without a row, no row without code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cosell_sim::clock::{Clock, default_start};
use cosell_sim::fidelity::{Entry, Mark, ledger};
use cosell_sim::ground::Ground;
use cosell_sim::seed::Seed;
use cosell_sim::site::Site;
use cosell_sim::systems::{SystemSettings, Systems};
use cosell_sim::transport::in_process;

/// Every source of the simulators under its path below `sim/src`, tests left out.
fn sources() -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut sources = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path
                .strip_prefix(&root)
                .expect("a source stands in its folder")
                .to_string_lossy()
                .replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if !name.contains("tests") && path.extension().is_some_and(|kind| kind == "rs" || kind == "tsv") {
                let text = fs::read_to_string(&path).expect("a source can be read");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                sources.insert(name, code.lines().map(str::to_owned).collect());
            }
        }
    }
    sources
}

fn entries() -> Vec<Entry> {
    ledger().unwrap_or_else(|error| panic!("{error}"))
}

/// The site that a file simulates.
fn site_of(file: &str) -> &'static str {
    match file.split('/').next().unwrap_or_default() {
        "identity" => "entra",
        "salesforce" => "salesforce",
        "dataverse" => "dataverse",
        _ => "partner-center",
    }
}

/// Fails unless every line is covered by a row that names its file and a part of it; prints rows ready to be completed.
fn assert_covered(kind: &str, lines: &[(String, usize, String)], covers: impl Fn(&Entry) -> bool) {
    let entries = entries();
    let mut missing = Vec::new();
    for (file, number, line) in lines {
        let has_row = entries.iter().any(|entry| {
            let part = entry.fragment.is_some_and(|part| line.contains(part));
            covers(entry) && entry.file == file && part
        });
        if !has_row {
            missing.push(format!(
                "sim/src/{file}:{number}: {line}\n    add: ID\t{}\tassumed\tSECTION\t-\t-\t{file}#{}\tWHAT IT DOES",
                site_of(file),
                line.trim_start_matches(['/', '!', ' '])
            ));
        }
    }
    assert!(
        missing.is_empty(),
        "{kind} without a row in sim/fidelity.tsv (cells are parted by tabs):\n{}",
        missing.join("\n")
    );
}

/// The lines that a test picks, with file and number.
fn lines(pick: impl Fn(&str, &str) -> bool) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    for (file, text) in sources() {
        for (index, line) in text.iter().enumerate() {
            if pick(&file, line.trim()) {
                found.push((file.clone(), index + 1, line.trim().to_owned()));
            }
        }
    }
    found
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//") || (line.starts_with('#') && !line.starts_with("#["))
}

#[test]
fn every_assumption_in_the_simulators_has_a_row() {
    // Says what an assumption is, or only that they are marked.
    let explains =
        |file: &str, line: &str| file.ends_with("mod.rs") && line.starts_with("//!") && line.contains("marked");
    let marked = lines(|file, line| {
        is_comment(line)
            && line.to_ascii_lowercase().contains("assumed")
            && file != "fidelity.rs"
            && !explains(file, line)
    });
    assert!(marked.len() > 90, "the simulators mark what they assume");
    assert_covered("assumptions", &marked, |entry| entry.mark == Mark::Assumed);
}

#[test]
fn every_switch_has_a_row() {
    let mut switches = Vec::new();
    for file in ["partner_center/mod.rs", "salesforce/settings.rs", "dataverse/mod.rs"] {
        let text = sources()
            .remove(file)
            .unwrap_or_else(|| panic!("{file} holds the settings"));
        let start = text.iter().position(|line| line == "pub struct Settings {");
        let start = start.unwrap_or_else(|| panic!("{file} holds the settings"));
        let fields = text
            .iter()
            .enumerate()
            .skip(start + 1)
            .take_while(|(_, line)| *line != "}");
        let fields = fields.filter(|(_, line)| line.trim().starts_with("pub "));
        switches.extend(fields.map(|(index, line)| (file.to_owned(), index + 1, line.trim().to_owned())));
    }
    assert!(switches.len() >= 18, "{switches:?}");
    assert_covered("switches", &switches, |entry| entry.switch.is_some());
}

#[test]
fn every_route_in_the_code_has_a_row() {
    let routes = lines(|file, line| match file {
        _ if file.starts_with("identity/entra") || file == "partner_center/routes.rs" => {
            line.starts_with("\"/") || (line.starts_with(".route(") && line != ".route(")
        }
        "salesforce/routes.rs" => line.starts_with("[\"") && line.contains("=>"),
        "dataverse/routes.rs" => line.starts_with("(Resource::") && line.contains("=>"),
        _ => false,
    });
    assert!(routes.len() >= 22, "{routes:?}");
    assert_covered("routes", &routes, |_| true);
}

/// The sections that a line of Partner Center's code cites: `partner-center.md sections 3.1, 3.2 and 3.6`.
fn cited(line: &str) -> Vec<String> {
    let Some((_, rest)) = line.split_once("partner-center.md section") else {
        return Vec::new();
    };
    let list: String = rest
        .trim_start_matches('s')
        .replace("and", ",")
        .chars()
        .take_while(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ',' | ' '))
        .collect();
    let sections = list.split(',').map(|one| one.trim().trim_end_matches('.'));
    sections
        .filter(|one| !one.is_empty() && !one.contains(' '))
        .map(|one| format!("partner-center.md {one}"))
        .collect()
}

#[test]
fn every_section_that_partner_center_cites_has_a_rule_in_the_ledger() {
    let entries = entries();
    let ours = |file: &str| {
        ["partner_center/", "identity/", "network/"]
            .iter()
            .any(|part| file.starts_with(part))
    };
    let mut missing = Vec::new();
    for (file, number, line) in lines(|file, line| ours(file) && is_comment(line)) {
        for section in cited(&line) {
            let known = |entry: &&Entry| entry.file == file && entry.source == Some(section.as_str());
            if !entries.iter().any(|entry| known(&entry)) {
                missing.push(format!("sim/src/{file}:{number}: {section}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "cited rules without a row in sim/fidelity.tsv that names file and section:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_row_points_at_code_that_is_there() {
    let sources = sources();
    let mut lost = Vec::new();
    for entry in entries() {
        let found = sources.get(entry.file).is_some_and(|text| {
            let holds = |part: &str| text.iter().any(|line| line.contains(part));
            entry.fragment.is_none_or(holds)
        });
        if !found {
            let part = entry.fragment.unwrap_or_default();
            lost.push(format!(
                "{}: sim/src/{} has no line with {part:?}",
                entry.id, entry.file
            ));
        }
    }
    assert!(
        lost.is_empty(),
        "rows of sim/fidelity.tsv without code:\n{}",
        lost.join("\n")
    );
}

/// Whether a system knows a method on a path: what it does not know it refuses with 501, missing `route`.
fn is_known(systems: &Systems, site: Site, method: &str, path: &str) -> bool {
    let path = path
        .replace("{tenant}", "contoso")
        .replace("{user}", "partner@contoso.example")
        .replace("{object}", "Account")
        .replace("{set}", "accounts")
        .replace("{locator}", "01g000000000001AAA-2000")
        .replace("{id}", "00000000-0000-4000-8000-000000000001");
    let request = http::Request::builder().method(method).uri(&path);
    let request = request.body(Bytes::new()).expect("a ledger route is a path");
    let mut router = systems.routers().of(site).expect("every site exists").clone();
    let response = in_process::call(&mut router, request);
    let refused = response.status() == 501;
    !(refused && String::from_utf8_lossy(response.body()).contains("\"missing\":\"route\""))
}

#[test]
fn every_route_of_the_ledger_is_answered_and_no_other_method_is() {
    let ground = Ground::new(Clock::manual(default_start()), Seed::default());
    let systems = Systems::new(SystemSettings::default(), &ground);
    let entries = entries();
    let routes: Vec<(Site, &str, &str)> = entries
        .iter()
        .filter_map(|entry| {
            let (method, path) = entry.route?.split_once(' ')?;
            Some((entry.site, method, path))
        })
        .collect();
    for (site, method, path) in &routes {
        assert!(
            is_known(&systems, *site, method, path),
            "{method} {path} is not answered"
        );
    }
    let whole = |site: &Site| matches!(site, Site::Entra | Site::PartnerCenter);
    for (site, _, path) in routes.iter().filter(|(site, ..)| whole(site)) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let listed = routes.contains(&(*site, method, path));
            let known = is_known(&systems, *site, method, path);
            assert_eq!(known, listed, "{method} {path}: answered, or listed, but not both");
        }
    }
}

#[test]
fn the_harness_of_this_test_reads_citations() {
    let sections = cited("/// x (partner-center.md sections 3.1, 3.2 and 3.6).");
    assert_eq!(
        sections,
        [
            "partner-center.md 3.1",
            "partner-center.md 3.2",
            "partner-center.md 3.6"
        ]
    );
    assert_eq!(
        cited("// partner-center.md section 5). Assumed"),
        ["partner-center.md 5"]
    );
    assert!(cited("// dataverse.md section 5").is_empty());
}
