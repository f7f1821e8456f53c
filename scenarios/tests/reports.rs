//! The reports that `cosell run --report` writes, as CI servers read them.

mod command;

use std::fs;

use command::{Folder, cosell, text};
use quick_junit::{NonSuccessKind, TestCaseStatus};

const FAILS: &str = "title: \"<b>This & that</b> fails | always\"\nsteps:\n  - expect decision: create.opportunity\n";

/// A run of one failing and many passing scenarios, with a report of this form.
fn report(form: &str) -> String {
    let folder = Folder::new(form);
    let failing = folder.write("fails.yaml", FAILS);
    // The folder on the way to the report does not exist yet.
    let file = folder.0.join("out").join("report");
    let wanted = format!("{form}={}", file.display());
    let output = cosell(&["run", &failing, "catalog/updates", "--report", &wanted]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    fs::read_to_string(file).expect("the report was written")
}

#[test]
fn junit_holds_each_run_and_can_be_read_back() {
    let xml = report("junit");
    let read = quick_junit::Report::deserialize_from_str(&xml).expect("it is JUnit");
    let cases: Vec<_> = read.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    let failed = cases
        .iter()
        .filter(|case| !matches!(case.status, TestCaseStatus::Success { .. }));
    assert_eq!((read.tests, read.failures, read.errors), (cases.len(), 2, 0));
    for case in failed {
        let TestCaseStatus::NonSuccess {
            kind,
            message,
            description,
            ..
        } = &case.status
        else {
            panic!("{case:?}")
        };
        assert_eq!(*kind, NonSuccessKind::Failure);
        assert!(message.is_some());
        let description = description.as_ref().expect("the findings").as_str();
        assert!(
            description.contains("fails.yaml:3:5") && description.contains("run it again"),
            "{description}"
        );
        assert!(case.name.as_str().starts_with("<b>This & that</b> fails | always ["));
    }
}

/// The elements and attributes that the schema of Jenkins (`junit-10.xsd`) knows, as far as this report uses any.
#[test]
fn junit_uses_only_what_the_common_schema_knows() {
    const KNOWN: [(&str, &[&str]); 5] = [
        ("testsuites", &["name", "time", "tests", "failures", "errors"]),
        (
            "testsuite",
            &[
                "name",
                "tests",
                "failures",
                "errors",
                "time",
                "skipped",
                "timestamp",
                "hostname",
                "id",
                "package",
            ],
        ),
        ("testcase", &["name", "time", "classname", "group"]),
        ("failure", &["type", "message"]),
        ("system-out", &[]),
    ];
    let xml = report("junit");
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    let mut seen = 0;
    for tag in xml.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '?', '!'])) {
        let inner = tag.split('>').next().expect("a tag ends").trim_end_matches('/');
        let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        let (_, known) = KNOWN
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("<{name}> is not known"));
        // Quoted values alternate with names.
        for attribute in attributes
            .split('"')
            .step_by(2)
            .map(|part| part.trim().trim_end_matches('='))
        {
            assert!(
                attribute.is_empty() || known.contains(&attribute),
                "{attribute} of <{name}> is not known"
            );
        }
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn json_lines_say_how_it_starts_each_run_and_how_it_ends() {
    let lines = report("jsonl");
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (first, last) = (lines.first().expect("a line"), lines.last().expect("a line"));
    assert_eq!((&first["kind"], &first["format"]), (&"start".into(), &2.into()));
    assert_eq!(first["selected"], lines.len() - 2);
    assert_eq!((&last["kind"], &last["failed"]), (&"end".into(), &2.into()));
    assert!(
        lines[1..lines.len() - 1]
            .iter()
            .all(|line| line["kind"] == "run" && line["reproduce"].is_string())
    );
}

#[test]
fn the_json_report_is_the_same_twice() {
    assert_eq!(
        report("json").replace(&std::process::id().to_string(), ""),
        report("json").replace(&std::process::id().to_string(), "")
    );
}

#[test]
fn markdown_counts_and_folds_up_each_failure() {
    let shown = report("markdown");
    assert!(
        shown.contains("| passed | failed |") && shown.contains("| 2 | 0 | 0 |"),
        "{shown}"
    );
    let title = "<summary>failed: &lt;b&gt;This &amp; that&lt;/b&gt; fails \\| always [";
    assert!(shown.contains(title) && shown.contains("run it again"), "{shown}");
}

#[test]
fn github_gets_an_annotation_at_the_line_that_failed() {
    let folder = Folder::new("github");
    let failing = folder.write("fails.yaml", FAILS);
    let output = cosell(&["run", &failing, "--crm", "salesforce", "--format", "github"]);
    let shown = text(&output.stdout);
    let annotation = shown
        .lines()
        .find(|line| line.starts_with("::error file="))
        .expect("an annotation");
    assert!(
        annotation.contains(",line=3,col=5,title=") && annotation.contains("%0Arun it again: cosell run"),
        "{shown}"
    );
    assert!(shown.contains("FAIL  salesforce"), "{shown}");
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_any_run() {
    let folder = Folder::new("unwritable");
    let file = folder.write("file", "");
    let output = cosell(&[
        "run",
        "catalog/updates",
        "--report",
        &format!("junit={file}/report.xml"),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert!(
        text(&output.stderr).contains("cannot be written"),
        "{}",
        text(&output.stderr)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_the_runs_are_shown_all_the_same() {
    for form in ["html", "json", "jsonl", "junit", "markdown"] {
        let output = cosell(&["run", "catalog/updates", "--report", &format!("{form}=/dev/full")]);
        assert_eq!(output.status.code(), Some(70), "{form}");
        assert!(text(&output.stderr).contains("/dev/full c"), "{}", text(&output.stderr));
        assert_eq!(
            text(&output.stdout).contains(" passed (seed"),
            form != "jsonl",
            "{form}"
        );
    }
}

#[test]
fn no_report_takes_the_place_of_a_file_that_is_read_or_of_another_report() {
    let folder = Folder::new("replaced");
    let scenario = folder.write("mine.yaml", "title: Mine\nsteps:\n  - wait: 5m\n");
    let other = folder.0.join("report.html").to_string_lossy().into_owned();
    for (reports, part) in [
        (
            [format!("html={scenario}"), format!("json={other}")],
            "is read by this command",
        ),
        ([format!("html={other}"), format!("json={other}")], "two reports go to"),
    ] {
        let output = cosell(&["run", &scenario, "--report", &reports[0], "--report", &reports[1]]);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(part), "{shown}");
        assert!(output.stdout.is_empty() && !std::path::Path::new(&other).exists());
    }
    let kept = fs::read_to_string(&scenario).expect("the scenario is there");
    assert!(kept.starts_with("title: Mine"), "{kept}");
}

#[test]
fn forms_that_nobody_knows_are_usage_with_the_nearest_name() {
    for (wanted, part) in [
        ("juint=x", "did you mean `junit`?"),
        ("pdf=x", "forms: html, json, jsonl, junit, markdown"),
        ("junit", "expected FORM=FILE"),
        ("junit=", "expected FORM=FILE"),
    ] {
        let output = cosell(&["run", "--report", wanted]);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wanted}");
        assert!(shown.contains(part), "{shown}");
    }
}
