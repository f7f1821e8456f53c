//! The guide of the language is true: each of its examples runs and passes on each CRM that it is for, and parts are parts.

use cosell::diagnostic::{Sources, Style, render};
use cosell::plan::crms_of;
use cosell::report::human;
use cosell::scenario::file;
use cosell::scenario::parts::Library;
use cosell::verdict::Outcome;
use cosell_tests::given::ran;

const GUIDE: &str = include_str!("../../scenarios/guide/language.md");

/// The examples of the guide.
fn examples() -> Vec<&'static str> {
    let blocks = GUIDE.split("```yaml\n").skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}

/// Every include of the guide means the one part in it.
struct Page;

impl Library for Page {
    fn text(&self, path: &str) -> Result<String, String> {
        let part = examples().into_iter().find(|example| example.starts_with("part:"));
        match (path, part) {
            ("accepted.yaml", Some(part)) => Ok(part.to_owned()),
            _ => Err("there is no such file".to_owned()),
        }
    }
}

#[test]
fn every_example_of_the_guide_passes_on_each_crm() {
    assert!(examples().len() >= 12);
    for example in examples() {
        let found = file::read("guide.yaml", example, &Page);
        let mut sources = Sources::default();
        sources.add("guide.yaml", example);
        for (path, text) in &found.parts {
            sources.add(path, text);
        }
        let wrong = render(&found.diagnostics, &sources, Style::PLAIN);
        assert!(found.diagnostics.is_empty(), "{wrong}");
        for scenario in &found.scenarios {
            for crm in crms_of(scenario) {
                let ran = ran(scenario, crm);
                let findings = human::findings(&ran, &sources, Style::PLAIN);
                assert_eq!(ran.outcome(), Outcome::Passed, "{}\n{findings}", crm.name());
            }
        }
    }
}

#[test]
fn every_step_stands_in_an_example_of_the_guide() {
    let all = examples().join("\n");
    for verb in &cosell::scenario::verbs::VERBS {
        let written = [
            format!("{}: ", verb.name),
            format!("- {}\n", verb.name),
            format!("{}:\n", verb.name),
        ];
        // It answers as if nothing were wrong, so what follows from it differs: the catalog has it.
        if matches!(verb.name, "ignore field" | "expect decision") {
            continue;
        }
        assert!(
            written.iter().any(|words| all.contains(words.as_str())),
            "no example of the guide has `{}`",
            verb.name
        );
    }
}
