//! What editors and beginners are given: the JSON Schema, the usual form, and files to start from.

use std::fs;
use std::path::PathBuf;

use cosell::catalog;
use cosell::diagnostic::{Span, Style, render};
use cosell::format::format;
use cosell::load;
use cosell::plan::{Plan, crms_of};
use cosell::scenario::schema::schema;
use cosell::simulate::{self, Options};
use cosell::verdict::{self, Outcome};
use cosell::yaml::{self, Kind, Node};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A tree as an editor's YAML reader hands it to a JSON Schema: digits are numbers.
fn document(node: &Node) -> Value {
    match &node.kind {
        Kind::Text { text, quoted: false } if text.is_empty() => Value::Null,
        Kind::Text { text, quoted: false } => text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)),
        Kind::Text { text, .. } => json!(text),
        Kind::List(items) => items.iter().map(document).collect(),
        Kind::Map(entries) => {
            let entries = entries.iter().filter_map(|(key, value)| match &key.kind {
                Kind::Text { text, .. } => Some((text.clone(), document(value))),
                Kind::List(_) | Kind::Map(_) | Kind::Refused => None,
            });
            Value::Object(entries.collect())
        }
        Kind::Refused => Value::Null,
    }
}

#[test]
fn the_schema_takes_every_file_of_the_catalog_and_refuses_what_the_reader_refuses_for_its_shape() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is a schema");
    for (path, text) in catalog::FILES {
        let root = yaml::parse(path, text).root.expect("a tree");
        let wrong: Vec<String> = validator
            .iter_errors(&document(&root))
            .map(|error| error.to_string())
            .collect();
        assert!(wrong.is_empty(), "{path}: {wrong:#?}");
    }
    let bad = [
        "unknown-step",
        "unknown-key",
        "unknown-setting",
        "unknown-field",
        "unknown-call",
        "unknown-system",
        "unknown-crm",
        "unknown-help",
        "unknown-status",
        "unknown-decision",
        "unknown-finding",
        "unknown-world",
        "unknown-lead-source",
        "unknown-connection",
        "missing-title",
        "missing-steps",
        "empty-steps",
        "bad-money",
        "bad-date",
        "bad-time",
        "bad-yes-no",
        "bad-number",
        "wrong-type",
        "map-for-a-scalar",
        "scalar-for-a-map",
        "step-is-a-list",
        "two-steps-behind-one-dash",
        "matcher-unknown",
        "matcher-twice",
        "within-without-time",
        "skew-without-direction",
    ];
    for name in bad {
        let text = fs::read_to_string(format!("bad/{name}.yaml")).expect("a bad file");
        let root = yaml::parse(name, &text).root.expect("a tree");
        assert!(!validator.is_valid(&document(&root)), "the schema takes {name}");
    }
}

/// A tree without places.
fn bare(node: &Node) -> Node {
    let kind = match &node.kind {
        Kind::List(items) => Kind::List(items.iter().map(bare).collect()),
        Kind::Map(entries) => Kind::Map(entries.iter().map(|(key, value)| (bare(key), bare(value))).collect()),
        other @ (Kind::Text { .. } | Kind::Refused) => other.clone(),
    };
    Node {
        kind,
        span: Span::default(),
    }
}

fn comments(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| line.starts_with('#')).collect()
}

#[test]
fn the_catalog_is_in_the_usual_form() {
    for (path, text) in catalog::FILES {
        let usual = format(path, text).expect("a file of the catalog has a usual form");
        assert_eq!(&usual, text, "{path}: cosell fmt scenarios/catalog");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn formatting_keeps_words_and_comments_and_is_done_once(
        file in 0..catalog::FILES.len(),
        level in 1_usize..5,
        ends in proptest::collection::vec(0_usize..3, 8),
        blank in proptest::collection::vec(0_usize..4, 5),
    ) {
        let (path, text) = catalog::FILES[file];
        // Deeper levels, blanks at the ends, further empty lines, a comment here and there.
        let mut odd = String::new();
        for (number, line) in text.lines().enumerate() {
            let words = line.trim_start();
            let depth = (line.len() - words.len()) / 2;
            odd.push_str(&" ".repeat(depth * level));
            odd.push_str(words);
            odd.push_str(&" ".repeat(ends[number % ends.len()]));
            odd.push('\n');
            if words.ends_with(':') || number > 6 {
                continue;
            }
            odd.push_str(&"\n".repeat(blank[number % blank.len()]));
            if depth == 0 && blank[number % blank.len()] == 1 {
                odd.push_str("# a remark\n");
            }
        }
        let (before, after) = (yaml::parse(path, text), yaml::parse(path, &odd));
        prop_assume!(after.diagnostics.is_empty());
        prop_assume!(before.root.as_ref().map(bare) == after.root.as_ref().map(bare));
        let usual = format(path, &odd).expect("the same words in odd places");
        prop_assert_eq!(format(path, &usual).expect("the usual form"), usual.clone());
        prop_assert_eq!(yaml::parse(path, &usual).root.as_ref().map(bare), before.root.as_ref().map(bare));
        prop_assert_eq!(comments(&usual), comments(&odd));
    }
}

/// The scaffolds themselves, as the binary writes them.
#[test]
fn the_scaffold_of_a_suite_runs_green_and_is_in_the_usual_form() {
    let folder = std::env::temp_dir().join(format!("cosell-new-{}", std::process::id()));
    let from = PathBuf::from("../scenarios/src/cli/new");
    for (name, to) in [
        ("first.yaml", "first.yaml"),
        ("scenario.yaml", "second.yaml"),
        ("accepted.yaml", "parts/accepted.yaml"),
    ] {
        let to = folder.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder can be made");
        fs::copy(from.join(name), to).expect("a scaffold can be copied");
    }
    let loaded = load::paths(std::slice::from_ref(&folder));
    let wrong = render(&loaded.diagnostics, &loaded.sources, Style::PLAIN);
    assert!(loaded.diagnostics.is_empty(), "{wrong}");
    assert_eq!(loaded.scenarios.len(), 3);
    for scenario in &loaded.scenarios {
        let text = loaded.sources.text(&scenario.path).expect("its text");
        assert_eq!(format(&scenario.path, text).expect("a usual form"), text);
        for crm in crms_of(scenario) {
            let plan = Plan::of(scenario, crm, None);
            let trace = simulate::run(&plan, &Options::default()).expect("a scaffold can be run");
            let verdict = verdict::decide(&plan, &trace);
            assert_eq!(verdict.outcome, Outcome::Passed, "{:#?}", verdict.findings);
        }
    }
    fs::remove_dir_all(&folder).expect("the folder can go");
}
