//! `cosell accept` against the simulators: under settings of a team's own, with connectors of its own, and the report.

mod command;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use command::{Folder, cosell, text};
use serde_json::Value;

/// A profile that only settings are taken from.
fn profile(crm: &str, connector: &str) -> String {
    format!(
        "name = \"team\"\nkind = \"simulator\"\ncrm = \"{crm}\"\n[partner-center.sign-in]\naccess-token = {{ env = \"NONE\" }}\n\
         [salesforce]\nlogin-base = \"http://127.0.0.1:4002\"\n[dataverse]\nbase = \"http://127.0.0.1:4003\"\n\
         [dataverse.sign-in]\naccess-token = {{ env = \"NONE\" }}\n[connector]\n{connector}\n"
    )
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", text(&output.stdout), text(&output.stderr)))
}

/// The checks that came out that way, by number.
fn with_outcome(document: &Value, outcome: &str) -> BTreeSet<u64> {
    let checks = document["checks"].as_array().expect("checks");
    let these = checks.iter().filter(|check| check["outcome"] == outcome);
    these.filter_map(|check| check["number"].as_u64()).collect()
}

#[test]
fn the_checks_pass_under_settings_of_a_teams_own() {
    let folder = Folder::new("accept-settings");
    for (crm, settings) in [
        (
            "salesforce",
            "on-hold-stage = \"Parked\"\nactive-stage = \"Working\"\ncountry-field = \"Country_Code__c\"\n\
             deal-value-field = \"Contract_Value__c\"\ndeal-value-currency-field = \"Contract_Currency__c\"\n\
             closing-date-field = \"Expected_Close__c\"\nnotes-field = \"Partner_Notes__c\"\nfield-profile = \"documented-2023\"\nconflicts = { value = \"crm-wins\" }",
        ),
        (
            "dynamics",
            "deal-value-field = \"budgetamount\"\ndisplay-check-mark = false\non-hold-edits = \"drop\"\n\
             sync-co-sell-only = false",
        ),
    ] {
        let file = folder.write("team.toml", &profile(crm, settings));
        let output = cosell(&["accept", "--profile", &file, "--format", "json"]);
        let document = document(&output);
        assert_eq!(output.status.code(), Some(0), "{crm}: {document:#}");
        assert_eq!(with_outcome(&document, "failed"), BTreeSet::new(), "{crm}");
        assert!(with_outcome(&document, "passed").len() >= 38, "{crm}: {document:#}");
        let not_run = with_outcome(&document, "not-run");
        assert!(not_run.is_subset(&BTreeSet::from([12])), "{crm}: {not_run:?}");
    }
}

#[test]
fn the_report_says_what_was_tried_and_leaves_room_to_sign() {
    let folder = Folder::new("accept-report");
    let file = folder.write("team.toml", &profile("salesforce", "on-hold-stage = \"Parked\""));
    let path = |name: &str| folder.0.join(name).to_string_lossy().into_owned();
    let reports = ["html", "markdown", "junit", "json"].map(|form| format!("{form}={}", path(form)));
    let mut arguments = vec![
        "accept",
        "--profile",
        &file,
        "--only",
        "1",
        "--only",
        "privacy.sync-no",
        "--only",
        "12",
    ];
    arguments.extend(reports.iter().flat_map(|report| ["--report", report]));
    let output = cosell(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("3 checks: 2 passed, 0 failed, 1 not run"),
        "{}",
        text(&output.stdout)
    );
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("the report is there");
    for form in [read("html"), read("markdown")] {
        for part in [
            "team",
            "Parked",
            "privacy.sync-no",
            "expect none in pc: D1",
            "it is for Dynamics 365 only",
            "Signature",
        ] {
            assert!(form.contains(part), "{part}: {form}");
        }
        assert!(
            form.contains("the reference connector of cosell") && form.contains("SHA-256"),
            "{form}"
        );
    }
    let json: Value = serde_json::from_str(&read("json")).expect("JSON");
    assert_eq!(json["environment"]["settingsDigest"].as_str().map(str::len), Some(64));
    assert_eq!(json["checks"][1]["reason"], "it is for Dynamics 365 only");
    assert!(read("junit").contains("tests=\"3\""), "{}", read("junit"));
}

#[test]
fn the_traces_of_checks_are_kept_and_replayed_to_the_same_verdict() {
    let folder = Folder::new("accept-traces");
    let file = folder.write("team.toml", &profile("salesforce", "on-hold-stage = \"Parked\""));
    let traces = folder.0.join("traces").to_string_lossy().into_owned();
    let output = cosell(&[
        "accept",
        "--profile",
        &file,
        "--only",
        "1",
        "--only",
        "20",
        "--save-traces",
        &traces,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let names: BTreeSet<String> = std::fs::read_dir(&traces)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        names.contains("01-new.from-crm.jsonl") && names.contains("20-hold.no-leak.jsonl"),
        "{names:?}"
    );
    let replayed = cosell(&["replay", &traces]);
    let shown = text(&replayed.stdout);
    assert_eq!(replayed.status.code(), Some(0), "{shown}{}", text(&replayed.stderr));
    assert!(shown.contains("2 passed"), "{shown}");
    let no_folder = cosell(&["accept", "--crm", "salesforce", "--save-traces", &file]);
    assert_eq!(no_folder.status.code(), Some(2));
    assert!(
        text(&no_folder.stderr).contains("--save-traces"),
        "{}",
        text(&no_folder.stderr)
    );
}

/// A connector that the command line can start.
fn external(command: &str, arguments: &[&str]) -> Output {
    let fixed = [
        "accept",
        "--crm",
        "salesforce",
        "--connector",
        "external",
        "--connector-command",
        command,
        "--quiet-for",
        "2s",
        "--format",
        "json",
    ];
    cosell(&[&fixed[..], arguments].concat())
}

#[cfg(unix)]
#[test]
fn a_teams_own_connector_is_judged_by_the_same_checks() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/connectors/polling.py");
    let honest = format!("python3 '{}'", file.display());
    let checks = [
        "--only",
        "3",
        "--only",
        "20",
        "--only",
        "40",
        "--jobs",
        "3",
        "--patience",
        "25s",
    ];
    let output = external(&honest, &checks);
    let passed = document(&output);
    assert_eq!(output.status.code(), Some(0), "{passed:#}");
    assert_eq!(
        with_outcome(&passed, "passed"),
        BTreeSet::from([3, 20, 40]),
        "{passed:#}"
    );
    assert!(
        passed["environment"]["connector"]
            .as_str()
            .is_some_and(|words| words.contains("polling.py"))
    );
    let leaky = external(&format!("{honest} --bug leak-on-hold"), &checks);
    let failed = document(&leaky);
    assert_eq!(leaky.status.code(), Some(1), "{failed:#}");
    assert!(with_outcome(&failed, "failed").contains(&20), "{failed:#}");
    assert!(failed.to_string().contains("no-leak: "), "{failed:#}");
}

#[cfg(unix)]
#[test]
fn a_connector_that_does_nothing_crashes_or_floods_is_named_and_given_up_after_three_checks() {
    let folder = Folder::new("accept-lifeless");
    let flood = "import json, os, urllib.request\n\
        url = json.load(open(os.environ['COSELL_READY_FILE']))['bases']['entra']\n\
        while True:\n    \
            try: urllib.request.urlopen(url, timeout=5).read()\n    \
            except urllib.error.HTTPError: pass\n";
    let flood = format!("python3 '{}'", folder.write("flood.py", flood));
    for (command, patience, word) in [
        ("sleep 100", "4s", "process: no call of the connector was seen"),
        ("echo 'out of ideas' >&2; exit 3", "4s", "out of ideas"),
        (flood.as_str(), "60s", "bound: "),
    ] {
        let output = external(command, &["--patience", patience, "--jobs", "3"]);
        let document = document(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {document:#}");
        assert_eq!(with_outcome(&document, "failed").len(), 3, "{command}: {document:#}");
        let shown = document.to_string();
        assert!(
            shown.contains(word) && shown.contains("the first 3 checks passed none"),
            "{command}: {document:#}"
        );
    }
}

#[test]
fn what_cannot_be_meant_is_usage_and_says_what_to_do() {
    let folder = Folder::new("accept-usage");
    let none = folder.write(
        "pc-only.toml",
        "name = \"x\"\nkind = \"staging\"\ncrm = \"none\"\n[partner-center.sign-in]\n",
    );
    let other = folder.write("sf.toml", &profile("salesforce", ""));
    for (arguments, part) in [
        (&["accept"][..], "nothing says which CRM"),
        (&["accept", "--profile", &none], "nothing says which CRM"),
        (
            &["accept", "--profile", &other, "--crm", "dynamics"],
            "the profile is for salesforce",
        ),
        (
            &["accept", "--crm", "salesforce", "--only", "privacy.sync-on"],
            "did you mean `privacy.sync-no`",
        ),
        (
            &["accept", "--crm", "salesforce", "--only", "99"],
            "there is no check `99`",
        ),
        (
            &["accept", "--crm", "salesforce", "--report", "htm=x"],
            "did you mean `html`",
        ),
        (
            &["accept", "--profile", "no-such-profile"],
            "there is no profile `no-such-profile`",
        ),
    ] {
        let output = cosell(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    let listed = cosell(&["accept", "--list"]);
    assert_eq!(text(&listed.stdout).lines().count(), 40);
}
